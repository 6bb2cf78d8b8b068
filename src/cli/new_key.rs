//! `pdms new-key`: another key file, with everything that is sealed sealed anew.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use super::failed;
use super::verbs::StateArguments;
use crate::domain::access::Actor;
use crate::services::clock::Clock;
use crate::services::{Opening, Services, new_key};

/// Make another key file and seal everything with it; the server must not run
///
/// For when others may have seen the key file secret.key, such as in a lost copy. Passwords, second factors and the files of phones are
/// sealed anew; phones keep their credentials and notice nothing; API tokens go on; people sign in again. It is all done or nothing is,
/// also if it is interrupted.
///
/// What others have read with the old key they know: change the shared credentials as leaked, and SIP passwords in your PBX. Backups from
/// before still restore; those without a passphrase hold the old key with everything that it opens.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    state: StateArguments,
}

/// Runs the verb.
pub fn run(arguments: Arguments) -> ExitCode {
    match new_key(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&*error),
    }
}

fn new_key(Arguments { state }: Arguments) -> Result<(), Box<dyn Error>> {
    let config = state.config()?;
    if !config.state.exists() {
        return Err(format!("there is no state directory {}; name it with --state", config.state.display()).into());
    }
    let open = || Services::open_used(Opening::new(&config.state, Clock::system()));
    let copies = new_key::renew(open()?, &Actor::CommandLine)?;
    // Opens everything with the new key and removes what only the old one opened.
    drop(open()?);
    let mut err = std::io::stderr().lock();
    writeln!(err, "Everything is sealed with a new key in {}.", config.state.join("secret.key").display())?;
    for copy in copies {
        writeln!(err, "The old key still opens {}, a copy from before a newer version; delete it.", copy.display())?;
    }
    writeln!(err, "Make a backup now: those from before bring the old key back, and without a passphrase they hold it.")?;
    Ok(())
}
