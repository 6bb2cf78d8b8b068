//! The clicks of Pending and of a device's page: each sends what the page shows, and opens nothing else (R178, contract 4).

use std::net::IpAddr;
use std::rc::Rc;

use pdms::domain::device::DeviceKey;
use pdms::domain::device::draft::{DeviceDraft, DeviceInput};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::run::Reason;
use pdms::domain::trust::Knock;
use pdms::services::commit::Mode;
use pdms::services::devices;

use super::support::browser::{Browser, Site};
use super::support::server::admin;

const FIRST: &str = "0004f2aa0001";
const SECOND: &str = "0004f2aa0002";
const HERE: &str = "/admin/pending";

pub fn knock(site: &Rc<Site>, mac: &str, reason: Reason, address: &str) {
    let (key, address): (DeviceKey, IpAddr) = (mac.parse().expect("a MAC"), address.parse().expect("an address"));
    let knock = Knock::new(site.clock.now(), reason, address, "VVX 411");
    site.services.trusts(DEFAULT_ACCOUNT).learn(&key, |trust| trust.refused(knock));
}

/// The form whose button has this accessible name, as the page has it filled.
fn form(page: &str, spoken: &str) -> Vec<(String, String)> {
    let named = format!("aria-label=\"{spoken}\"");
    let (before, _) = page.split_once(&named).unwrap_or_else(|| panic!("no button {spoken}: {page}"));
    let form = before.rsplit("<form").next().expect("a button is in a form");
    let value = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\""))?;
        Some(rest.split('"').next().unwrap_or_default().to_owned())
    };
    let tags = form.split('<').filter(|tag| tag.starts_with("input") || tag.starts_with("button"));
    let pairs = tags.filter_map(|tag| Some((value(tag, " name")?, value(tag, " value")?)));
    pairs.filter(|(name, _)| name != "csrf").collect()
}

async fn press(browser: &mut Browser, page: &str, spoken: &str) -> String {
    let fields = form(page, spoken);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(HERE, &fields).await.body
}

#[actix_web::test]
async fn what_somebody_blocked_since_the_page_was_drawn_stays_blocked_and_unblocking_is_one_click() {
    let site = Site::open().await;
    let is_blocked = || site.services.world(DEFAULT_ACCOUNT).expect("set up").blocked.len() == 1;
    knock(&site, FIRST, Reason::NotApproved, "10.0.0.1");
    knock(&site, SECOND, Reason::NotApproved, "10.0.0.2");
    let (mut ann, mut bea) = (Browser::signed_in(&site).await, Browser::signed_in(&site).await);
    let drawn = ann.get(HERE).await.body;
    bea.get(HERE).await;
    let blocked = bea.post(HERE, &[("deed", "block"), ("select", SECOND)]).await.body;
    assert!(blocked.contains(&format!("{SECOND} is blocked.")), "{blocked}");
    knock(&site, SECOND, Reason::Blocked, "10.0.0.2");
    let single = press(&mut ann, &drawn, &format!("Let in: {SECOND}")).await;
    assert!(single.contains(&format!("Nothing was done: {SECOND} is blocked; unblock it first")) && is_blocked(), "{single}");
    let (first, second) = (format!("{FIRST}@10.0.0.1"), format!("{SECOND}@10.0.0.2"));
    let ticked = [("deed", "let-in"), ("select", FIRST), ("select", SECOND), ("from", &first), ("from", &second)];
    let both = ann.post(HERE, &ticked).await.body;
    assert!(both.contains(&format!("{FIRST} is let in when it next asks from 10.0.0.1")), "{both}");
    assert!(both.contains(&format!("Not done: {SECOND} is blocked; unblock it first")) && is_blocked(), "{both}");
    let lifted = press(&mut ann, &both, &format!("Unblock: {SECOND}")).await;
    assert!(lifted.contains(&format!("{SECOND} is unblocked.")) && !is_blocked(), "{lifted}");
}

#[actix_web::test]
async fn two_addresses_of_one_key_are_shown_with_a_click_each_on_both_pages() {
    let site = Site::open().await;
    let input = DeviceInput { key: FIRST.to_owned(), ..DeviceInput::default() };
    let draft = DeviceDraft::parse(&input, pdms::catalog::models::models()).expect("a good draft");
    devices::create(&site.services, &admin(), DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("added");
    let right = || site.services.trusts(DEFAULT_ACCOUNT).of(&FIRST.parse().expect("a MAC")).right.clone().map(|one| one.address);
    let (key, now) = (FIRST.parse().expect("a MAC"), site.clock.now());
    site.services.trusts(DEFAULT_ACCOUNT).learn(&key, |trust| trust.bound_at = Some(now));
    knock(&site, FIRST, Reason::Bound, "10.0.0.1");
    let mut browser = Browser::signed_in(&site).await;
    let alone = browser.get(HERE).await.body;
    knock(&site, FIRST, Reason::FactoryCredentials, "10.6.6.7");
    let stale = press(&mut browser, &alone, &format!("Bind again: {FIRST}")).await;
    assert!(stale.contains("from 10.6.6.7 too, which was not shown") && right().is_none(), "{stale}");
    for (path, address, label) in
        [(HERE.to_owned(), "10.0.0.1", "Bind again"), (format!("/admin/devices/{FIRST}"), "10.6.6.7", "Adopt")]
    {
        let page = browser.get(&path).await.body;
        assert!(page.contains("2 addresses asked for it") && page.contains("10.0.0.1") && page.contains("10.6.6.7"), "{page}");
        let done = press(&mut browser, &page, &format!("{label} there, at {address}: {FIRST}")).await;
        assert!(done.contains(&format!("is let in when it next asks from {address}")), "{done}");
        assert_eq!(right(), Some(address.parse().expect("an address")));
    }
    let (from, also) = (format!("{FIRST}@10.6.6.7"), format!("{FIRST}@10.0.0.1"));
    knock(&site, SECOND, Reason::NotApproved, "10.0.0.2");
    let second = format!("{SECOND}@10.0.0.2");
    let ticked = [("deed", "let-in"), ("select", FIRST), ("select", SECOND), ("from", &from), ("also", &also), ("from", &second)];
    let many = browser.post(HERE, &ticked).await.body;
    assert!(many.contains(&format!("{SECOND} is let in")) && many.contains("by the button of the right address"), "{many}");
}

#[actix_web::test]
async fn the_bar_for_ticked_rows_lets_in_nobody_who_is_one_of_two_were_it_the_only_tick() {
    let site = Site::open().await;
    let right = || site.services.trusts(DEFAULT_ACCOUNT).of(&FIRST.parse().expect("a MAC")).right.clone().map(|one| one.address);
    knock(&site, FIRST, Reason::FactoryCredentials, "10.0.0.1");
    knock(&site, FIRST, Reason::FactoryCredentials, "10.6.6.7");
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.get(HERE).await.body;
    // What the form of the bar sends: each hidden field of the table, and the tick.
    let mut fields = vec![("deed".to_owned(), "let-in".to_owned()), ("select".to_owned(), FIRST.to_owned())];
    for tag in page.split('<').filter(|tag| tag.starts_with("input form=\"bulk\" type=\"hidden\"")) {
        let value =
            |name: &str| tag.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned);
        fields.extend(value("name").zip(value("value")));
    }
    assert_eq!(fields.len(), 4, "{fields:?}");
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let said = browser.post(HERE, &fields).await.body;
    assert!(said.contains("let it in by the button of the right address") && right().is_none(), "{said}");
    press(&mut browser, &said, &format!("Adopt there, at 10.0.0.1: {FIRST}")).await;
    assert_eq!(right(), Some("10.0.0.1".parse().expect("an address")));
}
