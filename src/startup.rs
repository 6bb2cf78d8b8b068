//! Puts the parts together and runs them: the only wiring. The command line and the tests build the same [`Application`].

mod background;
mod signals;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use actix_server::ServerBuilder;
use actix_web::web::Data;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::services::address::Address;
use crate::services::certificates::facts::{self, Facts};
use crate::services::certificates::{CertificateError, Certificates, ServerNames};
use crate::services::clock::Clock;
use crate::services::error::{ServiceError, chain};
use crate::services::manufacturers::asking::Asker;
use crate::services::{Opening, Services, presence, server, setup};
use crate::store::Faults;
use crate::web::admin::session::Demo;
use crate::web::health::Stopping;
use crate::web::listener::{self, TimeLimits};
use crate::web::local::LocalSocket;
use crate::web::phone::{self, Door, PhoneSettings, handshake};
use crate::web::restart::Restart;
use crate::web::tls::Tls;
use crate::web::{Shared, http_app, https_app, plain};

use signals::Signals;

pub use signals::LogFilter;

/// A server that is bound and ready to run.
pub struct Application {
    config: Config,
    server: ServerBuilder,
    shared: Shared,
    https: SocketAddr,
    http: Option<SocketAddr>,
    setup_link: Option<String>,
    stop: CancellationToken,
    /// Held while the server runs; its file goes with it.
    local: LocalSocket,
}

/// What an application stands on besides its settings. Tests set the time and let the disk fail; everything else is the same.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The clock.
    pub clock: Clock,
    /// For tests: failures of the disk.
    pub faults: Arc<Faults>,
}

impl Ground {
    /// The system's clock, and a disk that fails only by itself.
    pub fn real() -> Self {
        Self { clock: Clock::system(), faults: Arc::default() }
    }
}

/// Why a server cannot start. Shown as one sentence with its causes; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A socket cannot be had.
    #[error("cannot listen on {address} for {what}; stop the program that does, or choose another address with {flag}")]
    Listen {
        /// HTTPS or HTTP.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// The flag that chooses another address.
        flag: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The state cannot be opened or used.
    #[error(transparent)]
    State(#[from] ServiceError),
    /// The certificates cannot be read or made.
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The admin socket cannot be made.
    #[error("cannot open the admin socket {}", path.display())]
    Local {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server broke off.
    #[error("the server cannot run")]
    Run(#[from] io::Error),
}

/// What is to be done after a server has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing: it was told to stop.
    Stopped,
    /// Start it again: a restored state waits to be put in place.
    Again,
}

/// Stops a running server from elsewhere: in-flight requests are finished first.
#[derive(Clone, Debug)]
pub struct Stopper(CancellationToken);

impl Stopper {
    /// Begins to stop.
    pub fn stop(&self) {
        self.0.cancel();
    }
}

impl Application {
    /// Binds the sockets, opens the state and makes what is missing of it. Sockets come first: where they cannot be had, nothing
    /// was changed (FLT-05).
    ///
    /// # Errors
    /// One sentence with the next step.
    pub fn build(config: Config, ground: Ground) -> Result<Self, StartError> {
        // An error means that a provider is installed already: that of another server of this process, which is the same.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let https_socket = bind_https(&config)?;
        let http_socket = bind_http(&config).transpose()?;
        let https = https_socket.local_addr()?;
        let http = http_socket.as_ref().map(TcpListener::local_addr).transpose()?;

        let Ground { clock, faults } = ground;
        let own_certificate = config.certificate.clone();
        let services = Data::new(Services::open(Opening { state_dir: config.state.clone(), clock, own_certificate, faults })?);
        services.images().leave_free(config.uploads.reserve_bytes);
        let address = Data::new(open_address(&config, &services, https, http)?);
        let local = open_local(&services, &address)?;
        let setup_link = setup::open_door(&services).map(|token| {
            let base = services.worlds().endpoints().https_url.clone();
            format!("{base}setup?token={}", token.expose())
        });
        let stop = CancellationToken::new();
        let shared = share(&config, services, address, Restart::new(stop.clone()));
        let tls = Tls::new(shared.address.certificates_handle(), handshake::sink(shared.services.clone().into_inner()))?
            .asking(Arc::new(Asker::new(shared.services.clone().into_inner())));
        let server = listen(&shared, https_socket, http_socket, tls)?;
        Ok(Self { config, server, shared, https, http, setup_link, stop, local })
    }

    /// Where HTTPS listens.
    pub fn https_address(&self) -> SocketAddr {
        self.https
    }

    /// Where plain HTTP listens; none where it is off.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http
    }

    /// The services, for whoever built this application to look behind the scenes.
    pub fn services(&self) -> Arc<Services> {
        self.shared.services.clone().into_inner()
    }

    /// Where it is reached, with its certificates.
    pub fn address(&self) -> Arc<Address> {
        self.shared.address.clone().into_inner()
    }

    /// The link that opens the set-up page; none once the server is set up. It is shown here and kept nowhere.
    pub fn setup_link(&self) -> Option<&str> {
        self.setup_link.as_deref()
    }

    /// Our private certificate authority, while it signs.
    pub fn authority(&self) -> Option<Facts> {
        facts::of_pem(self.shared.address.certificates().active().ca_pem.as_deref()?)
    }

    /// The addresses that people on this network can open, the public one first.
    pub fn urls(&self) -> Vec<String> {
        self.shared.address.urls(&self.shared.services)
    }

    /// Looks again under which address and name the server is reached: after it was set up.
    ///
    /// # Errors
    /// See [`Address::refresh`].
    pub fn refresh_address(&self) -> Result<(), ServiceError> {
        self.shared.address.refresh(&self.shared.services).map(|_| ())
    }

    /// What stops this application from elsewhere.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// Runs until [`Stopper::stop`], SIGTERM or SIGINT; then finishes what is in flight, writes what is in memory and returns.
    /// Answers whether it is to be started again. `on_ready` is called once signals are heard and connections are taken.
    ///
    /// # Errors
    /// The server broke off.
    pub async fn run(self, log: LogFilter, on_ready: impl FnOnce()) -> Result<Ended, StartError> {
        let signals = Signals::listen()?;
        let watching = signals.watch(self.config.clone(), self.shared.clone(), self.stop.clone(), log);
        let watching = actix_web::rt::spawn(watching);
        let ended = self.run_until_stopped(|| {
            signals::tell_ready();
            on_ready();
        });
        let ended = ended.await;
        watching.abort();
        ended
    }

    /// The same in a process that is not the server's own: signals are not heard, and do what they do to that process.
    ///
    /// # Errors
    /// The server broke off.
    pub async fn run_until_stopped(self, on_ready: impl FnOnce()) -> Result<Ended, StartError> {
        let Self { config, server, shared, stop, local, .. } = self;
        let drained = CancellationToken::new();
        let background = background::start(&shared, config.keep, drained.clone());
        let stopping = shared.stopping.clone();
        let begin = async move {
            stop.cancelled().await;
            stopping.begin();
        };
        let running = server.shutdown_signal(begin).run();
        on_ready();
        let ended = running.await;
        drained.cancel();
        background.wait().await;
        drop(local);
        if let Err(error) = presence::close(&shared.services) {
            tracing::error!(error = chain(&error), "what phones told last could not be written");
        }
        ended?;
        Ok(if shared.restart.is_wanted() { Ended::Again } else { Ended::Stopped })
    }
}

/// Which sockets of these settings no server could have now: another program has the port, or this machine has no such address. What
/// only whoever asks may not do is not told: the server may be another user.
pub fn unavailable(config: &Config) -> Vec<StartError> {
    let is_told = |error: &StartError| {
        let StartError::Listen { source, .. } = error else { return false };
        matches!(source.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable)
    };
    let refused = [bind_https(config).err(), bind_http(config).and_then(Result::err)];
    refused.into_iter().flatten().filter(is_told).collect()
}

fn bind_https(config: &Config) -> Result<TcpListener, StartError> {
    bind(config.https, "HTTPS", "--https ADDRESS:PORT")
}

fn bind_http(config: &Config) -> Option<Result<TcpListener, StartError>> {
    config.http.map(|address| bind(address, "HTTP", "--http ADDRESS:PORT or --http off"))
}

fn bind(address: SocketAddr, what: &'static str, flag: &'static str) -> Result<TcpListener, StartError> {
    listener::bind(address).map_err(|source| StartError::Listen { what, address, flag, source })
}

fn open_address(
    config: &Config,
    services: &Services,
    https: SocketAddr,
    http: Option<SocketAddr>,
) -> Result<Address, StartError> {
    let names = ServerNames::of_this_machine(&[]);
    let folder = services.state_dir().certificates();
    let given = server::settings(services)?.given;
    let certificates = Certificates::open(&folder, config.certificate.clone(), given, &names, services.clock().now())?;
    let fixed = config.public_url.as_ref().map(|url| (url.host.clone(), url.port));
    let address = Address::new(Arc::new(certificates), fixed, https, http);
    address.refresh(services)?;
    Ok(address)
}

fn open_local(services: &Data<Services>, address: &Data<Address>) -> Result<LocalSocket, StartError> {
    let path = services.state_dir().admin_socket();
    LocalSocket::open(&path, services.clone().into_inner(), address.clone().into_inner())
        .map_err(|source| StartError::Local { path, source })
}

fn share(config: &Config, services: Data<Services>, address: Data<Address>, restart: Restart) -> Shared {
    let phones = PhoneSettings {
        trusted_proxies: config.trusted_proxies.clone(),
        uploads: config.uploads,
        new_devices: config.new_devices,
    };
    Shared {
        door: Data::new(Door::new(&services, phones)),
        services,
        address,
        stopping: Data::new(Stopping::default()),
        restart: Data::new(restart),
        limits: Data::new(TimeLimits::default()),
        demo: config.demo.then(|| Data::new(Demo)),
    }
}

fn listen(shared: &Shared, https: TcpListener, http: Option<TcpListener>, tls: Tls) -> io::Result<ServerBuilder> {
    let limits = **shared.limits;
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let of_https = shared.clone();
    let expect = phone::expect(shared.services.clone(), shared.door.clone());
    let server = listener::listen(listener::server(workers), https, Some(tls), limits, expect, move || https_app(&of_https))?;
    match http {
        Some(socket) => {
            let of_http = shared.clone();
            let expect = plain::expect(shared.services.clone(), shared.door.clone());
            listener::listen(server, socket, None, limits, expect, move || http_app(&of_http))
        }
        None => Ok(server),
    }
}
