//! Where chains of phones' certificates end: which authorities count, and which lists of revoked certificates beside each of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{CertificateError, DistinguishedName, Error, RootCertStore};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::lists::{decoded, is_signed_by};
use crate::domain::account::AdmissionSettings;

/// The authorities that count.
pub(super) struct Ends {
    /// Nearly always one. Authorities of one name with different keys, of which one made a list, need one each: a verifier finds a
    /// list by the name alone, and refuses what another key signed.
    ways: Vec<Arc<dyn ClientCertVerifier>>,
    /// Those that others have revoked: to say why what they signed does not count.
    revoked: Option<Arc<dyn ClientCertVerifier>>,
    names: Vec<DistinguishedName>,
}

impl Ends {
    /// What was uploaded; none where no authority can be used.
    pub(super) fn of(settings: &AdmissionSettings) -> Option<Self> {
        let ders: Vec<Vec<u8>> = settings.manufacturers.iter().map(decoded).collect();
        let authorities: Vec<X509Certificate<'_>> =
            ders.iter().filter_map(|der| X509Certificate::from_der(der).ok().map(|(_, read)| read)).collect();
        let list_ders: Vec<Vec<u8>> =
            settings.revocation_lists.iter().map(|list| STANDARD.decode(&list.der).unwrap_or_default()).collect();
        let lists: Vec<CertificateRevocationList<'_>> = list_ders.iter().filter_map(|der| list(der)).collect();

        let (mut all, mut revoked) = (RootCertStore::empty(), RootCertStore::empty());
        // By which of the lists count beside them.
        let mut groups: BTreeMap<Vec<bool>, RootCertStore> = BTreeMap::new();
        for authority in &authorities {
            // Each of them is an end of the chain: phones may send their own certificate alone, and then an authority between it and
            // the root has to be found here. So the verifier does not ask whether the root has revoked it.
            let der = CertificateDer::from(authority.as_raw().to_vec());
            if let Err(error) = all.add(der.clone()) {
                tracing::error!(authority = %authority.subject(), %error, "the manufacturer CA cannot be used");
                continue;
            }
            let group = if is_revoked(authority, &authorities, &lists) {
                &mut revoked
            } else {
                let counts = |list| is_signed_by(list, authority) || list.issuer().as_raw() != authority.subject().as_raw();
                groups.entry(lists.iter().map(counts).collect()).or_insert_with(RootCertStore::empty)
            };
            // It was added to the other ones.
            let _ = group.add(der);
        }
        let ways = groups.into_iter().filter_map(|(counts, ends)| {
            let count = lists.iter().zip(counts).filter(|(_, counts)| *counts).map(|(list, _)| list.as_raw().to_vec());
            verifier(ends, count).inspect_err(|error| tracing::error!(%error, "no verifier for phones' certificates")).ok()
        });
        let ends = Self { ways: ways.collect(), revoked: verifier(revoked, []).ok(), names: all.subjects() };
        // Without a single one there is nobody whose phones could be asked.
        (!ends.ways.is_empty() || ends.revoked.is_some()).then_some(ends)
    }

    /// Their names.
    pub(super) fn names(&self) -> &[DistinguishedName] {
        &self.names
    }

    /// Whether a chain is good at a time. Of several ways up, one that is revoked is enough.
    pub(super) fn verify(&self, leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>], at: UnixTime) -> Result<(), Error> {
        let (mut is_verified, mut told) = (false, Error::InvalidCertificate(CertificateError::UnknownIssuer));
        for way in &self.ways {
            match way.verify_client_cert(leaf, others, at) {
                Ok(_) => is_verified = true,
                Err(error @ Error::InvalidCertificate(CertificateError::Revoked)) => return Err(error),
                Err(error) if is_foreign(&told) => told = error,
                Err(_) => {}
            }
        }
        if is_verified {
            return Ok(());
        }
        let by_revoked = |way: &Arc<dyn ClientCertVerifier>| match way.verify_client_cert(leaf, others, at) {
            Ok(_) => true,
            Err(error) => !is_foreign(&error),
        };
        if is_foreign(&told) && self.revoked.as_ref().is_some_and(by_revoked) {
            return Err(Error::InvalidCertificate(CertificateError::Revoked));
        }
        Err(told)
    }
}

/// Whether nobody of ours signed it: an unknown name, or the name of one of ours over the signature of another one.
pub(super) fn is_foreign(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature))
}

/// A list that can be used. What was uploaded could be then; one that cannot be any more must not keep every phone out.
fn list(der: &[u8]) -> Option<CertificateRevocationList<'_>> {
    let read = CertificateRevocationList::from_der(der).ok().map(|(_, list)| list);
    if read.is_none() {
        tracing::error!("a stored revocation list cannot be used");
    }
    read
}

/// Whether another of these authorities, or it itself, made a list that names it.
fn is_revoked(one: &X509Certificate<'_>, authorities: &[X509Certificate<'_>], lists: &[CertificateRevocationList<'_>]) -> bool {
    let above = |by: &&X509Certificate<'_>| {
        by.subject().as_raw() == one.issuer().as_raw() && one.verify_signature(Some(by.public_key())).is_ok()
    };
    let names_it =
        |list: &CertificateRevocationList<'_>| list.iter_revoked_certificates().any(|it| it.raw_serial() == one.raw_serial());
    let made = |by: &X509Certificate<'_>| lists.iter().any(|list| names_it(list) && is_signed_by(list, by));
    authorities.iter().filter(above).any(made)
}

/// A verifier of chains that end at one of these, with these lists. A certificate of which no list says anything counts, and a list
/// counts on when its time is over: phones must not be kept out because nobody brought the next one.
pub(super) fn verifier(
    ends: RootCertStore,
    lists: impl IntoIterator<Item = Vec<u8>>,
) -> Result<Arc<dyn ClientCertVerifier>, VerifierBuilderError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(ends), provider)
        .with_crls(lists.into_iter().map(CertificateRevocationListDer::from))
        .allow_unknown_revocation_status()
        .build()
}

impl fmt::Debug for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends").field("ways", &self.ways.len()).finish_non_exhaustive()
    }
}
