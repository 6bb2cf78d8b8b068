//! Files of devices from outside: uploaded by people, served to phones, kept as versions, merged; and their logs (R220–R227, R263).

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::Server;

const MAC: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(text)
}

fn upload(directory: &str, devices: &[&str], files: &[(&str, &str)]) -> Value {
    let files: Vec<Value> = files.iter().map(|(name, content)| json!({ "name": name, "content": base64(content) })).collect();
    json!({ "devices": devices, "directory": directory, "files": files })
}

fn known(server: &Server) -> Api {
    let api = Api::owner(server);
    for mac in [MAC, OTHER] {
        assert_eq!(Phone::new(server).get(&format!("/{mac}.cfg")).status, 200);
    }
    server.flush();
    api
}

fn own(parameters: &str) -> String {
    format!("<PHONE_CONFIG><OVERRIDES {parameters}/></PHONE_CONFIG>")
}

const DIRECTORY: &str = "<directory><item_list><item><fn>Desk</fn><ct>1000</ct></item></item_list></directory>";

#[test]
fn r221_a_file_of_one_device_is_served_to_it_at_the_root_and_below_its_directory_and_to_no_other() {
    let server = Server::start();
    server.global_profile("directories", &[("CERTIFICATE_DIRECTORY", "certs")]);
    let api = known(&server);
    let ca = "a;b\n1;2\n";
    api.ok("POST", "/devices/files", Some(upload("certificate", &[MAC], &[("Keys.csv", ca)])));
    api.ok("POST", "/devices/files", Some(upload("license", &[MAC], &[("license.cfg", "<license x=\"1\"/>")])));
    api.ok("POST", "/devices/files", Some(upload("license", &[MAC], &[("000000000000-license.cfg", "<license x=\"0\"/>")])));
    let phone = Phone::new(&server).tagged(Some(MAC));
    for path in ["/keys.csv", "/Keys.CSV", "/certs/Keys.csv", "/default/certs/keys.csv"] {
        assert_eq!((phone.get(path).status, phone.get(path).text()), (200, ca.to_owned()), "{path}");
    }
    assert_eq!(phone.get("/elsewhere/keys.csv").status, 404);
    assert_eq!(phone.get(&format!("/{MAC}-license.cfg")).text(), "<license x=\"1\"/>");
    assert_eq!(phone.get("/000000000000-license.cfg").text(), "<license x=\"0\"/>");
    let other = Phone::new(&server).tagged(Some(OTHER));
    for path in ["/keys.csv", "/certs/keys.csv", "/000000000000-license.cfg"] {
        assert_eq!(other.get(path).status, 404, "{path}");
    }
    assert_eq!(phone.get("/keys.csv").header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn contract_5_13_the_phones_own_directory_counts_for_it_until_both_are_merged() {
    let server = Server::start();
    let api = known(&server);
    let phone = Phone::new(&server).tagged(Some(MAC));
    let path = format!("/{MAC}-directory.xml");
    let given = api.ok("POST", "/devices/files", Some(upload("contacts", &[MAC, OTHER], &[("directory.xml", DIRECTORY)])));
    assert_eq!(given["files"].as_array().map(Vec::len), Some(2));
    assert_eq!(phone.get(&path).text(), DIRECTORY, "nothing of its own yet");
    assert_eq!(phone.get("/000000000000-directory.xml").text(), DIRECTORY);
    let mine = DIRECTORY.replace("Desk", "Mine").replace("1000", "2000");
    assert_eq!(phone.put(&path, mine.as_bytes()).status, 201);
    assert_eq!(phone.get(&path).text(), mine);
    let page = api.page(&format!("/admin/devices/{MAC}/files")).text();
    assert!(page.contains("two directories") && page.contains("1 contact of yours is not in it"), "{page}");
    let merge = json!({ "devices": [MAC, OTHER], "wins": "phone" });
    let tried = api.ok("POST", "/devices/directories/merge?dry_run=true", Some(merge.clone()));
    assert_eq!((phone.get(&path).text(), tried["changed"][0]["contacts"].as_u64()), (mine.clone(), Some(2)));
    let merged = api.ok("POST", "/devices/directories/merge", Some(merge));
    assert_eq!((merged["changed"].as_array().map(Vec::len), merged["left"].as_array().map(Vec::len)), (Some(1), Some(1)));
    let together = phone.get(&path).text();
    assert!(together.contains("Mine") && together.contains("Desk"), "{together}");
    assert_eq!(api.ok("GET", &format!("/devices/{MAC}/files/directory.xml/versions"), None)["total"], 2);
}

#[test]
fn r225_the_tab_has_the_guides_four_sections_and_shows_no_secret() {
    let server = Server::start();
    server.global_profile("office", &[("up.timeOut", "40"), ("reg.1.auth.password", "CANARY_PROFILE")]);
    let api = known(&server);
    let phone = Phone::new(&server).tagged(Some(MAC));
    phone.put(&format!("/{MAC}-phone.cfg"), own("up.timeOut=\"60\" reg.1.auth.password=\"CANARY_PHONE\"").as_bytes());
    phone.put(&format!("/{MAC}-web.cfg"), own("up.timeOut=\"70\"").as_bytes());
    let tab = format!("/admin/devices/{MAC}/files");
    let page = api.page(&tab).text();
    for text in ["Provisioning Profiles", "Phone Files", "Web Files", "Other", &format!("{MAC}-profile.cfg"), "up.timeOut"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    for address in [tab.clone(), format!("{tab}/phone.cfg"), format!("/admin/devices/{MAC}/effective/parameters")] {
        let answer = api.page(&address);
        assert!(answer.status == 200 && !answer.text().contains("CANARY"), "{address}");
    }
    let values = api.ok("GET", &format!("/devices/{MAC}/overrides"), None);
    let of = |file: &str| {
        values["items"].as_array().expect("a list").iter().find(|one| one["file"] == file && one["name"] == "up.timeOut").cloned()
    };
    let (menu, web) = (of("phone.cfg").expect("a value"), of("web.cfg").expect("a value"));
    assert_eq!((&menu["value"], &menu["counts"], &menu["otherwise"]), (&json!("60"), &json!(true), &json!("70")));
    assert_eq!((&web["value"], &web["counts"]), (&json!("70"), &json!(false)));
    assert!(!values.to_string().contains("CANARY"));
}

#[test]
fn a_value_of_an_override_is_deleted_and_the_phone_gets_the_rest_back() {
    let server = Server::start();
    let api = known(&server);
    let phone = Phone::new(&server).tagged(Some(MAC));
    let path = format!("/{MAC}-phone.cfg");
    phone.put(&path, own("up.timeOut=\"60\" tcpIpApp.sntp.gmtOffset=\"-7200\"").as_bytes());
    let page = format!("/admin/devices/{MAC}/files/phone.cfg/delete-value");
    let gone = api.form(&page, &json!({ "csrf": csrf(&api), "parameter": "up.timeOut", "version": "1" }));
    assert_eq!(gone.status, 303, "{}", gone.text());
    let left = phone.get(&path).text();
    assert!(!left.contains("up.timeOut") && left.contains("tcpIpApp.sntp.gmtOffset=\"-7200\""), "{left}");
    let fields = json!({ "csrf": csrf(&api), "parameter": "tcpIpApp.sntp.gmtOffset", "version": "2" });
    let shown = api.form_once(&page, &fields);
    assert!(shown.text().contains("prov.polling.time"), "its polling minute follows: {} {}", shown.status, shown.text());
    assert!(phone.get(&path).text().contains("gmtOffset"), "nothing is done before somebody said yes");
    let gone = api.form(&page, &fields);
    assert_eq!(gone.status, 303, "{}", gone.text());
    assert!(!phone.get(&path).text().contains("gmtOffset"), "and nothing is left of it");
    let activity = api.ok("GET", "/activity", None).to_string();
    assert!(activity.contains("deleted a value of the phone's own settings of"), "{activity}");
}

fn csrf(api: &Api) -> String {
    api.ok("GET", "/api/v1/session", None)["csrf_token"].as_str().expect("a token").to_owned()
}

#[test]
fn versions_are_listed_compared_read_and_put_back() {
    let server = Server::start();
    let api = known(&server);
    let phone = Phone::new(&server).tagged(Some(MAC));
    let path = format!("/{MAC}-phone.cfg");
    phone.put(&path, own("up.timeOut=\"60\"").as_bytes());
    phone.put(&path, own("up.timeOut=\"70\"").as_bytes());
    api.ok("POST", "/devices/files", Some(upload("overrides", &[MAC], &[("phone.cfg", &own("up.timeOut=\"80\""))])));
    let file = format!("/devices/{MAC}/files/phone.cfg");
    let versions = api.ok("GET", &format!("{file}/versions"), None);
    let told: Vec<_> =
        versions["items"].as_array().expect("a list").iter().map(|one| (one["version"].as_u64(), one["by"].is_null())).collect();
    assert_eq!(told, [(Some(3), false), (Some(2), true), (Some(1), true)]);
    let difference = api.ok("GET", &format!("{file}/difference?from=1&to=3"), None);
    assert_eq!(difference["parameters"], json!([{ "name": "up.timeOut", "old": "60", "new": "80" }]));
    let page = api.page(&format!("/admin{file}/compare?from=1&to=3"));
    assert!(page.status == 200 && page.text().contains("up.timeOut"), "{}", page.text());
    assert!(api.page(&format!("/admin{file}?version=1")).text().contains("Put back"));
    assert_eq!(api.ok("POST", &format!("{file}/restore"), Some(json!({ "version": 1 })))["version"], 4);
    assert_eq!(phone.get(&path).text(), own("up.timeOut=\"60\""));
    api.ok("DELETE", &file, None);
    assert_eq!(phone.get(&path).status, 404);
    assert_eq!(api.call("GET", &format!("{file}/versions"), None).status, 404);
}

#[test]
fn names_and_contents_that_are_no_files_of_devices_are_refused_with_the_reason() {
    let server = Server::start();
    let api = known(&server);
    let deep = format!("<a>{}", "<a>".repeat(100_000));
    let made = format!("{MAC}.cfg");
    let refused = [
        ("misc", "x.sh", "#!/bin/sh", "none of the files"),
        ("misc", made.as_str(), "<a/>", "made here"),
        ("misc", "0004f2aa0009-x.cfg", "<a b.c=\"1\"/>", "none of the devices"),
        ("misc", "../x.cfg", "<a b.c=\"1\"/>", "cannot be asked for"),
        ("overrides", "phone.cfg", deep.as_str(), "within each other"),
        ("contacts", "directory.xml", "<a/>", "no contact directory"),
        ("certificate", "ca.pem", "x", "no certificate"),
    ];
    for (directory, name, content, reason) in refused {
        let (status, fields) = api.refused("POST", "/devices/files", Some(upload(directory, &[MAC], &[(name, content)])));
        assert!(status == 422 && fields.iter().any(|(_, message)| message.contains(reason)), "{name}: {status} {fields:?}");
    }
    assert_eq!(api.ok("GET", &format!("/devices/{MAC}/files"), None)["total"], 0);
}

#[test]
fn r263_logs_are_searched_shown_with_their_levels_taken_as_a_zip_and_deleted() {
    let server = Server::start();
    let api = known(&server);
    let phone = Phone::new(&server).tagged(Some(MAC));
    let lines = "1122030415|sip  |4|00|Registration of line 2 failed <b>\n".repeat(1_200);
    assert_eq!(phone.put(&format!("/{MAC}-app.log"), format!("{lines}plain\n").as_bytes()).status, 201);
    assert_eq!(phone.put(&format!("/{MAC}_2026.11.22_101500.pcap.tar.gz"), b"capture").status, 201);
    let tab = format!("/admin/devices/{MAC}/logs");
    let page = api.page(&format!("{tab}?text=registration"));
    assert!(
        page.text().contains("Minor error") && page.text().contains("there are more") && page.body.len() < 500_000,
        "{}",
        page.body.len()
    );
    assert!(page.text().contains(&format!("{MAC}_2026.11.22_101500.pcap.tar.gz")), "R264: captures are in the same place");
    let found = api.ok("GET", &format!("/devices/{MAC}/log-lines?text=plain"), None);
    assert_eq!(found["lines"][0]["number"], 1_201);
    assert_eq!(api.refused("GET", &format!("/devices/{MAC}/log-lines?level=loud"), None).0, 422);
    let logs = api.ok("GET", &format!("/devices/{MAC}/logs?q=app"), None);
    let name = logs["items"][0]["name"].as_str().expect("a log").to_owned();
    let shown = api.page(&format!("{tab}/{name}?part=3"));
    assert!(
        shown.text().contains("log-minor") && shown.text().contains("plain") && shown.text().contains("&#60;b&#62;"),
        "escaped"
    );
    let zip = api.page(&format!("{tab}/zip?date=2026-11-22"));
    assert_eq!((zip.status, zip.header("content-type"), &zip.body[..2]), (200, Some("application/zip"), &b"PK"[..]));
    assert_eq!(api.call("GET", &format!("/devices/{MAC}/log-archive"), None).status, 200);
    assert!(api.page(&format!("{tab}/delete?name={name}")).text().contains("Delete 1 log"));
    assert_eq!(api.form(&format!("{tab}/delete"), &json!({ "csrf": csrf(&api), "name": name })).status, 303);
    assert_eq!(api.ok("GET", &format!("/devices/{MAC}/logs"), None)["total"], 1);
    assert_eq!(api.ok("DELETE", &format!("/devices/{MAC}/logs"), None)["deleted"], 1);
}

#[test]
fn r44_an_account_says_for_how_many_days_logs_are_kept() {
    let server = Server::start();
    known(&server);
    let phone = Phone::new(&server).tagged(Some(MAC));
    phone.put(&format!("/{MAC}-app.log"), b"x");
    server.advance(4 * 86_400);
    // Who was away for days signs in again.
    let api = Api::owner(&server);
    let revision = || api.ok("GET", "/settings", None)["revision"].clone();
    let sweep =
        || pdms::services::retention::run(&server.services, pdms::services::retention::Keep::default()).expect("run").logs;
    assert_eq!(sweep(), 0);
    let (status, fields) = api.refused("PATCH", "/settings", Some(json!({ "revision": revision(), "log_days": 1_000 })));
    assert_eq!((status, fields[0].0.as_str()), (422, "log_days"));
    api.ok("PATCH", "/settings", Some(json!({ "revision": revision(), "log_days": 3 })));
    assert!(api.page(&format!("/admin/devices/{MAC}/logs")).text().contains("kept for 3 days"));
    assert_eq!(sweep(), 1);
}

#[test]
fn files_for_many_devices_are_shown_before_they_are_kept() {
    let server = Server::start();
    let api = known(&server);
    let page = api.page(&format!("/admin/devices/upload?select={MAC}")).text();
    assert!(page.contains("Certificate Directory (CERTIFICATE_DIRECTORY)"), "{page}");
    let asked = api.forms_once(
        "/admin/devices/upload",
        &[("csrf", csrf(&api)), ("select", MAC.to_owned()), ("select", OTHER.to_owned())]
            .map(|(name, value)| (name.to_owned(), value)),
    );
    assert!(asked.text().contains(OTHER), "{}", asked.text());
    let token = csrf(&api);
    let part = |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = |name: &str, value: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\nContent-Type: text/xml\r\n\r\n{value}\r\n"
        )
    };
    let body = |files: String| {
        let fields = [part("csrf", &token), part("select", MAC), part("select", OTHER), part("directory", "overrides")].concat();
        format!("{fields}{files}--b--\r\n")
    };
    let send = |files: String| api.multipart("/admin/devices/upload/files", "b", body(files).as_bytes());
    let wrong = send(file("phone.cfg", "no xml"));
    assert!(wrong.status == 422 && wrong.text().contains("is not taken"), "{}", wrong.text());
    let sent = send(file(&format!("{MAC}-phone.cfg"), &own("a.b=\"1\"")) + &file("web.cfg", &own("a.b=\"2\"")));
    let preview = sent.header("location").unwrap_or_else(|| panic!("{}", sent.text())).to_owned();
    let shown = api.page(&preview).text();
    assert!(shown.contains("Save 3 files"), "{shown}");
    assert_eq!(api.ok("GET", &format!("/devices/{MAC}/files"), None)["total"], 0, "nothing is kept yet");
    assert_eq!(api.form(&preview, &json!({ "csrf": csrf(&api), "do": "accept" })).status, 303);
    assert_eq!(api.ok("GET", &format!("/devices/{MAC}/files"), None)["total"], 2);
    assert_eq!(api.ok("GET", &format!("/devices/{OTHER}/files"), None)["total"], 1);
}
