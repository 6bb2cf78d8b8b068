//! How the steps of a phone are told, by what was asked.

use jiff::ToSpan;

use super::*;
use crate::domain::admission::rate::{Cap, Full};
use crate::domain::manufacturer::CertificateFault;
use crate::domain::trust::{Bootstrap, Weight};

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + second.seconds()
}

fn exchange(second: i64, method: Method, path: &str, status: u16, reason: Reason) -> Exchange {
    Exchange { at: at(second), method, path: path.into(), status, size_bytes: 0, reason, in_clear: false }
}

fn state(exchanges: &[Exchange], trust: &Trust, point: Point) -> (State, Option<Timestamp>) {
    let steps = steps(Known { exchanges, trust, binds: true, held_back: None });
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
    let all = steps(Known { exchanges: &[], trust: &Trust::default(), binds: true, held_back: None });
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
    let steps = steps(Known { exchanges: &seen, trust: &trust, binds: true, held_back: None });
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
    let bootstrap = Bootstrap { fetched_at: at(2), address, proven_at: None, moved_at: None, fault: None, stray_log: None };
    let of = |bootstrap: Bootstrap| Trust { first_heard: Some(at(1)), bootstrap: Some(Box::new(bootstrap)), ..Trust::default() };
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
    assert_eq!(state(&seen, &proven, Point::Tls), (State::Done, Some(at(3))), "the log that proved it came over TLS");
    assert_eq!(state(&seen, &Trust::default(), Point::Tls).0, State::Waiting, "nothing else of this did");
    seen.push(get(5, 200, Reason::Master));
    assert_eq!(state(&seen, &Trust::default(), Point::PlainHttp).0, State::Done);
    seen.push(get(6, 503, Reason::CameOverHttp));
    assert_eq!(state(&seen, &Trust::default(), Point::PlainHttp), (State::Stuck, Some(at(6))));
}

#[test]
fn binding_counts_its_runs() {
    let mut trust = Trust::default();
    let words = |trust: &Trust| {
        steps(Known { exchanges: &[], trust, binds: true, held_back: None }).pop().map(|step| step.words).unwrap_or_default()
    };
    assert!(words(&trust).starts_with("0 of 2"));
    trust.own.complete = 1;
    assert!(words(&trust).contains("none of them was a start"));
    trust.bound_at = Some(at(9));
    assert_eq!(state(&[], &trust, Point::Bound), (State::Done, Some(at(9))));
    let off = steps(Known { exchanges: &[], trust: &Trust::default(), binds: false, held_back: None });
    assert_eq!(off.last().map(|step| step.state), Some(State::Done));
}

fn in_clear(one: Exchange) -> Exchange {
    Exchange { in_clear: true, ..one }
}

fn told(exchanges: &[Exchange], trust: &Trust, point: Point) -> Step {
    let found = steps(Known { exchanges, trust, binds: true, held_back: None }).into_iter().find(|step| step.point == point);
    found.expect("a step")
}

/// Over plain HTTP nobody shows that it trusts us, nor credentials.
#[test]
fn whoever_only_came_over_plain_http_is_told_nothing_of_tls_and_credentials() {
    use Reason::{Blocked, BootstrapMaster, CameOverHttp, PlainHttp, PlainHttpOff, ProvisioningOff, TooManyNew, Unidentified};
    let trust = Trust::default();
    for reason in [Blocked, CameOverHttp, PlainHttpOff, ProvisioningOff, TooManyNew, Unidentified, BootstrapMaster, PlainHttp] {
        let status = if reason.is_held() { 503 } else { 200 };
        let seen = [in_clear(get(1, status, reason))];
        for point in [Point::Tls, Point::Credentials, Point::LetIn] {
            assert_eq!(told(&seen, &trust, point).state, State::Waiting, "{reason:?} {point}");
        }
        let way = told(&seen, &trust, Point::PlainHttp);
        assert_eq!(way.state == State::Stuck, reason.is_held(), "{reason:?}");
        assert!(!reason.is_held() || way.words.contains(&reason.to_string()) && way.next.is_some(), "{way:?}");
    }
}

#[test]
fn what_is_said_before_anybody_looks_at_credentials_is_no_sign_of_them() {
    let trust = Trust::default();
    for (status, reason) in
        [(403, Reason::NotUploadable), (403, Reason::Foreign), (405, Reason::MethodRefused), (503, Reason::Fault)]
    {
        let seen = [get(1, status, reason)];
        assert_eq!(told(&seen, &trust, Point::Tls).state, State::Done, "{reason:?}");
        assert_eq!(told(&seen, &trust, Point::Credentials).state, State::Waiting, "{reason:?}");
    }
}

#[test]
fn in_a_network_that_is_served_in_clear_credentials_count_and_nothing_is_told_of_tls() {
    let mut seen = vec![in_clear(get(1, 401, Reason::CredentialsMissing)), in_clear(get(2, 503, Reason::OtherPlace))];
    let trust = Trust::default();
    assert_eq!(told(&seen, &trust, Point::LetIn).state, State::Stuck);
    seen.push(in_clear(get(3, 200, Reason::Master)));
    let tls = told(&seen, &trust, Point::Tls);
    assert!(tls.state == State::Waiting && tls.words.contains("listed for that"), "{tls:?}");
    for point in [Point::Credentials, Point::LetIn, Point::Master] {
        assert_eq!(told(&seen, &trust, point).state, State::Done, "{point}");
    }
}

#[test]
fn a_certificate_that_does_not_count_is_told_with_its_cause_and_step() {
    let address = [10, 0, 0, 7].into();
    for fault in CertificateFault::ALL {
        for (status, reason, point) in
            [(503, Reason::CertificateNeeded, Point::LetIn), (401, Reason::CredentialsMissing, Point::Credentials)]
        {
            let knock = Knock::new(at(1), reason, address, "").showing(Some(fault));
            let trust = Trust { knock: Some(Box::new(knock)), ..Trust::default() };
            let step = told(&[get(1, status, reason)], &trust, point);
            assert!(step.words.contains(&fault.to_string()) && step.next == Some(fault.next_step()), "{step:?}");
        }
    }
}

#[test]
fn a_log_that_came_from_another_address_is_told_to_prove_nothing() {
    let (here, there) = ([10, 0, 0, 7].into(), [10, 0, 0, 8].into());
    let seen = [in_clear(get(1, 200, Reason::BootstrapTrust))];
    let mut trust = Trust::default();
    trust.log_came(at(0), there);
    trust.bootstrapped(at(1), here);
    assert_eq!(told(&seen, &trust, Point::PlainHttp).state, State::Waiting, "before it was given our CA that says nothing");
    trust.log_came(at(2), there);
    let way = told(&seen, &trust, Point::PlainHttp);
    assert!((way.state, way.at) == (State::Stuck, Some(at(2))) && way.words.contains("10.0.0.8"), "{way:?}");
    assert!(way.next.is_some_and(|next| next.contains("IPv6")), "{way:?}");
    let tls = told(&seen, &trust, Point::Tls);
    assert!(tls.state == State::Waiting && tls.words.contains("10.0.0.8"), "{tls:?}");
    trust.handshake_failed(here, HandshakeFault::UnknownCa);
    let fault = HandshakeFault::UnknownCa.to_string();
    assert!(told(&seen, &trust, Point::PlainHttp).words.contains(&fault), "both may be so");
    trust.log_came(at(3), here);
    trust.log_came(at(4), there);
    assert_eq!(told(&seen, &trust, Point::PlainHttp).state, State::Waiting, "it has proof");
    assert_eq!((told(&seen, &trust, Point::Tls).state, told(&seen, &trust, Point::Tls).at), (State::Done, Some(at(3))));
}

#[test]
fn of_logs_from_elsewhere_the_last_is_remembered_for_a_day() {
    let (here, mut trust) = ([10, 0, 0, 7].into(), Trust::default());
    trust.bootstrapped(at(0), here);
    (1..=200).for_each(|second| trust.log_came(at(second), [10, 0, 1, second.to_le_bytes()[0]].into()));
    let last = Some((at(200), [10, 0, 1, 200].into()));
    let remembered = |trust: &Trust| trust.stray_log().map(|log| (log.at, log.address));
    assert_eq!(remembered(&trust), last);
    trust.bootstrapped(at(200 + 24 * 3_600 - 1), here);
    assert_eq!(remembered(&trust), last);
    trust.bootstrapped(at(200 + 24 * 3_600), here);
    assert_eq!(remembered(&trust), None);
}

#[test]
fn one_of_too_many_is_told_from_where_they_come_until_when_and_what_to_do() {
    let full = Full { cap: Cap::Address(100), until: at(600) };
    let held_back = Some(HeldBack { address: [10, 6, 6, 7].into(), last: at(30), times: 5_000, shown: Weight::Open, full });
    let nobody = Trust::default();
    let of = |exchanges: &[Exchange], point| {
        let steps = steps(Known { exchanges, trust: &nobody, binds: true, held_back });
        let step = steps.into_iter().find(|step| step.point == point).expect("a step");
        assert!(step.words.contains("10.6.6.7 asked for more than 100 new phones"), "{step:?}");
        assert!(step.words.contains("again at 00:10 UTC"), "{step:?}");
        assert!(step.next.is_some_and(|next| next.contains("[new_devices]") && !next.contains("power")), "{step:?}");
        step.state
    };
    assert_eq!(of(&[], Point::Heard), State::Stuck);
    assert_eq!(of(&[get(30, 503, Reason::TooManyNew)], Point::LetIn), State::Stuck);
    let in_clear = Exchange { in_clear: true, ..get(30, 503, Reason::TooManyNew) };
    assert_eq!(of(&[in_clear], Point::PlainHttp), State::Stuck);
}
