//! Where runs, people and changed networks put a device.

use super::*;
use crate::domain::testing;

const OFFICE: SiteId = SiteId(2);
const BRANCH: SiteId = SiteId(3);

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).expect("a time")
}

fn found(site: SiteId) -> Found {
    let public = Subnet::parse("10.0.0.0/8").expect("a network");
    let by = if site == INTERNET { By::NoNetwork } else { By::Networks { public, private: None } };
    Found { site, by }
}

/// A device of the office.
fn device() -> Device {
    let mut device = testing::device("0004f2000001");
    device.place(found(OFFICE), at(-1_000));
    device
}

/// The moves that runs make, each from a site at a minute.
fn moves(runs: &[(SiteId, i64)]) -> (Vec<(i64, SiteId)>, Device) {
    let (mut device, mut moved) = (device(), Vec::new());
    for (site, minute) in runs {
        if device.ran(found(*site), at(*minute)) {
            moved.push((*minute, device.site_id()));
        }
    }
    (moved, device)
}

#[test]
fn the_first_contact_places_a_device() {
    let mut device = testing::device("0004f2000001");
    assert!(device.is_to_be_placed() && device.site_id() == INTERNET);
    assert!(device.ran(found(BRANCH), at(5)));
    assert_eq!((device.site_id(), device.is_to_be_placed()), (BRANCH, false));
    assert_eq!(device.placement.placed, Some(Placed { at: at(5), by: found(BRANCH).by }));
}

#[test]
fn two_runs_half_an_hour_apart_move_a_device() {
    assert_eq!(moves(&[(BRANCH, 0), (BRANCH, 29)]).0, []);
    assert_eq!(moves(&[(BRANCH, 0), (BRANCH, 30)]).0, [(30, BRANCH)]);
    assert_eq!(moves(&[(BRANCH, 0), (BRANCH, 10), (BRANCH, 31)]).0, [(31, BRANCH)]);
}

#[test]
fn a_run_from_its_own_or_a_third_site_starts_the_count_anew() {
    assert_eq!(moves(&[(BRANCH, 0), (OFFICE, 20), (BRANCH, 40)]).0, []);
    assert_eq!(moves(&[(BRANCH, 0), (SiteId(4), 20), (BRANCH, 40)]).0, []);
    assert_eq!(moves(&[(BRANCH, 0), (SiteId(4), 20), (SiteId(4), 50)]).0, [(50, SiteId(4))]);
}

#[test]
fn a_move_to_internet_waits_until_somebody_decides_or_the_device_comes_back() {
    let (moved, device) = moves(&[(INTERNET, 0), (INTERNET, 45), (INTERNET, 90)]);
    assert_eq!((moved, device.waiting_move()), (Vec::new(), Some(at(45))));
    assert_eq!(moves(&[(INTERNET, 0), (INTERNET, 45), (OFFICE, 90)]).1, super::tests::device());
    let mut accepted = device.clone();
    assert!(accepted.accept_move(at(100)) && !accepted.accept_move(at(100)));
    assert_eq!((accepted.site, accepted.waiting_move()), (None, None));
}

#[test]
fn whoever_said_no_is_not_asked_again_before_the_device_came_from_somewhere_else() {
    let (_, mut device) = moves(&[(INTERNET, 0), (INTERNET, 45)]);
    assert!(device.decline_move() && !device.decline_move());
    device.ran(found(INTERNET), at(1_500));
    assert_eq!((device.site_id(), device.waiting_move()), (OFFICE, None));
    for minute in [3_000, 4_500] {
        device.ran(found(OFFICE), at(minute - 100));
        device.ran(found(INTERNET), at(minute));
        device.ran(found(INTERNET), at(minute + 30));
        assert_eq!(device.waiting_move(), Some(at(minute + 30)));
        device.decline_move();
    }
}

#[test]
fn from_internet_a_device_moves_as_from_everywhere() {
    let mut device = testing::device("0004f2000001");
    device.place(found(INTERNET), at(-60));
    assert!(!device.ran(found(OFFICE), at(0)));
    assert!(device.ran(found(OFFICE), at(60)));
    assert_eq!(device.site_id(), OFFICE);
}

#[test]
fn a_clock_that_went_back_moves_nobody() {
    assert_eq!(moves(&[(BRANCH, 60), (BRANCH, 0)]).0, []);
}

#[test]
fn what_a_person_says_counts_until_a_person_says_otherwise() {
    let mut device = device();
    device.pin(BRANCH, at(0));
    for minute in [10, 50, 90] {
        assert!(!device.ran(found(OFFICE), at(minute)) && !device.ran(found(INTERNET), at(minute)));
    }
    assert_eq!((device.site_id(), device.waiting_move()), (BRANCH, None));
    let mut back = device.clone();
    back.unpin(Some(found(OFFICE)), at(100));
    assert_eq!((back.site_id(), back.placement.pinned), (OFFICE, false));
    let mut out = device.clone();
    out.unpin(Some(found(INTERNET)), at(100));
    assert_eq!((out.site_id(), out.waiting_move()), (BRANCH, Some(at(100))));
    let mut silent = device;
    silent.unpin(None, at(100));
    assert!(silent.is_to_be_placed() && silent.site_id() == INTERNET);
}

#[test]
fn changed_networks_move_at_once_but_never_out_of_all_sites() {
    let mut moved = device();
    moved.reconsider(found(BRANCH), at(0));
    assert_eq!(moved.site_id(), BRANCH);
    let mut waits = device();
    waits.reconsider(found(INTERNET), at(0));
    assert_eq!((waits.site_id(), waits.waiting_move()), (OFFICE, Some(at(0))));
    waits.reconsider(found(OFFICE), at(1));
    assert_eq!(waits, device());
}
