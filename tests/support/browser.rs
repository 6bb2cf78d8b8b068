//! A browser without a screen: keeps cookies, fills forms with their token, follows redirects. It talks to the admin pages in this
//! process, without sockets.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use actix_http::Request;
use actix_web::cookie::Cookie;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Data;
use actix_web::{App, test};
use jiff::SignedDuration;
use pdms::domain::server::GivenCertificates;
use pdms::services::address::Address;
use pdms::services::certificates::{Certificates, ServerNames};
use pdms::services::clock::Clock;
use pdms::services::setup::{self, Opener};
use pdms::services::{Opening, Services};
use pdms::web::phone::{Door, PhoneSettings};
use pdms::web::restart::Restart;
use pdms::web::{admin, api};
use tokio_util::sync::CancellationToken;

use super::confirmation;
use super::server::{noon, setup_draft};

/// E-mail of the owner that [`Site::open`] makes.
pub const EMAIL: &str = "ada@example.test";
/// Password of that owner.
pub const OWNER_PASSWORD: &str = "correct horse battery";

type Answering = Pin<Box<dyn Future<Output = ServiceResponse>>>;

/// The admin pages with a state directory of their own and a clock set by hand.
pub struct Site {
    /// What they work with.
    pub services: Data<Services>,
    /// Their clock.
    pub clock: Clock,
    app: Box<dyn Fn(Request) -> Answering>,
    _dir: tempfile::TempDir,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: String,
}

/// One browser.
pub struct Browser {
    site: Rc<Site>,
    /// Its cookies, by name.
    pub cookies: BTreeMap<String, String>,
    /// The page it is on.
    pub path: String,
}

impl Site {
    /// Pages of a server that is set up.
    pub async fn open() -> Rc<Self> {
        let site = Self::fresh().await;
        setup::complete(&site.services, Opener::CommandLine, &setup_draft()).expect("set up");
        site
    }

    /// Pages of a server that nobody has set up.
    pub async fn fresh() -> Rc<Self> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let clock = Clock::manual(noon());
        let opening = Opening::new(dir.path().join("state"), clock.clone());
        let services = Data::new(Services::open(opening).expect("the state opens"));
        let certificates = certificates(&services.state_dir().certificates());
        let bound = "127.0.0.1:8443".parse().expect("an address");
        let address = Data::new(Address::new(Arc::new(certificates), None, bound, None));
        address.refresh(&services).expect("certificates for this machine");
        let restart = actix_web::web::Data::new(Restart::new(CancellationToken::new()));
        let door = Data::new(Door::new(&services, PhoneSettings::default()));
        let app = App::new().app_data(services.clone()).app_data(address).app_data(restart).app_data(door);
        let app =
            app.configure(|config| api::configure(config, &services)).configure(|config| admin::configure(config, &services));
        let app = Rc::new(test::init_service(app).await);
        let app = Box::new(move |request| -> Answering {
            let app = Rc::clone(&app);
            Box::pin(async move { app.call(request).await.expect("handlers answer errors themselves") })
        });
        Rc::new(Self { services, clock, app, _dir: dir })
    }

    /// Lets time pass.
    pub fn advance(&self, time: SignedDuration) {
        self.clock.advance_to(self.clock.now() + time);
    }
}

impl Answer {
    /// The text of a header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Browser {
    /// A browser that was never here.
    pub fn new(site: &Rc<Site>) -> Self {
        Self { site: Rc::clone(site), cookies: BTreeMap::new(), path: String::new() }
    }

    /// A browser in which the owner is signed in.
    pub async fn signed_in(site: &Rc<Site>) -> Self {
        let mut browser = Self::new(site);
        let answer = browser.sign_in("/admin/", EMAIL, OWNER_PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        browser
    }

    /// Asks for a page, goes through both steps of signing in, and answers what comes then.
    pub async fn sign_in(&mut self, page: &str, email: &str, password: &str) -> Answer {
        self.get(page).await;
        let next = self.path.split_once("next=").map_or(String::new(), |(_, next)| decoded(next));
        let answer = self.post("/admin/sign-in", &[("email", email), ("next", &next)]).await;
        if answer.status != StatusCode::OK {
            return answer;
        }
        self.post("/admin/sign-in/password", &[("email", email), ("password", password), ("next", &next)]).await
    }

    /// Opens a page and follows redirects.
    pub async fn get(&mut self, path: &str) -> Answer {
        let answer = self.send(test::TestRequest::get(), path).await;
        self.follow(answer).await
    }

    /// Sends a form with the token of the page it stands on, says yes where it is asked for what the form does to devices, and
    /// follows redirects.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.post_once(path, fields).await;
        let Some([(form, word), (mark, shown)]) = confirmation(&answer.body) else { return answer };
        self.post_once(path, &[(form, &word), (mark, &shown)]).await
    }

    /// The same without saying yes.
    pub async fn post_once(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await;
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        let answer = self.send(form(&all), path).await;
        self.follow(answer).await
    }

    /// The token that forms of this browser carry.
    pub async fn token(&mut self) -> String {
        let page = if self.path.is_empty() { "/admin/sign-in".to_owned() } else { self.path.clone() };
        let answer = self.send(test::TestRequest::get(), &page).await;
        let answer = self.follow(answer).await;
        let found = answer.body.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next());
        found.unwrap_or_else(|| panic!("no form on {page}: {} {}", answer.status, answer.body)).to_owned()
    }

    /// Sends one request as it is, cookies added and taken, redirects not followed.
    pub async fn send(&mut self, request: test::TestRequest, path: &str) -> Answer {
        let peer = "127.0.0.1:40000".parse().expect("an address");
        let mut request = request.uri(path).peer_addr(peer).insert_header((header::HOST, "localhost:8443"));
        for (name, value) in &self.cookies {
            request = request.cookie(Cookie::new(name.clone(), value.clone()));
        }
        let response = (self.site.app)(request.to_request()).await;
        for cookie in response.response().cookies() {
            if cookie.value().is_empty() {
                self.cookies.remove(cookie.name());
            } else {
                self.cookies.insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = test::read_body(response).await.to_vec();
        // Files are whatever they are; a page is a text.
        let is_file =
            headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/octet-stream" || kind == "application/zip");
        let body = if is_file {
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            String::from_utf8(bytes).expect("pages are UTF-8")
        };
        if !status.is_redirection() && path.starts_with("/admin") && !headers.contains_key(header::CONTENT_DISPOSITION) {
            path.clone_into(&mut self.path);
        }
        Answer { status, headers, body }
    }

    async fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..8 {
            if !answer.status.is_redirection() {
                return answer;
            }
            let to = answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).expect("a redirect says where to");
            let to = to.to_owned();
            answer = self.send(test::TestRequest::get(), &to).await;
        }
        panic!("redirects in a circle at {}", self.path)
    }
}

/// Certificates for this machine: made once, because RSA keys take their time, and copied for each site.
fn certificates(folder: &Path) -> Certificates {
    static MADE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let made = tempfile::tempdir().expect("a temporary directory");
        Certificates::open(made.path(), None, GivenCertificates::default(), &ServerNames::of_this_machine(&[]), noon())
            .expect("made");
        made
    });
    std::fs::create_dir_all(folder).expect("a folder");
    for file in std::fs::read_dir(MADE.path()).expect("a folder").flatten() {
        std::fs::copy(file.path(), folder.join(file.file_name())).expect("copied");
    }
    Certificates::open(folder, None, GivenCertificates::default(), &ServerNames::of_this_machine(&[]), noon())
        .expect("certificates that were made before")
}

/// A form as browsers send it, without a token.
pub fn form(fields: &[(&str, &str)]) -> test::TestRequest {
    test::TestRequest::post().set_form(fields)
}

fn decoded(text: &str) -> String {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&format!("x={text}")).expect("an encoded text");
    pairs.into_iter().next().map_or(String::new(), |(_, value)| value)
}
