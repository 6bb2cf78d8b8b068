//! The first run (ux section 6): the one-time link, five answers, and then the dashboard.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::errors;
use super::forms::Form;
use super::layout::{Page, html, html_rejected, html_with, see_other};
use super::next::{HOME, LocalPath};
use super::session::{self, Visitor};
use super::setup_restore;
use super::sign_in;
use crate::domain::account::{BaseSettings, Secret};
use crate::domain::clock::{is_zone, zone_names};
use crate::domain::field_error::FieldErrors;
use crate::services::Services;
use crate::services::accounts::{self, TimeDraft};
use crate::services::address::Address;
use crate::services::error::ServiceError;
use crate::services::setup::{self, OFFERED_TIME_SERVER, OFFERED_TIME_ZONE, Opener, SetupDraft, SetupError};
use crate::services::sign_in::seconds;
use crate::services::users::UserDraft;
use crate::web::blocking;
use crate::web::methods::Routes;

#[derive(Template)]
#[template(path = "setup/token.html")]
struct TokenPage {
    page: Page,
    form: Form,
}

#[derive(Template)]
#[template(path = "setup/new.html")]
pub(super) struct NewPage {
    page: Page,
    form: Form,
    /// Names and addresses of this machine, to choose from.
    names: Vec<String>,
    zones: Vec<&'static str>,
    /// What *Manage fully* brings.
    base: Vec<(String, String)>,
}

/// Where a backup is uploaded to.
pub const RESTORE: &str = "/setup/restore";

/// The addresses of the first run.
pub fn configure(routes: &mut Routes) {
    routes.get("/setup", ask).post("/setup", take).post(RESTORE, setup_restore::take);
}

async fn ask(visitor: Visitor, request: HttpRequest, services: web::Data<Services>, address: web::Data<Address>) -> HttpResponse {
    let token = token(&request);
    if token.is_empty() && !setup::is_set_up(&services) {
        return html(&TokenPage { page: visitor.page("Set up pdms"), form: Form::default() });
    }
    match setup::check_token(&services, &token, session::address(&request)) {
        Ok(()) => html(&new_page(&visitor, &address, offered(&token, &address))),
        Err(error) => refused(&visitor, error),
    }
}

/// The token in an address.
pub(super) fn token(request: &HttpRequest) -> String {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    pairs.into_iter().find(|(name, _)| name == "token").map(|(_, token)| token).unwrap_or_default()
}

async fn take(
    visitor: Visitor,
    request: HttpRequest,
    services: web::Data<Services>,
    address: web::Data<Address>,
    form: Form,
) -> HttpResponse {
    let from = session::address(&request);
    if form.value("password") != form.value("password_again") {
        if let Err(error) = setup::check_token(&services, form.value("token"), from) {
            return refused(&visitor, error);
        }
        let answers = draft(&form);
        let mistakes = blocking::call(&services, move |_| Ok(setup::mistakes(&answers)));
        let mut errors = match mistakes.await {
            Ok(errors) => errors,
            Err(error) => return errors::failed(&visitor, error),
        };
        errors.add("password_again", "the two passwords differ");
        return html_rejected(&new_page(&visitor, &address, form.rejected(&errors)));
    }
    let (token, draft, to_tell) = (form.value("token").to_owned(), draft(&form), address.clone());
    let completed = blocking::call(&services, move |services| {
        let owner = setup::complete(services, Opener::Token(&token, from), &draft);
        if owner.is_ok()
            && let Err(error) = to_tell.refresh(services)
        {
            tracing::error!(%error, "the certificates do not cover the new name yet");
        }
        Ok(owner)
    });
    match completed.await {
        Ok(Ok(owner)) => sign_in::enter(&visitor, &request, &services, &owner, &LocalPath::or_home(HOME)),
        Ok(Err(SetupError::Service(ServiceError::Invalid(errors)))) => {
            html_rejected(&new_page(&visitor, &address, form.rejected(&errors)))
        }
        Ok(Err(error)) => refused(&visitor, error),
        Err(error) => errors::failed(&visitor, error),
    }
}

/// The page behind a link that opens nothing. Once there is an owner, none does (ADM-01).
pub(super) fn refused(visitor: &Visitor, error: SetupError) -> HttpResponse {
    let page = |error: &SetupError| {
        let form = Form::default().rejected(&FieldErrors::one("token", error));
        TokenPage { page: visitor.page("Set up pdms"), form }
    };
    match error {
        SetupError::Done if visitor.person().is_some() => see_other(HOME),
        SetupError::Done => errors::not_found(visitor),
        SetupError::WrongToken => html_rejected(&page(&error)),
        SetupError::Wait(wait) => {
            let mut answer = html_with(StatusCode::TOO_MANY_REQUESTS, &page(&error));
            answer.headers_mut().insert(RETRY_AFTER, seconds(wait).into());
            answer
        }
        SetupError::Service(error) => errors::failed(visitor, error),
    }
}

/// The form as it is offered: random credentials, the machine's own name and zone.
pub(super) fn offered(token: &str, address: &Address) -> Form {
    let (user, password) = accounts::offer_credentials();
    let here = jiff::tz::TimeZone::system();
    let zone = here.iana_name().filter(|name| is_zone(name)).unwrap_or(OFFERED_TIME_ZONE);
    let name = address.candidates().into_iter().next().unwrap_or_default();
    Form::filled([
        ("token", token),
        ("provisioning_user", &user),
        ("provisioning_password", password.expose()),
        ("public_name", &name),
        ("time_zone", zone),
        ("time_server", OFFERED_TIME_SERVER),
        ("base", "manage"),
    ])
}

fn draft(form: &Form) -> SetupDraft {
    let owned = |name: &str| form.value(name).to_owned();
    SetupDraft {
        owner: UserDraft { name: owned("name"), email: owned("email"), password: Secret::new(owned("password")) },
        provisioning_user: owned("provisioning_user"),
        provisioning_password: Secret::new(owned("provisioning_password")),
        public_name: owned("public_name"),
        time: TimeDraft { time_zone: owned("time_zone"), time_server: owned("time_server") },
        base: if form.is("base", "serve-only") { BaseSettings::SERVE_ONLY } else { BaseSettings::MANAGE },
    }
}

pub(super) fn new_page(visitor: &Visitor, address: &Address, form: Form) -> NewPage {
    let base = setup::base_preview(form.value("time_zone"));
    let page = visitor.page("Set up pdms");
    NewPage { page, form, names: address.candidates(), zones: zone_names().collect(), base }
}
