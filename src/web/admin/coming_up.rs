//! A phone coming up: the steps of a phone at a MAC or an address, from the first sign of it to a bound device, with what to do.
//! With a script the steps follow by themselves; without one, a reload does the same.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::failure::Failure;
use super::forms::Form;
use super::layout::{Page, html, html_rejected};
use super::session::SignedIn;
use crate::domain::coming_up::State;
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::coming_up::{self, ComingUp, Wanted};
use crate::web::blocking;
use crate::web::methods::Routes;

const HERE: &str = "/admin/coming-up";

#[derive(Template)]
#[template(path = "coming_up/show.html")]
struct ComingUpPage {
    page: Page,
    form: Form,
    /// Where the steps alone are; none before a phone was named.
    follow: Option<String>,
    found: Option<ComingUp>,
    /// Where phones are told to come, to be compared with what the phone was given.
    addresses: Vec<String>,
}

/// The steps alone, for the script that puts them in place of the old ones.
#[derive(Template)]
#[template(path = "coming_up/steps.html")]
struct StepsPart {
    page: Page,
    found: Option<ComingUp>,
}

/// The addresses of this room.
pub fn configure(routes: &mut Routes) {
    routes.get(HERE, show).get("/admin/coming-up/steps", steps);
}

/// `GET /admin/coming-up?phone=…`
async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let phone = asked(&request);
    let form = Form::filled([("phone", phone.clone())]);
    let endpoints = services.worlds().endpoints();
    let mut page = ComingUpPage {
        page: who.page("A Phone Coming Up"),
        form,
        follow: None,
        found: None,
        addresses: std::iter::once(endpoints.https_url.clone()).chain(endpoints.http_url.clone()).collect(),
    };
    if phone.is_empty() {
        return Ok(html(&page));
    }
    match phone.parse::<Wanted>() {
        Ok(wanted) => {
            page.found = Some(look(&who, &services, wanted).await?);
            page.follow = Some(format!("/admin/coming-up/steps?{}", form_urlencoded(&phone)));
            Ok(html(&page))
        }
        Err(words) => {
            page.form = page.form.rejected(&FieldErrors::one("phone", words));
            Ok(html_rejected(&page))
        }
    }
}

/// `GET /admin/coming-up/steps?phone=…`
async fn steps(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let found = match asked(&request).parse() {
        Ok(wanted) => Some(look(&who, &services, wanted).await?),
        Err(_) => None,
    };
    Ok(html(&StepsPart { page: who.page("A Phone Coming Up"), found }))
}

async fn look(who: &SignedIn, services: &web::Data<Services>, wanted: Wanted) -> Result<ComingUp, Failure> {
    let look = move |services: &Services| coming_up::of(services, DEFAULT_ACCOUNT, &wanted);
    blocking::call(services, look).await.map_err(Failure::of(who))
}

fn asked(request: &HttpRequest) -> String {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    pairs.into_iter().find(|(name, _)| name == "phone").map(|(_, phone)| phone.trim().to_owned()).unwrap_or_default()
}

fn form_urlencoded(phone: &str) -> String {
    serde_urlencoded::to_string([("phone", phone)]).unwrap_or_default()
}

/// What the template asks of steps and phones.
mod tell {
    use super::{DeviceKey, HERE, State};

    /// Where the same of another phone is.
    pub fn link(key: &DeviceKey) -> String {
        format!("{HERE}?phone={key}")
    }

    /// The icon of a step.
    pub fn icon(state: &State) -> &'static str {
        match state {
            State::Done => "ok",
            State::Stuck => "warn",
            State::Waiting => "open",
        }
    }

    /// How a step stands, for those who do not see its icon.
    pub fn word(state: &State) -> &'static str {
        match state {
            State::Done => "done",
            State::Stuck => "stuck",
            State::Waiting => "waiting",
        }
    }
}
