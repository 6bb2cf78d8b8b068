//! Device groups from outside: by API and by page, and what phones get of them (R97–R105, R149).

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::{Phone, Response};
use crate::support::server::Server;

const KEY: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";

fn groups<const N: usize>(api: &Api, names: [&str; N]) -> [u64; N] {
    names.map(|name| {
        let made = api.ok("POST", "/groups", Some(json!({ "name": name, "description": format!("All of {name}") })));
        made["id"].as_u64().expect("a number")
    })
}

/// A profile on a group that says whose it is; its number.
fn profile_on(api: &Api, group: u64, value: &str) -> u64 {
    let made = api.ok("POST", "/profiles", Some(json!({ "name": value, "parameters": { "up.welcome": value } })));
    let id = made["id"].as_u64().expect("a number");
    api.ok("PUT", &format!("/deployment/groups/{group}"), Some(json!({ "profiles": [id], "shown": [] })));
    id
}

fn add_devices(api: &Api, keys: &[&str]) {
    let devices: Vec<Value> = keys.iter().map(|key| json!({ "key": key, "name": format!("Phone {key}") })).collect();
    api.ok("POST", "/devices", Some(Value::Array(devices)));
}

fn join(api: &Api, group: u64, keys: &[&str]) -> Value {
    api.ok("POST", &format!("/groups/{group}/members"), Some(json!({ "add": keys })))
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
fn of_several_groups_the_devices_own_order_decides_and_top_priority_changes_it() {
    let server = Server::start();
    let api = Api::owner(&server);
    let [first, second] = groups(&api, ["Lobby", "Lab"]);
    profile_on(&api, first, "of-lobby");
    profile_on(&api, second, "of-lab");
    add_devices(&api, &[KEY, OTHER]);
    assert_eq!(join(&api, first, &["00:04:F2:AA:00:01"])["added"], json!([KEY]));
    join(&api, second, &[KEY, OTHER]);
    assert_eq!(gets(&server, KEY).as_deref(), Some("of-lobby"));

    let top = format!("/groups/{second}/top-priority");
    let tried = api.ok("POST", &format!("{top}?dry_run=true"), None);
    assert_eq!((&tried["members"], &tried["moved"], &tried["impact"]["changed"]), (&json!(2), &json!([KEY]), &json!(1)));
    assert_eq!(gets(&server, KEY).as_deref(), Some("of-lobby"));
    api.ok("POST", &top, None);
    assert_eq!(gets(&server, KEY).as_deref(), Some("of-lab"));
    let of_device = format!("/devices/{KEY}/groups");
    assert_eq!(api.ok("GET", &of_device, None)["shown"], json!([second, first]));
    api.ok("PUT", &of_device, Some(json!({ "groups": [first, second], "shown": [second, first] })));
    assert_eq!(gets(&server, KEY).as_deref(), Some("of-lobby"));
    assert_eq!(api.refused("PUT", &of_device, Some(json!({ "groups": [], "shown": [second, first] }))).0, 409);

    let members = |group: u64| api.ok("GET", &format!("/devices?group={group}"), None)["total"].clone();
    assert_eq!((members(first), members(second)), (json!(1), json!(2)));
    assert_eq!(api.ok("GET", &format!("/devices/{KEY}"), None)["groups"], json!([first, second]));
    assert_eq!(api.ok("GET", "/devices?q=lobby", None)["total"], 1, "a group is found by its name (R58)");
}

#[test]
fn automatic_adds_alone_join_the_default_groups_in_their_order() {
    let server = Server::start();
    let api = Api::owner(&server);
    let [first, second, third] = groups(&api, ["Lobby", "Lab", "Roof"]);
    profile_on(&api, first, "of-lobby");
    profile_on(&api, second, "of-lab");
    let set = json!({ "groups": [second, first], "shown": [] });
    assert_eq!(api.ok("PUT", "/default-groups", Some(set))["shown"], json!([second, first]));
    assert_eq!(api.ok("GET", &format!("/groups/{first}"), None)["default_position"], 2);
    Phone::new(&server).get(&format!("/{KEY}.cfg"));
    assert_eq!(gets(&server, KEY).as_deref(), Some("of-lab"));
    api.ok("POST", "/devices", Some(json!([{ "key": OTHER }, { "key": "0004f2aa0003", "groups": [third] }])));
    let of = |key: &str| api.ok("GET", &format!("/devices/{key}/groups"), None)["shown"].clone();
    assert_eq!((of(KEY), of(OTHER), of("0004f2aa0003")), (json!([second, first]), json!([]), json!([third])));
    server.flush();
    let server = server.restarted();
    assert_eq!(server.device(KEY).expect("added").device.groups.len(), 2, "it is written with its groups");
}

#[test]
fn deleting_tells_what_each_member_loses_before_it_is_done() {
    let server = Server::start();
    let api = Api::owner(&server);
    let [group, other] = groups(&api, ["Lobby", "Lab"]);
    profile_on(&api, group, "of-lobby");
    add_devices(&api, &[KEY, OTHER]);
    join(&api, group, &[KEY, OTHER]);
    let path = format!("/groups/{group}");
    let tried = api.ok("DELETE", &format!("{path}?dry_run=true"), None);
    let (group_of, change) = (&tried["impact"]["groups"][0], &tried["impact"]["groups"][0]["changes"][0]);
    let told = (&group_of["total"], &change["name"], &change["old"], &change["new"]);
    assert_eq!(told, (&json!(2), &json!("up.welcome"), &json!("of-lobby"), &Value::Null));
    assert_eq!(tried["impact"]["also"][1], "2 devices leave the device group Lobby.");
    assert_eq!(gets(&server, KEY).as_deref(), Some("of-lobby"));

    let asked = text(&api.form("/admin/groups/delete", &json!({ "select": group.to_string() })));
    for part in ["Delete Lobby?", "2 devices, 1 profile", "2 devices get other values", "up.welcome of-lobby not served"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let gone = api.form("/admin/groups/delete", &json!({ "select": group.to_string(), "confirmed": "yes" }));
    assert_eq!(gone.status, 303);
    assert_eq!((gets(&server, KEY), api.refused("GET", &path, None).0), (None, 404));
    assert_eq!(api.ok("GET", "/groups", None)["items"][0]["id"], other);
    assert_eq!(api.ok("GET", &format!("/devices/{KEY}"), None)["groups"], json!([]));
}

#[test]
fn pages_make_a_group_and_change_its_members_by_ticks_search_and_paste() {
    let server = Server::start();
    let api = Api::owner(&server);
    add_devices(&api, &[KEY, OTHER, "0004f2aa0003", "0004f2aa0004"]);
    let wrong = api.form("/admin/groups/add", &json!({ "name": "a/b", "keys": format!("{KEY}\nhall\n0004f2bb0009") }));
    let words = text(&wrong);
    assert_eq!(wrong.status, 422);
    for part in ["“/” (character 2) is not allowed", "Line 2: “hall”", "Line 3: there is no device 0004f2bb0009"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let made = api.form("/admin/groups/add", &json!({ "name": "Lobby", "keys": format!("{KEY}, 0004.f2aa.0002") }));
    let devices = made.header("location").expect("its page").to_owned();
    assert_eq!(made.status, 303);
    let members = || {
        let id = devices.split('/').nth(3).expect("a number").to_owned();
        let found = api.ok("GET", &format!("/devices?group={id}&sort=key"), None);
        found["items"]
            .as_array()
            .expect("devices")
            .iter()
            .map(|one| one["key"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(members(), [KEY, OTHER]);
    let others = text(&api.page(&format!("{devices}?show=others&q=0003")));
    assert!(others.contains("Phone 0004f2aa0003") && !others.contains("Phone 0004f2aa0004"), "{others}");
    assert_eq!(api.form(&devices, &json!({ "do": "remove", "select": KEY })).status, 303);
    assert_eq!(members(), [OTHER]);
    assert_eq!(
        api.form(&devices, &json!({ "do": "add", "scope": "matching", "matching": "show=others&q=0004f2aa000" })).status,
        200
    );
    assert_eq!(members(), [OTHER], "it asks first");
    let asked = api.form(&devices, &json!({ "do": "add", "scope": "matching", "matching": "show=others&q=0004f2aa000" }));
    let mark = asked.text().split("name=\"chosen\" value=\"").nth(1).and_then(|rest| rest.split('"').next().map(str::to_owned));
    let yes =
        json!({ "do": "add", "scope": "matching", "matching": "show=others&q=0004f2aa000", "chosen": mark, "confirmed": "yes" });
    assert_eq!(api.form(&devices, &yes).status, 303);
    assert_eq!(members().len(), 4);
    let wrong = api.form(&devices, &json!({ "do": "paste", "keys": format!("{KEY}\n\nno key") }));
    assert!(wrong.status == 422 && text(&wrong).contains("Line 3: “no key”"), "{}", wrong.text());
    assert_eq!(api.form(&devices, &json!({ "do": "add" })).status, 422, "nothing was ticked");

    let bulk = api.form("/admin/devices/groups", &json!({ "select": KEY }));
    assert!(bulk.status == 200 && text(&bulk).contains("Add 1 device to a group"), "{}", bulk.text());
    let [lab] = groups(&api, ["Lab"]);
    assert_eq!(api.form("/admin/devices/groups", &json!({ "select": KEY, "group": lab.to_string() })).status, 303);
    let monitor = text(&api.page(&format!("/admin/devices?group={lab}&more=groups")));
    assert!(monitor.contains("Phone 0004f2aa0001") && monitor.contains("Lobby , Lab"), "{monitor}");
    assert!(!monitor.contains("Phone 0004f2aa0002"), "{monitor}");
}

#[test]
fn pages_order_the_groups_of_a_device_the_defaults_and_top_priority() {
    let server = Server::start();
    let api = Api::owner(&server);
    let [lobby, lab] = groups(&api, ["Lobby", "Lab"]);
    add_devices(&api, &[KEY]);
    join(&api, lobby, &[KEY]);
    join(&api, lab, &[KEY]);
    let own = format!("/admin/devices/{KEY}/groups");
    let now = || api.ok("GET", &format!("/devices/{KEY}/groups"), None)["shown"].clone();
    let shown = format!("{lobby},{lab}");
    assert_eq!(api.form(&own, &json!({ "shown": shown, "do": format!("up-{lab}") })).status, 303);
    assert_eq!(now(), json!([lab, lobby]));
    let stale = api.form(&own, &json!({ "shown": shown, "do": format!("remove-{lab}") }));
    assert!(stale.status == 409 && text(&stale).contains("groups was Lobby, Lab is now Lab, Lobby"), "{}", text(&stale));

    let asked = text(&api.form("/admin/groups/top", &json!({ "select": lobby.to_string() })));
    assert!(asked.contains("Set Lobby to top priority?") && asked.contains("For 1 of them"), "{asked}");
    assert_eq!(now(), json!([lab, lobby]));
    api.form("/admin/groups/top", &json!({ "select": lobby.to_string(), "confirmed": "yes" }));
    assert_eq!(now(), json!([lobby, lab]));

    let add = json!({ "shown": "", "do": "attach", "group": lab.to_string(), "where": "bottom" });
    assert_eq!(api.form("/admin/groups/default", &add).status, 303);
    let list = text(&api.page("/admin/groups?sort=default"));
    assert!(list.contains("Lab All of Lab 1 0 number 1") && list.contains("Lobby All of Lobby 1 0 no"), "{list}");
    let renamed = json!({ "revision": "1", "name": "Lobbies", "description": "" });
    assert_eq!(api.form(&format!("/admin/groups/{lobby}"), &renamed).status, 303);
    let stale = api.form(&format!("/admin/groups/{lobby}"), &json!({ "revision": "1", "name": "Halls", "description": "" }));
    assert!(stale.status == 409 && text(&stale).contains("name was Lobby is now Lobbies"), "{}", text(&stale));
}

#[test]
fn no_page_grows_with_the_number_of_groups_members_and_parameters() {
    const PAGE_BYTES: usize = 500 * 1024;
    let server = Server::start();
    let api = Api::owner(&server);
    let keys: Vec<String> = (1..=200).map(|number| format!("0004f2{number:06x}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    add_devices(&api, &keys);
    let names =
        (0..500).map(|number| json!({ "name": format!("Group {number:03} {}", "x".repeat(60)), "description": "y".repeat(900) }));
    let made = api.ok("POST", "/groups", Some(names.collect()));
    let ids: Vec<u64> = made.as_array().expect("groups").iter().filter_map(|group| group["id"].as_u64()).collect();
    for id in &ids[..40] {
        join(&api, *id, &keys);
    }
    let parameters: serde_json::Map<String, Value> =
        (0..2_000).map(|number| (format!("made.up.parameter.{number}"), json!("v".repeat(1_000)))).collect();
    let profile = api.ok("POST", "/profiles", Some(json!({ "name": "Everything", "parameters": parameters })))["id"].clone();
    api.ok("PUT", &format!("/deployment/groups/{}", ids[0]), Some(json!({ "profiles": [profile], "shown": [] })));
    for page in [
        "/admin/devices?per_page=200".to_owned(),
        "/admin/groups?per_page=200".to_owned(),
        format!("/admin/groups/{}/devices?per_page=200", ids[0]),
        format!("/admin/groups/delete?select={}", ids[0]),
        format!("/admin/devices/{}/groups", keys[0]),
        "/admin/groups/default".to_owned(),
        "/admin/deployment?container=groups&per_page=200".to_owned(),
        "/admin/".to_owned(),
    ] {
        let answer = api.page(&page);
        assert!(
            answer.status == 200 && answer.body.len() < PAGE_BYTES,
            "{page}: {} with {} bytes",
            answer.status,
            answer.body.len()
        );
    }
    let asked = text(&api.page(&format!("/admin/groups/delete?select={}", ids[0])));
    assert!(asked.contains("200 devices get other values") && asked.contains("and 1980 more parameters"), "{}", &asked[..2_000]);
}
