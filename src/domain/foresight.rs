//! What a change does to devices before it is made: which of them get other values, which values, and which of them restart
//! (contract 5.15).
//!
//! Everything that a device's files depend on counts: profiles, where they are attached, the account's settings, the time of the site,
//! the name that is sent. Devices with the same inputs before and after are computed once, so that fifty thousand cost little more
//! than as many look-ups.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use super::credential::Channel;
use super::device::{Device, DeviceKey};
use super::ids::ProfileId;
use super::parameter::{before_set, is_of_device};
use super::provision::compare::{Comparer, Difference, Differing, Served};
use super::provision::{Shape, naming_told};
use super::reach::{Standing, standing};
use super::restart::{Effect, RestartTable};
use super::world::World;

/// What a change does to devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foresight {
    /// Devices to which the same happens, the most first.
    pub groups: Vec<Group>,
    /// Devices that are new.
    pub added: usize,
    /// Devices that are no longer managed.
    pub removed: usize,
    /// Hash of all of it with the values as they are: two changes with the same hash do the same to the same devices.
    pub digest: [u8; 32],
}

/// Devices to which the same happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The devices, by their keys.
    pub devices: Vec<DeviceKey>,
    /// What changes, by name.
    pub changes: Vec<Change>,
    /// What they do then.
    pub effect: Effect,
}

/// A parameter, or an attribute of the master file, that gets another value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// Its name, without `.set` unless that alone changes.
    pub name: String,
    /// The value before, a secret one masked; none where none is served.
    pub old: Option<String>,
    /// The value after.
    pub new: Option<String>,
    /// What a change of it does to a phone.
    pub effect: Effect,
}

impl Foresight {
    /// How many devices get something else than before.
    pub fn changed(&self) -> usize {
        self.groups.iter().map(|group| group.devices.len()).sum()
    }

    /// How many of them do this.
    pub fn with(&self, effect: Effect) -> usize {
        self.groups.iter().filter(|group| group.effect == effect).map(|group| group.devices.len()).sum()
    }

    /// The parameters that are served no more and stay in the flash of phones all the same (contract 5.11).
    pub fn staying(&self) -> BTreeSet<&str> {
        let changes = self.groups.iter().flat_map(|group| &group.changes);
        changes.filter(|change| change.stays()).map(|change| change.name.as_str()).collect()
    }
}

impl Change {
    /// Whether a phone keeps the value although it is served no more (contract 5.11).
    pub fn stays(&self) -> bool {
        self.new.is_none() && is_of_device(&self.name) && before_set(&self.name).is_none()
    }
}

/// A device as it is and as it will be; none where it is not there.
pub type Pair<'a> = (Option<&'a Device>, Option<&'a Device>);

/// What a change does to devices, which may come in any order; `channel` says how the files of each travel.
pub fn foresee<'a>(
    devices: impl IntoIterator<Item = Pair<'a>>,
    channel: impl Fn(&DeviceKey) -> Channel,
    (before, after): (&'a World, &'a World),
    restarts: &RestartTable,
) -> Foresight {
    let (mut old, mut new) = (Side::new(before), Side::new(after));
    let mut alike: HashMap<(usize, usize), Vec<(&'a Device, &'a Device)>> = HashMap::new();
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for pair in devices {
        match pair {
            (Some(was), Some(is)) => {
                let channel = channel(&was.key);
                alike.entry((old.class(was, channel), new.class(is, channel))).or_default().push((was, is));
            }
            (None, Some(is)) => added.push(&is.key),
            (Some(was), None) => removed.push(&was.key),
            (None, None) => {}
        }
    }
    let mut told = Telling { restarts, groups: HashMap::new(), hashes: Vec::new() };
    let mut comparer = Comparer::default();
    for ((was, is), devices) in alike {
        if let Some(difference) = comparer.compare(&old.classes[was], &new.classes[is]) {
            told.take(&difference, &devices);
        }
    }
    told.into_foresight(added, removed)
}

/// All that says, within one world, what a device is served: devices alike in it are looked at once.
type Alike<'a> = (Standing<'a>, &'a [ProfileId], bool, usize, Channel);

/// The devices of one world by what they are served.
struct Side<'a> {
    world: &'a World,
    alike: HashMap<Alike<'a>, usize>,
    shapes: HashMap<Shape, usize>,
    classes: Vec<Served<'a>>,
}

impl<'a> Side<'a> {
    fn new(world: &'a World) -> Self {
        Self { world, alike: HashMap::new(), shapes: HashMap::new(), classes: Vec::new() }
    }

    /// The number of what a device is served.
    fn class(&mut self, device: &'a Device, channel: Channel) -> usize {
        let is_named = naming_told(device, self.world).is_some();
        let key_bytes = match &device.key {
            DeviceKey::Mac(_) => 12,
            DeviceKey::Serial(serial) => serial.as_str().len(),
        };
        let Self { world, alike, shapes, classes } = self;
        *alike.entry((standing(device), &device.profiles, is_named, key_bytes, channel)).or_insert_with(|| {
            let served = Served::to(device, channel, world);
            *shapes.entry(served.shape().clone()).or_insert_with(|| {
                classes.push(served);
                classes.len() - 1
            })
        })
    }
}

/// What was found so far.
struct Telling<'r> {
    restarts: &'r RestartTable,
    groups: HashMap<Vec<Change>, Vec<DeviceKey>>,
    /// What each device was told by, as it is.
    hashes: Vec<(DeviceKey, [u8; 32])>,
}

impl Telling<'_> {
    fn take(&mut self, difference: &Difference<'_>, devices: &[(&Device, &Device)]) {
        if difference.is_open() {
            for (was, is) in devices {
                let differing = difference.of(was, is);
                if !differing.is_empty() {
                    self.add(difference, &differing, &[(was, is)]);
                }
            }
        } else {
            self.add(difference, &difference.attributes.iter().collect::<Vec<_>>(), devices);
        }
    }

    /// Devices for which all of this differs, in the same words.
    fn add(&mut self, difference: &Difference<'_>, differing: &[&Differing<'_>], devices: &[(&Device, &Device)]) {
        let Some((was, is)) = devices.first() else { return };
        let mut hash = Sha256::new();
        for one in differing {
            let (old, new) = difference.values(one, was, is);
            for part in [Some(&one.name), old.as_ref(), new.as_ref()] {
                hash.update([u8::from(part.is_some())]);
                hash.update(part.map_or(0, String::len).to_le_bytes());
                hash.update(part.map_or("", String::as_str));
            }
        }
        let hash: [u8; 32] = hash.finalize().into();
        self.hashes.extend(devices.iter().map(|(was, _)| (was.key.clone(), hash)));
        let changes = self.changes(difference, differing, was, is);
        self.groups.entry(changes).or_default().extend(devices.iter().map(|(was, _)| was.key.clone()));
    }

    fn changes(&self, difference: &Difference<'_>, differing: &[&Differing<'_>], was: &Device, is: &Device) -> Vec<Change> {
        let names: BTreeSet<&str> = differing.iter().map(|one| one.name.as_str()).collect();
        let is_twin = |name: &str| name.strip_suffix(".set").is_some_and(|base| base != "device" && names.contains(base));
        let change = |one: &&Differing<'_>| {
            let (old, new) = difference.shown(one, was, is);
            Change { name: one.name.clone(), old, new, effect: self.restarts.effect(&one.name) }
        };
        differing.iter().filter(|one| !is_twin(&one.name)).map(change).collect()
    }

    fn into_foresight(mut self, mut added: Vec<&DeviceKey>, mut removed: Vec<&DeviceKey>) -> Foresight {
        self.hashes.sort_unstable();
        added.sort_unstable();
        removed.sort_unstable();
        let mut digest = Sha256::new();
        for (key, hash) in &self.hashes {
            digest.update(key.to_string());
            digest.update(hash);
        }
        for (word, keys) in [("added", &added), ("removed", &removed)] {
            digest.update(word);
            keys.iter().for_each(|key| digest.update(format!(" {key}")));
        }
        let group = |(changes, mut devices): (Vec<Change>, Vec<DeviceKey>)| {
            devices.sort_unstable();
            let effect = changes.iter().map(|change| change.effect).max().unwrap_or_default();
            Group { devices, changes, effect }
        };
        let mut groups: Vec<Group> = self.groups.into_iter().map(group).collect();
        groups.sort_by(|a, b| b.devices.len().cmp(&a.devices.len()).then_with(|| a.devices.cmp(&b.devices)));
        Foresight { groups, added: added.len(), removed: removed.len(), digest: digest.finalize().into() }
    }
}

#[cfg(test)]
#[path = "foresight_tests.rs"]
mod tests;
