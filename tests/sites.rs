//! Sites from outside: pages, API and what phones of a site get (R70–R89, contract 5.6, 5.8).

use std::rc::Rc;

use actix_web::http::StatusCode;
use pdms::catalog::models::models;
use pdms::domain::access::Actor;
use pdms::domain::deployment::Place;
use pdms::domain::device::draft::{DeviceDraft, DeviceInput};
use pdms::domain::ids::{DEFAULT_ACCOUNT, SiteId};
use pdms::domain::profile::draft::{ProfileDraft, ProfileInput};
use pdms::domain::run::assembly::{Asked, Heard, Speaker, Standing};
use pdms::domain::run::{Exchange, Method, Reason};
use pdms::services::commit::Mode;
use pdms::services::deployment::{self, Target};
use pdms::services::presence::{self, Message};
use pdms::services::{devices, profiles, sites};
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::browser::{Browser, Site};
use crate::support::phone::Phone;
use crate::support::server::Server;

const KEY: &str = "0004f2a11a01";

/// The guide's four sites, in its order: name, public subnet, private subnet.
const GUIDE: [(&str, &str, &str); 4] = [
    ("A-1", "20.1.0.0/16", "10.0.0.0/8"),
    ("A-2", "20.1.0.0/16", "10.33.24.0/24"),
    ("B-1", "20.56.31.0/8", "3.1.0.0/16"),
    ("B-2", "20.56.31.0/8", ""),
];

/// Which of them gets an address: seen, own, site.
const TABLE: [(&str, &str, &str); 5] = [
    ("20.1.9.9", "10.1.1.1", "A-1"),
    ("20.1.9.9", "10.33.24.7", "A-2"),
    ("20.77.1.1", "3.1.5.5", "B-1"),
    ("20.77.1.1", "192.168.1.1", "B-2"),
    ("21.1.9.9", "10.33.24.7", "Internet"),
];

/// The site of a name.
pub fn id_of(site: &Rc<Site>, name: &str) -> SiteId {
    let all = sites::list(&site.services, DEFAULT_ACCOUNT).expect("listed");
    all.iter().find(|one| one.name.as_str() == name).expect("it is there").id
}

#[actix_web::test]
async fn the_guides_four_sites_are_told_apart_on_the_pages() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    for (name, public, private) in GUIDE {
        let (ip, mask) = public.split_once('/').expect("a mask");
        let fields =
            [("name", name), ("ip", ip), ("mask", mask), ("private", private), ("ip", ""), ("mask", ""), ("private", "")];
        let answer = browser.post("/admin/sites/add", &fields).await;
        assert!(answer.body.contains("The site is added."), "{}", answer.body);
    }
    for (seen, own, name) in TABLE {
        let body = browser.get(&format!("/admin/sites/test?seen={seen}&own={own}")).await.body;
        let told = format!("/admin/sites/{}\">{name}</a></h2>", id_of(&site, name));
        assert!(body.contains(&told), "{seen} {own}: {body}");
    }
    let wrong = browser.get("/admin/sites/test?seen=here").await;
    assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.body.contains("no IP address"), "{}", wrong.body);
    let list = browser.get("/admin/sites?q=20.0.0.0&sort=-name").await.body;
    assert!(list.find("B-2") < list.find("B-1") && !list.contains(">A-1<") && list.contains("2 rows"), "{list}");
    let fewer = browser.get("/admin/sites?hide=subnets").await.body;
    assert!(!fewer.contains("20.0.0.0/8") && fewer.contains("Show Subnets"), "{fewer}");
}

#[test]
fn the_guides_four_sites_are_told_apart_by_the_api() {
    let server = Server::start();
    let api = Api::owner(&server);
    let shape = |(name, public, private): (&str, &str, &str)| {
        let private: Vec<&str> = Some(private).filter(|text| !text.is_empty()).into_iter().collect();
        json!({ "name": name, "networks": [{ "public": public, "private": private }] })
    };
    let made = api.ok("POST", "/sites", Some(GUIDE.map(shape).into()));
    assert_eq!(made[2]["networks"][0]["public"], "20.0.0.0/8");
    for (seen, own, name) in TABLE {
        assert_eq!(api.ok("GET", &format!("/sites/match?seen={seen}&own={own}"), None)["name"], name, "{seen} {own}");
    }
    assert_eq!(api.ok("GET", "/sites/match?seen=20.1.9.9&own=10.33.24.7", None)["private"], "10.33.24.0/24");
    assert_eq!(api.refused("GET", "/sites/match?seen=x&own=y", None).1.len(), 2);
    let (status, fields) = api.refused(
        "POST",
        "/sites",
        Some(json!([{ "name": "a-1" }, { "name": "C", "networks": [{ "public": "1.2.3.4/40" }] }])),
    );
    assert_eq!((status, fields[0].0.as_str()), (422, "[1].networks"));
    let internet = api.refused("PATCH", "/sites/1", Some(json!({ "revision": 0, "description": "mine" })));
    assert_eq!(internet.0, 409);
    let tie = api.ok("POST", "/sites", Some(json!({ "name": "B-3", "networks": [{ "public": "20.0.0.0/8" }] })));
    assert!(tie["warnings"][0].as_str().is_some_and(|text| text.contains("B-2 and of B-3 alike")), "{tie}");
}

#[actix_web::test]
async fn a_site_is_edited_tab_by_tab_and_the_second_of_two_editors_is_told() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let intranet = id_of(&site, "Intranet");
    let list = browser.get("/admin/sites").await.body;
    assert!(list.contains("Nobody has entered yet where <strong>Intranet</strong> is"), "{list}");
    let path = format!("/admin/sites/{intranet}");
    let public = [("revision", "1"), ("former", "0.0.0.0/0"), ("ip", "10.1.0.0"), ("mask", "16")];
    assert!(browser.post(&format!("{path}/public"), &public).await.body.contains("Updated."));
    let private = [("revision", "2"), ("public", "10.1.0.0/16"), ("private", "10.1.7.0/24\n10.1.8.0/24")];
    assert!(browser.post(&format!("{path}/private"), &private).await.body.contains("Updated."));
    let general = [("revision", "3"), ("name", "Berlin"), ("location", "Mitte"), ("time_zone", "Europe/Berlin")];
    let window = [("polling_window_from", "22:00"), ("polling_window", "00:00")];
    assert!(browser.post(&path, &[&general[..], &window[..]].concat()).await.body.contains("Updated."));
    let saved = sites::get(&site.services, DEFAULT_ACCOUNT, intranet).expect("there");
    assert_eq!((saved.name.as_str(), saved.polling_window), ("Berlin", Some((1_320, 1_440))));
    assert_eq!(saved.networks[0].private.len(), 2);
    let moved = [("revision", "4"), ("former", "10.1.0.0/16"), ("ip", "10.2.0.0"), ("mask", "16")];
    assert!(browser.post(&format!("{path}/public"), &moved).await.body.contains("Updated."));
    let saved = sites::get(&site.services, DEFAULT_ACCOUNT, intranet).expect("there");
    assert_eq!(saved.networks[0].private.len(), 2, "the private subnets stay with the row");
    let stale = browser.post(&path, &general).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert!(stale.body.contains("Somebody changed this while you were editing"), "{}", stale.body);
    let wrong = browser.post(&format!("{path}/public"), &[("revision", "5"), ("former", ""), ("ip", "lan"), ("mask", "")]).await;
    assert!(
        wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.body.contains("Row 1: “lan” is no IP address"),
        "{}",
        wrong.body
    );
    let window = browser.post(&path, &[("revision", "5"), ("name", "Berlin"), ("polling_window", "03:00")]).await;
    assert!(
        window.status == StatusCode::UNPROCESSABLE_ENTITY && window.body.contains("f-polling_window-error"),
        "{}",
        window.body
    );
    let internet = browser.get("/admin/sites/1").await.body;
    assert!(internet.contains("nothing of it can be changed") && !internet.contains(">Update<"), "{internet}");
    assert_eq!(browser.post("/admin/sites/1", &[("revision", "0"), ("name", "Mine")]).await.status, StatusCode::CONFLICT);
    for tab in ["/admin/sites/1/public", "/admin/sites/1/private"] {
        assert_eq!(browser.get(tab).await.status, StatusCode::OK);
    }
}

/// A device that was added by hand and came once from this address.
pub fn came(site: &Rc<Site>, key: &str, address: &str) {
    let draft =
        DeviceDraft::parse(&DeviceInput { key: key.to_owned(), ..DeviceInput::default() }, models()).expect("a good draft");
    devices::create(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("added");
    let exchange = Exchange {
        at: site.clock.now(),
        method: Method::Get,
        path: "/x.cfg".into(),
        status: 200,
        size_bytes: 1,
        reason: Reason::Master,
        in_clear: false,
    };
    let heard = Heard {
        connection: 1,
        address: address.parse().expect("an address"),
        key: key.parse().ok(),
        standing: Standing::LetIn,
        shown: None,
        is_back: false,
        asked: Asked::Master,
        speaker: Speaker::Application,
        user_agent: "phone".into(),
        exchange,
    };
    site.services.presence().note(Message { account: DEFAULT_ACCOUNT, heard, agent: None, private_ip: None });
    presence::flush(&site.services).expect("written");
}

/// A profile on a site, as its own tab will attach it.
fn deploy(server: &Server, site: SiteId) {
    let input = ProfileInput {
        name: "Of the site".to_owned(),
        description: String::new(),
        parameters: vec![("up.welcomeSoundEnabled".to_owned(), "0".to_owned())],
    };
    let draft = ProfileDraft::parse(&input).expect("a good profile");
    let made = profiles::create(&server.services, &Actor::CommandLine, DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("made");
    let target = Target::Place(Place::Site(site));
    deployment::set(&server.services, &Actor::CommandLine, DEFAULT_ACCOUNT, &target, None, vec![made[0].id], Mode::Keep)
        .expect("deployed");
}

fn parameters(server: &Server, key: &str) -> String {
    let phone = Phone::new(server).tagged(Some(key));
    phone.get(&format!("/{key}.cfg"));
    phone.get(&format!("/{key}-profile.cfg")).text()
}

#[test]
fn the_first_files_of_a_phone_are_those_of_its_site() {
    let server = Server::start();
    let api = Api::owner(&server);
    let home = json!({ "name": "New York", "time_zone": "America/New_York", "networks": [{ "public": "127.0.0.0/8" }] });
    let home = api.ok("POST", "/sites", Some(home))["id"].as_u64().expect("a number");
    deploy(&server, SiteId(home));
    api.ok("POST", "/devices", Some(json!({ "key": KEY })));
    for key in [KEY, "0004f2a11a02"] {
        let first = parameters(&server, key);
        assert!(first.contains("tcpIpApp.sntp.gmtOffset=\"-18000\""), "{key}: {first}");
        assert!(first.contains("up.welcomeSoundEnabled=\"0\""), "{key}: {first}");
    }
    server.flush();
    let listed = api.ok("GET", &format!("/devices?site={home}&sort=site"), None);
    assert_eq!(listed["total"], 2);
    assert_eq!(listed["items"][0]["site_reason"], "its address lies in 127.0.0.0/8");
    let page = api.page(&format!("/admin/devices/{KEY}")).text();
    assert!(page.contains("New York") && page.contains("its address lies in 127.0.0.0/8"), "{page}");
    assert!(api.page(&format!("/admin/devices?site={home}")).text().contains("2 rows"));
    assert_eq!(api.ok("GET", &format!("/sites/{home}"), None)["device_count"], 2);
}

#[test]
fn a_device_is_pinned_by_page_and_api_and_gets_what_its_site_gets() {
    let server = Server::start();
    let api = Api::owner(&server);
    api.ok("POST", "/sites", Some(json!({ "name": "Home", "networks": [{ "public": "127.0.0.0/8" }] })));
    let tokyo = api.ok("POST", "/sites", Some(json!({ "name": "Tokyo", "time_zone": "Asia/Tokyo" })))["id"].clone();
    let made = api.ok("POST", "/devices", Some(json!({ "key": KEY, "pin": tokyo })));
    assert_eq!((&made["site"], &made["pin"]), (&tokyo, &tokyo));
    assert!(parameters(&server, KEY).contains("tcpIpApp.sntp.gmtOffset=\"32400\""));
    server.flush();
    let revision = made["revision"].clone();
    assert_eq!(api.refused("PATCH", &format!("/devices/{KEY}"), Some(json!({ "revision": revision, "pin": 99 }))).1[0].0, "pin");
    let free = api.ok("PATCH", &format!("/devices/{KEY}"), Some(json!({ "revision": revision, "pin": Value::Null })));
    assert_eq!((free["pin"].clone(), free["site_reason"].clone()), (Value::Null, json!("its address lies in 127.0.0.0/8")));
    let page = api.page(&format!("/admin/devices/{KEY}")).text();
    assert!(page.contains("As its addresses say</option>"), "{page}");
}

#[actix_web::test]
async fn where_some_move_and_some_wait_the_question_says_both() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    came(&site, KEY, "10.7.7.7");
    came(&site, "0004f2a11a02", "10.7.7.8");
    let home = [("name", "Home"), ("ip", "10.7.0.0"), ("mask", "16"), ("private", ""), ("confirmed", "yes")];
    assert!(browser.post("/admin/sites/add", &home).await.body.contains("2 devices moved to Home."));
    came(&site, "0004f2a11a03", "10.8.7.7");
    let path = format!("/admin/sites/{}/public", id_of(&site, "Home"));
    let away = [("revision", "1"), ("former", "10.7.0.0/16"), ("ip", "10.8.0.0"), ("mask", "16")];
    let asked = browser.post(&path, &away).await.body;
    assert!(asked.contains("Save, move 1 device, and ask about 2 more?") && asked.contains("0004f2a11a03"), "{asked}");
    assert_eq!(site.services.roster(DEFAULT_ACCOUNT).all().iter().filter(|one| one.device.waiting_move().is_some()).count(), 0);
    browser.post(&path, &[&away[..], &[("confirmed", "yes")]].concat()).await;
    let waiting = browser.get("/admin/sites/moves").await.body;
    assert!(waiting.contains(KEY) && waiting.contains("0004f2a11a02") && !waiting.contains("0004f2a11a03"), "{waiting}");
    let moved = browser.get("/admin/devices/0004f2a11a03").await.body;
    assert!(moved.contains("Home"), "{moved}");
}

#[actix_web::test]
async fn devices_that_move_are_named_before_anything_is_saved() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    came(&site, KEY, "10.7.7.7");
    let home = [("name", "Home"), ("ip", "10.7.0.0"), ("mask", "16"), ("private", "")];
    let asked = browser.post("/admin/sites/add", &home).await.body;
    assert!(asked.contains("Save, and move 1 device?") && asked.contains(KEY), "{asked}");
    assert_eq!(sites::list(&site.services, DEFAULT_ACCOUNT).expect("listed").len(), 2, "nothing is saved yet");
    let done = browser.post("/admin/sites/add", &[&home[..], &[("confirmed", "yes")]].concat()).await.body;
    assert!(done.contains("1 device moved to Home."), "{done}");
    let id = id_of(&site, "Home");
    let path = format!("/admin/sites/{id}");
    let away = [("revision", "1"), ("former", "10.7.0.0/16"), ("ip", "10.8.0.0"), ("mask", "16")];
    let asked = browser.post(&format!("{path}/public"), &away).await.body;
    assert!(asked.contains("waits under Pending moves"), "{asked}");
    browser.post(&format!("{path}/public"), &[&away[..], &[("confirmed", "yes")]].concat()).await;
    let moves = browser.get("/admin/sites/moves").await.body;
    assert!(moves.contains(KEY) && browser.get("/admin/").await.body.contains("/admin/sites/moves"), "{moves}");
    let kept = browser.post("/admin/sites/moves", &[("answer", "decline"), ("select", KEY)]).await.body;
    assert!(kept.contains("Kept at its site: 1 device."), "{kept}");
    let asked = browser.get(&format!("/admin/sites/delete?select={id}")).await.body;
    assert!(asked.contains("Delete Home?") && asked.contains("1 device moves from Home to Internet."), "{asked}");
    let gone = browser.post("/admin/sites/delete", &[("select", &id.to_string()), ("confirmed", "yes")]).await.body;
    assert!(gone.contains("1 site is deleted. 1 device moved to Internet."), "{gone}");
    let log = browser.get("/admin/activity?q=Home").await.body;
    assert!(log.contains("Home") && log.contains("deleted"), "{log}");
}

#[test]
fn a_zone_that_phones_cannot_follow_is_told_where_it_is_chosen() {
    let server = Server::start();
    let api = Api::owner(&server);
    let site = json!({ "name": "Santiago", "time_zone": "America/Santiago", "networks": [{ "public": "192.0.2.0/24" }] });
    let made = api.ok("POST", "/sites", Some(site));
    let words = "phones cannot follow the daylight-saving rule of this zone";
    let id = &made["id"];
    assert!(made.to_string().contains(words), "{made}");
    assert!(api.page(&format!("/admin/sites/{id}")).text().contains(words));
    let revision = api.ok("GET", "/settings", None)["revision"].clone();
    let changed = api.ok("PATCH", "/settings", Some(json!({ "revision": revision, "time_zone": "Africa/Cairo" })));
    assert!(changed["time_zone_warning"].as_str().is_some_and(|told| told.starts_with("Africa/Cairo: ")), "{changed}");
    assert!(api.page("/admin/provisioning").text().contains("Africa/Cairo: "));
}
