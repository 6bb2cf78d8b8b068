//! The two directories of a device, the administrator's and the phone's, and bringing them together (contract 5.13).

use std::collections::BTreeSet;

use super::{keep, versions};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::contacts::{Contact, Merged, Side, merge};
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::given_file::{GIVEN_DIRECTORY, OWN_DIRECTORY};
use crate::domain::ids::AccountId;
use crate::domain::limits::{CONTACTS, GIVEN_DEVICES};
use crate::services::commit::{Mode, perform};
use crate::services::error::ServiceError;
use crate::services::{Services, devices, sealed_files};
use crate::store;
use crate::xml::directory;

/// The two directories of a device, brought together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The device.
    pub key: DeviceKey,
    /// What would come of it.
    pub merged: Merged,
    /// Contacts of the phone's own, and of the administrator's file.
    pub counts: (usize, usize),
}

/// What is said of a device whose directories cannot be brought together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmerged {
    /// The device.
    pub key: DeviceKey,
    /// Why, in words.
    pub why: String,
}

/// What merging did or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merging {
    /// Devices that get another directory.
    pub changed: Vec<Pair>,
    /// Devices whose directory holds everything already.
    pub same: Vec<DeviceKey>,
    /// Devices without two directories that can be read.
    pub left: Vec<Unmerged>,
}

/// Both directories of one device; none where it has not two.
///
/// # Errors
/// [`ServiceError::File`]; [`ServiceError::Conflict`] where one cannot be read as a directory.
pub fn pair(services: &Services, account: AccountId, key: &DeviceKey, wins: Side) -> Result<Option<Pair>, ServiceError> {
    let Some((own, given, _)) = both(services, account, key)? else { return Ok(None) };
    Ok(Some(Pair { key: key.clone(), merged: merge(&given, &own, wins), counts: (own.len(), given.len()) }))
}

type Both = (Vec<Contact>, Vec<Contact>, DeviceFile);

fn both(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Option<Both>, ServiceError> {
    let roster = services.roster(account);
    if roster.file(key, OWN_DIRECTORY).is_none() || roster.file(key, GIVEN_DIRECTORY).is_none() {
        return Ok(None);
    }
    let read = |name: &str| {
        let (file, content) = versions::content(services, account, key, name, None)?;
        let contacts = directory::read(&content).map_err(|error| {
            let whose = if name == OWN_DIRECTORY { "the phone's directory" } else { "the administrator's directory" };
            ServiceError::Conflict(format!("{whose} of {key} cannot be read: {error}"))
        })?;
        Ok::<_, ServiceError>((file, contacts))
    };
    let ((file, own), (_, given)) = (read(OWN_DIRECTORY)?, read(GIVEN_DIRECTORY)?);
    Ok(Some((own, given, file)))
}

/// Brings the two directories of each device together: what comes of it takes the place of the phone's own, which is kept as a version.
///
/// # Errors
/// [`ServiceError::Conflict`] for too many devices, or where a phone uploaded another one meanwhile.
pub fn merge_all(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    keys: &BTreeSet<DeviceKey>,
    wins: Side,
    mode: Mode,
) -> Result<Merging, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    if keys.len() > GIVEN_DEVICES {
        let words = format!("directories of at most {GIVEN_DEVICES} devices are merged at once; these are {}", keys.len());
        return Err(ServiceError::Conflict(words));
    }
    let mut merging = Merging::default();
    let mut writes: Vec<(DeviceFile, Vec<u8>)> = Vec::new();
    for key in keys {
        let left = |why: String| Unmerged { key: key.clone(), why };
        let (own, given, file) = match both(services, account, key) {
            Ok(Some(both)) => both,
            Ok(None) => {
                merging.left.push(left("it has not two directories: one of its own and one from an administrator".to_owned()));
                continue;
            }
            Err(ServiceError::Conflict(why)) => {
                merging.left.push(left(why));
                continue;
            }
            Err(error) => return Err(error),
        };
        let merged = merge(&given, &own, wins);
        if merged.contacts == own {
            merging.same.push(key.clone());
        } else if merged.contacts.len() > CONTACTS {
            merging
                .left
                .push(left(format!("together it has {} contacts; the largest phones take {CONTACTS}", merged.contacts.len())));
        } else {
            writes.push((file, directory::write(&merged.contacts)));
            merging.changed.push(Pair { key: key.clone(), merged, counts: (own.len(), given.len()) });
        }
    }
    let mut blobs = Vec::new();
    for (pair, (file, content)) in merging.changed.iter().zip(&writes) {
        match mode {
            Mode::TryOut => blobs.push(String::new()),
            Mode::Keep => match sealed_files::put(services, account, &pair.key, &file.name, content) {
                Ok(blob) => blobs.push(blob),
                Err(error) => {
                    keep::let_go(services, blobs);
                    return Err(error);
                }
            },
        }
    }
    let kept = perform(services, mode, grant, account, |change| {
        let mut stale = Vec::new();
        if writes.is_empty() {
            change.leave_as_is();
        }
        for ((pair, (read, content)), blob) in merging.changed.iter().zip(&writes).zip(&blobs) {
            let now = store::stored_files::get(change.tx(), account, &pair.key, &read.name)?;
            if now.is_none_or(|now| now.version != read.version || now.sha256 != read.sha256) {
                return Err(versions::other_meanwhile(&format!("{}-{}", pair.key, read.name)));
            }
            let mut device = devices::stored(services, change, account, &pair.key)?;
            let row = keep::row(change, &read.name, content, blob, Some(change.actor()));
            let event = Event::new("device", devices::subject(&device), "merged the directories of");
            let count = |number: usize| Some(number.to_string());
            change.record(event.change("contacts", count(pair.counts.0), count(pair.merged.contacts.len())))?;
            stale.extend(keep::put(services, change, &mut device, row, content)?.stale);
        }
        Ok(stale)
    });
    match (kept, mode) {
        (Ok(stale), Mode::Keep) => keep::let_go(services, stale),
        (Ok(_), Mode::TryOut) => {}
        (Err(error), _) => {
            keep::let_go(services, blobs.into_iter().filter(|blob| !blob.is_empty()));
            return Err(error);
        }
    }
    Ok(merging)
}
