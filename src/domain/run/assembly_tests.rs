//! Tests of [`super`].

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::domain::limits::RUN_SILENCE_SECONDS;
use crate::domain::mac::Mac;
use crate::domain::run::RunKind;

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
        shown: None,
        is_back: false,
        asked,
        speaker: Speaker::Application,
        user_agent: "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application".into(),
        exchange: Exchange { at: at(second), method, path: "/x".into(), status, size_bytes: 1, reason, in_clear: false },
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

/// The same request of an Updater.
fn updater(heard: Heard) -> Heard {
    Heard {
        speaker: Speaker::Updater,
        user_agent: "FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater".into(),
        ..heard
    }
}

/// The same request, let in by this.
fn with(shown: Shown, heard: Heard) -> Heard {
    Heard { shown: Some(shown), ..heard }
}

#[test]
fn an_updater_after_an_application_begins_the_next_run_with_its_challenge() {
    use Asked::{BootLog, Master, Other, Parameters};
    let challenge = refused(heard(20, BootLog), Reason::CredentialsMissing);
    let challenge = Heard { connection: 2, ..challenge };
    let again = |second, asked| Heard { connection: 2, ..heard(second, asked) };
    let first = [heard(0, Master), heard(1, Parameters), heard(2, Other)];
    let second = [challenge, updater(again(21, BootLog)), updater(again(22, Other)), again(23, Master), again(24, Parameters)];
    let finished = runs_of(first.into_iter().chain(second));
    assert_eq!(lengths(&finished), [3, 5]);
    let told: Vec<_> = finished.iter().map(|f| (f.run.started_at, f.run.ended_at, f.run.kind, f.run.complete)).collect();
    assert_eq!(told, [(at(0), at(2), RunKind::Poll, true), (at(20), at(24), RunKind::Boot, true)]);
}

#[test]
fn a_phone_that_starts_with_another_file_than_a_log_or_master_begins_a_run_all_the_same() {
    let first = [heard(0, Asked::Master), heard(1, Asked::Parameters)];
    let finished = runs_of(first.into_iter().chain([updater(heard(9, Asked::Other)), updater(heard(10, Asked::Master))]));
    assert_eq!(lengths(&finished), [2, 2]);
}

#[test]
fn only_an_updater_that_was_heard_after_an_application_that_was_heard_is_a_restart() {
    use Asked::{BootLog, Master, Other, Parameters};
    let boot = || vec![updater(heard(0, BootLog)), updater(heard(1, Master)), heard(2, Master), heard(3, Parameters)];
    assert_eq!(lengths(&runs_of(boot())), [4], "an ordinary boot");
    let log_at_its_end = boot().into_iter().chain([heard(4, BootLog)]);
    assert_eq!(lengths(&runs_of(log_at_its_end)), [5], "the application uploads the log of the start");
    let unknown = Heard { speaker: Speaker::Unknown, ..heard(0, Other) };
    assert_eq!(lengths(&runs_of([heard(0, Master), unknown.clone()])), [2]);
    let nobody_knows = [Heard { asked: Master, ..unknown }, updater(heard(1, Master))];
    assert_eq!(lengths(&runs_of(nobody_knows)), [2], "what spoke first may have been the Updater");
    let mut cut = updater(heard(9, BootLog));
    (cut.exchange.status, cut.exchange.reason) = (0, Reason::CutOff);
    assert_eq!(lengths(&runs_of(boot().into_iter().chain([cut]))), [5], "a connection that was cut is noticed late");
    let stranger = Heard { connection: 9, ..updater(refused(heard(9, BootLog), Reason::CredentialsWrong)) };
    assert_eq!(lengths(&runs_of(boot().into_iter().chain([stranger]))), [5], "whoever is not let in restarts no phone");
}

#[test]
fn what_a_phone_showed_before_it_took_its_credentials_up_spoils_no_run() {
    use Asked::{BootLog, Master, Other, Parameters};
    use Shown::{FactoryDefault, Own};
    let lesson = |requests: Vec<Heard>| runs_of(requests).pop().expect("a run").lesson;
    let taken_up = || vec![with(FactoryDefault, heard(0, Master)), with(FactoryDefault, heard(1, Parameters))];
    let then = |more: Vec<Heard>| lesson(taken_up().into_iter().chain(more).collect());
    assert_eq!(then(Vec::new()), Lesson::default());
    assert!(!then(vec![with(Own, heard(2, Other))]).is_own, "its configuration came with others");
    assert!(!then(vec![with(Own, heard(2, Master))]).is_own, "half of it did");
    let polled = vec![with(Own, heard(2, Master)), with(Own, heard(3, Parameters))];
    assert_eq!(then(polled.clone()), Lesson { is_own: true, ..Lesson::default() }, "no Updater came with them");
    let restarted: Vec<_> = [updater(with(Own, heard(2, BootLog)))].into_iter().chain(polled.clone()).collect();
    assert_eq!(then(restarted), Lesson { is_own: true, is_own_boot: true, ..Lesson::default() });
    let mixed = polled.into_iter().chain([with(FactoryDefault, heard(4, Other))]).collect();
    assert!(!then(mixed).is_own, "somebody else is there too");
    let back = Heard { is_back: true, ..with(FactoryDefault, heard(0, Master)) };
    assert!(lesson(vec![back]).is_back);
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
    let of = |subject: Subject| of(&finished, &subject).first().map(|run| run.exchanges.len());
    // The request over connection 77 came after the one over connection 1, so the address points to phone 1 again.
    assert_eq!(of(Subject::Device(key(1))), Some(3));
    assert_eq!(of(Subject::Device(key(2))), Some(1));
    assert_eq!(of(Subject::Address(ELSEWHERE)), Some(1));
}

/// A handshake of the phones' address that failed.
fn failed_handshake(second: i64) -> Heard {
    let reason = Reason::Handshake(crate::domain::run::HandshakeFault::UnknownCa);
    let mut heard = refused(heard(second, Asked::Other), reason);
    (heard.key, heard.connection, heard.exchange.method, heard.exchange.status) = (None, 50, Method::Tls, 0);
    heard
}

/// A request of a neighbour behind the phone's own address, over a connection of its own.
fn neighbour(second: i64, named: bool) -> Heard {
    let key = named.then(|| key(1));
    Heard { key, connection: 66, user_agent: "curl/8".into(), ..refused(heard(second, Asked::Other), Reason::CredentialsWrong) }
}

fn of(finished: &[Finished], subject: &Subject) -> Vec<Run> {
    finished.iter().filter(|f| f.subject == *subject).map(|f| f.run.clone()).collect()
}

#[test]
fn failed_handshakes_are_gathered_by_address() {
    let finished = runs_of([failed_handshake(0), failed_handshake(30), failed_handshake(300)]);
    assert_eq!((lengths(&finished), &finished[0].subject), (vec![2, 1], &Subject::Address(PHONE)));
}

#[test]
fn failed_handshakes_never_join_a_devices_run_of_their_address() {
    // They used to: a phone that failed at TLS behind the same address filled the run of another and kept it open.
    let nameless = Heard { key: None, connection: 2, ..heard(110, Asked::Other) };
    let finished =
        runs_of([heard(0, Asked::Master), failed_handshake(50), nameless, failed_handshake(150), heard(231, Asked::Master)]);
    let own = of(&finished, &Subject::Device(key(1)));
    assert_eq!(own.iter().map(|run| run.exchanges.len()).collect::<Vec<_>>(), [2, 1], "{own:#?}");
    assert_eq!(own[0].ended_at, at(110));
    assert_eq!(of(&finished, &Subject::Address(PHONE))[0].exchanges.len(), 2);
}

#[test]
fn a_neighbour_without_the_password_neither_prolongs_a_devices_run_nor_tells_anything_of_it() {
    for named in [true, false] {
        let boot_log = Heard { asked: Asked::BootLog, ..neighbour(100, named) };
        let finished = runs_of([heard(0, Asked::Master), neighbour(50, named), boot_log, heard(125, Asked::Master)]);
        let own = of(&finished, &Subject::Device(key(1)));
        assert_eq!(own.iter().map(|run| run.exchanges.len()).collect::<Vec<_>>(), [3, 1], "named: {named}");
        let told = (own[0].ended_at, own[0].kind, own[0].user_agent.contains("VVX"));
        assert_eq!(told, (at(0), RunKind::Poll, true), "named: {named}");
    }
}

#[test]
fn a_neighbour_without_the_password_pushes_none_of_a_devices_requests_out() {
    for named in [true, false] {
        let (mut assembler, mut finished) = (Assembler::default(), Vec::new());
        assembler.hear(heard(0, Asked::Master), &mut finished);
        for _ in 0..1_000 {
            assembler.hear(neighbour(1, named), &mut finished);
        }
        for _ in 0..EXCHANGES_PER_RUN - 1 {
            assembler.hear(heard(2, Asked::Other), &mut finished);
        }
        let run = assembler.open_run(&Subject::Device(key(1))).expect("it goes on");
        assert!(
            run.exchanges.len() == EXCHANGES_PER_RUN && run.exchanges.iter().all(|one| one.reason != Reason::CredentialsWrong)
        );
        assert_eq!(run.left_out, 1_000, "what was left out is counted");
    }
}

#[test]
fn a_stranger_behind_a_devices_address_does_not_draw_its_nameless_requests_away() {
    let stranger = Heard { key: Some(key(9)), asked: Asked::Master, ..neighbour(1, true) };
    let nameless = Heard { key: None, connection: 3, ..heard(2, Asked::Other) };
    let finished = runs_of([heard(0, Asked::Master), stranger, nameless]);
    assert_eq!(of(&finished, &Subject::Device(key(1)))[0].exchanges.len(), 2);
}

#[test]
fn the_connection_of_a_proxy_does_not_mix_the_requests_of_two_phones() {
    let elsewhere = Heard { key: None, address: ELSEWHERE, ..heard(1, Asked::Other) };
    let finished = runs_of([heard(0, Asked::Master), elsewhere]);
    assert_eq!(of(&finished, &Subject::Device(key(1)))[0].exchanges.len(), 1);
    assert_eq!(of(&finished, &Subject::Address(ELSEWHERE))[0].exchanges.len(), 1);
}

#[test]
fn what_was_refused_long_before_a_phone_is_let_in_is_not_the_beginning_of_its_run() {
    let tries = (0..20).map(|n| refused(heard(n * 100, Asked::Master), Reason::CredentialsWrong));
    let challenge = refused(heard(1_950, Asked::Master), Reason::CredentialsMissing);
    let finished = runs_of(tries.chain([challenge, heard(1_951, Asked::Master)]));
    let own = of(&finished, &Subject::Device(key(1)));
    assert_eq!((own[0].started_at, own[0].exchanges.len()), (at(1_900), 3), "the last two minutes, and what was served");
    assert_eq!(of(&finished, &Subject::Stranger(key(1)))[0].exchanges.len(), 19);
}

#[test]
fn whoever_is_refused_again_and_again_is_told_in_runs_of_bounded_length() {
    let more = u32::try_from(EXCHANGES_PER_RUN).expect("a small number") * 2 + 7;
    let finished = runs_of((0..more).map(|n| failed_handshake(i64::from(n) * 30)));
    assert_eq!(lengths(&finished), [EXCHANGES_PER_RUN, EXCHANGES_PER_RUN, 7]);
}

#[test]
fn a_fault_that_was_mended_within_the_run_leaves_it_complete() {
    use Asked::{Master, Other, Parameters};
    let lacking = |second| {
        let mut heard = heard(second, Other);
        (heard.exchange.status, heard.exchange.reason) = (503, Reason::ListedMissing);
        heard
    };
    assert!(!runs_of([heard(0, Master), heard(1, Parameters), lacking(2)])[0].run.complete);
    let mended = [heard(0, Master), heard(1, Parameters), lacking(2), heard(60, Master), heard(61, Parameters)];
    assert!(runs_of(mended)[0].run.complete, "judged by the last served master");
    let not_yet = [heard(0, Master), heard(1, Parameters), lacking(2), heard(60, Master)];
    assert!(!runs_of(not_yet)[0].run.complete, "the files have not come once more");
    let again = [heard(0, Master), heard(1, Parameters), heard(60, Master)];
    assert!(runs_of(again)[0].run.complete, "a second master takes nothing away");
}

#[test]
fn a_hundred_thousand_names_and_addresses_cost_bounded_room_and_no_device_its_run() {
    let (mut assembler, mut finished) = (Assembler::default(), Vec::new());
    assembler.hear(heard(0, Asked::Master), &mut finished);
    for n in 0..100_000u32 {
        let address = IpAddr::V4(Ipv4Addr::from_bits(0x0b00_0000 + n));
        let named =
            Heard { key: Some(DeviceKey::Mac(Mac::from_bytes([0, 4, 0xf2, 1, 0, 0]).plus(n))), ..heard(1, Asked::Master) };
        let named = Heard { address, connection: u64::from(n) + 1_000, ..refused(named, Reason::CredentialsWrong) };
        assembler.hear(named, &mut finished);
        assembler.hear(Heard { address, connection: u64::from(n) + 200_000, ..failed_handshake(1) }, &mut finished);
        assert!(assembler.refused.len() <= OPEN_REFUSED_RUNS);
        assert!(assembler.by_address.len() <= OPEN_REFUSED_RUNS + 1 && assembler.by_connection.len() <= OPEN_REFUSED_RUNS + 1);
        finished.retain(|ended| matches!(ended.subject, Subject::Device(_)));
    }
    assert!(finished.is_empty() && assembler.open_run(&Subject::Device(key(1))).is_some(), "the device's run goes on");
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

fn any_heard() -> impl Strategy<Value = (i64, u64, u8, Option<u8>, bool, u8, bool)> {
    (0i64..90, 0u64..5, 0u8..3, proptest::option::of(0u8..4), any::<bool>(), 0u8..4, any::<bool>())
}

proptest! {
    #[test]
    fn whatever_comes_runs_are_in_order_without_a_gap_and_within_their_caps(steps in proptest::collection::vec(any_heard(), 0..120)) {
        let caps = Caps { devices: 2, refused: 2, exchanges: 5 };
        let (mut assembler, mut finished, mut now) = (Assembler::new(caps), Vec::new(), 0);
        for (wait, connection, address, named, let_in, asked, starts) in steps {
            now += wait;
            let asked = [Asked::Master, Asked::BootLog, Asked::Parameters, Asked::Other][usize::from(asked)];
            let base = Heard {
                connection,
                address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, address)),
                key: named.map(key),
                speaker: if starts { Speaker::Updater } else { Speaker::Application },
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
            let proven = run.exchanges.iter().rfind(|one| !one.reason.is_unproven()).map_or(run.started_at, |one| one.at);
            prop_assert!(run.started_at <= run.exchanges[0].at && run.ended_at >= proven);
            for pair in run.exchanges.windows(2) {
                let gap = pair[1].at.duration_since(pair[0].at).as_secs();
                // Between two that are kept others may have been left out.
                prop_assert!(gap >= 0 && (gap < RUN_SILENCE_SECONDS || run.left_out > 0));
            }
        }
    }
}
