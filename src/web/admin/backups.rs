//! Backups: those that the server keeps, one made now, and the plan by which they are made.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::failure::Failure;
use super::forms::Form;
use super::layout::{Page, html, html_rejected, see_other};
use super::session::SignedIn;
use super::words;
use crate::domain::account::Secret;
use crate::domain::backup_plan::{BackupPlan, PlanInput};
use crate::domain::field_error::FieldErrors;
use crate::services::Services;
use crate::services::backup::kept::{self, Kept};
use crate::services::commit::Mode;
use crate::services::error::{ServiceError, chain};
use crate::web::methods::Routes;
use crate::web::{blocking, file_body};

/// Where the page is.
const HERE: &str = "/admin/backups";

#[derive(Template)]
#[template(path = "backups/show.html")]
struct BackupsPage {
    page: Page,
    form: Form,
    plan: BackupPlan,
    rows: Vec<Row>,
    /// A planned one that was not made.
    late: Option<String>,
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
        let (kept, unreadable) = match kept::list(services) {
            Ok(kept) => (kept, None),
            // The plan is still shown, so that another folder can be named.
            Err(error) => (Vec::new(), Some(format!("The folder of backups cannot be used: {}.", chain(&error)))),
        };
        Ok((kept::plan(services)?, kept, unreadable.or(kept::late(services)?)))
    };
    let (plan, kept, late) = blocking::call(services, look).await.map_err(Failure::of(who))?;
    let row = |kept: Kept| Row { size: words::size(kept.size_bytes), kept };
    Ok(BackupsPage {
        page: who.page("Backups"),
        form: typed.unwrap_or_else(|| as_stored(&plan)),
        plan,
        rows: kept.into_iter().map(row).collect(),
        late,
        often: [("never", "Only when I ask"), ("day", "Every day"), ("week", "Every Sunday")],
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
        Err(error) => Err(Failure::new(&who, error)),
    }
}

async fn make(who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let actor = who.actor.clone();
    let made =
        blocking::call(&services, move |services| kept::make(services, &actor, Mode::Keep)).await.map_err(Failure::of(&who))?;
    Ok(who.done(HERE, format!("{} is made and verified.", made.name)))
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
