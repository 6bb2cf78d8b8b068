//! Deleting groups: what each member loses is said first (R101, contract 5.15).

use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::deployment::Place;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::services::commit::Mode;
use crate::services::lists::groups::LISTING;
use crate::services::lists::{self, Asked};
use crate::services::{Services, groups};
use crate::web::admin::bulk::{BulkPage, Chosen, NAMED, Named};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::html;
use crate::web::admin::recycle_bin::{self, RESTORABLE};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

const HERE: &str = "/admin/groups";

/// `GET /admin/groups/delete?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    confirm(chosen(&form, &who, &services)?, &form, &who, &services).await
}

/// `POST /admin/groups/delete`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let chosen = chosen(&form, &who, &services)?;
    if !chosen.is_confirmed(&form) {
        return confirm(chosen, &form, &who, &services).await;
    }
    let (ids, actor) = (chosen.keys, who.actor.clone());
    let delete = move |services: &Services| {
        let gone = groups::delete_all(services, &actor, DEFAULT_ACCOUNT, &ids, Mode::Keep)?;
        let undo = recycle_bin::undo(services, &actor, gone.deletion);
        Ok((gone.what, undo))
    };
    let (gone, undo) = blocking::call(&services, delete).await.map_err(Failure::of(&who))?;
    Ok(match gone.members.len() {
        0 => who.not_done("/admin/groups", "Nothing was deleted: these groups are gone already."),
        1 => who.deleted("/admin/groups", "1 device group is deleted.", undo),
        number => who.deleted("/admin/groups", format!("{number} device groups are deleted."), undo),
    })
}

/// The groups that a form chooses and that are still there.
pub fn chosen(form: &Form, who: &SignedIn, services: &Services) -> Result<Chosen<GroupId>, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let find = |asked: &Asked| {
        let found = lists::groups::list(services, DEFAULT_ACCOUNT, asked)?;
        Ok(found.iter().map(|one| one.group.id).collect())
    };
    Chosen::of(form, &LISTING, |id| world.groups.contains_key(id), find).map_err(Failure::of(who))
}

async fn confirm(
    chosen: Chosen<GroupId>,
    form: &Form,
    who: &SignedIn,
    services: &web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let (question, ids) = (chosen.question(form), chosen.keys);
    let (wanted, actor) = (ids.clone(), who.actor.clone());
    let delete = move |services: &Services| groups::delete_all(services, &actor, DEFAULT_ACCOUNT, &wanted, Mode::TryOut);
    let loss = blocking::call(services, delete).await.map_err(Failure::of(who))?;
    let row = |id: &GroupId| {
        let group = world.groups.get(id)?;
        let members = words::count(loss.members.get(id).copied().unwrap_or(0), "device", "devices");
        let profiles = world.deployment.get(&Place::Group(*id)).map_or(0, Vec::len);
        let profiles = words::count(profiles, "profile", "profiles");
        let default = if world.default_groups.contains(id) { "; automatic adds join it no more" } else { "" };
        let (href, name) = (format!("{HERE}/{id}"), group.name.to_string());
        Some(Named { href, name, note: format!("{members}, {profiles}{default}") })
    };
    let names: Vec<Named> = ids.iter().take(NAMED).filter_map(row).collect();
    let title = match names.as_slice() {
        [] => return Ok(who.not_done("/admin/groups", "Tick the device groups to delete first.")),
        [one] if ids.len() == 1 => format!("Delete {}?", one.name),
        _ => format!("Delete {} device groups?", words::number(&ids.len())),
    };
    Ok(html(&BulkPage {
        page: who.page(title),
        parents: vec![(HERE.to_owned(), "Device Groups".to_owned())],
        more: ids.len().saturating_sub(names.len()),
        names,
        sentences: vec!["The devices and the profiles stay; only what the group put together goes.".to_owned()],
        closing: RESTORABLE,
        question,
        fields: Vec::new(),
        action: format!("{HERE}/delete"),
        verb: format!("Delete {}", words::count(ids.len(), "device group", "device groups")),
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}
