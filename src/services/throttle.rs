//! Pauses after wrong guesses: short at first, doubled with each more, for an account and for an address (ADM-03).
//!
//! In memory only: a restart forgives, and nobody else may restart the server.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// Wrong guesses that cost nothing: people mistype.
const FREE: u32 = 5;
/// First pause in seconds.
const FIRST_SECONDS: i64 = 2;
/// Longest pause in seconds.
const LONGEST_SECONDS: i64 = 15 * 60;
/// Quiet time after which guesses are forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(1);
/// Keys remembered at most: the ones quiet for longest make room.
const KEYS: usize = 20_000;

/// Counts wrong guesses by key.
#[derive(Debug, Default)]
pub struct Throttle {
    guesses: Mutex<HashMap<String, Guesses>>,
}

#[derive(Clone, Copy, Debug)]
struct Guesses {
    wrong: u32,
    last: Timestamp,
}

impl Guesses {
    fn pause(self) -> SignedDuration {
        let over = self.wrong.saturating_sub(FREE);
        if over == 0 {
            return SignedDuration::ZERO;
        }
        SignedDuration::from_secs((FIRST_SECONDS << (over - 1).min(20)).min(LONGEST_SECONDS))
    }
}

impl Throttle {
    /// How long this key must still wait; none if it may try now.
    pub fn wait(&self, key: &str, now: Timestamp) -> Option<SignedDuration> {
        let guesses = *self.guesses.lock().get(key)?;
        let left = guesses.pause() - now.duration_since(guesses.last);
        (left > SignedDuration::ZERO).then_some(left)
    }

    /// Notes a wrong guess and tells whether it began a pause.
    pub fn wrong(&self, key: &str, now: Timestamp) -> bool {
        let mut all = self.guesses.lock();
        if all.len() >= KEYS && !all.contains_key(key) {
            make_room(&mut all, now);
        }
        let guesses = all.entry(key.to_owned()).or_insert(Guesses { wrong: 0, last: now });
        if now.duration_since(guesses.last) > FORGOTTEN {
            guesses.wrong = 0;
        }
        guesses.wrong = guesses.wrong.saturating_add(1);
        guesses.last = now;
        guesses.wrong > FREE
    }

    /// Forgets a key's wrong guesses after a right one.
    pub fn right(&self, key: &str) {
        self.guesses.lock().remove(key);
    }
}

fn make_room(all: &mut HashMap<String, Guesses>, now: Timestamp) {
    all.retain(|_, guesses| now.duration_since(guesses.last) <= FORGOTTEN);
    if all.len() < KEYS {
        return;
    }
    let mut ages: Vec<Timestamp> = all.values().map(|guesses| guesses.last).collect();
    let (_, &mut middle, _) = ages.select_nth_unstable(KEYS / 2);
    all.retain(|_, guesses| guesses.last > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
    }

    #[test]
    fn pauses_begin_after_a_few_wrong_guesses_and_double() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            assert!(!throttle.wrong("ada", at(0)));
        }
        assert_eq!(throttle.wait("ada", at(0)), None);
        assert!(throttle.wrong("ada", at(0)));
        assert_eq!(throttle.wait("ada", at(0)), Some(SignedDuration::from_secs(2)));
        assert_eq!(throttle.wait("bob", at(0)), None);
        assert_eq!(throttle.wait("ada", at(2)), None);
        throttle.wrong("ada", at(2));
        assert_eq!(throttle.wait("ada", at(2)), Some(SignedDuration::from_secs(4)));
        for _ in 0..100 {
            throttle.wrong("ada", at(2));
        }
        assert_eq!(throttle.wait("ada", at(2)), Some(SignedDuration::from_secs(LONGEST_SECONDS)));
        throttle.right("ada");
        assert_eq!(throttle.wait("ada", at(2)), None);
    }

    #[test]
    fn an_hour_of_quiet_forgives_and_memory_is_bounded() {
        let throttle = Throttle::default();
        for _ in 0..20 {
            throttle.wrong("ada", at(0));
        }
        assert!(!throttle.wrong("ada", at(3_601)));
        for n in 0..KEYS + 10 {
            throttle.wrong(&n.to_string(), at(3_601 + n as i64 / 100));
        }
        assert!(throttle.guesses.lock().len() <= KEYS);
    }
}
