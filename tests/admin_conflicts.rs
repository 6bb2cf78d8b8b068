//! Two people who edit the same thing: the second one never overwrites the first unseen, whatever comes between (R14).

use std::rc::Rc;

use actix_web::http::StatusCode;
use jiff::SignedDuration;
use pdms::domain::access::Actor;
use pdms::domain::account::{Account, Secret};
use pdms::domain::device::draft::{DeviceDraft, DeviceInput};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::profile::draft::{ProfileDraft, ProfileInput};
use pdms::domain::user::Role;
use pdms::services::accounts::{self, AccountDraft, Replacement};
use pdms::services::commit::Mode;
use pdms::services::users::{self, Access, NewUser};
use pdms::services::{devices, profiles, server};

use super::support::browser::{Answer, Browser, Site};

/// The fields of the form with this address, as the page has them filled: hidden ones, texts and ticked boxes.
fn fields(page: &Answer, action: &str) -> Vec<(String, String)> {
    let (_, form) = page.body.split_once(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("no form {action}"));
    let form = form.split("</form>").next().expect("a form has an end");
    let attribute = |tag: &str, name: &str| {
        let value = tag.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split('"').next());
        value.map(|value| value.replace("&#34;", "\"").replace("&#38;", "&"))
    };
    let inputs = form.split("<input").skip(1).filter_map(|tag| {
        let tag = tag.split('>').next().unwrap_or_default();
        let is_box = tag.contains("type=\"checkbox\"");
        (!is_box || tag.contains(" checked")).then(|| (attribute(tag, "name"), attribute(tag, "value").unwrap_or_default()))
    });
    let texts = form.split("<textarea").skip(1).map(|tag| {
        let text = tag.split_once('>').and_then(|(_, rest)| rest.split("</textarea>").next()).unwrap_or_default();
        (attribute(tag, "name"), text.trim_start_matches('\n').to_owned())
    });
    inputs.chain(texts).filter_map(|(name, value)| Some((name?, value))).filter(|(name, _)| name != "csrf").collect()
}

/// Sends the form as the page has it, with some fields typed anew.
async fn send(browser: &mut Browser, page: &Answer, action: &str, typed: &[(&str, &str)]) -> Answer {
    let mut fields = fields(page, action);
    fields.retain(|(name, _)| !typed.iter().any(|(other, _)| other == name));
    let mut all: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    all.extend_from_slice(typed);
    browser.post(action, &all).await
}

fn account(site: &Rc<Site>) -> Account {
    Account::clone(&site.services.world(DEFAULT_ACCOUNT).expect("set up").account)
}

fn profile(site: &Rc<Site>) -> String {
    let parameters = vec![("reg.1.label".to_owned(), "Hall".to_owned()), ("up.idleTimeout".to_owned(), "40".to_owned())];
    let input = ProfileInput { name: "Office".to_owned(), description: "first".to_owned(), parameters };
    let draft = ProfileDraft::parse(&input).expect("a good profile");
    let made = profiles::create(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("made");
    format!("/admin/profiles/{}", made[0].id)
}

/// The text of a page, without its tags.
fn text(answer: &Answer) -> String {
    let tags_ended = answer.body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    tags_ended.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[actix_web::test]
async fn a_rejected_form_still_belongs_to_the_revision_it_was_typed_for() {
    let site = Site::open().await;
    let (mut ada, mut bob) = (Browser::signed_in(&site).await, Browser::signed_in(&site).await);
    let path = profile(&site);
    let (first, second) = (ada.get(&path).await, bob.get(&path).await);
    assert_eq!(send(&mut bob, &second, &path, &[("description", "of Bob")]).await.status, StatusCode::OK);
    let rejected = send(&mut ada, &first, &path, &[("name", "a/b"), ("description", "of Ada")]).await;
    assert_eq!(rejected.status, StatusCode::UNPROCESSABLE_ENTITY);
    let told = send(&mut ada, &rejected, &path, &[("name", "Offices")]).await;
    assert_eq!(told.status, StatusCode::CONFLICT, "the rejected form must not have become a fresh one");
    let words = text(&told);
    assert!(words.contains("description was first is now of Bob"), "{words}");
    let typed = fields(&told, &path);
    assert!(typed.contains(&("description".to_owned(), "of Ada".to_owned())), "{typed:?}");
    let done = send(&mut ada, &told, &path, &[]).await;
    assert!(done.body.contains("Updated."), "{}", done.body);
}

#[actix_web::test]
async fn a_rejected_parameter_form_still_belongs_to_the_revision_it_was_typed_for() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let path = profile(&site);
    let action = format!("{path}/parameters");
    let stale = browser.get(&format!("{path}?edit=reg.1.label")).await;
    let change = [("do", "change"), ("value", "Lobby")];
    let page = browser.get(&format!("{path}?edit=up.idleTimeout")).await;
    send(&mut browser, &page, &action, &[("do", "change"), ("value", "50")]).await;
    let rejected = send(&mut browser, &stale, &action, &[("do", "change"), ("value", "a\u{1}b")]).await;
    assert_eq!(rejected.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", rejected.body);
    let told = send(&mut browser, &rejected, &action, &change).await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert!(told.body.contains("value=\"Lobby\""), "the typed value stays in its field: {}", told.body);
    assert!(text(&told).contains("up.idleTimeout was 40 is now 50"), "{}", text(&told));
    browser.post(&action, &[("do", "add"), ("new_name", "x.y"), ("new_value", "1"), ("revision", "0")]).await;
    assert!(!browser.get(&path).await.body.contains("x.y"));
}

#[actix_web::test]
async fn settings_of_the_account_are_not_overwritten_after_a_rejection() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let (base, time) = ("/admin/provisioning/base", "/admin/provisioning/time");
    let stale = browser.get("/admin/provisioning").await;
    send(&mut browser, &stale, time, &[("time_server", "time.example.test")]).await;
    let rejected = send(&mut browser, &stale, base, &[("polling_window_from", "one")]).await;
    assert_eq!(rejected.status, StatusCode::UNPROCESSABLE_ENTITY);
    let typed = [(base, &rejected, ("polling_window_from", "01:00")), (time, &stale, ("time_server", "ntp.example.test"))];
    for (action, page, (name, value)) in typed {
        let told = send(&mut browser, page, action, &[(name, value)]).await;
        assert_eq!(told.status, StatusCode::CONFLICT, "{action}");
        assert!(text(&told).contains("time server was"), "{action}: {}", text(&told));
        assert!(fields(&told, action).contains(&(name.to_owned(), value.to_owned())), "{action} keeps what was typed");
    }
    assert_eq!(account(&site).time_server, "time.example.test");
    let without = browser.post(time, &[("time_zone", "UTC"), ("time_server", "x.example.test")]).await;
    assert_eq!(without.status, StatusCode::CONFLICT, "a form without a revision overwrites nothing");
}

#[actix_web::test]
async fn the_public_name_has_its_own_lock() {
    let site = Site::open().await;
    let (mut ada, mut bob) = (Browser::signed_in(&site).await, Browser::signed_in(&site).await);
    let action = "/admin/provisioning/address";
    let (first, second) = (ada.get("/admin/provisioning").await, bob.get("/admin/provisioning").await);
    assert_eq!(send(&mut bob, &second, action, &[("public_name", "bob.example.lan")]).await.status, StatusCode::OK);
    let rejected = send(&mut ada, &first, action, &[("public_name", "not a name")]).await;
    let told = send(&mut ada, &rejected, action, &[("public_name", "ada.example.lan")]).await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert!(told.body.contains("bob.example.lan") && told.body.contains("value=\"ada.example.lan\""), "{}", told.body);
    assert_eq!(server::settings(&site.services).expect("settings").public_name.as_deref(), Some("bob.example.lan"));
    let done = send(&mut ada, &told, action, &[]).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(server::settings(&site.services).expect("settings").public_name.as_deref(), Some("ada.example.lan"));
}

#[actix_web::test]
async fn two_owners_of_whom_one_changes_a_user_meanwhile() {
    let site = Site::open().await;
    let access = Access::Password(Secret::new("another few words"));
    let new = NewUser { name: "Cy".to_owned(), email: "cy@example.test".to_owned(), role: Role::Operator, access };
    let id = users::add(&site.services, &Actor::CommandLine, &new, Mode::Keep).expect("added").user.id;
    let (mut ada, mut bob) = (Browser::signed_in(&site).await, Browser::signed_in(&site).await);
    let path = format!("/admin/users/{id}");
    let (first, second) = (ada.get(&path).await, bob.get(&path).await);
    let chosen = |email: &'static str| [("email", email), ("role", "operator"), ("sign_in", "on")];
    let renamed = [&chosen("bob.chose@example.test")[..], &[("name", "Cyrus")]].concat();
    assert_eq!(send(&mut bob, &second, &path, &renamed).await.status, StatusCode::OK);
    let told = send(&mut ada, &first, &path, &chosen("ada.chose@example.test")).await;
    assert_eq!(told.status, StatusCode::CONFLICT, "{}", told.body);
    let words = text(&told);
    assert!(words.contains("name was Cy is now Cyrus"), "what the other one did: {words}");
    assert!(words.contains("E-mail bob.chose@example.test ada.chose@example.test"), "stored beside typed: {words}");
    let stored = || users::get(&site.services, id).expect("a user").email;
    assert_eq!(stored(), "bob.chose@example.test");
    assert_eq!(send(&mut ada, &told, &path, &chosen("ada.chose@example.test")).await.status, StatusCode::OK);
    assert_eq!(stored(), "ada.chose@example.test", "pressed again, knowing it");
    let without = bob.post(&path, &[("name", "Cy"), ("email", "x@example.test")]).await;
    assert_eq!(without.status, StatusCode::CONFLICT, "a form without a revision overwrites nothing");
    let now = bob.get(&path).await;
    let emptied = send(&mut bob, &now, &path, &[("name", " "), ("email", "")]).await;
    assert_eq!(emptied.status, StatusCode::UNPROCESSABLE_ENTITY, "an emptied field does not stay as it was: {}", emptied.body);
    assert!(text(&emptied).contains("nter a name") && text(&emptied).contains("nter an e-mail address"), "{}", text(&emptied));
}

#[actix_web::test]
async fn only_the_former_shared_credentials_that_were_shown_are_ended() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let here = "/admin/provisioning/credentials";
    let replace = |password: &str| {
        let draft = AccountDraft {
            password: Some(Secret::new(password)),
            replacement: Some(Replacement::Planned),
            ..AccountDraft::default()
        };
        accounts::update(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, None, &draft).expect("replaced");
    };
    let end = format!("{here}/end");
    replace("planned-7411");
    let stale = browser.get(here).await;
    assert!(send(&mut browser, &stale, &end, &[]).await.body.contains("count no more"));
    site.advance(SignedDuration::from_secs(1));
    replace("planned-7412");
    let told = send(&mut browser, &stale, &end, &[]).await;
    assert!(told.body.contains("replaced once more since"), "{}", told.body);
    assert!(account(&site).provisioning.former.is_some());
}

#[actix_web::test]
async fn a_devices_form_and_an_order_of_profiles_tell_what_the_other_one_did() {
    let site = Site::open().await;
    let input = DeviceInput { key: "0004f2aabbcc".to_owned(), name: "Hall".to_owned(), ..DeviceInput::default() };
    let draft = DeviceDraft::parse(&input, pdms::catalog::models::models()).expect("a good draft");
    devices::create(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("added");
    let (mut ada, mut bob) = (Browser::signed_in(&site).await, Browser::signed_in(&site).await);
    let path = "/admin/devices/0004f2aabbcc";
    let (first, second) = (ada.get(path).await, bob.get(path).await);
    send(&mut bob, &second, path, &[("name", "Lobby")]).await;
    let rejected = send(&mut ada, &first, path, &[("private_ip", "x"), ("description", "of Ada")]).await;
    assert_eq!(rejected.status, StatusCode::UNPROCESSABLE_ENTITY);
    let told = send(&mut ada, &rejected, path, &[("private_ip", "192.0.2.9")]).await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert!(text(&told).contains("name was Hall is now Lobby"), "{}", text(&told));

    profile(&site);
    let global = "/admin/deployment";
    let stale = ada.get(global).await;
    let id =
        stale.body.split_once("<option value=\"").and_then(|(_, rest)| rest.split_once("<option value=\"")).map(|(_, rest)| rest);
    let id = id.and_then(|rest| rest.split('"').next()).expect("a profile to choose").to_owned();
    let attach = [("shown", ""), ("do", "attach"), ("profile", id.as_str()), ("where", "bottom")];
    bob.get(global).await;
    assert_eq!(bob.post(global, &attach).await.status, StatusCode::OK);
    let told = ada.post(global, &attach).await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert!(text(&told).contains("profiles is now Office"), "{}", text(&told));
}

#[actix_web::test]
async fn the_plan_of_backups_keeps_what_the_second_one_typed() {
    let site = Site::open().await;
    let (mut ada, mut bob) = (Browser::signed_in(&site).await, Browser::signed_in(&site).await);
    let (page, action) = ("/admin/backups", "/admin/backups/plan");
    let (first, second) = (ada.get(page).await, bob.get(page).await);
    let saved = send(&mut bob, &second, action, &[("every", "day"), ("keep", "3"), ("hour", "4")]).await;
    assert!(saved.body.contains("The plan is saved"), "{}", saved.body);
    let rejected = send(&mut ada, &first, action, &[("every", "week"), ("keep", "0")]).await;
    assert_eq!(rejected.status, StatusCode::UNPROCESSABLE_ENTITY);
    let typed = "CANARY a passphrase of Ada";
    let change = [("every", "week"), ("keep", "9"), ("encrypt", "on"), ("passphrase", typed), ("passphrase_again", typed)];
    let told = send(&mut ada, &rejected, action, &change).await;
    assert_eq!(told.status, StatusCode::CONFLICT, "the rejected form must not have become a fresh one");
    let words = text(&told);
    for part in ["keep was 7 is now 3", "How often Every day Every Sunday", "to keep 3 9", "Hour 4 2", "passphrase no yes"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!told.body.contains("CANARY") && words.contains("Type the new passphrase again"), "{words}");
    assert!(told.body.contains("value=\"9\""), "the typed value stays in its field");
    let done = send(&mut ada, &told, action, &[("every", "week"), ("passphrase", typed), ("passphrase_again", typed)]).await;
    assert!(done.body.contains("The plan is saved"), "{}", done.body);
    let plan = pdms::services::backup::kept::plan(&site.services).expect("a plan");
    assert_eq!((plan.every.word(), plan.keep, plan.passphrase.is_some()), ("week", 9, true));
}
