//! Deleting groups: what each member loses is said first (R101, contract 5.15).

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::deployment::Place;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::services::commit::Mode;
use crate::services::{Services, groups};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::PER_PAGE_MOST;
use crate::web::admin::recycle_bin;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "groups/delete.html")]
struct DeletePage {
    page: Page,
    rows: Vec<Row>,
}

struct Row {
    id: GroupId,
    name: String,
    /// What it holds.
    holds: String,
}

/// `GET /admin/groups/delete?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    confirm(&form, &who, &services).await
}

/// `POST /admin/groups/delete`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    if !form.is("confirmed", "yes") {
        return confirm(&form, &who, &services).await;
    }
    let (ids, actor) = (there(&form, &who, &services)?, who.actor.clone());
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

/// The groups that a form names and that are still there.
fn there(form: &Form, who: &SignedIn, services: &Services) -> Result<BTreeSet<GroupId>, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let ids = form.values("select").filter_map(|id| id.parse().ok()).take(PER_PAGE_MOST);
    Ok(ids.filter(|id| world.groups.contains_key(id)).collect())
}

async fn confirm(form: &Form, who: &SignedIn, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let ids = there(form, who, services)?;
    let (wanted, actor) = (ids.clone(), who.actor.clone());
    let delete = move |services: &Services| groups::delete_all(services, &actor, DEFAULT_ACCOUNT, &wanted, Mode::TryOut);
    let loss = blocking::call(services, delete).await.map_err(Failure::of(who))?;
    let row = |id: &GroupId| {
        let group = world.groups.get(id)?;
        let members = words::count(loss.members.get(id).copied().unwrap_or(0), "device", "devices");
        let profiles = world.deployment.get(&Place::Group(*id)).map_or(0, Vec::len);
        let profiles = words::count(profiles, "profile", "profiles");
        let default = if world.default_groups.contains(id) { "; automatic adds join it no more" } else { "" };
        Some(Row { id: *id, name: group.name.to_string(), holds: format!("{members}, {profiles}{default}") })
    };
    let rows: Vec<Row> = ids.iter().filter_map(row).collect();
    let title = match rows.as_slice() {
        [] => return Ok(who.not_done("/admin/groups", "Tick the device groups to delete first.")),
        [one] => format!("Delete {}?", one.name),
        several => format!("Delete {} device groups?", several.len()),
    };
    Ok(html(&DeletePage { page: who.page(title), rows }))
}
