//! Invitations: a link with which a person chooses the own password, shown once to the owner who hands it on.
//!
//! The same link lets somebody in again who forgot the password. Only its keyed hash is kept; it is worth nothing once it was used
//! or a newer one was made.

use std::net::IpAddr;

use jiff::SignedDuration;

use super::Services;
use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use super::secrets::random_text;
use super::sign_in::SignInError;
use super::throttle::{Key, Origin};
use super::{passwords, sessions, users};
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::account::Secret;
use crate::domain::activity::{Event, SERVER};
use crate::domain::ids::UserId;
use crate::domain::limits::INVITATION_HOURS;
use crate::domain::user::{Invitation, User};
use crate::store;

/// Characters of the token: more than 128 bits.
const TOKEN_CHARS: usize = 32;

/// Makes an invitation for a user within a change. One from before is worth nothing any more.
pub(super) fn issue(services: &Services, change: &mut Change<'_>, user: &mut User) -> Result<Secret, ServiceError> {
    let token = random_text(TOKEN_CHARS);
    let until = change.now() + SignedDuration::from_hours(INVITATION_HOURS);
    user.invitation = Some(Invitation { hash: hash(services, &token), until });
    store::users::put(change.tx(), user)?;
    change.record(Event::new("user", user.name.as_str(), "invited").change("until", None, Some(until.to_string())))?;
    Ok(Secret::new(token))
}

/// Makes an invitation for somebody who has to choose a password, for the first time or anew.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn invite(services: &Services, actor: &Actor, id: UserId, mode: Mode) -> Result<Secret, ServiceError> {
    let grant = authorize(actor, Action::EditUsers)?;
    perform(services, mode, grant, SERVER, |change| {
        let mut user = store::users::get(change.tx(), id)?.ok_or_else(|| ServiceError::not_found("user", id))?;
        issue(services, change, &mut user)
    })
}

/// Whom a link invites. Wrong ones slow down whoever tries them (ADM-01).
///
/// # Errors
/// [`SignInError::Wrong`] for a link that was used, has grown old, or never was; [`SignInError::Wait`] after too many of them.
pub fn look(services: &Services, token: &str, address: Option<IpAddr>) -> Result<User, SignInError> {
    let now = services.clock.now();
    let hash = hash(services, token);
    // The hashes are keyed, so that comparing them in no constant time tells nothing about the token.
    let invited =
        |user: &User| user.is_enabled() && user.invitation.as_ref().is_some_and(|one| one.hash == hash && one.until > now);
    if let Some(user) = users::list(services)?.into_iter().find(invited) {
        return Ok(user);
    }
    let counted = services.sign_ins.count(vec![Key::Link(Origin::of(address))], now);
    Err(counted.map_or_else(SignInError::Wait, |_| SignInError::Wrong))
}

/// Uses a link up: sets the password that the person chose, and ends sessions of before. Who only tries it out uses nothing up; wrong
/// links count all the same.
///
/// # Errors
/// As [`look`]; a password that cannot be taken.
pub fn accept(
    services: &Services,
    token: &str,
    password: &Secret,
    address: Option<IpAddr>,
    mode: Mode,
) -> Result<User, SignInError> {
    let user = look(services, token, address)?;
    passwords::check(password, &user).map_err(ServiceError::from)?;
    let (hash_of_password, hash) = (passwords::hash(password), hash(services, token));
    let user = perform(services, mode, Grant::system("invitation"), SERVER, |change| {
        // Two at once: the second finds it used up.
        let is_open =
            store::users::get(change.tx(), user.id)?.and_then(|user| user.invitation).is_some_and(|one| one.hash == hash);
        if !is_open {
            return Err(ServiceError::Conflict("this invitation was used up meanwhile; sign in".to_owned()));
        }
        passwords::write(change, user.id, hash_of_password)
    })?;
    if mode == Mode::Keep {
        sessions::end_all_of(services, user.id)?;
    }
    Ok(user)
}

fn hash(services: &Services, token: &str) -> String {
    hex::encode(services.secrets.stored_hash(&format!("invitation {token}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::Role;
    use crate::services::sign_in::{self, From, Passed};
    use crate::services::testing::{Bench, bench};
    use crate::services::users::{Access, NewUser};

    fn invited(bench: &Bench) -> (User, Secret) {
        let new = NewUser {
            name: "Bob".to_owned(),
            email: "bob@example.test".to_owned(),
            role: Role::Operator,
            access: Access::Invitation,
        };
        let added = users::add(&bench.services, &Actor::CommandLine, &new, Mode::Keep).expect("added");
        (added.user, added.invitation.expect("a link"))
    }

    fn good() -> Secret {
        Secret::new("four unhurried words")
    }

    #[test]
    fn an_invited_person_chooses_a_password_once_and_signs_in_with_it() {
        let bench = bench();
        let services = &bench.services;
        let (user, token) = invited(&bench);
        for guess in ["", "x", "four unhurried words"] {
            let tried = sign_in::attempt(services, &user.email, &Secret::new(guess), &From::default(), Mode::Keep);
            assert!(tried.is_err(), "no password yet");
        }
        assert!(matches!(
            accept(services, token.expose(), &Secret::new("short"), None, Mode::Keep),
            Err(SignInError::Service(_))
        ));
        accept(services, token.expose(), &good(), None, Mode::TryOut).expect("it would be accepted");
        accept(services, token.expose(), &good(), None, Mode::Keep).expect("accepted");
        assert!(matches!(accept(services, token.expose(), &good(), None, Mode::Keep), Err(SignInError::Wrong)));
        let passed = sign_in::attempt(services, &user.email, &good(), &From::default(), Mode::Keep).expect("signed in");
        assert!(matches!(passed, Passed::In(user) if user.role == Role::Operator));
        let stored = serde_json::to_string(&users::get(services, user.id).expect("a user")).expect("JSON");
        assert!(!stored.contains(token.expose()));
    }

    #[test]
    fn a_link_grows_old_and_a_newer_one_takes_its_place() {
        let bench = bench();
        let services = &bench.services;
        let (user, first) = invited(&bench);
        let second = invite(services, &Actor::CommandLine, user.id, Mode::Keep).expect("invited again");
        assert!(look(services, first.expose(), None).is_err());
        assert_eq!(look(services, second.expose(), None).expect("open").id, user.id);
        bench.clock.advance_to(bench.clock.now() + SignedDuration::from_hours(INVITATION_HOURS));
        assert!(look(services, second.expose(), None).is_err());
    }

    #[test]
    fn a_disabled_person_is_not_let_in_by_a_link() {
        let bench = bench();
        let services = &bench.services;
        let (user, token) = invited(&bench);
        let off = users::UserChange { enabled: Some(false), ..users::UserChange::default() };
        users::change(services, &Actor::CommandLine, user.id, &off, Mode::Keep).expect("disabled");
        assert!(look(services, token.expose(), None).is_err());
    }
}
