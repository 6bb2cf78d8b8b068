//! Rows of sessions.

use super::error::StoreError;
use super::tables::SESSIONS;
use super::tx::{Read, WriteTx};
use crate::domain::session::{Session, SessionKey};

/// One session.
pub fn get(tx: &impl Read, key: SessionKey) -> Result<Option<Session>, StoreError> {
    tx.get(&SESSIONS, &(key,))
}

/// All sessions.
pub fn all(tx: &impl Read) -> Result<Vec<(SessionKey, Session)>, StoreError> {
    Ok(tx.scan(&SESSIONS, None)?.into_iter().map(|((key,), session)| (key, session)).collect())
}

/// Writes a session.
pub fn put(tx: &WriteTx, key: SessionKey, session: &Session) -> Result<(), StoreError> {
    tx.put(&SESSIONS, &(key,), session)
}

/// Ends a session and tells whether there was one.
pub fn delete(tx: &WriteTx, key: SessionKey) -> Result<bool, StoreError> {
    tx.delete(&SESSIONS, &(key,))
}
