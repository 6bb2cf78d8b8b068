//! API tokens: made, listed, revoked, and recognised when a program brings one (SEC-01).
//!
//! A token is random; only its keyed hash is kept. It never may do more than the person who made it may do now: who is demoted takes
//! the tokens along, who is disabled or deleted ends them.

use jiff::{SignedDuration, Timestamp};

use super::Services;
use super::commit::{Mode, commit, perform};
use super::error::ServiceError;
use super::secrets::random_text;
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::account::Secret;
use crate::domain::activity::Event;
use crate::domain::consent::Consent;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, TokenId};
use crate::domain::limits::{NAME_CHARS, TOKEN_DAYS, TOKEN_DAYS_MOST, TOKENS_PER_ACCOUNT};
use crate::domain::token::{Token, TokenKey};
use crate::domain::user::{Role, User};
use crate::store::{self, Read};

/// What every token begins with, so that people and programs that look for leaked secrets know it.
const MARK: &str = "pdms_";
/// Random characters: more than 200 bits.
const RANDOM_CHARS: usize = 40;
/// Random characters that lists show.
const SHOWN_CHARS: usize = 6;
/// How old the row's last use may get before it is written anew.
const WRITE_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// A token as typed.
#[derive(Clone, Debug)]
pub struct TokenDraft {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Days until it ends; the usual number where nobody said.
    pub days: Option<i64>,
    /// Whether it may see secrets and manage users.
    pub secrets: bool,
}

/// A token that was just made. Nobody can tell it again.
#[derive(Debug)]
pub struct Made {
    /// Its row.
    pub token: Token,
    /// The token itself.
    pub text: Secret,
}

/// Whoever brings a token that counts.
#[derive(Debug)]
pub struct Bearer {
    /// Who, as services want to know it.
    pub actor: Actor,
    key: TokenKey,
    last_used_at: Option<Timestamp>,
}

impl Bearer {
    /// Whether the row is to hear of this use: see [`note_use`].
    pub fn is_to_be_noted(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|at| now.duration_since(at) >= WRITE_AFTER)
    }
}

/// Makes a token, or finds out whether it could be made.
///
/// # Errors
/// What is wrong with the draft, field by field; too many tokens.
pub fn create(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    draft: &TokenDraft,
    mode: Mode,
) -> Result<Made, ServiceError> {
    let grant = authorize(actor, Action::MakeToken(account))?;
    let (name, days) = check(actor, draft)?;
    let text = format!("{MARK}{}", random_text(RANDOM_CHARS));
    let made_by = match actor {
        Actor::User { id, .. } => Some(*id),
        // What a token makes belongs to whoever made the token.
        Actor::Token { made_by, .. } => *made_by,
        Actor::CommandLine => None,
    };
    let token = perform(services, mode, grant, account, |change| {
        let own = of_account(change.tx(), account)?;
        if own.len() >= TOKENS_PER_ACCOUNT {
            return Err(ServiceError::Conflict(format!("there are {TOKENS_PER_ACCOUNT} tokens already; revoke one first")));
        }
        if own.iter().any(|(_, token)| token.name.to_lowercase() == name.to_lowercase()) {
            return Err(FieldErrors::one("name", "a token of this name exists already").into());
        }
        let token = Token {
            id: store::tokens::next_id(change.tx())?,
            name,
            role: draft.role,
            account,
            secrets: draft.secrets,
            prefix: text.chars().take(MARK.len() + SHOWN_CHARS).collect(),
            made_by,
            created_at: change.now(),
            expires_at: change.now() + SignedDuration::from_hours(24 * days),
            last_used_at: None,
        };
        store::tokens::put(change.tx(), key_of(services, &text), &token)?;
        let event = Event::new("token", token.name.as_str(), "added").change("role", None, Some(token.role.to_string()));
        let event = event.change("until", None, Some(token.expires_at.to_string()));
        change.record(if token.secrets { event.change("secrets", None, Some("may see them".to_owned())) } else { event })?;
        Ok(token)
    })?;
    Ok(Made { token, text: Secret::new(text) })
}

fn check(actor: &Actor, draft: &TokenDraft) -> Result<(String, i64), FieldErrors> {
    let mut errors = FieldErrors::new();
    let name = draft.name.trim();
    let is_name = !name.is_empty() && name.chars().count() <= NAME_CHARS && !name.chars().any(char::is_control);
    if !is_name {
        errors.add("name", "say in at most 80 characters what the token is for");
    }
    if draft.role > actor.role() {
        errors.add("role", "a token cannot have a higher role than you have");
    }
    if draft.secrets && matches!(actor, Actor::Token { .. }) {
        errors.add(
            "secrets",
            "only a person can make a token that may see secrets and manage users: a token cannot be asked for a password",
        );
    }
    let days = draft.days.unwrap_or(TOKEN_DAYS);
    if !(1..=TOKEN_DAYS_MOST).contains(&days) {
        errors.add("days", format!("a token lives for 1 to {TOKEN_DAYS_MOST} days"));
    }
    errors.into_result(Some((name.to_owned(), days)))
}

/// The tokens of an account, the newest first.
pub fn list(services: &Services, account: AccountId) -> Result<Vec<Token>, ServiceError> {
    let mut tokens: Vec<Token> = services.store.read(|tx| of_account(tx, account))?.into_iter().map(|(_, token)| token).collect();
    tokens.sort_by_key(|token| std::cmp::Reverse(token.id));
    Ok(tokens)
}

/// The token of this number or name.
pub fn find(services: &Services, account: AccountId, which: &str) -> Result<Token, ServiceError> {
    let which = which.trim();
    let number: Option<TokenId> = which.parse().ok();
    let tokens = list(services, account)?;
    let by_name = tokens.iter().find(|token| token.name.to_lowercase() == which.to_lowercase());
    let found = by_name.or_else(|| tokens.iter().find(|token| Some(token.id) == number));
    found.cloned().ok_or_else(|| ServiceError::not_found("token", which))
}

/// Revokes a token: it ends at once.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn revoke(services: &Services, actor: &Actor, account: AccountId, id: TokenId, mode: Mode) -> Result<Token, ServiceError> {
    let grant = authorize(actor, Action::RevokeTokens(account))?;
    perform(services, mode, grant, account, |change| {
        let found = of_account(change.tx(), account)?.into_iter().find(|(_, token)| token.id == id);
        let (key, token) = found.ok_or_else(|| ServiceError::not_found("token", id))?;
        if token.role > actor.role() {
            return Err(crate::domain::access::Denied::Role(token.role).into());
        }
        store::tokens::delete(change.tx(), key)?;
        change.record(Event::new("token", token.name.as_str(), "revoked"))?;
        Ok(token)
    })
}

/// Whoever brings this token; none where it is unknown, has ended, or is of somebody who may not sign in any more.
///
/// # Errors
/// The state could not be read.
pub fn recognise(services: &Services, text: &str) -> Result<Option<Bearer>, ServiceError> {
    if !text.starts_with(MARK) {
        return Ok(None);
    }
    let key = key_of(services, text);
    let found = services.store.read(|tx| {
        let Some(token) = store::tokens::get(tx, key)? else { return Ok(None) };
        let maker = match token.made_by {
            Some(id) => Some(store::users::get(tx, id)?),
            None => None,
        };
        Ok::<_, ServiceError>(Some((token, maker)))
    })?;
    let Some((token, maker)) = found.filter(|(token, _)| !token.is_expired(services.clock.now())) else { return Ok(None) };
    let Some(role) = role_now(token.role, maker) else { return Ok(None) };
    let Token { name, account, made_by, secrets, .. } = token;
    let actor = Actor::Token { name, role, account, made_by, secrets, consent: Consent::default() };
    Ok(Some(Bearer { actor, key, last_used_at: token.last_used_at }))
}

/// The role with which a token acts now; none where its maker is gone.
fn role_now(role: Role, maker: Option<Option<User>>) -> Option<Role> {
    match maker {
        None => Some(role),
        Some(maker) => maker.filter(User::is_enabled).map(|maker| role.min(maker.role)),
    }
}

/// Notes that a token was used. Call it where [`Bearer::is_to_be_noted`] says so: it waits for the disk.
///
/// # Errors
/// The row could not be written.
pub fn note_use(services: &Services, bearer: &Bearer) -> Result<(), ServiceError> {
    commit(services, Grant::system("tokens"), crate::domain::activity::SERVER, |change| {
        // One that was revoked meanwhile stays revoked.
        if let Some(mut token) = store::tokens::get(change.tx(), bearer.key)? {
            token.last_used_at = Some(change.now());
            store::tokens::put(change.tx(), bearer.key, &token)?;
        }
        Ok(())
    })
}

fn key_of(services: &Services, text: &str) -> TokenKey {
    TokenKey(services.secrets.stored_hash(text))
}

fn of_account(tx: &impl Read, account: AccountId) -> Result<Vec<(TokenKey, Token)>, ServiceError> {
    Ok(store::tokens::all(tx)?.into_iter().filter(|(_, token)| token.account == account).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::services::testing::{Bench, bench};
    use crate::services::users::{self, Access, NewUser};

    fn draft(name: &str, role: Role) -> TokenDraft {
        TokenDraft { name: name.to_owned(), role, days: None, secrets: false }
    }

    fn made(bench: &Bench, actor: &Actor, draft: &TokenDraft) -> Result<Made, ServiceError> {
        create(&bench.services, actor, DEFAULT_ACCOUNT, draft, Mode::Keep)
    }

    fn role_of(bench: &Bench, text: &Secret) -> Option<Role> {
        recognise(&bench.services, text.expose()).expect("read").map(|bearer| bearer.actor.role())
    }

    fn admin(bench: &Bench) -> User {
        admin_of(bench, Role::AccountAdmin)
    }

    fn admin_of(bench: &Bench, role: Role) -> User {
        let new = NewUser {
            name: "Ada".to_owned(),
            email: "ada@example.test".to_owned(),
            role,
            access: Access::Password(Secret::new("four unhurried words")),
        };
        users::add(&bench.services, &Actor::CommandLine, &new, Mode::Keep).expect("added").user
    }

    #[test]
    fn a_token_opens_until_it_ends_and_is_kept_nowhere() {
        let bench = bench();
        let one = made(&bench, &Actor::CommandLine, &draft("backup job", Role::Viewer)).expect("made");
        assert_eq!(role_of(&bench, &one.text), Some(Role::Viewer));
        assert_eq!(role_of(&bench, &Secret::new(format!("{}x", one.text.expose()))), None);
        assert!(one.text.expose().starts_with(&one.token.prefix) && one.token.prefix.len() == 11, "{}", one.token.prefix);
        let rows = bench.services.store.read(store::tokens::all).expect("read");
        let stored = serde_json::to_string(&rows[0].1).expect("JSON");
        assert!(!stored.contains(one.text.expose()), "{stored}");
        bench.clock.advance_to(one.token.expires_at);
        assert_eq!(role_of(&bench, &one.text), None, "90 days are over");
        assert_eq!(one.token.expires_at.duration_since(one.token.created_at), SignedDuration::from_hours(24 * 90));
    }

    #[test]
    fn a_revoked_token_ends_at_once_and_its_last_use_does_not_bring_it_back() {
        let bench = bench();
        let one = made(&bench, &Actor::CommandLine, &draft("job", Role::Owner)).expect("made");
        let bearer = recognise(&bench.services, one.text.expose()).expect("read").expect("it opens");
        assert!(bearer.is_to_be_noted(bench.clock.now()));
        note_use(&bench.services, &bearer).expect("noted");
        assert_eq!(find(&bench.services, DEFAULT_ACCOUNT, "JOB").expect("listed").last_used_at, Some(bench.clock.now()));
        revoke(&bench.services, &Actor::CommandLine, DEFAULT_ACCOUNT, one.token.id, Mode::Keep).expect("revoked");
        note_use(&bench.services, &bearer).expect("nothing to do");
        assert_eq!(role_of(&bench, &one.text), None);
        assert!(list(&bench.services, DEFAULT_ACCOUNT).expect("listed").is_empty());
    }

    #[test]
    fn sec_05_only_a_token_that_was_made_for_it_sees_secrets_and_only_a_person_makes_one() {
        let bench = bench();
        let ask = |text: &Secret| {
            let bearer = recognise(&bench.services, text.expose()).expect("read").expect("it opens");
            authorize(&bearer.actor, Action::Reveal(DEFAULT_ACCOUNT)).is_ok()
        };
        let plain = made(&bench, &Actor::CommandLine, &draft("plain", Role::Owner)).expect("made");
        let with = TokenDraft { secrets: true, ..draft("with", Role::Owner) };
        let seeing = made(&bench, &admin_of(&bench, Role::Owner).actor(), &with).expect("made");
        assert_eq!((ask(&plain.text), ask(&seeing.text)), (false, true));
        for text in [&plain.text, &seeing.text] {
            let bearer = recognise(&bench.services, text.expose()).expect("read").expect("it opens");
            let again = TokenDraft { name: format!("again {}", bearer.actor.shown()), ..with.clone() };
            let refused = made(&bench, &bearer.actor, &again);
            assert!(matches!(refused, Err(ServiceError::Invalid(errors)) if errors.iter().all(|e| e.field == "secrets")));
            made(&bench, &bearer.actor, &TokenDraft { secrets: false, ..again }).expect("one without is made");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_told_by_field() {
        let bench = bench();
        let ada = admin(&bench);
        let actor = ada.actor();
        let fields = |draft: &TokenDraft| match made(&bench, &actor, draft) {
            Err(ServiceError::Invalid(errors)) => errors.iter().map(|e| e.field).collect::<Vec<_>>(),
            other => panic!("taken: {other:?}"),
        };
        let all_wrong = TokenDraft { name: " ".to_owned(), role: Role::Owner, days: Some(TOKEN_DAYS_MOST + 1), secrets: false };
        assert_eq!(fields(&all_wrong), ["name", "role", "days"]);
        made(&bench, &actor, &draft("job", Role::AccountAdmin)).expect("made");
        assert_eq!(fields(&draft("Job", Role::Viewer)), ["name"]);
    }

    #[test]
    fn a_token_never_may_more_than_its_maker_may_now() {
        let bench = bench();
        let services = &bench.services;
        let ada = admin(&bench);
        let one = made(&bench, &ada.actor(), &draft("job", Role::AccountAdmin)).expect("made");
        assert_eq!(role_of(&bench, &one.text), Some(Role::AccountAdmin));
        let set = |change: users::UserChange| users::change(services, &Actor::CommandLine, ada.id, &change, Mode::Keep);
        set(users::UserChange { role: Some(Role::Viewer), ..users::UserChange::default() }).expect("changed");
        assert_eq!(role_of(&bench, &one.text), Some(Role::Viewer));
        set(users::UserChange { enabled: Some(false), ..users::UserChange::default() }).expect("changed");
        assert_eq!(role_of(&bench, &one.text), None);
        set(users::UserChange { enabled: Some(true), ..users::UserChange::default() }).expect("changed");
        assert_eq!(role_of(&bench, &one.text), Some(Role::Viewer));
        users::delete(services, &Actor::CommandLine, ada.id, Mode::Keep).expect("deleted");
        assert_eq!(role_of(&bench, &one.text), None);
    }
}
