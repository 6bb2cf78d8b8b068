//! A dry run and the real run change exactly the same devices, on a real store: what every device is served before and after, beside
//! what was told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::*;
use crate::domain::access::{Action, Grant};
use crate::domain::deployment::Place;
use crate::domain::device::Owner;
use crate::domain::group::Group;
use crate::domain::ids::{GroupId, PersonId, ProfileId};
use crate::domain::names::Name;
use crate::domain::parameter::masked;
use crate::domain::people::Person;
use crate::domain::profile::draft::ParameterEdit;
use crate::domain::provision::provision;
use crate::domain::site::draft::{NetworkInput, SiteDraft, SiteInput};
use crate::domain::testing;
use crate::services::accounts::{self, AccountDraft};
use crate::services::commit::commit;
use crate::services::deployment::{self, Target};
use crate::services::membership::{self, MemberChange};
use crate::services::profiles::{self, Shown};
use crate::services::testing::{Bench, bench, grant, owner};
use crate::services::{groups, people, sites};

const DEVICES: usize = 6;
/// The first device's own profile; each has one.
const OWN: u64 = 10;

fn key(number: usize) -> DeviceKey {
    format!("0004f200000{number}").parse().expect("a key")
}

/// Something that an admin does.
#[derive(Clone, Debug)]
enum Deed {
    Edit(u64, &'static str, &'static str),
    Remove(u64, &'static str),
    Attach(Place, Vec<u64>),
    Own(usize, Vec<u64>),
    Join(u64, Vec<usize>, Vec<usize>),
    Order(usize, Vec<u64>),
    Top(u64),
    DeleteGroup(u64),
    DeleteProfile(u64),
    Owns(usize, bool),
    Site(Option<&'static str>, &'static str),
    Account(&'static str, bool, (u16, u16)),
}

const NAMES: [&str; 6] =
    ["up.a", "up.b", "device.net.vlanId", "reg.1.auth.password", "tcpIpApp.sntp.gmtOffset", "prov.polling.time"];
const VALUES: [&str; 4] = ["1", "2", "03:00", "$mac_address"];
const ZONES: [&str; 2] = ["Europe/Berlin", "Asia/Tokyo"];

fn ids() -> impl Strategy<Value = Vec<u64>> {
    prop::sample::subsequence(vec![1, 2, 3_u64], 0..=3).prop_shuffle()
}

fn deed() -> impl Strategy<Value = Deed> {
    let name = || prop::sample::select(&NAMES[..]);
    let at = || 0..DEVICES;
    let group = || 1..3_u64;
    let place = prop_oneof![
        Just(Place::Global),
        group().prop_map(|id| Place::Group(GroupId(id))),
        Just(Place::Model("VVX 411".to_owned())),
        Just(Place::Person(PersonId(1))),
    ];
    let some = || prop::sample::subsequence((0..DEVICES).collect::<Vec<_>>(), 0..=3);
    prop_oneof![
        (prop_oneof![1..4_u64, OWN..OWN + 6], name(), prop::sample::select(&VALUES[..]))
            .prop_map(|(id, name, value)| Deed::Edit(id, name, value)),
        (prop_oneof![1..4_u64, OWN..OWN + 6], name()).prop_map(|(id, name)| Deed::Remove(id, name)),
        (place, ids()).prop_map(|(place, ids)| Deed::Attach(place, ids)),
        (at(), ids()).prop_map(|(at, ids)| Deed::Own(at, ids)),
        (group(), some(), some()).prop_map(|(group, add, remove)| Deed::Join(group, add, remove)),
        (at(), prop::sample::subsequence(vec![1, 2_u64], 0..=2).prop_shuffle()).prop_map(|(at, ids)| Deed::Order(at, ids)),
        group().prop_map(Deed::Top),
        group().prop_map(Deed::DeleteGroup),
        (1..4_u64).prop_map(Deed::DeleteProfile),
        (at(), any::<bool>()).prop_map(|(at, has)| Deed::Owns(at, has)),
        (prop::option::of(prop::sample::select(&ZONES[..])), prop::sample::select(&["192.0.2.0/24", "198.51.100.0/24"][..]))
            .prop_map(|(zone, network)| Deed::Site(zone, network)),
        (prop::sample::select(&ZONES[..]), any::<bool>(), prop_oneof![Just((180, 300)), Just((60, 90))])
            .prop_map(|(zone, binds, window)| Deed::Account(zone, binds, window)),
    ]
}

/// Three profiles, two groups, a person, a site and six devices of two models, each with a profile of its own.
fn furnished() -> Bench {
    let bench = bench();
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        let made = [("1", "a"), ("2", "b"), ("3", "c")];
        for (id, (number, value)) in (1..).zip(made) {
            change.put_profile(testing::profile(id, &[("up.a", value), ("device.net.vlanId", number)]))?;
        }
        for id in 1..3 {
            change.put_group(group(id))?;
        }
        change.put_person(Person { id: PersonId(1), ..testing::person(1, &[]) })?;
        for (own, number) in (OWN..).zip(0..DEVICES) {
            let model = (number % 2 == 0).then(|| "VVX 411".to_owned());
            let parameters: &[(&str, &str)] = if number < 3 { &[("up.own", "1")] } else { &[("up.a", "own")] };
            change.put_profile(testing::profile(own, parameters))?;
            let profiles = vec![ProfileId(own)];
            change.put_device(Device { model, profiles, ..testing::device(&key(number).to_string()) })?;
        }
        Ok(())
    })
    .expect("stored");
    bench
}

fn group(id: u64) -> Group {
    let name = Name::parse(&format!("group {id}")).expect("a name");
    let (modified_by, modified_at) = ("ada".to_owned(), Timestamp::UNIX_EPOCH);
    Group { id: GroupId(id), name, description: String::new(), modified_by, modified_at, revision: 1 }
}

fn profiles_of(ids: &[u64]) -> Vec<ProfileId> {
    ids.iter().copied().map(ProfileId).collect()
}

fn keys(numbers: &[usize]) -> BTreeSet<DeviceKey> {
    numbers.iter().copied().map(key).collect()
}

/// Does it, or tries it out. What cannot be done as things stand is refused both times.
fn act(services: &Services, actor: &Actor, deed: &Deed, mode: Mode) -> Result<(), ServiceError> {
    const HERE: AccountId = DEFAULT_ACCOUNT;
    let world = services.world(HERE)?;
    let shown = |id: u64| {
        let id = ProfileId(id);
        Shown { id, revision: world.profile(id).map_or(0, |profile| profile.revision) }
    };
    match deed.clone() {
        Deed::Edit(id, name, value) => {
            let edit = ParameterEdit::set(name, value)?;
            profiles::edit_parameters(services, actor, HERE, shown(id), &[edit], mode).map(drop)
        }
        Deed::Remove(id, name) => {
            let edit = ParameterEdit::Remove(name.to_owned().try_into().expect("a name"));
            profiles::edit_parameters(services, actor, HERE, shown(id), &[edit], mode).map(drop)
        }
        Deed::Attach(place, ids) => {
            deployment::set(services, actor, HERE, &Target::Place(place), None, profiles_of(&ids), mode).map(drop)
        }
        Deed::Own(at, ids) => {
            deployment::set(services, actor, HERE, &Target::Device(key(at)), None, profiles_of(&ids), mode).map(drop)
        }
        Deed::Join(group, add, remove) => {
            let remove = keys(&remove).difference(&keys(&add)).cloned().collect();
            let wanted = MemberChange { add: keys(&add), remove };
            membership::change(services, actor, HERE, GroupId(group), &wanted, mode).map(drop)
        }
        Deed::Order(at, ids) => {
            let now = membership::of_device(services, HERE, &key(at))?;
            let wanted = ids.into_iter().map(GroupId).collect();
            membership::set_of_device(services, actor, HERE, &key(at), &now, wanted, mode).map(drop)
        }
        Deed::Top(group) => membership::set_to_top(services, actor, HERE, GroupId(group), mode).map(drop),
        Deed::DeleteGroup(id) => groups::delete_all(services, actor, HERE, &BTreeSet::from([GroupId(id)]), mode).map(drop),
        Deed::DeleteProfile(id) => profiles::delete_all(services, actor, HERE, &BTreeSet::from([ProfileId(id)]), mode).map(drop),
        Deed::Owns(at, has) => {
            let now = services.roster(HERE).find(&key(at)).and_then(|one| one.device.owner);
            let owner = has.then_some(Owner::Person(PersonId(1)));
            people::set_owner(services, actor, HERE, &key(at), now, owner, mode).map(drop)
        }
        Deed::Site(zone, network) => {
            let input = SiteInput {
                name: format!("Site {}", world.sites.len()),
                networks: vec![NetworkInput { public: network.to_owned(), private: Vec::new() }],
                time_zone: zone.unwrap_or_default().to_owned(),
                ..SiteInput::default()
            };
            sites::create(services, actor, HERE, vec![SiteDraft::parse(&input)?], mode).map(drop)
        }
        Deed::Account(zone, binds, window) => {
            let draft = AccountDraft {
                time_zone: Some(zone.to_owned()),
                binds: Some(binds),
                polling_window: Some(window),
                ..AccountDraft::default()
            };
            accounts::change(services, actor, HERE, None, &draft, mode).map(drop)
        }
    }
}

/// All that every device is served, by name.
fn served(services: &Services) -> BTreeMap<DeviceKey, BTreeMap<String, String>> {
    let world = services.world(DEFAULT_ACCOUNT).expect("set up");
    let of = |device: &Device| {
        let files = provision(&testing::to(device), &world).files;
        let settings = files.master.iter().chain(files.parameters());
        settings.map(|setting| (setting.name.to_string(), setting.value.to_string())).collect()
    };
    services.roster(DEFAULT_ACCOUNT).all().iter().map(|one| (one.device.key.clone(), of(&one.device))).collect()
}

/// The devices that a dry run names.
fn told(consent: &Consent) -> BTreeSet<DeviceKey> {
    let groups = consent.tried().map(|told| told.foresight.groups.as_slice()).unwrap_or_default();
    groups.iter().flat_map(|group| group.devices.iter().cloned()).collect()
}

proptest! {
    #![proptest_config(Config { cases: 24, rng_seed: RngSeed::Fixed(1), ..Config::default() })]

    #[test]
    fn a_dry_run_and_the_real_run_change_exactly_the_same_devices(deeds in prop::collection::vec(deed(), 1..14)) {
        let bench = furnished();
        for deed in &deeds {
            let before = served(&bench.services);
            let consent = Consent::of_dry_run();
            let tried = act(&bench.services, &owner().with_consent(consent.clone()), deed, Mode::TryOut);
            prop_assert_eq!(&served(&bench.services), &before, "{:?} was only tried out", deed);
            let done = act(&bench.services, &owner(), deed, Mode::Keep);
            prop_assert_eq!(tried.is_ok(), done.is_ok(), "{:?}", deed);
            let after = served(&bench.services);
            let changed: BTreeSet<DeviceKey> = before.keys().filter(|key| before.get(*key) != after.get(*key)).cloned().collect();
            // Whoever types a secret is not told that it is the one that is there: that counts as another one.
            let types_secret = matches!(deed, Deed::Edit(_, name, value) if masked(name, value) != *value);
            let told = told(&consent);
            prop_assert!(told == changed || types_secret && told.is_superset(&changed), "{:?}: {:?} {:?}", deed, told, changed);
        }
    }
}

#[test]
fn a_person_is_shown_the_change_and_agrees_to_just_that() {
    let bench = furnished();
    let attach = |consent: &Consent| {
        let actor = owner().with_consent(consent.clone());
        deployment::set(
            &bench.services,
            &actor,
            DEFAULT_ACCOUNT,
            &Target::Place(Place::Global),
            None,
            profiles_of(&[1]),
            Mode::Keep,
        )
    };
    let unseen = Consent::of_person(None);
    assert!(matches!(attach(&unseen), Err(ServiceError::Unconfirmed)));
    let told = unseen.refused().expect("what was not done");
    assert_eq!(told.foresight.changed(), DEVICES);
    assert!(bench.services.world(DEFAULT_ACCOUNT).expect("set up").deployment.is_empty(), "nothing was written");

    let mut world_is_another = Consent::of_person(Some(told.mark.clone()));
    commit(&bench.services, grant(Action::EditDevices(DEFAULT_ACCOUNT)), DEFAULT_ACCOUNT, |change| {
        change.leave_as_is();
        change.put_device(testing::device("0004f2000099"))
    })
    .expect("somebody adds a device");
    assert!(matches!(attach(&world_is_another), Err(ServiceError::Unconfirmed)));
    let mark = world_is_another.refused().expect("what it would do now").mark.clone();
    world_is_another = Consent::of_person(Some(mark));
    attach(&world_is_another).expect("it was shown");
    attach(&Consent::of_person(None)).expect("nothing changes any more, so nobody is asked");
}
