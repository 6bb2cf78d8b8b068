//! Rows of ended runs.

use super::error::StoreError;
use super::tables::RUNS;
use super::tx::{Direction, Read, Walk, WriteTx};
use crate::domain::ids::AccountId;
use crate::domain::run::{Run, Subject};

/// Writes a run and drops the subject's oldest ones above `keep`.
pub fn put(tx: &WriteTx, account: AccountId, subject: &Subject, run: &Run, keep: usize) -> Result<(), StoreError> {
    tx.put(&RUNS, &(account, subject.clone(), run.started_at), run)?;
    let mut seen = 0;
    let mut old = Vec::new();
    tx.walk(&RUNS, Some(&(account, subject.clone())), Direction::Backward, |key, _| {
        seen += 1;
        if seen > keep {
            old.push(key);
        }
        Walk::On
    })?;
    for key in old {
        tx.delete(&RUNS, &key)?;
    }
    Ok(())
}

/// A subject's runs, newest first.
pub fn of(tx: &impl Read, account: AccountId, subject: &Subject) -> Result<Vec<Run>, StoreError> {
    let mut runs = Vec::new();
    tx.walk(&RUNS, Some(&(account, subject.clone())), Direction::Backward, |_, run| {
        runs.push(run);
        Walk::On
    })?;
    Ok(runs)
}

/// Shows all runs of an account, subject by subject.
pub fn each(tx: &impl Read, account: AccountId, mut visit: impl FnMut(Subject, Run) -> Walk) -> Result<(), StoreError> {
    tx.walk(&RUNS, Some(&(account,)), Direction::Forward, |(_, subject, _), run| visit(subject, run))
}

/// Removes all runs of a subject and tells how many there were.
pub fn delete_all(tx: &WriteTx, account: AccountId, subject: &Subject) -> Result<u64, StoreError> {
    tx.delete_all(&RUNS, &(account, subject.clone()))
}
