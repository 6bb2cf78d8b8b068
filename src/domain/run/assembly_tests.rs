//! Tests of [`super`].

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::domain::mac::Mac;
use crate::domain::run::{Method, Reason};

const PHONE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 66));

fn key(last: u8) -> DeviceKey {
    DeviceKey::Mac(Mac::from_bytes([0, 4, 0xf2, 0, 0, last]))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).expect("a time within the range")
}

/// A served request of phone 1 at a second; each test changes what it is about.
fn heard(second: i64, asked: Asked) -> Heard {
    let (method, reason) = match asked {
        Asked::Master => (Method::Get, Reason::Master),
        Asked::Parameters => (Method::Get, Reason::Parameters),
        Asked::BootLog => (Method::Put, Reason::Stored),
        Asked::Other => (Method::Get, Reason::Absent),
    };
    let status = if reason == Reason::Absent { 404 } else { 200 };
    Heard {
        connection: 1,
        address: PHONE,
        key: Some(key(1)),
        standing: Standing::LetIn,
        asked,
        speaker: Speaker::Application,
        user_agent: "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application".into(),
        exchange: Exchange { at: at(second), method, path: "/x".into(), status, size_bytes: 1, reason },
    }
}

fn refused(mut heard: Heard, reason: Reason) -> Heard {
    heard.standing = Standing::Refused;
    heard.exchange.status = 401;
    heard.exchange.reason = reason;
    heard
}

/// All runs that come of these requests, in the order in which they end.
fn runs_of(requests: impl IntoIterator<Item = Heard>) -> Vec<Finished> {
    let (mut assembler, mut finished) = (Assembler::default(), Vec::new());
    for request in requests {
        assembler.hear(request, &mut finished);
    }
    assembler.end_all(&mut finished);
    assert_eq!(assembler.open_runs().count(), 0);
    assert!(assembler.by_connection.is_empty() && assembler.by_address.is_empty(), "an index outlives its runs");
    finished
}

fn lengths(finished: &[Finished]) -> Vec<usize> {
    finished.iter().map(|f| f.run.exchanges.len()).collect()
}

#[test]
fn a_run_lasts_until_120_seconds_of_silence() {
    use Asked::{Master, Other, Parameters};
    let finished = runs_of([heard(0, Master), heard(119, Parameters), heard(238, Other), heard(358, Master)]);
    assert_eq!(lengths(&finished), [3, 1]);
    assert_eq!(finished[0].subject, Subject::Device(key(1)));
    assert_eq!((finished[0].run.started_at, finished[0].run.ended_at), (at(0), at(238)));
}

#[test]
fn silence_ends_a_run_without_another_request() {
    let (mut assembler, mut finished) = (Assembler::default(), Vec::new());
    assembler.hear(heard(0, Asked::Master), &mut finished);
    assembler.end_silent(at(119), &mut finished);
    assert!(finished.is_empty() && assembler.open_run(&Subject::Device(key(1))).is_some());
    assembler.end_silent(at(120), &mut finished);
    assert_eq!(lengths(&finished), [1]);
}

#[test]
fn a_boot_log_begins_a_run_and_makes_it_a_boot() {
    let finished = runs_of([heard(0, Asked::BootLog), heard(2, Asked::Master)]);
    assert_eq!((lengths(&finished), finished[0].run.kind), (vec![2], RunKind::Boot));
    assert_eq!(runs_of([heard(0, Asked::Master)])[0].run.kind, RunKind::Poll);
    let updater = Heard { speaker: Speaker::Updater, ..heard(0, Asked::Master) };
    assert_eq!(runs_of([updater])[0].run.kind, RunKind::Boot);
}

#[test]
fn log_uploads_and_other_files_outside_a_run_stand_alone() {
    assert!(runs_of([heard(0, Asked::Other), heard(500, Asked::Parameters)]).is_empty());
    let challenged = refused(heard(0, Asked::Other), Reason::CredentialsMissing);
    assert!(runs_of([challenged, heard(1, Asked::Other)]).is_empty());
}

#[test]
fn a_run_is_complete_once_master_and_parameters_were_served_in_this_order() {
    use Asked::{Master, Parameters};
    assert!(runs_of([heard(0, Master), heard(1, Parameters)])[0].run.complete);
    assert!(!runs_of([heard(0, Master)])[0].run.complete);
    let mut failed = heard(1, Parameters);
    failed.exchange.status = 503;
    assert!(!runs_of([heard(0, Master), failed])[0].run.complete);
    let mut size_only = heard(0, Master);
    size_only.exchange.method = Method::Head;
    assert!(!runs_of([size_only, heard(1, Parameters)])[0].run.complete);
}

#[test]
fn the_challenge_before_a_phone_is_let_in_belongs_to_its_run() {
    let challenge = refused(heard(0, Asked::Master), Reason::CredentialsMissing);
    let again = refused(heard(2, Asked::Other), Reason::CredentialsMissing);
    let finished = runs_of([challenge, heard(1, Asked::Master), again, heard(3, Asked::Other)]);
    assert_eq!((lengths(&finished), &finished[0].subject), (vec![4], &Subject::Device(key(1))));
}

#[test]
fn whoever_only_names_a_device_gets_a_run_of_its_own() {
    let stranger = Heard { address: ELSEWHERE, connection: 9, ..refused(heard(1, Asked::Master), Reason::CredentialsWrong) };
    let finished = runs_of([heard(0, Asked::Master), stranger, heard(2, Asked::Parameters)]);
    let subjects: Vec<_> = finished.iter().map(|f| f.subject.clone()).collect();
    assert!(subjects.contains(&Subject::Device(key(1))) && subjects.contains(&Subject::Stranger(key(1))));
    assert!(finished.iter().any(|f| f.run.complete && f.run.exchanges.len() == 2));
}

#[test]
fn requests_without_a_name_join_the_run_of_their_connection_then_of_their_address() {
    let nameless = |second, connection, address| Heard { key: None, connection, address, ..heard(second, Asked::Other) };
    let other = Heard { key: Some(key(2)), connection: 2, ..heard(1, Asked::Master) };
    let finished =
        runs_of([heard(0, Asked::Master), other, nameless(2, 1, PHONE), nameless(3, 77, PHONE), nameless(4, 78, ELSEWHERE)]);
    let of = |subject: Subject| finished.iter().find(|f| f.subject == subject).map(|f| f.run.exchanges.len());
    // The request over connection 77 came after the one over connection 1, so the address points to phone 1 again.
    assert_eq!(of(Subject::Device(key(1))), Some(3));
    assert_eq!(of(Subject::Device(key(2))), Some(1));
    assert_eq!(of(Subject::Address(ELSEWHERE)), Some(1));
}

#[test]
fn failed_handshakes_are_gathered_by_address() {
    let fault = crate::domain::run::HandshakeFault::UnknownCa;
    let failed = |second| {
        let mut h = refused(heard(second, Asked::Other), Reason::Handshake(fault));
        (h.key, h.exchange.method, h.exchange.status) = (None, Method::Tls, 0);
        h
    };
    let finished = runs_of([failed(0), failed(30), failed(300)]);
    assert_eq!((lengths(&finished), &finished[0].subject), (vec![2, 1], &Subject::Address(PHONE)));
}

#[test]
fn a_sweep_over_addresses_ends_the_oldest_refused_run_and_touches_no_device() {
    let caps = Caps { devices: 2, refused: 3, exchanges: 2 };
    let (mut assembler, mut finished) = (Assembler::new(caps), Vec::new());
    assembler.hear(heard(0, Asked::Master), &mut finished);
    for last in 10..40 {
        let named = Heard { key: Some(key(last)), ..refused(heard(1, Asked::Master), Reason::CredentialsWrong) };
        assembler.hear(named, &mut finished);
    }
    assert_eq!((finished.len(), assembler.open_runs().count()), (27, 4));
    assert!(assembler.open_run(&Subject::Device(key(1))).is_some());
    for second in 2..6 {
        assembler.hear(heard(second, Asked::Other), &mut finished);
    }
    let run = assembler.open_run(&Subject::Device(key(1))).expect("the device's run is open");
    assert_eq!((run.exchanges.len(), run.left_out), (2, 3));
}

fn any_heard() -> impl Strategy<Value = (i64, u64, u8, Option<u8>, bool, u8)> {
    (0i64..90, 0u64..5, 0u8..3, proptest::option::of(0u8..4), any::<bool>(), 0u8..4)
}

proptest! {
    #[test]
    fn whatever_comes_runs_are_in_order_without_a_gap_and_within_their_caps(steps in proptest::collection::vec(any_heard(), 0..120)) {
        let caps = Caps { devices: 2, refused: 2, exchanges: 5 };
        let (mut assembler, mut finished, mut now) = (Assembler::new(caps), Vec::new(), 0);
        for (wait, connection, address, named, let_in, asked) in steps {
            now += wait;
            let asked = [Asked::Master, Asked::BootLog, Asked::Parameters, Asked::Other][usize::from(asked)];
            let base = Heard {
                connection,
                address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, address)),
                key: named.map(key),
                ..heard(now, asked)
            };
            assembler.hear(if let_in { base } else { refused(base, Reason::CredentialsWrong) }, &mut finished);
            prop_assert!(assembler.devices.len() <= 2 && assembler.refused.len() <= 2);
            prop_assert!(assembler.by_connection.len() <= 4 && assembler.by_address.len() <= 4);
        }
        assembler.end_all(&mut finished);
        prop_assert!(assembler.by_connection.is_empty() && assembler.by_address.is_empty());
        for Finished { run, .. } in &finished {
            prop_assert!(!run.exchanges.is_empty() && run.exchanges.len() <= 5);
            prop_assert!(run.started_at == run.exchanges[0].at && run.ended_at >= run.exchanges[run.exchanges.len() - 1].at);
            for pair in run.exchanges.windows(2) {
                let gap = pair[1].at.duration_since(pair[0].at).as_secs();
                prop_assert!((0..RUN_SILENCE_SECONDS).contains(&gap));
            }
        }
    }
}
