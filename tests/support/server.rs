//! A server in this process: the application that the binary runs, with a free port, a state directory of its own and a clock set by
//! hand.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};

use jiff::Timestamp;
use pdms::config::{Config, PublicUrl};
use pdms::domain::access::Actor;
use pdms::domain::account::{BaseSettings, Secret};
use pdms::domain::deployment::Place;
use pdms::domain::device_list::Listed;
use pdms::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use pdms::domain::names::Name;
use pdms::domain::parameter::ParameterName;
use pdms::domain::profile::draft::ProfileDraft;
use pdms::domain::world::World;
use pdms::services::accounts::{self, AccountDraft, TimeDraft};
use pdms::services::address::Address;
use pdms::services::clock::Clock;
use pdms::services::commit::Mode;
use pdms::services::deployment::{self, Target};
use pdms::services::devices::{self, Afterwards};
use pdms::services::profiles;
use pdms::services::retention::Keep;
use pdms::services::setup::{self, Opener, SetupDraft};
use pdms::services::users::UserDraft;
use pdms::services::{Opening, Services, believed, new_key, presence};
use pdms::startup::{Application, Ground, Stopper};
use pdms::store::Faults;
use pdms::web::phone::PhoneSettings;

/// E-mail of the owner.
pub const OWNER_EMAIL: &str = "ada@example.test";
/// Password of the owner.
pub const OWNER_PASSWORD: &str = "correct horse battery";
/// User name of the shared credentials.
pub const USER: &str = "phones";
/// Password of the shared credentials.
pub const PASSWORD: &str = "only-for-tests-7411";

/// A server that was set up and listens.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens for plain HTTP.
    pub http: SocketAddr,
    /// What it works with.
    pub services: Arc<Services>,
    /// Where it is reached, with its certificates.
    pub base_address: Arc<Address>,
    /// Its clock: 22 November 2026, noon, until it is advanced.
    pub clock: Clock,
    /// Its disk's failures.
    pub faults: Arc<Faults>,
    /// Where it keeps everything.
    pub dir: tempfile::TempDir,
    public_url: Option<PublicUrl>,
    stopper: Stopper,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Starts with the usual settings.
    pub fn start() -> Self {
        Self::start_with(PhoneSettings::default())
    }

    /// Starts with settings of the test.
    pub fn start_with(settings: PhoneSettings) -> Self {
        Stopped::new().open(settings, |application| {
            setup::complete(&application.services(), Opener::CommandLine, &setup_draft()).expect("set up");
            application.refresh_address().expect("the disk is well");
        })
    }

    /// Starts, and nobody has set it up yet.
    pub fn start_unset(settings: PhoneSettings) -> Self {
        Stopped::new().open(settings, |_| {})
    }

    /// Stops and starts again on the same state and the same port, with the usual settings.
    #[must_use]
    pub fn restarted(self) -> Self {
        self.stopped().started()
    }

    /// Stops; the state and the port are kept for another start.
    pub fn stopped(mut self) -> Stopped {
        self.stop();
        let dir = std::mem::replace(&mut self.dir, tempfile::tempdir().expect("a temporary directory"));
        let (clock, faults) = (self.clock.clone(), Arc::clone(&self.faults));
        let (port, http_port) = (self.address.port(), self.http.port());
        Stopped { dir, clock, faults, port, http_port, public_url: self.public_url.take() }
    }

    fn stop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the server's thread was printed; a second one here would hide the test's own.
            let _ = thread.join();
        }
        // Workers end a moment after the server does; the state directory is theirs until then.
        let begun = std::time::Instant::now();
        while Arc::strong_count(&self.services) > 1 && begun.elapsed().as_secs() < 30 {
            std::thread::yield_now();
        }
    }

    /// The provisioning address.
    pub fn base(&self) -> String {
        format!("https://localhost:{}/", self.address.port())
    }

    /// The account's world as it is now.
    pub fn world(&self) -> Arc<World> {
        self.services.world(DEFAULT_ACCOUNT).expect("set up")
    }

    /// A new profile on Global. Answers its key.
    pub fn global_profile(&self, name: &str, parameters: &[(&str, &str)]) -> ProfileId {
        let parse = |(name, value): &(&str, &str)| (ParameterName::parse(name).expect("a parameter's name"), Arc::from(*value));
        let parameters = parameters.iter().map(parse).collect();
        let draft = ProfileDraft {
            name: Name::parse(name).expect("a name"),
            description: String::new(),
            software: Vec::new(),
            parameters,
            yields: false,
        };
        let made = profiles::create(&self.services, &admin(), DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("made");
        let target = Target::Place(Place::Global);
        deployment::attach(&self.services, &admin(), DEFAULT_ACCOUNT, &target, made[0].id, Mode::Keep).expect("attached");
        made[0].id
    }

    /// Changes settings of the account.
    pub fn set_account(&self, draft: &AccountDraft) {
        accounts::update(&self.services, &admin(), DEFAULT_ACCOUNT, None, draft).expect("changed");
    }

    /// Deletes a device.
    pub fn delete(&self, key: &str, afterwards: Afterwards) {
        let key = key.parse().expect("a key");
        devices::delete(&self.services, &admin(), DEFAULT_ACCOUNT, &key, afterwards, Mode::Keep).expect("deleted");
    }

    /// A device as it is listed; none where it is not in the inventory.
    pub fn device(&self, key: &str) -> Option<Listed> {
        self.services.roster(DEFAULT_ACCOUNT).find(&key.parse().expect("a key"))
    }

    /// Lets time pass. Days pass one by one, and the server looks at the clock in each, as it does while it runs: no day is a clock
    /// that went ahead.
    pub fn advance(&self, seconds: i64) {
        const DAY: i64 = 86_400;
        let mut left = seconds;
        while left > 0 {
            let step = left.min(DAY);
            self.clock.advance_to(self.clock.now() + jiff::SignedDuration::from_secs(step));
            if seconds >= DAY {
                believed::look(&self.services).expect("the disk is well");
            }
            left -= step;
        }
    }

    /// Writes what phones told, as the server does twice a second.
    pub fn flush(&self) {
        presence::flush(&self.services).expect("the disk is well");
    }
}

/// A server that does not run: its state directory, clock and port.
pub struct Stopped {
    dir: tempfile::TempDir,
    clock: Clock,
    faults: Arc<Faults>,
    port: u16,
    http_port: u16,
    public_url: Option<PublicUrl>,
}

impl Stopped {
    /// A new one, which nobody has set up yet.
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        copy(first_state(), dir.path());
        Self { dir, clock: Clock::manual(noon()), faults: Arc::default(), port: 0, http_port: 0, public_url: None }
    }

    /// Starts a server on what was kept, with the usual settings.
    pub fn started(self) -> Server {
        self.open(PhoneSettings::default(), |_| {})
    }

    /// A copy of the state directory, whose server will tell phones the same address although it listens on another port.
    pub fn copied(&self) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        copy(&self.dir.path().join("state"), &dir.path().join("state"));
        let public_url = Some(PublicUrl { host: "localhost".to_owned(), port: self.port });
        Self { dir, clock: Clock::manual(self.clock.now()), faults: Arc::default(), port: 0, http_port: 0, public_url }
    }

    /// The same state with another key file.
    #[must_use]
    pub fn with_new_key(self) -> Self {
        let opening = Opening::new(self.dir.path().join("state"), self.clock.clone());
        let opening = Opening { faults: Arc::clone(&self.faults), ..opening };
        let services = Services::open(opening).expect("the state opens");
        new_key::renew(services, &Actor::CommandLine).expect("another key");
        self
    }

    /// Another host under the same name and port: what it keeps is below this folder, in `state`.
    #[must_use]
    pub fn on_another_host(self, dir: tempfile::TempDir) -> Self {
        Self { dir, faults: Arc::default(), ..self }
    }

    /// Starts a server, the same as the binary does; `prepare` has it before anybody can connect.
    fn open(self, settings: PhoneSettings, prepare: impl FnOnce(&Application)) -> Server {
        let Self { dir, clock, faults, port, http_port, public_url } = self;
        let config = config(dir.path(), (port, http_port), settings, public_url.clone());
        let ground = Ground { clock: clock.clone(), faults: Arc::clone(&faults) };
        let application = Application::build(config, ground).expect("it starts");
        prepare(&application);
        let base_address = application.address();
        let (address, services, stopper) = (application.https_address(), application.services(), application.stopper());
        let http = application.http_address().expect("it is on");
        let (ready, wait) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let run = application.run_until_stopped(move || ready.send(()).expect("the test waits"));
            actix_web::rt::System::new().block_on(run).expect("it ends well");
        });
        wait.recv().expect("it gets ready");
        Server { address, http, services, base_address, clock, faults, dir, public_url, stopper, thread: Some(thread) }
    }
}

/// Copies a folder with everything below it. Sockets and locks are a running server's.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let (kind, target) = (entry.file_type().expect("readable"), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Who runs commands on the server's machine.
pub fn admin() -> Actor {
    Actor::CommandLine
}

/// When every test begins.
pub fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

/// The answers with which every server is set up.
pub fn setup_draft() -> SetupDraft {
    SetupDraft {
        owner: UserDraft { name: "Ada".to_owned(), email: OWNER_EMAIL.to_owned(), password: Secret::new(OWNER_PASSWORD) },
        provisioning_user: USER.to_owned(),
        provisioning_password: Secret::new(PASSWORD),
        public_name: "localhost".to_owned(),
        time: TimeDraft { time_zone: "Europe/Berlin".to_owned(), time_server: "pool.ntp.org".to_owned() },
        base: BaseSettings::MANAGE,
    }
}

/// A state directory as the first start makes it, for all servers of this process: making RSA keys takes longer than most tests.
fn first_state() -> &'static Path {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let dir = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let ground = Ground { clock: Clock::manual(noon()), faults: Arc::default() };
        drop(Application::build(config(dir.path(), (0, 0), PhoneSettings::default(), None), ground).expect("it starts"));
        dir
    });
    dir.path()
}

/// Settings of a server whose state directory lies in this folder.
fn config(folder: &Path, (https, http): (u16, u16), settings: PhoneSettings, public_url: Option<PublicUrl>) -> Config {
    Config {
        state: folder.join("state"),
        https: SocketAddr::from(([127, 0, 0, 1], https)),
        http: Some(SocketAddr::from(([127, 0, 0, 1], http))),
        public_url,
        trusted_proxies: settings.trusted_proxies,
        certificate: None,
        uploads: settings.uploads,
        new_devices: settings.new_devices,
        keep: Keep::default(),
        log: "off".to_owned(),
        demo: false,
        file: None,
        ignored: Vec::new(),
    }
}
