//! The last step of a restore: a checked state takes the place of an empty one.
//!
//! What is ready lies in the folder `restored`, which appears there by one rename: from then on the restore is decided. The moves
//! out of it can be repeated, with the database last, so that a crash between two of them is mended by the next opening, whoever
//! that is. Nothing is renamed across the border of the state directory, which may be a mounted volume.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::services::error::ServiceError;
use crate::services::state_dir::{StateDir, entries};
use crate::store::Store;

/// Puts in place what is ready, and removes what a broken restore has left. Nearly always there is nothing to do.
///
/// # Errors
/// The state directory is in use, or cannot be written; then the next opening tries again.
pub fn finish(state: &StateDir) -> Result<(), ServiceError> {
    if !exists(&state.restored())? && !exists(&state.restoring())? {
        return Ok(());
    }
    Store::alone(state.root(), || finish_alone(state))?
}

/// The same for whoever is alone in the directory already.
pub(super) fn finish_alone(state: &StateDir) -> Result<(), ServiceError> {
    discard(&state.restoring())?;
    let ready = state.restored();
    if !exists(&ready)? {
        return Ok(());
    }
    let database = Store::file_in(Path::new(""));
    let mut names = entries(&ready)?;
    // False before true: the database is the last to move.
    names.sort_by_key(|name| Path::new(name) == database);
    for name in names {
        let (from, to) = (ready.join(&name), state.root().join(&name));
        discard(&to)?;
        fs::rename(&from, &to).map_err(ServiceError::file("put in place", &from))?;
    }
    sync(state.root())?;
    fs::remove_dir(&ready).map_err(ServiceError::file("remove", &ready))?;
    sync(state.root())
}

/// For whoever only looks: a state that is half in place is not to be judged.
///
/// # Errors
/// A restore waits to be put in place.
pub fn refuse_unfinished(state: &StateDir) -> Result<(), ServiceError> {
    if !exists(&state.restored())? {
        return Ok(());
    }
    let waiting = state.restored();
    Err(ServiceError::Conflict(format!(
        "a state that was restored or has got a new key waits in {} and is put in place at the next start",
        waiting.display()
    )))
}

/// Decides a restore: what was made ready is whole and on the disk.
pub(in crate::services) fn decide(state: &StateDir) -> Result<(), ServiceError> {
    let (from, to) = (state.restoring(), state.restored());
    let folder = File::open(&from).map_err(ServiceError::file("open", &from))?;
    // One call for all files: there may be a hundred thousand.
    rustix::fs::syncfs(&folder).map_err(|error| ServiceError::file("write", &from)(error.into()))?;
    fs::rename(&from, &to).map_err(ServiceError::file("rename", &from))?;
    sync(state.root())
}

/// Removes a file or a folder with all that is in it; what is not there is no error.
pub(in crate::services) fn discard(path: &Path) -> Result<(), ServiceError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(ServiceError::file("remove", path))
}

fn exists(path: &Path) -> Result<bool, ServiceError> {
    match path.try_exists() {
        // Whoever opens the state says so in better words.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        other => other.map_err(ServiceError::file("read", path)),
    }
}

fn sync(folder: &Path) -> Result<(), ServiceError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(ServiceError::file("write", folder))
}
