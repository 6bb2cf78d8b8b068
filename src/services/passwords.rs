//! Passwords of users: hashed, checked, set and changed (ADM-02, ADM-04, ADM-06, SEC-01). The check at the door is
//! [`super::sign_in`]'s.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::Services;
use super::commit::{Change, Mode, commit, perform};
use super::error::ServiceError;
use super::sessions;
use super::sign_in::SignInError;
use super::throttle::Key;
use super::users::get;
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::account::Secret;
use crate::domain::activity::{Event, SERVER};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::UserId;
use crate::domain::password;
use crate::domain::user::User;
use crate::store;

/// A password that nobody has, hashed like all others: whoever asks for an unknown user waits as long as for a known one (ADM-04).
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXRoaW5nc2FsdHk$NKbHOmdBB2R4PTyr8nrSKlzKqV8L3cJjhWj9fcPyVsU";

/// Sets a user's password and ends all sessions of that user (ADM-06).
///
/// # Errors
/// A password that is too short or too well known.
pub fn set(services: &Services, actor: &Actor, id: UserId, new: &Secret) -> Result<(), ServiceError> {
    replace(services, actor, id, new, Mode::Keep).map(drop)
}

/// Sets a user's password, or finds out whether it could be set.
///
/// # Errors
/// As [`set`].
pub fn replace(services: &Services, actor: &Actor, id: UserId, new: &Secret, mode: Mode) -> Result<User, ServiceError> {
    put(services, authorize(actor, Action::EditUsers)?, id, new, mode)
}

/// Changes the password of somebody who knows the current one. Wrong guesses are slowed, and cost nothing at the door.
///
/// # Errors
/// A wrong current password, or a new one that cannot be taken.
pub fn change_own(
    services: &Services,
    actor: &Actor,
    id: UserId,
    current: &Secret,
    new: &Secret,
    mode: Mode,
) -> Result<User, ServiceError> {
    let grant = authorize(actor, Action::EditSelf(id))?;
    prove(services, id, current)?;
    put(services, grant, id, new, mode)
}

/// Asks somebody who is signed in for the current password once more, before something that a stranger at the keyboard must not do.
///
/// # Errors
/// It is not the current one, told at the field `current`; too many wrong ones before.
pub(super) fn prove(services: &Services, id: UserId, current: &Secret) -> Result<User, ServiceError> {
    prove_at("current", services, id, current)
}

/// The same where the password stands in another field.
pub(super) fn prove_at(field: &'static str, services: &Services, id: UserId, current: &Secret) -> Result<User, ServiceError> {
    let user = get(services, id)?;
    let guess = services.sign_ins.count(vec![Key::Current(id)], services.clock.now());
    let guess = guess.map_err(|wait| FieldErrors::one(field, SignInError::Wait(wait)))?;
    if !verify(services, current, Some(&user)) {
        if guess.begins_pause {
            let event = Event::new("user", user.name.as_str(), "too many wrong passwords");
            commit(services, Grant::system("confirmation"), SERVER, |change| change.record(event))?;
        }
        return Err(FieldErrors::one(field, "this is not your current password").into());
    }
    guess.was_right();
    Ok(user)
}

fn put(services: &Services, grant: Grant, id: UserId, new: &Secret, mode: Mode) -> Result<User, ServiceError> {
    let user = get(services, id)?;
    check(new, &user)?;
    let password_hash = hash(new);
    let changed = perform(services, mode, grant, SERVER, |change| write(change, id, password_hash))?;
    if mode == Mode::Keep {
        sessions::end_all_of(services, id)?;
    }
    Ok(changed)
}

/// Whether a user may have this password.
pub(super) fn check(new: &Secret, user: &User) -> Result<(), FieldErrors> {
    password::check(new.expose(), &user.name, &user.email).map_err(|e| FieldErrors::one("password", e))
}

/// Writes a user's new password within a change. An invitation that was open is used up.
pub(super) fn write(change: &mut Change<'_>, id: UserId, password_hash: String) -> Result<User, ServiceError> {
    let mut user = store::users::get(change.tx(), id)?.ok_or_else(|| ServiceError::not_found("user", id))?;
    let old = (!user.is_invited()).then_some("old");
    user.password_hash = password_hash;
    user.password_changed_at = change.now();
    user.invitation = None;
    store::users::put(change.tx(), &user)?;
    change.record(Event::new("user", user.name.as_str(), "changed").secret_change("password", old, Some("new")))?;
    Ok(user)
}

/// Whether this is the user's password. For nobody the answer is no, and takes as long (ADM-04). One password is checked at a
/// time: each check takes a core and 19 MiB, and phones come first.
pub(super) fn verify(services: &Services, password: &Secret, user: Option<&User>) -> bool {
    let stored = user.filter(|user| !user.is_invited()).map_or(NOBODY, |user| &user.password_hash);
    let _turn = services.hashing.lock();
    PasswordHash::new(stored).is_ok_and(|stored| Argon2::default().verify_password(password.expose().as_bytes(), &stored).is_ok())
}

/// Hashes a password. Slow on purpose.
pub(super) fn hash(password: &Secret) -> String {
    Argon2::default().hash_password(password.expose().as_bytes()).expect("any password has a hash").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::bench;
    use crate::services::users::{self, UserDraft};

    const GOOD: &str = "four unhurried words";

    fn ada() -> UserDraft {
        UserDraft { name: "Ada".to_owned(), email: "Ada@example.test".to_owned(), password: Secret::new(GOOD) }
    }

    #[test]
    fn the_stand_in_for_unknown_users_is_as_slow_as_a_real_hash() {
        let stored = PasswordHash::new(NOBODY).expect("a well-formed hash");
        let real = hash(&Secret::new(GOOD));
        assert!(real.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "at least 19 MiB and two passes (SEC-01): {real}");
        let real = PasswordHash::new(&real).expect("a well-formed hash");
        assert_eq!(stored.params.to_string(), real.params.to_string());
        assert!(!verify(&bench().services, &Secret::new(GOOD), None));
    }

    #[test]
    fn a_new_password_ends_all_sessions() {
        let bench = bench();
        let services = &bench.services;
        let user = users::create(services, &Actor::CommandLine, &ada()).expect("a good draft");
        let content = sessions::Content { user: Some(user.id), ..sessions::Content::default() };
        let cookie = sessions::begin(services, content).expect("begun");
        let (old, new) = (Secret::new(GOOD), Secret::new("quite another sentence"));
        assert!(change_own(services, &user.actor(), user.id, &new, &new, Mode::Keep).is_err());
        assert!(sessions::find(services, &cookie).is_some());
        change_own(services, &user.actor(), user.id, &old, &new, Mode::Keep).expect("changed");
        assert!(sessions::find(services, &cookie).is_none());
        let user = get(services, user.id).expect("a user");
        assert!(!verify(services, &old, Some(&user)) && verify(services, &new, Some(&user)));
    }

    /// What people type is taken as it is, however long and in whatever script (ADM-02).
    #[test]
    fn long_passwords_and_signs_of_any_script_are_kept_unaltered() {
        let bench = bench();
        let services = &bench.services;
        let user = users::create(services, &Actor::CommandLine, &ada()).expect("a good draft");
        let (words, line) = ("\u{1f40e} korrekt Pferd Batterie Heft ".repeat(7), "abcdefgh ijklmnop ".repeat(4));
        let long: String = words.chars().take(200).collect();
        let usual: String = line.chars().take(64).collect();
        for password in
            [long, usual, " blanks at both ends ".to_owned(), "\u{1f511}\u{1f40e}\u{1f50b}\u{1f4ce} twelve signs".to_owned()]
        {
            let password = Secret::new(password);
            set(services, &Actor::CommandLine, user.id, &password).expect("taken");
            let user = get(services, user.id).expect("a user");
            assert!(verify(services, &password, Some(&user)), "{}", password.expose());
            let shorter: String = password.expose().chars().take(password.expose().chars().count() - 1).collect();
            assert!(!verify(services, &Secret::new(shorter), Some(&user)), "nothing is cut off");
        }
        for bad in ["seven77", "password1234", "polycom123456", "pdms-pdms-pdms"] {
            assert!(set(services, &Actor::CommandLine, user.id, &Secret::new(bad)).is_err(), "{bad}");
        }
    }
}
