//! Who asks: the session behind the cookie, and the extractors that pages take it with.
//!
//! [`SignedIn`] sends everybody else to the sign-in page and brings them back to the same page (R15); [`Visitor`] is anyone.

use std::fmt;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::Arc;

use actix_session::{Session, SessionExt, SessionInsertError};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::flash::{self, FlashKind, Undo};
use super::impact::{self, Panel};
use super::layout::{Page, see_other};
use super::next::LocalPath;
use super::theme::Theme;
use super::unsent;
use super::view_bar::{NotUnderstood, ViewBar};
use crate::domain::access::Actor;
use crate::domain::consent::Consent;
use crate::domain::ids::{AccountId, DEFAULT_ACCOUNT, UserId};
use crate::domain::user::{Role, User};
use crate::services::confirmation::{self, Given};
use crate::services::error::ServiceError;
use crate::services::{Services, form_tokens, pending, people, sessions, users};
use crate::web::phone::Door;

/// Name of the cookie: the prefix makes browsers refuse it from any other host, path or clear-text page.
pub const COOKIE: &str = "__Host-pdms";
/// Name of the cookie by which a browser is known to have signed in before: see [`crate::services::known_browser`].
const MARK: &str = "__Host-pdms-known";
/// Where the state keeps who is signed in.
pub(super) const USER: &str = "user";
/// Where the state keeps the address that signed in.
pub(super) const ADDRESS: &str = "address";
/// Where the state keeps the browser that signed in.
pub(super) const AGENT: &str = "agent";
/// Where the state keeps the form token.
pub(in crate::web) const CSRF: &str = "csrf";
/// Characters of a User-Agent that are kept.
const AGENT_CHARS: usize = 250;

/// The person of a session, as the session keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Key.
    pub id: UserId,
    /// Shown name.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// The account that a role below owner counts for.
    #[serde(default = "default_account")]
    pub account: AccountId,
    /// When this session signed in.
    pub since: Timestamp,
    /// When the password was last given here; signing in counts.
    #[serde(default)]
    pub confirmed_at: Option<Timestamp>,
    /// In which stretch of the clock that was: see [`Given`].
    #[serde(default)]
    confirmed_in: u64,
    /// Whether that was a moment ago.
    #[serde(skip)]
    is_confirmed: bool,
}

fn default_account() -> AccountId {
    DEFAULT_ACCOUNT
}

impl Person {
    /// A user who signs in now, with the password.
    pub fn entering(services: &Services, user: &User) -> Self {
        Self::entering_by_link(services, user).confirmed(confirmation::given(services))
    }

    /// The same for a user who came by a link: no password was given.
    pub fn entering_by_link(services: &Services, user: &User) -> Self {
        Self {
            id: user.id,
            name: user.name.clone(),
            role: user.role,
            account: user.account,
            since: services.clock().now(),
            confirmed_at: None,
            confirmed_in: 0,
            is_confirmed: false,
        }
    }

    /// The same person, who gave the password.
    fn confirmed(self, given: Given) -> Self {
        Self { confirmed_at: Some(given.at), confirmed_in: given.stretch, is_confirmed: true, ..self }
    }

    /// The person as the users are now: what the session keeps may be older than a change of role, or than the user's end.
    fn brought_up_to_date(self, services: &Services) -> Option<Self> {
        match users::get(services, self.id) {
            Ok(user) if !user.is_enabled() => None,
            Ok(user) => {
                let given = self.confirmed_at.map(|at| Given { at, stretch: self.confirmed_in });
                let is_confirmed = given.is_some_and(|given| confirmation::counts(services, given));
                Some(Self { name: user.name, role: user.role, account: user.account, is_confirmed, ..self })
            }
            Err(ServiceError::NotFound { .. }) => None,
            Err(error) => {
                tracing::error!(%error, "a user could not be read; the request is taken as a stranger's");
                None
            }
        }
    }

    /// The person as services want to know it.
    pub fn actor(&self) -> Actor {
        let Self { id, name, role, account, is_confirmed, .. } = self.clone();
        Actor::User { id, name, role, account, confirmed: is_confirmed, consent: Consent::default() }
    }

    /// Whether nobody has to be asked for the password once more (SEC-05).
    pub fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// Until when nobody has to be asked.
    pub fn confirmed_until(&self) -> Option<Timestamp> {
        self.confirmed_at.map(confirmation::counts_until)
    }
}

/// The server runs with simulated phones and a throw-away state (`serve --demo`). Registered as application data.
pub struct Demo;

/// Anyone, signed in or not.
pub struct Visitor {
    session: Session,
    person: Option<Person>,
    request: HttpRequest,
}

/// Somebody who is signed in. As a handler's argument it guards the handler.
pub struct SignedIn {
    /// Who, as services want to know it.
    pub actor: Actor,
    /// Who, as the session keeps it.
    pub person: Person,
    visitor: Visitor,
}

impl Visitor {
    /// The visitor behind a request.
    pub fn of(request: &HttpRequest) -> Self {
        let session = request.get_session();
        let services = request.app_data::<web::Data<Services>>().expect("pages are registered together with the services");
        let person = session.get::<Person>(USER).ok().flatten().and_then(|person| person.brought_up_to_date(services));
        Self { session, person, request: request.clone() }
    }

    /// The frame of a page. Takes the message that waits.
    pub fn page(&self, title: impl Into<String>) -> Page {
        let services = self.request.app_data::<web::Data<Services>>().expect("pages are registered together with the services");
        let world = services.worlds().get(DEFAULT_ACCOUNT);
        let zone = world.as_ref().and_then(|world| TimeZone::get(&world.account.time_zone).ok());
        Page {
            title: title.into(),
            user: self.person.as_ref().map(|p| p.name.clone()),
            role: self.person.as_ref().map(|p| p.role),
            csrf: token(&self.session),
            flash: flash::take(&self.session).or_else(|| unsent::told(&self.request)),
            session_seconds: self.person.as_ref().map(|p| seconds_left(p, services.clock().now())),
            demo: self.request.app_data::<web::Data<Demo>>().is_some(),
            theme: Theme::of(&self.request),
            here: self.request.uri().path_and_query().map_or_else(|| "/admin/".to_owned(), ToString::to_string),
            people: self.person.is_some() && world.is_some_and(|world| people::are_used(&world)),
            pending: if self.person.is_some() { pending::waiting(services, DEFAULT_ACCOUNT) } else { 0 },
            now: services.clock().now(),
            zone: zone.unwrap_or(TimeZone::UTC),
            views: self.request.extensions().get::<ViewBar>().cloned(),
            not_understood: self.request.extensions().get::<Vec<NotUnderstood>>().cloned().unwrap_or_default(),
            impact: self.consent().tried().map(|told| Arc::new(Panel::new(told, services))),
        }
    }

    /// What this person was shown of the change that is asked for.
    fn consent(&self) -> Consent {
        self.request.extensions().get::<Consent>().cloned().unwrap_or_default()
    }

    /// The session itself.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Whether somebody is signed in.
    pub fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }
}

impl SignedIn {
    /// The visitor, if somebody is signed in.
    pub fn of(visitor: Visitor) -> Option<Self> {
        let person = visitor.person.clone()?;
        Some(Self { actor: person.actor().with_consent(visitor.consent()), person, visitor })
    }

    /// The frame of a page. Takes the message that waits.
    pub fn page(&self, title: impl Into<String>) -> Page {
        self.visitor.page(title)
    }

    /// The session itself.
    pub fn session(&self) -> &Session {
        &self.visitor.session
    }

    /// The same person as anyone, for pages that need nobody.
    pub fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// Sends the browser to a page that says that something was done, and how many devices it changes: as many as were shown before.
    pub fn done(&self, path: &str, text: impl Into<String>) -> HttpResponse {
        let mut text = text.into();
        if let Some(made) = impact::made(&self.actor.consent()) {
            text = format!("{} {made}", text.trim_end());
        }
        flash::put(self.session(), FlashKind::Ok, text);
        see_other(path)
    }

    /// Sends the browser to a page that says that something was deleted, and offers to take that back.
    pub fn deleted(&self, path: &str, text: impl Into<String>, undo: Option<Undo>) -> HttpResponse {
        flash::put_undo(self.session(), text, undo);
        see_other(path)
    }

    /// Sends the browser to a page that says why something was not done.
    pub fn not_done(&self, path: &str, text: impl Into<String>) -> HttpResponse {
        flash::put(self.session(), FlashKind::Bad, text);
        see_other(path)
    }
}

/// Seconds until a session ends that is used now and then no more: pages warn before (R15).
pub fn seconds_left(person: &Person, now: Timestamp) -> i64 {
    sessions::ends_at(person.since, now).duration_since(now).as_secs()
}

/// The actor of a request, for the API; none where nobody is signed in.
pub fn actor(request: &HttpRequest) -> Option<Actor> {
    Visitor::of(request).person.map(|person| person.actor())
}

/// The form token of a session; made by [`sign_in`], or at first use for a stranger, and kept until the session ends.
pub fn token(session: &Session) -> String {
    if let Ok(Some(token)) = session.get::<String>(CSRF) {
        return token;
    }
    let token = hex::encode(rand::rng().random::<[u8; 32]>());
    if let Err(error) = session.insert(CSRF, &token) {
        tracing::error!(%error, "a form token could not be kept");
    }
    token
}

/// Begins a signed-in session: a new id and a new form token, nothing kept of before (ADM-05).
pub fn sign_in(request: &HttpRequest, person: &Person) -> Result<(), SessionInsertError> {
    let session = request.get_session();
    session.clear();
    session.renew();
    session.insert(USER, person)?;
    let services = request.app_data::<web::Data<Services>>().expect("pages are registered together with the services");
    session.insert(CSRF, form_tokens::make(services, person.id))?;
    session.insert(ADDRESS, address(request))?;
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    session.insert(AGENT, agent.chars().take(AGENT_CHARS).collect::<String>())
}

/// The mark that the browser keeps from an earlier sign-in.
pub fn mark(request: &HttpRequest) -> Option<String> {
    request.cookie(MARK).map(|cookie| cookie.value().to_owned())
}

/// The cookie that keeps a mark.
pub fn mark_cookie(mark: String) -> Cookie<'static> {
    let cookie = Cookie::build(MARK, mark).path("/").secure(true).http_only(true).same_site(SameSite::Strict);
    cookie.max_age(Duration::days(365)).finish()
}

/// The address that a request comes from, as phones' requests are judged too: behind a trusted proxy everybody has an own one.
pub fn address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let door = request.app_data::<web::Data<Door>>();
    Some(door.map_or(peer, |door| door.address_of(peer, request.headers())).to_canonical())
}

/// Notes that the person of this session gave the password just now.
///
/// # Errors
/// The session could not be changed.
pub fn confirm(request: &HttpRequest, person: &Person) -> Result<(), SessionInsertError> {
    let services = request.app_data::<web::Data<Services>>().expect("pages are registered together with the services");
    let person = person.clone().confirmed(confirmation::given(services));
    request.get_session().insert(USER, &person)
}

/// Ends the session: its row goes, and with it every tab (R12).
pub fn sign_out(session: &Session) {
    session.purge();
}

impl FromRequest for Visitor {
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

impl FromRequest for SignedIn {
    type Error = SignInFirst;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let visitor = Visitor::of(request);
        ready(Self::of(visitor).ok_or_else(|| SignInFirst(page_to_return_to(request))))
    }
}

/// Nobody is signed in: the browser goes to the sign-in page and comes back here.
#[derive(Debug)]
pub struct SignInFirst(pub LocalPath);

impl fmt::Display for SignInFirst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sign in first")
    }
}

impl ResponseError for SignInFirst {
    fn status_code(&self) -> StatusCode {
        StatusCode::SEE_OTHER
    }

    fn error_response(&self) -> HttpResponse {
        see_other(&self.0.sign_in())
    }
}

/// The page that was asked for, or for a form the page that it stood on.
pub fn page_to_return_to(request: &HttpRequest) -> LocalPath {
    if request.method().is_safe() {
        return LocalPath::or_home(request.uri().path_and_query().map_or("", |p| p.as_str()));
    }
    page_before(request)
}

/// The page on which a link was followed or a button pressed.
pub fn page_before(request: &HttpRequest) -> LocalPath {
    let referer = request.headers().get("referer").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = referer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    LocalPath::or_home(path.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::services::testing::bench;
    use crate::web::phone::PhoneSettings;

    #[test]
    fn behind_a_trusted_proxy_everybody_has_an_own_address_and_nobody_else_can_claim_one() {
        let bench = bench();
        let trusted_proxies = vec!["192.0.2.1/32".parse().expect("a network")];
        let door = Door::new(&bench.services, PhoneSettings { trusted_proxies, ..PhoneSettings::default() });
        let door = web::Data::new(door);
        let from = |peer: &str| {
            let peer = peer.parse().expect("a socket address");
            let request = TestRequest::get().peer_addr(peer).insert_header(("X-Forwarded-For", "10.0.0.7"));
            address(&request.app_data(door.clone()).to_http_request()).map(|ip| ip.to_string())
        };
        assert_eq!(from("192.0.2.1:40000").as_deref(), Some("10.0.0.7"));
        assert_eq!(from("192.0.2.2:40000").as_deref(), Some("192.0.2.2"));
    }
}
