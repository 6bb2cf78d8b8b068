//! Rows of files kept for devices; their content is among the blobs.

use super::error::StoreError;
use super::tables::FILES;
use super::tx::{Read, WriteTx};
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::AccountId;

/// One file of a device.
pub fn get(tx: &impl Read, account: AccountId, key: &DeviceKey, name: &str) -> Result<Option<DeviceFile>, StoreError> {
    tx.get(&FILES, &(account, key.clone(), name.to_owned()))
}

/// All files of a device.
pub fn of(tx: &impl Read, account: AccountId, key: &DeviceKey) -> Result<Vec<DeviceFile>, StoreError> {
    Ok(tx.scan(&FILES, Some(&(account, key.clone())))?.into_iter().map(|(_, file)| file).collect())
}

/// All files of all devices of all accounts, with whose they are: what the sweep of blobs keeps, and what is held in memory.
pub fn all(tx: &impl Read) -> Result<Vec<(AccountId, DeviceKey, DeviceFile)>, StoreError> {
    Ok(tx.scan(&FILES, None)?.into_iter().map(|((account, key, _), file)| (account, key, file)).collect())
}

/// Writes a file's row.
pub fn put(tx: &WriteTx, account: AccountId, key: &DeviceKey, file: &DeviceFile) -> Result<(), StoreError> {
    tx.put(&FILES, &(account, key.clone(), file.name.clone()), file)
}

/// Removes a file's row and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, key: &DeviceKey, name: &str) -> Result<bool, StoreError> {
    tx.delete(&FILES, &(account, key.clone(), name.to_owned()))
}

/// Removes all rows of a device and tells how many there were.
pub fn delete_all(tx: &WriteTx, account: AccountId, key: &DeviceKey) -> Result<u64, StoreError> {
    tx.delete_all(&FILES, &(account, key.clone()))
}
