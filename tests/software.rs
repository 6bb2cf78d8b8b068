//! Which software a device gets (contract 5.12): by choice in profiles, step by step, with consent, and with an end to what leads nowhere.

use jiff::Timestamp;
use serde_json::{Value, json};

use pdms::domain::access::{Action, authorize};
use pdms::domain::activity::Event;
use pdms::domain::ids::{DEFAULT_ACCOUNT, ImageId, ProfileId};
use pdms::domain::image::{Image, ImageFile};
use pdms::domain::provision::master::NO_IMAGE;
use pdms::services::commit::{Mode, perform};
use pdms::services::software;

use crate::support::api::{Api, problem};
use crate::support::phone::Phone;
use crate::support::server::{Server, admin};

pub const KEY: &str = "0004f2aabbcc";
pub const PART: &str = "3111-48450-001.sip.ld";
const STOP: &str = "5.7.3.1797";
pub const LAST: &str = "5.9.8.5760";

/// An image as it stands once it was uploaded.
pub fn image(server: &Server, id: u64, version: &str, files: &[&str]) {
    let grant = authorize(&admin(), Action::EditProfiles(DEFAULT_ACCOUNT)).expect("an admin");
    let file = |path: &&str| ImageFile { path: (*path).to_owned(), size_bytes: 1, sha256: String::new(), blob: String::new() };
    let image = Image {
        id: ImageId(id),
        version: version.parse().expect("a version"),
        families: vec!["VVX".to_owned()],
        source: "release.zip".to_owned(),
        size_bytes: 1,
        sha256: String::new(),
        files: files.iter().map(file).collect(),
        profile: ProfileId(900 + id),
        schema: None,
        license: None,
        packages: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
        by: "admin".to_owned(),
    };
    perform(&server.services, Mode::Keep, grant, DEFAULT_ACCOUNT, |change| {
        change.record(Event::new("software", version, "uploaded"))?;
        change.put_image(image)
    })
    .expect("kept");
}

/// The phone with this software.
pub fn running(server: &Server, version: &str) -> Phone {
    let agent = format!("FileTransport PolycomVVX-VVX_411-UA/{version} (SN:{KEY}) Type/Application");
    Phone::new(server).with("User-Agent", &agent)
}

/// The image that the phone's master file names.
pub fn named(phone: &Phone) -> String {
    let master = phone.get(&format!("/{KEY}.cfg")).text();
    let (_, rest) = master.split_once("APP_FILE_PATH=\"").expect("always written");
    rest.split('"').next().expect("a value").to_owned()
}

pub fn path_of(version: &str) -> String {
    format!("swupdate/VVX/{version}/sip.ld")
}

/// Chooses a version for all devices.
pub fn choose(api: &Api, version: &str) -> Value {
    let profile = json!({ "name": format!("Software {version}"), "software": [{ "family": "VVX", "version": version }] });
    let made = api.ok("POST", "/profiles", Some(profile));
    let placed = api.ok("GET", "/deployment/global", None);
    let shown = placed["profiles"].as_array().expect("a list").iter().map(|one| one["id"].clone());
    let shown: Vec<Value> = shown.collect();
    api.ok("PUT", "/deployment/global", Some(json!({ "profiles": [made["id"]], "shown": shown })));
    made
}

pub fn told(api: &Api) -> Value {
    api.ok("GET", &format!("/devices/{KEY}/software"), None)
}

#[test]
fn a_vvx_on_5_5_2_is_led_over_its_stop_also_where_its_power_fails_and_never_past_it() {
    let server = Server::start();
    let api = Api::owner(&server);
    choose(&api, LAST);
    let old = running(&server, "5.5.2.8571");
    assert_eq!(named(&old), NO_IMAGE, "the image of its stop is not here");
    server.flush();
    assert_eq!(told(&api)["chosen"][0]["step"], "missing-hop");
    image(&server, 1, LAST, &[PART]);
    assert_eq!(named(&old), NO_IMAGE, "what is chosen is here, and its stop is not");
    image(&server, 2, STOP, &[PART]);
    assert_eq!(named(&old), path_of(STOP));
    server.flush();
    assert_eq!(told(&api)["chosen"][0]["way"], json!([STOP, LAST]));

    let key = KEY.parse().expect("a key");
    let stop = STOP.parse().expect("a version");
    let now = server.services.clock().now();
    software::downloading(&server.services, DEFAULT_ACCOUNT, &key, &stop, now);
    assert!(software::is_updating(&server.services, DEFAULT_ACCOUNT, &key), "no restart now");
    // The power fails in the middle: it comes back with what it had, and is sent to the same stop again.
    server.advance(60);
    assert_eq!(named(&old), path_of(STOP));
    server.flush();
    assert!(!software::is_updating(&server.services, DEFAULT_ACCOUNT, &key), "its Application has asked again");
    assert_eq!(named(&running(&server, STOP)), path_of(LAST), "told with the very request that it comes with");
    server.flush();
    assert_eq!(named(&running(&server, LAST)), path_of(LAST));
    server.flush();
    assert_eq!((told(&api)["installed"].clone(), told(&api)["chosen"][0]["step"].clone()), (json!(LAST), json!("stay")));
}

#[test]
fn an_image_that_changes_nothing_three_times_is_withdrawn_until_somebody_says_again() {
    let server = Server::start();
    let api = Api::owner(&server);
    image(&server, 1, LAST, &[PART]);
    choose(&api, LAST);
    let (phone, key) = (running(&server, "5.9.7.4477"), KEY.parse().expect("a key"));
    for time in 0..3 {
        assert_eq!(named(&phone), path_of(LAST), "before try {time}");
        server.flush();
        software::completed(&server.services, DEFAULT_ACCOUNT, &key, &LAST.parse().expect("a version"), server.clock.now());
        server.advance(120);
    }
    assert_eq!(named(&phone), NO_IMAGE);
    server.flush();
    assert!(told(&api)["chosen"][0]["told"].as_str().is_some_and(|words| words.contains("Software Upgrade")), "R393");
    let server = server.restarted();
    let api = Api::owner(&server);
    let phone = running(&server, "5.9.7.4477");
    assert_eq!(named(&phone), NO_IMAGE, "a restart forgets nothing");
    server.flush();
    let again = format!("/devices/{KEY}/software/try-again");
    assert_eq!(api.call("POST", &format!("{again}?dry_run=true"), None).status, 200, "a dry run tells what would be");
    assert_eq!(named(&phone), NO_IMAGE, "nothing was changed");
    server.flush();
    let page = api.page(&format!("/admin/devices/{KEY}/software")).text();
    assert!(page.contains("Try again") && page.contains("withdrawn"), "{page}");
    assert_eq!(api.call("POST", &again, None).status, 200);
    assert_eq!(named(&phone), path_of(LAST));
    assert_eq!(api.call("POST", &again, None).status, 409, "nothing is withdrawn any more");
}

#[test]
fn nobody_goes_back_to_older_software_without_consent() {
    let server = Server::start();
    let api = Api::owner(&server);
    image(&server, 1, "5.9.7.4477", &[PART]);
    choose(&api, "5.9.7.4477");
    let phone = running(&server, LAST);
    assert_eq!(named(&phone), NO_IMAGE);
    server.flush();
    assert_eq!(told(&api)["chosen"][0]["step"], "needs-consent");
    let allow = format!("/devices/{KEY}/software/allow-downgrade");
    let wrong = problem(&api.call("POST", &allow, Some(json!({ "version": "5.9.6.1" }))));
    assert_eq!((wrong.0, wrong.1[0].0.as_str()), (422, "version"));
    assert_eq!(api.call("POST", &format!("{allow}?dry_run=true"), Some(json!({ "version": "5.9.7.4477" }))).status, 200);
    assert_eq!(named(&phone), NO_IMAGE, "a dry run allows nothing");
    assert_eq!(api.call("POST", &allow, Some(json!({ "version": "5.9.7.4477" }))).status, 200);
    assert_eq!(named(&phone), path_of("5.9.7.4477"));
    let log = api.ok("GET", "/activity", None).to_string();
    assert!(log.contains("may go back to older software"), "{log}");
}

#[test]
fn a_part_number_that_a_phone_asks_with_is_learned_and_wins_over_the_table() {
    let server = Server::start();
    let api = Api::owner(&server);
    image(&server, 1, LAST, &["3111-48450-025.sip.ld"]);
    choose(&api, LAST);
    let phone = running(&server, "5.9.7.4477");
    assert_eq!(named(&phone), NO_IMAGE, "by the table its hardware has another number");
    phone.get("/swupdate/none/none/3111-48450-025.sip.ld");
    server.flush();
    assert_eq!(told(&api)["part_numbers"], json!(["3111-48450-025"]));
    assert_eq!(named(&phone), path_of(LAST));
    let other = Phone::new(&server)
        .with("User-Agent", "FileTransport PolycomVVX-VVX_411-UA/5.9.7.4477 (SN:0004f2aabbcd) Type/Application");
    let master = other.get("/0004f2aabbcd.cfg").text();
    assert!(master.contains(&path_of(LAST)), "another phone of its model: {master}");
    let server = server.restarted();
    assert!(server.world().part_numbers.contains_key("VVX 411"));
}

#[test]
fn what_a_choice_does_is_told_before_and_on_the_pages_and_a_missing_image_everywhere() {
    let server = Server::start();
    let api = Api::owner(&server);
    image(&server, 1, LAST, &[PART]);
    let phone = running(&server, "5.9.7.4477");
    assert_eq!(named(&phone), NO_IMAGE, "nobody chooses");
    server.flush();
    let made = choose(&api, LAST);
    let id = made["id"].as_u64().expect("a number");
    image(&server, 2, "5.9.9.1", &[PART]);
    let change = json!({ "revision": 1, "software": [{ "family": "vvx", "version": "5.9.9.1" }] });
    let tried = api.call("PATCH", &format!("/profiles/{id}?dry_run=true"), Some(change)).text();
    assert!(tried.contains("\"Software\"") && tried.contains("5.9.9.1") && tried.contains("restart"), "{tried}");

    let page = api.page(&format!("/admin/profiles/{id}")).text();
    assert!(page.contains("name=\"software-VVX\"") && page.contains("5.9.9.1"), "{page}");
    let fields = json!({ "revision": "1", "software-VVX": "5.9.9.1" });
    let saved = api.form(&format!("/admin/profiles/{id}/software"), &fields);
    assert!(saved.status == 303 || saved.status == 200, "{} {}", saved.status, saved.text());

    let gone = json!({ "name": "Gone", "software": [{ "family": "VVX", "version": "6.4.0.1" }] });
    let gone = api.ok("POST", "/profiles", Some(gone));
    assert!(
        gone["warnings"][0].as_str().is_some_and(|told| told.starts_with("Couldn't find software image VVX 6.4.0.1")),
        "{gone}"
    );
    let page = api.page(&format!("/admin/profiles/{}", gone["id"])).text();
    assert!(page.contains("find software image") && page.contains("/admin/software"), "R131");
    let refused =
        api.refused("POST", "/profiles", Some(json!({ "name": "Odd", "software": [{ "family": "Fax", "version": "1" }] })));
    assert_eq!((refused.0, refused.1[0].0.as_str()), (422, "software"));

    let report = api.ok("GET", "/software/report", None);
    assert_eq!((report["total"]["devices"].clone(), report["total"]["below_newest"].clone()), (json!(1), json!(1)));
    assert_eq!(report["versions"][0]["version"], "5.9.7.4477");
    for (behind, counted) in
        [("minimum", "below_minimum"), ("chosen", "below_chosen"), ("newest", "below_newest"), ("waiting", "stuck")]
    {
        let listed = api.ok("GET", &format!("/devices?behind={behind}"), None)["total"].clone();
        assert_eq!(listed, report["total"][counted], "{behind}: the list shows whom the report counts");
    }
    let page = api.page("/admin/software/report").text();
    let link = page.split("href=\"").find(|link| link.contains("5.9.7.4477") && link.contains("behind=newest"));
    let link = link.and_then(|link| link.split('"').next()).expect("a number leads to its devices").replace("&#38;", "&");
    assert!(api.page(&link).text().contains(KEY), "{link}");
    let found = api.ok("GET", "/devices?software=5.9.7.4477", None);
    assert_eq!((found["total"].clone(), api.ok("GET", "/devices?software=none", None)["total"].clone()), (json!(1), json!(0)));
}

#[test]
fn a_phone_below_the_least_version_says_so_with_what_it_shows() {
    let server = Server::start();
    let api = Api::owner(&server);
    let phone = running(&server, "5.8.0.1");
    phone.get(&format!("/{KEY}.cfg"));
    server.flush();
    let words = told(&api)["below_minimum"].clone();
    assert_eq!(api.ok("GET", "/devices?behind=minimum", None)["items"][0]["key"], KEY);
    assert!(words.as_str().is_some_and(|words| words.contains("Line Unregistered") && words.contains("5.9.4.3247")), "{words}");
    let settings = api.ok("GET", "/settings", None);
    let path = json!({ "internet": "https://pdms.example.com", "enterprise": null, "raise_to_minimum": true });
    api.ok("PATCH", "/settings", Some(json!({ "revision": settings["revision"], "software": path })));
    image(&server, 1, "5.9.4.3247", &[PART]);
    assert_eq!(named(&phone), format!("https://pdms.example.com/{}", path_of("5.9.4.3247")), "R364");
    let told = told(&api);
    assert_eq!(told["download_path_from"], "Provisioning Settings: Internet");
    assert_eq!(told["chosen"][0]["profile"], Value::Null);
    let page = api.page("/admin/provisioning").text();
    assert!(page.contains("Enterprise Sites") && page.contains("https://pdms.example.com/"));
    let revision = api.ok("GET", "/settings", None)["revision"].clone();
    let wrong = api.call(
        "PATCH",
        "/settings",
        Some(json!({ "revision": revision, "software":
        { "internet": "http://10.0.0.1/", "enterprise": null, "raise_to_minimum": false } })),
    );
    let (status, fields) = problem(&wrong);
    assert_eq!((status, fields[0].0.as_str()), (422, "download_internet"), "R204");
}
