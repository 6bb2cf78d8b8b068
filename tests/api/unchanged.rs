//! What is saved as it was is no change: no entry in the activity log, and no revision counts.

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::{OWNER_EMAIL, Server};

const KEY: &str = "0004f2aa0001";

#[test]
fn what_is_saved_unchanged_writes_no_entry_and_counts_no_revision() {
    let server = Server::start();
    let api = Api::owner(&server);
    Phone::new(&server).get(&format!("/{KEY}.cfg"));
    server.global_profile("Lines", &[("up.timeOut", "41")]);
    let entries = || api.ok("GET", "/activity?per_page=1", None)["total"].clone();
    let user = api.ok("GET", &format!("/api/v1/users?q={OWNER_EMAIL}"), None)["items"][0].clone();
    let user = format!("/api/v1/users/{}", user["id"]);
    let device = format!("/devices/{KEY}");
    for kind in ["groups", "people", "person-groups", "rooms"] {
        api.ok("POST", &format!("/{kind}"), Some(json!({ "name": "Lobby" })));
    }
    let on_groups = format!("/devices/{KEY}/groups");
    let attached = "/deployment/global";
    let shown = |path: &str| api.ok("GET", path, None);
    let part = |value: &Value, names: &[&str]| -> Value {
        Value::Object(names.iter().map(|name| ((*name).to_owned(), value[*name].clone())).collect())
    };
    let settings =
        ["revision", "enabled", "user", "time_zone", "time_server", "first_contact", "binds", "polling_window", "bootstrap"];
    let profiles = json!({ "profiles": [1], "shown": [1] });
    let on_device = format!("/deployment/devices/{KEY}");
    let saves: Vec<(&str, &str, Value)> = vec![
        ("PATCH", "/settings", part(&shown("/settings"), &settings)),
        ("PATCH", &device, part(&shown(&device), &["revision", "name", "description"])),
        ("PUT", &device, part(&shown(&device), &["revision", "name", "description"])),
        ("PATCH", "/profiles/1", json!({ "revision": shown("/profiles/1")["revision"], "set": { "up.timeOut": "41" } })),
        ("PUT", attached, profiles),
        ("PATCH", "/people/1", json!({ "revision": 1, "name": "Lobby" })),
        ("PATCH", "/person-groups/1", json!({ "revision": 1, "name": "Lobby" })),
        ("PATCH", "/rooms/1", json!({ "revision": 1, "name": "Lobby" })),
        ("PUT", "/people/1/groups", json!({ "groups": [], "shown": [] })),
        ("PATCH", "/groups/1", json!({ "revision": 1, "name": "Lobby" })),
        ("PUT", "/default-groups", json!({ "groups": [], "shown": [] })),
        ("PUT", &on_groups, json!({ "groups": [], "shown": [] })),
        ("PUT", "/deployment/models/VVX%20411", json!({ "profiles": [], "shown": [] })),
        ("PUT", &on_device, json!({ "profiles": [], "shown": [] })),
        ("PATCH", "/api/v1/server", part(&shown("/api/v1/server"), &["revision", "public_name"])),
        ("PATCH", &user, part(&shown(&user), &["revision", "name", "email", "role"])),
        ("PUT", "/devices/0004f2aa0001/certificate", json!({ "state": "unknown" })),
    ];
    for (method, path, body) in saves {
        let (before, told) = (shown(path), entries());
        api.ok(method, path, Some(body.clone()));
        assert_eq!((shown(path), entries()), (before, told), "{method} {path} {body}");
    }
    let plan = shown("/api/v1/server/backup-plan");
    let same = part(&plan, &["revision", "every", "hour", "keep", "folder", "encrypted"]);
    let told = entries();
    api.ok("PUT", "/api/v1/server/backup-plan", Some(same));
    assert_eq!((shown("/api/v1/server/backup-plan"), entries()), (plan, told));
}
