//! The list of one kind, searched, sorted and paged.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::kind::{Kind, Paged, of_kind};
use crate::domain::deployment::{Place, name};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::reach::Reach;
use crate::domain::world::World;
use crate::services::{Services, places};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name", "devices", "profiles", "by", "modified"];

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
    let list = match list_memory::enter(who, request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let reach = places::reach(services, &world);
    let group = list.filter("group").and_then(|id| id.parse().ok()).map(Place::PersonGroup);
    let is_in = |one: &T| group.as_ref().is_none_or(|group| groups_of(one, &world).contains(group));
    let mut rows: Vec<Row> = T::all(&world).values().filter(|one| is_in(one)).map(|one| row(&**one, &world, &reach)).collect();
    let search = list.search();
    rows.retain(|row| search.finds(&[&row.name, &row.description, &row.groups, &row.by]));
    sort(&mut rows, &list);
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file(T::KIND.word, T::KIND.label, rows.into_iter().map(cells)));
    }
    let pager = list.pager(rows.len());
    let rows = rows.into_iter().skip(pager.range().start).take(pager.range().len()).collect();
    Ok(html(&ListPage {
        page: who.page(T::KIND.title),
        kind: T::KIND,
        list,
        pager,
        rows,
        columns,
        total: T::all(&world).len(),
        group: group.and_then(|group| name(&group, &world)),
    }))
}

/// The groups of a person, highest first; none for what is no person.
fn groups_of<T: Paged>(one: &T, world: &World) -> Vec<Place> {
    let Place::Person(id) = T::place(one.id()) else { return Vec::new() };
    let groups = world.people.get(&id).map(|person| person.groups.as_slice()).unwrap_or_default();
    groups.iter().copied().map(Place::PersonGroup).collect()
}

fn row<T: Paged>(one: &T, world: &World, reach: &Reach) -> Row {
    let place = T::place(one.id());
    let groups: Vec<_> = groups_of(one, world).iter().filter_map(|group| name(group, world)).collect();
    Row {
        id: one.id().to_string(),
        name: one.name().to_string(),
        description: one.description().to_owned(),
        groups: groups.join(", "),
        devices: reach.of_place(&place),
        profiles: world.deployment.get(&place).map_or(0, Vec::len),
        by: one.modified().by.clone(),
        at: one.modified().at,
    }
}

fn cells(row: Row) -> [String; 7] {
    let Row { name, description, groups, devices, profiles, by, at, .. } = row;
    [name, description, groups, devices.to_string(), profiles.to_string(), by, words::file_time(at)]
}

fn sort(rows: &mut [Row], list: &ListQuery) {
    rows.sort_by_cached_key(|row| row.name.to_lowercase());
    match list.sort_key() {
        "devices" => rows.sort_by_key(|row| row.devices),
        "profiles" => rows.sort_by_key(|row| row.profiles),
        "by" => rows.sort_by_cached_key(|row| row.by.to_lowercase()),
        "modified" => rows.sort_by_key(|row| row.at),
        _ => {}
    }
    if list.descending() {
        rows.reverse();
    }
}
