//! Secrets that somebody may write and not see (SEC-05): they are masked under any name, nobody finds one out by trying, and no mask
//! becomes a password.

use serde_json::{Value, json};

use crate::support::api::{Api, json as parsed, problem};
use crate::support::browser::{Browser, Site};
use crate::support::server::Server;

const KEY: &str = "0004f2aabbd1";
const SECRET: &str = "CANARY_9";

/// A device with a secret in its own profile and in one of a CSV file; the number of the former.
fn prepared(api: &Api) -> Value {
    let csv = format!("mac_address,reg.2.auth.password\n{KEY},{SECRET}\n");
    assert_eq!(parsed(&api.send("POST", "/devices/import", csv.as_bytes()))["added"], 1);
    let parameters = json!({ "reg.1.auth.password": SECRET, "reg.1.label": "7" });
    let profile = api.ok("POST", "/profiles", Some(json!({ "name": "Secret", "parameters": parameters })))["id"].clone();
    api.ok("PUT", "/deployment/global", Some(json!({ "profiles": [profile], "shown": [] })));
    profile
}

#[test]
fn no_dry_run_tells_whether_a_secret_that_is_tried_is_the_one_that_is_stored() {
    let server = Server::start();
    let api = Api::owner(&server);
    let id = prepared(&api);
    let same = |what: &str, tried: &dyn Fn(&str) -> Value| {
        let (right, wrong) = (tried(SECRET), tried("CANARY_8"));
        assert_eq!(right, wrong, "{what}");
        assert!(!right.to_string().contains("CANARY"), "{what}: {right}");
        right
    };
    let patch = |guess: &str| {
        let body = json!({ "revision": 1, "set": { "reg.1.auth.password": guess } });
        api.ok("PATCH", &format!("/profiles/{id}?dry_run=true"), Some(body))
    };
    let told = same("PATCH", &patch);
    assert_eq!((&told["revision"], &told["impact"]["changed"]), (&json!(2), &json!(1)), "{told}");
    same("PUT", &|guess| {
        let parameters = json!({ "reg.1.auth.password": guess, "reg.1.label": "7" });
        let body = json!({ "revision": 1, "name": "Secret", "parameters": parameters });
        api.ok("PUT", &format!("/profiles/{id}?dry_run=true"), Some(body))
    });
    same("XML", &|guess| {
        let file = format!("<a reg.1.auth.password=\"{guess}\"/>");
        parsed(&api.send("POST", &format!("/profiles/{id}/import?dry_run=true&revision=1"), file.as_bytes()))
    });
    // Whoever may see secrets, and gave the password a moment ago, is told of a file of devices; nobody else is.
    server.advance(11 * 60);
    for existing in ["merge", "overwrite"] {
        same(existing, &|guess| {
            let file = format!("mac_address,reg.2.auth.password\n{KEY},{guess}\n");
            parsed(&api.send("POST", &format!("/devices/import?dry_run=true&existing={existing}"), file.as_bytes()))
        });
    }
    for (name, value) in [("Right", SECRET), ("Wrong", "CANARY_8")] {
        api.ok("POST", "/profiles", Some(json!({ "name": name, "parameters": { "reg.1.auth.password": value } })));
    }
    let numbers = api.ok("GET", "/profiles?kind=user-defined", None)["items"].clone();
    let number =
        |name: &str| numbers.as_array().into_iter().flatten().find(|one| one["name"] == name).map(|one| one["id"].clone());
    same("attach", &|guess| {
        let own = number(if guess == SECRET { "Right" } else { "Wrong" }).expect("there");
        let body = json!({ "profiles": [own, id], "shown": [id] });
        api.ok("PUT", "/deployment/global?dry_run=true", Some(body))["impact"].clone()
    });
    same("lines", &|guess| {
        let body = json!({ "lines": [{ "line": 1, "fields": { "password": guess } }] });
        api.ok("PUT", &format!("/devices/{KEY}/lines?dry_run=true"), Some(body))
    });
}

#[test]
fn a_mask_that_is_sent_back_keeps_the_secret_and_is_no_change() {
    let server = Server::start();
    let api = Api::owner(&server);
    let id = prepared(&api);
    let path = format!("/profiles/{id}");
    let read = api.ok("GET", &path, None);
    let body = json!({ "revision": 1, "name": "Secret", "parameters": read["parameters"] });
    let put = api.ok("PUT", &format!("{path}?dry_run=true"), Some(body));
    assert_eq!((&put["revision"], &put["impact"]["changed"]), (&json!(1), &json!(0)), "{put}");
    let body = json!({ "revision": 1, "set": { "reg.1.auth.password": read["parameters"]["reg.1.auth.password"] } });
    let patched = api.ok("PATCH", &format!("{path}?dry_run=true"), Some(body));
    assert_eq!((&patched["revision"], &patched["impact"]["changed"]), (&json!(1), &json!(0)), "{patched}");
    let file = format!("<a reg.1.auth.password=\"{}\" reg.1.label=\"8\"/>", pdms::domain::activity::MASK);
    let taken = api.send("POST", &format!("{path}/import?revision=1"), file.as_bytes());
    assert_eq!(taken.status, 200, "{}", taken.text());
    let world = server.world();
    let kept = world.profiles.values().find(|profile| profile.name.as_str() == "Secret").expect("there");
    assert_eq!((kept.parameters.get("reg.1.auth.password"), kept.parameters.get("reg.1.label")), (Some(SECRET), Some("8")));
}

#[test]
fn the_mask_of_another_program_is_refused_with_its_place() {
    let server = Server::start();
    let api = Api::owner(&server);
    let id = prepared(&api);
    let file = format!("mac_address,reg.2.auth.password\n{KEY},********\n");
    let told = parsed(&api.send("POST", "/devices/import?existing=merge", file.as_bytes()));
    assert_eq!(
        (&told["refused"], &told["items"][0]["errors"][0]["column"]),
        (&json!(1), &json!("reg.2.auth.password")),
        "{told}"
    );
    let xml = parsed(&api.send(
        "POST",
        &format!("/profiles/{id}/import?dry_run=true&revision=1"),
        b"<a\n reg.1.auth.password=\"****\"/>",
    ));
    let refused = &xml["refused"][0];
    assert_eq!((&refused["name"], &refused["line"]), (&json!("reg.1.auth.password"), &json!(2)), "{xml}");
    let body = json!({ "revision": 1, "set": { "reg.1.auth.password": "••••" } });
    let answer = api.call("PATCH", &format!("/profiles/{id}"), Some(body));
    assert!(problem(&answer).0 == 422 && answer.text().contains("the mask that a program shows"), "{}", answer.text());
}

#[actix_web::test]
async fn private_keys_and_passwords_in_addresses_are_masked_wherever_values_are_shown() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    browser.post("/admin/profiles/add", &[("name", "Hidden")]).await;
    let here = browser.path.clone();
    let values = [
        ("btoe.PairingCode", "CANARY"),
        ("res.key", "-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY-----"),
        ("res.page", "https://host/a?user=b&password=CANARY"),
        ("res.path", "b:CANARY@host/logs"),
    ];
    for ((name, value), revision) in values.into_iter().zip(1..) {
        let revision = revision.to_string();
        let fields = [("do", "add"), ("revision", revision.as_str()), ("new_name", name), ("new_value", value)];
        let saved = browser.post(&format!("{here}/parameters"), &fields).await;
        assert!(
            saved.status.is_success() && saved.body.contains(name) && !saved.body.contains("CANARY"),
            "{name}: {}",
            saved.body
        );
    }
    let history = browser.get("/admin/activity").await;
    assert!(history.body.contains("res.page") && !history.body.contains("CANARY"), "{}", history.body);
    let fields = [("do", "change"), ("revision", "5"), ("name", "btoe.PairingCode"), ("value", "CANARY")];
    let again = browser.post(&format!("{here}/parameters"), &fields).await;
    assert!(again.body.contains("btoe.PairingCode is changed."), "nobody finds out a secret by trying: {}", again.body);
}
