//! Rows of devices.

use super::error::StoreError;
use super::tables::DEVICES;
use super::tx::{Direction, Read, Walk, WriteTx};
use crate::domain::device::{Device, DeviceKey};
use crate::domain::ids::AccountId;

/// One device.
pub fn get(tx: &impl Read, account: AccountId, key: &DeviceKey) -> Result<Option<Device>, StoreError> {
    tx.get(&DEVICES, &(account, key.clone()))
}

/// Shows all devices of an account one by one, so that not all of them are in memory twice.
pub fn each(tx: &impl Read, account: AccountId, mut visit: impl FnMut(Device)) -> Result<(), StoreError> {
    tx.walk(&DEVICES, Some(&(account,)), Direction::Forward, |_, device| {
        visit(device);
        Walk::On
    })
}

/// Writes a device.
pub fn put(tx: &WriteTx, account: AccountId, device: &Device) -> Result<(), StoreError> {
    tx.put(&DEVICES, &(account, device.key.clone()), device)
}

/// Removes a device and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, key: &DeviceKey) -> Result<bool, StoreError> {
    tx.delete(&DEVICES, &(account, key.clone()))
}
