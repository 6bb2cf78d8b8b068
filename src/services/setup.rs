//! First run: the one-time link, and the one change that makes the owner and the account (R9, ADM-01).
//!
//! Until then nobody can sign in and phones are told to come back later. Afterwards this room is closed for good.

use std::net::IpAddr;

use jiff::SignedDuration;
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use super::Services;
use super::accounts::{self, TimeDraft};
use super::backup::in_place;
use super::commit::commit;
use super::error::ServiceError;
use super::secrets::random_text;
use super::sign_in;
use super::sites;
use super::throttle::{Key, Origin};
use super::users::{self, UserDraft};
use crate::domain::access::Grant;
use crate::domain::account::{Account, AdmissionSettings, BaseSettings, FirstContact, Provisioning, Secret, SoftwareSettings};
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, DEFAULT_ACCOUNT_LABEL};
use crate::domain::limits::POLLING_WINDOW_MINUTES;
use crate::domain::user::User;
use crate::store;

/// Time server that is offered (contract 5.3).
pub const OFFERED_TIME_SERVER: &str = "pool.ntp.org";
/// Time zone that is offered where the machine tells none.
pub const OFFERED_TIME_ZONE: &str = "UTC";
/// Characters of the token: 230 bits.
const TOKEN_CHARS: usize = 40;

/// The token that opens the set-up page, as its hash.
#[derive(Debug, Default)]
pub(super) struct Door(Mutex<Option<[u8; 32]>>);

/// Who sets up.
#[derive(Clone, Copy, Debug)]
pub enum Opener<'a> {
    /// Whoever has the one-time link, from this address.
    Token(&'a str, Option<IpAddr>),
    /// Someone who may run commands as the server's own system user.
    CommandLine,
}

/// The answers of the set-up page, as typed.
#[derive(Clone, Debug)]
pub struct SetupDraft {
    /// The first user.
    pub owner: UserDraft,
    /// User name of the shared credentials.
    pub provisioning_user: String,
    /// Password of the shared credentials.
    pub provisioning_password: Secret,
    /// Host name or address under which phones and people reach the server.
    pub public_name: String,
    /// Zone and time server.
    pub time: TimeDraft,
    /// *Manage fully* or *Serve only*.
    pub base: BaseSettings,
}

/// Why nothing was set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Somebody was faster, or it was done long ago.
    #[error("pdms is set up already; sign in with the owner's e-mail and password")]
    Done,
    /// The token is not the one that the running server printed.
    #[error("this set-up link is not valid; use the one that the server printed at its last start")]
    WrongToken,
    /// Too many wrong tokens before.
    #[error("too many wrong set-up links; try again in {} s", sign_in::seconds(*.0))]
    Wait(SignedDuration),
    /// What is wrong with the answers, or with the state.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Whether the server has an owner.
pub fn is_set_up(services: &Services) -> bool {
    services.worlds.get(DEFAULT_ACCOUNT).is_some()
}

/// Makes a new token, which replaces the one before; none once the server is set up. Only its hash is kept.
pub fn open_door(services: &Services) -> Option<Secret> {
    if is_set_up(services) {
        return None;
    }
    let token = random_text(TOKEN_CHARS);
    *services.setup_door.0.lock() = Some(services.secrets.keyed_hash(&token));
    Some(Secret::new(token))
}

/// Checks a token without using it up: the page asks before it shows its questions. Wrong tokens slow down whoever tries them;
/// the right one never waits, for it cannot be guessed, and no stranger may keep the owner from setting up.
///
/// # Errors
/// [`SetupError::Done`], [`SetupError::WrongToken`] or, after too many of these, [`SetupError::Wait`].
pub fn check_token(services: &Services, token: &str, address: Option<IpAddr>) -> Result<(), SetupError> {
    if is_set_up(services) {
        return Err(SetupError::Done);
    }
    let presented = services.secrets.keyed_hash(token);
    if services.setup_door.0.lock().is_some_and(|expected| bool::from(presented.ct_eq(&expected))) {
        return Ok(());
    }
    let counted = services.sign_ins.count(vec![Key::Link(Origin::of(address))], services.clock.now());
    let _wrong = counted.map_err(SetupError::Wait)?;
    tracing::warn!(address = address.map(tracing::field::display), "a wrong set-up link was tried");
    Err(SetupError::WrongToken)
}

/// Makes the owner and the account in one change. Of two at once, one wins. Slow: a password is hashed.
///
/// # Errors
/// Those of [`check_token`]; everything that is wrong with the answers, field by field.
pub fn complete(services: &Services, opener: Opener<'_>, draft: &SetupDraft) -> Result<User, SetupError> {
    if is_set_up(services) {
        return Err(SetupError::Done);
    }
    if let Opener::Token(token, address) = opener {
        check_token(services, token, address)?;
    }
    let answers = Answers::check(draft).map_err(ServiceError::from)?;
    let done = commit(services, Grant::system("set-up"), DEFAULT_ACCOUNT, |change| {
        if change.account()?.is_some() {
            return Ok(None);
        }
        // Whoever restores has decided what this server is to be.
        in_place::refuse_unfinished(services.state_dir())?;
        let user = users::insert(change, answers.owner)?;
        let mut server = store::server::get(change.tx())?;
        server.public_name = Some(answers.public_name);
        server.set_up_at = Some(change.now());
        server.revision += 1;
        store::server::put(change.tx(), &server)?;
        change.put_account(Account { created_at: change.now(), ..answers.account })?;
        sites::seed(change)?;
        let from = match opener {
            Opener::Token(_, address) => address.map(|ip| ip.to_string()),
            Opener::CommandLine => Some("command line".to_owned()),
        };
        change.record(Event::new("account", DEFAULT_ACCOUNT_LABEL, "set up").change("from", None, from))?;
        Ok(Some(user))
    })?;
    let user = done.ok_or(SetupError::Done)?;
    *services.setup_door.0.lock() = None;
    Ok(user)
}

/// Everything that is wrong with the answers, field by field; nothing is done. Slow where they are right: a password is hashed.
pub fn mistakes(draft: &SetupDraft) -> FieldErrors {
    Answers::check(draft).err().unwrap_or_default()
}

/// What the built-in base would bring with everything on, to be shown before it is chosen.
pub fn base_preview(time_zone: &str) -> Vec<(String, String)> {
    crate::domain::provision::base_listed(BaseSettings::MANAGE, time_zone, OFFERED_TIME_SERVER)
}

fn new_account(provisioning: Provisioning, time_zone: String, time_server: String, base: BaseSettings) -> Account {
    Account {
        label: DEFAULT_ACCOUNT_LABEL.to_owned(),
        provisioning,
        time_zone,
        time_server,
        base,
        polling_window: POLLING_WINDOW_MINUTES,
        first_contact: FirstContact::Open,
        image_limits: Default::default(),
        admission: AdmissionSettings::default(),
        software: SoftwareSettings::default(),
        revision: 0,
        log_days: None,
        created_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// Answers that keep every rule.
struct Answers {
    owner: users::Checked,
    public_name: String,
    account: Account,
}

impl Answers {
    fn check(draft: &SetupDraft) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let user = errors.take("provisioning_user", accounts::parse_user(&draft.provisioning_user));
        let password = errors.take("provisioning_password", accounts::parse_password(&draft.provisioning_password));
        let public_name = errors.take("public_name", accounts::parse_host(&draft.public_name));
        let time = accounts::parse_time(&draft.time).map_err(|more| errors.extend(more)).ok();
        // Hashing a password takes a while: only when all else is right, or to tell all errors at once.
        let owner = users::check(&draft.owner).map_err(|more| errors.extend(more)).ok();
        let all = user.zip(password).zip(public_name).zip(time).zip(owner);
        let ((((user, password), public_name), (time_zone, time_server)), owner) = errors.into_result(all)?;
        let provisioning = Provisioning { enabled: true, user, password, generation: 0, former: None };
        let account = new_account(provisioning, time_zone, time_server, draft.base);
        Ok(Self { owner, public_name, account })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Opening;
    use crate::services::clock::Clock;
    use jiff::Timestamp;

    fn fresh() -> (tempfile::TempDir, Clock, Services) {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Clock::manual(Timestamp::from_second(1_800_000_000).expect("a time"));
        let services = Services::open(Opening::new(dir.path().join("state"), clock.clone())).expect("a fresh state directory");
        (dir, clock, services)
    }

    fn draft() -> SetupDraft {
        SetupDraft {
            owner: UserDraft {
                name: "Ada".to_owned(),
                email: "ada@example.test".to_owned(),
                password: Secret::new("four unhurried words"),
            },
            provisioning_user: "phones".to_owned(),
            provisioning_password: Secret::new("a-good-one-1"),
            public_name: "pdms.example.lan".to_owned(),
            time: TimeDraft { time_zone: "Europe/Berlin".to_owned(), time_server: OFFERED_TIME_SERVER.to_owned() },
            base: BaseSettings::MANAGE,
        }
    }

    #[test]
    fn the_token_of_the_last_start_opens_and_works_once() {
        let (_dir, _clock, services) = fresh();
        let old = open_door(&services).expect("not set up");
        let token = open_door(&services).expect("not set up");
        let from = Some(IpAddr::from([192, 0, 2, 1]));
        assert!(matches!(check_token(&services, old.expose(), from), Err(SetupError::WrongToken)));
        let user = complete(&services, Opener::Token(token.expose(), from), &draft()).expect("set up");
        assert_eq!(user.name, "Ada");
        assert!(matches!(check_token(&services, token.expose(), from), Err(SetupError::Done)));
        assert!(matches!(complete(&services, Opener::CommandLine, &draft()), Err(SetupError::Done)));
        assert!(open_door(&services).is_none());
        assert_eq!(services.world(DEFAULT_ACCOUNT).expect("set up").account.provisioning.user, "phones");
    }

    #[test]
    fn guessing_tokens_is_slowed_for_whoever_guesses_and_never_for_the_owner() {
        let (_dir, clock, services) = fresh();
        let token = open_door(&services).expect("not set up");
        let stranger = Some(IpAddr::from([192, 0, 2, 66]));
        let guess = |from| check_token(&services, "guess", from);
        let wait = (0..20).find_map(|_| match guess(stranger) {
            Err(SetupError::Wait(wait)) => Some(wait),
            _ => None,
        });
        let wait = wait.expect("a pause");
        assert!(matches!(guess(stranger), Err(SetupError::Wait(_))));
        assert!(matches!(guess(Some(IpAddr::from([192, 0, 2, 7]))), Err(SetupError::WrongToken)));
        assert!(check_token(&services, token.expose(), stranger).is_ok(), "the owner may be behind the same address");
        clock.advance_to(clock.now() + wait);
        assert!(matches!(guess(stranger), Err(SetupError::WrongToken)));
    }

    #[test]
    fn of_two_at_once_exactly_one_wins() {
        let (_dir, _clock, services) = fresh();
        let token = open_door(&services).expect("not set up");
        let results: Vec<_> = std::thread::scope(|scope| {
            let run = || complete(&services, Opener::Token(token.expose(), None), &draft());
            let threads = [scope.spawn(run), scope.spawn(run)];
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        assert_eq!(users::list(&services).expect("users").len(), 1);
    }

    #[test]
    fn every_wrong_answer_is_told_and_nothing_is_made() {
        let (_dir, _clock, services) = fresh();
        let wrong = SetupDraft {
            owner: UserDraft::default(),
            provisioning_user: String::new(),
            provisioning_password: Secret::new("a blank"),
            public_name: "https://pdms".to_owned(),
            time: TimeDraft { time_zone: "Nowhere".to_owned(), time_server: String::new() },
            base: BaseSettings::SERVE_ONLY,
        };
        let Err(SetupError::Service(ServiceError::Invalid(errors))) = complete(&services, Opener::CommandLine, &wrong) else {
            panic!("it was taken")
        };
        let fields: Vec<_> = errors.iter().map(|e| e.field).collect();
        let all = [
            "provisioning_user",
            "provisioning_password",
            "public_name",
            "time_zone",
            "time_server",
            "name",
            "email",
            "password",
        ];
        assert_eq!(fields, all);
        assert!(!is_set_up(&services));
    }
}
