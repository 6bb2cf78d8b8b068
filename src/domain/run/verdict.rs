//! What came of a run, in words for an admin, and what to do next (R177, R258).

use super::{HandshakeFault, Method, Reason, Run, RunKind};

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How it went.
    pub outcome: Outcome,
    /// What happened, as one sentence.
    pub words: String,
    /// What to do about it; none where nothing is to be done.
    pub next: Option<&'static str>,
}

/// How a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device has its whole configuration.
    Complete,
    /// It keeps what it had, on purpose: nothing is broken.
    Held,
    /// Something went wrong.
    Failed,
    /// Nothing can be said: no configuration was asked for.
    Neutral,
}

impl Verdict {
    fn new(outcome: Outcome, words: impl Into<String>, next: Option<&'static str>) -> Self {
        Self { outcome, words: words.into(), next }
    }
}

/// Judges a run. The most telling of its answers decides: what let the phone in beats what refused it before.
pub fn verdict(run: &Run) -> Verdict {
    if run.complete {
        return complete(run);
    }
    let last = |wanted: fn(Reason) -> bool| run.exchanges.iter().rev().map(|e| e.reason).find(|r| wanted(*r));
    if let Some(held) = last(is_held) {
        return of_held(held);
    }
    if last(|r| r == Reason::ListedMissing).is_some() {
        let next = "Take the file off CONFIG_FILES in the profile that lists it, or give its full address there";
        return Verdict::new(Outcome::Failed, "Was sent to a file that is not stored here", Some(next));
    }
    if last(|r| r == Reason::Fault).is_some() {
        let next = "Look into the server's log; the phone keeps its configuration and comes again";
        return Verdict::new(Outcome::Failed, "Was answered 503 because of a fault of this server", Some(next));
    }
    if last(|r| r == Reason::Master).is_some() {
        let next = "See whether the phone lost its connection, or whether its Updater refused the master file";
        return Verdict::new(Outcome::Failed, "Fetched the master file but not its configuration", Some(next));
    }
    if last(|r| r == Reason::CredentialsWrong).is_some() {
        let next = "Enter the shared credentials of Provisioning Settings on the phone, or in the DHCP option";
        return Verdict::new(Outcome::Failed, "Was refused: wrong user name or password", Some(next));
    }
    if let Some(Reason::Handshake(fault)) = last(|r| matches!(r, Reason::Handshake(_))) {
        return of_handshake(fault);
    }
    if last(|r| r == Reason::SharedMaster).is_some() {
        let words = "Fetched the master file without device values: a connectivity test with the right credentials";
        return Verdict::new(Outcome::Neutral, words, None);
    }
    if !run.exchanges.is_empty() && run.exchanges.iter().all(|e| e.reason == Reason::CredentialsMissing) {
        let next = "If it is a phone, enter the shared credentials on it; a browser that tests the address needs none";
        return Verdict::new(Outcome::Failed, "Was asked for credentials and sent none", Some(next));
    }
    Verdict::new(Outcome::Neutral, "Asked for no configuration", None)
}

fn complete(run: &Run) -> Verdict {
    let did = match run.kind {
        RunKind::Boot => "Booted",
        RunKind::Poll => "Polled",
    };
    let failed = run.exchanges.iter().find(|e| matches!(e.method, Method::Put | Method::Post) && upload_failed(e.reason));
    match failed.map(|e| e.reason) {
        None => Verdict::new(Outcome::Complete, format!("{did} and took everything"), None),
        Some(reason) => {
            let words = format!("{did} and took everything, but an upload was not kept: {reason}");
            Verdict::new(Outcome::Complete, words, next_of_upload(reason))
        }
    }
}

fn upload_failed(reason: Reason) -> bool {
    use Reason::{CutOff, DiskReserve, Fault, Foreign, NotUploadable, Piecewise, QuotaReached, TooLarge};
    matches!(reason, CutOff | DiskReserve | Fault | Foreign | NotUploadable | Piecewise | QuotaReached | TooLarge)
}

fn next_of_upload(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::TooLarge => Some("Lower log.render.file.size on the phone, or raise the server's upload limits"),
        Reason::QuotaReached => Some("Lower the phone's log level: it uploads more than the server keeps of one device"),
        Reason::DiskReserve => Some("Free disk space on the server: uploads are refused until there is some"),
        _ => None,
    }
}

fn is_held(reason: Reason) -> bool {
    use Reason::{Blocked, ProvisioningOff, TooManyNew, Unidentified};
    matches!(reason, Blocked | ProvisioningOff | TooManyNew | Unidentified)
}

fn of_held(reason: Reason) -> Verdict {
    let (words, next) = match reason {
        Reason::ProvisioningOff => (
            "Held: provisioning is switched off",
            "Switch it on under Provisioning Settings; until then phones keep what they have",
        ),
        Reason::Blocked => ("Held: this device is blocked", "Lift the block on the Devices page if it may come back"),
        Reason::TooManyNew => {
            ("Held: too many new devices came in a short time", "Add the device by hand, or wait: it is taken when it asks again")
        }
        _ => (
            "Held: it asked for 000000000000.cfg and nothing says which device it is",
            "Switch on device.prov.tagSerialNo on the phone, or find out why it does not get its own file",
        ),
    };
    Verdict::new(Outcome::Held, words, Some(next))
}

fn of_handshake(fault: HandshakeFault) -> Verdict {
    let next = match fault {
        HandshakeFault::UnknownCa => "Install this server's CA certificate on the phone, or use a certificate that it knows",
        HandshakeFault::CertificateRefused => {
            "See whether our CA certificate is installed on the phone, whether the address entered there is a name in our \
             certificate, and whether the phone's clock is right"
        }
        HandshakeFault::CertificateBad => {
            "See whether the phone's clock is right (give it a time server), whether the address entered there is a name in our \
             certificate, and whether our CA certificate is installed on it"
        }
        HandshakeFault::CertificateTime => "Give the phone a time server, by DHCP option 42 or in its menu",
        HandshakeFault::CertificateRevoked => "Give the server another certificate: phones find this one on a revocation list",
        HandshakeFault::CertificateUnsupported => "Update the phone's software, or use a server certificate with an RSA key",
        HandshakeFault::NoCommonSuite => "Set the phone's TLS cipher list back to its default, or update its software",
        HandshakeFault::NoCommonVersion => "Update the phone's software: this server speaks TLS 1.2 and 1.3",
        HandshakeFault::NotTls => "Enter the address with https:// on the phone",
        HandshakeFault::HungUp | HandshakeFault::TimedOut | HandshakeFault::Other => {
            "See whether the phone knows our CA and has the right time; look for losses on the way"
        }
    };
    Verdict::new(Outcome::Failed, format!("Never came past TLS: {fault}"), Some(next))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use jiff::Timestamp;

    use super::super::Exchange;
    use super::*;

    fn run(complete: bool, reasons: &[(Method, u16, Reason)]) -> Run {
        let exchange = |(method, status, reason): &(Method, u16, Reason)| Exchange {
            at: Timestamp::UNIX_EPOCH,
            method: *method,
            path: "/0004f2c05001.cfg".into(),
            status: *status,
            size_bytes: 0,
            reason: *reason,
        };
        Run {
            started_at: Timestamp::UNIX_EPOCH,
            ended_at: Timestamp::UNIX_EPOCH,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            user_agent: String::new(),
            kind: RunKind::Boot,
            complete,
            exchanges: reasons.iter().map(exchange).collect(),
            left_out: 0,
        }
    }

    fn words(complete: bool, reasons: &[(Method, u16, Reason)]) -> String {
        verdict(&run(complete, reasons)).words
    }

    #[test]
    fn a_complete_run_is_told_so_and_a_lost_upload_is_told_besides() {
        use Method::{Get, Put};
        let fetched = [(Get, 401, Reason::CredentialsMissing), (Get, 200, Reason::Master), (Get, 200, Reason::Parameters)];
        assert_eq!(words(true, &fetched), "Booted and took everything");
        let lost = [&fetched[..], &[(Put, 413, Reason::TooLarge)]].concat();
        assert!(words(true, &lost).starts_with("Booted and took everything, but an upload was not kept: larger"));
        assert_eq!(verdict(&run(true, &lost)).outcome, Outcome::Complete);
    }

    #[test]
    fn the_step_at_which_a_run_stopped_is_named() {
        use Method::{Get, Tls};
        let challenge = (Get, 401, Reason::CredentialsMissing);
        let wrong = (Get, 401, Reason::CredentialsWrong);
        let master = (Get, 200, Reason::Master);
        let off = (Get, 503, Reason::ProvisioningOff);
        assert_eq!(words(false, &[challenge, master]), "Fetched the master file but not its configuration");
        assert_eq!(words(false, &[challenge, wrong]), "Was refused: wrong user name or password");
        assert_eq!(words(false, &[challenge, off]), "Held: provisioning is switched off");
        assert_eq!(words(false, &[challenge]), "Was asked for credentials and sent none");
        let tls = (Tls, 0, Reason::Handshake(HandshakeFault::UnknownCa));
        assert_eq!(words(false, &[tls]), "Never came past TLS: it does not know the CA of our certificate");
        assert!(verdict(&run(false, &[tls])).next.is_some_and(|next| next.contains("CA certificate")));
    }

    /// `certificate_unknown` was once told as a wrong name only, and the admin of a phone without our CA looked in vain.
    #[test]
    fn a_refused_certificate_is_told_with_every_cause_that_the_phone_leaves_open() {
        let next = |fault| verdict(&run(false, &[(Method::Tls, 0, Reason::Handshake(fault))])).next.unwrap_or_default();
        for open in [HandshakeFault::CertificateRefused, HandshakeFault::CertificateBad] {
            for cause in ["CA certificate is installed", "address entered", "clock"] {
                assert!(next(open).contains(cause), "{open:?} does not tell of {cause}: {}", next(open));
            }
        }
        assert!(!next(HandshakeFault::UnknownCa).contains("clock"));
        assert!(!next(HandshakeFault::CertificateTime).contains("CA"));
    }

    #[test]
    fn whatever_was_answered_there_is_a_verdict_and_every_failure_says_what_to_do() {
        use Reason::*;
        for reason in [
            Master,
            SharedMaster,
            Parameters,
            DeviceFile,
            Absent,
            NoImage,
            Stored,
            Replaced,
            CredentialsMissing,
            CredentialsWrong,
            ProvisioningOff,
            Blocked,
            Unidentified,
            TooManyNew,
            Foreign,
            NotUploadable,
            MethodRefused,
            Piecewise,
            TooLarge,
            CutOff,
            QuotaReached,
            DiskReserve,
            Fault,
            Handshake(HandshakeFault::Other),
        ] {
            let judged = verdict(&run(false, &[(Method::Get, 0, reason)]));
            assert!(!judged.words.is_empty());
            let bad = matches!(judged.outcome, Outcome::Failed | Outcome::Held);
            assert_eq!(bad, judged.next.is_some(), "{reason:?}: {judged:?}");
        }
    }
}
