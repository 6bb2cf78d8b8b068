//! Rows of users.

use super::error::StoreError;
use super::tables::USERS;
use super::tx::{Read, WriteTx};
use crate::domain::ids::UserId;
use crate::domain::user::User;

/// One user.
pub fn get(tx: &impl Read, id: UserId) -> Result<Option<User>, StoreError> {
    tx.get(&USERS, &(id,))
}

/// All users.
pub fn all(tx: &impl Read) -> Result<Vec<User>, StoreError> {
    Ok(tx.scan(&USERS, None)?.into_iter().map(|(_, user)| user).collect())
}

/// A number for a new user.
pub fn next_id(tx: &WriteTx) -> Result<UserId, StoreError> {
    tx.next_number("user").map(UserId)
}

/// Writes a user.
pub fn put(tx: &WriteTx, user: &User) -> Result<(), StoreError> {
    tx.put(&USERS, &(user.id,), user)
}

/// Removes a user and tells whether there was one.
pub fn delete(tx: &WriteTx, id: UserId) -> Result<bool, StoreError> {
    tx.delete(&USERS, &(id,))
}
