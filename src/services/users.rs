//! People who sign in: adding them and their passwords (R9–R13, SEC-01). The check at the door is [`super::sign_in`]'s.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::Services;
use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use super::sessions;
use super::sign_in::SignInError;
use super::throttle::Key;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::account::Secret;
use crate::domain::activity::{Event, SERVER};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::UserId;
use crate::domain::limits::NAME_CHARS;
use crate::domain::password;
use crate::domain::user::{Role, User};
use crate::store;

/// A password that nobody has, hashed like all others: whoever asks for an unknown user waits as long as for a known one (ADM-04).
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXRoaW5nc2FsdHk$NKbHOmdBB2R4PTyr8nrSKlzKqV8L3cJjhWj9fcPyVsU";

/// A user as typed.
#[derive(Clone, Debug, Default)]
pub struct UserDraft {
    /// Shown name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Password.
    pub password: Secret,
}

/// A draft that keeps every rule, its password hashed.
pub(super) struct Checked {
    name: String,
    email: String,
    password_hash: String,
}

/// Checks a draft and hashes its password. Slow on purpose.
pub(super) fn check(draft: &UserDraft) -> Result<Checked, FieldErrors> {
    let mut errors = FieldErrors::new();
    let name = errors.take("name", parse_name(&draft.name));
    let email = errors.take("email", parse_email(&draft.email));
    errors.take("password", password::check(draft.password.expose(), &draft.name, &draft.email));
    let (name, email) = errors.into_result(name.zip(email))?;
    Ok(Checked { name, email, password_hash: hash(draft.password.expose()) })
}

/// Writes a new user within a change.
pub(super) fn insert(change: &mut Change<'_>, checked: Checked) -> Result<User, ServiceError> {
    if store::users::all(change.tx())?.iter().any(|user| user.email.to_lowercase() == checked.email.to_lowercase()) {
        return Err(FieldErrors::one("email", "a user with this e-mail exists already").into());
    }
    let user = User {
        id: store::users::next_id(change.tx())?,
        name: checked.name,
        email: checked.email,
        role: Role::Owner,
        password_hash: checked.password_hash,
        created_at: change.now(),
        password_changed_at: change.now(),
    };
    store::users::put(change.tx(), &user)?;
    change.record(Event::new("user", user.name.as_str(), "added").change("email", None, Some(user.email.clone())))?;
    Ok(user)
}

/// Adds a user.
///
/// # Errors
/// What is wrong with the draft, field by field; an e-mail that is taken.
pub fn create(services: &Services, actor: &Actor, draft: &UserDraft) -> Result<User, ServiceError> {
    add(services, actor, draft, Mode::Keep)
}

/// Adds a user, or finds out whether it could be added.
///
/// # Errors
/// As [`create`].
pub fn add(services: &Services, actor: &Actor, draft: &UserDraft, mode: Mode) -> Result<User, ServiceError> {
    let grant = authorize(actor, Action::EditUsers)?;
    let checked = check(draft)?;
    perform(services, mode, grant, SERVER, |change| insert(change, checked))
}

/// All users, in the order in which they were added.
pub fn list(services: &Services) -> Result<Vec<User>, ServiceError> {
    Ok(services.store.read(store::users::all)?)
}

/// One user.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn get(services: &Services, id: UserId) -> Result<User, ServiceError> {
    services.store.read(|tx| store::users::get(tx, id))?.ok_or_else(|| ServiceError::not_found("user", id))
}

/// The user with this e-mail or, where nobody has it as e-mail, this name. Letter case does not matter.
pub fn find(services: &Services, who: &str) -> Result<Option<User>, ServiceError> {
    let who = who.trim().to_lowercase();
    let users = list(services)?;
    let by = |text: fn(&User) -> &str| users.iter().find(|user| text(user).to_lowercase() == who).cloned();
    Ok(by(|user| &user.email).or_else(|| by(|user| &user.name)))
}

/// Sets a user's password and ends all sessions of that user (ADM-06).
///
/// # Errors
/// A password that is too short or too well known.
pub fn set_password(services: &Services, actor: &Actor, id: UserId, new: &Secret) -> Result<(), ServiceError> {
    replace_password(services, actor, id, new, Mode::Keep).map(drop)
}

/// Sets a user's password, or finds out whether it could be set.
///
/// # Errors
/// As [`set_password`].
pub fn replace_password(services: &Services, actor: &Actor, id: UserId, new: &Secret, mode: Mode) -> Result<User, ServiceError> {
    let grant = authorize(actor, Action::EditUsers)?;
    let user = get(services, id)?;
    password::check(new.expose(), &user.name, &user.email).map_err(|e| FieldErrors::one("password", e))?;
    let password_hash = hash(new.expose());
    let changed = perform(services, mode, grant, SERVER, |change| {
        let mut user = store::users::get(change.tx(), id)?.ok_or_else(|| ServiceError::not_found("user", id))?;
        user.password_hash.clone_from(&password_hash);
        user.password_changed_at = change.now();
        store::users::put(change.tx(), &user)?;
        change.record(Event::new("user", user.name.as_str(), "changed").secret_change("password", Some("old"), Some("new")))?;
        Ok(user)
    })?;
    if mode == Mode::Keep {
        sessions::end_all_of(services, id)?;
    }
    Ok(changed)
}

/// Changes the password of somebody who knows the current one. Wrong guesses are slowed, and cost nothing at the door.
///
/// # Errors
/// A wrong current password, or a new one that cannot be taken.
pub fn change_own_password(
    services: &Services,
    actor: &Actor,
    id: UserId,
    current: &Secret,
    new: &Secret,
    mode: Mode,
) -> Result<User, ServiceError> {
    let user = get(services, id)?;
    let guess = services.sign_ins.count(vec![Key::Current(id)], services.clock.now());
    let guess = guess.map_err(|wait| FieldErrors::one("current", SignInError::Wait(wait)))?;
    if !verify(services, current, Some(&user)) {
        return Err(FieldErrors::one("current", "this is not your current password").into());
    }
    guess.was_right();
    replace_password(services, actor, id, new, mode)
}

/// Whether this is the user's password. For nobody the answer is no, and takes as long (ADM-04). One password is checked at a
/// time: each check takes a core and 19 MiB, and phones come first.
pub(super) fn verify(services: &Services, password: &Secret, user: Option<&User>) -> bool {
    let stored = user.map_or(NOBODY, |user| &user.password_hash);
    let _turn = services.hashing.lock();
    PasswordHash::new(stored).is_ok_and(|stored| Argon2::default().verify_password(password.expose().as_bytes(), &stored).is_ok())
}

fn hash(password: &str) -> String {
    Argon2::default().hash_password(password.as_bytes()).expect("any password has a hash").to_string()
}

fn parse_name(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("enter your name"),
        n if n > NAME_CHARS => Err("a name has at most 80 characters"),
        _ if text.chars().any(char::is_control) => Err("a name has no control characters"),
        _ => Ok(text.to_owned()),
    }
}

fn parse_email(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let well_formed = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
    });
    if well_formed && text.len() <= 254 { Ok(text.to_owned()) } else { Err("enter an e-mail address such as ada@example.com") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Opening;
    use crate::services::clock::Clock;
    use jiff::Timestamp;

    const GOOD: &str = "four unhurried words";

    fn opened(dir: &tempfile::TempDir, clock: &Clock) -> Services {
        Services::open(Opening::new(dir.path().join("state"), clock.clone())).expect("a fresh state directory")
    }

    fn clock() -> Clock {
        Clock::manual(Timestamp::from_second(1_800_000_000).expect("a time"))
    }

    fn ada() -> UserDraft {
        UserDraft { name: "Ada".to_owned(), email: "Ada@example.test".to_owned(), password: Secret::new(GOOD) }
    }

    #[test]
    fn every_field_that_is_wrong_is_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let services = opened(&dir, &clock());
        let draft = UserDraft { name: " ".to_owned(), email: "ada".to_owned(), password: Secret::new("short") };
        let Err(ServiceError::Invalid(errors)) = create(&services, &Actor::CommandLine, &draft) else { panic!("taken") };
        assert_eq!(errors.iter().map(|e| e.field).collect::<Vec<_>>(), ["name", "email", "password"]);
        create(&services, &Actor::CommandLine, &ada()).expect("a good draft");
        let again = UserDraft { email: "ADA@example.test".to_owned(), ..ada() };
        assert!(matches!(create(&services, &Actor::CommandLine, &again), Err(ServiceError::Invalid(_))));
    }

    #[test]
    fn the_stand_in_for_unknown_users_is_as_slow_as_a_real_hash() {
        let stored = PasswordHash::new(NOBODY).expect("a well-formed hash");
        let real = hash(GOOD);
        let real = PasswordHash::new(&real).expect("a well-formed hash");
        assert_eq!(stored.params.to_string(), real.params.to_string());
        let dir = tempfile::tempdir().expect("a folder");
        assert!(!verify(&opened(&dir, &clock()), &Secret::new(GOOD), None));
    }

    #[test]
    fn a_new_password_ends_all_sessions() {
        let dir = tempfile::tempdir().expect("a folder");
        let services = opened(&dir, &clock());
        let user = create(&services, &Actor::CommandLine, &ada()).expect("a good draft");
        let content = sessions::Content { user: Some(user.id), ..sessions::Content::default() };
        let cookie = sessions::begin(&services, content).expect("begun");
        let (old, new) = (Secret::new(GOOD), Secret::new("quite another sentence"));
        assert!(change_own_password(&services, &Actor::CommandLine, user.id, &new, &new, Mode::Keep).is_err());
        assert!(sessions::find(&services, &cookie).is_some());
        change_own_password(&services, &Actor::CommandLine, user.id, &old, &new, Mode::Keep).expect("changed");
        assert!(sessions::find(&services, &cookie).is_none());
        let user = get(&services, user.id).expect("a user");
        assert!(!verify(&services, &old, Some(&user)) && verify(&services, &new, Some(&user)));
    }
}
