//! Deleting profiles: where they are deployed and how many devices lose something is said first (R127, contract 5.15).

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::usage::Usage;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::profile::Profile;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, profiles};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::PER_PAGE_MOST;
use crate::web::admin::recycle_bin;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "profiles/delete.html")]
struct DeletePage {
    page: Page,
    rows: Vec<Row>,
}

struct Row {
    id: ProfileId,
    name: String,
    used: String,
}

/// `GET /admin/profiles/delete?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    confirm(&form, &who, &services).await
}

/// `POST /admin/profiles/delete`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    if !form.is("confirmed", "yes") {
        return confirm(&form, &who, &services).await;
    }
    let (ids, actor) = (selected(&form), who.actor.clone());
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

fn selected(form: &Form) -> BTreeSet<ProfileId> {
    form.values("select").filter_map(|id| id.parse().ok()).take(PER_PAGE_MOST).collect()
}

async fn confirm(form: &Form, who: &SignedIn, services: &web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    if let Some(standard) = selected(form).iter().find_map(|id| world.standard.get(*id)) {
        return Err(Failure::new(who, ServiceError::ReadOnly(standard.profile.name.to_string())));
    }
    let chosen: Vec<&Arc<Profile>> = selected(form).iter().filter_map(|id| world.profiles.get(id)).collect();
    let title = match chosen.as_slice() {
        [] => return Ok(who.not_done("/admin/profiles", "Tick the profiles to delete first.")),
        [one] => format!("Delete {}?", one.name),
        several => format!("Delete {} profiles?", several.len()),
    };
    let devices = services.roster(DEFAULT_ACCOUNT).all();
    let usage = Usage::new(&world, &devices);
    let (ids, actor) = (chosen.iter().map(|profile| profile.id).collect(), who.actor.clone());
    let delete = move |services: &Services| profiles::delete_all(services, &actor, DEFAULT_ACCOUNT, &ids, Mode::TryOut);
    blocking::call(services, delete).await.map_err(Failure::of(who))?;
    let row = |profile: &&Arc<Profile>| Row {
        id: profile.id,
        name: profile.name.to_string(),
        used: format!(
            "deployed {}",
            match usage.describe(profile.id, &world) {
                nowhere if nowhere == "nowhere" => nowhere,
                somewhere => format!("on {somewhere}"),
            }
        ),
    };
    Ok(html(&DeletePage { page: who.page(title), rows: chosen.iter().map(row).collect() }))
}
