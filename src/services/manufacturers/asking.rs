//! What handshakes need: whether phones are asked for their certificate, by which authorities' names, and what one is worth.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, DistinguishedName};
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

use super::ends::{Ends, is_foreign};
use crate::domain::account::{Account, AdmissionSettings, CertificatePolicy};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::mac::Mac;
use crate::domain::manufacturer::{CertificateFault, Presented};
use crate::services::Services;

/// Knows at each moment whether phones are asked, and keeps what asking needs until the settings change.
pub struct Asker {
    services: Arc<Services>,
    present: ArcSwapOption<Prepared>,
}

/// What an account's settings make of asking; none where nobody is asked.
struct Prepared {
    account: Arc<Account>,
    asking: Option<Arc<Asking>>,
}

/// How phones are asked, and what their certificates are worth.
pub struct Asking {
    ends: Ends,
    accept_expired: bool,
}

impl Asker {
    /// For the whole server.
    pub fn new(services: Arc<Services>) -> Self {
        Self { services, present: ArcSwapOption::empty() }
    }

    /// How phones are asked now; none where they are not. Nearly always this costs two reads of memory.
    pub fn asking(&self) -> Option<Arc<Asking>> {
        let account = Arc::clone(&self.services.worlds().get(DEFAULT_ACCOUNT)?.account);
        if let Some(prepared) = &*self.present.load()
            && Arc::ptr_eq(&prepared.account, &account)
        {
            return prepared.asking.clone();
        }
        let asking = Asking::of(&account.admission).map(Arc::new);
        self.present.store(Some(Arc::new(Prepared { account, asking: asking.clone() })));
        asking
    }

    /// The time by which validity is judged.
    pub fn now(&self) -> Timestamp {
        self.services.clock().now()
    }
}

impl Asking {
    /// What the settings say; none where nobody is asked (R373).
    pub fn of(settings: &AdmissionSettings) -> Option<Self> {
        if settings.certificates == CertificatePolicy::Off {
            return None;
        }
        Some(Self { ends: Ends::of(settings)?, accept_expired: settings.accept_expired })
    }

    /// Names of the authorities, for the request to the phone: some answer only to those (protocol/provisioning.md 7).
    pub fn names(&self) -> &[DistinguishedName] {
        self.ends.names()
    }

    /// What a chain is worth, the phone's own certificate first. That the phone holds its key is the handshake's to show.
    pub fn judge(&self, chain: &[CertificateDer<'_>], now: Timestamp) -> Presented {
        let Some((leaf, others)) = chain.split_first() else { return Presented::Nothing };
        let at = |second: i64| UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(second).unwrap_or_default()));
        let verify = |second| self.ends.verify(leaf, others, at(second));
        let mut verified = verify(now.as_second());
        if self.accept_expired
            && verified.as_ref().err().map(fault) == Some(CertificateFault::Expired)
            && let Some(last_valid) = last_valid_second(chain)
        {
            verified = verify(last_valid);
        }
        match (verified.map_err(|error| fault(&error)), mac(leaf)) {
            (Err(CertificateFault::Revoked), Some(mac)) => Presented::Revoked(mac),
            (Err(fault), _) => Presented::Unverified(fault),
            (Ok(()), None) => Presented::Unverified(CertificateFault::NoMac),
            (Ok(()), Some(mac)) => Presented::Verified(mac),
        }
    }
}

/// Why nothing shows that whoever sent a certificate holds its key: the proof is wrong, or nobody can check it by this certificate.
pub fn unproven(leaf: &CertificateDer<'_>, error: &rustls::Error) -> CertificateFault {
    let is_old = || X509Certificate::from_der(leaf).is_ok_and(|(_, read)| read.version() != X509Version::V3);
    match error {
        // What the library says of a certificate that it does not take; of a wrong proof it says something else.
        rustls::Error::InvalidCertificate(CertificateError::BadEncoding | CertificateError::Other(_)) if is_old() => {
            CertificateFault::OldVersion
        }
        rustls::Error::InvalidCertificate(CertificateError::BadEncoding | CertificateError::Other(_)) => CertificateFault::Broken,
        _ => CertificateFault::Unproven,
    }
}

/// The last second at which the whole chain was valid.
fn last_valid_second(chain: &[CertificateDer<'_>]) -> Option<i64> {
    let ends = chain.iter().map(|der| Some(X509Certificate::from_der(der).ok()?.1.validity().not_after.timestamp()));
    ends.collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// The MAC in the only common name, in any letter case.
fn mac(leaf: &CertificateDer<'_>) -> Option<Mac> {
    let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let (Some(name), None) = (names.next(), names.next()) else { return None };
    name.as_str().ok()?.parse().ok().filter(|mac: &Mac| !mac.is_zero())
}

fn fault(error: &rustls::Error) -> CertificateFault {
    use CertificateError as E;
    if is_foreign(error) {
        return CertificateFault::UnknownAuthority;
    }
    let error = match error {
        rustls::Error::InvalidCertificate(error) => error,
        rustls::Error::InvalidCertRevocationList(_) => return CertificateFault::RevocationUnknown,
        _ => return CertificateFault::Broken,
    };
    match error {
        E::Expired | E::ExpiredContext { .. } => CertificateFault::Expired,
        E::NotValidYet | E::NotValidYetContext { .. } => CertificateFault::NotYetValid,
        E::Revoked => CertificateFault::Revoked,
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => CertificateFault::WrongPurpose,
        _ => CertificateFault::Broken,
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("accept_expired", &self.accept_expired).finish_non_exhaustive()
    }
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "asking_tests.rs"]
mod tests;
