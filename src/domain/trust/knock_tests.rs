//! What anybody may do covers nobody, in whatever order they come.

use proptest::prelude::*;

use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
}

fn any_knock() -> impl Strategy<Value = Knock> {
    let reasons: Vec<Reason> = Reason::all().collect();
    let told = (proptest::sample::select(reasons), 1..4_u8, any::<bool>(), any::<bool>());
    told.prop_map(|(reason, last, bare, factory)| {
        let knock = Knock::new(at(0), reason, [10, 0, 0, last].into(), "VVX").with_factory_default(factory);
        if bare { knock.bare() } else { knock }
    })
}

#[test]
fn each_reason_says_how_much_was_shown_and_what_anybody_may_do_is_no_secret() {
    let of = |reason| Knock::new(at(0), reason, [10, 0, 0, 1].into(), "");
    for reason in Reason::all() {
        let (knock, bare, factory) = (of(reason), of(reason).bare(), of(reason).with_factory_default(true));
        assert_eq!(knock.weight() == Weight::Nothing, !reason.is_held() || reason == Reason::Unidentified, "{reason:?}");
        assert!(!(knock.weight() == Weight::Secret && reason.is_unproven()), "{reason:?}");
        assert!(bare.weight() < Weight::Secret && factory.weight() < Weight::Secret && !bare.has_credentials(), "{reason:?}");
        assert_eq!(knock.has_credentials(), factory.has_credentials(), "{reason:?}");
    }
    let open: Vec<Reason> = Reason::all().filter(|reason| of(*reason).weight() == Weight::Open).collect();
    use Reason::{CameOverHttp, FactoryCredentials, FactoryInClear, PlainHttpOff};
    assert!(
        [CameOverHttp, FactoryCredentials, FactoryInClear, PlainHttpOff].iter().all(|one| open.contains(one)) && open.len() == 4
    );
}

proptest! {
    #[test]
    fn of_two_knocks_in_any_order_both_are_told_where_both_showed_something_and_the_heavier_first(a in any_knock(), b in any_knock()) {
        let mut trust = Trust::default();
        trust.refused(a.clone());
        let b = Knock { at: at(1), first_at: at(1), ..b };
        trust.refused(b.clone());
        let told: Vec<&Knock> = trust.knocks().collect();
        let is = |shown: &Knock, one: &Knock| (shown.address, shown.reason, shown.bare) == (one.address, one.reason, one.bare);
        let rank = |one: &Knock| (one.weight(), !one.bare);
        if a.address == b.address {
            let most = if rank(&a) > rank(&b) { &a } else { &b };
            prop_assert!(told.len() == 1 && is(told[0], most));
            prop_assert_eq!(told[0].times, if a.weight() == b.weight() && rank(&a) <= rank(&b) { 2 } else { 1 });
        } else if (a.weight() == Weight::Nothing) == (b.weight() == Weight::Nothing) {
            let (first, second) = if a.weight() > b.weight() { (&a, &b) } else { (&b, &a) };
            prop_assert!(told.len() == 2 && is(told[0], first) && is(told[1], second));
        } else {
            let most = if a.weight() > b.weight() { &a } else { &b };
            prop_assert!(told.len() == 1 && is(told[0], most));
        }
    }
}

/// Who is told to knock, in order: last part of the address, and how often.
fn told(trust: &Trust) -> Vec<(u8, u32)> {
    let last = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets()[3],
        IpAddr::V6(_) => 0,
    };
    trust.knocks().map(|knock| (last(knock.address), knock.times)).collect()
}

fn knocks(trust: &mut Trust, minute: i64, last: u8, reason: Reason) {
    trust.refused(Knock::new(at(minute), reason, [10, 0, 0, last].into(), "VVX"));
}

#[test]
fn two_who_show_as_much_for_one_key_are_both_told_each_with_its_own_count() {
    let mut trust = Trust::default();
    for (minute, last) in [(0, 1), (1, 1), (2, 2), (3, 1), (4, 2)] {
        knocks(&mut trust, minute, last, Reason::Bound);
    }
    assert_eq!(told(&trust), [(2, 2), (1, 3)]);
    knocks(&mut trust, 5, 3, Reason::CredentialsWrong);
    assert_eq!(told(&trust), [(2, 2), (1, 3)], "whoever shows nothing is not put beside a phone");
    trust.refused(Knock::new(at(6), Reason::CameOverHttp, [10, 0, 0, 4].into(), "").bare());
    assert_eq!(told(&trust), [(2, 2), (1, 3), (4, 1)], "one that comes over plain HTTP is, behind those with credentials");
    trust.answered_in_clear([10, 0, 0, 4].into());
    let mut let_in = trust.clone();
    let_in.let_in(at(7), [10, 0, 0, 2].into(), crate::domain::trust::Admitted::Own(0));
    assert_eq!(told(&let_in), [(1, 3)], "who waits elsewhere may be somebody else: that stays told");
    trust.let_in(at(7), [10, 0, 0, 1].into(), crate::domain::trust::Admitted::Own(0));
    assert_eq!(told(&trust), [(2, 2)]);
    knocks(&mut trust, 8, 1, Reason::Bound);
    assert_eq!(told(&trust), [(1, 1), (2, 2)], "it counts anew");
    trust.forget_knocks();
    assert_eq!((told(&trust), trust.knock.is_none()), (Vec::new(), true));
}

/// The last parts of those who are told.
fn addresses(trust: &Trust) -> Vec<u8> {
    told(trust).into_iter().map(|(last, _)| last).collect()
}

#[test]
fn of_many_addresses_some_are_kept_and_nobody_who_comes_later_pushes_out_who_goes_on_asking() {
    let mut trust = Trust::default();
    for last in 1..=40 {
        knocks(&mut trust, i64::from(last), last, Reason::FactoryCredentials);
    }
    let first: Vec<u8> = (1..=15).rev().collect();
    assert_eq!(addresses(&trust), [vec![40], first].concat(), "those who came first are not pushed out");
    for last in 1..=14 {
        knocks(&mut trust, 110, last, Reason::FactoryCredentials);
    }
    knocks(&mut trust, 111, 50, Reason::FactoryCredentials);
    assert!(!addresses(&trust).contains(&15) && addresses(&trust).contains(&40), "one that has fallen silent goes first");
    knocks(&mut trust, 112, 60, Reason::NotApproved);
    knocks(&mut trust, 113, 61, Reason::FactoryCredentials);
    knocks(&mut trust, 114, 62, Reason::FactoryCredentials);
    assert_eq!(addresses(&trust)[0], 60, "nobody pushes out who showed more");
    knocks(&mut trust, 24 * 60 + 111, 62, Reason::FactoryCredentials);
    assert_eq!(told(&trust), [(60, 1), (62, 2)], "a day later a phone has another address, or went home");
    let mut nobody = Trust::default();
    knocks(&mut nobody, 0, 1, Reason::CredentialsWrong);
    knocks(&mut nobody, 1, 2, Reason::CredentialsWrong);
    assert_eq!(told(&nobody), [(2, 1), (1, 1)]);
    knocks(&mut nobody, 2, 3, Reason::FactoryCredentials);
    assert_eq!(told(&nobody), [(3, 1)], "and they give way to a phone");
}

#[test]
fn a_phone_that_comes_where_the_device_belongs_is_never_pushed_out() {
    let (home, last) = ([10, 0, 0, 200].into(), [10, 0, 0, 201].into());
    let mut trust = Trust { home: Some(home), last_address: Some(last), ..Trust::default() };
    for stranger in 1..=16 {
        knocks(&mut trust, 0, stranger, Reason::FactoryCredentials);
    }
    knocks(&mut trust, 1, 200, Reason::FactoryCredentials);
    knocks(&mut trust, 2, 201, Reason::CameOverHttp);
    for minute in 3..600 {
        knocks(&mut trust, minute, 1 + u8::try_from(minute % 100).expect("small"), Reason::FactoryCredentials);
    }
    assert!([200, 201].iter().all(|one| addresses(&trust).contains(one)), "{:?}", told(&trust));
}

#[test]
fn the_shared_credentials_outweigh_what_anybody_may_do_but_where_they_open_nothing() {
    let mut trust = Trust::default();
    knocks(&mut trust, 0, 1, Reason::NotApproved);
    knocks(&mut trust, 1, 2, Reason::FactoryCredentials);
    let rivals = |trust: &Trust| trust.rivals(trust.knock.as_ref().expect("somebody knocks")).count();
    assert_eq!((addresses(&trust), rivals(&trust)), (vec![1, 2], 0));
    knocks(&mut trust, 2, 3, Reason::OtherPlace);
    assert_eq!((addresses(&trust), rivals(&trust)), (vec![3, 1, 2], 1));
    let mut bound = Trust { bound_at: Some(at(0)), ..Trust::default() };
    knocks(&mut bound, 0, 1, Reason::Bound);
    bound.refused(Knock::new(at(1), Reason::CameOverHttp, [10, 0, 0, 2].into(), "").bare());
    bound.refused(Knock::new(at(2), Reason::Bound, [10, 0, 0, 3].into(), "").with_factory_default(true));
    assert_eq!((addresses(&bound), rivals(&bound)), (vec![3, 2, 1], 2));
}

#[test]
fn it_is_remembered_apart_by_which_credentials_a_bound_device_was_asked_for() {
    let mut trust = Trust { bound_at: Some(at(0)), ..Trust::default() };
    let bound = |minute, last| Knock::new(at(minute), Reason::Bound, [10, 0, 0, last].into(), "");
    trust.refused(bound(1, 1));
    trust.refused(bound(2, 2).with_factory_default(true));
    let told = |refused: Option<RefusedBound>| refused.map(|refused| (refused.since, refused.address));
    assert_eq!(told(trust.refused_bound.as_deref().copied()), Some((at(1), [10, 0, 0, 1].into())));
    assert_eq!(told(trust.refused_factory.as_deref().copied()), Some((at(2), [10, 0, 0, 2].into())));
    let next: Vec<&str> = trust.knocks().filter_map(Knock::next_step).collect();
    assert!(next[0].contains("nothing to change") && next[1].contains("change them as leaked"), "{next:?}");
    trust.forget_refusals();
    assert!(!trust.is_refused_bound());
}

#[test]
fn after_a_day_whoever_comes_is_told_and_what_plain_http_answered_does_not_wait_there() {
    let here = IpAddr::from([10, 0, 0, 1]);
    let mut trust = Trust::default();
    trust.refused(Knock::new(at(0), Reason::Bound, here, ""));
    trust.refused(Knock::new(at(24 * 60), Reason::TooManyNew, here, "").bare());
    assert_eq!(trust.knock.as_ref().map(|knock| (knock.reason, knock.times)), Some((Reason::TooManyNew, 1)));
    trust.answered_in_clear([10, 0, 0, 2].into());
    assert!(trust.knock.is_some());
    trust.answered_in_clear(here);
    assert_eq!(trust.knock, None);
    trust.refused(Knock::new(at(0), Reason::Bound, here, ""));
    trust.answered_in_clear(here);
    assert!(trust.knock.is_some(), "that one came over TLS");
}
