//! Rows of what was learned of each key.

use super::error::StoreError;
use super::tables::TRUSTS;
use super::tx::{Read, WriteTx};
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::trust::Trust;

/// All of an account.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<(DeviceKey, Trust)>, StoreError> {
    Ok(tx.scan(&TRUSTS, Some(&(account,)))?.into_iter().map(|((_, key), trust)| (key, trust)).collect())
}

/// Writes one.
pub fn put(tx: &WriteTx, account: AccountId, key: &DeviceKey, trust: &Trust) -> Result<(), StoreError> {
    tx.put(&TRUSTS, &(account, key.clone()), trust)
}

/// Removes one and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, key: &DeviceKey) -> Result<bool, StoreError> {
    tx.delete(&TRUSTS, &(account, key.clone()))
}
