//! The one way in which a file of a device is written or goes: with its versions, and with what it says of the phone's clock.

use std::collections::BTreeMap;

use crate::domain::device::{Device, DeviceKey};
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::AccountId;
use crate::domain::parameter::ParameterSet;
use crate::domain::upload::own_clock;
use crate::services::commit::Change;
use crate::services::error::ServiceError;
use crate::services::{Services, sealed_files};
use crate::store;
use crate::xml::read;

/// Files with overrides, from the weakest to the strongest (protocol/provisioning.md 1.3).
pub const OVERRIDES: [&str; 4] = ["cloud.cfg", "web.cfg", "system.cfg", "phone.cfg"];

/// What became of a file's row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// There was none before.
    pub is_new: bool,
    /// Contents that no row names any more: they are removed once the change is kept.
    pub stale: Vec<String>,
}

/// The row of a content that lies among the blobs, or will.
pub fn row(change: &Change<'_>, name: &str, content: &[u8], blob: &str, by: Option<&str>) -> DeviceFile {
    DeviceFile {
        name: name.to_owned(),
        size_bytes: content.len() as u64,
        sha256: sealed_files::hash(content),
        at: change.now(),
        blob: blob.to_owned(),
        by: by.map(str::to_owned),
        version: 0,
        former: Vec::new(),
    }
}

/// Writes a file in the place of the one before it, which is kept as a version.
pub fn put(
    services: &Services,
    change: &mut Change<'_>,
    device: &mut Device,
    mut file: DeviceFile,
    content: &[u8],
) -> Result<Written, ServiceError> {
    let former = store::stored_files::get(change.tx(), change.account_id(), &device.key, &file.name)?;
    let is_new = former.is_none();
    let stale = file.follow(former);
    let name = file.name.clone();
    change.put_file(&device.key, file)?;
    follow_clock(services, change, device, (&name, content))?;
    Ok(Written { is_new, stale })
}

/// Removes a file with all its versions.
pub fn remove(
    services: &Services,
    change: &mut Change<'_>,
    device: &mut Device,
    file: DeviceFile,
) -> Result<Written, ServiceError> {
    change.delete_file(&device.key, &file.name)?;
    follow_clock(services, change, device, (&file.name, b""))?;
    Ok(Written { is_new: false, stale: file.each().map(|one| one.blob).collect() })
}

/// Removes contents that no row names any more. What cannot be removed now is removed by the sweep at the next start.
pub fn let_go(services: &Services, stale: impl IntoIterator<Item = String>) {
    stale.into_iter().for_each(|blob| drop(services.blobs.remove(&blob)));
}

/// Learns the clock that the phone really shows: its polling minute is worked out in it (contract 5.8).
fn follow_clock(
    services: &Services,
    change: &mut Change<'_>,
    device: &mut Device,
    changed: (&str, &[u8]),
) -> Result<(), ServiceError> {
    if !OVERRIDES.contains(&changed.0) {
        return Ok(());
    }
    let account = change.account_id();
    let mut merged = BTreeMap::new();
    for name in OVERRIDES {
        let stored = match name == changed.0 {
            true => Some(changed.1.to_vec()),
            false => stored(services, change, account, &device.key, name)?,
        };
        // Overrides that cannot be read are kept for the phone all the same and say nothing of its clock.
        let entries = stored.and_then(|content| read::parameters(&content).ok()).unwrap_or_default();
        merged.extend(entries.into_iter().map(|entry| (entry.name, entry.value)));
    }
    let clock: ParameterSet = own_clock(merged);
    if device.own_clock != clock {
        device.own_clock = clock;
        change.put_device(device.clone())?;
    }
    Ok(())
}

fn stored(
    services: &Services,
    change: &Change<'_>,
    account: AccountId,
    key: &DeviceKey,
    name: &str,
) -> Result<Option<Vec<u8>>, ServiceError> {
    let row = store::stored_files::get(change.tx(), account, key, name)?;
    Ok(row.and_then(|row| sealed_files::read(services, account, key, &row).ok()))
}
