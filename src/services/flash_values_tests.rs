//! Values for phones' flash on a real store, and which device gets which.

use proptest::prelude::*;

use super::*;
use crate::domain::access::Grant;
use crate::domain::consent::Consent;
use crate::domain::deployment::Place;
use crate::domain::device::Device;
use crate::domain::foresight::Change as Foreseen;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::provision::provision;
use crate::domain::restart::Effect;
use crate::domain::testing::{self, parameter_set, property_config};
use crate::services::commit::{Mode, commit};
use crate::services::deployment::{self, Target};
use crate::services::testing::{Bench, bench, owner};

const VLAN: &str = "device.net.vlanId";
const PASSWORD: &str = "device.auth.localUserPassword";
const WEAK: ProfileId = ProfileId(1);
const OWN: ProfileId = ProfileId(2);

fn key(number: usize) -> DeviceKey {
    format!("0004f2{number:06x}").parse().expect("a key")
}

/// Devices that a profile of everything serves; each has a profile of its own, which says the VLAN of every third of them.
fn furnished(devices: usize) -> Bench {
    let bench = bench();
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        change.put_profile(testing::profile(WEAK.0, &twins(&[(VLAN, "7"), (PASSWORD, "CANARY_1"), ("up.a", "1")])))?;
        change.put_profile(testing::profile(OWN.0, &twins(&[(VLAN, "5")])))?;
        change.put_profile(testing::profile(3, &[("up.own", "1")]))?;
        change.put_place(Place::Global, vec![WEAK])?;
        for number in 0..devices {
            let profiles = if number % 3 == 0 { vec![OWN, ProfileId(3)] } else { vec![ProfileId(3)] };
            change.put_device(Device { profiles, ..testing::device(&key(number).to_string()) })?;
        }
        crate::store::profiles::next_ids(change.tx(), 3).map(drop)?;
        Ok(())
    })
    .expect("stored");
    bench
}

fn twins<'t>(parameters: &[(&'t str, &'t str)]) -> Vec<(&'t str, &'t str)> {
    let twin = |(name, value): &(&'t str, &'t str)| match *name {
        VLAN => vec![(VLAN, *value), ("device.net.vlanId.set", "1")],
        PASSWORD => vec![(PASSWORD, *value), ("device.auth.localUserPassword.set", "1")],
        name => vec![(name, *value)],
    };
    parameters.iter().flat_map(twin).collect()
}

fn values(chosen: &[(&str, &str)]) -> FlashValues {
    FlashValues(parameter_set(chosen))
}

/// Detaches the profile of everything as somebody who chose these values, who is shown what comes of it and says yes.
fn detach(bench: &Bench, chosen: &[(&str, &str)]) -> Result<(), ServiceError> {
    let detach = |consent: &Consent| {
        let actor = owner().with_consent(consent.clone());
        deployment::detach(&bench.services, &actor, DEFAULT_ACCOUNT, &Target::Place(Place::Global), WEAK, Mode::Keep).map(drop)
    };
    let unseen = Consent::of_person_who_sets(None, values(chosen));
    match detach(&unseen) {
        Err(ServiceError::Unconfirmed) => {}
        other => return other,
    }
    let mark = unseen.refused().expect("it was shown").mark.clone();
    detach(&Consent::of_person_who_sets(Some(mark), values(chosen)))
}

fn served(bench: &Bench, number: usize, name: &str) -> Option<String> {
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("set up");
    let listed = bench.services.roster(DEFAULT_ACCOUNT).find(&key(number)).expect("there");
    let files = provision(&testing::to(&listed.device), &world).files;
    files.parameters().find(|setting| setting.name == name).map(|setting| setting.value.to_string())
}

fn list(bench: &Bench, number: usize) -> Vec<u64> {
    let listed = bench.services.roster(DEFAULT_ACCOUNT).find(&key(number)).expect("there");
    listed.device.profiles.iter().map(|id| id.0).collect()
}

#[test]
fn each_device_is_served_just_what_would_stay_in_its_flash() {
    let bench = furnished(5);
    detach(&bench, &[(VLAN, "9"), (PASSWORD, "CANARY_2"), ("device.never.served", "1")]).expect("done");
    for number in 0..5 {
        let vlan = if number % 3 == 0 { "5" } else { "9" };
        assert_eq!(served(&bench, number, VLAN).as_deref(), Some(vlan), "what another profile says counts");
        assert_eq!(served(&bench, number, PASSWORD).as_deref(), Some("CANARY_2"));
        assert_eq!(
            served(&bench, number, "device.auth.localUserPassword.set").as_deref(),
            Some("1"),
            "no phone takes it without"
        );
        assert_eq!((served(&bench, number, "up.a"), served(&bench, number, "device.never.served")), (None, None));
    }
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("set up");
    let made: Vec<_> = world.profiles.values().filter(|one| one.name.as_str().starts_with("Flash values 2026-11-22")).collect();
    assert_eq!(made.len(), 2, "devices that lose the same get one profile");
    assert!(made.iter().all(|one| one.modified_by == "ada" && !one.description.is_empty() && one.revision == 1));
    assert!((0..5).all(|number| list(&bench, number).starts_with(if number % 3 == 0 { &[2, 3] } else { &[3] })));
    let mut told = Vec::new();
    let read = bench.services.store.read(|tx| {
        crate::store::activity::newest_first(tx, DEFAULT_ACCOUNT, |_, entry| {
            told.push(entry.event);
            crate::store::tx::Walk::On
        })
    });
    read.expect("read");
    let attached = |event: &&Event| event.action == "attached" && event.subject.starts_with("Flash values");
    assert_eq!(told.iter().filter(attached).count(), 2, "{told:?}");
    assert!(!format!("{told:?}").contains("CANARY"));
}

#[test]
fn nothing_is_made_where_nothing_is_chosen_or_nothing_would_stay() {
    let bench = furnished(3);
    detach(&bench, &[("device.never.served", "1")]).expect("done");
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("set up");
    assert!(world.profiles.len() == 3 && world.deployment.is_empty());
    assert_eq!(served(&bench, 1, VLAN), None);
}

#[test]
fn names_are_free_ones_and_a_full_device_refuses_the_whole_change() {
    let bench = furnished(1);
    let taken = crate::domain::profile::Profile {
        name: Name::parse("flash VALUES 2026-11-22").expect("a name"),
        ..testing::profile(50, &[])
    };
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        change.put_profile(taken)?;
        for number in 0..PROFILES_PER_CONTAINER as u64 {
            change.put_profile(testing::profile(100 + number, &[]))?;
        }
        Ok(())
    })
    .expect("stored");
    let fill = |count: usize| {
        commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
            let profiles = (100..).take(count).map(ProfileId).collect();
            change.put_device(Device { profiles, ..testing::device(&key(0).to_string()) })
        })
    };
    fill(PROFILES_PER_CONTAINER).expect("filled");
    let full = detach(&bench, &[(VLAN, "9")]);
    assert!(matches!(&full, Err(ServiceError::Conflict(why)) if why.contains("0004f2000000")), "{full:?}");
    assert_eq!(served(&bench, 0, VLAN).as_deref(), Some("7"), "nothing was done");
    fill(PROFILES_PER_CONTAINER - 1).expect("one place is free");
    detach(&bench, &[(VLAN, "9")]).expect("done");
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("set up");
    assert!(world.profiles.values().any(|one| one.name.as_str() == "Flash values 2026-11-22 2"));
}

#[test]
fn whoever_may_not_make_profiles_chooses_no_values() {
    use crate::domain::access::Actor;
    use crate::domain::user::Role;
    let Actor::User { id, name, account, confirmed, consent, .. } = owner() else { panic!("a user") };
    let operator = Actor::User { id, name, role: Role::Operator, account, confirmed, consent };
    let world = testing::world();
    let wrong = checked(&world, &operator, [(VLAN, "9")]).expect_err("refused");
    assert!(wrong[VLAN].contains("role"), "{wrong:?}");
    assert_eq!(checked(&world, &owner(), [(VLAN, "9")]), Ok(values(&[(VLAN, "9")])));
    for (name, value) in [("up.a", "1"), ("device.net.vlanId.set", "1"), ("device.x", "\u{1}"), ("device.x y", "1")] {
        assert!(checked(&world, &owner(), [(name, value)]).is_err(), "{name}");
    }
}

/// What would stay in the flash of some devices, four parameters at most.
fn foresight() -> impl Strategy<Value = Foresight> {
    let names = prop::sample::subsequence(vec!["device.a", "device.b", "device.c", "up.d"], 0..=4);
    prop::collection::vec((names, 1..4_usize), 0..16).prop_map(|groups| {
        let mut numbers = 0..;
        let change = |name: &str| Foreseen {
            name: name.to_owned(),
            old: Some("1".to_owned()),
            new: None,
            effect: Effect::None,
            is_assumed: false,
        };
        let group = |(names, devices): (Vec<&str>, usize)| Group {
            devices: numbers.by_ref().take(devices).map(key).collect(),
            changes: names.into_iter().map(change).collect(),
            effect: Effect::None,
            is_assumed: false,
        };
        Foresight { groups: groups.into_iter().map(group).collect(), ..Foresight::default() }
    })
}

proptest! {
    #![proptest_config(property_config())]

    #[test]
    fn every_device_gets_its_own_values_once_by_few_profiles(foresight in foresight(), all in any::<bool>()) {
        let chosen = if all { &["device.a", "device.b", "device.c", "up.d"][..] } else { &["device.a", "device.b"] };
        let values = parameter_set(&chosen.iter().map(|name| (*name, "9")).collect::<Vec<_>>());
        let shares = shares(&foresight, &values);
        prop_assert!(shares.len() <= values.len());
        for group in &foresight.groups {
            let mut expected: Vec<&str> = group.changes.iter().map(|change| change.name.as_str()).collect();
            expected.retain(|name| chosen.contains(name) && name.starts_with("device."));
            for device in &group.devices {
                let mine = shares.iter().filter(|share| share.devices.contains(&device));
                let mut got: Vec<&str> = mine
                    .flat_map(|share| share.parameters.iter())
                    .map(|(name, _)| name.as_str())
                    .filter(|name| before_set(name).is_none())
                    .collect();
                got.sort_unstable();
                prop_assert_eq!(&got, &expected);
            }
        }
        for share in &shares {
            let twins = share.parameters.iter().filter(|(name, value)| before_set(name.as_str()).is_some() && &***value == "1").count();
            prop_assert!(twins * 2 == share.parameters.len() && !share.devices.is_empty());
        }
    }
}
