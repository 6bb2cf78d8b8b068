//! `pdms openapi`: the description of the API.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use crate::web::api;

/// Print the description of the API (OpenAPI 3.1, JSON)
#[derive(Debug, Args)]
pub struct Arguments {}

/// Runs the verb.
pub fn run(_: &Arguments) -> ExitCode {
    let text = match api::description().to_pretty_json() {
        Ok(text) => text,
        Err(error) => return super::failed(&error),
    };
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
