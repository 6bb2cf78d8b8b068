//! The packages that images came in, as they were uploaded (R211).

use actix_web::{HttpRequest, HttpResponse, delete, get, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::DryRun;
use super::caller::Caller;
use super::images::{ImagePath, ImageShape};
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::ids::ImageId;
use crate::domain::image::Image;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::services::images::{self, packages};
use crate::web::{blocking, package_file};

/// A package that an image came in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PackageShape {
    /// Its number among the packages of its image, from 1 on.
    pub number: usize,
    /// What it was called.
    pub file: String,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256: its `ETag`.
    pub sha256: String,
    /// When it was taken.
    pub uploaded: Timestamp,
    /// Whether it is kept beside the files of the image. One that is served as it came, such as an `.ld`, is the image itself.
    pub is_beside: bool,
}

impl PackageShape {
    /// The packages of an image.
    pub fn of(image: &Image) -> Vec<Self> {
        let is_beside = !image.packages.is_empty();
        let shape = |(at, one): (usize, crate::domain::image::KeptPackage)| Self {
            number: at + 1,
            file: one.file,
            size_bytes: one.size_bytes,
            sha256: one.sha256,
            uploaded: one.at,
            is_beside,
        };
        image.originals().into_iter().enumerate().map(shape).collect()
    }
}

/// A package in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PackagePath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Number of the image.
    #[param(value_type = u64)]
    id: String,
    /// Number of the package, as the image tells it.
    #[param(value_type = u64)]
    number: String,
}

/// Answers a package as it was uploaded, or the part of it that is asked for with `Range`.
#[utoipa::path(tag = "images", params(PackagePath), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
#[get("/accounts/{account}/images/{id}/packages/{number}")]
pub async fn read_package(
    caller: Caller,
    services: web::Data<Services>,
    request: HttpRequest,
    path: web::Path<PackagePath>,
) -> Result<HttpResponse, Problem> {
    let id: ImageId = path.id.parse().map_err(|_| Problem::not_found("image", &path.id))?;
    let number: usize = path.number.parse().map_err(|_| Problem::not_found("package", &path.number))?;
    let open = move |services: &Services| packages::open(services, &caller.actor, caller.account, id, number);
    let (file, package) = blocking::call(&services, open).await?;
    Ok(package_file::answer(&request, file, &package).map_err(ServiceError::file("read", "a package of software"))?)
}

/// Deletes the packages that are kept beside an image. The image stays: phones get its files as before.
#[utoipa::path(tag = "images", params(ImagePath, DryRun), responses((status = 200, body = ImageShape)))]
#[delete("/accounts/{account}/images/{id}/packages")]
pub async fn delete_packages(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ImagePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<ImageShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let delete = move |services: &Services| packages::delete(services, &caller.actor, caller.account, id, mode);
    let image = blocking::call(&services, delete).await?;
    let used = images::chosen_by(&*services.world(caller.account)?, &image).len();
    Ok(web::Json(ImageShape::new(&image, used)))
}
