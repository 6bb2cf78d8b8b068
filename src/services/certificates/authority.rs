//! The private CA and the server certificates it signs: keys and X.509 only, no files.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize, SanType, date_time_ymd,
};
use sha2::{Digest, Sha256};
use x509_parser::pem::parse_x509_pem;

use super::names::ServerNames;

/// Years that a private CA is valid: longer than a handset lives, for a phone that lost its CA must be visited.
const CA_YEARS: i32 = 20;
/// Days that a server certificate is valid, the day before its making included (NET-03).
const SERVER_DAYS: i32 = 397;

/// A certificate and its private key in PEM form.
pub(super) struct Pair {
    pub(super) certificate_pem: String,
    pub(super) key_pem: String,
}

impl Pair {
    /// Whether the key is the certificate's; none where there is no key.
    pub(super) fn is_pair(&self) -> Option<bool> {
        let key = KeyPair::from_pem(&self.key_pem).ok()?;
        let (_, block) = parse_x509_pem(self.certificate_pem.as_bytes()).ok()?;
        let certificate = block.parse_x509().ok()?;
        Some(*certificate.public_key().subject_public_key.data == *key.public_key_raw())
    }
}

/// What kind of key a server certificate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// For every phone: old cipher lists exclude ECDSA.
    Rsa2048,
    /// For those that offer it: a handshake costs little more than half (quality/performance.md 6).
    P256,
}

/// Makes a private CA. RSA, because phones must be able to check it; 3072 bits, because it lives for twenty years.
pub(super) fn make_ca(now: Timestamp) -> Result<Pair, rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072)?;
    let mut params = CertificateParams::default();
    // A part of the key in the name, so that the CAs of two installations never look alike on a phone or in a browser.
    let mark = hex::encode(&Sha256::digest(key.public_key_raw())[..4]);
    params.distinguished_name.push(DnType::CommonName, format!("pdms CA {mark}"));
    params.distinguished_name.push(DnType::OrganizationName, "pdms");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, CA_YEARS.years());
    let certificate = params.self_signed(&key)?;
    Ok(Pair { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
}

/// Makes a server certificate for the names, signed by the CA; the CA's certificate follows it in the chain.
pub(super) fn make_server(ca: &Pair, kind: KeyKind, names: &ServerNames, now: Timestamp) -> Result<Pair, rcgen::Error> {
    let key = match kind {
        KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?,
        KeyKind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
    };
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, names.primary());
    // A name that does not fit into a certificate is left out rather than keeping the server from starting.
    params.subject_alt_names = names.hosts().filter_map(|name| Some(SanType::DnsName(name.try_into().ok()?))).collect();
    params.subject_alt_names.extend(names.addresses().map(SanType::IpAddress));
    params.key_usages = match kind {
        KeyKind::Rsa2048 => vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment],
        KeyKind::P256 => vec![KeyUsagePurpose::DigitalSignature],
    };
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, now, SERVER_DAYS.days());
    let issuer = Issuer::from_ca_cert_pem(&ca.certificate_pem, KeyPair::from_pem(&ca.key_pem)?)?;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(Pair { certificate_pem: certificate.pem() + &ca.certificate_pem, key_pem: key.serialize_pem() })
}

/// Validity begins a day early, for clocks that run behind; its ends are kept to the day.
fn set_validity(params: &mut CertificateParams, now: Timestamp, length: Span) {
    let from = now.to_zoned(TimeZone::UTC).date().saturating_sub(1.day());
    let until = from.saturating_add(length);
    let part = |number: i8| number.unsigned_abs();
    params.not_before = date_time_ymd(i32::from(from.year()), part(from.month()), part(from.day()));
    params.not_after = date_time_ymd(i32::from(until.year()), part(until.month()), part(until.day()));
}
