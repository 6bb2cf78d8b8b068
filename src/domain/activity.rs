//! The activity log: who did what to which object, with old and new values (R16, R349, P18).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::AccountId;
use super::limits::{ACTIVITY_CHANGES, ACTIVITY_VALUE_CHARS};
use super::parameter::masked;

/// The log of what belongs to no account: users, certificates, the server's settings.
pub const SERVER: AccountId = AccountId(0);

/// The kinds of objects that the log speaks of, words of the glossary. [`Event::new`] takes no other.
pub const KINDS: &[&str] = &[
    "account",
    "backup",
    "certificate",
    "deployment",
    "device",
    "device group",
    "manufacturer CA",
    "person",
    "person group",
    "profile",
    "provisioning address",
    "recycle bin",
    "resource file",
    "revocation list",
    "room",
    "schema",
    "server",
    "site",
    "software",
    "software licence",
    "token",
    "user",
    "view",
];

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

impl Activity {
    /// Whether somebody did it to himself, such as signing in: then the actor need not be named twice.
    pub fn is_about_the_actor(&self) -> bool {
        self.event.object == "user" && self.event.subject == self.actor
    }
}

/// What was done to one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Kind of the object, one of [`KINDS`].
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
        debug_assert!(KINDS.contains(&object), "{object} must stand in the list that the log is filtered by");
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

    /// Adds a secret that was typed anew, whether or not it is another one.
    #[must_use]
    pub fn typed_again(mut self, field: impl Into<String>) -> Self {
        let mask = || Some(MASK.to_owned());
        self.changes.push(Change { field: field.into(), old: mask(), new: mask() });
        self
    }

    /// Adds a parameter unless it stayed the same; secrets are masked, also where they are a part of the value.
    #[must_use]
    pub fn parameter_change(mut self, name: &str, old: Option<&str>, new: Option<&str>) -> Self {
        if old != new {
            let shown = |value: Option<&str>| value.map(|value| masked(name, value).into_owned());
            self.changes.push(Change { field: name.to_owned(), old: shown(old), new: shown(new) });
        }
        self
    }

    /// The same event within the bounds of the log: a long value is cut, and of many changes the rest is counted.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        for change in &mut self.changes {
            for value in [&mut change.old, &mut change.new].into_iter().flatten() {
                clip(value);
            }
        }
        if self.changes.len() > ACTIVITY_CHANGES {
            let rest = self.changes.len() - ACTIVITY_CHANGES;
            self.changes.truncate(ACTIVITY_CHANGES);
            self.changes.push(Change { field: format!("and {rest} more"), old: None, new: None });
        }
        self
    }
}

fn clip(value: &mut String) {
    if let Some((end, _)) = value.char_indices().nth(ACTIVITY_VALUE_CHARS) {
        value.truncate(end);
        value.push('…');
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_change_shows_that_something_changed_and_not_what() {
        let event = Event::new("account", "default", "changed")
            .secret_change("password", Some("a"), Some("b"))
            .secret_change("pin", Some("a"), Some("a"))
            .parameter_change("reg.1.auth.password", None, Some("b"))
            .parameter_change("reg.1.label", Some("a"), Some("b"))
            .parameter_change("log.render.file", None, Some("ftp://user:CANARY@192.0.2.1/"));
        let shown: Vec<_> = event.changes.iter().map(|c| (c.old.as_deref(), c.new.as_deref())).collect();
        assert_eq!(
            shown,
            [
                (Some(MASK), Some(MASK)),
                (None, Some(MASK)),
                (Some("a"), Some("b")),
                (None, Some("ftp://user:••••••••@192.0.2.1/"))
            ]
        );
    }

    #[test]
    fn an_event_is_held_at_its_bounds() {
        let fields = |count: usize| {
            (0..count).fold(Event::new("profile", "a", "changed"), |e, i| {
                e.change(format!("f{i}"), None, Some("é".repeat(ACTIVITY_VALUE_CHARS + i)))
            })
        };
        let at = fields(ACTIVITY_CHANGES).bounded();
        assert_eq!(at.changes.len(), ACTIVITY_CHANGES);
        assert_eq!(at.changes[0].new.as_ref().map(|v| v.chars().count()), Some(ACTIVITY_VALUE_CHARS));
        assert!(at.changes[1].new.as_ref().is_some_and(|v| v.ends_with("é…")));
        let above = fields(ACTIVITY_CHANGES + 2).bounded();
        assert_eq!(above.changes.last().map(|c| c.field.as_str()), Some("and 2 more"));
    }
}
