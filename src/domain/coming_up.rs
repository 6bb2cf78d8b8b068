//! How far a phone is that comes up: the steps from the first sign of it to a bound device, each with its time, its cause in words
//! and what to do. Pure: it is told what was asked and what was learned.
//!
//! Where a phone is stuck, the step says so; what it did before stands there with the time when it last did it.

use std::fmt;

use jiff::Timestamp;

use super::limits::RUN_SILENCE_SECONDS;
use super::run::verdict::{next_of_handshake, next_of_held};
use super::run::{Exchange, HandshakeFault, Method, Reason};
use super::trust::{RUNS_UNTIL_BOUND, Trust};

/// What is known of a phone.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What was asked, oldest first: by the phone itself, and failed handshakes at its address.
    pub exchanges: &'a [Exchange],
    /// What was learned of its key.
    pub trust: &'a Trust,
    /// Whether devices of its account get credentials of their own.
    pub binds: bool,
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

    /// When something of this kind last came.
    fn last_at(&self, wanted: impl Fn(&Exchange) -> bool) -> Option<Timestamp> {
        self.last(wanted).map(|one| one.at)
    }
}

/// Whether a request came over plain HTTP, as far as its answer tells.
fn is_plain(one: &Exchange) -> bool {
    use Reason::{BootstrapMaster, BootstrapMove, BootstrapTrust, CameOverHttp, PlainHttp, PlainHttpOff};
    matches!(one.reason, BootstrapMaster | BootstrapMove | BootstrapTrust | CameOverHttp | PlainHttp | PlainHttpOff)
}

fn is_over_tls(one: &Exchange) -> bool {
    one.method != Method::Tls && !is_plain(one)
}

/// Whether a request was one with credentials that count, whatever came of it.
fn is_accepted(one: &Exchange) -> bool {
    is_over_tls(one) && one.status != 401 && one.status != 0
}

fn heard(known: Known<'_>) -> Step {
    let first = known.trust.first_heard.into_iter().chain(known.exchanges.first().map(|one| one.at)).min();
    match first {
        Some(_) => {
            Step::new(Point::Heard, State::Done, known.exchanges.last().map(|one| one.at).or(first), "It reaches this server")
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
        Some(one) if matches!(one.reason, Reason::CameOverHttp | Reason::PlainHttpOff) && !served_since(one.at) => {
            let refused = Step::new(Point::PlainHttp, State::Stuck, one.at, format!("Was told to come later: {}", one.reason));
            return Some(refused.advising(next_of_held(one.reason)));
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
    let came = known.last_at(is_over_tls);
    match (failed, came) {
        (Some(Exchange { at, reason: Reason::Handshake(fault), .. }), came) if came.is_none_or(|came| came < *at) => {
            let stuck = Step::new(Point::Tls, State::Stuck, *at, format!("The handshake fails: {fault}"));
            stuck.advising(next_of_handshake(*fault))
        }
        (_, Some(at)) => Step::new(Point::Tls, State::Done, at, "It trusts our certificate"),
        _ => Step::new(Point::Tls, State::Waiting, None, "It has not come over HTTPS"),
    }
}

fn credentials(known: Known<'_>) -> Step {
    let accepted = known.last_at(is_accepted);
    let is_after = |at: Timestamp| accepted.is_none_or(|accepted| accepted < at);
    let wrong = known.last_at(|one| one.reason == Reason::CredentialsWrong).filter(|at| is_after(*at));
    let missing = known.last_at(|one| one.reason == Reason::CredentialsMissing).filter(|_| accepted.is_none());
    match (wrong, missing, accepted) {
        (Some(at), ..) => Step::new(Point::Credentials, State::Stuck, at, "401: wrong user name or password")
            .advising("Enter the credentials of Provisioning Settings on the phone, or take those out of the DHCP option"),
        (None, Some(at), _) => {
            Step::new(Point::Credentials, State::Stuck, at, "401: it was asked for credentials and has sent none")
                .advising("A phone repeats the request with them at once. If nothing follows, enter the credentials on it")
        }
        (None, None, Some(at)) => Step::new(Point::Credentials, State::Done, at, "Its credentials count"),
        (None, None, None) => Step::new(Point::Credentials, State::Waiting, None, "It has shown none"),
    }
}

fn let_in(known: Known<'_>) -> Step {
    let served = known.last_at(|one| matches!(one.reason, Reason::Master | Reason::Parameters));
    let is_hold =
        |one: &Exchange| is_over_tls(one) && one.status == 503 && !matches!(one.reason, Reason::Fault | Reason::ListedMissing);
    let held = known.last(is_hold).map(|one| (one.at, one.reason));
    match (held, served) {
        (Some((at, reason)), served) if served.is_none_or(|served| served < at) => {
            Step::new(Point::LetIn, State::Stuck, at, format!("Held: {reason}")).advising(next_of_held(reason))
        }
        (_, Some(at)) => Step::new(Point::LetIn, State::Done, at, "It is let in"),
        _ => Step::new(Point::LetIn, State::Waiting, None, "Nothing to decide yet"),
    }
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

fn logs(known: Known<'_>) -> Step {
    let is_log =
        |one: &Exchange| one.path.to_ascii_lowercase().ends_with(".log") && matches!(one.method, Method::Put | Method::Post);
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
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::domain::trust::Bootstrap;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + second.seconds()
    }

    fn exchange(second: i64, method: Method, path: &str, status: u16, reason: Reason) -> Exchange {
        Exchange { at: at(second), method, path: path.into(), status, size_bytes: 0, reason }
    }

    fn state(exchanges: &[Exchange], trust: &Trust, point: Point) -> (State, Option<Timestamp>) {
        let steps = steps(Known { exchanges, trust, binds: true });
        let step = steps.iter().find(|step| step.point == point).expect("a step");
        assert!(step.state != State::Stuck || step.next.is_some(), "{step:?} says what to do");
        (step.state, step.at)
    }

    fn get(second: i64, status: u16, reason: Reason) -> Exchange {
        exchange(second, Method::Get, "/0004f2aa0001.cfg", status, reason)
    }

    fn failed(second: i64, fault: HandshakeFault) -> Exchange {
        exchange(second, Method::Tls, "", 0, Reason::Handshake(fault))
    }

    #[test]
    fn of_whom_nothing_was_heard_the_first_step_says_what_to_look_at_and_the_others_wait() {
        let all = steps(Known { exchanges: &[], trust: &Trust::default(), binds: true });
        assert_eq!((all[0].point, all[0].state), (Point::Heard, State::Stuck));
        assert!(all[0].next.is_some_and(|next| next.contains("option 160")));
        assert!(all[1..].iter().all(|step| step.state == State::Waiting && step.point != Point::PlainHttp));
    }

    #[test]
    fn a_failed_handshake_is_stuck_until_the_phone_comes_past_it() {
        let trust = Trust::default();
        let mut seen = vec![failed(1, HandshakeFault::UnknownCa)];
        assert_eq!(state(&seen, &trust, Point::Tls), (State::Stuck, Some(at(1))));
        assert_eq!(state(&seen, &trust, Point::Credentials).0, State::Waiting);
        seen.push(get(2, 401, Reason::CredentialsMissing));
        assert_eq!(state(&seen, &trust, Point::Tls), (State::Done, Some(at(2))));
        seen.push(failed(3, HandshakeFault::CertificateTime));
        assert_eq!(state(&seen, &trust, Point::Tls), (State::Stuck, Some(at(3))));
    }

    #[test]
    fn missing_and_wrong_credentials_are_told_apart_and_mended_ones_are_done() {
        let trust = Trust::default();
        let mut seen = vec![get(1, 401, Reason::CredentialsMissing)];
        assert_eq!(state(&seen, &trust, Point::Credentials), (State::Stuck, Some(at(1))));
        seen.push(get(2, 401, Reason::CredentialsWrong));
        let steps = steps(Known { exchanges: &seen, trust: &trust, binds: true });
        assert!(steps.iter().any(|step| step.words.contains("wrong user name")));
        seen.push(get(3, 200, Reason::Master));
        assert_eq!(state(&seen, &trust, Point::Credentials), (State::Done, Some(at(3))));
    }

    #[test]
    fn whoever_is_held_is_stuck_with_the_reason_until_it_is_served() {
        let trust = Trust::default();
        let mut seen = vec![get(1, 503, Reason::FactoryCredentials)];
        assert_eq!(state(&seen, &trust, Point::Credentials).0, State::Done);
        assert_eq!(state(&seen, &trust, Point::LetIn), (State::Stuck, Some(at(1))));
        seen.push(get(2, 200, Reason::Master));
        assert_eq!(state(&seen, &trust, Point::LetIn), (State::Done, Some(at(2))));
        assert_eq!(state(&seen, &trust, Point::Master), (State::Done, Some(at(2))));
        assert_eq!(state(&seen, &trust, Point::Files).0, State::Waiting);
        seen.push(get(3, 200, Reason::Parameters));
        assert_eq!(state(&seen, &trust, Point::Files), (State::Done, Some(at(3))));
        seen.push(exchange(4, Method::Get, "/x.cfg", 503, Reason::ListedMissing));
        assert_eq!(state(&seen, &trust, Point::Files), (State::Stuck, Some(at(4))));
        assert_eq!(state(&seen, &trust, Point::LetIn).0, State::Done);
        seen.push(exchange(5, Method::Put, "/0004f2aa0001-APP.LOG", 201, Reason::Stored));
        assert_eq!(state(&seen, &trust, Point::Logs), (State::Done, Some(at(5))));
    }

    #[test]
    fn the_way_from_plain_http_is_told_stage_by_stage() {
        let address = [10, 0, 0, 7].into();
        let bootstrap = Bootstrap { fetched_at: at(2), address, proven_at: None, fault: None };
        let of = |bootstrap: Bootstrap| Trust { first_heard: Some(at(1)), bootstrap: Some(bootstrap), ..Trust::default() };
        let mut seen = vec![get(1, 200, Reason::BootstrapMaster)];
        assert_eq!(state(&seen, &Trust::default(), Point::PlainHttp), (State::Waiting, Some(at(1))));
        seen.push(get(2, 200, Reason::BootstrapTrust));
        assert_eq!(state(&seen, &of(bootstrap.clone()), Point::PlainHttp), (State::Waiting, Some(at(2))));
        for fault in
            [HandshakeFault::UnknownCa, HandshakeFault::NoCommonSuite, HandshakeFault::CertificateTime, HandshakeFault::HungUp]
        {
            let failing = Bootstrap { fault: Some(fault), ..bootstrap.clone() };
            assert_eq!(state(&seen, &of(failing), Point::PlainHttp), (State::Stuck, Some(at(2))));
        }
        let proven = of(Bootstrap { proven_at: Some(at(3)), ..bootstrap });
        assert_eq!(state(&seen, &proven, Point::PlainHttp), (State::Waiting, Some(at(3))));
        seen.push(get(4, 200, Reason::BootstrapMove));
        assert_eq!(state(&seen, &proven, Point::PlainHttp), (State::Done, Some(at(4))));
        assert_eq!(state(&seen, &proven, Point::Tls).0, State::Waiting, "none of this was TLS");
        seen.push(get(5, 200, Reason::Master));
        assert_eq!(state(&seen, &Trust::default(), Point::PlainHttp).0, State::Done);
        seen.push(get(6, 503, Reason::CameOverHttp));
        assert_eq!(state(&seen, &Trust::default(), Point::PlainHttp), (State::Stuck, Some(at(6))));
    }

    #[test]
    fn binding_counts_its_runs() {
        let mut trust = Trust::default();
        let words =
            |trust: &Trust| steps(Known { exchanges: &[], trust, binds: true }).pop().map(|step| step.words).unwrap_or_default();
        assert!(words(&trust).starts_with("0 of 2"));
        trust.own.complete = 1;
        assert!(words(&trust).contains("none of them was a start"));
        trust.bound_at = Some(at(9));
        assert_eq!(state(&[], &trust, Point::Bound), (State::Done, Some(at(9))));
        let off = steps(Known { exchanges: &[], trust: &Trust::default(), binds: false });
        assert_eq!(off.last().map(|step| step.state), Some(State::Done));
    }
}
