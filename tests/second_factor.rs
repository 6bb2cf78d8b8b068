//! The second factor at the door, on its page and over the API (ADM-11).

use std::rc::Rc;

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use jiff::SignedDuration;
use pdms::domain::access::Actor;
use pdms::domain::account::Secret as Password;
use pdms::domain::ids::UserId;
use pdms::services::users::{self, UserDraft};
use serde_json::{Value, json};
use totp_rs::{Algorithm, Builder, Secret};

use crate::support::browser::{Answer, Browser, EMAIL, OWNER_PASSWORD, Site};
use crate::support::server::PASSWORD as SHARED;

/// An authenticator app.
struct App(Secret);

impl App {
    /// With the secret as the page shows it.
    fn of(page: &Answer) -> Self {
        let text = page.body.split("data-copy=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a secret to copy");
        Self(Secret::try_from_base32(text.replace(' ', "")).expect("base 32"))
    }

    fn code(&self, site: &Site) -> String {
        let app = Builder::new().with_algorithm(Algorithm::SHA1).with_secret(self.0.clone()).with_account_name("ada");
        app.build_noncompliant().generate(site.clock.now().as_second().cast_unsigned()).to_string()
    }
}

/// The owner sets up a second factor on its page; the app and the recovery codes.
async fn set_up(site: &Rc<Site>, owner: &mut Browser) -> (App, Vec<String>) {
    let page = owner.get("/admin/account/second-factor").await;
    assert!(page.body.contains("<path d=\"M") && page.body.contains("viewBox=\"0 0 "), "{}", page.body);
    let app = App::of(&page);
    let wrong = owner.post("/admin/account/second-factor", &[("current", "wrong"), ("code", &app.code(site))]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("not your current password"), "{}", wrong.body);
    owner.get("/admin/account/second-factor").await;
    let fields = [("current", OWNER_PASSWORD), ("code", &app.code(site))];
    let done = owner.post("/admin/account/second-factor", &fields).await;
    let codes: Vec<String> =
        done.body.split("<li><code>").skip(1).filter_map(|rest| rest.split('<').next()).map(ToOwned::to_owned).collect();
    assert_eq!(codes.len(), 10, "{}", done.body);
    site.advance(SignedDuration::from_secs(90));
    (app, codes)
}

/// A browser of another owner.
async fn other_owner(site: &Rc<Site>) -> Browser {
    let draft = UserDraft {
        name: "Bob".to_owned(),
        email: "bob@example.test".to_owned(),
        password: Password::new("four unhurried words"),
    };
    users::create(&site.services, &Actor::CommandLine, &draft).expect("added");
    let mut browser = Browser::new(site);
    let answer = browser.sign_in("/admin/", "bob@example.test", "four unhurried words").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    browser
}

async fn with_password(site: &Rc<Site>) -> Browser {
    let mut browser = Browser::new(site);
    let page = browser.sign_in("/admin/devices", EMAIL, OWNER_PASSWORD).await;
    assert!(page.body.contains("action=\"/admin/sign-in/code\""), "{}", page.body);
    browser
}

async fn send(browser: &mut Browser, code: &str) -> Answer {
    browser.post("/admin/sign-in/code", &[("code", code), ("next", "/admin/devices")]).await
}

#[actix_web::test]
async fn adm_11_the_password_alone_opens_nothing_any_more() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    let (app, codes) = set_up(&site, &mut owner).await;
    let mut browser = with_password(&site).await;
    assert!(browser.get("/admin/account").await.body.contains("Sign in"), "halfway is not in");
    browser.get("/admin/sign-in/code").await;
    assert_eq!(send(&mut browser, "000000").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let code = app.code(&site);
    let answer = send(&mut browser, &code).await;
    assert!(answer.body.contains("Device Monitor"), "{}", answer.body);
    let mut again = with_password(&site).await;
    assert_eq!(send(&mut again, &code).await.status, StatusCode::UNPROCESSABLE_ENTITY, "the same code twice");
    assert!(send(&mut again, &codes[0]).await.body.contains("Device Monitor"));
    let mut again = with_password(&site).await;
    assert_eq!(send(&mut again, &codes[0]).await.status, StatusCode::UNPROCESSABLE_ENTITY, "a recovery code twice");
    let mut stranger = Browser::new(&site);
    stranger.get("/admin/sign-in").await;
    let answer = send(&mut stranger, &app.code(&site)).await;
    assert!(answer.body.contains("name=\"email\""), "a code without the password leads to the first step: {}", answer.body);
}

#[actix_web::test]
async fn adm_11_ten_wrong_codes_are_slowed_and_told_with_a_time() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    let (app, _) = set_up(&site, &mut owner).await;
    let mut browser = with_password(&site).await;
    let mut last = send(&mut browser, "000000").await;
    for _ in 0..9 {
        last = send(&mut browser, "000000").await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: i64 = last.header("retry-after").parse().expect("seconds");
    assert_eq!(send(&mut browser, &app.code(&site)).await.status, StatusCode::TOO_MANY_REQUESTS, "the right one waits too");
    site.advance(SignedDuration::from_secs(seconds));
    assert!(send(&mut browser, &app.code(&site)).await.body.contains("Device Monitor"));
}

#[actix_web::test]
async fn adm_11_switching_it_off_takes_the_password() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    set_up(&site, &mut owner).await;
    owner.get("/admin/account/second-factor").await;
    let wrong = owner.post("/admin/account/second-factor/off", &[("current", "wrong")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    owner.get("/admin/account/second-factor").await;
    let renewed = owner.post("/admin/account/second-factor/recovery", &[("current", OWNER_PASSWORD)]).await;
    assert!(renewed.body.contains("Recovery codes"), "{}", renewed.body);
    let off = owner.post("/admin/account/second-factor/off", &[("current", OWNER_PASSWORD)]).await;
    assert!(off.body.contains("The second factor is off"), "{}", off.body);
    assert_eq!(Browser::new(&site).sign_in("/admin/", EMAIL, OWNER_PASSWORD).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_program_sends_the_code_with_the_password() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    let (app, _) = set_up(&site, &mut owner).await;
    let begin = async |code: Option<&str>| {
        let mut body = json!({"email": EMAIL, "password": OWNER_PASSWORD});
        if let Some(code) = code {
            body["code"] = Value::from(code);
        }
        Browser::new(&site).send(TestRequest::post().set_json(body), "/api/v1/session").await
    };
    let without = begin(None).await;
    assert_eq!(without.status, StatusCode::UNAUTHORIZED);
    assert!(without.body.contains("second factor"), "{}", without.body);
    assert_eq!(begin(Some("000000")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(begin(Some(&app.code(&site))).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn an_owner_takes_it_from_somebody_who_lost_it() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    set_up(&site, &mut owner).await;
    let own = owner.post("/admin/users/1/second-factor", &[]).await;
    assert!(own.body.contains("with your password"), "one's own is not taken away like this: {}", own.body);
    let mut other = other_owner(&site).await;
    let page = other.get("/admin/users/1").await;
    assert!(page.body.contains("Take the second factor away"), "{}", page.body);
    other.post("/admin/users/1/second-factor", &[]).await;
    assert!(owner.get("/admin/account").await.body.contains("Sign in"), "all sessions ended");
    assert_eq!(Browser::new(&site).sign_in("/admin/", EMAIL, OWNER_PASSWORD).await.status, StatusCode::OK);
}

/// What is only tried out changes nothing, here too.
#[actix_web::test]
async fn changes_of_the_second_factor_can_be_tried_out() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    set_up(&site, &mut owner).await;
    let mut other = other_owner(&site).await;
    let body = json!({ "current": OWNER_PASSWORD });
    for (method, path) in [
        (Method::DELETE, "/api/v1/session/second-factor?dry_run=true"),
        (Method::POST, "/api/v1/session/second-factor/recovery?dry_run=true"),
        (Method::DELETE, "/api/v1/users/1/second-factor?dry_run=true"),
    ] {
        let browser = if path.contains("/users/") { &mut other } else { &mut owner };
        let csrf = browser.token().await;
        let before = users::get(&site.services, UserId(1)).expect("the owner");
        let request =
            TestRequest::default().method(method.clone()).insert_header(("X-CSRF-Token", csrf.as_str())).set_json(&body);
        let answer = browser.send(request, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {path}: {}", answer.body);
        assert_eq!(users::get(&site.services, UserId(1)).expect("the owner"), before, "{method} {path}");
    }
}

/// SEC-05: the code is asked for together with the password before a secret is shown.
#[actix_web::test]
async fn sec_05_whoever_has_a_second_factor_confirms_with_its_code_too() {
    const REVEAL: &str = "/admin/provisioning/reveal";
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    let (app, codes) = set_up(&site, &mut owner).await;
    site.advance(SignedDuration::from_mins(10));
    owner.get("/admin/provisioning").await;
    let asked = owner.post(REVEAL, &[]).await;
    assert!(asked.body.contains("name=\"confirm_code\"") && !asked.body.contains(SHARED), "{}", asked.body);
    for (code, told) in [("", "enter its code too"), ("000000", "this code is wrong")] {
        owner.get("/admin/provisioning").await;
        let refused = owner.post(REVEAL, &[("confirm_password", OWNER_PASSWORD), ("confirm_code", code)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.to_lowercase().contains(told) && !refused.body.contains(SHARED), "{}", refused.body);
    }
    for code in [app.code(&site), codes[0].clone()] {
        owner.get("/admin/provisioning").await;
        let shown = owner.post(REVEAL, &[("confirm_password", OWNER_PASSWORD), ("confirm_code", &code)]).await;
        assert!(shown.body.contains(SHARED), "{}", shown.body);
        site.advance(SignedDuration::from_mins(10));
    }
    let confirm = json!({ "password": OWNER_PASSWORD, "code": codes[0] });
    let csrf = owner.token().await;
    let request = TestRequest::post().insert_header(("X-CSRF-Token", csrf)).set_json(confirm);
    let answer = owner.send(request, "/api/v1/session/confirmation").await;
    assert!(answer.status == StatusCode::UNPROCESSABLE_ENTITY && answer.body.contains("\"code\""), "used up: {}", answer.body);
}
