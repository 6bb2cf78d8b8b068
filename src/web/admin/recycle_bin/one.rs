//! One deletion: its objects, of which some or all are restored.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::{DEFAULT_ACCOUNT, DeletionId};
use crate::domain::limits::BIN_DAYS;
use crate::domain::recycle_bin::Deletion;
use crate::services::Services;
use crate::services::recycle_bin::{self, Item};
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "recycle_bin/one.html")]
struct OnePage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    deletion: Deletion,
    /// When it goes for good.
    until: Timestamp,
    rows: Vec<Item>,
}

/// `GET /admin/recycle-bin/{deletion}`
pub async fn show(
    request: HttpRequest,
    who: SignedIn,
    id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let id: DeletionId = id.parse().map_err(|_| Failure::not_found(&who, "deletion", &*id))?;
    let found = blocking::call(&services, move |services| recycle_bin::get(services, DEFAULT_ACCOUNT, id)).await;
    let (deletion, items) = found.map_err(Failure::of(&who))?;
    let list = ListQuery::of(&request, &["name"]);
    let search = list.search();
    let mut items: Vec<Item> =
        items.into_iter().filter(|item| search.finds(&[&item.name, item.kind.one()]) || search.finds_key(&item.name)).collect();
    let pager = list.pager(items.len());
    let rows = items.drain(pager.range()).collect();
    let until = deletion.at + SignedDuration::from_hours(24 * BIN_DAYS);
    let page = who.page(format!("Deleted: {}", deletion.label()));
    Ok(html(&OnePage { page, list, pager, deletion, until, rows }))
}
