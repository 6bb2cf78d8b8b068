//! Import from File and Paste Configuration XML: what a file would change is shown on a page of its own; nothing is written
//! before somebody accepts it there, and then exactly what was shown (R122, contract 5.2).

use std::sync::Arc;

use actix_multipart::Multipart;
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};

use super::preview::PreviewPage;
use super::profile::{find_own, rejected};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::import::{ImportOptions, ImportPreview};
use crate::domain::limits::IMPORT_BYTES;
use crate::domain::profile::Profile;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::pending_imports::Into;
use crate::services::profiles::{self, Shown};
use crate::services::{self, Services};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::imports;
use crate::web::admin::layout::{html, see_other};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::sent_file::{self, SentFile};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::{blocking, sizes};

/// `POST /admin/profiles/{id}/import`: a file.
pub async fn upload(
    id: web::Path<String>,
    who: SignedIn,
    parts: Multipart,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let profile = find_own(&services, &who, &id)?;
    match sent_file::read(parts, sizes::CONFIGURATION).await {
        Ok(SentFile { name, bytes }) => {
            let name = if name.is_empty() { "The file".to_owned() } else { name };
            keep(&who, &services, &profile, Form::default(), ("file", name, bytes.into())).await
        }
        Err(message) => rejected(&who, &services, &profile, Form::default(), &FieldErrors::one("file", message)),
    }
}

/// `POST /admin/profiles/{id}/paste`: pasted text.
pub async fn paste(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let profile = find_own(&services, &who, &id)?;
    let text: Arc<[u8]> = Arc::from(form.value("xml").as_bytes());
    if text.len() > IMPORT_BYTES {
        return rejected(&who, &services, &profile, form, &FieldErrors::one("xml", sizes::CONFIGURATION.exceeded()));
    }
    keep(&who, &services, &profile, form, ("xml", "The pasted text".to_owned(), text)).await
}

/// Keeps what came and leads to its preview; what is no parameter file is told beside the field it was sent in.
async fn keep(
    who: &SignedIn,
    services: &web::Data<Services>,
    profile: &Profile,
    form: Form,
    (field, source, bytes): (&'static str, String, Arc<[u8]>),
) -> Result<HttpResponse, Failure> {
    let read = compare(services, profile, Arc::clone(&bytes), ImportOptions::default()).await;
    match read {
        Ok(_) => {
            let token = imports::keep(who, services, Into::Profile(profile.id), profile.revision, source, bytes);
            Ok(see_other(&format!("/admin/profiles/{}/import/{token}", profile.id)))
        }
        Err(ServiceError::Invalid(errors)) => {
            let mut told = FieldErrors::new();
            for error in errors.iter() {
                told.add(field, &error.message);
            }
            rejected(who, services, profile, form, &told)
        }
        Err(error) => Err(Failure::new(who, error)),
    }
}

async fn compare(
    services: &web::Data<Services>,
    profile: &Profile,
    bytes: Arc<[u8]>,
    options: ImportOptions,
) -> Result<ImportPreview, ServiceError> {
    let present = profile.parameters.clone();
    blocking::call(services, move |_| services::import::preview(&present, &bytes, options)).await
}

/// An import that is over leads back to the profile.
fn over(who: &SignedIn, id: ProfileId) -> HttpResponse {
    imports::over(who, &format!("/admin/profiles/{id}#add"))
}

/// `GET /admin/profiles/{id}/import/{token}`
pub async fn preview(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (id, token) = path.into_inner();
    let profile = find_own(&services, &who, &id)?;
    let Some(pending) = imports::waiting(&who, &services, Into::Profile(profile.id), &token) else {
        return Ok(over(&who, profile.id));
    };
    let shown = compare(&services, &profile, Arc::clone(&pending.bytes), ImportOptions::default()).await;
    let shown = shown.map_err(Failure::of(&who))?;
    let changed_by = (pending.revision != profile.revision).then(|| profile.modified_by.clone());
    services.pending_imports().shown_with(&token, profile.revision);
    if shown.changes_anything() {
        // What it does to devices goes into the page; what cannot be taken is told when it is accepted.
        let (actor, taken, at) = (who.actor.clone(), shown.clone(), Shown { id: profile.id, revision: profile.revision });
        let try_out = move |services: &Services| profiles::import(services, &actor, DEFAULT_ACCOUNT, at, &taken, Mode::TryOut);
        let _ = blocking::call(&services, try_out).await;
    }
    let list = ListQuery::of(&request, &[]);
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let usage = super::usage::Usage::new(&world, &services.roster(DEFAULT_ACCOUNT).all());
    let reach = usage.reach(profile.id);
    let page = who.page("Import preview");
    Ok(html(&PreviewPage::new(page, &profile, &pending.source, &token, &shown, &list, changed_by, reach, &world)))
}

/// `POST /admin/profiles/{id}/import/{token}`: accepts or cancels.
pub async fn decide(
    path: web::Path<(String, String)>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (id, token) = path.into_inner();
    let profile = find_own(&services, &who, &id)?;
    let home = format!("/admin/profiles/{}", profile.id);
    if !form.is("do", "accept") {
        return Ok(imports::cancelled(&who, &services, &token, &home));
    }
    let Some(pending) = imports::waiting(&who, &services, Into::Profile(profile.id), &token) else {
        return Ok(over(&who, profile.id));
    };
    let revision: u64 = form.value("revision").parse().unwrap_or_default();
    if revision != profile.revision {
        // Somebody else was faster: what was shown is no longer true, so it is shown anew.
        return Ok(see_other(&format!("{home}/import/{token}")));
    }
    let options = ImportOptions { keep_empty: form.is("keep", "empty"), keep_defaults: form.is("keep", "defaults") };
    let taken = compare(&services, &profile, pending.bytes, options).await.map_err(Failure::of(&who))?;
    let counts = format!("{} added, {} changed", taken.added.len(), taken.changed.len());
    if !taken.changes_anything() {
        services.pending_imports().remove(&token);
        return Ok(who.done(&home, format!("{} changes nothing here.", pending.source)));
    }
    let (actor, shown) = (who.actor.clone(), Shown { id: profile.id, revision });
    let import = move |services: &Services| profiles::import(services, &actor, DEFAULT_ACCOUNT, shown, &taken, Mode::Keep);
    match blocking::call(&services, import).await {
        Ok(saved) => {
            services.pending_imports().remove(&token);
            let total = words::count(saved.parameters.len(), "parameter", "parameters");
            Ok(who.done(&home, format!("Imported {}: {counts}. The profile has {total} now.", pending.source)))
        }
        Err(ServiceError::Conflict(_)) => Ok(see_other(&format!("{home}/import/{token}"))),
        Err(ServiceError::Invalid(errors)) => Ok(who.not_done(&format!("{home}/import/{token}"), errors.to_string())),
        Err(error) => Err(Failure::new(&who, error)),
    }
}
