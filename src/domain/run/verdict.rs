//! What came of a run, in words for an admin, and what to do next (R177, R258).

use super::{Exchange, HandshakeFault, Method, Reason, Run, RunKind, next_step};

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
    /// It goes on, and nothing went wrong so far.
    UnderWay,
    /// Nothing can be said: no configuration was asked for.
    Neutral,
}

/// Whether more requests may still join a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// They may: what is still missing may come yet.
    GoesOn,
    /// It is over.
    Ended,
}

impl Verdict {
    fn new(outcome: Outcome, words: impl Into<String>, next: impl Into<Option<&'static str>>) -> Self {
        Self { outcome, words: words.into(), next: next.into() }
    }
}

/// Judges a run. Of its answers the most telling one decides, and of those only what came after the last master file that was
/// served: a fault that was mended within the run is none.
pub fn verdict(run: &Run, stage: Stage) -> Verdict {
    let since = |wanted: Reason| {
        let last = run.exchanges.iter().rposition(|one| one.reason == wanted && one.method == Method::Get);
        &run.exchanges[last.unwrap_or(0)..]
    };
    if run.complete { complete(run, since(Reason::Parameters)) } else { stopped(since(Reason::Master), stage) }
}

/// Where a run stopped that is not complete.
fn stopped(exchanges: &[Exchange], stage: Stage) -> Verdict {
    let last = |wanted: fn(Reason) -> bool| exchanges.iter().map(|one| one.reason).rfind(|reason| wanted(*reason));
    if let Some(held) = last(Reason::is_held) {
        return of_held(held);
    }
    if last(|reason| reason == Reason::ListedMissing).is_some() {
        let next =
            "Upload the file under Resource Files, take it out of the profile that names it, or give its full address there";
        return Verdict::new(Outcome::Failed, "Was sent to a file that is not stored here", next);
    }
    if last(|reason| reason == Reason::Fault).is_some() {
        let next = "Look into the server's log; the phone keeps its configuration and comes again";
        return Verdict::new(Outcome::Failed, "Was answered 503 because of a fault of this server", next);
    }
    let has_master = last(|reason| reason == Reason::Master).is_some();
    let is_refused = last(|reason| reason == Reason::CredentialsWrong).is_some();
    if has_master && is_refused {
        let next = "See whether the shared credentials were changed meanwhile: enter those of Provisioning Settings on the phone";
        return Verdict::new(Outcome::Failed, "Fetched the master file, then was refused: wrong user name or password", next);
    }
    if has_master && stage == Stage::GoesOn {
        return Verdict::new(Outcome::UnderWay, "Has its master file and fetches its configuration", None);
    }
    if has_master {
        let next = "See whether the phone lost its connection, or whether its Updater refused the master file";
        return Verdict::new(Outcome::Failed, "Fetched the master file but not its configuration", next);
    }
    if is_refused {
        return Verdict::new(Outcome::Failed, "Was refused: wrong user name or password", next_step(Reason::CredentialsWrong));
    }
    if last(|reason| reason == Reason::OfAnotherDevice).is_some() {
        let words = format!("Was refused: {}", Reason::OfAnotherDevice);
        return Verdict::new(Outcome::Failed, words, next_step(Reason::OfAnotherDevice));
    }
    without_configuration(exchanges)
}

/// A run in which no configuration was asked for with any credentials.
fn without_configuration(exchanges: &[Exchange]) -> Verdict {
    let is_tls = |one: &Exchange| one.method == Method::Tls;
    if let Some(Exchange { reason: Reason::Handshake(fault), .. }) = exchanges.last() {
        return of_handshake(*fault, exchanges.iter().all(is_tls));
    }
    if exchanges.iter().any(|one| one.reason == Reason::SharedMaster) {
        let words = "Fetched the master file without device values: a connectivity test with the right credentials";
        return Verdict::new(Outcome::Neutral, words, None);
    }
    if let Some(told) = exchanges.iter().rev().find_map(|one| of_bootstrap(one.reason)) {
        return told;
    }
    let mut http = exchanges.iter().filter(|one| !is_tls(one)).peekable();
    if http.peek().is_some() && http.all(|one| one.reason == Reason::CredentialsMissing) {
        let next = "If it is a phone, enter the shared credentials on it; a browser that tests the address needs none";
        return Verdict::new(Outcome::Failed, "Was asked for credentials and sent none", next);
    }
    match lost_upload(exchanges) {
        None => Verdict::new(Outcome::Neutral, "Asked for no configuration", None),
        Some(reason) => {
            let words = format!("Asked for no configuration, and an upload was not kept: {reason}");
            Verdict::new(Outcome::Neutral, words, next_of_upload(reason))
        }
    }
}

/// How far a phone came that does not know our certificate authority (contract 3).
fn of_bootstrap(reason: Reason) -> Option<Verdict> {
    let (words, next) = match reason {
        Reason::BootstrapMove => {
            ("Came over plain HTTP, showed that it trusts us, and was told our HTTPS address", "It comes over HTTPS next")
        }
        Reason::BootstrapTrust => (
            "Came over plain HTTP and was given our certificate authority",
            "Its next log must come over HTTPS, which proves that it trusts us. It asks once an hour; a restart is faster",
        ),
        Reason::BootstrapMaster => (
            "Came over plain HTTP and did not take the file that its master names",
            "See whether the phone lost its connection; it keeps what it has",
        ),
        _ => return None,
    };
    Some(Verdict::new(Outcome::Neutral, words, next))
}

/// A run in which everything was taken, and what came after that.
fn complete(run: &Run, afterwards: &[Exchange]) -> Verdict {
    let did = match run.kind {
        RunKind::Boot => "Booted",
        RunKind::Poll => "Polled",
    };
    let took = format!("{did} and took everything");
    let last = |wanted: fn(Reason) -> bool| afterwards.iter().map(|one| one.reason).rfind(|reason| wanted(*reason));
    if let Some(held) = last(Reason::is_held) {
        return Verdict { outcome: Outcome::Complete, words: format!("{took}; since then held: {held}"), ..of_held(held) };
    }
    if last(|reason| reason == Reason::CredentialsWrong).is_some() {
        let next = "See whether the shared credentials were changed meanwhile; another phone behind the same address may also have sent wrong ones";
        return Verdict::new(Outcome::Complete, format!("{took}; since then refused: wrong user name or password"), next);
    }
    match lost_upload(&run.exchanges) {
        None if last(|reason| reason == Reason::Fault).is_some() => {
            let next = "Look into the server's log: a file that the device stored here could not be read";
            Verdict::new(Outcome::Complete, format!("{took}, but for a file that a fault of this server kept back"), next)
        }
        None => Verdict::new(Outcome::Complete, took, None),
        Some(reason) => {
            let words = format!("{took}, but an upload was not kept: {reason}");
            Verdict::new(Outcome::Complete, words, next_of_upload(reason))
        }
    }
}

/// Why the last upload that was not kept was not.
fn lost_upload(exchanges: &[Exchange]) -> Option<Reason> {
    use Reason::{CutOff, DiskReserve, Fault, Foreign, NotUploadable, Piecewise, QuotaReached, TooLarge};
    let is_lost =
        |reason| matches!(reason, CutOff | DiskReserve | Fault | Foreign | NotUploadable | Piecewise | QuotaReached | TooLarge);
    let uploads = exchanges.iter().filter(|one| matches!(one.method, Method::Put | Method::Post));
    uploads.map(|one| one.reason).rfind(|reason| is_lost(*reason))
}

fn next_of_upload(reason: Reason) -> &'static str {
    match reason {
        Reason::TooLarge => "Lower log.render.file.size on the phone, or raise the server's upload limits",
        Reason::QuotaReached => "Lower the phone's log level: it uploads more than the server keeps of one device",
        Reason::DiskReserve => "Free disk space on the server: uploads are refused until there is some",
        Reason::Fault => "Look into the server's log: what was to be kept could not be written",
        Reason::CutOff => "See whether the phone lost its connection or its power; it sends the file again at the next occasion",
        Reason::Foreign => {
            "See whether two phones share a configuration that names one of them: each may upload its own files only"
        }
        _ => "Nothing is lost but this upload: set LOG_FILE_DIRECTORY or the phone's upload settings back to their defaults",
    }
}

/// What to do where a phone is held for this reason.
pub fn next_of_held(reason: Reason) -> &'static str {
    next_step(reason).unwrap_or_default()
}

fn of_held(reason: Reason) -> Verdict {
    Verdict::new(Outcome::Held, format!("Held: {reason}"), next_of_held(reason))
}

/// What to do where a handshake failed for this cause.
pub fn next_of_handshake(fault: HandshakeFault) -> &'static str {
    match fault {
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
    }
}

fn of_handshake(fault: HandshakeFault, always: bool) -> Verdict {
    let words = if always { "Never came past TLS" } else { "Came past TLS before, but not at last" };
    Verdict::new(Outcome::Failed, format!("{words}: {fault}"), next_of_handshake(fault))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use jiff::Timestamp;

    use super::*;

    fn run(complete: bool, reasons: &[(Method, u16, Reason)]) -> Run {
        let exchange = |(method, status, reason): &(Method, u16, Reason)| Exchange {
            at: Timestamp::UNIX_EPOCH,
            method: *method,
            path: "/0004f2c05001.cfg".into(),
            status: *status,
            size_bytes: 0,
            reason: *reason,
            in_clear: false,
        };
        Run {
            shown: Vec::new(),
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
        verdict(&run(complete, reasons), Stage::Ended).words
    }

    #[test]
    fn a_complete_run_is_told_so_and_a_lost_upload_is_told_besides() {
        use Method::{Get, Put};
        let fetched = [(Get, 401, Reason::CredentialsMissing), (Get, 200, Reason::Master), (Get, 200, Reason::Parameters)];
        assert_eq!(words(true, &fetched), "Booted and took everything");
        let lost = [&fetched[..], &[(Put, 413, Reason::TooLarge)]].concat();
        assert!(words(true, &lost).starts_with("Booted and took everything, but an upload was not kept: larger"));
        assert_eq!(verdict(&run(true, &lost), Stage::Ended).outcome, Outcome::Complete);
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
        assert!(verdict(&run(false, &[tls]), Stage::Ended).next.is_some_and(|next| next.contains("CA certificate")));
    }

    /// `certificate_unknown` was once told as a wrong name only, and the admin of a phone without our CA looked in vain.
    #[test]
    fn a_refused_certificate_is_told_with_every_cause_that_the_phone_leaves_open() {
        let next =
            |fault| verdict(&run(false, &[(Method::Tls, 0, Reason::Handshake(fault))]), Stage::Ended).next.unwrap_or_default();
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
        for reason in Reason::all() {
            let method = if matches!(reason, Reason::Handshake(_)) { Method::Tls } else { Method::Get };
            let judged = verdict(&run(false, &[(method, 0, reason)]), Stage::Ended);
            assert!(!judged.words.is_empty());
            let bad = matches!(judged.outcome, Outcome::Failed | Outcome::Held);
            // The way from plain HTTP is no failure, and goes on.
            let goes_on = of_bootstrap(reason).is_some();
            assert_eq!(bad || goes_on, judged.next.is_some(), "{reason:?}: {judged:?}");
            assert!(!(bad && goes_on), "{reason:?}: {judged:?}");
            let lost = verdict(&run(true, &[(Method::Get, 200, Reason::Parameters), (Method::Put, 0, reason)]), Stage::Ended);
            assert_eq!(lost.words.contains(';') || lost.words.contains(','), lost.next.is_some(), "{reason:?}: {lost:?}");
        }
    }

    const CHALLENGE: (Method, u16, Reason) = (Method::Get, 401, Reason::CredentialsMissing);
    const WRONG: (Method, u16, Reason) = (Method::Get, 401, Reason::CredentialsWrong);
    const MASTER: (Method, u16, Reason) = (Method::Get, 200, Reason::Master);
    const PARAMETERS: (Method, u16, Reason) = (Method::Get, 200, Reason::Parameters);
    const OFF: (Method, u16, Reason) = (Method::Get, 503, Reason::ProvisioningOff);
    const FAULT: (Method, u16, Reason) = (Method::Get, 503, Reason::Fault);
    const UNKNOWN_CA: (Method, u16, Reason) = (Method::Tls, 0, Reason::Handshake(HandshakeFault::UnknownCa));

    #[test]
    fn what_happens_after_everything_was_taken_is_told_besides() {
        let blocked = (Method::Get, 503, Reason::Blocked);
        assert_eq!(
            words(true, &[MASTER, PARAMETERS, blocked]),
            "Booted and took everything; since then held: this device is blocked"
        );
        let judged = verdict(&run(true, &[MASTER, PARAMETERS, OFF]), Stage::Ended);
        assert!(
            judged.outcome == Outcome::Complete && judged.next.is_some_and(|next| next.starts_with("Switch it on")),
            "{judged:?}"
        );
        assert!(
            words(true, &[MASTER, PARAMETERS, CHALLENGE, WRONG]).ends_with("since then refused: wrong user name or password")
        );
        assert_eq!(words(true, &[OFF, WRONG, MASTER, PARAMETERS]), "Booted and took everything", "what came before is over");
        assert!(
            words(true, &[MASTER, PARAMETERS, MASTER, FAULT]).ends_with("but for a file that a fault of this server kept back")
        );
    }

    #[test]
    fn only_what_came_after_the_last_master_counts() {
        assert_eq!(words(false, &[MASTER, FAULT]), "Was answered 503 because of a fault of this server");
        assert_eq!(words(false, &[MASTER, FAULT, OFF, MASTER]), "Fetched the master file but not its configuration");
        assert!(words(false, &[MASTER, CHALLENGE, WRONG]).starts_with("Fetched the master file, then was refused"));
    }

    #[test]
    fn a_run_that_goes_on_is_not_called_a_failure_for_what_may_come_yet() {
        let so_far = |reasons: &[_]| verdict(&run(false, reasons), Stage::GoesOn);
        let judged = so_far(&[CHALLENGE, MASTER]);
        assert!(judged.outcome == Outcome::UnderWay && judged.next.is_none(), "{judged:?}");
        assert_eq!(so_far(&[MASTER, FAULT]).outcome, Outcome::Failed, "a fault is one at once");
        assert_eq!(so_far(&[OFF]).outcome, Outcome::Held);
    }

    #[test]
    fn whoever_came_past_tls_once_is_not_told_that_it_never_did() {
        assert!(words(false, &[UNKNOWN_CA, UNKNOWN_CA]).starts_with("Never came past TLS: "));
        assert!(words(false, &[CHALLENGE, UNKNOWN_CA]).starts_with("Came past TLS before, but not at last: "));
        assert_eq!(words(false, &[UNKNOWN_CA, CHALLENGE]), "Was asked for credentials and sent none");
    }

    #[test]
    fn a_lone_upload_that_is_lost_is_told_with_what_to_do() {
        let judged = verdict(&run(false, &[(Method::Put, 413, Reason::TooLarge)]), Stage::Ended);
        assert!(judged.words.contains("an upload was not kept: larger") && judged.next.is_some(), "{judged:?}");
    }
}
