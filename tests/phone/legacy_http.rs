//! Phones that cannot do TLS, in networks that are listed: in full over plain HTTP, by Digest or Basic, without anything of their
//! own (contract 3, R316).

use md5::{Digest as _, Md5};
use pdms::domain::credential::FACTORY_DEFAULT;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::trust::Trust;
use pdms::services::accounts::{AccountDraft, LegacyHttp};
use pdms::services::credentials;

use crate::support::api::Api;
use crate::support::phone::{Phone, Response};
use crate::support::server::{PASSWORD, Server, USER, noon};

const MAC: &str = "0004f2aa0001";

fn list(server: &Server, subnet: &str) {
    let legacy = LegacyHttp { subnets: vec![subnet.to_owned()], confirmed: true };
    server.set_account(&AccountDraft { legacy_http: Some(legacy), ..AccountDraft::default() });
}

fn listed() -> Server {
    let server = Server::start();
    server.global_profile("Lines", &[("reg.1.auth.password", "line-secret")]);
    list(&server, "127.0.0.0/8");
    server
}

fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

/// The answer to the Digest challenge of a 401.
fn digest(challenged: &Response, user: &str, password: &str, method: &str, path: &str) -> String {
    let challenge = challenged.header("www-authenticate").expect("a challenge");
    let (_, rest) = challenge.split_once("nonce=\"").expect("a nonce");
    let nonce = rest.split('"').next().expect("its end");
    let (secret, target) = (md5(&format!("{user}:pdms:{password}")), md5(&format!("{method}:{path}")));
    let response = md5(&format!("{secret}:{nonce}:00000001:c:auth:{target}"));
    format!(
        "Digest username=\"{user}\", realm=\"pdms\", nonce=\"{nonce}\", uri=\"{path}\", qop=auth, nc=00000001, cnonce=\"c\", response=\"{response}\""
    )
}

fn by_digest(phone: &Phone, password: &str, method: &str, path: &str, body: Option<&[u8]>) -> Response {
    by_digest_as(USER, phone, password, method, path, body)
}

fn by_digest_as(user: &str, phone: &Phone, password: &str, method: &str, path: &str, body: Option<&[u8]>) -> Response {
    let challenged = phone.ask(method, path, body);
    assert_eq!(challenged.status, 401, "{path}");
    phone.clone().with("Authorization", &digest(&challenged, user, password, method, path)).ask(method, path, body)
}

#[test]
fn phn_12_digest_is_offered_first_and_basic_accepted_and_elsewhere_nothing_is() {
    let server = listed();
    let phone = Phone::in_clear(&server);
    let (master, file) = (format!("/{MAC}.cfg"), format!("/{MAC}-profile.cfg"));
    let challenged = phone.get(&master);
    let offered: Vec<&str> = challenged.headers("www-authenticate").collect();
    assert!(offered.len() == 2 && offered[0].starts_with("Digest ") && offered[1].starts_with("Basic "), "{offered:?}");
    assert!(offered[0].contains("qop=\"auth\"") && offered[0].contains("algorithm=MD5"), "{offered:?}");
    assert_eq!(by_digest(&phone, PASSWORD, "GET", &master, None).status, 200);
    assert!(by_digest(&phone, PASSWORD, "GET", &file, None).text().contains("line-secret"));
    assert_eq!(by_digest(&phone, PASSWORD, "PUT", &format!("/{MAC}-app.log"), Some(b"log")).status, 201);
    assert_eq!(by_digest(&phone, "wrong", "GET", &master, None).status, 401);
    assert_eq!(phone.clone().with_credentials(USER, PASSWORD).get(&master).status, 200);
    assert_eq!(phone.clone().with_credentials(USER, "wrong").get(&master).status, 401);
    assert_eq!(Phone::bare(&server).get(&master).headers("www-authenticate").count(), 1, "over TLS Basic alone, as ever");
    list(&server, "10.1.2.0/24");
    let elsewhere = phone.with_credentials(USER, PASSWORD).get(&file);
    assert_eq!(
        (elsewhere.status, elsewhere.header("www-authenticate")),
        (503, None),
        "and it was served in full, so it keeps its lines"
    );
}

#[test]
fn whoever_waits_for_leave_is_asked_first_and_then_let_go_on() {
    let server = listed();
    let (phone, path) = (Phone::in_clear(&server), format!("/{MAC}-app.log"));
    let challenged = phone.ask_leave(&path);
    let offered: Vec<&str> = challenged.headers("www-authenticate").collect();
    assert!(challenged.status == 401 && offered.len() == 2 && offered[0].starts_with("Digest "), "{}", challenged.head);
    let answered = phone.clone().with("Authorization", &digest(&challenged, USER, PASSWORD, "PUT", &path));
    for phone in [answered, phone.clone().with_credentials(USER, PASSWORD)] {
        assert_eq!(phone.ask_leave(&path).status, 100);
        assert_eq!(phone.with("Expect", "100-continue").put(&path, b"waited").status, 201);
    }
    list(&server, "10.1.2.0/24");
    let elsewhere = phone.ask_leave("/0004f2aa0009-app.log");
    assert_eq!((elsewhere.status, elsewhere.header("www-authenticate")), (404, None), "{}", elsewhere.head);
}

#[test]
fn an_answer_counts_for_its_path_and_method_and_for_some_minutes() {
    let server = listed();
    let phone = Phone::in_clear(&server);
    let master = format!("/{MAC}.cfg");
    let challenged = phone.get(&master);
    let right = digest(&challenged, USER, PASSWORD, "GET", &master);
    let with = |answer: &str, path: &str| phone.clone().with("Authorization", answer).get(path);
    assert_eq!(with(&right, &master).status, 200);
    assert_eq!(with(&right, &format!("/{MAC}-profile.cfg")).status, 401, "another path");
    assert_eq!(phone.clone().with("Authorization", &right).put(&format!("/{MAC}-app.log"), b"x").status, 401, "another method");
    assert_eq!(with(&right.replace("nonce=\"0", "nonce=\"1"), &master).status, 401, "a nonce of nobody");
    server.advance(301);
    let late = with(&right, &master);
    assert!(
        late.status == 401 && late.header("www-authenticate").is_some_and(|value| value.ends_with("stale=true")),
        "{}",
        late.head
    );
    let wrong = digest(&challenged, USER, "wrong", "GET", &master);
    assert!(
        with(&wrong, &master).header("www-authenticate").is_some_and(|value| !value.contains("stale")),
        "a guess is told nothing"
    );
    let default = digest(&phone.get(&master), FACTORY_DEFAULT, FACTORY_DEFAULT, "GET", "/0004f2aa0009.cfg");
    assert_eq!(with(&default, "/0004f2aa0009.cfg").status, 503, "the factory default waits for somebody, as over TLS");
}

#[test]
fn a_devices_own_credentials_open_it_by_digest_as_by_basic() {
    let server = listed();
    let (phone, file) = (Phone::in_clear(&server), format!("/{MAC}-profile.cfg"));
    let key = MAC.parse().expect("a MAC");
    let password = || credentials::of(&server.services, DEFAULT_ACCOUNT, &key).password.expose().to_owned();
    let own = |user: &str, password: &str, path: &str| by_digest_as(user, &phone, password, "GET", path, None);
    Phone::new(&server).get(&file);
    let first = password();
    for answer in [own(MAC, &first, &file), phone.clone().with_credentials(MAC, &first).get(&file)] {
        assert!(answer.status == 200 && answer.text().contains("line-secret"), "{}", answer.head);
        assert!(!answer.text().contains(&first), "none are handed out in clear text");
    }
    assert_eq!(own("0004F2AA0001", &first, &file).status, 200, "in any letter case");
    let log = format!("/{MAC}-app.log");
    assert_eq!(by_digest_as(MAC, &phone, &first, "PUT", &log, Some(b"log")).status, 201);
    for (user, guess, path) in [
        (MAC, "wrong", file.as_str()),
        (MAC, PASSWORD, &file),
        (USER, &first, &file),
        ("0004f2aa0002", &first, &file),
        (MAC, &first, "/0004f2aa0002-profile.cfg"),
    ] {
        assert_eq!(own(user, guess, path).status, 401, "{user} {path}");
    }
    let renew = |trust: &mut Trust| trust.renew();
    server.services.trusts(DEFAULT_ACCOUNT).learn(&key, renew);
    let second = password();
    assert_eq!(own(MAC, &first, &file).status, 200, "the former ones open until it came with the new ones");
    assert_eq!(own(MAC, &second, &file).status, 200);
    assert_eq!(own(MAC, &first, &file).status, 401, "and then no longer");
    server.services.trusts(DEFAULT_ACCOUNT).learn(&key, |trust| trust.bound_at = Some(noon()));
    assert_eq!(by_digest(&phone, PASSWORD, "GET", &file, None).status, 503, "what is bound needs its own");
    assert_eq!(own(MAC, &second, &file).status, 200);
}

#[test]
fn an_answer_made_with_a_devices_own_credentials_counts_for_its_path_and_method_and_for_some_minutes() {
    let server = listed();
    let (phone, file) = (Phone::in_clear(&server), format!("/{MAC}-profile.cfg"));
    Phone::new(&server).get(&file);
    let password = credentials::of(&server.services, DEFAULT_ACCOUNT, &MAC.parse().expect("a MAC")).password;
    let right = digest(&phone.get(&file), MAC, password.expose(), "GET", &file);
    let answered = |answer: &str| phone.clone().with("Authorization", answer);
    assert_eq!(answered(&right).get(&file).status, 200);
    assert_eq!(answered(&right).get(&format!("/{MAC}.cfg")).status, 401, "another path");
    assert_eq!(answered(&right).put(&file, b"x").status, 401, "another method");
    assert_eq!(answered(&right.replace("nonce=\"0", "nonce=\"1")).get(&file).status, 401, "a nonce of nobody");
    let over_tls = Phone::bare(&server).with("Authorization", &right).get(&file);
    assert_eq!(over_tls.status, 401, "what was overheard opens nothing over TLS");
    server.advance(301);
    let late = answered(&right).get(&file);
    let challenge = late.header("www-authenticate").expect("a challenge");
    assert!(late.status == 401 && challenge.ends_with("stale=true"), "{}", late.head);
}

#[test]
fn phn_12_what_travels_in_clear_text_holds_nothing_of_the_devices_own_and_the_device_is_marked() {
    let server = listed();
    let api = Api::owner(&server);
    let phone = Phone::in_clear(&server).with_credentials(USER, PASSWORD);
    phone.get(&format!("/{MAC}.cfg"));
    let file = phone.get(&format!("/{MAC}-profile.cfg")).text();
    for own in ["device.prov.user", "device.prov.password", "localAdminPassword", "bootSrvUseOpt", PASSWORD, "customCaCert"] {
        assert!(!file.contains(own), "{own}: {file}");
    }
    assert!(file.contains(&format!("device.prov.serverName=\"http://localhost:{}/\"", server.http.port())), "{file}");
    assert!(file.contains("device.prov.serverType=\"HTTP\""), "{file}");
    assert_eq!(api.ok("GET", &format!("/devices/{MAC}"), None)["clear_text"], true);
    let shown = api.ok("GET", &format!("/devices/{MAC}/effective"), None).to_string();
    assert!(!shown.contains("device.prov.password") && shown.contains("http://localhost"), "{shown}");
    for page in ["/admin/devices".to_owned(), format!("/admin/devices/{MAC}"), format!("/admin/devices/{MAC}/runs")] {
        assert!(api.page(&page).text().contains("clear text"), "{page}");
    }
    assert!(api.page("/admin/").text().contains("Phones in 127.0.0.0/8 are served over plain HTTP"));
    Phone::new(&server).get(&format!("/{MAC}-profile.cfg"));
    assert_eq!(api.ok("GET", &format!("/devices/{MAC}"), None)["clear_text"], false, "once it came over TLS");
}

#[test]
fn a_network_is_listed_only_by_somebody_who_knows_what_it_means() {
    let server = Server::start();
    let api = Api::owner(&server);
    let change = |subnets: &[&str], confirmed: bool| {
        let revision = api.ok("GET", "/settings", None)["revision"].clone();
        serde_json::json!({ "revision": revision, "legacy_http": subnets, "legacy_http_confirmed": confirmed })
    };
    let (status, fields) = api.refused("PATCH", "/settings", Some(change(&["10.1.2.0/24"], false)));
    assert_eq!((status, fields[0].0.as_str()), (422, "legacy_http_confirmed"));
    let (status, fields) = api.refused("PATCH", "/settings", Some(change(&["0.0.0.0/0"], true)));
    assert_eq!((status, fields[0].0.as_str()), (422, "legacy_http"));
    let saved = api.ok("PATCH", "/settings", Some(change(&["10.1.2.9/24", "10.1.2.0/24"], true)));
    assert_eq!(saved["legacy_http"], serde_json::json!(["10.1.2.0/24"]));
    let kept = api.ok("PATCH", "/settings", Some(change(&["10.1.2.0/24"], false)));
    assert_eq!(kept["legacy_http"], saved["legacy_http"], "what is there needs no word");
    assert_eq!(api.ok("PATCH", "/settings", Some(change(&[], false)))["legacy_http"], serde_json::json!([]));
    assert!(api.page("/admin/provisioning").text().contains("Networks without TLS"));
    assert_eq!(Phone::in_clear(&server).with_credentials(USER, PASSWORD).get(&format!("/{MAC}-profile.cfg")).status, 404);
}
