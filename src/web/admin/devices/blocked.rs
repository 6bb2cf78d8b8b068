//! Devices that were deleted with *block*, and the way to let them back in (contract 5.14).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::commit::Mode;
use crate::services::{Services, devices};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/blocked.html")]
struct BlockedPage {
    page: Page,
    pager: Pager,
    rows: Vec<Row>,
}

struct Row {
    key: String,
    name: String,
    at: Timestamp,
    by: String,
}

/// `GET /admin/devices/blocked`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let all = blocking::call(&services, |services| devices::blocked(services, DEFAULT_ACCOUNT)).await;
    let all = all.map_err(Failure::of(&who))?;
    let pager = ListQuery::of(&request, &[]).pager(all.len());
    let row = |(key, block): &(DeviceKey, crate::domain::device::Block)| Row {
        key: key.to_string(),
        name: block.name.clone(),
        at: block.at,
        by: block.by.clone(),
    };
    let rows = all[pager.range()].iter().map(row).collect();
    Ok(html(&BlockedPage { page: who.page("Blocked Devices"), pager, rows }))
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
