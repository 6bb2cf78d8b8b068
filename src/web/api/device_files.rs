//! What devices stored here: their files, which they get back, and their logs. Contents leave as they came.

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
use crate::services::device_files::{self, StoredLog};
use crate::services::{Services, devices};
use crate::web::blocking;

/// Media type of whatever a device stored.
const BYTES: &str = "application/octet-stream";

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

/// Which logs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedLogs {
    /// Words that must all occur in the name or kind.
    q: Option<String>,
    /// Only logs that came in at or after this time.
    since: Option<Timestamp>,
    /// Only logs that came in before this time.
    until: Option<Timestamp>,
    /// `at`, `name`, `kind` or `size`; with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Logs on a page, at most 1000.
    per_page: Option<usize>,
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

const FILES: &[Order<FileShape>] = &[
    ("name", |a, b| a.name.cmp(&b.name)),
    ("at", |a, b| (a.at, &a.name).cmp(&(b.at, &b.name))),
    ("size", |a, b| (a.size_bytes, &a.name).cmp(&(b.size_bytes, &b.name))),
];

const LOGS: &[Order<LogShape>] = &[
    ("-at", |a, b| (b.at, &b.name).cmp(&(a.at, &a.name))),
    ("name", |a, b| a.name.cmp(&b.name)),
    ("kind", |a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name))),
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

/// Answers a file as the device sent it, with the secrets that it may hold, and notes in the activity log that it was told.
#[utoipa::path(tag = "devices", params(FilePath), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
#[get("/accounts/{account}/devices/{key}/files/{name}")]
pub async fn read_file(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FilePath>,
) -> Result<HttpResponse, Problem> {
    let (key, name) = (path.key()?, path.into_inner().name);
    let saved_as = format!("{key}-{name}");
    let read = move |services: &Services| device_files::hand_out(services, &caller.actor, caller.account, &key, &name, None);
    Ok(download(&saved_as, BYTES, blocking::call(&services, read).await?.1))
}

/// Lists the logs, core dumps and captures of a device, newest first; sorts by `at`, `name`, `kind` or `size`.
#[utoipa::path(tag = "devices", params(DevicePath, WantedLogs), responses((status = 200, body = List<LogShape>)))]
#[get("/accounts/{account}/devices/{key}/logs")]
pub async fn list_logs(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    wanted: Asked<WantedLogs>,
) -> Result<web::Json<List<LogShape>>, Problem> {
    let key = devices::get(&services, caller.account, &path.key()?)?.device.key.clone();
    let logs = blocking::call(&services, move |services| device_files::logs(services, caller.account, &key)).await?;
    let WantedLogs { q, since, until, sort, page, per_page } = wanted.into_inner();
    let is_wanted = |at| since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until);
    let all = logs.into_iter().filter(|log| is_wanted(log.at)).map(LogShape::from).collect();
    let asked = Narrow { q, sort, page, per_page };
    Ok(web::Json(narrowed(all, &asked, |log| vec![log.name.clone(), log.kind.clone()], LOGS)?))
}

/// Answers a log as the device sent it.
#[utoipa::path(tag = "devices", params(FilePath), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
#[get("/accounts/{account}/devices/{key}/logs/{name}")]
pub async fn read_log(caller: Caller, services: web::Data<Services>, path: web::Path<FilePath>) -> Result<HttpResponse, Problem> {
    let (key, name) = (path.key()?, path.into_inner().name);
    let saved_as = format!("{key}-{name}");
    let read = move |services: &Services| device_files::log(services, caller.account, &key, &name);
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
