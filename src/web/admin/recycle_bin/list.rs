//! All deletions, the latest first.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::ids::{DEFAULT_ACCOUNT, DeletionId};
use crate::domain::recycle_bin::{Deletion, Kind};
use crate::services::lists::recycle_bin::LISTING;
use crate::services::{Services, lists};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::{list_memory, words};
use crate::web::blocking;

/// The columns that may be hidden, by their word in the address. What was deleted always stays.
const COLUMNS: [(&str, &str); 3] = [("hung", "What hung on it"), ("deleted", "Deleted"), ("by", "By")];

#[derive(Template)]
#[template(path = "recycle_bin/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
    rows: Vec<Row>,
    kinds: Vec<(&'static str, &'static str)>,
    /// All of them, whatever the list shows.
    all: usize,
}

struct Row {
    id: DeletionId,
    what: String,
    hung: String,
    at: Timestamp,
    by: String,
}

/// `GET /admin/recycle-bin`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let asked = list.asked(&LISTING);
    let found = blocking::call(&services, move |services| lists::recycle_bin::list(services, DEFAULT_ACCOUNT, &asked)).await;
    let (found, all) = found.map_err(Failure::of(&who))?;
    let mut found: Vec<Row> = found.iter().map(row).collect();
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        let cells = |row: Row| [row.what, row.hung, words::file_time(row.at), row.by];
        return Ok(columns.file("recycle-bin", "What was deleted", found.into_iter().map(cells)));
    }
    let pager = list.pager(found.len());
    let rows = found.drain(pager.range()).collect();
    let kinds = Kind::ALL.iter().map(|kind| (kind.word(), kind.several())).collect();
    Ok(html(&ListPage { page: who.page("Recycle Bin"), list, pager, columns, rows, kinds, all }))
}

fn row(one: &Deletion) -> Row {
    Row { id: one.id, what: one.title(), hung: one.hung.to_string(), at: one.at, by: one.by.clone() }
}
