//! Images of software: what is here, its files, its licence, how much there may be (R199–R212, R338, R42).

use actix_web::{HttpResponse, delete, get, post, put, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{DryRun, mode};
use super::caller::Caller;
use super::image_packages::PackageShape;
use super::list::{List, Paging, asked};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::{self, Asked, Sent};
use crate::domain::ids::ImageId;
use crate::domain::image::{Image, ImageFile, License};
use crate::services::commit::Mode;
use crate::services::downloads::Download;
use crate::services::images::limits::{LimitsInput, Usage};
use crate::services::images::{deletion, license, limits, name_of};
use crate::services::lists::images::ListedImage;
use crate::services::{Services, downloads, images, lists};
use crate::web::{blocking, sizes};

/// An image of software.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ImageShape {
    /// Number.
    pub id: u64,
    /// What people call it.
    #[schema(example = "VVX 5.9.8.5760")]
    pub name: String,
    /// Its version.
    pub version: String,
    /// Families of devices that it is for.
    pub families: Vec<String>,
    /// What the package was called.
    pub file: String,
    /// Bytes of the package.
    pub size_bytes: u64,
    /// Bytes of the files that are served.
    pub stored_bytes: u64,
    /// SHA-256 of the package.
    pub sha256: String,
    /// How many files are served.
    pub files: usize,
    /// The profile that came with it and chooses it.
    pub profile: u64,
    /// The schema that came in it; null for none.
    pub schema: Option<u64>,
    /// The key file of its software licence; null for none.
    pub license: Option<LicenseShape>,
    /// The packages that it came in, where they are kept.
    pub packages: Vec<PackageShape>,
    /// By how many it is used: profiles that choose it, and places and devices that its own profile is attached to.
    pub used: usize,
    /// Who uploaded it.
    pub by: String,
    /// When.
    pub uploaded: Timestamp,
}

/// The key file of a software licence, without its keys.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LicenseShape {
    /// What the file was called.
    pub file: String,
    /// Bytes.
    pub size_bytes: usize,
    /// Who uploaded it.
    pub by: String,
    /// When.
    pub uploaded: Timestamp,
}

/// One file of an image.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ImageFileShape {
    /// Path below `swupdate/<family>/<version>/`.
    pub path: String,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256: its `ETag`.
    pub sha256: String,
}

/// An image with its files.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ImageDetail {
    /// The image.
    #[serde(flatten)]
    pub image: ImageShape,
    /// Its files.
    pub content: Vec<ImageFileShape>,
}

/// How much there is, and may be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LimitsShape {
    /// Images that are here; not sent with a change.
    #[serde(default)]
    pub used_images: usize,
    /// Bytes of all their files, and of the packages that are kept beside them; not sent with a change.
    #[serde(default)]
    pub used_bytes: u64,
    /// Images that may be.
    pub images: usize,
    /// Megabytes that all their files may have.
    pub megabytes: u64,
    /// Megabytes that one package may have.
    pub package_megabytes: u64,
    /// Whether packages are kept as they were uploaded, beside what was in them. Left out or null in a change: as it is.
    #[serde(default)]
    pub keep_packages: Option<bool>,
}

/// A download of software that goes on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DownloadShape {
    /// The image.
    pub image: u64,
    /// Its version.
    pub version: String,
    /// The file.
    pub path: String,
    /// Bytes of the whole file.
    pub size_bytes: u64,
    /// Bytes that the phone has.
    pub position: u64,
    /// When it began.
    pub since: Timestamp,
}

/// What a device downloads, and did last.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DownloadsShape {
    /// What goes on, the oldest first.
    pub running: Vec<DownloadShape>,
    /// What came to its end since its software changed last; null for nothing.
    pub completed: Option<CompletedShape>,
}

/// Downloads of one version that a device brought to their end, one after the other.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CompletedShape {
    /// The version.
    pub version: String,
    /// How many.
    pub times: u32,
    /// When the last one ended.
    pub at: Timestamp,
}

/// A key file in clear.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RevealedLicense {
    /// What the file was called.
    pub file: String,
    /// Its content; null in a dry run.
    pub content: Option<String>,
}

impl From<ListedImage> for ImageShape {
    fn from(one: ListedImage) -> Self {
        Self::new(&one.image, one.used)
    }
}

impl ImageShape {
    /// An image that is used so often.
    pub fn new(image: &Image, used: usize) -> Self {
        Self {
            id: image.id.0,
            name: name_of(image),
            version: image.version.to_string(),
            families: image.families.clone(),
            file: image.source.clone(),
            size_bytes: image.size_bytes,
            stored_bytes: image.stored_bytes(),
            sha256: image.sha256.clone(),
            files: image.files.len(),
            profile: image.profile.0,
            schema: image.schema.map(|schema| schema.0),
            license: image.license.as_ref().map(LicenseShape::from),
            packages: PackageShape::of(image),
            used,
            by: image.by.clone(),
            uploaded: image.at,
        }
    }
}

impl From<&License> for LicenseShape {
    fn from(one: &License) -> Self {
        Self { file: one.file.clone(), size_bytes: one.size_bytes, by: one.by.clone(), uploaded: one.at }
    }
}

impl From<&ImageFile> for ImageFileShape {
    fn from(file: &ImageFile) -> Self {
        Self { path: file.path.clone(), size_bytes: file.size_bytes, sha256: file.sha256.clone() }
    }
}

impl From<Usage> for LimitsShape {
    fn from(usage: Usage) -> Self {
        const MEGABYTE: u64 = 1_000_000;
        Self {
            used_images: usage.images,
            used_bytes: usage.bytes,
            images: usage.limits.images,
            megabytes: usage.limits.bytes / MEGABYTE,
            package_megabytes: usage.limits.package_bytes / MEGABYTE,
            keep_packages: Some(usage.limits.keep_packages),
        }
    }
}

impl From<&Download> for DownloadShape {
    fn from(one: &Download) -> Self {
        Self {
            image: one.image.0,
            version: one.version.to_string(),
            path: one.path.clone(),
            size_bytes: one.size_bytes,
            position: one.position(),
            since: one.since,
        }
    }
}

/// An image in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ImagePath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Number of the image.
    #[param(value_type = u64)]
    id: String,
}

impl ImagePath {
    pub(super) fn id(&self) -> Result<ImageId, Problem> {
        self.id.parse().map_err(|_| Problem::not_found("image", &self.id))
    }
}

/// Which images are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Text to search for.
    q: Option<String>,
    /// Only those for a family.
    family: Option<String>,
    /// `uploaded`, `version`, `families`, `size`, `files`, `used` or `by`; with `-` in front the other way round. Usual is `-uploaded`.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Images on a page, at most 1000.
    per_page: Option<usize>,
}

/// How an image is deleted.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Deleting {
    /// Also while profiles choose it: their devices keep the software that they have.
    #[serde(default)]
    force: bool,
    /// Changes nothing and answers what would be deleted.
    #[serde(default)]
    dry_run: bool,
}

/// How a key file is taken.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KeyFile {
    /// What the file is called.
    file: String,
    /// Changes nothing and answers what would be there.
    #[serde(default)]
    dry_run: bool,
}

/// Lists the images of software.
#[utoipa::path(tag = "images", params(AccountPath, Wanted), responses((status = 200, body = List<ImageShape>)))]
#[get("/accounts/{account}/images")]
pub async fn list_images(
    caller: Caller,
    services: web::Data<Services>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<ImageShape>>, Problem> {
    let Wanted { q, family, sort, page, per_page } = wanted.into_inner();
    let paging = Paging::new(page, per_page)?;
    let asked = asked(&lists::images::LISTING, [("q", q), ("family", family), ("sort", sort)])?;
    let found = lists::images::list(&services, caller.account, &asked)?;
    Ok(web::Json(paging.cut(found.into_iter(), ImageShape::from)))
}

/// Shows how much software there is, and how much there may be (R42).
#[utoipa::path(tag = "images", params(AccountPath), responses((status = 200, body = LimitsShape)))]
#[get("/accounts/{account}/images/limits")]
pub async fn show_image_limits(caller: Caller, services: web::Data<Services>) -> Result<web::Json<LimitsShape>, Problem> {
    Ok(web::Json(Usage::of(&*services.world(caller.account)?).into()))
}

/// Says how much software there may be. What is there already stays.
#[utoipa::path(tag = "images", params(AccountPath, DryRun), request_body = LimitsShape, responses((status = 200, body = LimitsShape)))]
#[put("/accounts/{account}/images/limits")]
pub async fn set_image_limits(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<LimitsShape>,
) -> Result<web::Json<LimitsShape>, Problem> {
    let (mode, sent) = (dry_run.mode(), sent.into_inner());
    let input = LimitsInput {
        images: sent.images.to_string(),
        megabytes: sent.megabytes.to_string(),
        package_megabytes: sent.package_megabytes.to_string(),
    };
    let work = move |services: &Services| {
        let now = services.world(caller.account)?.account.image_limits;
        let limits = input.parse(sent.keep_packages.unwrap_or(now.keep_packages))?;
        let limits = limits::set(services, &caller.actor, caller.account, limits, mode)?;
        Ok(Usage { limits, ..Usage::of(&*services.world(caller.account)?) })
    };
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Shows an image with its files.
#[utoipa::path(tag = "images", params(ImagePath), responses((status = 200, body = ImageDetail)))]
#[get("/accounts/{account}/images/{id}")]
pub async fn show_image(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImagePath>,
) -> Result<web::Json<ImageDetail>, Problem> {
    let id = path.id()?;
    let all = lists::images::list(&services, caller.account, &lists::Asked::default())?;
    let found = all.into_iter().find(|one| one.image.id == id).ok_or_else(|| Problem::not_found("image", id))?;
    let content = found.image.files.iter().map(ImageFileShape::from).collect();
    Ok(web::Json(ImageDetail { content, image: found.into() }))
}

/// Deletes an image, its profile wherever that is attached, and its files.
#[utoipa::path(tag = "images", params(ImagePath, Deleting), responses((status = 200, body = ImageShape)))]
#[delete("/accounts/{account}/images/{id}")]
pub async fn delete_image(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImagePath>,
    how: Asked<Deleting>,
) -> Result<web::Json<ImageShape>, Problem> {
    let (id, Deleting { force, dry_run }) = (path.id()?, how.into_inner());
    let work = move |services: &Services| deletion::delete(services, &caller.actor, caller.account, id, force, mode(dry_run));
    let gone = blocking::call(&services, work).await?;
    Ok(web::Json(ImageShape::new(&gone.image, gone.uses.places.len() + gone.uses.devices.len())))
}

/// Takes the key file of a software licence for an image, in place of the former one (R338). The body is the file itself, a text.
#[utoipa::path(tag = "images", params(ImagePath, KeyFile), request_body(content = Vec<u8>, content_type = "text/plain"), responses((status = 200, body = LicenseShape)))]
#[put("/accounts/{account}/images/{id}/license")]
pub async fn put_license(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImagePath>,
    how: Asked<KeyFile>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let content = sent::file(payload, sizes::LICENSE).await?;
    let (id, KeyFile { file, dry_run }) = (path.id()?, how.into_inner());
    let work =
        move |services: &Services| license::put(services, &caller.actor, caller.account, id, (&file, &content), mode(dry_run));
    let image = blocking::call(&services, work).await?;
    Ok(HttpResponse::Ok().json(image.license.as_ref().map(LicenseShape::from)))
}

/// Tells the key file of an image in clear. That is noted.
#[utoipa::path(tag = "images", params(ImagePath, DryRun), responses((status = 200, body = RevealedLicense)))]
#[post("/accounts/{account}/images/{id}/license/reveal")]
pub async fn reveal_license(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImagePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<RevealedLicense>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let work = move |services: &Services| license::reveal(services, &caller.actor, caller.account, id, mode);
    let (file, content) = blocking::call(&services, work).await?;
    Ok(web::Json(RevealedLicense { file, content: (mode == Mode::Keep).then_some(content) }))
}

/// Deletes the key file of an image.
#[utoipa::path(tag = "images", params(ImagePath, DryRun), responses((status = 200, body = ImageShape)))]
#[delete("/accounts/{account}/images/{id}/license")]
pub async fn delete_license(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImagePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<ImageShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let work = move |services: &Services| license::delete(services, &caller.actor, caller.account, id, mode);
    let image = blocking::call(&services, work).await?;
    let used = images::chosen_by(&*services.world(caller.account)?, &image).len();
    Ok(web::Json(ImageShape::new(&image, used)))
}

/// Shows the downloads of software that are under way to a device, and what came to its end since its software changed last.
#[utoipa::path(tag = "images", params(DevicePath), responses((status = 200, body = DownloadsShape)))]
#[get("/accounts/{account}/devices/{key}/downloads")]
pub async fn show_downloads(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
) -> Result<web::Json<DownloadsShape>, Problem> {
    let key = path.key()?;
    let running = downloads::of_device(&services, caller.account, &key);
    let device = services.roster(caller.account).find(&key).map(|one| one.device);
    let tries = device.as_ref().and_then(|device| device.told_software()?.tries.clone());
    Ok(web::Json(DownloadsShape {
        running: running.iter().map(|one| DownloadShape::from(&**one)).collect(),
        completed: tries.map(|one| CompletedShape { version: one.version.to_string(), times: one.count, at: one.at }),
    }))
}
