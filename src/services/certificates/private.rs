//! The private CA in its folder, and the one that takes its place: reading them with every doubt an error, making the first where none
//! ever was, and the server certificates that they sign.

use std::path::Path;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use super::CertificateError;
use super::authority::{self, KeyKind, Pair};
use super::ca_files::{self, CaFiles};
use super::facts::{self, Facts};
use super::files::{self, Folder, Loaded};
use super::names::ServerNames;
use crate::domain::rollover::Stage;
use crate::domain::server::GivenCertificates;
use crate::services::error::chain;

/// The CAs that phones are given: two while one takes the place of the other.
pub(super) struct Authorities {
    pub(super) current: Pair,
    pub(super) next: Option<Pair>,
    /// Whether the server's certificate is to be signed by the next one.
    pub(super) next_signs: bool,
}

impl Authorities {
    /// The one that signs.
    pub(super) fn signing(&self) -> &Pair {
        self.next.as_ref().filter(|_| self.next_signs).unwrap_or(&self.current)
    }

    /// The one that does not.
    pub(super) fn other(&self) -> Option<&Pair> {
        self.next.as_ref().map(|next| if self.next_signs { &self.current } else { next })
    }
}

/// Reads the CAs, or makes the first where none was ever given to phones.
pub(super) fn load_or_make(folder: &Path, given: &GivenCertificates, now: Timestamp) -> Result<Authorities, CertificateError> {
    if let Some(cas) = load(folder, given)? {
        return Ok(cas);
    }
    let ca = authority::make_ca(now)?;
    CaFiles::first(folder).write(&ca)?;
    Ok(Authorities { current: ca, next: None, next_signs: false })
}

/// Reads the CAs; none where none was ever given to phones.
pub(super) fn load(folder: &Path, given: &GivenCertificates) -> Result<Option<Authorities>, CertificateError> {
    let folder = Folder::at(folder);
    let Some(current) = load_ca(folder, given)? else { return Ok(None) };
    let next_signs = given.rollover.as_ref().is_some_and(|rollover| rollover.stage() == Stage::Moving);
    Ok(Some(Authorities { current, next: load_next(folder, given)?, next_signs }))
}

/// Puts each CA in its place, and removes those that `former` named and the settings name no more; without `former`, all that they do
/// not name. Nothing depends on it: what cannot be done now is done at the next start.
pub(super) fn tidy(folder: &Path, cas: &Authorities, given: &GivenCertificates, former: Option<&GivenCertificates>) {
    let placed = ca_files::put_in_place(folder, cas.signing(), cas.other());
    let dropped =
        |former| ca_files::named(former).filter(|fingerprint| ca_files::named(given).all(|named| named != *fingerprint));
    let removed = placed.and_then(|()| match former {
        Some(former) => dropped(former).try_for_each(|fingerprint| CaFiles::marked(folder, fingerprint).remove()),
        // Before the settings name one, nobody knows which is to stay.
        None if given.ca.is_none() => Ok(()),
        None => ca_files::remove_unnamed(folder, given),
    });
    if let Err(error) = removed {
        tracing::warn!(error = chain(&error), "the files of the private CAs could not be put in order");
    }
}

/// Makes the CA that is to take the place of the one there is, and answers its fingerprint. Nothing uses it before the settings name
/// it.
pub(super) fn make_next(folder: &Path, now: Timestamp) -> Result<String, CertificateError> {
    let ca = authority::make_ca(now)?;
    let made = facts::of_pem(&ca.certificate_pem);
    let fingerprint = made.ok_or_else(|| CertificateError::damaged(folder, "certificate that was made just now"))?.fingerprint;
    CaFiles::marked(folder, &fingerprint).write(&ca)?;
    Ok(fingerprint)
}

/// Removes a CA that never signed anything.
pub(super) fn discard_next(folder: &Path, fingerprint: &str) -> Result<(), CertificateError> {
    CaFiles::marked(folder, fingerprint).remove()
}

/// The certificate of the CA that phones know, as it lies in the folder.
pub(super) fn known_certificate(folder: Folder<'_>, given: &GivenCertificates) -> Result<Option<String>, CertificateError> {
    folder.read_text(&CaFiles::known(folder, given)?.certificate)
}

/// The facts of the CA that phones are given now, and of the one that takes its place. What cannot be read is none.
pub(super) fn described(folder: &Path, given: &GivenCertificates) -> Result<[Option<Facts>; 2], CertificateError> {
    let folder = Folder::at(folder);
    let facts = |file: &Path| folder.read_text(file).map(|pem| pem.as_deref().and_then(facts::of_pem));
    let next = match &given.rollover {
        Some(rollover) => facts(&CaFiles::next(folder, &rollover.next)?.certificate)?,
        None => None,
    };
    Ok([facts(&CaFiles::known(folder, given)?.certificate)?, next])
}

/// Reads the CA that takes the place of the one there is; none where none does.
pub(super) fn load_next(folder: Folder<'_>, given: &GivenCertificates) -> Result<Option<Pair>, CertificateError> {
    let Some(rollover) = &given.rollover else { return Ok(None) };
    let at = CaFiles::next(folder, &rollover.next)?;
    let lost = |missing: &Path| CertificateError::LostNextCa { missing: missing.to_owned(), stage: rollover.stage() };
    match (folder.read_text(&at.certificate)?, folder.read_text(&at.key)?) {
        (None, _) => Err(lost(&at.certificate)),
        (Some(_), None) => Err(lost(&at.key)),
        (Some(certificate_pem), Some(key_pem)) => {
            let ca = Pair { certificate_pem, key_pem };
            check_ca(&at, &ca, Some(&rollover.next))?;
            Ok(Some(ca))
        }
    }
}

/// Reads the CA; none where there never was one. Whatever phones trust is never replaced, and its key never written over.
pub(super) fn load_ca(folder: Folder<'_>, given: &GivenCertificates) -> Result<Option<Pair>, CertificateError> {
    let at = CaFiles::known(folder, given)?;
    let CaFiles { certificate, key } = &at;
    match (folder.read_text(certificate)?, folder.read_text(key)?) {
        (Some(certificate_pem), Some(key_pem)) => {
            let ca = Pair { certificate_pem, key_pem };
            check_ca(&at, &ca, given.ca.as_ref())?;
            Ok(Some(ca))
        }
        (Some(_), None) => Err(CertificateError::HalfCa { missing: at.key }),
        (None, _) if has_signed(folder)? => Err(CertificateError::HalfCa { missing: at.certificate }),
        (None, _) => match (&given.ca, given.own) {
            (Some(expected), _) => Err(CertificateError::LostCa { missing: at.certificate, expected: expected.clone() }),
            (None, true) => Err(CertificateError::LostOwn { missing: folder.path().join("own.pem") }),
            (None, false) => Ok(None),
        },
    }
}

/// Whether both files are what they should be, belong together, and are what phones were given.
fn check_ca(at: &CaFiles, ca: &Pair, expected: Option<&String>) -> Result<(), CertificateError> {
    let CaFiles { certificate, key } = at;
    let found = facts::of_pem(&ca.certificate_pem).ok_or_else(|| CertificateError::damaged(certificate, "certificate"))?;
    if let Some(expected) = expected.filter(|expected| **expected != found.fingerprint) {
        return Err(CertificateError::OtherCa {
            file: certificate.clone(),
            found: found.fingerprint,
            expected: expected.clone(),
        });
    }
    match ca.is_pair() {
        None => Err(CertificateError::damaged(key, "private key")),
        Some(false) => Err(CertificateError::DoNotFit {
            certificate: certificate.clone(),
            key: key.clone(),
            cause: "the keys differ".to_owned(),
        }),
        Some(true) => Ok(()),
    }
}

/// Whether the private CA was in use: what it signed is still here.
fn has_signed(folder: Folder<'_>) -> Result<bool, CertificateError> {
    for kind in [KeyKind::Rsa2048, KeyKind::P256] {
        if folder.exists(&folder.path().join(server_file(kind)))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a file of the folder is one that we make: everything else in it is the admin's.
pub(super) fn is_made_here(name: &str) -> bool {
    let is_server = [KeyKind::Rsa2048, KeyKind::P256].into_iter().any(|kind| name == server_file(kind));
    let ca = name.strip_suffix(".pem").or_else(|| name.strip_suffix(".key"));
    is_server || ca.is_some_and(|ca| ca == "ca" || ca.starts_with("ca-"))
}

/// The file of a server certificate.
fn server_file(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa2048 => "server-rsa.pem",
        KeyKind::P256 => "server-p256.pem",
    }
}

/// Reads a server certificate, or makes it where there is none that will do: missing, damaged, due, or without one of the names.
/// Key and chain share one file, so that a crash can never leave two that do not fit.
pub(super) fn load_or_make_server(
    folder: &Path,
    ca: &Pair,
    kind: KeyKind,
    names: &ServerNames,
    now: Timestamp,
) -> Result<Loaded, CertificateError> {
    let path = folder.join(server_file(kind));
    let folder = Folder::at(folder);
    if folder.exists(&path)? {
        match files::load(folder, &path, &path) {
            Ok(loaded) if will_do(&loaded, ca, names, now) => return Ok(loaded),
            Ok(_) => {}
            // Phones trust the CA, not this certificate: another one serves them as well.
            Err(error @ (CertificateError::Unreadable { .. } | CertificateError::DoNotFit { .. })) => {
                tracing::warn!(%error, "the server certificate is made anew");
            }
            Err(error) => return Err(error),
        }
    }
    let made = authority::make_server(ca, kind, names, now)?;
    files::write(&path, &(made.key_pem + &made.certificate_pem))?;
    files::load(folder, &path, &path)
}

fn will_do(loaded: &Loaded, ca: &Pair, names: &ServerNames, now: Timestamp) -> bool {
    loaded.names.covers(names) && now < renewal_time(loaded) && is_signed_by(&loaded.key, &ca.certificate_pem, now)
}

/// Two thirds of the way from the beginning to the end of its validity.
fn renewal_time(loaded: &Loaded) -> Timestamp {
    let life = loaded.not_after.as_second() - loaded.not_before.as_second();
    Timestamp::from_second(loaded.not_before.as_second() + life / 3 * 2).unwrap_or(loaded.not_before)
}

/// Whether a certificate in use was signed by this CA.
pub(super) fn is_signed_by(key: &CertifiedKey, ca_pem: &str, now: Timestamp) -> bool {
    let Ok(ca) = CertificateDer::from_pem_slice(ca_pem.as_bytes()) else { return false };
    let mut roots = RootCertStore::empty();
    let Some((first, rest)) = key.cert.split_first() else { return false };
    let (Ok(()), Ok(leaf)) = (roots.add(ca), ParsedCertificate::try_from(first)) else { return false };
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.all;
    rustls::client::verify_server_cert_signed_by_trust_anchor(&leaf, &roots, rest, at, algorithms).is_ok()
}
