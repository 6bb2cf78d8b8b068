//! Simulated phones on their way to the software that is chosen for them: they read headers, download, restart and come back (contract
//! 5.12). Never a loop, never a stop left out.

use std::net::Ipv4Addr;
use std::sync::Arc;

use pdms::domain::provision::master::NO_IMAGE;
use pdms::simulate::faults::Fault;
use pdms::simulate::files::Master;
use pdms::simulate::firmware::{Installation, Release, Software};
use pdms::simulate::journey::{Journey, travel};
use pdms::simulate::network::Network;
use pdms::simulate::phone::{Occasion, Phone};
use pdms::simulate::rules::{Rule, Rules};
use serde_json::{Value, json};

use super::{network, phone, run};
use crate::images::{package, uploaded};
use crate::support::api::Api;
use crate::support::server::Server;

const MODEL: &str = "VVX411";
const PART: &str = "3111-48450-001";
const OLD: &str = "5.5.2.8571";
const STOP: &str = "5.7.3.1797";
const NEAR: &str = "5.9.7.4477";
const LAST: &str = "5.9.8.5760";
/// Bytes of an image of which more than the header goes out before anybody notices that a phone is gone.
const LARGE: usize = 24_000_000;
const SMALL: usize = 20_000;

/// As the vendor's: the stop comes in the former container and brings an Updater that reads the later one.
fn release(version: &str) -> Release<'_> {
    let (container, reads) = if version == STOP { (1, 2) } else { (2, 2) };
    Release { version, updater: version, container, reads }
}

/// Uploads the package of a release with this file for this hardware.
fn upload(server: &Server, api: &Api, version: &str, part: &str, image: &[u8]) {
    let file = format!("UC_Software_{}_release_sig_split.zip", version.replace('.', "_"));
    let package = package(&[(&format!("{part}.sip.ld"), image), ("sip.ver", version.as_bytes())]);
    let done = uploaded(server, api, &file, &package);
    assert_eq!(done["stage"], "done", "{done}");
}

fn upload_releases(server: &Server, api: &Api, versions: &[&str], size: usize) {
    versions.iter().for_each(|version| upload(server, api, version, PART, &release(version).image(size)));
}

/// A profile that chooses a version, at a place.
fn choose(api: &Api, place: &str, version: &str) {
    let profile = json!({ "name": format!("Software {version}"), "software": [{ "family": "VVX", "version": version }] });
    let made = api.ok("POST", "/profiles", Some(profile))["id"].clone();
    api.ok("PUT", &format!("/deployment/{place}"), Some(json!({ "profiles": [made], "shown": [] })));
}

/// A phone with software of before the stop.
fn old_phone(server: &Server, network: &Network, rules: Rules) -> Phone {
    let mut phone = phone(server, network, MODEL, 1, rules);
    phone.memory.software = Software::factory(OLD, "5.7.2.1");
    phone
}

/// What a phone did with software in a boot: what it installed or tried to, and what it runs afterwards.
type Boot = (Option<Installation>, String);

/// Boots a phone from the box on, when it does not tell its serial number yet, so many times, a quarter of an hour apart; looks at each boot that the phone did nothing odd.
fn boots(server: &Server, phone: &mut Phone, network: &Network, times: usize) -> Vec<Boot> {
    (0..times).map(|_| one_boot(server, phone, network)).collect()
}

fn one_boot(server: &Server, phone: &mut Phone, network: &Network) -> Boot {
    server.advance(900);
    let journey = run(travel(phone, Occasion::Boot, network, None));
    assert!(journey.report.master, "{:?}", journey.report.trail);
    assert!(took_only_what_is_named(&journey), "{:?}", journey.report.trail);
    if journey.report.installation != Some(Installation::Installed) {
        assert!(
            journey.report.configured,
            "its configuration is served whatever becomes of its software: {:?}",
            journey.report.trail
        );
    }
    server.flush();
    (journey.report.installation, phone.memory.software.application.clone())
}

/// Whether all software that was given was that which its master names.
fn took_only_what_is_named(journey: &Journey) -> bool {
    let named = named(journey);
    let folder = named.rsplit_once('/').map(|(folder, _)| format!("/{folder}/"));
    let mut given = journey.exchanges.iter().filter(|one| one.path.ends_with(".ld") && one.status == Some(200));
    given.all(|one| folder.as_ref().is_some_and(|folder| one.path.starts_with(folder)))
}

/// The image that the master of a run names.
fn named(journey: &Journey) -> String {
    let masters = journey.exchanges.iter().filter(|one| one.status == Some(200) && one.path.ends_with(".cfg"));
    let mut images = masters.filter_map(|one| Master::read(&one.body, MODEL).ok()?.image);
    images.next().unwrap_or_default()
}

fn took(version: &str) -> Boot {
    (Some(Installation::Installed), version.to_owned())
}

fn stayed(version: &str) -> Boot {
    (None, version.to_owned())
}

fn refused(version: &str) -> Boot {
    (Some(Installation::Refused), version.to_owned())
}

fn told(api: &Api, phone: &Phone) -> Value {
    api.ok("GET", &format!("/devices/{}/software", phone.mac), None)
}

#[test]
fn a_vvx_on_5_5_2_boots_over_5_7_3_to_5_9_8_and_then_only_reads_headers() {
    let server = Server::start();
    let api = Api::owner(&server);
    upload_releases(&server, &api, &[LAST, STOP], SMALL);
    choose(&api, "global", LAST);
    let network = network(&server);
    let mut phone = old_phone(&server, &network, Rules::USUAL);
    assert_eq!(boots(&server, &mut phone, &network, 6)[..2], [took(STOP), took(LAST)]);
    let journey = run(travel(&mut phone, Occasion::Boot, &network, None));
    let headers = journey.exchanges.iter().filter(|one| one.path.ends_with(".ld") && one.status == Some(200));
    assert_eq!((headers.count(), journey.report.installation), (1, None), "it looks whether it has it");
    server.flush();
    assert_eq!((&told(&api, &phone)["installed"], &told(&api, &phone)["updater"]), (&json!(LAST), &json!(LAST)));
    assert_eq!(told(&api, &phone)["chosen"][0]["step"], "stay");
    assert_eq!(boots(&server, &mut phone, &network, 4), vec![stayed(LAST); 4]);
}

#[test]
fn a_phone_that_is_sent_past_its_stop_would_refuse_and_pdms_never_sends_it() {
    let server = Server::start();
    let api = Api::owner(&server);
    upload_releases(&server, &api, &[LAST], SMALL);
    choose(&api, "global", LAST);
    let network = network(&server);
    let mut phone = old_phone(&server, &network, Rules::USUAL);
    assert_eq!(boots(&server, &mut phone, &network, 3), vec![stayed(OLD); 3], "the stop is not here, so nothing is named");
    assert_eq!(told(&api, &phone)["chosen"][0]["step"], "missing-hop");
    assert_eq!(phone.memory.software.clone().install(&release(LAST).image(SMALL), None), Installation::Refused);
    upload_releases(&server, &api, &[STOP], SMALL);
    assert_eq!(boots(&server, &mut phone, &network, 3), [took(STOP), took(LAST), stayed(LAST)]);
}

#[test]
fn power_that_fails_in_the_middle_of_a_hop_leads_to_the_same_hop_again_and_on() {
    let server = Server::start();
    let api = Api::owner(&server);
    upload_releases(&server, &api, &[STOP, LAST], LARGE);
    choose(&api, "global", LAST);
    let network = network(&server);
    let mut phone = old_phone(&server, &network, Rules::USUAL);
    for (former, next) in [(OLD, STOP), (STOP, LAST)] {
        for _ in 0..4 {
            server.advance(900);
            let journey = run(travel(&mut phone, Occasion::Boot, &network, Some(Fault::PowerCut)));
            assert_eq!(named(&journey), format!("swupdate/VVX/{next}/sip.ld"));
            let trouble = journey.exchanges.last().and_then(|last| last.trouble.clone());
            assert_eq!(trouble.as_deref(), Some("the power failed on purpose"), "{:?}", journey.exchanges.last());
            assert_eq!(phone.memory.software.application, former, "nothing was written");
            server.flush();
            assert_eq!(told(&api, &phone)["installed"], former);
        }
        // However often that was, it counts as no try: the image is not withdrawn.
        assert_eq!(one_boot(&server, &mut phone, &network), took(next));
    }
    assert_eq!(one_boot(&server, &mut phone, &network), stayed(LAST));
}

#[test]
fn an_image_that_a_phone_refuses_is_withdrawn_after_three_tries_and_its_admin_is_told() {
    let server = Server::start();
    let api = Api::owner(&server);
    upload_releases(&server, &api, &[LAST], SMALL);
    let foreign = Release { container: 9, ..release(STOP) };
    upload(&server, &api, STOP, PART, &foreign.image(SMALL));
    choose(&api, "global", LAST);
    let network = network(&server);
    let mut phone = old_phone(&server, &network, Rules::USUAL);
    let seen = boots(&server, &mut phone, &network, 8);
    assert_eq!(seen, [vec![refused(OLD); 3], vec![stayed(OLD); 5]].concat(), "three tries of the stop, and nothing past it");
    let shown = told(&api, &phone)["chosen"][0].clone();
    assert_eq!(shown["step"], "withdrawn");
    assert!(shown["told"].as_str().is_some_and(|words| words.contains("three times") && words.contains("Try again")), "{shown}");
    let page = api.page(&format!("/admin/devices/{}/software", phone.mac)).text();
    assert!(page.contains("withdrawn") && page.contains("Try again"), "{page}");
    let report = api.ok("GET", "/software/report", None).to_string();
    assert!(report.contains(OLD), "{report}");
    assert_eq!(api.call("POST", &format!("/devices/{}/software/try-again", phone.mac), None).status, 200);
    let seen = boots(&server, &mut phone, &network, 5);
    assert_eq!(seen, [vec![refused(OLD); 3], vec![stayed(OLD); 2]].concat(), "another go has three tries again");
}

/// Rule 17: phones give up by themselves after some failures, or never.
#[test]
fn a_damaged_image_is_no_endless_loop_under_either_reading_of_what_phones_do_with_it() {
    for rules in [Rules::USUAL, Rules::USUAL.with(Rule::BrokenImage)] {
        let server = Server::start();
        let api = Api::owner(&server);
        let mut damaged = release(LAST).image(SMALL);
        *damaged.last_mut().expect("not empty") = b'x';
        upload(&server, &api, LAST, PART, &damaged);
        choose(&api, "global", LAST);
        let network = network(&server);
        let mut phone = phone(&server, &network, MODEL, 1, rules);
        phone.memory.software = Software { container: 2, ..Software::factory(NEAR, NEAR) };
        let seen = boots(&server, &mut phone, &network, 7);
        let broken = (Some(Installation::Broken), NEAR.to_owned());
        assert_eq!(seen, [vec![broken; 3], vec![stayed(NEAR); 4]].concat());
        assert_eq!(told(&api, &phone)["chosen"][0]["step"], "withdrawn");
    }
}

#[test]
fn a_part_number_that_an_image_lacks_is_told_and_the_phone_stays_as_it_is_with_its_configuration() {
    let server = Server::start();
    let api = Api::owner(&server);
    let other = "3111-44500-001";
    upload(&server, &api, LAST, other, &release(LAST).image(SMALL));
    upload(&server, &api, STOP, other, &release(STOP).image(SMALL));
    choose(&api, "global", LAST);
    let network = network(&server);
    let mut phone = old_phone(&server, &network, Rules::USUAL);
    assert_eq!(boots(&server, &mut phone, &network, 4), vec![stayed(OLD); 4]);
    let journey = run(travel(&mut phone, Occasion::Poll, &network, None));
    assert_eq!(named(&journey), NO_IMAGE);
    assert!(journey.report.configured && !journey.report.restart, "{:?}", journey.report.trail);
    server.flush();
    let shown = told(&api, &phone);
    assert_eq!((&shown["chosen"][0]["step"], &shown["part_numbers"]), (&json!("no-part"), &json!([PART])));
    assert!(shown["chosen"][0]["told"].as_str().is_some_and(|words| words.contains("part number")), "{shown}");
}

/// Two sites, each with its addresses and its version.
fn two_sites(api: &Api, versions: [&str; 2]) {
    for (name, network, version) in [("Attic", "127.44.0.0/16", versions[0]), ("Basement", "127.55.0.0/16", versions[1])] {
        let site = json!({ "name": name, "networks": [{ "public": network }] });
        let site = api.ok("POST", "/sites", Some(site))["id"].clone();
        choose(api, &format!("sites/{site}"), version);
    }
}

#[test]
fn a_phone_between_two_sites_that_want_different_software_goes_up_stays_up_and_never_runs_in_circles() {
    let server = Server::start();
    let api = Api::owner(&server);
    upload_releases(&server, &api, &[STOP, NEAR, LAST], SMALL);
    two_sites(&api, [LAST, NEAR]);
    let at = |last| Arc::into_inner(network(&server)).expect("of nobody else").with_address(Ipv4Addr::new(127, last, 0, 9));
    let (attic, basement) = (at(44), at(55));
    let mut phone = old_phone(&server, &attic, Rules::USUAL);
    assert_eq!(one_boot(&server, &mut phone, &attic), took(STOP), "the stop on the way of both");
    // It is carried to the other site on its way. Until it has come from there for half an hour, it is of the first.
    let mut seen = boots(&server, &mut phone, &basement, 5);
    seen.extend(boots(&server, &mut phone, &attic, 6));
    seen.extend(boots(&server, &mut phone, &basement, 6));
    seen.extend(boots(&server, &mut phone, &attic, 6));
    let steps: Vec<&Boot> = seen.iter().filter(|(installation, _)| installation.is_some()).collect();
    assert!(steps.len() <= 2 && steps.iter().all(|(what, _)| *what == Some(Installation::Installed)), "{steps:?}");
    let versions: Vec<&String> = seen.iter().map(|(_, version)| version).collect();
    assert!(versions.is_sorted(), "never back without consent: {versions:?}");
    assert_eq!(phone.memory.software.application, LAST);
    boots(&server, &mut phone, &basement, 4);
    let shown = told(&api, &phone);
    assert_eq!((&shown["chosen"][0]["version"], &shown["chosen"][0]["step"]), (&json!(NEAR), &json!("needs-consent")));
}

#[test]
fn two_sites_that_want_different_software_each_lead_their_own_phones_there() {
    let server = Server::start();
    let api = Api::owner(&server);
    upload_releases(&server, &api, &[STOP, NEAR, LAST], SMALL);
    two_sites(&api, [LAST, NEAR]);
    for (number, address, version) in [(1, 44, LAST), (2, 55, NEAR)] {
        let network = Arc::into_inner(network(&server)).expect("of nobody else").with_address(Ipv4Addr::new(127, address, 0, 9));
        let mut phone = phone(&server, &network, MODEL, number, Rules::USUAL);
        phone.memory.software = Software::factory(OLD, "5.7.2.1");
        let seen = boots(&server, &mut phone, &network, 4);
        assert_eq!(seen[..], [took(STOP), took(version), stayed(version), stayed(version)]);
    }
}
