//! Sites: named sets of networks. A device belongs to the one that its address says (R70–R89, contract 5.6).

pub mod download_path;
pub mod draft;
pub mod index;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use download_path::DownloadPath;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::SiteId;
use super::names::Name;
use super::subnet::Subnet;

/// All sites of an account.
pub type Sites = BTreeMap<SiteId, Arc<Site>>;

/// The site of every device that no other one claims (R75, R76). It is always there, and no network belongs to it.
pub const INTERNET: SiteId = SiteId(1);

/// A site. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Key. Ids grow, so the lower one is the older site.
    pub id: SiteId,
    /// Unique among the sites of the account without regard to letter case.
    pub name: Name,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where it is, in words (R78).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// Its public networks, each with those behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Network>,
    /// Its IANA time zone; none: the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// First and last minute of the day in which its devices poll; none: the account's window (R162).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polling_window: Option<(u16, u16)>,
    /// From where its phones take software and resource files; none: from where the account says (R85, R86).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_path: Option<DownloadPath>,
    /// Whether only an agent at the site controls its phones, and controls no others (R87, R310).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub site_specific: bool,
    /// Who changed it last; a user's name, or `pdms`.
    pub modified_by: String,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// Counts changes (R14).
    #[serde(default)]
    pub revision: u64,
}

/// One public network of a site: addresses as this server sees them (R71).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The network.
    pub public: Subnet,
    /// Networks behind it, by the addresses that phones have themselves. With none, all that come from there belong to the site.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<Subnet>,
}

impl Site {
    /// The built-in site *Internet*. It is no row: there is nothing of it that could be changed (R75).
    pub fn internet() -> Self {
        Self {
            id: INTERNET,
            name: Name::parse("Internet").expect("letters"),
            description: "Every device that no other site claims.".to_owned(),
            location: String::new(),
            networks: Vec::new(),
            time_zone: None,
            polling_window: None,
            download_path: None,
            site_specific: false,
            modified_by: "pdms".to_owned(),
            modified_at: Timestamp::UNIX_EPOCH,
            revision: 0,
        }
    }

    /// Whether it is the built-in site *Internet*, which takes profiles and nothing else (R75, R86).
    pub fn is_internet(&self) -> bool {
        self.id == INTERNET
    }

    /// Whether it has networks and all of them are zeros: nobody has said where it is (R74).
    pub fn is_unset(&self) -> bool {
        !self.networks.is_empty() && self.networks.iter().all(|network| network.public.is_unset())
    }
}

/// Where a phone comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The address that this server sees.
    pub seen: IpAddr,
    /// The address that the phone has itself, where it is known. On one network with the server both are the same (R72).
    pub own: Option<IpAddr>,
}

impl Origin {
    fn private(self) -> IpAddr {
        self.own.unwrap_or(self.seen)
    }
}

/// Which networks of a site matched an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The site.
    pub site: SiteId,
    /// Its public network.
    pub public: Subnet,
    /// The private one behind it; none where the public network has none.
    pub private: Option<Subnet>,
}

/// The site that claims an origin: the longest public match, among equal ones the longest private match, among equal ones the oldest
/// site (R79, R80). A public network with private ones behind it claims only whom one of these covers. None: *Internet*.
pub fn site_for<'a>(sites: impl IntoIterator<Item = &'a Site>, origin: Origin) -> Option<Match> {
    let claims = sites.into_iter().flat_map(|site| claims(site, origin));
    claims.min_by_key(|claim| {
        let private_bits = claim.private.map(Subnet::bits);
        (std::cmp::Reverse((claim.public.bits(), private_bits)), claim.site)
    })
}

fn claims(site: &Site, origin: Origin) -> impl Iterator<Item = Match> {
    let networks = site.networks.iter().filter(move |network| network.public.covers(origin.seen));
    networks.flat_map(move |network| {
        let claim = |private| Match { site: site.id, public: network.public, private };
        let whole = network.private.is_empty().then(|| claim(None));
        let behind = network.private.iter().filter(move |private| private.covers(origin.private()));
        whole.into_iter().chain(behind.map(move |private| claim(Some(*private))))
    })
}

/// A network that two sites claim alike: the older one gets its devices (R80).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The one that gets them.
    pub older: SiteId,
    /// The one that does not.
    pub younger: SiteId,
    /// The public network.
    pub public: Subnet,
    /// The private one behind it.
    pub private: Option<Subnet>,
}

fn pairs(site: &Site) -> impl Iterator<Item = (Subnet, Option<Subnet>)> {
    let set = site.networks.iter().filter(|network| !network.public.is_unset());
    set.flat_map(|network| {
        let whole = network.private.is_empty().then_some((network.public, None));
        whole.into_iter().chain(network.private.iter().map(|private| (network.public, Some(*private))))
    })
}

#[cfg(test)]
#[path = "site_tests.rs"]
mod tests;
