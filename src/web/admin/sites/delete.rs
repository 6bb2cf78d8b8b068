//! Deleting sites: where their devices go is said first (R83, contract 5.15).

use std::collections::BTreeSet;

use actix_web::{HttpRequest, HttpResponse, web};

use super::saving::{Tense, counts, named};
use crate::domain::deployment::Place;
use crate::domain::ids::{DEFAULT_ACCOUNT, SiteId};
use crate::services::commit::Mode;
use crate::services::{Services, sites};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{ConfirmPage, html};
use crate::web::admin::paging::PER_PAGE_MOST;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

use crate::web::admin::recycle_bin::{self, RESTORABLE};

const HERE: &str = "/admin/sites";

/// `GET /admin/sites/delete?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    confirm(&form, &who, &services).await
}

/// `POST /admin/sites/delete`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    if !form.is("confirmed", "yes") {
        return confirm(&form, &who, &services).await;
    }
    let (ids, actor) = (selected(&form, &services), who.actor.clone());
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

/// The sites that a form names and that can be deleted; those that went meanwhile are what was asked for.
fn selected(form: &Form, services: &Services) -> BTreeSet<SiteId> {
    let Ok(world) = services.world(DEFAULT_ACCOUNT) else { return BTreeSet::new() };
    let can_go = |id: &SiteId| world.sites.get(id).is_some_and(|site| !site.is_internet());
    form.values("select").filter_map(|id| id.parse().ok()).filter(can_go).take(PER_PAGE_MOST).collect()
}

async fn confirm(form: &Form, who: &SignedIn, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let ids = selected(form, services);
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let names: Vec<&str> = ids.iter().filter_map(|id| world.sites.get(id)).map(|site| site.name.as_str()).collect();
    let title = match names.as_slice() {
        [] => return Ok(who.not_done(HERE, "Tick the sites to delete first; Internet cannot be deleted.")),
        [one] => format!("Delete {one}?"),
        several => format!("Delete {} sites?", several.len()),
    };
    let profiles: usize = ids.iter().filter_map(|id| world.deployment.get(&Place::Site(*id))).map(Vec::len).sum();
    let (actor, tried) = (who.actor.clone(), ids.clone());
    let try_out = move |services: &Services| sites::delete_all(services, &actor, DEFAULT_ACCOUNT, &tried, Mode::TryOut);
    let moves = blocking::call(services, try_out).await.map_err(Failure::of(who))?;
    let mut sentences = if names.len() > 1 { vec![format!("{}.", names.join(", "))] } else { Vec::new() };
    let counts = counts(&moves, Tense::Asked);
    sentences.extend(if counts.is_empty() {
        vec!["No device belongs to it: nothing changes for any phone.".to_owned()]
    } else {
        counts
    });
    sentences.extend(named(&moves));
    if profiles > 0 {
        let profiles = words::count(profiles, "profile", "profiles");
        sentences.push(format!("{profiles} attached to it no longer reach anybody by it; the profiles themselves stay."));
    }
    sentences.push(RESTORABLE.to_owned());
    let mut fields: Vec<(String, String)> = ids.iter().map(|id| ("select".to_owned(), id.to_string())).collect();
    fields.push(("confirmed".to_owned(), "yes".to_owned()));
    Ok(html(&ConfirmPage {
        page: who.page(title),
        sentences,
        action: format!("{HERE}/delete"),
        fields,
        choices: Vec::new(),
        verb: "Delete",
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}
