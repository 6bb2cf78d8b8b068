//! Device Groups: every group with its members and profiles, searched, filtered, sorted and paged.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::deployment::Place;
use crate::domain::group::Group;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::domain::text_search::TextSearch;
use crate::domain::world::World;
use crate::services::Services;
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name", "devices", "profiles", "default", "by", "modified"];

/// The columns that may be hidden, by their word in the address. A group's name always stays.
const COLUMNS: [(&str, &str); 6] = [
    ("description", "Description"),
    ("devices", "Devices"),
    ("profiles", "Profiles"),
    ("default", "Default"),
    ("by", "Modified By"),
    ("modified", "Date Modified"),
];

#[derive(Template)]
#[template(path = "groups/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    columns: Columns,
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
    let counts = services.roster(DEFAULT_ACCOUNT).counts(services.clock().now()).groups;
    let search = list.search();
    let row = |group: &Group| row(group, counts.get(&group.id).copied().unwrap_or(0), &world);
    let mut rows: Vec<Row> = world.groups.values().map(|group| row(group)).filter(|row| admits(row, &list, &search)).collect();
    sort(&mut rows, &list);
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file("device-groups", "Group Name", rows.into_iter().map(cells)));
    }
    let pager = list.pager(rows.len());
    let rows = rows.into_iter().skip(pager.range().start).take(pager.range().len()).collect();
    Ok(html(&ListPage { page: who.page("Device Groups"), list, pager, rows, columns, groups: world.groups.len() }))
}

fn admits(row: &Row, list: &ListQuery, search: &TextSearch) -> bool {
    let is_of = match list.filter("default") {
        Some("yes") => row.default_position.is_some(),
        Some("no") => row.default_position.is_none(),
        _ => true,
    };
    is_of && search.finds(&[&row.name, &row.description, &row.by])
}

fn cells(row: Row) -> [String; 7] {
    let Row { name, description, devices, profiles, default_position, by, at, .. } = row;
    let default = default_position.map(|number| number.to_string()).unwrap_or_default();
    [name, description, devices.to_string(), profiles.to_string(), default, by, words::file_time(at)]
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
        description: group.description.clone(),
        devices,
        profiles: world.deployment.get(&Place::Group(group.id)).map_or(0, Vec::len),
        default_position: world.default_groups.iter().position(|id| *id == group.id).map(|at| at + 1),
        by: group.modified_by.clone(),
        at: group.modified_at,
    }
}
