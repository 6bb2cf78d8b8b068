//! What the verbs that need the state have in common: they ask the running server, or open the state themselves.

use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{Config, ConfigError, Layer};
use crate::domain::account::Secret;
use crate::services::clock::Clock;
use crate::services::state_dir::StateDir;
use crate::services::{Opening, Services};
use crate::web::local::{self, Answer, Request};

/// Bytes in a password file or on stdin: more than any password.
const PASSWORD_INPUT_BYTES: u64 = 4 * 1024;

/// Which state directory a verb is about.
#[derive(Debug, Args)]
pub struct StateArguments {
    /// State directory [default: ./pdms-state]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE", env = "PDMS_CONFIG")]
    config: Option<PathBuf>,
}

impl StateArguments {
    /// The settings for that directory.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub fn config(self) -> Result<Config, ConfigError> {
        let flags = Layer { state: self.state, ..Layer::default() };
        Config::load(flags, self.config.as_deref(), std::env::vars())
    }

    /// Has a request answered, by the running server if there is one.
    ///
    /// # Errors
    /// The state cannot be opened; what the verb wanted could not be done.
    pub fn ask(self, request: Request) -> Result<Answer, Box<dyn Error>> {
        let config = self.config()?;
        let answer = match local::ask(&StateDir::at(&config.state).admin_socket(), &request)? {
            Some(answer) => answer,
            None if !config.state.exists() && !matches!(request, Request::Setup(_)) => {
                return Err(format!("there is no state directory {}; name it with --state", config.state.display()).into());
            }
            None => {
                let opening = Opening::new(&config.state, Clock::system());
                // Setting up is the one verb that may begin a state.
                let is_setup = matches!(request, Request::Setup(_));
                let services = if is_setup { Services::open(opening) } else { Services::open_used(opening) }?;
                local::answer(&services, request)
            }
        };
        match answer {
            Answer::Failed(reason) => Err(reason.into()),
            done => Ok(done),
        }
    }
}

/// A password from a file or from stdin, without the line end: never from a flag, which every user of the machine could read.
///
/// # Errors
/// It cannot be read, or there is none.
pub fn read_password(file: Option<&Path>) -> Result<Secret, Box<dyn Error>> {
    let mut text = String::new();
    match file {
        Some(path) => {
            let opened = std::fs::File::open(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
            opened.take(PASSWORD_INPUT_BYTES).read_to_string(&mut text)?;
        }
        None => drop(std::io::stdin().take(PASSWORD_INPUT_BYTES).read_to_string(&mut text)?),
    }
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err("no password was given; write it to stdin or name a file with --password-file".into());
    }
    Ok(Secret::new(password))
}
