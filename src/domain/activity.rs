//! The activity log: who did what to which object, with old and new values (R16, R349, P18).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::AccountId;

/// The log of what belongs to no account: users, certificates, the server's settings.
pub const SERVER: AccountId = AccountId(0);

/// One entry. Its JSON is the stored form; secrets are masked before an entry is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// When it was done.
    pub at: Timestamp,
    /// Who did it: a user's name, `command line`, or `pdms` with a reason.
    pub actor: String,
    /// What was done.
    pub event: Event,
}

/// What was done to one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Kind of the object, a word of the glossary: `device`, `profile`, `deployment`, `account`, `user`, `certificate`.
    pub object: String,
    /// Which object: its name as admins know it.
    pub subject: String,
    /// `added`, `changed`, `deleted`, `signed in`, …
    pub action: String,
    /// The fields that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

impl Event {
    /// An event without changed fields.
    pub fn new(object: &str, subject: impl Into<String>, action: &str) -> Self {
        Self { object: object.to_owned(), subject: subject.into(), action: action.to_owned(), changes: Vec::new() }
    }

    /// Adds a field unless it stayed the same.
    #[must_use]
    pub fn change(mut self, field: impl Into<String>, old: Option<String>, new: Option<String>) -> Self {
        if old != new {
            self.changes.push(Change { field: field.into(), old, new });
        }
        self
    }

    /// Adds a secret field unless it stayed the same; the values are masked.
    #[must_use]
    pub fn secret_change(self, field: impl Into<String>, old: Option<&str>, new: Option<&str>) -> Self {
        if old == new {
            return self;
        }
        let masked = |value: Option<&str>| value.map(|_| MASK.to_owned());
        let (old, new) = (masked(old), masked(new));
        let mut event = self;
        event.changes.push(Change { field: field.into(), old, new });
        event
    }
}

/// One field's old and new value; none where it was or became absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Field or parameter.
    pub field: String,
    /// Before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// After.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// What stands in place of a secret value.
pub const MASK: &str = "••••••••";
