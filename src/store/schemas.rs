//! Rows of uploaded schemas, and which of them counts.

use super::error::StoreError;
use super::tables::{SCHEMA_CHOICES, SCHEMAS};
use super::tx::{Read, WriteTx};
use crate::domain::ids::{AccountId, SchemaId};
use crate::domain::schema::uploaded::{SchemaChoice, Uploaded};

/// All schemas of an account, by number.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<Uploaded>, StoreError> {
    Ok(tx.scan(&SCHEMAS, Some(&(account,)))?.into_iter().map(|(_, uploaded)| uploaded).collect())
}

/// A number for a new schema.
pub fn next_id(tx: &WriteTx) -> Result<SchemaId, StoreError> {
    tx.next_number("schema").map(SchemaId)
}

/// Writes a schema.
pub fn put(tx: &WriteTx, account: AccountId, uploaded: &Uploaded) -> Result<(), StoreError> {
    tx.put(&SCHEMAS, &(account, uploaded.id), uploaded)
}

/// Removes a schema and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, id: SchemaId) -> Result<bool, StoreError> {
    tx.delete(&SCHEMAS, &(account, id))
}

/// What an account has chosen; what comes with the server, where it never chose.
pub fn choice(tx: &impl Read, account: AccountId) -> Result<SchemaChoice, StoreError> {
    Ok(tx.get(&SCHEMA_CHOICES, &(account,))?.unwrap_or_default())
}

/// Writes what an account has chosen.
pub fn put_choice(tx: &WriteTx, account: AccountId, choice: &SchemaChoice) -> Result<(), StoreError> {
    tx.put(&SCHEMA_CHOICES, &(account,), choice)
}
