//! Uploads of software in pieces: begun, sent, gone on with after a broken connection, finished, answered, cancelled.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, put, web};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{DryRun, created};
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::ids::AccountId;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::images::uploads::{self, Said, SaidInput, Shown, Stage, UploadId, Writing};
use crate::web::blocking;

/// Bytes that are collected before they are written.
const WRITTEN_BYTES: usize = 1024 * 1024;

/// What uploads can be sorted by. Keys are in the order of their making.
const UPLOADS: &[Order<ImageUploadShape>] =
    &[("-at", |a, b| b.id.cmp(&a.id)), ("size", |a, b| a.size_bytes.cmp(&b.size_bytes).then(a.id.cmp(&b.id)))];

/// An upload of software.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ImageUploadShape {
    /// Its key; absent in a dry run.
    pub id: Option<String>,
    /// What the file is called.
    pub file: String,
    /// Bytes that it has when it is whole.
    pub size_bytes: u64,
    /// Bytes that are here: the offset to go on from.
    pub received: u64,
    /// `receiving`, `unpacking`, `asking`, `taken`, `refused` or `done`.
    pub stage: String,
    /// How much is unpacked, in percent.
    pub unpacked_percent: u8,
    /// The version that was found in it, where something is asked.
    pub version: Option<String>,
    /// The families that were found in it, where something is asked.
    pub families: Vec<String>,
    /// The image that it became, that it is the same as, or that is of the same version.
    pub image: Option<u64>,
    /// Why it was refused.
    pub why: Option<String>,
    /// Who uploads it.
    pub by: String,
    /// When it was begun.
    pub at: Timestamp,
}

impl ImageUploadShape {
    fn new(shown: Shown, is_kept: bool) -> Self {
        let Shown { upload, received, unpacked_percent } = shown;
        let stage = upload.stage.word().to_owned();
        let (mut version, mut families, mut image, mut why) = (None, Vec::new(), None, None);
        match upload.stage {
            Stage::Asking { version: found, families: known } => {
                version = found.map(|version| version.to_string());
                families = known;
            }
            Stage::Taken { image: id } | Stage::Done { image: id } => image = Some(id.0),
            Stage::Refused { why: told, same } => {
                why = Some(told);
                image = same.map(|id| id.0);
            }
            Stage::Receiving | Stage::Unpacking => {}
        }
        Self {
            id: is_kept.then(|| upload.id.to_string()),
            file: upload.file,
            size_bytes: upload.size_bytes,
            received,
            stage,
            unpacked_percent,
            version,
            families,
            image,
            why,
            by: upload.by,
            at: upload.at,
        }
    }
}

impl From<Shown> for ImageUploadShape {
    fn from(shown: Shown) -> Self {
        Self::new(shown, true)
    }
}

/// What is to be uploaded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewImageUpload {
    /// What the file is called.
    #[schema(example = "UC_Software_6_4_6_release_sig_split.zip")]
    file: String,
    /// Bytes that it has.
    size_bytes: u64,
    /// Its version, where the package does not tell it.
    #[serde(default)]
    version: String,
    /// Families that it is for, where the package does not tell them.
    #[serde(default)]
    families: Vec<String>,
    /// Whether what an image of the same version has for the same hardware is replaced. What is for other hardware joins it unasked.
    #[serde(default)]
    replaces: bool,
}

/// What somebody says about a package that does not say it itself.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadAnswer {
    /// Its version.
    #[serde(default)]
    version: String,
    /// Families that it is for.
    #[serde(default)]
    families: Vec<String>,
    /// Whether what an image of the same version has for the same hardware is replaced. What is for other hardware joins it unasked.
    #[serde(default)]
    replaces: bool,
}

/// An upload in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ImageUploadPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Key of the upload.
    upload: String,
}

impl ImageUploadPath {
    fn id(&self) -> Result<UploadId, Problem> {
        self.upload.parse().map_err(|_| Problem::not_found("upload", &self.upload))
    }
}

/// Where a piece goes.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Offset {
    /// Bytes that are here already: `received` of the upload.
    #[serde(default)]
    offset: u64,
    /// Changes nothing and answers the upload as it is.
    #[serde(default)]
    dry_run: bool,
}

fn said(services: &Services, account: AccountId, input: &SaidInput) -> Result<Said, Problem> {
    input.parse(&*services.world(account)?).map_err(|errors| Problem::invalid(&errors))
}

/// Lists the uploads of software that are under way, wait for an answer, or ended within the last day, the newest first; sorts by `at` or
/// `size`.
#[utoipa::path(tag = "images", params(AccountPath, Narrow), responses((status = 200, body = List<ImageUploadShape>)))]
#[get("/accounts/{account}/images/uploads")]
pub async fn list_image_uploads(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<ImageUploadShape>>, Problem> {
    let all = uploads::list(&services, caller.account).into_iter().map(ImageUploadShape::from).collect();
    Ok(web::Json(narrowed(all, &asked, |one| vec![one.file.clone(), one.by.clone(), one.stage.clone()], UPLOADS)?))
}

/// Begins an upload of software. Its bytes are sent afterwards, in one piece or in several.
#[utoipa::path(tag = "images", params(AccountPath, DryRun), request_body = NewImageUpload, responses((status = 201, body = ImageUploadShape), (status = 200, description = "A dry run", body = ImageUploadShape)))]
#[post("/accounts/{account}/images/uploads")]
pub async fn begin_image_upload(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    new: Sent<NewImageUpload>,
) -> Result<HttpResponse, Problem> {
    let (mode, NewImageUpload { file, size_bytes, version, families, replaces }) = (dry_run.mode(), new.into_inner());
    let said = said(&services, caller.account, &SaidInput { version, families, replaces })?;
    let work =
        move |services: &Services| uploads::begin(services, &caller.actor, caller.account, (&file, size_bytes), said, mode);
    let begun = blocking::call(&services, work).await?;
    Ok(HttpResponse::build(created(mode)).json(ImageUploadShape::new(begun, mode == Mode::Keep)))
}

/// Shows how far an upload is.
#[utoipa::path(tag = "images", params(ImageUploadPath), responses((status = 200, body = ImageUploadShape)))]
#[get("/accounts/{account}/images/uploads/{upload}")]
pub async fn show_image_upload(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImageUploadPath>,
) -> Result<web::Json<ImageUploadShape>, Problem> {
    Ok(web::Json(uploads::get(&services, caller.account, path.id()?)?.into()))
}

/// Sends bytes of an upload: all, or a piece. What arrives stays, whatever becomes of the connection; go on from `received`.
#[utoipa::path(tag = "images", params(ImageUploadPath, Offset), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = ImageUploadShape)))]
#[put("/accounts/{account}/images/uploads/{upload}")]
pub async fn send_image_upload(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImageUploadPath>,
    place: Asked<Offset>,
    mut payload: web::Payload,
) -> Result<web::Json<ImageUploadShape>, Problem> {
    let (id, Offset { offset, dry_run }) = (path.id()?, place.into_inner());
    let (actor, account) = (caller.actor.clone(), caller.account);
    if !dry_run {
        let begin = move |services: &Services| uploads::write_at(services, &actor, account, id, offset);
        let mut writing = blocking::call(&services, begin).await?;
        let mut collected = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    write(&services, writing, collected).await?;
                    return Err(Problem::new(StatusCode::BAD_REQUEST, format_args!("the body did not arrive: {error}")));
                }
            };
            collected.extend_from_slice(&chunk);
            if collected.len() >= WRITTEN_BYTES {
                writing = write(&services, writing, std::mem::take(&mut collected)).await?;
            }
        }
        write(&services, writing, collected).await?;
    }
    Ok(web::Json(uploads::get(&services, account, id)?.into()))
}

async fn write(services: &web::Data<Services>, mut writing: Writing, bytes: Vec<u8>) -> Result<Writing, Problem> {
    let work = move |services: &Services| {
        writing.write(services, &bytes)?;
        Ok(writing)
    };
    Ok(blocking::call(services, work).await?)
}

/// Says that all bytes are sent: the package is unpacked from then on.
#[utoipa::path(tag = "images", params(ImageUploadPath, DryRun), responses((status = 200, body = ImageUploadShape)))]
#[post("/accounts/{account}/images/uploads/{upload}/finish")]
pub async fn finish_image_upload(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImageUploadPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<ImageUploadShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let work = move |services: &Services| uploads::finish(services, &caller.actor, caller.account, id, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Answers what is asked about a package: its version, its families, whether it replaces the image of its version.
#[utoipa::path(tag = "images", params(ImageUploadPath, DryRun), request_body = UploadAnswer, responses((status = 200, body = ImageUploadShape)))]
#[post("/accounts/{account}/images/uploads/{upload}/answer")]
pub async fn answer_image_upload(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImageUploadPath>,
    dry_run: Asked<DryRun>,
    answer: Sent<UploadAnswer>,
) -> Result<web::Json<ImageUploadShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let UploadAnswer { version, families, replaces } = answer.into_inner();
    let said = said(&services, caller.account, &SaidInput { version, families, replaces })?;
    let work = move |services: &Services| uploads::answer(services, &caller.actor, caller.account, id, said, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Cancels an upload, or takes one that is over from the list. Nothing of it is left; an image that it became stays.
#[utoipa::path(tag = "images", params(ImageUploadPath, DryRun), responses((status = 200, body = ImageUploadShape)))]
#[delete("/accounts/{account}/images/uploads/{upload}")]
pub async fn cancel_image_upload(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImageUploadPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<ImageUploadShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let work = move |services: &Services| uploads::cancel(services, &caller.actor, caller.account, id, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}
