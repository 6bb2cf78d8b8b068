//! Upgrades of the standard profiles on a real store.

use jiff::Timestamp;

use super::*;
use crate::domain::deployment::Place;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::profile::Profile;
use crate::domain::profile::ProfileKind;
use crate::domain::provision::warnings_of;
use crate::domain::standard::{Input, InputKind};
use crate::domain::testing::{device, parameter_set, profile};
use crate::services::activity::{self, ActivityQuery};
use crate::services::testing::{Bench, bench};

/// A number that no version has had yet.
const GONE: u32 = 999_999;

fn remembered(number: u32, name: &str) -> Installed {
    Installed {
        number,
        name: Name::parse(name).expect("a name"),
        description: "What it did.".to_owned(),
        parameters: parameter_set(&[("up.timeOut", "40")]),
        version: "0.0.1".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn change(bench: &Bench, make: impl FnOnce(&mut Change<'_>) -> Result<(), ServiceError>) {
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, make).expect("stored");
}

/// The entries about profiles, newest first: subject and action.
fn told(bench: &Bench) -> Vec<(String, String)> {
    let query = ActivityQuery { object: Some("profile".to_owned()), limit: 100, ..ActivityQuery::default() };
    let page = activity::list(&bench.services, DEFAULT_ACCOUNT, &query).expect("readable");
    page.items
        .into_iter()
        .filter(|entry| entry.event.object == "profile")
        .map(|entry| (entry.event.subject, entry.event.action))
        .collect()
}

#[test]
fn the_first_start_brings_them_all_and_tells_nothing_of_it() {
    let bench = bench();
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("set up");
    assert_eq!(world.standard.iter().count(), standard_profiles().len());
    let one = world.standard.iter().next().expect("some");
    assert_eq!((one.profile.modified_at, one.profile.modified_by.as_str()), (bench.clock.now(), &*format!("pdms {VERSION}")));
    assert_eq!(told(&bench.restarted()), []);
}

/// What somebody might type into a field of a template.
fn typed(input: &Input) -> String {
    let text = match input.kind {
        InputKind::Number => input.min.unwrap_or(1).to_string(),
        InputKind::Choice => input.choices[0].clone(),
        InputKind::Host => "10.1.2.3".to_owned(),
        InputKind::Url => "https://files.example.test/a.wav".to_owned(),
        InputKind::Text | InputKind::Secret => "1234567890".chars().take(input.most_length.unwrap_or(10)).collect(),
    };
    assert!(input.check(&text).is_ok(), "{}: {text}", input.name);
    text
}

#[test]
fn none_of_them_warns_of_itself_attached_alone_or_copied_with_its_form_filled() {
    let bench = bench();
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("set up");
    for one in world.standard.iter() {
        let told = warnings_of([&*one.profile], &world);
        assert_eq!(told, [], "{}", one.profile.name);
        let inputs = one.shipped.inputs.iter().map(|input| (input.name.clone(), typed(input))).collect();
        let copy = profile(1, &[]);
        let copy = Profile { parameters: one.shipped.filled(&inputs).expect("a good form"), ..copy };
        assert_eq!(warnings_of([&copy], &world), [], "a copy of {}", one.profile.name);
    }
}

#[test]
fn one_that_a_version_lacks_goes_from_everywhere_and_is_kept_as_a_profile() {
    let bench = bench();
    let gone = remembered(GONE, "Clock-Of-Old");
    let (id, lost) = (gone.id(), ProfileId(gone.id().0 + 1));
    change(&bench, |change| {
        store::standard::put(change.tx(), &gone)?;
        change.put_place(Place::Global, vec![id, lost])?;
        let mut device = device("0004f2000001");
        device.profiles = vec![id];
        change.put_device(device)
    });
    let bench = bench.restarted();
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("set up");
    assert!(world.deployment.is_empty(), "{:?}", world.deployment);
    let key = "0004f2000001".parse().expect("a key");
    assert!(bench.services.roster(DEFAULT_ACCOUNT).find(&key).expect("there").device.profiles.is_empty());
    let kept: Vec<_> = world.profiles.values().collect();
    let [kept] = kept.as_slice() else { panic!("one copy: {kept:?}") };
    assert_eq!(kept.name.as_str(), format!("Clock-Of-Old (retired {VERSION})"));
    assert_eq!((kept.kind, &kept.parameters), (ProfileKind::UserDefined, &gone.parameters));
    let told_once = told(&bench);
    assert!(
        told_once.iter().any(|(subject, action)| subject == "Clock-Of-Old" && action.starts_with("detached")),
        "{told_once:?}"
    );
    assert!(told_once.iter().any(|(_, action)| action.starts_with("kept of Clock-Of-Old")), "{told_once:?}");
    assert!(
        told_once.iter().any(|(subject, _)| subject.ends_with(&lost.to_string())),
        "nobody knows what was in it: {told_once:?}"
    );
    assert_eq!(told(&bench.restarted()), told_once, "a further start has nothing to do");
}

#[test]
fn one_that_changed_or_came_is_told_and_one_that_nobody_used_goes_without_a_copy() {
    let bench = bench();
    let shipped = standard_profiles().values().find(|profile| !profile.is_template()).expect("some");
    let other = standard_profiles().values().find(|profile| profile.is_template()).expect("some");
    change(&bench, |change| {
        store::standard::put(change.tx(), &remembered(shipped.number, "Former-Name"))?;
        store::standard::put(change.tx(), &remembered(GONE, "Unused"))?;
        store::standard::delete(change.tx(), other.number).map(|_| ()).map_err(Into::into)
    });
    bench.clock.advance_to(bench.clock.now() + jiff::SignedDuration::from_hours(24));
    let bench = bench.restarted();
    let told = told(&bench);
    let has = |name: &str, done: &str| told.iter().any(|(subject, action)| subject == name && action.starts_with(done));
    assert!(
        has(shipped.name.as_str(), "changed with") && has(other.name.as_str(), "came with") && has("Unused", "removed with"),
        "{told:?}"
    );
    assert_eq!(told.len(), 3);
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("set up");
    assert!(world.profiles.is_empty());
    let at = |id: ProfileId| world.standard.get(id).expect("shipped").profile.modified_at;
    assert_eq!((at(shipped.id()), at(other.id())), (bench.clock.now(), bench.clock.now()));
}

#[test]
fn a_copy_whose_name_is_taken_gets_a_number() {
    let mut taken = BTreeSet::from([format!("old (retired {VERSION})"), format!("old (retired {VERSION}) 2")]);
    let known = remembered(GONE, "Old");
    assert_eq!(retired_name(&known, &mut taken).as_str(), format!("Old (retired {VERSION}) 3"));
    assert_eq!(retired_name(&known, &mut taken).as_str(), format!("Old (retired {VERSION}) 4"));
}
