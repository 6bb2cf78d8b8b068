//! Account Details: who is signed in, where, and the password (R13).

use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;
use serde::Serialize;

use super::errors;
use super::failure::Failure;
use super::forms::Form;
use super::layout::{Page, html, html_rejected, see_other};
use super::next::LocalPath;
use super::session::{self, SignedIn, Visitor};
use super::theme::Theme;
use crate::domain::account::Secret;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::UserId;
use crate::domain::session::SessionKey;
use crate::domain::user::User;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{passwords, sessions, users};
use crate::web::blocking;
use crate::web::methods::Routes;

#[derive(Template)]
#[template(path = "account/show.html")]
struct AccountPage {
    page: Page,
    user: User,
    since: Timestamp,
    last_address: Option<IpAddr>,
    sessions: Vec<OpenSession>,
    form: Form,
}

/// A session as people see it.
pub(super) struct OpenSession {
    /// Names it in addresses: the key is a hash, the cookie's value cannot be found from it.
    pub(super) id: String,
    pub(super) browser: String,
    pub(super) address: Option<IpAddr>,
    pub(super) since: Timestamp,
    pub(super) last_used: Timestamp,
    pub(super) current: bool,
}

/// How long the session goes on.
#[derive(Serialize)]
struct Stay {
    seconds: i64,
}

/// The addresses of Account Details and of the theme switch.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/admin/account", show)
        .get("/admin/account/password", || async { see_other("/admin/account") })
        .post("/admin/account/password", change_password)
        .post("/admin/account/sessions/{id}/end", end_session)
        .post("/admin/session", stay)
        .post("/admin/theme", set_theme);
}

async fn show(who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let page = account_page(&who, &services, Form::default()).await?;
    Ok(html(&page))
}

async fn account_page(who: &SignedIn, services: &web::Data<Services>, form: Form) -> Result<AccountPage, Failure> {
    let id = who.person.id;
    let user = blocking::call(services, move |services| users::get(services, id)).await.map_err(Failure::of(who))?;
    let sessions = open_sessions(who, services, id);
    let last_address = sessions.iter().find(|one| one.current).and_then(|one| one.address);
    Ok(AccountPage { page: who.page("Account Details"), user, since: who.person.since, last_address, sessions, form })
}

/// Where a user is signed in; the session that asks is marked.
pub(super) fn open_sessions(who: &SignedIn, services: &Services, user: UserId) -> Vec<OpenSession> {
    let token = serde_json::to_string(&session::token(who.session())).unwrap_or_default();
    let open = sessions::of_user(services, user).into_iter().map(|listed| OpenSession {
        id: hex::encode(listed.key.0),
        browser: browser(&listed.session.user_agent),
        address: listed.session.address,
        since: listed.session.created_at,
        last_used: listed.session.last_seen_at,
        current: listed.session.state.get(session::CSRF) == Some(&token),
    });
    open.collect()
}

/// The session that a part of an address names.
pub(super) fn session_key(id: &str) -> Option<SessionKey> {
    hex::decode(id).ok().and_then(|bytes| bytes.try_into().ok()).map(SessionKey)
}

async fn change_password(
    who: SignedIn,
    request: HttpRequest,
    services: web::Data<Services>,
    form: Form,
) -> Result<HttpResponse, Failure> {
    let changed = if form.value("password") == form.value("again") {
        let (actor, id) = (who.actor.clone(), who.person.id);
        let (current, new) = (Secret::new(form.value("current")), Secret::new(form.value("password")));
        blocking::call(&services, move |services| {
            passwords::change_own(services, &actor, id, &current, &new, Mode::Keep).map(drop)
        })
        .await
    } else {
        Err(FieldErrors::one("again", "the two passwords differ").into())
    };
    match changed {
        Ok(()) => {
            // All sessions ended with the old password, this one too: it goes on under a new id.
            session::sign_in(&request, &who.person)
                .map_err(|error| Failure::new(&who, ServiceError::Conflict(error.to_string())))?;
            Ok(who.done("/admin/account", "The password is changed, and your other sessions have ended."))
        }
        Err(ServiceError::Invalid(errors)) => Ok(html_rejected(&account_page(&who, &services, form.rejected(&errors)).await?)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

async fn end_session(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let Some(key) = session_key(&id) else { return Ok(errors::not_found(who.visitor())) };
    let user = who.person.id;
    let ended = blocking::call(&services, move |services| sessions::end_one_of(services, user, key)).await;
    Ok(match ended.map_err(Failure::of(&who))? {
        true => who.done("/admin/account", "The session has ended."),
        false => who.not_done("/admin/account", "This session had ended already."),
    })
}

/// Asked by a page before its session ends: being asked is what keeps the session, and the answer says for how long (R15).
async fn stay(who: SignedIn, services: web::Data<Services>) -> HttpResponse {
    HttpResponse::Ok().json(Stay { seconds: session::seconds_left(&who.person, services.clock().now()) })
}

async fn set_theme(_: Visitor, form: Form) -> HttpResponse {
    let mut answer = see_other(LocalPath::or_home(form.value("next")).as_str());
    if let Err(error) = answer.add_cookie(&Theme::parse(form.value("theme")).cookie()) {
        tracing::error!(%error, "the theme could not be kept");
    }
    answer
}

/// A browser's name and system, as far as people tell theirs apart.
fn browser(user_agent: &str) -> String {
    const BROWSERS: &[(&str, &str)] = &[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("HeadlessChrome/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: &[(&str, &str)] = &[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let of = |table: &[(&str, &'static str)]| table.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name);
    match (of(BROWSERS), of(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_by_the_name_that_people_know() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0";
        assert_eq!(browser(edge), "Edge on Windows");
        assert_eq!(browser("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"), "Firefox on Linux");
        assert_eq!((browser("curl/8.0"), browser("")), ("curl".to_owned(), "Unknown browser".to_owned()));
    }
}
