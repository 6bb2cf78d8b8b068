//! The lists of the pages: each searches everything, offers columns, keeps what was chosen in its address and for its person, and hands
//! out what it found as a file (R56–R69, R243).

use actix_web::http::StatusCode;
use pdms::domain::access::Actor;
use pdms::domain::device::draft::{DeviceDraft, DeviceInput};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::commit::Mode;
use pdms::services::devices;
use serde_json::json;

use crate::support::api::Api;
use crate::support::browser::{Browser, Site};
use crate::support::server::Server;

/// The lists, each with a column that can be hidden: its word in the address and its heading.
const LISTS: [(&str, &str, &str); 9] = [
    ("/admin/sites", "zone", "Time zone"),
    ("/admin/groups", "by", "Modified By"),
    ("/admin/people", "by", "Modified By"),
    ("/admin/person-groups", "modified", "Date Modified"),
    ("/admin/rooms", "devices", "Devices"),
    ("/admin/profiles", "used", "Used by"),
    ("/admin/users", "sessions", "Sessions"),
    ("/admin/activity", "actor", "Who"),
    ("/admin/deployment", "devices", "Devices"),
];

/// Pages that must have a row before they are lists at all.
async fn filled(site: &std::rc::Rc<Site>) -> Browser {
    let mut browser = Browser::signed_in(site).await;
    for (path, name) in
        [("groups", "Cellar"), ("people", "Ada"), ("person-groups", "Sales"), ("rooms", "Library"), ("profiles", "Ringing")]
    {
        let answer = browser.post(&format!("/admin/{path}/add"), &[("name", name), ("description", "Below the river")]).await;
        assert!(answer.status.is_redirection() || answer.status == StatusCode::OK, "{path}: {}", answer.body);
    }
    browser
}

#[actix_web::test]
async fn every_list_has_columns_to_choose_and_a_refresh_button() {
    let site = Site::open().await;
    let mut browser = filled(&site).await;
    for (path, word, label) in LISTS {
        let all = browser.get(&format!("{path}?sort=none")).await.body;
        assert!(all.contains("<span>Refresh</span>") && all.contains(&format!("Hide {label}")), "{path}: {all}");
        assert!(all.len() < 500_000, "{path}");
        let fewer = browser.get(&format!("{path}?hide={word}")).await.body;
        assert!(fewer.contains(&format!("Show {label}")), "{path}: {fewer}");
        // It is remembered until Reset (R62).
        let again = browser.get(path).await.body;
        assert!(again.contains(&format!("Show {label}")), "{path}");
        let reset = browser.get(&format!("{path}?all=")).await.body;
        assert!(reset.contains(&format!("Hide {label}")), "{path}");
    }
}

#[actix_web::test]
async fn a_file_has_the_rows_that_are_filtered_and_the_columns_that_are_shown() {
    let site = Site::open().await;
    let mut browser = filled(&site).await;
    let answer = browser.post("/admin/groups/add", &[("name", "Attic"), ("description", "")]).await;
    assert!(!answer.status.is_client_error(), "{}", answer.body);
    let file = browser.get("/admin/groups?q=RIVER&hide=by,modified&as=csv").await.body;
    assert_eq!(file, "Group Name,Description,Devices,Profiles,Default\r\nCellar,Below the river,0,0,\r\n");
    let both =
        browser.get("/admin/groups?sort=-name&hide=description,devices,profiles,default,by,modified&as=csv&per_page=25").await;
    assert_eq!(both.body, "Group Name\r\nCellar\r\nAttic\r\n");
    // Asking for a file is not remembered as what the list shows.
    assert!(browser.get("/admin/groups").await.body.contains("Attic"));
    for (path, ..) in LISTS.iter().filter(|(path, ..)| *path != "/admin/sites") {
        let file = browser.get(&format!("{path}?as=csv")).await.body;
        assert!(file.lines().count() >= 1 && !file.contains("<html"), "{path}: {file}");
    }
}

fn add(site: &Site, key: &str, name: &str) {
    let input = DeviceInput { key: key.to_owned(), name: name.to_owned(), ..DeviceInput::default() };
    let draft = DeviceDraft::parse(&input, pdms::catalog::models::models()).expect("a device");
    devices::create(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("added");
}

/// R57, R58 and R63: any spelling, everything searched, all pages of it, sorted; and why a row is there.
#[actix_web::test]
async fn a_device_is_found_by_its_mac_in_any_spelling_and_the_row_says_why() {
    let site = Site::open().await;
    let mut browser = filled(&site).await;
    for number in 0..60 {
        add(&site, &format!("0004f2aa00{number:02x}"), &format!("Desk {:02}", 59 - number));
    }
    for text in ["00:04:F2:AA:00:07", "0004.f2aa.0007", "00-04-f2-aa-00-07"] {
        let body = browser.get(&format!("/admin/devices?q={text}")).await.body;
        assert!(body.contains("Desk 52") && body.contains("1 row"), "{text}: {body}");
    }
    let second = browser.get("/admin/devices?q=desk&sort=name&per_page=25&page=3").await.body;
    assert!(second.contains("51 to 60 of 60") && second.contains("Desk 59") && !second.contains("Desk 49"), "{second}");
    let path = "/admin/devices/0004f2aa0007/groups";
    let form = browser.get(path).await.body;
    assert!(form.contains("Cellar"), "{form}");
    let services = &site.services;
    let group = *services.world(DEFAULT_ACCOUNT).expect("a world").groups.keys().next().expect("a group");
    let wanted =
        pdms::services::membership::MemberChange { add: ["0004f2aa0007".parse().expect("a key")].into(), ..Default::default() };
    pdms::services::membership::change(services, &Actor::CommandLine, DEFAULT_ACCOUNT, group, &wanted, Mode::Keep)
        .expect("joined");
    let why = browser.get("/admin/devices?q=river").await.body;
    assert!(why.contains("description of a device group: Below the river") && why.contains("1 row"), "{why}");
}

#[actix_web::test]
async fn a_site_has_its_profiles_a_download_path_and_a_word_about_agents() {
    let site = Site::open().await;
    let mut browser = filled(&site).await;
    browser.post("/admin/sites/add", &[("name", "Berlin"), ("ip", "10.1.0.0"), ("mask", "16"), ("private", "")]).await;
    let all = pdms::services::sites::list(&site.services, DEFAULT_ACCOUNT).expect("listed");
    let id = all.iter().find(|one| one.name.as_str() == "Berlin").expect("it is there").id;
    let page = browser.get(&format!("/admin/sites/{id}")).await.body;
    for tab in ["General Information", "Public Subnets", "Private Subnets", "Profile", "Download Path"] {
        assert!(page.contains(&format!(">{tab}</a>")), "{tab}: {page}");
    }
    let path = format!("/admin/sites/{id}/download-path");
    let bad = browser.post(&path, &[("revision", "1"), ("download_path", "http://relay.example.com/")]).await;
    assert!(bad.status == StatusCode::UNPROCESSABLE_ENTITY && bad.body.contains("f-download_path-error"), "{}", bad.body);
    let good = browser.post(&path, &[("revision", "1"), ("download_path", "https://Relay.example.com")]).await.body;
    assert!(good.contains("Updated.") && good.contains("value=\"https://relay.example.com/\""), "{good}");
    let general = [("revision", "2"), ("name", "Berlin"), ("site_specific", "on")];
    let general = browser.post(&format!("/admin/sites/{id}"), &general).await.body;
    assert!(general.contains("Updated."), "{general}");
    let kept = pdms::services::sites::get(&site.services, DEFAULT_ACCOUNT, id).expect("there");
    assert!(kept.site_specific && kept.networks.len() == 1);
    assert_eq!(kept.download_path.as_ref().map(|path| path.as_str()), Some("https://relay.example.com/"));
    let internet = browser.get("/admin/sites/1/download-path").await.body;
    assert!(internet.contains("no download path of its own") && !internet.contains("name=\"download_path\""), "{internet}");
    let profiles = format!("/admin/sites/{id}/profiles");
    let profile = site.services.world(DEFAULT_ACCOUNT).expect("a world").profiles.keys().next().expect("a profile").to_string();
    let done = browser.post(&profiles, &[("do", "attach"), ("profile", profile.as_str()), ("shown", "")]).await.body;
    assert!(browser.get(&profiles).await.body.contains("Ringing"), "{done}");
    let moved = browser.get(&format!("/admin/deployment/sites/{id}")).await;
    assert!(moved.body.contains("Profiles of this site"), "{}", moved.body);
}

#[test]
fn the_api_has_what_the_pages_of_a_site_have() {
    let server = Server::start();
    let api = Api::owner(&server);
    let new = json!({ "name": "Berlin", "networks": [{ "public": "10.1.0.0/16" }], "download_path": "https://relay.example.com",
        "site_specific": true });
    let made = api.ok("POST", "/sites", Some(new));
    assert_eq!((&made["download_path"], &made["site_specific"]), (&json!("https://relay.example.com/"), &json!(true)));
    let path = format!("/sites/{}", made["id"]);
    let bad = json!({ "revision": made["revision"], "download_path": "https://10.0.0.1/" });
    assert_eq!(api.refused("PATCH", &path, Some(bad)).0, 422);
    let change = json!({ "revision": made["revision"], "download_path": null, "site_specific": false });
    let changed = api.ok("PATCH", &path, Some(change));
    assert_eq!((&changed["download_path"], &changed["site_specific"]), (&json!(null), &json!(false)));
    assert!(api.ok("GET", "/api/v1/server", None)["own_subnets"].is_array());
}
