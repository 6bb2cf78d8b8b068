//! `pdms simulate`: boots simulated phones against a server on this machine and tells how they ended (contract 7).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::failed;
use crate::domain::mac::Mac;
use crate::simulate::faults::{Fault, UnknownFault};
use crate::simulate::fleet::{self, Plan};
use crate::simulate::fresh::Fresh;
use crate::simulate::models::{MODELS, Model, UnknownModel};
use crate::simulate::network::{Network, NetworkError};
use crate::simulate::rules::{RuleError, Rules};
use crate::simulate::statistics::Statistics;

/// Boot simulated phones against a server on this machine
///
/// The phones ask in the order that real ones do, restart when their configuration asks for it, and upload their logs. Each has
/// connections and, on IPv4, a loopback address of its own. The exit status is 0 only when all of them booted.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Provisioning address; only loopback addresses are taken
    #[arg(long, value_name = "URL", default_value = "https://127.0.0.1:8443/")]
    server: String,
    /// How many phones
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    phones: u32,
    /// How many are on their way at once
    #[arg(long, value_name = "N", default_value_t = 64)]
    concurrency: usize,
    /// User name of the shared credentials
    #[arg(long, value_name = "NAME", default_value = "PlcmSpIp")]
    user: String,
    /// File that holds the password of the shared credentials
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Certificate authority that the phones know, in PEM form: the server's own lies in its state directory
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Phones from the box: they know the address and PlcmSpIp, neither a CA (but that of --ca) nor the time, and go wherever
    /// the answers lead them; done is who has booted, polled and booted again with credentials of its own. The server takes it for
    /// bound two minutes later, when the last run has ended
    #[arg(long, conflicts_with_all = ["user", "password_file", "faults", "once", "poll"])]
    fresh: bool,
    /// Address that DHCP gives to phones from the box at every start, such as http://127.0.0.1:8080/; user:password@ may stand in it
    #[arg(long, value_name = "URL", requires = "fresh")]
    dhcp: Option<String>,
    /// How long phones from the box wait for somebody to let them in
    #[arg(long, value_name = "SECONDS", default_value_t = 0, requires = "fresh")]
    wait: u64,
    /// Models, separated by commas and taken in turn; `all` for one of each
    #[arg(long, value_name = "MODEL", value_delimiter = ',', default_value = "VVX411")]
    model: Vec<String>,
    /// MAC address of the first phone; the others count on from it
    #[arg(long, value_name = "MAC")]
    first_mac: Option<Mac>,
    /// Faults, separated by commas: each phone has one of them in turn in its first run, and then boots without.
    /// cut@N, half@N, hang-up@N and slow@N with the number of a request; power-cut in the middle of an image;
    /// wrong-password, unknown-authority, no-clock
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    faults: Vec<String>,
    /// Boot once (the default)
    #[arg(long, conflicts_with = "poll")]
    once: bool,
    /// Boot, then poll once as if the time for it had come
    #[arg(long)]
    poll: bool,
    /// Reading of a rule of the phones that nobody is sure of, such as 5=alternative; may be given several times
    #[arg(long, value_name = "N=READING")]
    rule: Vec<String>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Why nothing could be simulated.
#[derive(Debug, thiserror::Error)]
enum SimulateError {
    #[error("the file {0} cannot be read")]
    File(PathBuf, #[source] std::io::Error),
    #[error("the file {0} holds no certificate in PEM form")]
    Certificate(PathBuf),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Model(#[from] UnknownModel),
    #[error(transparent)]
    Fault(#[from] UnknownFault),
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error("the phones cannot be started")]
    Runtime(#[source] std::io::Error),
}

/// Runs the phones and prints how they ended. The status is 0 when all booted, 1 when some did not, 2 for misuse.
pub fn run(arguments: &Arguments) -> ExitCode {
    match simulate(arguments) {
        Ok(statistics) => {
            print(&statistics, arguments.json);
            if statistics.all_booted() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error @ (SimulateError::File(..) | SimulateError::Certificate(_) | SimulateError::Runtime(_))) => failed(&error),
        Err(misuse) => {
            failed(&misuse);
            ExitCode::from(2)
        }
    }
}

fn print(statistics: &Statistics, json: bool) {
    let text = if json {
        serde_json::to_string(statistics).expect("counts and texts are always JSON")
    } else {
        statistics.to_string().trim_end().to_owned()
    };
    // Whoever closed the stream does not want to read it.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn simulate(arguments: &Arguments) -> Result<Statistics, SimulateError> {
    let network = Network::new(&arguments.server, built_in(arguments.ca.as_deref())?)?;
    let plan = plan(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(SimulateError::Runtime)?;
    Ok(runtime.block_on(fleet::run(plan, Arc::new(network))))
}

fn built_in(file: Option<&Path>) -> Result<Vec<Vec<u8>>, SimulateError> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let text = std::fs::read(file).map_err(|error| SimulateError::File(file.to_owned(), error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).map(|der| der.map(|der| der.to_vec())).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| SimulateError::Certificate(file.to_owned()))
}

fn plan(arguments: &Arguments) -> Result<Plan, SimulateError> {
    let password = match &arguments.password_file {
        Some(file) => std::fs::read_to_string(file).map_err(|error| SimulateError::File(file.clone(), error))?,
        None => "PlcmSpIp".to_owned(),
    };
    let all = arguments.model.iter().any(|name| name == "all");
    let named = || arguments.model.iter().map(|name| Model::find(name)).collect::<Result<Vec<_>, _>>();
    let models = if all { MODELS.iter().collect() } else { named()? };
    Ok(Plan {
        server: arguments.server.clone(),
        credentials: (arguments.user.clone(), password.trim_end_matches(['\r', '\n']).to_owned()),
        models,
        phones: arguments.phones,
        first_mac: arguments.first_mac,
        concurrency: arguments.concurrency,
        faults: arguments.faults.iter().map(|text| text.parse::<Fault>()).collect::<Result<_, _>>()?,
        polls: arguments.poll,
        fresh: arguments.fresh.then(|| Fresh { dhcp: arguments.dhcp.clone(), wait: Duration::from_secs(arguments.wait) }),
        rules: arguments.rule.iter().try_fold(Rules::USUAL, |rules, text| rules.choose(text))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn failure(line: &[&str]) -> String {
        let line = Line::try_parse_from([&["simulate"], line].concat()).expect("flags of this verb");
        simulate(&line.arguments).expect_err("a refusal").to_string()
    }

    #[test]
    fn what_cannot_be_simulated_is_refused_with_a_sentence() {
        assert!(failure(&["--server", "https://192.0.2.7/"]).contains("only ever talk to loopback addresses"));
        assert!(failure(&["--model", "VVX999"]).contains("choose one of VVX411"));
        assert!(failure(&["--faults", "cut@3,fire"]).contains("“fire” is no fault"));
        assert!(failure(&["--rule", "4=alternative"]).contains("rule 4 has no second reading"));
        assert!(failure(&["--ca", "/nonexistent/ca.pem"]).contains("cannot be read"));
    }

    #[test]
    fn a_plan_follows_its_flags() {
        let line = [
            "simulate",
            "--phones",
            "7",
            "--model",
            "all",
            "--faults",
            "cut@3,no-clock",
            "--poll",
            "--first-mac",
            "0004F2C00000",
        ];
        let plan = plan(&Line::try_parse_from(line).expect("flags of this verb").arguments).expect("a plan");
        assert_eq!((plan.phones, plan.models.len(), plan.polls), (7, MODELS.len(), true));
        assert_eq!(plan.faults, [Fault::Cut(3), Fault::NoClock]);
    }

    #[test]
    fn phones_from_the_box_know_nothing_that_somebody_would_have_typed() {
        let parse = |line: &[&str]| Line::try_parse_from([&["simulate"], line].concat()).map(|line| line.arguments);
        let fresh = ["--fresh", "--dhcp", "http://127.0.0.1:8080/", "--wait", "60"];
        let plan = plan(&parse(&fresh).expect("flags of this verb")).expect("a plan");
        let wait = Duration::from_secs(60);
        assert_eq!(plan.fresh, Some(Fresh { dhcp: Some("http://127.0.0.1:8080/".to_owned()), wait }));
        for other in
            [&["--fresh", "--user", "phones"][..], &["--fresh", "--poll"], &["--dhcp", "http://127.0.0.1/"], &["--wait", "5"]]
        {
            assert!(parse(other).is_err(), "{other:?}");
        }
    }
}
