//! What pdms does, one file a subject: the only layer that reads and writes state. Synchronous; knows nothing of HTTP.
//!
//! Every subject is a file of functions that take [`Services`] first. Writes go through [`commit`]; reads of [`world`] and
//! [`roster`] are in memory. What may block (writes, hashing passwords, files) is called from a thread that may.

pub mod accounts;
pub mod activity;
pub mod activity_week;
pub mod address;
pub mod addresses;
pub mod alerts;
pub mod backup;
pub mod believed;
pub mod bootstrap;
pub mod certificates;
pub mod check;
pub mod clock;
pub mod coming_up;
pub mod commit;
pub mod confirmation;
pub mod credentials;
pub mod deployment;
pub mod device_csv;
pub mod device_files;
pub mod devices;
pub mod downgrades;
pub mod downloads;
pub mod effective_file;
pub mod enrolment;
pub mod error;
pub mod explain;
pub mod flash;
pub mod flash_values;
pub mod foresight;
pub mod form_tokens;
pub mod groups;
pub mod images;
pub mod import;
pub mod import_log;
pub mod invitations;
pub mod known_browser;
pub mod lines;
pub mod list_file;
pub mod lists;
pub mod manufacturers;
pub mod membership;
pub mod metrics;
mod named_blobs;
pub mod new_key;
pub mod newcomers;
pub mod passwords;
pub mod pending;
pub mod pending_imports;
pub mod people;
pub mod people_bulk;
pub mod phone_passwords;
pub mod places;
pub mod presence;
pub mod profiles;
pub mod provenance;
pub mod provisioning;
pub mod recycle_bin;
pub mod rendered;
pub mod resources;
pub mod retention;
pub mod rollover;
pub mod roster;
pub mod runs;
pub mod schema;
mod sealed_files;
pub mod second_factor;
pub mod secrets;
pub mod server;
pub mod sessions;
pub mod setup;
pub mod shared_credentials;
pub mod sign_in;
pub mod sign_in_link;
pub mod sites;
pub mod software;
mod standard;
pub mod state_dir;
pub mod storage;
pub mod throttle;
pub mod tokens;
pub mod trusts;
pub mod unsent_forms;
pub mod uploads;
pub mod users;
pub mod views;
pub mod waiting_forms;
pub mod warnings;
pub mod what_if;
pub mod world;

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::blobs::Blobs;
use crate::blobs::parts::Parts;
use crate::domain::ids::AccountId;
use crate::domain::world::{Endpoints, World};
use crate::store::{self, Faults, Store, StoreError};
use certificates::OwnFiles;
use clock::Clock;
use error::ServiceError;
use pending_imports::PendingImports;
use presence::Presence;
use roster::{Roster, Rosters};
use secrets::{KeyFile, Secrets};
use state_dir::StateDir;
use trusts::{Book, Trusts};
use unsent_forms::UnsentForms;
use world::Worlds;

/// Everything that services work with, shared by all requests.
#[derive(Debug)]
pub struct Services {
    store: Store,
    blobs: Blobs,
    clock: Clock,
    secrets: Secrets,
    state_dir: StateDir,
    /// The admin's own certificate that the settings name.
    own_certificate: Option<OwnFiles>,
    worlds: Worlds,
    rosters: Rosters,
    trusts: Trusts,
    unproven: bootstrap::Unproven,
    alerts: alerts::Alerts,
    presence: Presence,
    metrics: metrics::Metrics,
    pending_imports: PendingImports,
    unsent_forms: UnsentForms,
    waiting_forms: waiting_forms::WaitingForms,
    sessions: sessions::Sessions,
    sign_ins: throttle::Throttle,
    /// Held while a password is checked.
    hashing: Mutex<()>,
    confirmations: confirmation::Watch,
    enrolments: second_factor::Enrolments,
    sign_in_links: sign_in_link::SignInLinks,
    setup_door: setup::Door,
    writer: Mutex<commit::Writer>,
    backups: backup::kept::Desk,
    views: views::Shelf,
    keep: parking_lot::RwLock<retention::Keep>,
    images: images::Desk,
    downloads: downloads::Downloads,
}

/// What opening needs to know.
#[derive(Debug)]
pub struct Opening {
    /// The state directory; made where it is missing.
    pub state_dir: PathBuf,
    /// The clock.
    pub clock: Clock,
    /// The files of an own certificate that the settings name.
    pub own_certificate: Option<OwnFiles>,
    /// For tests: failures of the disk.
    pub faults: Arc<Faults>,
}

impl Opening {
    /// The usual opening.
    pub fn new(state_dir: impl Into<PathBuf>, clock: Clock) -> Self {
        Self { state_dir: state_dir.into(), clock, own_certificate: None, faults: Arc::default() }
    }
}

impl Services {
    /// Opens a state directory, or makes one where nothing ever was.
    ///
    /// # Errors
    /// One sentence for the person who started the server, with the next step in it.
    pub fn open(opening: Opening) -> Result<Self, ServiceError> {
        let state_dir = StateDir::at(opening.state_dir);
        state_dir.refuse_misplaced()?;
        backup::in_place::finish(&state_dir)?;
        let key_file = if is_used(&state_dir)? { KeyFile::MustExist } else { KeyFile::MayBeMade };
        state_dir.prepare()?;
        let secrets = Secrets::open(&state_dir.key_file(), key_file)?;
        let store = Store::open(state_dir.root(), opening.faults)?;
        let secrets = secrets.with_roots(store.read(store::server::get)?.roots.as_ref())?;
        let blobs = Blobs::open(state_dir.blobs(), state_dir.logs()).map_err(ServiceError::file("open", state_dir.blobs()))?;
        let mut services = Self::on(state_dir, secrets, store, blobs, opening.clock);
        services.own_certificate = opening.own_certificate;
        services.load()?;
        // Phones are served whether or not it can be written down what changed; the next start looks again.
        if let Err(error) = standard::install(&services) {
            tracing::error!(error = error::chain(&error), "what changed of the standard profiles could not be noted");
        }
        services.store.read(|tx| services.sessions.load(tx))?;
        services.sweep()?;
        services.images.load().map_err(ServiceError::file("read", services.state_dir.uploads()))?;
        Ok(services)
    }

    /// Opens a state directory that was used before; where nothing ever was, nothing is made.
    ///
    /// # Errors
    /// As [`Services::open`]; also where nothing ever was.
    pub fn open_used(opening: Opening) -> Result<Self, ServiceError> {
        let state_dir = StateDir::at(&opening.state_dir);
        state_dir.refuse_misplaced()?;
        // A restore that waits to be put in place is a state.
        backup::in_place::finish(&state_dir)?;
        refuse_unused(&state_dir)?;
        Self::open(opening)
    }

    /// Opens a state as it is, for looking at it: its database as a copy in memory. Nothing is made, mended or removed on the disk,
    /// and what is written goes with this value.
    ///
    /// # Errors
    /// As [`Services::open`]; also where nothing ever was.
    pub fn inspect(state_dir: impl Into<PathBuf>, clock: Clock) -> Result<Self, ServiceError> {
        let state_dir = StateDir::at(state_dir);
        state_dir.refuse_misplaced()?;
        backup::in_place::refuse_unfinished(&state_dir)?;
        refuse_unused(&state_dir)?;
        let secrets = Secrets::open(&state_dir.key_file(), KeyFile::MustExist)?;
        let store = Store::inspect(state_dir.root())?;
        let secrets = secrets.with_roots(store.read(store::server::get)?.roots.as_ref())?;
        let blobs = Blobs::at(state_dir.blobs(), state_dir.logs());
        let services = Self::on(state_dir, secrets, store, blobs, clock);
        services.rebuild()?;
        Ok(services)
    }

    fn on(state_dir: StateDir, secrets: Secrets, store: Store, blobs: Blobs, clock: Clock) -> Self {
        let images = images::Desk::at(Parts::at(state_dir.uploads()));
        Self {
            store,
            blobs,
            clock,
            secrets,
            state_dir,
            own_certificate: None,
            worlds: Worlds::new(Endpoints {
                https_url: "https://localhost:8443/".to_owned(),
                http_url: None,
                ca_pem: None,
                next_ca: None,
            }),
            rosters: Rosters::default(),
            trusts: Trusts::default(),
            unproven: bootstrap::Unproven::default(),
            alerts: alerts::Alerts::default(),
            presence: Presence::default(),
            metrics: metrics::Metrics::default(),
            pending_imports: PendingImports::default(),
            unsent_forms: UnsentForms::default(),
            waiting_forms: waiting_forms::WaitingForms::default(),
            sessions: sessions::Sessions::default(),
            sign_ins: throttle::Throttle::default(),
            hashing: Mutex::default(),
            confirmations: confirmation::Watch::default(),
            enrolments: second_factor::Enrolments::default(),
            sign_in_links: sign_in_link::SignInLinks::default(),
            setup_door: setup::Door::default(),
            writer: Mutex::default(),
            backups: backup::kept::Desk::default(),
            views: views::Shelf::default(),
            keep: parking_lot::RwLock::default(),
            images,
            downloads: downloads::Downloads::default(),
        }
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What lies where.
    pub fn state_dir(&self) -> &StateDir {
        &self.state_dir
    }

    /// Sealed and compared secrets.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// All worlds.
    pub fn worlds(&self) -> &Worlds {
        &self.worlds
    }

    /// Imports that somebody looks at and has not accepted yet.
    pub fn pending_imports(&self) -> &PendingImports {
        &self.pending_imports
    }

    /// Forms that came after their session had ended.
    pub fn unsent_forms(&self) -> &UnsentForms {
        &self.unsent_forms
    }

    /// Forms whose person is being shown what they would do to devices.
    pub fn waiting_forms(&self) -> &waiting_forms::WaitingForms {
        &self.waiting_forms
    }

    /// Uploads of software that are under way.
    pub fn images(&self) -> &images::Desk {
        &self.images
    }

    /// An account's world.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] before set-up and for accounts that do not exist.
    pub fn world(&self, account: AccountId) -> Result<Arc<World>, ServiceError> {
        self.worlds.get(account).ok_or_else(|| ServiceError::not_found("account", account))
    }

    /// The devices of an account.
    pub fn roster(&self, account: AccountId) -> Arc<Roster> {
        self.rosters.get(account)
    }

    /// What was learned of the keys of an account.
    pub fn trusts(&self, account: AccountId) -> Arc<Book> {
        self.trusts.get(account)
    }

    /// Waits until a phone has taught something that must not be lost by a crash: what waits is to be written now.
    pub async fn door_closed(&self) {
        self.trusts.door_closed().await;
    }

    /// What phones told and is not written yet.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Says where phones reach us: at start, and when the name or the certificate changes.
    pub fn set_endpoints(&self, endpoints: Endpoints) {
        // Under the writer's lock, so that no commit swaps in a world with the old ones.
        let _writer = self.writer.lock();
        self.worlds.set_endpoints(endpoints);
    }

    /// The same at a start, in a thread of its own: what reading a fleet used in passing goes back to the system when that ends (P8).
    fn load(&self) -> Result<(), ServiceError> {
        let read = std::thread::scope(|scope| scope.spawn(|| self.rebuild()).join());
        read.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// World and Roster from the store: one snapshot for both.
    fn rebuild(&self) -> Result<(), ServiceError> {
        self.store.read(|tx| {
            self.worlds.rebuild(tx, &self.secrets)?;
            self.rosters.rebuild(tx)?;
            self.views.rebuild(tx)?;
            self.trusts.rebuild(tx)
        })
    }

    /// Removes content that no row names: what a crash left between writing a file and committing its row.
    fn sweep(&self) -> Result<(), ServiceError> {
        if let Some(fault) = check::lost_blobs(self, &self.state_dir.blobs())? {
            tracing::error!("{fault}");
        }
        let named = self.store.read(named_blobs::all)?.into_iter().map(|one| one.blob).collect();
        self.blobs.sweep(&named).map_err(ServiceError::file("clear", self.state_dir.blobs()))?;
        Ok(())
    }
}

fn refuse_unused(state_dir: &StateDir) -> Result<(), ServiceError> {
    if is_used(state_dir)? {
        return Ok(());
    }
    let dir = state_dir.root().display();
    Err(ServiceError::Conflict(format!(
        "{dir} holds no state of pdms: pdms serve would begin anew here. If it was set up before, mount the right volume, or name \
         another directory with --state"
    )))
}

/// Whether a directory was ever used. One that holds what only a used one can hold, but no database, has lost it.
fn is_used(state_dir: &StateDir) -> Result<bool, ServiceError> {
    let root = state_dir.root();
    if root.exists() && !root.is_dir() {
        let error = std::io::Error::from(std::io::ErrorKind::NotADirectory);
        return Err(ServiceError::file("use as the state directory:", root)(error));
    }
    let used = Store::exists(root)?;
    if !used && state_dir.has_remains()? {
        return Err(StoreError::Missing { file: Store::file_in(root) }.into());
    }
    Ok(used)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
