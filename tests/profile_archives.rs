//! Profiles as ZIP archives, hints about a profile, its mode, and the history of a parameter from outside (R109, R116, R123, R128).

use serde_json::json;

use crate::support::api::Api;
use crate::support::server::{OWNER_PASSWORD, Server};

fn office(api: &Api) -> serde_json::Value {
    let parameters = json!({ "reg.1.auth.password": "CANARY_ZIP", "reg.1.label": "a <b>", "prov.polling.enabled": "0" });
    api.ok("POST", "/profiles", Some(json!({ "name": "Office", "description": "For all", "parameters": parameters })))
}

fn import(api: &Api, archive: &[u8], how: &str) -> crate::support::phone::Response {
    api.send("POST", &format!("/profiles/import/archive{how}"), archive)
}

#[test]
fn profiles_go_out_and_come_in_again() {
    let server = Server::start();
    let api = Api::owner(&server);
    let made = office(&api);
    api.ok("POST", "/profiles", Some(json!({ "name": "Lobby", "parameters": { "up.idleTimeout": "5" } })));
    let masked = api.call("GET", "/profiles/export", None);
    assert!(masked.status == 200 && masked.body.starts_with(b"PK"), "{}", masked.text());
    let again = import(&api, &masked.body, "?dry_run=true");
    assert_eq!(again.text().matches("\"unchanged\"").count(), 2, "{}", again.text());
    let standard = api.ok("GET", "/profiles?kind=standard&per_page=1", None)["items"][0]["id"].clone();
    assert_eq!(api.call("GET", &format!("/profiles/export?ids={standard}"), None).status, 422, "only user-defined ones");
    assert_eq!(api.call("GET", "/profiles/export?ids=1&q=a", None).status, 422, "one or the other");
    let none = api.call("GET", "/profiles/export?q=nothing-has-this-word", None);
    assert!(none.status == 200 && none.body.len() < masked.body.len(), "{}", none.status);

    api.ok(
        "PATCH",
        &format!("/profiles/{}", made["id"]),
        Some(json!({ "revision": 1, "set": { "reg.1.label": "other" }, "description": "" })),
    );
    let replaced = import(&api, &masked.body, "");
    assert!(replaced.status == 200 && replaced.text().contains("\"replaced\""), "{}", replaced.text());
    let now = api.ok("GET", &format!("/profiles/{}", made["id"]), None);
    assert_eq!((&now["parameters"]["reg.1.label"], &now["description"]), (&json!("a <b>"), &json!("For all")));
    let world = server.world();
    let kept = world
        .profiles
        .values()
        .find(|profile| profile.name.as_str() == "Office")
        .expect("there")
        .parameters
        .get("reg.1.auth.password");
    assert_eq!(kept, Some("CANARY_ZIP"), "a masked secret stays what it was");

    let other = Server::start();
    let there = Api::owner(&other);
    let taken = import(&there, &masked.body, "");
    assert!(taken.text().contains("\"lost_secrets\":1"), "{}", taken.text());
    other.advance(11 * 60);
    let asked = there.call("GET", "/profiles/export/secrets?ids=1", None);
    assert!(asked.status == 403 && !asked.body.starts_with(b"PK"), "{}", asked.text());
    there.ok("POST", "/api/v1/session/confirmation", Some(json!({ "password": OWNER_PASSWORD })));
    let whole = there.call("GET", "/profiles/export/secrets?ids=1", None);
    assert_eq!(whole.status, 200, "{}", whole.text());
    let log = there.ok("GET", "/activity?q=secrets", None).to_string();
    assert!(log.contains("exported with its secrets"), "{log}");
    assert_eq!(import(&api, b"no archive", "").status, 422);
}

#[test]
fn hints_modes_and_histories_are_told() {
    let server = Server::start();
    let api = Api::owner(&server);
    let made = office(&api);
    let kinds: Vec<_> = made["hints"].as_array().into_iter().flatten().map(|hint| hint["kind"].clone()).collect();
    assert_eq!((kinds.as_slice(), &made["mode"]), (&[json!("polling-off")][..], &json!("polycom-phone-provision")));
    let path = format!("/admin/profiles/{}", made["id"]);
    let page = api.page(&path).text();
    assert!(page.contains("switches polling off") && page.contains("/history?name=reg.1.label"), "{page}");
    assert!(api.ok("GET", "/profiles?mode=polycom-phone-provision", None)["total"].as_u64() > Some(10));
    assert_eq!(api.refused("GET", "/profiles?mode=other", None).0, 422);
    assert!(api.page("/admin/profiles?mode=polycom-phone-provision&q=Office").text().contains("Profile Mode"));

    let api_path = format!("/profiles/{}", made["id"]);
    for (revision, label) in [(1, "second"), (2, "third")] {
        api.ok(
            "PATCH",
            &api_path,
            Some(json!({ "revision": revision, "name": format!("Office {label}"), "set": { "reg.1.label": label } })),
        );
    }
    let past = api.ok("GET", &format!("{api_path}/history?name=reg.1.label"), None);
    let values: Vec<_> = past.as_array().into_iter().flatten().map(|one| one["new"].clone()).collect();
    assert_eq!(values, ["third", "second", "a <b>"], "followed under its former names: {past}");
    let secret = api.ok("GET", &format!("{api_path}/history?name=reg.1.auth.password"), None);
    assert!(!secret.to_string().contains("CANARY"), "{secret}");
    let page = api.page(&format!("{path}/history?name=reg.1.label")).text();
    assert!(page.contains("third") && page.contains("second") && page.contains("activity?object=profile"), "{page}");
}
