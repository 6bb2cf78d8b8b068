//! The list of users (R17–R19).

use std::cmp::Ordering;

use jiff::Timestamp;

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::user::User;
use crate::services::error::ServiceError;
use crate::services::{Services, sessions, users};

/// The words of the roles, the least first.
pub const ROLES: &[&str] = &["viewer", "operator", "account-admin", "owner"];

/// How somebody stands who may sign in, or may not.
pub const STANDINGS: &[&str] = &["enabled", "invited", "disabled"];

/// What can be asked of it.
pub const LISTING: Listing = Listing {
    sorts: &["name", "email", "role", "standing", "sessions", "used", "added"],
    filters: &[Filter { name: "role", takes: Takes::Words(ROLES) }, Filter { name: "standing", takes: Takes::Words(STANDINGS) }],
};

/// A user, and where the user is signed in.
#[derive(Clone, Debug)]
pub struct ListedUser {
    /// The user.
    pub user: User,
    /// Open sessions.
    pub sessions: usize,
    /// When one of them was used last.
    pub last_used: Option<Timestamp>,
}

impl ListedUser {
    /// How the user stands, as a word of [`STANDINGS`].
    pub fn standing(&self) -> &'static str {
        match () {
            () if !self.user.is_enabled() => "disabled",
            () if self.user.is_invited() => "invited",
            () => "enabled",
        }
    }
}

/// The users that are asked for, in their order.
///
/// # Errors
/// [`ServiceError::Store`](ServiceError) where they cannot be read.
pub fn list(services: &Services, asked: &Asked) -> Result<Vec<ListedUser>, ServiceError> {
    let search = asked.search();
    let listed = |user: User| {
        let open = sessions::of_user(services, user.id);
        ListedUser { sessions: open.len(), last_used: open.first().map(|one| one.session.last_seen_at), user }
    };
    let is_shown = |one: &ListedUser| {
        let (name, email, role) = (&one.user.name, &one.user.email, one.user.role);
        let is_asked = asked.admits("role", role.word()) && asked.admits("standing", one.standing());
        is_asked && search.finds(&[name, email, role.label(), role.word()])
    };
    let mut found: Vec<ListedUser> = users::list(services)?.into_iter().map(listed).filter(is_shown).collect();
    let tie = |a: &ListedUser, b: &ListedUser| by_text(&a.user.name, &b.user.name).then(a.user.id.cmp(&b.user.id));
    asked.sorting.sort(&mut found, |a, b| column(a, b, asked.sorting.word), tie);
    Ok(found)
}

fn column(a: &ListedUser, b: &ListedUser, word: &str) -> Ordering {
    match word {
        "email" => by_text(&a.user.email, &b.user.email),
        "role" => a.user.role.cmp(&b.user.role),
        "standing" => a.standing().cmp(b.standing()),
        "sessions" => a.sessions.cmp(&b.sessions),
        "used" => a.last_used.cmp(&b.last_used),
        "added" => a.user.id.cmp(&b.user.id),
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::Role;

    #[test]
    fn every_role_is_a_word_of_the_filter() {
        assert_eq!(Role::ALL.iter().map(|role| role.word()).collect::<Vec<_>>(), ROLES);
    }
}
