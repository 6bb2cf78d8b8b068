//! What a device list finds and how it sorts.

use super::super::names::Name;
use super::super::placement::Placement;
use super::super::site::Site;
use super::*;
use crate::domain::group::Group;
use crate::domain::testing::world;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

fn device(key: &str, name: &str, model: &str) -> Device {
    Device {
        key: key.parse().expect("a device key"),
        name: Name::parse(name).ok(),
        sent_name: None,
        description: String::new(),
        family: Some("VVX".to_owned()),
        model: (!model.is_empty()).then(|| model.to_owned()),
        private_ip: None,
        mac: None,
        profiles: Vec::new(),
        groups: Vec::new(),
        site: None,
        placement: Placement::default(),
        owner: None,
        own_clock: Default::default(),
        software: None,
        origin: Origin::Manual,
        added_at: now(),
        revision: 0,
    }
}

fn listed(device: Device, sighting: Sighting) -> Listed {
    Listed { device: Arc::new(device), sighting: Arc::new(sighting) }
}

fn seen(seconds_ago: i64, version: &str) -> Sighting {
    Sighting {
        last_seen: Some(now() - SignedDuration::from_secs(seconds_ago)),
        public_ip: Some([203, 0, 113, 9].into()),
        software_version: Some(version.to_owned()),
        ..Sighting::default()
    }
}

fn three() -> Vec<Listed> {
    let mut first = device("0004f2aa0001", "Reception", "VVX 411");
    first.description = "Beside the Empfangstür".to_owned();
    vec![
        listed(first, seen(60, "5.9.10.1")),
        listed(
            Device { site: Some(SiteId(2)), ..device("0004f2aa0002", "büro 3", "VVX 250") },
            seen(OFFLINE_AFTER_SECONDS + 1, "5.9.2.7"),
        ),
        listed(device("8218404c20ccf9", "", ""), Sighting::default()),
    ]
}

/// A world with *Internet*, where two of the devices are, and *Berlin*.
fn with_sites() -> World {
    let berlin = Site { id: SiteId(2), name: Name::parse("Berlin").expect("a name"), ..Site::internet() };
    let mut world = world();
    world.sites.insert(berlin.id, Arc::new(berlin));
    world
}

#[test]
fn a_site_is_a_filter_an_order_and_found_by_its_name() {
    let berlin = DeviceQuery { site: Some(SiteId(2)), ..DeviceQuery::default() };
    assert_eq!(keys(&berlin), ["0004f2aa0002"]);
    assert_eq!(searching("berlin"), ["0004f2aa0002"]);
    let sorted = DeviceQuery { sort: SortKey::Site, ..DeviceQuery::default() };
    assert_eq!(keys(&sorted), ["0004f2aa0002", "0004f2aa0001", "8218404c20ccf9"]);
}

fn keys(query: &DeviceQuery) -> Vec<String> {
    select(three().into_iter(), query, &with_sites(), now()).iter().map(|one| one.device.key.to_string()).collect()
}

fn searching(text: &str) -> Vec<String> {
    keys(&DeviceQuery { text: text.to_owned(), ..DeviceQuery::default() })
}

#[test]
fn a_mac_is_found_in_any_spelling_and_by_any_part() {
    for text in ["0004f2aa0001", "00:04:F2:AA:00:01", "0004.f2aa.0001", "00-04-f2-aa-00-01", "0001", "00 04 f2 aa 00 01"] {
        assert_eq!(searching(text), ["0004f2aa0001"], "{text}");
    }
}

#[test]
fn every_word_must_be_found_somewhere_in_any_letter_case() {
    assert_eq!(searching("BÜRO 250"), ["0004f2aa0002"]);
    assert_eq!(searching("reception 250"), Vec::<String>::new());
    assert_eq!(searching("203.0.113").len(), 2);
    assert_eq!(searching("8218404C").len(), 1);
    assert_eq!(searching("  ").len(), 3);
}

#[test]
fn what_no_column_shows_is_found_and_told() {
    let one = &three()[0];
    let mut none = with_sites();
    assert_eq!(Search::new("empfangstür", &none).finds(one), Some(Hit::Hidden("description", "Beside the Empfangstür")));
    assert_eq!(Search::new("reception", &none).finds(one), Some(Hit::Column));
    assert_eq!(Search::new("cellar", &none).finds(one), None);
    let name = Name::parse("Cellar phones").expect("a name");
    let group = Group {
        id: GroupId(7),
        name,
        description: "Below".to_owned(),
        modified_by: String::new(),
        modified_at: now(),
        revision: 1,
    };
    none.groups.insert(group.id, group.into());
    let member = Listed { device: Device { groups: vec![GroupId(7)], ..Device::clone(&one.device) }.into(), ..one.clone() };
    assert_eq!(Search::new("cellar", &none).finds(&member), Some(Hit::Hidden("device group", "Cellar phones")));
    let wanted = |group| DeviceQuery { group: Some(GroupId(group)), ..DeviceQuery::default() };
    let found = |group| select([member.clone(), three()[1].clone()].into_iter(), &wanted(group), &none, now()).len();
    assert_eq!((found(7), found(8)), (1, 0));
}

#[test]
fn filters_hold_all_together() {
    let online = DeviceQuery { status: Some(Status::Online), ..DeviceQuery::default() };
    assert_eq!(keys(&online), ["0004f2aa0001"]);
    assert!(keys(&DeviceQuery { model: Some("VVX 250".to_owned()), ..online }).is_empty());
    assert_eq!(keys(&DeviceQuery { result: Some(LastResult::None), ..DeviceQuery::default() }).len(), 3);
}

#[test]
fn a_device_goes_offline_after_two_polling_periods_and_an_hour() {
    assert_eq!(Status::of(seen(OFFLINE_AFTER_SECONDS, "").last_seen, now()), Status::Online);
    assert_eq!(Status::of(seen(OFFLINE_AFTER_SECONDS + 1, "").last_seen, now()), Status::Offline);
    assert_eq!(Status::of(None, now()), Status::NeverSeen);
}

#[test]
fn devices_without_a_value_come_last_in_either_direction() {
    let by_name = DeviceQuery::default();
    assert_eq!(keys(&by_name), ["0004f2aa0002", "0004f2aa0001", "8218404c20ccf9"]);
    assert_eq!(keys(&DeviceQuery { descending: true, ..by_name }), ["0004f2aa0001", "0004f2aa0002", "8218404c20ccf9"]);
}

#[test]
fn versions_sort_by_their_numbers() {
    let by_software = DeviceQuery { sort: SortKey::Software, ..DeviceQuery::default() };
    assert_eq!(keys(&by_software), ["0004f2aa0002", "0004f2aa0001", "8218404c20ccf9"]);
}

#[test]
fn every_word_reads_back() {
    for key in SortKey::ALL {
        assert_eq!(key.word().parse::<SortKey>().as_ref(), Ok(key));
    }
    assert_eq!(
        "sideways".parse::<Status>().map_err(|e| e.to_string()),
        Err("use one of: online, offline, never-seen".to_owned())
    );
}

/// R58: a profile is found in every device that gets it, by whatever place, and the row says by which.
#[test]
fn a_profile_is_found_in_all_devices_that_it_reaches() {
    use crate::domain::deployment::Place;
    use crate::domain::ids::{PersonGroupId, PersonId};
    use crate::domain::testing::{deployed, person, profile};
    let places = [
        (Place::Site(SiteId(2)), "profile of the site"),
        (Place::Model("VVX 411".to_owned()), "profile of the model"),
        (Place::Group(GroupId(4)), "profile of a device group"),
        (Place::PersonGroup(PersonGroupId(6)), "profile of the owner"),
        (Place::Global, "profile for all devices"),
    ];
    for (number, (place, what)) in places.into_iter().enumerate() {
        let mut world = deployed(world(), vec![(place.clone(), profile(9, &[]))]);
        world.people.insert(PersonId(5), person(5, &[6]).into());
        let name = world.profiles.values().next().expect("a profile").name.to_string();
        let mut one = device("0004f2aa0001", "Reception", "VVX 411");
        (one.site, one.groups, one.owner) = (Some(SiteId(2)), vec![GroupId(4)], Some(Owner::Person(PersonId(5))));
        let (one, other) = (listed(one, Sighting::default()), listed(device("0004f2aa0002", "", ""), Sighting::default()));
        let search = Search::new(&name, &world);
        assert_eq!(search.finds(&one), Some(Hit::Hidden(what, &name)), "{place:?}");
        assert_eq!(search.finds(&other).is_some(), number == 4, "{place:?}");
    }
}
