//! Who waits under *Pending*: nobody covers somebody else, whoever knocked is listed with the reason, and nobody without proof holds up
//! a new CA (contract 3 and 4).

use pdms::domain::account::{BootstrapSettings, BootstrapSwitch};
use pdms::domain::admission::NewDeviceCaps;
use pdms::services::accounts::AccountDraft;
use pdms::web::phone::PhoneSettings;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::Server;

const MAC: &str = "0004f2aa0001";
const HOME: &str = "10.0.1.5";
const STRANGER: &str = "10.6.6.7";
const ROLLOVER: &str = "/api/v1/server/ca-rollover";

/// Behind a proxy whose word about addresses counts.
fn server(per_address: usize) -> Server {
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let new_devices = NewDeviceCaps { per_address, per_hour: 1_000 };
    Server::start_with(PhoneSettings { trusted_proxies, new_devices, ..PhoneSettings::default() })
}

fn from(phone: Phone, address: &str) -> Phone {
    phone.with("X-Forwarded-For", address)
}

fn factory(server: &Server, address: &str) -> Phone {
    from(Phone::new(server), address).with_credentials("PlcmSpIp", "PlcmSpIp")
}

fn listed(api: &Api, key: &str) -> Option<Value> {
    let found = api.ok("GET", &format!("/pending?q={key}"), None);
    found["items"].as_array().expect("items").first().cloned()
}

fn decide(api: &Api, deed: &str, key: &str, address: &str) -> u16 {
    api.call("POST", &format!("/pending/{deed}"), Some(json!({ "keys": [key], "shown": { key: address } }))).status
}

#[test]
fn whoever_shows_nothing_neither_covers_a_phone_that_waits_nor_gets_its_click() {
    let server = server(100);
    let api = Api::owner(&server);
    let (phone, master) = (factory(&server, HOME), format!("/{MAC}.cfg"));
    from(Phone::new(&server), HOME).get(&master);
    from(Phone::new(&server), HOME).get(&format!("/{MAC}-profile.cfg"));
    assert_eq!(phone.get(&master).status, 503);
    server.flush();
    let waiting = listed(&api, MAC).expect("it waits");
    assert_eq!(
        (&waiting["reason"], &waiting["address"], &waiting["times"]),
        (&json!("factory-credentials"), &json!(HOME), &json!(1))
    );
    let (in_clear, bare) = (from(Phone::in_clear(&server), STRANGER), from(Phone::bare(&server), STRANGER));
    assert_eq!(bare.with_credentials("no", "body").get(&master).status, 401);
    assert_eq!(listed(&api, MAC), Some(waiting), "neither covered nor counted");
    assert_eq!(from(Phone::in_clear(&server), HOME).get(&master).status, 503);
    assert_eq!(
        listed(&api, MAC).map(|one| one["reason"].clone()),
        Some(json!("factory-credentials")),
        "that it came over TLS stays told"
    );
    // Over plain HTTP comes as much as with the factory default: a phone may be either, and both are told.
    assert_eq!(in_clear.put(&format!("/{MAC}-boot.log"), b"x").status, 503);
    assert_eq!(in_clear.get(&master).status, 503);
    let both = listed(&api, MAC).expect("two ask");
    assert_eq!((&both["address"], &both["elsewhere"][0]["address"]), (&json!(STRANGER), &json!(HOME)));
    assert_eq!(
        (decide(&api, "let-in", MAC, STRANGER), decide(&api, "let-in", MAC, HOME)),
        (409, 409),
        "who saw one of them alone"
    );
    let shown = json!({ "keys": [MAC], "shown": { MAC: HOME }, "also_shown": { MAC: [STRANGER] } });
    api.ok("POST", "/pending/let-in", Some(shown));
    assert_eq!(factory(&server, STRANGER).get(&master).status, 503);
    assert_eq!(phone.get(&master).status, 200);
}

#[test]
fn whoever_was_there_first_over_plain_http_does_not_cover_the_phone() {
    let server = server(100);
    let api = Api::owner(&server);
    from(Phone::new(&server), HOME).get(&format!("/{MAC}-profile.cfg"));
    for _ in 0..3 {
        from(Phone::in_clear(&server), STRANGER).get(&format!("/{MAC}.cfg"));
    }
    assert_eq!(
        listed(&api, MAC).map(|one| (one["reason"].clone(), one["times"].clone())),
        Some((json!("came-over-http"), json!(3)))
    );
    server.advance(1);
    assert_eq!(factory(&server, HOME).get(&format!("/{MAC}.cfg")).status, 503);
    let shown = listed(&api, MAC).expect("it waits");
    assert_eq!((&shown["address"], &shown["times"]), (&json!(HOME), &json!(1)));
    assert_eq!(shown["first_at"], shown["at"]);
    assert_eq!(shown["elsewhere"][0]["address"], json!(STRANGER));
}

#[test]
fn who_came_over_http_and_was_not_let_in_is_listed_with_the_reason_and_the_way_on() {
    let server = server(2);
    let api = Api::owner(&server);
    let phone = from(Phone::in_clear(&server), HOME);
    let swept: Vec<u16> = (0..4).map(|n| phone.get(&format!("/0004f2bb000{n}.cfg")).status).collect();
    assert_eq!(swept, [200, 200, 503, 503]);
    assert_eq!(phone.get("/0004f2bb0003.cfg").status, 503, "asking again does not make it known");
    assert!(listed(&api, "0004f2bb0003").is_none(), "nothing is remembered of one of too many");
    assert!(listed(&api, "0004f2bb0001").is_none(), "whoever is on its way does not wait");
    let steps = api.ok("GET", "/coming-up?phone=0004f2bb0003", None)["steps"].to_string();
    assert!(steps.contains("too many new devices") && !steps.contains("It trusts our certificate"), "{steps}");
    assert!(!steps.contains("Its credentials count"), "{steps}");
    assert!(steps.contains("add it to the devices"), "{steps}");
    api.ok("POST", "/devices", Some(json!({ "key": "0004f2bb0003" })));
    assert_eq!(phone.get("/0004f2bb0003.cfg").status, 200, "what the next step says can be done");
    server.advance(601);
    assert_eq!(phone.get("/0004f2bb0002.cfg").status, 200, "it is taken when it asks again later");
    assert!(listed(&api, "0004f2bb0002").is_none());

    let bootstrap = |switch| {
        let bootstrap = Some(BootstrapSettings { switch, ..BootstrapSettings::default() });
        server.set_account(&AccountDraft { bootstrap, ..AccountDraft::default() });
    };
    bootstrap(BootstrapSwitch::Off);
    assert_eq!((phone.get(&format!("/{MAC}.cfg")).status, phone.get("/office2024.cfg").status), (503, 503));
    let off = listed(&api, MAC).expect("listed");
    assert_eq!((&off["reason"], &off["standing"]), (&json!("plain-http-off"), &json!("refused")));
    assert!(off["next"].as_str().is_some_and(|next| next.contains("bootstrap")), "{off}");
    assert!(listed(&api, "office2024").is_none(), "a file is nobody");
    server.set_account(&AccountDraft { enabled: Some(false), ..AccountDraft::default() });
    phone.get(&format!("/{MAC}.cfg"));
    assert_eq!(listed(&api, MAC).map(|one| one["reason"].clone()), Some(json!("provisioning-off")));
    let page = api.page("/admin/pending?reason=provisioning-off").text();
    assert!(page.contains(MAC) && page.contains("Switch it on under Provisioning Settings"), "{page}");
    server.set_account(&AccountDraft { enabled: Some(true), ..AccountDraft::default() });
    bootstrap(BootstrapSwitch::On);
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 200);
    assert!(listed(&api, MAC).is_none(), "it got what it came for");
}

/// What anybody can do with any MAC; `to_the_end`: until our HTTPS address is told.
fn led_here(server: &Server, mac: &str, to_the_end: bool) {
    let phone = from(Phone::in_clear(server), STRANGER);
    phone.get(&format!("/{mac}.cfg"));
    phone.get(&format!("/{mac}-bootstrap.cfg"));
    from(Phone::bare(server), STRANGER).put(&format!("/{mac}-app.log"), b"x");
    if to_the_end {
        assert!(phone.get(&format!("/{mac}-bootstrap.cfg")).text().contains("device.prov.serverName"));
    }
}

#[test]
fn a_new_ca_waits_for_phones_that_know_https_alone_and_a_person_or_time_ends_that() {
    let server = server(100);
    let api = Api::owner(&server);
    let mac = |n: u32| format!("0004f2cc000{n}");
    led_here(&server, &mac(0), false);
    (1..4).for_each(|n| led_here(&server, &mac(n), true));
    api.ok("POST", ROLLOVER, Some(json!({ "step": "start", "known": true })));
    led_here(&server, &mac(4), true);
    let waits = |api: &Api| {
        let state = api.ok("GET", ROLLOVER, None);
        let all = state["waits"].as_array().expect("a list").clone();
        all.iter().map(|one| (one["key"].clone(), one["why"].clone())).collect::<Vec<_>>()
    };
    let expected = |macs: &[u32]| macs.iter().map(|n| (json!(mac(*n)), json!("on-its-way"))).collect::<Vec<_>>();
    assert_eq!(waits(&api), expected(&[1, 2, 3]), "the first and the last are given both CAs over plain HTTP");
    let page = api.page("/admin/provisioning/ca").text();
    assert!(page.contains(&format!("Do not wait: {}", mac(1))) && page.contains(&format!("Block: {}", mac(1))), "{page}");
    assert_eq!(decide(&api, "dismiss", &mac(1), STRANGER), 200);
    assert_eq!(decide(&api, "block", &mac(2), STRANGER), 200);
    assert_eq!(waits(&api), expected(&[3]));
    let log = api.ok("GET", "/activity", None).to_string();
    assert!(log.contains("taken off the list of pending") && log.contains("blocked"), "{log}");
    (1..4).for_each(|n| drop(from(Phone::in_clear(&server), STRANGER).get(&format!("/{}-bootstrap.cfg", mac(n)))));
    assert_eq!(waits(&api), expected(&[3]), "asking again brings nobody back");
    server.advance(13 * 86_400);
    let api = Api::owner(&server);
    Phone::in_clear(&server).with("X-Forwarded-For", STRANGER).get(&format!("/{}.cfg", mac(3)));
    assert_eq!(waits(&api), expected(&[3]));
    server.advance(86_400);
    let api = Api::owner(&server);
    assert_eq!(waits(&api), expected(&[]), "it ends, whoever asks meanwhile");
    assert_eq!(api.ok("GET", ROLLOVER, None)["away"].as_array().map(Vec::len), Some(1));
}
