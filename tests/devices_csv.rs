//! Devices by CSV from outside (R265–R285, PRS-08, SEC-05, U18): the guide's examples, preview, what becomes of devices that are there,
//! the import log, masked exports, and the way to an empty server.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use jiff::SignedDuration;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use serde_json::{Value, json};

use crate::support::api::{Api, json as parsed, problem};
use crate::support::browser::{Answer, Browser, OWNER_PASSWORD, Site};
use crate::support::phone::Phone;
use crate::support::server::Server;

/// The guide's examples, as they are printed: lines broken in the middle, blanks behind separators (R273).
const TWO_LINES: &str = "\
mac_address, endpoint_name, endpoint_group, reg.1.address, reg.
1.displayname, reg.1.auth.userId, reg.1.auth.password, reg.2.address, reg.
2.displayname, reg.2.auth.userId, reg.2.auth.password,
0004F23EA4E1, SoundPoint-EA4E1, EPGroup1|EPGroup2, 1000, Jon Smith, 1000,
1000, 1001, Jon Smith1, 1001, 1001
";
const ONE_LINE: &str = "mac_address,reg.1.address\n0004F24FD08E, 1001\n";
const NO_LINE: &str = "mac_address, device.hostname\n0004F23EA4E1, SoundPointA4E1\n0004F24FD08E, SoundPointD08E\n";
const STUDIO: &str = "\
mac_address, serial_number, endpoint_type, endpoint_name, endpoint_group
00E0DB4C20CC, 8218404c20ccf9, Polycom Studio, Jsmith_Studio, EPGroup1|
EPGroup2
";

async fn upload(browser: &mut Browser, fields: &[(&str, &str)], file: &str) -> Answer {
    let token = browser.token().await;
    let field =
        |(name, value): &(&str, &str)| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let fields: String = [("csrf", token.as_str())].iter().chain(fields).map(field).collect();
    let body = format!(
        "{fields}--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"devices.csv\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n--b--\r\n"
    );
    let request = TestRequest::post().insert_header(("content-type", "multipart/form-data; boundary=b")).set_payload(body);
    let answer = browser.send(request, "/admin/devices/import").await;
    let next = answer.header("location").to_owned();
    if next.is_empty() { answer } else { browser.get(&next).await }
}

fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let begin = format!("name=\"{name}\" value=\"");
    page.split(&begin).nth(1).and_then(|rest| rest.split('"').next()).expect("a field")
}

#[test]
fn the_guides_four_examples_are_taken_as_they_are_printed() {
    let server = Server::start();
    let api = Api::owner(&server);
    let send = |file: &str, query: &str| parsed(&api.send("POST", &format!("/devices/import{query}"), file.as_bytes()));
    let refused = send(TWO_LINES, "");
    assert_eq!((&refused["added"], &refused["refused"]), (&json!(0), &json!(1)), "the groups are not there: {refused}");
    assert_eq!(refused["items"][0]["errors"][0]["column"], "endpoint_group");
    api.ok("POST", "/groups", Some(json!([{ "name": "EPGroup1" }, { "name": "EPGroup2" }])));
    assert_eq!(send(TWO_LINES, "")["added"], 1);
    assert_eq!(send(ONE_LINE, "?separator=comma")["added"], 1);
    let tried = send(NO_LINE, "?existing=merge&dry_run=true");
    assert_eq!((&tried["changed"], &tried["impact"]["changed"]), (&json!(2), &json!(2)), "{tried}");
    assert_eq!(send(NO_LINE, "?existing=merge")["changed"], 2);
    assert_eq!(send(STUDIO, "")["added"], 1);
    let device = api.ok("GET", "/devices/0004f23ea4e1", None);
    assert_eq!(device["name"], "SoundPoint-EA4E1");
    let phone = Phone::new(&server);
    let file = phone.get("/0004f23ea4e1-profile.cfg").text();
    for part in [
        "reg.1.displayName=\"Jon Smith\"",
        "reg.2.auth.password=\"1001\"",
        "device.hostname=\"SoundPointA4E1\"",
        "device.hostname.set=\"1\"",
    ] {
        assert!(file.contains(part), "{part}: {file}");
    }
    let profiles = api.ok("GET", "/profiles?kind=user-imported", None);
    assert_eq!((&profiles["total"], &profiles["items"][0]["name"]), (&json!(2), &json!("0004f23ea4e1_csv_profile")));
    let bar = api.ok("GET", "/devices/8218404c20ccf9", None);
    assert_eq!((&bar["family"], &bar["sent_name"]), (&json!("Studio"), &json!("Jsmith_Studio")));
    let id = profiles["items"][0]["id"].clone();
    let (status, fields) = api.refused("PUT", "/deployment/global", Some(json!({ "profiles": [id], "shown": [] })));
    assert!(status == 422 && fields[0].1.contains("belongs to its device alone"), "{fields:?}");
    let gone = api.ok("DELETE", "/devices/0004f23ea4e1?removal=forget", None);
    assert_eq!(gone["own_profile"], "0004f23ea4e1_csv_profile");
    assert_eq!(api.ok("GET", "/profiles?kind=user-imported", None)["total"], 1);
}

#[test]
fn a_fault_of_the_file_changes_nothing_and_bad_rows_are_told() {
    let server = Server::start();
    let api = Api::owner(&server);
    for (file, told) in [
        (&b"mac_address;a.b,c.d\n0004f2000001;1,2\n"[..], "line 1: the header uses semicolon and comma"),
        (b"name\nx\n", "neither a column mac_address nor serial_number"),
        (b"mac_address,endpoint_grp\n0004f2000001,x\n", "there is no column endpoint_grp"),
        (b"\n", "begins with an empty line"),
    ] {
        let (status, fields) = problem(&api.send("POST", "/devices/import", file));
        assert!(status == 422 && fields[0].0 == "file" && fields[0].1.contains(told), "{fields:?}");
    }
    let (status, fields) = problem(&api.send("POST", "/devices/import?existing=replace&separator=pipe", b"mac_address\n"));
    assert_eq!((status, fields.len()), (422, 2), "{fields:?}");
    let file = "mac_address,a.b\r0004f2000001,\"one\rtwo\"\rnope,1\r0004f2000001,2\r";
    let (status, fields) = problem(&api.send("POST", "/devices/import?bad_rows=refuse", file.as_bytes()));
    assert_eq!((status, fields.len()), (422, 2), "{fields:?}");
    assert_eq!(api.ok("GET", "/devices", None)["total"], 0);
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(file.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let tried = parsed(&api.send("POST", "/devices/import?dry_run=true", &utf16));
    assert_eq!((&tried["added"], &tried["refused"]), (&json!(1), &json!(2)), "{tried}");
    assert_eq!(tried["items"][0]["changes"][0]["new"], "one\rtwo");
    assert_eq!(tried["items"][1]["line"], 3);
    assert_eq!(api.ok("GET", "/devices", None)["total"], 0);
    let taken = parsed(&api.send("POST", "/devices/import", &utf16));
    assert_eq!((&taken["added"], &taken["refused"]), (&tried["added"], &tried["refused"]));
}

#[actix_web::test]
async fn u18_a_file_is_shown_row_by_row_and_taken_in_one_change() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let devices = || site.services.roster(DEFAULT_ACCOUNT).len();
    let good: String = (0..60).map(|at| format!("0004f2{at:06x},Desk {at},Sales,{at},40\n")).collect();
    let file =
        format!("mac_address,endpoint_name,endpoint_group,reg.1.address,up.timeOut\n{good}0004f2000000,,,,\nnope,<b>x</b>,,,\n");
    let shown = upload(&mut browser, &[("existing", "skip"), ("separator", "")], &file).await;
    assert!(shown.body.contains("0 added") && shown.body.contains("62 refused"), "{}", shown.body);
    assert!(shown.body.contains("there is no device group “Sales”") && !shown.body.contains("value=\"accept\""));
    assert!(!shown.body.contains("<b>x"), "nothing of a file is markup");
    let here = browser.path.split('?').next().expect("a path").to_owned();
    let shown = browser.get(&format!("{here}?existing=skip&groups=create")).await;
    for part in
        ["60 added", "2 refused", "Import 60 devices, leave out 2 rows", "The device group Sales is made.", "in all 60 rows"]
    {
        assert!(shown.body.contains(part), "{part}: {}", shown.body);
    }
    assert!(shown.body.len() < 500_000 && shown.body.contains("Page 2") && devices() == 0);
    let bad = browser.get(&format!("{here}?groups=create&only=refused")).await;
    assert!(
        bad.body.contains("stands in line 2 already") && bad.body.contains("mac_address: a MAC address has 12"),
        "{}",
        bad.body
    );
    let log = browser.get(&format!("{here}/log?groups=create")).await;
    assert!(log.header("content-disposition").contains("devices-import.log"), "{:?}", log.headers);
    assert!(log.body.contains("line 63\tnope\t<b>x</b>\trefused\tmac_address: "), "{}", log.body);
    let mark = hidden(&shown.body, "mark").to_owned();
    let stale = browser.post(&here, &[("do", "accept"), ("mark", "another"), ("groups", "create")]).await;
    assert!(stale.body.contains("Somebody changed something meanwhile") && devices() == 0, "{}", stale.body);
    let done = browser.post(&here, &[("do", "accept"), ("mark", &mark), ("existing", "skip"), ("groups", "create")]).await;
    assert!(done.body.contains("Imported devices.csv: 60 devices added, 2 rows left out."), "{}", done.body);
    assert_eq!(devices(), 60);
    let list = browser.get("/admin/devices?q=desk+59").await;
    assert!(list.body.contains("Import Devices") && list.body.contains("/admin/devices/export?q=desk+59"), "{}", list.body);
    let again = browser.post(&here, &[("do", "accept"), ("mark", &mark)]).await;
    assert!(again.body.contains("Import Devices Result") && devices() == 60, "{}", again.body);
    let log = browser.get(&format!("{here}/log")).await;
    assert!(log.body.contains(", Ada\r\nImported devices.csv: 60 devices added, 2 rows left out."), "{}", log.body);
    assert!(log.body.contains("line 63\tnope\t<b>x</b>\trefused\tmac_address: "), "{}", log.body);
    let refused = browser.get(&format!("{here}?only=refused")).await;
    assert!(refused.body.contains("mac_address: a MAC address has 12") && !refused.body.contains("Desk 1"), "{}", refused.body);
    let refused = upload(&mut browser, &[("existing", "merge"), ("separator", "tab")], "mac_address;a.b\n").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("semicolon as separator, not tab") && refused.body.contains("value=\"merge\" checked"));
}

#[actix_web::test]
async fn sec_05_an_export_holds_what_is_filtered_and_its_secrets_only_when_asked_for() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let file = "mac_address,endpoint_name,reg.1.auth.password,a.b\n0004f2000001,One,CANARY_1,=1+1\n0004f2000002,Two,CANARY_2,x\n";
    let shown = upload(&mut browser, &[], file).await;
    assert!(!shown.body.contains("CANARY"), "{}", shown.body);
    let (here, mark) = (browser.path.split('?').next().expect("a path").to_owned(), hidden(&shown.body, "mark").to_owned());
    browser.post(&here, &[("do", "accept"), ("mark", &mark)]).await;
    let asked = browser.get("/admin/devices/export?q=two&sort=-key").await;
    assert!(asked.body.contains("The 1 of 2 devices") && asked.body.contains("name=\"q\" value=\"two\""), "{}", asked.body);
    let masked = browser.get("/admin/devices/export/file?q=two&separator=semicolon&mark=yes").await;
    assert!(
        masked.body.starts_with("\u{feff}mac_address;serial_number;endpoint_name;endpoint_type;endpoint_group;reg.1.address;")
    );
    assert!(masked.body.contains("0004f2000002;;Two;;") && !masked.body.contains("0004f2000001"), "{}", masked.body);
    assert!(!masked.body.contains("CANARY") && masked.header("content-type").starts_with("text/csv"));
    let merged = upload(&mut browser, &[("existing", "overwrite")], &masked.body).await;
    assert!(merged.body.contains("1 unchanged"), "masks are no values: {}", merged.body);

    let question = browser.get("/admin/devices/export/file?separator=tab&secrets=yes").await;
    assert!(question.body.contains("2 devices in clear") && !question.body.contains("CANARY"), "{}", question.body);
    site.advance(SignedDuration::from_mins(10));
    browser.get("/admin/devices/export").await;
    let confirm = browser.post("/admin/devices/export", &[("separator", "tab")]).await;
    assert!(confirm.body.contains("Confirm that it is you") && !confirm.body.contains("CANARY"), "{}", confirm.body);
    browser.get("/admin/devices/export").await;
    let told = browser.post("/admin/devices/export", &[("separator", "tab"), ("confirm_password", OWNER_PASSWORD)]).await;
    assert!(told.body.contains("CANARY_1") && told.body.contains("\t'=1+1"), "{}", told.body);
    assert!(browser.get("/admin/activity").await.body.contains("exported with secrets"));
    let template = browser.get("/admin/devices/import/template").await;
    assert!(template.body.lines().count() == 1 && template.body.contains("reg.5.auth.password"), "{}", template.body);
}

/// Everything that profiles say for a device, with the container that says it. Numbers of profiles and places are each server's own.
fn effective(api: &Api, key: &str) -> Vec<Value> {
    let rows = api.ok("GET", &format!("/devices/{key}/effective"), None)["rows"].clone();
    let said = |row: &Value| {
        let winner = &row["winner"];
        (!winner["profile"].is_null())
            .then(|| json!([row["name"], winner["source"], winner["container"], winner["value"], winner["set"]]))
    };
    rows.as_array().expect("rows").iter().filter_map(said).collect()
}

#[test]
fn an_export_gives_every_device_of_an_empty_server_the_same_effective_configuration() {
    let (full, empty) = (Server::start(), Server::start());
    let (api, other) = (Api::owner(&full), Api::owner(&empty));
    let site = json!({ "name": "Berlin", "networks": [{ "public": "192.0.2.0/24" }] });
    api.ok("POST", "/sites", Some(site));
    let names = ["Everywhere", "Berlin", "Sales", "Lab", "VVX 411"];
    let profiles: Vec<Value> = names
        .iter()
        .map(|name| json!({ "name": format!("of {name}"), "parameters": { "a.shared": name, format!("a.{}", name.len()): "1", "reg.1.auth.password": "CANARY" } }))
        .collect();
    api.ok("POST", "/groups", Some(json!([{ "name": "Lab" }, { "name": "Sales" }])));
    let made = api.ok("POST", "/profiles", Some(json!(profiles)));
    let id = |api: &Api, path: &str, name: &str| {
        let list = api.ok("GET", &format!("{path}?per_page=1000"), None);
        list["items"]
            .as_array()
            .expect("items")
            .iter()
            .find(|one| one["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {list}"))["id"]
            .clone()
    };
    let deploy = |api: &Api| {
        let places = [
            ("global".to_owned(), "Everywhere"),
            (format!("sites/{}", id(api, "/sites", "Berlin")), "Berlin"),
            (format!("groups/{}", id(api, "/groups", "Sales")), "Sales"),
            (format!("groups/{}", id(api, "/groups", "Lab")), "Lab"),
            ("models/VVX%20411".to_owned(), "VVX 411"),
        ];
        for (place, name) in places {
            let profile = id(api, "/profiles", &format!("of {name}"));
            api.ok("PUT", &format!("/deployment/{place}"), Some(json!({ "profiles": [profile], "shown": [] })));
        }
    };
    assert!(made.is_array());
    deploy(&api);
    let devices = "mac_address;serial_number;endpoint_type;endpoint_name;endpoint_group;endpoint_model;endpoint_site;reg.1.address;reg.1.auth.password;a.own\n\
        0004f2000001;;;Reception;Sales|Lab;;Berlin;100;CANARY_1;=x\n\
        0004f2000002;;VVX;;Lab|Sales;VVX 411;;101;;\" y \"\n\
        0004f2000003;;;;;;;;;\n\
        ;8218404c20ccf9;Studio;Hall;Lab;;Berlin;;;\"a\nb;c\"\n";
    assert_eq!(parsed(&api.send("POST", "/devices/import", devices.as_bytes()))["added"], 4);

    let sites = api.call("GET", "/sites/export", None);
    other.send("POST", "/sites/import", &sites.body);
    other.ok("POST", "/profiles", Some(json!(profiles)));
    let file = api.ok("POST", "/devices/export?place=true", None)["file"].as_str().expect("told").to_owned();
    let imported = parsed(&other.send("POST", "/devices/import?create_groups=true", file.as_bytes()));
    assert_eq!((&imported["added"], &imported["refused"]), (&json!(4), &json!(0)), "{imported}");
    deploy(&other);
    for key in ["0004f2000001", "0004f2000002", "0004f2000003", "8218404c20ccf9"] {
        let (here, there) =
            (api.call("GET", &format!("/devices/{key}"), None), other.call("GET", &format!("/devices/{key}"), None));
        let told = |answer: &crate::support::phone::Response| {
            let device = parsed(answer);
            json!([device["name"], device["sent_name"], device["family"], device["model"]])
        };
        assert_eq!(told(&there), told(&here), "{key}");
        let rows = effective(&api, key);
        assert!(rows.len() >= 2, "{key}: {rows:?}");
        assert_eq!(effective(&other, key), rows, "{key}");
    }
    let unedited = |existing: &str| {
        parsed(&other.send("POST", &format!("/devices/import?dry_run=true&existing={existing}"), file.as_bytes()))
    };
    for existing in ["merge", "overwrite"] {
        let tried = unedited(existing);
        assert_eq!((&tried["changed"], &tried["unchanged"]), (&json!(0), &json!(4)), "secrets that are the same: {tried}");
        assert_eq!((&tried["impact"]["changed"], &tried["secrets_compared"]), (&json!(0), &json!(true)), "{tried}");
    }
    empty.advance(11 * 60);
    let tried = unedited("merge");
    assert_eq!((&tried["changed"], &tried["secrets_compared"]), (&json!(1), &json!(false)), "not confirmed any more: {tried}");
    other.ok("POST", "/api/v1/session/confirmation", Some(json!({ "password": OWNER_PASSWORD })));
    let again = api.ok("POST", "/devices/export?place=true", None)["file"].clone();
    assert_eq!(other.ok("POST", "/devices/export?place=true", None)["file"], again, "and the other server exports the same");
}

const SERIAL: &str = "8218404c20ccf9";
const ITS_MAC: &str = "00e0db4c20cc";

#[test]
fn a_device_that_goes_by_its_serial_number_keeps_its_mac_and_is_served_as_itself_by_either() {
    let server = Server::start();
    let api = Api::owner(&server);
    let send = |file: &str, query: &str| parsed(&api.send("POST", &format!("/devices/import{query}"), file.as_bytes()));
    assert_eq!(send(STUDIO, "?create_groups=true")["added"], 1);
    let found = api.ok("GET", &format!("/devices?q={ITS_MAC}"), None);
    assert_eq!((&found["total"], &found["items"][0]["mac"]), (&json!(1), &json!(ITS_MAC)), "{found}");
    let file = api.call("GET", "/devices/export", None).text();
    assert!(file.contains(&format!("{ITS_MAC},{SERIAL},")), "{file}");
    assert_eq!(send(&file, "?existing=merge")["unchanged"], 1, "it imports to the same");

    let other = "mac_address,serial_number,endpoint_type\n00E0DB4C20CC,8218404c20ccf8,Studio\n";
    let phone = "mac_address\n00E0DB4C20CC\n";
    let twice =
        "mac_address,serial_number,endpoint_type\n00E0DB4C20CD,8218404c20ccf7,Studio\n00E0DB4C20CD,8218404c20ccf6,Studio\n";
    for (file, refused) in [(other, 1), (phone, 1), (twice, 1)] {
        let tried = send(file, "?dry_run=true");
        let error = tried["items"].as_array().into_iter().flatten().find_map(|row| row["errors"][0]["column"].as_str());
        assert_eq!((&tried["refused"], error), (&json!(refused), Some("mac_address")), "{tried}");
    }
    assert_eq!(api.refused("POST", "/devices", Some(json!({ "key": ITS_MAC }))).0, 422);

    let agent = format!("FileTransport Poly-UA/1.3.0 (SN:{SERIAL}) Type/Application");
    let by = |agent: &str, path: &str| Phone::new(&server).with("User-Agent", agent).get(path);
    let master = by(&agent, &format!("/{ITS_MAC}.cfg"));
    assert!(master.status == 200 && master.text().contains(&format!("{SERIAL}-profile.cfg")), "{}", master.text());
    let untagged = by("FileTransport Poly-UA/1.3.0 Type/Application", &format!("/{ITS_MAC}-profile.cfg"));
    assert!(untagged.status == 200 && untagged.text().contains("Jsmith_Studio"), "{}", untagged.text());
    let devices = api.ok("GET", "/devices", None);
    assert_eq!((&devices["total"], &devices["items"][0]["key"]), (&json!(1), &json!(SERIAL)), "no second one: {devices}");

    // One whose MAC nobody told is known by the serial number that it tells.
    let bare = "serial_number,endpoint_type\n8218404c20cc11,Studio\n";
    assert_eq!(send(bare, "")["added"], 1);
    let tagged = "FileTransport Poly-UA/1.3.0 (SN:8218404c20cc11) Type/Application";
    assert!(by(tagged, "/00e0db4c2011.cfg").text().contains("8218404c20cc11-profile.cfg"));
    assert_eq!(api.ok("GET", "/devices", None)["total"], 2);
}

#[test]
fn what_was_said_of_a_device_that_never_came_is_corrected_by_csv_and_by_hand() {
    let server = Server::start();
    let api = Api::owner(&server);
    let send = |model: &str, query: &str| {
        let file = format!("mac_address,endpoint_model\n0004f2000001,{model}\n");
        parsed(&api.send("POST", &format!("/devices/import{query}"), file.as_bytes()))
    };
    assert_eq!(send("VVX 411", "")["added"], 1);
    let changed = send("CCX 500", "?existing=overwrite");
    assert_eq!(changed["changed"], 1, "{changed}");
    let fields: Vec<_> =
        changed["items"][0]["changes"].as_array().into_iter().flatten().map(|one| one["field"].clone()).collect();
    assert_eq!(fields, ["type", "model"], "what was done is told too: {changed}");
    let device = || api.ok("GET", "/devices/0004f2000001", None);
    assert_eq!((&device()["family"], &device()["model"]), (&json!("CCX"), &json!("CCX 500")));
    let patch = |fields: Value| {
        let mut body = json!({ "revision": device()["revision"] });
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        api.call("PATCH", "/devices/0004f2000001", Some(body))
    };
    assert_eq!(patch(json!({ "family": "VVX" })).status, 200);
    assert_eq!((&device()["family"], &device()["model"]), (&json!("VVX"), &Value::Null), "a CCX 500 is no VVX");
    assert_eq!(patch(json!({ "model": "VVX 250" })).status, 200);
    let agent = "FileTransport PolycomVVX-VVX_250-UA/6.4.0.1234 (SN:0004f2000001) Type/Application";
    assert_eq!(Phone::new(&server).with("User-Agent", agent).get("/0004f2000001.cfg").status, 200, "it is what it tells");
    server.flush();
    assert_eq!(patch(json!({ "family": "CCX" })).status, 422, "it told its own");
    assert_eq!(send("CCX 500", "?existing=overwrite")["refused"], 1);
}

#[test]
fn a_line_that_stands_there_twice_is_refused() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/devices", Some(json!({ "key": "0004f2000001" })));
    let twice = json!({ "lines": [{ "line": 2, "fields": { "address": "1" } }, { "line": 2, "fields": { "address": "2" } }] });
    let (status, errors) = api.refused("PUT", "/devices/0004f2000001/lines", Some(twice));
    assert_eq!((status, errors[0].1.contains("line 2 stands there twice")), (422, true), "{errors:?}");
}
