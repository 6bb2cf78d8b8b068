//! Pauses after wrong guesses: short at first, doubled with each more, by whom and from where (ADM-01, ADM-03).
//!
//! A guess is counted before it is checked and taken back when it was right, so that guesses at the same moment cannot slip
//! through together. In memory only: a restart forgives, and nobody else may restart the server.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::domain::ids::UserId;
use crate::domain::limits::NAME_CHARS;
use crate::domain::source::Source;

/// First pause in seconds.
const FIRST_SECONDS: i64 = 2;
/// Quiet time after which guesses are forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(1);
/// Keys remembered at most: the ones quiet for longest make room.
const KEYS: usize = 20_000;

/// What guesses are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// One e-mail, guessed from one address.
    UserFrom(String, Origin),
    /// One e-mail, guessed from anywhere. Mild: its owner may be the one who must wait.
    User(String),
    /// Any e-mail, guessed from one address. Mild: a whole building may be behind it.
    Address(Origin),
    /// A browser that this user has signed in with before: nobody else's guesses count for it.
    Browser(String),
    /// The current password, asked of a user who is signed in.
    Current(UserId),
    /// A code of the second factor, asked of a user whose password was right.
    Code(UserId),
    /// Set-up links and sign-in links, tried from one address.
    Link(Origin),
}

/// Where a guess comes from, where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Option<Source>);

/// How a kind of key is slowed down.
struct Rule {
    /// Wrong guesses that cost nothing: people mistype.
    free: u32,
    /// Longest pause in seconds.
    longest_seconds: i64,
}

impl Key {
    /// The key of an e-mail as typed, from one address.
    pub fn user_from(email: &str, address: Option<IpAddr>) -> Self {
        Self::UserFrom(name(email), Origin::of(address))
    }

    /// The key of an e-mail as typed, from anywhere.
    pub fn user(email: &str) -> Self {
        Self::User(name(email))
    }

    fn rule(&self) -> Rule {
        match self {
            Self::UserFrom(..) | Self::Browser(_) | Self::Current(_) | Self::Code(_) | Self::Link(_) => {
                Rule { free: 5, longest_seconds: 15 * 60 }
            }
            Self::User(_) => Rule { free: 15, longest_seconds: 60 },
            Self::Address(_) => Rule { free: 50, longest_seconds: 15 },
        }
    }
}

impl Origin {
    /// Where a request with this address comes from.
    pub fn of(address: Option<IpAddr>) -> Self {
        Self(address.map(Source::of))
    }
}

/// Counts wrong guesses by key.
#[derive(Debug, Default)]
pub struct Throttle {
    guesses: Mutex<HashMap<Key, Guesses>>,
}

#[derive(Clone, Copy, Debug)]
struct Guesses {
    wrong: u32,
    last: Timestamp,
}

/// A guess that was counted and may now be checked.
#[must_use = "a right guess is taken back"]
#[derive(Debug)]
pub struct Guess<'a> {
    throttle: &'a Throttle,
    keys: Vec<Key>,
    /// Whether it begins a pause, if it turns out to be wrong.
    pub begins_pause: bool,
}

impl Throttle {
    /// Counts a guess under all its keys, unless one of them has to wait: then nothing is counted.
    ///
    /// # Errors
    /// How long to wait.
    pub fn count(&self, keys: Vec<Key>, now: Timestamp) -> Result<Guess<'_>, SignedDuration> {
        let mut all = self.guesses.lock();
        let left = |key: &Key| all.get(key).map(|guesses| guesses.left(key, now)).unwrap_or_default();
        if let Some(wait) = keys.iter().map(left).max().filter(|wait| *wait > SignedDuration::ZERO) {
            return Err(wait);
        }
        let mut begins_pause = false;
        for key in &keys {
            if all.len() >= KEYS && !all.contains_key(key) {
                make_room(&mut all, now);
            }
            let guesses = all.entry(key.clone()).or_insert(Guesses { wrong: 0, last: now });
            if now.duration_since(guesses.last) > FORGOTTEN {
                guesses.wrong = 0;
            }
            guesses.wrong = guesses.wrong.saturating_add(1);
            guesses.last = now;
            begins_pause |= guesses.wrong > key.rule().free;
        }
        Ok(Guess { throttle: self, keys, begins_pause })
    }
}

impl Guess<'_> {
    /// The guess was right. Whoever made it begins anew; under keys that others share only this guess is taken back, so that a
    /// right guess at one's own password buys no more guesses at somebody else's.
    pub fn was_right(self) {
        let mut all = self.throttle.guesses.lock();
        for key in &self.keys {
            match key {
                Key::User(_) | Key::Address(_) => {
                    if let Some(guesses) = all.get_mut(key) {
                        guesses.wrong = guesses.wrong.saturating_sub(1);
                    }
                }
                Key::UserFrom(..) | Key::Browser(_) | Key::Current(_) | Key::Code(_) | Key::Link(_) => drop(all.remove(key)),
            }
        }
    }
}

impl Guesses {
    fn left(self, key: &Key, now: Timestamp) -> SignedDuration {
        let rule = key.rule();
        let over = self.wrong.saturating_sub(rule.free);
        if over == 0 {
            return SignedDuration::ZERO;
        }
        let pause = SignedDuration::from_secs((FIRST_SECONDS << (over - 1).min(20)).min(rule.longest_seconds));
        pause - now.duration_since(self.last)
    }
}

/// An e-mail in the form in which it is counted.
fn name(email: &str) -> String {
    email.trim().to_lowercase().chars().take(NAME_CHARS).collect()
}

fn make_room(all: &mut HashMap<Key, Guesses>, now: Timestamp) {
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

    fn ada() -> Key {
        Key::user_from("Ada@example.test ", Some(IpAddr::from([192, 0, 2, 1])))
    }

    fn wait(throttle: &Throttle, key: Key, now: Timestamp) -> i64 {
        throttle.count(vec![key], now).map_or_else(|wait| wait.as_secs(), |_| 0)
    }

    #[test]
    fn pauses_begin_after_a_few_wrong_guesses_and_double() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert!(!throttle.count(vec![ada()], at(0)).expect("no pause yet").begins_pause);
        }
        assert!(throttle.count(vec![ada()], at(0)).expect("no pause yet").begins_pause);
        assert_eq!(wait(&throttle, ada(), at(0)), 2);
        assert_eq!(wait(&throttle, ada(), at(2)), 0);
        assert_eq!(wait(&throttle, ada(), at(2)), 4, "the guess after the pause counted");
        let mut now = 2;
        while now < 10_000 {
            now += wait(&throttle, ada(), at(now));
            let _counted = throttle.count(vec![ada()], at(now));
        }
        assert_eq!(wait(&throttle, ada(), at(now)), 15 * 60);
    }

    #[test]
    fn guesses_at_the_same_moment_do_not_slip_through_together() {
        let throttle = Throttle::default();
        let taken = std::thread::scope(|scope| {
            let guess = || throttle.count(vec![ada()], at(0)).is_ok();
            let threads: Vec<_> = (0..64).map(|_| scope.spawn(guess)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).filter(|taken| *taken).count()
        });
        assert_eq!(taken, 6);
    }

    #[test]
    fn a_right_guess_forgives_whoever_made_it_and_nobody_else() {
        let throttle = Throttle::default();
        let address = Key::Address(Origin::of(Some(IpAddr::from([192, 0, 2, 1]))));
        for n in 0..50 {
            let _wrong = throttle.count(vec![Key::user(&n.to_string()), address.clone()], at(0));
        }
        let own = throttle.count(vec![ada(), address.clone()], at(0)).expect("no pause yet");
        own.was_right();
        assert!(throttle.count(vec![address.clone()], at(0)).expect("the own guess was taken back").begins_pause);
        assert!(wait(&throttle, address, at(0)) > 0);
        assert_eq!(wait(&throttle, ada(), at(0)), 0);
    }

    #[test]
    fn neighbours_share_an_address_and_an_ipv6_network_is_one() {
        let origin = |text: &str| Origin::of(text.parse().ok());
        assert_eq!(origin("2001:db8::1"), origin("2001:db8::ffff:2"));
        assert_ne!(origin("2001:db8::1"), origin("2001:db8:0:1::1"));
        assert_eq!(origin("::ffff:192.0.2.1"), origin("192.0.2.1"));
        let throttle = Throttle::default();
        let building = || Key::Address(origin("192.0.2.1"));
        for n in 0..40 {
            let key = Key::user_from(&n.to_string(), Some(IpAddr::from([192, 0, 2, 1])));
            assert_eq!(throttle.count(vec![key, building()], at(0)).err(), None, "forty people may each mistype once");
        }
    }

    #[test]
    fn an_hour_of_quiet_forgives_and_memory_is_bounded() {
        let throttle = Throttle::default();
        for _ in 0..20 {
            let _wrong = throttle.count(vec![ada()], at(0));
        }
        assert!(!throttle.count(vec![ada()], at(3_601)).expect("forgiven").begins_pause);
        for n in 0..KEYS + 10 {
            let _wrong = throttle.count(vec![Key::user(&n.to_string())], at(3_601 + n as i64 / 100));
        }
        assert!(throttle.guesses.lock().len() <= KEYS);
        let long = Key::user(&"x".repeat(100_000));
        assert!(matches!(long, Key::User(name) if name.len() == NAME_CHARS));
    }
}
