//! Attaching, ordering and refusing profiles on a real store.

use proptest::prelude::*;

use super::*;
use crate::domain::access::Grant;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::names::Name;
use crate::domain::profile::Profile;
use crate::domain::testing;
use crate::services::commit::commit;
use crate::services::testing::{Bench, bench, newest_activity, owner};

const GLOBAL: Target = Target::Place(Place::Global);

fn ids(numbers: &[u64]) -> Vec<ProfileId> {
    numbers.iter().copied().map(ProfileId).collect()
}

/// Five profiles and one device.
fn furnished() -> Bench {
    let bench = bench();
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        (1..=5).try_for_each(|id| change.put_profile(testing::profile(id, &[])))?;
        change.put_device(testing::device("0004f2000001"))
    })
    .expect("stored");
    bench
}

fn device() -> Target {
    Target::Device("0004f2000001".parse().expect("a key"))
}

fn put(bench: &Bench, target: &Target, numbers: &[u64]) -> Result<Vec<ProfileId>, ServiceError> {
    set(&bench.services, &owner(), DEFAULT_ACCOUNT, target, None, ids(numbers), Mode::Keep)
}

#[test]
fn lists_are_kept_in_their_order_and_recorded() {
    let bench = furnished();
    for target in [GLOBAL, device()] {
        put(&bench, &target, &[3, 1]).expect("set");
        put(&bench, &target, &[1, 2, 3]).expect("set");
        assert!(
            newest_activity(&bench.services)
                .ends_with("changed; profiles profile 3, profile 1 -> profile 1, profile 2, profile 3")
        );
    }
    let bench = bench.restarted();
    for target in [GLOBAL, device()] {
        assert_eq!(of(&bench.services, DEFAULT_ACCOUNT, &target).expect("there"), ids(&[1, 2, 3]));
    }
}

#[test]
fn what_may_not_be_attached_is_told_in_words() {
    let bench = furnished();
    let refusal = |target: &Target, numbers: &[u64]| put(&bench, target, numbers).expect_err("refused").to_string();
    assert!(refusal(&GLOBAL, &[9]).contains("there is no profile 9"));
    assert!(refusal(&GLOBAL, &[1, 2, 1]).contains("“profile 1” stands in the list twice"));
    assert!(refusal(&device(), &(0..=200).collect::<Vec<_>>()).contains("at most 200 profiles"));
    let nobody = Target::Device("0004f2000009".parse().expect("a key"));
    assert!(matches!(put(&bench, &nobody, &[1]), Err(ServiceError::NotFound { .. })));
}

#[test]
fn a_csv_profile_belongs_to_its_own_device_alone() {
    let bench = furnished();
    let name = |text: &str| Name::parse(text).expect("a name");
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        for (id, owner) in [(6, "0004f2000001"), (7, "0004f2000002")] {
            let name = name(&format!("{owner}_csv_profile"));
            change.put_profile(Profile { name, kind: ProfileKind::UserImported, ..testing::profile(id, &[]) })?;
        }
        Ok(())
    })
    .expect("stored");
    assert!(put(&bench, &device(), &[6, 1]).is_ok());
    assert!(put(&bench, &device(), &[7]).is_err());
    assert!(put(&bench, &GLOBAL, &[6]).is_err());
}

#[test]
fn a_list_that_changed_meanwhile_is_not_overwritten() {
    let bench = furnished();
    put(&bench, &GLOBAL, &[1, 2]).expect("set");
    let save = |shown: &[u64]| set(&bench.services, &owner(), DEFAULT_ACCOUNT, &GLOBAL, Some(&ids(shown)), ids(&[5]), Mode::Keep);
    assert!(matches!(save(&[1]), Err(ServiceError::Conflict(_))));
    assert_eq!(save(&[1, 2]).expect("saved"), ids(&[5]));
}

#[test]
fn attaching_twice_changes_nothing_and_detaching_needs_an_attachment() {
    let bench = furnished();
    let attach = |id| attach(&bench.services, &owner(), DEFAULT_ACCOUNT, &GLOBAL, ProfileId(id), Mode::Keep).expect("attached");
    assert_eq!((attach(2), attach(1), attach(2)), (ids(&[2]), ids(&[2, 1]), ids(&[2, 1])));
    let detach = || detach(&bench.services, &owner(), DEFAULT_ACCOUNT, &GLOBAL, ProfileId(2), Mode::Keep);
    assert_eq!(detach().expect("detached"), ids(&[1]));
    assert!(matches!(detach(), Err(ServiceError::NotFound { .. })));
}

#[test]
fn trying_out_leaves_the_list_alone() {
    let bench = furnished();
    put(&bench, &GLOBAL, &[1, 2]).expect("set");
    let tried =
        reorder(&bench.services, &owner(), DEFAULT_ACCOUNT, &GLOBAL, ProfileId(2), Move::Up, Mode::TryOut).expect("tried");
    assert_eq!(tried, ids(&[2, 1]));
    assert_eq!(of(&bench.services, DEFAULT_ACCOUNT, &GLOBAL).expect("there"), ids(&[1, 2]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_move_keeps_the_others_in_their_order(order in Just(vec![1_u64, 2, 3, 4, 5]).prop_shuffle(), picked in 1..=5_u64, step in 0..4_usize) {
        let bench = furnished();
        put(&bench, &GLOBAL, &order).expect("set");
        let (picked, step) = (ProfileId(picked), [Move::Up, Move::Down, Move::Top, Move::Bottom][step]);
        let moved = reorder(&bench.services, &owner(), DEFAULT_ACCOUNT, &GLOBAL, picked, step, Mode::Keep).expect("moved");
        let others = |list: &[ProfileId]| list.iter().copied().filter(|id| *id != picked).collect::<Vec<_>>();
        prop_assert_eq!(others(&moved), others(&ids(&order)));
        let place = |list: &[ProfileId]| list.iter().position(|id| *id == picked).expect("there");
        let (from, to) = (place(&ids(&order)), place(&moved));
        let expected = match step { Move::Up => from.saturating_sub(1), Move::Down => (from + 1).min(4), Move::Top => 0, Move::Bottom => 4 };
        prop_assert_eq!(to, expected);
    }
}
