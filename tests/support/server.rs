//! A server in this process: HTTPS on a free port, a state directory of its own, a clock set by hand.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};

use actix_web::web::{self, Data};
use actix_web::{App, middleware};
use jiff::Timestamp;
use pdms::domain::access::Actor;
use pdms::domain::account::{BaseSettings, Secret};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::world::{Endpoints, World};
use pdms::services::accounts::TimeDraft;
use pdms::services::certificates::{Certificates, ServerNames};
use pdms::services::clock::Clock;
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
        let dir = tempfile::tempdir().expect("a temporary directory");
        let clock = Clock::manual(noon());
        let faults = Arc::<Faults>::default();
        let opening = Opening { state_dir: dir.path().join("state"), clock: clock.clone(), faults: Arc::clone(&faults) };
        let services = Arc::new(Services::open(opening).expect("the state opens"));
        setup::complete(&services, Opener::CommandLine, &setup_draft()).expect("set up");
        let socket = listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let address = socket.local_addr().expect("bound");
        let (stop, thread) = listen(&services, socket, settings, dir.path().join("certificates"));
        Self { address, services, clock, faults, dir, stop, thread: Some(thread) }
    }

    /// The provisioning address.
    pub fn base(&self) -> String {
        format!("https://localhost:{}/", self.address.port())
    }

    /// The certificate that signed the server's.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("certificates/ca.pem")
    }

    /// The account's world as it is now.
    pub fn world(&self) -> Arc<World> {
        self.services.world(DEFAULT_ACCOUNT).expect("set up")
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

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = self.stop.stop(false);
        drop(stopped);
        if let Some(thread) = self.thread.take() {
            // A panic of the server's thread was printed; a second one here would hide the test's own.
            let _ = thread.join();
        }
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

fn setup_draft() -> SetupDraft {
    SetupDraft {
        owner: UserDraft { name: "Ada".to_owned(), email: OWNER_EMAIL.to_owned(), password: Secret::new(OWNER_PASSWORD) },
        provisioning_user: USER.to_owned(),
        provisioning_password: Secret::new(PASSWORD),
        public_name: "localhost".to_owned(),
        time: TimeDraft { time_zone: "Europe/Berlin".to_owned(), time_server: "pool.ntp.org".to_owned() },
        base: BaseSettings::MANAGE,
    }
}

fn listen(
    services: &Arc<Services>,
    socket: std::net::TcpListener,
    settings: PhoneSettings,
    certificates: PathBuf,
) -> (actix_server::ServerHandle, std::thread::JoinHandle<()>) {
    // Clients look at the real clock, so the certificate's life begins in the past of both.
    let names = ServerNames::new(&["localhost".to_owned()], "localhost", [[127, 0, 0, 1].into()]);
    let certificates = Arc::new(Certificates::open(&certificates, None, &names, services.clock().now()).expect("made"));
    let port = socket.local_addr().expect("bound").port();
    let ca_pem = certificates.active().ca_pem.clone();
    services.set_endpoints(Endpoints { https_url: format!("https://localhost:{port}/"), ca_pem });
    let tls = Tls::new(certificates, handshake::sink(Arc::clone(services))).expect("settings that rustls takes");
    let (door, services) = (Data::new(Door::new(services, settings)), Data::from(Arc::clone(services)));
    let (started, handle) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                App::new()
                    .app_data(services.clone())
                    .app_data(door.clone())
                    .app_data(Data::new(TimeLimits::default()))
                    .wrap(middleware::from_fn(pace_bodies))
                    .configure(|config| api::configure(config, &services))
                    .configure(|config| admin::configure(config, &services))
                    .default_service(web::to(phone::answer))
            };
            let server = listener::listen_https(listener::server(2), socket, tls, TimeLimits::default(), app);
            let server = server.expect("listens").run();
            started.send(server.handle()).expect("the test waits");
            server.await.expect("ends well");
        });
    });
    (handle.recv().expect("the server starts"), thread)
}
