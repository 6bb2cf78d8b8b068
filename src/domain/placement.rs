//! To which site a device belongs: at first contact by its addresses, later not at the first request from elsewhere, and never out of
//! all sites by itself (contract 5.6). What a person says counts until a person says otherwise.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::device::Device;
use super::ids::SiteId;
use super::limits::MOVE_MINUTES;
use super::site::{INTERNET, Match, Origin, Sites, site_for};
use super::subnet::Subnet;

/// How a device came to its site, and from where else it came since. Part of the stored form of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// A person has said where it belongs: its addresses count no more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pinned: bool,
    /// When it came to its site and why; none before its first contact (R70).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<Placed>,
    /// The site that it came from lately in place of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
}

/// Since when a device belongs to its site, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub by: By,
}

/// Why a device belongs to a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Networks of the site cover its addresses.
    Networks {
        /// The public one.
        public: Subnet,
        /// The private one behind it, where there are any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        private: Option<Subnet>,
    },
    /// No network of any site does: it is in *Internet* (R76).
    NoNetwork,
    /// A person said so.
    Person,
}

/// Another site that a device came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// The site.
    pub site: SiteId,
    /// Begin of the first run that came from there.
    pub since: Timestamp,
    /// Since when a move to *Internet* waits for somebody's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<Timestamp>,
    /// Somebody said no: it is not asked again before the device came from somewhere else.
    #[serde(default, skip_serializing_if = "is_false")]
    pub declined: bool,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The site that claims addresses, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The site.
    pub site: SiteId,
    /// Why.
    pub by: By,
}

impl Placement {
    /// Why the device belongs to its site, in words.
    pub fn reason(&self) -> String {
        match self.placed.map(|placed| placed.by) {
            None => "it never came: its first contact says".to_owned(),
            Some(By::Person) => "placed by hand".to_owned(),
            Some(By::NoNetwork) => "its address lies in no network of a site".to_owned(),
            Some(By::Networks { public, private: None }) => format!("its address lies in {public}"),
            Some(By::Networks { public, private: Some(private) }) => {
                format!("its address lies in {public}, and the one that it has itself in {private}")
            }
        }
    }
}

/// The site that claims somebody who comes from there; *Internet* where none does (R76).
pub fn find(sites: &Sites, origin: Origin) -> Found {
    Found::of(site_for(sites.values().map(|site| &**site), origin))
}

impl Found {
    /// What a match means.
    pub fn of(found: Option<Match>) -> Self {
        match found {
            Some(found) => Self { site: found.site, by: By::Networks { public: found.public, private: found.private } },
            None => Self { site: INTERNET, by: By::NoNetwork },
        }
    }
}

impl Device {
    /// The site that it belongs to.
    pub fn site_id(&self) -> SiteId {
        self.site.unwrap_or(INTERNET)
    }

    /// The site that a person has pinned it to.
    pub fn pin_id(&self) -> Option<SiteId> {
        self.placement.pinned.then(|| self.site_id())
    }

    /// Whether its first contact says where it belongs: nobody and nothing did so far.
    pub fn is_to_be_placed(&self) -> bool {
        self.placement.placed.is_none() && !self.placement.pinned
    }

    /// Puts it where its addresses say: at first contact, and when its site is deleted.
    pub fn place(&mut self, found: Found, at: Timestamp) {
        self.site = Some(found.site).filter(|site| *site != INTERNET);
        self.placement = Placement { pinned: false, placed: Some(Placed { at, by: found.by }), elsewhere: None };
    }

    /// Puts it where a person says, whatever its addresses say.
    pub fn pin(&mut self, site: SiteId, at: Timestamp) {
        self.place(Found { site, by: By::Person }, at);
        self.placement.pinned = true;
    }

    /// Lets its addresses say again where it belongs; `found` is what they say, where they are known. It does not leave all sites so.
    pub fn unpin(&mut self, found: Option<Found>, at: Timestamp) {
        self.placement.pinned = false;
        match found {
            Some(found) => self.reconsider(found, at),
            None => {
                self.site = None;
                self.placement = Placement::default();
            }
        }
    }

    /// Takes in what the addresses say after the networks of sites have changed. It moves at once, but to *Internet* only by
    /// somebody's word.
    pub fn reconsider(&mut self, found: Found, at: Timestamp) {
        if found.site == INTERNET && self.site_id() != INTERNET {
            let waits = Elsewhere { site: INTERNET, since: at, waits_since: Some(at), declined: false };
            self.placement.elsewhere = Some(waits);
        } else if found.site == self.site_id() {
            self.placement.elsewhere = None;
        } else {
            self.place(found, at);
        }
    }

    /// Takes in from where a run of it came, and tells whether it belongs to another site from now on.
    pub fn ran(&mut self, found: Found, began: Timestamp) -> bool {
        if self.placement.pinned {
            return false;
        }
        if self.is_to_be_placed() {
            let before = self.site_id();
            self.place(found, began);
            return before != found.site;
        }
        if found.site == self.site_id() {
            self.placement.elsewhere = None;
            return false;
        }
        let first = Elsewhere { site: found.site, since: began, waits_since: None, declined: false };
        let elsewhere = self.placement.elsewhere.get_or_insert(first);
        if elsewhere.site != found.site {
            *elsewhere = first;
        }
        if elsewhere.declined || began.duration_since(elsewhere.since) < SignedDuration::from_mins(MOVE_MINUTES) {
            return false;
        }
        if found.site == INTERNET {
            elsewhere.waits_since.get_or_insert(began);
            return false;
        }
        self.place(found, began);
        true
    }

    /// The move to *Internet* that waits for somebody's word, and since when.
    pub fn waiting_move(&self) -> Option<Timestamp> {
        self.placement.elsewhere.and_then(|elsewhere| elsewhere.waits_since)
    }

    /// Somebody says yes to the move that waits; whether there was one.
    pub fn accept_move(&mut self, at: Timestamp) -> bool {
        let waits = self.waiting_move().is_some();
        if waits {
            self.place(Found { site: INTERNET, by: By::NoNetwork }, at);
        }
        waits
    }

    /// Somebody says no to the move that waits; whether there was one.
    pub fn decline_move(&mut self) -> bool {
        let waiting = self.placement.elsewhere.as_mut().filter(|elsewhere| elsewhere.waits_since.is_some());
        let Some(elsewhere) = waiting else { return false };
        elsewhere.waits_since = None;
        elsewhere.declined = true;
        true
    }
}

#[cfg(test)]
#[path = "placement_tests.rs"]
mod tests;
