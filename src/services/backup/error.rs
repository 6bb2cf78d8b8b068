//! Why there is no backup, or why one is not taken, in sentences for the person who has to act.

use std::io;
use std::path::PathBuf;

use crate::services::error::ServiceError;
use crate::store::StoreError;

/// Why a backup was not made, does not verify, or is not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Where the backup goes, or comes from, failed.
    #[error("the backup could not be {action}")]
    Stream {
        /// What was tried: `written` or `read`.
        action: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The file is something else.
    #[error("this is no backup of pdms: {0}")]
    NoBackup(&'static str),
    /// A byte of it is not what it was.
    #[error("this backup is damaged or was changed: {0}. Use another one; nothing was restored from it")]
    Damaged(String),
    /// It holds what no backup of ours holds.
    #[error("this backup is refused: {0}. Nothing was restored from it")]
    Refused(String),
    /// Its parts do not go together.
    #[error("this backup cannot be used: {0}. Use another one; nothing was restored from it")]
    Unusable(String),
    /// What lies in the state is not what the server works with.
    #[error("no backup was made, because it could not be restored: {0}. Older backups stay as they are")]
    Unfit(String),
    /// It is encrypted.
    #[error("this backup needs its passphrase")]
    NeedsPassphrase,
    /// The passphrase is another one.
    #[error("this passphrase does not open the backup, or its beginning is damaged")]
    WrongPassphrase,
    /// A newer pdms made it.
    #[error(
        "this backup has {what} {found}, this pdms knows them up to {known}; restore it with the pdms that made it, or a newer one"
    )]
    Newer {
        /// `format` or `database version`.
        what: &'static str,
        /// Its number.
        found: u32,
        /// The highest number known here.
        known: u32,
    },
    /// There is something where it should go.
    #[error("{} is not empty: {why}. A backup is restored into a new state directory only; name another one with --state", dir.display())]
    NotEmpty {
        /// The state directory.
        dir: PathBuf,
        /// What was found.
        why: String,
    },
    /// A file lies where a restore would put its own.
    #[error(
        "{} lies in a folder that a restore replaces, and would be lost; move it elsewhere, restore, and put it back if it is still \
         wanted. Nothing was restored",
        file.display()
    )]
    InTheWay {
        /// The file.
        file: PathBuf,
    },
    /// The disk has less room than it needs.
    #[error("restoring needs {needed} bytes and {} has {free} bytes left; free some space", dir.display())]
    NoRoom {
        /// The state directory.
        dir: PathBuf,
        /// What the backup holds.
        needed: u64,
        /// What is free.
        free: u64,
    },
    /// Certificates or the key file were changed again and again while they were read.
    #[error("certificates or the key file changed while they were read; make the backup again")]
    Unsteady,
    /// What a running server told that could not make one.
    #[error("{0}")]
    Told(String),
    /// The state could not be read, or what was restored does not open.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl BackupError {
    /// Names a file operation that failed.
    pub(super) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// What reading a backup reports: content that is not what it was, or a disk that fails.
    pub(super) fn reading(source: io::Error) -> Self {
        match source.kind() {
            // The library's own complaints are of the last kind.
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                Self::Damaged(source.to_string())
            }
            _ => Self::Stream { action: "read", source },
        }
    }

    /// The same, with the file that could not be written.
    pub(super) fn written_to(self, path: &std::path::Path) -> Self {
        match self {
            Self::Stream { action: "written", source } => Self::file("write", path)(source),
            other => other,
        }
    }

    /// What writing a backup reports.
    pub fn writing(source: io::Error) -> Self {
        Self::Stream { action: "written", source }
    }
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}
