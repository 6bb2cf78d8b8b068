//! Deleting people, groups of people and rooms: what devices lose is said first (contract 5.15).

use actix_web::{HttpRequest, HttpResponse, web};

use super::kind::{Paged, of_kind};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::commit::Mode;
use crate::services::lists::people::LISTING;
use crate::services::lists::{self, Asked};
use crate::services::{Services, people};
use crate::web::admin::bulk::{BulkPage, Chosen, NAMED, Named};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::html;
use crate::web::admin::recycle_bin::{self, RESTORABLE};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

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
    of_kind!(kind.as_str(), delete(&form, &who, &services))
}

/// Those that a form chooses and that are still there.
fn chosen<T: Paged>(form: &Form, who: &SignedIn, services: &Services) -> Result<Chosen<T::Id>, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let find = |asked: &Asked| {
        let found = lists::people::list::<T>(services, DEFAULT_ACCOUNT, asked)?;
        Ok(found.iter().map(|one| one.one.id()).collect())
    };
    Chosen::of(form, &LISTING, |id| T::all(&world).contains_key(id), find).map_err(Failure::of(who))
}

async fn delete<T: Paged>(form: &Form, who: &SignedIn, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let chosen = chosen::<T>(form, who, services)?;
    if !chosen.is_confirmed(form) {
        return confirm::<T>(form, who, services).await;
    }
    let (ids, actor, kind) = (chosen.keys, who.actor.clone(), T::KIND);
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
    let (chosen, kind) = (chosen::<T>(form, who, services)?, T::KIND);
    let (question, ids) = (chosen.question(form), chosen.keys);
    let (wanted, actor) = (ids.clone(), who.actor.clone());
    let delete = move |services: &Services| people::delete_all::<T>(services, &actor, DEFAULT_ACCOUNT, &wanted, Mode::TryOut);
    let loss = blocking::call(services, delete).await.map_err(Failure::of(who))?;
    let named = |id: &T::Id| {
        let one = T::all(&world).get(id)?;
        Some(Named { href: kind.page(&format!("/{id}")), name: one.name().to_string(), note: String::new() })
    };
    let names: Vec<Named> = ids.iter().take(NAMED).filter_map(named).collect();
    let title = match names.as_slice() {
        [] => return Ok(who.not_done(&kind.page(""), format!("Tick the {} to delete first.", kind.several))),
        [one] if ids.len() == 1 => format!("Delete {}?", one.name),
        _ => format!("Delete {} {}?", words::number(&ids.len()), kind.several),
    };
    let lose = |number| format!("{} belong to nobody afterwards.", words::count(number, "device will", "devices will"));
    Ok(html(&BulkPage {
        page: who.page(title),
        parents: vec![(kind.page(""), kind.title.to_owned())],
        more: ids.len().saturating_sub(names.len()),
        names,
        sentences: Some(loss.devices).filter(|number| *number > 0).map(lose).into_iter().collect(),
        closing: RESTORABLE,
        question,
        fields: Vec::new(),
        action: kind.page("/delete"),
        verb: format!("Delete {}", words::count(ids.len(), kind.one, kind.several)),
        is_harmless: false,
        back: kind.page(""),
    }))
}
