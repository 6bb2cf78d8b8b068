//! Uploaded schemas from outside: shown before they count, the way back, checks by them, and side by side for families (R137–R143).

use std::path::Path;

use actix_web::test::TestRequest;
use serde_json::json;

use crate::support::api::{Api, json as json_of};
use crate::support::browser::{Answer, Browser, Site};
use crate::support::server::Server;

/// A small schema as the vendor writes them: another range than the dictionary's, a new name, and an index.
const SMALL: &str = r#"<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<xsd:simpleType name="UInt_0_9"><xsd:restriction base="xsd:nonNegativeInteger"><xsd:minInclusive value="0"/><xsd:maxInclusive value="9"/></xsd:restriction></xsd:simpleType>
<xsd:attribute name="up.idleTimeout" type="UInt_0_9"/>
<xsd:attribute name="site.own.1.thing" type="xsd:boolean"/>
<xsd:attribute name="site.own.2.thing" type="xsd:boolean"/>
</xsd:schema>"#;

fn query(name: &str, more: &str) -> String {
    format!("/schema/uploads?name={name}{more}")
}

#[test]
fn a_schema_counts_once_it_is_accepted_and_there_is_a_way_back() {
    let server = Server::start();
    let api = Api::owner(&server);
    let takes = |name: &str| api.call("GET", &format!("/schema/parameters/{name}"), None);
    assert_eq!(takes("site.own.1.thing").status, 404);
    let tried = api.send("POST", &query("Small", "&dry_run=true"), SMALL.as_bytes());
    assert_eq!(tried.status, 200, "{}", tried.text());
    assert!(tried.text().contains("\"added\":1") && tried.text().contains("site.own.1.thing"), "{}", tried.text());
    assert_eq!(takes("site.own.1.thing").status, 404, "a dry run changes nothing");
    let taken = api.send("POST", &query("Small", ""), SMALL.as_bytes());
    assert_eq!(taken.status, 201, "{}", taken.text());

    let both = api.ok("GET", "/schema/parameters/up.idleTimeout", None);
    assert_eq!((&both["max"], both["description"] != ""), (&json!(9), true), "the words stay ours: {both}");
    let family = api.ok("GET", "/schema/parameters?q=site.own", None);
    assert_eq!((&family["total"], &family["items"][0]["indexed"]), (&json!(1), &json!(true)), "{family}");
    assert_eq!(api.ok("GET", "/schema/parameters/reg.3.address", None)["name"], "reg.1.address", "the dictionary lies below");
    let made = api.ok("POST", "/profiles", Some(json!({ "name": "A", "parameters": { "up.idleTimeout": "12" } })));
    assert_eq!(made["advice"][0]["kind"], "value", "{made}");

    let shown = api.ok("GET", "/schema", None);
    assert_eq!((&shown["previous"], &shown["uploads"][0]["parameters"]), (&json!(0), &json!(3)), "{shown}");
    assert_eq!(api.refused("POST", "/schema/rollback", Some(json!({ "revision": 99 }))).0, 409);
    let server = server.restarted();
    let api = Api::owner(&server);
    assert_eq!(api.ok("GET", "/schema/parameters/up.idleTimeout", None)["max"], 9, "kept over a restart");
    let back = api.ok("POST", "/schema/rollback", Some(json!({ "revision": shown["revision"] })));
    assert_eq!((&back["current"], &back["previous"]), (&json!(0), &shown["current"]));
    assert_eq!(api.call("GET", "/schema/parameters/site.own.1.thing", None).status, 404);
    let id = &shown["current"];
    assert_eq!(api.ok("DELETE", &format!("/schema/uploads/{id}"), None)["name"], "Small");
    assert_eq!(api.ok("GET", "/schema", None)["previous"], json!(null));
}

#[test]
fn values_that_the_schema_rules_out_are_refused_where_that_is_wanted() {
    let server = Server::start();
    let api = Api::owner(&server);
    let profile =
        |name: &str, value: &str| json!({ "name": name, "parameters": { "up.idleTimeout": value, "no.such.name": "1" } });
    let odd = api.ok("POST", "/profiles", Some(profile("Odd", "soon")));
    let revision = api.ok("GET", "/schema", None)["revision"].clone();
    api.ok("PATCH", "/schema", Some(json!({ "refuse": true, "revision": revision })));
    let (status, errors) = api.refused("POST", "/profiles", Some(profile("Odder", "soon")));
    assert_eq!((status, errors[0].0.as_str()), (422, "parameters"), "{errors:?}");
    assert!(errors[0].1.contains("up.idleTimeout: a whole number"), "{errors:?}");
    api.ok("POST", "/profiles", Some(profile("Good", "5")));
    let path = format!("/profiles/{}", odd["id"]);
    let change = |set: serde_json::Value| json!({ "revision": 1, "set": set });
    assert_eq!(api.refused("PATCH", &path, Some(change(json!({ "up.idleTimeout": "later" })))).0, 422);
    let file = b"mac_address,up.idleTimeout\n0004f2a11a01,later\n0004f2a11a02,3\n";
    let taken = json_of(&api.send("POST", "/devices/import", file));
    assert_eq!((&taken["added"], &taken["refused"]), (&json!(1), &json!(1)), "{taken}");
    assert!(taken["items"][0]["errors"][0]["message"].to_string().contains("up.idleTimeout"), "{taken}");
    let file = b"<a up.idleTimeout=\"later\"/>";
    let import = api.send("POST", &format!("{path}/import?revision=1"), file);
    assert_eq!(import.status, 422, "{}", import.text());
    let page = api.page(&format!("/admin{path}")).text();
    let csrf = page.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next()).expect("a token");
    let fields = json!({ "csrf": csrf, "revision": "1", "do": "add", "new_name": "up.idleTimeout", "new_value": "x" });
    let saved = api.form(&format!("/admin{path}/parameters"), &fields);
    assert!(saved.status == 422 && saved.text().contains("a whole number"), "{}", saved.text());
    let kept = api.ok("PATCH", &path, Some(json!({ "revision": 1, "description": "what stands there may stay" })));
    assert_eq!(kept["parameters"]["up.idleTimeout"], "soon");
}

#[test]
fn a_small_schema_over_the_dictionary_takes_nothing_away_and_says_what_counts_then() {
    let server = Server::start();
    let api = Api::owner(&server);
    let known = api.ok("GET", "/schema", None)["parameters"].as_u64().expect("a number");
    let tried = json_of(&api.send("POST", &query("Small", "&dry_run=true"), SMALL.as_bytes()));
    assert_eq!((&tried["removed"], &tried["removed_names"]), (&json!(0), &json!([])), "{tried}");
    let (counting, of_dictionary) = (tried["counting"].as_u64(), tried["of_dictionary"].as_u64());
    assert!(counting.is_some_and(|counting| counting >= known), "{tried}");
    assert!(of_dictionary > Some(0) && of_dictionary < counting, "{tried}");
    api.send("POST", &query("Small", ""), SMALL.as_bytes());
    assert_eq!(api.ok("GET", "/schema", None)["parameters"].as_u64(), counting, "what was said is so");
    let own = SMALL.replace("up.", "down.");
    let next = json_of(&api.send("POST", &query("Next", "&dry_run=true"), own.as_bytes()));
    assert!(next["removed"].as_u64() < Some(known), "only what the former schema alone had: {next}");
}

#[test]
fn a_schema_of_a_family_advises_about_its_devices_alone() {
    let server = Server::start();
    let api = Api::owner(&server);
    let wrong = api.send("POST", &query("VVX", "&beside=true"), SMALL.as_bytes());
    assert!(wrong.status == 422 && wrong.text().contains("family"), "{}", wrong.text());
    let taken = api.send("POST", &query("VVX%205.9", "&beside=true&family=VVX"), SMALL.as_bytes());
    assert_eq!(taken.status, 201, "{}", taken.text());
    assert_eq!(api.ok("GET", "/schema", None)["current"], 0);
    let made = api.ok("POST", "/profiles", Some(json!({ "name": "G", "parameters": { "lcl.datetime.time.24HourClock": "1" } })));
    api.ok("PUT", "/deployment/global", Some(json!({ "profiles": [made["id"]], "shown": [] })));
    api.ok("POST", "/devices", Some(json!([{ "key": "0004f2aabbcc", "family": "VVX" }, { "key": "0004f2aabbcd" }])));
    let advice = |key: &str| {
        let rows = api.ok("GET", &format!("/devices/{key}/effective"), None)["rows"].clone();
        let row =
            rows.as_array().and_then(|rows| rows.iter().find(|row| row["name"] == "lcl.datetime.time.24HourClock")).cloned();
        row.expect("a row")["advice"].clone()
    };
    assert_eq!(advice("0004f2aabbcc")["kind"], "not-in-schema");
    assert!(advice("0004f2aabbcc").to_string().contains("not known in VVX 5.9"), "{}", advice("0004f2aabbcc"));
    assert_eq!(advice("0004f2aabbcd"), json!(null));
    let page = api.page("/admin/devices/0004f2aabbcc/effective?q=24HourClock").text();
    assert!(page.contains("Not known in VVX 5.9"), "{page}");
}

/// What is hostile or too large changes nothing, fetches nothing, and leaves what counts (PRS-06).
#[test]
fn hostile_schemas_change_nothing() {
    let server = Server::start();
    let api = Api::owner(&server);
    let schema = |inside: &str| format!("<xsd:schema xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">{inside}</xsd:schema>");
    let circle =
        "<xsd:simpleType name=\"A\"><xsd:restriction base=\"A\"/></xsd:simpleType><xsd:attribute name=\"a.b\" type=\"A\"/>";
    let deep = "<xsd:element>".repeat(5_000) + &"</xsd:element>".repeat(5_000);
    for wrong in [schema(circle), schema(&deep), "<a/>".to_owned(), schema("<xsd:attribute name=\"a.b\" type=\"Nothing\"/>")] {
        let answer = api.send("POST", &query("Bad", ""), wrong.as_bytes());
        assert!(answer.status == 422 && answer.text().contains("line 1"), "{}", answer.text());
    }
    let too_large = vec![b' '; 17 * 1024 * 1024];
    assert_eq!(api.send("POST", &query("Large", ""), &too_large).status, 413);
    assert_eq!(api.ok("GET", "/schema", None)["uploads"], json!([]));
    let import = "<xsd:import schemaLocation=\"http://127.0.0.1:9/x\"/><xsd:attribute name=\"a.b\" maxOccurs=\"99999999\"/>";
    assert_eq!(api.send("POST", &query("Import", ""), schema(import).as_bytes()).status, 201);
}

async fn upload(browser: &mut Browser, file: &str) -> Answer {
    let token = browser.token().await;
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--b\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"polycomConfig.xsd\"\r\nContent-Type: text/xml\r\n\r\n{file}\r\n--b--\r\n"
    );
    let request = TestRequest::post().insert_header(("content-type", "multipart/form-data; boundary=b")).set_payload(body);
    let answer = browser.send(request, "/admin/provisioning/schema/upload").await;
    let next = answer.header("location").to_owned();
    if next.is_empty() { answer } else { browser.get(&next).await }
}

#[actix_web::test]
async fn an_admin_uploads_looks_accepts_and_goes_back() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let known = |name: &str| {
        site.services.world(pdms::domain::ids::DEFAULT_ACCOUNT).expect("a world").schemas.current().find(name).is_some()
    };
    let wrong = upload(&mut browser, "<a>\n<b").await;
    assert!(wrong.status == 422 && wrong.body.contains("Line 2, column 3"), "{}", wrong.body);
    let evil = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>";
    assert_eq!(upload(&mut browser, evil).await.status, 422);
    let shown = upload(&mut browser, SMALL).await;
    assert!(shown.body.contains("3 parameters in all") && shown.body.contains("site.own.1.thing"), "{}", shown.body);
    assert!(shown.body.contains("Another type or range") && shown.body.contains("a whole number from 0 to 9"), "{}", shown.body);
    assert!(!known("site.own.1.thing"), "nothing is changed yet");
    let here = browser.path.clone();
    let beside = [("do", "accept"), ("name", "Small"), ("purpose", "beside"), ("family", ""), ("version", "")];
    let refused = browser.post(&here, &beside).await;
    assert!(refused.status == 422 && refused.body.contains("hoose the family"), "{}", refused.body);
    let all = [("do", "accept"), ("name", "Small"), ("purpose", "everything"), ("family", ""), ("version", "5.9")];
    browser.post(&here, &all).await;
    assert!(known("site.own.1.thing"));
    let page = browser.get("/admin/provisioning/schema").await;
    assert!(page.body.contains("Go back to the dictionary of pdms") && page.body.contains("in use</span>"), "{}", page.body);
    let back = browser.post("/admin/provisioning/schema", &[("do", "back"), ("revision", "1")]).await;
    assert!(!known("site.own.1.thing"), "{}", back.body);
}

/// Every real schema loads, or is told with line and column; a search over the largest looks through little.
#[test]
fn real_schemas_load() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/xsd");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: the real schemas are not there");
        return;
    };
    let server = Server::start();
    let api = Api::owner(&server);
    for (number, file) in files.enumerate() {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("readable");
        let is_broken = path.to_string_lossy().contains("x30_videocodec");
        let answer = api.send("POST", &query(&format!("Real%20{number}"), ""), &bytes);
        match is_broken {
            true => assert!(answer.status == 422 && answer.text().contains("line 3470, column"), "{}", answer.text()),
            false => assert_eq!(answer.status, 201, "{}: {}", path.display(), answer.text()),
        }
        let bytes = server.world().schemas.current().searched_bytes();
        assert!(bytes < 8 * 1024 * 1024, "{}: one search looks through {bytes} bytes", path.display());
    }
    let kept = api.ok("GET", "/schema", None)["uploads"].as_array().map(Vec::len);
    assert_eq!(kept, Some(2), "the one that counts and the one before");
}
