//! `pdms version`: what this program is.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use crate::web::health::VERSION;

/// Print name, version and commit
#[derive(Debug, Args)]
pub struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(arguments: &Arguments) -> ExitCode {
    let text = if arguments.json {
        serde_json::to_string(&VERSION).unwrap_or_default()
    } else {
        format!("{} {} ({})", VERSION.name, VERSION.version, VERSION.commit)
    };
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
