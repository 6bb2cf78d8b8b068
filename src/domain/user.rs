//! People who sign in to the admin pages, and what they may do.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Actor;
use super::consent::Consent;
use super::ids::{AccountId, DEFAULT_ACCOUNT, UserId};

/// A person who signs in. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Key.
    pub id: UserId,
    /// Shown name.
    pub name: String,
    /// What the person types to sign in; unique without regard to letter case.
    pub email: String,
    /// What the person may do.
    pub role: Role,
    /// The account that a role below owner counts for.
    #[serde(default = "default_account")]
    pub account: AccountId,
    /// Since when the person may not sign in; none for whoever may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
    /// Argon2id in PHC form; never shown, logged or exported. Empty until an invited person has chosen a password.
    pub password_hash: String,
    /// The second factor, where the user switched one on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SecondFactor>,
    /// An invitation that was not taken up yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Invitation>,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the password was last set: sessions that are older end.
    pub password_changed_at: Timestamp,
    /// Counts changes of name, e-mail, role and sign-in, so that two owners cannot overwrite one another unseen (R14).
    #[serde(default = "first_revision")]
    pub revision: u64,
}

/// Codes of an authenticator app, and recovery codes for whoever lost it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// The secret that it shares with the app, sealed.
    pub secret: String,
    /// When it was switched on.
    pub since: Timestamp,
    /// The time step of the last code that was taken: neither it nor an older one is taken again.
    pub last_step: u64,
    /// Keyed hashes of the recovery codes that are left, in hexadecimal.
    pub recovery: Vec<String>,
}

/// A link with which a person chooses a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Keyed hash of the token in the link, in hexadecimal.
    pub hash: String,
    /// Until when it can be used.
    pub until: Timestamp,
}

fn default_account() -> AccountId {
    DEFAULT_ACCOUNT
}

/// The revision of a user whom nobody changed since it is counted.
fn first_revision() -> u64 {
    1
}

impl User {
    /// The user as somebody who gave the password just now.
    pub fn actor(&self) -> Actor {
        Actor::User {
            id: self.id,
            name: self.name.clone(),
            role: self.role,
            account: self.account,
            confirmed: true,
            consent: Consent::default(),
        }
    }

    /// Whether the person may sign in at all.
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// Whether the person was invited and has not chosen a password yet.
    pub fn is_invited(&self) -> bool {
        self.password_hash.is_empty()
    }

    /// Whether the installation would be without anybody to run it if this user were not there.
    pub fn is_working_owner(&self) -> bool {
        self.role == Role::Owner && self.is_enabled() && !self.is_invited()
    }
}

/// What somebody may do. Each role may do whatever the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looks, and changes nothing; sees no secret.
    Viewer,
    /// Runs tasks and decides about phones at the door.
    Operator,
    /// Everything in an account.
    AccountAdmin,
    /// Everything in the whole installation: users, the server's settings, backups (R19).
    Owner,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::AccountAdmin, Self::Owner];

    /// The word that programs and stored data use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::AccountAdmin => "account-admin",
            Self::Owner => "owner",
        }
    }

    /// The name that people read.
    pub fn label(self) -> &'static str {
        match self {
            Self::AccountAdmin => "account admin",
            other => other.word(),
        }
    }

    /// What it means, for whoever chooses one.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Viewer => "looks at everything but secrets, and changes nothing",
            Self::Operator => "also runs tasks and lets phones in or blocks them",
            Self::AccountAdmin => "also edits devices, profiles, deployment and settings, and sees secrets",
            Self::Owner => "everything, also users, the server's settings and backups",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// A word that names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is viewer, operator, account-admin or owner")]
pub struct NoRole;

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        Self::ALL.into_iter().find(|role| role.word() == text.trim()).ok_or(NoRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_user_of_before_is_an_enabled_owner_of_the_default_account() {
        let stored = r#"{"id":1,"name":"Ada","email":"ada@example.test","role":"owner","password_hash":"x",
            "created_at":"2026-01-01T00:00:00Z","password_changed_at":"2026-01-01T00:00:00Z"}"#;
        let user: User = serde_json::from_str(stored).expect("readable");
        assert_eq!((user.role, user.account, user.revision), (Role::Owner, DEFAULT_ACCOUNT, 1));
        assert!(user.is_working_owner());
    }

    #[test]
    fn the_word_of_a_role_is_its_stored_form_and_names_it() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).expect("JSON"), role.word());
            assert_eq!(role.word().parse(), Ok(role));
        }
        assert_eq!("admin".parse::<Role>(), Err(NoRole));
        assert!(Role::ALL.is_sorted());
    }
}
