//! The list of one kind, searched, sorted and paged.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::kind::{Kind, Paged, of_kind};
use crate::domain::deployment::name;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::lists::people::{self as listed, LISTING, ListedNamed};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// The columns that may be hidden, by their word in the address. A name always stays.
const COLUMNS: [(&str, &str); 6] = [
    ("description", "Description"),
    ("groups", "Person Groups"),
    ("devices", "Devices"),
    ("profiles", "Profiles"),
    ("by", "Modified By"),
    ("modified", "Date Modified"),
];

#[derive(Template)]
#[template(path = "people/list.html")]
struct ListPage {
    page: Page,
    kind: Kind,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    columns: Columns,
    /// Objects of the account, whatever the list shows.
    total: usize,
    /// The group that people are narrowed to.
    group: Option<String>,
}

struct Row {
    id: String,
    name: String,
    description: String,
    /// Groups of a person, in the person's own order.
    groups: String,
    devices: usize,
    profiles: usize,
    by: String,
    at: Timestamp,
}

/// `GET /admin/people`, `/admin/person-groups`, `/admin/rooms`
pub async fn show(
    request: HttpRequest,
    kind: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    of_kind!(kind.as_str(), page(&request, &who, &services))
}

async fn page<T: Paged>(request: &HttpRequest, who: &SignedIn, services: &Services) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let list = match list_memory::enter(who, request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let asked = list.asked(&LISTING);
    let rows = listed::list::<T>(services, DEFAULT_ACCOUNT, &asked).map_err(Failure::of(who))?;
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file(T::KIND.word, T::KIND.label, rows.iter().map(row).map(cells)));
    }
    let pager = list.pager(rows.len());
    let rows = rows[pager.range()].iter().map(row).collect();
    Ok(html(&ListPage {
        page: who.page(T::KIND.title),
        kind: T::KIND,
        list,
        pager,
        rows,
        columns,
        total: T::all(&world).len(),
        group: listed::group(&asked).and_then(|group| name(&group, &world)),
    }))
}

fn row<T: Paged>(listed: &ListedNamed<T>) -> Row {
    let one = &listed.one;
    Row {
        id: one.id().to_string(),
        name: one.name().to_string(),
        description: one.description().to_owned(),
        groups: listed.groups.clone(),
        devices: listed.devices,
        profiles: listed.profiles,
        by: one.modified().by.clone(),
        at: one.modified().at,
    }
}

fn cells(row: Row) -> [String; 7] {
    let Row { name, description, groups, devices, profiles, by, at, .. } = row;
    [name, description, groups, devices.to_string(), profiles.to_string(), by, words::file_time(at)]
}
