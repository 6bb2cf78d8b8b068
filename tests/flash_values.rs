//! What stays in phones' flash is asked about by every change that takes it away: left there, or set to another value, which phones then get
//! with its twin (contract 5.11).

use std::path::Path;

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::confirmation;
use crate::support::phone::{Phone, Response};
use crate::support::server::Server;

const KEY: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";
const VLAN: &str = "device.net.vlanId";
const PASSWORD: &str = "device.auth.localUserPassword";
const ANOTHER: &str = "not what was shown before";

fn profile(api: &Api, name: &str, parameters: Value) -> String {
    api.ok("POST", "/profiles", Some(json!({ "name": name, "parameters": parameters })))["id"].to_string()
}

fn attach(api: &Api, place: &str, profile: &str) {
    let number: u64 = profile.parse().expect("a number");
    api.ok("PUT", &format!("/deployment/{place}"), Some(json!({ "profiles": [number], "shown": [] })));
}

fn text(answer: &Response) -> String {
    let body = answer.text();
    let parts = body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A phone fetches its two files.
fn poll(server: &Server) {
    server.advance(3_600);
    let phone = Phone::new(server);
    for file in [".cfg", "-profile.cfg"] {
        assert_eq!(phone.get(&format!("/{KEY}{file}")).status, 200);
    }
    server.flush();
}

fn served(server: &Server, key: &str, name: &str) -> Option<String> {
    let text = Phone::new(server).get(&format!("/{key}-profile.cfg")).text();
    Some(text.split_once(&format!(" {name}=\""))?.1.split('"').next()?.to_owned())
}

/// What is told of the phone's flash that is served no more.
fn in_flash(api: &Api) -> Vec<String> {
    let rows = api.ok("GET", &format!("/devices/{KEY}/effective?show=flash"), None)["rows"].as_array().cloned().expect("rows");
    rows.iter().map(|row| row["name"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The choices for values, as the fields of a page send them.
fn chosen(values: &[(&str, &str, &str)]) -> Vec<(String, String)> {
    let fields = values.iter().flat_map(|(name, choice, value)| {
        [(format!("impact_flash.{name}"), (*choice).to_owned()), (format!("impact_value.{name}"), (*value).to_owned())]
    });
    fields.collect()
}

/// Goes on from a page that asked, with further fields.
fn go_on(api: &Api, path: &str, asked: &Response, fields: Vec<(String, String)>) -> Response {
    let page = asked.text();
    let own = confirmation(&page).unwrap_or_else(|| panic!("a page that asks: {} {}", asked.status, text(asked)));
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    api.forms_once(path, &own.chain(fields).collect::<Vec<_>>())
}

/// Presses the button of a page that asks before a deletion.
fn deletion(api: &Api, list: &str, id: &str, fields: Vec<(String, String)>) -> Response {
    let asked = api.page(&format!("/admin/{list}/delete?select={id}"));
    let (body, words) = (asked.text(), text(&asked));
    assert!(words.contains("Stay in the phones") && words.contains("Leave it on the phones"), "{words}");
    let mark = body.split_once("name=\"impact_mark\" value=\"").expect("a mark").1.split('"').next().expect("a mark").to_owned();
    let own = [("select", id.to_owned()), ("confirmed", "yes".to_owned()), ("impact_mark", mark)];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    api.forms_once(&format!("/admin/{list}/delete"), &own.chain(fields).collect::<Vec<_>>())
}

/// A device that has booted with a profile, whose number is answered; it is attached nowhere yet.
fn furnished() -> (Server, Api, String) {
    let server = Server::start();
    let api = Api::owner(&server);
    let parameters = json!({ VLAN: "7", PASSWORD: "CANARY_1", "up.welcome": "x" });
    let id = profile(&api, "Network", parameters);
    api.ok("POST", "/devices", Some(json!([{ "key": KEY, "name": "Hall" }])));
    (server, api, id)
}

/// Sets the VLAN and leaves the password, by whatever page that asked; then the phone has it, and nothing is said to be left but the other.
fn is_set(server: &Server, api: &Api, path: &str, asked: &Response) {
    let words = text(asked);
    for part in ["Nothing is", "Flash values", VLAN, "7", "9"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains(ANOTHER), "a value that was chosen is nothing that changed meanwhile: {words}");
    let body = asked.text();
    assert!(body.contains("value=\"9\"") && !body.contains("CANARY"), "{body}");
    assert_eq!(served(server, KEY, VLAN).as_deref(), Some("7"), "nothing was done yet");
    let done = go_on(api, path, asked, chosen(&[(VLAN, "set", "9"), (PASSWORD, "leave", "")]));
    assert_eq!(done.status, 303, "{}", text(&done));
    assert_eq!(
        (served(server, KEY, VLAN).as_deref(), served(server, KEY, "device.net.vlanId.set").as_deref()),
        (Some("9"), Some("1"))
    );
    assert_eq!((served(server, KEY, PASSWORD), served(server, KEY, "up.welcome")), (None, None));
    poll(server);
    assert_eq!(in_flash(api), [PASSWORD]);
    let made = api.ok("GET", "/profiles?q=Flash", None)["items"][0].clone();
    let made = api.ok("GET", &format!("/profiles/{}", made["id"]), None);
    assert_eq!(made["parameters"], json!({ VLAN: "9", "device.net.vlanId.set": "1" }), "{made}");
    assert!(made["name"].as_str().is_some_and(|name| name.starts_with("Flash values 20")), "{made}");
}

#[test]
fn a_profile_that_is_detached_from_a_group_leaves_its_values_or_others() {
    let (server, api, id) = furnished();
    let group = api.ok("POST", "/groups", Some(json!({ "name": "Lobby" })))["id"].to_string();
    api.ok("POST", &format!("/groups/{group}/members"), Some(json!({ "add": [KEY] })));
    attach(&api, &format!("groups/{group}"), &id);
    poll(&server);
    let path = format!("/admin/deployment/groups/{group}");
    let detach = json!({ "shown": id, "do": format!("remove-{id}") });
    let asked = api.form_once(&path, &detach);
    let words = text(&asked);
    assert!(
        words.contains("Stay in the phones") && words.contains(PASSWORD) && words.contains("Leave it on the phones"),
        "{words}"
    );
    let again = go_on(&api, &path, &asked, chosen(&[(VLAN, "set", "9"), (PASSWORD, "leave", "")]));
    is_set(&server, &api, &path, &again);
    let log = api.ok("GET", "/activity?q=Flash", None)["items"].to_string();
    assert!(log.contains("attached") && log.contains(KEY), "{log}");

    attach(&api, &format!("groups/{group}"), &id);
    assert_eq!(served(&server, KEY, VLAN).as_deref(), Some("7"), "what an admin says later counts");
    poll(&server);
    let asked = api.form_once(&path, &detach);
    assert_eq!(go_on(&api, &path, &asked, chosen(&[(PASSWORD, "leave", "")])).status, 303);
    assert_eq!(served(&server, KEY, VLAN).as_deref(), Some("9"), "its own profile says it");
}

#[test]
fn what_is_left_stays_and_nothing_is_made() {
    let (server, api, id) = furnished();
    attach(&api, "global", &id);
    poll(&server);
    let path = "/admin/deployment";
    let asked = api.form_once(path, &json!({ "shown": id, "do": format!("remove-{id}") }));
    let done = go_on(&api, path, &asked, chosen(&[(VLAN, "leave", ""), (PASSWORD, "leave", "")]));
    assert_eq!(done.status, 303, "{}", text(&done));
    poll(&server);
    assert_eq!(in_flash(&api), [PASSWORD, VLAN]);
    assert_eq!(api.ok("GET", "/profiles?q=Flash", None)["total"], 0);
}

#[test]
fn a_deleted_profile_group_or_site_asks_as_well() {
    for list in ["profiles", "groups", "sites"] {
        let (server, api, id) = furnished();
        let gone = match list {
            "groups" => {
                let group = api.ok("POST", "/groups", Some(json!({ "name": "Lobby" })))["id"].to_string();
                api.ok("POST", &format!("/groups/{group}/members"), Some(json!({ "add": [KEY] })));
                attach(&api, &format!("groups/{group}"), &id);
                group
            }
            "sites" => {
                api.ok("POST", "/sites", Some(json!({ "name": "Hall", "networks": [{ "public": "203.0.113.0/24" }] })));
                let site = api.ok("GET", "/sites?q=Hall", None)["items"][0]["id"].clone();
                let revision = api.ok("GET", &format!("/devices/{KEY}"), None)["revision"].clone();
                api.ok("PATCH", &format!("/devices/{KEY}"), Some(json!({ "revision": revision, "pin": site })));
                attach(&api, &format!("sites/{site}"), &id);
                site.to_string()
            }
            _ => {
                attach(&api, "global", &id);
                id
            }
        };
        poll(&server);
        let again = deletion(&api, list, &gone, chosen(&[(VLAN, "set", "9"), (PASSWORD, "leave", "")]));
        is_set(&server, &api, &format!("/admin/{list}/delete"), &again);
        assert_eq!(api.refused("GET", &format!("/{list}/{gone}"), None).0, 404);
    }
}

#[test]
fn a_secret_is_set_and_seen_nowhere() {
    let (server, api, id) = furnished();
    attach(&api, "global", &id);
    poll(&server);
    let path = "/admin/deployment";
    let asked = api.form_once(path, &json!({ "shown": id, "do": format!("remove-{id}") }));
    assert!(asked.text().contains(&format!("name=\"impact_value.{PASSWORD}\" type=\"password\"")), "{}", asked.text());
    let again = go_on(&api, path, &asked, chosen(&[(PASSWORD, "set", "CANARY_2")]));
    assert!(again.status == 200 && !again.text().contains("CANARY"), "{}", again.text());
    // The field is empty and means what was typed; the other parameter is changed in mind.
    let third = go_on(&api, path, &again, chosen(&[(PASSWORD, "set", ""), (VLAN, "set", "9")]));
    assert!(third.status == 200 && !text(&third).contains(ANOTHER) && !third.text().contains("CANARY"), "{}", text(&third));
    assert_eq!(go_on(&api, path, &third, Vec::new()).status, 303);
    assert_eq!((served(&server, KEY, PASSWORD).as_deref(), served(&server, KEY, VLAN).as_deref()), (Some("CANARY_2"), Some("9")));
    poll(&server);
    assert_eq!(in_flash(&api), [""; 0]);
    let log = api.ok("GET", "/activity", None).to_string();
    assert!(log.contains("Flash values") && !log.contains("CANARY"), "{log}");
}

#[test]
fn a_value_that_cannot_be_taken_is_told_at_its_field_and_nothing_is_done() {
    let (server, api, id) = furnished();
    attach(&api, "global", &id);
    let path = "/admin/deployment";
    let asked = api.form_once(path, &json!({ "shown": id, "do": format!("remove-{id}") }));
    let before = server.world().revision;
    let long = "9".repeat(70_000);
    for wrong in [(VLAN, "set", long.as_str()), (PASSWORD, "set", ""), (VLAN, "leave", "9"), (VLAN, "set", "\u{1}")] {
        let again = go_on(&api, path, &asked, chosen(&[wrong]));
        assert_eq!(again.status, 422, "{}", text(&again));
        let body = again.text();
        let field = format!("id=\"f-impact_value.{}-note\"", wrong.0);
        assert!(body.contains(&field) && body.contains("error-summary") && body.contains("aria-invalid"), "{}", text(&again));
        assert!(!text(&again).contains(ANOTHER), "{}", text(&again));
        assert_eq!(server.world().revision, before, "nothing was done");
    }
    let wrong = go_on(&api, path, &asked, chosen(&[(VLAN, "leave", "9")]));
    let mended = go_on(&api, path, &wrong, chosen(&[(VLAN, "set", "9")]));
    assert!(mended.status == 200 && text(&mended).contains("Flash values"), "{}", text(&mended));
    assert_eq!(go_on(&api, path, &mended, Vec::new()).status, 303);
    assert_eq!(served(&server, KEY, VLAN).as_deref(), Some("9"));
}

#[test]
fn a_value_that_the_schema_rules_out_is_refused_where_the_account_wants_that() {
    let (server, api, id) = furnished();
    attach(&api, "global", &id);
    let path = "/admin/deployment";
    let asked = api.form_once(path, &json!({ "shown": id, "do": format!("remove-{id}") }));
    let odd = go_on(&api, path, &asked, chosen(&[(VLAN, "set", "much")]));
    assert!(odd.status == 200 && text(&odd).contains("Look at it again"), "{}", text(&odd));
    let revision = api.ok("GET", "/schema", None)["revision"].clone();
    api.ok("PATCH", "/schema", Some(json!({ "refuse": true, "revision": revision })));
    let refused = go_on(&api, path, &asked, chosen(&[(VLAN, "set", "much")]));
    assert!(refused.status == 422 && text(&refused).contains(VLAN), "{}", text(&refused));
    assert_eq!(served(&server, KEY, VLAN).as_deref(), Some("7"));
}

#[test]
fn what_somebody_else_changes_meanwhile_is_shown_again_with_the_values() {
    let (server, api, id) = furnished();
    attach(&api, "global", &id);
    let path = "/admin/deployment";
    let asked = api.form_once(path, &json!({ "shown": id, "do": format!("remove-{id}") }));
    let again = go_on(&api, path, &asked, chosen(&[(VLAN, "set", "9")]));
    let other = Api::owner(&server);
    other.ok("POST", "/devices", Some(json!([{ "key": OTHER }])));
    let own = profile(&other, "Own", json!({ VLAN: "5" }));
    let number: u64 = own.parse().expect("a number");
    other.ok("POST", "/devices", Some(json!([{ "key": "0004f2aa0003", "profiles": [number] }])));
    let third = go_on(&api, path, &again, chosen(&[(VLAN, "set", "9")]));
    let words = text(&third);
    assert!(third.status == 200 && words.contains(ANOTHER) && words.contains(OTHER), "{words}");
    assert_eq!(served(&server, KEY, VLAN).as_deref(), Some("7"), "nothing was done");
    assert_eq!(go_on(&api, path, &third, chosen(&[(VLAN, "set", "9")])).status, 303);
    let vlan = |key: &str| served(&server, key, VLAN);
    assert_eq!([vlan(KEY), vlan(OTHER), vlan("0004f2aa0003")].map(Option::unwrap_or_default), ["9", "9", "5"]);
}

#[test]
fn values_for_flash_yield_to_whatever_else_is_said_and_travel_as_such() {
    let server = Server::start();
    let api = Api::owner(&server);
    let admin = "device.auth.localAdminPassword";
    let base = |on: bool| {
        let settings = api.ok("GET", "/settings", None);
        let mut base = settings["base"].clone();
        base["admin_password"] = json!(on);
        api.ok("PATCH", "/settings", Some(json!({ "revision": settings["revision"], "base": base })));
    };
    api.ok("POST", "/devices", Some(json!([{ "key": KEY }])));
    let own = served(&server, KEY, admin).expect("the base says it");
    base(false);
    let id = profile(&api, "Network", json!({ VLAN: "7", admin: "31415926" }));
    attach(&api, "global", &id);
    poll(&server);
    let path = "/admin/deployment";
    let asked = api.form_once(path, &json!({ "shown": id, "do": format!("remove-{id}") }));
    let values = [(VLAN, "set", "9"), (admin, "set", "48151623")];
    let again = go_on(&api, path, &asked, chosen(&values));
    let done = go_on(&api, path, &again, chosen(&values));
    assert_eq!(done.status, 303, "{}", text(&done));
    assert_eq!(served(&server, KEY, admin).as_deref(), Some("48151623"));
    base(true);
    assert_eq!(served(&server, KEY, admin), Some(own), "the base counts again");
    let rows = api.ok("GET", &format!("/devices/{KEY}/effective?q=localAdminPassword"), None)["rows"].clone();
    assert!(rows[0]["beaten"].to_string().contains("Flash values"), "{rows}");

    let made = api.ok("GET", "/profiles?q=Flash", None)["items"][0].clone();
    assert_eq!(made["yields"], true, "{made}");
    let hints = api.ok("GET", &format!("/profiles/{}", made["id"]), None)["hints"].to_string();
    assert!(hints.contains("only where nothing else sets them"), "{hints}");
    let archive = api.call("GET", &format!("/profiles/export?ids={}", made["id"]), None);
    let other = Server::start();
    let there = Api::owner(&other);
    let taken = there.send("POST", "/profiles/import/archive", &archive.body);
    assert_eq!(taken.status, 200, "{}", taken.text());
    assert_eq!(there.ok("GET", "/profiles?q=Flash", None)["items"][0]["yields"], true);
}

#[test]
fn every_page_that_shows_what_a_change_does_asks() {
    fn templates(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                templates(&path, found);
            } else {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).expect("a template")));
            }
        }
    }
    let mut all = Vec::new();
    templates(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut all);
    let showing: Vec<_> = all.into_iter().filter(|(_, text)| text.contains("include \"_impact.html\"")).collect();
    assert!(showing.len() > 8);
    for (path, text) in showing {
        assert!(text.contains("m::flash_values(page)"), "{path} shows what a change does and asks nothing about flash");
    }
}
