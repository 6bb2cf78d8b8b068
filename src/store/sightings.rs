//! Rows of the last contact of each device.

use super::error::StoreError;
use super::tables::SIGHTINGS;
use super::tx::{Read, WriteTx};
use crate::domain::device::{DeviceKey, Sighting};
use crate::domain::ids::AccountId;

/// All of an account.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<(DeviceKey, Sighting)>, StoreError> {
    Ok(tx.scan(&SIGHTINGS, Some(&(account,)))?.into_iter().map(|((_, key), sighting)| (key, sighting)).collect())
}

/// Writes one.
pub fn put(tx: &WriteTx, account: AccountId, key: &DeviceKey, sighting: &Sighting) -> Result<(), StoreError> {
    tx.put(&SIGHTINGS, &(account, key.clone()), sighting)
}

/// Removes one and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, key: &DeviceKey) -> Result<bool, StoreError> {
    tx.delete(&SIGHTINGS, &(account, key.clone()))
}
