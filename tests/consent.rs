//! A yes covers what was shown and nothing else: also where no parameter of any device changes, whoever confirms is asked again when
//! the change does something else by then, in the words of what is done (contract 5.15).

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::confirmation;
use crate::support::phone::{Phone, Response};
use crate::support::server::Server;

const KEY: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";
const ANOTHER: &str = "not what was shown before";

fn text(answer: &Response) -> String {
    let body = answer.text();
    let parts = body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn add(api: &Api, kind: &str, name: &str) -> u64 {
    api.ok("POST", &format!("/{kind}"), Some(json!({ "name": name })))["id"].as_u64().expect("a number")
}

/// Opens the page that asks before a deletion; what its button sends.
fn asked(api: &Api, page: &str, select: &[String]) -> (String, Vec<(String, String)>) {
    let query: Vec<String> = select.iter().map(|one| format!("select={one}")).collect();
    let asked = api.page(&format!("{page}?{}", query.join("&")));
    let body = asked.text();
    let mark = body.split_once("name=\"impact_mark\" value=\"").expect("a mark").1.split('"').next().expect("a mark").to_owned();
    let sent = select.iter().map(|one| ("select".to_owned(), one.clone()));
    (text(&asked), sent.chain([("confirmed".to_owned(), "yes".to_owned()), ("impact_mark".to_owned(), mark)]).collect())
}

/// Says yes on a page that asked again.
fn confirm(api: &Api, page: &str, again: &Response) -> Response {
    let [(form, word), (mark, shown)] = confirmation(&again.text()).expect("a page that asks");
    api.form_once(page, &json!({ form: word, mark: shown }))
}

/// What the page after a redirect says.
fn said(api: &Api, done: &Response) -> String {
    assert_eq!(done.status, 303, "{}", text(done));
    text(&api.page(done.header("location").expect("a next page")))
}

#[test]
fn who_deletes_a_group_is_asked_again_when_a_device_joins_meanwhile() {
    let server = Server::start();
    let api = Api::owner(&server);
    let group = add(&api, "groups", "Lobby");
    api.ok("POST", "/devices", Some(json!([{ "key": KEY, "groups": [group] }, { "key": OTHER }])));
    let page = "/admin/groups/delete";
    let (words, yes) = asked(&api, page, &[group.to_string()]);
    assert!(
        words.contains("No parameter of any device changes.") && words.contains("1 device leaves the device group Lobby."),
        "{words}"
    );

    let join = json!({ "add": [OTHER] });
    api.ok("POST", &format!("/groups/{group}/members"), Some(join));
    let again = api.forms_once(page, &yes);
    let words = text(&again);
    for part in [
        ANOTHER,
        "Delete Lobby?",
        "2 devices leave the device group Lobby.",
        "Delete 1 device group",
        "stays in the recycle bin for 30 days",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("Save") && again.text().contains("btn-danger"), "{words}");
    assert_eq!(api.ok("GET", &format!("/groups/{group}"), None)["devices"], 2, "nothing was done");
    let done = confirm(&api, page, &again);
    assert!(said(&api, &done).contains("1 device group is deleted."));
    assert_eq!(api.refused("GET", &format!("/groups/{group}"), None).0, 404);
}

#[test]
fn who_deletes_a_site_is_asked_again_when_a_device_is_pinned_to_it_meanwhile() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/sites", Some(json!({ "name": "Hall", "networks": [{ "public": "203.0.113.0/24" }] })));
    let site = api.ok("GET", "/sites?q=Hall", None)["items"][0]["id"].clone();
    api.ok("POST", "/devices", Some(json!({ "key": KEY })));
    let page = "/admin/sites/delete";
    let (words, yes) = asked(&api, page, &[site.to_string()]);
    assert!(words.contains("Delete Hall?") && !words.contains("pin"), "{words}");

    let revision = api.ok("GET", &format!("/devices/{KEY}"), None)["revision"].clone();
    api.ok("PATCH", &format!("/devices/{KEY}"), Some(json!({ "revision": revision, "pin": site })));
    let again = api.forms_once(page, &yes);
    let words = text(&again);
    for part in [ANOTHER, "Delete Hall?", "1 device moves from Hall to Internet.", "1 device loses its pin", "Delete 1 site"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let done = confirm(&api, page, &again);
    assert!(said(&api, &done).contains("1 site is deleted. 1 device moved to Internet."));
    assert_eq!(api.ok("GET", &format!("/devices/{KEY}"), None)["pin"], Value::Null);
}

#[test]
fn who_confirms_for_several_is_asked_again_when_somebody_else_deletes_one_of_them() {
    let server = Server::start();
    let (api, other) = (Api::owner(&server), Api::owner(&server));
    api.ok("POST", "/devices", Some(json!([{ "key": KEY, "name": "Hall" }, { "key": OTHER }])));
    let devices = "/admin/devices/delete";
    let (words, yes) = asked(&api, devices, &[KEY.to_owned(), OTHER.to_owned()]);
    assert!(words.contains("Delete 2 devices?") && words.contains(&format!("No longer managed: {KEY}, {OTHER}.")), "{words}");
    other.ok("DELETE", &format!("/devices/{OTHER}?removal=forget"), None);
    let again = api.forms_once(devices, &yes);
    let words = text(&again);
    assert!(
        words.contains(ANOTHER) && words.contains("Delete 1 device") && words.contains(&format!("No longer managed: {KEY}.")),
        "{words}"
    );
    assert_eq!(confirm(&api, devices, &again).status, 303);
    assert_eq!(api.ok("GET", "/devices", None)["total"], 0);

    let rooms = [add(&api, "rooms", "Lab"), add(&api, "rooms", "Attic")].map(|id| id.to_string());
    let page = "/admin/rooms/delete";
    let (_, yes) = asked(&api, page, &rooms);
    let (_, theirs) = asked(&other, page, &rooms[1..]);
    assert_eq!(other.forms_once(page, &theirs).status, 303);
    let again = api.forms_once(page, &yes);
    assert!(text(&again).contains("Delete Lab?") && text(&again).contains("Delete 1 room"), "{}", text(&again));
    assert_eq!(confirm(&api, page, &again).status, 303);
    assert_eq!(api.ok("GET", "/rooms", None)["total"], 0);
}

#[test]
fn what_goes_with_a_group_of_people_is_told_and_a_new_member_makes_it_another_change() {
    let server = Server::start();
    let api = Api::owner(&server);
    let [ada, bob] = ["Ada", "Bob"].map(|name| add(&api, "people", name));
    let group = add(&api, "person-groups", "Sales");
    let profile = api.ok("POST", "/profiles", Some(json!({ "name": "Tones", "parameters": {} })))["id"].clone();
    api.ok("PUT", &format!("/deployment/person-groups/{group}"), Some(json!({ "profiles": [profile], "shown": [] })));
    api.ok("PUT", &format!("/people/{ada}/groups"), Some(json!({ "groups": [group], "shown": [] })));
    api.ok("POST", "/devices", Some(json!({ "key": KEY })));
    api.ok("PUT", &format!("/devices/{KEY}/owner"), Some(json!({ "owner": { "person": ada }, "shown": null })));
    let page = "/admin/person-groups/delete";
    let (words, yes) = asked(&api, page, &[group.to_string()]);
    for part in [
        "Ada leaves the person group Sales: 1 device belongs to them.",
        "Tones does not reach anybody by person group Sales any more; it stays itself.",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let told = api.ok("DELETE", &format!("/person-groups/{group}?dry_run=true"), None)["impact"]["also"].clone();
    assert_eq!(told[1], "Ada leaves the person group Sales: 1 device belongs to them.", "{told}");
    api.ok("PUT", &format!("/people/{bob}/groups"), Some(json!({ "groups": [group], "shown": [] })));
    let again = api.forms_once(page, &yes);
    assert!(text(&again).contains("Ada, Bob leave the person group Sales"), "{}", text(&again));
    assert_eq!(confirm(&api, page, &again).status, 303);
}

#[test]
fn the_message_after_saving_counts_the_devices_that_were_shown() {
    let server = Server::start();
    let api = Api::owner(&server);
    let profile = |name: &str| {
        let made = json!({ "name": name, "parameters": { "up.welcome": name } });
        api.ok("POST", "/profiles", Some(made))["id"].as_u64().expect("a number")
    };
    let (own, all) = (profile("own"), profile("all"));
    api.ok("POST", "/devices", Some(json!([{ "key": KEY }, { "key": OTHER, "profiles": [own] }])));
    let attach = json!({ "shown": "", "do": "attach", "profile": all.to_string(), "where": "top" });
    let asked = api.form_once("/admin/deployment", &attach);
    let words = text(&asked);
    let counted = "1 device gets other values when it next comes";
    assert!(words.contains("Add all?") && words.contains(counted) && !words.contains("Save"), "{words}");
    let words = said(&api, &confirm(&api, "/admin/deployment", &asked));
    assert!(words.contains(&format!("Added. {counted}.")), "{words}");

    let group = add(&api, "groups", "Lobby");
    let join = json!({ "do": "paste", "keys": format!("{KEY}, {OTHER}") });
    let words = said(&api, &api.form_once(&format!("/admin/groups/{group}/devices"), &join));
    assert!(words.contains("2 devices joined.") && !words.contains("next comes."), "{words}");
}

#[test]
fn who_accepts_a_move_is_asked_in_its_own_words() {
    let server = Server::start();
    let api = Api::owner(&server);
    let site = json!({ "name": "Hall", "networks": [{ "public": "127.0.0.0/8" }] });
    let site = api.ok("POST", "/sites", Some(site))["id"].clone();
    let tones = json!({ "name": "Tones", "parameters": { "up.welcome": "1" } });
    let tones = api.ok("POST", "/profiles", Some(tones))["id"].clone();
    api.ok("PUT", &format!("/deployment/sites/{site}"), Some(json!({ "profiles": [tones], "shown": [] })));
    api.ok("POST", "/devices", Some(json!({ "key": KEY })));
    Phone::new(&server).tagged(Some(KEY)).get(&format!("/{KEY}.cfg"));
    server.flush();
    let shown = api.ok("GET", &format!("/sites/{site}"), None);
    let away = json!({ "revision": shown["revision"], "networks": [{ "public": "203.0.113.0/24" }] });
    let told = api.ok("PATCH", &format!("/sites/{site}?dry_run=true"), Some(away.clone()))["impact"]["also"].clone();
    assert_eq!(told, json!(["1 device keeps its site and waits under Pending moves."]));
    api.ok("PATCH", &format!("/sites/{site}"), Some(away));

    let page = "/admin/sites/moves";
    let asked = api.form_once(page, &json!({ "answer": "accept", "select": KEY }));
    let words = text(&asked);
    for part in
        ["Move 1 device to Internet?", "1 device moves from Hall to Internet.", "1 device gets other values", "Move to Internet"]
    {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("Save"), "{words}");
    let words = said(&api, &confirm(&api, page, &asked));
    assert!(words.contains("Moved to Internet: 1 device. 1 device gets other values when it next comes."), "{words}");
}
