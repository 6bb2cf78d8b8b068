//! A phone coming up: one page that tells how far it is, live, and what to do (contract 3, 4).

use std::net::IpAddr;

use pdms::domain::run::HandshakeFault;
use pdms::services::bootstrap;
use pdms::web::phone::PhoneSettings;
use serde_json::Value;

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::{PASSWORD, Server, USER};

const MAC: &str = "0004f2aa0001";

/// The state of each step, by its name.
fn states(api: &Api, phone: &str) -> Vec<(String, String)> {
    let found = api.ok("GET", &format!("/coming-up?phone={phone}"), None);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    found["steps"].as_array().expect("steps").iter().map(|step| (text(&step["step"]), text(&step["state"]))).collect()
}

fn state(api: &Api, phone: &str, step: &str) -> String {
    let found = states(api, phone).into_iter().find(|(name, _)| name == step);
    found.map(|(_, state)| state).unwrap_or_else(|| "left out".to_owned())
}

#[test]
fn every_step_of_a_phone_is_told_as_it_happens() {
    let server = Server::start();
    let api = Api::owner(&server);
    assert_eq!((state(&api, MAC, "heard"), state(&api, MAC, "plain-http")), ("stuck".to_owned(), "left out".to_owned()));

    let plain = Phone::in_clear(&server);
    plain.get(&format!("/{MAC}.cfg"));
    plain.get(&format!("/{MAC}-bootstrap.cfg"));
    assert_eq!((state(&api, MAC, "heard"), state(&api, MAC, "plain-http")), ("done".to_owned(), "waiting".to_owned()));
    bootstrap::handshake_failed(&server.services, IpAddr::from([127, 0, 0, 1]), HandshakeFault::UnknownCa);
    assert_eq!(state(&api, MAC, "plain-http"), "stuck");
    server.advance(1);
    let nobody = Phone::bare(&server).tagged(None);
    nobody.put(&format!("/{MAC}-app.log"), b"log");
    plain.get(&format!("/{MAC}-bootstrap.cfg"));
    assert_eq!(state(&api, MAC, "plain-http"), "done");

    server.advance(1);
    nobody.get(&format!("/{MAC}.cfg"));
    assert_eq!((state(&api, MAC, "tls"), state(&api, MAC, "credentials")), ("done".to_owned(), "stuck".to_owned()));
    server.advance(1);
    nobody.clone().with_credentials("PlcmSpIp", "PlcmSpIp").get(&format!("/{MAC}.cfg"));
    assert_eq!((state(&api, MAC, "credentials"), state(&api, MAC, "let-in")), ("done".to_owned(), "stuck".to_owned()));
    assert_eq!(state(&api, "127.0.0.1", "let-in"), "stuck", "the same by its address");

    server.advance(1);
    let phone = nobody.with_credentials(USER, PASSWORD);
    phone.get(&format!("/{MAC}.cfg"));
    assert_eq!((state(&api, MAC, "let-in"), state(&api, MAC, "files")), ("done".to_owned(), "waiting".to_owned()));
    phone.get(&format!("/{MAC}-profile.cfg"));
    phone.put(&format!("/{MAC}-app.log"), b"log");
    let all = states(&api, MAC);
    let not_done: Vec<_> = all.iter().filter(|(_, state)| state != "done").map(|(step, _)| step.as_str()).collect();
    assert_eq!(not_done, ["bound"], "{all:?}");
}

#[test]
fn the_page_tells_each_step_with_what_to_do_and_its_part_follows() {
    let server = Server::start();
    let api = Api::owner(&server);
    let first = api.page("/admin/coming-up");
    assert!(first.status == 200 && first.text().contains(&server.base()), "{}", first.text());
    Phone::bare(&server).tagged(None).get(&format!("/{MAC}.cfg"));
    let page = api.page(&format!("/admin/coming-up?phone={}", MAC.to_uppercase()));
    let text = page.text();
    assert_eq!(page.status, 200);
    assert!(text.contains("401: it was asked for credentials") && text.contains("What to do:"), "{text}");
    let follow = "data-follow=\"/admin/coming-up/steps?phone=";
    assert!(text.contains(follow) && !text.contains("<script>"), "{text}");
    let part = api.page(&format!("/admin/coming-up/steps?phone={MAC}"));
    assert!(part.status == 200 && part.text().contains("401: it was asked") && !part.text().contains("<html"), "{}", part.text());
    let wrong = api.page("/admin/coming-up?phone=no%20phone");
    assert!(wrong.status == 422 && wrong.text().contains("is neither a MAC address"), "{}", wrong.text());
    let (status, fields) = api.refused("GET", "/coming-up?phone=no%20phone", None);
    assert_eq!((status, fields[0].0.as_str()), (422, "phone"));
    let nobody = Phone::bare(&server).get(&format!("/admin/coming-up/steps?phone={MAC}"));
    assert_eq!(nobody.status, 303, "whoever is not signed in is told nothing");
}

/// One step of a phone.
fn step(api: &Api, phone: &str, name: &str) -> Value {
    let found = api.ok("GET", &format!("/coming-up?phone={phone}"), None);
    let step = found["steps"].as_array().expect("steps").iter().find(|step| step["step"] == name);
    step.cloned().unwrap_or_else(|| panic!("{name} is left out: {found}"))
}

/// A phone has IPv4 and IPv6: its CA comes by the one, its log by the other, without credentials.
#[test]
fn a_log_from_another_address_is_told_with_both_addresses_whatever_credentials_it_came_with() {
    const V4: &str = "192.0.2.7";
    const V6: &str = "2001:db8::7";
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let server = Server::start_with(PhoneSettings { trusted_proxies, ..PhoneSettings::default() });
    let api = Api::owner(&server);
    let from = |phone: Phone, address: &str| phone.with("X-Forwarded-For", address);
    let plain = from(Phone::in_clear(&server), V4);
    let (log, stage) = (format!("/{MAC}-app.log"), || plain.get(&format!("/{MAC}-bootstrap.cfg")).text());
    stage();
    server.advance(1);
    let bare = from(Phone::bare(&server), V6);
    let is_told = |ask: &dyn Fn() -> u16| {
        server.advance(1);
        assert_eq!(ask(), 401);
        let way = step(&api, MAC, "plain-http");
        let (words, next) = (way["words"].to_string(), way["next"].to_string());
        assert!(way["state"] == "stuck" && words.contains(V4) && words.contains(V6), "{way}");
        assert!(next.contains("IPv6") && next.contains("one address"), "{way}");
        assert_eq!(way["at"], server.clock.now().to_string());
    };
    is_told(&|| bare.put(&log, b"log").status);
    is_told(&|| bare.ask_leave(&log).status);
    let tls = step(&api, MAC, "tls");
    assert!(tls["state"] == "waiting" && tls["words"].to_string().contains(V6), "{tls}");
    assert_eq!(api.ok("GET", &format!("/coming-up?phone={V6}"), None)["device"], MAC, "the same by that address");
    assert!(!stage().contains("device.prov.serverName"), "it proves nothing");
    assert_eq!(step(&api, MAC, "plain-http")["state"], "stuck", "it asks once an hour, and its next log may be long in coming");
    let wrong = bare.clone().with_credentials(USER, "wrong");
    is_told(&|| wrong.put(&log, b"log").status);

    // The run in which it was given our CA is over: this log is in none.
    server.advance(200);
    from(Phone::bare(&server), V4).put(&log, b"log");
    assert!(stage().contains("device.prov.serverName"));
    assert_eq!(step(&api, MAC, "plain-http")["state"], "done");
    let tls = step(&api, MAC, "tls");
    assert!(tls["state"] == "done" && tls["at"] == server.clock.now().to_string(), "what proves it says so: {tls}");
}
