//! Device Groups: every group with its members and profiles, searched, filtered, sorted and paged.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::services::lists::groups::{LISTING, ListedGroup};
use crate::services::{Services, lists};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

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
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let rows = lists::groups::list(&services, DEFAULT_ACCOUNT, &list.asked(&LISTING)).map_err(Failure::of(&who))?;
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file("device-groups", "Group Name", rows.iter().map(row).map(cells)));
    }
    let pager = list.pager(rows.len());
    let rows = rows[pager.range()].iter().map(row).collect();
    Ok(html(&ListPage { page: who.page("Device Groups"), list, pager, rows, columns, groups: world.groups.len() }))
}

fn cells(row: Row) -> [String; 7] {
    let Row { name, description, devices, profiles, default_position, by, at, .. } = row;
    let default = default_position.map(|number| number.to_string()).unwrap_or_default();
    [name, description, devices.to_string(), profiles.to_string(), default, by, words::file_time(at)]
}

fn row(one: &ListedGroup) -> Row {
    Row {
        id: one.group.id,
        name: one.group.name.to_string(),
        description: one.group.description.clone(),
        devices: one.devices,
        profiles: one.profiles,
        default_position: one.default_position,
        by: one.group.modified_by.clone(),
        at: one.group.modified_at,
    }
}
