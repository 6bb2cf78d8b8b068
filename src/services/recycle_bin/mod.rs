//! The recycle bin: what people deleted, for thirty days. [`keep`] puts into it whatever a deletion takes, [`restore`] puts it back as a
//! change like any other; here it is looked at, and what is over is let go of.
//!
//! Runs and logs of a deleted device stay where they lie and are told nobody until it is back; here they go for good.

mod back;
mod keep;
mod restore;

use std::collections::BTreeSet;
use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};

use super::Services;
use super::commit::{Change, Mode, commit, perform};
use super::error::ServiceError;
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::ids::{AccountId, DeletionId};
use crate::domain::limits::{BIN_AT_ONCE, BIN_BYTES, BIN_DAYS, BIN_DELETIONS, BIN_OBJECTS};
use crate::domain::recycle_bin::{Deletion, Kept, KeptObject, Kind, What};
use crate::domain::run::Subject;
use crate::store;

pub(super) use keep::keep;
pub use restore::{Names, Restored, Wanted, restore, undo_mark};

/// What was deleted, and by which number it is in the recycle bin; none where nothing was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted<T> {
    /// What went.
    pub what: T,
    /// Where it is kept.
    pub deletion: Option<DeletionId>,
}

impl<T> Deref for Deleted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.what
    }
}

/// An object in the recycle bin, by the number that it has within its deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The deletion.
    pub deletion: DeletionId,
    /// Its number.
    pub number: u64,
    /// What kind of object it is.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
    /// The key of a device.
    pub device: Option<String>,
    /// What hung on it.
    pub hung: String,
}

impl Item {
    fn new(deletion: DeletionId, number: u64, object: &KeptObject) -> Self {
        let device = match &object.what {
            What::Device(one) => Some(one.device.key.to_string()),
            _ => None,
        };
        Self { deletion, number, kind: object.what.kind(), name: object.what.label(), device, hung: object.hung.to_string() }
    }
}

/// All deletions, the latest first.
///
/// # Errors
/// Only of the store.
pub fn list(services: &Services, account: AccountId) -> Result<Vec<Deletion>, ServiceError> {
    let mut all = services.store.read(|tx| store::recycle_bin::all(tx, account))?;
    all.sort_by_key(|deletion| std::cmp::Reverse((deletion.at, deletion.id)));
    Ok(all)
}

/// The deletions that hold an object of which `is_it` says so; all are read at one moment.
///
/// # Errors
/// Only of the store.
pub fn holding(
    services: &Services,
    account: AccountId,
    of: &[Deletion],
    is_it: impl Fn(&Item) -> bool,
) -> Result<BTreeSet<DeletionId>, ServiceError> {
    services.store.read(|tx| {
        let mut found = BTreeSet::new();
        for deletion in of {
            let kept = store::recycle_bin::kept(tx, account, deletion.id)?;
            let is_there = |(number, kept): &(u64, Kept)| match kept {
                Kept::Object(object) => is_it(&Item::new(deletion.id, *number, object)),
                Kept::Around(_) => false,
            };
            if kept.iter().any(is_there) {
                found.insert(deletion.id);
            }
        }
        Ok(found)
    })
}

/// One deletion with its objects.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn get(services: &Services, account: AccountId, id: DeletionId) -> Result<(Deletion, Vec<Item>), ServiceError> {
    services.store.read(|tx| {
        let deletion = store::recycle_bin::get(tx, account, id)?.ok_or_else(|| not_found(id))?;
        let kept = store::recycle_bin::kept(tx, account, id)?;
        let item = |(number, kept): &(u64, Kept)| match kept {
            Kept::Object(object) => Some(Item::new(id, *number, object)),
            Kept::Around(_) => None,
        };
        Ok((deletion, kept.iter().filter_map(item).collect()))
    })
}

/// Deletes for good what is in the recycle bin: all of it, or none when one is not there. Answers how many objects went.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] for more than are deleted at once.
pub fn purge(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    ids: &BTreeSet<DeletionId>,
    mode: Mode,
) -> Result<u64, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    authorize(actor, Action::EditProfiles(account))?;
    authorize(actor, Action::EditSites(account))?;
    check_amount(ids.len())?;
    if ids.is_empty() {
        return Ok(0);
    }
    let (count, leavings) = perform(services, mode, grant, account, |change| {
        let (mut count, mut leavings) = (0, Leavings::default());
        for id in ids {
            let deletion = store::recycle_bin::get(change.tx(), account, *id)?.ok_or_else(|| not_found(*id))?;
            count += deletion.objects();
            change.record(Event::new("recycle bin", deletion.label(), "deleted for good"))?;
            leavings.take(change, &deletion)?;
        }
        Ok((count, leavings))
    })?;
    if mode == Mode::Keep {
        leavings.remove(services, account);
    }
    Ok(count)
}

/// Lets go of what has been in the recycle bin for its time, and of the oldest where it holds too much. Answers how many deletions.
///
/// # Errors
/// Only of the store.
pub(super) fn expire(services: &Services, account: AccountId) -> Result<usize, ServiceError> {
    let since = services.clock.now().saturating_sub(SignedDuration::from_hours(24 * BIN_DAYS)).unwrap_or(Timestamp::MIN);
    let over = over(&list(services, account)?, since);
    for id in &over {
        // One by one: a deletion may hold thousands of objects, and nobody shall wait for all of them.
        let leavings = commit(services, Grant::system("retention"), account, |change| {
            let mut leavings = Leavings::default();
            if let Some(deletion) = store::recycle_bin::get(change.tx(), account, *id)? {
                leavings.take(change, &deletion)?;
            }
            Ok(leavings)
        })?;
        leavings.remove(services, account);
    }
    Ok(over.len())
}

/// Which deletions are over, where they come latest first.
fn over(all: &[Deletion], since: Timestamp) -> Vec<DeletionId> {
    let (mut objects, mut bytes) = (0, 0);
    let mut is_over = |(i, deletion): (usize, &Deletion)| {
        objects += deletion.objects();
        bytes += deletion.bytes;
        let too_much = i >= BIN_DELETIONS || objects > BIN_OBJECTS as u64 || bytes > BIN_BYTES;
        (deletion.at < since || (too_much && i > 0)).then_some(deletion.id)
    };
    all.iter().enumerate().filter_map(&mut is_over).collect()
}

/// What lies outside of the rows and goes once these are gone: should that fail, files are orphans, which the next start removes, and
/// logs go with their time.
#[derive(Debug, Default)]
struct Leavings {
    blobs: Vec<String>,
    /// Of whom the logs go: those after the first time, if there is one, up to the second.
    logs: Vec<(DeviceKey, Option<Timestamp>, Timestamp)>,
}

impl Leavings {
    /// Removes the rows of a deletion and notes what they named.
    fn take(&mut self, change: &Change<'_>, deletion: &Deletion) -> Result<(), ServiceError> {
        let account = change.account_id();
        for (_, kept) in store::recycle_bin::kept(change.tx(), account, deletion.id)? {
            if let Kept::Object(object) = kept
                && let What::Device(one) = object.what
            {
                let (key, since) = (one.device.key, one.trust.deleted_at);
                let runs = Subject::Device(key.clone());
                store::runs::delete_between(change.tx(), account, &runs, since, deletion.at)?;
                self.blobs.extend(one.files.into_iter().flat_map(|file| file.each()).map(|file| file.blob));
                self.logs.push((key, since, deletion.at));
            }
        }
        store::recycle_bin::delete(change.tx(), account, deletion.id)?;
        Ok(())
    }

    fn remove(self, services: &Services, account: AccountId) {
        for blob in self.blobs {
            if let Err(error) = services.blobs.remove(&blob) {
                tracing::warn!(%error, blob, "a file of a deleted device could not be removed");
            }
        }
        for (key, since, until) in self.logs {
            if let Err(error) = services.blobs.logs().forget(account, &key, since, until) {
                tracing::warn!(%error, device = %key, "the logs of a deleted device could not be removed");
            }
        }
    }
}

fn check_amount(count: usize) -> Result<(), ServiceError> {
    if count > BIN_AT_ONCE {
        let words = format!("at most {BIN_AT_ONCE} deletions are taken at once; these are {count}. Split the list");
        return Err(ServiceError::Conflict(words));
    }
    Ok(())
}

fn not_found(id: DeletionId) -> ServiceError {
    ServiceError::Absent(format!(
        "deletion {id} is not in the recycle bin any more: it was restored or deleted for good, or its {BIN_DAYS} days are over"
    ))
}

#[cfg(test)]
mod tests;
