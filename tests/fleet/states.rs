//! The server's states, hit at each single request of a boot: no phone that works ends dead or with fewer parameters.
//!
//! Servers in each state stand side by side, made of copies of one state directory, so that nothing is switched on the way: a boot
//! of every family is walked over HTTPS request by request, and at each of them copies of the phone go on in every state. A
//! server whose state nobody changes answers the same request the same way, so an answer is fetched once; only uploads that phones
//! get back are sent each time.

use std::collections::{BTreeMap, HashMap, HashSet};

use pdms::domain::account::Secret;
use pdms::domain::device::DeviceKey;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::profile::draft::ParameterEdit;
use pdms::domain::trust::Trust;
use pdms::services::accounts::AccountDraft;
use pdms::services::commit::Mode;
use pdms::services::devices::{self, Afterwards};
use pdms::services::profiles::{self, Shown};
use pdms::simulate::address::Address;
use pdms::simulate::connection::{Connection, Sending};
use pdms::simulate::fleet::boot;
use pdms::simulate::journey::{Trip, travel};
use pdms::simulate::memory::Layer;
use pdms::simulate::network::Network;
use pdms::simulate::phone::{Occasion, Phone};
use pdms::simulate::rules::{READINGS, Rules};
use pdms::simulate::statistics::Statistics;
use pdms::simulate::wire::{Answer, Method, Move, Reading, Reply, Request};

use super::{LINE, network, phone, profile, put_on_global, run, runtime};
use crate::support::server::{Server, admin};

/// One model of each order of requests.
const FAMILIES: [&str; 7] = ["VVX411", "Trio8800", "SPIP550", "SPIP670", "CCX600", "EdgeE450", "StudioX30"];

/// What the server answers from the request on that is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    /// As ever.
    Well,
    /// Provisioning is switched off.
    Disabled,
    /// The device was deleted and blocked.
    Blocked,
    /// No credentials that a phone has count any more: its own were taken back, and the shared ones changed.
    Refusing,
    /// The disk takes no writes, and what devices stored cannot be read.
    Faulted,
    /// An older copy of the state directory was put back.
    Restored,
    /// A profile lists a file that is not stored here.
    ListedMissing,
    /// It was never set up: an empty state directory.
    Empty,
    /// Nobody listens, or the connection is cut.
    Cut,
}

const HARMFUL: [State; 8] = [
    State::Disabled,
    State::Blocked,
    State::Refusing,
    State::Faulted,
    State::Restored,
    State::ListedMissing,
    State::Empty,
    State::Cut,
];

/// The usual reading of every rule, the other one of each, and the other one of all.
fn readings() -> Vec<Rules> {
    let singles = READINGS.iter().map(|(rule, ..)| Rules::USUAL.with(*rule));
    let all = READINGS.iter().fold(Rules::USUAL, |rules, (rule, ..)| rules.with(*rule));
    std::iter::once(Rules::USUAL).chain(singles).chain([all]).collect()
}

/// What an answer depends on: state, method, path, credentials, User-Agent.
type Question = (State, &'static str, String, Option<String>, Option<String>);

/// The servers, and the phones' lines to them.
struct Servers {
    network: std::sync::Arc<Network>,
    by_state: BTreeMap<usize, Server>,
    runtime: tokio::runtime::Runtime,
    lines: HashMap<State, Connection>,
    answers: HashMap<Question, Reply>,
    /// Paths that the master files of a server name.
    listed: HashSet<(State, String)>,
}

impl Servers {
    /// The answer of the server in this state.
    fn answer(&mut self, state: State, phone: &Phone, request: &Request) -> Answer {
        let Some(server) = self.by_state.get(&(state as usize)) else { return Answer::Cut };
        let header = |name| request.header(name).map(str::to_owned);
        let question = (state, request.method.as_str(), request.path.clone(), header("Authorization"), header("User-Agent"));
        let comes_back = request.method == Method::Put && !request.path.ends_with(".log");
        if let Some(known) = self.answers.get(&question).filter(|_| !comes_back) {
            return known.clone().into();
        }
        let address = Address::parse(&server.base(), None).expect("its own address");
        let line = &mut self.lines;
        let network = &self.network;
        let reply = self.runtime.block_on(async {
            // Once more over a new connection where the server has closed the kept one.
            for _ in 0..2 {
                let mut connection = match line.remove(&state).filter(Connection::is_open) {
                    Some(kept) => kept,
                    None => Connection::new(
                        network
                            .connect(phone.mac, &address, &phone.trust())
                            .await
                            .unwrap_or_else(|error| panic!("{state:?} does not listen: {error}")),
                    ),
                };
                if connection.send(request, Sending::Whole).await.is_ok()
                    && let Ok(reply) = connection.receive(request.method, Reading::Whole).await
                {
                    line.insert(state, connection);
                    return reply;
                }
            }
            panic!("{state:?} does not answer {} {}", request.method.as_str(), request.path);
        });
        self.look_at(state, request, &reply);
        if comes_back {
            self.answers.retain(|(of, _, path, ..), _| *of != state || *path != request.path);
        } else {
            self.answers.insert(question, reply.clone());
        }
        reply.into()
    }

    /// Whatever a master file names is never answered 404.
    fn look_at(&mut self, state: State, request: &Request, reply: &Reply) {
        let is_listed = self.listed.contains(&(state, request.path.clone()));
        assert!(reply.status != 404 || !is_listed, "{state:?}: 404 for the listed {}", request.path);
        let text = std::str::from_utf8(&reply.body).unwrap_or_default();
        let Ok(document) = roxmltree::Document::parse(text) else { return };
        let listed = document.root_element().attribute("CONFIG_FILES").unwrap_or_default().to_owned();
        self.listed
            .extend(listed.split(',').map(str::trim).filter(|file| !file.is_empty()).map(|file| (state, format!("/{file}"))));
    }

    fn finish(&mut self, phone: &mut Phone, state: State) {
        while let Some(next) = phone.wants() {
            let Move::Send(request) = next else { panic!("no image is served") };
            let answer = self.answer(state, phone, &request);
            phone.take(answer);
        }
        phone.end();
    }

    fn boot(&mut self, phone: &mut Phone, state: State) {
        assert!(phone.begin(Occasion::Boot, phone.started));
        self.finish(phone, state);
    }

    /// Walks a boot; at each request copies of the phone meet each state, for that request alone and from it on.
    fn walk(&mut self, before: &Phone) -> usize {
        let (mut phone, mut ways) = (before.clone(), 0);
        assert!(phone.begin(Occasion::Boot, phone.started));
        while let Some(next) = phone.wants() {
            let Move::Send(request) = next else { panic!("no image is served") };
            for (state, goes_on) in HARMFUL.into_iter().flat_map(|state| [(state, State::Well), (state, state)]) {
                let mut hit = phone.clone();
                let answer = self.answer(state, &hit, &request);
                hit.take(answer);
                self.finish(&mut hit, goes_on);
                ways += 1;
                if hit.memory == before.memory {
                    continue;
                }
                let what =
                    || format!("{} {:?}: {state:?}, then {goes_on:?} at {}", before.model.name, before.rules, request.path);
                assert_unharmed(&hit, before, &what);
                for place in [goes_on, State::Well] {
                    self.boot(&mut hit, place);
                    assert_unharmed(&hit, before, &what);
                }
                assert_eq!(hit.memory.all(), before.memory.all(), "afterwards: {}", what());
            }
            let answer = self.answer(State::Well, &phone, &request);
            phone.take(answer);
        }
        phone.end();
        ways
    }
}

fn assert_unharmed(phone: &Phone, before: &Phone, what: &dyn Fn() -> String) {
    assert!(!phone.is_dead(), "dead: {}", what());
    let (had, has) = (before.memory.all(), phone.memory.all());
    let lost: Vec<_> = had.keys().filter(|name| !has.contains_key(*name)).collect();
    assert!(lost.is_empty(), "lost {lost:?}: {}", what());
    assert_eq!(phone.memory.flash, before.memory.flash, "flash: {}", what());
}

/// A server with a line and a value on Global.
fn server() -> (Server, Shown) {
    let server = Server::start();
    let house = profile(&server, "House", &[("up.timeOut", "40")]);
    put_on_global(&server, vec![profile(&server, "Lines", LINE), house]);
    let revision = server.world().profiles[&house].revision;
    (server, Shown { id: house, revision })
}

/// Boots phones until they rest, then changes something at each and lets them upload it.
fn settle(server: &Server, phones: &mut [Phone], brightness: &str) {
    let network = network(server);
    let mut counted = Statistics::default();
    for phone in phones {
        run(boot(phone, &network, &mut counted));
        phone.change(Layer::Phone, "up.backlight.idleIntensity", brightness);
        run(boot(phone, &network, &mut counted));
        assert!(!phone.is_dead() && phone.memory.effective("reg.1.address").is_some(), "it works before anything happens");
    }
    server.flush();
}

/// Puts a copy of the server into a state.
fn harm(server: &Server, state: State, phones: &[Phone]) {
    match state {
        State::Disabled => server.set_account(&AccountDraft { enabled: Some(false), ..AccountDraft::default() }),
        State::Refusing => {
            let password = Some(Secret::new("another-one-9911"));
            server.set_account(&AccountDraft { password, ..AccountDraft::default() });
            for phone in phones {
                let take_back = |trust: &mut Trust| (trust.generation, trust.oldest_generation) = (1, 1);
                server.services.trusts(DEFAULT_ACCOUNT).learn(&DeviceKey::from(phone.mac), take_back);
            }
        }
        State::Blocked => {
            for phone in phones {
                let key = DeviceKey::from(phone.mac);
                devices::delete(&server.services, &admin(), DEFAULT_ACCOUNT, &key, Afterwards::Block, Mode::Keep)
                    .expect("blocked");
            }
        }
        State::ListedMissing => {
            server.global_profile("Branch", &[("CONFIG_FILES", "branch.cfg")]);
        }
        State::Faulted => {
            server.faults.fail_after(0);
            std::fs::remove_dir_all(server.services.state_dir().blobs()).expect("they are there");
        }
        State::Well | State::Restored | State::Empty | State::Cut => {}
    }
}

/// The server as it is, and one in each other state, all under the address of the first.
/// Answers the phones of all families, which work with the first and rest.
fn servers() -> (Servers, Vec<Phone>) {
    let (server, house) = server();
    let mut phones = phones(&server);
    settle(&server, &mut phones, "1");
    let stopped = server.stopped();
    let older = stopped.copied();
    let server = stopped.started();
    let edit = ParameterEdit::set("up.timeOut", "41").expect("a good edit");
    profiles::edit_parameters(&server.services, &admin(), DEFAULT_ACCOUNT, house, &[edit], Mode::Keep).expect("saved");
    settle(&server, &mut phones, "2");
    let stopped = server.stopped();
    let copies: Vec<_> =
        HARMFUL.into_iter().filter(|state| *state != State::Cut).map(|state| (state, stopped.copied())).collect();
    let well = stopped.started();
    let network = network(&well);
    let mut older = Some(older);
    let mut by_state = BTreeMap::from([(State::Well as usize, well)]);
    for (state, copy) in copies {
        let server = match state {
            State::Empty => Server::start_unset(Default::default()),
            State::Restored => older.take().expect("one state is restored").started(),
            _ => copy.started(),
        };
        harm(&server, state, &phones);
        by_state.insert(state as usize, server);
    }
    let (lines, answers, listed) = (HashMap::new(), HashMap::new(), HashSet::new());
    (Servers { network, by_state, runtime: runtime(), lines, answers, listed }, phones)
}

/// A phone of each family for each reading of the rules. Each has a MAC of its own: credentials of its own open one device alone.
fn phones(server: &Server) -> Vec<Phone> {
    let network = network(server);
    let both = FAMILIES.iter().flat_map(|family| readings().into_iter().map(move |rules| (family, rules)));
    both.zip(1..).map(|((family, rules), number)| phone(server, &network, family, number, rules)).collect()
}

#[test]
fn no_state_of_the_server_at_any_request_of_a_boot_harms_a_phone_of_any_family_under_any_reading() {
    let (mut servers, phones) = servers();
    let mut ways: usize = phones.iter().map(|phone| servers.walk(phone)).sum();
    // And with a change at the phone that is still to be uploaded: last, for the server keeps it.
    let extremes = [readings().first().copied(), readings().last().copied()];
    for phone in phones.iter().filter(|phone| extremes.contains(&Some(phone.rules))) {
        let mut changed = phone.clone();
        changed.change(Layer::Web, "up.timeOut", "77");
        ways += servers.walk(&changed);
    }
    assert!(ways > 20_000, "{ways}");
    for state in HARMFUL.into_iter().filter(|state| *state != State::Cut) {
        let differs = |(question, reply): (&Question, &Reply)| {
            let mut well = question.clone();
            well.0 = State::Well;
            question.0 == state && servers.answers.get(&well).is_some_and(|ever| ever != reply)
        };
        assert!(servers.answers.iter().any(differs), "{state:?} was felt");
    }
}

#[test]
fn a_restart_of_the_server_in_the_middle_of_a_boot_harms_no_phone() {
    let (mut server, _) = server();
    let network = network(&server);
    let runtime = runtime();
    let extremes = [Rules::USUAL, READINGS.iter().fold(Rules::USUAL, |rules, (rule, ..)| rules.with(*rule))];
    for (rules, number) in extremes.into_iter().zip(1..) {
        let mut before = phone(&server, &network, "VVX411", number, rules);
        settle(&server, std::slice::from_mut(&mut before), "1");
        for at in [0, 1, 3, 5, 7, 9, 14] {
            let mut phone = before.clone();
            let what = || format!("{rules:?}, request {at}");
            let mut trip = Trip::new(&mut phone, Occasion::Boot, &network, None);
            for _ in 0..at {
                runtime.block_on(trip.step());
            }
            // Two requests find nobody; the rest of the boot finds the server again.
            let stopped = server.stopped();
            for _ in 0..2 {
                runtime.block_on(trip.step());
            }
            server = stopped.started();
            while runtime.block_on(trip.step()).is_some() {}
            trip.end();
            assert_unharmed(&phone, &before, &what);
            run(travel(&mut phone, Occasion::Boot, &network, None));
            assert_eq!(phone.memory.all(), before.memory.all(), "afterwards: {}", what());
        }
    }
}
