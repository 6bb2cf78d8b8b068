//! The provisioning addresses that were handed out: who still uses which, what `pdms check` says of them, and what the dashboard
//! warns of (contract 2, 3, R186, R190, OPS-04).

use std::process::Command;
use std::sync::Arc;

use pdms::services::address::Address;
use pdms::services::addresses::{self, Answered};
use pdms::services::certificates::{Certificates, ServerNames};
use pdms::services::clock::Clock;
use pdms::services::{check, server, warnings};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::Server;

const FIRST: &str = "0004f2aa0001";
const SECOND: &str = "0004f2aa0002";

/// A phone that fetches by a host, port included.
fn come(server: &Server, key: &str, host: &str) {
    let answer = Phone::new(server).with("Host", host).get(&format!("/{key}.cfg"));
    assert_eq!(answer.status, 200, "{host}");
    server.flush();
}

fn rename(api: &Api, name: &str) -> String {
    let revision = &api.ok("GET", "/api/v1/server", None)["revision"];
    let change = json!({ "revision": revision, "public_name": name });
    api.ok("PATCH", "/api/v1/server", Some(change))["url"].as_str().expect("an address").to_owned()
}

fn row<'a>(list: &'a Value, url: &str) -> Option<&'a Value> {
    list["items"].as_array().expect("a list").iter().find(|one| one["url"] == url)
}

#[test]
fn an_address_is_listed_with_its_users_and_stays_until_somebody_takes_it_away() {
    let server = Server::start();
    let (api, port, old) = (Api::owner(&server), server.address.port(), server.base());
    come(&server, FIRST, &format!("LOCALHOST:{port}"));
    let new = rename(&api, "pdms.example.test");
    // Some phones leave the port out.
    come(&server, SECOND, "pdms.example.test");
    let list = || api.ok("GET", "/api/v1/server/addresses", None);
    let before = list();
    let (current, former) = (row(&before, &new).expect("listed"), row(&before, &old).expect("listed"));
    assert_eq!((&current["is_current"], &current["devices"]), (&json!(true), &json!([SECOND])));
    assert_eq!((&former["is_current"], &former["was_told"], &former["devices"]), (&json!(false), &json!(true), &json!([FIRST])));
    assert!(former["since"].is_string() && former["last_used"].is_string() && former["unanswered"].is_null(), "{former}");
    let names = api.ok("GET", "/api/v1/server", None)["certificate"]["names"].to_string();
    assert!(names.contains("localhost") && names.contains("pdms.example.test"), "{names}");

    let remove = |url: &str, how: &str| api.call("DELETE", &format!("/api/v1/server/addresses?url={url}{how}"), None);
    let told = remove(&old, "");
    assert!(told.status == 409 && told.text().contains(FIRST), "{}", told.text());
    assert_eq!(remove(&new, "&even_if_used=true").status, 409, "phones are told this one");
    assert_eq!(remove(&old, "&even_if_used=true&dry_run=true").status, 200);
    assert!(row(&list(), &old).is_some(), "a dry run keeps it");
    come(&server, FIRST, &format!("pdms.example.test:{port}"));
    assert_eq!(row(&list(), &old).expect("still listed")["devices"], json!([]));
    assert_eq!(remove(&old, "").status, 200, "no device uses it");
    assert!(row(&list(), &old).is_none());
    assert_eq!(remove(&old, "").status, 404);
}

#[test]
fn somebody_who_is_not_let_in_changes_nothing_of_who_uses_what() {
    let server = Server::start();
    come(&server, FIRST, &format!("localhost:{}", server.address.port()));
    let stranger = Phone::bare(&server).with("Host", "elsewhere.example.test").get(&format!("/{FIRST}.cfg"));
    assert_eq!(stranger.status, 401);
    let list = Api::owner(&server).ok("GET", "/api/v1/server/addresses", None);
    assert_eq!(row(&list, &server.base()).expect("listed")["devices"], json!([FIRST]));
}

#[test]
fn a_check_fails_while_a_device_uses_an_address_that_is_no_longer_answered() {
    let server = Server::start();
    // The program that checks has no other clock than the machine's.
    server.clock.advance_to(Clock::system().now().max(server.clock.now()));
    come(&server, FIRST, &format!("localhost:{}", server.address.port()));
    let (services, port) = (&server.services, server.address.port());
    let answered = |https, public: Option<u16>| {
        let public = public.map(|port| ("localhost".to_owned(), port));
        Answered::configured(services, None, https, None, public).expect("usable certificates")
    };
    let faults = |https, public| check::faults(services, None, Some(&answered(https, public))).expect("readable");
    assert_eq!(faults(port, None), Vec::<String>::new());
    let told = faults(port + 1, None);
    assert!(told.len() == 1 && told[0].contains(FIRST) && told[0].contains("its port is not listened on"), "{told:?}");
    assert_eq!(faults(port + 1, Some(port)), Vec::<String>::new(), "a port of the public address counts");

    let state = server.dir.path().join("state");
    let state = state.to_str().expect("a plain path").to_owned();
    let stopped = server.stopped();
    let run = |https: String| {
        let mut check = Command::new(env!("CARGO_BIN_EXE_pdms"));
        let output =
            check.args(["check", "--state", &state]).env("PDMS_HTTPS", https).env("PDMS_HTTP", "off").output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run(format!("127.0.0.1:{port}")).0, Some(0));
    let (code, told) = run(format!("127.0.0.1:{}", port + 1));
    assert!(code == Some(1) && told.contains(FIRST), "{told}");

    let server = stopped.started();
    server.advance(91 * 86_400);
    let answered = Answered::configured(&server.services, None, port + 1, None, None).expect("usable certificates");
    assert_eq!(addresses::faults(&server.services, &answered).expect("readable"), Vec::<String>::new(), "long not seen");
}

/// A certificate of the admin's own, valid for ten days more, that names another host than phones are told.
fn bring(folder: &std::path::Path) {
    let mut params = CertificateParams::new(vec!["phones.example.test".to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, "phones.example.test");
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 12, 3));
    let key = KeyPair::generate().expect("a key");
    std::fs::write(folder.join("own.pem"), params.self_signed(&key).expect("signed").pem()).expect("written");
    std::fs::write(folder.join("own.key"), key.serialize_pem()).expect("written");
}

#[test]
fn ops_04_a_certificate_that_ends_soon_or_names_another_host_is_told_and_a_bad_pair_keeps_the_former_one() {
    let server = Server::start();
    let quiet = |text: &str| !text.contains("certificate");
    assert!(quiet(&Api::owner(&server).ok("GET", "/api/v1/server/warnings", None).to_string()));
    assert!(Phone::bare(&server).get("/readyz").text().starts_with("ready\n"));
    let folder = server.dir.path().join("state/certs");
    bring(&folder);
    let server = server.restarted();
    let told = Api::owner(&server).ok("GET", "/api/v1/server/warnings", None).to_string();
    assert!(told.contains("expires in 10 days") && told.contains("does not name the address"), "{told}");
    let ready = Phone::bare(&server).get("/readyz").text();
    assert!(ready.starts_with("ready\n") && ready.contains("warning: The server's certificate expires in 10 days"), "{ready}");

    let folder = server.dir.path().join("state/certs");
    let services = &server.services;
    let given = server::settings(services).expect("settings").given;
    let names = ServerNames::of_this_machine(&[]);
    let certificates = Certificates::open(&folder, None, given, &names, server.clock.now()).expect("the own one");
    let address = Address::new(Arc::new(certificates), None, server.address, None);
    address.refresh(services).expect("it fits");
    let before = address.certificates().active().default.cert.clone();
    std::fs::write(folder.join("own.key"), KeyPair::generate().expect("a key").serialize_pem()).expect("written");
    address.refresh(services).expect_err("it does not fit");
    assert_eq!(address.certificates().active().default.cert, before, "the former one stays");
    let told = warnings::list(services, &address).expect("readable");
    assert!(told[0].is_urgent && told[0].text.contains("do not belong together"), "{told:?}");
}
