//! The clock as far as it is believed ([`SeenClock`]): looked at every quarter of an hour, before anything is removed for its age.

use jiff::Timestamp;

use super::Services;
use super::commit::commit;
use super::error::ServiceError;
use crate::domain::access::Grant;
use crate::domain::activity::SERVER;
use crate::domain::seen_clock::{Jump, SeenClock};
use crate::store;

/// Notes what the clock tells, and answers whether it is believed.
///
/// # Errors
/// It could not be read or written.
pub fn look(services: &Services) -> Result<bool, ServiceError> {
    commit(services, Grant::system("clock"), SERVER, |change| {
        let mut settings = store::server::get(change.tx())?;
        let seen = SeenClock::next(settings.clock, change.now());
        settings.clock = Some(seen);
        store::server::put(change.tx(), &settings)?;
        Ok(seen.jump.is_none())
    })
}

/// How the clock went ahead, while that is not believed.
///
/// # Errors
/// What was seen of it could not be read.
pub fn jump(services: &Services) -> Result<Option<Jump>, ServiceError> {
    let seen = services.store.read(store::server::get)?.clock;
    Ok(seen.and_then(|seen| after(seen, services.clock.now()).jump))
}

fn after(seen: SeenClock, now: Timestamp) -> SeenClock {
    SeenClock::next(Some(seen), now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::bench;

    #[test]
    fn a_clock_that_is_years_ahead_at_a_start_is_not_believed_before_a_week_and_never_after_it_is_put_right() {
        let bench = bench();
        assert!(look(&bench.services).expect("noted"));
        let right = bench.clock.now();
        bench.clock.jump_to(right + jiff::SignedDuration::from_hours(400 * 24));
        let bench = bench.restarted();
        assert!(jump(&bench.services).expect("known").is_some_and(|jump| jump.from == right), "before the first look");
        assert!(!look(&bench.services).expect("noted") && !look(&bench.services).expect("noted"));
        bench.clock.jump_to(right + jiff::SignedDuration::from_mins(20));
        assert!(look(&bench.services).expect("noted") && jump(&bench.services).expect("known").is_none());
    }
}
