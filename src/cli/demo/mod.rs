//! `pdms serve --demo`: a server with simulated phones in a throw-away state directory, for a look around (contract 2).
//!
//! Nothing of it is a special case for the server: the content is made through the services as pages make it, the phones come over
//! the wire, and what happened before is told as the listeners tell it. Only the banner on every page knows.

mod content;
mod files;
mod fleet;
mod history;
mod organised;
mod resources;
mod software;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, HttpSocket, Layer};
use crate::domain::account::Secret;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::error::ServiceError;
use crate::services::setup::SetupError;
use crate::services::sign_in_link;
use crate::simulate::network::{Network, NetworkError};
use crate::startup::Application;
use fleet::Access;

/// Ports that are taken unless flags say otherwise.
const HTTPS_PORT: u16 = 8443;
const HTTP_PORT: u16 = 8080;

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No place for the throw-away state.
    #[error("no throw-away state directory can be made")]
    Folder(#[source] io::Error),
    /// An address that others could reach.
    #[error("{0} could be reached from other machines; a demo listens on loopback addresses only, such as 127.0.0.1:8443")]
    NotLoopback(SocketAddr),
    /// The content is refused.
    #[error("the demo cannot be set up")]
    Setup(#[from] SetupError),
    /// The state cannot be read or written.
    #[error(transparent)]
    State(#[from] ServiceError),
    /// The phones have no network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The phones cannot be started.
    #[error("the simulated phones cannot be started")]
    Phones(#[source] io::Error),
}

/// The throw-away state of a demo. Dropped, it is gone.
#[derive(Debug)]
pub struct Demo(TempDir);

/// The phones of a demo. Dropped, they stop.
#[derive(Debug)]
pub struct Phones {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// How the person at the terminal gets in.
#[derive(Debug)]
pub struct WayIn {
    /// Signs in once.
    pub link: String,
    /// The owner's password: asked for before secrets are shown.
    pub password: Secret,
}

impl Demo {
    /// Makes the throw-away state directory.
    pub fn begin() -> Result<Self, DemoError> {
        tempfile::Builder::new().prefix("pdms-demo-").tempdir().map(Self).map_err(DemoError::Folder)
    }

    /// Flags of a demo: the state directory is its own, and so are the addresses unless they were given.
    pub fn flags(&self, given: Layer) -> Layer {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Layer {
            state: Some(self.state()),
            https: given.https.or(Some(local(HTTPS_PORT))),
            http: given.http.or(Some(HttpSocket(Some(local(HTTP_PORT))))),
            ..given
        }
    }

    fn state(&self) -> std::path::PathBuf {
        self.0.path().join("state")
    }

    /// Makes the settings those of a demo: reached under its own address, with its own certificate, from this machine.
    pub fn confine(&self, config: Config) -> Result<Config, DemoError> {
        let sockets = [Some(config.https), config.http];
        match sockets.into_iter().flatten().find(|address| !address.ip().is_loopback()) {
            Some(address) => Err(DemoError::NotLoopback(address)),
            None => Ok(Config { demo: true, public_url: None, certificate: None, ..config }),
        }
    }

    /// Fills the server, lets the phones come, and answers how to sign in.
    pub fn fill(&self, application: &Application) -> Result<(WayIn, Phones), DemoError> {
        let services = application.services();
        let https = application.https_address();
        let seeded = content::seed(&services, &https.ip().to_string())?;
        application.refresh_address()?;
        let endpoints = Arc::clone(&services.world(DEFAULT_ACCOUNT)?.endpoints);
        let link = format!("{}admin/sign-in/link?token={}", endpoints.https_url, sign_in_link::issue(&services, seeded.owner.id));
        let authority = endpoints.ca_pem.as_ref().and_then(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).ok());
        let network = Network::new(&endpoints.https_url, authority.map(|der| der.to_vec()).into_iter().collect())?;
        let access = Access { server: endpoints.https_url.clone(), credentials: seeded.credentials };
        Ok((WayIn { link, password: seeded.password }, Phones::start(access, network)?))
    }
}

impl Phones {
    /// On a thread of their own: what they do must not wait for the server, nor the server for them.
    fn start(access: Access, network: Network) -> Result<Self, DemoError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(DemoError::Phones)?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let live = move || {
            runtime.block_on(stopped.run_until_cancelled(fleet::live(access, Arc::new(network))));
        };
        let thread = std::thread::Builder::new().name("demo-phones".to_owned()).spawn(live).map_err(DemoError::Phones)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was printed when it happened.
            let _ = thread.join();
        }
    }
}
