//! The private CA in its folder: reading it with every doubt an error, making it where none ever was, and the server
//! certificates that it signs.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use super::authority::{self, KeyKind, Pair};
use super::files::{self, Loaded};
use super::names::ServerNames;
use super::{CertificateError, facts};
use crate::domain::server::GivenCertificates;

/// Reads the CA, or makes it where none was ever given to phones.
pub(super) fn load_or_make_ca(folder: &Path, given: &GivenCertificates, now: Timestamp) -> Result<Pair, CertificateError> {
    if let Some(ca) = load_ca(folder, given)? {
        return Ok(ca);
    }
    let ca = authority::make_ca(now)?;
    // A crash between the two leaves a key that has signed nothing: the next start makes both anew.
    files::write(&key_file(folder), &ca.key_pem)?;
    files::write(&certificate_file(folder), &ca.certificate_pem)?;
    Ok(ca)
}

/// Reads the CA; none where there never was one. Whatever phones trust is never replaced, and its key never written over.
pub(super) fn load_ca(folder: &Path, given: &GivenCertificates) -> Result<Option<Pair>, CertificateError> {
    let (certificate, key) = (certificate_file(folder), key_file(folder));
    match (files::read_text(&certificate)?, files::read_text(&key)?) {
        (Some(certificate_pem), Some(key_pem)) => {
            let ca = Pair { certificate_pem, key_pem };
            check_ca(folder, &ca, given)?;
            Ok(Some(ca))
        }
        (Some(_), None) => Err(CertificateError::HalfCa { missing: key }),
        (None, _) if has_signed(folder)? => Err(CertificateError::HalfCa { missing: certificate }),
        (None, _) => match (&given.ca, given.own) {
            (Some(expected), _) => Err(CertificateError::LostCa { missing: certificate, expected: expected.clone() }),
            (None, true) => Err(CertificateError::LostOwn { missing: folder.join("own.pem") }),
            (None, false) => Ok(None),
        },
    }
}

/// Whether both files are what they should be, belong together, and are what phones were given.
fn check_ca(folder: &Path, ca: &Pair, given: &GivenCertificates) -> Result<(), CertificateError> {
    let (certificate, key) = (certificate_file(folder), key_file(folder));
    let found = facts::of_pem(&ca.certificate_pem).ok_or_else(|| CertificateError::damaged(&certificate, "certificate"))?;
    if let Some(expected) = given.ca.as_ref().filter(|expected| **expected != found.fingerprint) {
        return Err(CertificateError::OtherCa { file: certificate, found: found.fingerprint, expected: expected.clone() });
    }
    match ca.is_pair() {
        None => Err(CertificateError::damaged(&key, "private key")),
        Some(false) => Err(CertificateError::DoNotFit { certificate, key, cause: "the keys differ".to_owned() }),
        Some(true) => Ok(()),
    }
}

fn certificate_file(folder: &Path) -> PathBuf {
    folder.join("ca.pem")
}

fn key_file(folder: &Path) -> PathBuf {
    folder.join("ca.key")
}

/// Whether the private CA was in use: what it signed is still here.
fn has_signed(folder: &Path) -> Result<bool, CertificateError> {
    for kind in [KeyKind::Rsa2048, KeyKind::P256] {
        if files::exists(&folder.join(server_file(kind)))? {
            return Ok(true);
        }
    }
    Ok(false)
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
    if files::exists(&path)? {
        match files::load(&path, &path) {
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
    files::load(&path, &path)
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
