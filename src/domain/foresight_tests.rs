//! What is foreseen, beside what comes of making the files of every device before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::account::BaseSettings;
use crate::domain::activity::MASK;
use crate::domain::deployment::Place;
use crate::domain::device::Owner;
use crate::domain::ids::{GroupId, PersonId, RoomId, SiteId};
use crate::domain::names::Name;
use crate::domain::parameter::{ParameterSet, masked};
use crate::domain::profile::Profile;
use crate::domain::provision::provision;
use crate::domain::resolution::twin_of;
use crate::domain::restart::Told;
use crate::domain::site::Site;
use crate::domain::testing::{
    deployed, device, hostile_parameters, parameter_set, person, profile, property_config, to, with_account, world,
};

fn over_tls(_: &DeviceKey) -> Channel {
    Channel::Tls
}

fn table() -> RestartTable {
    let rows = [("up.restarts", Effect::Restart), ("up.goesOn", Effect::None), ("up.{n}.goesOn", Effect::None)];
    let assumed = ("up.isAssumed".to_owned(), Told { effect: Effect::Restart, is_sure: false });
    RestartTable::new(rows.map(|(name, effect)| (name.to_owned(), Told::sure(effect))).into_iter().chain([assumed]))
}

fn foreseen(before: (&World, &[Device]), after: (&World, &[Device])) -> Foresight {
    let pairs = before.1.iter().zip(after.1).map(|(was, is)| (Some(was), Some(is)));
    foresee(pairs, over_tls, (before.0, after.0), &table())
}

/// All that a device gets, by name.
fn served(device: &Device, world: &World) -> BTreeMap<String, String> {
    let files = provision(&to(device), world).files;
    let settings = files.master.iter().chain(files.parameters());
    settings.map(|setting| (setting.name.to_string(), setting.value.to_string())).collect()
}

/// The names that differ for each device that gets something else, told as [`Change`]s are.
fn differing(before: (&World, &[Device]), after: (&World, &[Device])) -> BTreeMap<DeviceKey, BTreeSet<String>> {
    let one = |(was, is): (&Device, &Device)| {
        let (old, new) = (served(was, before.0), served(is, after.0));
        let names = old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name));
        let names: BTreeSet<String> = names.cloned().collect();
        let is_told = |name: &&String| twin_of(name).is_none_or(|base| !names.contains(base));
        let told: BTreeSet<String> = names.iter().filter(is_told).cloned().collect();
        (!told.is_empty()).then(|| (was.key.clone(), told))
    };
    before.1.iter().zip(after.1).filter_map(one).collect()
}

fn told(foresight: &Foresight) -> BTreeMap<DeviceKey, BTreeSet<String>> {
    let of = |group: &Group| {
        let names: BTreeSet<String> = group.changes.iter().map(|change| change.name.clone()).collect();
        group.devices.iter().map(move |key| (key.clone(), names.clone())).collect::<Vec<_>>()
    };
    foresight.groups.iter().flat_map(of).collect()
}

#[test]
fn devices_to_which_the_same_happens_are_told_together_with_what_they_do_and_no_secret() {
    let say = |value: &str| profile(1, &[("up.goesOn", value), ("reg.1.auth.password", value)]);
    let (before, mut after) = (deployed(world(), vec![(Place::Global, say("CANARY_1"))]), world());
    after = deployed(World { account: Arc::clone(&before.account), ..after }, vec![(Place::Global, say("CANARY_2"))]);
    let own = Arc::new(profile(2, &[("up.goesOn", "own"), ("up.restarts", "1")]));
    after.profiles.insert(ProfileId(2), own);
    let devices = ["0004f2000002", "0004f2000001", "0004f2000003"].map(device);
    let mut next = devices.clone();
    next[2].profiles = vec![ProfileId(2)];
    let foresight = foreseen((&before, &devices), (&after, &next));
    let keys = |group: &Group| group.devices.iter().map(ToString::to_string).collect::<Vec<_>>();
    let [many, one] = &foresight.groups[..] else { panic!("two groups: {foresight:?}") };
    assert_eq!((keys(many), many.effect), (vec!["0004f2000001".to_owned(), "0004f2000002".to_owned()], Effect::MayRestart));
    assert_eq!((keys(one), one.effect), (vec!["0004f2000003".to_owned()], Effect::Restart));
    let names = |group: &Group| group.changes.iter().map(|change| change.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(many), ["reg.1.auth.password", "up.goesOn"]);
    assert_eq!(names(one), ["reg.1.auth.password", "up.goesOn", "up.restarts"]);
    assert_eq!((many.changes[0].old.as_deref(), many.changes[0].new.as_deref()), (Some(MASK), Some(MASK)));
    assert_eq!((foresight.changed(), foresight.with(Effect::Restart), foresight.with(Effect::MayRestart)), (3, 1, 2));
    let other = foreseen((&before, &devices[..2]), (&after, &devices[..2]));
    assert_ne!(other.digest, foresight.digest, "another number of devices is another impact");
}

#[test]
fn a_restart_that_is_only_assumed_is_told_as_that_until_another_one_is_sure() {
    let say = |parameters: &[(&str, &str)]| deployed(world(), vec![(Place::Global, profile(1, parameters))]);
    let devices = [device("0004f2000001")];
    let after = |parameters: &[(&str, &str)]| foreseen((&say(&[]), &devices), (&say(parameters), &devices));
    let assumed = after(&[("up.isAssumed", "1"), ("up.goesOn", "1")]);
    assert_eq!((assumed.with(Effect::Restart), assumed.assumed(), assumed.groups[0].is_assumed), (1, 1, true));
    let sure = after(&[("up.isAssumed", "1"), ("up.restarts", "1")]);
    assert_eq!((sure.with(Effect::Restart), sure.assumed(), sure.groups[0].is_assumed), (1, 0, false));
    assert_eq!(sure.groups[0].changes.iter().map(|change| change.is_assumed).collect::<Vec<_>>(), [true, false]);
    assert_eq!(after(&[("up.x", "1")]).assumed(), 0, "what is not known is not assumed");
}

#[test]
fn another_secret_is_another_impact_although_both_are_masked() {
    let say = |value: &str| deployed(world(), vec![(Place::Global, profile(1, &[("reg.1.auth.password", value)]))]);
    let devices = [device("0004f2000001")];
    let [one, other] = ["second", "third"].map(|value| foreseen((&say("first"), &devices), (&say(value), &devices)));
    assert_eq!(one.groups, other.groups);
    assert_ne!(one.digest, other.digest);
}

#[test]
fn new_and_deleted_devices_are_counted_apart() {
    let (world, new, gone) = (world(), device("0004f2000001"), device("0004f2000002"));
    let foresight = foresee([(None, Some(&new)), (Some(&gone), None)], over_tls, (&world, &world), &table());
    assert_eq!((foresight.changed(), foresight.added, foresight.removed), (0, 1, 1));
}

#[test]
fn a_parameter_of_the_flash_that_is_served_no_more_stays_in_the_phone() {
    let parameters = [("device.net.vlanId", "7"), ("device.net.vlanId.set", "1"), ("up.goesOn", "1")];
    let before = deployed(world(), vec![(Place::Global, profile(1, &parameters))]);
    let devices = [device("0004f2000001")];
    let foresight = foreseen((&before, &devices), (&World { profiles: BTreeMap::new(), ..before.clone() }, &devices));
    assert_eq!(foresight.staying(), BTreeSet::from(["device.net.vlanId"]));
    assert_eq!(told(&foresight).values().next().map(BTreeSet::len), Some(2), "the twin is told with its parameter");
}

#[test]
fn a_polling_time_of_a_profile_is_not_told_where_zone_and_window_change() {
    let say = |parameters: &[(&str, &str)]| deployed(world(), vec![(Place::Global, profile(1, parameters))]);
    let before = say(&[("prov.polling.time", "04:00")]);
    for after in [
        with_account(before.clone(), |account| account.polling_window = (60, 61)),
        with_account(before.clone(), |account| account.time_zone = "Asia/Tokyo".to_owned()),
    ] {
        let mut own = device("0004f2000002");
        own.profiles = vec![ProfileId(2)];
        let with_own = |mut world: World| {
            world.profiles.insert(ProfileId(2), profile(2, &[("prov.polling.time", "05:00")]).into());
            world
        };
        let devices = [device("0004f2000001"), own];
        let foresight = foreseen((&with_own(before.clone()), &devices), (&with_own(after), &devices));
        assert!(told(&foresight).values().all(|names| !names.contains("prov.polling.time")), "{foresight:?}");
    }
    let devices = [device("0004f2000001")];
    let set = foreseen((&world(), &devices), (&before, &devices));
    let change = &set.groups[0].changes[0];
    assert_eq!((change.name.as_str(), change.new.as_deref()), ("prov.polling.time", Some("04:00")));
    assert_eq!(change.old.as_deref(), Some("a minute of its own between 03:00 and 05:00, Europe/Berlin"));
}

#[test]
fn a_minute_that_moves_is_never_told_in_the_same_words() {
    let offset = profile(1, &[("tcpIpApp.sntp.gmtOffset", "-18000")]);
    let after = deployed(world(), vec![(Place::Global, offset)]);
    let devices = [device("0004f2000001")];
    let foresight = foreseen((&world(), &devices), (&after, &devices));
    let change = foresight.groups[0].changes.iter().find(|change| change.name == "prov.polling.time").expect("it moves");
    assert_eq!(change.old.as_deref(), Some("a minute of its own between 03:00 and 05:00, Europe/Berlin"));
    assert_eq!(
        change.new.as_deref(),
        Some("a minute of its own between 21:00 and 23:00 on its clock, between 03:00 and 05:00, Europe/Berlin")
    );
}

#[test]
fn devices_whose_own_profiles_have_no_part_in_a_change_are_told_together() {
    let mut before = deployed(world(), vec![(Place::Global, profile(1, &[("up.a", "1")]))]);
    let devices: Vec<Device> = (0..6)
        .map(|number| Device { profiles: vec![ProfileId(10 + number)], ..device(&format!("0004f200000{number}")) })
        .collect();
    for number in 0..6 {
        let value = number.to_string();
        let own: &[(&str, &str)] = if number < 4 { &[("up.own", &value)] } else { &[("up.a", &value), ("up.own", "x")] };
        before.profiles.insert(ProfileId(10 + number), profile(10 + number, own).into());
    }
    let mut after = before.clone();
    after.profiles.insert(ProfileId(1), profile(1, &[("up.a", "2"), ("up.b", "2")]).into());
    let foresight = foreseen((&before, &devices), (&after, &devices));
    let found: Vec<_> = foresight.groups.iter().map(|group| (group.devices.len(), group.changes.len())).collect();
    assert_eq!(found, [(4, 2), (2, 1)], "{foresight:?}");
}

#[test]
fn the_polling_minute_is_told_in_words_and_only_for_those_whose_minute_moves() {
    let before = world();
    let after = with_account(before.clone(), |account| account.polling_window = (60, 61));
    let devices = [device("0004f2000001"), device("0004f2000002")];
    let foresight = foreseen((&before, &devices), (&after, &devices));
    let [group] = &foresight.groups[..] else { panic!("one group: {foresight:?}") };
    let [change] = &group.changes[..] else { panic!("one change: {group:?}") };
    assert_eq!(change.name, "prov.polling.time");
    assert!(change.new.as_deref().is_some_and(|new| new.contains("between 01:00 and 01:01")), "{change:?}");
}

/// One thing that somebody changes.
#[derive(Clone, Debug)]
enum Mutation {
    Profile(u64, ParameterSet),
    Place(Place, Vec<u64>),
    Base(bool, bool),
    Zone(&'static str),
    Window((u16, u16)),
    Binds(bool),
    Site(u64, Option<&'static str>, Option<(u16, u16)>),
    Person(Vec<u64>),
    Groups(usize, Vec<u64>),
    Own(usize, Vec<u64>),
    Move(usize, Option<u64>),
    Model(usize, Option<&'static str>),
    Belongs(usize, Option<Owner>),
    Name(usize, &'static str),
    Clock(usize, Option<&'static str>),
}

/// The first device's own profile; each has one.
const OWN: u64 = 10;

fn own(at: usize) -> u64 {
    OWN + u64::try_from(at).expect("a few")
}

const ZONES: [&str; 3] = ["Europe/Berlin", "America/New_York", "Asia/Tokyo"];
const MODELS: [&str; 2] = ["VVX 411", "VVX 500"];

fn ids() -> impl Strategy<Value = Vec<u64>> {
    prop::sample::subsequence(vec![1, 2, 3, 4_u64], 0..=3).prop_shuffle()
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::Global),
        (1..4_u64).prop_map(|id| Place::Group(GroupId(id))),
        (1..3_u64).prop_map(|id| Place::Site(SiteId(id))),
        prop::sample::select(&MODELS[..]).prop_map(|name| Place::Model(name.to_owned())),
        Just(Place::Person(PersonId(1))),
        Just(Place::PersonGroup(crate::domain::ids::PersonGroupId(1))),
        Just(Place::Room(RoomId(1))),
    ]
}

fn owner() -> impl Strategy<Value = Option<Owner>> {
    prop_oneof![Just(None), Just(Some(Owner::Person(PersonId(1)))), Just(Some(Owner::Room(RoomId(1))))]
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let window = || prop_oneof![Just((180, 300)), Just((60, 90)), Just((1_380, 60))];
    let at = || 0..6_usize;
    prop_oneof![
        3 => (1..5_u64, hostile_parameters()).prop_map(|(id, set)| Mutation::Profile(id, set)),
        3 => (OWN..OWN + 6, hostile_parameters()).prop_map(|(id, set)| Mutation::Profile(id, set)),
        2 => (at(), ids()).prop_map(|(at, ids)| Mutation::Own(at, [vec![own(at)], ids].concat())),
        3 => (place(), ids()).prop_map(|(place, ids)| Mutation::Place(place, ids)),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(polling, time)| Mutation::Base(polling, time)),
        1 => prop::sample::select(&ZONES[..]).prop_map(Mutation::Zone),
        1 => window().prop_map(Mutation::Window),
        1 => any::<bool>().prop_map(Mutation::Binds),
        1 => (1..3_u64, prop::option::of(prop::sample::select(&ZONES[..])), prop::option::of(window()))
            .prop_map(|(id, zone, window)| Mutation::Site(id, zone, window)),
        1 => prop::sample::subsequence(vec![1, 2_u64], 0..=2).prop_map(Mutation::Person),
        1 => (at(), prop::sample::subsequence(vec![1, 2, 3_u64], 0..=3).prop_shuffle()).prop_map(|(at, ids)| Mutation::Groups(at, ids)),
        1 => (at(), ids()).prop_map(|(at, ids)| Mutation::Own(at, ids)),
        1 => (at(), prop::option::of(1..3_u64)).prop_map(|(at, site)| Mutation::Move(at, site)),
        1 => (at(), prop::option::of(prop::sample::select(&MODELS[..]))).prop_map(|(at, model)| Mutation::Model(at, model)),
        1 => (at(), owner()).prop_map(|(at, owner)| Mutation::Belongs(at, owner)),
        1 => (at(), prop::sample::select(&["Hall", "Board room"][..])).prop_map(|(at, name)| Mutation::Name(at, name)),
        1 => (at(), prop::option::of(prop::sample::select(&["-18000", "3600", "summer"][..])))
            .prop_map(|(at, offset)| Mutation::Clock(at, offset)),
    ]
}

fn apply(world: &mut World, devices: &mut [Device], mutation: Mutation) {
    match mutation {
        Mutation::Profile(id, parameters) => {
            world.profiles.insert(ProfileId(id), Arc::new(Profile { parameters, yields: id % 3 == 0, ..profile(id, &[]) }));
        }
        Mutation::Place(place, ids) => drop(world.deployment.insert(place, ids.into_iter().map(ProfileId).collect())),
        Mutation::Base(polling, time) => {
            Arc::make_mut(&mut world.account).base = BaseSettings { polling, time, ..BaseSettings::MANAGE }
        }
        Mutation::Zone(zone) => Arc::make_mut(&mut world.account).time_zone = zone.to_owned(),
        Mutation::Window(window) => Arc::make_mut(&mut world.account).polling_window = window,
        Mutation::Binds(binds) => Arc::make_mut(&mut world.account).admission.binds = binds,
        Mutation::Site(id, zone, polling_window) => {
            let site = Site { id: SiteId(id), time_zone: zone.map(str::to_owned), polling_window, ..Site::internet() };
            world.sites.insert(SiteId(id), Arc::new(site));
        }
        Mutation::Person(groups) => drop(world.people.insert(PersonId(1), person(1, &groups).into())),
        Mutation::Groups(at, ids) => devices[at].groups = ids.into_iter().map(GroupId).collect(),
        Mutation::Own(at, ids) => devices[at].profiles = ids.into_iter().map(ProfileId).collect(),
        Mutation::Move(at, site) => devices[at].site = site.map(SiteId),
        Mutation::Model(at, model) => devices[at].model = model.map(str::to_owned),
        Mutation::Belongs(at, owner) => devices[at].owner = owner,
        Mutation::Name(at, name) => devices[at].sent_name = Some(Name::parse(name).expect("a name")),
        Mutation::Clock(at, offset) => {
            let set: Vec<_> = offset.into_iter().map(|offset| ("tcpIpApp.sntp.gmtOffset", offset)).collect();
            devices[at].own_clock = parameter_set(&set);
        }
    }
}

fn fleet() -> Vec<Device> {
    let mut devices: Vec<Device> = (1..6).map(|number| device(&format!("0004f200000{number}"))).collect();
    devices.push(Device { family: Some("Studio".to_owned()), ..device("8218404c20ccf9") });
    for (at, device) in devices.iter_mut().enumerate() {
        device.profiles = vec![ProfileId(own(at))];
    }
    devices[1].own_clock = parameter_set(&[("tcpIpApp.sntp.gmtOffset", "-18000")]);
    devices
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..property_config() })]

    #[test]
    fn what_is_foreseen_is_what_making_every_file_gives(
        former in prop::collection::vec(mutation(), 0..12),
        change in prop::collection::vec(mutation(), 0..3),
    ) {
        let (mut before, mut devices) = (world(), fleet());
        former.into_iter().for_each(|one| apply(&mut before, &mut devices, one));
        let (mut after, mut next) = (before.clone(), devices.clone());
        change.into_iter().for_each(|one| apply(&mut after, &mut next, one));
        let foresight = foreseen((&before, &devices), (&after, &next));
        prop_assert_eq!(told(&foresight), differing((&before, &devices), (&after, &next)));
        for (was, is) in devices.iter().zip(&next) {
            let (old, new) = (served(was, &before), served(is, &after));
            let of_device = foresight.groups.iter().filter(|group| group.devices.contains(&was.key));
            for change in of_device.flat_map(|group| &group.changes) {
                let plain = |files: &BTreeMap<String, String>| files.get(&change.name).map(|text| masked(&change.name, text).into_owned());
                for (said, served) in [(&change.old, plain(&old)), (&change.new, plain(&new))] {
                    let is_own = said.as_ref().is_some_and(|said| said.starts_with("a ") || said.contains('$'));
                    prop_assert!(is_own || *said == served, "{}: {said:?} {served:?}", change.name);
                }
            }
        }
        prop_assert_eq!(foreseen((&before, &devices), (&after, &next)).digest, foresight.digest);
    }
}
