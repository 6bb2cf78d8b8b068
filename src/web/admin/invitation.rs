//! Taking up an invitation: the person chooses a password, then signs in with it.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::errors;
use super::flash::{self, FlashKind};
use super::forms::Form;
use super::layout::{Page, html, html_rejected, see_other};
use super::session::{self, Visitor};
use crate::domain::account::Secret;
use crate::domain::field_error::FieldErrors;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::invitations;
use crate::services::sign_in::SignInError;
use crate::web::blocking;
use crate::web::methods::Routes;

const HERE: &str = "/admin/invitation";

#[derive(Template)]
#[template(path = "users/invitation.html")]
struct InvitationPage {
    page: Page,
    form: Form,
    email: String,
}

/// The addresses of an invitation.
pub fn configure(routes: &mut Routes) {
    routes.get(HERE, ask).post(HERE, take);
}

async fn ask(visitor: Visitor, request: HttpRequest, services: web::Data<Services>) -> HttpResponse {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    let token = pairs.into_iter().find(|(name, _)| name == "token").map_or_else(String::new, |(_, token)| token);
    show(&visitor, &request, &services, Form::filled([("token", token)])).await
}

/// The form, if its link is still good.
async fn show(visitor: &Visitor, request: &HttpRequest, services: &web::Data<Services>, form: Form) -> HttpResponse {
    let (token, address) = (form.value("token").to_owned(), session::address(request));
    match blocking::call(services, move |services| Ok(invitations::look(services, &token, address))).await {
        Ok(Ok(user)) => {
            let page = InvitationPage { page: visitor.page("Choose your password"), email: user.email, form };
            if page.form.is_rejected() { html_rejected(&page) } else { html(&page) }
        }
        Ok(Err(SignInError::Service(error))) | Err(error) => errors::failed(visitor, error),
        Ok(Err(SignInError::Wrong | SignInError::Wait(_))) => not_good(visitor),
    }
}

/// A link that was used is told like one that never was.
fn not_good(visitor: &Visitor) -> HttpResponse {
    flash::put(
        visitor.session(),
        FlashKind::Warn,
        "This link was used before or is too old. Ask an owner for another one, or sign in.",
    );
    see_other("/admin/sign-in")
}

async fn take(visitor: Visitor, request: HttpRequest, services: web::Data<Services>, form: Form) -> HttpResponse {
    if form.value("password") != form.value("again") {
        let form = form.rejected(&FieldErrors::one("again", "the two passwords differ"));
        return show(&visitor, &request, &services, form).await;
    }
    let (token, password) = (form.value("token").to_owned(), Secret::new(form.value("password")));
    let address = session::address(&request);
    let accept = move |services: &Services| Ok(invitations::accept(services, &token, &password, address, Mode::Keep));
    match blocking::call(&services, accept).await {
        Ok(Ok(_)) => {
            flash::put(visitor.session(), FlashKind::Ok, "Your password is set. Sign in with it.");
            see_other("/admin/sign-in")
        }
        Ok(Err(SignInError::Service(ServiceError::Invalid(errors)))) => {
            show(&visitor, &request, &services, form.rejected(&errors)).await
        }
        Ok(Err(SignInError::Service(error))) | Err(error) => errors::failed(&visitor, error),
        Ok(Err(SignInError::Wrong | SignInError::Wait(_))) => not_good(&visitor),
    }
}
