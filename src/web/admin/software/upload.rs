//! Uploading software from a page: with a script in pieces that go on after a broken connection (`static/software.js`, by the API), without
//! one as a form, streamed to the disk. Then what becomes of it, and what is asked.

use actix_multipart::{Field, Multipart};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use super::list::{of_file, rejected};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, ImageId};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::images::uploads::{self, Said, SaidInput, Shown, Stage, UploadId, Writing, in_words};
use crate::services::images::{self, name_of};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected, see_other};
use crate::web::admin::session::SignedIn;
use crate::web::blocking;

/// Where a form with a file is sent.
pub const HERE: &str = "/admin/software/upload";
/// Bytes that are collected before they are written.
const WRITTEN_BYTES: usize = 1024 * 1024;
/// Bytes of the fields beside the file.
const FIELD_BYTES: usize = 1_000;

/// An upload as the pages tell it.
pub struct UploadRow {
    pub id: UploadId,
    pub file: String,
    pub stage: Stage,
    pub at: Timestamp,
    pub by: String,
    /// How far it is, in words.
    pub told: String,
    pub tone: &'static str,
    /// Percent of what goes on.
    pub percent: Option<u64>,
}

impl From<Shown> for UploadRow {
    fn from(shown: Shown) -> Self {
        let Shown { upload, received, unpacked_percent } = shown;
        let received_percent = received * 100 / upload.size_bytes.max(1);
        let (told, tone, percent) = match &upload.stage {
            Stage::Receiving => {
                let told = format!("{} of {} arrived", in_words(received), in_words(upload.size_bytes));
                (told, "off", Some(received_percent))
            }
            Stage::Unpacking => ("is being unpacked".to_owned(), "off", Some(u64::from(unpacked_percent))),
            Stage::Asking { .. } => ("asks which software it is".to_owned(), "warn", None),
            Stage::Taken { .. } => ("asks whether it replaces what is here for the same hardware".to_owned(), "warn", None),
            Stage::Refused { why, .. } => (format!("was not taken: {why}"), "bad", None),
            Stage::Done { .. } => ("is here".to_owned(), "ok", None),
        };
        let (id, file, stage, at, by) = (upload.id, upload.file, upload.stage, upload.at, upload.by);
        Self { id, file, stage, at, by, told, tone, percent }
    }
}

#[derive(Template)]
#[template(path = "software/upload.html")]
struct UploadPage {
    page: Page,
    row: UploadRow,
    /// What is asked.
    form: Form,
    families: Vec<(String, bool)>,
    asks_version: bool,
    asks_families: bool,
    /// The image that it is about, with its name.
    image: Option<(ImageId, String)>,
}

/// How far it is, for the script that puts it in place of what stood there.
#[derive(Template)]
#[template(path = "software/state.html")]
struct StatePart {
    row: UploadRow,
}

/// `GET` of the address that files are sent to.
pub async fn home() -> HttpResponse {
    see_other(super::HERE)
}

/// `POST /admin/software/upload`: a form with a file. Its first field proves that it is ours; nothing of the file is read before.
pub async fn take(
    request: HttpRequest,
    who: SignedIn,
    parts: Multipart,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    // More than the file has, by what the form puts around it: how long it is shows when it has come.
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match receive(&who, &services, parts, announced.unwrap_or(1)).await {
        Ok(id) => Ok(who.done(&format!("/admin/software/uploads/{id}"), "The file has arrived.")),
        Err(told) => rejected(&who, &services, &request, Form::default().rejected(&of_file(told))),
    }
}

async fn text(field: &mut Field) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.try_next().await.ok()? {
        bytes.extend_from_slice(&chunk[..chunk.len().min(FIELD_BYTES.saturating_sub(bytes.len()))]);
    }
    String::from_utf8(bytes).ok()
}

async fn receive(
    who: &SignedIn,
    services: &web::Data<Services>,
    mut parts: Multipart,
    announced: u64,
) -> Result<UploadId, String> {
    const BROKEN: &str = "the file did not arrive whole; choose it again";
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(|_| BROKEN)?;
        if part.name() != Some("file") {
            text(&mut part).await.ok_or(BROKEN)?;
            continue;
        }
        let name = part.content_disposition().and_then(|header| header.get_filename()).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err("choose a file first".to_owned());
        }
        let (actor, file) = (who.actor.clone(), name);
        let begin = move |services: &Services| {
            let said = Said::default();
            let begun = uploads::begin(services, &actor, DEFAULT_ACCOUNT, (&file, announced), said, Mode::Keep)?;
            let id = begun.upload.id;
            Ok((id, uploads::write_at(services, &actor, DEFAULT_ACCOUNT, id, 0)?))
        };
        let (id, writing) = blocking::call(services, begin).await.map_err(told)?;
        let written = write_all(services, &mut part, writing).await;
        let actor = who.actor.clone();
        let end = move |services: &Services| match written {
            Ok(()) => uploads::finish_as_received(services, &actor, DEFAULT_ACCOUNT, id).map(Ok),
            // Without a script nobody can go on with it.
            Err(why) => uploads::cancel(services, &actor, DEFAULT_ACCOUNT, id, Mode::Keep).map(|_| Err(why)),
        };
        return blocking::call(services, end).await.map_err(told)?.map(|_| id);
    }
    Err("choose a file first".to_owned())
}

async fn write_all(services: &web::Data<Services>, part: &mut Field, mut writing: Writing) -> Result<(), String> {
    let mut collected = Vec::new();
    loop {
        let chunk = part.try_next().await.map_err(|_| "the file did not arrive whole; choose it again")?;
        let is_end = chunk.is_none();
        collected.extend_from_slice(&chunk.unwrap_or_default());
        if is_end || collected.len() >= WRITTEN_BYTES {
            let bytes = std::mem::take(&mut collected);
            let write = move |services: &Services| writing.write(services, &bytes).map(|()| writing);
            writing = blocking::call(services, write).await.map_err(told)?;
        }
        if is_end {
            return Ok(());
        }
    }
}

fn told(error: ServiceError) -> String {
    match error {
        ServiceError::Invalid(errors) => errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

fn find(who: &SignedIn, services: &Services, id: &str) -> Result<Shown, Failure> {
    let parsed = id.parse().map_err(|_| Failure::not_found(who, "upload", id.to_owned()))?;
    uploads::get(services, DEFAULT_ACCOUNT, parsed).map_err(Failure::of(who))
}

/// `GET /admin/software/uploads/{upload}`
pub async fn show(id: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let shown = find(&who, &services, &id)?;
    if let Stage::Done { image } = shown.upload.stage
        && images::get(&services, DEFAULT_ACCOUNT, image).is_ok()
    {
        return Ok(see_other(&format!("{}/{image}", super::HERE)));
    }
    Ok(html(&page(&who, &services, shown, Form::default())?))
}

fn page(who: &SignedIn, services: &Services, shown: Shown, form: Form) -> Result<UploadPage, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let (asks_version, asks_families) = match &shown.upload.stage {
        Stage::Asking { version, families } => (version.is_none(), families.is_empty()),
        _ => (false, false),
    };
    let about = match &shown.upload.stage {
        Stage::Taken { image } | Stage::Done { image } => Some(*image),
        Stage::Refused { same, .. } => *same,
        _ => None,
    };
    let families = world.models.families_with_software().map(|family| {
        let is_ticked = form.values("families").any(|one| one == family.name);
        (family.name.clone(), is_ticked)
    });
    Ok(UploadPage {
        page: who.page("Upload of software"),
        families: families.collect(),
        asks_version,
        asks_families,
        image: about.and_then(|id| world.images.get(&id)).map(|image| (image.id, name_of(image))),
        row: shown.into(),
        form,
    })
}

/// `GET /admin/software/uploads/{upload}/state`: how far it is, for the script.
pub async fn state(id: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let row = UploadRow::from(find(&who, &services, &id)?);
    Ok(html(&StatePart { row }))
}

/// `POST /admin/software/uploads/{upload}`: what is asked is answered, or it is cancelled.
pub async fn answer(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let shown = find(&who, &services, &id)?;
    let (id, actor) = (shown.upload.id, who.actor.clone());
    if form.is("do", "cancel") {
        let cancel = move |services: &Services| uploads::cancel(services, &actor, DEFAULT_ACCOUNT, id, Mode::Keep);
        blocking::call(&services, cancel).await.map_err(Failure::of(&who))?;
        return Ok(who.done(super::HERE, format!("{} is taken from the list.", shown.upload.file)));
    }
    let input = SaidInput {
        version: form.value("version").to_owned(),
        families: form.values("families").map(str::to_owned).collect(),
        replaces: form.is("do", "replace"),
    };
    let work = move |services: &Services| {
        let said = input.parse(&*services.world(DEFAULT_ACCOUNT)?)?;
        uploads::answer(services, &actor, DEFAULT_ACCOUNT, id, said, Mode::Keep)
    };
    match blocking::call(&services, work).await {
        Ok(_) => Ok(who.done(&format!("/admin/software/uploads/{id}"), "It is being unpacked.")),
        Err(ServiceError::Invalid(errors)) => again(&who, &services, shown, form, &errors),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(super::HERE, format!("Nothing was changed: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

fn again(who: &SignedIn, services: &Services, shown: Shown, form: Form, errors: &FieldErrors) -> Result<HttpResponse, Failure> {
    Ok(html_rejected(&page(who, services, shown, form.rejected(errors))?))
}
