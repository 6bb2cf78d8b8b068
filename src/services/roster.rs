//! Every device and its last contact in memory: what lists, searches, counts and the phones' requests read.
//!
//! Built by one scan at start. Devices change here only after their commit; two things come earlier, both written with the next
//! presence batch: what a phone tells at each contact, and a device at its first contact, so that no phone waits for the disk.
//! Which devices a list shows is [`crate::domain::device_list`]'s to say.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use parking_lot::RwLock;

use super::error::ServiceError;
use crate::domain::device::{Device, DeviceKey, Sighting};
use crate::domain::device_file::DeviceFile;
use crate::domain::device_list::{DeviceQuery, LastResult, Listed, Status, select};
use crate::domain::ids::{AccountId, GroupId, SiteId};
use crate::domain::mac::Mac;
use crate::domain::software::device::Told;
use crate::domain::world::World;
use crate::store::{self, Read};

/// All rosters, one an account.
#[derive(Debug, Default)]
pub struct Rosters {
    by_account: RwLock<BTreeMap<AccountId, Arc<Roster>>>,
}

/// The devices of one account.
#[derive(Debug, Default)]
pub struct Roster {
    entries: RwLock<HashMap<DeviceKey, Entry>>,
    /// Devices that go by their serial number, by the MACs that they keep or once kept: [`Roster::keeper`] looks which is so.
    keepers: RwLock<HashMap<Mac, DeviceKey>>,
}

#[derive(Clone, Debug)]
struct Entry {
    listed: Listed,
    /// What the device has stored with us.
    files: Vec<DeviceFile>,
    kept: Kept,
}

/// Whether a device's row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Stored,
    WithTheNextBatch,
}

/// What a commit changed.
#[derive(Clone, Debug)]
pub(super) enum RosterChange {
    /// A device, new or changed.
    Device(Arc<Device>),
    /// A device that is gone, with its files.
    Gone(DeviceKey),
    /// A file that a device stored, new or in place of a former one.
    File(DeviceKey, DeviceFile),
    /// A file that is kept for a device no longer.
    FileGone(DeviceKey, String),
    /// What a device had told that comes back from the recycle bin, unless it told something since.
    Sighted(DeviceKey, Arc<Sighting>),
}

/// How many devices are how; for the dashboard and filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All devices.
    pub total: usize,
    /// Heard of lately.
    pub online: usize,
    /// Silent for longer.
    pub offline: usize,
    /// Never heard of.
    pub never_seen: usize,
    /// By family; devices without one under an empty text.
    pub families: BTreeMap<String, usize>,
    /// By model; devices without one under an empty text.
    pub models: BTreeMap<String, usize>,
    /// By version of the Application; devices that told none under an empty text.
    pub versions: BTreeMap<String, usize>,
    /// By site.
    pub sites: BTreeMap<SiteId, usize>,
    /// By group; a device counts in each of its groups.
    pub groups: BTreeMap<GroupId, usize>,
    /// By what came of the last run.
    pub results: BTreeMap<LastResult, usize>,
    /// Those whose move to another site waits for somebody's word.
    pub waiting_moves: usize,
}

impl Rosters {
    /// The roster of an account; an empty one where there is none yet.
    pub fn get(&self, account: AccountId) -> Arc<Roster> {
        if let Some(roster) = self.by_account.read().get(&account) {
            return Arc::clone(roster);
        }
        Arc::clone(self.by_account.write().entry(account).or_default())
    }

    pub(super) fn apply(&self, account: AccountId, changes: Vec<RosterChange>) {
        if changes.is_empty() {
            return;
        }
        let roster = self.get(account);
        let mut entries = roster.entries.write();
        for change in changes {
            if let RosterChange::Device(device) = &change {
                roster.note_mac(device);
            }
            match change {
                RosterChange::Device(device) => match entries.get_mut(&device.key) {
                    Some(entry) => (entry.listed.device, entry.kept) = (entry.listed.with_told(device), Kept::Stored),
                    None => drop(entries.insert(device.key.clone(), Entry::new(device, Kept::Stored))),
                },
                RosterChange::File(key, file) => {
                    if let Some(entry) = entries.get_mut(&key) {
                        entry.files.retain(|former| former.name != file.name);
                        entry.files.push(file);
                    }
                }
                RosterChange::FileGone(key, name) => {
                    if let Some(entry) = entries.get_mut(&key) {
                        entry.files.retain(|file| file.name != name);
                    }
                }
                RosterChange::Sighted(key, then) => {
                    if let Some(entry) = entries.get_mut(&key).filter(|entry| entry.listed.sighting.last_seen < then.last_seen) {
                        entry.listed.sighting = then;
                    }
                }
                RosterChange::Gone(key) => {
                    entries.remove(&key);
                }
            }
        }
    }

    /// Reads everything anew. What memory knew earlier than the store, it keeps.
    pub(super) fn rebuild(&self, tx: &impl Read) -> Result<(), ServiceError> {
        let mut files: HashMap<(AccountId, DeviceKey), Vec<DeviceFile>> = HashMap::new();
        for (account, key, file) in store::stored_files::all(tx)? {
            files.entry((account, key)).or_default().push(file.alone());
        }
        for (account, _) in store::accounts::all(tx)? {
            let roster = self.get(account);
            let mut entries = roster.entries.write();
            let old = std::mem::take(&mut *entries);
            store::devices::each(tx, account, |device| {
                let files = files.remove(&(account, device.key.clone())).unwrap_or_default();
                roster.note_mac(&device);
                let entry = Entry { files, ..Entry::new(Arc::new(device), Kept::Stored) };
                entries.insert(entry.listed.device.key.clone(), entry);
            })?;
            store::sightings::each(tx, account, |key, sighting| {
                if let Some(entry) = entries.get_mut(&key) {
                    entry.listed.sighting = Arc::new(sighting);
                }
            })?;
            for (key, former) in &old {
                if let Some(entry) = entries.get_mut(key) {
                    entry.listed.device = former.listed.with_told(Arc::clone(&entry.listed.device));
                }
                if let Some(entry) = entries.get_mut(key)
                    && former.listed.sighting.last_seen > entry.listed.sighting.last_seen
                {
                    entry.listed.sighting = Arc::clone(&former.listed.sighting);
                }
            }
            for (key, entry) in old.into_iter().filter(|(_, entry)| entry.kept == Kept::WithTheNextBatch) {
                entries.entry(key).or_insert(entry);
            }
        }
        Ok(())
    }
}

impl Roster {
    /// One device.
    pub fn find(&self, key: &DeviceKey) -> Option<Listed> {
        self.entries.read().get(key).map(|entry| entry.listed.clone())
    }

    /// The device that goes by its serial number and keeps this MAC.
    pub fn keeper(&self, mac: Mac) -> Option<DeviceKey> {
        let key = self.keepers.read().get(&mac).cloned()?;
        self.find(&key).is_some_and(|listed| listed.device.mac == Some(mac)).then_some(key)
    }

    /// The device that has this MAC, whichever way it goes by.
    pub fn holder(&self, mac: Mac) -> Option<DeviceKey> {
        let key = DeviceKey::Mac(mac);
        if self.find(&key).is_some() { Some(key) } else { self.keeper(mac) }
    }

    fn note_mac(&self, device: &Device) {
        if let Some(mac) = device.mac {
            self.keepers.write().insert(mac, device.key.clone());
        }
    }

    /// How many devices there are.
    pub fn len(&self) -> usize {
        self.entries.read().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All devices, in no order: a snapshot that holds no lock.
    pub fn all(&self) -> Vec<Listed> {
        self.entries.read().values().map(|entry| entry.listed.clone()).collect()
    }

    /// How many devices are so.
    pub fn count(&self, is: impl Fn(&Listed) -> bool) -> usize {
        self.entries.read().values().filter(|entry| is(&entry.listed)).count()
    }

    /// The devices that a query asks for, in its order, all of them: paging is the caller's.
    pub fn select(&self, query: &DeviceQuery, world: &World, now: Timestamp) -> Vec<Listed> {
        select(self.all().into_iter(), query, world, now)
    }

    /// Counts all devices. The lock is free again before the first one is counted: phones take it to be noted.
    pub fn counts(&self, now: Timestamp) -> Counts {
        Counts::of(self.all().iter(), now)
    }

    /// Changes what a device told of its software and answers whether that is other than before. The row is the caller's to write.
    pub fn learn_software(&self, key: &DeviceKey, change: impl FnOnce(&mut Told, u32)) -> bool {
        let Some(known) = self.find(key) else { return false };
        let mut told = known.device.told_software().cloned().unwrap_or_default();
        change(&mut told, known.device.decided_software().go);
        if known.device.told_software().map_or(told == Told::default(), |known| *known == told) {
            return false;
        }
        let mut entries = self.entries.write();
        let Some(entry) = entries.get_mut(key) else { return false };
        Arc::make_mut(&mut entry.listed.device).change_software(|software| software.told = told);
        true
    }

    /// Adds a device at its first contact, before its row is written. Answers the device that is known from now on: where two
    /// requests come at once, the first one's.
    pub fn admit(&self, device: Device) -> Listed {
        let mut entries = self.entries.write();
        let new = || Entry::new(Arc::new(device.clone()), Kept::WithTheNextBatch);
        let entry = entries.entry(device.key.clone()).or_insert_with(new);
        entry.listed.clone()
    }

    /// The row of a file that a device stored with us, by its name without the device's prefix.
    pub fn file(&self, key: &DeviceKey, name: &str) -> Option<DeviceFile> {
        self.entries.read().get(key)?.files.iter().find(|file| file.name == name).cloned()
    }

    /// The files kept for a device that are so, without what stood in their places before.
    pub fn files(&self, key: &DeviceKey, is: impl Fn(&DeviceFile) -> bool) -> Vec<DeviceFile> {
        let entries = self.entries.read();
        entries.get(key).map_or_else(Vec::new, |entry| entry.files.iter().filter(|file| is(file)).cloned().collect())
    }

    /// Whether a device was admitted and its row is still to be written.
    pub fn is_pending(&self, key: &DeviceKey) -> bool {
        self.entries.read().get(key).is_some_and(|entry| entry.kept == Kept::WithTheNextBatch)
    }

    /// Changes what a device told and answers the new sighting; none where the device is unknown. The row is the caller's to write.
    pub fn sight(&self, key: &DeviceKey, change: impl FnOnce(&mut Sighting)) -> Option<Arc<Sighting>> {
        let mut entries = self.entries.write();
        let sighting = &mut entries.get_mut(key)?.listed.sighting;
        change(Arc::make_mut(sighting));
        Some(Arc::clone(sighting))
    }
}

impl Entry {
    /// A device that was not heard of yet: all such share one empty sighting.
    fn new(device: Arc<Device>, kept: Kept) -> Self {
        static NOTHING: OnceLock<Arc<Sighting>> = OnceLock::new();
        let sighting = Arc::clone(NOTHING.get_or_init(Arc::default));
        Self { listed: Listed { device, sighting }, files: Vec::new(), kept }
    }
}

impl Counts {
    /// Counts these devices: each is looked at once, and nothing of it is copied.
    pub fn of<'a>(all: impl Iterator<Item = &'a Listed>, now: Timestamp) -> Self {
        let mut counts = Self::default();
        // What many devices share is looked up once for each.
        let (mut alike, mut groups) = (HashMap::new(), HashMap::new());
        let mut results = [(LastResult::Success, 0), (LastResult::Failed, 0), (LastResult::None, 0)];
        for Listed { device, sighting } in all {
            counts.total += 1;
            match Status::of(sighting.last_seen, now) {
                Status::Online => counts.online += 1,
                Status::Offline => counts.offline += 1,
                Status::NeverSeen => counts.never_seen += 1,
            }
            let result = LastResult::of(sighting.last_run);
            results.iter_mut().filter(|(one, _)| *one == result).for_each(|(_, count)| *count += 1);
            counts.waiting_moves += usize::from(device.waiting_move().is_some());
            let told = [device.family.as_deref(), device.model.as_deref(), sighting.software_version.as_deref()];
            *alike.entry((told, device.site_id())).or_insert(0_usize) += 1;
            for group in &device.groups {
                *groups.entry(*group).or_default() += 1;
            }
        }
        for (([family, model, version], site), count) in alike {
            *counts.sites.entry(site).or_default() += count;
            for (by_name, name) in [(&mut counts.families, family), (&mut counts.models, model), (&mut counts.versions, version)]
            {
                let name = name.unwrap_or_default();
                match by_name.get_mut(name) {
                    Some(counted) => *counted += count,
                    None => drop(by_name.insert(name.to_owned(), count)),
                }
            }
        }
        counts.groups = groups.into_iter().collect();
        counts.results = results.into_iter().collect();
        counts
    }

    /// How many devices there are of which the last run came to this.
    pub fn result(&self, result: LastResult) -> usize {
        self.results.get(&result).copied().unwrap_or_default()
    }
}
