//! The first run (ux section 6): the one-time link, five answers, and then the dashboard.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::errors;
use super::forms::Form;
use super::layout::{Page, html, html_rejected, see_other};
use super::next::{HOME, LocalPath};
use super::session::{self, Visitor};
use super::sign_in;
use crate::domain::account::{BaseSettings, Secret};
use crate::domain::clock::{is_zone, zone_names};
use crate::domain::field_error::FieldErrors;
use crate::services::Services;
use crate::services::address::Address;
use crate::services::error::ServiceError;
use crate::services::setup::{self, SetupDraft};
use crate::services::users::UserDraft;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "setup/token.html")]
struct TokenPage {
    page: Page,
    form: Form,
}

#[derive(Template)]
#[template(path = "setup/new.html")]
struct NewPage {
    page: Page,
    form: Form,
    /// Names and addresses of this machine, to choose from.
    names: Vec<String>,
    zones: Vec<&'static str>,
    /// What *Manage fully* brings.
    base: Vec<(String, String)>,
}

/// The addresses of the first run.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.route("/setup", web::get().to(ask)).route("/setup", web::post().to(take));
}

async fn ask(visitor: Visitor, request: HttpRequest, services: web::Data<Services>, address: web::Data<Address>) -> HttpResponse {
    if setup::is_done(&services) {
        return done_already(&visitor);
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    let token = pairs.into_iter().find(|(name, _)| name == "token").map(|(_, token)| token).unwrap_or_default();
    if !setup::knows(&services, &token, session::address(&request)) {
        return ask_token(&visitor, &token);
    }
    html(&new_page(&visitor, &address, offered(&token, &address)))
}

async fn take(
    visitor: Visitor,
    request: HttpRequest,
    services: web::Data<Services>,
    address: web::Data<Address>,
    form: Form,
) -> HttpResponse {
    if setup::is_done(&services) {
        return done_already(&visitor);
    }
    if !setup::knows(&services, form.value("token"), session::address(&request)) {
        return ask_token(&visitor, form.value("token"));
    }
    if form.value("password") != form.value("password_again") {
        let errors = FieldErrors::one("password_again", "the two passwords differ");
        return html_rejected(&new_page(&visitor, &address, form.rejected(&errors)));
    }
    let (draft, to_tell) = (draft(&form), address.clone());
    let completed = blocking::call(&services, move |services| {
        let owner = setup::run(services, &draft)?;
        if let Err(error) = to_tell.refresh(services) {
            tracing::error!(%error, "the certificates do not cover the new name yet");
        }
        Ok(owner)
    });
    match completed.await {
        Ok(owner) => sign_in::enter(&visitor, &request, &services, &owner, &LocalPath::or_home(HOME)),
        Err(ServiceError::Invalid(errors)) => html_rejected(&new_page(&visitor, &address, form.rejected(&errors))),
        Err(error) => errors::failed(&visitor, error),
    }
}

/// Once there is an owner, the link leads nowhere (ADM-01).
fn done_already(visitor: &Visitor) -> HttpResponse {
    match visitor.person() {
        Some(_) => see_other(HOME),
        None => errors::not_found(visitor),
    }
}

fn ask_token(visitor: &Visitor, given: &str) -> HttpResponse {
    let page = |form| TokenPage { page: visitor.page("Set up pdms"), form };
    if given.is_empty() {
        return html(&page(Form::default()));
    }
    let words =
        "this is not the token that the server printed last, or there were too many wrong ones; wait a moment and try again";
    html_rejected(&page(Form::default().rejected(&FieldErrors::one("token", words))))
}

/// The form as it is offered: random credentials, the machine's own name and zone.
fn offered(token: &str, address: &Address) -> Form {
    let here = jiff::tz::TimeZone::system();
    let zone = here.iana_name().filter(|name| is_zone(name)).unwrap_or("UTC").to_owned();
    let draft = SetupDraft::offered(address.candidates().into_iter().next().unwrap_or_default(), zone);
    Form::filled([
        ("token", token),
        ("provisioning_user", &draft.provisioning_user),
        ("provisioning_password", draft.provisioning_password.expose()),
        ("public_name", &draft.public_name),
        ("time_zone", &draft.time_zone),
        ("time_server", &draft.time_server),
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
        time_zone: owned("time_zone"),
        time_server: owned("time_server"),
        base: if form.is("base", "serve-only") { BaseSettings::SERVE_ONLY } else { BaseSettings::MANAGE },
    }
}

fn new_page(visitor: &Visitor, address: &Address, form: Form) -> NewPage {
    let base = crate::domain::provision::base_listed(BaseSettings::MANAGE, form.value("time_zone"), form.value("time_server"));
    let page = visitor.page("Set up pdms");
    NewPage { page, form, names: address.candidates(), zones: zone_names().collect(), base }
}
