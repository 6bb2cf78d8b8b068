//! The marker: a file outside the database that says *this directory was set up*.
//!
//! Without it, an unmounted volume or an emptied database would look like a fresh install and show the set-up page to
//! whoever comes first. The database comes first, then the marker: a crash between them leaves a database, which counts too.

use std::path::Path;

use super::error::StoreError;
use super::files;

/// Name of the marker in the state directory.
const NAME: &str = "pdms-state";

const TEXT: &str = "This directory holds the state of a pdms server.\n\
    pdms refuses to start here when its database is missing or damaged, instead of beginning anew.\n";

/// What is to be done with a state directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing was ever here.
    Nothing,
    /// A database to open.
    Database,
}

/// Looks at what lies in the directory; every doubtful case is an error.
pub(super) fn look(dir: &Path, database: &Path) -> Result<Found, StoreError> {
    let marked = dir.join(NAME).try_exists().map_err(StoreError::file("read", dir))?;
    match std::fs::metadata(database) {
        Ok(meta) if meta.len() == 0 => Err(StoreError::Empty { file: database.to_owned() }),
        Ok(_) => Ok(Found::Database),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && marked => Err(StoreError::Missing { file: database.to_owned() }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(e) => Err(StoreError::file("read", database)(e)),
    }
}

/// Writes the marker unless it is there.
pub(super) fn mark(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(NAME);
    if path.try_exists().map_err(StoreError::file("read", &path))? {
        return Ok(());
    }
    files::write_whole(&path, TEXT.as_bytes()).map_err(StoreError::file("write", path))
}
