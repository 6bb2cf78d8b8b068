//! The time of day. Nothing else in the program asks the system for it (`clippy.toml` sees to that).

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;

/// Tells the time: the system's, or in tests one that is set by hand.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until it is told otherwise.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(start))))
    }

    /// Now, in whole microseconds: that is as fine as keys in the store are.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
            Source::System => truncated(Timestamp::now()),
            Source::Manual(now) => *now.lock(),
        }
    }

    /// Sets a manual clock and all its copies; a system clock goes its own way.
    ///
    /// # Panics
    /// When time would run backwards, which no test means.
    pub fn advance_to(&self, at: Timestamp) {
        if let Source::Manual(now) = &self.0 {
            let mut now = now.lock();
            assert!(at >= *now, "a manual clock only goes forward: it is {now}, not {at}");
            *now = truncated(at);
        }
    }

    /// Sets a manual clock and all its copies to any time, as where a clock that was wrong is put right.
    pub fn jump_to(&self, at: Timestamp) {
        if let Source::Manual(now) = &self.0 {
            *now.lock() = truncated(at);
        }
    }
}

fn truncated(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).expect("fewer digits of a valid time are a valid time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_a_manual_clock_tell_the_same_time() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let copy = clock.clone();
        let later = Timestamp::from_second(60).expect("a time");
        clock.advance_to(later);
        assert_eq!(copy.now(), later);
    }

    #[test]
    #[should_panic(expected = "only goes forward")]
    fn a_manual_clock_refuses_to_go_back() {
        let clock = Clock::manual(Timestamp::from_second(60).expect("a time"));
        clock.advance_to(Timestamp::UNIX_EPOCH);
    }
}
