//! Add Device: one device, before it comes (R229).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::summary::pins;
use crate::catalog::models::models;
use crate::domain::device::draft::{DeviceDraft, DeviceInput};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, devices};
use crate::web::admin::choices::{self, Among, Choices};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::admin::words;
use crate::web::blocking;

/// Fields whose objects may be typed by name.
const NAMED: [(&str, Among); 3] = [("pin", Among::Sites), ("groups", Among::Groups), ("profiles", Among::Profiles)];

#[derive(Template)]
#[template(path = "devices/add.html")]
struct AddPage {
    page: Page,
    form: Form,
    /// Types: value and label.
    families: Vec<(&'static str, &'static str)>,
    models: Vec<&'static str>,
    /// Profiles that can be attached.
    profiles: Choices,
    /// Where it may be pinned.
    pins: Choices,
    /// Groups that it can join.
    groups: Choices,
}

/// What may be chosen as a device's type: value and label. The first one leaves it open.
pub fn families() -> Vec<(&'static str, &'static str)> {
    let families = models().families().map(|family| (family.name.as_str(), family.name.as_str()));
    std::iter::once(("", "Recognise it")).chain(families).collect()
}

impl AddPage {
    fn new(who: &SignedIn, world: &World, form: Form) -> Self {
        // Templates cannot be attached, and what a device CSV brought is for its device, which is there.
        let may_stand = |one: &&Profile| !one.is_template() && one.kind != ProfileKind::UserImported;
        let profiles = choices::of_profiles(world.all_profiles().map(|one| &**one).filter(may_stand));
        let groups = world.groups.values().map(|one| (one.id.to_string(), one.name.to_string()));
        Self {
            page: who.page("Add Device"),
            form,
            families: families(),
            models: models().models().iter().map(|model| model.name.as_str()).collect(),
            profiles: Choices::new("profiles", profiles),
            pins: pins(world),
            groups: Choices::by_name("groups", groups),
        }
    }
}

/// `GET /admin/devices/add`; the address may bring what is known of the device already.
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let known = || Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    let form = unsent::given_back_from(request.path(), &request, &who, &services).unwrap_or_else(known);
    Ok(html(&AddPage::new(&who, &world, form)))
}

/// `POST /admin/devices/add`
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let rejected = |form: Form, errors: &FieldErrors| Ok(html_rejected(&AddPage::new(&who, &world, form.rejected(errors))));
    let form = match choices::resolved(form, &NAMED, &world) {
        Ok(form) => form,
        Err(form) => return Ok(html_rejected(&AddPage::new(&who, &world, form))),
    };
    let draft = match DeviceDraft::parse(&input(&form), models()) {
        Ok(draft) => draft,
        Err(errors) => return rejected(form, &errors),
    };
    let actor = who.actor.clone();
    let create = move |services: &Services| devices::create(services, &actor, DEFAULT_ACCOUNT, vec![draft], Mode::Keep);
    match blocking::call(&services, create).await {
        Ok(added) => {
            let device = added.first().map(|device| (device.key.to_string(), words::title(device)));
            let (key, title) = device.unwrap_or_default();
            Ok(who.done(
                &format!("/admin/devices/{key}"),
                format!("{title} is added. It gets its configuration when it first comes."),
            ))
        }
        Err(ServiceError::Invalid(errors)) => rejected(form, &errors),
        Err(ServiceError::Conflict(why)) => Ok(html_rejected(&AddPage::new(&who, &world, form.refused(why)))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// The fields of a device as a form has them.
pub fn input(form: &Form) -> DeviceInput {
    let text = |name: &str| form.value(name).to_owned();
    DeviceInput {
        key: text("key"),
        mac: text("mac"),
        name: text("name"),
        sent_name: text("sent_name"),
        description: text("description"),
        family: text("family"),
        model: text("model"),
        private_ip: text("private_ip"),
        pin: text("pin"),
        profiles: form.values("profiles").filter_map(|id| id.parse().ok()).collect(),
        groups: form.values("groups").filter_map(|id| id.parse().ok()).collect(),
    }
}
