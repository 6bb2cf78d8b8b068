//! The password once more, of somebody who is signed in, before secrets are told (SEC-05): whoever finds a browser open is not the
//! person who signed in. It counts for [`CONFIRMED_MINUTES`] at most, and never again once it was over: with a clock that is put back
//! every confirmation ends, as nobody knows how much of its time is left.

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rand::RngExt as _;

use super::commit::Mode;
use super::error::ServiceError;
use super::sign_in::SignInError;
use super::{Services, passwords, second_factor};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::account::Secret;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::UserId;
use crate::domain::limits::CONFIRMED_MINUTES;

/// How far a clock that is kept right may step back without ending anything.
const STEP_BACK: SignedDuration = SignedDuration::from_mins(1);

/// When somebody gave the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// By the clock.
    pub at: Timestamp,
    /// In which stretch of time that the clock went on without being put back: a new one begins then, and with each start.
    pub stretch: u64,
}

/// What was seen of the clock in the present stretch.
#[derive(Debug, Default)]
pub struct Watch(Mutex<Option<Stretch>>);

#[derive(Clone, Copy, Debug)]
struct Stretch {
    id: u64,
    /// The latest that the clock told.
    latest: Timestamp,
}

/// Looks at the clock, so that one that is put back is noticed: at each question, and every minute.
pub fn look(services: &Services) {
    seen(services);
}

/// The password was given now.
pub fn given(services: &Services) -> Given {
    let (at, Stretch { id: stretch, .. }) = seen(services);
    Given { at, stretch }
}

/// Whether a password that was given then still counts.
pub fn counts(services: &Services, given: Given) -> bool {
    let (now, Stretch { id, latest }) = seen(services);
    given.stretch == id && given.at <= now && latest < counts_until(given.at)
}

/// Until when a password counts at most that was given at this moment.
pub fn counts_until(given_at: Timestamp) -> Timestamp {
    given_at + SignedDuration::from_mins(CONFIRMED_MINUTES)
}

fn seen(services: &Services) -> (Timestamp, Stretch) {
    let mut stretch = services.confirmations.0.lock();
    let now = services.clock.now();
    let next = match *stretch {
        Some(Stretch { id, latest }) if latest.duration_since(now) <= STEP_BACK => Stretch { id, latest: latest.max(now) },
        _ => Stretch { id: rand::rng().random(), latest: now },
    };
    *stretch = Some(next);
    (now, next)
}

/// Checks the password, and the code of the second factor where there is one. Guesses are slowed as those at the door are.
///
/// # Errors
/// What is wrong, at the field `password` or `code`.
pub fn confirm(
    services: &Services,
    actor: &Actor,
    id: UserId,
    password: &Secret,
    code: &str,
    mode: Mode,
) -> Result<(), ServiceError> {
    authorize(actor, Action::EditSelf(id))?;
    let user = passwords::prove_at("password", services, id, password)?;
    if user.second_factor.is_none() {
        return Ok(());
    }
    if code.trim().is_empty() {
        return Err(FieldErrors::one("code", "a second factor is on: enter its code too, or one of your recovery codes").into());
    }
    second_factor::check(services, &user, code, mode).map_err(|error| match error {
        SignInError::Service(error) => error,
        SignInError::Wrong => FieldErrors::one("code", "this code is wrong, or was used already").into(),
        SignInError::Wait(_) => FieldErrors::one("code", error).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::activity::SERVER;
    use crate::domain::consent::Consent;
    use crate::services::activity::{self, ActivityQuery};
    use crate::services::testing::bench;
    use crate::services::users::{self, UserDraft};

    #[test]
    fn sec_05_the_password_is_asked_for_guesses_are_slowed_and_told() {
        let bench = bench();
        let services = &bench.services;
        let draft = UserDraft {
            name: "Ada".to_owned(),
            email: "ada@example.test".to_owned(),
            password: Secret::new("four unhurried words"),
        };
        let user = users::create(services, &Actor::CommandLine, &draft).expect("a good draft");
        let tell = |password: &str| confirm(services, &user.actor(), user.id, &Secret::new(password), "", Mode::Keep);
        tell("four unhurried words").expect("right");
        let words = |password: &str| match tell(password) {
            Err(ServiceError::Invalid(errors)) => errors.to_string(),
            other => panic!("taken: {other:?}"),
        };
        assert!(words("wrong").contains("not your current password"));
        assert!((0..10).any(|_| words("wrong").contains("try again in")), "guesses are slowed");
        assert!(words("four unhurried words").contains("try again in"), "also the right one waits");
        let query = ActivityQuery { q: "too many".to_owned(), limit: 10, ..ActivityQuery::default() };
        let log = activity::list(services, SERVER, &query).expect("the log");
        assert!(log.items.iter().any(|entry| entry.event.subject == "Ada"), "{log:?}");
        let stranger = Actor::Token {
            name: "x".to_owned(),
            role: user.role,
            account: user.account,
            made_by: None,
            secrets: true,
            consent: Consent::default(),
        };
        assert!(confirm(services, &stranger, user.id, &draft.password, "", Mode::Keep).is_err(), "a token has no password");
    }

    #[test]
    fn sec_05_a_confirmation_that_is_over_stays_over_whatever_the_clock_does() {
        let bench = bench();
        let start = bench.clock.now();
        let after = |seconds: i64| start + SignedDuration::from_secs(seconds);
        let first = given(&bench.services);
        let counts_at = |given: Given, seconds: i64| {
            bench.clock.jump_to(after(seconds));
            counts(&bench.services, given)
        };
        assert!(counts_at(first, 599) && counts_at(first, 570), "a small step back ends nothing");
        assert!(!counts_at(first, 600), "ten minutes");
        for seconds in [599, 570, 300, 0, -1, 599] {
            assert!(!counts_at(first, seconds), "put back to {seconds} s after it");
        }
        bench.clock.jump_to(after(0));
        let second = given(&bench.services);
        assert!(counts_at(second, 1) && !counts_at(second, -1), "of a time that has not come");
        bench.clock.jump_to(after(500));
        let third = given(&bench.services);
        assert!(counts_at(third, 501) && !counts_at(third, 300) && !counts_at(third, 502), "how much of it is over nobody knows");

        bench.clock.jump_to(after(0));
        let unasked = given(&bench.services);
        bench.clock.jump_to(after(660));
        look(&bench.services);
        assert!(!counts_at(unasked, 300), "nobody asked while it was over");
        let now = given(&bench.services);
        assert!(counts(&bench.services, now), "one that is given after it counts");
        assert!(!counts(&bench.restarted().services, now), "what the clock did meanwhile nobody saw");
    }
}
