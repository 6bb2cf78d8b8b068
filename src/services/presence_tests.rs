//! Tests of [`super`] and of the runs that come of it.

use std::net::Ipv4Addr;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::mac::Mac;
use crate::domain::run::assembly::{Asked, Speaker};
use crate::domain::run::{Exchange, Method, Reason};
use crate::services::commit::Mode;
use crate::services::testing::{Bench, bench};
use crate::services::{devices, runs};

fn stranger(number: u16, at: Timestamp) -> Message {
    let [high, low] = number.to_be_bytes();
    let heard = Heard {
        connection: u64::from(number),
        address: IpAddr::V4(Ipv4Addr::new(10, 0, high, low)),
        key: Some(DeviceKey::Mac(Mac::from_bytes([0, 4, 0xf2, 0, high, low]))),
        standing: Standing::Refused,
        shown: None,
        is_back: false,
        asked: Asked::Master,
        speaker: Speaker::Application,
        user_agent: Arc::from("phone"),
        exchange: Exchange {
            at,
            method: Method::Get,
            path: "/x.cfg".into(),
            status: 401,
            size_bytes: 1,
            reason: Reason::CredentialsWrong,
            in_clear: false,
        },
    };
    Message { account: DEFAULT_ACCOUNT, heard, agent: None, private_ip: None }
}

fn pass(bench: &Bench, seconds: i64) {
    bench.clock.advance_to(bench.clock.now() + SignedDuration::from_secs(seconds));
}

#[test]
fn a_sweep_over_mac_addresses_leaves_a_bounded_number_of_runs_the_newest_ones() {
    let bench = bench();
    let services = &bench.services;
    for number in 0..700 {
        services.presence().note(stranger(number, bench.clock.now()));
        pass(&bench, 1);
    }
    pass(&bench, 200);
    flush(services).expect("written");
    let listed = runs::refused(services, DEFAULT_ACCOUNT).expect("listed");
    assert_eq!(listed.len(), REFUSED_SUBJECTS);
    assert_eq!(listed[0].subject, Subject::Stranger(DeviceKey::Mac(Mac::from_bytes([0, 4, 0xf2, 0, 2, 187]))));
    assert!(services.roster(DEFAULT_ACCOUNT).is_empty());
}

#[test]
fn of_one_stranger_the_last_few_runs_are_kept() {
    let bench = bench();
    for _ in 0..10 {
        bench.services.presence().note(stranger(7, bench.clock.now()));
        pass(&bench, 300);
        flush(&bench.services).expect("written");
    }
    let bench = bench.restarted();
    assert_eq!(runs::refused(&bench.services, DEFAULT_ACCOUNT).expect("listed").len(), RUNS_PER_REFUSED_SUBJECT);
}

#[test]
fn what_cannot_be_written_waits_within_bounds_and_is_listed_once() {
    let bench = bench();
    let services = &bench.services;
    services.presence().note(stranger(1, bench.clock.now()));
    pass(&bench, 300);
    bench.faults.fail_after(0);
    for _ in 0..3 {
        assert!(flush(services).is_err());
        assert_eq!(runs::refused(services, DEFAULT_ACCOUNT).expect("read on").len(), 1);
    }
    bench.faults.heal();
    flush(services).expect("written");
    assert_eq!(runs::refused(services, DEFAULT_ACCOUNT).expect("listed").len(), 1);
    let waiting = services.presence().state.lock().waiting.ended().count();
    assert_eq!(waiting, 0);
}

/// The same phone with the credentials, fetching its configuration.
fn device(number: u16, at: Timestamp, asked: Asked) -> Message {
    let mut message = stranger(number, at);
    message.heard.standing = Standing::LetIn;
    message.heard.asked = asked;
    message.heard.exchange.status = 200;
    message.heard.exchange.reason = if asked == Asked::Parameters { Reason::Parameters } else { Reason::Master };
    message
}

fn admit(bench: &Bench, number: u16) -> DeviceKey {
    let key = stranger(number, bench.clock.now()).heard.key.expect("it names a device");
    let draft = crate::domain::device::draft::DeviceDraft {
        key: key.clone(),
        family: None,
        model: None,
        groups: Vec::new(),
        profiles: Vec::new(),
        edit: Default::default(),
    };
    let made = crate::services::devices::create(
        &bench.services,
        &crate::services::testing::owner(),
        DEFAULT_ACCOUNT,
        vec![draft],
        crate::services::commit::Mode::Keep,
    );
    made.expect("added");
    key
}

#[test]
fn how_a_run_goes_is_told_as_soon_as_it_is_certain() {
    // It used to be told two minutes later, when the run had ended: until then lists and checklist said that there was none.
    let bench = bench();
    let key = admit(&bench, 7);
    let told = || {
        settle(&bench.services);
        bench.services.roster(DEFAULT_ACCOUNT).find(&key).and_then(|known| known.sighting.last_run).map(|run| run.complete)
    };
    bench.services.presence().note(device(7, bench.clock.now(), Asked::Master));
    assert_eq!(told(), None, "it may come to an end yet");
    bench.services.presence().note(device(7, bench.clock.now(), Asked::Parameters));
    assert_eq!(told(), Some(true));
    pass(&bench, 600);
    let mut fault = device(7, bench.clock.now(), Asked::Master);
    (fault.heard.exchange.status, fault.heard.exchange.reason) = (503, Reason::Fault);
    bench.services.presence().note(fault);
    assert_eq!(told(), Some(false), "a fault is certain, too");
}

#[test]
fn a_log_that_comes_alone_is_no_failure() {
    let bench = bench();
    let key = admit(&bench, 7);
    let mut log = device(7, bench.clock.now(), Asked::BootLog);
    (log.heard.exchange.method, log.heard.exchange.reason) = (Method::Put, Reason::Stored);
    bench.services.presence().note(log);
    pass(&bench, 300);
    settle(&bench.services);
    let known = bench.services.roster(DEFAULT_ACCOUNT).find(&key).expect("added");
    assert!(known.sighting.last_seen.is_some() && known.sighting.last_run.is_none());
}

#[test]
fn a_hundred_thousand_strangers_push_no_device_out_while_nothing_can_be_written() {
    let bench = bench();
    let key = admit(&bench, 7);
    let note = |message| bench.services.presence().note(message);
    note(device(7, bench.clock.now(), Asked::Master));
    note(device(7, bench.clock.now(), Asked::Parameters));
    pass(&bench, 300);
    bench.faults.fail_after(0);
    assert!(flush(&bench.services).is_err());
    let somebody = stranger(8, bench.clock.now());
    for number in 0..100_000u32 {
        let mut message = somebody.clone();
        message.heard.key = Some(DeviceKey::Mac(Mac::from_bytes([0, 4, 0xf2, 1, 0, 0]).plus(number)));
        message.heard.address = IpAddr::V4(Ipv4Addr::from_bits(0x0b00_0000 + number));
        message.heard.connection = u64::from(number);
        note(message);
    }
    assert!(flush(&bench.services).is_err());
    assert_eq!(bench.services.presence().state.lock().waiting.refused.len(), WAITING_REFUSED_RUNS);
    bench.faults.heal();
    flush(&bench.services).expect("written");
    let kept = runs::of(&bench.services, DEFAULT_ACCOUNT, &Subject::Device(key)).expect("listed");
    assert!(kept.len() == 1 && kept[0].run.complete, "{kept:?}");
}

#[test]
fn more_messages_than_can_wait_are_dropped_and_counted() {
    let presence = Presence::default();
    let message = stranger(1, Timestamp::UNIX_EPOCH);
    for _ in 0..WAITING_MESSAGES + 5 {
        presence.note(message.clone());
    }
    let queue = presence.queue.lock();
    assert_eq!((queue.messages.len(), queue.dropped), (WAITING_MESSAGES, 5));
}

#[test]
fn a_message_of_a_device_that_was_deleted_meanwhile_does_not_bring_it_back() {
    let bench = bench();
    let mut message = stranger(1, bench.clock.now());
    message.heard.standing = Standing::LetIn;
    bench.services.presence().note(message);
    pass(&bench, 300);
    flush(&bench.services).expect("written");
    let bench = bench.restarted();
    assert!(bench.services.roster(DEFAULT_ACCOUNT).is_empty());
}

fn delete(bench: &Bench, key: &DeviceKey, afterwards: devices::Afterwards, mode: Mode) -> usize {
    let gone = devices::delete(&bench.services, &crate::services::testing::owner(), DEFAULT_ACCOUNT, key, afterwards, mode);
    gone.expect("deleted").runs
}

fn runs_of(bench: &Bench, subject: Subject) -> Vec<runs::ListedRun> {
    runs::of(&bench.services, DEFAULT_ACCOUNT, &subject).expect("listed")
}

#[test]
fn a_deleted_device_takes_the_run_along_that_goes_on_and_those_not_written_yet() {
    let bench = bench();
    let key = admit(&bench, 7);
    let note = |message| bench.services.presence().note(message);
    note(device(7, bench.clock.now(), Asked::Master));
    pass(&bench, 300);
    note(device(7, bench.clock.now(), Asked::Master));
    settle(&bench.services);
    note(device(7, bench.clock.now(), Asked::Parameters));
    let of_device = || runs_of(&bench, Subject::Device(key.clone()));
    assert_eq!(delete(&bench, &key, devices::Afterwards::Forget, Mode::TryOut), 2);
    assert_eq!(of_device().len(), 2, "it was only tried out");
    assert_eq!(delete(&bench, &key, devices::Afterwards::Forget, Mode::Keep), 2);
    assert!(of_device().is_empty());

    pass(&bench, 3);
    admit(&bench, 7);
    note(device(7, bench.clock.now(), Asked::Master));
    let listed = of_device();
    assert_eq!((listed.len(), listed[0].run.started_at, listed[0].run.exchanges.len()), (1, bench.clock.now(), 1));
    pass(&bench, 300);
    flush(&bench.services).expect("written");
    assert_eq!(runs_of(&bench.restarted(), Subject::Device(key)).len(), 1);
}

#[test]
fn what_was_departing_when_its_device_was_deleted_is_not_written_for_the_one_that_comes_back() {
    let bench = bench();
    let key = admit(&bench, 7);
    bench.services.presence().note(device(7, bench.clock.now(), Asked::Master));
    pass(&bench, 300);
    settle(&bench.services);
    bench.services.presence().state.lock().depart();
    delete(&bench, &key, devices::Afterwards::Forget, Mode::Keep);
    admit(&bench, 7);
    assert_eq!(bench.services.presence().state.lock().in_flight.ended().count(), 0);
    assert!(runs_of(&bench, Subject::Device(key)).is_empty());
}

#[test]
fn a_phone_that_is_blocked_while_it_runs_is_listed_among_the_unknown_ones() {
    let bench = bench();
    let key = admit(&bench, 7);
    let note = |message| bench.services.presence().note(message);
    note(device(7, bench.clock.now(), Asked::Master));
    settle(&bench.services);
    delete(&bench, &key, devices::Afterwards::Block, Mode::Keep);
    // One request was let in just before, the others were held.
    note(device(7, bench.clock.now(), Asked::Parameters));
    for _ in 0..2 {
        let mut held = stranger(7, bench.clock.now());
        (held.heard.exchange.status, held.heard.exchange.reason) = (503, Reason::Blocked);
        note(held);
    }
    let listed = runs::refused(&bench.services, DEFAULT_ACCOUNT).expect("listed");
    assert_eq!((listed.len(), &listed[0].subject), (1, &Subject::Stranger(key.clone())));
    assert!(runs_of(&bench, Subject::Device(key.clone())).is_empty());
    pass(&bench, 300);
    flush(&bench.services).expect("written");
    let bench = bench.restarted();
    assert_eq!(runs::refused(&bench.services, DEFAULT_ACCOUNT).expect("listed").len(), 1);
    assert!(runs_of(&bench, Subject::Device(key)).is_empty());
}

#[test]
fn what_closes_a_door_does_not_wait_for_the_next_batch_and_is_kept_before_an_upload_is_answered() {
    let bench = bench();
    let services = &bench.services;
    let key = DeviceKey::Mac(Mac::from_bytes([0, 4, 0xf2, 0, 0, 1]));
    let book = services.trusts(DEFAULT_ACCOUNT);
    let is_urgent = || services.door_closed().now_or_never().is_some();
    let kept = || services.store.read(|tx| crate::store::trusts::all(tx, DEFAULT_ACCOUNT)).expect("read").len();
    book.learn(&key, |trust| {
        trust.refused(crate::domain::trust::Knock::new(bench.clock.now(), Reason::CredentialsWrong, [10, 0, 0, 7].into(), ""))
    });
    secure(services, DEFAULT_ACCOUNT, &key);
    assert_eq!((is_urgent(), kept()), (false, 0), "it waits for the next batch");
    book.learn(&key, |trust| trust.served(bench.clock.now(), false));
    assert!(is_urgent() && !is_urgent());
    let written = commit::commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        let written = book.write(change, |_| true)?;
        assert!(book.has_closed(&key), "what is on its way to the disk is not kept yet");
        book.learn(&key, |trust| trust.bound_at = Some(bench.clock.now()));
        Ok(written)
    });
    book.kept(&written.expect("written"));
    assert!(book.has_closed(&key), "nor is what was learned meanwhile");
    secure(services, DEFAULT_ACCOUNT, &key);
    assert!(!book.has_closed(&key) && kept() == 1);
    bench.faults.fail_after(0);
    let other = DeviceKey::Mac(Mac::from_bytes([0, 4, 0xf2, 0, 0, 2]));
    book.learn(&other, |trust| trust.served(bench.clock.now(), false));
    secure(services, DEFAULT_ACCOUNT, &other);
    assert!(!book.has_closed(&other), "an upload does not wait for a disk that fails");
    bench.faults.heal();
    flush(services).expect("written");
    assert_eq!(kept(), 2, "what could not be written then is written later");
}
