//! Configuration Profiles: what is attached to this very device, in order, above everything that stands below it (R237).

use actix_web::{HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::domain::deployment::{Place, name, places};
use crate::domain::device_list::Listed;
use crate::domain::ids::ProfileId;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::deployment::Target;
use crate::web::admin::attached::{self, Profiles};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::ordered::{self, Outcome, Tab};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::Tone as _;
use crate::web::places as addresses;

#[derive(Template)]
#[template(path = "devices/profiles.html")]
struct ProfilesPage {
    page: Page,
    head: Head,
    tab: Tab,
    below: Vec<Step>,
}

/// A place below the device that speaks for it.
struct Step {
    container: &'static str,
    /// The place and where its profiles are changed.
    place: Option<(String, String)>,
    /// Id and name, strongest first.
    profiles: Vec<(ProfileId, String)>,
    /// What is said where it has none.
    empty: &'static str,
}

/// The list of a device's own profiles.
fn own(known: &Listed) -> Profiles {
    Profiles(Target::Device(known.device.key.clone()))
}

fn page(services: &Services, who: &SignedIn, known: &Listed, world: &World) -> Result<ProfilesPage, Failure> {
    let own = own(known);
    let page = who.page(attached::LABEL);
    Ok(ProfilesPage {
        tab: attached::tab(&own, services, who, "Profiles of this device", &addresses::page(&own.0))?,
        head: Head::new(known, page.now),
        below: below(known, world),
        page,
    })
}

/// Everything that speaks for the device and is weaker than its own profiles, strongest first.
fn below(known: &Listed, world: &World) -> Vec<Step> {
    let step = |place: Place| {
        let of = world.deployment.get(&place).into_iter().flatten();
        let profiles = of.filter_map(|id| world.profile(*id).map(|profile| (*id, profile.name.to_string()))).collect();
        let container = place.container().label();
        let label = name(&place, world)?;
        Some(Step { container, place: Some((addresses::page(&Target::Place(place)), label)), profiles, empty: "No profile." })
    };
    let base = Step {
        container: "Built-in base",
        place: Some(("/admin/provisioning".to_owned(), "Settings".to_owned())),
        profiles: Vec::new(),
        empty: "What this server brings by itself, where nobody says anything else.",
    };
    places(&known.device, world).into_iter().filter_map(step).chain([base]).collect()
}

/// `GET /admin/devices/{key}/profiles`
pub async fn show(key: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    Ok(html(&page(&services, &who, &known, &world)?))
}

/// `POST /admin/devices/{key}/profiles`
pub async fn save(
    key: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let outcome = ordered::save(&services, &who, &own(&known), form).await?;
    let (known, world) = head::find(&services, &who, &key)?;
    Ok(match outcome {
        Outcome::Done(message) => who.done(&addresses::page(&own(&known).0), message),
        Outcome::Again(status, form, conflict) => {
            let answer = page(&services, &who, &known, &world)?;
            html_with(status, &ProfilesPage { tab: answer.tab.again(form, conflict), ..answer })
        }
    })
}
