//! Rows of saved views.

use super::error::StoreError;
use super::tables::VIEWS;
use super::tx::{Read, WriteTx};
use crate::domain::ids::{AccountId, ViewId};
use crate::domain::view::View;

/// All of all accounts, the oldest of an account first.
pub fn all(tx: &impl Read) -> Result<Vec<(AccountId, View)>, StoreError> {
    Ok(tx.scan(&VIEWS, None)?.into_iter().map(|((account, _), view)| (account, view)).collect())
}

/// A number for a new view.
pub fn next_id(tx: &WriteTx) -> Result<ViewId, StoreError> {
    tx.next_number("view").map(ViewId)
}

/// Writes a view.
pub fn put(tx: &WriteTx, account: AccountId, view: &View) -> Result<(), StoreError> {
    tx.put(&VIEWS, &(account, view.id), view)
}

/// Removes a view and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, id: ViewId) -> Result<bool, StoreError> {
    tx.delete(&VIEWS, &(account, id))
}
