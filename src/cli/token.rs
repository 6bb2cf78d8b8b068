//! `pdms token`: API tokens, while the server runs or without it.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::failed;
use super::verbs::StateArguments;
use crate::domain::user::Role;
use crate::web::local::{Answer, Request};

/// Make, list and revoke API tokens
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a token and print it, this once
    Create {
        /// What it is for
        name: String,
        /// viewer, operator, account-admin or owner
        #[arg(long, value_name = "ROLE")]
        role: Role,
        /// Days until it ends, at most 366 [default: 90]
        #[arg(long, value_name = "N")]
        days: Option<i64>,
        /// Let it see secrets and manage users, as far as its role goes
        #[arg(long = "reveal")]
        secrets: bool,
        #[command(flatten)]
        state: StateArguments,
    },
    /// List tokens: number, name, role, first characters, end, last use, and `secrets` where it sees them; separated by tabs
    List {
        #[command(flatten)]
        state: StateArguments,
    },
    /// Revoke a token: it ends at once
    Revoke {
        /// Name or number
        token: String,
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
    let mut out = std::io::stdout().lock();
    match verb {
        Verb::Create { name, role, days, secrets, state } => {
            if let Answer::Token(token) = state.ask(Request::CreateToken { name, role, days, secrets })? {
                writeln!(out, "{}", token.expose())?;
            }
        }
        Verb::List { state } => {
            if let Answer::Tokens(tokens) = state.ask(Request::ListTokens)? {
                for token in tokens {
                    let used = token.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
                    let secrets = if token.secrets { "secrets" } else { "" };
                    let (id, role, until) = (token.id, token.role.word(), token.expires_at);
                    writeln!(out, "{id}\t{}\t{role}\t{}\t{until}\t{used}\t{secrets}", token.name, token.prefix)?;
                }
            }
        }
        Verb::Revoke { token, state } => drop(state.ask(Request::RevokeToken { which: token })?),
    }
    Ok(())
}
