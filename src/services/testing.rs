//! A state directory of its own for each unit test, set up with the default account.

use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;

use super::clock::Clock;
use super::commit::commit;
use super::{Opening, Services};
use crate::blobs::Written;
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::account::{Account, AdmissionSettings, BaseSettings, FirstContact, Provisioning, Secret, SoftwareSettings};
use crate::domain::consent::Consent;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::{DEFAULT_ACCOUNT, DEFAULT_ACCOUNT_LABEL, UserId};
use crate::domain::limits::POLLING_WINDOW_MINUTES;
use crate::domain::user::Role;
use crate::store::Faults;

/// Services on a temporary state directory.
pub struct Bench {
    /// What is tested.
    pub services: Services,
    /// Their clock: 22 November 2026, noon.
    pub clock: Clock,
    /// Their disk's failures.
    pub faults: Arc<Faults>,
    /// Where they keep everything; removed at the end.
    pub dir: TempDir,
}

/// A server that was set up, without profiles and devices.
pub fn bench() -> Bench {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let clock = Clock::manual("2026-11-22T12:00:00Z".parse::<Timestamp>().expect("a time"));
    let faults = Arc::<Faults>::default();
    let bench = Bench { services: open(&dir, &clock, &faults), clock, faults, dir };
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| change.put_account(account()))
        .expect("an account is made");
    bench
}

impl Bench {
    /// Stops the server and starts another one on the same directory.
    #[must_use]
    pub fn restarted(self) -> Self {
        let Self { services, clock, faults, dir } = self;
        drop(services);
        Self { services: open(&dir, &clock, &faults), clock, faults, dir }
    }
}

/// Opens the state below a folder.
pub fn open(dir: &TempDir, clock: &Clock, faults: &Arc<Faults>) -> Services {
    let opening = Opening { faults: Arc::clone(faults), ..Opening::new(dir.path().join("state"), clock.clone()) };
    Services::open(opening).expect("the state opens")
}

/// An owner who gave the password just now.
pub fn owner() -> Actor {
    Actor::User {
        id: UserId(1),
        name: "ada".to_owned(),
        role: Role::Owner,
        account: DEFAULT_ACCOUNT,
        confirmed: true,
        consent: Consent::default(),
    }
}

/// An owner's right to do something.
pub fn grant(action: Action) -> Grant {
    authorize(&owner(), action).expect("an owner may do everything")
}

/// An account as set-up makes it.
pub fn account() -> Account {
    Account {
        label: DEFAULT_ACCOUNT_LABEL.to_owned(),
        provisioning: Provisioning {
            enabled: true,
            user: "phones".to_owned(),
            password: Secret::new("CANARY_SHARED"),
            generation: 0,
            former: None,
        },
        time_zone: "Europe/Berlin".to_owned(),
        time_server: "pool.ntp.org".to_owned(),
        base: BaseSettings::MANAGE,
        polling_window: POLLING_WINDOW_MINUTES,
        first_contact: FirstContact::Open,
        image_limits: Default::default(),
        admission: AdmissionSettings::default(),
        software: SoftwareSettings::default(),
        revision: 0,
        log_days: None,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

/// Adds a device of this key.
pub fn add_device(services: &Services, key: &crate::domain::device::DeviceKey) {
    let device = crate::domain::testing::device(&key.to_string());
    commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| change.put_device(device)).expect("a device is added");
}

/// The row of a file that a device uploaded, whose content was written.
pub fn stored_file(name: &str, written: &Written, at: Timestamp) -> DeviceFile {
    let Written { blob, size_bytes, sha256 } = written.clone();
    DeviceFile { name: name.to_owned(), size_bytes, sha256, at, blob, by: None, version: 1, former: Vec::new() }
}

/// The newest entry of the activity log, in one line: actor, object, subject, action, changes.
pub fn newest_activity(services: &Services) -> String {
    let query = super::activity::ActivityQuery { limit: 1, ..Default::default() };
    let page = super::activity::list(services, DEFAULT_ACCOUNT, &query).expect("listed");
    let Some(entry) = page.items.first() else { return String::new() };
    let event = &entry.event;
    let mut line = format!("{}: {} {} {}", entry.actor, event.object, event.subject, event.action);
    for change in &event.changes {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        line.push_str(&format!("; {} {} -> {}", change.field, shown(&change.old), shown(&change.new)));
    }
    line
}
