//! The server's certificates: a private CA with server certificates that renew themselves, or the admin's own.
//!
//! Everything lies as PEM files in `STATE/certs`. Handshakes read [`Active`] through an atomic pointer, so a change is seen by the
//! next connection and drops none. What chooses between the two keys of a private CA is `web/tls.rs`.

mod authority;
pub mod facts;
mod files;
mod names;

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use parking_lot::Mutex;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use authority::{KeyKind, Pair};
use files::Loaded;
pub use files::OwnFiles;
pub use names::ServerNames;

/// The certificates of one state directory.
pub struct Certificates {
    folder: PathBuf,
    own: Option<OwnFiles>,
    active: ArcSwap<Active>,
    /// Held while files are read or made, so that two refreshes cannot mix.
    changing: Mutex<()>,
}

/// What handshakes use now.
pub struct Active {
    /// For every client: the RSA certificate of our CA, or the admin's own.
    pub default: Arc<CertifiedKey>,
    /// For clients that offer ECDSA with P-256, where there is one.
    pub p256: Option<Arc<CertifiedKey>>,
    /// The names that both cover.
    pub names: ServerNames,
    /// Beginning of their validity.
    pub not_before: Timestamp,
    /// End of their validity.
    pub not_after: Timestamp,
    /// Whose they are.
    pub origin: Origin,
    /// The private CA's certificate in PEM form, if it signed what is in use: phones need it then (R191).
    pub ca_pem: Option<String>,
}

/// Who made the certificate in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This server's private CA.
    PrivateCa,
    /// The admin.
    Own,
}

/// What a refresh did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// Nothing was to be done.
    Unchanged,
    /// New handshakes see another certificate.
    Changed,
}

/// Why certificates could not be read or made; the sentence names the file and the next step.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {error}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// A file cannot be written.
    #[error("{path} cannot be written: {error}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} is not usable: {cause}; it must be in PEM form", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// Certificate and key do not belong together.
    #[error(
        "the certificate {certificate} and the key {key} do not belong together ({cause}); give the key that the certificate \
         was made with",
        certificate = certificate.display(), key = key.display()
    )]
    DoNotFit {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// The library's reason.
        cause: String,
    },
    /// A file of the CA is gone while others, or what it signed, are there.
    #[error(
        "{missing} is missing while other files of the private CA are there; restore it from a backup: phones that trust this CA \
         would refuse a new one",
        missing = missing.display()
    )]
    HalfCa {
        /// The missing file.
        missing: PathBuf,
    },
    /// A certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
}

impl CertificateError {
    fn unreadable(path: &Path, cause: &dyn fmt::Display) -> Self {
        Self::Unreadable { path: path.to_owned(), cause: cause.to_string() }
    }
}

impl Certificates {
    /// Opens the certificates in `folder` and makes what is missing. `own` are the files that the settings name; without them
    /// `own.pem` and `own.key` in the folder are taken if both are there.
    pub fn open(folder: &Path, own: Option<OwnFiles>, names: &ServerNames, now: Timestamp) -> Result<Self, CertificateError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| CertificateError::Write { path: folder.to_owned(), error })?;
        let active = load_or_make(folder, own.as_ref(), names, now)?;
        Ok(Self { folder: folder.to_owned(), own, active: ArcSwap::from_pointee(active), changing: Mutex::new(()) })
    }

    /// What handshakes use now.
    pub fn active(&self) -> Arc<Active> {
        self.active.load_full()
    }

    /// Reads the files again and renews what is due: at two thirds of its life, or when `names` has one that is not covered.
    /// On an error everything stays as it was.
    pub fn refresh(&self, names: &ServerNames, now: Timestamp) -> Result<Refreshed, CertificateError> {
        let _changing = self.changing.lock();
        let next = load_or_make(&self.folder, self.own.as_ref(), names, now)?;
        let before = self.active.load();
        if before.default.cert == next.default.cert && before.origin == next.origin {
            return Ok(Refreshed::Unchanged);
        }
        self.active.store(Arc::new(next));
        Ok(Refreshed::Changed)
    }
}

fn load_or_make(folder: &Path, own: Option<&OwnFiles>, names: &ServerNames, now: Timestamp) -> Result<Active, CertificateError> {
    let dropped = OwnFiles { certificate: folder.join("own.pem"), key: folder.join("own.key") };
    let own = own.or_else(|| (dropped.certificate.exists() && dropped.key.exists()).then_some(&dropped));
    match own {
        Some(own) => load_own(folder, own, now),
        None => load_or_make_private(folder, names, now),
    }
}

fn load_own(folder: &Path, own: &OwnFiles, now: Timestamp) -> Result<Active, CertificateError> {
    let loaded = files::load(&own.certificate, &own.key)?;
    if loaded.not_after <= now {
        let file = own.certificate.display();
        tracing::warn!(%file, not_after = %loaded.not_after, "the certificate has expired: phones and browsers will refuse it");
    }
    let ca_pem = files::read_text(&folder.join("ca.pem"))?.filter(|ca| is_signed_by(&loaded.key, ca, now));
    Ok(Active::new(loaded, None, Origin::Own, ca_pem))
}

fn load_or_make_private(folder: &Path, names: &ServerNames, now: Timestamp) -> Result<Active, CertificateError> {
    let ca = load_or_make_ca(folder, now)?;
    let rsa = load_or_make_server(folder, &ca, KeyKind::Rsa2048, names, now)?;
    let p256 = load_or_make_server(folder, &ca, KeyKind::P256, names, now)?;
    Ok(Active::new(rsa, Some(p256.key), Origin::PrivateCa, Some(ca.certificate_pem)))
}

fn load_or_make_ca(folder: &Path, now: Timestamp) -> Result<Pair, CertificateError> {
    let (certificate, key) = (folder.join("ca.pem"), folder.join("ca.key"));
    match (files::read_text(&certificate)?, files::read_text(&key)?) {
        (Some(certificate_pem), Some(key_pem)) => Ok(Pair { certificate_pem, key_pem }),
        (Some(_), None) => Err(CertificateError::HalfCa { missing: key }),
        // Once the CA has signed, phones may trust it: it is never replaced, and its key never written over.
        (None, _) if has_signed(folder) => Err(CertificateError::HalfCa { missing: certificate }),
        // A key alone that has signed nothing: the server stopped before it wrote the certificate.
        (None, _) => {
            let ca = authority::make_ca(now)?;
            files::write(&key, &ca.key_pem)?;
            files::write(&certificate, &ca.certificate_pem)?;
            Ok(ca)
        }
    }
}

/// Whether the private CA was in use: what it signed is still here.
fn has_signed(folder: &Path) -> bool {
    [KeyKind::Rsa2048, KeyKind::P256].into_iter().any(|kind| folder.join(server_file(kind)).exists())
}

/// The file of a server certificate.
fn server_file(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa2048 => "server-rsa.pem",
        KeyKind::P256 => "server-p256.pem",
    }
}

/// Key and chain of a server certificate share one file, so that a crash can never leave two that do not fit.
fn load_or_make_server(
    folder: &Path,
    ca: &Pair,
    kind: KeyKind,
    names: &ServerNames,
    now: Timestamp,
) -> Result<Loaded, CertificateError> {
    let path = folder.join(server_file(kind));
    if path.exists() {
        let loaded = files::load(&path, &path)?;
        if loaded.names.covers(names) && now < renewal_time(&loaded) && is_signed_by(&loaded.key, &ca.certificate_pem, now) {
            return Ok(loaded);
        }
    }
    let made = authority::make_server(ca, kind, names, now)?;
    files::write(&path, &(made.key_pem + &made.certificate_pem))?;
    files::load(&path, &path)
}

/// Two thirds of the way from the beginning to the end of its validity.
fn renewal_time(loaded: &Loaded) -> Timestamp {
    let life = loaded.not_after.as_second() - loaded.not_before.as_second();
    Timestamp::from_second(loaded.not_before.as_second() + life / 3 * 2).unwrap_or(loaded.not_before)
}

fn is_signed_by(key: &CertifiedKey, ca_pem: &str, now: Timestamp) -> bool {
    let Ok(ca) = CertificateDer::from_pem_slice(ca_pem.as_bytes()) else { return false };
    let mut roots = RootCertStore::empty();
    let Some((first, rest)) = key.cert.split_first() else { return false };
    let (Ok(()), Ok(leaf)) = (roots.add(ca), ParsedCertificate::try_from(first)) else { return false };
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.all;
    rustls::client::verify_server_cert_signed_by_trust_anchor(&leaf, &roots, rest, at, algorithms).is_ok()
}

impl Active {
    fn new(loaded: Loaded, p256: Option<Arc<CertifiedKey>>, origin: Origin, ca_pem: Option<String>) -> Self {
        let Loaded { key, names, not_before, not_after } = loaded;
        Self { default: key, p256, names, not_before, not_after, origin, ca_pem }
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("folder", &self.folder).finish_non_exhaustive()
    }
}
