//! People, groups of people and rooms on a real store.

use super::*;
use crate::domain::access::Grant;
use crate::domain::consent::Consent;
use crate::domain::deployment::applicable;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::people::NamedInput;
use crate::domain::testing;
use crate::services::commit::commit;
use crate::services::deployment::{self, Target};
use crate::services::testing::{Bench, bench, newest_activity, owner};

fn key(number: u64) -> DeviceKey {
    format!("0004f2{number:06x}").parse().expect("a key")
}

fn add<T: Organised>(bench: &Bench, name: &str) -> Result<T, ServiceError> {
    let draft = NamedDraft::parse(&NamedInput { name: name.to_owned(), description: String::new() }, T::RULE)?;
    Ok(create::<T>(&bench.services, &owner(), DEFAULT_ACCOUNT, vec![draft], Mode::Keep)?.remove(0))
}

/// Two devices and five profiles.
fn furnished() -> Bench {
    let bench = bench();
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        (1..=5).try_for_each(|id| change.put_profile(testing::profile(id, &[("up.a", &id.to_string())])))?;
        (1..=2).try_for_each(|number| change.put_device(testing::device(&key(number).to_string())))
    })
    .expect("stored");
    bench
}

fn own(bench: &Bench, number: u64, shown: Option<Owner>, new: Option<Owner>) -> Result<Option<Owner>, ServiceError> {
    set_owner(&bench.services, &owner(), DEFAULT_ACCOUNT, &key(number), shown, new, Mode::Keep)
}

fn attach(bench: &Bench, place: Place, profile: u64) {
    let target = Target::Place(place);
    deployment::attach(&bench.services, &owner(), DEFAULT_ACCOUNT, &target, ProfileId(profile), Mode::Keep).expect("attached");
}

fn placed(bench: &Bench, number: u64) -> Vec<u64> {
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("a world");
    let device = bench.services.roster(DEFAULT_ACCOUNT).find(&key(number)).expect("there").device;
    applicable(&device, &world).iter().map(|one| one.profile.id.0).collect()
}

#[test]
fn each_kind_has_names_of_its_own_and_a_stale_change_is_refused() {
    let bench = furnished();
    add::<Person>(&bench, "Berlin").expect("made");
    add::<Room>(&bench, "Berlin").expect("a room may be called as a person is");
    let taken = add::<Room>(&bench, "BERLIN").expect_err("taken").to_string();
    assert!(taken.contains("there is a room “Berlin” already"), "{taken}");
    let person = add::<Person>(&bench, "Ada").expect("made");
    let rename = |revision, name: &str| {
        let draft = NamedDraft { name: Name::parse(name).expect("a name"), description: "x".to_owned() };
        update::<Person>(&bench.services, &owner(), DEFAULT_ACCOUNT, (person.id, revision), draft, Mode::Keep)
    };
    assert_eq!(rename(1, "Ada L").expect("saved").modified.revision, 2);
    assert_eq!(newest_activity(&bench.services), "ada: person Ada L changed; name Ada -> Ada L; description - -> x");
    assert!(matches!(rename(1, "Eve"), Err(ServiceError::Conflict(_))));
}

#[test]
fn a_device_gets_what_its_owner_and_the_owners_groups_are_given_in_the_persons_order() {
    let bench = furnished();
    let person = add::<Person>(&bench, "Ada").expect("made");
    let (first, second) =
        (add::<PersonGroup>(&bench, "Sales").expect("made"), add::<PersonGroup>(&bench, "Field").expect("made"));
    attach(&bench, Place::Global, 1);
    attach(&bench, Place::PersonGroup(first.id), 2);
    attach(&bench, Place::PersonGroup(second.id), 3);
    attach(&bench, Place::Person(person.id), 4);
    let set = |shown: &[PersonGroupId], groups: &[PersonGroupId]| {
        set_groups(&bench.services, &owner(), DEFAULT_ACCOUNT, person.id, shown, groups.to_vec(), Mode::Keep)
    };
    set(&[], &[first.id, second.id]).expect("set");
    assert!(matches!(set(&[], &[]), Err(ServiceError::Conflict(_))));
    assert!(matches!(own(&bench, 1, None, Some(Owner::Person(PersonId(99)))), Err(ServiceError::Invalid(_))));
    own(&bench, 1, None, Some(Owner::Person(person.id))).expect("owned");
    assert_eq!(newest_activity(&bench.services), "ada: device 0004f2000001 changed; owner - -> Ada");
    assert!(matches!(own(&bench, 1, None, None), Err(ServiceError::Conflict(_))));
    assert_eq!((placed(&bench, 1), placed(&bench, 2)), (vec![4, 2, 3, 1], vec![1]));
    set(&[first.id, second.id], &[second.id, first.id]).expect("set");
    assert_eq!(newest_activity(&bench.services), "ada: person Ada changed; groups Sales, Field -> Field, Sales");
    let bench = bench.restarted();
    assert_eq!(placed(&bench, 1), [4, 3, 2, 1]);
}

#[test]
fn what_is_deleted_takes_along_what_it_gave_and_nothing_else() {
    let bench = furnished();
    let (person, room) = (add::<Person>(&bench, "Ada").expect("made"), add::<Room>(&bench, "Lab").expect("made"));
    let group = add::<PersonGroup>(&bench, "Sales").expect("made");
    attach(&bench, Place::Global, 1);
    attach(&bench, Place::PersonGroup(group.id), 2);
    attach(&bench, Place::Room(room.id), 3);
    set_groups(&bench.services, &owner(), DEFAULT_ACCOUNT, person.id, &[], vec![group.id], Mode::Keep).expect("set");
    own(&bench, 1, None, Some(Owner::Person(person.id))).expect("owned");
    own(&bench, 2, None, Some(Owner::Room(room.id))).expect("owned");

    let consent = Consent::of_dry_run();
    let asking = owner().with_consent(consent.clone());
    let of_group = delete_all::<PersonGroup>(&bench.services, &asking, DEFAULT_ACCOUNT, &[group.id].into(), Mode::TryOut);
    let (of_group, told) = (of_group.expect("tried"), &consent.tried().expect("told").foresight);
    let changes: Vec<_> = told.groups.iter().map(|one| (&one.devices, one.changes[0].new.as_deref())).collect();
    assert_eq!((changes, of_group.devices), (vec![(&vec![key(1)], Some("1"))], 0));
    let members = BTreeMap::from([("Sales".to_owned(), (BTreeSet::from(["Ada".to_owned()]), 1))]);
    assert_eq!(told.rearrangement.people_left, members);
    assert_eq!(placed(&bench, 1), [2, 1], "it was only tried");
    let consent = Consent::of_dry_run();
    let asking = owner().with_consent(consent.clone());
    let of_person = delete_all::<Person>(&bench.services, &asking, DEFAULT_ACCOUNT, &[person.id].into(), Mode::TryOut);
    let told = &consent.tried().expect("told").foresight;
    assert_eq!((of_person.expect("tried").devices, told.changed()), (1, 1), "the groups go with the person");
    assert_eq!(told.rearrangement.ownerless, 1);

    let done = delete_all::<PersonGroup>(&bench.services, &owner(), DEFAULT_ACCOUNT, &[group.id].into(), Mode::Keep);
    assert_eq!(done.expect("deleted").what, of_group.what);
    assert_eq!(newest_activity(&bench.services), "ada: person group Sales deleted");
    delete_all::<Room>(&bench.services, &owner(), DEFAULT_ACCOUNT, &[room.id].into(), Mode::Keep).expect("deleted");
    let bench = bench.restarted();
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("a world");
    assert!(world.person_groups.is_empty() && world.rooms.is_empty() && world.people[&person.id].groups.is_empty());
    assert_eq!(world.deployment.keys().collect::<Vec<_>>(), [&Place::Global]);
    let owner_of = |number| bench.services.roster(DEFAULT_ACCOUNT).find(&key(number)).expect("there").device.owner;
    assert_eq!((owner_of(1), owner_of(2)), (Some(Owner::Person(person.id)), None));
}
