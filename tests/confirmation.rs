//! *Confirm that it is you* (SEC-05): secrets are told by a press of a button, after the password was given a moment ago, and noted.

use std::rc::Rc;

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use jiff::SignedDuration;
use pdms::domain::access::Actor;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::user::Role;
use pdms::services::backup::kept;
use pdms::services::commit::Mode;
use pdms::services::tokens::{self, TokenDraft};
use pdms::services::users;
use serde_json::{Value, json};

use crate::support::browser::{Answer, Browser, OWNER_PASSWORD, Site};
use crate::support::server::PASSWORD;

const REVEAL: &str = "/admin/provisioning/reveal";
const ACCOUNT: &str = "/api/v1/accounts/default";

/// The owner's browser, so long after signing in that the password is asked for again.
async fn later() -> (Rc<Site>, Browser) {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    owner.get("/admin/provisioning").await;
    site.advance(SignedDuration::from_mins(10));
    (site, owner)
}

fn asks(answer: &Answer) -> bool {
    answer.body.contains("<h1>Confirm that it is you</h1>")
}

async fn log(owner: &mut Browser) -> String {
    owner.get("/admin/activity").await.body
}

#[actix_web::test]
async fn sec_05_a_secret_is_shown_after_the_password_was_given_once_more_and_then_for_ten_minutes() {
    let (site, mut owner) = later().await;
    let asked = owner.post(REVEAL, &[]).await;
    assert!(asks(&asked) && !asked.body.contains(PASSWORD), "{}", asked.body);
    assert!(asked.body.contains(&format!("action=\"{REVEAL}\"")) && asked.body.contains("autocomplete=\"current-password\""));
    owner.get("/admin/provisioning").await;
    let wrong = owner.post(REVEAL, &[("confirm_password", "wrong")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(asks(&wrong) && wrong.body.contains("not your current password") && !wrong.body.contains(PASSWORD));
    assert!(!log(&mut owner).await.contains("showed the password of"), "nothing was shown yet");

    owner.get("/admin/provisioning").await;
    let shown = owner.post(REVEAL, &[("confirm_password", OWNER_PASSWORD)]).await;
    assert!(shown.body.contains(PASSWORD) && shown.body.contains("Provisioning Settings"), "{}", shown.body);
    assert_eq!(shown.header("cache-control"), "no-store");
    assert!(log(&mut owner).await.contains("showed the password of"));

    site.advance(SignedDuration::from_secs(599));
    owner.get("/admin/provisioning").await;
    assert!(owner.post(REVEAL, &[]).await.body.contains(PASSWORD), "it counts for ten minutes");
    site.advance(SignedDuration::from_secs(1));
    owner.get("/admin/provisioning").await;
    assert!(asks(&owner.post(REVEAL, &[]).await), "and no longer");
}

#[actix_web::test]
async fn sec_05_signing_in_counts_and_another_browser_is_asked_for_itself() {
    let (site, mut old) = later().await;
    let mut new = Browser::signed_in(&site).await;
    new.get("/admin/provisioning").await;
    assert!(new.post(REVEAL, &[]).await.body.contains(PASSWORD));
    old.get("/admin/provisioning").await;
    assert!(asks(&old.post(REVEAL, &[]).await));
}

#[actix_web::test]
async fn sec_05_guesses_at_the_password_are_slowed() {
    let (_site, mut owner) = later().await;
    let mut told = String::new();
    for _ in 0..8 {
        owner.get("/admin/provisioning").await;
        told = owner.post(REVEAL, &[("confirm_password", "wrong")]).await.body;
    }
    assert!(told.contains("Too many wrong passwords"), "{told}");
    owner.get("/admin/provisioning").await;
    assert!(
        !owner.post(REVEAL, &[("confirm_password", OWNER_PASSWORD)]).await.body.contains(PASSWORD),
        "the right one waits too"
    );
    assert!(log(&mut owner).await.contains("too many wrong passwords"));
}

/// What was typed goes along, but for passwords.
#[actix_web::test]
async fn sec_05_a_form_is_done_with_one_answer() {
    let (site, mut owner) = later().await;
    owner.get("/admin/tokens").await;
    let fields = [("name", "backup <job>"), ("role", "viewer"), ("days", "30"), ("a_password", "CANARY_TYPED")];
    let asked = owner.post("/admin/tokens", &fields).await;
    assert!(asks(&asked) && asked.body.contains("name=\"name\" value=\"backup &#60;job&#62;\""), "{}", asked.body);
    assert!(!asked.body.contains("CANARY_TYPED"));
    assert!(tokens::list(&site.services, DEFAULT_ACCOUNT).expect("listed").is_empty(), "not made yet");
    owner.get("/admin/tokens").await;
    let made = owner.post("/admin/tokens", &[&fields[..], &[("confirm_password", OWNER_PASSWORD)]].concat()).await;
    assert!(made.body.contains("pdms_") && !made.body.contains(OWNER_PASSWORD), "{}", made.body);
    let token = tokens::find(&site.services, DEFAULT_ACCOUNT, "backup <job>").expect("made");
    assert!(!token.secrets, "no token sees secrets unless it is said");
}

#[actix_web::test]
async fn sec_05_a_link_is_followed_after_the_password_was_given_once_more() {
    let (site, mut owner) = later().await;
    let name = kept::make(&site.services, &Actor::CommandLine, Mode::Keep).expect("made").name;
    let download = format!("/admin/backups/{name}/download");
    let link = TestRequest::get().insert_header(("Referer", "https://localhost:8443/admin/backups"));
    let sent = owner.send(link, &download).await;
    let confirm = sent.header("location").to_owned();
    assert!(sent.status == StatusCode::SEE_OTHER && confirm.starts_with("/admin/confirm?"), "{confirm}");
    let asked = owner.get(&confirm).await;
    assert!(asks(&asked) && asked.body.contains(&format!("name=\"next\" value=\"{download}\"")), "{}", asked.body);
    let fields = [("next", download.as_str()), ("back", "/admin/backups"), ("confirm_password", OWNER_PASSWORD)];
    let done = owner.post("/admin/confirm", &fields).await;
    assert_eq!(done.header("refresh"), format!("0; url={download}"));
    assert!(
        done.body.contains(&format!("href=\"{download}\"")) && done.body.contains("href=\"/admin/backups\""),
        "{}",
        done.body
    );
    assert!(owner.get(&download).await.body.starts_with("PK"), "the file");
    // Also a page that is not for everybody to see, and nothing outside of ours.
    site.advance(SignedDuration::from_mins(10));
    assert!(asks(&owner.get("/admin/users/add").await));
    let fields = [("next", "//example.test/download"), ("confirm_password", OWNER_PASSWORD)];
    let done = owner.post("/admin/confirm", &fields).await;
    assert!(done.header("refresh").is_empty() && done.body.contains("Dashboard"), "{}", done.body);
    assert!(owner.get("/admin/users/add").await.body.contains("Add User"));
}

/// A call of the API with the session of a browser.
async fn call(owner: &mut Browser, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let csrf = owner.token().await;
    let request = TestRequest::default().method(method).insert_header(("X-CSRF-Token", csrf));
    let request = match body {
        Some(body) => request.set_json(body),
        None => request,
    };
    let answer = owner.send(request, path).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

#[actix_web::test]
async fn sec_05_a_program_with_a_session_is_told_to_confirm_and_does() {
    let (site, mut owner) = later().await;
    let reveal = format!("{ACCOUNT}/settings/reveal");
    let (status, problem) = call(&mut owner, Method::POST, &reveal, None).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(problem["detail"].as_str().is_some_and(|text| text.contains("POST /api/v1/session/confirmation")), "{problem}");
    let confirmation = "/api/v1/session/confirmation";
    let (status, problem) = call(&mut owner, Method::POST, confirmation, Some(json!({ "password": "wrong" }))).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("password")));
    let right = json!({ "password": OWNER_PASSWORD });
    let (status, tried) = call(&mut owner, Method::POST, &format!("{confirmation}?dry_run=true"), Some(right.clone())).await;
    assert!(status == StatusCode::OK && tried["confirmed_until"].is_string(), "{tried}");
    assert_eq!(call(&mut owner, Method::POST, &reveal, None).await.0, StatusCode::FORBIDDEN, "a trial confirms nothing");
    let (status, told) = call(&mut owner, Method::POST, confirmation, Some(right)).await;
    let until = (site.clock.now() + SignedDuration::from_mins(10)).to_string();
    assert_eq!((status, &told["confirmed_until"]), (StatusCode::OK, &json!(until)));
    assert_eq!(call(&mut owner, Method::GET, "/api/v1/session", None).await.1["confirmed_until"], until);
    assert_eq!(call(&mut owner, Method::POST, &reveal, None).await.1["password"], PASSWORD);
    site.advance(SignedDuration::from_mins(10));
    assert_eq!(call(&mut owner, Method::POST, &reveal, None).await.0, StatusCode::FORBIDDEN);
    assert_eq!(call(&mut owner, Method::GET, "/api/v1/session", None).await.1.get("confirmed_until"), None);
}

/// With a token alone.
async fn with_token(site: &Rc<Site>, token: &str, method: Method, path: &str, body: Value) -> (StatusCode, String) {
    let request = TestRequest::default().method(method).insert_header(("Authorization", format!("Bearer {token}")));
    let answer = Browser::new(site).send(request.set_json(body), path).await;
    (answer.status, answer.body)
}

#[actix_web::test]
async fn sec_05_a_token_sees_secrets_only_where_a_person_made_it_for_that() {
    let (site, mut owner) = later().await;
    let reveal = format!("{ACCOUNT}/settings/reveal");
    let draft = TokenDraft { name: "old".to_owned(), role: Role::Owner, days: None, secrets: false };
    let old = tokens::create(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, &draft, Mode::Keep).expect("made").text;
    let bob = json!({ "name": "Bob", "email": "bob@example.test", "role": "owner", "password": "four unhurried words" });
    for (path, body) in [(reveal.as_str(), json!({})), ("/api/v1/users", bob)] {
        let (status, told) = with_token(&site, old.expose(), Method::POST, path, body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {told}");
        assert!(told.contains("was not made for this") && !told.contains(PASSWORD), "{told}");
    }
    assert!(users::find(&site.services, "bob@example.test").expect("read").is_none(), "nor does it make itself a way around");
    let seeing = json!({ "name": "vault", "role": "account-admin", "secrets": true });
    let path = format!("{ACCOUNT}/tokens");
    let (status, told) = with_token(&site, old.expose(), Method::POST, &path, seeing.clone()).await;
    assert!(status == StatusCode::UNPROCESSABLE_ENTITY && told.contains("only a person"), "{told}");
    assert_eq!(call(&mut owner, Method::POST, &path, Some(seeing.clone())).await.0, StatusCode::FORBIDDEN, "after ten minutes");
    call(&mut owner, Method::POST, "/api/v1/session/confirmation", Some(json!({ "password": OWNER_PASSWORD }))).await;
    let (status, made) = call(&mut owner, Method::POST, &path, Some(seeing)).await;
    assert_eq!((status, &made["secrets"]), (StatusCode::CREATED, &json!(true)));
    let (status, told) = with_token(&site, made["token"].as_str().expect("a token"), Method::POST, &reveal, json!({})).await;
    assert!(status == StatusCode::OK && told.contains(PASSWORD), "{told}");
    let log = log(&mut owner).await;
    assert!(log.contains("vault (token)") && log.contains("may see them"), "{log}");
}

#[actix_web::test]
async fn sec_05_a_clock_that_is_put_back_brings_no_confirmation_back() {
    let (site, mut owner) = later().await;
    let end = site.clock.now();
    assert!(asks(&owner.post(REVEAL, &[]).await), "it is over");
    for minutes in [1, 5, 15] {
        site.clock.jump_to(end - SignedDuration::from_mins(minutes));
        owner.get("/admin/provisioning").await;
        assert!(asks(&owner.post(REVEAL, &[]).await), "{minutes} minutes back");
        let (_, session) = call(&mut owner, Method::GET, "/api/v1/session", None).await;
        assert_eq!(session["confirmed_until"], Value::Null, "{session}");
    }
    owner.get("/admin/provisioning").await;
    assert!(owner.post(REVEAL, &[("confirm_password", OWNER_PASSWORD)]).await.body.contains(PASSWORD), "given anew it counts");
}
