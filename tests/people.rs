//! People, groups of people and rooms from outside: by API and by page, and what phones get of them (R37, R156, contract 5.1).

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::{Phone, Response};
use crate::support::server::Server;

const KEY: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";

fn add(api: &Api, kind: &str, name: &str) -> u64 {
    api.ok("POST", &format!("/{kind}"), Some(json!({ "name": name })))["id"].as_u64().expect("a number")
}

fn profile_on(api: &Api, place: &str, value: &str) -> u64 {
    let made = api.ok("POST", "/profiles", Some(json!({ "name": value, "parameters": { "up.welcome": value } })));
    let id = made["id"].as_u64().expect("a number");
    api.ok("PUT", &format!("/deployment/{place}"), Some(json!({ "profiles": [id], "shown": [] })));
    id
}

fn gets(server: &Server, key: &str) -> Option<String> {
    let text = Phone::new(server).get(&format!("/{key}-profile.cfg")).text();
    let value = text.split_once("up.welcome=\"")?.1.split('"').next()?;
    Some(value.to_owned())
}

fn text(answer: &Response) -> String {
    let body = answer.text();
    let parts = body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_device_gets_what_its_owner_is_given_above_its_groups_and_global() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/devices", Some(json!([{ "key": KEY }, { "key": OTHER }])));
    let (person, room) = (add(&api, "people", "Ada"), add(&api, "rooms", "Board room (2)"));
    let (sales, field) = (add(&api, "person-groups", "Sales"), add(&api, "person-groups", "Field"));
    profile_on(&api, "global", "of-global");
    profile_on(&api, &format!("person-groups/{sales}"), "of-sales");
    profile_on(&api, &format!("person-groups/{field}"), "of-field");
    profile_on(&api, &format!("rooms/{room}"), "of-room");
    let own = |key: &str, owner: Value, shown: Value| {
        api.ok("PUT", &format!("/devices/{key}/owner"), Some(json!({ "owner": owner, "shown": shown })))
    };
    assert_eq!(own(KEY, json!({ "person": person }), Value::Null)["name"], "Ada");
    own(OTHER, json!({ "room": room }), Value::Null);
    let groups = format!("/people/{person}/groups");
    api.ok("PUT", &groups, Some(json!({ "groups": [sales, field], "shown": [] })));
    assert_eq!((gets(&server, KEY).as_deref(), gets(&server, OTHER).as_deref()), (Some("of-sales"), Some("of-room")));
    api.ok("PUT", &groups, Some(json!({ "groups": [field, sales], "shown": [sales, field] })));
    assert_eq!(gets(&server, KEY).as_deref(), Some("of-field"));
    profile_on(&api, &format!("people/{person}"), "of-ada");
    assert_eq!(gets(&server, KEY).as_deref(), Some("of-ada"));

    let stale = json!({ "owner": null, "shown": { "room": room } });
    assert_eq!(api.refused("PUT", &format!("/devices/{KEY}/owner"), Some(stale)).0, 409);
    let both = json!({ "owner": { "person": person, "room": room }, "shown": null });
    assert_eq!(api.refused("PUT", &format!("/devices/{KEY}/owner"), Some(both)).1[0].0, "owner");
    assert_eq!(api.refused("POST", "/rooms", Some(json!({ "name": "Büro" }))).1[0].0, "name");
    assert_eq!(api.ok("GET", &format!("/devices?owner=person-{person}"), None)["total"], 1);
    assert_eq!(api.ok("GET", &format!("/people/{person}"), None)["devices"], 1);
    assert_eq!(api.ok("GET", &format!("/devices/{OTHER}"), None)["owner"], json!({ "person": null, "room": room }));

    let gone = api.ok("DELETE", &format!("/people/{person}?dry_run=true"), None);
    assert_eq!((&gone["deleted"], &gone["devices"]), (&json!(1), &json!(1)));
    assert_eq!(gone["impact"]["groups"][0]["devices"][0]["key"], KEY);
    assert_eq!(gone["impact"]["groups"][0]["changes"][0]["new"], "of-global");
    assert_eq!(gets(&server, KEY).as_deref(), Some("of-ada"));
    api.ok("DELETE", &format!("/people/{person}"), None);
    assert_eq!(gets(&server, KEY).as_deref(), Some("of-global"));
}

#[test]
fn many_people_join_a_group_and_many_devices_change_hands_together_or_not_at_all() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/devices", Some(json!([{ "key": KEY }, { "key": OTHER }])));
    let (ada, bob, room) = (add(&api, "people", "Ada"), add(&api, "people", "Bob"), add(&api, "rooms", "Hall"));
    let group = add(&api, "person-groups", "Sales");
    let counted = |answer: &Value| ["added", "removed", "unchanged"].map(|member| answer[member].as_u64());
    let owners = |keys: &[&str], owner: Value| json!({ "keys": keys, "owner": owner });
    let both = owners(&[KEY, OTHER], json!({ "person": ada }));
    let tried = api.ok("POST", "/devices/owner?dry_run=true", Some(both.clone()));
    assert_eq!((counted(&tried), tried["impact"].is_object()), ([Some(2), Some(0), Some(0)], true), "{tried}");
    assert_eq!(api.ok("GET", &format!("/devices/{KEY}"), None)["owner"], Value::Null, "nothing is written");
    assert_eq!(api.ok("POST", "/devices/owner", Some(both))["added"], 2);
    let lost = api.refused("POST", "/devices/owner", Some(owners(&[KEY, "0004f2aa0009"], json!({ "room": room }))));
    assert!(lost.0 == 422 || lost.0 == 404, "{lost:?}");
    assert_eq!(api.ok("GET", &format!("/devices/{KEY}"), None)["owner"]["person"], ada, "all or none");

    profile_on(&api, &format!("person-groups/{group}"), "sales");
    let members = format!("/person-groups/{group}/members");
    assert_eq!(gets(&server, KEY), None);
    assert_eq!(counted(&api.ok("POST", &members, Some(json!({ "add": [ada, bob] })))), [Some(2), Some(0), Some(0)]);
    assert_eq!(gets(&server, KEY).as_deref(), Some("sales"));
    assert_eq!(counted(&api.ok("POST", &members, Some(json!({ "add": [bob], "remove": [ada] })))), [Some(0), Some(1), Some(1)]);
    assert_eq!(gets(&server, OTHER), None);
    assert!(api.refused("POST", &members, Some(json!({ "add": [ada, 99] }))).0 >= 404);
    assert_eq!(api.ok("POST", "/devices/owner", Some(owners(&[KEY], Value::Null)))["added"], 1);
}

#[test]
fn pages_speak_of_people_from_the_first_one_on_and_do_all_that_the_api_does() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/devices", Some(json!({ "key": KEY, "name": "Hall" })));
    let of_device = format!("/admin/devices/{KEY}");
    let menu = "People and Rooms";
    assert!(!text(&api.page("/admin/devices")).contains(menu) && !text(&api.page(&of_device)).contains("Owner"));
    assert!(text(&api.page("/admin/deployment")).contains("belong to people or stand in rooms"));
    let wrong = api.form("/admin/rooms/add", &json!({ "name": "Büro" }));
    assert!(wrong.status == 422 && text(&wrong).contains("cannot stand in the name of a room"), "{}", wrong.text());
    let made = api.form("/admin/people/add", &json!({ "name": "Ada", "description": "Analysis" }));
    let page = made.header("location").expect("a page").to_owned();
    assert!(made.status == 303 && text(&api.page("/admin/devices")).contains(menu));

    let person = page.rsplit('/').next().expect("a number").to_owned();
    let owner = format!("{of_device}/owner");
    let found = text(&api.page(&format!("{owner}?q=ada")));
    assert!(found.contains("It belongs to nobody") && found.contains("Ada Person"), "{found}");
    assert_eq!(api.form(&owner, &json!({ "shown": "", "owner": "" })).status, 422);
    assert_eq!(api.form(&owner, &json!({ "shown": "", "owner": format!("person-{person}") })).status, 303);
    assert_eq!(api.form(&owner, &json!({ "shown": "", "do": "clear" })).status, 409, "somebody said whose it is");
    assert!(text(&api.page(&of_device)).contains("Owner Ada Change"), "{}", text(&api.page(&of_device)));

    let group = api.form("/admin/person-groups/add", &json!({ "name": "Sales" }));
    let group = group.header("location").expect("a page").rsplit('/').next().expect("a number").to_owned();
    let groups = format!("{page}/groups");
    let join = json!({ "shown": "", "do": "attach", "group": group, "where": "bottom" });
    assert_eq!(api.form(&groups, &join).status, 303);
    let stale = api.form(&groups, &join);
    assert!(stale.status == 409 && text(&stale).contains("groups is now Sales"), "{}", text(&stale));
    let profile =
        api.ok("POST", "/profiles", Some(json!({ "name": "Lines", "parameters": { "up.welcome": "x" } })))["id"].to_string();
    let attach = json!({ "shown": "", "do": "attach", "profile": profile, "where": "top" });
    assert_eq!(api.form(&format!("/admin/person-groups/{group}/profiles"), &attach).status, 303);
    assert_eq!(gets(&server, KEY).as_deref(), Some("x"));
    let members = text(&api.page(&format!("/admin/people?group={group}")));
    assert!(members.contains("Ada Analysis Sales 1 0"), "{members}");
    let ladder = text(&api.page("/admin/deployment?container=person-groups"));
    assert!(ladder.contains("Sales Person group Lines 1"), "{ladder}");

    let log = api.page("/admin/activity?object=person").text();
    assert!(log.contains(&format!("<a href=\"{page}\"><strong>Ada</strong></a>")), "{log}");
    let renamed = json!({ "revision": "2", "name": "Ada L", "description": "" });
    assert_eq!(api.form(&page, &renamed).status, 303);
    let stale = api.form(&page, &json!({ "revision": "2", "name": "Eve", "description": "" }));
    assert!(stale.status == 409 && text(&stale).contains("name was Ada is now Ada L"), "{}", text(&stale));
    let asked = text(&api.form("/admin/person-groups/delete", &json!({ "select": group })));
    assert!(asked.contains("Delete Sales?") && asked.contains("1 device gets other values"), "{asked}");
    let gone = api.form("/admin/person-groups/delete", &json!({ "select": group, "confirmed": "yes" }));
    assert!(gone.status == 303 && gets(&server, KEY).is_none());
    let asked = text(&api.form("/admin/people/delete", &json!({ "select": person })));
    assert!(asked.contains("1 device will belong to nobody afterwards"), "{asked}");
}
