//! The server's address and certificate, a device's files, and the caller's own password: what only pages could do before.

use serde_json::{Value, json};

use super::{KEY, device, profile};
use crate::support::api::{Api, json as body};
use crate::support::phone::Phone;
use crate::support::server::{OWNER_EMAIL, OWNER_PASSWORD, Server};

#[test]
fn the_public_name_is_changed_and_phones_are_told() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/devices", Some(device(KEY)));
    let before = api.ok("GET", "/api/v1/server", None);
    assert_eq!((&before["public_name"], &before["fixed"]), (&json!("localhost"), &json!(false)));
    let change = json!({ "revision": before["revision"], "public_name": "PDMS.example.test" });
    let wrong = json!({ "revision": before["revision"], "public_name": "a b" });
    assert_eq!(api.refused("PATCH", "/api/v1/server", Some(wrong)).1[0].0, "public_name");
    let tried = api.ok("PATCH", "/api/v1/server?dry_run=true", Some(change.clone()));
    assert_eq!(api.ok("GET", "/api/v1/server", None), before, "it was only tried out");
    let after = api.ok("PATCH", "/api/v1/server", Some(change.clone()));
    for part in ["public_name", "url", "other_urls", "revision"] {
        assert_eq!(tried[part], after[part], "a dry run tells what comes: {part}");
    }
    assert_eq!(tried["certificate"]["names"], after["certificate"]["names"]);
    let url = format!("https://pdms.example.test:{}/", server.address.port());
    assert_eq!((&after["public_name"], &after["url"]), (&json!("pdms.example.test"), &json!(url)));
    assert!(after["certificate"]["names"].as_array().expect("names").contains(&json!("pdms.example.test")), "{after}");
    assert_eq!(api.refused("PATCH", "/api/v1/server", Some(change)).0, 409, "somebody was faster");
    let again = json!({ "revision": after["revision"], "public_name": "192.0.2.9" });
    let later = api.ok("PATCH", "/api/v1/server", Some(again));
    assert!(later["other_urls"].as_array().expect("addresses").contains(&json!(url)), "{later}");
    let url = later["url"].as_str().expect("an address");
    let file = Phone::new(&server).get(&format!("/{KEY}-profile.cfg")).text();
    assert!(file.contains(url), "{file}");

    let ca = api.call("GET", "/api/v1/server/ca.pem", None);
    assert!(ca.text().starts_with("-----BEGIN CERTIFICATE-----"), "{}", ca.text());
    assert!(ca.header("content-disposition").is_some_and(|d| d.starts_with("attachment")));
    assert!(after["authority"]["fingerprint"].as_str().is_some_and(|pairs| pairs.len() == 95), "{after}");
}

#[test]
fn the_files_of_a_device_are_shown_with_their_secrets_masked() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/devices", Some(device(KEY)));
    let id = profile(&api, "Office", json!({ "reg.1.auth.password": "CANARY", "up.timeOut": "40" }));
    api.ok("PUT", "/deployment/global", Some(json!({ "profiles": [id], "shown": [] })));
    let phone = Phone::new(&server);
    let master = api.call("GET", &format!("/devices/{KEY}/effective/master"), None);
    assert_eq!(master.body, phone.get(&format!("/{KEY}.cfg")).body);
    let shown = api.call("GET", &format!("/devices/{KEY}/effective/parameters"), None).text();
    let served = phone.get(&format!("/{KEY}-profile.cfg")).text();
    assert!(served.contains("CANARY") && !shown.contains("CANARY") && shown.contains("reg.1.auth.password=\"••••••••\""));
    assert_eq!(shown.lines().count(), served.lines().count());
    assert_eq!(api.refused("GET", &format!("/devices/{KEY}/effective/other"), None).0, 404);
    assert_eq!(api.refused("GET", "/devices/0004f2999999/effective/master", None).0, 404);
}

#[test]
fn a_program_changes_its_own_password() {
    let server = Server::start();
    let (api, other) = (Api::owner(&server), Api::owner(&server));
    let change = |current: &str, new: &str| json!({ "current": current, "password": new });
    let path = "/api/v1/session/password";
    assert_eq!(api.refused("PUT", path, Some(change("wrong", "quite another sentence"))).1[0].0, "current");
    assert_eq!(api.refused("PUT", path, Some(change(OWNER_PASSWORD, "short"))).1[0].0, "password");
    let changed = api.call("PUT", path, Some(change(OWNER_PASSWORD, "quite another sentence")));
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(other.refused("GET", "/devices", None).0, 401, "every session ends");

    let cookie = changed.header("set-cookie").and_then(|line| line.split(';').next()).expect("a new session").to_owned();
    let token = body(&changed)["csrf_token"].as_str().expect("a token").to_owned();
    let api = Api::stranger(&server).with("Cookie", &cookie).with("X-CSRF-Token", &token);
    api.ok("POST", "/devices", Some(device(KEY)));
    let sign_in = |password: &str| {
        Api::stranger(&server).call("POST", "/api/v1/session", Some(json!({ "email": OWNER_EMAIL, "password": password }))).status
    };
    assert_eq!((sign_in(OWNER_PASSWORD), sign_in("quite another sentence")), (401, 200));
}

#[test]
fn what_takes_how_much_of_the_disk_is_told_by_kind() {
    let server = Server::start();
    let api = Api::owner(&server);
    let before = api.ok("GET", "/api/v1/server/storage", None);
    let kind = |storage: &Value, word: &str| {
        let kinds = storage["kinds"].as_array().expect("a list");
        kinds.iter().find(|one| one["kind"] == word).cloned().unwrap_or_else(|| panic!("{word} is missing in {storage}"))
    };
    assert!(kind(&before, "database")["bytes"].as_u64() > Some(0), "{before}");
    assert_eq!(kind(&before, "backups")["files"], json!(0));
    assert!(before["free_bytes"].as_u64() <= before["total_bytes"].as_u64() && before["reserve_bytes"].as_u64() > Some(0));
    let made = api.ok("POST", "/api/v1/server/backups", None);
    let after = api.ok("GET", "/api/v1/server/storage", None);
    assert_eq!(kind(&after, "backups"), json!({ "kind": "backups", "files": 1, "bytes": made["size_bytes"] }));
}

#[test]
fn backups_are_planned_made_verified_and_handed_out() {
    let server = Server::start();
    let api = Api::owner(&server);
    let plan = api.ok("GET", "/api/v1/server/backup-plan", None);
    assert_eq!((&plan["every"], &plan["encrypted"]), (&json!("never"), &json!(false)));
    let mut new =
        json!({ "revision": plan["revision"], "every": "week", "hour": 3, "keep": 2, "folder": null, "encrypted": true });
    assert_eq!(api.refused("PUT", "/api/v1/server/backup-plan", Some(new.clone())).1[0].0, "passphrase");
    new["passphrase"] = json!("CANARY passphrase of tests");
    let tried = api.ok("PUT", "/api/v1/server/backup-plan?dry_run=true", Some(new.clone()));
    assert_eq!((&tried["every"], &tried["hour"]), (&json!("week"), &json!(3)));
    assert_eq!(api.ok("GET", "/api/v1/server/backup-plan", None), plan, "a dry run changes nothing");
    let saved = api.call("PUT", "/api/v1/server/backup-plan", Some(new.clone()));
    assert!(!saved.text().contains("CANARY"), "{}", saved.text());
    assert_eq!(api.refused("PUT", "/api/v1/server/backup-plan", Some(new)).0, 409, "somebody was faster");
    let made = api.ok("POST", "/api/v1/server/backups", None);
    let name = made["name"].as_str().expect("a name").to_owned();
    assert_eq!(api.ok("GET", "/api/v1/server/backups", None)["items"], json!([made]));
    let file = api.call("GET", &format!("/api/v1/server/backups/{name}"), None);
    assert_eq!(file.body.len() as u64, made["size_bytes"].as_u64().expect("a size"));
    let verified = api.ok("GET", &format!("/api/v1/server/backups/{name}/verified"), None);
    assert_eq!((&verified["public_name"], &verified["devices"]), (&json!("localhost"), &json!(0)));
    assert_eq!(api.ok("DELETE", &format!("/api/v1/server/backups/{name}"), None), made);
    assert_eq!(api.refused("GET", &format!("/api/v1/server/backups/{name}"), None).0, 404);
}

#[test]
fn a_folder_of_backups_that_is_gone_is_told_with_its_cause() {
    let server = Server::start();
    let api = Api::owner(&server);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let folder = elsewhere.path().join("backups");
    std::fs::create_dir(&folder).expect("made");
    let folder = folder.display().to_string();
    let plan = json!({ "revision": 0, "every": "day", "hour": 3, "keep": 2, "folder": folder, "encrypted": false });
    api.ok("PUT", "/api/v1/server/backup-plan", Some(plan));
    std::fs::remove_dir_all(&folder).expect("removed");
    let told = api.ok("GET", "/api/v1/server/warnings", None)["items"].to_string();
    assert!(told.contains("The folder of backups cannot be used") && told.contains(&folder), "{told}");
    for (method, path) in [("POST", "/api/v1/server/backups"), ("GET", "/api/v1/server/backups")] {
        let refused = api.call(method, path, None);
        let (status, detail) = (refused.status, refused.text());
        assert_eq!(status, 409, "{detail}");
        assert!(detail.contains(&folder) && detail.contains("No such file"), "{detail}");
    }
}

#[test]
fn a_week_of_the_activity_log_is_one_file_whichever_day_is_asked_for() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/devices", Some(device(KEY)));
    let week = |day: &str, format: &str| api.call("GET", &format!("/activity/weeks/{day}?format={format}"), None);
    for format in ["csv", "json"] {
        let sunday = week("2026-11-22", format);
        assert!(sunday.header("content-disposition").is_some_and(|name| name.contains(&format!("2026-W47.{format}"))));
        assert!(sunday.text().contains(KEY) && sunday.text().contains("2026-11-22T13:00:00.000000+01:00"), "{}", sunday.text());
        assert_eq!(week("2026-11-16", format).body, sunday.body);
        assert!(!week("2026-11-23", format).text().contains(KEY));
    }
    assert_eq!(api.refused("GET", "/activity/weeks/2026-11-22?format=xml", None).1[0].0, "format");
    assert_eq!(api.refused("GET", "/activity/weeks/yesterday", None).0, 404);
}

#[test]
fn another_ca_takes_the_place_of_the_one_that_phones_know() {
    let server = Server::start();
    let api = Api::owner(&server);
    let path = "/api/v1/server/ca-rollover";
    let step = |step: &str, known: bool| Some(json!({ "step": step, "known": known }));
    let phone = Phone::new(&server);
    api.ok("POST", "/devices", Some(device(KEY)));
    let before = api.ok("GET", path, None);
    assert_eq!((&before["stage"], &before["place"], &before["next"]), (&json!("none"), &json!(1), &json!(null)));
    assert_eq!(api.refused("POST", path, step("start", false)).0, 409, "what lies in the place is asked for");
    assert_eq!(api.refused("POST", path, step("switch", true)).0, 409);
    let mut tried = api.ok("POST", &format!("{path}?dry_run=true"), step("start", true));
    assert_eq!((&tried["stage"], &tried["started_by"], &tried["next"]), (&json!("giving"), &json!("Ada"), &json!(null)));
    assert_eq!(api.ok("GET", path, None), before, "only tried out");
    let started = api.ok("POST", path, step("start", true));
    for later in ["next", "started_at"] {
        tried[later] = started[later].clone();
    }
    assert_eq!(tried, started, "as it was said to be");
    assert_eq!((&started["stage"], &started["waits"]), (&json!("giving"), &json!([])), "it never came");
    assert_eq!(api.refused("POST", path, step("start", true)).0, 409);

    let file = phone.get(&format!("/{KEY}-profile.cfg")).text();
    assert!(file.contains("customCaCert1=") && file.contains("customCaCert2=") && file.contains("caCertList2=\"All\""), "{file}");
    let waiting = api.ok("GET", path, None);
    assert_eq!((&waiting["waits"][0]["key"], &waiting["waits"][0]["why"]), (&json!(KEY), &json!("not-fetched")));
    assert_eq!(waiting["waits"].as_array().map(Vec::len), Some(1));
    let warnings = api.ok("GET", "/api/v1/server/warnings", None).to_string();
    assert!(warnings.contains("waits for 1 device that has not fetched both CAs"), "{warnings}");
    assert_eq!(api.refused("POST", path, step("switch", false)).0, 409, "it would be lost");
    let fingerprint = |shown: &serde_json::Value| shown["fingerprint"].clone();
    let signing = |api: &Api| fingerprint(&api.ok("GET", "/api/v1/server", None)["authority"]);
    assert_eq!(signing(&api), fingerprint(&waiting["known"]));
    let tried = api.ok("POST", &format!("{path}?dry_run=true"), step("switch", true));
    assert_eq!((&tried["stage"], signing(&api)), (&json!("moving"), fingerprint(&waiting["known"])), "only tried out");
    let moving = api.ok("POST", path, step("switch", true));
    assert_eq!((&moving["stage"], &moving["waits"][0]["why"]), (&json!("moving"), &json!("not-come")));
    assert_eq!(signing(&api), fingerprint(&waiting["next"]));
    assert_eq!(api.refused("POST", path, step("cancel", true)).0, 409, "too late");
    let ended = api.ok("POST", path, step("end", true));
    assert_eq!((&ended["stage"], fingerprint(&ended["known"])), (&json!("none"), fingerprint(&waiting["next"])));
    let log = api.ok("GET", "/activity", None).to_string();
    for done in ["started", "switched to the new CA", "ended"] {
        assert!(log.contains(done), "{done}: {log}");
    }
    assert!(log.contains(KEY), "who was not ready is told");
}
