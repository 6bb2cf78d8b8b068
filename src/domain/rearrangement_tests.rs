//! What is told of a change beside values, and by what it is known again.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::group::Group;
use crate::domain::ids::{PersonGroupId, RoomId};
use crate::domain::names::Name;
use crate::domain::people::{Modified, PersonGroup};
use crate::domain::site::Site;
use crate::domain::testing::{deployed, device, person, profile, property_config, world};

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn group(id: u64, called: &str) -> Arc<Group> {
    let (modified_by, modified_at) = ("ada".to_owned(), Timestamp::UNIX_EPOCH);
    Arc::new(Group { id: GroupId(id), name: name(called), description: String::new(), modified_by, modified_at, revision: 1 })
}

fn person_group(id: u64, called: &str) -> Arc<PersonGroup> {
    let modified = Modified { by: "ada".to_owned(), at: Timestamp::UNIX_EPOCH, revision: 1 };
    Arc::new(PersonGroup { id: PersonGroupId(id), name: name(called), description: String::new(), modified })
}

fn site(id: u64, called: &str) -> Arc<Site> {
    Arc::new(Site { id: SiteId(id), name: name(called), ..Site::internet() })
}

/// Two device groups, two sites, a person in a group of people.
fn furnished() -> World {
    let mut world = deployed(world(), vec![(Place::Group(GroupId(1)), profile(1, &[("up.a", "1")]))]);
    world.groups.extend([(GroupId(1), group(1, "Lobby")), (GroupId(2), group(2, "Floor"))]);
    world.sites.extend([(SiteId(7), site(7, "Hall")), (SiteId(8), site(8, "Shop"))]);
    world.people.insert(PersonId(1), person(1, &[1]).into());
    world.person_groups.insert(PersonGroupId(1), person_group(1, "Sales"));
    world
}

fn seen(before: (&World, &[Device]), after: (&World, &[Device])) -> Rearrangement {
    let mut watch = Watch::new(before.0, after.0);
    before.1.iter().zip(after.1).for_each(|(was, is)| watch.device(was, is));
    watch.found()
}

fn without_group(world: &World, devices: &[Device]) -> (World, Vec<Device>) {
    let (mut world, mut devices) = (world.clone(), devices.to_vec());
    world.groups.remove(&GroupId(1));
    world.deployment.remove(&Place::Group(GroupId(1)));
    devices.iter_mut().for_each(|device| device.groups.retain(|id| *id != GroupId(1)));
    (world, devices)
}

#[test]
fn a_deleted_group_is_told_with_its_members_and_what_was_attached_to_it() {
    let world = furnished();
    let member = |key: &str| Device { groups: vec![GroupId(1), GroupId(2)], ..device(key) };
    let devices = [member("0004f2000001"), member("0004f2000002"), device("0004f2000003")];
    let (after, next) = without_group(&world, &devices);
    let told = seen((&world, &devices), (&after, &next));
    assert_eq!(told.gone, [("device group", "Lobby".to_owned())]);
    assert_eq!(
        told.sentences(),
        [
            "Deleted: device group Lobby.",
            "2 devices leave the device group Lobby.",
            "profile 1 does not reach anybody by device group Lobby any more; it stays itself."
        ]
    );
}

#[test]
fn one_who_joins_meanwhile_makes_it_another_change_although_no_value_changes() {
    let world = furnished();
    let devices = ["0004f2000001", "0004f2000002"].map(device);
    let joined = [Device { groups: vec![GroupId(2), GroupId(1)], ..devices[0].clone() }, devices[1].clone()];
    let digest = |devices: &[Device]| {
        let (after, next) = without_group(&world, devices);
        seen((&world, devices), (&after, &next)).digest
    };
    assert_ne!(digest(&devices), digest(&joined));
    let touched =
        [Device { revision: 9, own_clock: crate::domain::testing::parameter_set(&[("a.b", "1")]), ..joined[0].clone() }];
    assert_eq!(digest(&joined[..1]), digest(&touched), "what phones change by polling is no other change");
}

#[test]
fn sites_pins_owners_and_people_are_told() {
    let world = furnished();
    let mut after = world.clone();
    after.sites.remove(&SiteId(7));
    after.person_groups.clear();
    after.people.insert(PersonId(1), person(1, &[]).into());
    let mut pinned = Device { owner: Some(Owner::Person(PersonId(1))), ..device("0004f2000001") };
    pinned.pin(SiteId(7), Timestamp::UNIX_EPOCH);
    let owned = Device { owner: Some(Owner::Room(RoomId(1))), profiles: vec![ProfileId(1)], ..device("0004f2000002") };
    let devices = [pinned.clone(), owned.clone()];
    pinned.unpin(None, Timestamp::UNIX_EPOCH);
    let next = [pinned, Device { owner: None, profiles: Vec::new(), ..owned }];
    let told = seen((&world, &devices), (&after, &next));
    assert_eq!(told.gone, [("site", "Hall".to_owned()), ("person group", "Sales".to_owned())]);
    assert_eq!(
        told.sentences(),
        [
            "Deleted: site Hall, person group Sales.",
            "1 device moves from Hall to Internet.",
            "1 device loses its pin: addresses say again where it belongs.",
            "1 device belongs to nobody then.",
            "1 device loses profiles attached to the device itself.",
            "person 1 leaves the person group Sales: 1 device belongs to them.",
        ]
    );
}

#[test]
fn what_is_new_is_known_by_its_name() {
    let world = furnished();
    let with = |id: u64| {
        let mut after = world.clone();
        after.groups.insert(GroupId(id), group(id, "New"));
        seen((&world, &[device("0004f2000001")]), (&after, &[Device { groups: vec![GroupId(id)], ..device("0004f2000001") }]))
    };
    assert_eq!(with(7), with(8));
    assert_eq!(with(7).sentences(), ["1 device joins the device group New."]);
}

proptest! {
    #![proptest_config(property_config())]

    #[test]
    fn two_changes_are_known_as_one_only_where_each_device_comes_from_and_goes_to_the_same(
        one in prop::collection::vec((0..3_u64, 0..3_u64, any::<bool>()), 3),
        other in prop::collection::vec((0..3_u64, 0..3_u64, any::<bool>()), 3),
    ) {
        let world = furnished();
        let fleet = |stands: &[(u64, u64, bool)]| -> Vec<Device> {
            let device = |(number, (group, site, pinned)): (usize, &(u64, u64, bool))| {
                let mut device = device(&format!("0004f200000{number}"));
                device.groups = Some(GroupId(*group)).filter(|group| group.0 > 0).into_iter().collect();
                device.site = Some(SiteId(6 + *site)).filter(|site| site.0 > 6);
                device.placement.pinned = *pinned;
                device
            };
            stands.iter().enumerate().map(device).collect()
        };
        let (before, one, other) = (fleet(&[(0, 0, false); 3]), fleet(&one), fleet(&other));
        let digest = |next: &[Device]| seen((&world, &before), (&world, next)).digest;
        prop_assert_eq!(digest(&one) == digest(&other), one == other);
        let back = |was: &[Device]| seen((&world, was), (&world, &before)).digest;
        prop_assert_eq!(back(&one) == back(&other), one == other);
    }
}
