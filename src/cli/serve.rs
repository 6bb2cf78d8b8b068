//! `pdms serve`: runs the server and tells on stderr where it is reached.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{failed, logging};
use crate::config::{Config, HttpSocket, Layer, PublicUrl};
use crate::services::clock::Clock;
use crate::startup::Application;

/// Run the server
///
/// Nothing needs to be given: the state directory, a private CA and the certificates are made at the first start.
#[derive(Debug, Args)]
pub struct Arguments {
    /// State directory [default: ./pdms-state]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE", env = "PDMS_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where HTTPS listens [default: 0.0.0.0:8443]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub https: Option<SocketAddr>,
    /// Where plain HTTP listens, or off [default: 0.0.0.0:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub http: Option<HttpSocket>,
    /// Address that phones and people use, where it is not the public name with our own port
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,
}

/// Runs the verb.
pub fn run(arguments: Arguments) -> ExitCode {
    let Arguments { state, config, https, http, public_url } = arguments;
    let flags = Layer { state, https, http, public_url, ..Layer::default() };
    let config = match Config::load(flags, config.as_deref(), std::env::vars()) {
        Ok(config) => config,
        Err(error) => return failed(&error),
    };
    let log = match logging::start(&config.log) {
        Ok(log) => log,
        Err(error) => return failed(&*error),
    };
    raise_open_files();
    let state = config.state.clone();
    let application = match Application::build(config, Clock::system()) {
        Ok(application) => application,
        Err(error) => return failed(&error),
    };
    let greeting = greeting(&application, &state);
    let on_ready = move || drop(std::io::stderr().write_all(greeting.as_bytes()));
    match actix_web::rt::System::new().block_on(application.run_until_stopped(log, on_ready)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// Where to go next, for the person at the terminal. The only place where the set-up link is shown.
fn greeting(application: &Application, state: &Path) -> String {
    let mut lines = vec!["pdms is running.".to_owned()];
    lines.extend(application.urls().iter().map(|url| format!("  Open      {url}")));
    if let Some(address) = application.http_address() {
        lines.push(format!("  Also      http://{address}/ (sends people to HTTPS)"));
    }
    if let Some(link) = application.setup_link() {
        lines.push("  Set it up with this link. It works once, and the next start prints another one:".to_owned());
        lines.push(format!("            {link}"));
    }
    if std::io::stderr().is_terminal() {
        lines.push("  Stop      Ctrl-C".to_owned());
    }
    let state = state.canonicalize().unwrap_or_else(|_| state.to_owned());
    lines.push(format!("  State     {}", state.display()));
    lines.join("\n") + "\n"
}

/// Every phone holds a connection: takes as many open files as the system lets us have.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is: with many phones it may be reached");
    }
}
