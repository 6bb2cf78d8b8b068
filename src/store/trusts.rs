//! Rows of what was learned of each key.

use super::error::StoreError;
use super::tables::TRUSTS;
use super::tx::{Direction, Read, Walk, WriteTx};
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::trust::Trust;

/// All of an account.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<(DeviceKey, Trust)>, StoreError> {
    Ok(tx.scan(&TRUSTS, Some(&(account,)))?.into_iter().map(|((_, key), trust)| (key, trust)).collect())
}

/// Shows all of an account one by one, so that not all of them are in memory twice.
pub fn each(tx: &impl Read, account: AccountId, mut visit: impl FnMut(DeviceKey, Trust)) -> Result<(), StoreError> {
    tx.walk(&TRUSTS, Some(&(account,)), Direction::Forward, |(_, key), trust| {
        visit(key, trust);
        Walk::On
    })
}

/// Writes one.
pub fn put(tx: &WriteTx, account: AccountId, key: &DeviceKey, trust: &Trust) -> Result<(), StoreError> {
    tx.put(&TRUSTS, &(account, key.clone()), trust)
}

/// Removes one and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, key: &DeviceKey) -> Result<bool, StoreError> {
    tx.delete(&TRUSTS, &(account, key.clone()))
}
