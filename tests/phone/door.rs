//! Who gets in, and what everybody else is told (contract 4, groups PHN and NET of the security catalogue).

use pdms::domain::access::Actor;
use pdms::domain::account::Secret;
use pdms::domain::admission::NewDeviceCaps;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::user::Role;
use pdms::services::accounts::AccountDraft;
use pdms::services::commit::Mode;
use pdms::services::devices::Afterwards;
use pdms::services::setup::{self, Opener, SetupDraft};
use pdms::services::tokens::{self, TokenDraft};
use pdms::services::{credentials, runs};
use pdms::web::phone::PhoneSettings;
use serde_json::json;

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::{PASSWORD, Server, USER, setup_draft};

const MAC: &str = "0004f2aa0001";

/// Every kind of file that phones ask for.
fn all_files() -> Vec<String> {
    let own = [".cfg", "-profile.cfg", "-phone.cfg", "-web.cfg", "-license.cfg", "-directory.xml", "-calls.xml", "-app.log"];
    let shared = ["000000000000.cfg", "000000000000-license.cfg", "swupdate/x/1/sip.ld", "welcome.wav"];
    own.iter().map(|suffix| format!("/{MAC}{suffix}")).chain(shared.iter().map(|name| format!("/{name}"))).collect()
}

#[test]
fn phn_01_without_credentials_every_path_gets_the_same_challenge() {
    let server = Server::start();
    let nobody = Phone::bare(&server);
    let first = nobody.get("/000000000000.cfg");
    assert_eq!(first.status, 401);
    assert!(first.header("www-authenticate").is_some_and(|value| value.starts_with("Basic realm=")));
    assert!(first.body.len() < 512 && first.header("server").is_none(), "{}", first.head);
    for told in [env!("CARGO_PKG_VERSION"), "pdms/", "actix", MAC] {
        assert!(!first.text().contains(told) && !first.head.contains(told), "{told}: {} {}", first.head, first.text());
    }
    Phone::new(&server).get(&format!("/{MAC}.cfg"));
    let head = |head: &str| head.lines().filter(|line| !line.starts_with("date:")).map(str::to_owned).collect::<Vec<_>>();
    for path in all_files().iter().map(String::as_str).chain(["/no/such/../thing", "/%ff"]) {
        let other = nobody.get(path);
        assert_eq!((head(&other.head), &other.body), (head(&first.head), &first.body), "{path}");
        let put = nobody.put(path, b"x");
        assert_eq!((put.status, &put.body), (401, &first.body), "{path}");
    }
}

#[test]
fn phn_02_before_set_up_nothing_opens_the_door() {
    let server = Server::start_unset(PhoneSettings::default());
    for (user, password) in [("PlcmSpIp", "PlcmSpIp"), ("admin", "admin"), ("", ""), (USER, PASSWORD)] {
        let phone = Phone::bare(&server).with_credentials(user, password);
        assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 401, "{user}");
    }
    assert_eq!(Phone::bare(&server).get(&format!("/{MAC}.cfg")).status, 401);
    // Nobody comes past the page that asks for them: set-up without them is refused, and what it offers is random.
    let token = setup::open_door(&server.services).expect("not set up");
    let page = Phone::bare(&server).get(&format!("/setup?token={}", token.expose())).text();
    for part in ["User name for phones", "name=\"provisioning_user\"", "name=\"provisioning_password\""] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("PlcmSpIp"), "{page}");
    let missing = SetupDraft { provisioning_user: String::new(), provisioning_password: Secret::new(""), ..setup_draft() };
    assert!(setup::complete(&server.services, Opener::CommandLine, &missing).is_err(), "it cannot be left out");
    setup::complete(&server.services, Opener::CommandLine, &setup_draft()).expect("set up");
    assert_eq!(Phone::new(&server).get(&format!("/{MAC}.cfg")).status, 200);
    assert!(Api::owner(&server).page("/admin/").text().contains("Set the server up"), "a step of the checklist");
}

#[test]
fn phn_04_what_opens_the_admin_pages_does_not_open_the_phones_door() {
    let server = Server::start();
    for (user, password) in [("ada@example.test", "correct horse battery"), (USER, "correct horse battery"), (USER, "")] {
        let phone = Phone::bare(&server).with_credentials(user, password);
        assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 401, "{user}:{password}");
    }
    let draft = TokenDraft { name: "job".to_owned(), role: Role::Owner, days: None, secrets: false };
    let token = tokens::create(&server.services, &Actor::CommandLine, DEFAULT_ACCOUNT, &draft, Mode::Keep).expect("made").text;
    let bearer = Phone::bare(&server).with("Authorization", &format!("Bearer {}", token.expose()));
    assert_eq!(bearer.get("/api/v1/session").status, 200, "it is good for the API");
    assert_eq!(bearer.get(&format!("/{MAC}.cfg")).status, 401);
    let basic = Phone::bare(&server).with_credentials(USER, token.expose());
    assert_eq!(basic.get(&format!("/{MAC}.cfg")).status, 401);
}

#[test]
fn phn_04_what_opens_the_phones_door_opens_neither_the_pages_nor_the_api() {
    let server = Server::start();
    let key = MAC.parse().expect("a MAC");
    Phone::new(&server).get(&format!("/{MAC}.cfg"));
    let own = credentials::of(&server.services, DEFAULT_ACCOUNT, &key);
    for (user, password) in [(USER, PASSWORD), (own.user.as_str(), own.password.expose())] {
        let basic = Phone::bare(&server).with_credentials(user, password);
        assert_eq!(basic.get("/api/v1/session").status, 401, "{user}");
        assert_eq!(basic.get("/api/v1/accounts/default/devices").status, 401, "{user}");
        assert_eq!(basic.get("/metrics").status, 200, "this machine, whoever asks");
        assert_eq!(basic.clone().with("X-Forwarded-For", "192.0.2.7").get("/metrics").status, 401, "{user}");
        let page = basic.get("/admin/devices");
        assert!(page.status == 303 && page.header("location").is_some_and(|to| to.starts_with("/admin/sign-in")), "{user}");
        let bearer = Phone::bare(&server).with("Authorization", &format!("Bearer {password}"));
        assert_eq!(bearer.get("/api/v1/session").status, 401, "{user}");
        let typed = json!({ "email": user, "password": password });
        assert_eq!(Api::stranger(&server).refused("POST", "/api/v1/session", Some(typed)).0, 401, "{user}");
    }
}

#[test]
fn phn_05_there_is_no_listing_no_foreign_file_and_no_other_method() {
    let server = Server::start();
    let phone = Phone::new(&server);
    assert_eq!(phone.get("/").header("location"), Some("/admin/"), "the root is for people");
    for path in ["/logs/", "/overrides/", "/images/", "/0004f2aa0001/", "/.git/HEAD", "/pdms.redb", "/../pdms.redb"] {
        let answer = phone.get(path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(answer.body.len() < 100);
    }
    for method in ["OPTIONS", "TRACE", "DELETE", "PROPFIND", "MOVE", "PATCH"] {
        let answer = phone.ask(method, &format!("/{MAC}.cfg"), None);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, PUT, POST")), "{method}");
        assert!(!answer.text().contains("Authorization"), "{method} echoes nothing");
    }
}

#[test]
fn phn_10_a_flood_of_new_devices_is_held_and_known_ones_are_served_on() {
    let caps = NewDeviceCaps { per_address: 3, per_hour: 100 };
    let server = Server::start_with(PhoneSettings { new_devices: caps, ..PhoneSettings::default() });
    let phone = Phone::new(&server);
    let statuses: Vec<u16> = (0..6).map(|n| phone.get(&format!("/0004f200000{n}.cfg")).status).collect();
    assert_eq!(statuses, [200, 200, 200, 503, 503, 503]);
    assert_eq!(phone.get("/0004f2000000.cfg").status, 200, "a known phone at that address");
    server.advance(600);
    assert_eq!(phone.get("/0004f2000009.cfg").status, 200, "ten minutes later");
    assert_eq!(server.services.roster(DEFAULT_ACCOUNT).len(), 4);
}

#[test]
fn phn_10_the_usual_caps_hold_a_sweep_of_five_hundred() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let statuses: Vec<u16> = (0..500)
        .map(|n| {
            server.advance(i64::from(n % 5 == 0));
            phone.get(&format!("/0004f2000{n:03}.cfg")).status
        })
        .collect();
    assert_eq!(statuses.iter().position(|status| *status == 503), Some(NewDeviceCaps::default().per_address));
    assert!(statuses[100..].iter().all(|status| *status == 503));
    assert_eq!(server.services.roster(DEFAULT_ACCOUNT).len(), 100);
    assert_eq!(phone.get("/0004f2000000.cfg").status, 200, "a known phone at that address");
}

#[test]
fn phn_11_a_deleted_device_comes_back_as_a_new_one_without_its_former_files() {
    let server = Server::start();
    let phone = Phone::new(&server);
    assert_eq!(phone.put(&format!("/{MAC}-phone.cfg"), b"<PHONE_CONFIG><OVERRIDES/></PHONE_CONFIG>").status, 201);
    assert_eq!(phone.put(&format!("/{MAC}-app.log"), b"old").status, 201);
    phone.get(&format!("/{MAC}.cfg"));
    let api = Api::owner(&server);
    let desk = json!({ "name": "Desk", "parameters": { "reg.1.label": "of the former phone" } });
    let profile = api.ok("POST", "/profiles", Some(desk))["id"].clone();
    let shown = json!({ "profiles": [profile], "shown": [] });
    api.ok("PUT", &format!("/deployment/devices/{MAC}"), Some(shown));
    let has_profile = || phone.get(&format!("/{MAC}-profile.cfg")).text().contains("of the former phone");
    assert!(has_profile());
    server.flush();
    server.delete(MAC, Afterwards::Forget);
    assert!(server.device(MAC).is_none());
    server.advance(200);
    server.flush();
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 200);
    assert!(server.device(MAC).is_some());
    let runs = runs::of_device(&server.services, DEFAULT_ACCOUNT, &MAC.parse().expect("a MAC")).expect("listed");
    assert_eq!(runs.len(), 1, "only the run since it came back");
    assert_eq!(phone.get(&format!("/{MAC}-phone.cfg")).status, 404);
    assert_eq!(phone.get(&format!("/{MAC}-app.log")).status, 404);
    assert!(!has_profile(), "the profile goes with the device");
}

#[test]
fn a_blocked_device_is_held_with_every_file_and_no_other_is() {
    let server = Server::start();
    let phone = Phone::new(&server);
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 200);
    server.flush();
    server.delete(MAC, Afterwards::Block);
    for path in all_files().iter().filter(|path| path.contains(MAC)) {
        let answer = phone.get(path);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("3600")), "{path}");
    }
    assert_eq!(phone.clone().tagged(Some(MAC)).get("/000000000000.cfg").status, 503);
    assert_eq!(phone.put(&format!("/{MAC}-app.log"), b"x").status, 503);
    assert_eq!(phone.get("/0004f2aa0002.cfg").status, 200);
    assert!(server.device(MAC).is_none());
}

#[test]
fn while_provisioning_is_off_every_file_is_503_and_nothing_is_added_or_lost() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let master = phone.get(&format!("/{MAC}.cfg"));
    server.set_account(&AccountDraft { enabled: Some(false), ..AccountDraft::default() });
    for path in all_files() {
        let answer = phone.get(&path);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("3600")), "{path}");
        assert_eq!(phone.head(&path).status, 503, "{path}");
    }
    assert_eq!(phone.put(&format!("/{MAC}-app.log"), b"x").status, 503);
    assert_eq!(phone.get("/0004f2aa0002.cfg").status, 503);
    assert!(server.device("0004f2aa0002").is_none());
    assert_eq!(Phone::bare(&server).get(&format!("/{MAC}.cfg")).status, 401, "strangers learn nothing of it");
    server.set_account(&AccountDraft { enabled: Some(true), ..AccountDraft::default() });
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).body, master.body);
}

#[test]
fn net_06_the_address_is_the_sockets_unless_the_peer_is_a_trusted_proxy() {
    let seen = |settings: PhoneSettings| {
        let server = Server::start_with(settings);
        let phone = Phone::new(&server).with("X-Forwarded-For", "20.1.5.5, 198.51.100.4").with("X-Real-IP", "20.1.5.6");
        assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 200);
        server.flush();
        server.device(MAC).and_then(|known| known.sighting.public_ip).map(|ip| ip.to_string())
    };
    assert_eq!(seen(PhoneSettings::default()).as_deref(), Some("127.0.0.1"));
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    assert_eq!(seen(PhoneSettings { trusted_proxies, ..PhoneSettings::default() }).as_deref(), Some("198.51.100.4"));
}

#[test]
fn net_04_ambiguous_framing_is_refused_and_nothing_behind_it_is_answered() {
    let server = Server::start();
    let bare = Phone::bare(&server);
    let smuggled = "GET /000000000000.cfg HTTP/1.1\r\nHost: a\r\n\r\n";
    for framing in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "X-Folded: a\r\n b\r\n",
    ] {
        let request = format!("PUT /{MAC}-app.log HTTP/1.1\r\nHost: a\r\n{framing}\r\n{smuggled}");
        let answers = bare.send_all(request.as_bytes());
        assert!(answers.starts_with("HTTP/1.1 400"), "{framing}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{framing}: {answers}");
    }
}

#[test]
fn net_07_too_much_is_refused_without_a_fault() {
    let server = Server::start();
    let bare = Phone::bare(&server);
    let many = "X-A: b\r\n".repeat(200);
    let requests = [
        format!("GET /a HTTP/1.1\r\nHost: a\r\n{many}\r\n"),
        format!("GET /a HTTP/1.1\r\nHost: a\r\nX-A: {}\r\n\r\n", "b".repeat(140 * 1024)),
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "b".repeat(150 * 1024)),
        "GET /a%00b%ff HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
    ];
    for request in requests {
        let answer = bare.send_all(request.as_bytes());
        // Whoever goes on sending may see the connection reset instead of the answer.
        let status: u16 = answer.get(9..12).and_then(|s| s.parse().ok()).unwrap_or(400);
        assert!((400..500).contains(&status), "{}: {answer}", &request[..20]);
    }
    assert_eq!(Phone::new(&server).get(&format!("/{MAC}.cfg")).status, 200);
}
