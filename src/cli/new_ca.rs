//! `pdms new-ca`: gives the private CA up on purpose, where it is lost or is to be replaced. The next start makes another one.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use super::failed;
use super::verbs::StateArguments;
use crate::domain::access::Actor;
use crate::services::certificates::give_up;
use crate::services::clock::Clock;
use crate::services::{Opening, Services};

/// Give the private CA up, so that the next start makes another one; the server must not run
///
/// Phones trust the CA that they were given: with another one, none of them comes back before it was given the new one, by hand
/// or by its old server. Put the folder certs back from a copy instead, if there is one. `pdms ca`
/// replaces a CA that is not lost.
#[derive(Debug, Args)]
pub struct Arguments {
    /// You know that every phone must be given the new CA before it comes back
    #[arg(long, required = true)]
    every_phone_needs_it: bool,
    #[command(flatten)]
    state: StateArguments,
}

/// Runs the verb.
pub fn run(arguments: Arguments) -> ExitCode {
    match new_ca(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&*error),
    }
}

fn new_ca(Arguments { state, .. }: Arguments) -> Result<(), Box<dyn Error>> {
    let config = state.config()?;
    if !config.state.exists() {
        return Err(format!("there is no state directory {}; name it with --state", config.state.display()).into());
    }
    let services = Services::open_used(Opening::new(&config.state, Clock::system()))?;
    let mut err = std::io::stderr().lock();
    if let Some(old) = give_up::private_ca(&services, &Actor::CommandLine)? {
        writeln!(err, "What was left of the certificates is kept in {}.", old.display())?;
    }
    writeln!(err, "The next start makes a new private CA. Give it to every phone: Provisioning Settings has it.")?;
    Ok(())
}
