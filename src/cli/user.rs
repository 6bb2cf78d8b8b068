//! `pdms user`: people who sign in, while the server runs or without it.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::failed;
use super::verbs::{StateArguments, read_password};
use crate::domain::user::Role;
use crate::web::local::{Answer, Request};

/// Add users, set passwords, list users
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a user; the password comes from stdin or a file
    Add {
        /// Shown name; an e-mail address stands for both
        name: String,
        /// E-mail to sign in with
        #[arg(long, value_name = "EMAIL")]
        email: Option<String>,
        /// viewer, operator, account-admin or owner
        #[arg(long, value_name = "ROLE", default_value = "owner")]
        role: Role,
        /// File that holds the password
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        state: StateArguments,
    },
    /// Set a user's password and end all sessions of that user; it comes from stdin or a file
    Password {
        /// E-mail or shown name
        name: String,
        /// File that holds the password
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        state: StateArguments,
    },
    /// List users: e-mail, name, time of adding, role, and `disabled` where that is so, separated by tabs
    List {
        #[command(flatten)]
        state: StateArguments,
    },
}

/// Runs the verb.
pub fn run(arguments: Arguments) -> ExitCode {
    match run_verb(arguments.verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&*error),
    }
}

fn run_verb(verb: Verb) -> Result<(), Box<dyn Error>> {
    match verb {
        Verb::Add { name, email, role, password_file, state } => {
            let (name, email) = match (email, name.split_once('@')) {
                (Some(email), _) => (name, email),
                (None, Some((local, _))) => (local.to_owned(), name),
                (None, None) => return Err("with which e-mail does this user sign in? Give it with --email".into()),
            };
            let password = read_password(password_file.as_deref())?;
            state.ask(Request::AddUser { name, email, role, password })?;
        }
        Verb::Password { name, password_file, state } => {
            let password = read_password(password_file.as_deref())?;
            state.ask(Request::SetPassword { user: name, password })?;
        }
        Verb::List { state } => {
            if let Answer::Users(users) = state.ask(Request::ListUsers)? {
                let mut out = std::io::stdout().lock();
                for user in users {
                    let state = if user.enabled { "" } else { "\tdisabled" };
                    writeln!(out, "{}\t{}\t{}\t{}{state}", user.email, user.name, user.created_at, user.role.word())?;
                }
            }
        }
    }
    Ok(())
}
