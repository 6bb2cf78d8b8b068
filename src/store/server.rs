//! The row of the server's own settings.

use super::error::StoreError;
use super::tables::SERVER;
use super::tx::{Read, WriteTx};
use crate::domain::server::ServerSettings;

fn key() -> (String,) {
    ("settings".to_owned(),)
}

/// The settings; those of a new server where none were written.
pub fn get(tx: &impl Read) -> Result<ServerSettings, StoreError> {
    Ok(tx.get(&SERVER, &key())?.unwrap_or_default())
}

/// Writes the settings.
pub fn put(tx: &WriteTx, settings: &ServerSettings) -> Result<(), StoreError> {
    tx.put(&SERVER, &key(), settings)
}
