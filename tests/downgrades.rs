//! Changes that choose older software than devices run: told before, allowed with the change or later, and never done without that
//! (contract 5.12).

use serde_json::{Value, json};

use pdms::domain::provision::master::NO_IMAGE;

use crate::software::{KEY, LAST, PART, choose, image, named, path_of, running, told};
use crate::support::api::Api;
use crate::support::confirmation;
use crate::support::phone::{Phone, Response};
use crate::support::server::Server;

const OLDER: &str = "5.9.7.4477";
const OLDEST: &str = "5.9.6.1";
const OTHER: &str = "0004f2aabbcd";

/// A server with images of both older versions, and a phone that runs a later one.
fn furnished() -> (Server, Api, Phone) {
    let server = Server::start();
    let api = Api::owner(&server);
    image(&server, 1, OLDER, &[PART]);
    image(&server, 2, OLDEST, &[PART]);
    let phone = running(&server, LAST);
    assert_eq!(named(&phone), NO_IMAGE, "nobody chooses");
    server.flush();
    (server, api, phone)
}

/// Says yes on a page that asked, also to the older software where that is ticked.
fn confirm(api: &Api, path: &str, asked: &Response, ticked: bool) -> Response {
    let [(form, word), (mark, shown)] = confirmation(&asked.text()).expect("a page that asks");
    let mut fields = json!({ form: word, mark: shown });
    if ticked {
        fields["impact_downgrades"] = json!("yes");
    }
    api.form_once(path, &fields)
}

fn step(api: &Api) -> Value {
    told(api)["chosen"][0]["step"].clone()
}

/// The form by which a profile that chooses nothing yet chooses a version.
fn choice(api: &Api, profile: &str, version: &str) -> Value {
    let revision = api.ok("GET", profile, None)["revision"].to_string();
    json!({ "revision": revision, "software-VVX": version })
}

#[test]
fn a_change_that_chooses_older_software_asks_whether_devices_may_go_back_and_does_it_with_the_change() {
    let (server, api, phone) = furnished();
    let made = api.ok("POST", "/profiles", Some(json!({ "name": "Chosen" })));
    api.ok("PUT", "/deployment/global", Some(json!({ "profiles": [made["id"]], "shown": [] })));
    let profile = format!("/profiles/{}", made["id"]);
    let page = format!("/admin{profile}/software");

    let asked = api.form_once(&page, &choice(&api, &profile, OLDER));
    let shown = asked.text();
    let sentence = format!("1 VVX device runs {LAST} and would go back to {OLDER}: it keeps what it runs until you allow it.");
    assert!(shown.contains(&sentence), "{shown}");
    let (_, tick) = shown.split_once("name=\"impact_downgrades\"").expect("a box to tick");
    assert!(!tick.split('>').next().expect("its end").contains("checked"), "nobody has said so yet: {tick}");
    assert!(confirm(&api, &page, &asked, false).status == 303);
    assert_eq!((named(&phone), step(&api)), (NO_IMAGE.to_owned(), json!("needs-consent")), "it was not ticked");

    let asked = api.form_once(&page, &choice(&api, &profile, OLDEST));
    assert!(asked.text().contains(&format!("would go back to {OLDEST}")), "another version is asked about anew");
    assert!(confirm(&api, &page, &asked, true).status == 303);
    assert_eq!((named(&phone), step(&api)), (path_of(OLDEST), json!("serve")), "it was ticked");
    let log = api.ok("GET", "/activity", None)["items"].clone();
    assert!(log[0].to_string().contains("may go back to older software") && log[0].to_string().contains(LAST), "{log}");
    let server = server.restarted();
    let (api, phone) = (Api::owner(&server), running(&server, LAST));
    assert_eq!(named(&phone), path_of(OLDEST), "a restart forgets nothing");
    assert_eq!(named(&running(&server, OLDEST)), path_of(OLDEST), "it has gone back, and stays");
    server.flush();
    assert_eq!(step(&api), "stay");

    let asked = api.form_once(&page, &choice(&api, &profile, LAST));
    assert!(!asked.text().contains("impact_downgrades"), "nobody goes back by that");
    confirm(&api, &page, &asked, true);
    named(&phone);
    server.flush();
    let again = api.form_once(&page, &choice(&api, &profile, OLDER));
    assert!(again.text().contains("impact_downgrades"), "consent to one version is none to another");
    confirm(&api, &page, &again, false);
    assert_eq!(named(&phone), NO_IMAGE);
    let back = api.form_once(&page, &choice(&api, &profile, OLDEST));
    assert!(!back.text().contains("impact_downgrades"), "that was allowed once, and counts until it is another");
}

#[test]
fn a_dry_run_names_who_would_go_back_and_whoever_needs_no_consent_is_not_named() {
    let (server, api, phone) = furnished();
    let agent = format!("FileTransport PolycomVVX-VVX_411-UA/{OLDEST} (SN:{OTHER}) Type/Application");
    Phone::new(&server).with("User-Agent", &agent).get(&format!("/{OTHER}.cfg"));
    server.flush();
    let made = api.ok("POST", "/profiles", Some(json!({ "name": "S", "software": [{ "family": "VVX", "version": OLDER }] })));
    let attached = json!({ "profiles": [made["id"]], "shown": [] });
    let tried = api.ok("PUT", "/deployment/global?dry_run=true", Some(attached.clone()));
    let expected =
        json!([{ "family": "VVX", "from": [LAST], "to": OLDER, "total": 1, "devices": [{ "key": KEY, "name": null }] }]);
    assert_eq!(tried["impact"]["downgrades"], expected, "{tried}");
    api.ok("PUT", "/deployment/global", Some(attached));
    assert_eq!(named(&phone), NO_IMAGE, "a program is not asked, and allows nothing by it");
    let name = json!({ "revision": made["revision"], "set": { "up.timeOut": "40" } });
    let tried = api.ok("PATCH", &format!("/profiles/{}?dry_run=true", made["id"]), Some(name));
    assert_eq!(tried["impact"]["downgrades"], json!([]), "what is chosen stays as it is");
    let path = json!({ "revision": made["revision"], "set": { "APP_FILE_PATH": "elsewhere/sip.ld" } });
    api.ok("PATCH", &format!("/profiles/{}", made["id"]), Some(path));
    assert_eq!(api.ok("GET", "/devices?behind=consent", None)["total"], 0, "a path of its own beats every choice");
}

#[test]
fn those_that_wait_are_counted_listed_and_allowed_together() {
    let (server, api, phone) = furnished();
    let agent = format!("FileTransport PolycomVVX-VVX_411-UA/{LAST} (SN:{OTHER}) Type/Application");
    let other = Phone::new(&server).with("User-Agent", &agent);
    other.get(&format!("/{OTHER}.cfg"));
    server.flush();
    let made = choose(&api, OLDER);
    let link = format!("/admin/devices?behind=consent&#38;chosen={OLDER}");
    for page in [format!("/admin/profiles/{}", made["id"]), "/admin/software/1".to_owned()] {
        let page = api.page(&page).text();
        assert!(page.contains("2 devices") && page.contains(&link.replace("&#38;", "&")), "{page}");
    }
    let listed = api.page(&link.replace("&#38;", "&")).text();
    assert!(listed.contains(KEY) && listed.contains(OTHER) && listed.contains("Allow downgrade…"), "{listed}");
    assert_eq!(api.ok("GET", &format!("/devices?behind=consent&chosen={OLDEST}"), None)["total"], 0);
    let report = api.ok("GET", "/software/report", None);
    let found = api.ok("GET", "/devices?behind=consent", None)["total"].clone();
    assert_eq!((&report["total"]["needs_consent"], &found), (&json!(2), &json!(2)), "{report}");
    assert!(api.page("/admin/software/report").text().contains("/admin/devices?behind=consent"));

    let path = "/admin/devices/downgrades";
    let asked = api.form_once(path, &json!({ "select": KEY, "back": "/admin/devices?behind=consent" }));
    let shown = asked.text();
    assert!(shown.contains("Allow 1 device to go back?") && shown.contains(&format!("{OLDER} VVX")), "{shown}");
    assert_eq!(named(&phone), NO_IMAGE, "it was only asked");
    let (_, mark) = shown.split_once("name=\"impact_mark\" value=\"").expect("what it does is shown");
    let mark = mark.split('"').next().expect("its end");
    let yes = json!({ "select": KEY, "confirmed": "yes", "software": format!("{OLDER} VVX"), "impact_mark": mark });
    assert_eq!(api.form_once(path, &yes).status, 303);
    assert_eq!(named(&phone), path_of(OLDER));
    let none = api.form_once(path, &json!({ "select": KEY }));
    assert_eq!(none.status, 303, "it waits no more");

    let allow = "/software/allow-downgrades";
    let all = |version: &str| {
        let software = [json!({ "family": "vvx", "version": version })];
        json!({ "matching": { "filters": { "behind": "consent" }, "total": 1 }, "software": software })
    };
    let elsewhere = api.ok("POST", allow, Some(all(OLDEST)));
    assert_eq!(elsewhere, json!({ "allowed": [], "unchanged": 1 }), "that version is not chosen for it");
    let tried = api.ok("POST", &format!("{allow}?dry_run=true"), Some(all(OLDER)));
    assert_eq!((&tried["allowed"], &tried["impact"]["changed"]), (&json!([OTHER]), &json!(1)), "{tried}");
    let master = || other.get(&format!("/{OTHER}.cfg")).text();
    assert!(!master().contains(&path_of(OLDER)), "a dry run allows nothing");
    assert_eq!(api.ok("POST", allow, Some(all(OLDER))), json!({ "allowed": [OTHER], "unchanged": 0 }));
    assert!(master().contains(&path_of(OLDER)));
    let of = |keys: &[&str], software: Value| json!({ "keys": keys, "software": software });
    let software = json!([{ "family": "VVX", "version": OLDER }]);
    for (body, field) in [(of(&["0004f2ffffff"], software.clone()), "keys"), (of(&[KEY], json!([])), "software")] {
        let refused = api.refused("POST", allow, Some(body));
        assert_eq!((refused.0, refused.1[0].0.as_str()), (422, field));
    }
    assert_eq!(api.ok("POST", allow, Some(of(&[KEY], software))), json!({ "allowed": [], "unchanged": 1 }));
}
