//! The MAC of a device that goes by its serial number is typed on pages and in the API, and no two devices have the same one (R267).

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::Server;

const SERIAL: &str = "8218404c20ccf9";
const MAC: &str = "00e0db4c20cc";

#[test]
fn the_api_sets_changes_and_clears_it() {
    let server = Server::start();
    let api = Api::owner(&server);
    let new = json!({ "key": SERIAL, "family": "Studio", "mac": "00:E0:DB:4C:20:CC" });
    let tried = api.call("POST", "/devices?dry_run=true", Some(new.clone()));
    assert!(tried.status == 200 && api.ok("GET", "/devices", None)["total"] == 0, "{}", tried.text());
    assert_eq!(api.ok("POST", "/devices", Some(new))["mac"], MAC);
    assert_eq!(api.refused("POST", "/devices", Some(json!({ "key": MAC }))).1[0].0, "key", "it is the other device's");
    let path = format!("/devices/{SERIAL}");
    let change = |revision: u64, mac: Value| json!({ "revision": revision, "mac": mac });
    assert_eq!(api.ok("PATCH", &path, Some(json!({ "revision": 1, "description": "Hall" })))["mac"], MAC, "it stays");
    assert_eq!(api.refused("PATCH", &path, Some(change(2, json!("nope")))).1[0].0, "mac");
    assert_eq!(api.ok("PATCH", &format!("{path}?dry_run=true"), Some(change(2, Value::Null)))["mac"], Value::Null);
    assert_eq!(api.ok("GET", &path, None)["mac"], MAC, "it was only tried out");
    api.ok("POST", "/devices", Some(json!({ "key": "0004f2aa0001" })));
    assert_eq!(api.refused("PATCH", &path, Some(change(2, json!("0004f2aa0001")))).1[0].0, "mac");
    assert_eq!(api.ok("PATCH", &path, Some(change(2, json!("00e0db4c20cd"))))["mac"], "00e0db4c20cd");
    let log = api.ok("GET", &format!("/activity?q={SERIAL}"), None)["items"][0].clone();
    assert!(log.to_string().contains("MAC address") && log.to_string().contains("00e0db4c20cd"), "{log}");
    assert_eq!(api.ok("PATCH", &path, Some(change(3, Value::Null)))["mac"], Value::Null);
    let other = api.ok("GET", "/devices/0004f2aa0001", None)["revision"].as_u64().expect("a number");
    assert_eq!(
        api.refused("PATCH", "/devices/0004f2aa0001", Some(change(other, json!(MAC)))).1[0].0,
        "mac",
        "it goes by its own"
    );
}

#[test]
fn the_pages_take_it_and_a_device_that_asks_by_it_is_the_same() {
    let server = Server::start();
    let api = Api::owner(&server);
    let add = |key: &str, mac: &str| api.form_once("/admin/devices/add", &json!({ "key": key, "family": "Studio", "mac": mac }));
    assert_eq!(add(SERIAL, MAC).status, 303);
    let refused = add("8218404c20ccfa", MAC);
    assert!(refused.status == 422 && refused.text().contains("is the MAC address of the device"), "{}", refused.text());
    assert_eq!(Phone::new(&server).get(&format!("/{MAC}.cfg")).status, 200);
    server.flush();
    assert_eq!(api.ok("GET", "/devices", None)["total"], 1, "no second one was added");

    let page = format!("/admin/devices/{SERIAL}");
    assert!(api.page(&page).text().contains(&format!("name=\"mac\" type=\"text\" value=\"{MAC}\"")));
    let revision = api.ok("GET", &format!("/devices/{SERIAL}"), None)["revision"].to_string();
    let wrong = api.form_once(&page, &json!({ "revision": revision, "mac": "0104f2000001" }));
    assert!(wrong.status == 422 && wrong.text().contains("many devices at once"), "{}", wrong.text());
    assert_eq!(api.form_once(&page, &json!({ "revision": revision, "mac": "00-e0-db-00-00-01" })).status, 303);
    assert_eq!(api.ok("GET", &format!("/devices/{SERIAL}"), None)["mac"], "00e0db000001");
    api.ok("POST", "/devices", Some(json!({ "key": "0004f2aa0001" })));
    assert!(
        !api.page("/admin/devices/0004f2aa0001").text().contains("name=\"mac\""),
        "a device that goes by its MAC has no other"
    );
}

#[test]
fn a_device_that_is_blocked_is_held_by_its_serial_number_and_by_its_mac() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/devices", Some(json!({ "key": SERIAL, "family": "Studio", "mac": MAC })));
    api.ok("DELETE", &format!("/devices/{SERIAL}?removal=block"), None);
    let reason = |key: &str| api.refused("POST", "/devices", Some(json!({ "key": key }))).1;
    for key in [SERIAL, MAC] {
        assert!(reason(key)[0].1.contains("deleted and blocked"), "{key}");
        assert_ne!(Phone::new(&server).get(&format!("/{key}.cfg")).status, 200, "{key}");
    }
    let another = "8218404c20ccfa";
    let with = json!({ "key": another, "family": "Studio", "mac": MAC });
    assert_eq!(api.refused("POST", "/devices", Some(with)).1[0].0, "mac");
    api.ok("POST", "/devices", Some(json!({ "key": another, "family": "Studio" })));
    let change = json!({ "revision": 1, "mac": MAC });
    assert_eq!(api.refused("PATCH", &format!("/devices/{another}"), Some(change.clone())).1[0].0, "mac");
    let sheet = format!("serial_number,mac_address\n{another},{MAC}\n");
    let tried = api.send("POST", "/devices/import?dry_run=true&existing=merge", sheet.as_bytes()).text();
    assert!(tried.contains("deleted and blocked"), "{tried}");
    let server = server.restarted();
    let api = Api::owner(&server);
    assert_eq!(api.refused("POST", "/devices", Some(json!({ "key": MAC }))).1[0].0, "key", "a restart forgets nothing");
    api.ok("DELETE", &format!("/blocked/{SERIAL}"), None);
    assert_eq!(api.ok("PATCH", &format!("/devices/{another}"), Some(change))["mac"], MAC, "it is free again");
}
