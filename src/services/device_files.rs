//! What devices stored with us, for the admin's eyes: their files and their logs (R171–R173, R263). Phones' own way to them is
//! the uploads' matter.

pub mod directories;
pub mod given;
pub(super) mod keep;
pub mod logs;
pub mod overrides;
pub mod versions;

pub use logs::{StoredLog, log, logs};
pub use overrides::{OwnFile, override_file, overrides};
pub use versions::hand_out;

use super::error::ServiceError;
use super::{Services, sealed_files};
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::AccountId;
use crate::store;

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
