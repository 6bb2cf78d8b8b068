//! Lines by form from outside: read from any profile, written into the device's own, for one device and for many.

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::browser::{Browser, Site};
use crate::support::server::Server;

const FIRST: &str = "0004f2aabbc1";
const SECOND: &str = "0004f2aabbc2";

fn two_devices(api: &Api) {
    api.ok("POST", "/devices", Some(json!([{ "key": FIRST, "name": "Hall", "model": "VVX 250" }, { "key": SECOND }])));
    let shared =
        json!({ "name": "PBX", "parameters": { "reg.1.server.1.address": "pbx.example", "reg.1.server.1.transport": "TLS" } });
    let id = api.ok("POST", "/profiles", Some(shared))["id"].clone();
    api.ok("PUT", "/deployment/global", Some(json!({ "profiles": [id], "shown": [] })));
}

fn field(lines: &Value, line: usize, field: &str) -> Value {
    lines["lines"][line - 1]["fields"][field].clone()
}

#[test]
fn lines_are_read_from_any_profile_and_written_into_the_devices_own() {
    let server = Server::start();
    let api = Api::owner(&server);
    two_devices(&api);
    let path = format!("/devices/{FIRST}/lines");
    let before = api.ok("GET", &path, None);
    assert_eq!((before["lines"].as_array().map(Vec::len), &before["profile"]), (Some(4), &Value::Null), "a VVX 250 has four");
    assert_eq!(
        field(&before, 1, "server"),
        json!({ "value": "pbx.example", "from": "PBX (Global)", "parameter": "reg.1.server.1.address" })
    );

    let typed = json!({ "revision": 0, "lines": [{ "line": 1, "fields": { "address": "100", "display_name": "Hall", "password": "CANARY_LINE" } }] });
    let tried = api.ok("PUT", &format!("{path}?dry_run=true"), Some(typed.clone()));
    assert_eq!((&tried["made"], &tried["profile_name"]), (&json!(true), &json!("Hall lines")), "{tried}");
    assert!(!tried.to_string().contains("CANARY"), "{tried}");
    assert_eq!(api.ok("GET", &path, None)["profile"], Value::Null, "a dry run changes nothing");
    let saved = api.ok("PUT", &path, Some(typed.clone()));
    assert_eq!(saved["changes"].as_array().map(Vec::len), Some(3), "{saved}");
    assert_eq!(api.refused("PUT", &path, Some(typed)).0, 409, "somebody was faster");

    let after = api.ok("GET", &path, None);
    assert_eq!(field(&after, 1, "address"), json!({ "value": "100", "parameter": "reg.1.address" }));
    assert!(!after.to_string().contains("CANARY"), "{after}");
    assert_eq!(api.ok("GET", &format!("/devices/{FIRST}"), None)["profiles"][0], after["profile"]);
    let effective = api.ok("GET", &format!("/devices/{FIRST}/effective"), None).to_string();
    assert!(effective.contains("reg.1.displayName") && effective.contains("Hall lines"), "{effective}");
    // An empty field is taken out, and what is the same elsewhere is not copied.
    let typed = json!({ "lines": [{ "line": 1, "fields": { "display_name": "", "server": "pbx.example", "port": "5061" } }] });
    let saved = api.ok("PUT", &path, Some(typed));
    let names: Vec<_> = saved["changes"].as_array().into_iter().flatten().map(|change| change["name"].clone()).collect();
    assert_eq!(names, ["reg.1.displayName", "reg.1.server.1.port"]);
    assert_eq!((&saved["made"], &saved["profile"]), (&json!(false), &after["profile"]));
    let wrong = json!({ "lines": [{ "line": 1, "fields": { "port": "70000", "address": "1 2", "transport": "pigeon" } }] });
    let (status, errors) = api.refused("PUT", &path, Some(wrong));
    assert_eq!((status, errors.len()), (422, 3), "{errors:?}");
    assert!(errors.iter().any(|(field, message)| field == "port" && message.starts_with("line 1")), "{errors:?}");
    let unknown = json!({ "lines": [{ "line": 1, "fields": { "colour": "red" } }] });
    assert_eq!(api.refused("PUT", &path, Some(unknown)).0, 422);
}

#[test]
fn a_profile_that_others_carry_is_left_alone() {
    let server = Server::start();
    let api = Api::owner(&server);
    two_devices(&api);
    let shared =
        api.ok("POST", "/profiles", Some(json!({ "name": "Desk", "parameters": { "reg.1.address": "1" } })))["id"].clone();
    for key in [FIRST, SECOND] {
        api.ok("PUT", &format!("/deployment/devices/{key}"), Some(json!({ "profiles": [shared], "shown": [] })));
    }
    let path = format!("/devices/{FIRST}/lines");
    assert_eq!(field(&api.ok("GET", &path, None), 1, "address")["from"], "Desk (this device)");
    let typed = json!({ "lines": [{ "line": 1, "fields": { "address": "100" } }] });
    assert_eq!(api.ok("PUT", &path, Some(typed.clone()))["made"], true);
    let profiles = api.ok("GET", &format!("/devices/{FIRST}"), None)["profiles"].clone();
    assert_eq!((profiles.as_array().map(Vec::len), &profiles[1]), (Some(2), &shared), "its own comes first: {profiles}");
    assert_eq!(field(&api.ok("GET", &format!("/devices/{SECOND}/lines"), None), 1, "address")["value"], "1");
    let both = json!([{ "device": FIRST, "lines": typed["lines"] }, { "device": SECOND, "lines": [{ "line": 1, "fields": { "port": "x" } }] }]);
    assert_eq!(api.refused("PUT", "/devices/lines", Some(both)).0, 422);
    let both = json!([{ "device": FIRST, "lines": [{ "line": 1, "fields": { "address": "7" } }] }, { "device": SECOND, "lines": [{ "line": 2, "fields": { "address": "8" } }] }]);
    let saved = api.ok("PUT", "/devices/lines", Some(both));
    assert_eq!((&saved["devices"][0]["made"], &saved["devices"][1]["made"]), (&json!(false), &json!(true)), "{saved}");
    assert_eq!(field(&api.ok("GET", &format!("/devices/{SECOND}/lines"), None), 2, "address")["value"], "8");
}

#[actix_web::test]
async fn an_admin_types_lines_of_one_device_and_of_many() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    for key in [FIRST, SECOND] {
        browser.get("/admin/devices/add").await;
        let added = browser
            .post(
                "/admin/devices/add",
                &[("key", key), ("name", ""), ("family", ""), ("model", ""), ("private_ip", ""), ("description", "")],
            )
            .await;
        assert!(added.status == 200 || added.status == 303, "{}", added.body);
    }
    let path = format!("/admin/devices/{FIRST}/lines");
    let page = browser.get(&path).await;
    assert!(page.body.contains("Line 6") && page.body.contains("line-1-address"), "{}", page.body);
    let wrong = browser.post(&path, &[("revision", "0"), ("line-1-address", "1 2"), ("secret-line-1-password", "CANARY")]).await;
    assert!(wrong.status == 422 && wrong.body.contains("no blanks are taken here"), "{}", wrong.body);
    assert!(wrong.body.contains("value=\"1 2\"") && !wrong.body.contains("CANARY"), "{}", wrong.body);
    browser.post(&path, &[("revision", "0"), ("line-1-address", "100"), ("secret-line-1-password", "CANARY")]).await;
    let page = browser.get(&path).await;
    assert!(page.body.contains("value=\"100\"") && page.body.contains("Take the password out"), "{}", page.body);
    assert!(page.body.contains(&format!("{FIRST} lines")) && !page.body.contains("CANARY"), "{}", page.body);

    let table = browser.post("/admin/devices/lines", &[("select", FIRST), ("select", SECOND)]).await;
    assert!(table.body.contains("Paste from a spreadsheet") && table.body.contains("value=\"100\""), "{}", table.body);
    let second = format!("{SECOND}-address");
    let first = format!("{FIRST}-address");
    let revision = format!("revision-{FIRST}");
    let cells = |typed: &'static str| {
        [
            ("select", FIRST),
            ("select", SECOND),
            ("line", "1"),
            (revision.as_str(), "1"),
            (first.as_str(), "100"),
            (second.as_str(), typed),
            ("secret-paste", "\tHall\t\tCANARY_PASTED\npasted\tDesk\n"),
        ]
    };
    let wrong = browser.post("/admin/devices/lines/preview", &cells("x")[..]).await;
    let preview = if wrong.status == 303 { browser.get(wrong.header("location")).await } else { wrong };
    assert!(preview.body.contains("2</strong> devices change"), "{}", preview.body);
    assert!(preview.body.contains("pasted") && !preview.body.contains("CANARY"), "{}", preview.body);
    let here = browser.path.clone();
    browser.post(&here, &[("do", "accept")]).await;
    let saved = browser.get(&format!("/admin/devices/{SECOND}/lines")).await;
    assert!(saved.body.contains("value=\"pasted\"") && saved.body.contains("value=\"Desk\""), "{}", saved.body);
}

/// The values of a device's lines with the profiles that say them.
fn said(api: &Api, name: &str) -> (Value, String) {
    let rows = api.ok("GET", &format!("/devices/{FIRST}/effective?q={name}"), None)["rows"].clone();
    let row = rows.as_array().into_iter().flatten().find(|row| row["name"] == name).cloned().unwrap_or_default();
    (row["winner"]["value"].clone(), row["winner"]["source"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn lines_by_form_and_by_csv_do_not_hide_one_another() {
    let server = Server::start();
    let api = Api::owner(&server);
    let import = |file: &str| crate::support::api::json(&api.send("POST", "/devices/import?existing=merge", file.as_bytes()));
    let path = format!("/devices/{FIRST}/lines");
    let type_in = |fields: Value| api.ok("PUT", &path, Some(json!({ "lines": [{ "line": 1, "fields": fields }] })));
    import(&format!("mac_address,endpoint_name,reg.1.address\n{FIRST},LL,1000\n"));
    let saved = type_in(json!({ "address": "2000", "label": "form" }));
    assert_eq!((&saved["profile_name"], &saved["also"]), (&json!("LL lines"), &json!(format!("{FIRST}_csv_profile"))), "{saved}");
    assert_eq!(saved["changes"].as_array().map(Vec::len), Some(2), "{saved}");
    let (value, source) = said(&api, "reg.1.address");
    assert!(value == "2000" && source.contains("_csv_profile"), "what came by CSV is changed there: {source}");
    assert!(said(&api, "reg.1.label").1.contains("LL lines"));
    // The CSV profile stands first (contract 5.1), so the next file counts.
    let later = import(&format!("mac_address,reg.1.address,reg.1.label\n{FIRST},3000,csv\n"));
    assert_eq!(later["hidden"], json!([]), "{later}");
    assert_eq!((said(&api, "reg.1.address").0, said(&api, "reg.1.label").0), (json!("3000"), json!("csv")));
    // Lines once more: no second profile, whatever the first one holds.
    let saved = type_in(json!({ "label": "again", "display_name": "x" }));
    assert_eq!((&saved["made"], &saved["profile_name"]), (&json!(false), &json!("LL lines")), "{saved}");
    assert_eq!(said(&api, "reg.1.label").0, "again");
    assert_eq!(api.ok("GET", "/profiles?q=lines&kind=user-defined", None)["total"], 1);
    // A profile that several devices share and that would hide a line goes below the device's own, and that is told.
    let shared = api.ok("POST", "/profiles", Some(json!({ "name": "Shared", "parameters": { "reg.1.displayName": "shared" } })))
        ["id"]
        .clone();
    let shown = api.ok("GET", &format!("/devices/{FIRST}"), None)["profiles"].clone();
    let with = json!([shared, shown[0], shown[1]]);
    api.ok("POST", "/devices", Some(json!({ "key": SECOND, "profiles": [shared] })));
    api.ok("PUT", &format!("/deployment/devices/{FIRST}"), Some(json!({ "profiles": with, "shown": shown })));
    let saved = type_in(json!({ "display_name": "own" }));
    assert_eq!((&saved["made"], &saved["above"]), (&json!(false), &json!("Shared")), "{saved}");
    assert_eq!(said(&api, "reg.1.displayName").0, "own");
    // Where a profile stands above the CSV profile, a file tells what it cannot do.
    let tried = import(&format!("mac_address,reg.1.displayName\n{FIRST},csv\n"));
    let hidden = &tried["hidden"][0];
    assert_eq!(
        (&hidden["name"], &hidden["profile"], &hidden["rows"]),
        (&json!("reg.1.displayName"), &json!("LL lines"), &json!(1)),
        "{tried}"
    );
    assert!(hidden["message"].as_str().unwrap_or_default().contains("hidden by profile “LL lines”"), "{hidden}");
}

#[test]
fn a_device_takes_the_profile_of_its_lines_along_and_brings_it_back() {
    let server = Server::start();
    let api = Api::owner(&server);
    two_devices(&api);
    for (key, address) in [(FIRST, "100"), (SECOND, "101")] {
        let typed = json!({ "lines": [{ "line": 1, "fields": { "address": address } }] });
        api.ok("PUT", &format!("/devices/{key}/lines"), Some(typed));
    }
    let names = || api.ok("GET", "/profiles?q=lines&kind=user-defined&sort=name", None)["total"].clone();
    assert_eq!(names(), 2);
    let told = api.ok("DELETE", &format!("/devices/{FIRST}?removal=forget&dry_run=true"), None);
    assert_eq!((&told["lines_profile"], &told["detached_profiles"]), (&json!("Hall lines"), &json!([])), "{told}");
    api.ok("DELETE", &format!("/devices/{FIRST}?removal=forget"), None);
    assert_eq!(names(), 1, "its own goes with it");
    let bin = api.ok("GET", "/recycle-bin", None);
    api.ok("POST", "/recycle-bin/restore", Some(json!({ "deletions": [{ "id": bin["items"][0]["id"] }] })));
    assert_eq!(names(), 2);
    assert_eq!(field(&api.ok("GET", &format!("/devices/{FIRST}/lines"), None), 1, "address")["value"], "100");
    // One that somebody attached elsewhere too stays.
    let own = api.ok("GET", &format!("/devices/{SECOND}/lines"), None)["profile"].clone();
    let shown: Vec<Value> = api.ok("GET", "/deployment/global", None)["profiles"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["id"].clone())
        .collect();
    let with: Vec<Value> = shown.iter().cloned().chain([own]).collect();
    api.ok("PUT", "/deployment/global", Some(json!({ "profiles": with, "shown": shown })));
    let gone = api.ok("DELETE", &format!("/devices/{SECOND}?removal=forget"), None);
    assert_eq!((&gone["lines_profile"], names()), (&Value::Null, json!(2)), "{gone}");
}
