//! A server in this process: HTTPS on a free port, a state directory of its own, a clock set by hand.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, mpsc};

use actix_web::web::{self, Data};
use actix_web::{App, middleware};
use jiff::Timestamp;
use pdms::domain::access::Actor;
use pdms::domain::account::{BaseSettings, Secret};
use pdms::domain::deployment::Place;
use pdms::domain::device_list::Listed;
use pdms::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use pdms::domain::names::Name;
use pdms::domain::parameter::ParameterName;
use pdms::domain::profile::draft::ProfileDraft;
use pdms::domain::server::GivenCertificates;
use pdms::domain::world::{Endpoints, World};
use pdms::services::accounts::{self, AccountDraft, TimeDraft};
use pdms::services::address::Address;
use pdms::services::certificates::{Certificates, ServerNames};
use pdms::services::clock::Clock;
use pdms::services::commit::Mode;
use pdms::services::deployment::{self, Target};
use pdms::services::devices::{self, Afterwards};
use pdms::services::profiles;
use pdms::services::setup::{self, Opener, SetupDraft};
use pdms::services::users::UserDraft;
use pdms::services::{Opening, Services, presence};
use pdms::store::Faults;
use pdms::web::listener::{self, TimeLimits};
use pdms::web::pace::pace_bodies;
use pdms::web::phone::{self, Door, PhoneSettings, handshake};
use pdms::web::tls::Tls;
use pdms::web::{admin, api};

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
    /// What it works with.
    pub services: Arc<Services>,
    /// Its clock: 22 November 2026, noon, until it is advanced.
    pub clock: Clock,
    /// Its disk's failures.
    pub faults: Arc<Faults>,
    /// Where it keeps everything.
    pub dir: tempfile::TempDir,
    stop: actix_server::ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Starts with the usual settings.
    pub fn start() -> Self {
        Self::start_with(PhoneSettings::default())
    }

    /// Starts with settings of the test.
    pub fn start_with(settings: PhoneSettings) -> Self {
        let server = Self::start_unset(settings);
        setup::complete(&server.services, Opener::CommandLine, &setup_draft()).expect("set up");
        server
    }

    /// Starts, and nobody has set it up yet.
    pub fn start_unset(settings: PhoneSettings) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        Self::open(dir, Clock::manual(noon()), Arc::default(), settings, 0)
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
        Stopped { dir, clock: self.clock.clone(), faults: Arc::clone(&self.faults), port: self.address.port() }
    }

    fn open(dir: tempfile::TempDir, clock: Clock, faults: Arc<Faults>, settings: PhoneSettings, port: u16) -> Self {
        let opening = Opening { state_dir: dir.path().join("state"), clock: clock.clone(), faults: Arc::clone(&faults) };
        let services = Arc::new(Services::open(opening).expect("the state opens"));
        let socket = listener::bind(SocketAddr::from(([127, 0, 0, 1], port))).expect("a free port");
        let address = socket.local_addr().expect("bound");
        let (stop, thread) = listen(&services, socket, settings);
        Self { address, services, clock, faults, dir, stop, thread: Some(thread) }
    }

    fn stop(&mut self) {
        drop(self.stop.stop(false));
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
        let draft = ProfileDraft { name: Name::parse(name).expect("a name"), description: String::new(), parameters };
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

    /// Lets time pass.
    pub fn advance(&self, seconds: i64) {
        self.clock.advance_to(self.clock.now() + jiff::SignedDuration::from_secs(seconds));
    }

    /// Writes what phones told, as the server does twice a second.
    pub fn flush(&self) {
        presence::flush(&self.services).expect("the disk is well");
    }
}

/// A server that does not run.
pub struct Stopped {
    dir: tempfile::TempDir,
    clock: Clock,
    faults: Arc<Faults>,
    port: u16,
}

impl Stopped {
    /// Starts it on what it kept, with the usual settings.
    pub fn started(self) -> Server {
        Server::open(self.dir, self.clock, self.faults, PhoneSettings::default(), self.port)
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

/// Certificates of all servers of this process: making an RSA key takes longer than most tests.
fn shared_certificates() -> &'static (tempfile::TempDir, Arc<Certificates>) {
    static MADE: OnceLock<(tempfile::TempDir, Arc<Certificates>)> = OnceLock::new();
    MADE.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let names = ServerNames::new(&["localhost".to_owned()], "localhost", [[127, 0, 0, 1].into()]);
        let made = Certificates::open(&dir.path().join("certificates"), None, GivenCertificates::default(), &names, noon())
            .expect("made");
        (dir, Arc::new(made))
    })
}

fn listen(
    services: &Arc<Services>,
    socket: std::net::TcpListener,
    settings: PhoneSettings,
) -> (actix_server::ServerHandle, std::thread::JoinHandle<()>) {
    let certificates = Arc::clone(&shared_certificates().1);
    let port = socket.local_addr().expect("bound").port();
    let ca_pem = certificates.active().ca_pem.clone();
    services.set_endpoints(Endpoints { https_url: format!("https://localhost:{port}/"), http_url: None, ca_pem });
    let tls = Tls::new(certificates, handshake::sink(Arc::clone(services))).expect("settings that rustls takes");
    let address = Data::new(Address::new(Arc::clone(&shared_certificates().1), None, SocketAddr::from(([127, 0, 0, 1], port))));
    let (door, services) = (Data::new(Door::new(services, settings)), Data::from(Arc::clone(services)));
    let (started, handle) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                App::new()
                    .app_data(services.clone())
                    .app_data(door.clone())
                    .app_data(address.clone())
                    .app_data(Data::new(TimeLimits::default()))
                    .wrap(middleware::from_fn(pace_bodies))
                    .configure(|config| api::configure(config, &services))
                    .configure(|config| admin::configure(config, &services))
                    .default_service(web::to(phone::answer))
            };
            let server = listener::listen(listener::server(2), socket, Some(tls), TimeLimits::default(), app);
            let server = server.expect("listens").run();
            started.send(server.handle()).expect("the test waits");
            server.await.expect("ends well");
        });
    });
    (handle.recv().expect("the server starts"), thread)
}
