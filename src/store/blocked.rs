//! Rows of blocked device keys.

use super::error::StoreError;
use super::tables::BLOCKED;
use super::tx::{Read, WriteTx};
use crate::domain::device::{Block, DeviceKey};
use crate::domain::ids::AccountId;

/// All of an account.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<(DeviceKey, Block)>, StoreError> {
    Ok(tx.scan(&BLOCKED, Some(&(account,)))?.into_iter().map(|((_, key), block)| (key, block)).collect())
}

/// One key's block.
pub fn get(tx: &impl Read, account: AccountId, key: &DeviceKey) -> Result<Option<Block>, StoreError> {
    tx.get(&BLOCKED, &(account, key.clone()))
}

/// Blocks a key.
pub fn put(tx: &WriteTx, account: AccountId, key: &DeviceKey, block: &Block) -> Result<(), StoreError> {
    tx.put(&BLOCKED, &(account, key.clone()), block)
}

/// Lifts a block and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, key: &DeviceKey) -> Result<bool, StoreError> {
    tx.delete(&BLOCKED, &(account, key.clone()))
}
