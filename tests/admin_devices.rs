//! The pages of devices and profiles where a browser is not needed: how large they get, what they never tell, and how what a
//! device uploaded is handed out (R56–R64, R122, SEC-05, UPL-08).

use std::rc::Rc;

use actix_web::http::StatusCode;
use pdms::catalog::models::models;
use pdms::domain::access::Actor;
use pdms::domain::deployment::Place;
use pdms::domain::device::DeviceKey;
use pdms::domain::device::draft::{DeviceDraft, DeviceInput};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::profile::draft::{ProfileDraft, ProfileInput};
use pdms::services::commit::Mode;
use pdms::services::deployment::{self, Target};
use pdms::services::{devices, profiles, uploads};

use super::support::browser::{Browser, Site};

/// Bytes that no page may exceed.
const PAGE_BYTES: usize = 500 * 1024;

fn add_devices(site: &Rc<Site>, number: u32) {
    let draft = |i: u32| {
        let input = DeviceInput { key: format!("0004f2{i:06x}"), name: format!("Phone {i}"), ..DeviceInput::default() };
        DeviceDraft::parse(&input, models()).expect("a good draft")
    };
    let drafts = (1..=number).map(draft).collect();
    devices::create(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, drafts, Mode::Keep).expect("added");
}

/// A profile on Global; answers its path.
fn deploy(site: &Rc<Site>, parameters: Vec<(String, String)>) -> String {
    let input = ProfileInput { name: "Everything".to_owned(), description: String::new(), parameters };
    let draft = ProfileDraft::parse(&input).expect("a good profile");
    let made = profiles::create(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("made");
    let target = Target::Place(Place::Global);
    deployment::set(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, &target, None, vec![made[0].id], Mode::Keep)
        .expect("deployed");
    format!("/admin/profiles/{}", made[0].id)
}

#[actix_web::test]
async fn no_page_grows_with_the_number_of_devices_or_parameters() {
    let site = Site::open().await;
    add_devices(&site, 5_000);
    let profile = deploy(&site, (0..5_000).map(|i| (format!("made.up.parameter.{i}"), "v".repeat(120))).collect());
    let mut browser = Browser::signed_in(&site).await;
    let pages = [
        "/admin/devices?per_page=100000",
        "/admin/devices?q=phone&sort=-name&page=7",
        "/admin/deployment?q=phone",
        "/admin/devices/0004f2000001/effective?per_page=200",
        "/admin/devices/0004f2000001/effective/parameters",
        &format!("{profile}?per_page=200"),
        &profile.replace("profiles/", "profiles/delete?select="),
    ];
    for page in pages {
        let answer = browser.get(page).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}");
        assert!(answer.body.len() < PAGE_BYTES, "{page} has {} bytes", answer.body.len());
    }
    let found = browser.get("/admin/devices?q=00:04:F2:00:0B:B8").await.body;
    assert!(found.contains("Phone 3000") && found.contains("1 row"), "{found}");
}

#[actix_web::test]
async fn columns_of_the_device_monitor_are_hidden_and_shown_and_stay_so() {
    let site = Site::open().await;
    add_devices(&site, 1);
    let mut browser = Browser::signed_in(&site).await;
    let has = |body: &str, column: &str| body.contains(&format!("sort={column}")) || body.contains(&format!("sort=-{column}"));
    let all = browser.get("/admin/devices").await.body;
    assert!(has(&all, "private_ip") && all.contains("hide=private_ip\">Hide Private IP"), "{all}");
    let fewer = browser.get("/admin/devices?hide=private_ip%2Ckey%2Cnonsense").await.body;
    assert!(!has(&fewer, "private_ip") && !fewer.contains("<code class=\"nowrap\">") && has(&fewer, "software"), "{fewer}");
    assert!(fewer.contains("hide=key\">Show Private IP") && fewer.contains("Hide Software Version"), "{fewer}");
    assert!(fewer.contains("name=\"hide\""), "a search keeps the columns: {fewer}");
    let nameless = browser.get("/admin/devices?hide=name").await.body;
    assert!(nameless.contains("Phone 1"), "the name stays: {nameless}");
}

#[actix_web::test]
async fn sec_05_no_page_tells_a_secret_and_none_can_be_searched_for() {
    let site = Site::open().await;
    add_devices(&site, 1);
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let parameters = vec![
        text("reg.1.auth.password", "CANARY_SIP"),
        text("CONFIG_FILES", "ftp://user:CANARY_FTP@192.0.2.1/${mac_address}.cfg"),
        text("reg.1.label", "Desk"),
    ];
    let profile = deploy(&site, parameters);
    let mut browser = Browser::signed_in(&site).await;
    for page in [
        profile.clone(),
        format!("{profile}?edit=reg.1.auth.password"),
        format!("{profile}?edit=CONFIG_FILES"),
        "/admin/devices/0004f2000001/effective?q=reg".to_owned(),
        "/admin/devices/0004f2000001/effective?show=master".to_owned(),
        "/admin/devices/0004f2000001/effective/master".to_owned(),
        "/admin/devices/0004f2000001/effective/parameters".to_owned(),
        "/admin/activity".to_owned(),
    ] {
        let answer = browser.get(&page).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}");
        assert!(!answer.body.contains("CANARY"), "{page}");
    }
    for page in [format!("{profile}?q=CANARY_SIP"), "/admin/devices/0004f2000001/effective?q=CANARY".to_owned()] {
        let answer = browser.get(&page).await;
        assert!(!answer.body.contains("reg.1.auth.password"), "{page}");
    }
}

#[actix_web::test]
async fn upl_08_what_a_device_uploaded_is_shown_as_text_and_downloaded_as_nothing_else() {
    let site = Site::open().await;
    add_devices(&site, 1);
    let key: DeviceKey = "0004f2000001".parse().expect("a key");
    let mut draft = uploads::draft(&site.services).expect("begun");
    uploads::write(&site.services, &mut draft, b"<script>alert(1)</script> booted").expect("written");
    uploads::keep_log(&site.services, DEFAULT_ACCOUNT, &key, "boot.log", draft).expect("kept");
    let mut browser = Browser::signed_in(&site).await;
    let list = browser.get("/admin/devices/0004f2000001/logs").await.body;
    let path = list.split("href=\"").map(|rest| rest.split('"').next().unwrap_or_default());
    let path = path.into_iter().find(|path| path.contains("/logs/") && path.ends_with("boot.log")).expect("a log").to_owned();
    let shown = browser.get(&path).await.body;
    assert!(shown.contains("booted") && !shown.contains("<script>alert"), "{shown}");
    let raw = browser.get(&format!("{path}/download")).await;
    assert_eq!(raw.body, "<script>alert(1)</script> booted");
    assert_eq!(raw.header("content-type"), "text/plain; charset=utf-8");
    assert!(raw.header("content-disposition").starts_with("attachment; filename=\"0004f2000001-"));
    assert!(raw.header("content-security-policy").starts_with("sandbox"));
    assert_eq!(raw.header("x-content-type-options"), "nosniff");
    assert_eq!(browser.get("/admin/devices/0004f2000001/logs/..%2F..%2Fkey").await.status, StatusCode::NOT_FOUND);
}
