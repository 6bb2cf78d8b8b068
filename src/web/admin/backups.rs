//! Backups: those that the server keeps, one made now, and the plan by which they are made.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::conflict::{self, Conflict, Differing};
use super::failure::Failure;
use super::forms::Form;
use super::layout::{Page, html, html_rejected, html_with, see_other};
use super::session::SignedIn;
use super::words;
use crate::domain::account::Secret;
use crate::domain::activity::SERVER;
use crate::domain::backup_plan::{BackupPlan, PlanInput};
use crate::domain::field_error::FieldErrors;
use crate::services::Services;
use crate::services::backup::kept::{self, Kept};
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::web::methods::Routes;
use crate::web::{blocking, file_body};

/// Where the page is.
const HERE: &str = "/admin/backups";
/// How often, as values and labels.
const OFTEN: [(&str, &str); 3] = [("never", "Only when I ask"), ("day", "Every day"), ("week", "Every Sunday")];

#[derive(Template)]
#[template(path = "backups/show.html")]
struct BackupsPage {
    page: Page,
    form: Form,
    plan: BackupPlan,
    /// The one that the form was filled from.
    revision: u64,
    conflict: Option<Conflict>,
    rows: Vec<Row>,
    /// What is wrong with them.
    troubles: Vec<String>,
    /// How often, as values and labels.
    often: [(&'static str, &'static str); 3],
}

struct Row {
    kept: Kept,
    size: String,
}

/// The addresses of Backups.
pub fn configure(routes: &mut Routes) {
    routes
        .get(HERE, show)
        .get("/admin/backups/plan", || async { see_other(HERE) })
        .post("/admin/backups/plan", save)
        .post("/admin/backups/make", make)
        .get("/admin/backups/{name}/download", download)
        .post("/admin/backups/{name}/verify", verify)
        .post("/admin/backups/{name}/delete", delete);
}

async fn show(who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    Ok(html(&backups_page(&who, &services, None).await?))
}

async fn backups_page(who: &SignedIn, services: &web::Data<Services>, typed: Option<Form>) -> Result<BackupsPage, Failure> {
    let look = |services: &Services| {
        // The plan is still shown where the folder cannot be used, so that another one can be named: that is among the troubles.
        Ok((kept::plan(services)?, kept::list(services).unwrap_or_default(), kept::troubles(services)?))
    };
    let (plan, kept, troubles) = blocking::call(services, look).await.map_err(Failure::of(who))?;
    let row = |kept: Kept| Row { size: words::size(kept.size_bytes), kept };
    Ok(BackupsPage {
        page: who.page("Backups"),
        // A rejected form still belongs to the plan that it was typed for.
        revision: typed.as_ref().and_then(|form| form.value("revision").parse().ok()).unwrap_or(plan.revision),
        conflict: None,
        form: typed.unwrap_or_else(|| as_stored(&plan)),
        plan,
        rows: kept.into_iter().map(row).collect(),
        troubles: troubles.into_iter().map(|(_, text)| text).collect(),
        often: OFTEN,
    })
}

fn as_stored(plan: &BackupPlan) -> Form {
    let mut form = Form::default();
    form.set("every", plan.every.word());
    form.set("hour", plan.hour.to_string());
    form.set("keep", plan.keep.to_string());
    form.set("folder", plan.folder.clone().unwrap_or_default());
    if plan.passphrase.is_some() {
        form.set("encrypt", "on");
    }
    form
}

async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let input = PlanInput {
        every: form.value("every").to_owned(),
        hour: form.value("hour").to_owned(),
        keep: form.value("keep").to_owned(),
        folder: form.value("folder").to_owned(),
        encrypt: form.has("encrypt"),
        passphrase: Secret::new(form.value("passphrase")),
    };
    if form.value("passphrase") != form.value("passphrase_again") {
        let errors = FieldErrors::one("passphrase_again", "the two passphrases differ; type both again");
        return Ok(html_rejected(&backups_page(&who, &services, Some(form.rejected(&errors))).await?));
    }
    let (actor, revision) = (who.actor.clone(), form.value("revision").parse().unwrap_or_default());
    let saved = move |services: &Services| kept::set_plan(services, &actor, revision, &input, Mode::Keep).map(drop);
    match blocking::call(&services, saved).await {
        Ok(()) => Ok(who.done(HERE, "The plan is saved.")),
        Err(ServiceError::Invalid(errors)) => {
            Ok(html_rejected(&backups_page(&who, &services, Some(form.rejected(&errors))).await?))
        }
        Err(ServiceError::Conflict(_)) => conflicting(&who, &services, form, revision).await,
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// Somebody else saved another plan meanwhile: what is typed stays, but for the passphrase, and both are shown.
async fn conflicting(who: &SignedIn, services: &web::Data<Services>, form: Form, revision: u64) -> Result<HttpResponse, Failure> {
    let plan = blocking::call(services, kept::plan).await.map_err(Failure::of(who))?;
    let stored = as_stored(&plan);
    let labels = [("hour", "Hour"), ("keep", "How many to keep"), ("folder", "Folder")];
    let mut differing = Differing::between(&form, labels.map(|(name, label)| (name, label, stored.value(name).to_owned())));
    let mut differ = |label: &str, stored: &str, typed: &str| {
        if stored != typed {
            differing.push(Differing { label: label.to_owned(), stored: stored.to_owned(), typed: typed.to_owned() });
        }
    };
    differ("How often", often(&stored), often(&form));
    differ("Encrypt with a passphrase", yes(stored.has("encrypt")), yes(form.has("encrypt")));
    let conflict = Conflict::new(
        services,
        who,
        SERVER,
        plan.revision.saturating_sub(revision),
        conflict::of("server", "backups"),
        differing,
    );
    let conflict = conflict.await?;
    let has_passphrase = !form.value("passphrase").is_empty();
    let mut form = form;
    form.set("revision", plan.revision.to_string());
    if has_passphrase {
        let words = "type the new passphrase again, twice: no page holds it";
        form = form.rejected(&FieldErrors::one("passphrase", words));
    }
    let mut page = backups_page(who, services, Some(form)).await?;
    page.conflict = Some(conflict);
    Ok(html_with(StatusCode::CONFLICT, &page))
}

fn often(form: &Form) -> &'static str {
    OFTEN.iter().find(|(value, _)| *value == form.value("every")).map_or("", |(_, label)| label)
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

async fn make(who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let actor = who.actor.clone();
    match blocking::call(&services, move |services| kept::make(services, &actor, Mode::Keep)).await {
        Ok(made) => Ok(who.done(HERE, format!("{} is made and verified. It stays until somebody deletes it.", made.name))),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(HERE, format!("No backup was made: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

async fn download(who: SignedIn, name: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (actor, asked) = (who.actor.clone(), name.clone());
    let opened = blocking::call(&services, move |services| kept::hand_out(services, &actor, &asked)).await;
    let (file, size) = opened.map_err(Failure::of(&who))?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(file_body::of(file, size)))
}

async fn verify(who: SignedIn, name: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (actor, asked) = (who.actor.clone(), name.clone());
    let verified = blocking::call(&services, move |services| kept::verify_kept(services, &actor, &asked)).await;
    Ok(match verified {
        Ok(manifest) => {
            let holds = words::count(usize::try_from(manifest.devices()).unwrap_or(usize::MAX), "device", "devices");
            who.done(HERE, format!("{name} is whole: {holds}, by pdms {}.", manifest.version))
        }
        Err(ServiceError::Conflict(wrong)) => who.not_done(HERE, format!("{name}: {wrong}.")),
        Err(error) => return Err(Failure::new(&who, error)),
    })
}

async fn delete(who: SignedIn, name: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (actor, asked) = (who.actor.clone(), name.clone());
    let removed = blocking::call(&services, move |services| kept::remove(services, &actor, &asked, Mode::Keep)).await;
    removed.map_err(Failure::of(&who))?;
    Ok(who.done(HERE, format!("{name} is deleted.")))
}
