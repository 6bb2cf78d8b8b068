//! People who sign in to the admin pages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::UserId;

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
    /// Argon2id in PHC form; never shown, logged or exported.
    pub password_hash: String,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the password was last set: sessions that are older end.
    pub password_changed_at: Timestamp,
}

/// What a user may do. The owner is the only role so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything in the whole installation (R19).
    Owner,
}
