//! Why a phone does what it does, from outside: every layer with who set it, what the phone keeps itself and in its flash, what a phone would
//! get that is not there, and two phones side by side (R108, R110, R159, contract 5.11).

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::Server;

const KEY: &str = "0004f2aabbcc";

fn profile(api: &Api, name: &str, parameters: Value) -> Value {
    api.ok("POST", "/profiles", Some(json!({ "name": name, "parameters": parameters })))["id"].clone()
}

fn deploy(api: &Api, place: &str, profiles: &[&Value]) {
    let shown = api.ok("GET", &format!("/deployment/{place}"), None)["shown"].clone();
    api.ok("PUT", &format!("/deployment/{place}"), Some(json!({ "profiles": profiles, "shown": shown })));
}

/// The row of a parameter.
fn row(api: &Api, path: &str, name: &str) -> Value {
    let rows = api.ok("GET", path, None)["rows"].clone();
    let found = rows.as_array().expect("rows").iter().find(|row| row["name"] == name).cloned();
    found.unwrap_or_else(|| panic!("no row {name}: {rows:#}"))
}

fn of_device(name: &str) -> String {
    format!("/devices/{KEY}/effective?q={name}")
}

/// Kind of source and value of each layer, strongest first.
fn layers(row: &Value) -> Vec<(String, String)> {
    let told = |layer: &Value| {
        let text = |name: &str| layer[name].as_str().unwrap_or_default().to_owned();
        (text("kind"), text("value"))
    };
    std::iter::once(&row["winner"]).chain(row["beaten"].as_array().expect("a list")).map(told).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(kind, value)| ((*kind).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_layer_is_told_from_the_phone_down_to_global_with_who_set_it() {
    let server = Server::start();
    let api = Api::owner(&server);
    let set = |name: &str, volume: &str| profile(&api, name, json!({ "voice.volume.persist.handset": volume }));
    let (own, owner, teams, model, group, global) = (
        set("Own", "own"),
        set("Person", "person"),
        set("Team", "team"),
        set("Model", "model"),
        set("Group", "group"),
        set("Global", "global"),
    );
    let second_team = set("Second team", "team 2");
    let site = api.ok("POST", "/sites", Some(json!({ "name": "Berlin", "time_zone": "Europe/Lisbon" })))["id"].clone();
    let at_site = set("Site", "site");
    let teams_of = |name: &str| api.ok("POST", "/person-groups", Some(json!({ "name": name })))["id"].clone();
    let (first, second) = (teams_of("Sales"), teams_of("Support"));
    let person = api.ok("POST", "/people", Some(json!({ "name": "Ada" })))["id"].clone();
    api.ok("PUT", &format!("/people/{person}/groups"), Some(json!({ "groups": [second, first], "shown": [] })));
    let desks = api.ok("POST", "/groups", Some(json!({ "name": "Desks" })))["id"].clone();
    let phone = Phone::new(&server);
    assert_eq!(phone.get(&format!("/{KEY}.cfg")).status, 200);
    server.flush();
    let menu = b"<PHONE_CONFIG><OVERRIDES voice.volume.persist.handset=\"menu\" up.x.only=\"1\"/></PHONE_CONFIG>";
    assert_eq!(phone.put(&format!("/{KEY}-phone.cfg"), menu).status, 201);
    let web = b"<a voice.volume.persist.handset=\"web\"/>";
    assert_eq!(phone.put(&format!("/{KEY}-web.cfg"), web).status, 201);

    let device = api.ok("GET", &format!("/devices/{KEY}"), None);
    api.ok("PATCH", &format!("/devices/{KEY}"), Some(json!({ "revision": device["revision"], "pin": site })));
    api.ok("PUT", &format!("/devices/{KEY}/groups"), Some(json!({ "groups": [desks], "shown": [] })));
    api.ok("PUT", &format!("/devices/{KEY}/owner"), Some(json!({ "owner": { "person": person }, "shown": null })));
    for (place, id) in [
        (format!("devices/{KEY}"), &own),
        (format!("people/{person}"), &owner),
        (format!("person-groups/{first}"), &teams),
        (format!("person-groups/{second}"), &second_team),
        (format!("sites/{site}"), &at_site),
        ("models/VVX%20500".to_owned(), &model),
        (format!("groups/{desks}"), &group),
        ("global".to_owned(), &global),
    ] {
        deploy(&api, &place, &[id]);
    }
    let volume = row(&api, &of_device("handset"), "voice.volume.persist.handset");
    let expected = [
        ("phone", "menu"),
        ("phone", "web"),
        ("device", "own"),
        ("person", "person"),
        ("person-group", "team 2"),
        ("person-group", "team"),
        ("site", "site"),
        ("model", "model"),
        ("group", "group"),
        ("global", "global"),
    ];
    assert_eq!(layers(&volume), pairs(&expected));
    assert!(volume["winner"]["uploaded_at"].is_string(), "{volume}");
    let at_person = &volume["beaten"][2];
    assert_eq!(at_person["place"], json!(format!("people/{person}")));
    assert!(at_person["set_by"]["by"].is_string() && at_person["set_by"]["exact"] == true, "{at_person}");
    assert!(at_person["attached_by"]["at"].is_string(), "{at_person}");
    assert!(volume["beaten"][1]["attached_by"]["at"].is_string(), "to the device itself: {volume}");

    let only = row(&api, &of_device("up.x.only"), "up.x.only");
    assert_eq!((&only["file"], &only["unknown"]), (&json!("phone"), &json!(true)));
    let offset = row(&api, &of_device("gmtOffset"), "tcpIpApp.sntp.gmtOffset");
    assert_eq!(
        (&offset["winner"]["source"], &offset["winner"]["place"]),
        (&json!("built-in base: time"), &json!(format!("sites/{site}")))
    );

    let page = api.page(&format!("/admin/devices/{KEY}/effective?q=handset")).text();
    for words in [
        "set on the phone",
        "person Ada",
        "person group Sales",
        "site Berlin",
        "device group Desks",
        "set by",
        "attached by",
        "uploaded",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let page = api.page(&format!("/admin/devices/{KEY}/effective?q=gmtOffset")).text();
    assert!(page.contains(&format!("<a href=\"/admin/sites/{site}\">site Berlin</a>")), "{page}");
    let page = api.page(&format!("/admin/devices/{KEY}/effective?show=overridden")).text();
    assert!(page.contains("Only on the phone") && page.contains("up.x.only") && !page.contains("prov.polling"), "{page}");
}

#[test]
fn the_page_is_searched_and_narrowed_by_its_address_alone() {
    let server = Server::start();
    let api = Api::owner(&server);
    let values = json!({ "x.unknown": "1", "lcl.datetime.time.24HourClock": "0", "reg.1.auth.password": "CANARY", "CONFIG_FILES": "https://files.example/a.cfg" });
    let global = profile(&api, "House rules", values);
    deploy(&api, "global", &[&global]);
    api.ok("POST", "/devices", Some(json!({ "key": KEY })));
    let shown = |query: &str| api.page(&format!("/admin/devices/{KEY}/effective?{query}")).text();
    let count =
        |query: &str| api.ok("GET", &format!("/devices/{KEY}/effective?{query}"), None)["rows"].as_array().map_or(0, Vec::len);
    assert!(shown("q=house+rules").contains("x.unknown") && count("q=house+rules") == 4);
    assert_eq!((count("q=CANARY"), count("show=unknown"), count("layer=global"), count("from=rule&layer=global")), (0, 1, 4, 0));
    assert!(shown("show=unknown").contains("not in the dictionary"));
    assert!(shown("show=differs").contains("default: <code>"), "{}", shown("show=differs"));
    let master = shown("show=master");
    assert!(master.contains("Master file") && master.contains("files.example") && !master.contains("prov.polling"), "{master}");
    assert!(shown("q=no.such.thing").contains("Nothing in its configuration matches"));
    assert_eq!(api.refused("GET", &format!("/devices/{KEY}/effective?show=x&from=y"), None).0, 422);
    assert_eq!(api.page(&format!("/admin/devices/{KEY}/effective?show=x&from=y")).status, 200);
}

#[test]
fn no_page_is_over_500_kb_whatever_the_profiles_hold() {
    let server = Server::start();
    let api = Api::owner(&server);
    let long = "<\"&'>".repeat(800);
    let ids: Vec<Value> = (0..12)
        .map(|n| {
            let values: serde_json::Map<String, Value> =
                (0..260).map(|i| (format!("dialplan.long.{i}"), json!(format!("{n}{long}")))).collect();
            profile(&api, &format!("Long {n}"), Value::Object(values))
        })
        .collect();
    deploy(&api, "global", &ids.iter().collect::<Vec<_>>());
    api.ok("POST", "/devices", Some(json!({ "key": KEY })));
    for query in ["", "per_page=200", "per_page=200&page=2", "q=long"] {
        let page = api.page(&format!("/admin/devices/{KEY}/effective?{query}")).text();
        assert!(page.len() < 500_000, "{query}: {} bytes", page.len());
    }
    let page = api.page(&format!("/admin/devices/{KEY}/effective?q=dialplan.long.77")).text();
    assert!(page.contains("<summary>11</summary>"), "one parameter alone shows all that it beats");
}

/// Boots a phone: it fetches its two files.
fn poll(server: &Server, seconds: i64) {
    server.advance(seconds);
    let phone = Phone::new(server);
    for file in [".cfg", "-profile.cfg"] {
        assert_eq!(phone.get(&format!("/{KEY}{file}")).status, 200);
    }
    server.flush();
}

#[test]
fn what_begins_with_device_stays_in_flash_until_it_is_served_anew() {
    let server = Server::start();
    let api = Api::owner(&server);
    let vlan = json!({ "device.net.vlanId": "7", "device.net.vlanId.set": "1", "device.auth.localUserPassword": "CANARY", "device.auth.localUserPassword.set": "1" });
    let vlan = profile(&api, "VLAN", vlan);
    deploy(&api, "global", &[&vlan]);
    poll(&server, 1);
    poll(&server, 3_600);
    let in_flash =
        || api.ok("GET", &format!("/devices/{KEY}/effective?show=flash"), None)["rows"].as_array().cloned().expect("rows");
    assert_eq!(in_flash(), [Value::Null; 0]);
    deploy(&api, "global", &[]);
    assert_eq!(in_flash(), [Value::Null; 0], "the phone has not come since");
    poll(&server, 3_600);

    let left = in_flash();
    let names: Vec<_> = left.iter().map(|row| row["name"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["device.auth.localUserPassword", "device.net.vlanId"], "{left:#?}");
    let vlan_row = &left[1];
    assert_eq!((&vlan_row["winner"]["value"], &vlan_row["file"]), (&json!("7"), &json!("phone")));
    let times = &vlan_row["winner"]["in_flash"];
    let at = |name: &str| times[name].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).expect("a time");
    assert!(at("since") < at("last_served") && at("last_served") < at("ceased"), "{times}");
    assert!(!format!("{left:?}").contains("CANARY"));
    let page = api.page(&format!("/admin/devices/{KEY}/effective")).text();
    assert!(page.contains("2 parameters are still in its flash"), "{page}");
    let page = api.page(&format!("/admin/devices/{KEY}/effective?show=flash")).text();
    assert!(page.contains("still in flash") && page.contains("was served so from") && !page.contains("CANARY"), "{page}");

    // It survives a restart, and goes when the parameter is served again or the device is deleted.
    let server = server.restarted();
    let api = Api::owner(&server);
    assert_eq!(row(&api, &format!("/devices/{KEY}/effective?show=flash"), "device.net.vlanId")["winner"]["kind"], "flash");
    deploy(&api, "global", &[&vlan]);
    let again = row(&api, &of_device("vlanId"), "device.net.vlanId");
    assert_eq!(layers(&again), pairs(&[("global", "7"), ("flash", "7")]), "it will take the place of what is in flash");
    poll(&server, 3_600);
    assert_eq!(layers(&row(&api, &of_device("vlanId"), "device.net.vlanId")), pairs(&[("global", "7")]));
    deploy(&api, "global", &[]);
    poll(&server, 3_600);
    api.ok("DELETE", &format!("/devices/{KEY}?removal=forget"), None);
    api.ok("POST", "/devices", Some(json!({ "key": KEY })));
    assert_eq!(api.ok("GET", &format!("/devices/{KEY}/effective?show=flash"), None)["rows"], json!([]));
}

#[test]
fn a_phone_that_is_not_there_is_explained_and_nothing_is_written() {
    let server = Server::start();
    let api = Api::owner(&server);
    let set = |name: &str, volume: &str| profile(&api, name, json!({ "voice.volume.persist.handset": volume }));
    let (by_group, by_default, at_site, own) =
        (set("By group", "group"), set("By default", "default"), set("At site", "site"), set("Own", "own"));
    let group = |name: &str| api.ok("POST", "/groups", Some(json!({ "name": name })))["id"].clone();
    let (desks, starters) = (group("Desks"), group("Starters"));
    deploy(&api, &format!("groups/{desks}"), &[&by_group]);
    deploy(&api, &format!("groups/{starters}"), &[&by_default]);
    api.ok("PUT", "/default-groups", Some(json!({ "groups": [starters], "shown": [] })));
    let site = json!({ "name": "Lisbon", "networks": [{ "public": "10.7.0.0/16", "private": [] }] });
    let site = api.ok("POST", "/sites", Some(site))["id"].clone();
    deploy(&api, &format!("sites/{site}"), &[&at_site]);

    let volume = |query: &str| layers(&row(&api, &format!("/what-if?{query}"), "voice.volume.persist.handset"));
    assert_eq!(volume("model=VVX+411"), pairs(&[("group", "default")]), "the default groups");
    assert_eq!(volume(&format!("groups={desks},{starters}")), pairs(&[("group", "group"), ("group", "default")]));
    assert_eq!(
        volume(&format!("groups={desks}&address=10.7.1.2&profiles={own}")),
        pairs(&[("device", "own"), ("site", "site"), ("group", "group")])
    );
    assert_eq!(api.refused("GET", "/what-if?groups=99&site=98&owner=person-97&profiles=x", None).0, 422);
    let file = api.call("GET", &format!("/what-if/parameters?site={site}&groups="), None);
    assert!(
        file.status == 200 && file.text().contains("voice.volume.persist.handset=\"site\"") && !file.text().contains("\"group\""),
        "{}",
        file.text()
    );
    let disposition = file.header("content-disposition").unwrap_or_default().to_owned();
    assert!(disposition.contains("0004f2000001-profile.cfg"), "{disposition}");

    let first = api.page("/admin/devices/what-if").text();
    assert!(first.contains("value=\"Starters\"") && !first.contains("What it would get"), "{first}");
    let page = api.page("/admin/devices/what-if?asked=1&group=desks&group=Starters&address=10.7.1.2&q=handset").text();
    for words in ["What it would get", "Lisbon", "device group Desks", "0004f2000001-profile.cfg", "value=\"desks\""] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let refused = api.page("/admin/devices/what-if?asked=1&group=Towers&site=Nowhere");
    assert!(refused.status == 422 && refused.text().contains("There is no device group “Towers”"), "{}", refused.text());
    let file = api.page("/admin/devices/what-if/parameters?asked=1&site=Lisbon").text();
    assert!(file.contains("voice.volume.persist.handset=\"site\"") && !file.contains("s3cret"), "{file}");
    assert_eq!(api.ok("GET", "/devices", None)["total"], 0);
    for page in ["/admin/devices", "/admin/deployment"] {
        assert!(api.page(page).text().contains("/admin/devices/what-if"), "{page}");
    }
}

#[test]
fn two_phones_are_compared_by_what_they_do_not_share() {
    let server = Server::start();
    let api = Api::owner(&server);
    let own = profile(&api, "Louder", json!({ "voice.volume.persist.handset": "1" }));
    api.ok("POST", "/devices", Some(json!({ "key": KEY, "profiles": [own] })));
    api.ok("POST", "/devices", Some(json!({ "key": "0004f2aabbdd", "name": "Hall" })));
    let found = api.ok("GET", &format!("/devices/{KEY}/compare/0004f2aabbdd"), None)["differences"].clone();
    let found = found.as_array().expect("a list");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["name"], &found[0]["left"]["value"], &found[0]["right"]),
        (&json!("voice.volume.persist.handset"), &json!("1"), &Value::Null)
    );
    let page = api.page(&format!("/admin/devices/{KEY}/compare?with=hall")).text();
    assert!(
        page.contains("voice.volume.persist.handset") && page.contains("does not have it") && page.contains("Louder"),
        "{page}"
    );
    assert!(api.page(&format!("/admin/devices/{KEY}/compare?with=nobody")).text().contains("There is no device"));
    assert_eq!(api.call("GET", &format!("/devices/{KEY}/compare/0004f2000000"), None).status, 404);
}
