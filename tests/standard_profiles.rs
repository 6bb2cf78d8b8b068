//! Standard profiles from outside: listed, attached as they are, never changed, copied with what a template asks for (R111–R114).

use serde_json::{Value, json};

use pdms::catalog::standard::standard_profiles;

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::{PASSWORD, Server, USER};

/// The number of a standard profile.
fn id(name: &str) -> u64 {
    standard_profiles().get(name).unwrap_or_else(|| panic!("no profile {name}")).id().0
}

fn attach(api: &Api, id: u64) -> Value {
    json!({ "profiles": [id], "shown": api.ok("GET", "/deployment/global", None)["shown"] })
}

#[test]
fn they_are_listed_beside_own_ones_and_reach_phones_as_they_are() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/profiles", Some(json!({ "name": "Office" })));
    let total = |query: &str| api.ok("GET", &format!("/profiles{query}"), None)["total"].as_u64().expect("a number");
    let all = standard_profiles().len() as u64;
    assert_eq!((total("?kind=standard"), total("?kind=user"), total("?kind=user-defined"), total("")), (all, 1, 1, all + 1));

    let clock = id("Clock-24-Hour");
    let shown = api.ok("GET", &format!("/profiles/{clock}"), None);
    assert_eq!((&shown["kind"], &shown["template"]), (&json!("standard"), &json!(false)));
    assert!(shown["standard"]["source"].as_str().is_some_and(|source| !source.is_empty()), "{shown}");
    let attached = api.ok("PUT", "/deployment/global", Some(attach(&api, clock)));
    assert_eq!(attached["profiles"][0]["name"], "Clock-24-Hour");
    let phone = Phone::new(&server).with_credentials(USER, PASSWORD);
    assert_eq!(phone.get("/0004f2aabbcc.cfg").status, 200);
    let file = phone.get("/0004f2aabbcc-profile.cfg").text();
    assert!(file.contains("lcl.datetime.time.24HourClock=\"1\""), "{file}");
    assert_eq!(api.ok("GET", &format!("/profiles/{clock}/uses"), None)["affected"], 1);
    let effective = api.ok("GET", "/devices/0004f2aabbcc/effective", None).to_string();
    assert!(effective.contains("Clock-24-Hour") && effective.contains(&clock.to_string()), "{effective}");
    let page = api.page("/admin/devices/0004f2aabbcc/effective?q=24HourClock").text();
    assert!(page.contains(&format!("/admin/profiles/{clock}")) && page.contains("Clock-24-Hour"), "{page}");

    let server = server.restarted();
    let again = Phone::new(&server).with_credentials(USER, PASSWORD).get("/0004f2aabbcc-profile.cfg").text();
    assert!(again.contains("lcl.datetime.time.24HourClock=\"1\""), "attachments are kept: {again}");
}

#[test]
fn they_are_read_only_and_their_names_are_taken() {
    let server = Server::start();
    let api = Api::owner(&server);
    let clock = id("Clock-24-Hour");
    let at = format!("/profiles/{clock}");
    for (method, path, body) in [
        ("PATCH", at.clone(), json!({ "revision": 1, "set": { "up.timeOut": "40" } })),
        ("PUT", at.clone(), json!({ "revision": 1, "name": "Mine" })),
        ("DELETE", at.clone(), Value::Null),
        ("POST", "/profiles/delete".to_owned(), json!({ "ids": [clock] })),
    ] {
        let refused = api.call(method, &path, Some(body).filter(|body| !body.is_null()));
        assert_eq!(refused.status, 409, "{method} {path}: {}", refused.text());
        assert!(refused.text().contains("Copy it"), "{}", refused.text());
    }
    assert_eq!(api.send("POST", &format!("{at}/import?revision=1"), b"<a up.timeOut='40'/>").status, 409);
    for page in ["", "/parameters", "/paste"] {
        let fields = json!({ "csrf": csrf(&api), "revision": "1", "do": "add", "new_name": "a", "new_value": "1", "xml": "<a/>", "name": "X" });
        let told = api.form(&format!("/admin{at}{page}"), &fields);
        assert_eq!(told.status, 409, "{page}: {}", told.text());
        assert!(told.text().contains("Copy it"), "{}", told.text());
    }
    assert_eq!(api.page(&format!("/admin/profiles/delete?select={clock}")).status, 409);

    let (status, fields) = api.refused("POST", "/profiles", Some(json!({ "name": "CLOCK-24-hour" })));
    assert_eq!((status, fields[0].0.as_str()), (422, "name"));
    assert!(fields[0].1.contains("standard profile"), "{fields:?}");
    let copy = api.ok("POST", &format!("{at}/copy"), Some(json!({ "name": "Our clock" })));
    assert_eq!((&copy["kind"], &copy["parameters"]["lcl.datetime.time.24HourClock"]), (&json!("user-defined"), &json!("1")));
    let renamed = json!({ "revision": 1, "name": "Clock-24-HOUR" });
    assert_eq!(api.refused("PATCH", &format!("/profiles/{}", copy["id"]), Some(renamed)).0, 422);
}

/// A token for forms, from any page that has one.
fn csrf(api: &Api) -> String {
    let page = api.page("/admin/profiles/add").text();
    page.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next()).expect("a token").to_owned()
}

#[test]
fn r113_and_r114_a_template_is_copied_with_what_it_asks_for_and_never_attached() {
    let server = Server::start();
    let api = Api::owner(&server);
    let template = id("AdminPassword-Change-TEMPLATE");
    let (status, fields) = api.refused("PUT", "/deployment/global", Some(attach(&api, template)));
    assert_eq!((status, fields[0].0.as_str()), (422, "profiles"));
    assert!(fields[0].1.contains("Copy it"), "{fields:?}");
    let (status, fields) = api.refused("POST", "/devices", Some(json!({ "key": "0004f2aabbcc", "profiles": [template] })));
    assert_eq!((status, fields[0].0.as_str()), (422, "profiles"));

    let shown = api.ok("GET", &format!("/profiles/{template}"), None);
    assert_eq!((&shown["template"], &shown["standard"]["inputs"][0]["kind"]), (&json!(true), &json!("secret")));
    let copy = format!("/profiles/{template}/copy");
    for (inputs, words) in [
        (json!({}), "fill in"),
        (json!({ "admin_password": "456" }), "refused"),
        (json!({ "admin_password": "12345" }), "at least 6"),
    ] {
        let (status, fields) = api.refused("POST", &copy, Some(json!({ "name": "Clock-24-Hour", "inputs": inputs })));
        assert_eq!((status, fields.len()), (422, 2), "{fields:?}");
        let of =
            |field: &str| fields.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone()).unwrap_or_default();
        assert!(of("inputs.admin_password").contains(words), "{fields:?}");
        assert!(of("name").contains("standard profile"), "{fields:?}");
    }
    let (status, fields) = api.refused("POST", &copy, Some(json!({ "name": "A", "inputs": { "pasword": "1" } })));
    assert_eq!((status, fields[0].0.as_str()), (422, "inputs"));
    assert!(fields[0].1.contains("admin_password"), "{fields:?}");
    let plain = format!("/profiles/{}/copy", id("Clock-24-Hour"));
    assert_eq!(api.refused("POST", &plain, Some(json!({ "name": "A", "inputs": { "x": "1" } }))).1[0].0, "inputs");

    let filled = json!({ "name": "Our admin password", "inputs": { "admin_password": "CANARY_812" } });
    let tried = api.ok("POST", &format!("{copy}?dry_run=true"), Some(filled.clone()));
    assert_eq!(tried["parameters"]["device.auth.localAdminPassword.set"], "1");
    let made = api.ok("POST", &copy, Some(filled));
    assert!(!made.to_string().contains("CANARY"), "{made}");
    let made = made["id"].as_u64().expect("a number");
    api.ok("PUT", "/deployment/global", Some(attach(&api, made)));
    let phone = Phone::new(&server).with_credentials(USER, PASSWORD);
    assert_eq!(phone.get("/0004f2aabbcc.cfg").status, 200);
    assert!(phone.get("/0004f2aabbcc-profile.cfg").text().contains("CANARY_812"));
}

#[test]
fn the_form_of_a_template_has_its_errors_beside_its_fields() {
    let server = Server::start();
    let api = Api::owner(&server);
    let path = format!("/admin/profiles/{}/copy", id("Network-VLAN-ID-TEMPLATE"));
    let asked = api.page(&path).text();
    assert!(asked.contains("Number of the voice VLAN") && asked.contains("name=\"input-vlan\""), "{asked}");
    let refused = api.form(&path, &json!({ "csrf": csrf(&api), "name": "Voice VLAN", "input-vlan": "4095" }));
    assert_eq!(refused.status, 422);
    let text = refused.text();
    assert!(
        text.contains("id=\"f-input-vlan-error\"") && text.contains("from 1 to 4094") && text.contains("value=\"4095\""),
        "{text}"
    );
    let made = api.form(&path, &json!({ "csrf": csrf(&api), "name": "Voice VLAN", "input-vlan": "20" }));
    assert_eq!(made.status, 303, "{}", made.text());
    let page = api.page(made.header("location").expect("a next page")).text();
    assert!(page.contains("device.net.vlanId") && page.contains("User Defined"), "{page}");

    let secret = format!("/admin/profiles/{}/copy", id("AdminPassword-Change-TEMPLATE"));
    let fields = json!({ "csrf": csrf(&api), "name": "", "secret-admin_password": "CANARY_812" });
    let refused = api.form(&secret, &fields);
    assert_eq!(refused.status, 422);
    assert!(!refused.text().contains("CANARY"), "a secret is typed again");
}

#[test]
fn their_pages_tell_what_they_do_and_offer_to_copy() {
    let server = Server::start();
    let api = Api::owner(&server);
    let list = api.page("/admin/profiles?kind=standard&q=clock").text();
    assert!(list.contains("Clock-24-Hour") && !list.contains("name=\"select\""), "{list}");
    assert!(api.page("/admin/profiles?kind=standard-and-user-defined").text().contains("Standard"));
    let page = api.page(&format!("/admin/profiles/{}", id("Clock-24-Hour"))).text();
    for words in ["24HourClock", "Documents say so", "VVX", "4.0.15 or later", "/copy\"", "Nowhere yet", "What it does"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("#add") && !page.contains("Delete…"), "{page}");
    let page = api.page(&format!("/admin/profiles/{}", id("AdminPassword-Change-TEMPLATE"))).text();
    assert!(page.contains("cannot be attached, only copied") && page.contains("Administrator password"), "{page}");
    let deployment = api.page("/admin/deployment").text();
    assert!(
        deployment.contains("Standard profiles") && deployment.contains("AdminPassword-Change-TEMPLATE (copy it first)"),
        "{deployment}"
    );
    assert!(!api.page("/admin/devices/add").text().contains("-TEMPLATE"));
}
