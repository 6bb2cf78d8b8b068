//! The first run: a one-time link, an owner, an account (R9, ux section 6). Done once; afterwards the link leads nowhere.

use std::net::IpAddr;

use parking_lot::Mutex;

use super::Services;
use super::accounts::{self, AccountDraft};
use super::commit::commit;
use super::error::ServiceError;
use super::secrets::random_text;
use super::users::{self, UserDraft};
use crate::domain::access::Grant;
use crate::domain::account::{Account, BaseSettings, FirstContact, Provisioning, Secret};
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, DEFAULT_ACCOUNT_LABEL};
use crate::domain::limits::POLLING_WINDOW_MINUTES;
use crate::domain::server::ServerSettings;
use crate::domain::user::User;
use crate::store;

/// Characters of the token in the link: more than 128 bits.
const TOKEN_CHARS: usize = 32;
/// Time server that is offered (contract 5.3).
pub const TIME_SERVER: &str = "pool.ntp.org";

/// The token of the one-time link, as a keyed hash; none once the server is set up.
#[derive(Debug, Default)]
pub struct SetupToken(Mutex<Option<[u8; 32]>>);

/// Everything that the set-up page asks, as typed.
#[derive(Clone, Debug)]
pub struct SetupDraft {
    /// The owner.
    pub owner: UserDraft,
    /// User name that phones present.
    pub provisioning_user: String,
    /// Password that phones present.
    pub provisioning_password: Secret,
    /// Name or address under which phones reach the server.
    pub public_name: String,
    /// IANA zone.
    pub time_zone: String,
    /// Time server.
    pub time_server: String,
    /// *Manage fully* or *Serve only*.
    pub base: BaseSettings,
}

impl SetupDraft {
    /// What the page offers: random credentials, the usual time server, everything managed. The owner is for the person to fill in.
    pub fn offered(public_name: String, time_zone: String) -> Self {
        Self {
            owner: UserDraft::default(),
            provisioning_user: format!("phones-{}", random_text(6).to_lowercase()),
            provisioning_password: Secret::new(random_text(20)),
            public_name,
            time_zone,
            time_server: TIME_SERVER.to_owned(),
            base: BaseSettings::MANAGE,
        }
    }
}

/// Whether the server has an owner and an account.
pub fn is_done(services: &Services) -> bool {
    services.worlds().get(DEFAULT_ACCOUNT).is_some()
}

/// A new token for the link; one that was given out before is worth nothing any more.
pub fn issue_token(services: &Services) -> String {
    let token = random_text(TOKEN_CHARS);
    *services.setup_token.0.lock() = Some(services.secrets.keyed_hash(&token));
    token
}

/// Whether this is the token of the link. Wrong ones slow down whoever tries them (ADM-01).
pub fn knows(services: &Services, token: &str, address: Option<IpAddr>) -> bool {
    let now = services.clock.now();
    let key = format!("set-up from {}", address.map_or_else(String::new, |ip| ip.to_string()));
    if is_done(services) || services.sign_ins.wait(&key, now).is_some() {
        return false;
    }
    let right = *services.setup_token.0.lock() == Some(services.secrets.keyed_hash(token));
    if !right && !token.is_empty() {
        services.sign_ins.wrong(&key, now);
    }
    right
}

/// Sets the server up: owner, account and public name in one step. Answers the owner.
///
/// # Errors
/// What is wrong, field by field; a conflict where the server has an owner already.
pub fn run(services: &Services, draft: &SetupDraft) -> Result<User, ServiceError> {
    let (owner, account, public_name) = check(services, draft)?;
    let user = commit(services, Grant::system("set-up"), DEFAULT_ACCOUNT, |change| {
        let mut server = store::server::get(change.tx())?;
        if server.set_up_at.is_some() {
            return Err(ServiceError::Conflict("this server is set up already; sign in, or ask its owner".to_owned()));
        }
        let user = users::insert(change, owner)?;
        change.put_account(Account { created_at: change.now(), ..account })?;
        server = ServerSettings { public_name: Some(public_name.clone()), set_up_at: Some(change.now()), ..server };
        server.revision += 1;
        store::server::put(change.tx(), &server)?;
        let event = Event::new("account", DEFAULT_ACCOUNT_LABEL, "set up").change("public name", None, Some(public_name));
        change.record(event)?;
        Ok(user)
    })?;
    *services.setup_token.0.lock() = None;
    Ok(user)
}

/// Checks a draft as a whole. Errors have the names of the set-up form's fields.
fn check(services: &Services, draft: &SetupDraft) -> Result<(users::Checked, Account, String), FieldErrors> {
    let mut errors = FieldErrors::new();
    let settings = AccountDraft {
        user: Some(draft.provisioning_user.clone()),
        password: Some(draft.provisioning_password.clone()),
        time_zone: Some(draft.time_zone.clone()),
        time_server: Some(draft.time_server.clone()),
        base: Some(draft.base),
        ..AccountDraft::default()
    };
    let owner = renamed(&mut errors, users::check(&draft.owner), &[]);
    let fields = [("user", "provisioning_user"), ("password", "provisioning_password")];
    let account = renamed(&mut errors, accounts::apply(&settings, &blank(services)), &fields);
    let public_name = errors.take("public_name", accounts::parse_host(&draft.public_name));
    errors.into_result(owner.zip(account).zip(public_name).map(|((owner, account), name)| (owner, account, name)))
}

/// Takes a value, or notes its errors under the names that the form has for the fields.
fn renamed<T>(errors: &mut FieldErrors, checked: Result<T, FieldErrors>, names: &[(&str, &'static str)]) -> Option<T> {
    match checked {
        Ok(value) => Some(value),
        Err(found) => {
            for error in found.iter() {
                let name = names.iter().find(|(from, _)| *from == error.field).map_or(error.field, |(_, to)| to);
                errors.add(name, &error.message);
            }
            None
        }
    }
}

/// The settings of an account before anything was chosen.
fn blank(services: &Services) -> Account {
    Account {
        label: DEFAULT_ACCOUNT_LABEL.to_owned(),
        provisioning: Provisioning { enabled: true, user: String::new(), password: Secret::default() },
        time_zone: "Etc/UTC".to_owned(),
        time_server: TIME_SERVER.to_owned(),
        base: BaseSettings::MANAGE,
        polling_window: POLLING_WINDOW_MINUTES,
        first_contact: FirstContact::default(),
        revision: 0,
        created_at: services.clock.now(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Opening;
    use crate::services::clock::Clock;
    use jiff::Timestamp;

    fn opened(dir: &tempfile::TempDir) -> Services {
        let clock = Clock::manual(Timestamp::from_second(1_800_000_000).expect("a time"));
        Services::open(Opening::new(dir.path().join("state"), clock)).expect("a fresh state directory")
    }

    fn draft() -> SetupDraft {
        let owner = UserDraft {
            name: "Ada".to_owned(),
            email: "ada@example.test".to_owned(),
            password: Secret::new("four unhurried words"),
        };
        SetupDraft { owner, ..SetupDraft::offered("pdms.example.lan".to_owned(), "Europe/Berlin".to_owned()) }
    }

    #[test]
    fn set_up_makes_an_owner_and_an_account_exactly_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let services = opened(&dir);
        let token = issue_token(&services);
        assert!(knows(&services, &token, None) && !knows(&services, "wrong", None));
        run(&services, &draft()).expect("set up");
        assert!(is_done(&services) && !knows(&services, &token, None));
        let world = services.world(DEFAULT_ACCOUNT).expect("a world");
        assert!(world.account.provisioning.enabled);
        assert_eq!(world.account.time_zone, "Europe/Berlin");
        assert!(matches!(run(&services, &draft()), Err(ServiceError::Conflict(_))));
        assert_eq!(users::list(&services).expect("users").len(), 1);
    }

    #[test]
    fn every_wrong_field_is_told_under_its_name_in_the_form() {
        let dir = tempfile::tempdir().expect("a folder");
        let services = opened(&dir);
        let bad = SetupDraft {
            owner: UserDraft::default(),
            provisioning_user: "a b".to_owned(),
            provisioning_password: Secret::new(""),
            public_name: "not a name".to_owned(),
            time_zone: "Mars/Base".to_owned(),
            ..draft()
        };
        let Err(ServiceError::Invalid(errors)) = run(&services, &bad) else { panic!("taken") };
        let fields: Vec<_> = errors.iter().map(|e| e.field).collect();
        let all = ["name", "email", "password", "provisioning_user", "provisioning_password", "time_zone", "public_name"];
        assert_eq!(fields, all);
        assert!(!is_done(&services));
    }

    #[test]
    fn guessing_the_token_is_slowed() {
        let dir = tempfile::tempdir().expect("a folder");
        let services = opened(&dir);
        let token = issue_token(&services);
        for n in 0..20 {
            assert!(!knows(&services, &format!("guess {n}"), None));
        }
        assert!(!knows(&services, &token, None), "the right one too, until the pause is over");
        assert!(knows(&services, &token, Some(IpAddr::from([192, 0, 2, 1]))), "others are not held up");
    }
}
