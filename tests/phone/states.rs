//! What phones get while the server is being changed, or while its disk fails (P12, P13).

use std::sync::Barrier;

use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::profile::draft::ParameterEdit;
use pdms::services::commit::Mode;
use pdms::services::presence;
use pdms::services::profiles::{self, Shown};

use crate::support::phone::Phone;
use crate::support::server::{Server, admin};

/// How many parameters a save changes at once.
const VALUES: usize = 200;

fn edits(value: &str) -> Vec<ParameterEdit> {
    (0..VALUES).map(|n| ParameterEdit::set(&format!("test.value.{n}"), value).expect("a good edit")).collect()
}

#[test]
fn a_hundred_phones_at_once_get_the_old_state_or_the_new_one_and_never_a_mixture() {
    let server = Server::start();
    let id = server.global_profile("Office", &[]);
    let save = |revision: u64, value: &str| {
        let shown = Shown { id, revision };
        profiles::edit_parameters(&server.services, &admin(), DEFAULT_ACCOUNT, shown, &edits(value), Mode::Keep)
            .expect("saved")
            .revision
    };
    let mut revision = save(server.world().profiles[&id].revision, "round-0");
    let start = Barrier::new(101);
    std::thread::scope(|scope| {
        let phones: Vec<_> = (0..100)
            .map(|n| {
                let (phone, start) = (Phone::new(&server), &start);
                scope.spawn(move || {
                    start.wait();
                    (0..3).map(|_| phone.get(&format!("/0004f2{n:06x}-profile.cfg")).text()).collect::<Vec<_>>()
                })
            })
            .collect();
        start.wait();
        for round in 1..40 {
            revision = save(revision, &format!("round-{round}"));
        }
        for text in phones.into_iter().flat_map(|phone| phone.join().expect("answered")) {
            let mut values: Vec<&str> =
                text.lines().filter_map(|line| line.trim().strip_prefix("test.value.")?.split('"').nth(1)).collect();
            assert_eq!(values.len(), VALUES);
            values.dedup();
            assert_eq!(values.len(), 1, "a mixture: {values:?}");
        }
    });
}

#[test]
fn phones_are_served_and_added_while_nothing_can_be_written_and_it_is_written_when_the_disk_is_well() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let before = phone.get("/0004f2aa0001.cfg");
    server.flush();
    server.faults.fail_after(0);
    for n in 1..4 {
        assert_eq!(phone.get(&format!("/0004f2aa000{n}.cfg")).status, 200);
        assert_eq!(phone.get(&format!("/0004f2aa000{n}-profile.cfg")).status, 200);
    }
    assert_eq!(phone.get("/0004f2aa0001.cfg").body, before.body);
    assert_eq!(phone.put("/0004f2aa0001-phone.cfg", b"<a/>").status, 503, "what cannot be kept is not acknowledged");
    assert!(presence::flush(&server.services).is_err());
    assert!(presence::flush(&server.services).is_err());
    server.faults.heal();
    server.advance(300);
    server.flush();
    assert_eq!(phone.put("/0004f2aa0001-phone.cfg", b"<a/>").status, 201);
    let server = server.restarted();
    assert_eq!(server.services.roster(DEFAULT_ACCOUNT).len(), 3);
    for n in 1..4 {
        let key = format!("0004f2aa000{n}").parse().expect("a MAC");
        let runs = pdms::services::runs::of_device(&server.services, DEFAULT_ACCOUNT, &key).expect("listed");
        assert!(runs.iter().any(|listed| listed.run.complete), "the run that could not be written at first");
    }
    assert_eq!(Phone::new(&server).get("/0004f2aa0001-phone.cfg").body, b"<a/>");
}

#[test]
fn twenty_boots_over_a_restart_and_a_thousand_added_devices_give_the_same_bytes() {
    let server = Server::start();
    server.global_profile("Office", &[("up.timeOut", "41")]);
    let files = |server: &Server| {
        let phone = Phone::new(server);
        [".cfg", "-profile.cfg"].map(|suffix| phone.get(&format!("/0004f2aa0001{suffix}")).body)
    };
    let first = files(&server);
    for _ in 0..10 {
        server.advance(86_400);
        assert_eq!(files(&server), first);
    }
    server.flush();
    let drafts = (0..1_000).map(|n| pdms::domain::device::draft::DeviceDraft {
        key: format!("0004f3{n:06x}").parse().expect("a MAC"),
        family: None,
        model: None,
        groups: Vec::new(),
        profiles: Vec::new(),
        edit: Default::default(),
    });
    pdms::services::devices::create(&server.services, &admin(), DEFAULT_ACCOUNT, drafts.collect(), Mode::Keep).expect("added");
    // Into the summer: the clocks change on the way.
    server.advance(200 * 86_400);
    let server = server.restarted();
    for _ in 0..10 {
        assert_eq!(files(&server), first);
        server.advance(86_400);
    }
}
