//! What can go wrong with the database, in sentences for the person who has to act. No redb type shows.

use std::path::PathBuf;

/// A failure of the database. Absence of a row is never an error but `None`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another server holds the state directory.
    #[error("the state directory {} is already in use by {by}; stop that server first, or choose another directory with --state", dir.display())]
    InUse {
        /// The state directory.
        dir: PathBuf,
        /// Who holds it, as that server wrote it down.
        by: String,
    },
    /// The directory was set up, but there is no database in it.
    #[error("{} was set up before, but its database is missing; mount the right volume, or restore a backup into an empty directory", file.display())]
    Missing {
        /// Where the database should be.
        file: PathBuf,
    },
    /// The database holds nothing at all.
    #[error("the database {} is an empty file; restore a backup into an empty directory (nothing was changed)", file.display())]
    Empty {
        /// The database.
        file: PathBuf,
    },
    /// The database cannot be read.
    #[error("the database {} is damaged or no database of pdms ({cause}); restore a backup into an empty directory (nothing was changed)", file.display())]
    Damaged {
        /// The database.
        file: PathBuf,
        /// What the library said.
        cause: String,
    },
    /// The database was written by a newer pdms.
    #[error(
        "the database {} has version {found}, this pdms knows versions up to {known}; run the newer pdms, or restore a backup made by this one",
        file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// A migration step failed; nothing of it was kept.
    #[error("the database could not be brought to version {to} ({sentence}); it is unchanged, and a copy of it is kept as {}", copy.display())]
    Migration {
        /// The step's version.
        to: u32,
        /// What the step does.
        sentence: &'static str,
        /// The copy made before.
        copy: PathBuf,
        /// Why.
        source: Box<StoreError>,
    },
    /// A row does not hold what its table promises.
    #[error("the row {key} of table {table} cannot be read: {cause}")]
    Decode {
        /// Table.
        table: &'static str,
        /// Key, in hexadecimal.
        key: String,
        /// What does not fit.
        cause: String,
    },
    /// A value has no stored form.
    #[error("a value for table {table} cannot be stored: {cause}")]
    Encode {
        /// Table.
        table: &'static str,
        /// What does not fit.
        cause: String,
    },
    /// No space left; the change was not made, everything stored before is kept.
    #[error("the disk is full; nothing of this change was kept. Free some space, the next change is tried again by itself")]
    DiskFull,
    /// A file beside the database.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Anything else that the database library reports.
    #[error("the database failed; nothing of this change was kept")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Names a file operation that failed.
    pub(super) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// Every error of the library that happens on an open database; opening has its own rules.
impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(e) if matches!(e.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) => {
                Self::DiskFull
            }
            other => Self::Database(Box::new(other)),
        }
    }
}

macro_rules! through_the_umbrella {
    ($($kind:ident),*) => {$(
        impl From<redb::$kind> for StoreError {
            fn from(error: redb::$kind) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}

through_the_umbrella!(StorageError, TableError, TransactionError, CommitError);
