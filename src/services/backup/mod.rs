//! Backups: one file that holds all of a state as it was at one moment, and everything that opens it (contract 2, P17).
//!
//! Members of the archive: the manifest, the database as rows of one snapshot, the key file, certificates with their keys, and what
//! devices stored. Uploaded logs and sessions are left out. [`archive`] has the form, [`sealed`] the encryption, [`restore`] the way
//! back. A backup is made while the server runs; nothing waits for it.

mod archive;
mod beside;
mod draft;
mod error;
mod folder;
pub mod in_place;
pub mod kept;
mod manifest;
pub mod restore;
mod rows;
mod sealed;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write};
use std::path::Path;

use super::Services;
use super::certificates;
use super::commit::commit;
use super::error::ServiceError;
use super::named_blobs::{self, NamedBlob};
use super::presence;
use super::state_dir::StateDir;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::account::Secret;
use crate::domain::activity::{Event, SERVER};
use crate::store::{self, Snapshot};
use archive::{Reading, Source, Writing};
use beside::{Beside, Essentials};
use draft::Draft;
use manifest::Kind;
use rows::{RowReader, RowWriter};
use sealed::{Cost, Opened, Sealing};

pub use error::BackupError;
pub use manifest::{FORMAT, Manifest, Member};

/// How often certificates are read again because they changed meanwhile.
const ATTEMPTS: usize = 5;
/// What no backup holds.
const LEFT_OUT: [&str; 2] = ["uploaded logs, core dumps and captures", "sessions of people who are signed in"];

/// Writes a backup, from its first byte to its last. Slow: it reads all of the state.
///
/// # Errors
/// Key file or certificates are not those that the server works with; the state could not be read, or `out` not be written. Then what
/// was written so far is nothing.
pub fn write(services: &Services, passphrase: Option<&Secret>, out: &mut dyn Write) -> Result<Manifest, BackupError> {
    match passphrase {
        None => pack(services, out),
        Some(passphrase) => {
            let mut sealing = Sealing::begin(out, passphrase, Cost::USUAL).map_err(BackupError::writing)?;
            let manifest = pack(services, &mut sealing)?;
            sealing.finish().and_then(|out| out.flush()).map_err(BackupError::writing)?;
            Ok(manifest)
        }
    }
}

/// The same for somebody who takes it away to a file of that name. The activity log tells it, also the one in the backup: whoever has it
/// has everything.
///
/// # Errors
/// As [`write`]; the actor may not.
pub fn hand_out(
    services: &Services,
    actor: &Actor,
    file: &str,
    passphrase: Option<&Secret>,
    out: &mut dyn Write,
) -> Result<Manifest, BackupError> {
    let grant = authorize(actor, Action::EditServer).map_err(ServiceError::from)?;
    let encrypted = if passphrase.is_some() { "yes" } else { "no" };
    let event = Event::new("backup", file, "written").change("encrypted", None, Some(encrypted.to_owned()));
    commit(services, grant, SERVER, |change| change.record(event))?;
    write(services, passphrase, out)
}

/// Fills a new file with a backup that `write` makes, checks what is on the disk, and only then gives it its name. It is readable by
/// its owner only. A file of that name is replaced if it is a backup.
///
/// # Errors
/// Nothing is left where it goes wrong, and what was there stays.
pub fn to_file(
    path: &Path,
    passphrase: Option<&Secret>,
    write: impl FnOnce(&mut dyn Write) -> Result<(), BackupError>,
) -> Result<Manifest, BackupError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !may_be_replaced(path).map_err(BackupError::file("read", path))? {
        let cause = io::Error::new(io::ErrorKind::AlreadyExists, "it exists and is no backup of pdms; choose another name");
        return Err(BackupError::file("write", path)(cause));
    }
    let mut draft = Draft::begin(folder).map_err(BackupError::file("make a file in", folder))?;
    {
        let mut out = io::BufWriter::new(draft.file());
        write(&mut out).map_err(|error| error.written_to(path))?;
        out.flush().map_err(BackupError::file("write", path))?;
    }
    draft.file().sync_all().map_err(BackupError::file("write", path))?;
    let manifest = verify(draft.file(), passphrase)?;
    draft.keep(path).map_err(BackupError::file("rename to", path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::file("write", folder))?;
    Ok(manifest)
}

/// Whether there is nothing at this path, an empty file or a backup: what a new one may take the place of.
fn may_be_replaced(path: &Path) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(file.metadata()?.len() == 0 || is_one(&mut file)?)
}

/// Whether a file is a backup, whole or not.
fn is_one(file: &mut File) -> io::Result<bool> {
    Ok(is_sealed(file)? || archive::is_ours(file)?)
}

/// Whether a backup is encrypted.
///
/// # Errors
/// It cannot be read.
pub fn is_sealed(file: &mut File) -> io::Result<bool> {
    let mut beginning = Vec::new();
    file.rewind()?;
    file.take(64).read_to_end(&mut beginning)?;
    file.rewind()?;
    Ok(sealed::is_sealed(&beginning))
}

/// Reads a backup to its last byte and checks all of it, also that its key opens its secrets and its CA can sign; nothing is written
/// anywhere.
///
/// # Errors
/// What is wrong with it.
pub fn verify(file: &mut File, passphrase: Option<&Secret>) -> Result<Manifest, BackupError> {
    verify_source(source(file, passphrase)?)
}

fn verify_source(from: Box<dyn Source + '_>) -> Result<Manifest, BackupError> {
    let mut reading = Reading::open(from)?;
    let mut essentials = Essentials::default();
    reading.each(|kind, content| match kind {
        Kind::Rows => {
            let mut rows = RowReader::begin(io::BufReader::new(content)).map_err(BackupError::reading)?;
            while let Some(row) = rows.next_row().map_err(BackupError::reading)? {
                essentials.row(&row)?;
            }
            Ok(())
        }
        Kind::Key | Kind::Certificate(_) => essentials.file(&kind, content).map(drop),
        Kind::Blob(_) | Kind::Manifest => Ok(()),
    })?;
    essentials.check(reading.manifest(), &StateDir::at(""))?;
    Ok(reading.manifest().clone())
}

/// The archive in a file, whether it is sealed or not.
fn source<'a>(file: &'a mut File, passphrase: Option<&Secret>) -> Result<Box<dyn Source + 'a>, BackupError> {
    match (is_sealed(file).map_err(BackupError::reading)?, passphrase) {
        (true, None) => Err(BackupError::NeedsPassphrase),
        (true, Some(passphrase)) => Ok(Box::new(Opened::open(file, passphrase)?)),
        (false, _) => Ok(Box::new(file)),
    }
}

/// Writes the archive: the snapshot is taken between two equal readings of the files beside the database, so that all of it is of one
/// moment; what its rows name is held until it is copied.
fn pack(services: &Services, out: &mut dyn Write) -> Result<Manifest, BackupError> {
    presence::flush(services)?;
    let _hold = services.blobs.hold();
    for _ in 0..ATTEMPTS {
        let before = Beside::read(services)?;
        let packed = services.store.snapshot(|moment| {
            let beside = Beside::read(services)?;
            if beside == before { pack_moment(services, moment, &beside, &mut *out).map(Some) } else { Ok(None) }
        })?;
        if let Some(manifest) = packed {
            return Ok(manifest);
        }
    }
    Err(BackupError::Unsteady)
}

fn pack_moment(
    services: &Services,
    moment: &Snapshot<'_>,
    beside: &Beside,
    out: &mut dyn Write,
) -> Result<Manifest, BackupError> {
    let server = store::server::get(moment.tx())?;
    beside.check_ours(services, &server.given)?;
    let mut writing = Writing::begin(out)?;
    // A CA that nothing names any more is none of the state.
    let is_in_use = |name: &str| match Kind::of(name) {
        Some(Kind::Certificate(file)) => certificates::is_in_use(file, &server.given),
        _ => true,
    };
    for (name, content) in beside.members().filter(|(name, _)| is_in_use(name)) {
        writing.member(&name, true, |out| out.write_all(content).map_err(BackupError::writing))?;
    }
    let mut counts = std::collections::BTreeMap::new();
    writing.member(manifest::ROWS, true, |out| {
        let mut rows = RowWriter::begin(out).map_err(BackupError::writing)?;
        moment.rows::<BackupError>(|table, key, value| {
            *counts.entry(table.to_owned()).or_default() += 1;
            rows.row(table, key, value).map_err(BackupError::writing)
        })?;
        rows.finish().map_err(BackupError::writing)
    })?;
    let mut lost_files = Vec::new();
    let mut written = HashSet::new();
    for NamedBlob { blob, what, .. } in named_blobs::all(moment.tx())? {
        if !written.insert(blob.clone()) {
            continue;
        }
        match services.blobs.open_blob(&blob) {
            Ok(mut content) => writing.member(&manifest::blob(&blob), false, |out| {
                io::copy(&mut content, out).map(drop).map_err(BackupError::writing)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => lost_files.push(what),
            Err(error) => return Err(BackupError::file("read", services.state_dir.blobs())(error)),
        }
    }
    writing.finish(Manifest {
        format: FORMAT,
        product: manifest::PRODUCT.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: moment.schema()?,
        made_at: services.clock.now(),
        public_name: server.public_name,
        addresses: server.addresses,
        own_certificate: services.own_certificate.is_some(),
        rows: counts,
        left_out: LEFT_OUT.map(str::to_owned).to_vec(),
        lost_files,
        members: Vec::new(),
    })
}

impl From<BackupError> for ServiceError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Service(error) => error,
            BackupError::File { action, path, source } => Self::File { action, path, source },
            BackupError::Stream { action, source } => {
                Self::File { action: if action == "read" { "read" } else { "write" }, path: "the backup".into(), source }
            }
            told => Self::Conflict(told.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod unfit_tests;
