//! The files beside the database that a state cannot be without: the key file, certificates and their keys. They are small.
//!
//! They are judged in memory, where a backup is made and where one is read: a backup whose key opens nothing, or whose CA can sign
//! nothing, is none.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::manifest::{self, Kind};
use super::{BackupError, Manifest, folder, is_one};
use crate::domain::account::Account;
use crate::domain::ids::AccountId;
use crate::domain::server::GivenCertificates;
use crate::services::Services;
use crate::services::certificates::{Certificates, Contents, Folder};
use crate::services::error::chain;
use crate::services::secrets::{SecretError, Secrets};
use crate::services::state_dir::StateDir;
use crate::store::Row;

/// Bytes of all files together: a thousand times what there is.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What lies beside a database.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Beside {
    key: Zeroizing<Vec<u8>>,
    certificates: Contents,
}

impl Beside {
    /// Reads what lies in the state now.
    pub(super) fn read(services: &Services) -> Result<Self, BackupError> {
        let key = services.state_dir.key_file();
        let content = fs::read(&key).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BackupError::Unfit(chain(&SecretError::Missing(key.clone()))),
            _ => BackupError::file("read", &key)(error),
        })?;
        let mut beside = Self { key: content.into(), certificates: Contents::new() };
        let folder = services.state_dir.certificates();
        for entry in fs::read_dir(&folder).map_err(BackupError::file("read", &folder))? {
            let entry = entry.map_err(BackupError::file("read", &folder))?;
            let name = entry.file_name().into_string().ok().filter(|name| manifest::is_certificate(name));
            let Some(name) = name.filter(|_| entry.file_type().is_ok_and(|kind| kind.is_file())) else { continue };
            if is_backup(&entry.path()) {
                continue;
            }
            match fs::read(entry.path()) {
                Ok(content) if content.len() as u64 > Kind::Certificate(&name).most_bytes() => {
                    return Err(BackupError::Unfit(format!(
                        "{} is larger than any certificate or key; move it elsewhere",
                        entry.path().display()
                    )));
                }
                Ok(content) => drop(beside.certificates.insert(name, content.into())),
                // It went meanwhile: the second reading tells.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(BackupError::file("read", entry.path())(error)),
            }
        }
        Ok(beside)
    }

    /// All of it as members of a backup.
    pub(super) fn members(&self) -> impl Iterator<Item = (String, &[u8])> {
        let key = (manifest::KEY.to_owned(), self.key.as_slice());
        std::iter::once(key).chain(self.certificates.iter().map(|(name, content)| (manifest::certificate(name), &***content)))
    }

    /// Whether these are the files that the server works with: it read them long ago, and they may have been changed since.
    ///
    /// # Errors
    /// [`BackupError::Unfit`].
    pub(super) fn check_ours(&self, services: &Services, given: &GivenCertificates) -> Result<(), BackupError> {
        let path = services.state_dir.key_file();
        let found = self.secrets(&path).map_err(|error| BackupError::Unfit(chain(&error)))?;
        if !found.has_key_of(&services.secrets) {
            return Err(BackupError::Unfit(format!(
                "{} is another key file than the one that the server works with; put that one back from a copy",
                path.display()
            )));
        }
        // With a certificate that the settings name, the server asks for no CA.
        if services.own_certificate.is_some() {
            return Ok(());
        }
        let fits = self.check_certificates(&services.state_dir, given, services.clock.now());
        fits.map_err(BackupError::Unfit)
    }

    /// Whether a server could start with these certificates; `state` is where sentences say that they lie.
    fn check_certificates(&self, state: &StateDir, given: &GivenCertificates, now: Timestamp) -> Result<(), String> {
        let folder = state.certificates();
        let checked = Certificates::check(Folder::held(&folder, &self.certificates), None, given, now);
        checked.map_err(|error| chain(&error))
    }

    fn secrets(&self, path: &Path) -> Result<Secrets, SecretError> {
        let text = std::str::from_utf8(&self.key).map_err(|_| SecretError::NoKey(path.to_owned()))?;
        Secrets::of_key_file(path, text)
    }
}

/// The backups that lie among the certificates: a plan once put them there, or somebody did.
pub(super) fn backups_among_certificates(state: &StateDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(state.certificates()).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())).map(|entry| entry.path());
    let mut backups: Vec<_> = files.filter(|path| is_backup(path)).collect();
    backups.sort_unstable();
    backups
}

/// Whether a file is a backup, also a damaged one that has its name. What cannot be read is told by whoever needs it.
fn is_backup(path: &Path) -> bool {
    let is_named = path.file_name().and_then(|name| name.to_str()).is_some_and(folder::is_name);
    is_named || File::open(path).is_ok_and(|mut file| is_one(&mut file).unwrap_or_default())
}

/// What has to go together in a backup that is read.
#[derive(Default)]
pub(super) struct Essentials {
    beside: Beside,
    /// The first one. Its password is always sealed, and with the same key as everything else.
    account: Option<(AccountId, Account)>,
    given: GivenCertificates,
}

impl Essentials {
    /// Reads the key file or a certificate, and answers it.
    pub(super) fn file(&mut self, kind: &Kind<'_>, content: &mut dyn Read) -> Result<&[u8], BackupError> {
        let mut bytes = Zeroizing::default();
        content.read_to_end(&mut bytes).map_err(BackupError::reading)?;
        let held: usize = self.beside.certificates.values().map(|one| one.len()).sum();
        if held + bytes.len() > MOST_BYTES {
            return Err(BackupError::Refused("its certificates are more than any of ours".to_owned()));
        }
        let place = match kind {
            Kind::Certificate(name) => self.beside.certificates.entry((*name).to_owned()).or_default(),
            _ => &mut self.beside.key,
        };
        *place = bytes;
        Ok(place)
    }

    /// Looks at a row.
    pub(super) fn row(&mut self, row: &Row) -> Result<(), BackupError> {
        if self.account.is_none() {
            self.account = row.account()?;
        }
        if let Some(settings) = row.server()? {
            self.given = settings.given;
        }
        Ok(())
    }

    /// Whether a server could start with all of it. `state` is where sentences say that it lies.
    ///
    /// # Errors
    /// [`BackupError::Unusable`].
    pub(super) fn check(self, manifest: &Manifest, state: &StateDir) -> Result<(), BackupError> {
        let opened = self.beside.secrets(&state.key_file()).and_then(|secrets| match self.account {
            Some((id, account)) => secrets.open_account(id, account).map(drop),
            None => Ok(()),
        });
        opened.map_err(|error| BackupError::Unusable(chain(&error)))?;
        if manifest.own_certificate {
            return Ok(());
        }
        self.beside.check_certificates(state, &self.given, manifest.made_at).map_err(BackupError::Unusable)
    }
}
