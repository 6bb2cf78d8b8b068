//! Making a group: name and description, its first devices, chosen by search or pasted, and its profiles in their order, all in one
//! form (R98). Buttons that search, order or take away bring the form back as it was typed; nothing is made before *Save*.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::deployment::Place;
use crate::domain::device::DeviceKey;
use crate::domain::device_list::{DeviceQuery, Listed, site_name};
use crate::domain::device_paste;
use crate::domain::field_error::FieldErrors;
use crate::domain::group::{GroupDraft, GroupInput};
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::deployment::{Target, may_stand_at};
use crate::services::error::ServiceError;
use crate::services::groups::NewGroup;
use crate::services::{Services, groups};
use crate::web::admin::bulk::{Question, TYPED_ABOVE};
use crate::web::admin::devices::chosen as chosen_devices;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::ordered;
use crate::web::admin::paging::PER_PAGE_MOST;
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::admin::words;
use crate::web::blocking;

const HERE: &str = "/admin/groups/add";

#[derive(Template)]
#[template(path = "groups/add.html")]
struct AddPage {
    page: Page,
    form: Form,
    /// Devices that are ticked already: key and name.
    chosen: Vec<(String, String)>,
    /// What the search finds beside them, on one page, and how many it finds in all.
    found: Vec<Row>,
    total: usize,
    /// Its profiles, strongest first: id and name; and the list as text, for the buttons.
    profiles: Vec<(u64, String)>,
    shown: String,
    /// Profiles that could be attached too: id and name.
    choices: Vec<(String, String)>,
    /// What is asked where many are meant.
    question: Option<Question>,
}

struct Row {
    key: String,
    title: String,
    model: String,
    site: String,
}

impl AddPage {
    fn new(services: &Services, who: &SignedIn, form: Form, question: Option<Question>) -> Result<Self, Failure> {
        let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
        let roster = services.roster(DEFAULT_ACCOUNT);
        let ticked = ticked(&form);
        let chosen = ticked.iter().filter_map(|key| roster.find(key));
        let chosen = chosen.map(|one| (one.device.key.to_string(), words::title(&one.device))).collect();
        let (found, total) = match form.text("q") {
            Some(text) => found(services, &world, text, &ticked),
            None => (Vec::new(), 0),
        };
        let attached = attached(&form);
        let name = |id: &u64| world.profile(ProfileId(*id)).map(|profile| (*id, profile.name.to_string()));
        Ok(Self {
            page: who.page("Add Device Group"),
            chosen,
            found,
            total,
            profiles: attached.iter().filter_map(name).collect(),
            shown: attached.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            choices: choices(&world, &attached),
            question,
            form,
        })
    }
}

/// The devices that a form names one by one.
fn ticked(form: &Form) -> BTreeSet<DeviceKey> {
    form.values("select").filter_map(|text| text.parse().ok()).take(PER_PAGE_MOST).collect()
}

/// What a search finds beside the devices that are ticked.
fn found(services: &Services, world: &World, text: &str, ticked: &BTreeSet<DeviceKey>) -> (Vec<Row>, usize) {
    let query = DeviceQuery { text: text.to_owned(), ..DeviceQuery::default() };
    let found = services.roster(DEFAULT_ACCOUNT).select(&query, world, services.clock().now());
    let row = |one: &Listed| Row {
        key: one.device.key.to_string(),
        title: words::title(&one.device),
        model: one.device.model.clone().unwrap_or_default(),
        site: site_name(world, &one.device).to_owned(),
    };
    let rows = found.iter().filter(|one| !ticked.contains(&one.device.key)).take(PER_PAGE_MOST - ticked.len()).map(row);
    (rows.collect(), found.len())
}

/// Profiles that could be attached beside these.
fn choices(world: &World, attached: &[u64]) -> Vec<(String, String)> {
    let here = Target::Place(Place::Global);
    let may = world.all_profiles().filter(|profile| may_stand_at(&here, profile) && !profile.is_template());
    let mut choices: Vec<_> = may.filter(|profile| !attached.contains(&profile.id.0)).collect();
    choices.sort_by_cached_key(|profile| (profile.is_standard(), profile.name.folded()));
    let first = (String::new(), "Choose one".to_owned());
    [first].into_iter().chain(choices.iter().map(|profile| (profile.id.to_string(), profile.name.to_string()))).collect()
}

/// The profiles that the form shows, in their order.
fn attached(form: &Form) -> Vec<u64> {
    form.value("shown").split(',').filter_map(|text| text.parse().ok()).collect()
}

/// `GET /admin/groups/add`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let typed = unsent::given_back_from(request.path(), &request, &who, &services);
    Ok(html(&AddPage::new(&services, &who, typed.unwrap_or_default(), None)?))
}

/// `POST /admin/groups/add`: makes the group, or does what another button of the form says.
pub async fn save(who: SignedIn, mut form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    match form.value("do") {
        "" | "save" => {}
        "search" => return Ok(html(&AddPage::new(&services, &who, form, None)?)),
        _ => {
            return match ordered::read(&form, "profile") {
                Ok(order) => {
                    form.set("shown", order.wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
                    Ok(html(&AddPage::new(&services, &who, form, None)?))
                }
                Err(errors) => Ok(html_rejected(&AddPage::new(&services, &who, form.rejected(&errors), None)?)),
            };
        }
    }
    // All that the search finds, in place of the ticks: of the search whose result was shown, and never of none.
    if form.is("scope", "matching") {
        match form.text("q").map(ToOwned::to_owned) {
            Some(text) if text == form.value("searched").trim() => {
                form.set("matching", serde_urlencoded::to_string([("q", text)]).unwrap_or_default());
            }
            _ => {
                form.set("scope", "");
                return Ok(html(&AddPage::new(&services, &who, form, None)?));
            }
        }
    }
    let chosen = chosen_devices(&form, &who, &services)?;
    let asked = chosen.is_all() && (chosen.len() > TYPED_ABOVE || form.is("confirmed", "yes"));
    if asked && !chosen.is_confirmed(&form) {
        let mut question = chosen.question(&form);
        question.fields.retain(|(name, _)| name == "chosen" || name == "confirmed");
        return Ok(html(&AddPage::new(&services, &who, form, Some(question))?));
    }
    // What was ticked in an earlier search stays chosen beside all that this one finds.
    let roster = services.roster(DEFAULT_ACCOUNT);
    let ticked = ticked(&form).into_iter().filter(|key| roster.find(key).is_some());
    let members = chosen.keys.into_iter().chain(ticked).collect();
    let new = match read(&form, &services, members) {
        Ok(new) => new,
        Err(errors) => return Ok(html_rejected(&AddPage::new(&services, &who, form.rejected(&errors), None)?)),
    };
    let (actor, joined) = (who.actor.clone(), new.members.len());
    let create = move |services: &Services| groups::create(services, &actor, DEFAULT_ACCOUNT, vec![new], Mode::Keep);
    match blocking::call(&services, create).await {
        Ok(made) => {
            let members = words::count(joined, "device is in it", "devices are in it");
            let page = made.first().map_or_else(|| HERE.to_owned(), |group| format!("/admin/groups/{}/devices", group.id));
            Ok(who.done(&page, format!("The group is made; {members}.")))
        }
        Err(ServiceError::Invalid(errors)) => {
            let field = |field: &str| if field == "members" { "keys".to_owned() } else { field.to_owned() };
            Ok(html_rejected(&AddPage::new(&services, &who, form.rejected_by(&errors, field), None)?))
        }
        Err(ServiceError::Conflict(why)) => Ok(html_rejected(&AddPage::new(&services, &who, form.refused(why), None)?)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// The group of a form: the chosen devices and the pasted ones are in it.
fn read(form: &Form, services: &Services, chosen: BTreeSet<DeviceKey>) -> Result<NewGroup, FieldErrors> {
    let mut errors = FieldErrors::new();
    let typed = draft(form);
    let roster = services.roster(DEFAULT_ACCOUNT);
    let pasted = form.text("keys").map(|text| device_paste::read(text, |key| roster.find(key).is_some())).transpose();
    for wrong in [typed.as_ref().err(), pasted.as_ref().err()].into_iter().flatten() {
        wrong.iter().for_each(|error| errors.add(error.field, &error.message));
    }
    let members = pasted.ok().flatten().unwrap_or_default().into_iter().chain(chosen).collect();
    let profiles = attached(form).into_iter().map(ProfileId).collect();
    errors.into_result(typed.ok().map(|draft| NewGroup { draft, members, profiles }))
}

/// Name and description of a form, checked.
pub fn draft(form: &Form) -> Result<GroupDraft, FieldErrors> {
    let (name, description) = (form.value("name").to_owned(), form.value("description").to_owned());
    GroupDraft::parse(&GroupInput { name, description })
}
