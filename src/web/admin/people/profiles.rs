//! Configuration Profiles of one person, group of people or room.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::kind::{Head, Paged, find, of_kind};
use crate::services::Services;
use crate::services::deployment::Target;
use crate::web::admin::attached::{self, Profiles};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::ordered::{self, Outcome, Tab};
use crate::web::admin::session::SignedIn;
use crate::web::places;

#[derive(Template)]
#[template(path = "people/ordered.html")]
pub struct OrderedPage {
    pub page: Page,
    pub head: Head,
    pub tab: Tab,
}

fn page<T: Paged>(services: &Services, who: &SignedIn, id: &str) -> Result<(Profiles, OrderedPage), Failure> {
    let (one, world) = find::<T>(services, who, id)?;
    let own = Profiles(Target::Place(T::place(one.id())));
    let tab = attached::tab(&own, services, who, attached::LABEL, &places::page(&own.0))?;
    Ok((own, OrderedPage { page: who.page(attached::LABEL), head: Head::new(&*one, &world, services), tab }))
}

/// `GET /admin/people/{id}/profiles` and its like
pub async fn show(
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    of_kind!(path.0.as_str(), shown(&path.1, &who, &services))
}

async fn shown<T: Paged>(id: &str, who: &SignedIn, services: &Services) -> Result<HttpResponse, Failure> {
    Ok(html(&page::<T>(services, who, id)?.1))
}

/// `POST /admin/people/{id}/profiles` and its like
pub async fn save(
    path: web::Path<(String, String)>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    of_kind!(path.0.as_str(), set(&path.1, &who, form, &services))
}

async fn set<T: Paged>(id: &str, who: &SignedIn, form: Form, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (own, _) = page::<T>(services, who, id)?;
    let outcome = ordered::save(services, who, &own, form).await?;
    let (_, answer) = page::<T>(services, who, id)?;
    Ok(match outcome {
        Outcome::Done(message) => who.done(&answer.tab.action, message),
        Outcome::Again(status, form, conflict) => {
            html_with(status, &OrderedPage { tab: answer.tab.again(form, conflict), ..answer })
        }
    })
}
