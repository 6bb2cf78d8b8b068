//! What a change does to devices before it is made: which of them get other values, which values, which of them restart, and what
//! comes, goes and stands elsewhere besides (contract 5.15). Nothing else tells it.
//!
//! Everything that a device's files depend on counts: profiles, where they are attached, the account's settings, the time of the site,
//! the name that is sent. Devices with the same inputs before and after are computed once, and of their own profiles only what has a
//! part in the change is an input, so that fifty thousand cost little more than as many look-ups.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::credential::Channel;
use super::deployment::applicable;
use super::device::{Device, DeviceKey};
use super::ids::ProfileId;
use super::parameter::{before_set, is_of_device};
use super::provision::compare::{Comparer, Difference, Differing, Identity, Served};
use super::provision::polling::own_offset;
use super::provision::{naming_told, software};
use super::reach::{Standing, standing};
use super::rearrangement::{Rearrangement, Watch};
use super::restart::{Effect, RestartTable};
use super::software::SoftwareVersion;
use super::software::device::DeviceSoftware;
use super::software::downgrade::{Downgrade, Downgrades, names_its_own};
use super::software::offer::Sent;
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
    /// What comes, goes and stands elsewhere.
    pub rearrangement: Rearrangement,
    /// Devices for which older software would be chosen than they run, and that nobody has allowed to go back.
    pub downgrades: Vec<Downgrade>,
    /// Hash of all of it with the values as they are: two changes with the same hash do the same to the same devices and objects.
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
    /// Whether they restart, and nothing but an assumption says so.
    pub is_assumed: bool,
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
    /// Whether that is a restart, and nothing but an assumption says so.
    pub is_assumed: bool,
}

impl Foresight {
    /// How many devices get something else than before.
    pub fn changed(&self) -> usize {
        self.groups.iter().map(|group| group.devices.len()).sum()
    }

    /// Whether no device gets anything else, and nothing comes, goes or stands elsewhere.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.added == 0 && self.removed == 0 && self.rearrangement.is_empty()
    }

    /// How many of them do this.
    pub fn with(&self, effect: Effect) -> usize {
        self.groups.iter().filter(|group| group.effect == effect).map(|group| group.devices.len()).sum()
    }

    /// How many of them restart, as far as is assumed.
    pub fn assumed(&self) -> usize {
        self.groups.iter().filter(|group| group.is_assumed).map(|group| group.devices.len()).sum()
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
    let mut watch = Watch::new(before, after);
    let mut alike: HashMap<(usize, usize), Vec<Both<'a>>> = HashMap::new();
    let (mut added, mut removed) = (0, 0);
    for pair in devices {
        match pair {
            (Some(was), Some(is)) => {
                watch.device(was, is);
                let channel = channel(&was.key);
                alike.entry((old.class(was, channel), new.class(is, channel))).or_default().push((was, is));
            }
            (None, Some(is)) => {
                added += 1;
                watch.added(is);
            }
            (Some(was), None) => {
                removed += 1;
                watch.removed(&was.key);
            }
            (None, None) => {}
        }
    }
    let downgrades = downgrades(&alike, &old, &new);
    let mut comparer = Comparer::default();
    let mut differing: HashMap<*const Difference<'_>, (Rc<Difference<'_>>, Vec<Both<'a>>)> = HashMap::new();
    for ((was, is), devices) in alike {
        if let Some(difference) = comparer.compare(&old.classes[was], &new.classes[is]) {
            differing.entry(Rc::as_ptr(&difference)).or_insert_with(|| (difference, Vec::new())).1.extend(devices);
        }
    }
    let mut told = Telling { restarts, groups: HashMap::new(), hashes: Vec::new() };
    for (difference, devices) in differing.values() {
        told.take(difference, devices);
    }
    Foresight { added, removed, ..told.into_foresight(watch.found(), downgrades) }
}

/// The devices for which another version is chosen than before, and which would have to go back for it.
fn downgrades(alike: &HashMap<(usize, usize), Vec<Both<'_>>>, old: &Side<'_>, new: &Side<'_>) -> Vec<Downgrade> {
    let mut found = Downgrades::default();
    if !new.has_software {
        return Vec::new();
    }
    for ((was, is), devices) in alike {
        let Some((first_was, first_is)) = devices.first() else { continue };
        // Whoever would have to go back is sent to no image.
        let sent = new.sent(*is).filter(|sent| sent.next.is_none());
        let Some(chosen) = sent.filter(|_| !names_its_own(&applicable(first_is, new.world))) else { continue };
        let before = old.sent(*was).filter(|_| !names_its_own(&applicable(first_was, old.world)));
        let Ok(version) = chosen.version.parse::<SoftwareVersion>() else { continue };
        if before.is_some_and(|sent| sent.version == chosen.version) {
            continue;
        }
        devices.iter().for_each(|(_, is)| found.look_at(is, &version, new.world));
    }
    found.into_list()
}

/// A device as it is and as it will be.
type Both<'a> = (&'a Device, &'a Device);

/// All that says, within one world, what a device is served: devices alike in it are looked at once.
type Alike<'a> = (Standing<'a>, &'a [ProfileId], bool, usize, Channel, Option<i64>, Option<Running<'a>>);

/// What decides, where anybody chooses software, which a device takes next: its family and what is known of what it has.
type Running<'a> = (Option<&'a str>, Option<&'a DeviceSoftware>);

/// The devices of one world by what they are served.
struct Side<'a> {
    world: &'a World,
    /// Whether anybody chooses software at all.
    has_software: bool,
    alike: HashMap<Alike<'a>, usize>,
    identities: HashMap<Identity, usize>,
    classes: Vec<Served<'a>>,
}

impl<'a> Side<'a> {
    fn new(world: &'a World) -> Self {
        let has_software = world.account.software.raise_to_minimum || world.all_profiles().any(|one| !one.software.is_empty());
        Self { world, has_software, alike: HashMap::new(), identities: HashMap::new(), classes: Vec::new() }
    }

    /// What devices of this number are sent to.
    fn sent(&self, class: usize) -> Option<Sent> {
        self.classes[class].identity().0.sent().cloned()
    }

    /// The number of what a device is served.
    fn class(&mut self, device: &'a Device, channel: Channel) -> usize {
        let is_named = naming_told(device, self.world).is_some();
        let key_bytes = match &device.key {
            DeviceKey::Mac(_) => 12,
            DeviceKey::Serial(serial) => serial.as_str().len(),
        };
        let Self { world, has_software, alike, identities, classes } = self;
        let running = has_software.then(|| (device.family.as_deref(), device.software.as_deref()));
        *alike
            .entry((standing(device), &device.profiles, is_named, key_bytes, channel, own_offset(device), running))
            .or_insert_with(|| {
                let served = Served::to(device, channel, world);
                *identities.entry(served.identity()).or_insert_with(|| {
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

/// What devices are told of an attribute that is each one's own: its place among the open ones, old and new as they are shown.
type Own = (usize, Option<String>, Option<String>);

impl Telling<'_> {
    fn take(&mut self, difference: &Difference<'_>, devices: &[Both<'_>]) {
        let Some((was, is)) = devices.first() else { return };
        let (open, shared): (Vec<&Differing<'_>>, Vec<_>) = difference.attributes.iter().partition(|one| one.is_open());
        let mut all = Sha256::new();
        for one in &shared {
            let (old, new) = difference.values(one, was, is);
            take_in(&mut all, &one.name, [&old, &new]);
        }
        let mut alike: HashMap<Vec<Own>, Vec<DeviceKey>> = HashMap::new();
        for (was, is) in devices {
            let (mut hash, mut own) = (all.clone(), Vec::new());
            for (at, one) in open.iter().enumerate() {
                let (old, new) = difference.values(one, was, is);
                if old != new {
                    take_in(&mut hash, &one.name, [&old, &new]);
                    let (old, new) = difference.shown(one, was, is);
                    own.push((at, old, new));
                }
            }
            if !shared.is_empty() || !own.is_empty() {
                self.hashes.push((was.key.clone(), hash.finalize().into()));
                alike.entry(own).or_default().push(was.key.clone());
            }
        }
        let shared: Vec<Change> = shared.into_iter().map(|one| self.change(one, difference.shown(one, was, is))).collect();
        for (own, devices) in alike {
            let own = own.into_iter().map(|(at, old, new)| self.change(open[at], (old, new)));
            self.groups.entry(without_twins(shared.iter().cloned().chain(own).collect())).or_default().extend(devices);
        }
    }

    fn change(&self, one: &Differing<'_>, (old, new): (Option<String>, Option<String>)) -> Change {
        let told = self.restarts.told(&one.name);
        let (effect, is_assumed) = match one.name == software::LINE {
            // Where no image is named a phone keeps what it has; where one is, the line about its path tells it too.
            true if new.is_none() => (Effect::None, false),
            true => (Effect::Restart, false),
            false => (told.effect, told.is_assumed()),
        };
        Change { name: one.name.clone(), old, new, effect, is_assumed }
    }

    fn into_foresight(mut self, rearrangement: Rearrangement, downgrades: Vec<Downgrade>) -> Foresight {
        self.hashes.sort_unstable();
        let mut digest = Sha256::new();
        digest.update(rearrangement.digest);
        for (key, hash) in &self.hashes {
            digest.update(key.to_string());
            digest.update(hash);
        }
        downgrades.iter().for_each(|one| one.take_into(&mut digest));
        let group = |(changes, mut devices): (Vec<Change>, Vec<DeviceKey>)| {
            devices.sort_unstable();
            let effect = changes.iter().map(|change| change.effect).max().unwrap_or_default();
            let mut restarting = changes.iter().filter(|change| change.effect == Effect::Restart);
            let is_assumed = effect == Effect::Restart && restarting.all(|change| change.is_assumed);
            Group { devices, changes, effect, is_assumed }
        };
        let mut groups: Vec<Group> = self.groups.into_iter().map(group).collect();
        groups.sort_by(|a, b| b.devices.len().cmp(&a.devices.len()).then_with(|| a.devices.cmp(&b.devices)));
        Foresight { groups, rearrangement, downgrades, digest: digest.finalize().into(), ..Foresight::default() }
    }
}

fn take_in(hash: &mut Sha256, name: &str, values: [&Option<String>; 2]) {
    let values = values.map(|value| value.as_deref());
    for part in [Some(name), values[0], values[1]] {
        hash.update([u8::from(part.is_some())]);
        hash.update(part.map_or(0, str::len).to_le_bytes());
        hash.update(part.unwrap_or_default());
    }
}

/// Changes by name, each twin with its parameter where that changes too.
fn without_twins(mut changes: Vec<Change>) -> Vec<Change> {
    let bases: BTreeSet<String> =
        changes.iter().filter(|change| change.name.starts_with("device.")).map(|change| change.name.clone()).collect();
    let is_twin = |name: &str| name.strip_suffix(".set").is_some_and(|base| base != "device" && bases.contains(base));
    changes.retain(|change| !is_twin(&change.name));
    changes.sort_by(|a, b| a.name.cmp(&b.name));
    changes
}

#[cfg(test)]
#[path = "foresight_tests.rs"]
mod tests;
