//! Export of profiles as a ZIP archive, and import of one: what becomes of each profile is shown first (R128).

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_multipart::Multipart;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::delete;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::profile::ProfileKind;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::pending_imports::Into;
use crate::services::profiles::archive::{self, Attach, Attached, Fate, Plan, Planned, Secrets};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::imports;
use crate::web::admin::layout::{Page, html, html_rejected, see_other};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::sent_file::{self, SentFile};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::{blocking, sizes};

const HERE: &str = "/admin/profiles/import";
const LIST: &str = "/admin/profiles";
/// Profiles of an archive that are shown one by one.
const SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "profiles/archive.html")]
struct ArchivePage {
    page: Page,
    form: Form,
    /// User-defined profiles that there are.
    own: usize,
}

#[derive(Template)]
#[template(path = "profiles/archive_preview.html")]
struct PreviewPage {
    page: Page,
    source: String,
    token: String,
    rows: Vec<Row>,
    /// Profiles that are not shown one by one.
    more: usize,
    counts: Vec<(&'static str, usize)>,
    is_doable: bool,
    is_refused: bool,
    /// Whether the archive says where profiles are attached, and whether that is taken.
    has_deployment: bool,
    attaches: bool,
    /// What is attached again.
    attached: Vec<String>,
    /// What is not there, and how much more.
    missing: Vec<String>,
    more_missing: usize,
}

/// Missing places, and made ones, that are named.
const NAMED: usize = 20;

struct Row {
    name: String,
    file: String,
    parameters: usize,
    tone: &'static str,
    word: &'static str,
    told: String,
}

/// `GET /admin/profiles/import`
pub async fn show(who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    Ok(html(&page(&who, &services, Form::default())?))
}

fn page(who: &SignedIn, services: &Services, form: Form) -> Result<ArchivePage, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    Ok(ArchivePage { page: who.page("Import and export profiles"), form, own: world.profiles.len() })
}

/// `POST /admin/profiles/export`: the ticked ones, or all user-defined ones, secrets masked.
pub async fn export(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    download(who, form, services, Secrets::Masked).await
}

/// `POST /admin/profiles/export/secrets`: the same with secrets in clear.
pub async fn export_secrets(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    download(who, form, services, Secrets::Clear).await
}

async fn download(who: SignedIn, form: Form, services: web::Data<Services>, secrets: Secrets) -> Result<HttpResponse, Failure> {
    let ids: BTreeSet<ProfileId> = if form.is("scope", "matching") {
        // Of all that match, those that archives hold.
        let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
        let is_own = |id: &ProfileId| world.profile(*id).is_some_and(|one| one.kind == ProfileKind::UserDefined);
        delete::chosen(&form, &who, &services)?.keys.into_iter().filter(is_own).collect()
    } else {
        form.values("select").filter_map(|id| id.parse().ok()).collect()
    };
    if ids.is_empty() && !form.is("all", "yes") {
        return Ok(who.not_done(LIST, "Tick the profiles to export first."));
    }
    let actor = who.actor.clone();
    let export = move |services: &Services| {
        let wanted = Some(&ids).filter(|ids| !ids.is_empty());
        archive::export(services, &actor, DEFAULT_ACCOUNT, wanted, secrets)
    };
    match blocking::call(&services, export).await {
        Ok(bytes) => Ok(HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "application/zip"))
            .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"profiles.zip\""))
            .body(bytes)),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(LIST, format!("Nothing was exported: {why}."))),
        Err(ServiceError::Invalid(errors)) => Ok(who.not_done(LIST, format!("Nothing was exported: {errors}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `POST /admin/profiles/import`: a file.
pub async fn upload(who: SignedIn, parts: Multipart, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let rejected = |errors: &FieldErrors| Ok(html_rejected(&page(&who, &services, Form::default().rejected(errors))?));
    let SentFile { name, bytes } = match sent_file::read(parts, sizes::ARCHIVE).await {
        Ok(file) => file,
        Err(message) => return rejected(&FieldErrors::one("file", message)),
    };
    let file: Arc<[u8]> = bytes.into();
    let (looked_at, actor) = (Arc::clone(&file), who.actor.clone());
    let look = move |services: &Services| archive::plan(services, &actor, DEFAULT_ACCOUNT, &looked_at);
    match blocking::call(&services, look).await {
        Ok(_) => {
            let token = imports::keep(&who, &services, Into::Profiles, 0, name, file);
            Ok(see_other(&format!("{HERE}/{token}")))
        }
        Err(ServiceError::Invalid(errors)) => rejected(&errors),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `GET /admin/profiles/import/{token}`
pub async fn preview(
    request: HttpRequest,
    token: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let Some(pending) = imports::waiting(&who, &services, Into::Profiles, &token) else { return Ok(imports::over(&who, HERE)) };
    let attach = attach(ListQuery::of(&request, &[]).filter("attach").unwrap_or_default());
    let (actor, bytes) = (who.actor.clone(), pending.bytes);
    // Tried out, so that the page tells what it does to devices.
    let look = move |services: &Services| {
        let plan = archive::plan(services, &actor, DEFAULT_ACCOUNT, &bytes)?;
        match plan.count("refused") {
            0 => archive::take(services, &actor, DEFAULT_ACCOUNT, &bytes, attach, Mode::TryOut),
            _ => Ok(plan),
        }
    };
    let plan = blocking::call(&services, look).await.map_err(Failure::of(&who))?;
    let is_refused = |one: &&Planned| matches!(one.fate, Fate::Refused(_));
    let refused = plan.profiles.iter().filter(is_refused);
    let good = plan.profiles.iter().filter(|one| !is_refused(one));
    Ok(html(&PreviewPage {
        page: who.page("Import preview"),
        source: pending.source,
        token: token.into_inner(),
        counts: ["new", "replaced", "unchanged", "refused"].map(|word| (word, plan.count(word))).to_vec(),
        is_doable: plan.is_doable(),
        is_refused: plan.count("refused") > 0,
        more: plan.profiles.len().saturating_sub(SHOWN),
        // What keeps the archive out comes first.
        rows: refused.chain(good).take(SHOWN).map(row).collect(),
        has_deployment: plan.has_deployment,
        attaches: attach == Attach::Yes,
        attached: plan.attached.as_ref().map(attached).unwrap_or_default(),
        missing: plan.attached.iter().flat_map(|one| &one.missing).take(NAMED).cloned().collect(),
        more_missing: plan.attached.as_ref().map_or(0, |one| one.missing.len().saturating_sub(NAMED)),
    }))
}

/// Whether profiles are attached as the archive says: it is so unless somebody says no.
fn attach(word: &str) -> Attach {
    if word == "no" { Attach::No } else { Attach::Yes }
}

/// What is attached again, in words.
fn attached(attached: &Attached) -> Vec<String> {
    let places = words::count(attached.places, "place", "places");
    let devices = words::count(attached.devices, "device", "devices");
    let mut sentences = vec![format!("Profiles of {places} and {devices} change; what is attached there besides stays, below.")];
    if attached.described > 0 {
        let what = words::count(attached.described, "group, person or room gets", "groups, people and rooms get");
        sentences.push(format!("{what} a description."));
    }
    if attached.people > 0 {
        sentences.push(format!("Groups of {} change.", words::count(attached.people, "person", "people")));
    }
    if attached.default_groups {
        sentences.push("The default groups change.".to_owned());
    }
    let (named, more) = attached.made.split_at(attached.made.len().min(NAMED));
    match more.len() {
        _ if named.is_empty() => {}
        0 => sentences.push(format!("Made for it: {}.", named.join(", "))),
        more => sentences.push(format!("Made for it: {} and {more} more.", named.join(", "))),
    }
    sentences
}

fn row(one: &Planned) -> Row {
    let (tone, mut told) = match &one.fate {
        Fate::New => ("ok", String::new()),
        Fate::Replaced { added, removed, changed, .. } => {
            ("info", format!("{added} added, {removed} removed, {changed} changed."))
        }
        Fate::Unchanged => ("off", String::new()),
        Fate::Refused(why) => ("bad", why.clone()),
    };
    if one.lost_secrets > 0 {
        let lost = words::count(one.lost_secrets, "secret is", "secrets are");
        told = format!("{told} {lost} masked in the file and known nowhere: they are left out.").trim().to_owned();
    }
    Row { name: one.name.clone(), file: one.file.clone(), parameters: one.parameters, tone, word: one.fate.word(), told }
}

/// `POST /admin/profiles/import/{token}`: accepts or cancels.
pub async fn decide(
    token: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let Some(pending) = imports::waiting(&who, &services, Into::Profiles, &token) else { return Ok(imports::over(&who, HERE)) };
    if !form.is("do", "accept") {
        return Ok(imports::cancelled(&who, &services, &token, LIST));
    }
    let (actor, source, attach) = (who.actor.clone(), pending.source, attach(form.value("attach")));
    let take = move |services: &Services| archive::take(services, &actor, DEFAULT_ACCOUNT, &pending.bytes, attach, Mode::Keep);
    let taken = blocking::call(&services, take).await;
    // Who has to be shown first what it does comes back.
    if !matches!(taken, Err(ServiceError::Unconfirmed)) {
        services.pending_imports().remove(&token);
    }
    match taken {
        Ok(plan) => Ok(who.done(LIST, format!("Imported {source}: {}.", summary(&plan)))),
        Err(ServiceError::Invalid(errors)) => Ok(who.not_done(HERE, format!("Nothing was imported: {errors}."))),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(HERE, format!("Nothing was imported: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

fn summary(plan: &Plan) -> String {
    let some =
        |word: &str| (plan.count(word) > 0).then(|| format!("{} {word}", words::count(plan.count(word), "profile", "profiles")));
    ["new", "replaced", "unchanged"].into_iter().filter_map(some).collect::<Vec<_>>().join(", ")
}
