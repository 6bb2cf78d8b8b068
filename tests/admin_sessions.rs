//! What ends with a session and what does not: a form that comes too late is given back, lists are as they were left (R15, R62).

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use jiff::SignedDuration;
use pdms::domain::access::Actor;
use pdms::domain::account::Secret;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::profile::draft::{ProfileDraft, ProfileInput};
use pdms::domain::user::Role;
use pdms::services::commit::Mode;
use pdms::services::profiles;
use pdms::services::users::{self, Access, NewUser};

use super::support::browser::{Answer, Browser, EMAIL, OWNER_PASSWORD, Site, form};

/// Sends a form whose session has ended in the meantime, signs in, and answers the page that comes then.
async fn send_too_late(site: &std::rc::Rc<Site>, browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let token = browser.token().await;
    site.advance(SignedDuration::from_hours(13));
    let mut all = vec![("csrf", token.as_str())];
    all.extend_from_slice(fields);
    let answer = browser.send(form(&all), path).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let to = answer.header("location").to_owned();
    assert!(to.starts_with("/admin/sign-in?next="), "{to}");
    browser.sign_in(&to, EMAIL, OWNER_PASSWORD).await
}

#[actix_web::test]
async fn a_form_of_an_ended_session_comes_back_with_what_was_typed_and_nothing_is_done_by_itself() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    browser.get("/admin/provisioning").await;
    let revision = site.services.world(DEFAULT_ACCOUNT).expect("set up").account.revision.to_string();
    let fields = [("revision", revision.as_str()), ("time_zone", "Asia/Tokyo"), ("time_server", "late.example.test")];
    let back = send_too_late(&site, &mut browser, "/admin/provisioning/time", &fields).await;
    assert_eq!(back.status, StatusCode::OK);
    for part in ["What you typed is back", "value=\"late.example.test\"", "value=\"Asia/Tokyo\"", "value=\"03:00\""] {
        assert!(back.body.contains(part), "{part} is missing in {}", back.body);
    }
    let server = || site.services.world(DEFAULT_ACCOUNT).expect("set up").account.time_server.clone();
    assert_ne!(server(), "late.example.test");
    assert!(browser.post("/admin/provisioning/time", &fields).await.body.contains("are saved"));
    assert_eq!(server(), "late.example.test");
    let page = browser.path.clone();
    site.advance(SignedDuration::from_mins(31));
    assert!(!browser.get(&page).await.body.contains("What you typed is back"));
}

#[actix_web::test]
async fn a_parameter_of_an_ended_session_is_open_again_and_a_secret_has_to_be_typed_again() {
    let site = Site::open().await;
    let parameters = [("reg.1.label", "Hall"), ("reg.1.auth.password", "CANARY_OLD")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let input = ProfileInput { name: "Office".to_owned(), description: String::new(), parameters };
    let draft = ProfileDraft::parse(&input).expect("a good profile");
    let made = profiles::create(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("made");
    let path = format!("/admin/profiles/{}", made[0].id);
    let mut browser = Browser::signed_in(&site).await;
    browser.get(&path).await;
    let change = |name, value| [("revision", "1"), ("do", "change"), ("name", name), ("value", value)];
    let back = send_too_late(&site, &mut browser, &format!("{path}/parameters"), &change("reg.1.label", "Lobby")).await;
    assert!(back.body.contains("value=\"Lobby\"") && back.body.contains("<h1>Office</h1>"), "{}", back.body);
    let secret = change("reg.1.auth.password", "CANARY_NEW");
    let back = send_too_late(&site, &mut browser, &format!("{path}/parameters"), &secret).await;
    assert!(back.body.contains("secrets were not kept") && !back.body.contains("CANARY"), "{}", back.body);
    let back = send_too_late(&site, &mut browser, "/admin/profiles/delete", &[("select", "1")]).await;
    assert!(back.body.contains("the last step was not done"), "{}", back.body);
}

#[actix_web::test]
async fn a_form_of_an_earlier_sign_in_can_be_had_back_and_one_of_another_site_cannot() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let earlier = browser.token().await;
    browser.post("/admin/sign-out", &[]).await;
    browser.sign_in("/admin/", EMAIL, OWNER_PASSWORD).await;
    let fields = [("csrf", earlier.as_str()), ("key", "0004f2aabbcc"), ("description", "beside the lift")];
    let refused = browser.send(form(&fields), "/admin/devices/add").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let link = refused.body.split("href=\"").map(|rest| rest.split('"').next().unwrap_or_default());
    let link = link.into_iter().find(|link| link.contains("unsent=")).expect("a way back to the form").to_owned();
    assert!(browser.get(&link).await.body.contains("beside the lift"));
    let mut other = Browser::new(&site);
    let new = NewUser {
        name: "Bob".to_owned(),
        email: "bob@example.test".to_owned(),
        role: Role::Owner,
        access: Access::Password(Secret::new("four unhurried words")),
    };
    users::add(&site.services, &Actor::CommandLine, &new, Mode::Keep).expect("added");
    other.sign_in("/admin/", "bob@example.test", "four unhurried words").await;
    let told = other.get(&link).await.body;
    assert!(!told.contains("beside the lift") && told.contains("somebody else typed it"), "{told}");
    let made_up = [("csrf", "made-up"), ("key", "0004f2aabbcc"), ("description", "beside the lift")];
    let nobodys = browser.send(form(&made_up), "/admin/devices/add").await;
    assert!(nobodys.body.contains("unsent=none"), "{}", nobodys.body);
    let foreign = form(&fields).insert_header(("sec-fetch-site", "cross-site"));
    assert!(!browser.send(foreign, "/admin/devices/add").await.body.contains("unsent="));
    let stranger = form(&fields).insert_header(("origin", "https://evil.example"));
    assert!(!Browser::new(&site).send(stranger, "/admin/devices/add").await.header("location").contains("unsent"));
}

#[actix_web::test]
async fn the_page_tells_how_long_the_session_goes_on_and_asking_keeps_it() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    assert!(browser.get("/admin/").await.body.contains("data-session-seconds=\"43200\""));
    for _ in 0..3 {
        let token = browser.token().await;
        site.advance(SignedDuration::from_hours(11));
        let answer = browser.send(form(&[("csrf", &token)]), "/admin/session").await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "{\"seconds\":43200}"));
    }
    site.advance(SignedDuration::from_hours(24 * 5 + 12));
    browser.get("/admin/").await;
    assert!(browser.path.starts_with("/admin/sign-in"), "nobody asked for days");
    let asked = Browser::new(&site).send(TestRequest::get(), "/admin/sign-in").await;
    assert!(!asked.body.contains("data-session-seconds"));
}

#[actix_web::test]
async fn a_list_is_as_it_was_left_until_it_is_reset_or_its_person_signs_out() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    for (path, query) in [
        ("/admin/devices", "q=hall&sort=-model"),
        ("/admin/profiles", "kind=user-defined"),
        ("/admin/activity", "object=user"),
        ("/admin/unknown-phones", "who=phone"),
    ] {
        browser.get(&format!("{path}?{query}&page=2")).await;
        browser.get("/admin/").await;
        browser.get(path).await;
        assert_eq!(browser.path, format!("{path}?{query}"));
    }
    browser.get("/admin/devices?all=").await;
    browser.get("/admin/devices").await;
    assert_eq!(browser.path, "/admin/devices", "it was reset");
    browser.get("/admin/profiles").await;
    assert_eq!(browser.path, "/admin/profiles?kind=user-defined", "each list has its own memory");
    browser.post("/admin/sign-out", &[]).await;
    browser.sign_in("/admin/", EMAIL, OWNER_PASSWORD).await;
    browser.get("/admin/profiles").await;
    assert_eq!(browser.path, "/admin/profiles");
}
