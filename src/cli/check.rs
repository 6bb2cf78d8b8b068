//! `pdms check`: what is wrong with the settings and the state, while the server runs and without it. Nothing is changed.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use super::failed;
use super::verbs::StateArguments;
use crate::services::addresses::Answered;
use crate::services::clock::Clock;
use crate::services::error::chain;
use crate::services::state_dir::StateDir;
use crate::services::{Services, check};
use crate::startup;
use crate::web::local::{self, Answer, Request};

/// Say what is wrong with the settings and the state, changing nothing
///
/// The exit status is 0 if nothing is wrong: the server could start, or runs, with what is there, and nothing of what it warns of is
/// urgent, such as a certificate that has expired or does not name the address that phones are told.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    state: StateArguments,
}

/// Runs the verb.
pub fn run(arguments: Arguments) -> ExitCode {
    match faults(arguments) {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            // Where stderr is closed, the exit status has to say it alone.
            let _ = faults.iter().try_for_each(|fault| writeln!(std::io::stderr(), "error: {fault}"));
            ExitCode::FAILURE
        }
        Err(error) => failed(&*error),
    }
}

fn faults(Arguments { state }: Arguments) -> Result<Vec<String>, Box<dyn Error>> {
    let config = state.config()?;
    for name in &config.ignored {
        writeln!(std::io::stderr(), "note: the variable {name} is no setting and is ignored")?;
    }
    let request = Request::Check { own: config.certificate.clone() };
    let faults = match local::ask(&StateDir::at(&config.state).admin_socket(), &request)? {
        Some(Answer::Faults(faults)) => faults,
        Some(Answer::Failed(reason)) => return Err(reason.into()),
        Some(_) => return Err("the running server does not understand this; are both of one version?".into()),
        None if !config.state.exists() => {
            return Err(format!("there is no state directory {}; name it with --state", config.state.display()).into());
        }
        None => {
            let services = Services::inspect(&config.state, Clock::system())?;
            let public = config.public_url.as_ref().map(|url| (url.host.clone(), url.port));
            let http = config.http.map(|socket| socket.port());
            // Certificates that cannot be used are told by themselves.
            let answered = Answered::configured(&services, config.certificate.as_ref(), config.https.port(), http, public).ok();
            let mut faults = check::faults(&services, config.certificate.as_ref(), answered.as_ref())?;
            faults.extend(startup::unavailable(&config).iter().map(|error| chain(error)));
            faults
        }
    };
    if faults.is_empty() {
        writeln!(std::io::stdout(), "nothing is wrong with {}", config.state.display())?;
    }
    Ok(faults)
}
