//! Rows of the last contact of each device.

use super::error::StoreError;
use super::tables::SIGHTINGS;
use super::tx::{Direction, Read, Walk, WriteTx};
use crate::domain::device::{DeviceKey, Sighting};
use crate::domain::ids::AccountId;

/// Shows all of an account one by one, so that not all of them are in memory twice.
pub fn each(tx: &impl Read, account: AccountId, mut visit: impl FnMut(DeviceKey, Sighting)) -> Result<(), StoreError> {
    tx.walk(&SIGHTINGS, Some(&(account,)), Direction::Forward, |(_, key), sighting| {
        visit(key, sighting);
        Walk::On
    })
}

/// Writes one.
pub fn put(tx: &WriteTx, account: AccountId, key: &DeviceKey, sighting: &Sighting) -> Result<(), StoreError> {
    tx.put(&SIGHTINGS, &(account, key.clone()), sighting)
}

/// Removes one and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, key: &DeviceKey) -> Result<bool, StoreError> {
    tx.delete(&SIGHTINGS, &(account, key.clone()))
}
