//! Certificates and keys as files: reading pairs, and writing them so that no half file is ever seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use zeroize::Zeroizing;

use super::CertificateError;
use super::names::ServerNames;

/// How the names of files begin that are being written.
pub(super) const UNFINISHED: &str = ".unfinished-";

/// A certificate chain with its key, ready for handshakes, and what its first certificate says.
pub(super) struct Loaded {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) names: ServerNames,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

/// The contents of files by their plain names.
pub type Contents = BTreeMap<String, Zeroizing<Vec<u8>>>;

/// Where files of certificates are looked at: in their folder, or in what a backup holds of it.
#[derive(Clone, Copy)]
pub struct Folder<'a> {
    /// The folder; where it is held in memory, the one that sentences name.
    path: &'a Path,
    held: Option<&'a Contents>,
}

impl<'a> Folder<'a> {
    /// A folder on the disk.
    pub fn at(path: &'a Path) -> Self {
        Self { path, held: None }
    }

    /// What is in memory, as if it lay in that folder.
    pub fn held(path: &'a Path, contents: &'a Contents) -> Self {
        Self { path, held: Some(contents) }
    }

    pub(super) fn path(self) -> &'a Path {
        self.path
    }

    /// Whether a file is there; one that may not be looked at is an error, not absent.
    pub(super) fn exists(self, path: &Path) -> Result<bool, CertificateError> {
        match self.contents(path) {
            Some((contents, name)) => Ok(contents.contains_key(name)),
            None => path.try_exists().map_err(|source| CertificateError::Read { path: path.to_owned(), source }),
        }
    }

    /// Reads a text file; none where it does not exist.
    pub(super) fn read_text(self, path: &Path) -> Result<Option<String>, CertificateError> {
        match self.read(path) {
            Ok(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => Err(CertificateError::unreadable(path, &"it is no text")),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CertificateError::Read { path: path.to_owned(), source }),
        }
    }

    fn read(self, path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
        match self.contents(path) {
            Some((contents, name)) => contents.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into()),
            None => fs::read(path).map(Zeroizing::new),
        }
    }

    /// What is held of this folder, and a file's name in it; files that the settings name lie elsewhere.
    fn contents<'p>(self, path: &'p Path) -> Option<(&'a Contents, &'p str)> {
        let name = path.file_name()?.to_str()?;
        self.held.filter(|_| path.parent() == Some(self.path)).map(|contents| (contents, name))
    }
}

/// Reads a chain and its key, which may stand in the same file, and checks that they belong together.
pub(super) fn load(folder: Folder<'_>, certificate: &Path, key: &Path) -> Result<Loaded, CertificateError> {
    let read = |path: &Path| folder.read(path).map_err(|source| CertificateError::Read { path: path.to_owned(), source });
    let chain_pem = read(certificate)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain_pem)
        .collect::<Result<_, _>>()
        .map_err(|error| CertificateError::unreadable(certificate, &error))?;
    let first = chain.first().ok_or_else(|| CertificateError::unreadable(certificate, &"it holds no certificate"))?;
    let facts = facts(first).ok_or_else(|| CertificateError::unreadable(certificate, &"its first certificate is damaged"))?;
    let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| CertificateError::unreadable(key, &error))?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let certified = CertifiedKey::from_der(chain, private, &provider).map_err(|error| CertificateError::DoNotFit {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        cause: error.to_string(),
    })?;
    let (names, not_before, not_after) = facts;
    Ok(Loaded { key: Arc::new(certified), names, not_before, not_after })
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), CertificateError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(CertificateError::Write { path: path.to_owned(), source }),
        _ => Ok(()),
    }
}

/// Writes a file that only the server's own user may read (mode 0600), whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(|source| CertificateError::Write { path: path.to_owned(), source })
}

fn facts(certificate: &CertificateDer<'_>) -> Option<(ServerNames, Timestamp, Timestamp)> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let common_name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).unwrap_or_default();
    let mut hosts = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    for name in alternatives.iter().flat_map(|extension| &extension.value.general_names) {
        match name {
            GeneralName::DNSName(host) => drop(hosts.insert(host.to_lowercase())),
            GeneralName::IPAddress(bytes) => drop(address(bytes).map(|ip| addresses.insert(ip))),
            _ => {}
        }
    }
    let validity = certificate.validity();
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    let names = ServerNames::from_parts(common_name.to_owned(), hosts, addresses);
    Some((names, at(validity.not_before)?, at(validity.not_after)?))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}

/// Where an admin's own certificate lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnFiles {
    /// The chain in PEM form, the server's certificate first.
    pub certificate: PathBuf,
    /// Its private key in PEM form.
    pub key: PathBuf,
}
