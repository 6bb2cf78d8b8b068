//! Every device and its last contact in memory: what lists, searches, counts and the phones' requests read.
//!
//! Built by one scan at start. Devices change here only after their commit; two things come earlier, both written with the next
//! presence batch: what a phone tells at each contact, and a device at its first contact, so that no phone waits for the disk.

pub mod search;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::RwLock;

use super::error::ServiceError;
use crate::domain::device::{Device, DeviceKey, Sighting};
use crate::domain::ids::AccountId;
use crate::store::{self, Read};

/// All rosters, one an account.
#[derive(Debug, Default)]
pub struct Rosters {
    by_account: RwLock<BTreeMap<AccountId, Arc<Roster>>>,
}

/// The devices of one account.
#[derive(Debug, Default)]
pub struct Roster {
    entries: RwLock<HashMap<DeviceKey, Arc<Known>>>,
}

/// One device with what it told last. Immutable: a change puts another in its place.
#[derive(Clone, Debug)]
pub struct Known {
    /// What admins know and set.
    pub device: Arc<Device>,
    /// What the device told.
    pub sighting: Arc<Sighting>,
    /// Everything that a search looks at, in lower case.
    text: Arc<str>,
    /// Whether the row exists already.
    kept: Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// Committed.
    Stored,
    /// Added at first contact; the next batch writes the row.
    WithTheNextBatch,
}

/// What a commit changed.
#[derive(Clone, Debug)]
pub(super) enum RosterChange {
    /// A device, new or changed.
    Device(Arc<Device>),
    /// A device that is gone.
    Gone(DeviceKey),
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
            match change {
                RosterChange::Device(device) => {
                    let sighting = entries.get(&device.key).map(|known| Arc::clone(&known.sighting)).unwrap_or_default();
                    let known = Known::new(Arc::clone(&device), sighting, Kept::Stored);
                    entries.insert(device.key.clone(), Arc::new(known));
                }
                RosterChange::Gone(key) => {
                    entries.remove(&key);
                }
            }
        }
    }

    /// Reads everything anew. What memory knew earlier than the store, it keeps.
    pub(super) fn rebuild(&self, tx: &impl Read) -> Result<(), ServiceError> {
        for (account, _) in store::accounts::all(tx)? {
            let mut sightings: HashMap<_, _> = store::sightings::all(tx, account)?.into_iter().collect();
            let devices = store::devices::all(tx, account)?;
            let roster = self.get(account);
            let mut entries = roster.entries.write();
            let old = std::mem::take(&mut *entries);
            for device in devices {
                let mut sighting = Arc::new(sightings.remove(&device.key).unwrap_or_default());
                if let Some(known) = old.get(&device.key).filter(|known| known.sighting.last_seen > sighting.last_seen) {
                    sighting = Arc::clone(&known.sighting);
                }
                entries.insert(device.key.clone(), Arc::new(Known::new(Arc::new(device), sighting, Kept::Stored)));
            }
            for (key, known) in old.into_iter().filter(|(_, known)| known.kept == Kept::WithTheNextBatch) {
                entries.entry(key).or_insert(known);
            }
        }
        Ok(())
    }
}

impl Roster {
    /// One device.
    pub fn find(&self, key: &DeviceKey) -> Option<Arc<Known>> {
        self.entries.read().get(key).cloned()
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
    pub fn all(&self) -> Vec<Arc<Known>> {
        self.entries.read().values().cloned().collect()
    }

    /// Adds a device at its first contact, before its row is written. Answers the device that is known from now on: where two
    /// requests come at once, the first one's.
    pub fn admit(&self, device: Device) -> Arc<Known> {
        let mut entries = self.entries.write();
        let key = device.key.clone();
        let known =
            entries.entry(key).or_insert_with(|| Arc::new(Known::new(Arc::new(device), Arc::default(), Kept::WithTheNextBatch)));
        Arc::clone(known)
    }

    /// Changes what a device told and answers the new sighting; none where the device is unknown. The row is the caller's to write.
    pub fn sight(&self, key: &DeviceKey, change: impl FnOnce(&mut Sighting)) -> Option<Arc<Sighting>> {
        let mut entries = self.entries.write();
        let slot = entries.get_mut(key)?;
        let known = Arc::make_mut(slot);
        let before = Arc::clone(&known.sighting);
        change(Arc::make_mut(&mut known.sighting));
        if !search::same_text(&before, &known.sighting) {
            known.text = search::text(&known.device, &known.sighting);
        }
        Some(Arc::clone(&known.sighting))
    }
}

impl Known {
    fn new(device: Arc<Device>, sighting: Arc<Sighting>, kept: Kept) -> Self {
        let text = search::text(&device, &sighting);
        Self { device, sighting, text, kept }
    }

    /// Whether the device's row is still to be written.
    pub fn is_pending(&self) -> bool {
        self.kept == Kept::WithTheNextBatch
    }

    /// The private address: what an admin typed, else what the device told (R231, R238).
    pub fn private_ip(&self) -> Option<std::net::IpAddr> {
        self.device.private_ip.or(self.sighting.private_ip)
    }
}
