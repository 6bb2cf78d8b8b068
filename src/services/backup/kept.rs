//! Backups that the server keeps: made when somebody asks or the plan says, counted, verified, handed out and removed.
//!
//! The folder is the index: a kept backup's name is its time. Files of other names in it are somebody else's and are never touched.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::draft::Draft;
use super::{BackupError, Manifest, is_sealed, to_file, verify, write};
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::activity::{Event, SERVER};
use crate::domain::backup_plan::{BackupPlan, PlanInput};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::commit::{Mode, commit, perform};
use crate::services::error::{ServiceError, chain};
use crate::services::state_dir::make_private;
use crate::store;

/// The time in a name.
const STAMP: &str = "pdms-%Y%m%dT%H%M%SZ.backup";
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

/// A backup in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub at: Timestamp,
    /// Bytes.
    pub size_bytes: u64,
    /// Whether it needs a passphrase.
    pub encrypted: bool,
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
    if let Err(error) = Draft::begin(&folder(services, &new)?) {
        return Err(
            FieldErrors::one("folder", format!("nothing can be written there ({error}); give it to the server's user")).into()
        );
    }
    perform(services, mode, grant, SERVER, |change| {
        let mut settings = store::server::get(change.tx())?;
        if settings.backups.revision != revision {
            return Err(ServiceError::stale("plan of backups", ""));
        }
        if new == old {
            change.leave_as_is();
            return Ok(old);
        }
        new.revision = revision + 1;
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
    list_in(&folder(services, &plan(services)?)?)
}

/// Makes one now, by the plan's passphrase, and removes those that are too many. A trial answers all of it but the size.
///
/// # Errors
/// The actor may not; another one is being made; it cannot be written.
pub fn make(services: &Services, actor: &Actor, mode: Mode) -> Result<Kept, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    if mode == Mode::TryOut {
        let (at, encrypted) = (services.clock.now(), plan(services)?.passphrase.is_some());
        return Ok(Kept { name: at.strftime(STAMP).to_string(), at, size_bytes: 0, encrypted });
    }
    make_now(services, grant)
}

/// Checks every byte of a kept backup.
///
/// # Errors
/// There is none of this name; what is wrong with it.
pub fn verify_kept(services: &Services, actor: &Actor, name: &str) -> Result<Manifest, ServiceError> {
    authorize(actor, Action::EditServer)?;
    let plan = plan(services)?;
    let mut file = open_in(&folder(services, &plan)?, name)?;
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
    let folder = folder(services, &plan(services)?)?;
    let file = open_in(&folder, name)?;
    let size = file.metadata().map_err(ServiceError::file("read", folder.join(name)))?.len();
    commit(services, grant, SERVER, |change| change.record(Event::new("backup", name, "downloaded")))?;
    Ok((file, size))
}

/// Removes a kept backup and answers which.
///
/// # Errors
/// There is none of this name; the actor may not.
pub fn remove(services: &Services, actor: &Actor, name: &str, mode: Mode) -> Result<Kept, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    let folder = folder(services, &plan(services)?)?;
    let kept = list_in(&folder)?.into_iter().find(|one| one.name == name);
    let kept = kept.ok_or_else(|| ServiceError::not_found("backup", name))?;
    if mode == Mode::Keep {
        fs::remove_file(folder.join(name)).map_err(ServiceError::file("remove", folder.join(name)))?;
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
    if newest(services, &plan)?.is_some_and(|newest| newest >= due) {
        return Ok(());
    }
    {
        let mut tried_at = services.backups.tried_at.lock();
        if tried_at.is_some_and(|at| at >= due && now.duration_since(at) < AGAIN_AFTER) {
            return Ok(());
        }
        *tried_at = Some(now);
    }
    make_now(services, Grant::system("backup plan")).map(drop)
}

/// What is to be told of a planned backup that was not made; none where all is well.
///
/// # Errors
/// The plan cannot be read.
pub fn late(services: &Services) -> Result<Option<String>, ServiceError> {
    let now = services.clock.now();
    let plan = plan(services)?;
    let zone = zone(services);
    let Some(due) = plan.due(now, &zone) else { return Ok(None) };
    // A page must be shown, and the plan be changed, while its folder is not there.
    let newest = match newest(services, &plan) {
        Ok(newest) => newest,
        Err(error) => return Ok(Some(format!("The folder of the planned backups cannot be used: {}.", chain(&error)))),
    };
    if newest.is_some_and(|newest| newest >= due) || now.duration_since(due) < LATE_AFTER {
        return Ok(None);
    }
    let last = match newest {
        Some(at) => format!("the newest one is of {}", at.to_zoned(zone).strftime("%Y-%m-%d %H:%M")),
        None => "there is none".to_owned(),
    };
    Ok(Some(format!("The planned backup was not made: {last}. The server's log says why; it is tried every quarter of an hour.")))
}

/// When the newest kept backup was made.
///
/// # Errors
/// The plan or the folder cannot be read.
pub fn last_made(services: &Services) -> Result<Option<Timestamp>, ServiceError> {
    newest(services, &plan(services)?)
}

fn newest(services: &Services, plan: &BackupPlan) -> Result<Option<Timestamp>, ServiceError> {
    Ok(list_in(&folder(services, plan)?)?.first().map(|kept| kept.at))
}

fn make_now(services: &Services, grant: Grant) -> Result<Kept, ServiceError> {
    let busy = || ServiceError::Conflict("another backup is being made right now; wait for it".to_owned());
    let _one_at_a_time = services.backups.making.try_lock().ok_or_else(busy)?;
    let plan = plan(services)?;
    let folder = folder(services, &plan)?;
    let name = services.clock.now().strftime(STAMP).to_string();
    let passphrase = plan.passphrase.as_ref();
    to_file(&folder.join(&name), passphrase, |out| write(services, passphrase, out).map(drop))?;
    let kept = list_in(&folder)?;
    let excess: Vec<_> = kept.iter().skip(usize::from(plan.keep)).map(|one| one.name.clone()).collect();
    for old in &excess {
        fs::remove_file(folder.join(old)).map_err(ServiceError::file("remove", folder.join(old)))?;
    }
    commit(services, grant, SERVER, |change| {
        change.record(Event::new("backup", &name, "made"))?;
        excess.iter().try_for_each(|old| change.record(Event::new("backup", old, "deleted")))
    })?;
    kept.into_iter().find(|one| one.name == name).ok_or_else(|| ServiceError::not_found("backup", name))
}

/// The folder of the plan; ours is made where it is missing.
fn folder(services: &Services, plan: &BackupPlan) -> Result<PathBuf, ServiceError> {
    match &plan.folder {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => {
            let ours = services.state_dir.backups();
            make_private(&ours)?;
            Ok(ours)
        }
    }
}

fn zone(services: &Services) -> TimeZone {
    let world = services.worlds.get(DEFAULT_ACCOUNT);
    world.and_then(|world| TimeZone::get(&world.account.time_zone).ok()).unwrap_or(TimeZone::UTC)
}

fn made_at(name: &str) -> Option<Timestamp> {
    let at = jiff::civil::DateTime::strptime(STAMP, name).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    // Only what we would write ourselves is ours.
    (at.strftime(STAMP).to_string() == name).then_some(at)
}

fn list_in(folder: &Path) -> Result<Vec<Kept>, ServiceError> {
    let read = || -> io::Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Some(at) = made_at(&name).filter(|_| entry.file_type().is_ok_and(|kind| kind.is_file())) else { continue };
            let encrypted = File::open(entry.path()).and_then(|mut file| is_sealed(&mut file)).unwrap_or_default();
            kept.push(Kept { name, at, size_bytes: entry.metadata()?.len(), encrypted });
        }
        Ok(kept)
    };
    let mut kept = read().map_err(ServiceError::file("read", folder))?;
    kept.sort_by_key(|one| std::cmp::Reverse(one.at));
    Ok(kept)
}

fn open_in(folder: &Path, name: &str) -> Result<File, ServiceError> {
    let not_found = || ServiceError::not_found("backup", name);
    made_at(name).ok_or_else(not_found)?;
    File::open(folder.join(name)).map_err(|_| not_found())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::Secret;
    use crate::services::testing::{Bench, bench, newest_activity, owner};

    fn input(every: &str, keep: u16) -> PlanInput {
        PlanInput { every: every.to_owned(), hour: "2".to_owned(), keep: keep.to_string(), ..PlanInput::default() }
    }

    fn planned(bench: &Bench, input: &PlanInput) -> BackupPlan {
        let revision = plan(&bench.services).expect("a plan").revision;
        set_plan(&bench.services, &owner(), revision, input, Mode::Keep).expect("planned")
    }

    fn times(bench: &Bench) -> Vec<String> {
        list(&bench.services).expect("listed").into_iter().map(|kept| kept.at.to_string()).collect()
    }

    fn tick_at(bench: &Bench, at: &str) {
        bench.clock.advance_to(at.parse().expect("a time"));
        tick(&bench.services).expect("ticked");
    }

    #[test]
    fn planned_backups_are_made_at_their_hour_and_only_so_many_kept() {
        let bench = bench();
        tick(&bench.services).expect("nothing is planned");
        assert!(times(&bench).is_empty());
        planned(&bench, &input("day", 2));
        tick_at(&bench, "2026-11-22T12:01:00Z");
        assert_eq!(times(&bench), ["2026-11-22T12:01:00Z"], "the time of this night was missed");
        fs::write(bench.services.state_dir.backups().join("mine.backup"), "mine").expect("written");
        for at in ["2026-11-23T00:59:00Z", "2026-11-23T01:00:00Z", "2026-11-23T01:01:00Z", "2026-11-24T01:00:30Z"] {
            tick_at(&bench, at);
        }
        assert_eq!(times(&bench), ["2026-11-24T01:00:30Z", "2026-11-23T01:00:00Z"]);
        assert!(bench.services.state_dir.backups().join("mine.backup").exists(), "what is not ours stays");
        let log = newest_activity(&bench.services);
        assert!(log.starts_with("pdms (backup plan): backup pdms-20261122T120100Z.backup deleted"), "{log}");
        bench.clock.advance_to("2026-11-26T12:00:00Z".parse().expect("a time"));
        let bench = bench.restarted();
        assert!(late(&bench.services).expect("known").is_some_and(|told| told.contains("2026-11-24 02:00")));
        tick(&bench.services).expect("made at the start");
        assert_eq!(late(&bench.services).expect("known"), None);
        assert_eq!(times(&bench)[0], "2026-11-26T12:00:00Z");
    }

    #[test]
    fn what_is_kept_verifies_is_handed_out_and_removed_and_all_of_it_is_told() {
        let bench = bench();
        let passphrase = Secret::new("CANARY_PASSPHRASE_1");
        planned(&bench, &PlanInput { encrypt: true, passphrase, ..input("never", 5) });
        let stored = bench.services.store.read(store::server::get).expect("settings");
        assert!(!format!("{:?}", serde_json::to_string(&stored)).contains("CANARY"), "sealed at rest");
        assert!(newest_activity(&bench.services).contains("passphrase - -> ••••••••"));
        let kept = make(&bench.services, &owner(), Mode::Keep).expect("made");
        assert!(kept.encrypted);
        verify_kept(&bench.services, &owner(), &kept.name).expect("whole");
        let (_, size) = hand_out(&bench.services, &owner(), &kept.name).expect("a file");
        assert_eq!(size, kept.size_bytes);
        assert!(newest_activity(&bench.services).contains(".backup downloaded"));
        for name in ["../secret.key", "pdms-20261122T120001Z.backup", "pdms-20261122T120000Z.backup/..", ""] {
            assert!(matches!(hand_out(&bench.services, &owner(), name), Err(ServiceError::NotFound { .. })), "{name}");
        }
        let path = bench.services.state_dir.backups().join(&kept.name);
        let mut damaged = fs::read(&path).expect("a backup");
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        fs::write(&path, damaged).expect("written");
        assert!(verify_kept(&bench.services, &owner(), &kept.name).is_err());
        remove(&bench.services, &owner(), &kept.name, Mode::Keep).expect("removed");
        assert!(times(&bench).is_empty() && newest_activity(&bench.services).contains(".backup deleted"));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told_and_two_admins_do_not_overwrite_one_another() {
        let bench = bench();
        let nowhere = PlanInput { folder: "/nowhere/at/all".to_owned(), ..input("day", 1) };
        let refused = set_plan(&bench.services, &owner(), 0, &nowhere, Mode::Keep);
        assert!(matches!(refused, Err(ServiceError::Invalid(_))), "{refused:?}");
        let elsewhere = tempfile::tempdir().expect("a folder");
        let there = PlanInput { folder: elsewhere.path().display().to_string(), ..input("never", 1) };
        planned(&bench, &there);
        make(&bench.services, &owner(), Mode::Keep).expect("made");
        assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 1);
        assert!(matches!(set_plan(&bench.services, &owner(), 0, &there, Mode::Keep), Err(ServiceError::Conflict(_))));
        let daily = PlanInput { every: "day".to_owned(), ..there.clone() };
        planned(&bench, &daily);
        drop(elsewhere);
        assert!(late(&bench.services).expect("told").is_some_and(|told| told.contains("cannot be used")));
        assert!(tick(&bench.services).is_err() && list(&bench.services).is_err());
    }
}
