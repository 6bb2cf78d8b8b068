//! Making, editing and deleting groups, and who is in them, on a real store.

use proptest::prelude::*;

use super::*;
use crate::domain::access::Grant;
use crate::domain::consent::Consent;
use crate::domain::device::DeviceKey;
use crate::domain::group::GroupInput;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::testing;
use crate::services::commit::commit;
use crate::services::deployment::{self, Target};
use crate::services::membership::{Changed, MemberChange, change, of_device, set_of_device, set_to_top};
use crate::services::testing::{Bench, bench, newest_activity, owner};

fn key(number: u64) -> DeviceKey {
    format!("0004f2{number:06x}").parse().expect("a key")
}

/// Some devices and groups, the latter named A, B, C …
fn furnished(devices: u64, groups: usize) -> (Bench, Vec<GroupId>) {
    let bench = bench();
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        change.put_profile(testing::profile(1, &[("up.a", "group"), ("reg.1.auth.password", "CANARY")]))?;
        change.put_profile(testing::profile(2, &[("up.a", "global")]))?;
        (1..=devices).try_for_each(|number| change.put_device(testing::device(&key(number).to_string())))
    })
    .expect("stored");
    let names = ["A", "B", "C", "D", "E"];
    let made = names[..groups].iter().map(|name| add(&bench, name).expect("made").id).collect();
    (bench, made)
}

fn add(bench: &Bench, name: &str) -> Result<Group, ServiceError> {
    let input = GroupInput { name: name.to_owned(), description: String::new() };
    let draft = GroupDraft::parse(&input).expect("a good name");
    let mut made = create(&bench.services, &owner(), DEFAULT_ACCOUNT, vec![draft], Mode::Keep)?;
    Ok(made.remove(0))
}

fn join(bench: &Bench, group: GroupId, numbers: &[u64]) -> Changed {
    let wanted = MemberChange { add: numbers.iter().map(|number| key(*number)).collect(), ..MemberChange::default() };
    change(&bench.services, &owner(), DEFAULT_ACCOUNT, group, &wanted, Mode::Keep).expect("joined")
}

fn groups_of(bench: &Bench, number: u64) -> Vec<GroupId> {
    of_device(&bench.services, DEFAULT_ACCOUNT, &key(number)).expect("a device")
}

#[test]
fn a_name_is_taken_once_whatever_its_letter_case() {
    let (bench, _) = furnished(0, 1);
    let refused = add(&bench, "a").expect_err("taken").to_string();
    assert!(refused.contains("there is a device group “A” already"), "{refused}");
    assert_eq!(newest_activity(&bench.services), "ada: device group A added");
}

#[test]
fn a_change_is_recorded_and_a_stale_one_refused() {
    let (bench, groups) = furnished(0, 2);
    let update = |revision, name: &str| {
        let draft = GroupDraft::parse(&GroupInput { name: name.to_owned(), description: "x".to_owned() }).expect("good");
        update(&bench.services, &owner(), DEFAULT_ACCOUNT, Shown { id: groups[0], revision }, draft, Mode::Keep)
    };
    assert!(matches!(update(1, "B"), Err(ServiceError::Invalid(_))));
    assert_eq!(update(1, "Alpha").expect("saved").revision, 2);
    assert_eq!(newest_activity(&bench.services), "ada: device group Alpha changed; name A -> Alpha; description - -> x");
    assert!(matches!(update(1, "Beta"), Err(ServiceError::Conflict(_))));
    assert_eq!(update(2, "Alpha").expect("as it is").revision, 2);
}

#[test]
fn whoever_joins_gets_the_group_last_and_nothing_is_done_by_halves() {
    let (bench, groups) = furnished(3, 2);
    assert_eq!(join(&bench, groups[1], &[1, 2]).added, [key(1), key(2)]);
    let again = join(&bench, groups[0], &[1]);
    assert_eq!((again.added.len(), groups_of(&bench, 1)), (1, vec![groups[1], groups[0]]));
    assert_eq!(join(&bench, groups[0], &[1]).unchanged, 1);
    let wanted = MemberChange { add: [key(3), key(9)].into(), remove: [key(1)].into() };
    let refused = change(&bench.services, &owner(), DEFAULT_ACCOUNT, groups[0], &wanted, Mode::Keep).expect_err("no such device");
    assert!(refused.to_string().contains("there is no device 0004f2000009"), "{refused}");
    assert_eq!((groups_of(&bench, 3), groups_of(&bench, 1).len()), (vec![], 2));
    let wanted = MemberChange { add: [key(3)].into(), remove: [key(1)].into() };
    change(&bench.services, &owner(), DEFAULT_ACCOUNT, groups[0], &wanted, Mode::TryOut).expect("tried");
    assert_eq!(groups_of(&bench, 3), []);
    change(&bench.services, &owner(), DEFAULT_ACCOUNT, groups[0], &wanted, Mode::Keep).expect("changed");
    assert_eq!(
        newest_activity(&bench.services),
        "ada: device group A changed members; joined - -> 1: 0004f2000003; left 1: 0004f2000001 -> -"
    );
    let bench = bench.restarted();
    assert_eq!((groups_of(&bench, 3), groups_of(&bench, 1)), (vec![groups[0]], vec![groups[1]]));
}

#[test]
fn the_order_of_a_device_is_its_own_and_a_stale_one_is_refused() {
    let (bench, groups) = furnished(2, 3);
    let set = |shown: &[GroupId], wanted: Vec<GroupId>| {
        set_of_device(&bench.services, &owner(), DEFAULT_ACCOUNT, &key(1), shown, wanted, Mode::Keep)
    };
    set(&[], vec![groups[2], groups[0]]).expect("set");
    assert!(matches!(set(&[], vec![groups[1]]), Err(ServiceError::Conflict(_))));
    let twice = set(&[groups[2], groups[0]], vec![groups[1], groups[1]]).expect_err("twice").to_string();
    assert!(twice.contains("“B” stands in the list twice"), "{twice}");
    set(&[groups[2], groups[0]], vec![groups[0], groups[2]]).expect("set");
    assert_eq!(newest_activity(&bench.services), "ada: device 0004f2000001 changed; groups C, A -> A, C");
    assert_eq!(groups_of(&bench, 2), []);
}

#[test]
fn the_defaults_have_an_order_of_their_own() {
    let (bench, groups) = furnished(0, 3);
    let set = |shown: &[GroupId], wanted: Vec<GroupId>| {
        set_defaults(&bench.services, &owner(), DEFAULT_ACCOUNT, shown, wanted, Mode::Keep)
    };
    set(&[], vec![groups[1], groups[0]]).expect("set");
    assert!(matches!(set(&[], vec![groups[2]]), Err(ServiceError::Conflict(_))));
    assert!(matches!(set(&[groups[1], groups[0]], vec![GroupId(99)]), Err(ServiceError::Invalid(_))));
    let bench = bench.restarted();
    assert_eq!(bench.services.world(DEFAULT_ACCOUNT).expect("a world").default_groups, [groups[1], groups[0]]);
    assert_eq!(newest_activity(&bench.services), "ada: device group default groups changed; groups - -> B, A");
}

#[test]
fn deleting_tells_what_each_member_loses_and_leaves_nothing_behind() {
    let (bench, groups) = furnished(3, 2);
    join(&bench, groups[0], &[1, 2]);
    join(&bench, groups[1], &[2]);
    let attach = |place: Place, id| {
        let target = Target::Place(place);
        deployment::attach(&bench.services, &owner(), DEFAULT_ACCOUNT, &target, ProfileId(id), Mode::Keep).expect("attached")
    };
    attach(Place::Group(groups[0]), 1);
    attach(Place::Global, 2);
    set_defaults(&bench.services, &owner(), DEFAULT_ACCOUNT, &[], groups.clone(), Mode::Keep).expect("set");

    let go = |mode| delete_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &[groups[0]].into(), mode).expect("deleted");
    let consent = Consent::of_dry_run();
    let asking = owner().with_consent(consent.clone());
    let told = delete_all(&bench.services, &asking, DEFAULT_ACCOUNT, &[groups[0]].into(), Mode::TryOut).expect("tried out").what;
    assert_eq!((go(Mode::TryOut).what, told.members[&groups[0]]), (told.clone(), 2));
    let foresight = &consent.tried().expect("told").foresight;
    let [impact] = foresight.groups.as_slice() else { panic!("both lose the same: {foresight:?}") };
    assert_eq!(impact.devices, [key(1), key(2)]);
    let changes: Vec<_> = impact.changes.iter().map(|one| (one.name.as_str(), one.new.as_deref())).collect();
    assert_eq!(changes, [("reg.1.auth.password", None), ("up.a", Some("global"))]);
    assert_eq!(foresight.rearrangement.left, BTreeMap::from([("A".to_owned(), 2)]));
    assert!(!format!("{foresight:?}").contains("CANARY"));

    assert_eq!(go(Mode::Keep).what, told);
    assert_eq!(newest_activity(&bench.services), "ada: device group A deleted; members 2 -> -; profiles 1 -> -");
    let bench = bench.restarted();
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("a world");
    assert_eq!((world.groups.len(), world.default_groups.as_slice()), (1, &groups[1..]));
    assert!(!world.deployment.contains_key(&Place::Group(groups[0])));
    assert_eq!((groups_of(&bench, 1), groups_of(&bench, 2)), (vec![], vec![groups[1]]));
    let gone = delete_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &[groups[0], groups[1]].into(), Mode::Keep);
    assert!(matches!(gone, Err(ServiceError::NotFound { .. })) && world.groups.contains_key(&groups[1]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn set_to_top_priority_keeps_the_order_of_the_others_on_every_device(
        orders in prop::collection::vec(prop::sample::subsequence(vec![0, 1, 2, 3_usize], 0..=4).prop_shuffle(), 1..5),
        picked in 0..4_usize,
    ) {
        let (bench, groups) = furnished(orders.len() as u64, 4);
        for (order, number) in orders.iter().zip(1..) {
            let wanted = order.iter().map(|at| groups[*at]).collect();
            set_of_device(&bench.services, &owner(), DEFAULT_ACCOUNT, &key(number), &[], wanted, Mode::Keep).expect("set");
        }
        let top = groups[picked];
        let tried = set_to_top(&bench.services, &owner(), DEFAULT_ACCOUNT, top, Mode::TryOut).expect("tried");
        let done = set_to_top(&bench.services, &owner(), DEFAULT_ACCOUNT, top, Mode::Keep).expect("done");
        prop_assert_eq!(&tried, &done, "the trial told what was done");
        for (order, number) in orders.iter().zip(1..) {
            let (before, after): (Vec<_>, _) = (order.iter().map(|at| groups[*at]).collect(), groups_of(&bench, number));
            let others = |list: &[GroupId]| list.iter().copied().filter(|id| *id != top).collect::<Vec<_>>();
            prop_assert_eq!(others(&after), others(&before));
            prop_assert_eq!(after.first() == Some(&top), before.contains(&top));
            prop_assert_eq!(done.1.contains(&key(number)), before != after);
        }
    }
}
