//! The way to another server: what is exported from one gives every device of an empty one the same effective configuration, wherever its
//! profiles are attached and whatever made them.

use serde_json::{Value, json};

use crate::support::api::{Api, json as parsed};
use crate::support::phone::Phone;
use crate::support::server::Server;

const KEYS: [&str; 6] = ["0004f2bb0001", "0004f2bb0002", "0004f2bb0003", "0004f2bb0004", "8218404caa0001", "8218404caa0002"];

fn id(api: &Api, path: &str, name: &str) -> Value {
    let list = api.ok("GET", &format!("{path}?per_page=1000"), None);
    let found = list["items"].as_array().into_iter().flatten().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {list}"))["id"].clone()
}

fn profile(api: &Api, name: &str, parameters: Value) -> Value {
    api.ok("POST", "/profiles", Some(json!({ "name": name, "parameters": parameters })))["id"].clone()
}

/// Everything that a device gets, each value with what says it. What the binding says is each server's own.
fn effective(api: &Api, key: &str) -> Vec<Value> {
    let rows = api.ok("GET", &format!("/devices/{key}/effective"), None)["rows"].clone();
    let said = |row: &Value| {
        let winner = &row["winner"];
        let of_rule = winner["kind"] == "rule";
        let value = if of_rule { Value::Null } else { winner["value"].clone() };
        let source = if of_rule { Value::Null } else { winner["source"].clone() };
        json!([row["name"], row["file"], winner["kind"], source, value, winner["set"]])
    };
    rows.as_array().expect("rows").iter().map(said).collect()
}

/// A server with a profile at every kind of place, devices in groups of several orders, owners, a pin, lines by form and by CSV.
fn fill(api: &Api) {
    api.ok(
        "POST",
        "/sites",
        Some(json!({ "name": "Berlin", "networks": [{ "public": "192.0.2.0/24" }], "time_zone": "Europe/Berlin" })),
    );
    api.ok("POST", "/sites", Some(json!({ "name": "Tokyo", "time_zone": "Asia/Tokyo" })));
    let file = "mac_address,endpoint_name,endpoint_group,endpoint_model,endpoint_site,endpoint_pinned,endpoint_owner,reg.1.address,reg.1.auth.password\n\
        0004f2bb0001,Reception,Sales|Lab,VVX 411,Berlin,,person Ada,100,CANARY_CSV\n\
        0004f2bb0002,Desk,Lab|Sales,VVX 250,Tokyo,yes,room Lobby,,\n\
        0004f2bb0003,Hall,,,,,person Bob,,\n\
        0004f2bb0004,,Lab,,,yes,,104,\n";
    let tried = parsed(&api.send("POST", "/devices/import", file.as_bytes()));
    let errors = tried["items"][0]["errors"].as_array().into_iter().flatten();
    assert!(errors.clone().any(|error| error["column"] == "endpoint_owner") && tried["added"] == 0, "{tried}");
    let made = parsed(&api.send("POST", "/devices/import?create_groups=true", file.as_bytes()));
    assert_eq!((&made["added"], &made["new_owners"]), (&json!(4), &json!(["person Ada", "room Lobby", "person Bob"])), "{made}");
    let wrong = parsed(&api.send(
        "POST",
        "/devices/import?existing=merge&create_groups=true",
        b"mac_address,endpoint_pinned,endpoint_owner\n0004f2bb0001,maybe,somebody\n",
    ));
    assert_eq!(wrong["items"][0]["errors"].as_array().map(Vec::len), Some(2), "{wrong}");
    let (sales, board) = (
        api.ok("POST", "/person-groups", Some(json!({ "name": "Sellers" })))["id"].clone(),
        api.ok("POST", "/person-groups", Some(json!({ "name": "Board" })))["id"].clone(),
    );
    let ada = id(api, "/people", "Ada");
    api.ok("PUT", &format!("/people/{ada}/groups"), Some(json!({ "groups": [board, sales], "shown": [] })));
    let groups = [id(api, "/groups", "Sales"), id(api, "/groups", "Lab")];
    api.ok("PUT", "/default-groups", Some(json!({ "groups": groups, "shown": [] })));
    let standard = api.ok("GET", "/profiles?kind=standard&per_page=1000", None);
    let standard = standard["items"].as_array().into_iter().flatten();
    let standard =
        standard.filter(|one| !one["name"].as_str().unwrap_or_default().ends_with("TEMPLATE")).nth(3).expect("one")["id"].clone();
    let places = [
        ("global".to_owned(), "Everywhere"),
        (format!("sites/{}", id(api, "/sites", "Berlin")), "Berlin"),
        (format!("sites/{}", id(api, "/sites", "Tokyo")), "Tokyo"),
        (format!("groups/{}", groups[0]), "Sales"),
        (format!("groups/{}", groups[1]), "Lab"),
        ("models/VVX%20411".to_owned(), "VVX 411"),
        (format!("people/{ada}"), "Ada"),
        (format!("person-groups/{board}"), "Board"),
        (format!("person-groups/{sales}"), "Sellers"),
        (format!("rooms/{}", id(api, "/rooms", "Lobby")), "Lobby"),
    ];
    for (place, name) in places {
        let own = profile(
            api,
            &format!("of {name}"),
            json!({ "a.shared": name, format!("a.{name}").replace(' ', ""): "1", "a.password": "CANARY" }),
        );
        let with = if place == "global" { json!([own, standard]) } else { json!([own]) };
        api.ok("PUT", &format!("/deployment/{place}"), Some(json!({ "profiles": with, "shown": [] })));
    }
    let lines = json!([
        { "device": KEYS[0], "lines": [{ "line": 1, "fields": { "label": "form", "address": "200" } }] },
        { "device": KEYS[1], "lines": [{ "line": 1, "fields": { "address": "101", "password": "CANARY_FORM" } }] },
        { "device": KEYS[3], "lines": [{ "line": 2, "fields": { "address": "204" } }] },
    ]);
    api.ok("PUT", "/devices/lines", Some(lines));
    // One that is told another name than it has here, one that is told none, and a description that a spreadsheet would take for a formula.
    let apart = json!([
        { "key": KEYS[4], "family": "Studio", "name": "Portal-0", "sent_name": "OnDevice-0", "description": "=by the door, left" },
        { "key": KEYS[5], "family": "Studio", "name": "Portal-1", "private_ip": "10.9.8.7" },
    ]);
    api.ok("POST", "/devices", Some(apart));
    for (path, name) in [("/groups", "Sales"), ("/people", "Ada"), ("/person-groups", "Board"), ("/rooms", "Lobby")] {
        let (id, description) = (id(api, path, name), format!("what {name} is"));
        let revision = api.ok("GET", &format!("{path}/{id}"), None)["revision"].clone();
        api.ok("PATCH", &format!("{path}/{id}"), Some(json!({ "revision": revision, "description": description })));
    }
    let hand = profile(api, "By hand", json!({ "a.shared": "hand", "MISC_FILES": "x.png" }));
    let shown = api.ok("GET", &format!("/devices/{}", KEYS[3]), None)["profiles"].clone();
    let mut wanted = shown.as_array().expect("profiles").clone();
    wanted.insert(0, hand);
    api.ok("PUT", &format!("/deployment/devices/{}", KEYS[3]), Some(json!({ "profiles": wanted, "shown": shown })));
}

#[test]
fn an_empty_server_gives_every_device_the_same_after_sites_devices_and_profiles_in_this_order() {
    let (full, empty) = (Server::start(), Server::start());
    let (api, other) = (Api::owner(&full), Api::owner(&empty));
    fill(&api);
    let sites = api.call("GET", "/sites/export", None);
    let devices = api.ok("POST", "/devices/export?place=true", None)["file"].as_str().expect("told").to_owned();
    let archive = api.call("GET", "/profiles/export/secrets", None).body;

    other.send("POST", "/sites/import", &sites.body);
    let taken = parsed(&other.send("POST", "/devices/import?create_groups=true", devices.as_bytes()));
    assert_eq!((&taken["added"], &taken["refused"]), (&json!(6), &json!(0)), "{taken}");
    let take = |how: &str| parsed(&other.send("POST", &format!("/profiles/import/archive{how}"), &archive));
    let tried = take("?attach=true&dry_run=true");
    assert!(tried["impact"]["changed"] == 6 && tried["attached"]["missing"] == json!([]), "{tried}");
    assert_eq!(tried["attached"]["made"], json!(["person group Sellers", "person group Board"]));
    assert_eq!(other.ok("GET", "/deployment/global", None)["profiles"], json!([]), "a dry run changes nothing");
    let done = take("?attach=true");
    assert_eq!((&done["attached"]["places"], &done["attached"]["devices"]), (&json!(10), &json!(3)), "{done}");
    for key in KEYS {
        let rows = effective(&api, key);
        assert!(rows.len() > 10, "{key}: {rows:?}");
        let there = effective(&other, key);
        let differs: Vec<_> =
            rows.iter().filter(|row| !there.contains(row)).chain(there.iter().filter(|row| !rows.contains(row))).collect();
        assert!(differs.is_empty(), "{key}: {differs:?}");
        let shown = |api: &Api| {
            let device = api.ok("GET", &format!("/devices/{key}"), None);
            let told = json!([device["sent_name"], device["description"], device["private_ip"]]);
            json!([device["name"], device["model"], device["pin"].is_null(), device["owner"]["person"].is_null(), told])
        };
        assert_eq!(shown(&other), shown(&api), "{key}");
    }
    let got = |key: &str| other.ok("GET", &format!("/devices/{key}/effective"), None).to_string();
    assert!(got(KEYS[4]).contains("OnDevice-0") && !got(KEYS[4]).contains("Portal-0"), "the name that it is told");
    assert!(!got(KEYS[5]).contains("Portal-1"), "it is told none");
    for (path, name) in [("/groups", "Sales"), ("/people", "Ada"), ("/person-groups", "Board"), ("/rooms", "Lobby")] {
        let described = other.ok("GET", &format!("{path}/{}", id(&other, path, name)), None)["description"].clone();
        assert_eq!(described, json!(format!("what {name} is")), "{path}");
    }
    let agent = format!("FileTransport PolycomVVX-VVX_250-UA/6.4.0.1234 (SN:{}) Type/Application", KEYS[1]);
    let form = Phone::new(&empty).with("User-Agent", &agent).get(&format!("/{}-profile.cfg", KEYS[1])).text();
    assert!(form.contains("CANARY_FORM") && form.contains("reg.1.address=\"101\""), "{form}");
    assert_eq!(other.ok("POST", "/devices/export?place=true", None)["file"], json!(devices), "and exports the same");
    let defaults = |api: &Api| {
        let list = api.ok("GET", "/default-groups", None).to_string();
        (list.contains("Sales"), list.find("Sales") < list.find("Lab"))
    };
    assert_eq!(defaults(&other), defaults(&api));
    let again = take("?attach=true");
    assert!(again["profiles"].as_array().into_iter().flatten().all(|one| one["result"] == "unchanged"), "{again}");
    assert_eq!((&again["attached"]["places"], &again["attached"]["devices"]), (&json!(0), &json!(0)), "{again}");
}

#[test]
fn what_is_not_there_is_told_and_keeps_nothing_out() {
    let (full, empty) = (Server::start(), Server::start());
    let (api, other) = (Api::owner(&full), Api::owner(&empty));
    fill(&api);
    let archive = api.call("GET", "/profiles/export", None).body;
    let plain = parsed(&other.send("POST", "/profiles/import/archive?dry_run=true", &archive));
    assert_eq!((&plain["has_deployment"], &plain["attached"]), (&json!(true), &Value::Null), "nobody asked for it: {plain}");
    let taken = parsed(&other.send("POST", "/profiles/import/archive?attach=true", &archive));
    let missing = taken["attached"]["missing"].to_string();
    for part in ["site Berlin", "site Tokyo", "device 0004f2bb0001", "device 0004f2bb0004"] {
        assert!(missing.contains(part), "{part}: {missing}");
    }
    assert_eq!(other.ok("GET", "/deployment/global", None)["profiles"].as_array().map(Vec::len), Some(2));
    let page = other.upload("/admin/profiles/import", &[("file", Some("a.zip"), &archive)]);
    let preview = other.page(page.header("location").expect("a preview")).text();
    assert!(preview.contains("Attach them again") && preview.contains("site Berlin"), "{preview}");
    let some = api.call("GET", &format!("/profiles/export?ids={}", id(&api, "/profiles", "By hand")), None).body;
    let some = parsed(&other.send("POST", "/profiles/import/archive?attach=true&dry_run=true", &some));
    assert_eq!((&some["has_deployment"], &some["attached"]), (&json!(false), &Value::Null), "only that of all says it");
}
