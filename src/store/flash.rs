//! Rows of what devices were served that stays in their flash.

use super::error::StoreError;
use super::tables::FLASH;
use super::tx::{Direction, Read, WriteTx};
use crate::domain::device::DeviceKey;
use crate::domain::flash::Flash;
use crate::domain::ids::AccountId;

/// What is remembered of one device.
pub fn get(tx: &impl Read, account: AccountId, key: &DeviceKey) -> Result<Option<Flash>, StoreError> {
    tx.get(&FLASH, &(account, key.clone()))
}

/// The devices of an account of which something is remembered.
pub fn keys(tx: &impl Read, account: AccountId) -> Result<Vec<DeviceKey>, StoreError> {
    Ok(tx.keys(&FLASH, &(account,), Direction::Forward)?.into_iter().map(|(_, key)| key).collect())
}

/// Writes what is remembered of a device.
pub fn put(tx: &WriteTx, account: AccountId, key: &DeviceKey, flash: &Flash) -> Result<(), StoreError> {
    tx.put(&FLASH, &(account, key.clone()), flash)
}

/// Forgets a device and tells whether there was anything.
pub fn delete(tx: &WriteTx, account: AccountId, key: &DeviceKey) -> Result<bool, StoreError> {
    tx.delete(&FLASH, &(account, key.clone()))
}
