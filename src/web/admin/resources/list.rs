//! Resource Files: every file with what it is and who uses it, searched, filtered, sorted and paged.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::ids::{DEFAULT_ACCOUNT, ResourceId};
use crate::domain::resource::Kind;
use crate::services::lists::resources::{LISTING, ListedResource};
use crate::services::{Services, lists};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// The columns that may be hidden, by their word in the address. A file's path always stays.
const COLUMNS: [(&str, &str); 7] = [
    ("description", "Description"),
    ("kind", "Type"),
    ("size", "Size"),
    ("profiles", "Used By"),
    ("hash", "SHA-256"),
    ("by", "Modified By"),
    ("modified", "Date Modified"),
];

/// Characters of a hash that tell two files apart at a glance.
const HASH_CHARS: usize = 12;

#[derive(Template)]
#[template(path = "resources/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    columns: Columns,
    /// Word and label of each kind.
    kinds: Vec<(&'static str, &'static str)>,
    /// Files of the account, whatever the list shows.
    resources: usize,
}

/// One file of the list.
struct Row {
    id: ResourceId,
    path: String,
    description: String,
    kind: &'static str,
    size: String,
    size_bytes: u64,
    /// Who uses it, in words.
    used: String,
    sha256: String,
    /// Its beginning.
    hash: String,
    by: String,
    at: Timestamp,
}

/// `GET /admin/resources`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let rows = lists::resources::list(&services, DEFAULT_ACCOUNT, &list.asked(&LISTING)).map_err(Failure::of(&who))?;
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file("resource-files", "Name", rows.iter().map(row).map(cells)));
    }
    let pager = list.pager(rows.len());
    let rows = rows[pager.range()].iter().map(row).collect();
    let kinds = Kind::ALL.map(|kind| (kind.word(), kind.label())).to_vec();
    let resources = world.resources.all().len();
    Ok(html(&ListPage { page: who.page("Resource Files"), list, pager, rows, columns, kinds, resources }))
}

fn cells(row: Row) -> [String; 8] {
    let Row { path, description, kind, size_bytes, used, sha256, by, at, .. } = row;
    [path, description, kind.to_owned(), size_bytes.to_string(), used, sha256, by, words::file_time(at)]
}

fn row(one: &ListedResource) -> Row {
    let resource = &one.resource;
    Row {
        id: resource.id,
        path: resource.path.to_string(),
        description: resource.description.clone(),
        kind: resource.kind().label(),
        size: words::size(resource.size_bytes),
        size_bytes: resource.size_bytes,
        used: used(one.profiles, resource.path.is_for_all()),
        hash: resource.sha256.chars().take(HASH_CHARS).collect(),
        sha256: resource.sha256.clone(),
        by: resource.modified_by.clone(),
        at: resource.modified_at,
    }
}

/// Who uses a file, in words; empty for nobody.
fn used(profiles: usize, for_all: bool) -> String {
    match (profiles, for_all) {
        (0, false) => String::new(),
        (0, true) => "all devices".to_owned(),
        (_, false) => words::count(profiles, "profile", "profiles"),
        (_, true) => format!("all devices, {}", words::count(profiles, "profile", "profiles")),
    }
}
