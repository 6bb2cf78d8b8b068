//! The way back: a backup into a state directory in which nobody was ever set up (P17, OPS-03).
//!
//! Everything is checked while it is unpacked into a folder of its own; the state that comes out is opened with its own key file, as
//! a server would. Only then [`super::in_place`] puts it where it belongs. A backup that is refused leaves no trace.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::manifest::Kind;
use super::rows::RowReader;
use super::{BackupError, Essentials, Manifest, Reading, folder, in_place, source};
use crate::blobs::Blobs;
use crate::domain::account::Secret;
use crate::services::clock::Clock;
use crate::services::error::{ServiceError, chain};
use crate::services::state_dir::{StateDir, entries, make_private};
use crate::services::{Services, certificates, check, setup};
use crate::store::{Store, StoreError};

/// What may lie in a directory that counts as empty: traces of a start or a restore that came to nothing, and of a file system.
const TRACES: [&str; 3] = ["lock", "restoring", "lost+found"];

/// What is to be told of a backup whose server had a certificate that the settings name.
const OWN_CERTIFICATE: &str = "its server used the certificate that its settings name; let the settings of this one name it too";

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the backup said of itself.
    pub manifest: Manifest,
    /// What is to be told of the state, such as files that were lost already when the backup was made.
    pub faults: Vec<String>,
}

/// Restores into a directory in which nothing is, or a server that was started and never set up. No server may run there.
///
/// # Errors
/// What is wrong with the directory or the backup; then the directory is as it was.
pub fn into_empty(file: &mut File, passphrase: Option<&Secret>, dir: &Path, clock: Clock) -> Result<Restored, BackupError> {
    check_empty(dir, &clock)?;
    let state = StateDir::at(dir);
    let (lock, is_new) = (dir.join(TRACES[0]), !dir.exists());
    let had_lock = lock.exists();
    make_private(dir)?;
    let restored = Store::alone(dir, || {
        let restored = make_ready(file, passphrase, &state, clock)?;
        in_place::decide(&state)?;
        in_place::finish_alone(&state)?;
        Ok(restored)
    })?;
    if restored.is_err() {
        // Only what we made: where something else came into it meanwhile, it stays.
        let unlocked = if had_lock { Ok(()) } else { fs::remove_file(lock) };
        let _ = unlocked.and_then(|()| if is_new { fs::remove_dir(dir) } else { Ok(()) });
    }
    restored
}

/// Makes a backup ready in the directory of a running server that nobody has set up; its next start puts it in place.
///
/// # Errors
/// As [`into_empty`]; the server was set up meanwhile.
pub fn for_next_start(services: &Services, file: &mut File, passphrase: Option<&Secret>) -> Result<Restored, BackupError> {
    let state = &services.state_dir;
    let set_up = || BackupError::NotEmpty { dir: state.root().to_owned(), why: "this server was set up".to_owned() };
    let _one_at_a_time = services.backups.restoring.try_lock().ok_or_else(|| {
        BackupError::Service(ServiceError::Conflict("another backup is being restored right now; wait for it".to_owned()))
    })?;
    if setup::is_set_up(services) {
        return Err(set_up());
    }
    check_certificates(state)?;
    let restored = make_ready(file, passphrase, state, services.clock.clone())?;
    // With the writer's lock, nobody sets up between the question and its answer.
    let _writer = services.writer.lock();
    if setup::is_set_up(services) {
        in_place::discard(&state.restoring())?;
        return Err(set_up());
    }
    check_certificates(state)
        .or_else(|error| in_place::discard(&state.restoring()).map_err(BackupError::from).and(Err(error)))?;
    in_place::decide(state)?;
    Ok(restored)
}

/// A file without a name on the disk of the state, for a backup that is being uploaded.
///
/// # Errors
/// It cannot be made.
pub fn spool(services: &Services) -> io::Result<File> {
    tempfile::tempfile_in(services.state_dir.root())
}

/// Bytes that are free on that disk.
///
/// # Errors
/// It cannot be looked at.
pub fn free_bytes(services: &Services) -> io::Result<u64> {
    services.blobs.free_bytes()
}

/// Whether a restore waits for the next start of this server.
pub fn is_waiting(services: &Services) -> bool {
    in_place::refuse_unfinished(&services.state_dir).is_err()
}

fn check_empty(dir: &Path, clock: &Clock) -> Result<(), BackupError> {
    let not_empty = |why: String| Err(BackupError::NotEmpty { dir: dir.to_owned(), why });
    let state = StateDir::at(dir);
    // First of all: a restore that was decided and killed has not moved its database yet, maybe nothing at all.
    in_place::refuse_unfinished(&state)?;
    let names = entries(dir)?;
    if Store::exists(dir)? || state.has_remains()? || state.key_file().exists() {
        return match Services::inspect(dir, clock.clone()) {
            Ok(services) if !setup::is_set_up(&services) => check_certificates(&state),
            Ok(_) => not_empty("it holds the state of a server that was set up".to_owned()),
            Err(error @ ServiceError::Store(StoreError::InUse { .. })) => Err(error.into()),
            Err(error) => not_empty(chain(&error)),
        };
    }
    match names.iter().find(|name| !TRACES.iter().any(|trace| *name == *trace)) {
        Some(name) => not_empty(format!("it holds {}", Path::new(name).display())),
        None => Ok(()),
    }
}

/// Whether all certificates are of our making: an own one that was put there before the first run would be replaced.
fn check_certificates(state: &StateDir) -> Result<(), BackupError> {
    let folder = state.certificates();
    let mut names = entries(&folder)?;
    names.sort_unstable();
    match names.iter().find(|name| !name.to_str().is_some_and(certificates::is_made_here)) {
        Some(name) => Err(BackupError::InTheWay { file: folder.join(name) }),
        None => Ok(()),
    }
}

/// Unpacks and checks a backup in the folder for that. Nothing stays there if it is refused.
fn make_ready(file: &mut File, passphrase: Option<&Secret>, state: &StateDir, clock: Clock) -> Result<Restored, BackupError> {
    let folder = state.restoring();
    let made = Reading::open(source(file, passphrase)?).and_then(|mut reading| {
        check_room(state, reading.manifest())?;
        in_place::discard(&folder)?;
        unpack(&mut reading, &StateDir::at(&folder))?.check(reading.manifest(), state)?;
        let services = Services::inspect(&folder, clock)?;
        let manifest = reading.manifest().clone();
        let own = manifest.own_certificate.then(|| OWN_CERTIFICATE.to_owned());
        let faults = own.into_iter().chain(check::lost_blobs(&services, &state.blobs())?).collect();
        Ok(Restored { manifest, faults })
    });
    if made.is_err() {
        in_place::discard(&folder)?;
    }
    made
}

/// The database takes more room than its rows do.
fn check_room(state: &StateDir, manifest: &Manifest) -> Result<(), BackupError> {
    let rows = manifest.members.iter().find(|member| member.name == super::manifest::ROWS).map_or(0, |rows| rows.size_bytes);
    let needed = manifest.size_bytes().saturating_add(rows);
    let dir = state.root();
    let disk = rustix::fs::statvfs(dir).map_err(|error| BackupError::file("read", dir)(error.into()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if needed > free { Err(BackupError::NoRoom { dir: dir.to_owned(), needed, free }) } else { Ok(()) }
}

fn unpack(reading: &mut Reading<'_>, into: &StateDir) -> Result<Essentials, BackupError> {
    into.prepare()?;
    let mut essentials = Essentials::default();
    reading.each(|kind, content| match kind {
        Kind::Rows => {
            let mut rows = RowReader::begin(io::BufReader::new(content)).map_err(BackupError::reading)?;
            Store::fill(into.root(), || {
                let row = rows.next_row().map_err(BackupError::reading)?;
                row.iter().try_for_each(|row| essentials.row(row))?;
                Ok::<_, BackupError>(row)
            })
        }
        Kind::Key => write(&into.key_file(), &mut essentials.file(&kind, content)?),
        // A plan once put backups among the certificates, and the next one took them in.
        Kind::Certificate(name) if folder::is_name(name) => {
            io::copy(content, &mut io::sink()).map(drop).map_err(BackupError::reading)
        }
        Kind::Certificate(name) => write(&into.certificates().join(name), &mut essentials.file(&kind, content)?),
        Kind::Blob(name) => {
            let refused = || BackupError::Refused(format!("{name} is no name of a device's file"));
            let path = into.blobs().join(Blobs::place(name).ok_or_else(refused)?);
            path.parent().map_or(Ok(()), make_private)?;
            write(&path, content)
        }
        // The manifest does not list itself.
        Kind::Manifest => Ok(()),
    })?;
    Ok(essentials)
}

/// Writes a new file for our own eyes.
fn write(path: &Path, content: &mut dyn Read) -> Result<(), BackupError> {
    let options = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = options().map_err(BackupError::file("make", path))?;
    let mut chunk = vec![0; 64 * 1024];
    loop {
        // Two errors with two meanings: a backup that cannot be read, and a disk that cannot be written.
        let count = content.read(&mut chunk).map_err(BackupError::reading)?;
        if count == 0 {
            return Ok(());
        }
        io::Write::write_all(&mut file, &chunk[..count]).map_err(BackupError::file("write", path))?;
    }
}
