//! Rows of accounts. Passwords come and go sealed.

use super::error::StoreError;
use super::tables::ACCOUNTS;
use super::tx::{Read, WriteTx};
use crate::domain::account::Account;
use crate::domain::ids::AccountId;

/// One account.
pub fn get(tx: &impl Read, id: AccountId) -> Result<Option<Account>, StoreError> {
    tx.get(&ACCOUNTS, &(id,))
}

/// All accounts.
pub fn all(tx: &impl Read) -> Result<Vec<(AccountId, Account)>, StoreError> {
    Ok(tx.scan(&ACCOUNTS, None)?.into_iter().map(|((id,), account)| (id, account)).collect())
}

/// Writes an account.
pub fn put(tx: &WriteTx, id: AccountId, account: &Account) -> Result<(), StoreError> {
    tx.put(&ACCOUNTS, &(id,), account)
}
