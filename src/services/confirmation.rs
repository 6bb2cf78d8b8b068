//! The password once more, of somebody who is signed in, before secrets are told (SEC-05): whoever finds a browser open is not the
//! person who signed in. For how long it counts is the session's matter: [`crate::domain::limits::CONFIRMED_MINUTES`].

use super::commit::Mode;
use super::error::ServiceError;
use super::sign_in::SignInError;
use super::{Services, passwords, second_factor};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::account::Secret;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::UserId;

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
        let stranger =
            Actor::Token { name: "x".to_owned(), role: user.role, account: user.account, made_by: None, secrets: true };
        assert!(confirm(services, &stranger, user.id, &draft.password, "", Mode::Keep).is_err(), "a token has no password");
    }
}
