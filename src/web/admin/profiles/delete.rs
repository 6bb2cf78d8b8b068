//! Deleting profiles: where they are deployed and how many devices lose something is said first (R127, contract 5.15).

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};

use super::usage::Usage;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::profile::Profile;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::lists::profiles::LISTING;
use crate::services::lists::{self, Asked};
use crate::services::{Services, places, profiles};
use crate::web::admin::bulk::{BulkPage, Chosen, NAMED, Named};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::html;
use crate::web::admin::recycle_bin::{self, RESTORABLE};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

const HERE: &str = "/admin/profiles";

/// `GET /admin/profiles/delete?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    confirm(chosen(&form, &who, &services)?, &form, &who, &services).await
}

/// `POST /admin/profiles/delete`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let chosen = chosen(&form, &who, &services)?;
    if !chosen.is_confirmed(&form) {
        return confirm(chosen, &form, &who, &services).await;
    }
    let (ids, actor) = (chosen.keys, who.actor.clone());
    let delete = move |services: &Services| {
        // Those that went meanwhile are what was asked for; standard ones are refused.
        let world = services.world(DEFAULT_ACCOUNT)?;
        let there = ids.into_iter().filter(|id| world.profile(*id).is_some()).collect();
        let gone = profiles::delete_all(services, &actor, DEFAULT_ACCOUNT, &there, Mode::Keep)?;
        let undo = recycle_bin::undo(services, &actor, gone.deletion);
        Ok((gone.len(), undo))
    };
    let (deleted, undo) = blocking::call(&services, delete).await.map_err(Failure::of(&who))?;
    Ok(match deleted {
        0 => who.not_done("/admin/profiles", "Nothing was deleted: these profiles are gone already."),
        number => {
            let are = if number == 1 { "is" } else { "are" };
            let text = format!("{} {are} deleted.", words::count(number, "profile", "profiles"));
            who.deleted("/admin/profiles", text, undo)
        }
    })
}

/// The profiles that a form chooses; of all that match, those that can be deleted.
pub fn chosen(form: &Form, who: &SignedIn, services: &Services) -> Result<Chosen<ProfileId>, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let find = |asked: &Asked| {
        let reach = places::reach(services, &world);
        let found = lists::profiles::list(&world, &reach, asked);
        Ok(found.iter().filter(|one| !one.profile.is_standard()).map(|one| one.profile.id).collect())
    };
    Chosen::of(form, &LISTING, |id| world.profile(*id).is_some(), find).map_err(Failure::of(who))
}

async fn confirm(
    chosen: Chosen<ProfileId>,
    form: &Form,
    who: &SignedIn,
    services: &web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let (question, ids) = (chosen.question(form), chosen.keys);
    if let Some(standard) = ids.iter().find_map(|id| world.standard.get(*id)) {
        return Err(Failure::new(who, ServiceError::ReadOnly(standard.profile.name.to_string())));
    }
    let chosen: Vec<&Arc<Profile>> = ids.iter().filter_map(|id| world.profiles.get(id)).collect();
    let title = match chosen.as_slice() {
        [] => return Ok(who.not_done("/admin/profiles", "Tick the profiles to delete first.")),
        [one] => format!("Delete {}?", one.name),
        several => format!("Delete {} profiles?", words::number(&several.len())),
    };
    let devices = services.roster(DEFAULT_ACCOUNT).all();
    let usage = Usage::new(&world, &devices);
    let (ids, actor) = (chosen.iter().map(|profile| profile.id).collect(), who.actor.clone());
    let delete = move |services: &Services| profiles::delete_all(services, &actor, DEFAULT_ACCOUNT, &ids, Mode::TryOut);
    blocking::call(services, delete).await.map_err(Failure::of(who))?;
    let named = |profile: &&Arc<Profile>| Named {
        href: format!("{HERE}/{}", profile.id),
        name: profile.name.to_string(),
        note: match usage.describe(profile.id, &world) {
            nowhere if nowhere == "nowhere" => "deployed nowhere".to_owned(),
            somewhere => format!("deployed on {somewhere}"),
        },
    };
    Ok(html(&BulkPage {
        page: who.page(title),
        parents: vec![(HERE.to_owned(), "Profile Configuration".to_owned())],
        names: chosen.iter().take(NAMED).map(named).collect(),
        more: chosen.len().saturating_sub(NAMED),
        sentences: vec!["It is taken from everywhere it is deployed.".to_owned()],
        closing: RESTORABLE,
        question,
        fields: Vec::new(),
        action: format!("{HERE}/delete"),
        verb: format!("Delete {}", words::count(chosen.len(), "profile", "profiles")),
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}
