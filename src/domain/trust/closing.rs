//! What was learned that closes a door: it must not be lost by a crash.

use super::Trust;

impl Trust {
    /// Whether this opens less than what was known `before`, to whomever. Were such a fact lost, a door that was closed would stand
    /// open again until the device came once more: one that was served in full would be a phone from the box over plain HTTP, and
    /// anybody could come in its place.
    pub fn closes(&self, before: &Self) -> bool {
        let begins = |is: bool, was: bool| is && !was;
        begins(self.served_at.is_some(), before.served_at.is_some())
            || begins(self.home.is_some(), before.home.is_some())
            || begins(self.bound_at.is_some(), before.bound_at.is_some())
            || begins(self.own.complete > 0, before.own.complete > 0)
            || begins(before.right.is_some(), self.right.is_some())
            || begins(before.expected_until.is_some(), self.expected_until.is_some())
            || self.oldest_generation > before.oldest_generation
            || self.shared_generation > before.shared_generation
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use jiff::{SignedDuration, Timestamp};

    use super::super::{Admitted, EndedRun, Knock, Right, RightKind};
    use super::*;
    use crate::domain::run::Reason;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn here() -> IpAddr {
        [10, 0, 0, 7].into()
    }

    /// Whether what a fact makes of this closes a door.
    fn closes(trust: &mut Trust, fact: impl FnOnce(&mut Trust)) -> bool {
        let before = trust.clone();
        fact(trust);
        trust.closes(&before)
    }

    #[test]
    fn each_step_from_the_first_visit_to_the_binding_closes_a_door_once_and_a_visit_like_the_last_one_closes_none() {
        let run =
            EndedRun { started_at: at(2), ended_at: at(3), complete: true, followed: true, boot: true, own: true, back: false };
        let mut trust = Trust::default();
        for (is_new, minute) in [(true, 1), (false, 2)] {
            assert_eq!(closes(&mut trust, |trust| trust.let_in(at(minute), here(), Admitted::Shared(0))), is_new);
            assert_eq!(closes(&mut trust, |trust| trust.served(at(minute), false)), is_new);
        }
        assert!(closes(&mut trust, |trust| trust.let_in(at(2), here(), Admitted::Shared(1))), "the former password is over");
        trust.renew();
        for is_new in [true, false] {
            assert_eq!(
                closes(&mut trust, |trust| trust.let_in(at(3), here(), Admitted::Own(1))),
                is_new,
                "so are the former own"
            );
        }
        assert!(closes(&mut trust, |trust| assert!(!trust.run_ended(at(3), run))), "a former shared password opens no more");
        assert!(closes(&mut trust, |trust| assert!(trust.run_ended(at(4), run))), "bound");
        assert!(!closes(&mut trust, |trust| assert!(!trust.run_ended(at(5), run))));
    }

    #[test]
    fn a_right_that_was_used_up_closes_a_door_and_what_opens_one_or_a_refusal_does_not() {
        let right = Right { address: here(), given_at: at(1), by: "Ann".to_owned(), kind: RightKind::Adopt };
        let mut trust = Trust { home: Some(here()), ..Trust::default() };
        assert!(!closes(&mut trust, |trust| trust.refused(Knock::new(at(0), Reason::Bound, here(), ""))));
        assert!(!closes(&mut trust, |trust| trust.right = Some(Box::new(right))));
        assert!(closes(&mut trust, |trust| trust.let_in(at(2), here(), Admitted::Own(0))));
        assert!(!closes(&mut trust, |trust| trust.expect(at(3))));
        assert!(closes(&mut trust, |trust| trust.expected_until = None));
        assert!(!closes(&mut trust, Trust::unbind));
    }
}
