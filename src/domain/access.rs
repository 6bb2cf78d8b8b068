//! Who may do what: the one place that hands out the right to write.

use super::ids::{AccountId, UserId};
use super::user::Role;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in user.
    User {
        /// Key.
        id: UserId,
        /// Shown name, as the activity log keeps it.
        name: String,
        /// Role.
        role: Role,
    },
    /// Someone who may run commands as the server's own system user, on the machine itself.
    CommandLine,
}

/// What is asked for. One variant for each kind of change that people can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Add, edit or delete devices.
    EditDevices(AccountId),
    /// Decide who gets in: let in, block, unbind, expect back, open the window for new phones.
    Admit(AccountId),
    /// Be told the admin password of a phone.
    RevealPhonePassword(AccountId),
    /// Create, edit, copy or delete profiles.
    EditProfiles(AccountId),
    /// Attach profiles.
    Deploy(AccountId),
    /// Change an account's settings.
    EditAccount(AccountId),
    /// Change the server's own settings and certificates.
    EditServer,
    /// Add users and change passwords.
    EditUsers,
    /// Sign in and out: noted in the activity log.
    SignIn,
}

/// The right to make one change, given by [`authorize`] or [`Grant::system`]. It cannot be copied or made elsewhere.
#[derive(Debug)]
pub struct Grant {
    actor: String,
    by: By,
}

/// Whether a person or the server itself acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Person,
    System,
}

/// The actor may not do this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("you may not do this; ask an owner of this installation")]
pub struct Denied;

/// Decides whether an actor may do something.
pub fn authorize(actor: &Actor, action: Action) -> Result<Grant, Denied> {
    let _ = action;
    match actor {
        Actor::User { name, role: Role::Owner, .. } => Ok(Grant { actor: name.clone(), by: By::Person }),
        Actor::CommandLine => Ok(Grant { actor: "command line".to_owned(), by: By::Person }),
    }
}

impl Grant {
    /// For what the server does by itself: the reason is what the activity log shows as the actor.
    pub fn system(reason: &str) -> Self {
        Self { actor: format!("pdms ({reason})"), by: By::System }
    }

    /// Whether the server acts by itself: such a change need not be recorded.
    pub fn is_system(&self) -> bool {
        self.by == By::System
    }

    /// The name under which the activity log keeps the change.
    pub fn actor(&self) -> &str {
        &self.actor
    }
}
