//! Rows of devices.

use super::error::StoreError;
use super::tables::DEVICES;
use super::tx::{Read, WriteTx};
use crate::domain::device::{Device, DeviceKey};
use crate::domain::ids::AccountId;

/// One device.
pub fn get(tx: &impl Read, account: AccountId, key: &DeviceKey) -> Result<Option<Device>, StoreError> {
    tx.get(&DEVICES, &(account, key.clone()))
}

/// All devices of an account.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<Device>, StoreError> {
    Ok(tx.scan(&DEVICES, Some(&(account,)))?.into_iter().map(|(_, device)| device).collect())
}

/// Writes a device.
pub fn put(tx: &WriteTx, account: AccountId, device: &Device) -> Result<(), StoreError> {
    tx.put(&DEVICES, &(account, device.key.clone()), device)
}

/// Removes a device and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, key: &DeviceKey) -> Result<bool, StoreError> {
    tx.delete(&DEVICES, &(account, key.clone()))
}
