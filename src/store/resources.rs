//! Rows of resource files; their content is among the blobs.

use super::error::StoreError;
use super::tables::RESOURCES;
use super::tx::{Read, WriteTx};
use crate::domain::ids::{AccountId, ResourceId};
use crate::domain::resource::Resource;

/// All resource files of an account, by number.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<Resource>, StoreError> {
    Ok(tx.scan(&RESOURCES, Some(&(account,)))?.into_iter().map(|(_, resource)| resource).collect())
}

/// Those of all accounts: content that is named.
pub fn of_all_accounts(tx: &impl Read) -> Result<Vec<Resource>, StoreError> {
    Ok(tx.scan(&RESOURCES, None)?.into_iter().map(|(_, resource)| resource).collect())
}

/// A number for a new resource file.
pub fn next_id(tx: &WriteTx) -> Result<ResourceId, StoreError> {
    tx.next_number("resource").map(ResourceId)
}

/// Writes a resource file's row.
pub fn put(tx: &WriteTx, account: AccountId, resource: &Resource) -> Result<(), StoreError> {
    tx.put(&RESOURCES, &(account, resource.id), resource)
}

/// Removes a resource file's row and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, id: ResourceId) -> Result<bool, StoreError> {
    tx.delete(&RESOURCES, &(account, id))
}
