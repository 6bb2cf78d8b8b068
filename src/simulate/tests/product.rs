//! The product: at each single request of a boot or poll, each answer that the server gives in any of its states, and a cut connection,
//! under both readings of the rules that are not sure. Wherever it hits, a working phone must not end dead or with fewer parameters.
//!
//! A state either lasts for one request or begins with it and stays. Afterwards the server is well again, and the phone boots once more.

use jiff::Timestamp;

use super::given::{self, Files, LINE, boot};
use crate::simulate::files::Parameters;
use crate::simulate::memory::Layer;
use crate::simulate::phone::{Occasion, Phone};
use crate::simulate::rules::{Rule, Rules};
use crate::simulate::wire::{Answer, Method, Move, Reply, Request};

/// What the server answers at the request that is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The credentials were changed.
    Refusing,
    /// Provisioning is disabled, the device is held or refused, or something is broken inside: all of them 503.
    Unavailable,
    /// It restarts or is stopped, or the network ends the connection.
    Cut,
    /// An older state was restored: other values, an older copy of the overrides, no logs or directories.
    Restored,
    /// A profile lists one more file, which is not stored: 503 (contract 4).
    ListedMissing,
}

const STATES: [State; 5] = [State::Refusing, State::Unavailable, State::Cut, State::Restored, State::ListedMissing];

/// The rules whose reading a boot can meet; a poll meets [`Rule::PollOrder`] besides. The others speak of factory resets, DHCP, images and check-sync.
const MET: &[Rule] = &[
    Rule::FallbackMaster,
    Rule::FormerList,
    Rule::MissingFile,
    Rule::MissingOverrides,
    Rule::FlashRestart,
    Rule::FirstRequest,
    Rule::RefusedCredentials,
    Rule::IllFormedFile,
    Rule::RestartAtEnd,
];

/// The server as it is, and as an older copy of its state has it.
struct Server {
    present: Files,
    restored: Files,
    lacking: Files,
}

impl Server {
    /// A master with our file first and one of the administrator's own, overrides that the phone uploaded before, a directory.
    fn new(phone: &Phone) -> Self {
        let binding = r#"device.set="1" device.prov.tagSerialNo="1" device.prov.tagSerialNo.set="1""#;
        let profile = format!("{}-profile.cfg", phone.mac);
        let files = |timeout: &str| {
            let own = format!("{LINE} {binding} up.timeOut=\"{timeout}\"");
            let mut files =
                Files::of(phone, &[(&profile, &own), ("branch.cfg", "lcl.ml.lang=\"German_Germany\" up.timeOut=\"99\"")]);
            let overrides = format!("<PHONE_CONFIG><OVERRIDES up.backlight.idleIntensity=\"{timeout}\"/></PHONE_CONFIG>");
            files.put(&format!("{}-phone.cfg", phone.mac), &overrides);
            files.put(&format!("{}-web.cfg", phone.mac), &overrides);
            files
        };
        let mut present = files("2");
        present.put(&format!("{}-directory.xml", phone.mac), "<directory/>");
        let mut lacking = present.clone();
        lacking
            .put(&format!("{}.cfg", phone.mac), &format!(r#"<APPLICATION CONFIG_FILES="{profile}, branch.cfg, absent.cfg"/>"#));
        Self { present, restored: files("1"), lacking }
    }

    fn answer(&self, request: &Request) -> Answer {
        Self::of(&self.present, request)
    }

    /// `000000000000.cfg` is the phone's own master where its serial number tells which it is, else 503.
    fn of(files: &Files, request: &Request) -> Answer {
        if request.path == "/000000000000.cfg" && request.header("Authorization").is_some() {
            let agent = request.header("User-Agent").unwrap_or_default();
            return match agent.split("(SN:").nth(1).and_then(|rest| rest.split(')').next()) {
                Some(mac) => files.answer(&Request { path: format!("/{mac}.cfg"), ..request.clone() }),
                None => Reply::new(503, "").into(),
            };
        }
        files.answer(request)
    }

    fn in_state(&self, state: State, request: &Request) -> Answer {
        match state {
            State::Refusing => Reply::challenge().into(),
            State::Unavailable => Reply::new(503, "").into(),
            State::Cut => Answer::Cut,
            State::Restored if request.method == Method::Put => Reply::new(201, "").into(),
            State::Restored => Self::of(&self.restored, request),
            State::ListedMissing if request.path == "/absent.cfg" && request.header("Authorization").is_some() => {
                Reply::new(503, "").into()
            }
            State::ListedMissing => Self::of(&self.lacking, request),
        }
    }
}

/// A phone that has booted twice and works, with changes of its own that it has uploaded.
fn working(model: &str, rules: Rules) -> (Phone, Server) {
    let mut phone = given::phone(model, rules);
    let mut server = Server::new(&phone);
    boot(&mut phone, &server.present);
    // A change at the phone: uploaded in the second boot, and on the server from then on, in its older copy too.
    phone.change(Layer::Phone, "up.timeOut", "3");
    let name = format!("{}-phone.cfg", phone.mac);
    for files in [&mut server.present, &mut server.restored, &mut server.lacking] {
        files.put(&name, "<PHONE_CONFIG><OVERRIDES up.timeOut=\"3\" up.backlight.idleIntensity=\"2\"/></PHONE_CONFIG>");
    }
    let report = boot(&mut phone, &server.present);
    assert!(report.configured && !phone.is_dead(), "{model} works before anything happens");
    (phone, server)
}

/// Goes on with a run, with an answer for each request.
fn finish(phone: &mut Phone, mut answer: impl FnMut(&Request) -> Answer) {
    while let Some(Move::Send(request)) = phone.wants() {
        phone.take(answer(&request));
    }
    phone.end();
}

fn assert_unharmed(phone: &Phone, before: &Phone, had: &Parameters, what: &dyn Fn() -> String) {
    assert!(!phone.is_dead(), "dead: {}", what());
    let has = phone.memory.all();
    let lost: Vec<_> = had.keys().filter(|name| !has.contains_key(*name)).collect();
    assert!(lost.is_empty(), "lost {lost:?}: {}", what());
    assert_eq!(phone.memory.flash, before.memory.flash, "flash: {}", what());
}

/// Hits each single request of a run with each state, for one request and from there on; answers how many ways were walked.
fn walk_all(model: &str, occasion: Occasion, rules: Rules) -> usize {
    let (before, server) = working(model, rules);
    let had = before.memory.all();
    let mut phone = before.clone();
    assert!(phone.begin(occasion, Timestamp::UNIX_EPOCH));
    let mut ways = 0;
    while let Some(Move::Send(request)) = phone.wants() {
        for state in STATES {
            for stays in [false, true] {
                let what = || {
                    format!(
                        "{model} {occasion:?} {rules:?}: {state:?} (stays: {stays}) at {} {}",
                        request.method.as_str(),
                        request.path
                    )
                };
                let mut hit = phone.clone();
                hit.take(server.in_state(state, &request));
                finish(&mut hit, |request| if stays { server.in_state(state, request) } else { server.answer(request) });
                ways += 1;
                if hit.memory == before.memory {
                    continue;
                }
                assert_unharmed(&hit, &before, &had, &what);
                hit.begin(Occasion::Boot, Timestamp::UNIX_EPOCH);
                finish(&mut hit, |request| server.answer(request));
                assert_unharmed(&hit, &before, &had, &what);
                assert_eq!(hit.memory.all(), had, "afterwards: {}", what());
            }
        }
        phone.take(server.answer(&request));
    }
    phone.end();
    assert_unharmed(&phone, &before, &had, &|| format!("{model} with nothing happening"));
    ways
}

#[test]
fn no_answer_at_any_request_of_a_boot_harms_a_phone_under_any_reading() {
    let ways: usize = Rules::combinations(MET).map(|rules| walk_all("SPIP550", Occasion::Boot, rules)).sum();
    assert!(ways > 25_000, "{ways}");
}

#[test]
fn no_answer_at_any_request_of_a_poll_harms_a_phone_under_any_reading() {
    let short = Rules::combinations(MET);
    let long =
        Rules::combinations(&[]).chain(MET.iter().map(|rule| Rules::USUAL.with(*rule))).map(|rules| rules.with(Rule::PollOrder));
    let ways: usize = short.chain(long).map(|rules| walk_all("VVX411", Occasion::Poll, rules)).sum();
    assert!(ways > 25_000, "{ways}");
}

#[test]
fn no_answer_at_any_request_harms_a_phone_of_any_family_under_any_pair_of_readings() {
    let single = std::iter::once(Rules::USUAL).chain(MET.iter().map(|rule| Rules::USUAL.with(*rule)));
    let pairs = MET.iter().flat_map(|a| MET.iter().map(|b| Rules::USUAL.with(*a).with(*b)));
    let mut readings: Vec<_> = single.chain(pairs).collect();
    readings.sort_by_key(|rules| format!("{rules:?}"));
    readings.dedup();
    for model in ["VVX411", "Trio8800", "SPIP670", "CCX600", "EdgeE450", "StudioX30"] {
        for rules in &readings {
            assert!(walk_all(model, Occasion::Boot, *rules) > 0);
        }
    }
}
