//! Whole databases as bare rows: out of one snapshot, and into a new file. For backups, and where everything is sealed anew; nobody
//! else sees rows without their types.
//!
//! Sessions are left out both ways: whoever signed in on the old host signs in again on the new one (OPS-02).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{ReadableTable as _, TableDefinition, TableHandle as _};
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::keys::Key;
use super::open::{NAME, Store, new_handle};
use super::tables::{ACCOUNTS, DELETED, FILES, META, PROFILES, SERVER, SESSIONS, Table, USERS};
use super::tx::{Read as _, ReadTx, WriteTx, decode_key};
use super::{codec, files, guard, migrations};
use crate::domain::account::Account;
use crate::domain::ids::AccountId;
use crate::domain::server::ServerSettings;

/// Bytes of rows that one transaction writes into a new database.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// One row without its types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Name of its table.
    pub table: String,
    /// Key.
    pub key: Vec<u8>,
    /// Value.
    pub value: Vec<u8>,
}

impl Row {
    /// The account that it holds, with its password sealed; none if it is of another table.
    ///
    /// # Errors
    /// It is of that table and holds something else.
    pub fn account(&self) -> Result<Option<(AccountId, Account)>, StoreError> {
        Ok(self.of(&ACCOUNTS)?.map(|((id,), account)| (id, account)))
    }

    /// The server's settings; none if it is of another table.
    ///
    /// # Errors
    /// As [`Row::account`].
    pub fn server(&self) -> Result<Option<ServerSettings>, StoreError> {
        Ok(self.of(&SERVER)?.map(|(_, settings)| settings))
    }

    fn of<K: Key, V: DeserializeOwned>(&self, table: &Table<K, V>) -> Result<Option<(K, V)>, StoreError> {
        if self.table != table.name {
            return Ok(None);
        }
        let value = codec::decode(table.name, &self.key, &self.value)?;
        Ok(Some((decode_key(table.name, &self.key)?, value)))
    }
}

/// The whole database as it was at one moment.
pub struct Snapshot<'a> {
    tx: ReadTx,
    /// Somebody waits for all transactions to end: see [`Store::snapshot`].
    awaited: &'a AtomicBool,
}

impl<'a> Snapshot<'a> {
    pub(super) fn new(tx: ReadTx, awaited: &'a AtomicBool) -> Self {
        Self { tx, awaited }
    }

    /// The same moment with the types of its rows.
    pub fn tx(&self) -> &ReadTx {
        &self.tx
    }

    /// The version of the database.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn schema(&self) -> Result<u32, StoreError> {
        let version = self.tx.get(&META, &migrations::version_key())?;
        Ok(version.and_then(|version| u32::try_from(version).ok()).unwrap_or(u32::MAX))
    }

    /// Shows every row: tables by name, rows by key.
    ///
    /// # Errors
    /// The database failed or has to be opened again; what `visit` reports.
    pub fn rows<E: From<StoreError>>(&self, mut visit: impl FnMut(&str, &[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        for name in self.tables()? {
            let definition = TableDefinition::<&[u8], &[u8]>::new(&name);
            let table = self.tx.0.open_table(definition).map_err(StoreError::from)?;
            for row in table.iter().map_err(StoreError::from)? {
                if self.awaited.load(Ordering::Relaxed) {
                    let cause = "a write failed meanwhile, and the database is opened again; begin once more";
                    return Err(StoreError::Database(cause.into()).into());
                }
                let (key, value) = row.map_err(StoreError::from)?;
                visit(&name, key.value(), value.value())?;
            }
        }
        Ok(())
    }

    fn tables(&self) -> Result<Vec<String>, StoreError> {
        let all = self.tx.0.list_tables()?.map(|table| table.name().to_owned());
        let mut names: Vec<String> = all.filter(|name| name != SESSIONS.name).collect();
        names.sort_unstable();
        Ok(names)
    }
}

impl Store {
    /// The newest version of a database that this pdms knows.
    pub fn schema_known() -> u32 {
        migrations::known()
    }

    /// Makes the database of a folder that has none, out of rows that come table by table. Answers once it is on the disk.
    ///
    /// # Errors
    /// It cannot be written; what `next` reports. Then the folder holds something half, for the caller to remove.
    pub fn fill<E: From<StoreError>>(dir: &Path, mut next: impl FnMut() -> Result<Option<Row>, E>) -> Result<(), E> {
        let handle = new_handle(&dir.join(NAME), &Arc::default())?;
        let mut row = next()?;
        while let Some(first) = row.take() {
            let mut batch = vec![first];
            let mut bytes = 0;
            row = loop {
                match next()? {
                    Some(more) if more.table == batch[0].table && bytes < BATCH_BYTES => {
                        bytes += more.key.len() + more.value.len();
                        batch.push(more);
                    }
                    other => break other,
                }
            };
            if batch[0].table != SESSIONS.name {
                let tx = WriteTx(handle.begin_write().map_err(StoreError::from)?);
                put(&tx, &batch)?;
                tx.0.commit().map_err(StoreError::from)?;
            }
        }
        drop(handle);
        guard::mark(dir)?;
        Ok(files::sync_folder(dir).map_err(StoreError::file("write", dir))?)
    }

    /// Whether rows of a table hold something sealed, or name content that is.
    pub fn holds_secrets(table: &str) -> bool {
        [SERVER.name, ACCOUNTS.name, USERS.name, PROFILES.name, FILES.name, DELETED.name].contains(&table)
    }

    /// Does something while no server can open this folder, nor anybody else do the same.
    ///
    /// # Errors
    /// [`StoreError::InUse`], or the lock's file cannot be made.
    pub fn alone<T>(dir: &Path, work: impl FnOnce() -> T) -> Result<T, StoreError> {
        let _lock = super::lock::Lock::take(dir)?;
        Ok(work())
    }
}

fn put(tx: &WriteTx, rows: &[Row]) -> Result<(), StoreError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let mut table = tx.0.open_table(TableDefinition::<&[u8], &[u8]>::new(&first.table))?;
    for row in rows {
        table.insert(row.key.as_slice(), row.value.as_slice())?;
    }
    Ok(())
}
