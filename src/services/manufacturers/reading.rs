//! Certificates of authorities as people have them in files: PEM with one or several, or DER. Their lists of revoked certificates
//! are read in [`super::lists`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

use crate::domain::limits::OUTSIDE_TEXT_CHARS;
use crate::domain::manufacturer::ManufacturerCa;
use crate::domain::run::clean;

/// What a certificate says of its authority.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) fingerprint: String,
    subject: String,
    valid_from: Timestamp,
    valid_until: Timestamp,
    der: String,
}

impl Facts {
    pub(super) fn added(self, added_at: Timestamp, by: &str) -> ManufacturerCa {
        let Self { fingerprint, subject, valid_from, valid_until, der } = self;
        ManufacturerCa { fingerprint, subject, valid_from, valid_until, der, added_at, by: by.to_owned() }
    }
}

/// The authorities of a file, or why none can be taken.
pub(super) fn authorities(file: &[u8]) -> Result<Vec<Facts>, String> {
    if file.is_empty() {
        return Err("choose a file first".to_owned());
    }
    let ders = if is_pem(file) { of_pem(file)? } else { of_der(file)? };
    ders.iter().enumerate().map(|(at, der)| facts(der).map_err(|why| placed("certificate", at, ders.len(), &why))).collect()
}

/// Whether a file is PEM rather than DER.
pub(super) fn is_pem(file: &[u8]) -> bool {
    file.windows(11).any(|part| part == b"-----BEGIN ")
}

fn of_pem(file: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(file).map(|one| one.map(|der| der.to_vec())).collect();
    match read {
        Ok(ders) if ders.is_empty() => Err("the file holds no certificate; it needs a part “BEGIN CERTIFICATE”".to_owned()),
        Ok(ders) => Ok(ders),
        Err(error) => Err(format!("the file is damaged: {error}")),
    }
}

/// One certificate after the other, as `cat` puts them together.
fn of_der(mut rest: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut ders = Vec::new();
    while !rest.is_empty() {
        let (after, _) = X509Certificate::from_der(rest)
            .map_err(|_| "this is no certificate; upload a file in PEM or DER form (.pem, .crt, .cer, .der)".to_owned())?;
        ders.push(rest[..rest.len() - after.len()].to_vec());
        rest = after;
    }
    Ok(ders)
}

/// A mistake with its place in the file, where that holds more than one.
pub(super) fn placed(what: &str, at: usize, of: usize, why: &str) -> String {
    if of == 1 { why.to_owned() } else { format!("{what} {} of {of}: {why}", at + 1) }
}

/// SHA-256 over something, pairs of capital digits with colons.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

fn facts(der: &[u8]) -> Result<Facts, String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Err("it cannot be read".to_owned()) };
    let subject = clean(&certificate.subject().to_string(), OUTSIDE_TEXT_CHARS);
    // The first version of X.509 cannot say whether it is an authority's.
    if !certificate.is_ca() && certificate.version() != X509Version::V1 {
        return Err(format!("“{subject}” is not a CA's certificate; upload those of the manufacturer, not that of a phone"));
    }
    if rustls::RootCertStore::empty().add(CertificateDer::from(der)).is_err() {
        return Err(format!("“{subject}” cannot be used to check others"));
    }
    let validity = certificate.validity();
    let at = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_second(time.timestamp()).map_err(|_| format!("“{subject}” has a validity that cannot be read"))
    };
    Ok(Facts {
        fingerprint: fingerprint(der),
        valid_from: at(validity.not_before)?,
        valid_until: at(validity.not_after)?,
        der: STANDARD.encode(der),
        subject,
    })
}
