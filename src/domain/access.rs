//! Who may do what: the one place that hands out the right to write.
//!
//! What pages and the API show and take is decided before, by the table of addresses in the web layer; this is what services ask.

use super::consent::Consent;
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
        /// The account that a role below owner counts for.
        account: AccountId,
        /// Whether the person gave the password a moment ago: see [`Action::asks_again`].
        confirmed: bool,
        /// What the person was shown of the change that is asked for.
        consent: Consent,
    },
    /// A program with an API token.
    Token {
        /// The token's name, as the activity log keeps it.
        name: String,
        /// Role.
        role: Role,
        /// The account that a role below owner counts for.
        account: AccountId,
        /// Who made the token; none for the command line.
        made_by: Option<UserId>,
        /// Whether it was made with the right to see secrets and to manage users: see [`Action::opens_secrets`].
        secrets: bool,
        /// What wants to know what a change would do.
        consent: Consent,
    },
    /// Someone who may run commands as the server's own system user, on the machine itself.
    CommandLine,
}

/// What is asked for. One variant for each kind of change that people can make, and for each right to read more than a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look at what an account holds, but for its secrets.
    Look(AccountId),
    /// See secrets in clear: passwords, exports and files that hold some.
    Reveal(AccountId),
    /// Add, edit or delete devices.
    EditDevices(AccountId),
    /// Decide who gets in: let in, block, unbind, expect back, open the window for new phones.
    Admit(AccountId),
    /// Create, edit, copy or delete profiles.
    EditProfiles(AccountId),
    /// Add, edit and delete sites, and decide about moves of devices.
    EditSites(AccountId),
    /// Attach profiles.
    Deploy(AccountId),
    /// Change an account's settings.
    EditAccount(AccountId),
    /// Make an API token of an account.
    MakeToken(AccountId),
    /// Revoke API tokens of an account.
    RevokeTokens(AccountId),
    /// Share saved views of lists, and change those that are shared.
    ShareViews(AccountId),
    /// Change the server's own settings and certificates.
    EditServer,
    /// Take a backup away: it holds every secret of the installation.
    TakeBackup,
    /// Add, change and remove users, and give them passwords and invitations.
    EditUsers,
    /// End the sessions of others.
    EndSessions,
    /// Change one's own password and second factor.
    EditSelf(UserId),
    /// Sign in and out: noted in the activity log.
    SignIn,
}

impl Action {
    /// The least role that may do it.
    pub fn least(self) -> Role {
        match self {
            Self::Look(_) | Self::EditSelf(_) | Self::SignIn => Role::Viewer,
            Self::Admit(_) => Role::Operator,
            Self::Reveal(_)
            | Self::EditDevices(_)
            | Self::EditProfiles(_)
            | Self::EditSites(_)
            | Self::Deploy(_)
            | Self::EditAccount(_)
            | Self::MakeToken(_)
            | Self::RevokeTokens(_)
            | Self::ShareViews(_) => Role::AccountAdmin,
            Self::EditServer | Self::TakeBackup | Self::EditUsers | Self::EndSessions => Role::Owner,
        }
    }

    /// Whether it shows a secret that is kept, or gives somebody a way in by which all others are seen. A token has nobody who could
    /// be asked: it needs to be made for it.
    pub fn opens_secrets(self) -> bool {
        matches!(self, Self::Reveal(_) | Self::TakeBackup | Self::EditUsers)
    }

    /// Whether a person gives the password once more before it (SEC-05): whoever finds a browser signed in must not do it.
    pub fn asks_again(self) -> bool {
        self.opens_secrets() || matches!(self, Self::MakeToken(_))
    }

    /// The account that it is about; none where it is about the server or oneself.
    fn account(self) -> Option<AccountId> {
        match self {
            Self::Look(account)
            | Self::Admit(account)
            | Self::Reveal(account)
            | Self::EditDevices(account)
            | Self::EditProfiles(account)
            | Self::EditSites(account)
            | Self::Deploy(account)
            | Self::EditAccount(account)
            | Self::MakeToken(account)
            | Self::RevokeTokens(account)
            | Self::ShareViews(account) => Some(account),
            Self::EditServer | Self::TakeBackup | Self::EditUsers | Self::EndSessions | Self::EditSelf(_) | Self::SignIn => None,
        }
    }
}

/// The right to make one change, given by [`authorize`] or [`Grant::system`]. It cannot be copied or made elsewhere.
#[derive(Debug)]
pub struct Grant {
    actor: String,
    by: By,
    consent: Consent,
}

/// Whether a person or the server itself acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Person,
    System,
}

/// The actor may not do this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It takes a higher role.
    #[error("you may not do this: it needs the role {0} or a higher one here; ask an owner of this installation")]
    Role(Role),
    /// The person has to give the password once more: see [`Action::asks_again`].
    #[error("confirm first that it is you: your password was last given too long ago for this. Nothing was changed or told")]
    Unconfirmed,
    /// The token was not made for it: see [`Action::opens_secrets`].
    #[error(
        "this API token was not made for this: somebody who may do it makes one that may see secrets and manage users. Nothing was \
         changed or told"
    )]
    TokenWithoutSecrets,
}

/// Decides whether an actor may do something.
///
/// # Errors
/// [`Denied`] with what is missing.
pub fn authorize(actor: &Actor, action: Action) -> Result<Grant, Denied> {
    let denied = match actor {
        Actor::CommandLine => None,
        Actor::User { id, role, account, confirmed, .. } => {
            let may = is_open_to(action, *role, *account) && !matches!(action, Action::EditSelf(user) if user != *id);
            let must_confirm = action.asks_again() && !confirmed;
            if may { must_confirm.then_some(Denied::Unconfirmed) } else { Some(Denied::Role(action.least())) }
        }
        // A token is nobody who signs in or has a password.
        Actor::Token { role, account, secrets, .. } => {
            let may = is_open_to(action, *role, *account) && !matches!(action, Action::EditSelf(_) | Action::SignIn);
            let lacks_secrets = action.opens_secrets() && !secrets;
            if may { lacks_secrets.then_some(Denied::TokenWithoutSecrets) } else { Some(Denied::Role(action.least())) }
        }
    };
    denied.map_or_else(|| Ok(Grant { actor: actor.shown(), by: By::Person, consent: actor.consent() }), Err)
}

fn is_open_to(action: Action, role: Role, account: AccountId) -> bool {
    role >= action.least() && (role == Role::Owner || action.account().is_none_or(|of| of == account))
}

impl Actor {
    /// The highest role it acts with.
    pub fn role(&self) -> Role {
        match self {
            Self::User { role, .. } | Self::Token { role, .. } => *role,
            Self::CommandLine => Role::Owner,
        }
    }

    /// What was shown of the change that is asked for.
    pub fn consent(&self) -> Consent {
        match self {
            Self::User { consent, .. } | Self::Token { consent, .. } => consent.clone(),
            Self::CommandLine => Consent::default(),
        }
    }

    /// The same, who was shown this.
    #[must_use]
    pub fn with_consent(mut self, shown: Consent) -> Self {
        if let Self::User { consent, .. } | Self::Token { consent, .. } = &mut self {
            *consent = shown;
        }
        self
    }

    /// As the activity log names it.
    pub fn shown(&self) -> String {
        match self {
            Self::User { name, .. } => name.clone(),
            Self::Token { name, .. } => format!("{name} (token)"),
            Self::CommandLine => "command line".to_owned(),
        }
    }
}

impl Grant {
    /// For what the server does by itself: the reason is what the activity log shows as the actor.
    pub fn system(reason: &str) -> Self {
        Self { actor: format!("pdms ({reason})"), by: By::System, consent: Consent::default() }
    }

    /// What whoever asks was shown of the change.
    pub fn consent(&self) -> &Consent {
        &self.consent
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::DEFAULT_ACCOUNT;

    const OWN: AccountId = DEFAULT_ACCOUNT;
    const OTHER: AccountId = AccountId(DEFAULT_ACCOUNT.0 + 1);
    const ADA: UserId = UserId(1);

    fn user(role: Role) -> Actor {
        Actor::User { id: ADA, name: "Ada".to_owned(), role, account: OWN, confirmed: true, consent: Consent::default() }
    }

    fn token(role: Role) -> Actor {
        Actor::Token { name: "script".to_owned(), role, account: OWN, made_by: None, secrets: true, consent: Consent::default() }
    }

    fn may(actor: &Actor, action: Action) -> bool {
        authorize(actor, action).is_ok()
    }

    /// Every action, and whether viewer, operator, account admin and owner may do it.
    const PAIRS: &[(Action, [bool; 4])] = &[
        (Action::Look(OWN), [true, true, true, true]),
        (Action::Admit(OWN), [false, true, true, true]),
        (Action::Reveal(OWN), [false, false, true, true]),
        (Action::EditDevices(OWN), [false, false, true, true]),
        (Action::EditProfiles(OWN), [false, false, true, true]),
        (Action::Deploy(OWN), [false, false, true, true]),
        (Action::EditAccount(OWN), [false, false, true, true]),
        (Action::MakeToken(OWN), [false, false, true, true]),
        (Action::RevokeTokens(OWN), [false, false, true, true]),
        (Action::ShareViews(OWN), [false, false, true, true]),
        (Action::EditServer, [false, false, false, true]),
        (Action::TakeBackup, [false, false, false, true]),
        (Action::EditUsers, [false, false, false, true]),
        (Action::EndSessions, [false, false, false, true]),
        (Action::EditSelf(ADA), [true, true, true, true]),
        (Action::SignIn, [true, true, true, true]),
    ];

    #[test]
    fn every_pair_of_role_and_action() {
        for (action, expected) in PAIRS {
            for (role, expected) in Role::ALL.into_iter().zip(expected) {
                assert_eq!(may(&user(role), *action), *expected, "{role} {action:?}");
                let is_of_a_person = matches!(action, Action::EditSelf(_) | Action::SignIn);
                assert_eq!(may(&token(role), *action), *expected && !is_of_a_person, "token of {role} {action:?}");
            }
            assert!(may(&Actor::CommandLine, *action), "{action:?}");
        }
    }

    #[test]
    fn sec_05_a_person_confirms_and_a_token_was_made_for_it_before_secrets_are_seen() {
        let Actor::User { id, name, role, account, consent, .. } = user(Role::Owner) else { panic!("a user") };
        let unconfirmed = Actor::User { id, name, role, account, confirmed: false, consent };
        let Actor::Token { name, role, account, made_by, consent, .. } = token(Role::Owner) else { panic!("a token") };
        let plain = Actor::Token { name, role, account, made_by, secrets: false, consent };
        let again = [Action::Reveal(OWN), Action::TakeBackup, Action::EditUsers, Action::MakeToken(OWN)];
        for (action, _) in PAIRS {
            let expected = if again.contains(action) { Some(Denied::Unconfirmed) } else { None };
            assert_eq!(authorize(&unconfirmed, *action).err(), expected, "{action:?}");
            let expected = if again[..3].contains(action) { Some(Denied::TokenWithoutSecrets) } else { None };
            let is_of_a_person = matches!(action, Action::EditSelf(_) | Action::SignIn);
            assert!(is_of_a_person || authorize(&plain, *action).err() == expected, "{action:?}");
        }
        assert_eq!(authorize(&unconfirmed, Action::EditSelf(UserId(2))).err(), Some(Denied::Role(Role::Viewer)));
    }

    #[test]
    fn below_owner_a_role_counts_for_one_account() {
        for action in [Action::Look(OTHER), Action::Admit(OTHER), Action::Reveal(OTHER), Action::EditProfiles(OTHER)] {
            for role in Role::ALL {
                assert_eq!(may(&user(role), action), role == Role::Owner, "{role} {action:?}");
            }
        }
    }

    #[test]
    fn nobody_changes_the_password_of_another_as_their_own() {
        for role in Role::ALL {
            assert!(!may(&user(role), Action::EditSelf(UserId(2))), "{role}");
        }
    }

    #[test]
    fn a_refusal_names_the_role_that_it_takes() {
        let denied = authorize(&user(Role::Viewer), Action::EditUsers).expect_err("refused");
        assert_eq!(denied, Denied::Role(Role::Owner));
        assert!(denied.to_string().contains("the role owner"), "{denied}");
    }
}
