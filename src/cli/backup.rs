//! `pdms backup` and `pdms restore` (contract 2).

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::failed;
use super::verbs::{StateArguments, read_password};
use crate::domain::access::Actor;
use crate::domain::account::Secret;
use crate::services::backup::{self, BackupError, Manifest, restore};
use crate::services::clock::Clock;
use crate::services::error::chain;
use crate::services::state_dir::StateDir;
use crate::services::{Opening, Services};
use crate::web::local::{self, Answer};

/// Write everything that the server keeps into one file, or verify such a file
///
/// It holds the database as it is at one moment, the key file, the private CA, certificates and what phones stored; not the logs that
/// phones uploaded, and no sessions. The server may run meanwhile. Without a passphrase the file opens every secret of the
/// installation: keep it where nobody else reads it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BackupArguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// The file to write; an older backup of that name is replaced once the new one is whole
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// File that holds a passphrase to encrypt the backup with
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    state: StateArguments,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check every byte of a backup and say what it holds; no server is needed
    Verify {
        /// The backup
        file: PathBuf,
        /// File that holds the passphrase, where the backup is encrypted
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
}

/// Restore a backup into an empty state directory
///
/// Nothing is put in place before all of it was checked. Phones go on by themselves if the server answers under the same name;
/// people sign in again.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// The backup
    file: PathBuf,
    /// File that holds the passphrase, where the backup is encrypted
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    state: StateArguments,
}

/// Runs `backup`.
pub fn run_backup(arguments: BackupArguments) -> ExitCode {
    let done = match arguments {
        BackupArguments { verb: Some(Verb::Verify { file, passphrase_file }), .. } => verify(&file, passphrase_file.as_deref()),
        BackupArguments { verb: None, file: Some(file), passphrase_file, state } => {
            make(&file, passphrase_file.as_deref(), state)
        }
        // The library asks for one of them.
        BackupArguments { verb: None, file: None, .. } => Err("name the file to write the backup to".into()),
    };
    done.map_or_else(|error| failed(&*error), |()| ExitCode::SUCCESS)
}

/// Runs `restore`.
pub fn run_restore(arguments: RestoreArguments) -> ExitCode {
    restore(arguments).map_or_else(|error| failed(&*error), |()| ExitCode::SUCCESS)
}

fn make(file: &Path, passphrase_file: Option<&Path>, state: StateArguments) -> Result<(), Box<dyn Error>> {
    let passphrase = passphrase(passphrase_file)?;
    let config = state.config()?;
    let socket = StateDir::at(&config.state).admin_socket();
    let name = std::path::absolute(file)?.display().to_string();
    let manifest = backup::to_file(file, passphrase.as_ref(), |out| {
        match local::ask_for_backup(&socket, &name, passphrase.as_ref(), out).map_err(BackupError::writing)? {
            Some(Answer::Done) => Ok(()),
            Some(Answer::Failed(reason)) => Err(BackupError::Told(reason)),
            Some(_) => Err(BackupError::Told("the running server does not understand this; are both of one version?".to_owned())),
            None if !config.state.exists() => {
                Err(BackupError::Told(format!("there is no state directory {}; name it with --state", config.state.display())))
            }
            None => {
                let services = Services::open_used(Opening {
                    own_certificate: config.certificate.clone(),
                    ..Opening::new(&config.state, Clock::system())
                })?;
                backup::hand_out(&services, &Actor::CommandLine, &name, passphrase.as_ref(), out).map(drop)
            }
        }
    })?;
    let mut err = std::io::stderr().lock();
    writeln!(err, "{} is written and verified: {}.", file.display(), told(&manifest))?;
    for lost in &manifest.lost_files {
        writeln!(err, "note: {lost} was lost before and is not in it")?;
    }
    if let Some(own) = &config.certificate
        && !own.certificate.starts_with(&config.state)
    {
        writeln!(err, "note: {} and its key lie outside of the state and are not in it", own.certificate.display())?;
    }
    if passphrase.is_none() {
        writeln!(
            err,
            "It is not encrypted: whoever reads it has every password and key of this installation. --passphrase-file encrypts."
        )?;
    }
    Ok(())
}

fn verify(file: &Path, passphrase_file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let passphrase = passphrase(passphrase_file)?;
    let manifest = backup::verify(&mut open(file)?, passphrase.as_ref()).map_err(with_flag)?;
    writeln!(std::io::stdout(), "{} is whole: {}", file.display(), told(&manifest))?;
    Ok(())
}

fn restore(arguments: RestoreArguments) -> Result<(), Box<dyn Error>> {
    let RestoreArguments { file, passphrase_file, state } = arguments;
    let passphrase = passphrase(passphrase_file.as_deref())?;
    let state = state.config()?.state;
    let mut opened = open(&file)?;
    let restored = restore::into_empty(&mut opened, passphrase.as_ref(), &state, Clock::system()).map_err(with_flag)?;
    let mut err = std::io::stderr().lock();
    writeln!(err, "{} is restored into {}: {}.", file.display(), state.display(), told(&restored.manifest))?;
    for fault in &restored.faults {
        writeln!(err, "note: {fault}")?;
    }
    let name = restored.manifest.public_name.as_deref().unwrap_or("the name of the old server");
    writeln!(err, "Start it with pdms serve --state {}, on a machine that phones reach under {name}.", state.display())?;
    writeln!(err, "The old server must not come back: two servers with the same phones contradict one another.")?;
    Ok(())
}

fn open(file: &Path) -> Result<File, Box<dyn Error>> {
    File::open(file).map_err(|error| format!("{} cannot be read: {error}", file.display()).into())
}

fn passphrase(file: Option<&Path>) -> Result<Option<Secret>, Box<dyn Error>> {
    file.map(|file| read_password(Some(file))).transpose()
}

/// The command line's next step where a backup is encrypted.
fn with_flag(error: BackupError) -> Box<dyn Error> {
    match error {
        BackupError::NeedsPassphrase => format!("{}: name a file that holds it with --passphrase-file", chain(&error)).into(),
        other => other.into(),
    }
}

fn told(manifest: &Manifest) -> String {
    let Manifest { version, made_at, schema, .. } = manifest;
    let name = manifest.public_name.as_deref().unwrap_or("no name yet");
    let devices = manifest.devices();
    format!(
        "{name}, {devices} devices, {} bytes, of {made_at}, by pdms {version} (database version {schema})",
        manifest.size_bytes()
    )
}
