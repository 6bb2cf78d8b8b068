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
