//! Failed TLS handshakes, told to the runs: a phone that does not trust us leaves no other trace.

use std::sync::Arc;

use rustls::AlertDescription;

use super::peer;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::run::assembly::{Asked, Heard, Speaker, Standing};
use crate::domain::run::{Exchange, HandshakeFault, Method, Reason};
use crate::services::presence::Message;
use crate::services::{Services, bootstrap};
use crate::web::tls::{FailedHandshake, FailureSink, HandshakeFault as Seen};

/// What the listener is to call for each failed handshake. It costs a lock and a push.
pub fn sink(services: Arc<Services>) -> FailureSink {
    Arc::new(move |failed| note(&services, &failed))
}

fn note(services: &Services, failed: &FailedHandshake) {
    let (address, fault) = (failed.peer.ip().to_canonical(), fault(&failed.fault));
    bootstrap::handshake_failed(services, address, fault);
    let heard = Heard {
        connection: peer::connection_id(failed.peer),
        address,
        key: None,
        standing: Standing::Refused,
        shown: None,
        is_back: false,
        asked: Asked::Other,
        speaker: Speaker::Unknown,
        user_agent: Arc::from(""),
        exchange: Exchange {
            at: services.clock().now(),
            method: Method::Tls,
            path: Box::from(""),
            status: 0,
            size_bytes: 0,
            reason: Reason::Handshake(fault),
            in_clear: false,
        },
    };
    services.presence().note(Message { account: DEFAULT_ACCOUNT, heard, agent: None, private_ip: None });
}

/// What the listener saw, in the words of runs.
fn fault(seen: &Seen) -> HandshakeFault {
    use AlertDescription as A;
    match seen {
        Seen::PlainHttp | Seen::NotTls => HandshakeFault::NotTls,
        Seen::Ssl2Hello | Seen::OldVersion(_) | Seen::Alert(A::ProtocolVersion) => HandshakeFault::NoCommonVersion,
        Seen::NothingInCommon | Seen::Alert(A::HandshakeFailure | A::InsufficientSecurity) => HandshakeFault::NoCommonSuite,
        Seen::Alert(A::UnknownCA) => HandshakeFault::UnknownCa,
        Seen::Alert(A::CertificateExpired) => HandshakeFault::CertificateTime,
        Seen::Alert(A::CertificateUnknown | A::DecryptError | A::AccessDenied) => HandshakeFault::CertificateRefused,
        Seen::Alert(A::BadCertificate) => HandshakeFault::CertificateBad,
        Seen::Alert(A::CertificateRevoked) => HandshakeFault::CertificateRevoked,
        Seen::Alert(A::UnsupportedCertificate) => HandshakeFault::CertificateUnsupported,
        Seen::Timeout => HandshakeFault::TimedOut,
        Seen::Closed => HandshakeFault::HungUp,
        Seen::Alert(_) | Seen::Other(_) => HandshakeFault::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::Subject;
    use crate::services::{runs, testing};

    #[test]
    fn alerts_that_mean_different_things_are_kept_apart() {
        use AlertDescription as A;
        let alerts = [
            A::UnknownCA,
            A::CertificateExpired,
            A::BadCertificate,
            A::CertificateUnknown,
            A::CertificateRevoked,
            A::UnsupportedCertificate,
            A::HandshakeFailure,
            A::ProtocolVersion,
        ];
        let told: std::collections::HashSet<_> = alerts.into_iter().map(|alert| fault(&Seen::Alert(alert))).collect();
        assert_eq!(told.len(), alerts.len());
        assert!(!told.contains(&HandshakeFault::Other));
    }

    #[test]
    fn a_phone_that_does_not_know_our_ca_has_a_run_that_says_so() {
        let bench = testing::bench();
        let peer = "10.0.0.7:40000".parse().expect("a socket address");
        let fault = Seen::Alert(AlertDescription::UnknownCA);
        note(&bench.services, &FailedHandshake { peer, server_name: None, offered: Vec::new(), fault });
        let listed = runs::refused(&bench.services, DEFAULT_ACCOUNT).expect("listed");
        assert_eq!((listed.len(), &listed[0].subject), (1, &Subject::Address(peer.ip())));
        assert_eq!(listed[0].verdict().words, "Never came past TLS: it does not know the CA of our certificate");
    }
}
