//! `dry_run=true` answers what would change and changes nothing (contract 6): of every operation that changes something.

use serde_json::{Value, json};

use super::{KEY, device, profile};
use crate::support::api::{Api, json as parsed};
use crate::support::openapi::operations;
use crate::support::phone::Phone;
use crate::support::server::{OWNER_EMAIL, OWNER_PASSWORD, Server};
use crate::support::{authority, revoking_authority};

const BLOCKED: &str = "0004f2a11a09";
const WAITING: &str = "0004f2a11a08";
const SCHEMA: &[u8] = b"<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema'><s:attribute name='a.b'/></s:schema>";
const FILE: &[u8] = b"<a up.timeOut='41'/>";

/// What each operation is called with, so that without `dry_run` it would change something: the rest of the query and the body.
/// Operations with a file as their body have none here.
fn call(operation: &str, revisions: &Value) -> (&'static str, Option<Value>) {
    let revision = |what: &str| revisions[what].clone();
    match operation {
        "begin_session" => ("", Some(json!({ "email": OWNER_EMAIL, "password": OWNER_PASSWORD }))),
        "accept_invitation" => ("", Some(json!({ "token": revisions["invitation"], "password": "quite another sentence" }))),
        "confirm_session" => ("", Some(json!({ "password": OWNER_PASSWORD }))),
        "change_own_password" => ("", Some(json!({ "current": OWNER_PASSWORD, "password": "quite another sentence" }))),
        "decide_pending" => ("", Some(json!({ "keys": [WAITING] }))),
        "upload_files" => {
            let file = json!({ "name": "phone.cfg", "content": "PGEgYi5jPSIxIi8+" });
            ("", Some(json!({ "devices": [KEY], "directory": "overrides", "files": [file] })))
        }
        "merge_directories" => ("", Some(json!({ "devices": [KEY], "wins": "phone" }))),
        "restore_file" => ("", Some(json!({ "version": 1 }))),
        "delete_value" => ("", Some(json!({ "parameter": "up.timeOut" }))),
        "delete_file" | "delete_log" | "delete_logs" => ("", None),
        "act_on_device" | "open_window" | "close_window" | "end_former" | "reveal_phone_password" | "reveal_deleted" => {
            ("", None)
        }
        "export_devices_in_clear" | "import_devices" => ("", None),
        "begin_image_upload" => ("", Some(json!({ "file": "a.zip", "size_bytes": 10 }))),
        "answer_image_upload" => ("", Some(json!({ "version": "9.9.9", "families": ["CCX"] }))),
        "set_image_limits" => ("", Some(json!({ "images": 3, "megabytes": 4, "package_megabytes": 5 }))),
        "put_license" => ("&file=key.txt", None),
        "send_image_upload" | "finish_image_upload" | "cancel_image_upload" => ("", None),
        "delete_image" | "delete_packages" | "delete_license" | "reveal_license" => ("", None),
        "end_session" | "end_sign_in" | "unblock_device" | "delete_profile" | "reveal_password" => ("", None),
        "add_devices" => ("", Some(device("0004f2a11a02"))),
        "change_device" | "replace_device" => ("", Some(json!({ "revision": revision("device"), "name": "Other" }))),
        "delete_device" => ("&removal=block", None),
        "delete_devices" => ("", Some(json!({ "keys": [KEY], "removal": "forget" }))),
        "create_profiles" | "copy_profile" => ("", Some(json!({ "name": "Another" }))),
        "import_as_profile" => ("&name=Imported", None),
        "import_into_profile" => ("&revision=1", None),
        "replace_profile" | "change_profile" => ("", Some(json!({ "revision": revision("profile"), "name": "Other" }))),
        "add_sites" => ("", Some(json!({ "name": "Another", "networks": [{ "public": "10.9.0.0/16" }] }))),
        "replace_site" | "change_site" => ("", Some(json!({ "revision": 1, "name": "Other" }))),
        "delete_site" | "import_sites" => ("", None),
        "delete_sites" => ("", Some(json!({ "ids": [2] }))),
        "upload_resource" => ("&path=Another.txt", None),
        "replace_resource" => ("&revision=1", None),
        "change_resource" => ("", Some(json!({ "revision": 1, "description": "Other" }))),
        "delete_resource" => ("", None),
        "delete_resources" => ("", Some(json!({ "ids": [1] }))),
        "restore_deletions" => ("", Some(json!({ "deletions": [{ "id": 1 }] }))),
        "purge_deletions" => ("", Some(json!({ "ids": [1] }))),
        "decide_pending_moves" => ("", Some(json!({ "keys": [KEY] }))),
        "delete_profiles" => ("", Some(json!({ "ids": [1] }))),
        "set_global" | "set_of_device" | "set_of_place" => ("", Some(json!({ "profiles": [1], "shown": [] }))),
        "create_people" | "create_person_groups" | "create_rooms" | "create_groups" => ("", Some(json!({ "name": "Another" }))),
        "replace_person" | "replace_person_group" | "replace_room" | "change_person" | "change_person_group" | "change_room" => {
            ("", Some(json!({ "revision": 1, "name": "Other" })))
        }
        "delete_person" | "delete_person_group" | "delete_room" => ("", None),
        "delete_people" | "delete_person_groups" | "delete_rooms" => ("", Some(json!({ "ids": [1] }))),
        "set_groups_of_person" => ("", Some(json!({ "groups": [1], "shown": [] }))),
        "set_owner" => ("", Some(json!({ "owner": { "person": 1 }, "shown": null }))),
        "set_owners" => ("", Some(json!({ "keys": [KEY], "owner": { "room": 1 } }))),
        "change_people_of_group" => ("", Some(json!({ "add": [1] }))),
        "replace_group" | "change_group" => ("", Some(json!({ "revision": 1, "name": "Other" }))),
        "delete_group" | "set_to_top_priority" => ("", None),
        "delete_groups" => ("", Some(json!({ "ids": [1] }))),
        "change_members" => ("", Some(json!({ "remove": [KEY] }))),
        "change_schema" => ("", Some(json!({ "current": 0, "revision": revision("schema") }))),
        "roll_back_schema" => ("", Some(json!({ "revision": revision("schema") }))),
        "upload_schema" => ("&name=Another", None),
        "delete_schema" | "import_profiles" => ("", None),
        "set_lines" => ("", Some(json!({ "lines": [{ "line": 1, "fields": { "address": "100" } }] }))),
        "set_lines_of_devices" => {
            ("", Some(json!([{ "device": KEY, "lines": [{ "line": 1, "fields": { "address": "100" } }] }])))
        }
        "set_groups_of_device" => ("", Some(json!({ "groups": [1], "shown": [2, 1] }))),
        "set_default_groups" => ("", Some(json!({ "groups": [1], "shown": [] }))),
        "change_settings" => ("", Some(json!({ "revision": revision("settings"), "time_zone": "Asia/Tokyo" }))),
        "make_backup" | "delete_backup" => ("", None),
        "replace_backup_plan" => {
            ("", Some(json!({ "revision": 0, "every": "day", "hour": 4, "keep": 9, "folder": null, "encrypted": false })))
        }
        "step_ca_rollover" => ("", Some(json!({ "step": "start", "known": true }))),
        "change_server" => ("", Some(json!({ "revision": revision("server"), "public_name": "other.example.test" }))),
        "add_user" => ("", Some(json!({ "name": "Grace", "email": "grace@example.test", "role": "viewer" }))),
        "change_user" => ("", Some(json!({ "revision": 1, "role": "operator", "enabled": false }))),
        "delete_user" | "invite_user" | "end_sign_in_of_user" | "revoke_token" | "offer_second_factor" => ("", None),
        "create_view" => ("", Some(json!({ "list": "sites", "name": "Another", "query": "q=a", "opens": true }))),
        "change_view" => ("", Some(json!({ "revision": 1, "name": "Other" }))),
        "delete_view" => ("", None),
        "create_token" => ("", Some(json!({ "name": "another", "role": "owner", "days": 7 }))),
        "add_manufacturers" | "delete_manufacturer" | "delete_address" => ("", None),
        "add_revocation_lists" | "delete_revocation_list" => ("", None),
        "note_certificate" => ("", Some(json!({ "state": "not-installed" }))),
        "set_user_password" => ("", Some(json!({ "password": "another long enough one" }))),
        other => panic!("say what {other} is called with, so that it would change something"),
    }
}

/// What can only be tried out where a second factor is on or being set up (`tests/second_factor.rs`), and of a device that has newer
/// software than is chosen, or from which an image was withdrawn (`tests/software.rs`).
const OF_A_CERTAIN_STATE: [&str; 7] = [
    "confirm_second_factor",
    "disable_second_factor",
    "renew_recovery_codes",
    "reset_second_factor",
    "allow_downgrade",
    "allow_downgrades",
    "try_software_again",
];

/// Everything that the API tells of the state, and the revision of what phones get.
fn state(server: &Server, api: &Api) -> Vec<Value> {
    let device = format!("/devices/{KEY}");
    let certificate = format!("/devices/{KEY}/certificate");
    let read = [
        "/activity",
        "/resources",
        "/devices",
        "/images",
        "/images/1",
        "/images/limits",
        "/images/uploads",
        "/blocked",
        "/pending",
        "/window",
        "/credentials",
        "/sites",
        "/pending-moves",
        "/recycle-bin",
        "/profiles",
        "/profiles/1",
        "/settings",
        "/groups",
        "/default-groups",
        "/people",
        "/person-groups",
        "/rooms",
        "/people/1/groups",
        "/manufacturers",
        "/revocation-lists",
        "/schema",
        "/deployment/global",
        "/deployment",
        "/api/v1/users",
        "/tokens",
        "/views",
        "/api/v1/sessions",
        "/api/v1/session",
        "/api/v1/server",
        "/api/v1/server/backups",
        "/api/v1/server/backup-plan",
        "/api/v1/server/addresses",
        "/api/v1/server/ca-rollover",
        &device,
        &certificate,
        &format!("{device}/files"),
        &format!("{device}/logs"),
    ];
    let mut state: Vec<Value> = read.iter().map(|path| api.ok("GET", path, None)).collect();
    state.push(json!(server.world().revision));
    state
}

fn revision_of(api: &Api, path: &str) -> Value {
    api.ok("GET", path, None)["revision"].clone()
}

#[test]
fn whatever_changes_something_can_be_tried_out() {
    let server = Server::start();
    let api = Api::owner(&server);
    let id = profile(&api, "Office", json!({ "up.timeOut": "40" }));
    api.ok("POST", "/devices", Some(json!([device(KEY), device(BLOCKED)])));
    let own = Phone::new(&server);
    for value in [60, 70] {
        let settings = format!("<PHONE_CONFIG><OVERRIDES up.timeOut=\"{value}\"/></PHONE_CONFIG>");
        assert!(own.put(&format!("/{KEY}-phone.cfg"), settings.as_bytes()).status < 300);
    }
    assert_eq!(own.put(&format!("/{KEY}-app.log"), b"0417110903|sip|4|00|x").status, 201);
    let log = api.ok("GET", &format!("/devices/{KEY}/logs"), None)["items"][0]["name"].as_str().expect("a log").to_owned();
    server.flush();
    api.ok("DELETE", &format!("/devices/{BLOCKED}?removal=block"), None);
    Phone::bare(&server).with_credentials("x", "y").get(&format!("/{WAITING}.cfg"));
    api.ok("POST", "/groups", Some(json!([{ "name": "Lobby" }, { "name": "Lab" }])));
    assert_eq!(api.send("POST", "/resources?path=a.txt", b"x").status, 201);
    for kind in ["people", "person-groups", "rooms"] {
        api.ok("POST", &format!("/{kind}"), Some(json!({ "name": "First" })));
    }
    for group in [2, 1] {
        api.ok("POST", &format!("/groups/{group}/members"), Some(json!({ "add": [KEY] })));
    }
    for how in ["name=Beside&beside=true&family=VVX", "name=Everything"] {
        assert_eq!(api.send("POST", &format!("/schema/uploads?{how}"), SCHEMA).status, 201);
    }
    let archive = api.call("GET", "/profiles/export", None).body;
    let replaced = json!({ "revision": revision_of(&api, "/settings"), "password": "planned-7411" });
    api.ok("PATCH", "/settings", Some(replaced));
    let backup = api.ok("POST", "/api/v1/server/backups", None)["name"].as_str().expect("a name").to_owned();
    let (maker, [list, next_list]) = revoking_authority("Maker");
    let [ca, list] = [("/manufacturers", maker), ("/revocation-lists", list)].map(|(path, file)| {
        parsed(&api.send("POST", path, &file))["items"][0]["fingerprint"].as_str().expect("taken").to_owned()
    });
    // An address that no device came by.
    let former = format!("&url={}", server.base().replace("localhost", "former.example.test"));
    for name in ["former.example.test", "present.example.test"] {
        let revision = api.ok("GET", "/api/v1/server", None)["revision"].clone();
        api.ok("PATCH", "/api/v1/server", Some(json!({ "revision": revision, "public_name": name })));
    }
    let session = api.ok("GET", "/api/v1/sessions", None)["items"][0]["id"].as_str().expect("a session").to_owned();
    let bob = json!({ "name": "Bob", "email": "bob@example.test", "role": "owner", "password": "a longer one than most" });
    let user = api.ok("POST", "/api/v1/users", Some(bob))["id"].to_string();
    api.ok("POST", "/tokens", Some(json!({ "name": "monitoring", "role": "viewer" })));
    api.ok("POST", "/views", Some(json!({ "list": "devices", "name": "Offline", "query": "status=offline" })));
    let sign_in = json!({ "email": "bob@example.test", "password": "a longer one than most" });
    Api::stranger(&server).ok("POST", "/api/v1/session", Some(sign_in));
    let eve = json!({ "name": "Eve", "email": "eve@example.test", "role": "viewer" });
    let link = api.ok("POST", "/api/v1/users", Some(eve))["invitation"].as_str().expect("a link").to_owned();
    let invitation = link.split_once("token=").expect("a token").1;
    let of_bob = api.ok("GET", &format!("/api/v1/users/{user}/sessions"), None)["items"][0]["id"].clone();
    let of_bob = of_bob.as_str().expect("a session").to_owned();
    let revision = |path: &str| revision_of(&api, path);
    let revisions = json!({ "device": revision(&format!("/devices/{KEY}")), "profile": revision(&format!("/profiles/{id}")),
        "settings": revision("/settings"), "server": revision("/api/v1/server"), "schema": revision("/schema"), "invitation": invitation });
    let [open, asking] = super::images(&server, &api);
    api.send("PUT", "/images/1/license?file=key.txt", b"U1234-KEY");
    let before = state(&server, &api);
    let mut tried = 0;
    for (method, path, operation) in operations().filter(|(method, ..)| method != "GET") {
        let name = operation["operationId"].as_str().expect("a name");
        let parameters = operation["parameters"].as_array().expect("parameters");
        assert!(parameters.iter().any(|one| one["name"] == "dry_run"), "{name} cannot be tried out");
        if OF_A_CERTAIN_STATE.contains(&name) {
            continue;
        }
        let key = if path.contains("/blocked/") || path.contains("/deleted/") { BLOCKED } else { KEY };
        let of = if path.contains("/sites/") {
            "2"
        } else if path.starts_with("/sessions") {
            &session
        } else if path.starts_with("/users") {
            &user
        } else {
            "1"
        };
        let path = path.replace("{container}/{id}", "models/VVX%20411");
        let path = path.replace("{account}", "default").replace("{key}", key).replace("{id}", of);
        let action = if path.contains("/actions/") { "expect" } else { "dismiss" };
        let path = path.replace("{action}", action).replace("{answer}", "accept");
        let fingerprint = if path.starts_with("/accounts/default/revocation-lists") { &list } else { &ca };
        let path = path.replace("{session}", &of_bob).replace("{fingerprint}", fingerprint);
        let file = if path.contains("/files/") { "phone.cfg" } else { &log };
        let path = if path.contains("/devices/") { path.replace("{name}", file) } else { path.replace("{name}", &backup) };
        let path = path.replace("{upload}", if name == "answer_image_upload" { &asking } else { &open });
        let (query, body) = call(name, &revisions);
        let query = if name == "delete_address" { &former } else { query };
        let target = format!("/api/v1{path}?dry_run=true{query}");
        let takes = |kind: &str| operation["requestBody"]["content"][kind].is_object();
        let answer = match () {
            () if takes("application/xml") => api.send(&method, &target, FILE),
            () if takes("application/octet-stream") => api.send(&method, &target, b"more"),
            () if takes("text/plain") => api.send(&method, &target, b"U5678-KEY"),
            () if name == "import_devices" => api.send(&method, &target, b"mac_address,up.timeOut\n0004f2a11a05,41\n"),
            () if takes("text/xml") => api.send(&method, &target, SCHEMA),
            () if takes("application/zip") => api.send(&method, &target, &archive),
            () if takes("text/csv") => api.send(&method, &target, b"site_name,subnets\nBerlin,{}\n"),
            () if takes("application/pkix-crl") => api.send(&method, &target, &next_list),
            () if takes("application/x-pem-file") => api.send(&method, &target, &authority("Another maker")),
            () => api.call(&method, &target, body),
        };
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert!(
            answer.body.starts_with(b"{") && answer.body.len() > 2,
            "{name} must answer what would change: {}",
            answer.text()
        );
        if path.starts_with("/accounts/") || path == "/server" {
            let told = parsed(&answer);
            assert!(told["impact"]["changed"].is_u64(), "{name} must tell what it does to devices: {told}");
        }
        assert_eq!(state(&server, &api), before, "{name} changed something");
        tried += 1;
    }
    assert!(tried >= 22, "{tried} operations");
    let told = api.ok("POST", "/settings/reveal?dry_run=true", None);
    assert!(told["user"] == "phones" && told["password"].is_null(), "nobody notes a trial: {told}");
}
