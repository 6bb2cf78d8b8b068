//! Lists of revoked certificates as people have them in files, PEM with one or several, or DER; and whose they are.
//!
//! What is taken here can be used by every handshake ([`super::ends`]): a list that its verifier does not understand would let in
//! none of the authority's phones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::server::VerifierBuilderError;
use x509_parser::oid_registry::{OID_PKCS1_SHA1WITHRSA, OID_X509_EXT_ISSUER_DISTRIBUTION_POINT};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate, X509Version};
use x509_parser::time::ASN1Time;

use super::ends::verifier;
use super::reading::{fingerprint, is_pem, placed};
use crate::domain::limits::OUTSIDE_TEXT_CHARS;
use crate::domain::manufacturer::{ManufacturerCa, RevocationList};
use crate::domain::run::clean;

/// How far ahead of our clock a list may be dated: that of its authority may go ahead of ours.
const LEEWAY: SignedDuration = SignedDuration::from_hours(24);

/// The lists of a file, the oldest first, or why none can be taken: each is one of an uploaded authority's. Nobody has them yet.
pub(super) fn lists(
    file: &[u8],
    authorities: &[ManufacturerCa],
    now: Timestamp,
    by: &str,
) -> Result<Vec<RevocationList>, String> {
    if file.is_empty() {
        return Err("choose a file first".to_owned());
    }
    let ders = if is_pem(file) { of_pem(file)? } else { of_der(file)? };
    let read = |(at, der): (usize, &Vec<u8>)| {
        let facts = facts(der, authorities).and_then(|facts| not_ahead(facts, now));
        let facts = facts.map_err(|why| placed("list", at, ders.len(), &why))?;
        Ok(RevocationList { added_at: now, by: by.to_owned(), ..facts })
    };
    let mut lists = ders.iter().enumerate().map(read).collect::<Result<Vec<_>, String>>()?;
    lists.sort_by_key(|list| list.made_at);
    Ok(lists)
}

/// Whether a list is of a time that has not come, by more than clocks differ.
pub(super) fn is_ahead(list: &RevocationList, now: Timestamp) -> bool {
    list.made_at.duration_since(now) > LEEWAY
}

/// One that is of such a time would keep those out that come after it.
fn not_ahead(list: RevocationList, now: Timestamp) -> Result<RevocationList, String> {
    if !is_ahead(&list, now) {
        return Ok(list);
    }
    let [made, now] = [list.made_at, now].map(|at| at.strftime("%Y-%m-%d %H:%M UTC"));
    Err(format!(
        "the list of “{}” says that it was made {made}, and by this server's clock it is {now}: where the clock is wrong, set it right \
         and upload the list again; else ask the CA for a list with the right date",
        list.issuer
    ))
}

const CERTIFICATE: &str = "this is a certificate and no revocation list; the certificates of CAs have a form of their own above";

fn of_pem(file: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let read: Result<Vec<_>, _> =
        CertificateRevocationListDer::pem_slice_iter(file).map(|one| one.map(|der| der.to_vec())).collect();
    match read {
        Ok(ders) if !ders.is_empty() => Ok(ders),
        Ok(_) if CertificateDer::pem_slice_iter(file).next().is_some() => Err(CERTIFICATE.to_owned()),
        Ok(_) => Err("the file holds no revocation list; it needs a part “BEGIN X509 CRL”".to_owned()),
        Err(error) => Err(format!("the file is damaged: {error}")),
    }
}

/// One list after the other, as `cat` puts them together.
fn of_der(mut rest: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut ders = Vec::new();
    while !rest.is_empty() {
        let Ok((after, _)) = CertificateRevocationList::from_der(rest) else {
            return Err(if X509Certificate::from_der(rest).is_ok() {
                CERTIFICATE.to_owned()
            } else {
                "this is no revocation list; upload a file in PEM or DER form (.crl, .pem, .der)".to_owned()
            });
        };
        ders.push(rest[..rest.len() - after.len()].to_vec());
        rest = after;
    }
    Ok(ders)
}

fn facts(der: &[u8], authorities: &[ManufacturerCa]) -> Result<RevocationList, String> {
    let Ok((_, list)) = CertificateRevocationList::from_der(der) else { return Err("it cannot be read".to_owned()) };
    let issuer = clean(&list.issuer().to_string(), OUTSIDE_TEXT_CHARS);
    let Some(next) = list.next_update() else {
        return Err(format!("the list of “{issuer}” does not say when the next one comes, so it cannot be used"));
    };
    if list.version() != Some(X509Version::V2) {
        let words = "is of version 1 of such lists; the CA has to make one of version 2, with a number";
        return Err(format!("the list of “{issuer}” {words}"));
    }
    let signer = signer(&list, &issuer, authorities)?;
    usable(der, signer).map_err(|why| format!("the list of “{issuer}” {why}"))?;
    let at = |time: ASN1Time| {
        Timestamp::from_second(time.timestamp()).map_err(|_| format!("the list of “{issuer}” has a date that cannot be read"))
    };
    Ok(RevocationList {
        fingerprint: fingerprint(der),
        entries: list.iter_revoked_certificates().count(),
        made_at: at(list.last_update())?,
        next_update: at(next)?,
        der: STANDARD.encode(der),
        added_at: Timestamp::UNIX_EPOCH,
        by: String::new(),
        issuer,
    })
}

/// The DER form of the uploaded authority that signed a list, and may.
fn signer(list: &CertificateRevocationList<'_>, issuer: &str, authorities: &[ManufacturerCa]) -> Result<Vec<u8>, String> {
    if list.signature_algorithm.algorithm == OID_PKCS1_SHA1WITHRSA {
        return Err(format!("the list of “{issuer}” is signed with SHA-1, which proves nothing any more"));
    }
    let mut why = format!("it is a list of “{issuer}”, whose CA certificate is not here; upload that first");
    for der in authorities.iter().map(decoded) {
        let Ok((_, authority)) = X509Certificate::from_der(&der) else { continue };
        if list.issuer().as_raw() != authority.subject().as_raw() {
            continue;
        }
        if !is_signed_by(list, &authority) {
            why = format!("it says to be a list of “{issuer}”, and none of the CAs of that name that are here signed it");
        } else if matches!(authority.key_usage(), Ok(Some(usage)) if !usage.value.crl_sign()) {
            return Err(format!("the CA “{issuer}” signed it, and its certificate does not allow it to sign revocation lists"));
        } else {
            return Ok(der);
        }
    }
    Err(why)
}

/// Whether the verifier of handshakes understands it.
fn usable(der: &[u8], signer: Vec<u8>) -> Result<(), String> {
    use rustls::CertRevocationListError as E;
    let mut ends = RootCertStore::empty();
    ends.add(CertificateDer::from(signer)).map_err(|error| format!("is of a CA that cannot be used: {error}"))?;
    let told = match verifier(ends, [der.to_vec()]) {
        Ok(_) => return Ok(()),
        Err(VerifierBuilderError::InvalidCrl(told)) => told,
        Err(other) => return Err(format!("cannot be used: {other}")),
    };
    Err(match told {
        E::UnsupportedDeltaCrl => {
            "holds only what has changed since another one (a delta list); upload the whole list".to_owned()
        }
        E::UnsupportedIndirectCrl => "speaks for other CAs too (an indirect list), which is not supported".to_owned(),
        E::UnsupportedCrlVersion => {
            "is of version 1 of such lists; the CA has to make one of version 2, with a number".to_owned()
        }
        other => format!("cannot be used: {}", rustls::Error::from(other)),
    })
}

/// What base64 holds of an authority or of a list.
pub(super) fn decoded(authority: &ManufacturerCa) -> Vec<u8> {
    STANDARD.decode(&authority.der).unwrap_or_default()
}

/// Whether an authority made a list.
pub(super) fn is_signed_by(list: &CertificateRevocationList<'_>, authority: &X509Certificate<'_>) -> bool {
    list.issuer().as_raw() == authority.subject().as_raw() && list.verify_signature(authority.public_key()).is_ok()
}

/// Whether one of these authorities made a stored list.
pub(super) fn is_of_any(list: &RevocationList, authorities: &[ManufacturerCa]) -> bool {
    let der = STANDARD.decode(&list.der).unwrap_or_default();
    let Ok((_, list)) = CertificateRevocationList::from_der(&der) else { return false };
    authorities.iter().map(decoded).any(|der| {
        let authority = X509Certificate::from_der(&der);
        authority.is_ok_and(|(_, authority)| is_signed_by(&list, &authority))
    })
}

/// Whether two stored lists say the same of the same certificates at different times: they are of one key, and of one part of what
/// it signed, where an authority makes a list for each part.
pub(super) fn are_of_one_row(one: &RevocationList, other: &RevocationList, authorities: &[ManufacturerCa]) -> bool {
    let (one, other) = (STANDARD.decode(&one.der).unwrap_or_default(), STANDARD.decode(&other.der).unwrap_or_default());
    let (Ok((_, one)), Ok((_, other))) = (CertificateRevocationList::from_der(&one), CertificateRevocationList::from_der(&other))
    else {
        return false;
    };
    if part(&one) != part(&other) {
        return false;
    }
    authorities.iter().map(decoded).any(|der| {
        let authority = X509Certificate::from_der(&der);
        authority.is_ok_and(|(_, authority)| is_signed_by(&one, &authority) && is_signed_by(&other, &authority))
    })
}

fn part<'a>(list: &'a CertificateRevocationList<'_>) -> Option<&'a [u8]> {
    list.tbs_cert_list.find_extension(&OID_X509_EXT_ISSUER_DISTRIBUTION_POINT).map(|extension| extension.value)
}
