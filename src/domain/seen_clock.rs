//! How far the machine's clock is believed where something is removed for its age, or a phone is not waited for any more.
//!
//! A clock that is years ahead at a start makes everything look old. So a clock that went ahead is not believed at once: there is a
//! week to put it right. A server that was switched off for long waits for that week too, which costs nothing.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What a clock may go ahead between two looks: a server that was off over a weekend.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How long a clock that went farther has to go on before it is believed.
const BELIEVED_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What was seen of the clock. Its JSON is the stored form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenClock {
    /// What it told last.
    pub at: Timestamp,
    /// How it went ahead, while that is not believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<Jump>,
}

/// A clock that went ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// What it told before.
    pub from: Timestamp,
    /// What it told then.
    pub to: Timestamp,
}

impl SeenClock {
    /// What is to be thought of it now, by what was seen of it before.
    #[must_use]
    pub fn next(seen: Option<Self>, now: Timestamp) -> Self {
        let Some(Self { at, jump }) = seen else { return Self { at: now, jump: None } };
        let went = now.duration_since(at);
        let jump = match jump {
            _ if went > MOST_AHEAD => Some(Jump { from: jump.map_or(at, |jump| jump.from), to: now }),
            // It was put back: all the way, or it is still ahead of where it should be.
            Some(jump) if now < jump.to => {
                let is_right = now.duration_since(jump.from) <= MOST_AHEAD + at.duration_since(jump.to).abs();
                (!is_right).then_some(Jump { to: now, ..jump })
            }
            Some(jump) => Some(jump).filter(|jump| now.duration_since(jump.to) < BELIEVED_AFTER),
            None => None,
        };
        Self { at: now, jump }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The jump after these days, looked at one after the other.
    fn jump(days: &[i64]) -> Option<(i64, i64)> {
        let at = |day: i64| Timestamp::from_second(day * 86_400).expect("a time");
        let seen = days.iter().fold(None, |seen, day| Some(SeenClock::next(seen, at(*day))));
        seen.and_then(|seen| seen.jump).map(|jump| (jump.from.as_second() / 86_400, jump.to.as_second() / 86_400))
    }

    #[test]
    fn a_clock_that_went_ahead_is_believed_after_a_week_and_at_once_where_it_is_put_right() {
        assert_eq!(jump(&[20_000]), None, "nothing was seen before");
        assert_eq!(jump(&[20_000, 20_003]), None, "a weekend");
        assert_eq!(jump(&[20_000, 20_400]), Some((20_000, 20_400)));
        assert_eq!(jump(&[20_000, 20_400, 20_403, 20_406]), Some((20_000, 20_400)));
        assert_eq!(jump(&[20_000, 20_400, 20_403, 20_406, 20_407]), None, "it was off for long");
        assert_eq!(jump(&[20_000, 20_400, 20_403, 20_003]), None, "put right");
        assert_eq!(jump(&[20_000, 20_400, 20_300]), Some((20_000, 20_300)), "still wrong");
        assert_eq!(jump(&[20_000, 20_400, 21_000]), Some((20_000, 21_000)));
        assert_eq!(jump(&[20_000, 0]), None, "nothing is old in 1970");
        assert_eq!(jump(&[20_000, 0, 20_000]), Some((0, 20_000)));
    }
}
