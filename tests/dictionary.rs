//! The dictionary of parameters from outside: search, and what is told of odd names and values, which is never refused (R122, R137–R142).

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::server::Server;

fn odd() -> Value {
    json!({ "up.idletimeout": "10", "up.timeOuts": "1", "lcl.datetime.time.24HourClock": "yes", "voice.volume.persist.handset": "1" })
}

fn csrf(page: &str) -> String {
    page.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next()).expect("a token").to_owned()
}

#[test]
fn parameters_are_searched_from_two_characters_on() {
    let server = Server::start();
    let api = Api::owner(&server);
    let found = api.ok("GET", "/schema/parameters?q=reg.12.addr", None);
    assert_eq!(found["total"], 0, "a part of an index finds nothing: {found}");
    let found = api.ok("GET", "/schema/parameters?q=REG.12.address", None);
    assert_eq!((&found["items"][0]["name"], &found["items"][0]["indexed"]), (&json!("reg.1.address"), &json!(true)));
    let found = api.ok("GET", "/schema/parameters?q=lcl.datetime.time.24hour&per_page=5", None);
    let first = &found["items"][0];
    assert_eq!((&first["name"], &first["kind"]), (&json!("lcl.datetime.time.24HourClock"), &json!("switch")));
    assert!(first["description"].as_str().is_some_and(|text| !text.is_empty()), "{first}");
    assert_eq!(api.refused("GET", "/schema/parameters?q=r", None).1[0].0, "q");
    assert!(api.ok("GET", "/schema/parameters?per_page=1", None)["total"].as_u64() > Some(3_000));
    assert_eq!(api.ok("GET", "/schema/parameters/reg.7.address", None)["name"], "reg.1.address");
    assert_eq!(api.call("GET", "/schema/parameters/no.such.thing", None).status, 404);
}

#[test]
fn odd_names_and_values_are_told_and_taken() {
    let server = Server::start();
    let api = Api::owner(&server);
    let made = api.ok("POST", "/profiles", Some(json!({ "name": "Odd", "parameters": odd() })));
    let advice = made["advice"].as_array().expect("a list");
    let kind = |name: &str| advice.iter().find(|one| one["parameter"] == name).map(|one| one["kind"].clone());
    assert_eq!(kind("up.idletimeout"), Some(json!("spelling")));
    assert_eq!(kind("up.timeOuts"), Some(json!("unknown")));
    assert_eq!(kind("lcl.datetime.time.24HourClock"), Some(json!("value")));
    assert_eq!((kind("voice.volume.persist.handset"), advice.len()), (None, 3), "{advice:?}");

    let path = format!("/admin/profiles/{}", made["id"]);
    let page = api.page(&path).text();
    for words in
        ["1 (on) or 0 (off) is expected", "Written up.idleTimeout", "not in the dictionary</span>", "What it does", "A change "]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    let editing = api.page(&format!("{path}?edit=lcl.datetime.time.24HourClock")).text();
    assert!(editing.contains("<option value=\"0\"></option>"), "{editing}");
    let file = b"<a up.idleTimeout=\"soon\" lcl.datetime.time.24HourClock=\"1\"/>";
    let tried = api.send("POST", &format!("/profiles/{}/import?revision=1&dry_run=true", made["id"]), file);
    assert!(tried.status == 200 && tried.text().contains("\"parameter\":\"up.idleTimeout\""), "{}", tried.text());
    let csrf = csrf(&page);
    let pasted = api.form(&format!("{path}/paste"), &json!({ "csrf": csrf, "xml": String::from_utf8_lossy(file) }));
    assert_eq!(pasted.status, 303, "{}", pasted.text());
    let preview = api.page(pasted.header("location").expect("a preview")).text();
    assert!(preview.contains("A whole number") && !preview.contains("Written up.idleTimeout"), "of the file alone: {preview}");

    api.ok("PUT", "/deployment/global", Some(json!({ "profiles": [made["id"]], "shown": [] })));
    api.ok("POST", "/devices", Some(json!({ "key": "0004f2aabbcc" })));
    let rows = api.ok("GET", "/devices/0004f2aabbcc/effective", None)["rows"].clone();
    let row = |name: &str| rows.as_array().expect("rows").iter().find(|row| row["name"] == name).cloned().expect("a row");
    assert_eq!(row("lcl.datetime.time.24HourClock")["advice"]["kind"], "value");
    assert_eq!(row("voice.volume.persist.handset")["advice"], Value::Null);
    let effective = api.page("/admin/devices/0004f2aabbcc/effective?q=24HourClock").text();
    assert!(effective.contains("1 (on) or 0 (off) is expected") && effective.contains("What it does"), "{effective}");
}

#[test]
fn a_standard_field_is_found_and_added_without_a_script() {
    let server = Server::start();
    let api = Api::owner(&server);
    let made = api.ok("POST", "/profiles", Some(json!({ "name": "Office" })));
    let path = format!("/admin/profiles/{}", made["id"]);
    assert!(api.page(&path).text().contains(&format!("action=\"{path}/fields\"")));
    assert!(api.page(&format!("{path}/fields?q=r")).text().contains("at least two characters"));
    assert!(api.page(&format!("{path}/fields?q=no.such.thing")).text().contains("no such parameter"));
    let found = api.page(&format!("{path}/fields?q=24HourClock")).text();
    assert!(found.contains("<option>1</option>") && found.contains("not there"), "{found}");
    let indexed = api.page(&format!("{path}/fields?q=reg.3.displayName")).text();
    assert!(indexed.contains("value=\"reg.3.displayName\""), "{indexed}");
    let here = format!("{path}/fields?q=24HourClock");
    let fields = json!({ "csrf": csrf(&found), "revision": "1", "here": here, "do": "add", "new_name": "lcl.datetime.time.24HourClock", "new_value": "2" });
    let saved = api.form(&format!("{path}/parameters"), &fields);
    assert_eq!(saved.status, 303, "{}", saved.text());
    let again = api.page(saved.header("location").expect("a next page")).text();
    assert!(again.contains("is added") && again.contains("1 (on) or 0 (off) is expected"), "told at once: {again}");
    assert!(again.contains("Change<span"), "{again}");
}
