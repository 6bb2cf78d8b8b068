//! Profiles: what is attached to this very device, in order, above everything that stands below it (R237).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::domain::deployment::Place;
use crate::domain::device_list::Listed;
use crate::domain::ids::ProfileId;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::deployment::Target;
use crate::web::admin::attached::{self, Attached, Outcome};
use crate::web::admin::conflict::Conflict;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html_with};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::Tone as _;

#[derive(Template)]
#[template(path = "devices/profiles.html")]
struct ProfilesPage {
    page: Page,
    head: Head,
    form: Form,
    attached: Attached,
    conflict: Option<Conflict>,
    below: Vec<Step>,
}

/// A container below the device.
struct Step {
    container: &'static str,
    /// Where it can be changed: link and label.
    edit: Option<(&'static str, &'static str)>,
    /// Id and name, strongest first.
    profiles: Vec<(ProfileId, String)>,
    /// What is said where it has none.
    empty: &'static str,
}

impl ProfilesPage {
    fn new(who: &SignedIn, known: &Listed, world: &World, form: Form, conflict: Option<Conflict>) -> Self {
        let page = who.page("Profiles");
        let action = format!("/admin/devices/{}/profiles", known.device.key);
        Self {
            head: Head::new(known, page.now),
            attached: Attached::new("Profiles of this device", action, &known.device.profiles, world),
            below: below(world),
            page,
            form,
            conflict,
        }
    }
}

fn below(world: &World) -> Vec<Step> {
    let name = |id: &ProfileId| world.profile(*id).map(|profile| (*id, profile.name.to_string()));
    let global = world.deployment.get(&Place::Global).into_iter().flatten().filter_map(name).collect();
    vec![
        Step {
            container: "Global",
            edit: Some(("/admin/deployment", "Edit")),
            profiles: global,
            empty: "No profile is on Global.",
        },
        Step {
            container: "Built-in base",
            edit: Some(("/admin/provisioning", "Settings")),
            profiles: Vec::new(),
            empty: "What this server brings by itself, where nobody says anything else.",
        },
    ]
}

/// `GET /admin/devices/{key}/profiles`
pub async fn show(key: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    Ok(html_with(StatusCode::OK, &ProfilesPage::new(&who, &known, &world, Form::default(), None)))
}

/// `POST /admin/devices/{key}/profiles`
pub async fn save(
    key: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let outcome = attached::save(&services, &who, Target::Device(known.device.key.clone()), form).await?;
    let (known, world) = head::find(&services, &who, &key)?;
    Ok(match outcome {
        Outcome::Done(message) => who.done(
            &format!("/admin/devices/{}/profiles", known.device.key),
            format!("{message} It counts when the device next comes."),
        ),
        Outcome::Rejected(form) => {
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &ProfilesPage::new(&who, &known, &world, form, None))
        }
        Outcome::Conflict(conflict, form) => {
            html_with(StatusCode::CONFLICT, &ProfilesPage::new(&who, &known, &world, form, Some(conflict)))
        }
    })
}
