//! Add Device Group: devices chosen by search and profiles in their order, all in one form and one change (R98); the same in the API.

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::Response;
use crate::support::server::Server;

const ADD: &str = "/admin/groups/add";

/// Three devices and two profiles; the numbers of these.
fn filled(api: &Api) -> (u64, u64) {
    let device = |number: usize| json!({ "key": format!("0004f2aa{number:04x}"), "name": format!("Desk {number}") });
    api.ok("POST", "/devices", Some((1..4).map(device).collect()));
    let profile = |name: &str, value: &str| {
        let made = api.ok("POST", "/profiles", Some(json!({ "name": name, "parameters": { "up.timeOut": value } })));
        made["id"].as_u64().expect("a number")
    };
    (profile("Weak", "41"), profile("Strong", "42"))
}

fn members(api: &Api, group: &Value) -> u64 {
    api.ok("GET", &format!("/devices?group={group}"), None)["total"].as_u64().expect("a total")
}

fn text(response: &Response) -> String {
    response.text()
}

#[test]
fn a_group_is_made_with_its_devices_and_profiles() {
    let server = Server::start();
    let api = Api::owner(&server);
    let (weak, strong) = filled(&api);
    let typed = |fields: Value| {
        let mut form = json!({ "name": "Lobby", "description": "Below", "q": "desk" });
        form.as_object_mut().expect("a form").extend(fields.as_object().expect("fields").clone());
        form
    };
    let found = text(&api.form_once(ADD, &typed(json!({ "do": "search" }))));
    for part in ["Desk 1", "Desk 2", "Desk 3", "All 3 that the search finds", "value=\"Lobby\"", "Below"] {
        assert!(found.contains(part), "{part}: {found}");
    }
    let one = text(&api.form_once(
        ADD,
        &typed(json!({ "do": "attach", "profile": weak.to_string(), "where": "bottom", "select": "0004f2aa0002" })),
    ));
    assert!(one.contains(&format!("name=\"shown\" value=\"{weak}\"")) && one.contains("value=\"0004f2aa0002\" checked"), "{one}");
    let shown = format!("{weak},{strong}");
    let turned = text(&api.form_once(ADD, &typed(json!({ "do": format!("up-{strong}"), "shown": shown }))));
    assert!(turned.contains(&format!("name=\"shown\" value=\"{strong},{weak}\"")), "{turned}");
    assert_eq!(api.ok("GET", "/groups", None)["total"], 0, "nothing is made before Save");

    let whole =
        typed(json!({ "do": "save", "shown": format!("{strong},{weak}"), "select": "0004f2aa0002", "keys": "0004f2aa0003" }));
    let asked = text(&api.form_once(ADD, &whole));
    assert!(asked.contains("Nothing is saved yet.") && asked.contains("up.timeOut"), "what it does is shown first: {asked}");
    assert_eq!(api.ok("GET", "/groups", None)["total"], 0);
    let made = api.form(ADD, &whole);
    assert_eq!(made.status, 303, "{}", made.text());
    let group = api.ok("GET", "/groups", None)["items"][0].clone();
    assert_eq!((&group["devices"], members(&api, &group["id"])), (&json!(2), 2));
    let attached = api.ok("GET", &format!("/deployment/groups/{}", group["id"]), None);
    assert_eq!(attached["shown"], json!([strong, weak]));
    // All that a search finds.
    for q in ["", "hall"] {
        let unseen = json!({ "name": "Hall", "q": q, "searched": "desk", "scope": "matching", "do": "save" });
        assert_eq!(api.form_once(ADD, &unseen).status, 200, "of another search nobody saw what it finds");
    }
    assert_eq!(api.ok("GET", "/groups", None)["total"], 1);
    let all = api.form(ADD, &json!({ "name": "Hall", "q": "desk", "searched": "desk", "scope": "matching", "do": "save" }));
    assert_eq!(all.status, 303, "{}", all.text());
    assert_eq!(api.ok("GET", "/groups?q=hall", None)["items"][0]["devices"], 3);
    // What was ticked in an earlier search stays chosen.
    let both = json!({ "name": "Attic", "q": "desk 3", "searched": "desk 3", "scope": "matching", "select": "0004f2aa0001", "do": "save" });
    assert_eq!(api.form(ADD, &both).status, 303);
    assert_eq!(api.ok("GET", "/groups?q=attic", None)["items"][0]["devices"], 2);
    let taken = api.form(ADD, &json!({ "name": "Hall", "q": "desk", "select": "0004f2aa0001", "do": "save" }));
    assert!(taken.status == 422 && taken.text().contains("value=\"0004f2aa0001\" checked"), "{}", taken.text());
}

/// Enter in the search box made the group: browsers press the first button of a form, and that was Save.
#[test]
fn enter_searches_and_makes_nothing() {
    let server = Server::start();
    let api = Api::owner(&server);
    filled(&api);
    let page = text(&api.page(ADD));
    let form = page.split_once("action=\"/admin/groups/add\"").expect("the form").1.split_once("</form>").expect("its end").0;
    let buttons = form.split("<button").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    let first = buttons.filter(|tag| !tag.contains("type=\"button\"")).map(str::to_owned).next().expect("a button");
    assert!(first.contains("formnovalidate"), "a name may follow later: {first}");
    let of = |what: &str| first.split_once(&format!(" {what}=\"")).map(|(_, rest)| rest.split('"').next().unwrap_or_default());
    let (name, value) = of("name").zip(of("value")).expect("what it sends");
    for q in ["desk", ""] {
        let pressed = api.form_once(ADD, &json!({ "name": "Lobby", "q": q, "searched": "desk", name: value }));
        let body = text(&pressed);
        assert!(pressed.status == 200 && body.contains("value=\"Lobby\""), "{body}");
        assert_eq!(body.contains("Desk 1"), q == "desk", "{body}");
    }
    assert_eq!(api.ok("GET", "/groups", None)["total"], 0);
    let saved = api.form(ADD, &json!({ "name": "Lobby", "do": "save" }));
    assert_eq!((saved.status, api.ok("GET", "/groups", None)["total"].clone()), (303, json!(1)), "{}", saved.text());
}

#[test]
fn the_api_makes_a_group_with_its_devices_and_profiles() {
    let server = Server::start();
    let api = Api::owner(&server);
    let (weak, strong) = filled(&api);
    let new = |name: &str, members: Value, profiles: Value| json!({ "name": name, "members": members, "profiles": profiles });
    let made = api.ok("POST", "/groups", Some(new("Lobby", json!(["00:04:f2:aa:00:01", "0004f2aa0002"]), json!([strong, weak]))));
    assert_eq!((&made["devices"], &made["profiles"], members(&api, &made["id"])), (&json!(2), &json!([strong, weak]), 2));
    let wrong = |members: Value, profiles: Value| api.refused("POST", "/groups", Some(new("Attic", members, profiles)));
    assert_eq!(wrong(json!(["0004f2bb0001"]), json!([])).1[0].0, "members");
    assert_eq!(wrong(json!(["hall"]), json!([])).1[0].0, "members");
    assert_eq!(wrong(json!([]), json!([9_999])).1[0].0, "profiles");
    let many = json!([new("Attic", json!([]), json!([])), new("Cellar", json!(["0004f2bb0001"]), json!([]))]);
    assert_eq!(api.refused("POST", "/groups", Some(many)).1[0].0, "[1].members");
    assert_eq!(api.ok("GET", "/groups", None)["total"], 1, "all or none");
    let replaced = json!({ "name": "Lobby", "revision": 1, "members": ["0004f2aa0003"] });
    assert_eq!(api.refused("PUT", &format!("/groups/{}", made["id"]), Some(replaced)).1[0].0, "members");
}
