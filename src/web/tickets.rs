//! Session tickets that end with the CA they were given under: whoever comes after another CA signs is shown the certificate anew, so
//! that it is known whether it trusts it.

use std::fmt;
use std::sync::Arc;

use rustls::server::ProducesTickets;

use crate::services::certificates::Certificates;

/// Bytes in front of a ticket that say under which CA it was given.
const MARK_BYTES: usize = 8;

/// Tickets of another producer, marked.
pub(super) struct Tickets {
    inner: Arc<dyn ProducesTickets>,
    certificates: Arc<Certificates>,
}

impl Tickets {
    pub(super) fn new(inner: Arc<dyn ProducesTickets>, certificates: Arc<Certificates>) -> Self {
        Self { inner, certificates }
    }

    /// A certificate that is no CA's of ours has a mark, too: going over to it and back ends tickets all the same.
    fn mark(&self) -> [u8; MARK_BYTES] {
        self.certificates.active().ca.map(|ca| ca.bytes()).unwrap_or_default()
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.inner.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.inner.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        // Inside, where nobody can write another one over it.
        self.inner.encrypt(&[&self.mark(), plain].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let marked = self.inner.decrypt(cipher)?;
        let (mark, plain) = marked.split_at_checked(MARK_BYTES)?;
        (*mark == self.mark()).then(|| plain.to_vec())
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rollover::Rollover;
    use crate::domain::server::GivenCertificates;
    use crate::services::certificates::{ServerNames, make_next_ca};

    #[test]
    fn a_ticket_ends_with_the_ca_that_it_was_given_under() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = "2026-11-22T12:00:00Z".parse().expect("a time");
        let names = ServerNames::new(&[], "", []);
        let opened = Certificates::open(folder.path(), None, GivenCertificates::default(), &names, now).expect("made");
        let certificates = Arc::new(opened);
        let producer = rustls::crypto::aws_lc_rs::Ticketer::new().expect("randomness");
        let tickets = Tickets::new(producer, Arc::clone(&certificates));
        let ticket = tickets.encrypt(b"a session").expect("a ticket");
        assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(&b"a session"[..]));

        let next = make_next_ca(folder.path(), now).expect("another CA");
        let rollover = Rollover { started_at: now, by: "ada".to_owned(), next, switched_at: None };
        let mut given = GivenCertificates { rollover: Some(rollover.clone()), ..certificates.given() };
        certificates.refresh(&given, &names, now).expect("both");
        assert!(tickets.decrypt(&ticket).is_some(), "the same CA signs");
        given.rollover = Some(Rollover { switched_at: Some(now), ..rollover });
        certificates.refresh(&given, &names, now).expect("the other signs");
        assert!(tickets.decrypt(&ticket).is_none());
        let later = tickets.encrypt(b"a session").expect("a ticket");
        assert!(tickets.decrypt(&later).is_some());
    }
}
