//! What phones upload: logs kept one by one, and files that take the place of the former one and are given back (R171–R173).
//!
//! A log is answered once it is renamed into place. A file that the phone gets back is answered once it is on the disk and its
//! row is committed. Either is answered only when what must not be lost of the device's visit is written too: a phone uploads after it
//! has fetched, and an upload may wait for the disk. Bodies are read elsewhere; what must not be here: who may upload what.

use std::collections::HashMap;
use std::io::ErrorKind;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::Services;
use super::commit;
use super::device_files::keep;
use super::error::ServiceError;
use super::{presence, sealed_files};
pub use crate::blobs::logs::Draft;
use crate::domain::access::Grant;
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::AccountId;
use crate::domain::limits::{DISK_RESERVE_BYTES, UPLOAD_BYTES_PER_HOUR, UPLOADS_PER_HOUR};
use crate::domain::phone_file::DeviceFile as Kind;
use crate::domain::upload::UploadCaps;

/// How long the free space that was seen last is believed.
const SPACE_SECONDS: i64 = 1;

/// What may be uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadSettings {
    /// Most bytes of one upload, by kind.
    pub caps: UploadCaps,
    /// Bytes of the disk that uploads leave free: configuration goes on when they are refused.
    pub reserve_bytes: u64,
}

impl Default for UploadSettings {
    fn default() -> Self {
        Self { caps: UploadCaps::default(), reserve_bytes: DISK_RESERVE_BYTES }
    }
}

/// Whether an upload was the first under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// There was none before.
    New,
    /// The former one is gone.
    Replaced,
}

/// How much each device uploaded lately: one that uploads without end is told to wait (UPL-04). In memory, by the hour.
#[derive(Debug, Default)]
pub struct Pace(Mutex<HashMap<DeviceKey, Hour>>);

/// What a device uploaded within an hour.
#[derive(Clone, Copy, Debug)]
struct Hour {
    from: Timestamp,
    uploads: u32,
    bytes: u64,
}

impl Pace {
    /// Whether one more upload of a device is taken; counts it if so.
    pub fn may_begin(&self, key: &DeviceKey, now: Timestamp) -> bool {
        let mut all = self.0.lock();
        if all.len() >= PACED {
            all.retain(|_, hour| hour.is_present(now));
        }
        let hour = all.entry(key.clone()).or_insert(Hour { from: now, uploads: 0, bytes: 0 });
        if !hour.is_present(now) {
            *hour = Hour { from: now, uploads: 0, bytes: 0 };
        }
        let may = hour.uploads < UPLOADS_PER_HOUR && hour.bytes < UPLOAD_BYTES_PER_HOUR;
        hour.uploads += u32::from(may);
        may
    }

    /// Counts what came with it.
    pub fn came(&self, key: &DeviceKey, bytes: u64) {
        if let Some(hour) = self.0.lock().get_mut(key) {
            hour.bytes = hour.bytes.saturating_add(bytes);
        }
    }
}

impl Hour {
    fn is_present(&self, now: Timestamp) -> bool {
        now.duration_since(self.from).abs() < SignedDuration::from_hours(1)
    }
}

/// Devices from which on those that are silent for an hour are forgotten.
const PACED: usize = 10_000;

/// The free space of the disk as it was seen last.
#[derive(Debug, Default)]
pub struct Space(Mutex<Option<(Timestamp, u64)>>);

impl Space {
    /// Whether there is room for uploads. An answer that cannot be had is a yes: writing will show.
    pub fn has_room(&self, services: &Services, reserve_bytes: u64) -> bool {
        let now = services.clock.now();
        let mut seen = self.0.lock();
        let fresh = seen.filter(|(at, _)| now.duration_since(*at).abs().as_secs() < SPACE_SECONDS);
        let (at, free) = fresh.unwrap_or_else(|| (now, services.blobs.free_bytes().unwrap_or(u64::MAX)));
        *seen = Some((at, free));
        free >= reserve_bytes
    }
}

/// Begins to write a log that is too long for memory.
///
/// # Errors
/// [`ServiceError::File`].
pub fn draft(services: &Services) -> Result<Draft, ServiceError> {
    services.blobs.logs().draft().map_err(ServiceError::file("write", services.state_dir.logs()))
}

/// Writes the next part of an upload.
///
/// # Errors
/// [`ServiceError::File`].
pub fn write(services: &Services, draft: &mut Draft, bytes: &[u8]) -> Result<(), ServiceError> {
    draft.write(bytes).map_err(ServiceError::file("write", services.state_dir.logs()))
}

/// What was written of an upload so far.
///
/// # Errors
/// [`ServiceError::File`].
pub fn read_draft(services: &Services, draft: &Draft) -> Result<Vec<u8>, ServiceError> {
    draft.read().map_err(ServiceError::file("read", services.state_dir.logs()))
}

/// Keeps a log or a dump as an object of its own. The oldest of the device make room for it.
///
/// # Errors
/// [`ServiceError::File`].
pub fn keep_log(services: &Services, account: AccountId, key: &DeviceKey, kind: &str, draft: Draft) -> Result<(), ServiceError> {
    presence::secure(services, account, key);
    let now = services.clock.now();
    let kept = services.blobs.logs().keep(account, key, kind, now, draft);
    kept.map(drop).map_err(ServiceError::file("write", services.state_dir.logs()))
}

/// The content of the newest log or dump of a kind; none where there is none.
///
/// # Errors
/// [`ServiceError::File`].
pub fn newest_log(services: &Services, account: AccountId, key: &DeviceKey, kind: &str) -> Result<Option<Vec<u8>>, ServiceError> {
    let logs = services.blobs.logs();
    let failed = || ServiceError::file("read", services.state_dir.logs());
    let newest = logs.newest(account, key, kind).map_err(failed())?;
    let Some(newest) = newest.filter(|log| !is_of_former_device(services, account, key, log.at)) else { return Ok(None) };
    let path = logs.path(account, key, &newest.name);
    path.map(std::fs::read).transpose().map_err(failed())
}

/// Bytes of the newest log or dump of a kind; none where there is none.
///
/// # Errors
/// [`ServiceError::File`].
pub fn newest_log_bytes(
    services: &Services,
    account: AccountId,
    key: &DeviceKey,
    kind: &str,
) -> Result<Option<u64>, ServiceError> {
    let newest = services.blobs.logs().newest(account, key, kind);
    let newest = newest.map_err(ServiceError::file("read", services.state_dir.logs()))?;
    Ok(newest.filter(|log| !is_of_former_device(services, account, key, log.at)).map(|log| log.size_bytes))
}

/// Whether a log is of a device of the same key that is in the recycle bin.
fn is_of_former_device(services: &Services, account: AccountId, key: &DeviceKey, at: Timestamp) -> bool {
    services.trusts(account).of(key).is_of_former_device(at)
}

/// Keeps a file that the device gets back. Content that is the same as before costs nothing.
///
/// # Errors
/// [`ServiceError::File`] or [`ServiceError::Store`]: the former file stays.
pub fn keep_file(
    services: &Services,
    account: AccountId,
    key: &DeviceKey,
    kind: Kind,
    content: &[u8],
) -> Result<Kept, ServiceError> {
    presence::secure(services, account, key);
    let name = name_of(kind);
    let former = services.roster(account).file(key, name);
    let sha256 = sealed_files::hash(content);
    if former.is_some_and(|former| former.sha256 == sha256) {
        return Ok(Kept::Replaced);
    }
    let blob = sealed_files::put(services, account, key, name, content)?;
    let kept = commit::commit(services, Grant::system("phones"), account, |change| {
        let mut device = presence::row(services, change, account, key)?;
        let row = keep::row(change, name, content, &blob, None);
        keep::put(services, change, &mut device, row, content)
    });
    match kept {
        Ok(written) => {
            keep::let_go(services, written.stale);
            Ok(if written.is_new { Kept::New } else { Kept::Replaced })
        }
        Err(error) => {
            keep::let_go(services, [blob]);
            Err(error)
        }
    }
}

/// The content of a file that the device stored.
///
/// # Errors
/// [`ServiceError::File`].
pub fn read_file(services: &Services, account: AccountId, key: &DeviceKey, file: &DeviceFile) -> Result<Vec<u8>, ServiceError> {
    let read = |row: &DeviceFile| sealed_files::read(services, account, key, row);
    match read(file) {
        // The device uploaded it anew since its row was read.
        Err(ServiceError::File { source, action, path }) if source.kind() == ErrorKind::NotFound => {
            let newer = services.roster(account).file(key, &file.name).filter(|newer| newer.blob != file.blob);
            newer.map_or(Err(ServiceError::File { source, action, path }), |newer| read(&newer))
        }
        content => content,
    }
}

/// What follows the key and its hyphen in the file's name.
pub fn name_of(kind: Kind) -> &'static str {
    kind.suffix().trim_start_matches('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_uploads_without_end_waits_and_others_do_not() {
        let (pace, now) = (Pace::default(), Timestamp::UNIX_EPOCH);
        let [one, other] = ["0004f2aa0001", "0004f2aa0002"].map(|key| key.parse::<DeviceKey>().expect("a MAC address"));
        (0..UPLOADS_PER_HOUR).for_each(|_| assert!(pace.may_begin(&one, now)));
        assert!(!pace.may_begin(&one, now + SignedDuration::from_mins(59)) && pace.may_begin(&other, now));
        assert!(pace.may_begin(&one, now + SignedDuration::from_hours(1)), "an hour later it goes on");
        pace.came(&other, UPLOAD_BYTES_PER_HOUR);
        assert!(!pace.may_begin(&other, now));
    }
}
