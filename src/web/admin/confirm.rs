//! *Confirm that it is you*: the password once more before a page tells a secret or gives somebody a way in (SEC-05), unless it was
//! given in this session a few minutes ago. Which addresses that are stands in [`crate::web::route_roles`].
//!
//! What a form held goes along, so that one answer is enough; passwords that were typed into it do not, and are typed again.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::REFRESH;
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes, Data};
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError as _};
use askama::Template;

use super::errors;
use super::failure::Failure;
use super::forms::Form;
use super::layout::{Page, html, html_rejected, see_other};
use super::next::LocalPath;
use super::session::{self, SignedIn, Visitor};
use crate::domain::account::Secret;
use crate::domain::field_error::FieldErrors;
use crate::domain::limits::CONFIRMED_MINUTES;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, confirmation, users};
use crate::web::blocking;
use crate::web::methods::{Room, Routes};
use crate::web::route_roles::Least;

/// Where links are confirmed; a form is confirmed at its own address.
const HERE: &str = "/admin/confirm";
/// The fields of this page: no form has others of these names.
const PASSWORD: &str = "confirm_password";
const CODE: &str = "confirm_code";

#[derive(Template)]
#[template(path = "confirm_person.html")]
struct ConfirmPersonPage {
    page: Page,
    form: Form,
    /// Where the form goes.
    action: String,
    /// What goes along.
    fields: Vec<(String, String)>,
    email: String,
    asks_code: bool,
    minutes: i64,
    back: String,
}

#[derive(Template)]
#[template(path = "confirmed.html")]
struct ConfirmedPage {
    page: Page,
    next: String,
    back: String,
}

/// The addresses of links that are confirmed.
pub fn configure(routes: &mut Routes) {
    routes.get(HERE, show).post(HERE, take);
}

/// Middleware, behind the ones that ask for the form's token and for the role: lets a confirmed session pass, and asks any other.
pub async fn ask(mut request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<BoxBody>, Error> {
    if !is_wanting(&request) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    if request.method().is_safe() {
        let answer = see_other(&link(request.request()));
        return Ok(request.into_response(answer));
    }
    let body = request.extract::<Bytes>().await?;
    let form = Form::from_urlencoded(&body).unwrap_or_default();
    // No clone of the request may live on when it is passed on: routing writes into it.
    match confirm_form(request.request().clone(), &form).await {
        Ok(()) => {
            let rest: Vec<(&str, &str)> = form.pairs().filter(|(name, _)| ![PASSWORD, CODE].contains(name)).collect();
            let rest = serde_urlencoded::to_string(rest).unwrap_or_default();
            request.set_payload(Payload::from(Bytes::from(rest)));
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(answer) => Ok(request.into_response(answer)),
    }
}

/// Whether the address asks for a confirmed session and this one is none. Who is not signed in is somebody else's matter.
fn is_wanting(request: &ServiceRequest) -> bool {
    let least = request.app_data::<Data<Room>>().and_then(|room| room.least(request.method(), request.path()));
    let is_asked_for = matches!(least, Some(Least::Confirmed(_)));
    is_asked_for && Visitor::of(request.request()).person().is_some_and(|person| !person.is_confirmed())
}

/// The page that asks before a link is followed.
fn link(request: &HttpRequest) -> String {
    let next = request.uri().path_and_query().map_or("", |path| path.as_str());
    let fields = [("next", next), ("back", session::page_before(request).as_str())].map(|(n, v)| (n, v.to_owned()));
    serde_urlencoded::to_string(fields).map_or_else(|_| HERE.to_owned(), |query| format!("{HERE}?{query}"))
}

/// Confirms with what a form brings; otherwise answers the page that asks.
async fn confirm_form(request: HttpRequest, form: &Form) -> Result<(), HttpResponse> {
    let visitor = Visitor::of(&request);
    let Some(who) = SignedIn::of(visitor) else { return Err(errors::not_found(&Visitor::of(&request))) };
    let services = request.app_data::<Data<Services>>().expect("pages are registered together with the services").clone();
    let is_kept = |name: &str| ![PASSWORD, CODE, "csrf"].contains(&name) && !name.contains("password");
    let fields = form.pairs().filter(|(name, _)| is_kept(name)).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let action = request.uri().path_and_query().map_or("", |path| path.as_str()).to_owned();
    let asked = Asked { action, fields, back: session::page_before(&request) };
    let answer = match form.has(PASSWORD) {
        true => try_to_confirm(&who, &request, &services, form, asked).await,
        false => page(&who, &services, Form::default(), asked).await.map(|page| Some(html(&page))),
    };
    match answer {
        Ok(None) => Ok(()),
        Ok(Some(answer)) => Err(answer),
        Err(failure) => Err(failure.error_response()),
    }
}

/// What is confirmed.
struct Asked {
    action: String,
    fields: Vec<(String, String)>,
    back: LocalPath,
}

/// Notes that the person confirmed; answers the page again where something typed is wrong.
async fn try_to_confirm(
    who: &SignedIn,
    request: &HttpRequest,
    services: &Data<Services>,
    form: &Form,
    asked: Asked,
) -> Result<Option<HttpResponse>, Failure> {
    let (actor, id) = (who.actor.clone(), who.person.id);
    let (password, code) = (Secret::new(form.value(PASSWORD)), form.value(CODE).to_owned());
    let check = move |services: &Services| confirmation::confirm(services, &actor, id, &password, &code, Mode::Keep);
    match blocking::call(services, check).await {
        Ok(()) => {
            let kept = session::confirm(request, &who.person);
            kept.map_err(|error| Failure::new(who, ServiceError::Conflict(error.to_string())))?;
            Ok(None)
        }
        Err(ServiceError::Invalid(errors)) => {
            let mut named = FieldErrors::new();
            for error in errors.iter() {
                named.add(if error.field == "code" { CODE } else { PASSWORD }, error.message.clone());
            }
            Ok(Some(html_rejected(&page(who, services, Form::default().rejected(&named), asked).await?)))
        }
        Err(error) => Err(Failure::new(who, error)),
    }
}

async fn page(who: &SignedIn, services: &Data<Services>, form: Form, asked: Asked) -> Result<ConfirmPersonPage, Failure> {
    let id = who.person.id;
    let user = blocking::call(services, move |services| users::get(services, id)).await.map_err(Failure::of(who))?;
    Ok(ConfirmPersonPage {
        page: who.page("Confirm that it is you"),
        form,
        action: asked.action,
        fields: asked.fields,
        email: user.email,
        asks_code: user.second_factor.is_some(),
        minutes: CONFIRMED_MINUTES,
        back: asked.back.as_str().to_owned(),
    })
}

/// The link that is confirmed, as its page names it.
fn of_link(form: &Form) -> (LocalPath, Asked) {
    let [next, back] = ["next", "back"].map(|name| LocalPath::or_home(form.value(name)));
    let fields = vec![("next".to_owned(), next.as_str().to_owned()), ("back".to_owned(), back.as_str().to_owned())];
    (next, Asked { action: HERE.to_owned(), fields, back })
}

async fn show(who: SignedIn, request: HttpRequest, services: Data<Services>) -> Result<HttpResponse, Failure> {
    let (next, asked) = of_link(&Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default());
    if who.person.is_confirmed() {
        return Ok(go_on(&who, &next, &asked.back));
    }
    Ok(html(&page(&who, &services, Form::default(), asked).await?))
}

async fn take(who: SignedIn, request: HttpRequest, services: web::Data<Services>, form: Form) -> Result<HttpResponse, Failure> {
    let (next, asked) = of_link(&form);
    let back = asked.back.clone();
    Ok(try_to_confirm(&who, &request, &services, &form, asked).await?.unwrap_or_else(|| go_on(&who, &next, &back)))
}

/// Leads to a page; a download leaves the browser where it is, so that it begins from a page that says so.
fn go_on(who: &SignedIn, next: &LocalPath, back: &LocalPath) -> HttpResponse {
    let next = next.as_str().to_owned();
    if !next.ends_with("/download") {
        return see_other(&next);
    }
    let refresh = format!("0; url={next}");
    let mut answer = html(&ConfirmedPage { page: who.page("It is you"), next, back: back.as_str().to_owned() });
    // A path of ours has nothing that a header could not hold.
    if let Ok(value) = refresh.parse() {
        answer.headers_mut().insert(REFRESH, value);
    }
    answer
}
