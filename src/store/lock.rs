//! One server for each state directory: a locked file beside the database.
//!
//! The operating system drops the lock with the process, however it ends. On network file systems locks may not hold.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use super::error::StoreError;
use super::files;

/// The lock, held as long as this value lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

const NAME: &str = "lock";

impl Lock {
    /// Keeps servers off a directory while somebody looks at it, writing nothing; none where no server ever was.
    pub(super) fn look(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join(NAME);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file("open", path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Err(in_use(dir, file)),
            Err(TryLockError::Error(source)) => Err(StoreError::file("lock", path)(source)),
        }
    }

    /// Takes the lock of a directory and writes down who holds it.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(NAME);
        let mut file = files::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(StoreError::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(dir, file)),
            Err(TryLockError::Error(source)) => return Err(StoreError::file("lock", path)(source)),
        }
        let note = format!("pdms, process {}\n", std::process::id());
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(note.as_bytes())
        };
        write(&mut file).map_err(StoreError::file("write", path))?;
        Ok(Self { _file: file })
    }
}

fn in_use(dir: &Path, mut lock: File) -> StoreError {
    let mut by = String::new();
    // Who holds it is told for comfort only: a lock without a readable note is still held.
    let _ = lock.read_to_string(&mut by);
    let by = if by.trim().is_empty() { "another process".to_owned() } else { by.trim().to_owned() };
    StoreError::InUse { dir: dir.to_owned(), by }
}
