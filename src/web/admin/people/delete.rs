//! Deleting people, groups of people and rooms: what devices lose is said first (contract 5.15).

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::kind::{Kind, Paged, of_kind};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::commit::Mode;
use crate::services::{Services, people};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::PER_PAGE_MOST;
use crate::web::admin::recycle_bin;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "people/delete.html")]
struct DeletePage {
    page: Page,
    kind: Kind,
    /// Id and name.
    rows: Vec<(String, String)>,
    /// What becomes of their devices; empty where they have none.
    devices: String,
    /// What the button says.
    verb: String,
}

/// `GET /admin/people/delete?select=…` and its like
pub async fn ask(
    request: HttpRequest,
    kind: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    of_kind!(kind.as_str(), confirm(&form, &who, &services))
}

/// `POST /admin/people/delete` and its like: asks, or does it where it was asked.
pub async fn save(
    kind: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    if !form.is("confirmed", "yes") {
        return of_kind!(kind.as_str(), confirm(&form, &who, &services));
    }
    of_kind!(kind.as_str(), delete(&form, &who, &services))
}

/// Those that a form names and that are still there.
fn there<T: Paged>(form: &Form, who: &SignedIn, services: &Services) -> Result<BTreeSet<T::Id>, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let ids = form.values("select").filter_map(|id| id.parse().ok()).take(PER_PAGE_MOST);
    Ok(ids.filter(|id| T::all(&world).contains_key(id)).collect())
}

async fn delete<T: Paged>(form: &Form, who: &SignedIn, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (ids, actor, kind) = (there::<T>(form, who, services)?, who.actor.clone(), T::KIND);
    let delete = move |services: &Services| {
        let gone = people::delete_all::<T>(services, &actor, DEFAULT_ACCOUNT, &ids, Mode::Keep)?;
        let undo = recycle_bin::undo(services, &actor, gone.deletion);
        Ok((gone.what, undo))
    };
    let (gone, undo) = blocking::call(services, delete).await.map_err(Failure::of(who))?;
    let list = kind.page("");
    Ok(match gone.count {
        0 => who.not_done(&list, "Nothing was deleted: they are gone already."),
        1 => who.deleted(&list, format!("1 {} is deleted.", kind.one), undo),
        number => who.deleted(&list, format!("{number} {} are deleted.", kind.several), undo),
    })
}

async fn confirm<T: Paged>(form: &Form, who: &SignedIn, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let (ids, kind) = (there::<T>(form, who, services)?, T::KIND);
    let (wanted, actor) = (ids.clone(), who.actor.clone());
    let delete = move |services: &Services| people::delete_all::<T>(services, &actor, DEFAULT_ACCOUNT, &wanted, Mode::TryOut);
    let loss = blocking::call(services, delete).await.map_err(Failure::of(who))?;
    let row = |id: &T::Id| T::all(&world).get(id).map(|one| (id.to_string(), one.name().to_string()));
    let rows: Vec<_> = ids.iter().filter_map(row).collect();
    let title = match rows.as_slice() {
        [] => return Ok(who.not_done(&kind.page(""), format!("Tick the {} to delete first.", kind.several))),
        [(_, name)] => format!("Delete {name}?"),
        several => format!("Delete {} {}?", several.len(), kind.several),
    };
    let devices = match loss.devices {
        0 => String::new(),
        number => format!("{} belong to nobody afterwards.", words::count(number, "device will", "devices will")),
    };
    Ok(html(&DeletePage {
        page: who.page(title),
        kind,
        verb: format!("Delete {}", words::count(rows.len(), kind.one, kind.several)),
        rows,
        devices,
    }))
}
