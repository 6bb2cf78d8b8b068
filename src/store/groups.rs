//! Rows of device groups, and the list of those that automatically added devices join.

use super::error::StoreError;
use super::tables::{DEFAULT_GROUPS, GROUPS};
use super::tx::{Read, WriteTx};
use crate::domain::group::Group;
use crate::domain::ids::{AccountId, GroupId};

/// All groups of an account.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<Group>, StoreError> {
    Ok(tx.scan(&GROUPS, Some(&(account,)))?.into_iter().map(|(_, group)| group).collect())
}

/// A number for a new group.
pub fn next_id(tx: &WriteTx) -> Result<GroupId, StoreError> {
    tx.next_number("group").map(GroupId)
}

/// Writes a group.
pub fn put(tx: &WriteTx, account: AccountId, group: &Group) -> Result<(), StoreError> {
    tx.put(&GROUPS, &(account, group.id), group)
}

/// Removes a group and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, id: GroupId) -> Result<bool, StoreError> {
    tx.delete(&GROUPS, &(account, id))
}

/// The groups that automatically added devices join, highest first.
pub fn defaults(tx: &impl Read, account: AccountId) -> Result<Vec<GroupId>, StoreError> {
    Ok(tx.get(&DEFAULT_GROUPS, &(account,))?.unwrap_or_default())
}

/// Sets them; an empty list removes the row.
pub fn put_defaults(tx: &WriteTx, account: AccountId, groups: &Vec<GroupId>) -> Result<(), StoreError> {
    let key = (account,);
    if groups.is_empty() { tx.delete(&DEFAULT_GROUPS, &key).map(|_| ()) } else { tx.put(&DEFAULT_GROUPS, &key, groups) }
}
