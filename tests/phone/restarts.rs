//! A phone that starts anew does not wait for two minutes of silence: its next boot is a run of its own, and no ordinary boot of
//! any model is two (contract 1).

use std::path::Path;

use pdms::domain::device::DeviceKey;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::run::verdict::Outcome;
use pdms::domain::run::{Reason, RunKind};
use pdms::services::{presence, runs};
use pdms::simulate::boot::{Errand, Log, Program, Step};
use pdms::simulate::models::MODELS;

use crate::support::phone::Phone;
use crate::support::server::Server;

/// One request as it goes over the wire: method, path, User-Agent.
type Line = (&'static str, String, String);

/// Sends the requests of one boot or poll, each first without credentials, a second after the other.
fn play(server: &Server, lines: &[Line]) {
    for (method, path, agent) in lines {
        let phone = Phone::new(server).with("User-Agent", agent);
        let body = (*method == "PUT").then_some(&b"<a/>"[..]);
        assert_eq!(phone.clone().without_credentials().ask(method, path, body).status, 401);
        phone.ask(method, path, body);
        server.advance(1);
    }
    presence::settle(&server.services);
}

/// Kind and outcome of each run of a device, oldest first, once all have ended.
fn runs_of(server: &Server, mac: &str) -> Vec<(RunKind, Outcome)> {
    server.advance(200);
    server.flush();
    let key: DeviceKey = mac.parse().expect("a MAC");
    let mut listed = runs::of_device(&server.services, DEFAULT_ACCOUNT, &key).expect("listed");
    listed.reverse();
    for one in &listed {
        let challenges = one.run.exchanges.iter().filter(|one| one.reason == Reason::CredentialsMissing).count();
        assert_eq!(challenges * 2, one.run.exchanges.len(), "{mac}: each challenge is in the run of its request");
    }
    listed.iter().map(|one| (one.run.kind, one.verdict().outcome)).collect()
}

fn is_start(line: &Line) -> bool {
    line.2.contains("Type/Updater") || line.2.contains("4.4.0.0423")
}

/// One boot alone, two without a pause, and a poll between: as many runs as the Updater began, and each as complete as alone.
fn holds_for(server: &Server, name: &str, boot: impl Fn(u8) -> Vec<Line>, mac: impl Fn(u8) -> String) {
    let alone = |number: u8| {
        play(server, &boot(number));
        runs_of(server, &mac(number))
    };
    let whole = alone(1);
    assert_eq!(whole.len(), 1, "{name}: an ordinary boot is one run");
    let starts = boot(1).iter().any(is_start);
    assert_eq!(whole[0].0 == RunKind::Boot, starts, "{name}");
    // It runs, and comes once more.
    assert_eq!(alone(1).len(), 2, "{name}");
    for times in [2, 3] {
        let number = times;
        (0..times).for_each(|_| play(server, &boot(number)));
        let expected = if starts { vec![whole[0]; usize::from(times)] } else { whole.clone() };
        assert_eq!(runs_of(server, &mac(number)), expected, "{name}: {times} boots without a pause");
    }
    let poll: Vec<_> = boot(4).into_iter().filter(|line| !is_start(line) && line.0 == "GET").collect();
    play(server, &boot(4));
    play(server, &poll);
    assert_eq!(runs_of(server, &mac(4)), whole, "{name}: a poll right after the boot belongs to it");
}

/// The requests of a simulated model.
fn lines_of(steps: &[Step], mac: &str, agent: impl Fn(Program) -> String) -> Vec<Line> {
    let line = |step: &Step| {
        let (method, path) = match step.errand {
            Errand::Master => ("GET", format!("/{mac}.cfg")),
            Errand::Image => ("GET", format!("/{mac}.sip.ld")),
            Errand::Files => ("GET", format!("/{mac}-profile.cfg")),
            Errand::PhoneOverrides => ("GET", format!("/{mac}-phone.cfg")),
            Errand::WebOverrides => ("GET", format!("/{mac}-web.cfg")),
            Errand::CloudOverrides => ("GET", format!("/{mac}-cloud.cfg")),
            Errand::SiteLicence => ("GET", "/000000000000-license.cfg".to_owned()),
            Errand::OwnLicence => ("GET", format!("/{mac}-license.cfg")),
            Errand::Calls => ("GET", format!("/{mac}-calls.xml")),
            Errand::Directory => ("GET", format!("/{mac}-directory.xml")),
            Errand::LogLength => ("HEAD", format!("/{mac}{}", Log::App.suffix())),
            Errand::Log(log) => ("PUT", format!("/{mac}{}", log.suffix())),
            Errand::UploadPhoneOverrides => ("PUT", format!("/{mac}-phone.cfg")),
            Errand::UploadWebOverrides => ("PUT", format!("/{mac}-web.cfg")),
        };
        (method, path, agent(step.program))
    };
    steps.iter().map(line).collect()
}

#[test]
fn the_boots_of_every_model_are_a_run_each_with_and_without_a_pause() {
    let server = Server::start();
    for (index, model) in MODELS.iter().enumerate() {
        let mac = |number: u8| model.mac(u32::try_from(index).expect("few") * 16 + u32::from(number)).to_string();
        let agent = |program| {
            let (version, kind) = match program {
                Program::Updater => (model.updater, "Updater"),
                Program::Application => (model.application, "Application"),
            };
            let kind = if model.names_program { format!(" Type/{kind}") } else { String::new() };
            format!("FileTransport {}/{version}{kind}", model.agent)
        };
        holds_for(&server, model.name, |number| lines_of(model.boot, &mac(number), agent), mac);
    }
}

#[test]
fn so_are_those_that_real_phones_were_seen_to_send() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/transcripts");
    if !folder.is_dir() {
        println!("skipped: no recordings in {}", folder.display());
        return;
    }
    let server = Server::start();
    let mut played = 0;
    for file in std::fs::read_dir(folder).expect("readable") {
        let path = file.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("a recording");
        let said = |what: &str| text.lines().find_map(|line| line.strip_prefix(&format!("# {what}\t"))).expect("in its head");
        let (first, agent) = (said("mac"), said("ua"));
        // A browser is no device.
        if first == "000000000000" {
            continue;
        }
        played += 1;
        let mac = |number: u8| format!("{}{played:x}{number:x}", &first[..10]);
        let recorded = |number: u8| {
            let mac = mac(number);
            let steps = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            let line = |step: &str| {
                let columns: Vec<_> = step.split('\t').collect();
                let (program, version) = columns[2].split_once('=').expect("a program with its version");
                let path = match columns[1] {
                    "@image" => format!("/{mac}.sip.ld"),
                    "@files" => format!("/{mac}-profile.cfg"),
                    path => path.replace("{mac}", &mac).replace("{MAC}", &mac.to_uppercase()),
                };
                let method = ["GET", "HEAD", "PUT"].into_iter().find(|method| *method == columns[0]).expect("a method");
                let agent = agent.replace("{version}", version).replace("{program}", program).replace("{mac}", &mac);
                (method, path, agent)
            };
            steps.map(line).collect::<Vec<_>>()
        };
        holds_for(&server, &path.display().to_string(), recorded, mac);
    }
    assert!(played >= 8, "only {played} recordings were found");
}
