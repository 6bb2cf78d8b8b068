//! People who sign in: adding them, their passwords, and the check at the door (R9–R13, SEC-01).

use std::net::IpAddr;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use jiff::SignedDuration;

use super::Services;
use super::commit::{Change, Mode, commit, perform};
use super::error::ServiceError;
use super::sessions;
use crate::domain::access::{Action, Actor, Grant, authorize};
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

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The user is unknown or the password is wrong: which of the two is not told.
    #[error("this e-mail and this password do not belong together")]
    Wrong,
    /// Too many wrong guesses before.
    #[error("too many wrong passwords; try again in {} s", .0.as_secs().max(1))]
    Wait(SignedDuration),
    /// The state could not be read or written.
    #[error(transparent)]
    Service(#[from] ServiceError),
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

/// Changes the password of somebody who knows the current one. Wrong guesses count like those at the door.
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
    let now = services.clock.now();
    let key = account_key(&user.email);
    if let Some(wait) = services.sign_ins.wait(&key, now) {
        return Err(FieldErrors::one("current", SignInError::Wait(wait)).into());
    }
    if !verify(current.expose(), &user.password_hash) {
        services.sign_ins.wrong(&key, now);
        return Err(FieldErrors::one("current", "this is not your current password").into());
    }
    services.sign_ins.right(&key);
    replace_password(services, actor, id, new, mode)
}

/// Lets a user in who shows e-mail and password, and notes it in the activity log.
///
/// # Errors
/// As [`check_sign_in`].
pub fn sign_in(services: &Services, email: &str, password: &Secret, address: Option<IpAddr>) -> Result<User, SignInError> {
    let user = check_sign_in(services, email, password, address)?;
    let actor = Actor::User { id: user.id, name: user.name.clone(), role: user.role };
    let from = address.map(|ip| ip.to_string());
    note(services, &actor, Event::new("user", user.name.as_str(), "signed in").change("address", None, from))?;
    Ok(user)
}

/// Checks an e-mail and a password at the door. Wrong guesses count, whatever comes of the right one.
///
/// # Errors
/// [`SignInError::Wrong`] with the same words and the same work for unknown users; [`SignInError::Wait`] after too many guesses.
pub fn check_sign_in(services: &Services, email: &str, password: &Secret, address: Option<IpAddr>) -> Result<User, SignInError> {
    let now = services.clock.now();
    let keys = [Some(account_key(email)), address.map(address_key)];
    if let Some(wait) = keys.iter().flatten().filter_map(|key| services.sign_ins.wait(key, now)).max() {
        return Err(SignInError::Wait(wait));
    }
    let user = list(services)?.into_iter().find(|user| user.email.to_lowercase() == email.trim().to_lowercase());
    let right = verify(password.expose(), user.as_ref().map_or(NOBODY, |user| &user.password_hash));
    let Some(user) = user.filter(|_| right) else {
        // Every key counts the guess, also when another one already pauses.
        let pauses: Vec<bool> = keys.iter().flatten().map(|key| services.sign_ins.wrong(key, now)).collect();
        if pauses.contains(&true) {
            let from = address.map_or_else(|| "an unknown address".to_owned(), |ip| ip.to_string());
            let event = Event::new("user", clipped(email), "too many wrong passwords").change("address", None, Some(from));
            commit(services, Grant::system("sign-in"), SERVER, |change| change.record(event))?;
        }
        return Err(SignInError::Wrong);
    };
    keys.iter().flatten().for_each(|key| services.sign_ins.right(key));
    Ok(user)
}

/// Notes in the activity log that a user signed out.
///
/// # Errors
/// The entry could not be written.
pub fn signed_out(services: &Services, actor: &Actor) -> Result<(), ServiceError> {
    match actor {
        Actor::User { name, .. } => note(services, actor, Event::new("user", name.as_str(), "signed out")),
        Actor::CommandLine => Ok(()),
    }
}

fn note(services: &Services, actor: &Actor, event: Event) -> Result<(), ServiceError> {
    commit(services, authorize(actor, Action::SignIn)?, SERVER, |change| change.record(event))
}

fn hash(password: &str) -> String {
    Argon2::default().hash_password(password.as_bytes()).expect("any password has a hash").to_string()
}

fn verify(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|stored| Argon2::default().verify_password(password.as_bytes(), &stored).is_ok())
}

fn account_key(email: &str) -> String {
    format!("user {}", clipped(&email.trim().to_lowercase()))
}

/// An IPv6 network of a home or office counts as one address: who has one has 2^64.
fn address_key(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| format!("{:?}", &v6.segments()[..4]), |v4| v4.to_string()),
    }
}

fn clipped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect()
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
    use crate::services::activity::{self, ActivityQuery};
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

    fn try_in(services: &Services, email: &str, password: &str) -> Result<User, SignInError> {
        sign_in(services, email, &Secret::new(password), Some(IpAddr::from([192, 0, 2, 1])))
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
    fn the_right_password_opens_and_unknown_users_hear_the_same_as_known_ones() {
        let dir = tempfile::tempdir().expect("a folder");
        let services = opened(&dir, &clock());
        let user = create(&services, &Actor::CommandLine, &ada()).expect("a good draft");
        assert!(user.password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(try_in(&services, " ada@EXAMPLE.test ", GOOD).expect("signed in").id, user.id);
        let words = |email| try_in(&services, email, "wrong").expect_err("refused").to_string();
        assert_eq!(words("ada@example.test"), words("nobody@example.test"));
    }

    #[test]
    fn the_stand_in_for_unknown_users_is_as_slow_as_a_real_hash() {
        let stored = PasswordHash::new(NOBODY).expect("a well-formed hash");
        let real = hash(GOOD);
        let real = PasswordHash::new(&real).expect("a well-formed hash");
        assert_eq!(stored.params.to_string(), real.params.to_string());
        assert!(!verify(GOOD, NOBODY));
    }

    #[test]
    fn guessing_is_slowed_and_the_owner_gets_in_after_the_pause() {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = clock();
        let services = opened(&dir, &clock);
        create(&services, &Actor::CommandLine, &ada()).expect("a good draft");
        let wait = (0..8).find_map(|_| match try_in(&services, "ada@example.test", "wrong") {
            Err(SignInError::Wait(wait)) => Some(wait),
            _ => None,
        });
        let wait = wait.expect("a pause");
        assert!(matches!(try_in(&services, "ada@example.test", GOOD), Err(SignInError::Wait(_))));
        clock.advance_to(clock.now() + wait);
        assert!(try_in(&services, "ada@example.test", GOOD).is_ok());
        let query = ActivityQuery { q: "too many".to_owned(), limit: 10, ..ActivityQuery::default() };
        let log = activity::list(&services, SERVER, &query).expect("the log");
        assert!(log.items.iter().any(|entry| entry.event.subject == "ada@example.test"), "{log:?}");
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
        assert!(try_in(&services, "ada@example.test", GOOD).is_err());
        assert!(try_in(&services, "ada@example.test", "quite another sentence").is_ok());
    }
}
