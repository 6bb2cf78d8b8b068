//! Backups that the server keeps: made when somebody asks or the plan says, counted, verified, handed out and removed. Where they
//! lie and how they are named: [`super::folder`].
//!
//! What is kept is removed by the plan alone, and only what the plan made: the oldest above its number, never one that is dated in
//! the future. So no clock that was wrong costs a backup.

use std::fs::File;
use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::draft::Draft;
pub use super::folder::Kept;
use super::folder::{Folder, told};
use super::{BackupError, Manifest, beside, is_sealed, to_file, verify, write};
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::activity::{Event, SERVER};
use crate::domain::backup_plan::{BackupPlan, PlanInput};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::commit::{Mode, commit, perform};
use crate::services::error::{ServiceError, chain};
use crate::store;

/// Where the passphrase is sealed.
pub(in crate::services) const PASSPHRASE: &str = "server, passphrase of backups";
/// How long a planned backup that failed waits for its next try.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// How long after its time a backup is told to be late.
const LATE_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What is going on with backups.
#[derive(Debug, Default)]
pub struct Desk {
    /// Held while one is made: one at a time.
    making: Mutex<()>,
    /// When a planned one was tried last.
    tried_at: Mutex<Option<Timestamp>>,
    /// Held while one is made ready for the next start.
    pub(super) restoring: Mutex<()>,
}

/// The plan, with its passphrase open.
///
/// # Errors
/// It cannot be read.
pub fn plan(services: &Services) -> Result<BackupPlan, ServiceError> {
    let mut plan = services.store.read(store::server::get)?.backups;
    if let Some(sealed) = &plan.passphrase {
        let opened = services.secrets.open_text(PASSPHRASE, sealed.expose())?;
        plan.passphrase = Some(crate::domain::account::Secret::new(opened));
    }
    Ok(plan)
}

/// Changes the plan. `revision` is the one that the change was made from (R14).
///
/// # Errors
/// Fields that break a rule; a folder that cannot be written; somebody else was faster.
pub fn set_plan(
    services: &Services,
    actor: &Actor,
    revision: u64,
    input: &PlanInput,
    mode: Mode,
) -> Result<BackupPlan, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    let old = plan(services)?;
    let mut new = input.parse(&old)?;
    let of_folder = |words: String| FieldErrors::one("folder", words);
    let folder = Folder::to_write(&services.state_dir, &new).map_err(|error| of_folder(chain(&error)))?;
    Draft::begin(folder.path())
        .map_err(|error| of_folder(format!("nothing can be written there ({error}); give it to the server's user")))?;
    perform(services, mode, grant, SERVER, |change| {
        let mut settings = store::server::get(change.tx())?;
        if settings.backups.revision != revision {
            return Err(ServiceError::stale("plan of backups", ""));
        }
        let is_typed = !input.passphrase.expose().is_empty();
        if new == old && !is_typed {
            change.leave_as_is();
            return Ok(old);
        }
        new.revision = revision + 1;
        if !new.is_timed_as(&old) {
            new.set_at = Some(change.now());
        }
        let sealed = new.passphrase.as_ref().map(|open| services.secrets.seal(PASSPHRASE, open.expose()));
        settings.backups = BackupPlan { passphrase: sealed.map(crate::domain::account::Secret::new), ..new.clone() };
        store::server::put(change.tx(), &settings)?;
        let secret = |plan: &BackupPlan| plan.passphrase.as_ref().map(|one| one.expose().to_owned());
        let event = Event::new("server", "backups", "changed")
            .change("every", Some(old.every.word().to_owned()), Some(new.every.word().to_owned()))
            .change("hour", Some(old.hour.to_string()), Some(new.hour.to_string()))
            .change("keep", Some(old.keep.to_string()), Some(new.keep.to_string()))
            .change("folder", old.folder.clone(), new.folder.clone())
            .secret_change("passphrase", secret(&old).as_deref(), secret(&new).as_deref());
        change.record(event)?;
        Ok(new)
    })
}

/// The kept backups, newest first.
///
/// # Errors
/// The folder cannot be read.
pub fn list(services: &Services) -> Result<Vec<Kept>, ServiceError> {
    folder(services)?.list()
}

/// Makes one now, by the plan's passphrase. It stays until somebody deletes it. A trial answers all of it but the size.
///
/// # Errors
/// The actor may not; another one is being made; it cannot be written.
pub fn make(services: &Services, actor: &Actor, mode: Mode) -> Result<Kept, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    if mode == Mode::TryOut {
        let (name, at) = folder(services)?.free_name(services.clock.now(), false);
        return Ok(Kept { name, at, is_planned: false, size_bytes: 0, encrypted: plan(services)?.passphrase.is_some() });
    }
    make_now(services, grant, false)
}

/// Checks every byte of a kept backup.
///
/// # Errors
/// There is none of this name; what is wrong with it.
pub fn verify_kept(services: &Services, actor: &Actor, name: &str) -> Result<Manifest, ServiceError> {
    authorize(actor, Action::EditServer)?;
    let plan = plan(services)?;
    let mut file = Folder::of(&services.state_dir, &plan)?.open(name)?;
    // Backups from before a change of the passphrase, or of whether there is one.
    let passphrase = if is_sealed(&mut file).map_err(BackupError::reading)? { plan.passphrase.as_ref() } else { None };
    Ok(verify(&mut file, passphrase)?)
}

/// Opens a kept backup to hand it out, which the activity log tells: whoever has it has everything. Answers its size too.
///
/// # Errors
/// There is none of this name; the actor may not.
pub fn hand_out(services: &Services, actor: &Actor, name: &str) -> Result<(File, u64), ServiceError> {
    let grant = authorize(actor, Action::TakeBackup)?;
    let folder = folder(services)?;
    let file = folder.open(name)?;
    let size = file.metadata().map_err(ServiceError::file("read", folder.path().join(name))).map_err(told)?.len();
    commit(services, grant, SERVER, |change| change.record(Event::new("backup", name, "downloaded")))?;
    Ok((file, size))
}

/// Removes a kept backup and answers which.
///
/// # Errors
/// There is none of this name; the actor may not.
pub fn remove(services: &Services, actor: &Actor, name: &str, mode: Mode) -> Result<Kept, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    let folder = folder(services)?;
    let kept = folder.list()?.into_iter().find(|one| one.name == name);
    let kept = kept.ok_or_else(|| ServiceError::not_found("backup", name))?;
    if mode == Mode::Keep {
        folder.remove(name)?;
        commit(services, grant, SERVER, |change| change.record(Event::new("backup", name, "deleted")))?;
    }
    Ok(kept)
}

/// Makes a planned backup if its time has come, also one that was missed while the server was down. Called every minute.
///
/// # Errors
/// As [`make`]; it is tried again after a while.
pub fn tick(services: &Services) -> Result<(), ServiceError> {
    let now = services.clock.now();
    let plan = plan(services)?;
    let Some(due) = plan.due(now, &zone(services)) else { return Ok(()) };
    if newest(&list(services)?, now, true).is_some_and(|newest| newest >= due) {
        return Ok(());
    }
    {
        let mut tried_at = services.backups.tried_at.lock();
        // A clock that was put back must not wait for the time of the last try to come again.
        if tried_at.is_some_and(|at| at >= due && now.duration_since(at).abs() < AGAIN_AFTER) {
            return Ok(());
        }
        *tried_at = Some(now);
    }
    make_now(services, Grant::system("backup plan"), true).map(drop)
}

/// What is to be told of backups, and whether it is urgent: [`misplaced`], and a planned one that was not made.
///
/// # Errors
/// The plan cannot be read.
pub fn troubles(services: &Services) -> Result<Vec<(bool, String)>, ServiceError> {
    let mut troubles = misplaced(services)?;
    // Where the folder cannot be used, that is told.
    if let Ok(kept) = list(services) {
        troubles.extend(late(services, &kept)?.map(|text| (true, text)));
    }
    Ok(troubles)
}

/// What is wrong with where backups lie, and whether it is urgent: the folder, their dates, and those among the certificates.
///
/// # Errors
/// The plan cannot be read.
pub fn misplaced(services: &Services) -> Result<Vec<(bool, String)>, ServiceError> {
    let now = services.clock.now();
    let mut told: Vec<_> =
        beside::backups_among_certificates(&services.state_dir).iter().map(|file| (false, stray(file))).collect();
    // A page must be shown, and the plan be changed, while its folder is not there.
    let kept = match list(services) {
        Ok(kept) => kept,
        Err(error) => {
            let text =
                "New ones are not made, and the older ones cannot be seen here. Bring it back, or set another one under Backups";
            told.push((true, format!("The folder of backups cannot be used: {}. {text}.", chain(&error))));
            return Ok(told);
        }
    };
    let ahead: Vec<_> = kept.iter().filter(|one| one.is_ahead(now)).collect();
    if let Some(last) = ahead.first() {
        let count = if ahead.len() == 1 { "1 backup is".to_owned() } else { format!("{} backups are", ahead.len()) };
        told.push((
            false,
            format!(
                "{count} dated in the future, the farthest is {}: the clock of this machine is wrong or was, or somebody put it there. \
                 Such backups are not counted by the plan and not removed by it. Look at the clock; delete those that you do not need.",
                last.name
            ),
        ));
    }
    Ok(told)
}

fn stray(file: &Path) -> String {
    format!(
        "{} is a backup in the folder of certificates. It is left out of every backup: move it elsewhere, or delete it.",
        file.display()
    )
}

fn late(services: &Services, kept: &[Kept]) -> Result<Option<String>, ServiceError> {
    let now = services.clock.now();
    let zone = zone(services);
    let plan = plan(services)?;
    let Some(due) = plan.due(now, &zone) else { return Ok(None) };
    let newest = newest(kept, now, true);
    if newest.is_some_and(|newest| newest >= due) || now.duration_since(plan.owed_since(due, now)) < LATE_AFTER {
        return Ok(None);
    }
    let last = match newest {
        Some(at) => format!("the newest one is of {}", at.to_zoned(zone).strftime("%Y-%m-%d %H:%M")),
        None => "there is none".to_owned(),
    };
    Ok(Some(format!("The planned backup was not made: {last}. The server's log says why; it is tried every quarter of an hour.")))
}

/// When the newest kept backup was made, by the plan or by hand.
///
/// # Errors
/// The plan or the folder cannot be read.
pub fn last_made(services: &Services) -> Result<Option<Timestamp>, ServiceError> {
    Ok(newest(&list(services)?, services.clock.now(), false))
}

/// When the newest of them was made that is not dated in the future.
fn newest(newest_first: &[Kept], now: Timestamp, planned_only: bool) -> Option<Timestamp> {
    newest_first.iter().find(|one| !one.is_ahead(now) && (one.is_planned || !planned_only)).map(|one| one.at)
}

fn make_now(services: &Services, grant: Grant, is_planned: bool) -> Result<Kept, ServiceError> {
    let busy = || ServiceError::Conflict("another backup is being made right now; wait for it".to_owned());
    let _one_at_a_time = services.backups.making.try_lock().ok_or_else(busy)?;
    let plan = plan(services)?;
    let folder = Folder::to_write(&services.state_dir, &plan)?;
    let now = services.clock.now();
    let (name, _) = folder.free_name(now, is_planned);
    let passphrase = plan.passphrase.as_ref();
    let made = to_file(&folder.path().join(&name), passphrase, |out| write(services, passphrase, out).map(drop));
    made.map_err(ServiceError::from).map_err(told)?;
    let kept = folder.list()?;
    let excess: Vec<String> = if is_planned { excess(&kept, &name, now, plan.keep) } else { Vec::new() };
    excess.iter().try_for_each(|old| folder.remove(old))?;
    commit(services, grant, SERVER, |change| {
        change.record(Event::new("backup", &name, "made"))?;
        excess.iter().try_for_each(|old| change.record(Event::new("backup", old, "deleted")))
    })?;
    kept.into_iter().find(|one| one.name == name).ok_or_else(|| ServiceError::not_found("backup", name))
}

/// What makes room for the planned one that was made just now: the oldest of the plan's own. It stays itself, whatever its name says.
fn excess(newest_first: &[Kept], made: &str, now: Timestamp, keep: u16) -> Vec<String> {
    let may_go = newest_first.iter().filter(|one| one.is_planned && one.name != made && !one.is_ahead(now));
    may_go.skip(usize::from(keep).saturating_sub(1)).map(|one| one.name.clone()).collect()
}

/// The folder of the plan.
fn folder(services: &Services) -> Result<Folder, ServiceError> {
    Folder::of(&services.state_dir, &plan(services)?)
}

fn zone(services: &Services) -> TimeZone {
    let world = services.worlds.get(DEFAULT_ACCOUNT);
    world.and_then(|world| TimeZone::get(&world.account.time_zone).ok()).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
