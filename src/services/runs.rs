//! Runs of devices, of phones that were refused, and of addresses (R177): what the Runs tab and its API show.
//!
//! Ended runs come here with the presence batch. Devices keep their last twenty. Everybody else shares a bounded room: whoever
//! was heard last stays, so that a sweep over MAC addresses costs no disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::commit::Change;
use super::error::ServiceError;
use super::{Services, presence};
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::limits::{REFUSED_SUBJECTS, RUNS_PER_DEVICE, RUNS_PER_REFUSED_SUBJECT};
use crate::domain::run::assembly::Finished;
use crate::domain::run::verdict::{Stage, Verdict, verdict};
use crate::domain::run::{Run, Subject};
use crate::store;

/// A run as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRun {
    /// Whose it is.
    pub subject: Subject,
    /// The run.
    pub run: Run,
    /// Whether more requests may still join it.
    pub stage: Stage,
}

impl ListedRun {
    /// What came of it, or comes of it so far.
    pub fn verdict(&self) -> Verdict {
        verdict(&self.run, self.stage)
    }
}

/// A device's runs and those of phones that only claimed to be it, newest first.
///
/// # Errors
/// [`ServiceError::Store`].
pub fn of_device(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Vec<ListedRun>, ServiceError> {
    let mut listed = of(services, account, &Subject::Device(key.clone()))?;
    listed.extend(of(services, account, &Subject::Stranger(key.clone()))?);
    sort(&mut listed);
    Ok(listed)
}

/// The runs of one subject, newest first.
///
/// # Errors
/// [`ServiceError::Store`].
pub fn of(services: &Services, account: AccountId, subject: &Subject) -> Result<Vec<ListedRun>, ServiceError> {
    presence::settle(services);
    let (ended, open) = services.presence.unwritten_runs(account, subject);
    let mut stored = services.store.read(|tx| store::runs::of(tx, account, subject))?;
    if let Subject::Device(key) = subject {
        let trust = services.trusts(account).of(key);
        stored.retain(|run| !trust.is_of_former_device(run.started_at));
    }
    let list = |run, stage| ListedRun { subject: subject.clone(), run, stage };
    let mut listed: Vec<_> = open.into_iter().map(|run| list(run, Stage::GoesOn)).collect();
    listed.extend(ended.into_iter().chain(stored).map(|run| list(run, Stage::Ended)));
    sort(&mut listed);
    // As they are kept: what is of a time that has not come makes room first.
    let now = services.clock.now();
    while listed.len() > cap_of(subject) {
        let ahead = listed.iter().rposition(|one| one.run.started_at > now);
        listed.remove(ahead.unwrap_or(listed.len() - 1));
    }
    Ok(listed)
}

/// How many runs each of these devices has, as [`of`] lists them; those without any are left out. For many devices at once: what is not
/// written yet is looked through a single time, and of what is stored nothing is read but when it began.
///
/// # Errors
/// [`ServiceError::Store`].
pub fn counts(
    services: &Services,
    account: AccountId,
    keys: &BTreeSet<DeviceKey>,
) -> Result<HashMap<DeviceKey, usize>, ServiceError> {
    presence::settle(services);
    let mut counts: HashMap<DeviceKey, usize> = HashMap::new();
    let (unwritten, _) = services.presence.unwritten_of(account, &keys.iter().cloned().collect());
    for finished in unwritten {
        if let Subject::Device(key) = finished.subject {
            *counts.entry(key).or_default() += 1;
        }
    }
    let trusts = services.trusts(account);
    services.store.read(|tx| {
        for key in keys {
            let (began, trust) = (store::runs::began(tx, account, &Subject::Device(key.clone()))?, trusts.of(key));
            let stored = began.into_iter().filter(|at| !trust.is_of_former_device(*at)).count();
            if stored > 0 {
                *counts.entry(key.clone()).or_default() += stored;
            }
        }
        Ok::<_, ServiceError>(())
    })?;
    counts.values_mut().for_each(|count| *count = (*count).min(RUNS_PER_DEVICE));
    Ok(counts)
}

/// The runs of everybody who was not let in, newest first: unknown and refused phones, and addresses that named no device.
///
/// # Errors
/// [`ServiceError::Store`].
pub fn refused(services: &Services, account: AccountId) -> Result<Vec<ListedRun>, ServiceError> {
    presence::settle(services);
    let unwritten = services.presence.unwritten_refused(account);
    let stored = services.store.read(|tx| store::runs::refused(tx, account))?;
    let mut listed: Vec<_> = unwritten
        .into_iter()
        .map(|(subject, run, stage)| ListedRun { subject, run, stage })
        .chain(stored.into_iter().map(|(subject, run)| ListedRun { subject, run, stage: Stage::Ended }))
        .collect();
    sort(&mut listed);
    Ok(listed)
}

/// Newest first; a run that was written while it was listed counts once.
fn sort(listed: &mut Vec<ListedRun>) {
    listed.sort_by(|a, b| b.run.started_at.cmp(&a.run.started_at).then_with(|| a.subject.cmp(&b.subject)));
    let place = |one: &ListedRun| (one.run.started_at, one.run.address);
    listed.dedup_by(|a, b| place(a) == place(b) && a.subject == b.subject);
}

/// Writes an ended run and makes room.
pub(super) fn keep(change: &Change<'_>, account: AccountId, finished: &Finished) -> Result<(), ServiceError> {
    let Finished { subject, run, .. } = finished;
    store::runs::put(change.tx(), account, subject, run, cap_of(subject), change.now())?;
    Ok(())
}

/// Removes the runs of those among the refused who were heard longest ago, above [`REFUSED_SUBJECTS`].
pub(super) fn make_room(change: &Change<'_>, account: AccountId) -> Result<(), ServiceError> {
    let mut last: BTreeMap<Subject, Timestamp> = BTreeMap::new();
    for (subject, started_at) in store::runs::refused_keys(change.tx(), account)? {
        // A clock that was ahead must not keep whom it wrote for ever.
        let started_at = if started_at > change.now() { Timestamp::MIN } else { started_at };
        let newest = last.entry(subject).or_insert(started_at);
        *newest = started_at.max(*newest);
    }
    let excess = last.len().saturating_sub(REFUSED_SUBJECTS);
    let mut by_age: Vec<_> = last.into_iter().map(|(subject, at)| (at, subject)).collect();
    by_age.sort();
    for (_, subject) in by_age.into_iter().take(excess) {
        store::runs::delete_all(change.tx(), account, &subject)?;
    }
    Ok(())
}

fn cap_of(subject: &Subject) -> usize {
    match subject {
        Subject::Device(_) => RUNS_PER_DEVICE,
        Subject::Stranger(_) | Subject::Address(_) => RUNS_PER_REFUSED_SUBJECT,
    }
}
