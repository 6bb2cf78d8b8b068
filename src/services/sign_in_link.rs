//! Links that sign a user in once without a password: for whoever started the server and sees what it prints.
//!
//! They live in memory only, for an hour, and are worth nothing once they were used.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::Services;
use super::commit::commit;
use super::secrets::random_text;
use super::sign_in::SignInError;
use super::throttle::{Key, Origin};
use super::users;
use crate::domain::access::Grant;
use crate::domain::activity::{Event, SERVER};
use crate::domain::ids::UserId;
use crate::domain::user::User;

/// Characters of the token: more than 128 bits.
const TOKEN_CHARS: usize = 32;
/// How long a link can be used.
const LIFE: SignedDuration = SignedDuration::from_hours(1);
/// More links than this are never open at once; the oldest goes.
const OPEN_LINKS: usize = 16;

/// The links that were given out and not used, their tokens as keyed hashes.
#[derive(Debug, Default)]
pub struct SignInLinks(Mutex<Vec<Link>>);

#[derive(Debug)]
struct Link {
    token: [u8; 32],
    user: UserId,
    until: Timestamp,
}

/// A new token for a user's link.
pub fn issue(services: &Services, user: UserId) -> String {
    let token = random_text(TOKEN_CHARS);
    let until = services.clock.now().saturating_add(LIFE).unwrap_or(Timestamp::MAX);
    let mut links = services.sign_in_links.0.lock();
    if links.len() >= OPEN_LINKS {
        links.remove(0);
    }
    links.push(Link { token: services.secrets.keyed_hash(&token), user, until });
    token
}

/// Uses a link up and answers whom it signs in. Wrong tokens slow down whoever tries them, a right one never waits (ADM-01).
///
/// # Errors
/// [`SignInError::Wrong`] for a link that was used, has grown old, or never was; [`SignInError::Wait`] after too many of them.
pub fn redeem(services: &Services, token: &str, address: Option<IpAddr>) -> Result<User, SignInError> {
    let now = services.clock.now();
    let from = address.map(|ip| ip.to_string());
    let Some(user) = take(services, token, now) else {
        let counted = services.sign_ins.count(vec![Key::Link(Origin::of(address))], now);
        return Err(counted.map_or_else(SignInError::Wait, |_| SignInError::Wrong));
    };
    let user = users::get(services, user)?;
    if !user.is_enabled() {
        return Err(SignInError::Wrong);
    }
    let event = Event::new("user", user.name.as_str(), "signed in by link").change("address", None, from);
    commit(services, Grant::system("sign-in"), SERVER, |change| change.record(event))?;
    Ok(user)
}

fn take(services: &Services, token: &str, now: Timestamp) -> Option<UserId> {
    let token = services.secrets.keyed_hash(token);
    let mut links = services.sign_in_links.0.lock();
    links.retain(|link| link.until > now);
    // The hashes are keyed, so that comparing them in no constant time tells nothing about the token.
    let place = links.iter().position(|link| link.token == token)?;
    Some(links.remove(place).user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::Secret;
    use crate::services::testing::{bench, owner};
    use crate::services::users::UserDraft;

    #[test]
    fn a_link_signs_in_once_and_only_for_an_hour() {
        let bench = bench();
        let services = &bench.services;
        let password = Secret::new("correct horse battery");
        let draft = UserDraft { name: "Ada".to_owned(), email: "ada@example.lan".to_owned(), password };
        let user = users::create(services, &owner(), &draft).expect("a user");
        let used = issue(services, user.id);
        assert_eq!(redeem(services, &used, None).expect("a sign-in").id, user.id);
        assert!(matches!(redeem(services, &used, None), Err(SignInError::Wrong)));
        let old = issue(services, user.id);
        bench.clock.advance_to(bench.clock.now().saturating_add(LIFE).expect("a time"));
        assert!(matches!(redeem(services, &old, None), Err(SignInError::Wrong)));
    }
}
