//! Whose a device is: a person's, or that it stands in a room (R156).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::domain::device::Owner;
use crate::domain::device_list::Listed;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, people};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::Tone as _;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/owner.html")]
struct OwnerPage {
    page: Page,
    head: Head,
    form: Form,
    list: ListQuery,
    pager: Pager,
    /// The present owner as addresses have it, and its name.
    shown: String,
    present: Option<String>,
    /// Who may own it: as addresses have it, name and kind.
    choices: Vec<(String, String, &'static str)>,
}

impl OwnerPage {
    fn new(who: &SignedIn, known: &Listed, world: &World, list: ListQuery, form: Form) -> Self {
        let people = world.people.values().map(|person| (Owner::Person(person.id), person.name.to_string(), "Person"));
        let rooms = world.rooms.values().map(|room| (Owner::Room(room.id), room.name.to_string(), "Room"));
        let words: Vec<String> = list.q().split_whitespace().map(str::to_lowercase).collect();
        let is_wanted = |name: &str| words.iter().all(|word| name.to_lowercase().contains(word));
        let mut found: Vec<_> = people.chain(rooms).filter(|(_, name, _)| is_wanted(name)).collect();
        found.sort_by_cached_key(|(_, name, _)| name.to_lowercase());
        let pager = list.pager(found.len());
        let found = found.drain(pager.range()).map(|(owner, name, kind)| (owner.to_string(), name, kind));
        let (owner, page) = (known.device.owner, who.page("Owner"));
        Self {
            choices: found.collect(),
            head: Head::new(known, page.now),
            page,
            form,
            list,
            pager,
            shown: owner.map(|owner| owner.to_string()).unwrap_or_default(),
            present: owner.and_then(|owner| people::owner_name(world, owner)),
        }
    }
}

/// `GET /admin/devices/{key}/owner`
pub async fn show(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    Ok(html(&OwnerPage::new(&who, &known, &world, ListQuery::of(&request, &["name"]), Form::default())))
}

/// `POST /admin/devices/{key}/owner`
pub async fn save(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    let of = |name: &str| form.text(name).and_then(|text| text.parse::<Owner>().ok());
    let (shown, owner) = (of("shown"), of("owner"));
    let again = |status, form| {
        let now = services.roster(DEFAULT_ACCOUNT).find(&known.device.key).unwrap_or_else(|| known.clone());
        Ok(html_with(status, &OwnerPage::new(&who, &now, &world, ListQuery::of(&request, &["name"]), form)))
    };
    if owner.is_none() && !form.is("do", "clear") {
        return again(StatusCode::UNPROCESSABLE_ENTITY, form.refused("choose a person or a room first"));
    }
    let (actor, device) = (who.actor.clone(), known.device.key.clone());
    let set = move |services: &Services| people::set_owner(services, &actor, DEFAULT_ACCOUNT, &device, shown, owner, Mode::Keep);
    match blocking::call(&services, set).await {
        Ok(_) => Ok(who.done(&format!("/admin/devices/{}", known.device.key), "Saved.")),
        Err(ServiceError::Invalid(errors)) => again(StatusCode::UNPROCESSABLE_ENTITY, form.rejected(&errors)),
        Err(ServiceError::Conflict(_)) => again(
            StatusCode::CONFLICT,
            form.refused("somebody else said meanwhile whose it is: see below, and choose once more if yours shall count"),
        ),
        Err(error) => Err(Failure::new(&who, error)),
    }
}
