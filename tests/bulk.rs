//! What is done to all that a list finds (U12): asked with the number, typed above a hundred, and done to those that were shown alone.

use std::rc::Rc;

use actix_web::http::StatusCode;
use pdms::domain::access::Actor;
use pdms::domain::device::draft::{DeviceDraft, DeviceInput};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::run::Reason;
use pdms::domain::trust::Knock;
use pdms::services::commit::Mode;
use pdms::services::devices;
use serde_json::{Value, json};

use crate::admin_pending::knock;
use crate::sites::{came, id_of};
use crate::support::api::Api;
use crate::support::browser::{Browser, Site};
use crate::support::server::Server;

fn add(site: &Site, numbers: impl Iterator<Item = usize>, name: &str) {
    let draft = |number: usize| {
        let key = format!("0004f2aa{number:04x}");
        let input = DeviceInput { key, name: format!("{name} {number}"), ..DeviceInput::default() };
        DeviceDraft::parse(&input, pdms::catalog::models::models()).expect("a device")
    };
    let drafts = numbers.map(draft).collect();
    devices::create(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, drafts, Mode::Keep).expect("added");
}

fn devices_left(site: &Site) -> usize {
    site.services.roster(DEFAULT_ACCOUNT).len()
}

/// The hidden fields of the question on a page, as its button would send them.
fn question(body: &str) -> Vec<(String, String)> {
    let form = body.split("class=\"panel confirm\"").nth(1).expect("a question");
    let fields = form.split("<input type=\"hidden\" name=\"").skip(1).filter_map(|field| {
        let (name, rest) = field.split_once("\" value=\"")?;
        Some((name.to_owned(), rest.split('"').next()?.replace("&amp;", "&").replace("&#38;", "&")))
    });
    fields.filter(|(name, _)| name != "csrf").collect()
}

async fn answer(browser: &mut Browser, path: &str, body: &str, more: &[(&str, &str)]) -> String {
    let fields = question(body);
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(more.iter().copied());
    browser.post(path, &fields.collect::<Vec<_>>()).await.body
}

const ALL_DESKS: [(&str, &str); 2] = [("scope", "matching"), ("matching", "q=desk&sort=-name&per_page=25")];

#[actix_web::test]
async fn all_that_match_are_deleted_when_their_number_was_typed() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    add(&site, 0..130, "Desk");
    add(&site, 200..203, "Hall");
    let list = browser.get("/admin/devices?q=desk&per_page=25").await.body;
    assert!(list.contains("Select all 130 matching") && list.contains("name=\"scope\""), "{list}");
    assert!(
        !browser.get("/admin/devices?q=hall").await.body.contains("matching</label>"),
        "three on one page are ticked at once"
    );

    let path = "/admin/devices/delete";
    let asked = browser.post(path, &ALL_DESKS).await.body;
    assert!(asked.contains("Delete 130 devices?") && asked.contains("Type 130 to go on"), "{asked}");
    assert!(!asked.contains("name=\"select\""), "the filter goes along, not the keys");
    for number in ["", "13", "131"] {
        let again = answer(&mut browser, path, &asked, &[("then", "block"), ("number", number)]).await;
        assert!(again.contains("Type the number 130 to go on.") && devices_left(&site) == 133, "{number}: {again}");
    }
    // One more came meanwhile: what was asked about is another set now.
    add(&site, 300..301, "Desk");
    let again = answer(&mut browser, path, &asked, &[("then", "forget"), ("number", "130")]).await;
    assert!(again.contains("131 in all") && again.contains("Delete 131 devices?") && devices_left(&site) == 134, "{again}");
    let done = answer(&mut browser, path, &again, &[("then", "forget"), ("number", "131")]).await;
    assert!(done.contains("131 devices are deleted.") && devices_left(&site) == 3, "{done}");
}

#[actix_web::test]
async fn ticks_count_unless_all_that_match_are_chosen() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    add(&site, 0..30, "Desk");
    let fields = [("select", "0004f2aa0001"), ("select", "0004f2aa0002"), ("matching", "q=desk")];
    let asked = browser.post("/admin/devices/delete", &fields).await.body;
    assert!(asked.contains("Delete 2 devices?") && !asked.contains("to go on"), "{asked}");
    let done = answer(&mut browser, "/admin/devices/delete", &asked, &[("then", "forget")]).await;
    assert!(done.contains("2 devices are deleted.") && devices_left(&site) == 28, "{done}");
}

async fn filled(site: &Rc<Site>) -> Browser {
    let mut browser = Browser::signed_in(site).await;
    for (path, field) in
        [("groups", "name"), ("people", "name"), ("person-groups", "name"), ("rooms", "name"), ("profiles", "name")]
    {
        for name in ["River 1", "River 2", "Hill"] {
            let answer = browser.post(&format!("/admin/{path}/add"), &[(field, name), ("description", "")]).await;
            assert!(answer.status == StatusCode::OK, "{path}: {}", answer.body);
        }
    }
    for (name, ip) in [("River 1", "10.1.0.0"), ("River 2", "10.2.0.0"), ("Hill", "10.3.0.0")] {
        let fields = [("name", name), ("ip", ip), ("mask", "16"), ("private", "")];
        let answer = browser.post("/admin/sites/add", &fields).await;
        assert!(answer.status == StatusCode::OK, "{}", answer.body);
    }
    browser
}

#[actix_web::test]
async fn every_list_with_a_bar_deletes_all_that_it_finds() {
    let site = Site::open().await;
    let mut browser = filled(&site).await;
    for (list, several) in [
        ("groups", "device groups"),
        ("people", "people"),
        ("person-groups", "person groups"),
        ("rooms", "rooms"),
        ("profiles", "profiles"),
        ("sites", "sites"),
    ] {
        let path = format!("/admin/{list}/delete");
        let asked = browser.post_once(&path, &[("scope", "matching"), ("matching", "q=river&page=2")]).await.body;
        assert!(asked.contains(&format!("Delete 2 {several}?")), "{list}: {asked}");
        let left = browser.get(&format!("/admin/{list}?q=river")).await.body;
        assert!(left.contains("River 1") && left.contains("River 2"), "{list}: nothing happens before a yes");
        let done = answer(&mut browser, &path, &asked, &[]).await;
        assert!(done.contains(&format!("2 {several} are deleted.")), "{list}: {done}");
        let left = browser.get(&format!("/admin/{list}?q=hill")).await.body;
        assert!(left.contains("Hill"), "{list}: {left}");
    }
    // A filter that is not understood is not no filter.
    for (list, filter) in
        [("devices", "status=foo"), ("devices", "group=abc"), ("groups", "default=foo"), ("profiles", "kind=foo")]
    {
        let path = format!("/admin/{list}/delete");
        let answer = browser.post_once(&path, &[("scope", "matching"), ("matching", filter)]).await;
        assert!(!answer.body.contains("Delete "), "{list}?{filter}: {}", answer.body);
    }
    // *Internet* and the standard profiles match, and stay.
    for list in ["sites", "profiles"] {
        let asked =
            browser.post_once(&format!("/admin/{list}/delete"), &[("scope", "matching"), ("matching", "all=")]).await.body;
        assert!(asked.contains("Delete ") && !asked.contains(">Internet<") && asked.contains("Hill"), "{list}: {asked}");
    }
}

#[actix_web::test]
async fn all_that_match_join_a_group() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    add(&site, 0..120, "Desk");
    browser.post("/admin/groups/add", &[("name", "Lobby")]).await;
    let id = *site.services.world(DEFAULT_ACCOUNT).expect("a world").groups.keys().next().expect("a group");
    let members = || site.services.roster(DEFAULT_ACCOUNT).count(|one| one.device.groups.contains(&id));
    let asked = browser.post("/admin/devices/groups", &ALL_DESKS).await.body;
    assert!(asked.contains("Add 120 devices to a group") && asked.contains("Type 120"), "{asked}");
    let group = id.to_string();
    let again = answer(&mut browser, "/admin/devices/groups", &asked, &[("group", &group), ("number", "12")]).await;
    assert!(again.contains("Type the number 120") && members() == 0, "{again}");
    answer(&mut browser, "/admin/devices/groups", &asked, &[("group", &group), ("number", "120")]).await;
    assert_eq!(members(), 120);
    let page = format!("/admin/groups/{id}/devices");
    let asked = browser.post(&page, &[("scope", "matching"), ("matching", "q=desk"), ("do", "remove")]).await.body;
    assert!(asked.contains("Remove 120 devices from Lobby?") && members() == 120, "{asked}");
    answer(&mut browser, &page, &asked, &[("number", "120")]).await;
    assert_eq!(members(), 0);
}

#[actix_web::test]
async fn all_pending_moves_that_match_are_decided_about_and_the_others_wait_on() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let key = |number: usize| format!("0004f2aa{number:04x}");
    for (number, address) in [(1, "10.7.0.1"), (2, "10.7.0.2"), (3, "10.9.0.3")] {
        came(&site, &key(number), address);
    }
    let path = "/admin/sites/moves";
    let waiting = || {
        let all = site.services.roster(DEFAULT_ACCOUNT).all();
        let mut keys: Vec<String> =
            all.iter().filter(|one| one.device.waiting_move().is_some()).map(|one| one.device.key.to_string()).collect();
        keys.sort();
        keys
    };
    for (name, ip, elsewhere, wait) in [("Home", "10.7.0.0", "198.18.0.0", 2), ("Hill", "10.9.0.0", "198.19.0.0", 3)] {
        let fields = [("name", name), ("ip", ip), ("mask", "16"), ("private", ""), ("confirmed", "yes")];
        let made = browser.post("/admin/sites/add", &fields).await.body;
        assert!(made.contains(&format!("moved to {name}.")), "{made}");
        let former = format!("{ip}/16");
        let away = [("revision", "1"), ("former", &former), ("ip", elsewhere), ("mask", "16"), ("confirmed", "yes")];
        let saved = browser.post(&format!("/admin/sites/{}/public", id_of(&site, name)), &away).await.body;
        assert_eq!(waiting().len(), wait, "{saved}");
    }
    assert_eq!(waiting(), [key(1), key(2), key(3)]);
    let home = format!("site={}&sort=-since", id_of(&site, "Home"));
    let wanted = [("answer", "accept"), ("scope", "matching"), ("matching", &home)];
    let asked = browser.post_once(path, &wanted).await.body;
    assert!(asked.contains("Move 2 devices to Internet?") && asked.contains(&key(1)) && !asked.contains(&key(3)), "{asked}");
    assert_eq!(waiting().len(), 3, "nothing happens before a yes");
    let done = answer(&mut browser, path, &asked, &[]).await;
    assert!(done.contains("Moved to Internet: 2 devices.") && waiting() == [key(3)], "{done}");
    // What is not understood is nothing here, and not everything.
    let none = browser.post_once(path, &[("answer", "accept"), ("scope", "matching"), ("matching", "site=hill")]).await;
    assert_eq!(waiting(), [key(3)], "{}", none.body);
}

#[actix_web::test]
async fn all_that_wait_and_match_are_let_in_from_where_the_list_named_them() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let (one, two, other) = ("0004f2aa0001", "0004f2aa0002", "0004f2bb0003");
    for (mac, address) in [(one, "10.0.0.1"), (two, "10.0.0.2"), (other, "10.0.0.3")] {
        knock(&site, mac, Reason::NotApproved, address);
    }
    let path = "/admin/pending";
    let is_let_in = |mac: &str| site.services.trusts(DEFAULT_ACCOUNT).of(&mac.parse().expect("a MAC")).right.is_some();
    let wanted = [("deed", "let-in"), ("scope", "matching"), ("matching", "q=0004f2aa&standing=waiting")];
    let asked = browser.post_once(path, &wanted).await.body;
    assert!(asked.contains(one) && asked.contains(two) && !asked.contains(other) && !is_let_in(one), "{asked}");
    // One of them asks from elsewhere meanwhile: that was not shown.
    site.clock.advance_to(site.clock.now() + jiff::SignedDuration::from_secs(1));
    knock(&site, two, Reason::NotApproved, "10.6.6.6");
    let again = answer(&mut browser, path, &asked, &[]).await;
    assert!(again.contains("Look at them again") && !is_let_in(one) && !is_let_in(two), "{again}");
    let done = answer(&mut browser, path, &again, &[]).await;
    assert!(is_let_in(one) && !is_let_in(other), "{done}");
}

#[test]
fn a_filter_of_the_api_means_the_same_keys_as_were_told_and_not_as_many() {
    let server = Server::start();
    let api = Api::owner(&server);
    let device = |number: usize| json!({ "key": format!("0004f2aa{number:04x}"), "name": format!("Desk {number}") });
    api.ok("POST", "/devices", Some((0..3).map(device).collect()));
    let told = api.ok("GET", "/devices?q=desk&per_page=1&mark=true", None);
    let (total, mark) = (told["total"].clone(), told["mark"].clone());
    assert!(total == 3 && mark.as_str().is_some_and(|mark| mark.len() == 32), "{told}");
    assert_eq!(api.ok("GET", "/devices?q=desk", None).get("mark"), None, "it is told to who asks for it");
    let matching = |mark: &Value| json!({ "filters": { "q": "desk" }, "total": 3, "mark": mark });
    let line =
        |matching: Value| json!([{ "matching": matching, "lines": [{ "line": 1, "fields": { "server": "pbx.example" } }] }]);
    let written = api.ok("PUT", "/devices/lines", Some(line(matching(&mark))));
    assert_eq!(written["devices"].as_array().map(Vec::len), Some(3), "{written}");
    // One went and one came: as many, and others.
    api.ok("DELETE", "/devices/0004f2aa0001?removal=forget", None);
    api.ok("POST", "/devices", Some(device(7)));
    let gone = |mark: &Value| json!({ "matching": matching(mark), "removal": "forget" });
    let refused = api.call("POST", "/devices/delete", Some(gone(&mark)));
    assert!(refused.status == 409 && refused.text().contains("not the same ones"), "{}", refused.text());
    assert_eq!(api.call("PUT", "/devices/lines", Some(line(matching(&mark)))).status, 409);
    assert_eq!(api.refused("PUT", "/devices/lines", Some(json!([{ "lines": [] }]))).1[0].0, "[0].device");
    let now = api.ok("GET", "/devices?q=desk&mark=true", None)["mark"].clone();
    assert_eq!(api.ok("POST", "/devices/delete", Some(gone(&now)))["total"], 3);
    for list in ["groups", "people", "person-groups", "rooms", "profiles", "sites", "pending-moves", "pending"] {
        assert!(api.ok("GET", &format!("/{list}?mark=true"), None)["mark"].is_string(), "{list}");
    }
}

#[test]
fn the_api_decides_about_all_who_wait_and_match_as_they_were_listed() {
    let server = Server::start();
    let api = Api::owner(&server);
    let knock = |mac: &str, address: &str| {
        let knock = Knock::new(server.clock.now(), Reason::NotApproved, address.parse().expect("an address"), "VVX 411");
        server.services.trusts(DEFAULT_ACCOUNT).learn(&mac.parse().expect("a MAC"), |trust| trust.refused(knock));
    };
    knock("0004f2aa0001", "10.0.0.1");
    knock("0004f2aa0002", "10.0.0.2");
    knock("0004f2bb0003", "10.0.0.3");
    let listed = || api.ok("GET", "/pending?q=0004f2aa&mark=true", None);
    let sent =
        |list: &Value| json!({ "matching": { "filters": { "q": "0004f2aa" }, "total": list["total"], "mark": list["mark"] } });
    let unmarked = json!({ "matching": { "filters": { "q": "0004f2aa" }, "total": 2 } });
    assert_eq!(api.refused("POST", "/pending/let-in", Some(unmarked)).1[0].0, "matching");
    let before = listed();
    let tried = api.ok("POST", "/pending/let-in?dry_run=true", Some(sent(&before)));
    let let_in = |answer: &Value, mac: &str, address: &str| {
        let mut done = answer["items"].as_array().expect("a list").iter();
        done.any(|one| one["key"] == mac && one["address"] == address)
    };
    assert!(tried["total"] == 2 && let_in(&tried, "0004f2aa0001", "10.0.0.1"), "{tried}");
    let mut both = sent(&before);
    both["shown"] = json!({ "0004f2aa0001": "10.0.0.1" });
    assert_eq!(api.refused("POST", "/pending/let-in", Some(both)).1[0].0, "shown");
    // The same key from elsewhere: as many rows, and not what was listed.
    server.advance(1);
    knock("0004f2aa0002", "10.6.6.6");
    assert_eq!(api.call("POST", "/pending/let-in", Some(sent(&before))).status, 409);
    let done = api.ok("POST", "/pending/let-in", Some(sent(&listed())));
    assert!(let_in(&done, "0004f2aa0001", "10.0.0.1"), "{done}");
    let rest = json!({ "matching": { "filters": { "q": "0004f2bb" }, "total": 1 } });
    assert_eq!(api.ok("POST", "/pending/dismiss", Some(rest))["total"], 1);
    assert_eq!(api.ok("GET", "/pending?q=0004f2bb", None)["total"], 0);
}

#[test]
fn the_api_takes_a_filter_in_place_of_keys() {
    let server = Server::start();
    let api = Api::owner(&server);
    let device = |number: usize| json!({ "key": format!("0004f2aa{number:04x}"), "name": format!("Desk {number}") });
    api.ok("POST", "/devices", Some((0..12).map(device).collect()));
    for list in ["people", "rooms", "person-groups", "groups"] {
        api.ok("POST", &format!("/{list}"), Some(json!([{ "name": "River 1" }, { "name": "River 2" }, { "name": "Hill" }])));
    }
    let all = |q: &str, total: usize| json!({ "filters": { "q": q }, "total": total });
    let total = |path: &str| api.ok("GET", path, None)["total"].as_u64().expect("a total");
    for list in ["people", "rooms", "person-groups", "groups"] {
        let path = format!("/{list}/delete");
        assert_eq!(api.call("POST", &path, Some(json!({ "matching": all("river", 3) }))).status, 409, "{list}");
        assert_eq!(api.refused("POST", &path, Some(json!({ "matching": all("river", 2), "ids": [1] }))).1[0].0, "matching");
        assert_eq!(api.refused("POST", &path, Some(json!({}))).1[0].0, "ids");
        let wrong = json!({ "matching": { "filters": { "colour": "red" }, "total": 0 } });
        assert_eq!(api.refused("POST", &path, Some(wrong)).1[0].0, "matching");
        assert_eq!(total(&format!("/{list}")), 3);
        api.ok("POST", &path, Some(json!({ "matching": all("river", 2) })));
        assert_eq!(total(&format!("/{list}")), 1, "{list}");
    }
    let hill = api.ok("GET", "/groups", None)["items"][0]["id"].clone();
    let joined = api.ok("POST", &format!("/groups/{hill}/members"), Some(json!({ "add_matching": all("desk", 12) })));
    assert_eq!(joined["added"].as_array().map(Vec::len), Some(12));
    let room = api.ok("GET", "/rooms", None)["items"][0]["id"].clone();
    let owned = json!({ "matching": { "filters": { "group": hill.to_string() }, "total": 12 }, "owner": { "room": room } });
    let owned: Value = api.ok("POST", "/devices/owner", Some(owned));
    assert_eq!(owned["added"], 12);
    let gone = json!({ "matching": all("desk 1", 3), "removal": "forget" });
    assert_eq!(api.ok("POST", "/devices/delete", Some(gone))["total"], 3);
    assert_eq!(total("/devices"), 9);
    // *Internet* and the standard profiles are told, and stay.
    for list in ["sites", "profiles"] {
        api.ok("POST", &format!("/{list}"), Some(json!({ "name": "Hill" })));
        let told = total(&format!("/{list}"));
        let sent = json!({ "matching": { "filters": {}, "total": told } });
        api.ok("POST", &format!("/{list}/delete"), Some(sent));
        assert_eq!(total(&format!("/{list}?q=hill")), 0, "{list}");
        assert!(total(&format!("/{list}")) > 0, "{list}");
    }
}
