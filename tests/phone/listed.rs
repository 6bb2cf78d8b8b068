//! Files that a master file names and that are not here: phones are never told 404, admins are told.

use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::commit::Mode;
use pdms::services::profiles;

use crate::support::api::{Api, json};
use crate::support::phone::Phone;
use crate::support::server::{Server, admin};

const MAC: &str = "0004f2aa0001";

#[test]
fn however_a_phone_writes_the_name_of_a_listed_file_it_is_503() {
    let server = Server::start();
    let lists = [
        ("CONFIG_FILES", "site.cfg, ./a//b.cfg, default/d.cfg, $mac_address-user.cfg, m/[PHONE_MODEL].cfg, office2024.cfg"),
        ("MISC_FILES", "logo.png,000000000000-license.cfg,$mac_address-web.cfg,$mac_address-core.gz"),
        ("SERVICE_FILES", "https://localhost/service.dat"),
        ("DECT_FILE_PATH", "3111-17823-001.dect.ld"),
        ("OVERRIDES_DIRECTORY", "over"),
    ];
    server.global_profile("Office", &lists);
    let phone = Phone::new(&server).tagged(Some(MAC));
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 200);
    for path in [
        "/site.cfg",
        "/SITE.CFG",
        "/s%69te.cfg",
        "/%73%69%74%65%2e%63%66%67",
        "/./site.cfg",
        "//site.cfg",
        "/default/site.cfg",
        "/site.cfg?x=1",
        "/a/b.cfg",
        "/d.cfg",
        "/default/default/d.cfg",
        "/0004f2aa0001-user.cfg",
        "/0004F2AA0001-USER.cfg",
        "/m/VVX500.cfg",
        "/office2024.cfg",
        "/logo.png",
        "/000000000000-license.cfg",
        "/0004f2aa0001-web.cfg",
        "/0004f2aa0001-core.gz",
        "/service.dat",
        "/3111-17823-001.dect.ld",
    ] {
        let answer = phone.get(path);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("3600")), "{path}");
        assert_eq!(phone.head(path).status, 503, "{path}");
    }
    for path in ["/other.cfg", "/a/site.cfg", "/over/0004f2aa0001-phone.cfg", "/swupdate/none/none/sip.ld", "/x.png"] {
        assert_eq!(phone.get(path).status, 404, "{path}");
    }
    // What the phone has stored by now is served, of course.
    assert_eq!(phone.put("/over/0004f2aa0001-web.cfg", b"<a/>").status, 201);
    assert_eq!(phone.get("/0004f2aa0001-web.cfg").body, b"<a/>");
}

/// A phone fetches its master file, an admin takes a file off the list, and the phone asks for it: it may not lose that file's
/// former values.
#[test]
fn a_file_that_was_taken_off_the_list_in_the_middle_of_a_boot_is_503_for_a_while() {
    let server = Server::start();
    let profile = server.global_profile("Office", &[("CONFIG_FILES", "site.cfg, $mac_address-user.cfg")]);
    let phone = Phone::new(&server).tagged(Some(MAC));
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 200);
    profiles::delete(&server.services, &admin(), DEFAULT_ACCOUNT, profile, Mode::Keep).expect("deleted");
    let paths = ["/site.cfg".to_owned(), format!("/{MAC}-user.cfg")];
    for path in &paths {
        assert_eq!(phone.get(path).status, 503, "{path}");
    }
    server.advance(31 * 60);
    for path in &paths {
        assert_eq!(phone.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_path_that_no_phone_could_ask_for_is_refused_wherever_it_is_given() {
    let server = Server::start();
    let api = Api::owner(&server);
    let new = |value: &str| serde_json::json!({ "name": "Office", "parameters": { "CONFIG_FILES": value } });
    for value in ["a b.cfg", "a?b.cfg", "x.cfg#y", "../x.cfg", "a%20b.cfg", "gopher://h/x.cfg", "admin/x.cfg", "/"] {
        let (status, fields) = api.refused("POST", "/profiles", Some(new(value)));
        assert_eq!((status, fields[0].0.as_str()), (422, "parameters"), "{value}");
        assert!(fields[0].1.contains("CONFIG_FILES"), "{}", fields[0].1);
    }
    let made = api.ok("POST", "/profiles", Some(new("https://files.example.test/dir/f.cfg")));
    assert_eq!(made["warnings"], serde_json::json!([]));
    let file = br#"<x CONFIG_FILES="a b.cfg" up.timeOut="41"/>"#;
    let path = format!("/profiles/{}/import?revision=1&dry_run=true", made["id"]);
    let shown = json(&api.send("POST", &path, file));
    assert_eq!(shown["refused"][0]["name"], "CONFIG_FILES");
    assert_eq!(shown["added"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_file_that_is_not_here_is_told_wherever_its_profile_is_worked_with() {
    let server = Server::start();
    let api = Api::owner(&server);
    let told = |answer: &serde_json::Value| {
        let warnings = answer["warnings"].as_array().expect("a list").clone();
        warnings.iter().any(|one| one.as_str().is_some_and(|text| text.contains("“site.cfg”") && text.contains("take it out")))
    };
    let new = serde_json::json!({ "name": "Office", "parameters": { "CONFIG_FILES": "site.cfg" } });
    let made = api.ok("POST", "/profiles?dry_run=true", Some(new.clone()));
    assert!(told(&made), "a dry run: {made}");
    let made = api.ok("POST", "/profiles", Some(new));
    assert!(told(&made), "created: {made}");
    let imported = json(&api.send("POST", "/profiles/import?name=Other", br#"<x CONFIG_FILES="site.cfg"/>"#));
    assert!(told(&imported["profile"]), "imported: {imported}");
    let attached = api.ok("PUT", "/deployment/global", Some(serde_json::json!({ "profiles": [made["id"]], "shown": [] })));
    assert!(told(&attached), "attached: {attached}");
    Phone::new(&server).get(&format!("/{MAC}.cfg"));
    let effective = api.ok("GET", &format!("/devices/{MAC}/effective"), None);
    assert!(told(&effective), "effective: {effective}");
}
