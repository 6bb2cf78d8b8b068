//! Deleting resource files: who uses them is said first (R218, contract 5.15).

use actix_web::{HttpRequest, HttpResponse, web};

use super::HERE;
use crate::domain::ids::{DEFAULT_ACCOUNT, ResourceId};
use crate::domain::resource::usage::Usage;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::lists::resources::LISTING;
use crate::services::lists::{self, Asked};
use crate::services::resources::{self, Used};
use crate::web::admin::bulk::{BulkPage, Chosen, NAMED, Named};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::html;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// Field that says that the person was told of profiles that name a file.
const USED: &str = "used";

/// `GET /admin/resources/delete?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    confirm(chosen(&form, &who, &services)?, &form, &who, &services).await
}

/// `POST /admin/resources/delete`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let chosen = chosen(&form, &who, &services)?;
    if !chosen.is_confirmed(&form) {
        return confirm(chosen, &form, &who, &services).await;
    }
    let used = if form.is(USED, "yes") { Used::Confirmed } else { Used::Refused };
    let (ids, actor) = (chosen.keys, who.actor.clone());
    let delete = move |services: &Services| resources::delete_all(services, &actor, DEFAULT_ACCOUNT, &ids, used, Mode::Keep);
    match blocking::call(&services, delete).await {
        Ok(gone) if gone.is_empty() => Ok(who.not_done(HERE, "Nothing was deleted: these files are gone already.")),
        Ok(gone) => {
            Ok(who.done(HERE, format!("{} deleted.", words::count(gone.len(), "resource file is", "resource files are"))))
        }
        // A profile names one since the question was asked.
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(HERE, format!("{why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// The files that a form chooses and that are still there.
fn chosen(form: &Form, who: &SignedIn, services: &Services) -> Result<Chosen<ResourceId>, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let find = |asked: &Asked| {
        let found = lists::resources::list(services, DEFAULT_ACCOUNT, asked)?;
        Ok(found.iter().map(|one| one.resource.id).collect())
    };
    Chosen::of(form, &LISTING, |id| world.resources.get(*id).is_some(), find).map_err(Failure::of(who))
}

async fn confirm(
    chosen: Chosen<ResourceId>,
    form: &Form,
    who: &SignedIn,
    services: &web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let (question, ids) = (chosen.question(form), chosen.keys);
    if ids.is_empty() {
        return Ok(who.not_done(HERE, "Tick the resource files to delete first."));
    }
    let (wanted, actor) = (ids.clone(), who.actor.clone());
    let delete = move |services: &Services| {
        resources::delete_all(services, &actor, DEFAULT_ACCOUNT, &wanted, Used::Confirmed, Mode::TryOut)
    };
    blocking::call(services, delete).await.map_err(Failure::of(who))?;
    let usage = Usage::of(&world);
    let row = |id: &ResourceId| {
        let resource = world.resources.get(*id)?;
        let profiles: Vec<String> = usage
            .profiles(*id)
            .filter_map(|(id, names)| {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                Some(format!("{} ({})", world.profile(id)?.name, names.join(", ")))
            })
            .collect();
        let note = match (profiles.is_empty(), resource.path.is_for_all()) {
            (true, false) => "nobody uses it".to_owned(),
            (true, true) => "all devices get it that have none of their own".to_owned(),
            (false, _) => format!("named by {}", profiles.join("; ")),
        };
        Some(Named { href: format!("{HERE}/{id}"), name: resource.path.to_string(), note })
    };
    let names: Vec<Named> = ids.iter().take(NAMED).filter_map(row).collect();
    let is_used = ids.iter().any(|id| usage.count(*id) > 0);
    let mut sentences = Vec::new();
    if is_used {
        let told = "Profiles name them: phones that are sent to a file which is not there are told to come again later, and no boot or \
                    poll of theirs becomes complete until it is uploaded again or taken out of the profile.";
        sentences.push(told.to_owned());
    }
    let title = match names.as_slice() {
        [one] if ids.len() == 1 => format!("Delete {}?", one.name),
        _ => format!("Delete {} resource files?", words::number(&ids.len())),
    };
    Ok(html(&BulkPage {
        page: who.page(title),
        parents: vec![(HERE.to_owned(), "Resource Files".to_owned())],
        more: ids.len().saturating_sub(names.len()),
        names,
        sentences,
        closing: "This cannot be undone.",
        question,
        fields: if is_used { vec![(USED.to_owned(), "yes".to_owned())] } else { Vec::new() },
        action: format!("{HERE}/delete"),
        verb: format!("Delete {}", words::count(ids.len(), "resource file", "resource files")),
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}
