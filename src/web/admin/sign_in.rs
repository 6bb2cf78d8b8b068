//! Signing in, in two steps as the guide has it (R10), and out (R12).

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::errors;
use super::forms::Form;
use super::layout::{Page, html, html_rejected, html_with, see_other};
use super::next::{HOME, LocalPath};
use super::session::{self, Person, SignedIn, Visitor};
use crate::domain::account::Secret;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::UserId;
use crate::domain::user::User;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::setup;
use crate::services::sign_in::{self, Passed, SignInError};
use crate::services::{known_browser, sign_in_link};
use crate::web::blocking;
use crate::web::methods::Routes;

/// Where the session keeps the e-mail between the two steps.
const EMAIL: &str = "signing in";
/// Where the session keeps whose password was right.
const HALFWAY: &str = "halfway in";
/// How long the code may take.
const CODE_PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// Characters of an e-mail that are looked at.
const EMAIL_CHARS: usize = 254;

#[derive(Template)]
#[template(path = "sign_in/email.html")]
struct EmailPage {
    page: Page,
    form: Form,
}

/// Who has to tell a code: the password was right.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Halfway {
    user: UserId,
    password_changed_at: Timestamp,
    since: Timestamp,
}

#[derive(Template)]
#[template(path = "sign_in/code.html")]
struct CodePage {
    page: Page,
    form: Form,
    back: String,
}

#[derive(Template)]
#[template(path = "sign_in/password.html")]
struct PasswordPage {
    page: Page,
    form: Form,
    back: String,
}

/// The addresses of signing in and out.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/admin/sign-in", ask_email)
        .post("/admin/sign-in", take_email)
        .get("/admin/sign-in/password", ask_password)
        .post("/admin/sign-in/password", take_password)
        .get("/admin/sign-in/code", ask_code)
        .post("/admin/sign-in/code", take_code)
        .get("/admin/sign-in/link", use_link)
        .post("/admin/sign-out", sign_out);
}

/// Where the address says to go afterwards.
fn wanted(request: &HttpRequest) -> LocalPath {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    LocalPath::or_home(pairs.iter().find(|(name, _)| name == "next").map_or("", |(_, path)| path))
}

async fn ask_email(visitor: Visitor, request: HttpRequest, services: web::Data<Services>) -> HttpResponse {
    let next = wanted(&request);
    if !setup::is_set_up(&services) {
        return see_other("/setup");
    }
    if visitor.person().is_some() {
        return see_other(next.as_str());
    }
    html(&EmailPage { page: visitor.page("Sign in"), form: Form::filled([("next", next.as_str())]) })
}

async fn take_email(visitor: Visitor, form: Form) -> HttpResponse {
    let next = LocalPath::or_home(form.value("next"));
    let Some(email) = form.text("email").filter(|email| email.contains('@')) else {
        let form = form.rejected(&FieldErrors::one("email", "enter the e-mail address that you were given"));
        return html_rejected(&EmailPage { page: visitor.page("Sign in"), form });
    };
    let email: String = email.chars().take(EMAIL_CHARS).collect();
    match visitor.session().insert(EMAIL, email) {
        Ok(()) => see_other(&step("/admin/sign-in/password", &next)),
        Err(error) => errors::failed(&visitor, ServiceError::Conflict(error.to_string())),
    }
}

async fn ask_password(visitor: Visitor, request: HttpRequest) -> HttpResponse {
    let next = wanted(&request);
    match visitor.session().get::<String>(EMAIL).ok().flatten() {
        Some(email) => html(&password_page(&visitor, Form::filled([("next", next.as_str()), ("email", &email)]))),
        None => see_other(&next.sign_in()),
    }
}

async fn take_password(visitor: Visitor, request: HttpRequest, services: web::Data<Services>, form: Form) -> HttpResponse {
    let next = LocalPath::or_home(form.value("next"));
    let (email, password) = (form.value("email").trim().to_owned(), Secret::new(form.value("password")));
    let from = sign_in::From { address: session::address(&request), mark: session::mark(&request) };
    let checked =
        blocking::call(&services, move |services| Ok(sign_in::attempt(services, &email, &password, &from, Mode::Keep))).await;
    match checked {
        Ok(Ok(Passed::In(user))) => enter(&visitor, &request, &services, &user, &next),
        Ok(Ok(Passed::CodeNeeded(user))) => to_code(&visitor, &services, &user, &next),
        Ok(Err(SignInError::Service(error))) | Err(error) => errors::failed(&visitor, error),
        Ok(Err(error @ SignInError::Wrong)) => {
            html_rejected(&password_page(&visitor, form.rejected(&FieldErrors::one("password", error))))
        }
        Ok(Err(SignInError::Wait(wait))) => {
            let seconds = sign_in::seconds(wait);
            let form = form.rejected(&FieldErrors::one("password", SignInError::Wait(wait)));
            let mut answer = html_with(StatusCode::TOO_MANY_REQUESTS, &password_page(&visitor, form));
            answer.headers_mut().insert(RETRY_AFTER, seconds.into());
            answer
        }
    }
}

/// Remembers whose password was right, and asks for the code.
fn to_code(visitor: &Visitor, services: &Services, user: &User, next: &LocalPath) -> HttpResponse {
    let since = services.clock().now();
    let halfway = Halfway { user: user.id, password_changed_at: user.password_changed_at, since };
    // A new id, as with every step that proves something (ADM-05).
    visitor.session().renew();
    match visitor.session().insert(HALFWAY, halfway) {
        Ok(()) => see_other(&step("/admin/sign-in/code", next)),
        Err(error) => errors::failed(visitor, ServiceError::Conflict(error.to_string())),
    }
}

fn halfway(visitor: &Visitor, services: &Services) -> Option<Halfway> {
    let halfway: Halfway = visitor.session().get(HALFWAY).ok().flatten()?;
    (services.clock().now().duration_since(halfway.since) <= CODE_PATIENCE).then_some(halfway)
}

async fn ask_code(visitor: Visitor, request: HttpRequest, services: web::Data<Services>) -> HttpResponse {
    let next = wanted(&request);
    match halfway(&visitor, &services) {
        Some(_) => html(&code_page(&visitor, Form::filled([("next", next.as_str())]))),
        None => see_other(&next.sign_in()),
    }
}

async fn take_code(visitor: Visitor, request: HttpRequest, services: web::Data<Services>, form: Form) -> HttpResponse {
    let next = LocalPath::or_home(form.value("next"));
    let Some(Halfway { user, password_changed_at, .. }) = halfway(&visitor, &services) else { return see_other(&next.sign_in()) };
    let (code, from) = (form.value("code").to_owned(), sign_in::From { address: session::address(&request), mark: None });
    let check = move |services: &Services| Ok(sign_in::with_code(services, user, password_changed_at, &code, &from, Mode::Keep));
    match blocking::call(&services, check).await {
        Ok(Ok(user)) => enter(&visitor, &request, &services, &user, &next),
        Ok(Err(SignInError::Service(error))) | Err(error) => errors::failed(&visitor, error),
        Ok(Err(SignInError::Wrong)) => {
            let form = form.rejected(&FieldErrors::one("code", "this code is wrong, or was used already"));
            html_rejected(&code_page(&visitor, form))
        }
        Ok(Err(SignInError::Wait(wait))) => {
            let words = format!("too many wrong codes; try again in {} s", sign_in::seconds(wait));
            let page = code_page(&visitor, form.rejected(&FieldErrors::one("code", words)));
            let mut answer = html_with(StatusCode::TOO_MANY_REQUESTS, &page);
            answer.headers_mut().insert(RETRY_AFTER, sign_in::seconds(wait).into());
            answer
        }
    }
}

fn code_page(visitor: &Visitor, form: Form) -> CodePage {
    let back = LocalPath::or_home(form.value("next")).sign_in();
    CodePage { page: visitor.page("Sign in"), form, back }
}

/// A link that signs in once, such as `serve --demo` prints.
async fn use_link(visitor: Visitor, request: HttpRequest, services: web::Data<Services>) -> HttpResponse {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    let token = pairs.into_iter().find(|(name, _)| name == "token").map_or_else(String::new, |(_, token)| token);
    let address = session::address(&request);
    match blocking::call(&services, move |services| Ok(sign_in_link::redeem(services, &token, address))).await {
        Ok(Ok(user)) => {
            let person = Person::entering_by_link(&services, &user);
            begin(&visitor, &request, &services, &person, &LocalPath::or_home(HOME))
        }
        Ok(Err(SignInError::Service(error))) | Err(error) => errors::failed(&visitor, error),
        // A link that was used is of no more use than one that never was; the pages are where they always are.
        Ok(Err(SignInError::Wrong | SignInError::Wait(_))) => see_other("/admin/sign-in"),
    }
}

async fn sign_out(who: SignedIn, services: web::Data<Services>) -> HttpResponse {
    let actor = who.actor.clone();
    if let Err(error) = blocking::call(&services, move |services| sign_in::signed_out(services, &actor)).await {
        tracing::error!(%error, "a sign-out could not be noted in the activity log");
    }
    session::sign_out(who.session());
    see_other("/admin/sign-in")
}

/// Begins the session of a user who proved who he is by the password and leads on.
pub(super) fn enter(
    visitor: &Visitor,
    request: &HttpRequest,
    services: &Services,
    user: &User,
    next: &LocalPath,
) -> HttpResponse {
    begin(visitor, request, services, &Person::entering(services, user), next)
}

fn begin(visitor: &Visitor, request: &HttpRequest, services: &Services, person: &Person, next: &LocalPath) -> HttpResponse {
    match session::sign_in(request, person) {
        Ok(()) => {
            let mut answer = see_other(next.as_str());
            let kept = answer.add_cookie(&session::mark_cookie(known_browser::mark(services, person.id)));
            if let Err(error) = kept {
                tracing::error!(%error, "the browser could not be told that it is known");
            }
            answer
        }
        Err(error) => errors::failed(visitor, ServiceError::Conflict(error.to_string())),
    }
}

fn password_page(visitor: &Visitor, form: Form) -> PasswordPage {
    let back = LocalPath::or_home(form.value("next")).sign_in();
    PasswordPage { page: visitor.page("Sign in"), form, back }
}

fn step(path: &str, next: &LocalPath) -> String {
    serde_urlencoded::to_string([("next", next.as_str())]).map_or_else(|_| path.to_owned(), |query| format!("{path}?{query}"))
}
