//! Steps from one version of the database to the next, run at open.
//!
//! Each step is one transaction that also writes the new version: after a crash it has happened or it has not.
//! Before the first step the file is copied aside. A step may not use domain types, which change; it works on JSON values.
//! Each step has a test that starts from a stored file of the version before it.

mod trust;

use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::tables::META;
use super::tx::{Read as _, WriteTx};
use super::{Store, files};

/// One step.
pub(super) struct Step {
    /// Version after the step.
    pub to: u32,
    /// What it does, for the log and for errors.
    pub sentence: &'static str,
    /// The step itself.
    pub run: fn(&WriteTx) -> Result<(), StoreError>,
}

/// All steps, oldest first. Version 1 is the first there is.
const STEPS: &[Step] = &[Step { to: 2, sentence: "remember of each device where it is at home", run: trust::from_sightings }];

/// The version a new database begins with.
const FIRST: u32 = 1;

/// The second step alone, for the test of what it does to rows of version 1.
#[cfg(test)]
pub(super) fn to_version_2(tx: &WriteTx) -> Result<(), StoreError> {
    trust::from_sightings(tx)
}

/// Brings the database to the newest version, or refuses one that is newer still.
pub(super) fn run(store: &Store, file: &Path) -> Result<(), StoreError> {
    run_steps(store, file, STEPS)
}

/// The same with a copy in memory that nobody keeps: the file itself stays as it is.
pub(super) fn run_on_copy(store: &Store, file: &Path) -> Result<(), StoreError> {
    match pending(store, file, STEPS)? {
        None => Ok(()),
        Some(found) => run_pending(store, found, STEPS, file),
    }
}

/// Writes the version of a new database.
pub(super) fn begin(tx: &WriteTx) -> Result<(), StoreError> {
    put_version(tx, known())
}

/// The newest version that there is.
pub(super) fn known() -> u32 {
    STEPS.last().map_or(FIRST, |step| step.to)
}

fn run_steps(store: &Store, file: &Path, steps: &[Step]) -> Result<(), StoreError> {
    match pending(store, file, steps)? {
        None => Ok(()),
        Some(found) => run_pending(store, found, steps, &copy_aside(file, found)?),
    }
}

/// The version of a database that is older than this pdms; none where there is nothing to do.
fn pending(store: &Store, file: &Path, steps: &[Step]) -> Result<Option<u32>, StoreError> {
    let found = version(store)?;
    let known = steps.last().map_or(FIRST, |step| step.to);
    if found > known {
        return Err(StoreError::Newer { file: file.to_owned(), found, known });
    }
    Ok((found < known).then_some(found))
}

fn run_pending(store: &Store, found: u32, steps: &[Step], copy: &Path) -> Result<(), StoreError> {
    for step in steps.iter().filter(|step| step.to > found) {
        tracing::info!(to = step.to, copy = %copy.display(), "migrating the database: {}", step.sentence);
        let done: Result<(), StoreError> = store.write(|tx| {
            (step.run)(tx)?;
            put_version(tx, step.to)
        });
        done.map_err(|e| StoreError::Migration {
            to: step.to,
            sentence: step.sentence,
            copy: copy.to_owned(),
            source: Box::new(e),
        })?;
    }
    Ok(())
}

/// Key of the row that holds the version.
pub(super) fn version_key() -> (String,) {
    ("schema_version".to_owned(),)
}

fn put_version(tx: &WriteTx, version: u32) -> Result<(), StoreError> {
    tx.put(&META, &version_key(), &u64::from(version))
}

fn version(store: &Store) -> Result<u32, StoreError> {
    let found = store.read(|tx| tx.get(&META, &version_key()))?;
    // A database without a version was never finished by us, or it belongs to another program.
    let found =
        found.ok_or_else(|| StoreError::Damaged { file: store.file().to_owned(), cause: "it holds no version".to_owned() })?;
    Ok(u32::try_from(found).unwrap_or(u32::MAX))
}

/// Copies the file while no transaction is open: the caller has just opened it and nobody else has it.
fn copy_aside(file: &Path, version: u32) -> Result<PathBuf, StoreError> {
    let copy = file.with_extension(format!("v{version}.redb"));
    let content = std::fs::read(file).map_err(StoreError::file("read", file))?;
    files::write_whole(&copy, &content).map_err(StoreError::file("write", &copy))?;
    Ok(copy)
}

#[cfg(test)]
mod tests;
