//! Device Groups: every group with its members and profiles, searched, filtered, sorted and paged.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::deployment::Place;
use crate::domain::group::Group;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::domain::world::World;
use crate::services::Services;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name", "devices", "profiles", "default", "by", "modified"];

#[derive(Template)]
#[template(path = "groups/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    /// Groups of the account, whatever the list shows.
    groups: usize,
}

/// One group of the list.
struct Row {
    id: GroupId,
    name: String,
    description: String,
    devices: usize,
    profiles: usize,
    default_position: Option<usize>,
    by: String,
    at: Timestamp,
}

/// `GET /admin/groups`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let list = match list_memory::enter(&who, &request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let page = who.page("Device Groups");
    let counts = services.roster(DEFAULT_ACCOUNT).counts(page.now).groups;
    let row = |group: &Group| row(group, counts.get(&group.id).copied().unwrap_or(0), &world);
    let mut rows: Vec<Row> = world.groups.values().map(|group| row(group)).filter(|row| admits(row, &list)).collect();
    sort(&mut rows, &list);
    let pager = list.pager(rows.len());
    let rows = rows.into_iter().skip(pager.range().start).take(pager.range().len()).collect();
    Ok(html(&ListPage { page, list, pager, rows, groups: world.groups.len() }))
}

fn admits(row: &Row, list: &ListQuery) -> bool {
    let is_of = match list.filter("default") {
        Some("yes") => row.default_position.is_some(),
        Some("no") => row.default_position.is_none(),
        _ => true,
    };
    let texts = [&row.name, &row.description, &row.by].map(|text| text.to_lowercase());
    is_of && list.q().split_whitespace().map(str::to_lowercase).all(|word| texts.iter().any(|text| text.contains(&word)))
}

fn sort(rows: &mut [Row], list: &ListQuery) {
    rows.sort_by_cached_key(|row| row.name.to_lowercase());
    match list.sort_key() {
        "devices" => rows.sort_by_key(|row| row.devices),
        "profiles" => rows.sort_by_key(|row| row.profiles),
        "default" => rows.sort_by_key(|row| row.default_position.unwrap_or(usize::MAX)),
        "by" => rows.sort_by_cached_key(|row| row.by.to_lowercase()),
        "modified" => rows.sort_by_key(|row| row.at),
        _ => {}
    }
    if list.descending() {
        rows.reverse();
    }
}

fn row(group: &Group, devices: usize, world: &World) -> Row {
    Row {
        id: group.id,
        name: group.name.to_string(),
        description: words::shortened(&group.description, 100),
        devices,
        profiles: world.deployment.get(&Place::Group(group.id)).map_or(0, Vec::len),
        default_position: world.default_groups.iter().position(|id| *id == group.id).map(|at| at + 1),
        by: group.modified_by.clone(),
        at: group.modified_at,
    }
}
