//! Who gets in once devices have credentials of their own (contract 4, points 1 to 4), on the real server.

use std::time::{Duration, Instant};

use pdms::domain::account::{AdmissionSettings, FirstContact};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::run::{Reason, Subject};
use pdms::domain::trust::Trust;
use pdms::services::activity::{self, ActivityQuery};
use pdms::services::commit::Mode;
use pdms::services::credentials;
use pdms::services::devices::Afterwards;
use pdms::services::pending::{self, Deed};
use pdms::services::runs;
use pdms::web::phone::PhoneSettings;

use crate::support::api::Api;
use crate::support::phone::{Phone, Response};
use crate::support::server::{Server, admin};

const MAC: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";
const HOME: &str = "10.0.1.5";
const NEXT_DOOR: &str = "10.0.1.77";
const ELSEWHERE: &str = "10.0.2.5";
const FACTORY: (&str, &str) = ("PlcmSpIp", "PlcmSpIp");

/// A server behind a proxy whose word about addresses counts: each request says where it comes from.
fn server() -> Server {
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    Server::start_with(PhoneSettings { trusted_proxies, ..PhoneSettings::default() })
}

fn from(phone: &Phone, address: &str) -> Phone {
    phone.clone().with("X-Forwarded-For", address)
}

/// Somebody with the shared credentials at an address.
fn shared(server: &Server, address: &str) -> Phone {
    from(&Phone::new(server), address)
}

fn factory_fresh(server: &Server, address: &str) -> Phone {
    shared(server, address).with_credentials(FACTORY.0, FACTORY.1)
}

/// The phone of this MAC with its own credentials.
fn own(server: &Server, mac: &str, address: &str) -> Phone {
    let secrets = credentials::of(&server.services, DEFAULT_ACCOUNT, &mac.parse().expect("a MAC"));
    shared(server, address).with_credentials(&secrets.user, secrets.password.expose())
}

fn master(phone: &Phone, mac: &str) -> Response {
    phone.get(&format!("/{mac}.cfg"))
}

fn parameters(phone: &Phone, mac: &str) -> Response {
    phone.get(&format!("/{mac}-profile.cfg"))
}

/// One whole boot or poll, to its end.
fn run(server: &Server, phone: &Phone, mac: &str, boot: bool) {
    if boot {
        phone.put(&format!("/{mac}-boot.log"), b"up");
    }
    assert_eq!((master(phone, mac).status, parameters(phone, mac).status), (200, 200));
    server.advance(200);
    server.flush();
}

/// A device that took up its credentials at home and is bound.
fn bound(server: &Server, mac: &str) {
    run(server, &shared(server, HOME), mac, true);
    let own = own(server, mac, HOME);
    run(server, &own, mac, true);
    assert_eq!(trust(server, mac).bound_at, None, "one run is not enough");
    run(server, &own, mac, false);
    assert!(trust(server, mac).bound_at.is_some());
}

fn trust(server: &Server, mac: &str) -> Trust {
    Trust::clone(&server.services.trusts(DEFAULT_ACCOUNT).of(&mac.parse().expect("a MAC")))
}

fn act(server: &Server, deed: Deed, mac: &str) {
    let keys = [mac.parse().expect("a MAC")];
    pending::act(&server.services, &admin(), DEFAULT_ACCOUNT, deed, &keys, Mode::Keep).expect("done");
}

/// Why the last one that named this MAC was not let in.
fn listed(server: &Server, mac: &str) -> Option<Reason> {
    let all = pending::list(&server.services, DEFAULT_ACCOUNT);
    all.into_iter().find(|one| one.key.to_string() == mac).map(|one| one.knock.reason)
}

fn admission(server: &Server, change: impl FnOnce(&mut AdmissionSettings, &mut FirstContact)) {
    let mut account = pdms::domain::account::Account::clone(&server.world().account);
    change(&mut account.admission, &mut account.first_contact);
    let draft = pdms::services::accounts::AccountDraft {
        first_contact: Some(account.first_contact),
        binds: Some(account.admission.binds),
        ..Default::default()
    };
    server.set_account(&draft);
}

#[test]
fn a_bound_device_is_opened_by_its_own_credentials_only_and_each_try_is_listed() {
    let server = server();
    bound(&server, MAC);
    for address in [HOME, NEXT_DOOR, ELSEWHERE, "203.0.113.9"] {
        for stranger in [shared(&server, address), factory_fresh(&server, address)] {
            for path in [format!("/{MAC}.cfg"), format!("/{MAC}-profile.cfg"), format!("/{MAC}-phone.cfg")] {
                let answer = stranger.get(&path);
                assert_eq!((answer.status, answer.header("retry-after")), (503, Some("3600")), "{address} {path}");
            }
            assert_eq!(stranger.put(&format!("/{MAC}-app.log"), b"x").status, 503);
            assert_eq!(stranger.tagged(Some(MAC)).get("/000000000000.cfg").status, 503);
            assert_eq!(listed(&server, MAC), Some(Reason::Bound));
        }
        assert_eq!(parameters(&own(&server, MAC, address), MAC).status, 200, "its own open it from everywhere");
        act(&server, Deed::Expect, MAC);
        server.advance(25 * 3_600);
    }
    let runs = pdms::services::runs::refused(&server.services, DEFAULT_ACCOUNT).expect("listed");
    assert!(runs.iter().any(|listed| listed.run.address.to_string() == "203.0.113.9"), "each try is told as a run");
}

#[test]
fn with_the_shared_credentials_and_every_mac_a_stranger_gets_nothing_and_each_try_is_told() {
    let server = server();
    server.global_profile("Lines", &[("reg.1.auth.password", "CANARY_SIP")]);
    let mac = |n: u32| format!("0004f2aa00{n:02x}");
    let (bound_ones, admitted): (Vec<_>, Vec<_>) = ((1..=6).map(mac).collect(), (11..=13).map(mac).collect());
    bound_ones.iter().for_each(|mac| bound(&server, mac));
    for mac in &admitted {
        let phone = shared(&server, HOME);
        run(&server, &phone, mac, true);
        phone.put(&format!("/{mac}-phone.cfg"), b"<a reg.2.auth.password='CANARY_MENU'/>");
    }
    let far = [ELSEWHERE, "203.0.113.9", "2001:db8::9"];
    let tries = |macs: &[String], addresses: &[&str]| {
        for (mac, address) in macs.iter().flat_map(|mac| addresses.iter().map(move |address| (mac, *address))) {
            let stranger = shared(&server, address);
            for name in
                [".cfg", "-profile.cfg", "-phone.cfg", "-web.cfg", "-directory.xml", "-calls.xml", "-boot.log", "-app.log"]
            {
                let path = format!("/{mac}{name}");
                let is_taken = !matches!(name, ".cfg" | "-profile.cfg");
                let put = is_taken.then(|| stranger.put(&path, b"x"));
                for answer in [stranger.get(&path), stranger.head(&path)].into_iter().chain(put) {
                    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("3600")), "{address} {path}");
                    assert!(!answer.text().contains("CANARY"), "{address} {path}");
                }
            }
            let tagged = stranger.tagged(Some(mac));
            assert_eq!([tagged.get("/000000000000.cfg").status, tagged.get("/sip.ld").status], [503, 503], "{address} {mac}");
            let knock = trust(&server, mac).knock.expect("reported");
            assert_eq!((knock.address.to_string(), knock.times >= 20), (address.to_owned(), true), "{knock:?}");
            let told =
                runs::of(&server.services, DEFAULT_ACCOUNT, &Subject::Stranger(mac.parse().expect("a MAC"))).expect("listed");
            assert!(told.iter().any(|one| one.run.address.to_string() == address), "{mac} {address}: {told:?}");
            server.advance(1);
        }
    };
    tries(&bound_ones, &[&far[..], &[HOME, NEXT_DOOR]].concat());
    tries(&admitted, &far);
    for mac in bound_ones.iter().chain(&admitted) {
        let reason = if bound_ones.contains(mac) { Reason::Bound } else { Reason::OtherPlace };
        assert_eq!(listed(&server, mac), Some(reason), "{mac}");
    }
    let api = Api::owner(&server);
    let dashboard = api.page("/admin/").text();
    assert!(dashboard.contains("6 bound devices were asked for with the shared credentials"), "{dashboard}");
    for mac in &bound_ones {
        assert_eq!(parameters(&own(&server, mac, HOME), mac).status, 200, "the phones themselves go on");
    }
    for mac in &admitted {
        assert_eq!(parameters(&shared(&server, HOME), mac).status, 200);
    }
}

#[test]
fn an_admitted_device_is_opened_from_where_it_belongs_and_from_where_somebody_lets_it_in() {
    let server = server();
    run(&server, &shared(&server, HOME), MAC, true);
    assert_eq!(master(&shared(&server, NEXT_DOOR), MAC).status, 200);
    assert_eq!(master(&shared(&server, ELSEWHERE), MAC).status, 503);
    assert_eq!(parameters(&shared(&server, ELSEWHERE), MAC).status, 503);
    assert_eq!(listed(&server, MAC), Some(Reason::OtherPlace));
    assert_eq!(master(&shared(&server, HOME), MAC).status, 200);
    assert_eq!(listed(&server, MAC), Some(Reason::OtherPlace), "it stays told when the device itself comes");
    act(&server, Deed::LetIn, MAC);
    run(&server, &shared(&server, ELSEWHERE), MAC, true);
    assert_eq!(listed(&server, MAC), None);
    assert_eq!(master(&shared(&server, ELSEWHERE), MAC).status, 200, "it is at home there now");
    assert_eq!(master(&shared(&server, HOME), MAC).status, 503);
}

#[test]
fn a_stranger_who_keeps_asking_does_not_keep_a_devices_run_open() {
    let server = server();
    run(&server, &shared(&server, HOME), MAC, true);
    let own = own(&server, MAC, HOME);
    run(&server, &own, MAC, true);
    assert_eq!((master(&own, MAC).status, parameters(&own, MAC).status), (200, 200));
    let stranger = shared(&server, HOME).with("User-Agent", "FileTransport PolycomTrio-Trio_8800-UA/5.9.0.1 Type/Application");
    for _ in 0..4 {
        server.advance(60);
        server.flush();
        assert_eq!(master(&stranger, MAC).status, 503);
    }
    assert!(trust(&server, MAC).bound_at.is_some());
}

#[test]
fn after_a_reset_one_click_binds_again_and_the_next_run_ends_the_right() {
    let server = server();
    bound(&server, MAC);
    let reset = factory_fresh(&server, ELSEWHERE);
    assert_eq!(master(&reset, MAC).status, 503);
    act(&server, Deed::LetIn, MAC);
    assert_eq!(master(&factory_fresh(&server, HOME), MAC).status, 503, "the click is for one address");
    run(&server, &reset, MAC, true);
    assert_eq!(master(&reset, MAC).status, 503, "one complete run");
    assert_eq!(master(&own(&server, MAC, ELSEWHERE), MAC).status, 200);
}

#[test]
fn expected_back_a_phone_comes_from_where_it_was_with_factory_settings_within_a_day() {
    let server = server();
    bound(&server, MAC);
    act(&server, Deed::Expect, MAC);
    assert_eq!(master(&factory_fresh(&server, ELSEWHERE), MAC).status, 503);
    assert_eq!(master(&factory_fresh(&server, NEXT_DOOR), MAC).status, 200);
    assert_eq!(master(&shared(&server, NEXT_DOOR), MAC).status, 200);
    server.advance(24 * 3_600);
    assert_eq!(master(&factory_fresh(&server, NEXT_DOOR), MAC).status, 503);
}

#[test]
fn the_day_in_which_a_phone_is_expected_outlasts_what_the_old_one_does_and_ends_when_it_was_used() {
    let server = server();
    let api = Api::owner(&server);
    let until = |api: &Api| api.ok("GET", &format!("/devices/{MAC}"), None)["expected_until"].clone();
    bound(&server, MAC);
    let old = own(&server, MAC, HOME);
    // The old phone comes just before it is pressed, and polls at night.
    assert_eq!((master(&old, MAC).status, parameters(&old, MAC).status), (200, 200));
    act(&server, Deed::Expect, MAC);
    for is_boot in [false, true] {
        server.advance(200);
        run(&server, &old, MAC, is_boot);
        assert_eq!(until(&api), "2026-11-23T12:10:00Z", "told by the API");
    }
    let page = api.page(&format!("/admin/devices/{MAC}")).text();
    assert!(page.contains("Expected back") && page.contains("Expect it no more") && page.contains(HOME), "{page}");
    // A look at the master alone does not use it up, nor does anybody from elsewhere.
    let new = factory_fresh(&server, NEXT_DOOR);
    assert_eq!((master(&new, MAC).status, master(&factory_fresh(&server, ELSEWHERE), MAC).status), (200, 503));
    server.advance(200);
    run(&server, &new, MAC, true);
    assert_eq!((master(&new, MAC).status, until(&api).is_null()), (503, true), "it is back");
    assert!(!api.page(&format!("/admin/devices/{MAC}")).text().contains("Expect it no more"));
    let query = ActivityQuery { q: "came back as expected".to_owned(), limit: 10, ..ActivityQuery::default() };
    let told = activity::list(&server.services, DEFAULT_ACCOUNT, &query).expect("listed");
    assert_eq!((told.items.len(), told.items[0].event.subject.as_str()), (1, MAC));
    assert!(trust(&server, MAC).bound_at.is_some());
}

#[test]
fn expecting_a_phone_back_can_be_taken_back_and_is_not_used_up_by_a_phone_that_may_come_anyway() {
    let server = server();
    let api = Api::owner(&server);
    run(&server, &shared(&server, HOME), MAC, true);
    act(&server, Deed::Expect, MAC);
    run(&server, &shared(&server, HOME), MAC, false);
    assert_eq!(master(&factory_fresh(&server, HOME), MAC).status, 200, "the shared credentials opened it anyway");
    server.advance(200);
    api.ok("POST", &format!("/devices/{MAC}/actions/expect-no-more"), None);
    assert_eq!(master(&factory_fresh(&server, HOME), MAC).status, 503);
    assert_eq!(api.refused("POST", &format!("/devices/{MAC}/actions/expect-no-more"), None).0, 409);
}

#[test]
fn a_factory_fresh_phone_waits_for_one_click_and_is_handed_its_credentials() {
    let server = server();
    let fresh = factory_fresh(&server, HOME);
    let held = master(&fresh, MAC);
    assert_eq!((held.status, server.device(MAC).is_none()), (503, true));
    let unknown = master(&fresh, OTHER);
    assert_eq!((unknown.status, &unknown.body), (held.status, &held.body), "every MAC gets the same");
    act(&server, Deed::LetIn, MAC);
    assert_eq!(master(&factory_fresh(&server, NEXT_DOOR), OTHER).status, 503);
    run(&server, &fresh, MAC, true);
    let secrets = credentials::of(&server.services, DEFAULT_ACCOUNT, &MAC.parse().expect("a MAC"));
    assert!(parameters(&fresh, MAC).text().contains(secrets.password.expose()));
    assert_eq!(master(&own(&server, MAC, HOME), MAC).status, 200);
    assert_eq!(master(&fresh, MAC).status, 503, "it came with its own");
}

#[test]
fn the_window_lets_in_whoever_is_first_heard_while_it_is_open_and_nobody_else() {
    let server = server();
    assert_eq!(master(&factory_fresh(&server, HOME), MAC).status, 503, "heard before");
    run(&server, &shared(&server, HOME), "0004f2aa0003", true);
    server.advance(60);
    pending::set_window(&server.services, &admin(), DEFAULT_ACCOUNT, true, Mode::Keep).expect("opened");
    let fresh = factory_fresh(&server, HOME);
    assert_eq!(master(&fresh, MAC).status, 503);
    assert_eq!(master(&fresh, "0004f2aa0003").status, 503, "served before");
    run(&server, &fresh, OTHER, true);
    assert_eq!(master(&factory_fresh(&server, NEXT_DOOR), OTHER).status, 503, "from its address alone");
    server.advance(2 * 3_600);
    assert_eq!(master(&fresh, OTHER).status, 200, "it has four hours");
    assert_eq!(master(&fresh, "0004f2aa0004").status, 503, "the window is closed");
    server.advance(2 * 3_600);
    assert_eq!(master(&fresh, OTHER).status, 503);
}

#[test]
fn phn_06_credentials_of_one_device_open_no_other_and_the_attempt_is_recorded() {
    let server = server();
    bound(&server, MAC);
    run(&server, &shared(&server, HOME), OTHER, true);
    let stranger = Phone::bare(&server);
    let nobody = from(&stranger, HOME).get(&format!("/{OTHER}.cfg"));
    let thief = own(&server, MAC, HOME);
    for path in [format!("/{OTHER}.cfg"), format!("/{OTHER}-profile.cfg"), "/0004f2aa0099.cfg".to_owned()] {
        let answer = thief.get(&path);
        assert_eq!((answer.status, &answer.body), (401, &nobody.body), "{path}");
    }
    assert_eq!(thief.put(&format!("/{OTHER}-phone.cfg"), b"<a/>").status, 401);
    assert_eq!(listed(&server, OTHER), Some(Reason::OfAnotherDevice));
    server.flush();
    let query = ActivityQuery { q: "another device's files".to_owned(), limit: 10, ..ActivityQuery::default() };
    let told = activity::list(&server.services, DEFAULT_ACCOUNT, &query).expect("listed");
    assert_eq!(told.items.len(), 1, "once an hour");
    assert_eq!(told.items[0].event.subject, MAC);
    server.advance(3_601);
    assert_eq!(thief.get("/0004f2aa0098.cfg").status, 401);
    server.flush();
    assert_eq!(activity::list(&server.services, DEFAULT_ACCOUNT, &query).expect("listed").items.len(), 2, "and an hour later");
    let refused = pdms::services::runs::refused(&server.services, DEFAULT_ACCOUNT).expect("listed");
    assert!(refused.iter().any(|one| one.verdict().words.contains("of another device")), "{refused:?}");
}

#[test]
fn phn_08_another_model_with_the_shared_credentials_waits_until_somebody_says_that_it_is_right() {
    let server = server();
    run(&server, &shared(&server, HOME), MAC, true);
    let trio = "FileTransport PolycomTrio-Trio_8800-UA/5.9.0.1 Type/Application";
    let other = shared(&server, HOME).with("User-Agent", trio);
    let answer = parameters(&other, MAC);
    assert_eq!((answer.status, listed(&server, MAC)), (503, Some(Reason::ModelChanged)));
    let own = own(&server, MAC, HOME).with("User-Agent", trio);
    assert_eq!(parameters(&own, MAC).status, 200, "with its own it is served and marked");
    assert_eq!(trust(&server, MAC).other_model.as_deref(), Some("Trio 8800"));
    assert_eq!(parameters(&other, MAC).status, 503);
    let api = Api::owner(&server);
    let pending = api.page("/admin/pending").text();
    assert!(pending.contains("known as another model") && pending.contains("Let in as this model"), "{pending}");
    let device = api.page(&format!("/admin/devices/{MAC}")).text();
    assert!(device.contains("tells to be a Trio 8800") && device.contains("It is a Trio 8800"), "to be confirmed: {device}");
    act(&server, Deed::LetIn, MAC);
    assert_eq!(parameters(&other, MAC).status, 200);
    server.flush();
    let model = server.device(MAC).and_then(|known| known.device.model.clone());
    assert_eq!(model.as_deref(), Some("Trio 8800"));
}

#[test]
fn phn_09_whoever_guesses_waits_and_nobody_else_does() {
    let server = server();
    let guess = shared(&server, HOME).with_credentials("phones", "a wrong one");
    for _ in 0..5 {
        assert_eq!(master(&guess, MAC).status, 401);
    }
    // Thirty within the minute: from the sixth on each is answered late, with the same words.
    let nobody = master(&from(&Phone::bare(&server), NEXT_DOOR), OTHER);
    std::thread::scope(|scope| {
        for _ in 5..30 {
            scope.spawn(|| {
                let begun = Instant::now();
                let answer = master(&guess, MAC);
                assert_eq!((answer.status, &answer.body), (401, &nobody.body));
                assert!(begun.elapsed() >= Duration::from_millis(250), "it is answered late");
            });
        }
    });
    assert_eq!(master(&shared(&server, NEXT_DOOR), MAC).status, 200, "from another address");
    assert_eq!(master(&shared(&server, NEXT_DOOR), OTHER).status, 200, "another phone behind a NAT");
    assert_eq!(master(&shared(&server, HOME), MAC).status, 200, "nobody is locked out");
}

#[test]
fn phn_11_a_forgotten_device_is_new_and_its_phone_comes_back_with_what_it_holds() {
    let server = server();
    bound(&server, MAC);
    let own = own(&server, MAC, ELSEWHERE);
    // A run in flight while it is deleted.
    assert_eq!((master(&own, MAC).status, parameters(&own, MAC).status), (200, 200));
    server.delete(MAC, Afterwards::Forget);
    server.advance(200);
    server.flush();
    let left = trust(&server, MAC);
    assert_eq!((left.bound_at, left.home, left.own.complete), (None, None, 0), "{left:?}");
    assert_eq!(master(&own, MAC).status, 200, "no phone is lost");
    assert!(server.device(MAC).is_some());
    server.delete(MAC, Afterwards::Forget);
    assert_eq!(master(&shared(&server, "10.9.9.9"), MAC).status, 200, "treated as new");
}

#[test]
fn a_device_that_is_added_again_by_hand_is_staged_for_seven_days() {
    let server = server();
    bound(&server, MAC);
    server.delete(MAC, Afterwards::Block);
    assert_eq!(master(&own(&server, MAC, HOME), MAC).status, 503);
    act(&server, Deed::Unblock, MAC);
    let input = pdms::domain::device::draft::DeviceInput { key: MAC.to_owned(), ..Default::default() };
    let draft = pdms::domain::device::draft::DeviceDraft::parse(&input, pdms::catalog::models::models()).expect("a draft");
    pdms::services::devices::create(&server.services, &admin(), DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("added");
    server.advance(7 * 86_400);
    assert_eq!((master(&shared(&server, HOME), MAC).status, listed(&server, MAC)), (503, Some(Reason::StagedTooLong)));
    act(&server, Deed::Expect, MAC);
    assert_eq!(master(&shared(&server, ELSEWHERE), MAC).status, 200);
}

#[test]
fn the_first_contact_policies_hold_new_phones_until_somebody_says_yes() {
    let server = server();
    run(&server, &shared(&server, HOME), MAC, true);
    for (policy, reason) in [(FirstContact::Approve, Reason::NotApproved), (FirstContact::Staged, Reason::NotStaged)] {
        admission(&server, |_, first_contact| *first_contact = policy);
        let phone = shared(&server, HOME);
        assert_eq!(master(&phone, OTHER).status, 503);
        assert!(server.device(OTHER).is_none());
        assert_eq!((listed(&server, OTHER), master(&phone, MAC).status), (Some(reason), 200));
        act(&server, Deed::LetIn, OTHER);
        assert_eq!(master(&phone, OTHER).status, 200);
        server.delete(OTHER, Afterwards::Forget);
    }
}

#[test]
fn while_provisioning_is_off_a_stranger_does_not_make_a_bound_device_look_alive() {
    let server = server();
    bound(&server, MAC);
    let seen = server.device(MAC).expect("a device").sighting.last_seen;
    server.set_account(&pdms::services::accounts::AccountDraft { enabled: Some(false), ..Default::default() });
    server.advance(600);
    assert_eq!(master(&shared(&server, HOME), MAC).status, 503);
    server.flush();
    assert_eq!(server.device(MAC).expect("a device").sighting.last_seen, seen);
    assert_eq!(master(&own(&server, MAC, HOME), MAC).status, 503);
    server.flush();
    assert!(server.device(MAC).expect("a device").sighting.last_seen > seen);
}

#[test]
fn trust_outlives_a_restart() {
    let server = server();
    bound(&server, MAC);
    let known = trust(&server, MAC);
    let server = server.restarted();
    assert_eq!(trust(&server, MAC), known);
    assert_eq!(Phone::new(&server).get(&format!("/{MAC}.cfg")).status, 503);
}
