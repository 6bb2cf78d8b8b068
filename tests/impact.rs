//! What a change does to devices is told before it is made: by the API with `dry_run=true`, on pages before anything is written
//! (contract 5.11, 5.15).

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::confirmation;
use crate::support::phone::{Phone, Response};
use crate::support::server::Server;

const KEY: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";
const PAGE_BYTES: usize = 500_000;

fn profile(api: &Api, name: &str, parameters: Value) -> u64 {
    let made = api.ok("POST", "/profiles", Some(json!({ "name": name, "parameters": parameters })));
    made["id"].as_u64().expect("a number")
}

fn attach(api: &Api, place: &str, profiles: &[u64]) {
    let shown = api.ok("GET", &format!("/deployment/{place}"), None)["shown"].clone();
    api.ok("PUT", &format!("/deployment/{place}"), Some(json!({ "profiles": profiles, "shown": shown })));
}

fn revision(api: &Api, profile: u64) -> String {
    api.ok("GET", &format!("/profiles/{profile}"), None)["revision"].to_string()
}

fn value(api: &Api, profile: u64, name: &str) -> Value {
    api.ok("GET", &format!("/profiles/{profile}"), None)["parameters"][name].clone()
}

fn served(server: &Server, key: &str, name: &str) -> Option<String> {
    let text = Phone::new(server).get(&format!("/{key}-profile.cfg")).text();
    Some(text.split_once(&format!(" {name}=\""))?.1.split('"').next()?.to_owned())
}

fn text(answer: &Response) -> String {
    let body = answer.text();
    let parts = body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Says yes on a page that asked.
fn confirm(api: &Api, path: &str, asked: &Response) -> Response {
    let [(form, word), (mark, shown)] = confirmation(&asked.text()).expect("a page that asks");
    api.form_once(path, &json!({ form: word, mark: shown }))
}

/// Two devices that a profile reaches, one of them with a profile of its own above it.
fn furnished() -> (Server, Api, u64) {
    let server = Server::start();
    let api = Api::owner(&server);
    let own = profile(&api, "Own", json!({ "up.welcome": "own" }));
    let parameters = json!({ "up.welcome": "all", "reg.1.auth.password": "CANARY_1", "device.net.vlanId": "7" });
    let all = profile(&api, "All", parameters);
    api.ok("POST", "/devices", Some(json!([{ "key": KEY, "name": "Hall" }, { "key": OTHER, "profiles": [own] }])));
    attach(&api, "global", &[all]);
    (server, api, all)
}

#[test]
fn a_dry_run_tells_which_devices_change_how_and_whether_they_restart() {
    let (_server, api, all) = furnished();
    let set = json!({ "up.welcome": "other", "reg.1.auth.password": "CANARY_2", "voice.volume.persist.handset": "1" });
    let now: u64 = revision(&api, all).parse().expect("a number");
    let change = json!({ "revision": now, "set": set });
    let told = api.ok("PATCH", &format!("/profiles/{all}?dry_run=true"), Some(change));
    let impact = &told["impact"];
    assert_eq!((&impact["changed"], &impact["added"], &impact["removed"]), (&json!(2), &json!(0), &json!(0)), "{impact}");
    let [first, second] = [0, 1].map(|at| &impact["groups"][at]);
    assert_eq!(
        (&first["devices"], &second["devices"]),
        (&json!([{ "key": KEY, "name": "Hall" }]), &json!([{ "key": OTHER, "name": null }]))
    );
    let names =
        |group: &Value| group["changes"].as_array().expect("changes").iter().map(|one| one["name"].clone()).collect::<Vec<_>>();
    assert_eq!(
        names(second),
        ["reg.1.auth.password", "voice.volume.persist.handset"],
        "its own profile beats the other parameter"
    );
    assert!(names(first).contains(&json!("up.welcome")), "{impact}");
    assert!(["yes", "maybe"].contains(&first["restarts"].as_str().expect("a word")), "{impact}");
    assert!(!told.to_string().contains("CANARY"), "{told}");
    assert_eq!(value(&api, all, "up.welcome"), "all", "it was only tried out");

    let made = api.ok("POST", "/devices?dry_run=true", Some(json!([{ "key": "0004f2aa0003" }, { "key": "0004f2aa0004" }])));
    assert_eq!((&made["total"], &made["impact"]["added"], &made["impact"]["changed"]), (&json!(2), &json!(2), &json!(0)));
    assert_eq!(made["items"][0]["key"], "0004f2aa0003");
    let gone = api.ok("DELETE", &format!("/devices/{KEY}?removal=forget&dry_run=true"), None);
    assert_eq!((&gone["impact"]["removed"], &gone["impact"]["changed"]), (&json!(1), &json!(0)));
    let settings =
        json!({ "revision": api.ok("GET", "/settings", None)["revision"], "polling_window": { "from": 60, "to": 61 } });
    let told = api.ok("PATCH", "/settings?dry_run=true", Some(settings));
    assert_eq!(
        (&told["impact"]["changed"], &told["impact"]["groups"][0]["changes"][0]["name"]),
        (&json!(2), &json!("prov.polling.time"))
    );
}

#[test]
fn nothing_is_written_before_what_it_does_to_devices_was_shown_and_confirmed() {
    let (server, api, all) = furnished();
    let page = format!("/admin/profiles/{all}/parameters");
    let change = |value: &str| json!({ "revision": revision(&api, all), "do": "change", "name": "up.welcome", "value": value });
    let asked = api.form_once(&page, &change("new"));
    let words = text(&asked);
    for part in [
        "Change up.welcome in All?",
        "1 device gets other values",
        "Nothing is saved yet",
        "Hall",
        "up.welcome",
        "all",
        "new",
        "restart",
    ] {
        assert!(asked.status == 200 && words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains(OTHER), "its own profile beats it: {words}");
    assert_eq!((value(&api, all, "up.welcome"), served(&server, KEY, "up.welcome").as_deref()), (json!("all"), Some("all")));
    assert_eq!(confirm(&api, &page, &asked).status, 303);
    assert_eq!((value(&api, all, "up.welcome"), served(&server, KEY, "up.welcome").as_deref()), (json!("new"), Some("new")));

    // Where it touches nobody it is done at once.
    let unused = profile(&api, "Unused", json!({ "up.welcome": "x" }));
    let there = json!({ "revision": "1", "do": "change", "name": "up.welcome", "value": "y" });
    assert_eq!(api.form_once(&format!("/admin/profiles/{unused}/parameters"), &there).status, 303);
    assert_eq!(value(&api, unused, "up.welcome"), "y");
    let same = api.form_once(&page, &change("new"));
    assert_eq!(same.status, 303, "nothing changes: {}", text(&same));
}

#[test]
fn a_secret_stays_out_of_the_page_that_asks() {
    let (server, api, all) = furnished();
    let page = format!("/admin/profiles/{all}/parameters");
    let change = json!({ "revision": revision(&api, all), "do": "change", "name": "reg.1.auth.password", "value": "CANARY_2" });
    let asked = api.form_once(&page, &change);
    assert!(text(&asked).contains("2 devices get other values") && !asked.text().contains("CANARY"), "{}", asked.text());
    assert_eq!(confirm(&api, &page, &asked).status, 303);
    assert_eq!(served(&server, KEY, "reg.1.auth.password").as_deref(), Some("CANARY_2"));
}

#[test]
fn what_would_be_otherwise_meanwhile_is_shown_again() {
    let (server, api, all) = furnished();
    let page = format!("/admin/profiles/{all}/parameters");
    let change = json!({ "revision": revision(&api, all), "do": "change", "name": "up.welcome", "value": "new" });
    let asked = api.form_once(&page, &change);
    api.ok("POST", "/devices", Some(json!({ "key": "0004f2aa0009", "name": "Late" })));
    let again = confirm(&api, &page, &asked);
    let words = text(&again);
    assert!(words.contains("2 devices get other values") && words.contains("not what was shown before"), "{words}");
    assert_eq!(served(&server, KEY, "up.welcome").as_deref(), Some("all"), "nothing was written");
    assert_eq!(confirm(&api, &page, &again).status, 303);
    assert_eq!(served(&server, KEY, "up.welcome").as_deref(), Some("new"));
    let forgotten = api.form_once(&page, &json!({ "impact_form": "00", "impact_mark": "00" }));
    assert_eq!(forgotten.status, 303, "a form that is not kept any longer leads back");
}

#[test]
fn a_flash_parameter_that_is_removed_is_left_on_the_phone_or_set() {
    let (server, api, all) = furnished();
    let page = format!("/admin/profiles/{all}/parameters");
    let remove = || json!({ "revision": revision(&api, all), "do": "remove", "name": "device.net.vlanId" });
    let asked = api.form_once(&page, &remove());
    let words = text(&asked);
    assert!(words.contains("Stay in the phones") && words.contains("Leave it on the phones"), "{words}");
    let [(form, word), (mark, shown)] = confirmation(&asked.text()).expect("a page that asks");
    let set = json!({ form: word, mark: shown, "impact_flash.device.net.vlanId": "set", "impact_value.device.net.vlanId": "9" });
    let again = api.form_once(&page, &set);
    assert!(text(&again).contains("device.net.vlanId") && !text(&again).contains("not what was shown"), "{}", text(&again));
    assert_eq!(confirm(&api, &page, &again).status, 303);
    assert_eq!(
        (value(&api, all, "device.net.vlanId"), served(&server, KEY, "device.net.vlanId").as_deref()),
        (json!("9"), Some("9"))
    );
    let asked = api.form_once(&page, &remove());
    assert_eq!(confirm(&api, &page, &asked).status, 303);
    assert_eq!((value(&api, all, "device.net.vlanId"), served(&server, KEY, "device.net.vlanId")), (Value::Null, None));

    attach(&api, "global", &[]);
    let other = profile(&api, "Other", json!({ "device.net.vlanId": "3" }));
    attach(&api, "global", &[other]);
    let list = json!({ "shown": other.to_string(), "do": format!("remove-{other}") });
    let detached = text(&api.form_once("/admin/deployment", &list));
    assert!(detached.contains("Stay in the phones") && detached.contains("Leave it on the phones"), "{detached}");
}

#[test]
fn every_way_to_change_what_devices_get_asks_first() {
    let (server, api, all) = furnished();
    let other = profile(&api, "Other", json!({ "up.welcome": "other" }));
    let group = api.ok("POST", "/groups", Some(json!({ "name": "Lobby" })))["id"].clone();
    attach(&api, &format!("groups/{group}"), &[other]);
    let site = json!({ "name": "Tokyo", "networks": [{ "public": "203.0.113.0/24" }], "time_zone": "Asia/Tokyo" });
    api.ok("POST", "/sites", Some(site));
    let site = api.ok("GET", "/sites?q=Tokyo", None)["items"][0]["id"].clone();
    let person = api.ok("POST", "/people", Some(json!({ "name": "Ada" })))["id"].clone();
    attach(&api, &format!("people/{person}"), &[other]);
    let settings = api.ok("GET", "/settings", None)["revision"].to_string();
    let device = api.ok("GET", &format!("/devices/{KEY}"), None)["revision"].to_string();
    let before = server.world().revision;
    let ways = [
        (
            "/admin/deployment".to_owned(),
            json!({ "shown": all.to_string(), "do": "attach", "profile": other.to_string(), "where": "top" }),
        ),
        (
            format!("/admin/devices/{KEY}/profiles"),
            json!({ "shown": "", "do": "attach", "profile": other.to_string(), "where": "top" }),
        ),
        (
            format!("/admin/devices/{KEY}/groups"),
            json!({ "shown": "", "do": "attach", "group": group.to_string(), "where": "top" }),
        ),
        (format!("/admin/groups/{group}/devices"), json!({ "do": "paste", "keys": KEY })),
        (format!("/admin/devices/{KEY}/owner"), json!({ "owner": format!("person-{person}"), "shown": "" })),
        (format!("/admin/devices/{KEY}"), json!({ "revision": device, "name": "Hall", "pin": site.to_string() })),
        (
            "/admin/provisioning/time".to_owned(),
            json!({ "revision": settings, "time_zone": "Asia/Tokyo", "time_server": "pool.ntp.org" }),
        ),
        (
            "/admin/provisioning/base".to_owned(),
            json!({ "revision": settings, "polling_window_from": "03:00", "polling_window": "05:00" }),
        ),
    ];
    for (path, form) in ways {
        let asked = api.form_once(&path, &form);
        assert!(confirmation(&asked.text()).is_some(), "{path}: {} {}", asked.status, text(&asked));
        let is_told = text(&asked).contains("other values") && text(&asked).contains("Nothing is saved yet");
        assert!(asked.body.len() < PAGE_BYTES && is_told, "{path}");
    }
    assert_eq!(server.world().revision, before, "nothing was written");
    let default = json!({ "shown": "", "do": "attach", "group": group.to_string(), "where": "top" });
    assert_eq!(api.form_once("/admin/groups/default", &default).status, 303, "default groups change no device");
}

#[test]
fn a_page_that_asks_anyway_shows_the_same_and_asks_once() {
    let (server, api, all) = furnished();
    let asked = api.page(&format!("/admin/profiles/delete?select={all}"));
    let words = text(&asked);
    assert!(words.contains("2 devices get other values") && words.contains("Stay in the phones"), "{words}");
    let body = asked.text();
    let mark = body.split_once("name=\"impact_mark\" value=\"").expect("a mark").1.split('"').next().expect("a mark");
    let yes = json!({ "confirmed": "yes", "select": all.to_string(), "impact_mark": mark });
    assert_eq!(api.form_once("/admin/profiles/delete", &yes).status, 303);
    assert_eq!(served(&server, OTHER, "up.welcome").as_deref(), Some("own"));
}
