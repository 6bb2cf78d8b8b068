//! Rows of part numbers that devices told of themselves, a row a model.

use super::error::StoreError;
use super::tables::PART_NUMBERS;
use super::tx::{Read, WriteTx};
use crate::domain::ids::AccountId;

/// All of an account, by the name of the model.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<(String, Vec<String>)>, StoreError> {
    Ok(tx.scan(&PART_NUMBERS, Some(&(account,)))?.into_iter().map(|((_, model), parts)| (model, parts)).collect())
}

/// Writes those of a model, the latest first.
pub fn put(tx: &WriteTx, account: AccountId, model: &str, parts: &Vec<String>) -> Result<(), StoreError> {
    tx.put(&PART_NUMBERS, &(account, model.to_owned()), parts)
}
