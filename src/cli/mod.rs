//! The command line: one file a verb.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub mod simulate;

/// Device management and provisioning server for Poly phones
#[derive(Debug, Parser)]
#[command(name = "pdms", version)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Simulate(simulate::Arguments),
}

/// Runs the command line and answers the process's exit status.
pub fn run() -> ExitCode {
    match CommandLine::parse().verb {
        Verb::Simulate(arguments) => simulate::run(&arguments),
    }
}
