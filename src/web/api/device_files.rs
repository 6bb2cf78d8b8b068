//! What devices stored here: their files, which they get back, and their logs. Contents leave as they came.

use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition, DispositionParam, DispositionType};
use actix_web::{HttpResponse, get, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::list::List;
use super::paths::DevicePath;
use super::problem::{Problem, Problems};
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::services::device_files::{self, StoredLog};
use crate::services::{Services, devices};
use crate::web::blocking;

/// A file that a device stored and gets back.
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
}

impl From<DeviceFile> for FileShape {
    fn from(file: DeviceFile) -> Self {
        Self { name: file.name, at: file.at, size_bytes: file.size_bytes, sha256: file.sha256 }
    }
}

/// A log, core dump or capture of a device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LogShape {
    /// Its name here, unique for the device.
    pub name: String,
    /// Name that the device gave it, without the key.
    #[schema(example = "app.log")]
    pub kind: String,
    /// When it came in.
    pub at: Timestamp,
    /// Bytes.
    pub size_bytes: u64,
}

impl From<StoredLog> for LogShape {
    fn from(StoredLog { name, kind, at, size_bytes }: StoredLog) -> Self {
        Self { name, kind, at, size_bytes }
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
    name: String,
}

impl FilePath {
    fn key(&self) -> Result<DeviceKey, Problem> {
        self.key.parse().map_err(|_| Problem::not_found("device", &self.key))
    }
}

/// Lists the files that a device stored and gets back.
#[utoipa::path(tag = "devices", params(DevicePath), responses((status = 200, body = List<FileShape>), Problems))]
#[get("/accounts/{account}/devices/{key}/files")]
pub async fn list_files(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
) -> Result<web::Json<List<FileShape>>, Problem> {
    let key = devices::get(&services, caller.account, &path.key()?)?.device.key.clone();
    let files = blocking::call(&services, move |services| device_files::files(services, caller.account, &key)).await?;
    Ok(web::Json(List { total: files.len(), items: files.into_iter().map(FileShape::from).collect() }))
}

/// Answers a file as the device sent it.
#[utoipa::path(tag = "devices", params(FilePath), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), Problems))]
#[get("/accounts/{account}/devices/{key}/files/{name}")]
pub async fn read_file(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FilePath>,
) -> Result<HttpResponse, Problem> {
    let (key, name) = (path.key()?, path.into_inner().name);
    let saved_as = format!("{key}-{name}");
    let read = move |services: &Services| device_files::file(services, caller.account, &key, &name);
    Ok(download(&saved_as, blocking::call(&services, read).await?.1))
}

/// Lists the logs, core dumps and captures of a device, newest first.
#[utoipa::path(tag = "devices", params(DevicePath), responses((status = 200, body = List<LogShape>), Problems))]
#[get("/accounts/{account}/devices/{key}/logs")]
pub async fn list_logs(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
) -> Result<web::Json<List<LogShape>>, Problem> {
    let key = devices::get(&services, caller.account, &path.key()?)?.device.key.clone();
    let logs = blocking::call(&services, move |services| device_files::logs(services, caller.account, &key)).await?;
    Ok(web::Json(List { total: logs.len(), items: logs.into_iter().map(LogShape::from).collect() }))
}

/// Answers a log as the device sent it.
#[utoipa::path(tag = "devices", params(FilePath), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), Problems))]
#[get("/accounts/{account}/devices/{key}/logs/{name}")]
pub async fn read_log(caller: Caller, services: web::Data<Services>, path: web::Path<FilePath>) -> Result<HttpResponse, Problem> {
    let (key, name) = (path.key()?, path.into_inner().name);
    let saved_as = format!("{key}-{name}");
    let read = move |services: &Services| device_files::log(services, caller.account, &key, &name);
    Ok(download(&saved_as, blocking::call(&services, read).await?.1))
}

/// Content from a device is data to be saved: no browser may take it for a page.
fn download(name: &str, content: Vec<u8>) -> HttpResponse {
    let disposition = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(name.to_owned())],
    };
    HttpResponse::Ok().content_type("application/octet-stream").insert_header((CONTENT_DISPOSITION, disposition)).body(content)
}
