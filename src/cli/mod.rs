//! The command line: one file a verb.

mod backup;
mod ca;
mod check;
mod demo;
mod logging;
mod new_ca;
mod new_key;
mod openapi;
mod serve;
mod setup;
pub mod simulate;
mod token;
mod user;
mod verbs;
mod version;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::services::error::chain;

/// Device management and provisioning server for Poly phones
#[derive(Debug, Parser)]
#[command(name = "pdms", version)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Serve(serve::Arguments),
    Setup(setup::Arguments),
    Check(check::Arguments),
    Backup(backup::BackupArguments),
    Restore(backup::RestoreArguments),
    Ca(ca::Arguments),
    NewCa(new_ca::Arguments),
    NewKey(new_key::Arguments),
    User(user::Arguments),
    Token(token::Arguments),
    Simulate(simulate::Arguments),
    Openapi(openapi::Arguments),
    Version(version::Arguments),
}

/// Runs the command line and answers the process's exit status: 0 only on success, 2 for misuse.
pub fn run() -> ExitCode {
    match CommandLine::parse().verb {
        Verb::Serve(arguments) => serve::run(arguments),
        Verb::Setup(arguments) => setup::run(arguments),
        Verb::Check(arguments) => check::run(arguments),
        Verb::Backup(arguments) => backup::run_backup(arguments),
        Verb::Restore(arguments) => backup::run_restore(arguments),
        Verb::Ca(arguments) => ca::run(arguments),
        Verb::NewCa(arguments) => new_ca::run(arguments),
        Verb::NewKey(arguments) => new_key::run(arguments),
        Verb::User(arguments) => user::run(arguments),
        Verb::Token(arguments) => token::run(arguments),
        Verb::Openapi(arguments) => openapi::run(&arguments),
        Verb::Version(arguments) => version::run(&arguments),
        Verb::Simulate(arguments) => simulate::run(&arguments),
    }
}

/// Tells on stderr what failed, with its causes as one sentence, and answers the exit status for it.
fn failed(error: &dyn Error) -> ExitCode {
    // Where stderr is closed, the exit status has to say it alone.
    let _ = writeln!(std::io::stderr(), "error: {}", chain(error));
    ExitCode::FAILURE
}
