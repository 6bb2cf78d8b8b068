//! Deleting sites: where their devices go is said first (R83, contract 5.15).

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};

use super::saving::{Tense, counts, named};
use crate::domain::ids::{DEFAULT_ACCOUNT, SiteId};
use crate::domain::site::Site;
use crate::services::commit::Mode;
use crate::services::lists::sites::LISTING;
use crate::services::lists::{self, Asked};
use crate::services::{Services, sites};
use crate::web::admin::bulk::{BulkPage, Chosen, NAMED, Named};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::html;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

use crate::web::admin::recycle_bin::{self, RESTORABLE};

const HERE: &str = "/admin/sites";

/// `GET /admin/sites/delete?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    confirm(chosen(&form, &who, &services)?, &form, &who, &services).await
}

/// `POST /admin/sites/delete`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let chosen = chosen(&form, &who, &services)?;
    if !chosen.is_confirmed(&form) {
        return confirm(chosen, &form, &who, &services).await;
    }
    let (ids, actor) = (chosen.keys, who.actor.clone());
    let delete = move |services: &Services| {
        let gone = sites::delete_all(services, &actor, DEFAULT_ACCOUNT, &ids, Mode::Keep)?;
        let undo = recycle_bin::undo(services, &actor, gone.deletion);
        Ok((ids.len(), gone.what, undo))
    };
    let (deleted, moves, undo) = blocking::call(&services, delete).await.map_err(Failure::of(&who))?;
    if deleted == 0 {
        return Ok(who.not_done(HERE, "Nothing was deleted: these sites are gone already."));
    }
    let are = if deleted == 1 { "is" } else { "are" };
    let text = format!("{} {are} deleted. {}", words::count(deleted, "site", "sites"), counts(&moves, Tense::Done).join(" "));
    Ok(who.deleted(HERE, text.trim_end(), undo))
}

/// The sites that a form chooses and that can be deleted; those that went meanwhile are what was asked for.
fn chosen(form: &Form, who: &SignedIn, services: &Services) -> Result<Chosen<SiteId>, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let can_go = |id: &SiteId| world.sites.get(id).is_some_and(|site| !site.is_internet());
    let find = |asked: &Asked| {
        let found = lists::sites::list(services, DEFAULT_ACCOUNT, asked)?;
        Ok(found.iter().map(|one| one.site.id).collect())
    };
    Chosen::of(form, &LISTING, can_go, find).map_err(Failure::of(who))
}

async fn confirm(
    chosen: Chosen<SiteId>,
    form: &Form,
    who: &SignedIn,
    services: &web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (question, ids) = (chosen.question(form), chosen.keys);
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let sites: Vec<_> = ids.iter().filter_map(|id| world.sites.get(id)).collect();
    let title = match sites.as_slice() {
        [] => return Ok(who.not_done(HERE, "Tick the sites to delete first; Internet cannot be deleted.")),
        [one] => format!("Delete {}?", one.name),
        several => format!("Delete {} sites?", words::number(&several.len())),
    };
    let (actor, tried) = (who.actor.clone(), ids.clone());
    let try_out = move |services: &Services| sites::delete_all(services, &actor, DEFAULT_ACCOUNT, &tried, Mode::TryOut);
    let moves = blocking::call(services, try_out).await.map_err(Failure::of(who))?;
    let sentences = named(&moves).into_iter().collect();
    let named = |site: &&Arc<Site>| Named {
        href: format!("{HERE}/{}", site.id),
        name: site.name.to_string(),
        note: words::count(site.networks.len(), "network", "networks"),
    };
    Ok(html(&BulkPage {
        page: who.page(title),
        parents: vec![(HERE.to_owned(), "Sites".to_owned())],
        names: sites.iter().take(NAMED).map(named).collect(),
        more: sites.len().saturating_sub(NAMED),
        sentences,
        closing: RESTORABLE,
        question,
        fields: Vec::new(),
        action: format!("{HERE}/delete"),
        verb: format!("Delete {}", words::count(sites.len(), "site", "sites")),
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}
