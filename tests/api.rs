//! The API against the real server: every operation, what it refuses, and that it shares its rules with the pages.

use serde_json::{Value, json};

use crate::images::{package, uploaded};
use crate::support::api::{Api, problem};
use crate::support::phone::Phone;
use crate::support::server::{OWNER_EMAIL, OWNER_PASSWORD, PASSWORD, Server};

mod described;
mod dry_run;
mod lists;
mod pages;
mod parity;
mod secrets;
mod server;
mod unchanged;

const KEY: &str = "0004f2a11a01";

fn device(key: &str) -> Value {
    json!({ "key": key })
}

/// A profile with these parameters; its number.
fn profile(api: &Api, name: &str, parameters: Value) -> u64 {
    api.ok("POST", "/profiles", Some(json!({ "name": name, "parameters": parameters })))["id"].as_u64().expect("a number")
}

/// Two images, an upload whose bytes are all here, and one that asks which software it is: the keys of these uploads.
fn images(server: &Server, api: &Api) -> [String; 2] {
    let of = |part: &str, version: &str| package(&[(&format!("{part}.sip.ld"), b"image"), ("sip.ver", version.as_bytes())]);
    for (file, part, version) in [("a.zip", "3111-44500-001", "5.9.8.5760"), ("b.zip", "2345-12600-001", "4.0.15.1047")] {
        assert_eq!(uploaded(server, api, file, &of(part, version))["stage"], "done");
    }
    let asking = uploaded(server, api, "asking.zip", &package(&[("9999-44500-001.sip.ld", b"x")]));
    let open = api.ok("POST", "/images/uploads", Some(json!({ "file": "open.zip", "size_bytes": 4 })));
    let [open, asking] = [open, asking].map(|one| one["id"].as_str().expect("a key").to_owned());
    assert_eq!(api.send("PUT", &format!("/images/uploads/{open}"), b"open").status, 200);
    [open, asking]
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("a list").iter().map(|item| item["name"].as_str().unwrap_or_default()).collect()
}

#[test]
fn strangers_and_other_sites_change_and_learn_nothing() {
    let server = Server::start();
    let stranger = Api::stranger(&server);
    assert_eq!(stranger.refused("GET", "/devices", None).0, 401);
    assert_eq!(stranger.refused("POST", "/devices", Some(device(KEY))).0, 401);
    assert_eq!(stranger.call("GET", "/api/v1/openapi.json", None).status, 200);

    let cookie = Api::cookie_only(&server);
    assert_eq!(cookie.call("GET", "/devices", None).status, 200, "reading needs the cookie only");
    assert_eq!(cookie.refused("POST", "/devices", Some(device(KEY))).0, 403);
    let forged = Api::owner(&server).with("Sec-Fetch-Site", "cross-site");
    assert_eq!(forged.refused("POST", "/devices", Some(device(KEY))).0, 403);
    let forged = Api::owner(&server).with("Origin", "https://evil.example");
    assert_eq!(forged.refused("DELETE", "/devices/0004f2a11a01?removal=forget", None).0, 403);
    assert_eq!(cookie.ok("GET", "/devices", None)["total"], 0);
}

#[test]
fn a_program_signs_in_and_out_by_json() {
    let server = Server::start();
    let stranger = Api::stranger(&server);
    let right = json!({ "email": OWNER_EMAIL, "password": OWNER_PASSWORD });
    for wrong in
        [json!({ "email": OWNER_EMAIL, "password": "wrong horse" }), json!({ "email": "nobody@example.test", "password": "x" })]
    {
        assert_eq!(stranger.refused("POST", "/api/v1/session", Some(wrong)).0, 401);
    }
    let forged = stranger.clone().with("Origin", "https://evil.example");
    assert_eq!(forged.refused("POST", "/api/v1/session", Some(right.clone())).0, 403);

    let signed_in = stranger.call("POST", "/api/v1/session", Some(right));
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    let cookie = signed_in.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned();
    let told: Value = serde_json::from_slice(&signed_in.body).expect("JSON");
    let program = Api::stranger(&server).with("Cookie", &cookie);
    assert_eq!(program.refused("POST", "/devices", Some(device(KEY))).0, 403, "changes need the token too");
    let program = program.with("X-CSRF-Token", told["csrf_token"].as_str().expect("a token"));
    assert_eq!(program.call("POST", "/devices", Some(device(KEY))).status, 201);
    assert_eq!(program.ok("DELETE", "/api/v1/session", None)["current"], true);
    assert_eq!(program.refused("GET", "/devices", None).0, 401);
}

#[test]
fn devices_are_added_edited_and_deleted() {
    let server = Server::start();
    let api = Api::owner(&server);
    let new = json!({ "key": "00:04:F2:A1:1A:01", "name": "Hall", "model": "vvx411", "private_ip": "10.1.2.3" });
    let tried = api.call("POST", "/devices?dry_run=true", Some(new.clone()));
    assert_eq!(tried.status, 200);
    assert_eq!(api.ok("GET", "/devices", None)["total"], 0, "a dry run changes nothing");

    let made = api.call("POST", "/devices", Some(new));
    assert_eq!(made.status, 201);
    let made: Value = serde_json::from_slice(&made.body).expect("JSON");
    assert_eq!((&made["key"], &made["family"], &made["status"]), (&json!(KEY), &json!("VVX"), &json!("never-seen")));
    assert_eq!(api.ok("GET", &format!("/devices/{}", KEY.to_uppercase()), None), made);

    let path = format!("/devices/{KEY}");
    let patched = api.ok("PATCH", &path, Some(json!({ "revision": 1, "description": "Lift", "private_ip": null })));
    assert_eq!(
        (&patched["name"], &patched["description"], &patched["private_ip"]),
        (&json!("Hall"), &json!("Lift"), &Value::Null)
    );
    assert_eq!(api.refused("PATCH", &path, Some(json!({ "revision": 1, "name": "Late" }))).0, 409);
    let put = api.ok("PUT", &path, Some(json!({ "revision": 2, "name": "Door" })));
    assert_eq!((&put["name"], &put["description"], &put["revision"]), (&json!("Door"), &json!(""), &json!(3)));

    assert_eq!(api.refused("DELETE", &path, None).0, 400, "what becomes of the key must be said");
    let cascade = api.ok("DELETE", &format!("{path}?removal=block&dry_run=true"), None);
    assert_eq!(cascade["device"], "Door");
    assert_eq!(api.ok("GET", &path, None)["name"], "Door");
    api.ok("DELETE", &format!("{path}?removal=block"), None);
    assert_eq!(api.refused("GET", &path, None).0, 404);
    assert_eq!(api.ok("GET", "/blocked", None)["items"][0]["key"], KEY);
    assert_eq!(api.refused("POST", "/devices", Some(device(KEY))).1[0].0, "key");
    assert_eq!(api.ok("DELETE", &format!("/blocked/{KEY}"), None)["by"], "Ada");
    assert_eq!(api.refused("DELETE", &format!("/blocked/{KEY}"), None).0, 404);
    api.ok("POST", "/devices", Some(device(KEY)));
}

#[test]
fn an_array_is_added_as_a_whole_or_not_at_all() {
    let server = Server::start();
    let api = Api::owner(&server);
    let wrong = json!([device("0004f2000001"), { "key": "nope", "name": "a/b" }, device("0004f2000001"), { "key": "0004f2000003", "private_ip": "x" }]);
    let (status, fields) = api.refused("POST", "/devices", Some(wrong));
    let fields: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!((status, fields), (422, vec!["[1].key", "[1].name", "[3].private_ip"]));
    let (_, fields) = api.refused("POST", "/devices", Some(json!([device("0004f2000001"), device("0004f2000001")])));
    assert_eq!(fields[0].0, "[1].key");
    let (_, fields) = api.refused("POST", "/devices", Some(json!([device("0004f2000001"), { "key": 7 }])));
    assert_eq!(fields[0].0, "[1].key", "a wrong type is placed too");
    assert_eq!(api.ok("POST", "/devices", Some(json!([]))), json!([]));
    assert_eq!(api.ok("GET", "/devices", None)["total"], 0);

    let many: Vec<Value> =
        (1..=120).map(|n| json!({ "key": format!("0004f2{n:06x}"), "name": format!("Phone {n:03}") })).collect();
    let made = api.ok("POST", "/devices", Some(json!(many)));
    assert_eq!(made.as_array().map(Vec::len), Some(120));
    let page = api.ok("GET", "/devices?q=phone&sort=-name&page=2&per_page=50", None);
    assert_eq!((&page["total"], names(&page)[0], names(&page).len()), (&json!(120), "Phone 070", 50));
    assert_eq!(api.ok("GET", "/devices?status=online", None)["total"], 0);
    assert_eq!(api.refused("GET", "/devices?status=lost&sort=colour", None).1.len(), 2);
    assert_eq!(api.refused("GET", "/devices?colour=red", None).0, 400);
}

#[test]
fn profiles_are_written_read_and_written_again() {
    let server = Server::start();
    let api = Api::owner(&server);
    let id = profile(&api, "Office", json!({ "reg.1.label": "Desk", "device.prov.password": "hunter2" }));
    let path = format!("/profiles/{id}");
    let read = api.ok("GET", &path, None);
    assert!(!read.to_string().contains("hunter2"), "secrets leave masked: {read}");
    assert_eq!(read["parameters"]["device.prov.password.set"], "1");

    let again = json!({ "name": "Office", "description": "Desks", "parameters": read["parameters"], "revision": 1 });
    api.ok("PUT", &path, Some(again.clone()));
    let stored =
        server.world().profiles.values().next().expect("one profile").parameters.get("device.prov.password").map(str::to_owned);
    assert_eq!(stored.as_deref(), Some("hunter2"), "a mask means as it was");
    assert_eq!(api.refused("PUT", &path, Some(again)).0, 409);

    let change = json!({ "revision": 2, "name": "Office 2", "set": { "reg.1.label": "Lobby", "up.x": "1" }, "remove": ["device.prov.password"] });
    let changed = api.ok("PATCH", &path, Some(change));
    assert_eq!(changed["parameters"], json!({ "reg.1.label": "Lobby", "up.x": "1" }));
    let wrong = json!({ "revision": 3, "name": "", "set": { "1a": "x" }, "remove": ["b c"] });
    let (status, fields) = api.refused("PATCH", &path, Some(wrong));
    let fields: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!((status, fields), (422, vec!["set", "remove", "name"]));

    assert_eq!(api.refused("POST", "/profiles", Some(json!({ "name": "OFFICE 2" }))).1[0].0, "name");
    let copy = api.ok("POST", &format!("{path}/copy"), Some(json!({ "name": "Annex" })));
    assert_eq!(copy["parameters"], changed["parameters"]);
    let found = api.ok("GET", "/profiles?q=up.x&sort=-name", None);
    assert_eq!(names(&found), ["Office 2", "Annex"]);
    assert_eq!(api.ok("GET", "/profiles?kind=user-imported", None)["total"], 0);
    assert_eq!(api.refused("GET", "/profiles?kind=odd", None).0, 422);
    assert_eq!(api.refused("GET", "/profiles/99", None).0, 404);
    assert_eq!(api.refused("GET", "/profiles/x", None).0, 404);
}

#[test]
fn profiles_are_deployed_in_order_and_reach_phones() {
    let server = Server::start();
    let api = Api::owner(&server);
    let (low, high) = (profile(&api, "Low", json!({ "a.b": "low" })), profile(&api, "High", json!({ "a.b": "high" })));
    api.ok("POST", "/devices", Some(device(KEY)));
    let set = |place: &str, profiles: &[u64]| {
        let shown = &api.ok("GET", place, None)["shown"];
        api.ok("PUT", place, Some(json!({ "profiles": profiles, "shown": shown })))
    };
    let tried = api.ok("PUT", "/deployment/global?dry_run=true", Some(json!({ "profiles": [low], "shown": [] })));
    assert_eq!(tried["profiles"][0]["name"], "Low");
    assert_eq!(api.ok("GET", "/deployment/global", None)["profiles"], json!([]));
    set("/deployment/global", &[high, low]);
    let gone = api.refused("PUT", "/deployment/global", Some(json!({ "profiles": [high, 77], "shown": [high, low] })));
    assert_eq!((gone.0, gone.1[0].0.as_str()), (422, "profiles"));
    let stale = json!({ "profiles": [low], "shown": [low, high] });
    assert_eq!(api.refused("PUT", "/deployment/global", Some(stale)).0, 409);
    for place in ["/deployment/global".to_owned(), format!("/deployment/devices/{KEY}")] {
        let unseen = api.refused("PUT", &place, Some(json!({ "profiles": [low] })));
        assert_eq!((unseen.0, unseen.1[0].0.as_str()), (422, "shown"), "nobody overwrites what was not shown: {place}");
    }

    let value = || {
        let effective = api.ok("GET", &format!("/devices/{KEY}/effective"), None);
        effective["rows"].as_array().expect("rows").iter().find(|row| row["name"] == "a.b").cloned().expect("the parameter")
    };
    assert_eq!((&value()["winner"]["source"], &value()["beaten"][0]["value"]), (&json!("High (Global)"), &json!("low")));
    set(&format!("/deployment/devices/{KEY}"), &[low]);
    assert_eq!(value()["winner"]["value"], "low");
    assert_eq!(api.ok("GET", &format!("/deployment/devices/{KEY}"), None)["profiles"][0]["id"], low);
    let file = Phone::new(&server).get(&format!("/{KEY}-profile.cfg")).text();
    assert!(file.contains("a.b=\"low\""), "{file}");

    let uses = api.ok("GET", &format!("/profiles/{low}/uses"), None);
    let global = json!({ "container": "global", "id": "", "name": "Global" });
    assert_eq!(uses, json!({ "global": true, "places": [global], "devices": [KEY], "affected": 1 }));
    let tried = api.ok("DELETE", &format!("/profiles/{low}?dry_run=true"), None);
    for member in ["global", "places", "devices", "affected"] {
        assert_eq!(tried[member], uses[member], "{member}");
    }
    assert_eq!(value()["winner"]["value"], "low");
    api.ok("DELETE", &format!("/profiles/{low}"), None);
    assert_eq!(value()["winner"]["value"], "high");
}

#[test]
fn files_are_previewed_and_accepted_alike() {
    let server = Server::start();
    let api = Api::owner(&server);
    let file = b"<a reg.1.label='Desk' up.x=''\n prov.polling.enabled='0' x:y='1' xmlns:x='u'>\n<b reg.1.label='Hall' sec.pin='1234'/></a>";
    let id = profile(&api, "Office", json!({ "reg.1.label": "Door" }));
    let send = |query: &str| api.send("POST", &format!("/profiles/{id}/import?{query}"), file);
    let shown = send("revision=1&dry_run=true");
    assert_eq!(shown.status, 200, "{}", shown.text());
    let shown: Value = serde_json::from_slice(&shown.body).expect("JSON");
    let by_name = |list: &str| {
        shown[list].as_array().expect("a list").iter().map(|p| p["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (by_name("added"), by_name("changed"), by_name("left_out")),
        (vec!["sec.pin".to_owned()], vec!["reg.1.label".to_owned()], vec!["up.x".to_owned(), "prov.polling.enabled".to_owned()])
    );
    assert_eq!(
        (&shown["changed"][0]["old"], &shown["changed"][0]["value"], &shown["changed"][0]["line"]),
        (&json!("Door"), &json!("Hall"), &json!(3))
    );
    assert_eq!((&shown["refused"][0]["name"], &shown["refused"][0]["line"]), (&json!("x:y"), &json!(2)));
    assert_eq!((&shown["of_xml"][0]["name"], &shown["of_xml"][0]["value"]), (&json!("xmlns:x"), &json!("u")));
    assert_eq!((&shown["conflicts"][0]["differs"], &shown["conflicts"][0]["lines"]), (&json!(true), &json!([1, 3])));
    assert!(!shown.to_string().contains("1234"), "secrets leave masked");
    assert_eq!(api.ok("GET", &format!("/profiles/{id}"), None)["parameters"], json!({ "reg.1.label": "Door" }));

    let accepted: Value = serde_json::from_slice(&send("revision=1").body).expect("JSON");
    assert_eq!(accepted["added"], shown["added"]);
    assert_eq!(accepted["profile"], api.ok("GET", &format!("/profiles/{id}"), None));
    assert_eq!(accepted["profile"]["parameters"], shown["profile"]["parameters"], "what was shown is what came");
    assert_eq!(problem(&send("revision=1")).0, 409);
    let all: Value = serde_json::from_slice(&send("revision=2&keep_empty=true&keep_defaults=true").body).expect("JSON");
    assert_eq!((all["left_out"].as_array().map(Vec::len), &all["profile"]["parameters"]["up.x"]), (Some(0), &json!("")));

    let (status, fields) = problem(&api.send("POST", &format!("/profiles/{id}/import?revision=3"), b"<a>\n<!DOCTYPE x>"));
    assert_eq!((status, fields[0].0.as_str()), (422, "file"));
    assert!(fields[0].1.contains("line 2") && fields[0].1.contains("DOCTYPE not allowed"), "{fields:?}");
    assert_eq!(problem(&api.send("POST", "/profiles/import?name=Big", &vec![b' '; 5 * 1024 * 1024])).0, 413);
    assert_eq!(api.send("POST", "/profiles/import?name=New&dry_run=true", file).status, 200);
    assert_eq!(api.send("POST", "/profiles/import?name=New", file).status, 201);
    assert_eq!(problem(&api.send("POST", "/profiles/import?name=new", file)).0, 422);
}

#[test]
fn settings_users_and_activity_are_there() {
    let server = Server::start();
    let api = Api::owner(&server);
    let settings = api.ok("GET", "/settings", None);
    assert!(settings["password"].is_null() && settings["user"] == "phones", "{settings}");
    let change = json!({ "revision": settings["revision"], "time_zone": "Asia/Tokyo", "password": "new-one-7411", "polling_window": { "from": 60, "to": 120 } });
    assert_eq!(api.ok("PATCH", "/settings?dry_run=true", Some(change.clone()))["time_zone"], "Asia/Tokyo");
    assert_eq!(api.ok("GET", "/settings", None), settings);
    assert_eq!(api.ok("PATCH", "/settings", Some(change.clone()))["polling_window"], json!({ "from": 60, "to": 120 }));
    assert_eq!(api.refused("PATCH", "/settings", Some(change)).0, 409);
    let wrong = json!({ "revision": 99, "time_zone": "Mars/Olympus", "polling_window": { "from": 9, "to": 9 } });
    assert!(matches!(api.refused("PATCH", "/settings", Some(wrong)).0, 409 | 422));

    assert_eq!(api.ok("POST", "/settings/reveal", None)["password"], "new-one-7411");
    let sessions = api.ok("GET", "/api/v1/sessions", None);
    assert_eq!(sessions["total"], 1);
    assert_eq!(api.refused("DELETE", "/api/v1/sessions/00", None).0, 404);

    let user = json!({ "name": "Grace", "email": "grace@example.test", "role": "viewer", "password": "a longer one than most" });
    assert_eq!(api.call("POST", "/api/v1/users?dry_run=true", Some(user.clone())).status, 200);
    assert_eq!(api.ok("GET", "/api/v1/users", None)["total"], 1);
    let made = api.ok("POST", "/api/v1/users", Some(user.clone()));
    assert_eq!(api.refused("POST", "/api/v1/users", Some(user)).1[0].0, "email");
    let path = format!("/api/v1/users/{}/password", made["id"]);
    assert_eq!(api.refused("PUT", &path, Some(json!({ "password": "short" }))).1[0].0, "password");
    assert_eq!(api.ok("PUT", &path, Some(json!({ "password": "another long enough one" })))["name"], "Grace");
    let path = format!("/api/v1/users/{}", made["id"]);
    let change = |role: &str, revision: u64| Some(json!({ "role": role, "revision": revision }));
    assert_eq!(api.refused("PATCH", &path, change("king", 1)).1[0].0, "role");
    let changed = api.ok("PATCH", &path, change("operator", 1));
    assert_eq!((changed["role"].as_str(), changed["revision"].as_u64()), (Some("operator"), Some(2)));
    assert_eq!(api.refused("PATCH", &path, change("viewer", 1)).0, 409, "somebody was faster");
    let invited = api.ok("POST", &format!("{path}/invitation"), None);
    assert!(invited["invitation"].as_str().is_some_and(|link| link.contains("/admin/invitation?token=")), "{invited}");
    assert_eq!(api.refused("DELETE", "/api/v1/users/1", None).0, 409, "the last owner stays");
    let users = api.ok("GET", "/api/v1/users", None);
    assert!(users["total"] == 2 && !users.to_string().contains("argon2"), "{users}");

    let log = api.ok("GET", "/activity?object=account", None);
    assert_eq!(log["items"][0]["action"], "showed the password of");
    let changes = log["items"][1]["changes"].as_array().expect("changes");
    assert!(
        changes.iter().any(|c| c["field"] == "time zone" && c["old"] == "Europe/Berlin" && c["new"] == "Asia/Tokyo"),
        "{log}"
    );
    assert!(!log.to_string().contains("new-one-7411"), "secrets are masked in the log");
    assert_eq!(log["items"][0]["actor"], "Ada");

    let id = sessions["items"][0]["id"].as_str().expect("a name");
    assert_eq!(api.ok("DELETE", &format!("/api/v1/sessions/{id}"), None)["id"], id);
    assert_eq!(api.refused("GET", "/settings", None).0, 401, "an ended session opens nothing");
}

#[test]
fn boots_and_refused_phones_have_their_runs() {
    let server = Server::start();
    let api = Api::owner(&server);
    let phone = Phone::new(&server);
    phone.get(&format!("/{KEY}.cfg"));
    phone.get(&format!("/{KEY}-profile.cfg"));
    let runs = api.ok("GET", &format!("/devices/{KEY}/runs"), None);
    let run = &runs["items"][0];
    assert_eq!(
        (&run["admitted"], &run["outcome"], run["exchanges"].as_array().map(Vec::len)),
        (&json!(true), &json!("complete"), Some(2))
    );
    assert_eq!((&run["exchanges"][0]["method"], &run["exchanges"][0]["status"]), (&json!("GET"), &json!(200)));
    assert_eq!(phone.put(&format!("/{KEY}-phone.cfg"), b"<a><b up.timeOut='41' reg.1.auth.password='hunter2'/></a>").status, 201);
    assert_eq!(phone.put(&format!("/{KEY}-app.log"), b"hello").status, 201);
    let path = format!("/devices/{KEY}");
    assert_eq!(api.ok("GET", &format!("{path}/files"), None)["items"][0]["name"], "phone.cfg");
    let file = api.call("GET", &format!("{path}/files/phone.cfg"), None);
    assert!(
        file.text().contains("up.timeOut='41'")
            && file.header("content-disposition").is_some_and(|d| d.starts_with("attachment"))
    );
    assert_eq!(api.refused("GET", &format!("{path}/files/web.cfg"), None).0, 404);
    let log = &api.ok("GET", &format!("{path}/logs"), None)["items"][0];
    assert_eq!((&log["kind"], &log["size_bytes"]), (&json!("app.log"), &json!(5)));
    let content = api.call("GET", &format!("{path}/logs/{}", log["name"].as_str().expect("a name")), None);
    assert_eq!(content.text(), "hello");
    assert_eq!(api.refused("GET", &format!("{path}/logs/..%2f..%2fpdms.redb"), None).0, 404);
    let effective = api.ok("GET", &format!("{path}/effective"), None);
    let own = effective["rows"].as_array().expect("rows").iter().find(|row| row["name"] == "up.timeOut").expect("the override");
    assert_eq!((&own["file"], &own["winner"]["value"]), (&json!("phone"), &json!("41")));
    assert!(!effective.to_string().contains("hunter2") && !effective.to_string().contains(PASSWORD), "secrets leave masked");
    Phone::bare(&server).with_credentials("x", "y").get("/0004f2bbbbbb.cfg");
    let refused = api.ok("GET", "/runs", None);
    assert!(refused["items"].as_array().expect("runs").iter().any(|run| run["admitted"] == false), "{refused}");
}

#[test]
fn mistakes_in_requests_are_told_as_problems() {
    let server = Server::start();
    let api = Api::owner(&server);
    assert_eq!(api.refused("GET", "/nothing", None).0, 404);
    assert_eq!(api.refused("GET", "/api/v1/accounts/other/devices", None).0, 404);
    let (status, fields) = api.refused("POST", "/devices", Some(json!({ "kye": "x" })));
    assert_eq!((status, fields[0].0.as_str()), (422, "kye"));
    let (status, fields) = api.refused("GET", "/devices?colour=red", None);
    assert_eq!((status, fields[0].0.as_str()), (400, "colour"));
    let no_json = api.send_json("POST", "/devices", b"[{\"key\":\n \"0004f2000001\"},]");
    assert!(no_json.status == 400 && no_json.text().contains("line 2 column 18"), "{}", no_json.text());
    assert_eq!(problem(&api.send_json("POST", "/devices", &vec![b' '; 25 * 1024 * 1024])).0, 413);
    assert_eq!(api.refused("POST", "/devices?dry_run=maybe", Some(device(KEY))).0, 400);
    assert_eq!(problem(&api.send("POST", "/devices", b"{}")).0, 415);
    assert_eq!(
        problem(&api.call("POST", "/devices", Some(json!("text")))),
        (
            422,
            vec![(
                "body".to_owned(),
                "invalid type: string \"text\", expected an object or an array of objects at line 1 column 6".to_owned()
            )]
        )
    );
}

/// Page and API parse into the same drafts: whatever one of them refuses, the other refuses with the same words.
#[test]
fn a_form_and_a_body_break_the_same_rules() {
    let server = Server::start();
    let api = Api::owner(&server);
    let cases = [
        ("/admin/devices/add", "/devices", json!({ "key": "nope", "name": "a/b", "private_ip": "x" })),
        ("/admin/devices/add", "/devices", json!({ "key": "8218404c20ccf9", "family": "VVX", "description": "x".repeat(1_001) })),
        ("/admin/profiles/add", "/profiles", json!({ "name": "a:b", "description": "x".repeat(1_001) })),
        ("/admin/profiles/add", "/profiles", json!({ "name": "" })),
    ];
    for (page, path, body) in cases {
        let (status, fields) = api.refused("POST", path, Some(body.clone()));
        let form = api.form(page, &body);
        assert_eq!((status, form.status), (422, 422), "{body}: {}", form.text());
        for (field, message) in fields {
            let told = form.text().replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">");
            assert!(told.to_lowercase().contains(&message.to_lowercase()), "{field}: {message} is not in {told}");
        }
    }
}

#[test]
fn a_device_without_a_type_gets_it_later_and_then_its_name() {
    let server = Server::start();
    let api = Api::owner(&server);
    let bar = "8218404c20ccf9";
    let by_model = json!({ "key": "8218404c20ccfa", "model": "Studio", "sent_name": "Lobby" });
    assert_eq!(api.ok("POST", "/devices?dry_run=true", Some(by_model))["family"], "Studio");
    api.ok("POST", "/devices", Some(device(bar)));
    let path = format!("/devices/{bar}");
    let early = api.refused("PATCH", &path, Some(json!({ "revision": 1, "sent_name": "Hall" })));
    assert_eq!((early.0, early.1[0].0.as_str()), (422, "sent_name"));
    let changed = api.ok("PATCH", &path, Some(json!({ "revision": 1, "family": "Studio", "sent_name": "Hall" })));
    assert_eq!((&changed["family"], &changed["sent_name"]), (&json!("Studio"), &json!("Hall")));
    let again = api.refused("PATCH", &path, Some(json!({ "revision": 2, "family": "VVX" })));
    assert_eq!((again.0, again.1[0].0.as_str()), (422, "family"));
    for wrong in ["0004f2a1000", "ffffffffffff"] {
        let refused = api.refused("POST", "/devices", Some(device(wrong)));
        assert_eq!((refused.0, refused.1[0].0.as_str()), (422, "key"), "{wrong}");
    }
}
