//! Which devices a list shows, and in which order (R56–R64, R243): one rule for the page, the API and the dashboard's links.
//!
//! Pure: who calls brings the devices and the time. How a query is written in an address is the web's matter.

mod search;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::device::{Device, LastRun, Origin, Owner, Sighting};
use super::ids::{GroupId, SiteId};
use super::limits::OFFLINE_AFTER_SECONDS;
pub use super::software::behind::Behind;
use super::software::behind::{is_behind, is_chosen};
pub use super::text_search::Hit;
use super::world::World;
pub use search::Search;

/// Whether a device is heard of (contract 5.7, R245).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It sent a message within two polling periods and one hour.
    Online,
    /// It was silent for longer.
    Offline,
    /// It was added by hand and never came: offline too, but nothing to worry about.
    NeverSeen,
}

impl Status {
    /// The status of a device that was last heard at this time.
    pub fn of(last_seen: Option<Timestamp>, now: Timestamp) -> Self {
        match last_seen {
            None => Self::NeverSeen,
            Some(at) if now.duration_since(at) <= SignedDuration::from_secs(OFFLINE_AFTER_SECONDS) => Self::Online,
            Some(_) => Self::Offline,
        }
    }

    /// The word of the guide.
    pub fn label(self) -> &'static str {
        match self {
            Self::Online => "Online",
            Self::Offline => "Offline",
            Self::NeverSeen => "Never seen",
        }
    }
}

/// What came of the last run (R258).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LastResult {
    /// The device took its whole configuration.
    Success,
    /// It did not.
    Failed,
    /// There was no run yet.
    None,
}

impl LastResult {
    /// The result that a sighting tells.
    pub fn of(last_run: Option<LastRun>) -> Self {
        match last_run {
            None => Self::None,
            Some(run) if run.complete => Self::Success,
            Some(_) => Self::Failed,
        }
    }

    /// The word of the guide.
    pub fn label(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::None => "No run yet",
        }
    }
}

impl Listed {
    /// A row of this device with what the device told of its software as memory knows it: rows get that later.
    pub fn with_told(&self, row: Arc<Device>) -> Arc<Device> {
        let told = self.device.told_software();
        if row.told_software() == told {
            return row;
        }
        let mut device = Device::clone(&row);
        device.change_software(|software| software.told = told.cloned().unwrap_or_default());
        Arc::new(device)
    }
}

/// Gives an enum one short word a variant, for addresses and JSON.
macro_rules! words {
    ($name:ident { $($word:literal => $variant:path),+ $(,)? }) => {
        impl $name {
            /// Every value, in the order of choice lists.
            pub const ALL: &'static [Self] = &[$($variant),+];

            /// The word in addresses and JSON.
            pub fn word(self) -> &'static str {
                match self {
                    $($variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok($variant),)+
                    _ => Err(UnknownWord { expected: &[$($word),+] }),
                }
            }
        }
    };
}

/// A filter or sort key that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use one of: {}", expected.join(", "))]
pub struct UnknownWord {
    expected: &'static [&'static str],
}

words!(Status { "online" => Status::Online, "offline" => Status::Offline, "never-seen" => Status::NeverSeen });
words!(LastResult { "success" => LastResult::Success, "failed" => LastResult::Failed, "none" => LastResult::None });
words!(Origin { "automatic" => Origin::Automatic, "manual" => Origin::Manual });
words!(Behind {
    "minimum" => Behind::Minimum,
    "chosen" => Behind::Chosen,
    "newest" => Behind::Newest,
    "waiting" => Behind::Waiting,
    "consent" => Behind::Consent,
});
words!(SortKey {
    "name" => SortKey::Name,
    "status" => SortKey::Status,
    "model" => SortKey::Model,
    "site" => SortKey::Site,
    "key" => SortKey::Key,
    "public_ip" => SortKey::PublicIp,
    "private_ip" => SortKey::PrivateIp,
    "software" => SortKey::Software,
    "last_seen" => SortKey::LastSeen,
    "result" => SortKey::Result,
    "added" => SortKey::Added,
    "groups" => SortKey::Groups,
});

/// What a list is ordered by. Devices without a value come last in either direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// Device name, without regard to letter case.
    #[default]
    Name,
    /// Online, offline, never seen.
    Status,
    /// Model.
    Model,
    /// Name of the site.
    Site,
    /// MAC or serial number.
    Key,
    /// Public address, by its number.
    PublicIp,
    /// Private address, by its number.
    PrivateIp,
    /// Software version, by its numbers.
    Software,
    /// Last message.
    LastSeen,
    /// Result of the last run.
    Result,
    /// When it was added.
    Added,
    /// Name of its first group.
    Groups,
}

/// What a list shows. All conditions must hold (R59).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceQuery {
    /// Searched in everything that is known of a device, its profiles and groups by name included (R58). Every word must be found somewhere.
    pub text: String,
    /// Status.
    pub status: Option<Status>,
    /// Device type.
    pub family: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Software version as it is told; `none` for those that told none.
    pub software: Option<String>,
    /// What is not as it should be with its software.
    pub behind: Option<Behind>,
    /// Software version that is chosen for them.
    pub chosen: Option<String>,
    /// Site.
    pub site: Option<SiteId>,
    /// Result of the last run.
    pub result: Option<LastResult>,
    /// How it came in.
    pub origin: Option<Origin>,
    /// A group that it is in.
    pub group: Option<GroupId>,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// Order.
    pub sort: SortKey,
    /// Order turned round.
    pub descending: bool,
}

/// A device with what it told of itself.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What admins know of it.
    pub device: Arc<Device>,
    /// What it told.
    pub sighting: Arc<Sighting>,
}

impl Listed {
    /// Whether it was ever heard of: what it told of itself is binding from then on.
    pub fn has_come(&self) -> bool {
        self.sighting.last_seen.is_some()
    }

    /// The private address in force: the one an admin typed, else the one the device reports (R238).
    pub fn private_ip(&self) -> Option<IpAddr> {
        self.device.private_ip.or(self.sighting.private_ip)
    }
}

/// The name of a device's site.
pub fn site_name<'a>(world: &'a World, device: &Device) -> &'a str {
    world.sites.get(&device.site_id()).map_or("", |site| site.name.as_str())
}

/// The devices that a query asks for, in its order. The world is the account's, so that names of sites, profiles and groups can be
/// searched.
pub fn select(devices: impl Iterator<Item = Listed>, query: &DeviceQuery, world: &World, now: Timestamp) -> Vec<Listed> {
    let search = Search::new(&query.text, world);
    let mut found: Vec<Listed> = devices.filter(|one| passes(one, query, world, now) && search.finds(one).is_some()).collect();
    match query.sort {
        SortKey::Name => order(&mut found, query, |one| one.device.name.as_ref().map(|name| name.folded())),
        SortKey::Status => order(&mut found, query, |one| Some(Status::of(one.sighting.last_seen, now))),
        SortKey::Model => order(&mut found, query, |one| one.device.model.clone()),
        SortKey::Site => {
            let ranks = ranks(world.sites.iter().map(|(id, site)| (*id, site.name.folded())));
            order(&mut found, query, |one| Some(ranks.get(&one.device.site_id()).copied()));
        }
        SortKey::Key => order(&mut found, query, |one| Some(one.device.key.clone())),
        SortKey::PublicIp => order(&mut found, query, |one| one.sighting.public_ip),
        SortKey::PrivateIp => order(&mut found, query, Listed::private_ip),
        SortKey::Software => order(&mut found, query, |one| one.sighting.software_version.as_deref().map(numbers)),
        SortKey::LastSeen => order(&mut found, query, |one| one.sighting.last_seen),
        SortKey::Result => order(&mut found, query, |one| Some(LastResult::of(one.sighting.last_run))),
        SortKey::Added => order(&mut found, query, |one| Some(one.device.added_at)),
        SortKey::Groups => {
            let ranks = ranks(world.groups.iter().map(|(id, group)| (*id, group.name.folded())));
            order(&mut found, query, |one| one.device.groups.iter().find_map(|id| ranks.get(id).copied()));
        }
    }
    found
}

/// Where each object stands among the others by its name, so that fifty thousand devices are ordered by numbers.
fn ranks<K: Ord + Hash + Copy>(named: impl Iterator<Item = (K, String)>) -> HashMap<K, usize> {
    let mut named: Vec<(String, K)> = named.map(|(id, name)| (name, id)).collect();
    named.sort();
    named.into_iter().zip(0..).map(|((_, id), rank)| (id, rank)).collect()
}

fn passes(one: &Listed, query: &DeviceQuery, world: &World, now: Timestamp) -> bool {
    let same = |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
    query.status.is_none_or(|wanted| wanted == Status::of(one.sighting.last_seen, now))
        && query.result.is_none_or(|wanted| wanted == LastResult::of(one.sighting.last_run))
        && query.origin.is_none_or(|wanted| wanted == one.device.origin)
        && query.site.is_none_or(|wanted| wanted == one.device.site_id())
        && query.owner.is_none_or(|wanted| one.device.owner == Some(wanted))
        && query.group.is_none_or(|wanted| one.device.groups.contains(&wanted))
        && same(&query.family, &one.device.family)
        && same(&query.model, &one.device.model)
        && query.software.as_deref().is_none_or(|version| version == one.sighting.software_version.as_deref().unwrap_or("none"))
        && query.behind.is_none_or(|wanted| {
            let installed = one.sighting.software_version.as_deref().and_then(|version| version.parse().ok());
            is_behind(wanted, &one.device, installed.as_ref(), world)
        })
        && query.chosen.as_deref().is_none_or(|version| is_chosen(version, &one.device, world))
}

/// Sorts by a key that is made once for each device; equal keys stay in the order of the device keys.
fn order<K: Ord>(found: &mut Vec<Listed>, query: &DeviceQuery, key: impl Fn(&Listed) -> Option<K>) {
    let mut keyed: Vec<(Option<K>, Listed)> = found.drain(..).map(|one| (key(&one), one)).collect();
    keyed.sort_by(|(a, one), (b, other)| {
        let by_key = match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) if query.descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
        };
        by_key.then_with(|| one.device.key.cmp(&other.device.key))
    });
    found.extend(keyed.into_iter().map(|(_, one)| one));
}

/// The numbers of a version, so that 5.9.10 comes after 5.9.2.
fn numbers(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests;
