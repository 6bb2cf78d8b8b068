//! What is kept here for devices: files that they uploaded or were given. Contents leave as they came.

use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition, DispositionParam, DispositionType};
use actix_web::{HttpResponse, get, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::paths::DevicePath;
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::services::device_files;
use crate::services::{Services, devices};
use crate::web::blocking;

/// Media type of whatever a device stored.
const BYTES: &str = "application/octet-stream";

/// A file that is kept for a device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FileShape {
    /// Name without the device's key.
    #[schema(example = "phone.cfg")]
    pub name: String,
    /// When it came in.
    pub at: Timestamp,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256 of the content.
    pub sha256: String,
    /// Who put it there; absent where the device uploaded it.
    pub by: Option<String>,
    /// Its version: counts what was stored under this name.
    pub version: u32,
    /// Former versions that are kept.
    pub former: usize,
}

impl From<DeviceFile> for FileShape {
    fn from(file: DeviceFile) -> Self {
        Self {
            former: file.former.len(),
            name: file.name,
            at: file.at,
            size_bytes: file.size_bytes,
            sha256: file.sha256,
            by: file.by,
            version: file.version,
        }
    }
}

/// A file of a device.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FilePath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// MAC or serial number.
    #[param(example = "0004f2abcdef")]
    key: String,
    /// Name as the list has it.
    #[param(example = "phone.cfg")]
    pub name: String,
}

impl FilePath {
    /// The device. What is no key at all names no device.
    pub fn key(&self) -> Result<DeviceKey, Problem> {
        self.key.parse().map_err(|_| Problem::not_found("device", &self.key))
    }
}

const FILES: &[Order<FileShape>] = &[
    ("name", |a, b| a.name.cmp(&b.name)),
    ("at", |a, b| (a.at, &a.name).cmp(&(b.at, &b.name))),
    ("size", |a, b| (a.size_bytes, &a.name).cmp(&(b.size_bytes, &b.name))),
];

/// Lists the files that a device stored and gets back; sorts by `name`, `at` or `size`.
#[utoipa::path(tag = "devices", params(DevicePath, Narrow), responses((status = 200, body = List<FileShape>)))]
#[get("/accounts/{account}/devices/{key}/files")]
pub async fn list_files(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<FileShape>>, Problem> {
    let key = devices::get(&services, caller.account, &path.key()?)?.device.key.clone();
    let files = blocking::call(&services, move |services| device_files::files(services, caller.account, &key)).await?;
    let all = files.into_iter().map(FileShape::from).collect();
    Ok(web::Json(narrowed(all, &asked, |file| vec![file.name.clone()], FILES)?))
}

/// Which version of a file.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedVersion {
    /// Number of the version; without it the one that counts.
    version: Option<u32>,
}

/// Answers a file as it was sent, with the secrets that it may hold, and notes in the activity log that it was told.
#[utoipa::path(tag = "devices", params(FilePath, WantedVersion), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
#[get("/accounts/{account}/devices/{key}/files/{name}")]
pub async fn read_file(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FilePath>,
    wanted: Asked<WantedVersion>,
) -> Result<HttpResponse, Problem> {
    let (key, name, version) = (path.key()?, path.into_inner().name, wanted.version);
    let saved_as = format!("{key}-{name}");
    let read = move |services: &Services| device_files::hand_out(services, &caller.actor, caller.account, &key, &name, version);
    Ok(download(&saved_as, BYTES, blocking::call(&services, read).await?.1))
}

/// Content of files is data to be saved: no browser may take it for a page.
pub(super) fn download(name: &str, content_type: &'static str, content: Vec<u8>) -> HttpResponse {
    let disposition = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(name.to_owned())],
    };
    HttpResponse::Ok().content_type(content_type).insert_header((CONTENT_DISPOSITION, disposition)).body(content)
}
