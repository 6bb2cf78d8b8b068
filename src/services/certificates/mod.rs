//! The server's certificates: a private CA with server certificates that renew themselves, or the admin's own.
//!
//! Everything lies as PEM files in `STATE/certs`. Handshakes read [`Active`] through an atomic pointer, so a change is seen by the
//! next connection and drops none. What chooses between the two keys of a private CA is `web/tls.rs`.

mod authority;
mod ca_files;
mod error;
pub mod facts;
mod files;
pub mod give_up;
mod names;
mod private;

use std::fmt;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use parking_lot::Mutex;
use rustls::sign::CertifiedKey;

use crate::domain::rollover::CaMark;
use crate::domain::server::GivenCertificates;
use crate::domain::world::NextCa;
use authority::KeyKind;
pub use error::CertificateError;
use facts::Facts;
use files::Loaded;
pub use files::{Contents, Folder, OwnFiles};
pub use names::ServerNames;

/// The certificates of one state directory.
pub struct Certificates {
    folder: PathBuf,
    own: Option<OwnFiles>,
    active: ArcSwap<Active>,
    /// What phones were given. Held while files are read or made, so that two refreshes cannot mix.
    given: Mutex<GivenCertificates>,
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
    /// The mark of that CA.
    pub ca: Option<CaMark>,
    /// The other CA that phones are given, while one takes the place of the other.
    pub other_ca_pem: Option<String>,
    /// Whether the one that signed is the new one.
    pub is_moving: bool,
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

impl Certificates {
    /// Opens the certificates in `folder` and makes what is missing. `own` are the files that the settings name; without them
    /// `own.pem` and `own.key` in the folder are taken. What phones were `given` before must still be there.
    ///
    /// # Errors
    /// A file that cannot be used, with the next step; a CA or an own certificate that is lost.
    pub fn open(
        folder: &Path,
        own: Option<OwnFiles>,
        given: GivenCertificates,
        names: &ServerNames,
        now: Timestamp,
    ) -> Result<Self, CertificateError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|source| CertificateError::Write { path: folder.to_owned(), source })?;
        let active = load_or_make(folder, own.as_ref(), &given, None, names, now)?;
        let given = given_with(given, &active, own.as_ref());
        Ok(Self { folder: folder.to_owned(), own, active: ArcSwap::from_pointee(active), given: Mutex::new(given) })
    }

    /// Looks whether the certificates could be opened, and makes nothing.
    ///
    /// # Errors
    /// As [`Certificates::open`].
    pub fn check(
        folder: Folder<'_>,
        own: Option<&OwnFiles>,
        given: &GivenCertificates,
        now: Timestamp,
    ) -> Result<(), CertificateError> {
        match own_files(folder, own)? {
            Some(own) => load_own(folder, &own, given, now).map(drop),
            None => private::load_ca(folder, given).and_then(|_| private::load_next(folder, given)).map(drop),
        }
    }

    /// The names that the certificate has, its beginning and its end, where it is the admin's own; else the names that ours is made with.
    ///
    /// # Errors
    /// As [`Certificates::open`].
    pub fn own_or_made(
        folder: &Path,
        own: Option<&OwnFiles>,
        wanted: ServerNames,
    ) -> Result<(ServerNames, Option<(Timestamp, Timestamp)>), CertificateError> {
        let folder = Folder::at(folder);
        match own_files(folder, own)? {
            Some(own) => files::load(folder, &own.certificate, &own.key)
                .map(|loaded| (loaded.names, Some((loaded.not_before, loaded.not_after)))),
            None => Ok((wanted, None)),
        }
    }

    /// What phones were given up to now: to be kept outside the folder.
    pub fn given(&self) -> GivenCertificates {
        self.given.lock().clone()
    }

    /// What handshakes use now.
    pub fn active(&self) -> Arc<Active> {
        self.active.load_full()
    }

    /// Reads the files again and renews what is due: at two thirds of its life, or when `names` has one that is not covered, or when
    /// another CA is to sign. `kept` is what the settings say that phones were given. On an error everything stays as it was.
    pub fn refresh(&self, kept: &GivenCertificates, names: &ServerNames, now: Timestamp) -> Result<Refreshed, CertificateError> {
        let mut given = self.given.lock();
        let former = given.clone();
        // What was made here may not be in the settings yet; what they name is theirs to say.
        given.ca = kept.ca.clone().or_else(|| given.ca.take());
        given.rollover.clone_from(&kept.rollover);
        let next = load_or_make(&self.folder, self.own.as_ref(), &given, Some(&former), names, now)?;
        *given = given_with(given.clone(), &next, self.own.as_ref());
        let before = self.active.load();
        let is_same = before.default.cert == next.default.cert && before.origin == next.origin;
        if !is_same || before.ca_pem != next.ca_pem || before.other_ca_pem != next.other_ca_pem {
            self.active.store(Arc::new(next));
        }
        Ok(if is_same { Refreshed::Unchanged } else { Refreshed::Changed })
    }
}

/// The files of the admin's own certificate: those that the settings name, else those in the folder; none where there are none.
fn own_files(folder: Folder<'_>, configured: Option<&OwnFiles>) -> Result<Option<OwnFiles>, CertificateError> {
    if let Some(own) = configured {
        return Ok(Some(own.clone()));
    }
    let own = OwnFiles { certificate: folder.path().join("own.pem"), key: folder.path().join("own.key") };
    match (folder.exists(&own.certificate)?, folder.exists(&own.key)?) {
        (true, true) => Ok(Some(own)),
        (false, false) => Ok(None),
        (true, false) => Err(CertificateError::HalfOwn { missing: own.key, other: own.certificate }),
        (false, true) => Err(CertificateError::HalfOwn { missing: own.certificate, other: own.key }),
    }
}

fn load_or_make(
    folder: &Path,
    own: Option<&OwnFiles>,
    given: &GivenCertificates,
    former: Option<&GivenCertificates>,
    names: &ServerNames,
    now: Timestamp,
) -> Result<Active, CertificateError> {
    if let Some(own) = own_files(Folder::at(folder), own)? {
        return load_own(Folder::at(folder), &own, given, now);
    }
    let cas = private::load_or_make(folder, given, now)?;
    let rsa = private::load_or_make_server(folder, cas.signing(), KeyKind::Rsa2048, names, now)?;
    let p256 = private::load_or_make_server(folder, cas.signing(), KeyKind::P256, names, now)?;
    private::tidy(folder, &cas, given, former);
    let active = Active::new(rsa, Some(p256.key), Origin::PrivateCa, Some(cas.signing().certificate_pem.clone()));
    let other_ca_pem = cas.other().map(|other| other.certificate_pem.clone());
    Ok(Active { is_moving: cas.next_signs && other_ca_pem.is_some(), other_ca_pem, ..active })
}

/// Whether a file of the folder, by its name, is one that we make: everything else in it is the admin's.
pub fn is_made_here(name: &str) -> bool {
    private::is_made_here(name)
}

/// Makes the CA that is to take the place of the one that phones know, and answers its fingerprint. It is in use once the settings
/// name it.
///
/// # Errors
/// It cannot be made or written.
pub fn make_next_ca(folder: &Path, now: Timestamp) -> Result<String, CertificateError> {
    private::make_next(folder, now)
}

/// Removes a CA that was to take the place of another and never signed anything.
///
/// # Errors
/// It cannot be removed.
pub fn discard_next_ca(folder: &Path, fingerprint: &str) -> Result<(), CertificateError> {
    private::discard_next(folder, fingerprint)
}

/// Puts the files of the CAs in order after a step that was taken without a server. Nobody else may use the folder meanwhile.
///
/// # Errors
/// As [`Certificates::check`].
pub fn settle(folder: &Path, given: &GivenCertificates) -> Result<(), CertificateError> {
    if let Some(cas) = private::load(folder, given)? {
        private::tidy(folder, &cas, given, None);
    }
    Ok(())
}

/// Whether a file of the folder belongs to what is in use: not to a CA that the settings no longer name, or never did.
pub fn is_in_use(name: &str, given: &GivenCertificates) -> bool {
    ca_files::is_in_use(name, given)
}

/// The facts of the CA that phones are given, and of the one that takes its place, as they lie in the folder.
///
/// # Errors
/// A file cannot be read.
pub fn described_cas(folder: &Path, given: &GivenCertificates) -> Result<[Option<Facts>; 2], CertificateError> {
    private::described(folder, given)
}

fn load_own(folder: Folder<'_>, own: &OwnFiles, given: &GivenCertificates, now: Timestamp) -> Result<Active, CertificateError> {
    let loaded = files::load(folder, &own.certificate, &own.key)?;
    if loaded.not_after <= now {
        let file = own.certificate.display();
        tracing::warn!(%file, not_after = %loaded.not_after, "the certificate has expired: phones and browsers will refuse it");
    }
    let ca_pem = private::known_certificate(folder, given)?.filter(|ca| private::is_signed_by(&loaded.key, ca, now));
    Ok(Active::new(loaded, None, Origin::Own, ca_pem))
}

/// What phones were given, now that these are in use. A CA that was given once is never forgotten.
fn given_with(mut given: GivenCertificates, active: &Active, configured: Option<&OwnFiles>) -> GivenCertificates {
    match active.origin {
        Origin::PrivateCa => {
            given.own = false;
            // While another one takes its place it stays the one that phones know.
            if given.rollover.is_none() {
                given.ca = active.ca_pem.as_deref().and_then(facts::of_pem).map(|ca| ca.fingerprint);
            }
        }
        Origin::Own => given.own = configured.is_none(),
    }
    given
}

impl Active {
    fn new(loaded: Loaded, p256: Option<Arc<CertifiedKey>>, origin: Origin, ca_pem: Option<String>) -> Self {
        let Loaded { key, names, not_before, not_after } = loaded;
        let ca = ca_pem.as_deref().and_then(facts::of_pem).and_then(|facts| CaMark::of(&facts.fingerprint));
        Self { default: key, p256, names, not_before, not_after, origin, ca_pem, ca, other_ca_pem: None, is_moving: false }
    }

    /// The CAs that phones are given: the one that they know, and the one that takes its place.
    pub fn given_cas(&self) -> (Option<String>, Option<NextCa>) {
        let (known, next) = if self.is_moving { (&self.other_ca_pem, &self.ca_pem) } else { (&self.ca_pem, &self.other_ca_pem) };
        let next = next.as_ref().filter(|_| self.other_ca_pem.is_some()).and_then(|pem| {
            let mark = CaMark::of(&facts::of_pem(pem)?.fingerprint)?;
            Some(NextCa { pem: pem.clone(), mark, signs: self.is_moving })
        });
        (known.clone(), next)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("folder", &self.folder).finish_non_exhaustive()
    }
}
