//! The profiles of one place. Places with pages of their own have the same list there as a tab.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::domain::deployment::name;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::deployment::Target;
use crate::web::admin::attached::{self, Profiles};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with, see_other};
use crate::web::admin::ordered::{self, Outcome, Tab};
use crate::web::admin::session::SignedIn;
use crate::web::places;

#[derive(Template)]
#[template(path = "deployment/place.html")]
struct PlacePage {
    page: Page,
    container: &'static str,
    /// Its devices in the Device Monitor; none where no filter of it shows them.
    devices: Option<String>,
    tab: Tab,
}

/// `GET /admin/deployment/{container}/{id}`
pub async fn show(
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let target = target(&who, &path)?;
    let own_page = places::page(&target);
    if !own_page.starts_with("/admin/deployment") {
        return Ok(see_other(&own_page));
    }
    Ok(html(&page(&who, &services, &target)?))
}

/// `POST /admin/deployment/{container}/{id}`
pub async fn save(
    path: web::Path<(String, String)>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let target = target(&who, &path)?;
    Ok(match ordered::save(&services, &who, &Profiles(target.clone()), form).await? {
        Outcome::Done(message) => {
            let answer = page(&who, &services, &target)?;
            who.done(&answer.tab.action, message)
        }
        Outcome::Again(status, form, conflict) => {
            let answer = page(&who, &services, &target)?;
            html_with(status, &PlacePage { tab: answer.tab.again(form, conflict), ..answer })
        }
    })
}

fn target(who: &SignedIn, path: &(String, String)) -> Result<Target, Failure> {
    places::parse(&path.0, &path.1).ok_or_else(|| Failure::not_found(who, "place", format!("{}/{}", path.0, path.1)))
}

fn page(who: &SignedIn, services: &Services, target: &Target) -> Result<PlacePage, Failure> {
    let tab = attached::tab(&Profiles(target.clone()), services, who, attached::LABEL, &places::page(target))?;
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let title = match target {
        Target::Place(place) => name(place, &world),
        Target::Device(key) => Some(key.to_string()),
    };
    let (word, id) = places::words(target);
    let query = serde_urlencoded::to_string([("model", &id)]).unwrap_or_default();
    Ok(PlacePage {
        page: who.page(title.unwrap_or_else(|| id.clone())),
        container: target.container().label(),
        devices: (word == "models").then(|| format!("/admin/devices?{query}")),
        tab,
    })
}
