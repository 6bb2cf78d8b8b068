//! `pdms ca`: one private CA taking the place of another, while the server runs or without it.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::failed;
use super::verbs::StateArguments;
use crate::services::rollover::Step;
use crate::web::local::{Answer, Request};

/// Replace the private CA: each phone is given both until all have the new one
///
/// Phones that have not come for 90 days are not waited for: they must be given the new CA by hand when they come back. A phone that was
/// told our HTTPS address over plain HTTP and is not let in is waited for 14 days; let it in, block it or do not wait for it on the pages.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say how far it is, and who is waited for
    Show {
        #[command(flatten)]
        state: StateArguments,
    },
    /// Make a new CA and give phones both
    Start {
        /// You know that nothing that phones need lies in the platform certificate that the new CA takes, such as a CA for 802.1X
        #[arg(long)]
        place_is_free: bool,
        #[command(flatten)]
        state: StateArguments,
    },
    /// Sign the server's certificate with the new CA; by itself once every phone has fetched both
    Switch {
        /// You know who is not ready and would be lost
        #[arg(long)]
        even_if_lost: bool,
        #[command(flatten)]
        state: StateArguments,
    },
    /// Give phones the new CA alone; by itself once every phone has come under it
    ///
    /// Make a backup afterwards: one from before the new CA signed brings the old one back, which phones no longer trust then.
    End {
        /// You know who has not come under the new CA yet
        #[arg(long)]
        even_if_lost: bool,
        #[command(flatten)]
        state: StateArguments,
    },
    /// Keep the old CA, while it still signs
    Cancel {
        #[command(flatten)]
        state: StateArguments,
    },
}

/// What is to be known once phones are given the new CA alone.
const AFTER_THE_END: &str = "make a backup now: one from before the new CA signed would bring the old one back, which phones no longer \
                             trust";

/// Runs the verb.
pub fn run(arguments: Arguments) -> ExitCode {
    match run_verb(arguments.verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&*error),
    }
}

fn run_verb(verb: Verb) -> Result<(), Box<dyn Error>> {
    let (state, request) = match verb {
        Verb::Show { state } => (state, Request::ShowCa),
        Verb::Start { place_is_free, state } => (state, Request::StepCa { step: Step::Start, known: place_is_free }),
        Verb::Switch { even_if_lost, state } => (state, Request::StepCa { step: Step::Switch, known: even_if_lost }),
        Verb::End { even_if_lost, state } => (state, Request::StepCa { step: Step::End, known: even_if_lost }),
        Verb::Cancel { state } => (state, Request::StepCa { step: Step::Cancel, known: false }),
    };
    let is_end = matches!(request, Request::StepCa { step: Step::End, .. });
    if let Answer::Lines(lines) = state.ask(request)? {
        if is_end {
            writeln!(std::io::stderr(), "note: {AFTER_THE_END}")?;
        }
        let mut out = std::io::stdout().lock();
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(())
}
