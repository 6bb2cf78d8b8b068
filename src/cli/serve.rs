//! `pdms serve`: runs the server and tells on stderr where it is reached.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::demo::{Demo, WayIn};
use super::{failed, logging};
use crate::config::{Config, HttpSocket, Layer, PublicUrl};
use crate::startup::{Application, Ended, Ground};

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
    /// Show a server with simulated phones, on this machine only; everything is gone when it stops
    #[arg(long, conflicts_with_all = ["state", "public_url"])]
    pub demo: bool,
}

/// Runs the verb.
pub fn run(arguments: Arguments) -> ExitCode {
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&*error),
    }
}

fn serve(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { state, config, https, http, public_url, demo } = arguments;
    let flags = Layer { state, https, http, public_url, ..Layer::default() };
    // Held until the end: with it the throw-away state goes.
    let demo = if demo { Some(Demo::begin()?) } else { None };
    let flags = match &demo {
        Some(demo) => demo.flags(flags),
        None => flags,
    };
    let mut config = Config::load(flags, config.as_deref(), std::env::vars())?;
    if let Some(demo) = &demo {
        config = demo.confine(config)?;
    }
    let log = logging::start(&config.log)?;
    for name in &config.ignored {
        tracing::warn!(name, "a variable that begins with PDMS_ is no setting: it is ignored");
    }
    raise_open_files();
    let state = config.state.clone();
    let application = Application::build(config, Ground::real())?;
    let filled = demo.as_ref().map(|demo| demo.fill(&application)).transpose()?;
    let greeting = greeting(&application, &state, filled.as_ref().map(|(way_in, _)| way_in));
    let on_ready = move || drop(std::io::stderr().write_all(greeting.as_bytes()));
    match actix_web::rt::System::new().block_on(application.run(log, on_ready))? {
        Ended::Stopped => Ok(()),
        Ended::Again => Err(start_again().into()),
    }
}

/// Puts the same program with the same arguments in place of this one: sockets, the lock of the state and all memory go with it, and a
/// service manager sees one process. Comes back only where that is impossible.
fn start_again() -> std::io::Error {
    use std::os::unix::process::CommandExt as _;
    std::process::Command::new("/proc/self/exe").args(std::env::args_os().skip(1)).exec()
}

/// Where to go next, for the person at the terminal. The only place where the set-up link is shown.
fn greeting(application: &Application, state: &Path, demo: Option<&WayIn>) -> String {
    let mut lines = vec!["pdms is running.".to_owned()];
    lines.extend(application.urls().iter().map(|url| format!("  Open      {url}")));
    if let Some(ca) = application.authority() {
        lines.push(format!("  CA        SHA-256 {} (private: browsers warn until they know it)", ca.fingerprint));
    }
    if let Some(address) = application.http_address() {
        lines.push(format!("  Also      plain HTTP on port {} (sends people to HTTPS)", address.port()));
    }
    if let Some(WayIn { link, password }) = demo {
        lines.push("  Demo      200 simulated phones come in now. Sign in with this link, once and within an hour:".to_owned());
        lines.push(format!("            {link}"));
        lines.push(format!("            Asked to confirm that it is you, give the password {}", password.expose()));
    } else if let Some(link) = application.setup_link() {
        lines.push("  Set it up with this link. It works once, and the next start prints another one:".to_owned());
        lines.push(format!("            {link}"));
    }
    if std::io::stderr().is_terminal() {
        lines.push("  Stop      Ctrl-C".to_owned());
    }
    let state = state.canonicalize().unwrap_or_else(|_| state.to_owned());
    let gone = if demo.is_some() { " (gone when this stops)" } else { "" };
    lines.push(format!("  State     {}{gone}", state.display()));
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
