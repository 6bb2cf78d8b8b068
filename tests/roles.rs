//! Who may do what: every address with every role (ADM-10), API tokens (PHN-04, SEC-01), users who are disabled or lose a role
//! (ADM-06), and invitations.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use jiff::SignedDuration;
use pdms::domain::access::Actor;
use pdms::domain::account::Secret;
use pdms::domain::backup_plan::PlanInput;
use pdms::domain::device::draft::{DeviceDraft, DeviceInput};
use pdms::domain::ids::{DEFAULT_ACCOUNT, UserId};
use pdms::domain::profile::draft::{ProfileDraft, ProfileInput};
use pdms::domain::user::{Role, User};
use pdms::services::backup::kept;
use pdms::services::commit::Mode;
use pdms::services::pending::{self, Deed};
use pdms::services::tokens::{self, TokenDraft};
use pdms::services::users::{self, Access, NewUser, UserChange};
use pdms::services::{devices, profiles, sessions, sign_in_link};
use pdms::web::route_roles::{self, Least};
use pdms::web::{admin, api};
use serde_json::Value;

use crate::support::browser::{Answer, Browser, OWNER_PASSWORD, Site};
use crate::support::phone::Phone;
use crate::support::server::Server;

/// A password of people made here.
const PASSWORD: &str = "four unhurried words";

fn every_address() -> Vec<(Method, String)> {
    admin::addresses().into_iter().chain(api::addresses()).collect()
}

/// A path that fits a pattern. What it names need not be there: the role is asked for before.
fn example(pattern: &str) -> String {
    let part = |part: &str| match part {
        "{day}" => "2026-11-22".to_owned(),
        "{account}" => "default".to_owned(),
        "{key}" | "{subject}" => "0004f2abcdef".to_owned(),
        "{file}" => "master".to_owned(),
        "{id}" => "999999".to_owned(),
        one_of if one_of.contains(':') => one_of.split([':', '|', '}']).nth(1).unwrap_or_default().to_owned(),
        name if name.starts_with('{') => "x".to_owned(),
        word => word.to_owned(),
    };
    pattern.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn add(site: &Site, role: Role) -> User {
    let new = NewUser {
        name: format!("The {role}"),
        email: format!("{}@example.test", role.word()),
        role,
        access: Access::Password(Secret::new(PASSWORD)),
    };
    users::add(&site.services, &Actor::CommandLine, &new, Mode::Keep).expect("added").user
}

/// A browser in which this user is signed in, without the work of checking a password. Where one is needed it is asked for.
async fn enter(site: &Rc<Site>, user: UserId) -> Browser {
    let mut browser = Browser::new(site);
    let token = sign_in_link::issue(&site.services, user);
    let answer = browser.get(&format!("/admin/sign-in/link?token={token}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    browser
}

/// Asks for an address as a browser does that is signed in.
async fn ask(browser: &mut Browser, csrf: &str, method: &Method, path: &str) -> Answer {
    let request = TestRequest::default().method(method.clone()).insert_header(("X-CSRF-Token", csrf));
    let request = match (method == Method::GET, path.starts_with("/api/")) {
        (true, _) => request,
        (false, true) => request.insert_header(("Content-Type", "application/json")).set_payload("{}"),
        (false, false) => request.insert_header(("Content-Type", "application/x-www-form-urlencoded")),
    };
    browser.send(request, path).await
}

/// Whether an answer asks for the password once more (SEC-05).
fn is_asked_to_confirm(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::SEE_OTHER => answer.header("location").starts_with("/admin/confirm?"),
        StatusCode::FORBIDDEN => answer.body.contains("/api/v1/session/confirmation"),
        status => {
            status == StatusCode::OK
                && answer.body.contains("<h1>Confirm that it is you</h1>")
                && answer.body.contains("action=\"/admin/")
                && !answer.body.contains("action=\"/admin/confirm\"")
        }
    }
}

/// Whether an answer is the refusal for want of a role, and nothing else.
fn is_refused(path: &str, answer: &Answer) -> bool {
    if answer.status != StatusCode::FORBIDDEN {
        return false;
    }
    let told = if path.starts_with("/api/") { "needs the role" } else { "This needs the role" };
    assert!(answer.body.contains(told), "{path}: {}", answer.body);
    true
}

#[test]
fn adm_10_every_address_declares_its_least_role_and_no_other_is_declared() {
    let registered = every_address();
    assert!(registered.len() > 100, "{}", registered.len());
    for (method, path) in &registered {
        assert!(route_roles::declared(method, path).is_some(), "{method} {path} is missing in src/web/route_roles.rs");
    }
    for (method, path) in route_roles::all() {
        let is_registered = registered.iter().any(|(own, at)| *own == method && at == path);
        assert!(is_registered, "{method} {path} stands in src/web/route_roles.rs and nowhere else");
    }
}

/// ADM-10: each role is refused exactly what takes more. SEC-05: whoever gave no password is asked for it where secrets are told.
#[actix_web::test]
async fn adm_10_every_address_is_refused_to_every_role_below_its_own() {
    let site = Site::open().await;
    for role in Role::ALL {
        let user = add(&site, role);
        let mut browser = enter(&site, user.id).await;
        let mut csrf = browser.token().await;
        for (method, pattern) in every_address() {
            let path = example(&pattern);
            let least = route_roles::declared(&method, &pattern).expect("declared");
            let answer = ask(&mut browser, &csrf, &method, &path).await;
            let may = least.role().is_none_or(|least| role >= least);
            let is_asked = is_asked_to_confirm(&answer);
            assert_eq!(is_asked, may && matches!(least, Least::Confirmed(_)), "{role}: {method} {path}: {}", answer.body);
            let is_refused = !is_asked && is_refused(&path, &answer);
            assert_eq!(is_refused, !may, "{role}: {method} {path} answered {} {}", answer.status, answer.body);
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{role}: {method} {path}");
            assert!(!answer.status.is_server_error(), "{role}: {method} {path} answered {} {}", answer.status, answer.body);
            // What signs out, or answers nothing that a browser stays on, must not decide about the next address.
            if may && (method != Method::GET || least == Least::Anyone) {
                browser = enter(&site, user.id).await;
                csrf = browser.token().await;
            }
        }
    }
}

/// What a page offers and what it leads to is what its reader may do: the walk of every page is among the browser's checks.
#[actix_web::test]
async fn the_dashboard_tells_a_viewer_what_is_wrong_and_asks_for_nothing() {
    let site = Site::open().await;
    let plan = PlanInput { every: "day".to_owned(), hour: "2".to_owned(), keep: "3".to_owned(), ..PlanInput::default() };
    let stored = kept::plan(&site.services).expect("there is one").revision;
    kept::set_plan(&site.services, &Actor::CommandLine, stored, &plan, Mode::Keep).expect("saved");
    site.advance(SignedDuration::from_hours(3 * 24));
    for (role, is_asked, is_led) in [(Role::Viewer, false, false), (Role::AccountAdmin, true, false), (Role::Owner, true, true)] {
        let user = add(&site, role);
        let page = enter(&site, user.id).await.get("/admin/").await.body;
        assert_eq!(page.contains("Getting started"), is_asked, "{role}: {page}");
        assert!(page.contains("The planned backup was not made"), "{role}: {page}");
        assert_eq!(page.contains("href=\"/admin/backups\""), is_led, "{role}: {page}");
    }
}

/// The same for strangers: whatever is not open to anyone leads to the sign-in page, or is a 401.
#[actix_web::test]
async fn adm_10_strangers_see_nothing_but_the_way_in() {
    let site = Site::open().await;
    for (method, pattern) in every_address() {
        let (path, mut stranger) = (example(&pattern), Browser::new(&site));
        let csrf = stranger.token().await;
        let answer = ask(&mut stranger, &csrf, &method, &path).await;
        let is_led_away = answer.status == StatusCode::SEE_OTHER && answer.header("location").starts_with("/admin/sign-in");
        let is_kept_out = answer.status == StatusCode::UNAUTHORIZED || is_led_away;
        let is_open = route_roles::declared(&method, &pattern) == Some(Least::Anyone);
        assert!(is_kept_out || is_open, "{method} {path} answered {}", answer.status);
    }
}

/// A call with an API token and nothing else.
async fn call(site: &Rc<Site>, token: &Secret, method: &Method, path: &str) -> Answer {
    let request =
        TestRequest::default().method(method.clone()).insert_header(("Authorization", format!("Bearer {}", token.expose())));
    let request = if *method == Method::GET {
        request
    } else {
        request.insert_header(("Content-Type", "application/json")).set_payload("{}")
    };
    Browser::new(site).send(request, path).await
}

fn token(site: &Site, name: &str, role: Role) -> Secret {
    let draft = TokenDraft { name: name.to_owned(), role, days: None, secrets: true };
    tokens::create(&site.services, &Actor::CommandLine, DEFAULT_ACCOUNT, &draft, Mode::Keep).expect("made").text
}

/// ADM-10 for tokens: no CSRF token is asked for, and no token does more than its role.
#[actix_web::test]
async fn adm_10_every_operation_is_refused_to_every_token_below_its_role() {
    let site = Site::open().await;
    for role in Role::ALL {
        let token = token(&site, role.word(), role);
        for (method, pattern) in api::addresses() {
            let path = example(&pattern);
            let answer = call(&site, &token, &method, &path).await;
            let least = route_roles::declared(&method, &pattern).expect("declared");
            let may = least.role().is_none_or(|least| role >= least);
            let is_refused = is_refused(&path, &answer);
            assert_eq!(is_refused, !may, "{role}: {method} {path} answered {} {}", answer.status, answer.body);
        }
    }
}

/// PHN-04: a token is good for the API alone.
#[actix_web::test]
async fn phn_04_a_token_opens_no_page_and_is_not_mixed_with_a_session() {
    let site = Site::open().await;
    let token = token(&site, "job", Role::Owner);
    let api = call(&site, &token, &Method::GET, "/api/v1/session").await;
    let told: Value = serde_json::from_str(&api.body).expect("JSON");
    assert_eq!((told["role"].as_str(), told.get("csrf_token")), (Some("owner"), None));
    let page = call(&site, &token, &Method::GET, "/admin/devices").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "a page asks to sign in");
    let mut owner = Browser::signed_in(&site).await;
    let both = TestRequest::get().insert_header(("Authorization", format!("Bearer {}", token.expose())));
    assert_eq!(owner.send(both, "/api/v1/session").await.status, StatusCode::BAD_REQUEST);
    let wrong = call(&site, &Secret::new("pdms_wrong"), &Method::GET, "/api/v1/session").await;
    assert_eq!((wrong.status, wrong.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
    let basic = TestRequest::get().insert_header(("Authorization", "Basic cGhvbmVzOnNlY3JldA=="));
    assert_eq!(Browser::new(&site).send(basic, "/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
}

/// Contract 3: `/metrics` answers this machine and tokens, nobody else.
#[test]
fn figures_are_told_to_a_token_from_anywhere() {
    let server = Server::start();
    let draft = TokenDraft { name: "monitoring".to_owned(), role: Role::Viewer, days: None, secrets: false };
    let made = tokens::create(&server.services, &Actor::CommandLine, DEFAULT_ACCOUNT, &draft, Mode::Keep).expect("made");
    let elsewhere = Phone::bare(&server).with("X-Forwarded-For", "192.0.2.7");
    assert_eq!(elsewhere.get("/metrics").status, 401);
    let with = |token: &str| elsewhere.clone().with("Authorization", &format!("Bearer {token}")).get("/metrics").status;
    assert_eq!((with(made.text.expose()), with("pdms_wrong")), (200, 401));
}

#[actix_web::test]
async fn sec_01_a_token_is_shown_once_on_its_page_and_revoked_there() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    owner.get("/admin/tokens").await;
    let made = owner.post("/admin/tokens", &[("name", "monitoring"), ("role", "viewer"), ("days", "30")]).await;
    let text = made.body.split("pdms_").nth(1).and_then(|rest| rest.split(['<', '"']).next()).expect("the token");
    let text = Secret::new(format!("pdms_{text}"));
    assert_eq!(call(&site, &text, &Method::GET, "/api/v1/accounts/default/devices").await.status, StatusCode::OK);
    assert_eq!(call(&site, &text, &Method::POST, "/api/v1/accounts/default/devices").await.status, StatusCode::FORBIDDEN);
    let list = owner.get("/admin/tokens").await.body;
    assert!(list.contains("monitoring") && list.contains("viewer") && !list.contains(text.expose()), "{list}");
    let again = owner.post("/admin/tokens", &[("name", "Monitoring"), ("role", "viewer"), ("days", "x")]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    let id = tokens::find(&site.services, DEFAULT_ACCOUNT, "monitoring").expect("listed").id;
    let asked = owner.get(&format!("/admin/tokens/{id}/revoke")).await;
    assert!(asked.body.contains("Revoke the token monitoring?"), "{}", asked.body);
    owner.post(&format!("/admin/tokens/{id}/revoke"), &[]).await;
    assert_eq!(call(&site, &text, &Method::GET, "/api/v1/accounts/default/devices").await.status, StatusCode::UNAUTHORIZED);
}

/// ADM-06: a change of role and the end of a user count for the next request, whatever the session remembers.
#[actix_web::test]
async fn adm_06_a_user_who_is_disabled_or_demoted_is_out_at_once() {
    let site = Site::open().await;
    let user = add(&site, Role::AccountAdmin);
    let change =
        |wanted: UserChange| users::change(&site.services, &Actor::CommandLine, user.id, &wanted, Mode::Keep).expect("done");
    let mut browser = enter(&site, user.id).await;
    assert_eq!(browser.get("/admin/profiles/add").await.status, StatusCode::OK);
    change(UserChange { role: Some(Role::Viewer), ..UserChange::default() });
    let answer = browser.get("/admin/profiles/add").await;
    assert!(answer.body.contains("Sign in"), "{}", answer.body);
    let mut browser = enter(&site, user.id).await;
    assert_eq!(browser.get("/admin/profiles/add").await.status, StatusCode::FORBIDDEN);
    change(UserChange { enabled: Some(false), ..UserChange::default() });
    assert!(browser.get("/admin/account").await.body.contains("Sign in"));
    assert_eq!(sessions::of_user(&site.services, user.id).len(), 0);
    let answer = Browser::new(&site).sign_in("/admin/", &user.email, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "the right password of a disabled user opens nothing");
    assert!(answer.body.contains("do not belong together"), "and is told like a wrong one");
}

#[actix_web::test]
async fn an_owner_adds_changes_and_deletes_users_on_their_pages() {
    let site = Site::open().await;
    let mut owner = Browser::signed_in(&site).await;
    owner.get("/admin/users/add").await;
    let fields = [("name", "Bob"), ("email", "bob@example.test"), ("role", "operator"), ("access", "invitation")];
    let invited = owner.post("/admin/users/add", &fields).await;
    let link = invited.body.split("admin/invitation?token=").nth(1).and_then(|rest| rest.split(['<', '"']).next());
    let link = format!("/admin/invitation?token={}", link.expect("a link"));
    let bob = users::find(&site.services, "bob@example.test").expect("read").expect("added");
    assert_eq!((bob.role, bob.is_invited()), (Role::Operator, true));

    let mut browser = Browser::new(&site);
    let page = browser.get(&link).await;
    assert!(page.body.contains("Choose your password") && page.body.contains("bob@example.test"), "{}", page.body);
    let token = link.split('=').nth(1).expect("a token");
    let short = browser.post("/admin/invitation", &[("token", token), ("password", "short"), ("again", "short")]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    browser.get(&link).await;
    let set = browser.post("/admin/invitation", &[("token", token), ("password", PASSWORD), ("again", PASSWORD)]).await;
    assert!(set.body.contains("Your password is set"), "{}", set.body);
    assert!(browser.get(&link).await.body.contains("used before"), "a link is good once");
    assert_eq!(browser.sign_in("/admin/", "bob@example.test", PASSWORD).await.status, StatusCode::OK);

    let list = owner.get("/admin/users").await.body;
    assert!(list.contains("Bob") && list.contains("operator"), "{list}");
    let path = format!("/admin/users/{}", bob.id);
    let page = owner.get(&path).await.body;
    assert!(page.contains("bob@example.test"), "{page}");
    let own = sessions::of_user(&site.services, bob.id);
    owner.post(&format!("{path}/sessions/{}/end", hex::encode(own[0].key.0)), &[]).await;
    assert!(browser.get("/admin/account").await.body.contains("Sign in"), "the session was ended");
    let fields =
        [("name", "Bob"), ("email", "bob@example.test"), ("role", "account-admin"), ("sign_in", "on"), ("revision", "1")];
    owner.post(&path, &fields).await;
    assert_eq!(users::get(&site.services, bob.id).expect("a user").role, Role::AccountAdmin);
    owner.post(&format!("{path}/delete"), &[]).await;
    assert!(users::get(&site.services, bob.id).is_err());
    let ada = users::list(&site.services).expect("listed")[0].id;
    let kept = owner.post(&format!("/admin/users/{ada}/delete"), &[]).await;
    assert!(kept.body.contains("last owner"), "{}", kept.body);
    assert_eq!(Browser::new(&site).sign_in("/admin/", "ada@example.test", OWNER_PASSWORD).await.status, StatusCode::OK);
}

/// Every value of an attribute in a page.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let opening = format!(" {attribute}=\"");
    page.split(&opening).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// A site in which the pages have something to offer: a device with a profile, one that waits, one that is blocked, a token.
async fn furnished() -> Rc<Site> {
    let site = Site::open().await;
    let (services, line) = (&site.services, &Actor::CommandLine);
    let profile = ProfileInput { name: "Hall".to_owned(), ..ProfileInput::default() };
    let profile = ProfileDraft::parse(&profile).expect("a good profile");
    let made = profiles::create(services, line, DEFAULT_ACCOUNT, vec![profile], Mode::Keep).expect("made");
    let input = DeviceInput { key: "0004f2abcdef".to_owned(), profiles: vec![made[0].id], ..DeviceInput::default() };
    let device = DeviceDraft::parse(&input, pdms::catalog::models::models()).expect("a good draft");
    devices::create(services, line, DEFAULT_ACCOUNT, vec![device], Mode::Keep).expect("added");
    let other = "0004f2abcde0".parse().expect("a key");
    pending::act(services, line, DEFAULT_ACCOUNT, Deed::Block, &[other], Mode::Keep).expect("blocked");
    token(&site, "job", Role::Viewer);
    site
}

/// Whatever a page shows to a role, its links and its forms, leads to no refusal, whether it can be pressed or is disabled.
#[actix_web::test]
async fn no_page_shows_a_link_or_a_form_that_its_reader_may_not_use() {
    let site = furnished().await;
    for role in Role::ALL {
        let user = add(&site, role);
        let mut browser = enter(&site, user.id).await;
        let (mut seen, mut queue) = (BTreeSet::new(), vec!["/admin/".to_owned()]);
        let (mut forms, mut alike) = (BTreeSet::new(), BTreeMap::new());
        while let Some(path) = queue.pop() {
            if !path.starts_with("/admin") || path.contains("/sign-") || !seen.insert(path.clone()) {
                continue;
            }
            // Of a hundred standard profiles, three show the same as all.
            let visits: &mut usize = alike.entry(kind(&path)).or_default();
            *visits += 1;
            if *visits > 3 {
                continue;
            }
            let answer = browser.send(TestRequest::get(), &path).await;
            assert!(!is_refused(&path, &answer), "{role} is led to {path}");
            if !answer.header("content-type").starts_with("text/html") {
                continue;
            }
            let asking = answer.body.split("<form").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
            let sending = asking.filter(|tag| !tag.contains(" method=\"get\"")).flat_map(|tag| values(tag, "action"));
            let sending = sending.chain(values(&answer.body, "formaction"));
            forms.extend(sending.map(|to| (to.to_owned(), path.clone())));
            let without_query = |to: &&str| !to.contains('?');
            queue.extend(
                values(&answer.body, "href")
                    .into_iter()
                    .filter(without_query)
                    .map(|to| to.split('#').next().unwrap_or(to).to_owned()),
            );
        }
        assert!(seen.len() >= 15 && forms.len() >= 10, "{role}: {seen:?} {forms:?}");
        for (action, page) in forms {
            if action.contains("/sign-") {
                continue;
            }
            let mut browser = enter(&site, user.id).await;
            let csrf = browser.token().await;
            let answer = ask(&mut browser, &csrf, &Method::POST, action.split('#').next().unwrap_or_default()).await;
            assert!(!is_refused(&action, &answer), "{role} sees a form for {action} on {page}");
        }
    }
}

/// An address without what tells one object from another: those of one kind show the same links. Numbers of what comes with the server
/// are long ones.
fn kind(path: &str) -> String {
    let kind = |segment| match str::bytes(segment).any(|byte| byte.is_ascii_digit()) {
        true if segment.len() > 8 => "long",
        true => "short",
        false => segment,
    };
    path.split('/').map(kind).collect::<Vec<_>>().join("/")
}

/// What a role may not do is not offered, and where it is seen the page says why.
#[actix_web::test]
async fn pages_offer_what_the_role_may_do() {
    let site = Site::open().await;
    let (viewer, admin) = (add(&site, Role::Viewer), add(&site, Role::AccountAdmin));
    let mut viewer = enter(&site, viewer.id).await;
    let mut admin = enter(&site, admin.id).await;
    for (page, offer) in [
        ("/admin/devices", "href=\"/admin/devices/add\""),
        ("/admin/profiles", "href=\"/admin/profiles/add\""),
        ("/admin/provisioning", "action=\"/admin/provisioning/reveal\""),
    ] {
        let told = viewer.get(page).await.body;
        assert!(!told.contains(offer), "{page} offers {offer} to a viewer");
        assert!(admin.get(page).await.body.contains(offer), "{page} does not offer {offer} to an account admin");
    }
    let locked =
        |body: &str| body.contains("takes the role account admin") && body.contains("<fieldset class=\"plain\" disabled>");
    let seen = viewer.get("/admin/provisioning").await.body;
    assert!(locked(&seen) && !seen.contains("Save base"), "{seen}");
    assert!(!locked(&admin.get("/admin/provisioning").await.body));
    let menu = viewer.get("/admin/").await.body;
    assert!(!menu.contains("/admin/users") && !menu.contains("/admin/tokens"), "{menu}");
    let menu = admin.get("/admin/").await.body;
    assert!(!menu.contains("/admin/users") && menu.contains("/admin/tokens"), "{menu}");
}
