//! People who sign in: added, changed, disabled and deleted (R9–R19). Their passwords are [`super::passwords`]', their invitations
//! [`super::invitations`]'.
//!
//! Whoever loses a role or may not sign in any more is signed out everywhere at once (ADM-06). The last owner stays.

use super::Services;
use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use super::{invitations, passwords, sessions, views};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::account::Secret;
use crate::domain::activity::{Event, SERVER};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, UserId};
use crate::domain::limits::NAME_CHARS;
use crate::domain::password;
use crate::domain::user::{Role, User};
use crate::store;

/// An owner as typed at set-up or on the command line.
#[derive(Clone, Debug, Default)]
pub struct UserDraft {
    /// Shown name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Password.
    pub password: Secret,
}

/// A user as typed.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Shown name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Role.
    pub role: Role,
    /// How the person comes to a password.
    pub access: Access,
}

/// How a new user comes to a password.
#[derive(Clone, Debug)]
pub enum Access {
    /// Whoever adds the user types it.
    Password(Secret),
    /// The person chooses it, with a link that is shown once.
    Invitation,
}

/// A user who was just added.
#[derive(Debug)]
pub struct Added {
    /// The user.
    pub user: User,
    /// The token of the invitation, where there is one. Nobody can tell it again.
    pub invitation: Option<Secret>,
}

/// What is to be changed of a user; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The revision that the change was made from; none where nobody looked at the user before.
    pub revision: Option<u64>,
    /// Shown name.
    pub name: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Role.
    pub role: Option<Role>,
    /// Whether the user may sign in.
    pub enabled: Option<bool>,
}

/// A draft that keeps every rule, its password hashed.
pub(super) struct Checked {
    name: String,
    email: String,
    role: Role,
    password_hash: String,
}

/// Checks an owner's draft and hashes its password. Slow on purpose.
pub(super) fn check(draft: &UserDraft) -> Result<Checked, FieldErrors> {
    check_new(&NewUser {
        name: draft.name.clone(),
        email: draft.email.clone(),
        role: Role::Owner,
        access: Access::Password(draft.password.clone()),
    })
}

fn check_new(new: &NewUser) -> Result<Checked, FieldErrors> {
    let mut errors = FieldErrors::new();
    let name = errors.take("name", parse_name(&new.name));
    let email = errors.take("email", parse_email(&new.email));
    if let Access::Password(password) = &new.access {
        errors.take("password", password::check(password.expose(), &new.name, &new.email));
    }
    let (name, email) = errors.into_result(name.zip(email))?;
    let password_hash = match &new.access {
        Access::Password(password) => passwords::hash(password),
        Access::Invitation => String::new(),
    };
    Ok(Checked { name, email, role: new.role, password_hash })
}

/// Writes a new user within a change.
pub(super) fn insert(change: &mut Change<'_>, checked: Checked) -> Result<User, ServiceError> {
    let Checked { name, email, role, password_hash } = checked;
    must_be_free(change, &email, None)?;
    let user = User {
        id: store::users::next_id(change.tx())?,
        name,
        email,
        role,
        account: DEFAULT_ACCOUNT,
        disabled_at: None,
        password_hash,
        second_factor: None,
        invitation: None,
        created_at: change.now(),
        password_changed_at: change.now(),
        revision: 1,
    };
    store::users::put(change.tx(), &user)?;
    let event = Event::new("user", user.name.as_str(), "added").change("email", None, Some(user.email.clone()));
    change.record(event.change("role", None, Some(role.to_string())))?;
    Ok(user)
}

fn must_be_free(change: &Change<'_>, email: &str, own: Option<UserId>) -> Result<(), ServiceError> {
    let mut others = store::users::all(change.tx())?.into_iter().filter(|user| Some(user.id) != own);
    if others.any(|user| user.email.to_lowercase() == email.to_lowercase()) {
        return Err(FieldErrors::one("email", "a user with this e-mail exists already").into());
    }
    Ok(())
}

/// Adds an owner with a password.
///
/// # Errors
/// As [`add`].
pub fn create(services: &Services, actor: &Actor, draft: &UserDraft) -> Result<User, ServiceError> {
    let grant = authorize(actor, Action::EditUsers)?;
    let checked = check(draft)?;
    perform(services, Mode::Keep, grant, SERVER, |change| insert(change, checked))
}

/// Adds a user, or finds out whether it could be added.
///
/// # Errors
/// What is wrong with the draft, field by field; an e-mail that is taken.
pub fn add(services: &Services, actor: &Actor, new: &NewUser, mode: Mode) -> Result<Added, ServiceError> {
    let grant = authorize(actor, Action::EditUsers)?;
    let checked = check_new(new)?;
    let is_invited = matches!(new.access, Access::Invitation);
    perform(services, mode, grant, SERVER, |change| {
        let mut user = insert(change, checked)?;
        let invitation = is_invited.then(|| invitations::issue(services, change, &mut user)).transpose()?;
        Ok(Added { user, invitation })
    })
}

/// Changes a user. Whoever gets another role or is disabled is signed out everywhere.
///
/// # Errors
/// What is wrong, field by field; somebody else changed the user since the revision; nobody would be left to run the installation.
pub fn change(services: &Services, actor: &Actor, id: UserId, wanted: &UserChange, mode: Mode) -> Result<User, ServiceError> {
    let grant = authorize(actor, Action::EditUsers)?;
    let mut errors = FieldErrors::new();
    let name = wanted.name.as_deref().and_then(|text| errors.take("name", parse_name(text)));
    let email = wanted.email.as_deref().and_then(|text| errors.take("email", parse_email(text)));
    errors.into_result(Some(()))?;
    let (user, is_other) = perform(services, mode, grant, SERVER, |change| {
        let old = store::users::get(change.tx(), id)?.ok_or_else(|| ServiceError::not_found("user", id))?;
        if wanted.revision.is_some_and(|revision| revision != old.revision) {
            return Err(ServiceError::stale("user", ""));
        }
        let mut new = old.clone();
        if let Some(name) = name {
            new.name = name;
        }
        if let Some(email) = email {
            must_be_free(change, &email, Some(id))?;
            new.email = email;
        }
        new.role = wanted.role.unwrap_or(old.role);
        match wanted.enabled {
            Some(true) => new.disabled_at = None,
            Some(false) => new.disabled_at = old.disabled_at.or(Some(change.now())),
            None => {}
        }
        if new == old {
            change.leave_as_is();
            return Ok((new, false));
        }
        must_leave_an_owner(change, &old, Some(&new))?;
        new.revision += 1;
        store::users::put(change.tx(), &new)?;
        change.record(told(&old, &new))?;
        let is_other = old.role != new.role || old.is_enabled() != new.is_enabled();
        Ok((new, is_other))
    })?;
    if is_other && mode == Mode::Keep {
        sessions::end_all_of(services, id)?;
    }
    Ok(user)
}

/// A change as the activity log tells it.
fn told(old: &User, new: &User) -> Event {
    let word = |user: &User| Some(if user.is_enabled() { "enabled" } else { "disabled" }.to_owned());
    let mut event = Event::new("user", old.name.as_str(), "changed");
    for (field, old, new) in [
        ("name", Some(old.name.clone()), Some(new.name.clone())),
        ("email", Some(old.email.clone()), Some(new.email.clone())),
        ("role", Some(old.role.to_string()), Some(new.role.to_string())),
        ("sign-in", word(old), word(new)),
    ] {
        if old != new {
            event = event.change(field, old, new);
        }
    }
    event
}

/// A user who is deleted, with what goes along or stays behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedUser {
    /// The user.
    pub user: User,
    /// Names of the API tokens that end.
    pub tokens: Vec<String>,
    /// What becomes of the saved views.
    pub views: views::Left,
}

/// Deletes a user with the API tokens that the user made, and ends all sessions. Saved views that are shared stay.
///
/// # Errors
/// Nobody would be left to run the installation.
pub fn delete(services: &Services, actor: &Actor, id: UserId, mode: Mode) -> Result<DeletedUser, ServiceError> {
    let grant = authorize(actor, Action::EditUsers)?;
    let heir = views::user_of(actor);
    let deleted = perform(services, mode, grant, SERVER, |change| {
        let user = store::users::get(change.tx(), id)?.ok_or_else(|| ServiceError::not_found("user", id))?;
        must_leave_an_owner(change, &user, None)?;
        store::users::delete(change.tx(), id)?;
        let mut tokens = Vec::new();
        for (key, token) in store::tokens::all(change.tx())? {
            if token.made_by == Some(id) {
                store::tokens::delete(change.tx(), key)?;
                change.record(Event::new("token", token.name.as_str(), "revoked"))?;
                tokens.push(token.name.to_string());
            }
        }
        let heir = heir.map(|id| store::users::get(change.tx(), id)).transpose()?.flatten();
        let views = views::leave(change, &user, heir.as_ref())?;
        change.record(Event::new("user", user.name.as_str(), "deleted").change("email", Some(user.email.clone()), None))?;
        Ok(DeletedUser { user, tokens, views })
    })?;
    if mode == Mode::Keep {
        sessions::end_all_of(services, id)?;
        services.views.refresh(services)?;
    }
    Ok(deleted)
}

/// Without an owner who can sign in nobody could run the installation but from its command line.
fn must_leave_an_owner(change: &Change<'_>, old: &User, new: Option<&User>) -> Result<(), ServiceError> {
    if !old.is_working_owner() || new.is_some_and(User::is_working_owner) {
        return Ok(());
    }
    let others = store::users::all(change.tx())?;
    match others.iter().any(|user| user.id != old.id && user.is_working_owner()) {
        true => Ok(()),
        false => Err(ServiceError::Conflict(format!(
            "{} is the last owner who can sign in; nothing was changed. Make somebody else an owner first",
            old.name
        ))),
    }
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

fn parse_name(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("enter a name"),
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
    use crate::services::testing::{Bench, bench};

    const GOOD: &str = "four unhurried words";

    fn ada() -> UserDraft {
        UserDraft { name: "Ada".to_owned(), email: "Ada@example.test".to_owned(), password: Secret::new(GOOD) }
    }

    fn bob(role: Role) -> NewUser {
        let access = Access::Password(Secret::new("another few words"));
        NewUser { name: "Bob".to_owned(), email: "bob@example.test".to_owned(), role, access }
    }

    fn two(role: Role) -> (Bench, User, User) {
        let bench = bench();
        let ada = create(&bench.services, &Actor::CommandLine, &ada()).expect("a good draft");
        let bob = add(&bench.services, &ada.actor(), &bob(role), Mode::Keep).expect("a good draft").user;
        (bench, ada, bob)
    }

    fn set_role(bench: &Bench, id: UserId, role: Role) -> Result<User, ServiceError> {
        let wanted = UserChange { role: Some(role), ..UserChange::default() };
        change(&bench.services, &Actor::CommandLine, id, &wanted, Mode::Keep)
    }

    fn set_enabled(bench: &Bench, id: UserId, enabled: bool) -> Result<User, ServiceError> {
        let wanted = UserChange { enabled: Some(enabled), ..UserChange::default() };
        change(&bench.services, &Actor::CommandLine, id, &wanted, Mode::Keep)
    }

    #[test]
    fn every_field_that_is_wrong_is_told() {
        let bench = bench();
        let services = &bench.services;
        let draft = UserDraft { name: " ".to_owned(), email: "ada".to_owned(), password: Secret::new("short") };
        let Err(ServiceError::Invalid(errors)) = create(services, &Actor::CommandLine, &draft) else { panic!("taken") };
        assert_eq!(errors.iter().map(|e| e.field).collect::<Vec<_>>(), ["name", "email", "password"]);
        create(services, &Actor::CommandLine, &ada()).expect("a good draft");
        let again = UserDraft { email: "ADA@example.test".to_owned(), ..ada() };
        assert!(matches!(create(services, &Actor::CommandLine, &again), Err(ServiceError::Invalid(_))));
    }

    #[test]
    fn the_last_owner_who_can_sign_in_stays() {
        let (bench, ada, bob) = two(Role::AccountAdmin);
        let is_kept = |result: Result<User, ServiceError>| matches!(result, Err(ServiceError::Conflict(_)));
        assert!(is_kept(set_role(&bench, ada.id, Role::Viewer)));
        assert!(is_kept(set_enabled(&bench, ada.id, false)));
        let delete = |id| delete(&bench.services, &Actor::CommandLine, id, Mode::Keep).map(|deleted| deleted.user);
        assert!(is_kept(delete(ada.id)));
        set_role(&bench, bob.id, Role::Owner).expect("changed");
        set_enabled(&bench, ada.id, false).expect("another owner is left");
        assert!(is_kept(delete(bob.id)), "a disabled owner does not count");
        delete(ada.id).expect("deleted");
    }

    #[test]
    fn an_invited_owner_does_not_count_as_one_who_can_sign_in() {
        let (bench, ada, _) = two(Role::Viewer);
        let invited = NewUser { email: "eve@example.test".to_owned(), access: Access::Invitation, ..bob(Role::Owner) };
        add(&bench.services, &Actor::CommandLine, &invited, Mode::Keep).expect("added");
        assert!(set_role(&bench, ada.id, Role::Viewer).is_err());
    }

    /// ADM-06: whoever is disabled or gets another role is out at once.
    #[test]
    fn another_role_and_the_end_of_a_user_end_all_sessions() {
        let (bench, _, bob) = two(Role::AccountAdmin);
        let begin = || {
            let content = sessions::Content { user: Some(bob.id), ..sessions::Content::default() };
            sessions::begin(&bench.services, content).expect("begun")
        };
        let lives = |cookie: &str| sessions::find(&bench.services, cookie).is_some();
        let cookie = begin();
        let name = UserChange { name: Some("Robert".to_owned()), ..UserChange::default() };
        change(&bench.services, &Actor::CommandLine, bob.id, &name, Mode::Keep).expect("renamed");
        assert!(lives(&cookie), "a name is no reason");
        set_role(&bench, bob.id, Role::Viewer).expect("changed");
        assert!(!lives(&cookie));
        let cookie = begin();
        set_enabled(&bench, bob.id, false).expect("changed");
        assert!(!lives(&cookie));
        set_enabled(&bench, bob.id, true).expect("changed");
        let cookie = begin();
        delete(&bench.services, &Actor::CommandLine, bob.id, Mode::Keep).expect("deleted");
        assert!(!lives(&cookie));
    }

    #[test]
    fn only_an_owner_touches_users() {
        let (bench, _, bob) = two(Role::AccountAdmin);
        let services = &bench.services;
        let actor = bob.actor();
        let up = UserChange { role: Some(Role::Owner), ..UserChange::default() };
        assert!(matches!(change(services, &actor, bob.id, &up, Mode::Keep), Err(ServiceError::Denied(_))));
        assert!(matches!(delete(services, &actor, UserId(1), Mode::Keep), Err(ServiceError::Denied(_))));
        let eve = NewUser { email: "eve@example.test".to_owned(), ..super::tests::bob(Role::Viewer) };
        assert!(matches!(add(services, &actor, &eve, Mode::Keep), Err(ServiceError::Denied(_))));
        assert_eq!(get(services, bob.id).expect("a user"), bob);
    }

    #[test]
    fn a_dry_run_changes_nothing() {
        let (bench, _, bob) = two(Role::Viewer);
        let up = UserChange { role: Some(Role::Owner), ..UserChange::default() };
        let shown = change(&bench.services, &Actor::CommandLine, bob.id, &up, Mode::TryOut).expect("it could be done");
        assert_eq!(shown.role, Role::Owner);
        delete(&bench.services, &Actor::CommandLine, bob.id, Mode::TryOut).expect("it could be done");
        assert_eq!(get(&bench.services, bob.id).expect("a user"), bob);
    }
}
