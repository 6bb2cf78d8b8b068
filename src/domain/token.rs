//! API tokens: how programs prove who they are. The token itself is told once and kept nowhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{AccountId, TokenId, UserId};
use super::user::Role;

/// What a token is found by: a keyed hash, so that a copy of the database opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenKey(pub [u8; 32]);

/// An API token. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Number.
    pub id: TokenId,
    /// What it is for; unique within its account without regard to letter case.
    pub name: String,
    /// What it may do, as long as the person who made it may do as much.
    pub role: Role,
    /// The account that it is good for; an owner's token is good for all.
    pub account: AccountId,
    /// Whether it may see secrets and manage users: nobody can be asked for a password when it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secrets: bool,
    /// Its first characters, by which people recognise it.
    pub prefix: String,
    /// Who made it; none for the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to within some minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

impl Token {
    /// Whether it has ended by itself.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}
