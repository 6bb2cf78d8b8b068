//! No answer shows a secret in clear unless that is what it is there for.

use serde_json::json;

use super::{KEY, device};
use crate::support::api::Api;
use crate::support::openapi::operations;
use crate::support::phone::Phone;
use crate::support::server::{OWNER_PASSWORD, PASSWORD, Server};

/// What no answer may hold.
const CANARIES: [&str; 6] = [PASSWORD, OWNER_PASSWORD, "CANARY_SIP", "CANARY_FTP", "CANARY_MENU", "$argon2"];
/// Answers that are there to show a secret: told, and noted in the activity log; what a device stored, byte for byte; a whole backup.
const TELLING: [&str; 5] = ["reveal_password", "read_file", "read_log", "read_backup", "read_resource"];
const FILE: &[u8] =
    b"<a reg.1.auth.password='CANARY_SIP' log.render.file='ftp://u:CANARY_FTP@192.0.2.1/' device.prov.password='CANARY_SIP'/>";

#[test]
fn sec_05_no_answer_shows_a_secret_in_clear() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/devices", Some(device(KEY)));
    for kind in ["groups", "people", "person-groups", "rooms"] {
        api.ok("POST", &format!("/{kind}"), Some(json!({ "name": "Lobby" })));
    }
    assert_eq!(api.send("POST", "/profiles/import?name=Office", FILE).status, 201);
    api.ok("PUT", "/deployment/global", Some(json!({ "profiles": [1], "shown": [] })));
    let phone = Phone::new(&server);
    assert!(phone.get(&format!("/{KEY}-profile.cfg")).text().contains("CANARY_SIP"), "the phone gets them");
    phone.put(&format!("/{KEY}-phone.cfg"), b"<a reg.2.auth.password='CANARY_MENU' up.timeOut='41'/>");
    phone.put(&format!("/{KEY}-app.log"), b"0417110903|sip|4|00|x");
    phone.get(&format!("/{KEY}.cfg"));
    api.ok("PATCH", "/profiles/1", Some(json!({ "revision": 1, "set": { "reg.3.auth.password": "CANARY_SIP" } })));

    let other = json!({ "name": "Old", "parameters": { "reg.1.auth.password": "CANARY_SIP" } });
    let other = api.ok("POST", "/profiles", Some(other))["id"].clone();
    api.ok("DELETE", &format!("/profiles/{other}"), None);
    let deletion = api.ok("GET", "/recycle-bin", None)["items"][0]["id"].to_string();

    let backup = api.ok("POST", "/api/v1/server/backups", None)["name"].as_str().expect("a name").to_owned();

    let [open, _] = super::images(&server, &api);
    api.send("PUT", "/images/1/license?file=key.txt", b"CANARY_SIP");
    assert_eq!(api.send("POST", "/resources?path=words.cfg", b"<a reg.1.auth.password='CANARY_SIP'/>").status, 201);
    let mut looked_at = 0;
    for (method, path, operation) in operations() {
        let name = operation["operationId"].as_str().expect("a name");
        if TELLING.contains(&name) || method != "GET" {
            continue;
        }
        let path = path
            .replace("{container}/{id}", "models/VVX%20411")
            .replace("{account}", "default")
            .replace("{key}", KEY)
            .replace("{other}", KEY)
            .replace("{id}", "1")
            .replace("{deletion}", &deletion)
            .replace("{upload}", &open)
            .replace("parameters/{name}", "parameters/reg.1.address")
            .replace("files/{name}", "files/phone.cfg")
            .replace("{name}", &backup)
            .replace("{number}", "1")
            .replace("{day}", "2026-11-22");
        for file in ["master", "parameters"] {
            // Whose way is to be shown.
            let query = match name {
                "show_coming_up" => format!("?phone={KEY}"),
                "show_parameter_history" => "?name=reg.1.auth.password".to_owned(),
                "compare_versions" => "?from=1&to=1".to_owned(),
                "match_site" => "?seen=192.0.2.7".to_owned(),
                _ => String::new(),
            };
            let answer = api.call(&method, &format!("/api/v1{}{query}", path.replace("{file}", file)), None);
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            let shown = CANARIES.iter().find(|secret| answer.text().contains(**secret));
            assert_eq!(shown, None, "{name}: {}", answer.text());
            looked_at += usize::from(answer.text().contains("••••••••"));
        }
    }
    assert!(looked_at >= 6, "masks must be seen: {looked_at}");

    let answers = [
        api.send("POST", "/profiles/import?name=Other&dry_run=true", FILE),
        api.send("POST", "/profiles/1/import?revision=2&dry_run=true", FILE),
        api.call("POST", "/profiles", Some(json!({ "name": "Third", "parameters": { "a.password": "CANARY_SIP" } }))),
        api.call("POST", "/profiles/1/copy", Some(json!({ "name": "Copy" }))),
        api.send("POST", "/devices/import?dry_run=true", b"mac_address,reg.1.auth.password\n0004f2a11a77,CANARY_SIP\n"),
        api.send("POST", "/devices/import", b"mac_address,reg.1.auth.password\n0004f2a11a77,CANARY_SIP\n"),
        api.call("GET", "/devices/export?values=effective", None),
        api.call("PATCH", "/settings", Some(json!({ "revision": 99, "password": "CANARY_SIP ü" }))),
        api.call("PUT", "/profiles/1", Some(json!({ "name": "a/b", "parameters": { "1a.password": "CANARY_SIP" } }))),
        api.call("POST", "/api/v1/session", Some(json!({ "email": 7, "password": "CANARY_SIP" }))),
        api.call("POST", "/api/v1/session", Some(json!({ "email": "x", "pasword": "CANARY_SIP" }))),
        api.call("PUT", "/api/v1/session/password", Some(json!({ "current": "CANARY_SIP", "password": "CANARY_FTP of length" }))),
    ];
    for answer in answers {
        let shown = CANARIES.iter().find(|secret| answer.text().contains(**secret));
        assert_eq!(shown, None, "{} {}", answer.status, answer.text());
    }
    assert!(api.ok("POST", "/settings/reveal", None)["password"] == PASSWORD, "that is what it is there for");
    let file = api.call("GET", &format!("/devices/{KEY}/files/phone.cfg"), None);
    assert!(file.status == 200 && file.text().contains("CANARY_MENU"), "{}", file.text());
    assert_eq!(api.page(&format!("/admin/devices/{KEY}/files/phone.cfg/download")).body, file.body);
    for (noted, times) in [("downloaded a file of", 2), ("showed the password of", 1)] {
        let query = format!("/activity?q={}", noted.replace(' ', "%20"));
        assert_eq!(api.ok("GET", &query, None)["total"], times, "{noted}");
    }
}
