//! The recycle bin from outside: the message that offers *Undo*, the list, and the API; what phones get meanwhile and afterwards.

use pdms::services::retention::{self, Keep};
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::{Phone, Response};
use crate::support::server::Server;

const KEY: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";

fn text(answer: &Response) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// Two profiles on a group with two devices.
fn furnished() -> (Server, Api, u64) {
    let server = Server::start();
    let api = Api::owner(&server);
    let group = api.ok("POST", "/groups", Some(json!({ "name": "Lobby" })))["id"].as_u64().expect("a number");
    for (name, value) in [("High", "high"), ("Low", "low")] {
        let parameters = json!({ "up.welcome": value, "reg.1.auth.password": "CANARY-BIN" });
        api.ok("POST", "/profiles", Some(json!({ "name": name, "parameters": parameters })));
    }
    api.ok("PUT", &format!("/deployment/groups/{group}"), Some(json!({ "profiles": [1, 2], "shown": [] })));
    api.ok("POST", "/devices", Some(json!([{ "key": KEY, "name": "Hall" }, { "key": OTHER }])));
    api.ok("POST", &format!("/groups/{group}/members"), Some(json!({ "add": [KEY, OTHER] })));
    (server, api, group)
}

fn served(server: &Server, key: &str) -> Option<String> {
    let text = Phone::new(server).get(&format!("/{key}-profile.cfg")).text();
    let value = text.split_once("up.welcome=\"")?.1.split('"').next()?;
    Some(value.to_owned())
}

/// What the form of the message sends.
fn undo(page: &str) -> Value {
    let form = page.split_once("data-toast").expect("a message with a way back").1.split_once("</form>").expect("a form").0;
    let mut fields = serde_json::Map::new();
    for input in form.split("<input type=\"hidden\"").skip(1) {
        let of = |what: &str| input.split_once(&format!("{what}=\"")).map(|(_, rest)| rest.split('"').next().unwrap_or_default());
        let (name, value) = of("name").zip(of("value")).expect("a field");
        if name != "csrf" {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    Value::Object(fields)
}

#[test]
fn the_message_after_a_deletion_takes_it_back_and_nothing_is_asked_again() {
    let (server, api, group) = furnished();
    assert_eq!(served(&server, KEY).as_deref(), Some("high"));
    api.form("/admin/profiles/delete", &json!({ "select": "1", "confirmed": "yes" }));
    let gone = text(&api.page("/admin/profiles"));
    assert!(gone.contains("1 profile is deleted.") && gone.contains("role=\"status\""), "{gone}");
    assert_eq!(served(&server, KEY).as_deref(), Some("low"));
    let back = api.form_once("/admin/recycle-bin/restore", &undo(&gone));
    assert_eq!((back.status, back.header("location")), (303, Some("/admin/profiles")));
    let page = text(&api.page("/admin/profiles"));
    assert!(page.contains("High is restored."), "{page}");
    assert_eq!(served(&server, KEY).as_deref(), Some("high"));
    let list = api.ok("GET", &format!("/deployment/groups/{group}"), None);
    assert_eq!(list["profiles"].as_array().map(Vec::len), Some(2), "{list}");
    assert_eq!(api.ok("GET", "/recycle-bin", None)["total"], 0);
    let log = api.ok("GET", "/activity?q=restored", None).to_string();
    assert!(log.contains("High") && !log.contains("CANARY"), "{log}");
}

#[test]
fn what_changed_meanwhile_is_shown_before_it_is_taken_back() {
    let (_server, api, _) = furnished();
    api.form("/admin/profiles/delete", &json!({ "select": "1", "confirmed": "yes" }));
    let form = undo(&text(&api.page("/admin/profiles")));
    let revision = api.ok("GET", "/profiles/2", None)["revision"].clone();
    let other = json!({ "revision": revision, "set": { "up.welcome": "other" } });
    api.ok("PATCH", "/profiles/2", Some(other));
    let asked = text(&api.form_once("/admin/recycle-bin/restore", &form));
    assert!(asked.contains("Restore High?") && asked.contains("up.welcome"), "{asked}");
    assert_eq!(api.ok("GET", "/recycle-bin", None)["total"], 1, "nothing is done yet");
}

#[test]
fn a_deleted_phone_gets_nothing_old_until_its_device_is_restored() {
    let (server, api, group) = furnished();
    api.ok("POST", "/devices/delete", Some(json!({ "keys": [KEY, OTHER], "removal": "forget" })));
    let list = api.ok("GET", "/recycle-bin", None);
    let entry = &list["items"][0];
    assert_eq!((&list["total"], &entry["counted"], &entry["objects"]), (&json!(1), &json!("2 devices"), &json!(2)), "{list}");
    let id = entry["id"].as_u64().expect("a number");
    let whole = api.ok("GET", &format!("/recycle-bin/{id}"), None);
    assert_eq!(whole["contents"][0]["name"], format!("Hall ({KEY})"), "{whole}");
    assert_ne!(served(&server, KEY).as_deref(), Some("high"), "what comes now is another device");

    let wanted = json!({ "deletions": [{ "id": id }] });
    let tried = api.ok("POST", "/recycle-bin/restore?dry_run=true", Some(wanted.clone()));
    assert_eq!(tried["restored"].as_array().map(Vec::len), Some(1), "the other came as a new one: {tried}");
    let restored = api.ok("POST", "/recycle-bin/restore", Some(wanted.clone()));
    assert!(restored["left_out"].to_string().contains("delete it first"), "{restored}");
    api.ok("DELETE", &format!("/devices/{KEY}?removal=forget"), None);
    api.ok("POST", "/recycle-bin/restore", Some(wanted));
    assert_eq!(served(&server, KEY).as_deref(), Some("high"));
    let members = api.ok("GET", &format!("/devices?group={group}"), None);
    assert_eq!(members["total"], 2, "{members}");
}

/// A deletion right after a boot lost the run, which waits in memory until the phone is silent and the next batch writes it.
#[test]
fn a_device_that_is_deleted_right_after_its_boot_comes_back_with_that_run() {
    let (server, api, _) = furnished();
    let boot = |mac: &str| {
        let phone = Phone::new(&server);
        for path in [format!("/{mac}.cfg"), format!("/{mac}-profile.cfg")] {
            assert_eq!(phone.get(&path).status, 200);
            server.advance(1);
        }
    };
    let runs = |mac: &str| api.ok("GET", &format!("/devices/{mac}/runs"), None)["items"].clone();
    // One run has ended and waits for the batch, another one of the same device and the only one of the other go on.
    boot(KEY);
    server.clock.advance_to(server.clock.now() + jiff::SignedDuration::from_mins(4));
    boot(KEY);
    boot(OTHER);
    let before = (runs(KEY), runs(OTHER));
    let told = |runs: &Value| runs.as_array().expect("a list").iter().map(|run| run["verdict"].clone()).collect::<Vec<_>>();
    assert_eq!((told(&before.0).len(), told(&before.1).len()), (2, 1), "{before:?}");

    api.ok("POST", "/devices/delete", Some(json!({ "keys": [KEY, OTHER], "removal": "forget" })));
    let id = api.ok("GET", "/recycle-bin", None)["items"][0]["id"].clone();
    assert_eq!((runs(KEY), runs(OTHER)), (json!([]), json!([])), "nobody has them meanwhile");
    server.advance(600);
    server.flush();
    api.ok("POST", "/recycle-bin/restore", Some(json!({ "deletions": [{ "id": id }] })));
    let after = (runs(KEY), runs(OTHER));
    assert_eq!((told(&after.0), told(&after.1)), (told(&before.0), told(&before.1)), "{after:?}");
    let server = server.restarted();
    let api = Api::owner(&server);
    assert_eq!(api.ok("GET", &format!("/devices/{KEY}/runs"), None)["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_running_server_lets_go_after_thirty_days_and_not_before() {
    let (server, api, group) = furnished();
    api.ok("DELETE", "/profiles/1", None);
    server.advance(10 * 86_400);
    Api::owner(&server).ok("DELETE", &format!("/groups/{group}"), None);
    let look = || retention::run(&server.services, Keep::default()).expect("the disk is well").deletions;
    let kept = || Api::owner(&server).ok("GET", "/recycle-bin?sort=deleted", None);
    server.advance(20 * 86_400 - 60);
    assert_eq!((look(), kept()["total"].clone()), (0, json!(2)), "a minute before its time is over");
    let form = undo_of(&kept()["items"][0]);
    server.advance(120);
    assert_eq!((look(), kept()["total"].clone()), (1, json!(1)));
    assert_eq!(kept()["items"][0]["names"], json!(["Lobby"]), "what was deleted later stays");
    let late = Api::owner(&server).call("POST", "/recycle-bin/restore", Some(form));
    assert!(late.status == 404 && late.text().contains("30 days are over"), "{}", late.text());
    server.advance(10 * 86_400);
    assert_eq!((look(), kept()["total"].clone()), (1, json!(0)));
    let page = Api::owner(&server).page("/admin/recycle-bin?all=").text();
    assert!(!page.contains("Lobby") && !page.contains("High"), "{page}");
}

fn undo_of(entry: &Value) -> Value {
    json!({ "deletions": [{ "id": entry["id"] }] })
}

#[test]
fn a_name_that_is_taken_is_asked_for_by_page_and_api() {
    let (_server, api, _) = furnished();
    api.ok("DELETE", "/profiles/1", None);
    api.ok("POST", "/profiles", Some(json!({ "name": "HIGH" })));
    let id = api.ok("GET", "/recycle-bin", None)["items"][0]["id"].as_u64().expect("a number");
    let (status, errors) = api.refused("POST", "/recycle-bin/restore", Some(json!({ "deletions": [{ "id": id }] })));
    assert_eq!((status, errors[0].0.as_str()), (422, "names"), "{errors:?}");
    let asked = text(&api.form("/admin/recycle-bin/restore", &json!({ "select": id.to_string() })));
    assert!(asked.contains(&format!("name=\"name-{id}-1\"")) && asked.contains("choose another name"), "{asked}");
    let named = json!({ "deletions": [{ "id": id, "names": [{ "number": 1, "name": "High again" }] }] });
    let restored = api.ok("POST", "/recycle-bin/restore", Some(named));
    assert_eq!(restored["restored"], json!([{ "kind": "profile", "name": "High again" }]));
    let (status, _) = api.refused("POST", "/recycle-bin/restore", Some(json!({ "deletions": [{ "id": id }] })));
    assert_eq!(status, 404, "two admins: the second one is told");
}

#[test]
fn for_good_is_asked_first_and_after_thirty_days_nothing_is_there() {
    let (server, api, group) = furnished();
    api.ok("DELETE", &format!("/groups/{group}"), None);
    api.ok("DELETE", "/profiles/1", None);
    let list = text(&api.page("/admin/recycle-bin"));
    assert!(list.contains("Lobby") && list.contains("High") && list.contains("2 devices, 2 profiles"), "{list}");
    let id = api.ok("GET", "/recycle-bin?q=High", None)["items"][0]["id"].as_u64().expect("a number");
    let one = text(&api.page(&format!("/admin/recycle-bin/{id}")));
    assert!(one.contains("Deleted: High") && !one.contains("CANARY"), "{one}");
    let asked = text(&api.form("/admin/recycle-bin/delete", &json!({ "select": id.to_string() })));
    assert!(asked.contains("Delete 1 object for good?"), "{asked}");
    assert_eq!(api.ok("GET", "/recycle-bin", None)["total"], 2);
    api.form("/admin/recycle-bin/delete", &json!({ "select": id.to_string(), "confirmed": "yes" }));
    assert_eq!(api.ok("GET", "/recycle-bin", None)["total"], 1);
    let left = api.ok("GET", "/recycle-bin", None)["items"][0]["id"].clone();
    let restored = api.ok("POST", "/recycle-bin/restore", Some(json!({ "deletions": [{ "id": left }] })));
    assert_eq!(restored["left_out"], json!(["1 profile that was attached is gone"]));
    let server = server.restarted();
    drop(server);
}

/// R284: the profile of a CSV file is for one device, and comes back with it alone.
#[test]
fn the_profile_of_a_csv_file_comes_back_with_its_device_and_to_no_other() {
    let server = Server::start();
    let api = Api::owner(&server);
    let file = format!("mac_address,up.welcome,reg.1.auth.password\n{KEY},former,CANARY-BIN\n");
    assert_eq!(api.send("POST", "/devices/import", file.as_bytes()).status, 200);
    assert_eq!(served(&server, KEY).as_deref(), Some("former"));
    api.ok("DELETE", &format!("/devices/{KEY}?removal=forget"), None);
    server.advance(60);
    // Another device has its key by then.
    api.ok("POST", "/devices", Some(json!({ "key": KEY, "name": "Another" })));
    for wanted in [json!({ "id": 1 }), json!({ "id": 1, "objects": [2] }), json!({ "id": 1, "objects": [] })] {
        let (status, _) = api.refused("POST", "/recycle-bin/restore", Some(json!({ "deletions": [wanted] })));
        assert_eq!(status, 409);
    }
    assert_eq!(api.ok("GET", "/profiles?q=csv_profile", None)["total"], 0, "it waits for its device");
    let file = format!("mac_address,up.timeOut\n{KEY},41\n");
    assert_eq!(api.send("POST", "/devices/import?existing=merge", file.as_bytes()).status, 200);
    assert_eq!(served(&server, KEY), None, "nothing of the former one");
    // As the answer said: the other one goes, and the former one comes back whole.
    api.ok("DELETE", &format!("/devices/{KEY}?removal=forget"), None);
    api.ok("POST", "/recycle-bin/restore", Some(json!({ "deletions": [{ "id": 1 }] })));
    assert_eq!(served(&server, KEY).as_deref(), Some("former"));
    // One that is deleted alone comes back to its device.
    let profile = api.ok("GET", "/profiles?q=csv_profile", None)["items"][0]["id"].clone();
    api.ok("DELETE", &format!("/profiles/{profile}"), None);
    assert_eq!(served(&server, KEY), None);
    let last = api.ok("GET", "/recycle-bin", None)["items"][0]["id"].clone();
    api.ok("POST", "/recycle-bin/restore", Some(json!({ "deletions": [{ "id": last }] })));
    assert_eq!(served(&server, KEY).as_deref(), Some("former"));
}

#[test]
fn every_object_of_a_large_deletion_is_found() {
    let server = Server::start();
    let api = Api::owner(&server);
    let keys: Vec<String> = (0..30).map(|number| format!("0004f2aa{number:04x}")).collect();
    api.ok("POST", "/devices", Some(keys.iter().map(|key| json!({ "key": key })).collect()));
    api.ok("POST", "/devices/delete", Some(json!({ "keys": keys, "removal": "forget" })));
    for (q, found) in [("0004f2aa0019", 1), ("00:04:f2:aa:00:19", 1), ("0004f2aa0099", 0)] {
        assert_eq!(api.ok("GET", &format!("/recycle-bin?q={q}"), None)["total"], found, "{q}");
    }
}
