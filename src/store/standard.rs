//! What is remembered of the standard profiles that came with the last version: no account's, but the server's.

use super::error::StoreError;
use super::tables::STANDARD;
use super::tx::{Read, WriteTx};
use crate::domain::standard::Installed;

/// All of them, by number.
pub fn all(tx: &impl Read) -> Result<Vec<Installed>, StoreError> {
    Ok(tx.scan(&STANDARD, None)?.into_iter().map(|(_, installed)| installed).collect())
}

/// Writes one.
pub fn put(tx: &WriteTx, installed: &Installed) -> Result<(), StoreError> {
    tx.put(&STANDARD, &(u64::from(installed.number),), installed)
}

/// Forgets one and tells whether there was one.
pub fn delete(tx: &WriteTx, number: u32) -> Result<bool, StoreError> {
    tx.delete(&STANDARD, &(u64::from(number),))
}
