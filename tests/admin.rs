//! The admin pages as a browser meets them: first run, sign-in, sessions, forms, headers (R9–R15, R20–R27, ADM-01 to ADM-06).

use std::collections::BTreeSet;

use actix_web::http::{StatusCode, header};
use actix_web::test::TestRequest;
use jiff::SignedDuration;
use pdms::domain::access::Actor;
use pdms::domain::activity::MASK;
use pdms::domain::credential::ADMIN_PASSWORD;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::limits::SESSION_DAYS;
use pdms::services::activity::{self, ActivityQuery};
use pdms::services::sessions::{self, Content};
use pdms::services::{setup, users};
use pdms::web::admin::session::COOKIE;
use pdms::web::phone::PhoneSettings;

use super::support::api::Api;
use super::support::browser::{Answer, Browser, EMAIL, OWNER_PASSWORD, Site, form};
use super::support::server::{PASSWORD, Server, USER};

const SETUP: &[(&str, &str)] = &[
    ("name", "Ada"),
    ("email", EMAIL),
    ("password", OWNER_PASSWORD),
    ("password_again", OWNER_PASSWORD),
    ("provisioning_user", "phones"),
    ("provisioning_password", "s3cret-for-phones"),
    ("public_name", "pdms.example.lan"),
    ("time_zone", "Europe/Berlin"),
    ("time_server", "pool.ntp.org"),
    ("base", "serve-only"),
];

fn heading(answer: &Answer) -> &str {
    answer.body.split_once("<h1>").and_then(|(_, rest)| rest.split("</h1>").next()).unwrap_or("no heading")
}

/// The form of a page with some fields replaced.
fn with<'a>(fields: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let value = |name: &str, old| changes.iter().find(|(changed, _)| *changed == name).map_or(old, |(_, new)| *new);
    fields.iter().map(|(name, old)| (*name, value(name, *old))).collect()
}

/// Opens the set-up page with this token and sends its form.
async fn set_up(browser: &mut Browser, token: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.send(TestRequest::get(), &format!("/setup?token={token}")).await;
    let csrf = page.body.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    let mut all = vec![("csrf", csrf), ("token", token)];
    all.extend_from_slice(fields);
    browser.send(form(&all), "/setup").await
}

#[actix_web::test]
async fn the_first_run_makes_one_owner_and_ends_on_the_dashboard() {
    let site = Site::fresh().await;
    let token = setup::open_door(&site.services).expect("not set up");
    let mut browser = Browser::new(&site);
    let asked = browser.get("/setup").await;
    assert!(asked.body.contains("name=\"token\""), "{}", asked.body);
    assert_eq!(browser.get("/setup?token=wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = set_up(&mut browser, token.expose(), SETUP).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/admin/"));
    assert_eq!(heading(&browser.get("/admin/").await), "Dashboard");
    let mut other = Browser::new(&site);
    assert_eq!(other.get(&format!("/setup?token={}", token.expose())).await.status, StatusCode::NOT_FOUND);
    assert_eq!(users::list(&site.services).expect("users").len(), 1);
    let world = site.services.world(DEFAULT_ACCOUNT).expect("set up");
    assert!(!world.account.base.polling);
    assert!(world.endpoints.https_url.contains("pdms.example.lan"));
}

#[actix_web::test]
async fn adm_01_guessed_links_are_slowed_and_of_two_owners_at_once_one_is_made() {
    let site = Site::fresh().await;
    let token = setup::open_door(&site.services).expect("not set up");
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let answer = Browser::new(&site).get("/setup?token=guessed").await;
        assert!(!answer.body.contains("name=\"email\""), "a guess is shown no form: {}", answer.body);
        assert_eq!(answer.status == StatusCode::TOO_MANY_REQUESTS, answer.headers.contains_key(header::RETRY_AFTER));
        statuses.push(answer.status);
    }
    assert_eq!((statuses[0], statuses[19]), (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::TOO_MANY_REQUESTS));
    let other = with(SETUP, &[("email", "eve@example.test")]);
    let (mut one, mut two) = (Browser::new(&site), Browser::new(&site));
    let (first, second) = tokio::join!(set_up(&mut one, token.expose(), SETUP), set_up(&mut two, token.expose(), &other));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404], "the right link is never slowed, and good once");
    assert_eq!(users::list(&site.services).expect("users").len(), 1);
    for gone in ["/setup".to_owned(), format!("/setup?token={}", token.expose())] {
        assert_eq!(Browser::new(&site).get(&gone).await.status, StatusCode::NOT_FOUND, "{gone}");
    }
    let late = set_up(&mut Browser::new(&site), token.expose(), SETUP).await;
    assert!(late.status.is_client_error(), "{}", late.status);
}

#[actix_web::test]
async fn set_up_tells_every_wrong_answer_and_keeps_what_was_typed() {
    let site = Site::fresh().await;
    let token = setup::open_door(&site.services).expect("not set up");
    let mut browser = Browser::new(&site);
    let wrong = with(SETUP, &[("name", ""), ("public_name", "a b"), ("time_zone", "Mars"), ("email", "ada \"><b>")]);
    let again = set_up(&mut browser, token.expose(), &wrong).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in ["href=\"#f-name\"", "href=\"#f-public_name\"", "href=\"#f-time_zone\"", "value=\"a b\"", "s3cret-for-phones"] {
        assert!(again.body.contains(part), "{part} is missing in {}", again.body);
    }
    assert!(!again.body.contains("\"><b>") && !again.body.contains(OWNER_PASSWORD));
    let differ = with(SETUP, &[("password_again", "something else here")]);
    let again = set_up(&mut browser, token.expose(), &differ).await;
    assert!(again.body.contains("The two passwords differ"), "{}", again.body);
    let wrong = [("password_again", "something else here"), ("email", "nobody"), ("time_zone", "Mars/X")];
    let again = set_up(&mut browser, token.expose(), &with(SETUP, &wrong)).await;
    for part in ["The two passwords differ", "href=\"#f-email\"", "href=\"#f-time_zone\"", "3 things need a change"] {
        assert!(again.body.contains(part), "{part} is missing in {}", again.body);
    }
    assert!(!setup::is_set_up(&site.services));
}

#[actix_web::test]
async fn signing_in_leads_back_to_the_page_that_was_asked_for() {
    let site = Site::open().await;
    let mut browser = Browser::new(&site);
    let answer = browser.sign_in("/admin/activity?q=set&object=account", EMAIL, OWNER_PASSWORD).await;
    assert_eq!((answer.status, browser.path.as_str()), (StatusCode::OK, "/admin/activity?q=set&object=account"));
    assert_eq!(heading(&answer), "Activity Log");
}

#[actix_web::test]
async fn adm_02_length_and_a_list_of_bad_ones_are_all_that_is_asked_of_a_password() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let mut current = OWNER_PASSWORD.to_owned();
    for bad in ["seven 7", "password1234", "polycom123456", "pdms12345678", "ada@example.test"] {
        browser.get("/admin/account").await;
        let fields = [("current", current.as_str()), ("password", bad), ("again", bad)];
        let answer = browser.post("/admin/account/password", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        assert!(answer.body.contains("id=\"f-password-error\""), "{bad}: {}", answer.body);
    }
    let (long, longer) = ("abcdefghijklmnop".repeat(4), "no rules of signs; ".repeat(11) + "the end!");
    assert!(long.chars().count() == 64 && longer.chars().count() > 200);
    for good in [long.as_str(), longer.as_str(), "  blanks at both ends  ", "🐎🔋📎 ünd dann noch eins"] {
        browser.get("/admin/account").await;
        let fields = [("current", current.as_str()), ("password", good), ("again", good)];
        let answer = browser.post("/admin/account/password", &fields).await;
        assert!(answer.body.contains("The password is changed"), "{good}: {}", answer.body);
        let shorter: String = good.chars().skip(1).collect();
        let altered = Browser::new(&site).sign_in("/admin/", EMAIL, &shorter).await;
        assert_eq!(altered.status, StatusCode::UNPROCESSABLE_ENTITY, "it is taken unaltered: {good}");
        assert_eq!(Browser::new(&site).sign_in("/admin/", EMAIL, good).await.status, StatusCode::OK, "{good}");
        good.clone_into(&mut current);
    }
}

#[actix_web::test]
async fn adm_04_unknown_users_hear_the_same_as_known_ones() {
    let site = Site::open().await;
    let known = Browser::new(&site).sign_in("/admin/", EMAIL, "wrong password").await;
    let unknown = Browser::new(&site).sign_in("/admin/", "eve@example.test", "wrong password").await;
    assert_eq!((known.status, unknown.status), (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY));
    let plain = |answer: &Answer| {
        let page = answer.body.replace("eve@example.test", EMAIL);
        let token = page.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned);
        page.replace(&token.expect("a form"), "")
    };
    assert_eq!(plain(&known), plain(&unknown));
    assert!(known.body.contains("role=\"alert\""));
}

#[actix_web::test]
async fn adm_03_guessing_is_slowed_and_the_owner_gets_in_after_the_pause() {
    let site = Site::open().await;
    let mut seconds = None;
    for _ in 0..10 {
        let answer = Browser::new(&site).sign_in("/admin/", EMAIL, "wrong password").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            seconds = answer.header("retry-after").parse().ok();
            break;
        }
    }
    site.advance(SignedDuration::from_secs(seconds.expect("a pause")));
    let mut owner = Browser::signed_in(&site).await;
    let log = owner.get("/admin/activity?q=wrong+passwords").await;
    assert!(log.body.contains("too many wrong passwords") && log.body.contains("127.0.0.1"), "{}", log.body);
}

/// The real server behind a proxy, which says where each request comes from.
#[test]
fn adm_03_guesses_from_twenty_addresses_are_slowed_as_well_and_the_owner_gets_in_after_the_pause() {
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let server = Server::start_with(PhoneSettings { trusted_proxies, ..PhoneSettings::default() });
    let attempt = |address: &str, password: &str| {
        let typed = serde_json::json!({ "email": EMAIL, "password": password });
        Api::stranger(&server).with("X-Forwarded-For", address).call("POST", "/api/v1/session", Some(typed))
    };
    let answers: Vec<_> = (1..=20).map(|n| attempt(&format!("192.0.2.{n}"), "wrong password")).collect();
    assert_eq!(answers[0].status, 401);
    let slowed = answers.iter().find(|answer| answer.status == 429).expect("slowed by account");
    let seconds: i64 = slowed.header("retry-after").and_then(|value| value.parse().ok()).expect("a time");
    assert_eq!(attempt("192.0.2.99", OWNER_PASSWORD).status, 429, "for a while");
    server.advance(seconds.max(60));
    assert_eq!(attempt("192.0.2.99", OWNER_PASSWORD).status, 200);
    let query = ActivityQuery { q: "too many wrong passwords".to_owned(), limit: 9, ..ActivityQuery::default() };
    let told = activity::list(&server.services, DEFAULT_ACCOUNT, &query).expect("listed").items;
    assert!(told.iter().any(|entry| entry.event.subject == EMAIL), "{told:?}");
}

#[actix_web::test]
async fn adm_03_a_browser_that_signed_in_before_is_not_kept_out_by_guesses_of_others() {
    let site = Site::open().await;
    let mut own = Browser::signed_in(&site).await;
    own.post("/admin/sign-out", &[]).await;
    for _ in 0..10 {
        Browser::new(&site).sign_in("/admin/", EMAIL, "wrong password").await;
    }
    let other = Browser::new(&site).sign_in("/admin/", EMAIL, OWNER_PASSWORD).await;
    assert_eq!(other.status, StatusCode::TOO_MANY_REQUESTS);
    own.path.clear();
    assert_eq!(own.sign_in("/admin/", EMAIL, OWNER_PASSWORD).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn adm_05_signing_in_gives_a_new_session_and_a_guarded_cookie() {
    let site = Site::open().await;
    let mut browser = Browser::new(&site);
    browser.get("/admin/sign-in").await;
    let before = browser.cookies[COOKIE].clone();
    browser.post("/admin/sign-in", &[("email", EMAIL)]).await;
    let token = browser.token().await;
    let fields = [("csrf", token.as_str()), ("email", EMAIL), ("password", OWNER_PASSWORD)];
    let answer = browser.send(form(&fields), "/admin/sign-in/password").await;
    let set = |name: &str| {
        let mut lines = answer.headers.get_all(header::SET_COOKIE).filter_map(|line| line.to_str().ok());
        lines.find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} is not set")).to_owned()
    };
    let cookie = set("__Host-pdms=");
    for part in ["; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(part), "{part} is missing in {cookie}");
    }
    let known = set("__Host-pdms-known=");
    for part in ["; HttpOnly", "; Secure", "; SameSite=Strict", "; Path=/"] {
        assert!(known.contains(part), "{part} is missing in {known}");
    }
    assert!(!cookie.contains("Domain"));
    assert_ne!(browser.cookies[COOKIE], before);
    let mut fixed = Browser::new(&site);
    fixed.cookies.insert(COOKIE.to_owned(), before);
    fixed.get("/admin/").await;
    assert!(fixed.path.starts_with("/admin/sign-in"), "the old id opens nothing");
}

#[actix_web::test]
async fn adm_05_a_thousand_ids_are_long_and_never_the_same() {
    let site = Site::open().await;
    let of_nobody = || Content::default();
    let ids: BTreeSet<String> = (0..1_000).map(|_| sessions::begin(&site.services, of_nobody()).expect("begun")).collect();
    assert_eq!(ids.len(), 1_000);
    let signs: BTreeSet<char> = ids.iter().flat_map(|id| id.chars()).collect();
    let bits = ids.iter().map(|id| id.chars().count()).min().expect("some") * usize::try_from(signs.len().ilog2()).expect("few");
    assert!(bits >= 128, "{bits} bits: {signs:?}");
    let mut preset = Browser::new(&site);
    preset.cookies.insert(COOKIE.to_owned(), "chosen-by-somebody-else".to_owned());
    preset.sign_in("/admin/", EMAIL, OWNER_PASSWORD).await;
    assert_ne!(preset.cookies[COOKIE], "chosen-by-somebody-else");
}

#[actix_web::test]
async fn adm_06_a_session_in_use_ends_after_its_days_all_the_same() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let mut hours = 0;
    while hours < 24 * SESSION_DAYS - 11 {
        site.advance(SignedDuration::from_hours(11));
        hours += 11;
        browser.get("/admin/").await;
        assert_eq!(browser.path, "/admin/", "after {hours} hours of use");
    }
    site.advance(SignedDuration::from_hours(11));
    browser.get("/admin/").await;
    assert!(browser.path.starts_with("/admin/sign-in"));
}

#[actix_web::test]
async fn adm_06_a_session_ends_by_signing_out_by_a_new_password_and_by_idling() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let kept = browser.cookies.clone();
    browser.get("/admin/").await;
    browser.post("/admin/sign-out", &[]).await;
    browser.cookies = kept;
    browser.get("/admin/account").await;
    assert!(browser.path.starts_with("/admin/sign-in"), "the cookie is worth nothing after signing out");

    let (mut here, mut there) = (Browser::signed_in(&site).await, Browser::signed_in(&site).await);
    here.get("/admin/account").await;
    let new = "an entirely new sentence";
    let fields = [("current", OWNER_PASSWORD), ("password", new), ("again", new)];
    let answer = here.post("/admin/account/password", &fields).await;
    assert!(answer.body.contains("The password is changed"), "{}", answer.body);
    there.get("/admin/").await;
    assert!(there.path.starts_with("/admin/sign-in"));

    site.advance(SignedDuration::from_hours(13));
    here.get("/admin/activity?q=x").await;
    assert_eq!(here.path, "/admin/sign-in?next=%2Fadmin%2Factivity%3Fq%3Dx");
}

#[actix_web::test]
async fn adm_06_own_sessions_are_listed_and_can_be_ended() {
    let site = Site::open().await;
    let (mut here, mut there) = (Browser::signed_in(&site).await, Browser::signed_in(&site).await);
    let page = here.get("/admin/account").await;
    let path = page.body.split_once("action=\"/admin/account/sessions/").and_then(|(_, rest)| rest.split('"').next());
    let path = format!("/admin/account/sessions/{}", path.expect("another session"));
    let answer = here.post(&path, &[]).await;
    assert!(answer.body.contains("The session has ended"), "{}", answer.body);
    there.get("/admin/").await;
    assert!(there.path.starts_with("/admin/sign-in"));
    here.get("/admin/").await;
    assert_eq!(here.path, "/admin/");
}

#[actix_web::test]
async fn settings_are_saved_told_and_kept_from_being_overwritten_unseen() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let page = browser.get("/admin/provisioning").await;
    assert!(page.body.contains("https://localhost:8443/") && page.body.contains(USER) && !page.body.contains(PASSWORD));
    let revision = site.services.world(DEFAULT_ACCOUNT).expect("set up").account.revision.to_string();
    browser.get("/admin/provisioning/credentials").await;
    let account =
        [("revision", revision.as_str()), ("user", "handsets"), ("password", "another-s3cret"), ("replacement", "leaked")];
    let answer = browser.post("/admin/provisioning/credentials", &account).await;
    assert!(answer.body.contains("role=\"status\""), "{}", answer.body);
    let stale = browser.post("/admin/provisioning/credentials", &account).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert!(stale.body.contains("Somebody changed this"), "{}", stale.body);
    browser.get("/admin/provisioning").await;
    let shown = browser.post("/admin/provisioning/reveal", &[]).await;
    assert!(shown.body.contains("another-s3cret"));
    let log = browser.get("/admin/activity?object=account").await;
    for part in ["handsets", USER, MASK, "showed the password of"] {
        assert!(log.body.contains(part), "{part} is missing in {}", log.body);
    }
    assert!(!log.body.contains("another-s3cret") && !log.body.contains(PASSWORD));
    let file = browser.send(TestRequest::get(), "/admin/activity/download?day=2026-11-22").await;
    assert!(file.header("content-disposition").contains("pdms-activity-2026-W47.json"));
    assert!(file.body.contains("handsets") && !file.body.contains("another-s3cret"), "{}", file.body);
}

#[test]
fn phn_03_credentials_and_passwords_that_everybody_knows_are_warned_of_or_refused() {
    let server = Server::start();
    let api = Api::owner(&server);
    let patch = |change: serde_json::Value| {
        let mut body = change;
        body["revision"] = api.ok("GET", "/settings", None)["revision"].clone();
        api.ok("PATCH", "/settings", Some(body))
    };
    let known = "is the factory default of every phone";
    let pages = ["/admin/", "/admin/provisioning"].map(|path| (path, api.page(path).text()));
    assert!(pages.iter().all(|(_, page)| !page.contains(known)));
    patch(serde_json::json!({ "user": "PlcmSpIp", "password": "PlcmSpIp", "replacement": "leaked" }));
    for path in ["/admin/", "/admin/provisioning", "/admin/provisioning/credentials"] {
        assert!(api.page(path).text().contains(known), "{path}");
    }
    assert!(api.page("/admin/activity").text().contains("set to the factory default of all phones"));
    patch(serde_json::json!({ "user": "phones", "password": "of-our-own-7411", "replacement": "leaked" }));
    assert!(!api.page("/admin/").text().contains(known), "it stands as long as it is so");

    let with = |password: &str| serde_json::json!({ "name": "Passwords", "parameters": { ADMIN_PASSWORD: password } });
    let (status, fields) = api.refused("POST", "/profiles", Some(with("456")));
    assert!(status == 422 && fields.iter().any(|(_, words)| words.contains("factory")), "{fields:?}");
    api.ok("POST", "/profiles", Some(with("789")));
    assert!(api.page("/admin/").text().contains("gives phones an admin password that everybody knows"));
}

#[actix_web::test]
async fn a_rejected_setting_comes_back_with_its_error() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    browser.get("/admin/provisioning").await;
    let answer = browser.post("/admin/provisioning/time", &[("time_zone", "Mars/Base"), ("time_server", "a b")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in
        ["value=\"Mars/Base\"", "value=\"a b\"", "id=\"f-time_zone-error\"", "id=\"f-time_server-error\"", "value=\"03:00\""]
    {
        assert!(answer.body.contains(part), "{part} is missing");
    }
    browser.get("/admin/provisioning").await;
    let base = [("polling_window_from", "05:00"), ("polling_window", "03:00"), ("base_time", "on")];
    let answer = browser.post("/admin/provisioning/base", &base).await;
    assert!(answer.body.contains("id=\"f-polling_window-error\""), "{}", answer.body);
    let revision = site.services.world(DEFAULT_ACCOUNT).expect("set up").account.revision.to_string();
    let base =
        [("polling_window_from", "22:00"), ("polling_window", "00:00"), ("base_time", "on"), ("revision", revision.as_str())];
    browser.get("/admin/provisioning").await;
    browser.post("/admin/provisioning/base", &base).await;
    let account = site.services.world(DEFAULT_ACCOUNT).expect("set up").account.clone();
    assert_eq!((account.polling_window, account.base.time, account.base.polling), ((1_320, 1_440), true, false));
}

#[actix_web::test]
async fn the_dashboard_counts_what_there_is_and_ticks_its_checklist() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let empty = browser.get("/admin/").await;
    assert!(empty.body.contains("1 of 5 done") && empty.body.contains("No device yet."), "{}", empty.body);
    let draft = pdms::services::accounts::AccountDraft { enabled: Some(false), ..Default::default() };
    pdms::services::accounts::update(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, None, &draft).expect("saved");
    let page = browser.get("/admin/").await;
    assert!(page.body.contains("Phones are not served"), "{}", page.body);
    assert!(page.body.contains("command line changed account <strong>default</strong>"), "{}", page.body);
}

#[actix_web::test]
async fn the_theme_is_kept_and_painted_from_the_first_page_on() {
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    browser.get("/admin/activity").await;
    let answer = browser.post("/admin/theme", &[("theme", "dark"), ("next", "/admin/activity")]).await;
    assert_eq!(browser.path, "/admin/activity");
    assert!(answer.body.contains("<html lang=\"en\" data-theme=\"dark\">"));
}

#[actix_web::test]
async fn a_page_that_is_not_there_says_so_with_a_way_on() {
    let site = Site::open().await;
    let answer = Browser::signed_in(&site).await.get("/admin/nowhere").await;
    assert_eq!((answer.status, heading(&answer)), (StatusCode::NOT_FOUND, "Page not found"));
    assert!(answer.body.contains("href=\"/admin/\""));
}
