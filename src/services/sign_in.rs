//! The check at the door: an e-mail and a password, and what slows down whoever guesses (R10, ADM-03, ADM-04).

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::Services;
use super::commit::{Mode, commit};
use super::error::ServiceError;
use super::throttle::{Key, Origin};
use super::{known_browser, passwords, second_factor, sessions, users};
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::account::Secret;
use crate::domain::activity::{Event, SERVER};
use crate::domain::ids::UserId;
use crate::domain::limits::NAME_CHARS;
use crate::domain::session::SessionKey;
use crate::domain::user::User;

/// Where somebody wants to sign in from.
#[derive(Clone, Debug, Default)]
pub struct From {
    /// The address, where it is known.
    pub address: Option<IpAddr>,
    /// The mark that the browser keeps from an earlier sign-in: see [`known_browser`].
    pub mark: Option<String>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The user is unknown or the password is wrong: which of the two is not told.
    #[error("this e-mail and this password do not belong together")]
    Wrong,
    /// Too many wrong guesses before.
    #[error("too many wrong passwords; try again in {} s", seconds(*.0))]
    Wait(SignedDuration),
    /// The state could not be read or written.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// A wait as it is told, in words and in `Retry-After`: whole seconds, never too few.
pub fn seconds(wait: SignedDuration) -> u64 {
    u64::try_from(wait.as_secs()).unwrap_or_default() + u64::from(wait.subsec_nanos() > 0)
}

/// How far somebody came with the right password.
#[derive(Debug)]
pub enum Passed {
    /// In.
    In(User),
    /// To the second factor: see [`with_code`].
    CodeNeeded(User),
}

/// Checks an e-mail and a password, and notes that somebody signed in who needs no second factor. Who only tries it out is noted
/// nowhere, but for guesses: they count all the same.
///
/// # Errors
/// [`SignInError::Wrong`] with the same words and the same work for unknown users; [`SignInError::Wait`] after too many guesses.
pub fn attempt(services: &Services, email: &str, password: &Secret, from: &From, mode: Mode) -> Result<Passed, SignInError> {
    let email = email.trim();
    let user = users::list(services)?.into_iter().find(|user| user.email.to_lowercase() == email.to_lowercase());
    let keys = keys(services, email, user.as_ref(), from);
    let guess = services.sign_ins.count(keys, services.clock.now()).map_err(SignInError::Wait)?;
    let right = passwords::verify(services, password, user.as_ref());
    let Some(user) = user.filter(|user| right && user.is_enabled()) else {
        if guess.begins_pause {
            let shown: String = email.chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect();
            let from = from.address.map_or_else(|| "an unknown address".to_owned(), |ip| ip.to_string());
            let event = Event::new("user", shown, "too many wrong passwords").change("address", None, Some(from));
            commit(services, Grant::system("sign-in"), SERVER, |change| change.record(event))?;
        }
        return Err(SignInError::Wrong);
    };
    guess.was_right();
    if user.second_factor.is_some() {
        return Ok(Passed::CodeNeeded(user));
    }
    note_entry(services, &user, from, mode)?;
    Ok(Passed::In(user))
}

/// Checks the code of somebody whose password was right, and notes that the person signed in. The user is read anew: the password
/// must still be the one that was checked.
///
/// # Errors
/// As [`attempt`]; [`SignInError::Wrong`] also where the user changed meanwhile.
pub fn with_code(
    services: &Services,
    id: UserId,
    password_changed_at: Timestamp,
    code: &str,
    from: &From,
    mode: Mode,
) -> Result<User, SignInError> {
    let user = users::get(services, id)?;
    if !user.is_enabled() || user.password_changed_at != password_changed_at {
        return Err(SignInError::Wrong);
    }
    if user.second_factor.is_some() {
        second_factor::check(services, &user, code, mode)?;
    }
    note_entry(services, &user, from, mode)?;
    Ok(user)
}

/// Both steps at once, for programs: none where a code is needed and was not sent.
///
/// # Errors
/// As [`attempt`] and [`with_code`].
pub fn at_once(
    services: &Services,
    email: &str,
    password: &Secret,
    code: Option<&str>,
    from: &From,
    mode: Mode,
) -> Result<Option<User>, SignInError> {
    match (attempt(services, email, password, from, mode)?, code) {
        (Passed::In(user), _) => Ok(Some(user)),
        (Passed::CodeNeeded(user), Some(code)) => {
            with_code(services, user.id, user.password_changed_at, code, from, mode).map(Some)
        }
        (Passed::CodeNeeded(_), None) => Ok(None),
    }
}

fn note_entry(services: &Services, user: &User, from: &From, mode: Mode) -> Result<(), ServiceError> {
    let address = from.address.map(|ip| ip.to_string());
    match mode {
        Mode::Keep => {
            note(services, &user.actor(), Event::new("user", user.name.as_str(), "signed in").change("address", None, address))
        }
        Mode::TryOut => Ok(()),
    }
}

/// What a guess is counted by. A browser that this user has signed in with answers for itself alone.
fn keys(services: &Services, email: &str, user: Option<&User>, from: &From) -> Vec<Key> {
    let known = user.zip(from.mark.as_deref()).and_then(|(user, mark)| known_browser::recognise(services, user.id, mark));
    match known {
        Some(browser) => vec![Key::Browser(browser)],
        None => {
            let address = Key::Address(Origin::of(from.address));
            vec![Key::user_from(email, from.address), Key::user(email), address]
        }
    }
}

/// Notes in the activity log that a user signed out.
///
/// # Errors
/// The entry could not be written.
pub fn signed_out(services: &Services, actor: &Actor) -> Result<(), ServiceError> {
    match actor {
        Actor::User { name, .. } => note(services, actor, Event::new("user", name.as_str(), "signed out")),
        Actor::Token { .. } | Actor::CommandLine => Ok(()),
    }
}

/// Ends a session of somebody else, and notes it.
///
/// # Errors
/// The actor may not; it could not be written.
pub fn end_of_other(services: &Services, actor: &Actor, user: UserId, key: SessionKey) -> Result<bool, ServiceError> {
    let grant = authorize(actor, Action::EndSessions)?;
    let name = users::get(services, user)?.name;
    if !sessions::end_one_of(services, user, key)? {
        return Ok(false);
    }
    commit(services, grant, SERVER, |change| change.record(Event::new("user", name, "ended a session of")))?;
    Ok(true)
}

fn note(services: &Services, actor: &Actor, event: Event) -> Result<(), ServiceError> {
    commit(services, authorize(actor, Action::SignIn)?, SERVER, |change| change.record(event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::activity::{self, ActivityQuery};
    use crate::services::testing::{Bench, bench};
    use crate::services::users::UserDraft;

    const GOOD: &str = "four unhurried words";
    const ADA: &str = "ada@example.test";

    fn with_ada() -> (Bench, User) {
        let bench = bench();
        let draft = UserDraft { name: "Ada".to_owned(), email: "Ada@example.test".to_owned(), password: Secret::new(GOOD) };
        let user = users::create(&bench.services, &Actor::CommandLine, &draft).expect("a good draft");
        (bench, user)
    }

    fn from(last: u8) -> From {
        From { address: Some(IpAddr::from([192, 0, 2, last])), mark: None }
    }

    fn try_in(bench: &Bench, email: &str, password: &str, from: &From) -> Result<User, SignInError> {
        match attempt(&bench.services, email, &Secret::new(password), from, Mode::Keep)? {
            Passed::In(user) => Ok(user),
            Passed::CodeNeeded(user) => panic!("{} has no second factor", user.name),
        }
    }

    /// Guesses until there is a pause, and answers how long.
    fn guess_until_paused(bench: &Bench, from: impl Fn(u8) -> From) -> SignedDuration {
        let waits = |n| match try_in(bench, ADA, "wrong", &from(n)) {
            Err(SignInError::Wait(wait)) => Some(wait),
            _ => None,
        };
        (0..40).find_map(waits).expect("a pause")
    }

    #[test]
    fn the_right_password_opens_and_unknown_users_hear_the_same_as_known_ones() {
        let (bench, user) = with_ada();
        assert!(user.password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(try_in(&bench, " ada@EXAMPLE.test ", GOOD, &from(1)).expect("signed in").id, user.id);
        let words = |email| try_in(&bench, email, "wrong", &from(1)).expect_err("refused").to_string();
        assert_eq!(words(ADA), words("nobody@example.test"));
    }

    #[test]
    fn guessing_is_slowed_and_the_owner_gets_in_after_the_pause() {
        let (bench, _) = with_ada();
        let wait = guess_until_paused(&bench, |_| from(1));
        assert!(matches!(try_in(&bench, ADA, GOOD, &from(1)), Err(SignInError::Wait(_))));
        bench.clock.advance_to(bench.clock.now() + wait);
        assert!(try_in(&bench, ADA, GOOD, &from(1)).is_ok());
        let query = ActivityQuery { q: "too many".to_owned(), limit: 10, ..ActivityQuery::default() };
        let log = activity::list(&bench.services, SERVER, &query).expect("the log");
        assert!(log.items.iter().any(|entry| entry.event.subject == ADA), "{log:?}");
    }

    #[test]
    fn guesses_from_many_addresses_are_slowed_too_and_only_for_a_minute() {
        let (bench, _) = with_ada();
        guess_until_paused(&bench, from);
        for _ in 0..20 {
            bench.clock.advance_to(bench.clock.now() + SignedDuration::from_secs(60));
            assert!(!matches!(try_in(&bench, ADA, "wrong", &from(99)), Err(SignInError::Wait(wait)) if wait.as_secs() > 900));
        }
        bench.clock.advance_to(bench.clock.now() + SignedDuration::from_secs(60));
        assert!(try_in(&bench, ADA, GOOD, &from(200)).is_ok());
    }

    /// All guesses were checked before any was counted: a hundred at once were a hundred guesses.
    #[test]
    fn guesses_at_the_same_moment_are_slowed_like_guesses_one_by_one() {
        let (bench, _) = with_ada();
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..20).map(|_| scope.spawn(|| try_in(&bench, ADA, "wrong", &from(1)))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(results.iter().filter(|result| matches!(result, Err(SignInError::Wrong))).count(), 6);
    }

    #[test]
    fn whoever_guesses_from_behind_the_same_address_does_not_keep_the_owner_out() {
        let (bench, user) = with_ada();
        let mark = known_browser::mark(&bench.services, user.id);
        guess_until_paused(&bench, |_| from(1));
        let own = From { mark: Some(mark), ..from(1) };
        assert!(try_in(&bench, ADA, GOOD, &own).is_ok(), "the guesses of others do not count for a known browser");
        guess_until_paused(&bench, |_| own.clone());
        assert!(matches!(try_in(&bench, ADA, GOOD, &own), Err(SignInError::Wait(_))), "its own do");
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_too_short() {
        assert_eq!(seconds(SignedDuration::from_millis(1)), 1);
        assert_eq!(seconds(SignedDuration::from_secs(2)), 2);
        assert_eq!(seconds(SignedDuration::from_millis(2_001)), 3);
    }
}
