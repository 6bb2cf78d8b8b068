//! How far a phone is that comes up: the steps from the first sign of it to a bound device, each with its time, its cause in words
//! and what to do. Pure: it is told what was asked and what was learned.
//!
//! Where a phone is stuck, the step says so; what it did before stands there with the time when it last did it.

use std::fmt;

use jiff::Timestamp;

use super::admission::rate::HeldBack;
use super::limits::RUN_SILENCE_SECONDS;
use super::run::verdict::{next_of_handshake, next_of_held};
use super::run::{Exchange, HandshakeFault, Method, Reason};
use super::trust::{Knock, RUNS_UNTIL_BOUND, StrayLog, Trust};

/// What is known of a phone.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What was asked, oldest first: by the phone itself, and failed handshakes at its address.
    pub exchanges: &'a [Exchange],
    /// What was learned of its key.
    pub trust: &'a Trust,
    /// Whether devices of its account get credentials of their own.
    pub binds: bool,
    /// New phones that were held back because too many came: at an address of this one, or anywhere where it has none.
    pub held_back: Option<HeldBack>,
}

/// The steps, in their order. `Display` gives their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Anything came from it.
    Heard,
    /// The way over plain HTTP; left out where the phone came over HTTPS from the beginning.
    PlainHttp,
    /// The TLS handshake.
    Tls,
    /// Its credentials.
    Credentials,
    /// Whether it is let in.
    LetIn,
    /// Its master file.
    Master,
    /// The files that the master names.
    Files,
    /// Its logs.
    Logs,
    /// Bound to credentials of its own.
    Bound,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Heard => "Heard of",
            Self::PlainHttp => "From plain HTTP to HTTPS",
            Self::Tls => "TLS",
            Self::Credentials => "Credentials",
            Self::LetIn => "Let in",
            Self::Master => "Master file",
            Self::Files => "Configuration",
            Self::Logs => "Logs",
            Self::Bound => "Bound",
        })
    }
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is done.
    Done,
    /// The phone does not get past it.
    Stuck,
    /// Its turn has not come, or the phone is about it.
    Waiting,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which one.
    pub point: Point,
    /// How it stands.
    pub state: State,
    /// When it was done, or when the phone was last seen to be stuck in it.
    pub at: Option<Timestamp>,
    /// What happened, as one sentence.
    pub words: String,
    /// What to do; none where nothing is to be done.
    pub next: Option<&'static str>,
}

impl Step {
    fn new(point: Point, state: State, at: impl Into<Option<Timestamp>>, words: impl Into<String>) -> Self {
        Self { point, state, at: at.into(), words: words.into(), next: None }
    }

    fn advising(self, next: &'static str) -> Self {
        Self { next: Some(next), ..self }
    }
}

/// All steps of a phone.
pub fn steps(known: Known<'_>) -> Vec<Step> {
    let plain_http = plain_http(known);
    let mut steps = vec![heard(known)];
    steps.extend(plain_http);
    steps.extend([tls(known), credentials(known), let_in(known), master(known), files(known), logs(known), bound(known)]);
    steps
}

impl<'a> Known<'a> {
    fn last(&self, wanted: impl Fn(&Exchange) -> bool) -> Option<&'a Exchange> {
        self.exchanges.iter().rfind(|one| wanted(one))
    }

    /// What is listed of its being refused for this reason.
    fn knock(&self, reason: Reason) -> Option<&'a Knock> {
        self.trust.knocks().find(|knock| knock.reason == reason && !knock.bare)
    }

    /// When something of this kind last came.
    fn last_at(&self, wanted: impl Fn(&Exchange) -> bool) -> Option<Timestamp> {
        self.last(wanted).map(|one| one.at)
    }
}

/// Whether a request came over plain HTTP and was shown the way to HTTPS, or nothing: there nothing that it may show is looked at.
fn is_plain(one: &Exchange) -> bool {
    use Reason::{
        Blocked, BootstrapMaster, BootstrapMove, BootstrapTrust, CameOverHttp, PlainHttp, PlainHttpOff, ProvisioningOff,
        TooManyNew, Unidentified,
    };
    match one.reason {
        BootstrapMaster | BootstrapMove | BootstrapTrust | CameOverHttp | PlainHttp | PlainHttpOff => true,
        Blocked | ProvisioningOff | TooManyNew | Unidentified => one.in_clear,
        _ => false,
    }
}

fn is_over_tls(one: &Exchange) -> bool {
    one.method != Method::Tls && !one.in_clear && !is_plain(one)
}

/// Whether a request came from a network where plain HTTP is served in full (R316).
fn is_served_in_clear(one: &Exchange) -> bool {
    one.in_clear && !is_plain(one)
}

/// Whether a request was one with credentials or a certificate that count, whatever came of it. What is said before anybody looks at
/// them, such as that nobody uploads such a file, is no sign of it.
fn is_accepted(one: &Exchange) -> bool {
    use Reason::{
        Absent, Blocked, Bound, CertificateNeeded, DeviceFile, DiskReserve, FactoryCredentials, ListedMissing, Master,
        ModelChanged, NoImage, NotApproved, NotStaged, NotThisImage, OtherPlace, Parameters, ProvisioningOff, Replaced, Resource,
        SharedMaster, SoftwareChecked, SoftwareTaken, StagedTooLong, Stored, TooLarge, TooManyNew, Unidentified,
    };
    let is_after_a_look = matches!(
        one.reason,
        Absent
            | Blocked
            | Bound
            | CertificateNeeded
            | DeviceFile
            | DiskReserve
            | FactoryCredentials
            | ListedMissing
            | Master
            | ModelChanged
            | NoImage
            | NotApproved
            | NotStaged
            | NotThisImage
            | OtherPlace
            | Parameters
            | ProvisioningOff
            | Replaced
            | Resource
            | SharedMaster
            | SoftwareChecked
            | SoftwareTaken
            | StagedTooLong
            | Stored
            | TooLarge
            | TooManyNew
            | Unidentified
    );
    is_after_a_look && !is_plain(one)
}

fn heard(known: Known<'_>) -> Step {
    let first = known.trust.first_heard.into_iter().chain(known.exchanges.first().map(|one| one.at)).min();
    match first {
        Some(_) => {
            Step::new(Point::Heard, State::Done, known.exchanges.last().map(|one| one.at).or(first), "It reaches this server")
        }
        // What was asked in its name may be forgotten: a sweep has many names.
        None if let Some(held) = &known.held_back => {
            let words = format!("It is not remembered, and may be one of too many new phones. {held}");
            Step::new(Point::Heard, State::Stuck, held.last, words).advising(TOO_MANY)
        }
        None => Step::new(Point::Heard, State::Stuck, None, "Nothing was heard of it").advising(
            "See whether it has power and a network, and whether it is told our address: by DHCP option 160 (or 161, or 66), or \
             in its menu. Then whether a firewall lets it through to our ports",
        ),
    }
}

fn plain_http(known: Known<'_>) -> Option<Step> {
    let step = |state, at, words: &str| Some(Step::new(Point::PlainHttp, state, at, words));
    let last = known.last(is_plain);
    let served_since = |at: Timestamp| known.last_at(|one| one.reason == Reason::Master).is_some_and(|served| served > at);
    match last {
        Some(one) if one.status == 503 && !served_since(one.at) => {
            let words = format!("Was told to come later: {}", held_words(known, one.reason));
            return Some(Step::new(Point::PlainHttp, State::Stuck, one.at, words).advising(held_next(known, one.reason)));
        }
        _ => {}
    }
    let Some(bootstrap) = &known.trust.bootstrap else {
        let done = last.filter(|one| served_since(one.at));
        return match (last, done) {
            (_, Some(one)) => step(State::Done, Some(one.at), "It found its way to HTTPS"),
            (Some(one), None) => {
                step(State::Waiting, Some(one.at), "Came over plain HTTP; it fetches what its master file names next")
            }
            (None, _) => None,
        };
    };
    if let Some(log) = bootstrap.stray_log {
        let (given, other) = (bootstrap.address, log.address);
        let fault = bootstrap.fault.map(|fault| format!("; from {given} the handshake failed: {fault}")).unwrap_or_default();
        let words =
            format!("{given} was given our CA, and a log came over HTTPS from {other}: that proves nothing of {given}{fault}");
        let stuck = Step::new(Point::PlainHttp, State::Stuck, log.at, words);
        return Some(stuck.advising(ONE_ADDRESS));
    }
    match (bootstrap.proven_at, bootstrap.fault) {
        (Some(proven), _) => match known.last_at(|one| one.reason == Reason::BootstrapMove) {
            Some(told) => step(State::Done, Some(told), "It showed that it trusts us and was told our HTTPS address"),
            None => {
                let waiting = Step::new(
                    Point::PlainHttp,
                    State::Waiting,
                    proven,
                    "It showed that it trusts us; with its next request it is told our HTTPS address",
                );
                Some(waiting.advising(ASKS_HOURLY))
            }
        },
        (None, Some(fault)) => {
            let words = format!("It was given our CA and the time, but has not come over HTTPS since: {fault}");
            let stuck = Step::new(Point::PlainHttp, State::Stuck, bootstrap.fetched_at, words);
            Some(stuck.advising(next_of_bootstrap(fault)))
        }
        (None, None) => {
            let words = "It was given our CA and the time; its next log over HTTPS shows whether it trusts us";
            Some(Step::new(Point::PlainHttp, State::Waiting, bootstrap.fetched_at, words).advising(ASKS_HOURLY))
        }
    }
}

/// Anybody may have sent that log.
const ONE_ADDRESS: &str = "If both are this phone, have it come from one address: where it has IPv4 and IPv6, switch one of them off on the phone until \
                           it is let in, or give it our address as a number by DHCP; where addresses are translated, see that it is always to the \
                           same one. If not, restart it: its own log counts";

const ASKS_HOURLY: &str = "Restart it, or wait: it asks once an hour";

/// A first log that fails is no fault yet: what was pushed counts from the next start on (phone-rules 16).
fn next_of_bootstrap(fault: HandshakeFault) -> &'static str {
    match fault {
        HandshakeFault::UnknownCa | HandshakeFault::CertificateRefused => {
            "Restart it: a CA counts from the next start on. If it says the same afterwards, see in Provisioning Settings whether \
             the slot and the TLS profile are free on your phones"
        }
        HandshakeFault::NoCommonSuite => "Restart it: with its next request it is given a cipher list that we share",
        HandshakeFault::CertificateBad | HandshakeFault::CertificateTime => {
            "Its clock may stand in 1999: see whether it reaches the time server of Provisioning Settings, or give it one by DHCP option 42"
        }
        other => next_of_handshake(other),
    }
}

fn tls(known: Known<'_>) -> Step {
    let failed = known.last(|one| one.method == Method::Tls);
    // A log without credentials is in no run of the phone: that it came, its proof says.
    let proven = known.trust.bootstrap.as_ref().and_then(|bootstrap| bootstrap.proven_at);
    let came = known.last_at(is_over_tls).max(proven);
    match (failed, came) {
        (Some(Exchange { at, reason: Reason::Handshake(fault), .. }), came) if came.is_none_or(|came| came < *at) => {
            let stuck = Step::new(Point::Tls, State::Stuck, *at, format!("The handshake fails: {fault}"));
            stuck.advising(next_of_handshake(*fault))
        }
        (_, Some(at)) => Step::new(Point::Tls, State::Done, at, "It trusts our certificate"),
        _ if known.last(is_served_in_clear).is_some() => {
            Step::new(Point::Tls, State::Waiting, None, "It comes over plain HTTP, from a network that is listed for that")
        }
        _ => match known.trust.stray_log() {
            Some(StrayLog { at, address }) => {
                let words =
                    format!("It has not come over HTTPS from where it was given our CA; a log in its name came from {address}");
                Step::new(Point::Tls, State::Waiting, at, words)
            }
            None => Step::new(Point::Tls, State::Waiting, None, "It has not come over HTTPS"),
        },
    }
}

fn credentials(known: Known<'_>) -> Step {
    let accepted = known.last_at(is_accepted);
    let is_after = |at: Timestamp| accepted.is_none_or(|accepted| accepted < at);
    let wrong = known.last_at(|one| one.reason == Reason::CredentialsWrong).filter(|at| is_after(*at));
    // All phones ask once without. Whoever showed a certificate that does not count may have meant to come with that alone.
    let certificate =
        known.knock(Reason::CredentialsMissing).filter(|knock| is_after(knock.at)).and_then(|knock| knock.certificate);
    let is_told = accepted.is_none() || certificate.is_some();
    let missing = known.last_at(|one| one.reason == Reason::CredentialsMissing).filter(|_| is_told);
    match (wrong, missing, accepted) {
        (Some(at), ..) => Step::new(Point::Credentials, State::Stuck, at, "401: wrong user name or password")
            .advising("Enter the credentials of Provisioning Settings on the phone, or take those out of the DHCP option"),
        (None, Some(at), _) => match certificate {
            Some(fault) => {
                let words =
                    format!("401: it has sent no credentials, and the certificate that it showed does not count: {fault}");
                Step::new(Point::Credentials, State::Stuck, at, words).advising(fault.next_step())
            }
            None => Step::new(Point::Credentials, State::Stuck, at, "401: it was asked for credentials and has sent none")
                .advising("A phone repeats the request with them at once. If nothing follows, enter the credentials on it"),
        },
        (None, None, Some(at)) => Step::new(Point::Credentials, State::Done, at, "Its credentials count"),
        (None, None, None) => Step::new(Point::Credentials, State::Waiting, None, "It has shown none"),
    }
}

fn let_in(known: Known<'_>) -> Step {
    let served = known.last_at(|one| matches!(one.reason, Reason::Master | Reason::Parameters));
    let is_hold =
        |one: &Exchange| !is_plain(one) && one.status == 503 && !matches!(one.reason, Reason::Fault | Reason::ListedMissing);
    let held = known.last(is_hold).map(|one| (one.at, one.reason));
    match (held, served) {
        (Some((at, reason)), served) if served.is_none_or(|served| served < at) => match known.knock(reason) {
            Some(knock) => Step::new(Point::LetIn, State::Stuck, at, format!("Held: {}", knock.why()))
                .advising(knock.next_step().unwrap_or_default()),
            None => Step::new(Point::LetIn, State::Stuck, at, format!("Held: {}", held_words(known, reason)))
                .advising(held_next(known, reason)),
        },
        (_, Some(at)) => Step::new(Point::LetIn, State::Done, at, "It is let in"),
        _ => Step::new(Point::LetIn, State::Waiting, None, "Nothing to decide yet"),
    }
}

/// What to do about one of too many.
const TOO_MANY: &str = "Wait: phones ask again by themselves. If it cannot wait, add it to the devices, or raise per_address or per_hour of \
                        [new_devices] in the settings of the server. If these are not your phones, somebody is trying out MAC \
                        addresses there";

fn is_held_back(known: Known<'_>, reason: Reason) -> Option<HeldBack> {
    known.held_back.filter(|_| reason == Reason::TooManyNew)
}

/// Why it is held; of one of too many also from where they came and until when.
fn held_words(known: Known<'_>, reason: Reason) -> String {
    is_held_back(known, reason).map_or_else(|| reason.to_string(), |held| format!("{reason}. {held}"))
}

fn held_next(known: Known<'_>, reason: Reason) -> &'static str {
    is_held_back(known, reason).map_or_else(|| next_of_held(reason), |_| TOO_MANY)
}

fn master(known: Known<'_>) -> Step {
    match known.last_at(|one| one.reason == Reason::Master) {
        Some(at) => Step::new(Point::Master, State::Done, at, "Fetched"),
        None => Step::new(Point::Master, State::Waiting, None, "Not fetched yet"),
    }
}

fn files(known: Known<'_>) -> Step {
    let master = known.last_at(|one| one.reason == Reason::Master);
    let taken = known.last_at(|one| one.reason == Reason::Parameters).filter(|at| master.is_none_or(|master| master <= *at));
    let lacking =
        known.last(|one| one.reason == Reason::ListedMissing).filter(|one| master.is_none_or(|master| master <= one.at));
    match (lacking, taken) {
        (Some(one), _) => Step::new(Point::Files, State::Stuck, one.at, format!("{} is not stored here", one.path))
            .advising("Take the file out of the profile that names it, or give its full address there"),
        (None, Some(at)) => Step::new(Point::Files, State::Done, at, "It took its whole configuration"),
        (None, None) => Step::new(Point::Files, State::Waiting, None, "Not fetched yet"),
    }
}

fn is_log(one: &Exchange) -> bool {
    one.path.to_ascii_lowercase().ends_with(".log") && matches!(one.method, Method::Put | Method::Post)
}

fn logs(known: Known<'_>) -> Step {
    let kept = known.last_at(|one| is_log(one) && matches!(one.status, 200..=299));
    match kept {
        Some(at) => Step::new(Point::Logs, State::Done, at, "Its logs come"),
        None => Step::new(Point::Logs, State::Waiting, None, "None came yet; a phone works without"),
    }
}

fn bound(known: Known<'_>) -> Step {
    let trust = known.trust;
    match trust.bound_at {
        Some(at) => Step::new(Point::Bound, State::Done, at, "Only its own credentials open it"),
        None if !known.binds => {
            Step::new(Point::Bound, State::Done, None, "The account gives devices no credentials of their own")
        }
        None => {
            let (complete, lacks_boot) = (trust.own.complete, trust.own.complete > 0 && !trust.own.boot);
            let and = if lacks_boot { ", and none of them was a start" } else { "" };
            let minutes = RUN_SILENCE_SECONDS / 60;
            let when = match known.exchanges {
                [] => String::new(),
                _ => format!("; a run counts {minutes} minutes after its last request, or when the phone starts anew"),
            };
            let words = format!("{complete} of {RUNS_UNTIL_BOUND} complete runs with credentials of its own{and}{when}");
            let step = Step::new(Point::Bound, State::Waiting, None, words);
            if lacks_boot || complete > 0 {
                step.advising("It comes by itself: with its next start and its next poll")
            } else {
                step
            }
        }
    }
}

#[cfg(test)]
#[path = "coming_up_tests.rs"]
mod tests;
