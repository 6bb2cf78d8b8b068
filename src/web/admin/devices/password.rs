//! The admin password of a phone, shown to whoever asks for it by a press of a button; of deleted devices too, for a time
//! (contract 5.9).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::{head, summary};
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::phone_passwords::{self, Reveal};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::{list_memory, words};
use crate::web::blocking;

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["-deleted_at", "key"];

/// The columns that may be hidden, by their word in the address. The key always stays.
const COLUMNS: [(&str, &str); 1] = [("deleted_at", "Deleted")];

#[derive(Template)]
#[template(path = "devices/deleted.html")]
struct DeletedPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
    rows: Vec<Row>,
    /// All of them, whatever the list shows.
    all: usize,
    /// The key whose password was asked for, and the password.
    revealed: Option<(String, String)>,
}

struct Row {
    key: String,
    at: Timestamp,
}

/// `POST /admin/devices/{key}/password`
pub async fn reveal(key: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    match ask(&who, &services, known.device.key.clone(), phone_passwords::reveal).await? {
        Ok(password) => Ok(summary::with_password(&services, &who, &known, &world, password)),
        Err(why) => Ok(who.not_done(&format!("/admin/devices/{}", known.device.key), why)),
    }
}

/// `GET /admin/devices/deleted`
pub async fn list(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> HttpResponse {
    let list = match list_memory::enter(&who, &request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return *as_it_was,
    };
    if list.is_file() {
        let cells = |(key, at): (DeviceKey, Timestamp)| [key.to_string(), words::file_time(at)];
        let found = found(&services, &list).0.into_iter().map(cells);
        return list.columns(&COLUMNS).file("deleted-devices", "MAC or serial", found);
    }
    html(&page(list, &who, &services, None))
}

/// `POST /admin/devices/deleted`
pub async fn reveal_deleted(
    request: HttpRequest,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let text = form.value("key").to_owned();
    let key: DeviceKey = text.parse().map_err(|_| Failure::not_found(&who, "device", &text))?;
    match ask(&who, &services, key, phone_passwords::reveal_deleted).await? {
        Ok(password) => {
            let list = ListQuery::of(&request, SORTABLE);
            Ok(html(&page(list, &who, &services, password.map(|password| (text, password)))))
        }
        Err(why) => Ok(who.not_done("/admin/devices/deleted", why)),
    }
}

/// The password, or why there is none.
async fn ask(
    who: &SignedIn,
    services: &web::Data<Services>,
    key: DeviceKey,
    reveal: Reveal,
) -> Result<Result<Option<String>, String>, Failure> {
    let actor = who.actor.clone();
    let reveal = move |services: &Services| reveal(services, &actor, DEFAULT_ACCOUNT, &key, Mode::Keep);
    match blocking::call(services, reveal).await {
        Ok(password) => Ok(Ok(password.map(|password| password.expose().to_owned()))),
        Err(ServiceError::Conflict(why)) => Ok(Err(format!("Not shown: {why}."))),
        Err(error) => Err(Failure::new(who, error)),
    }
}

/// The deleted devices that a list shows, in its order, and how many there are.
fn found(services: &Services, list: &ListQuery) -> (Vec<(DeviceKey, Timestamp)>, usize) {
    let mut found = phone_passwords::deleted(services, DEFAULT_ACCOUNT);
    let (all, search) = (found.len(), list.search());
    found.retain(|(key, _)| search.finds_key(&key.to_string()) || search.finds(&[&key.to_string()]));
    found.sort_by(|(a, at), (b, other)| if list.sort_key() == "key" { a.cmp(b) } else { at.cmp(other).then_with(|| b.cmp(a)) });
    if list.descending() {
        found.reverse();
    }
    (found, all)
}

fn page(list: ListQuery, who: &SignedIn, services: &Services, revealed: Option<(String, String)>) -> DeletedPage {
    let (found, all) = found(services, &list);
    let pager = list.pager(found.len());
    let rows = found[pager.range()].iter().map(|(key, at)| Row { key: key.to_string(), at: *at }).collect();
    DeletedPage { page: who.page("Deleted Devices"), columns: list.columns(&COLUMNS), list, pager, rows, all, revealed }
}
