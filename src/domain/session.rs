//! Sign-ins to the admin pages, as they are kept: they can be listed and ended, which a signed cookie cannot.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::UserId;

/// What a session is found by: a hash of the value in the cookie, so that a copy of the database opens no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey(pub [u8; 32]);

/// One browser that is signed in or about to be. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who is signed in; none between the two steps of signing in (R10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// What the pages keep between two requests.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub state: BTreeMap<String, String>,
    /// When it began.
    pub created_at: Timestamp,
    /// Last request.
    pub last_seen_at: Timestamp,
    /// When it ends unless used before (R15).
    pub expires_at: Timestamp,
    /// When the person last gave the password here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// Where it was last used from (R13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The browser's User-Agent, capped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
}
