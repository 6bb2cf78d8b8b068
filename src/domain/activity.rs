//! The activity log: who did what to which object, with old and new values (R16, R349, P18).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
