//! Software of one device: what it has, what is chosen for it and by whom, what it takes next and why, and from where
//! (contract 5.12, R131, R202, R372, R393).

use actix_web::{HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::head::{self, Head};
use crate::domain::device_list::Listed;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::software::SoftwareVersion;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::software::{self, ChosenBy, Overview};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::Tone as _;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/software.html")]
struct SoftwarePage {
    page: Page,
    head: Head,
    overview: Overview,
    /// The version that it is busy with, and since when.
    updating: Option<(String, Timestamp)>,
}

impl SoftwarePage {
    fn new(who: &SignedIn, known: &Listed, world: &World, services: &Services) -> Self {
        let page = who.page("Software");
        let updating = known.device.updating(page.now).map(|one| (one.version.to_string(), one.since));
        Self { head: Head::new(known, page.now).marked(services), overview: Overview::of(&known.device, world), page, updating }
    }
}

/// `GET /admin/devices/{key}/software`
pub async fn show(key: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    Ok(html(&SoftwarePage::new(&who, &known, &world, &services)))
}

/// `POST /admin/devices/{key}/software`: allows older software, or gives a withdrawn image again.
pub async fn act(
    key: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let here = format!("/admin/devices/{}/software", known.device.key);
    let (actor, device) = (who.actor.clone(), known.device.key.clone());
    let version = form.value("version").parse::<SoftwareVersion>().ok();
    let is_again = form.is("do", "again");
    let act = move |services: &Services| match version {
        _ if is_again => software::try_again(services, &actor, DEFAULT_ACCOUNT, &device, Mode::Keep),
        Some(version) => software::allow_downgrade(services, &actor, DEFAULT_ACCOUNT, &device, &version, Mode::Keep),
        None => Err(ServiceError::Conflict("choose what is to be done".to_owned())),
    };
    match blocking::call(&services, act).await {
        Ok(()) if is_again => Ok(who.done(&here, "It is given its image again, and three more tries.")),
        Ok(()) => Ok(who.done(&here, "Allowed. It takes the older version at its next boot or poll.")),
        Err(ServiceError::Invalid(errors)) => {
            let told: Vec<String> = errors.iter().map(|error| error.message.clone()).collect();
            Ok(who.not_done(&here, format!("Not done: {}.", told.join("; "))))
        }
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&here, format!("Not done: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}
