//! Devices that were deleted with *block*, and the way to let them back in (contract 5.14).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::device::{Block, DeviceKey};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::commit::Mode;
use crate::services::{Services, devices};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::{list_memory, words};
use crate::web::blocking;

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["key", "name", "at", "by"];

/// The columns that may be hidden, by their word in the address. The key always stays.
const COLUMNS: [(&str, &str); 3] = [("name", "Device Name"), ("at", "Blocked"), ("by", "By")];

#[derive(Template)]
#[template(path = "devices/blocked.html")]
struct BlockedPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
    rows: Vec<Row>,
    /// All of them, whatever the list shows.
    all: usize,
}

struct Row {
    key: String,
    name: String,
    at: Timestamp,
    by: String,
}

/// `GET /admin/devices/blocked`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let all = blocking::call(&services, |services| devices::blocked(services, DEFAULT_ACCOUNT)).await;
    let all = all.map_err(Failure::of(&who))?;
    let search = list.search();
    let is_shown = |row: &Row| search.finds_key(&row.key) || search.finds(&[&row.key, &row.name, &row.by]);
    let mut found: Vec<Row> = all.iter().map(row).filter(is_shown).collect();
    match list.sort_key() {
        "name" => found.sort_by_cached_key(|row| row.name.to_lowercase()),
        "at" => found.sort_by_key(|row| row.at),
        "by" => found.sort_by_cached_key(|row| row.by.to_lowercase()),
        _ => {}
    }
    if list.descending() {
        found.reverse();
    }
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        let cells = |row: Row| [row.key, row.name, words::file_time(row.at), row.by];
        return Ok(columns.file("blocked-devices", "MAC or serial", found.into_iter().map(cells)));
    }
    let pager = list.pager(found.len());
    let rows = found.drain(pager.range()).collect();
    Ok(html(&BlockedPage { page: who.page("Blocked Devices"), list, pager, columns, rows, all: all.len() }))
}

fn row((key, block): &(DeviceKey, Block)) -> Row {
    Row { key: key.to_string(), name: block.name.clone(), at: block.at, by: block.by.clone() }
}

/// `POST /admin/devices/blocked`: lifts a block.
pub async fn unblock(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let text = form.value("key").to_owned();
    let key: DeviceKey = text.parse().map_err(|_| Failure::not_found(&who, "blocked device", &text))?;
    let actor = who.actor.clone();
    let lift = move |services: &Services| devices::unblock(services, &actor, DEFAULT_ACCOUNT, &key, Mode::Keep);
    blocking::call(&services, lift).await.map_err(Failure::of(&who))?;
    Ok(who.done("/admin/devices/blocked", format!("{text} is unblocked: it is added again when it next comes.")))
}
