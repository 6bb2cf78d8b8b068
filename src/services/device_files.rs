//! What devices stored with us, for the admin's eyes: their files and their logs (R171–R173, R263). Phones' own way to them is
//! the uploads' matter.

pub mod directories;
pub mod given;
pub(super) mod keep;
pub mod overrides;
pub mod versions;

pub use overrides::{OwnFile, override_file, overrides};
pub use versions::hand_out;

use jiff::Timestamp;

use super::error::ServiceError;
use super::{Services, sealed_files};
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::AccountId;
use crate::store;

/// One kept log, core dump or capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLog {
    /// Its name here: unique for the device.
    pub name: String,
    /// What follows the device's key in the name that the phone gave it: `boot.log`, `app.log`.
    pub kind: String,
    /// When it came in.
    pub at: Timestamp,
    /// Bytes.
    pub size_bytes: u64,
}

/// The files that a device keeps with us, by name.
///
/// # Errors
/// [`ServiceError::Store`].
pub fn files(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Vec<DeviceFile>, ServiceError> {
    services.store.read(|tx| Ok(store::stored_files::of(tx, account, key)?))
}

/// One file with its content.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::File`] where its content cannot be read.
pub fn file(services: &Services, account: AccountId, key: &DeviceKey, name: &str) -> Result<(DeviceFile, Vec<u8>), ServiceError> {
    let row = services.store.read(|tx| Ok::<_, ServiceError>(store::stored_files::get(tx, account, key, name)?))?;
    let row = row.ok_or_else(|| ServiceError::not_found("file", name))?;
    let content = sealed_files::read(services, account, key, &row)?;
    Ok((row, content))
}

/// The kept logs of a device, newest first.
///
/// # Errors
/// [`ServiceError::File`].
pub fn logs(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Vec<StoredLog>, ServiceError> {
    let mut found = services.blobs.logs().list(account, key).map_err(ServiceError::file("list", services.state_dir.logs()))?;
    let trust = services.trusts(account).of(key);
    found.retain(|log| !trust.is_of_former_device(log.at));
    let stored =
        |log: crate::blobs::logs::LogFile| StoredLog { name: log.name, kind: log.kind, at: log.at, size_bytes: log.size_bytes };
    let mut logs: Vec<_> = found.into_iter().map(stored).collect();
    logs.sort_by_key(|log| std::cmp::Reverse(log.at));
    Ok(logs)
}

/// One log with its content.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::File`] where its content cannot be read.
pub fn log(services: &Services, account: AccountId, key: &DeviceKey, name: &str) -> Result<(StoredLog, Vec<u8>), ServiceError> {
    let not_found = || ServiceError::not_found("log", name);
    let log = logs(services, account, key)?.into_iter().find(|log| log.name == name).ok_or_else(not_found)?;
    let path = services.blobs.logs().path(account, key, name).ok_or_else(not_found)?;
    let content = std::fs::read(path).map_err(ServiceError::file("read", services.state_dir.logs()))?;
    Ok((log, content))
}
