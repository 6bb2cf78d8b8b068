//! Configuration Profiles of one group (R98, R144).

use actix_web::{HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::domain::deployment::Place;
use crate::domain::group::Group;
use crate::domain::world::World;
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
#[template(path = "groups/profiles.html")]
struct ProfilesPage {
    page: Page,
    head: Head,
    tab: Tab,
}

fn own(group: &Group) -> Profiles {
    Profiles(Target::Place(Place::Group(group.id)))
}

fn page(services: &Services, who: &SignedIn, group: &Group, world: &World) -> Result<ProfilesPage, Failure> {
    let own = own(group);
    let tab = attached::tab(&own, services, who, "Profiles of this group", &places::page(&own.0))?;
    Ok(ProfilesPage { page: who.page(attached::LABEL), head: Head::new(group, world, services), tab })
}

/// `GET /admin/groups/{id}/profiles`
pub async fn show(id: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (group, world) = head::find(&services, &who, &id)?;
    Ok(html(&page(&services, &who, &group, &world)?))
}

/// `POST /admin/groups/{id}/profiles`
pub async fn save(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (group, world) = head::find(&services, &who, &id)?;
    let outcome = ordered::save(&services, &who, &own(&group), form).await?;
    let answer = page(&services, &who, &group, &world)?;
    Ok(match outcome {
        Outcome::Done(message) => who.done(&answer.tab.action, message),
        Outcome::Again(status, form, conflict) => {
            html_with(status, &ProfilesPage { tab: answer.tab.again(form, conflict), ..answer })
        }
    })
}
