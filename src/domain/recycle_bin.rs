//! The recycle bin: what people deleted, kept for a time so that it can be put back as it was, with everything that hung on it.
//!
//! One act of deleting is one [`Deletion`], however many objects went by it. Beside the objects it keeps how the lists stood that they
//! were taken out of ([`Around`]), whole: so each finds its place again, also where others came or went meanwhile ([`put_back`]).
//! Numbers of objects are never given out twice; what is put back has the one that it had.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deployment::Place;
use super::device::{Device, DeviceKey, Owner, Sighting};
use super::device_file::DeviceFile;
use super::flash::Flash;
use super::group::Group;
use super::ids::{DeletionId, GroupId, PersonGroupId, PersonId, ProfileId, SiteId};
use super::names::Name;
use super::people::{Person, PersonGroup, Room};
use super::placement::Placement;
use super::profile::Profile;
use super::site::Site;
use super::trust::Trust;

/// Names that a deletion tells of its objects; the rest is counted.
pub const NAMED: usize = 5;

/// What kind of object was deleted, in the order in which kinds are put back: what others refer to comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A profile.
    Profile,
    /// A site.
    Site,
    /// A device group.
    Group,
    /// A group of people.
    PersonGroup,
    /// A person.
    Person,
    /// A room.
    Room,
    /// A device.
    Device,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Device, Self::Group, Self::Site, Self::Profile, Self::Person, Self::PersonGroup, Self::Room];

    /// The word of the glossary and of the activity log.
    pub fn one(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Site => "site",
            Self::Group => "device group",
            Self::PersonGroup => "person group",
            Self::Person => "person",
            Self::Room => "room",
            Self::Device => "device",
        }
    }

    /// Several of them.
    pub fn several(self) -> &'static str {
        match self {
            Self::Profile => "profiles",
            Self::Site => "sites",
            Self::Group => "device groups",
            Self::PersonGroup => "person groups",
            Self::Person => "people",
            Self::Room => "rooms",
            Self::Device => "devices",
        }
    }

    /// A word for addresses and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::PersonGroup => "person-group",
            other => other.one(),
        }
    }
}

/// What hung on objects when they were deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hung {
    /// Profiles that were attached to them.
    #[serde(skip_serializing_if = "is_none")]
    pub profiles: u64,
    /// Device groups that they were in.
    #[serde(skip_serializing_if = "is_none")]
    pub groups: u64,
    /// Places that they were attached to, if they are profiles.
    #[serde(skip_serializing_if = "is_none")]
    pub places: u64,
    /// Devices that carried them, were in them, belonged to them.
    #[serde(skip_serializing_if = "is_none")]
    pub devices: u64,
    /// People who were in them.
    #[serde(skip_serializing_if = "is_none")]
    pub people: u64,
    /// Files that devices stored here.
    #[serde(skip_serializing_if = "is_none")]
    pub files: u64,
}

fn is_none(number: &u64) -> bool {
    *number == 0
}

impl Hung {
    /// Adds what hung on another object.
    pub fn add(&mut self, other: &Self) {
        self.profiles += other.profiles;
        self.groups += other.groups;
        self.places += other.places;
        self.devices += other.devices;
        self.people += other.people;
        self.files += other.files;
    }
}

/// `2 profiles, 1 group, 3 files`; empty where nothing hung on it.
impl fmt::Display for Hung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.devices, "device", "devices"),
            (self.people, "person", "people"),
            (self.profiles, "profile", "profiles"),
            (self.groups, "group", "groups"),
            (self.places, "place", "places"),
            (self.files, "file", "files"),
        ];
        let told = all.iter().filter(|(number, ..)| *number > 0);
        for (i, (number, one, several)) in told.enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{number} {}", if *number == 1 { one } else { several })?;
        }
        Ok(())
    }
}

/// One act of deleting. Its JSON is the stored form; what went by it are rows of [`Kept`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Key.
    pub id: DeletionId,
    /// When.
    pub at: Timestamp,
    /// By whom, as the activity log names them.
    pub by: String,
    /// How many objects of which kind are still kept.
    pub kinds: BTreeMap<Kind, u64>,
    /// What the first of them are called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// What hung on all of them.
    #[serde(default)]
    pub hung: Hung,
    /// Bytes of its rows.
    #[serde(default)]
    pub bytes: u64,
}

impl Deletion {
    /// How many objects it holds.
    pub fn objects(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// `3 profiles, 1 device`.
    pub fn counted(&self) -> String {
        let one = |(kind, number): (&Kind, &u64)| format!("{number} {}", if *number == 1 { kind.one() } else { kind.several() });
        self.kinds.iter().filter(|(_, number)| **number > 0).map(one).collect::<Vec<_>>().join(", ")
    }

    /// The same as a list shows it: the only object with its kind.
    pub fn title(&self) -> String {
        match self.objects() {
            1 => format!("{} {}", self.counted().trim_start_matches("1 "), self.label()),
            _ => self.label(),
        }
    }

    /// What it holds in one line: the name of the only object, else counts and the first names.
    pub fn label(&self) -> String {
        match (self.objects(), self.names.as_slice()) {
            (1, [name]) => name.clone(),
            (objects, names) => {
                let rest = objects.saturating_sub(names.len() as u64);
                let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                format!("{}: {}{more}", self.counted(), names.join(", "))
            }
        }
    }
}

/// A row of a deletion. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// An object.
    Object(Box<KeptObject>),
    /// How lists stood that objects were taken out of; of many devices there are several such rows.
    Around(Around),
}

/// A deleted object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptObject {
    /// The object.
    pub what: What,
    /// What hung on it.
    #[serde(default)]
    pub hung: Hung,
}

/// The object itself, as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A profile; its secret values are sealed as those of live ones.
    Profile(Profile),
    /// A site.
    Site(Site),
    /// A device group.
    Group(Group),
    /// A group of people.
    PersonGroup(PersonGroup),
    /// A person, with the list of groups.
    Person(Person),
    /// A room.
    Room(Room),
    /// A device.
    Device(Box<KeptDevice>),
}

/// A deleted device with what was kept of it. Its runs and logs stay where they are and are not told: see
/// [`Trust::is_of_former_device`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDevice {
    /// The device.
    pub device: Device,
    /// What it told last.
    #[serde(default)]
    pub sighting: Sighting,
    /// What it was served that stays in its flash.
    #[serde(default)]
    pub flash: Flash,
    /// Files that it stored here; their content stays among the blobs, sealed as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<DeviceFile>,
    /// What was learned of its key.
    #[serde(default)]
    pub trust: Trust,
    /// Its key was blocked with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
}

/// How lists stood before objects were taken out of them: whole, with these objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Around {
    /// Profiles of places, of deleted ones too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<(Place, Vec<ProfileId>)>,
    /// The groups that automatically added devices joined.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_groups: Vec<GroupId>,
    /// People, with their groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<(PersonId, Vec<PersonGroupId>)>,
    /// Devices that stayed and lost something.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceAround>,
}

/// A device that stayed and lost something: what it had of each kind that it lost one of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAround {
    /// The device.
    pub key: DeviceKey,
    /// Its profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<ProfileId>,
    /// Its groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupId>,
    /// Whose it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Where it stood, and where it was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood: Option<Stood>,
}

/// Where a device stood before its site was deleted, and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// Its site.
    pub site: Option<SiteId>,
    /// How it had come there.
    pub placement: Placement,
    /// The site that its addresses spoke for; none of a device that never came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<SiteId>,
    /// The site it was left at.
    pub left_at: Option<SiteId>,
    /// How it came there: where that is another by now, something happened since.
    pub left_as: Placement,
}

impl What {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Profile(_) => Kind::Profile,
            Self::Site(_) => Kind::Site,
            Self::Group(_) => Kind::Group,
            Self::PersonGroup(_) => Kind::PersonGroup,
            Self::Person(_) => Kind::Person,
            Self::Room(_) => Kind::Room,
            Self::Device(_) => Kind::Device,
        }
    }

    /// Its name, which must be free for it to come back; none of a device, which is known by its key.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::Profile(profile) => Some(&profile.name),
            Self::Site(site) => Some(&site.name),
            Self::Group(group) => Some(&group.name),
            Self::PersonGroup(group) => Some(&group.name),
            Self::Person(person) => Some(&person.name),
            Self::Room(room) => Some(&room.name),
            Self::Device(_) => None,
        }
    }

    /// Gives it another name.
    pub fn rename(&mut self, to: Name) {
        match self {
            Self::Profile(profile) => profile.name = to,
            Self::Site(site) => site.name = to,
            Self::Group(group) => group.name = to,
            Self::PersonGroup(group) => group.name = to,
            Self::Person(person) => person.name = to,
            Self::Room(room) => room.name = to,
            Self::Device(_) => {}
        }
    }

    /// What it is called: a device by name and key, as the activity log does.
    pub fn label(&self) -> String {
        match self {
            Self::Device(kept) => match &kept.device.name {
                Some(name) => format!("{name} ({})", kept.device.key),
                None => kept.device.key.to_string(),
            },
            other => other.name().map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// The place that profiles were attached to for it; a profile is none, and a device carries its own list.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Profile(_) | Self::Device(_) => None,
            Self::Site(site) => Some(Place::Site(site.id)),
            Self::Group(group) => Some(Place::Group(group.id)),
            Self::PersonGroup(group) => Some(Place::PersonGroup(group.id)),
            Self::Person(person) => Some(Place::Person(person.id)),
            Self::Room(room) => Some(Place::Room(room.id)),
        }
    }
}

/// Puts back into a list what is missing of how it once stood, as far as `may` allows: each directly below the nearest one that stood
/// above it and is still there, else directly above the nearest one that stood below it, else last. The others keep their order.
pub fn put_back<T: Copy + PartialEq>(now: &mut Vec<T>, before: &[T], may: impl Fn(&T) -> bool) {
    for (i, one) in before.iter().enumerate() {
        if now.contains(one) || !may(one) {
            continue;
        }
        let at = |other: &T| now.iter().position(|there| there == other);
        let above = before[..i].iter().rev().find_map(at).map(|at| at + 1);
        let place = above.or_else(|| before[i + 1..].iter().find_map(at)).unwrap_or(now.len());
        now.insert(place, *one);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What was taken out of a list comes back to where it was.
        #[test]
        fn a_list_is_as_it_was(length in 0_usize..12, gone in proptest::collection::vec(any::<bool>(), 12)) {
            let before: Vec<usize> = (0..length).collect();
            let mut now: Vec<usize> = before.iter().copied().filter(|i| !gone[*i]).collect();
            put_back(&mut now, &before, |_| true);
            prop_assert_eq!(now, before);
        }

        /// Whatever was done to the list since: what is there keeps its order, and nothing is there twice.
        #[test]
        fn what_is_there_keeps_its_order(
            before in proptest::sample::subsequence((0..10).collect::<Vec<u8>>(), 0..10).prop_shuffle(),
            now in proptest::sample::subsequence((0..14).collect::<Vec<u8>>(), 0..14).prop_shuffle(),
        ) {
            let mut after = now.clone();
            put_back(&mut after, &before, |one| one % 3 != 0);
            let kept: Vec<u8> = after.iter().copied().filter(|one| now.contains(one)).collect();
            prop_assert_eq!(kept, now.clone());
            for one in &after {
                prop_assert_eq!(after.iter().filter(|other| *other == one).count(), 1);
                prop_assert!(now.contains(one) || (before.contains(one) && one % 3 != 0));
            }
        }
    }

    #[test]
    fn a_neighbour_says_where_it_belongs() {
        let put = |now: &[u8]| {
            let mut now = now.to_vec();
            put_back(&mut now, &[1, 2, 3], |one| *one == 2);
            now
        };
        assert_eq!(put(&[9, 1, 8, 3]), [9, 1, 2, 8, 3], "below what stood above it");
        assert_eq!(put(&[9, 3]), [9, 2, 3], "else above what stood below it");
        assert_eq!(put(&[9]), [9, 2], "else last");
    }

    #[test]
    fn what_hung_on_it_is_counted_in_words() {
        let hung = Hung { devices: 1, profiles: 2, ..Hung::default() };
        assert_eq!(hung.to_string(), "1 device, 2 profiles");
        assert_eq!(Hung::default().to_string(), "");
    }
}
