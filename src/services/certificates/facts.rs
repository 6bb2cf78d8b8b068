//! What people compare and plan by of a certificate: its fingerprint, its beginning and its end.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::pem::parse_x509_pem;

/// Facts of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 over the whole certificate, as browsers and openssl write it: pairs of capital digits with colons.
    pub fingerprint: String,
    /// Beginning of its validity.
    pub valid_from: Timestamp,
    /// End of its validity.
    pub valid_until: Timestamp,
}

/// The facts of the first certificate in a PEM text; none where there is none.
pub fn of_pem(pem: &str) -> Option<Facts> {
    let (_, block) = parse_x509_pem(pem.as_bytes()).ok()?;
    let certificate = block.parse_x509().ok()?;
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    let (valid_from, valid_until) = (at(certificate.validity().not_before)?, at(certificate.validity().not_after)?);
    let pairs: Vec<String> = Sha256::digest(&block.contents).iter().map(|byte| format!("{byte:02X}")).collect();
    Some(Facts { fingerprint: pairs.join(":"), valid_from, valid_until })
}
