//! The form of a stored value: JSON, and only this file says so.
//!
//! JSON describes itself: a field added later with `#[serde(default)]` needs no migration, and a dump can be read.
//! A later format would begin its values with a byte that no JSON text begins with.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;

/// A value's stored form.
pub(super) fn encode<V: Serialize>(table: &'static str, value: &V) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|e| StoreError::Encode { table, cause: e.to_string() })
}

/// A stored value. The error names table and key, never the content: it may hold a secret.
pub(super) fn decode<V: DeserializeOwned>(table: &'static str, key: &[u8], bytes: &[u8]) -> Result<V, StoreError> {
    serde_json::from_slice(bytes).map_err(|e| StoreError::Decode {
        table,
        key: hex::encode(key),
        cause: format!("{:?} error at line {} column {}", e.classify(), e.line(), e.column()),
    })
}
