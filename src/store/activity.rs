//! Rows of the activity log: written once, never changed.

use super::error::StoreError;
use super::tables::ACTIVITY;
use super::tx::{Direction, Read, Walk, WriteTx};
use crate::domain::activity::Activity;
use crate::domain::ids::AccountId;

/// Appends an entry.
pub fn append(tx: &WriteTx, account: AccountId, entry: &Activity) -> Result<(), StoreError> {
    // One counter for all accounts: the numbers order entries across accounts too.
    let number = tx.next_number("activity")?;
    tx.put(&ACTIVITY, &(account, number), entry)
}

/// The numbers of an account's entries, newest first. No entry is read for that.
pub fn numbers(tx: &impl Read, account: AccountId) -> Result<Vec<u64>, StoreError> {
    let keys = tx.keys(&ACTIVITY, &(account,), Direction::Backward)?;
    Ok(keys.into_iter().map(|(_, number)| number).collect())
}

/// Shows an account's entries, newest first, with their numbers.
pub fn newest_first(tx: &impl Read, account: AccountId, mut visit: impl FnMut(u64, Activity) -> Walk) -> Result<(), StoreError> {
    tx.walk(&ACTIVITY, Some(&(account,)), Direction::Backward, |(_, number), entry| visit(number, entry))
}

/// One entry.
pub fn get(tx: &impl Read, account: AccountId, number: u64) -> Result<Option<Activity>, StoreError> {
    tx.get(&ACTIVITY, &(account, number))
}

/// Shows an account's entries, oldest first, with their numbers.
pub fn oldest_first(tx: &impl Read, account: AccountId, mut visit: impl FnMut(u64, Activity) -> Walk) -> Result<(), StoreError> {
    tx.walk(&ACTIVITY, Some(&(account,)), Direction::Forward, |(_, number), entry| visit(number, entry))
}

/// Removes one entry: only retention does.
pub fn delete(tx: &WriteTx, account: AccountId, number: u64) -> Result<bool, StoreError> {
    tx.delete(&ACTIVITY, &(account, number))
}
