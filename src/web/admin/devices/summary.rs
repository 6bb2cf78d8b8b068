//! Summary: what an admin may change of a device (R231), beside what is known of it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::add::{families, input};
use super::head::{self, Head};
use super::trust::TrustPanel;
use crate::catalog::models::models;
use crate::domain::device::draft::DeviceEdit;
use crate::domain::device::{Device, Owner};
use crate::domain::device_list::{Listed, site_name};
use crate::domain::ids::{DEFAULT_ACCOUNT, SiteId};
use crate::domain::names::Name;
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, devices, people, software};
use crate::web::admin::choices::{self, Among, Choices};
use crate::web::admin::conflict::{self, Conflict, Differing};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::admin::words::{self, FactValue, Tone as _};
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/summary.html")]
struct SummaryPage {
    page: Page,
    head: Head,
    form: Form,
    /// What somebody else saved meanwhile, where it differs.
    conflict: Option<Conflict>,
    takes_name: bool,
    name_hint: &'static str,
    /// MAC of one that goes by its serial number.
    mac: Option<String>,
    /// Whether it goes by its serial number, so that its MAC stands beside.
    keeps_mac: bool,
    family: Option<String>,
    /// It never came: its model may be corrected.
    may_correct: bool,
    /// Types to choose from, for a device of which none is known or that never came.
    families: Vec<(&'static str, &'static str)>,
    public_ip: Option<String>,
    private_ip_hint: &'static str,
    /// The address in force and who says so.
    private_ip: Option<(String, &'static str)>,
    software: Option<String>,
    /// What is to be known of it: tone and word.
    marks: Vec<(&'static str, &'static str)>,
    place: SitePlace,
    /// Where it may be pinned; the first choice leaves it to its addresses.
    pins: Choices,
    added_at: Timestamp,
    origin: &'static str,
    provisioning_url: String,
    master_url: String,
    trust: TrustPanel,
    /// Whose it is: page and name. None of it is said until there are people or rooms.
    owner: Option<Option<(String, String)>>,
    /// The phone's admin password, where it was just asked for.
    revealed: Option<String>,
}

impl SummaryPage {
    fn new(services: &Services, who: &SignedIn, known: &Listed, world: &World, form: Form, conflict: Option<Conflict>) -> Self {
        let device = &known.device;
        let page = who.page(words::title(device));
        let family = device.family.as_deref().and_then(|name| models().family(name));
        let takes_name = family.is_some_and(|family| family.takes_name);
        let provisioning_url = world.endpoints.https_url.clone();
        let trust = services.trusts(world.account_id).of(&device.key);
        Self {
            trust: TrustPanel::new(device, &trust, &world.account, page.now),
            owner: owner(device, world),
            revealed: None,
            head: Head::new(known, page.now).marked(services),
            form,
            conflict,
            takes_name,
            name_hint: if takes_name {
                "Shown on these pages. Letters, digits, blanks and # . - _ ( ) [ ]."
            } else {
                "Shown on these pages; the device is not told. Letters, digits, blanks and # . - _ ( ) [ ]."
            },
            private_ip_hint: "Only if the device does not tell the right one; blank takes what it tells.",
            mac: device.mac.map(|mac| mac.to_string()),
            keeps_mac: device.key.mac().is_none(),
            family: device.family.clone(),
            families: if device.family.is_none() || !known.has_come() { families() } else { Vec::new() },
            may_correct: !known.has_come(),
            public_ip: known.sighting.public_ip.map(|ip| ip.to_string()),
            private_ip: private_ip(known),
            software: known.sighting.software_version.clone(),
            marks: software::marks(device, world, page.now),
            place: SitePlace::new(device, world),
            pins: pins(world),
            added_at: device.added_at,
            origin: words::origin(&device.origin),
            master_url: format!("{provisioning_url}{}.cfg", device.key),
            provisioning_url,
            page,
        }
    }
}

/// Where a device belongs, since when and why.
struct SitePlace {
    id: SiteId,
    name: String,
    why: String,
    since: Option<Timestamp>,
    is_pinned: bool,
    /// A move to *Internet* waits for somebody's word.
    waits: bool,
}

impl SitePlace {
    fn new(device: &Device, world: &World) -> Self {
        Self {
            id: device.site_id(),
            name: site_name(world, device).to_owned(),
            why: device.placement.reason(),
            since: device.placement.placed.map(|placed| placed.at),
            is_pinned: device.placement.pinned,
            waits: device.waiting_move().is_some(),
        }
    }
}

/// The sites that a device may be pinned to. The first choice leaves it to its addresses.
pub fn pins(world: &World) -> Choices {
    let sites = world.sites.values().map(|site| (site.id.to_string(), site.name.to_string()));
    let mut choices = Choices::by_name("pin", sites);
    choices.options.insert(0, (String::new(), "As its addresses say".to_owned()));
    choices
}

fn owner(device: &Device, world: &World) -> Option<Option<(String, String)>> {
    let told = |owner: Owner| {
        let page = match owner {
            Owner::Person(id) => format!("/admin/people/{id}"),
            Owner::Room(id) => format!("/admin/rooms/{id}"),
        };
        people::owner_name(world, owner).map(|name| (page, name))
    };
    people::are_used(world).then(|| device.owner.and_then(told))
}

fn private_ip(known: &Listed) -> Option<(String, &'static str)> {
    match (known.device.private_ip, known.sighting.private_ip) {
        (Some(ip), _) => Some((ip.to_string(), "typed here")),
        (None, Some(ip)) => Some((ip.to_string(), "told by the device")),
        (None, None) => None,
    }
}

/// The fields of the form, as they are stored.
fn stored(device: &Device) -> [(&'static str, &'static str, String); 6] {
    let name = |name: &Option<Name>| name.as_ref().map(ToString::to_string).unwrap_or_default();
    [
        ("name", "Device Name", name(&device.name)),
        ("sent_name", "Name sent to the device", name(&device.sent_name)),
        ("mac", "MAC address", device.mac.map(|mac| mac.to_string()).unwrap_or_default()),
        ("private_ip", "Private IP", device.private_ip.map(|ip| ip.to_string()).unwrap_or_default()),
        ("pin", "Site", device.pin_id().map(|id| id.to_string()).unwrap_or_default()),
        ("description", "Description", device.description.clone()),
    ]
}

fn filled(device: &Device) -> Form {
    let fields = stored(device).into_iter().map(|(name, _, value)| (name, value));
    let kind = [("family", device.family.clone().unwrap_or_default()), ("model", device.model.clone().unwrap_or_default())];
    Form::filled(fields.chain(kind).chain([("revision", device.revision.to_string())]))
}

/// `GET /admin/devices/{key}`
pub async fn show(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    let typed = unsent::given_back_from(request.path(), &request, &who, &services);
    let form = typed.unwrap_or_default().or(&filled(&known.device), &[]);
    Ok(html(&SummaryPage::new(&services, &who, &known, &world, form, None)))
}

/// The page with the phone's admin password, which was asked for.
pub fn with_password(
    services: &Services,
    who: &SignedIn,
    known: &Listed,
    world: &World,
    password: Option<String>,
) -> HttpResponse {
    html(&SummaryPage { revealed: password, ..SummaryPage::new(services, who, known, world, filled(&known.device), None) })
}

/// `POST /admin/devices/{key}`
pub async fn save(
    key: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    let again = |status, form, conflict| {
        let now = services.roster(DEFAULT_ACCOUNT).find(&known.device.key).unwrap_or_else(|| known.clone());
        Ok(html_with(status, &SummaryPage::new(&services, &who, &now, &world, form, conflict)))
    };
    let form = match choices::resolved(form, &[("pin", Among::Sites)], &world) {
        Ok(form) => form,
        Err(form) => return again(StatusCode::UNPROCESSABLE_ENTITY, form, None),
    };
    let edit = match DeviceEdit::parse(&input(&form), &known.device, known.has_come(), models()) {
        Ok(edit) => edit,
        Err(errors) => return again(StatusCode::UNPROCESSABLE_ENTITY, form.rejected(&errors), None),
    };
    let (actor, device) = (who.actor.clone(), known.device.key.clone());
    let revision = form.value("revision").parse().unwrap_or_default();
    let update =
        move |services: &Services| devices::update(services, &actor, DEFAULT_ACCOUNT, &device, revision, edit, Mode::Keep);
    match blocking::call(&services, update).await {
        Ok(device) => Ok(who.done(&format!("/admin/devices/{}", device.key), "Updated.")),
        Err(ServiceError::Invalid(errors)) => again(StatusCode::UNPROCESSABLE_ENTITY, form.rejected(&errors), None),
        Err(ServiceError::Conflict(_)) => {
            let (known, _) = head::find(&services, &who, &key)?;
            let differing = Differing::between(&form, stored(&known.device));
            let (now, is_about) = (known.device.revision, conflict::of_device("device", &known.device.key));
            let missed = now.saturating_sub(revision);
            let conflict = Conflict::new(&services, &who, DEFAULT_ACCOUNT, missed, is_about, differing).await?;
            let mut form = form;
            form.set("revision", now.to_string());
            again(StatusCode::CONFLICT, form, Some(conflict))
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}
