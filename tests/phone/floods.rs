//! Whoever guesses MACs is answered like everybody, slowed down and reported, and neither keeps out nor pushes out a phone at another
//! address (contract 4, PHN-10).

use std::ops::Range;

use pdms::domain::account::FirstContact;
use pdms::domain::device::DeviceKey;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::limits::STRANGERS;
use pdms::domain::run::Reason;
use pdms::domain::trust::Knock;
use pdms::services::accounts::AccountDraft;
use pdms::web::phone::PhoneSettings;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::Server;

/// From the box, on its way from plain HTTP.
const BOX: &str = "0004f2e80001";
/// It waits for a click.
const WAITS: &str = "0004f2e80002";
const FLOOD: &str = "127.9.9.9";
const HOME: &str = "127.54.0.1";
const OFFICE: &str = "127.54.0.2";
/// What comes from one address in ten minutes, unless the settings say otherwise.
const USUAL: usize = 100;

/// Behind a proxy whose word about addresses counts, with the usual rates.
fn server() -> Server {
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    Server::start_with(PhoneSettings { trusted_proxies, ..PhoneSettings::default() })
}

fn mac(number: usize) -> String {
    format!("64167f{number:06x}")
}

fn from(phone: Phone, address: &str) -> Phone {
    phone.with("X-Forwarded-For", address)
}

fn factory(server: &Server, address: &str) -> Phone {
    from(Phone::new(server), address).with_credentials("PlcmSpIp", "PlcmSpIp")
}

fn sweep(phone: &Phone, numbers: Range<usize>) -> Vec<u16> {
    numbers.map(|number| phone.get(&format!("/{}.cfg", mac(number))).status).collect()
}

fn listed(api: &Api, key: &str) -> u64 {
    api.ok("GET", &format!("/pending?q={key}"), None)["total"].as_u64().expect("a number")
}

fn let_in(api: &Api, key: &str, address: &str) -> u16 {
    api.call("POST", "/pending/let-in", Some(json!({ "keys": [key], "shown": { key: address } }))).status
}

/// What is told of too many new phones: the warnings, and the entries of the activity log.
fn told(server: &Server) -> (Vec<String>, Vec<String>) {
    server.flush();
    let api = Api::owner(server);
    let texts = |all: &Value, words: &str| -> Vec<String> {
        let items = all["items"].as_array().expect("a list").iter().map(ToString::to_string);
        items.filter(|text| text.contains(words)).collect()
    };
    let warnings = api.ok("GET", "/api/v1/server/warnings", None);
    let log = api.ok("GET", "/activity?q=alert&per_page=100", None);
    (texts(&warnings, "More new phones came than may come at once"), texts(&log, "too many came at once"))
}

fn assert_told_once(server: &Server, requests: usize) {
    let (warnings, entries) = told(server);
    assert!(warnings.len() == 1 && warnings[0].contains(FLOOD), "{warnings:?}");
    assert!(warnings[0].contains(&format!("{requests} requests")) && warnings[0].contains("[new_devices]"), "{warnings:?}");
    assert!(entries.len() == 1 && entries[0].contains(FLOOD), "{entries:?}");
}

/// The phone from the box: what it is answered over plain HTTP, and its log over HTTPS.
fn boots_from_the_box(server: &Server) -> String {
    let plain = from(Phone::in_clear(server), HOME);
    assert_eq!(plain.get(&format!("/{BOX}.cfg")).status, 200);
    let given = plain.get(&format!("/{BOX}-bootstrap.cfg")).text();
    server.flush();
    from(Phone::bare(server), HOME).put(&format!("/{BOX}-boot.log"), b"x");
    server.flush();
    given
}

/// So many keys are remembered of one address, as over many hours.
fn remembered(server: &Server, count: usize) {
    let book = server.services.trusts(DEFAULT_ACCOUNT);
    let address = FLOOD.parse().expect("an address");
    for number in 0..count {
        let key: DeviceKey = mac(1_000_000 + number).parse().expect("a MAC");
        let knock = Knock::new(server.clock.now(), Reason::FactoryCredentials, address, "VVX 411");
        book.learn(&key, |trust| trust.refused(knock));
    }
    server.flush();
}

#[test]
fn phn_10_a_flood_with_the_factory_default_is_slowed_down_and_told() {
    let server = server();
    let flood = factory(&server, FLOOD);
    assert_eq!(sweep(&flood, 0..USUAL + 30), [503; USUAL + 30], "the uniform answer");
    assert_eq!(listed(&Api::owner(&server), "64167f"), USUAL as u64);
    assert_told_once(&server, 30);
    server.advance(601);
    sweep(&flood, 0..USUAL + 30);
    assert_eq!(listed(&Api::owner(&server), "64167f"), USUAL as u64 + 30, "a site behind one address is heard in time");
    assert_eq!(told(&server).1.len(), 1, "it is one episode");
}

#[test]
fn phn_10_so_is_a_sweep_with_the_shared_credentials_where_each_phone_needs_leave_and_one_without() {
    let server = server();
    server.set_account(&AccountDraft { first_contact: Some(FirstContact::Approve), ..AccountDraft::default() });
    assert_eq!(sweep(&from(Phone::new(&server), FLOOD), 0..USUAL + 5), [503; USUAL + 5]);
    assert_eq!(listed(&Api::owner(&server), "64167f"), USUAL as u64);
    assert_told_once(&server, 5);
    let wrong = from(Phone::bare(&server), FLOOD).with_credentials("no", "body");
    assert_eq!(sweep(&wrong, 500..500 + USUAL + 3), [401; USUAL + 3], "the uniform answer");
    assert_eq!(listed(&Api::owner(&server), "64167f"), 2 * USUAL as u64, "each is counted among those who show as much");
}

#[test]
fn a_flood_neither_stops_a_phone_from_the_box_nor_pushes_out_one_that_waits() {
    let server = server();
    let api = Api::owner(&server);
    assert_eq!(factory(&server, OFFICE).get(&format!("/{WAITS}.cfg")).status, 503);
    server.advance(60);
    remembered(&server, STRANGERS + 100);
    assert!(!boots_from_the_box(&server).contains("device.prov.serverName"), "stage 1");
    server.advance(60);
    remembered(&server, STRANGERS + 200);
    assert!(boots_from_the_box(&server).contains("device.prov.serverName"), "stage 2");
    assert_eq!((listed(&api, WAITS), listed(&api, "64167f")), (1, STRANGERS as u64 - 2));
    assert_eq!(let_in(&api, WAITS, OFFICE), 200);
    assert_eq!(factory(&server, OFFICE).get(&format!("/{WAITS}.cfg")).status, 200);
}

#[test]
fn whatever_is_known_already_is_heard_where_too_many_new_ones_come_from() {
    let server = server();
    let api = Api::owner(&server);
    let at_home = |phone: &Phone, key: &str| phone.get(&format!("/{key}.cfg")).status;
    let (shared, default) = (from(Phone::new(&server), FLOOD), factory(&server, FLOOD));
    assert_eq!((at_home(&default, WAITS), at_home(&shared, "0004f2e80003")), (503, 200));
    sweep(&default, 0..USUAL + 5);
    let (_, told_before) = told(&server);
    server.advance(1);
    assert_eq!((at_home(&shared, "0004f2e80003"), at_home(&shared, "0004f2e80004")), (200, 200), "known, and one with a secret");
    assert_eq!((at_home(&default, WAITS), let_in(&api, WAITS, FLOOD), at_home(&default, WAITS)), (503, 200, 200), "it waited");
    api.ok("POST", "/devices", Some(json!({ "key": "0004f2e80005" })));
    assert_eq!(at_home(&shared, "0004f2e80005"), 200, "added before");
    let plain = from(Phone::in_clear(&server), FLOOD);
    assert_eq!(plain.get(&format!("/{BOX}.cfg")).status, 503, "one more over plain HTTP");
    assert!(!boots_from_the_box(&server).is_empty(), "at an address of its own it is heard");
    assert_eq!(told(&server).1, told_before);
}

#[test]
fn a_phone_of_which_nothing_is_remembered_is_told_to_be_one_of_too_many() {
    let server = server();
    let api = Api::owner(&server);
    let heard = |wanted: &str| {
        let steps = api.ok("GET", &format!("/coming-up?phone={wanted}"), None);
        steps["steps"].to_string()
    };
    assert!(heard(BOX).contains("Nothing was heard of it"));
    sweep(&factory(&server, FLOOD), 0..USUAL + 5);
    for wanted in [FLOOD, BOX, &mac(USUAL + 1)] {
        let steps = heard(wanted);
        let words = format!("{FLOOD} asked for more than {USUAL} new phones within ten minutes, and 5 requests");
        assert!(steps.contains(&words) && steps.contains("again at 12:10 UTC"), "{wanted}: {steps}");
        assert!(steps.contains("[new_devices]") && !steps.contains("Nothing was heard"), "{wanted}: {steps}");
    }
    assert!(heard(HOME).contains("Nothing was heard of it"), "of another address");
    server.advance(3_600);
    assert!(heard(BOX).contains("Nothing was heard of it"), "an hour later that is over");
}
