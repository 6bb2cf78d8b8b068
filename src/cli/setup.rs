//! `pdms setup --from FILE`: what the set-up page does, unattended (contract 2).

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;

use super::failed;
use super::verbs::StateArguments;
use crate::domain::account::{BaseSettings, Secret};
use crate::services::accounts::offer_credentials;
use crate::services::certificates::ServerNames;
use crate::services::secrets::random_text;
use crate::services::setup::{OFFERED_TIME_SERVER, OFFERED_TIME_ZONE};
use crate::web::local::{Request, SetUp};

/// Characters of a password that is made for the owner: 110 bits.
const OWNER_PASSWORD_CHARS: usize = 20;

/// Set the server up once, unattended, before it runs or while it runs
///
/// The file is TOML: [owner] name, email, password; [provisioning] user, password; [server] public_name, time_zone, time_server,
/// base = "manage" or "serve-only". Only the owner's name and e-mail are needed. Passwords that are left out are made at random
/// and printed, as TOML, on stdout.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The answers
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    state: StateArguments,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    owner: Owner,
    #[serde(default)]
    provisioning: Provisioning,
    #[serde(default)]
    server: Server,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owner {
    name: String,
    email: String,
    password: Option<Secret>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provisioning {
    user: Option<String>,
    password: Option<Secret>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    public_name: Option<String>,
    time_zone: Option<String>,
    time_server: Option<String>,
    #[serde(default)]
    base: Base,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Base {
    #[default]
    Manage,
    ServeOnly,
}

/// Runs the verb.
pub fn run(arguments: Arguments) -> ExitCode {
    match set_up(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&*error),
    }
}

fn set_up(Arguments { from, state }: Arguments) -> Result<(), Box<dyn Error>> {
    let shown = from.display();
    let text = std::fs::read_to_string(&from).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let answers: Answers = toml::from_str(&text).map_err(|error| format!("{shown} is not usable: {error}"))?;
    let mut made = toml::Table::new();
    let set_up = complete(answers, &mut made);
    state.ask(Request::Setup(set_up))?;
    let mut err = std::io::stderr().lock();
    writeln!(err, "pdms is set up.")?;
    if !made.is_empty() {
        writeln!(err, "These were made at random; keep them:")?;
        write!(std::io::stdout(), "{made}")?;
    }
    Ok(())
}

/// Puts the page's defaults where the file says nothing, and notes in `made` what was made at random.
fn complete(answers: Answers, made: &mut toml::Table) -> SetUp {
    let Answers { owner, provisioning, server } = answers;
    let (offered_user, offered_password) = offer_credentials();
    let note = |made: &mut toml::Table, table: &str, key: &str, value: &str| {
        let entry = made.entry(table).or_insert_with(|| toml::Table::new().into());
        if let Some(table) = entry.as_table_mut() {
            table.insert(key.to_owned(), value.into());
        }
    };
    let owner_password = owner.password.unwrap_or_else(|| {
        let password = random_text(OWNER_PASSWORD_CHARS);
        note(made, "owner", "password", &password);
        Secret::new(password)
    });
    let provisioning_user = provisioning.user.unwrap_or_else(|| {
        note(made, "provisioning", "user", &offered_user);
        offered_user
    });
    let provisioning_password = provisioning.password.unwrap_or_else(|| {
        note(made, "provisioning", "password", offered_password.expose());
        offered_password
    });
    SetUp {
        owner_name: owner.name,
        owner_email: owner.email,
        owner_password,
        provisioning_user,
        provisioning_password,
        public_name: server.public_name.unwrap_or_else(|| ServerNames::of_this_machine(&[]).best()),
        time_zone: server.time_zone.unwrap_or_else(|| OFFERED_TIME_ZONE.to_owned()),
        time_server: server.time_server.unwrap_or_else(|| OFFERED_TIME_SERVER.to_owned()),
        base: match server.base {
            Base::Manage => BaseSettings::MANAGE,
            Base::ServeOnly => BaseSettings::SERVE_ONLY,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_offered_and_what_is_random_is_told() {
        let answers: Answers = toml::from_str("[owner]\nname = \"Ada\"\nemail = \"ada@example.test\"\n").expect("enough");
        let mut made = toml::Table::new();
        let set_up = complete(answers, &mut made);
        assert_eq!(set_up.time_server, OFFERED_TIME_SERVER);
        assert_eq!(set_up.base, BaseSettings::MANAGE);
        assert_eq!(made["provisioning"]["user"].as_str(), Some(set_up.provisioning_user.as_str()));
        assert_eq!(made["owner"]["password"].as_str(), Some(set_up.owner_password.expose()));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = "[owner]\nname = \"Ada\"\nemail = \"ada@example.test\"\npasword = \"x\"\n";
        let error = toml::from_str::<Answers>(text).expect_err("misspelt").to_string();
        assert!(error.contains("line 4") && error.contains("pasword"), "{error}");
    }
}
