//! What other sites, strangers' addresses and faults do to the admin pages: nothing (ADM-07 to ADM-09).

use std::rc::Rc;

use actix_web::http::{StatusCode, header};
use actix_web::test::TestRequest;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::activity::{self, ActivityQuery};
use pdms::web::admin;

use super::support::api::Api;
use super::support::browser::{Browser, EMAIL, OWNER_PASSWORD, Site, form};
use super::support::server::Server;

/// Sends the form of the time settings in some way and tells the status and whether it changed anything.
async fn try_time(site: &Rc<Site>, browser: &mut Browser, token: &str, headers: &[(&'static str, &'static str)]) -> (u16, bool) {
    let server = "forged.example.test";
    let revision = site.services.world(DEFAULT_ACCOUNT).expect("set up").account.revision.to_string();
    let fields = [("csrf", token), ("revision", &revision), ("time_zone", "Europe/Berlin"), ("time_server", server)];
    let mut request = form(&fields);
    for (name, value) in headers {
        request = request.insert_header((*name, *value));
    }
    let answer = browser.send(request, "/admin/provisioning/time").await;
    let world = site.services.world(DEFAULT_ACCOUNT).expect("set up");
    (answer.status.as_u16(), world.account.time_server == server)
}

#[actix_web::test]
async fn adm_07_forms_of_other_sites_and_sessions_change_nothing() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    browser.get("/admin/provisioning").await;
    let own = browser.token().await;
    let mut stranger = Browser::signed_in(&site).await;
    let foreign = stranger.token().await;
    for token in ["", "x", &foreign] {
        assert_eq!(try_time(&site, &mut browser, token, &[]).await, (403, false), "{token}");
    }
    for header in
        [("origin", "https://evil"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
    {
        assert_eq!(try_time(&site, &mut browser, &own, &[header]).await, (403, false), "{header:?}");
    }
    let plain = TestRequest::post().insert_header((header::CONTENT_TYPE, "text/plain")).set_payload(format!("csrf={own}"));
    assert_eq!(browser.send(plain, "/admin/provisioning/time").await.status, StatusCode::FORBIDDEN);
    let same = [("origin", "https://localhost:8443"), ("sec-fetch-site", "same-origin")];
    assert_eq!(try_time(&site, &mut browser, &own, &same).await, (303, true));
}

/// Every address of the pages that changes something, as the routing has it.
#[actix_web::test]
async fn adm_07_every_form_of_the_pages_wants_its_token_from_a_page_of_ours() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let own = browser.token().await;
    let unsafe_ones: Vec<String> = admin::addresses()
        .into_iter()
        .filter(|(method, _)| !method.is_safe())
        .map(|(_, path)| path.replace(['{', '}', ':', '|'], "x"))
        .collect();
    assert!(unsafe_ones.len() > 50, "{}", unsafe_ones.len());
    let before = noted(&site);
    for path in &unsafe_ones {
        // Whoever holds the link uploads a backup to the first run: the token in its address is the proof.
        if path != "/setup/restore" {
            let answer = browser.send(form(&[("x", "y")]), path).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} without a token");
        }
        for (name, value) in [("origin", "https://evil"), ("sec-fetch-site", "cross-site")] {
            let forged = form(&[("csrf", &own)]).insert_header((name, value));
            assert_eq!(browser.send(forged, path).await.status, StatusCode::FORBIDDEN, "{path} with {name}: {value}");
        }
    }
    assert_eq!(noted(&site), before, "nothing was done");
    browser.get("/admin/").await;
    assert_eq!(browser.path, "/admin/", "still signed in");
    let anyone = Browser::new(&site).send(form(&[]), "/admin/provisioning/time").await;
    assert_eq!(anyone.status, StatusCode::SEE_OTHER, "who is not signed in goes to the sign-in page");
}

/// How many things were noted.
fn noted(site: &Site) -> usize {
    let query = ActivityQuery { limit: 1, ..ActivityQuery::default() };
    activity::list(&site.services, DEFAULT_ACCOUNT, &query).expect("listed").total
}

/// The API by another site: no cookie counts without the token, and no form of a page passes for JSON.
#[test]
fn adm_07_the_api_takes_nothing_from_another_site() {
    let server = Server::start();
    let (api, cookie) = (Api::owner(&server), Api::cookie_only(&server));
    let body = || Some(serde_json::json!({ "key": "0004f2aa0001" }));
    assert_eq!(cookie.refused("POST", "/devices", body()).0, 403, "the cookie alone");
    for (name, value) in [("Origin", "https://evil"), ("Sec-Fetch-Site", "cross-site"), ("X-CSRF-Token", "of another session")] {
        assert_eq!(api.clone().with(name, value).refused("POST", "/devices", body()).0, 403, "{name}: {value}");
    }
    let plain = cookie.with("Content-Type", "text/plain").form("/api/v1/accounts/default/devices", &serde_json::json!({}));
    assert!((400..500).contains(&plain.status), "{}", plain.text());
    assert!(server.device("0004f2aa0001").is_none());
}

#[actix_web::test]
async fn adm_08_every_answer_tells_browsers_what_they_may_do() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    for path in [
        "/admin/",
        "/static/app.css",
        "/admin/none",
        "/admin/provisioning/ca.pem",
        "/static/none",
        "/admin",
        "/admin/activity/download?day=2026-11-22",
        "/api/v1/session",
        "/api/v1/openapi.json",
    ] {
        let answer = browser.send(TestRequest::get(), path).await;
        let of = |name: &str| answer.header(name);
        let policy = of("content-security-policy");
        for part in ["default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(of("x-content-type-options"), "nosniff", "{path}");
        assert!(of("strict-transport-security").contains("max-age=31536000"), "{path}");
        assert_eq!(of("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(of("server"), "", "{path}");
        assert_eq!(of("referrer-policy"), "same-origin", "{path}");
        let is_text = of("content-type").starts_with("text/html") || of("content-type").starts_with("text/plain");
        assert!(!is_text || of("content-type").ends_with("; charset=utf-8"), "{path}: {}", of("content-type"));
        if path.starts_with("/static") {
            assert!(!answer.headers.contains_key(header::SET_COOKIE), "{path}");
        } else {
            assert_eq!(of("cache-control"), "no-store", "{path}");
        }
    }
}

/// A page that cannot be made tells no more than that, with the same headers.
#[test]
fn adm_08_a_fault_has_the_same_headers() {
    let server = Server::start();
    let api = Api::owner(&server);
    server.faults.fail_after(0);
    let answer = api.call("POST", "/devices", Some(serde_json::json!({ "key": "0004f2aa0001" })));
    server.faults.heal();
    assert!((500..600).contains(&answer.status), "{}", answer.text());
    for (name, value) in admin::SECURITY_HEADERS {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    assert!(answer.header("server").is_none() && !answer.text().contains("src/"), "{}", answer.text());
}

#[actix_web::test]
async fn adm_09_what_stands_in_the_address_is_only_text() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let attack = "%22%3E%3Csvg+onload%3Dalert(1)%3E";
    for name in ["q", "sort", "page", "object", "since", "next"] {
        let answer = browser.get(&format!("/admin/activity?{name}={attack}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!answer.body.contains("<svg onload"), "{name}");
        for page in ["devices", "profiles", "pending", "unknown-phones", "deployment", "coming-up", "users", "no-such-page"] {
            let answer = browser.get(&format!("/admin/{page}?{name}={attack}&filter={attack}&phone={attack}")).await;
            assert!(!answer.status.is_server_error() && !answer.body.contains("<svg onload"), "{page} {name}");
        }
    }
    let named = browser.get(&format!("/admin/devices/{attack}")).await;
    assert!(named.status == StatusCode::NOT_FOUND && !named.body.contains("<svg onload"), "{}", named.body);
    for next in ["//evil", "https:evil", "/%5Cevil", "https://evil/admin/"] {
        let mut stranger = Browser::new(&site);
        stranger.get(&format!("/admin/sign-in?next={next}")).await;
        stranger.post("/admin/sign-in", &[("email", EMAIL), ("next", next)]).await;
        stranger.post("/admin/sign-in/password", &[("email", EMAIL), ("password", OWNER_PASSWORD), ("next", next)]).await;
        assert_eq!(stranger.path, "/admin/", "{next}");
    }
}
