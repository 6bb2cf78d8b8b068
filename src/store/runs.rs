//! Rows of ended runs: of devices, and of everybody else in a table of its own.

use jiff::Timestamp;

use super::error::StoreError;
use super::tables::{REFUSED_RUNS, RUNS, Table};
use super::tx::{Direction, Read, WriteTx};
use crate::domain::ids::AccountId;
use crate::domain::run::{Run, Subject};

type Runs = Table<(AccountId, Subject, Timestamp), Run>;

fn table(subject: &Subject) -> &'static Runs {
    match subject {
        Subject::Device(_) => &RUNS,
        Subject::Stranger(_) | Subject::Address(_) => &REFUSED_RUNS,
    }
}

/// Writes a run and drops the subject's oldest ones above `keep`. Those of a time after `now` count as the oldest: a clock that was
/// ahead made them before it was put right.
pub fn put(
    tx: &WriteTx,
    account: AccountId,
    subject: &Subject,
    run: &Run,
    keep: usize,
    now: Timestamp,
) -> Result<(), StoreError> {
    let table = table(subject);
    tx.put(table, &(account, subject.clone(), run.started_at), run)?;
    let mut newest_first = tx.keys(table, &(account, subject.clone()), Direction::Backward)?;
    newest_first.sort_by_key(|(_, _, started_at)| *started_at > now);
    newest_first.iter().skip(keep).try_for_each(|old| tx.delete(table, old).map(drop))
}

/// A subject's runs, oldest first.
pub fn of(tx: &impl Read, account: AccountId, subject: &Subject) -> Result<Vec<Run>, StoreError> {
    Ok(tx.scan(table(subject), Some(&(account, subject.clone())))?.into_iter().map(|(_, run)| run).collect())
}

/// When a subject's runs began, oldest first.
pub fn began(tx: &impl Read, account: AccountId, subject: &Subject) -> Result<Vec<Timestamp>, StoreError> {
    let keys = tx.keys(table(subject), &(account, subject.clone()), Direction::Forward)?;
    Ok(keys.into_iter().map(|(.., began)| began).collect())
}

/// All runs of everybody who was not let in, subject by subject.
pub fn refused(tx: &impl Read, account: AccountId) -> Result<Vec<(Subject, Run)>, StoreError> {
    Ok(tx.scan(&REFUSED_RUNS, Some(&(account,)))?.into_iter().map(|((_, subject, _), run)| (subject, run)).collect())
}

/// Whose these are and when each began, subject by subject.
pub fn refused_keys(tx: &impl Read, account: AccountId) -> Result<Vec<(Subject, Timestamp)>, StoreError> {
    let keys = tx.keys(&REFUSED_RUNS, &(account,), Direction::Forward)?;
    Ok(keys.into_iter().map(|(_, subject, started_at)| (subject, started_at)).collect())
}

/// Removes the runs of a subject that began after a time, if there is one, and not after another.
pub fn delete_between(
    tx: &WriteTx,
    account: AccountId,
    subject: &Subject,
    since: Option<Timestamp>,
    until: Timestamp,
) -> Result<(), StoreError> {
    let table = table(subject);
    let all = tx.keys(table, &(account, subject.clone()), Direction::Forward)?;
    let goes = |began: Timestamp| since.is_none_or(|since| began > since) && began <= until;
    all.iter().filter(|(.., began)| goes(*began)).try_for_each(|old| tx.delete(table, old).map(drop))
}

/// Removes all runs of a subject and tells how many there were.
pub fn delete_all(tx: &WriteTx, account: AccountId, subject: &Subject) -> Result<u64, StoreError> {
    tx.delete_all(table(subject), &(account, subject.clone()))
}
