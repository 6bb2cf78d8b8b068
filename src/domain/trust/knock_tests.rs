//! Nobody who shows nothing covers somebody who did, in whatever order they come.

use proptest::prelude::*;

use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
}

fn any_knock() -> impl Strategy<Value = Knock> {
    let reasons: Vec<Reason> = Reason::all().collect();
    let told = (proptest::sample::select(reasons), 1..4_u8, any::<bool>());
    told.prop_map(|(reason, last, bare)| Knock { bare, ..Knock::new(at(0), reason, [10, 0, 0, last].into(), "VVX") })
}

#[test]
fn each_reason_says_whether_something_was_shown_and_those_of_plain_http_never_do() {
    let proven: Vec<Reason> = Reason::all().filter(|reason| proves(*reason)).collect();
    assert!(proven.iter().all(|reason| reason.is_held() && !reason.is_unproven()), "{proven:?}");
    // Held, and nothing that counts was shown: plain HTTP, factory settings over it, and nobody in particular.
    let left: Vec<Reason> = Reason::all().filter(|reason| reason.is_held() && !proves(*reason)).collect();
    use Reason::{CameOverHttp, FactoryInClear, PlainHttpOff, Unidentified};
    assert!(left.iter().all(|one| matches!(one, CameOverHttp | FactoryInClear | PlainHttpOff | Unidentified)), "{left:?}");
    assert!(!Knock::new(at(0), Reason::Blocked, [10, 0, 0, 1].into(), "").bare().is_proven());
}

proptest! {
    #[test]
    fn of_two_knocks_in_any_order_the_one_with_proof_is_shown_with_its_own_address_and_count(a in any_knock(), b in any_knock()) {
        let mut trust = Trust::default();
        trust.refused(a.clone());
        trust.refused(Knock { at: at(1), first_at: at(1), ..b.clone() });
        let shown = trust.knock.expect("somebody was refused");
        let is = |one: &Knock| (shown.address, shown.reason, shown.bare) == (one.address, one.reason, one.bare);
        match (a.is_proven(), b.is_proven()) {
            (true, false) => prop_assert!(is(&a) && shown.times == 1 && shown.at == at(0)),
            (false, true) => prop_assert!(is(&b) && shown.times == 1 && shown.first_at == at(1)),
            _ => {
                prop_assert!(is(&b));
                prop_assert_eq!(shown.times, if a.address == b.address { 2 } else { 1 });
            }
        }
    }
}

/// Who is told to knock, the latest first: last part of the address, and how often.
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
    trust.refused(Knock::new(at(6), Reason::Blocked, [10, 0, 0, 4].into(), "").bare());
    assert_eq!(told(&trust), [(2, 2), (1, 3)], "whoever shows nothing is not put beside a phone");
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

#[test]
fn of_many_addresses_few_are_kept_and_not_for_long() {
    let mut trust = Trust::default();
    for last in 1..=9 {
        knocks(&mut trust, i64::from(last), last, Reason::FactoryCredentials);
    }
    assert_eq!(told(&trust), [(9, 1), (3, 1), (2, 1), (1, 1)], "those who came first are not pushed out");
    knocks(&mut trust, 24 * 60 + 2, 9, Reason::FactoryCredentials);
    assert_eq!(told(&trust), [(9, 2), (3, 1)], "a day later a phone has another address, or went home");
    trust.expire(at(24 * 60 * 30 + 3));
    assert_eq!(told(&trust), [(9, 2)]);
    let mut bare = Trust::default();
    knocks(&mut bare, 0, 1, Reason::CredentialsWrong);
    knocks(&mut bare, 1, 2, Reason::CredentialsWrong);
    assert_eq!(told(&bare), [(2, 1), (1, 1)]);
    knocks(&mut bare, 2, 3, Reason::Bound);
    assert_eq!(told(&bare), [(3, 1)], "and they give way to a phone");
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
