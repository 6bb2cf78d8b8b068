//! Profile of one site: the profiles attached to it, in order (R84, R144). *Internet* takes some too.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Head, find};
use crate::domain::deployment::Place;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::site::Site;
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
#[template(path = "sites/profiles.html")]
struct ProfilesPage {
    page: Page,
    head: Head,
    tab: Tab,
}

fn own(site: &Site) -> Profiles {
    Profiles(Target::Place(Place::Site(site.id)))
}

fn page(services: &Services, who: &SignedIn, site: &Site) -> Result<ProfilesPage, Failure> {
    let own = own(site);
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let tab = attached::tab(&own, services, who, "Profiles of this site", &places::page(&own.0))?;
    Ok(ProfilesPage { page: who.page(site.name.to_string()), head: Head::new(site, &world.sites, services), tab })
}

/// `GET /admin/sites/{id}/profiles`
pub async fn show(id: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let site = find(&services, &who, &id)?;
    Ok(html(&page(&services, &who, &site)?))
}

/// `POST /admin/sites/{id}/profiles`
pub async fn save(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let site = find(&services, &who, &id)?;
    let outcome = ordered::save(&services, &who, &own(&site), form).await?;
    let answer = page(&services, &who, &site)?;
    Ok(match outcome {
        Outcome::Done(message) => who.done(&answer.tab.action, message),
        Outcome::Again(status, form, conflict) => {
            html_with(status, &ProfilesPage { tab: answer.tab.again(form, conflict), ..answer })
        }
    })
}
