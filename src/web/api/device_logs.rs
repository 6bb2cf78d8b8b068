//! Logs, core dumps and captures that devices uploaded (R263, R264). Contents leave as they came.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, delete, get, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{self, DryRun};
use super::caller::Caller;
use super::device_files::{FilePath, download};
use super::list::{List, Narrow, Order, narrowed};
use super::paths::DevicePath;
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::field_error::FieldErrors;
use crate::domain::log_line::Level;
use crate::services::device_files::{self, StoredLog, logs};
use crate::services::{Services, devices};
use crate::web::{blocking, file_body};

/// Media type of whatever a device stored.
const BYTES: &str = "application/octet-stream";

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

const LOGS: &[Order<LogShape>] = &[
    ("-at", |a, b| (b.at, &b.name).cmp(&(a.at, &a.name))),
    ("name", |a, b| a.name.cmp(&b.name)),
    ("kind", |a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name))),
    ("size", |a, b| (a.size_bytes, &a.name).cmp(&(b.size_bytes, &b.name))),
];

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

/// What is looked for in the logs of a device.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedLines {
    /// A text that a line holds, whatever the letter case.
    #[serde(default)]
    text: String,
    /// The least level: `debug`, `info`, `minor`, `major` or `fatal`. Lines without one are left out then.
    level: Option<String>,
    /// Only logs that came in at or after this time.
    since: Option<Timestamp>,
    /// Only logs that came in before this time.
    until: Option<Timestamp>,
}

/// From when to when.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogSpan {
    /// Only logs that came in at or after this time.
    since: Option<Timestamp>,
    /// Only logs that came in before this time.
    until: Option<Timestamp>,
}

/// From when to when, and whether to try only.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogsToDelete {
    /// Only logs that came in at or after this time.
    since: Option<Timestamp>,
    /// Only logs that came in before this time.
    until: Option<Timestamp>,
    /// Changes nothing and answers how many would go.
    #[serde(default)]
    dry_run: bool,
}

/// Lines that were found in logs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FoundLinesShape {
    /// The lines: of the newest log first, within each in its order.
    pub lines: Vec<FoundLineShape>,
    /// There are more: at most 500 are told.
    pub is_cut: bool,
    /// Logs that were looked through.
    pub logs: usize,
}

/// A line that was found in a log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FoundLineShape {
    /// Name of the log.
    pub log: String,
    /// When the log came in.
    pub at: Timestamp,
    /// Which line of it, counted from 1.
    pub number: usize,
    /// The line.
    pub text: String,
}

/// How many logs went, or would go.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeletedLogsShape {
    /// Logs, core dumps and captures.
    pub deleted: usize,
}

fn span(since: Option<Timestamp>, until: Option<Timestamp>) -> logs::Span {
    (since.unwrap_or(Timestamp::MIN), until.unwrap_or(Timestamp::MAX))
}

/// Looks through the logs of a device for lines.
#[utoipa::path(tag = "devices", params(DevicePath, WantedLines), responses((status = 200, body = FoundLinesShape)))]
#[get("/accounts/{account}/devices/{key}/log-lines")]
pub async fn search_logs(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    wanted: Asked<WantedLines>,
) -> Result<web::Json<FoundLinesShape>, Problem> {
    let key = devices::get(&services, caller.account, &path.key()?)?.device.key.clone();
    let WantedLines { text, level, since, until } = wanted.into_inner();
    let level = match level.as_deref().map(|word| Level::parse(word).ok_or(word)) {
        None => None,
        Some(Ok(level)) => Some(level),
        Some(Err(word)) => {
            return Err(
                FieldErrors::one("level", format!("“{word}” is no level; write debug, info, minor, major or fatal")).into()
            );
        }
    };
    let search = move |services: &Services| {
        logs::search(services, caller.account, &key, span(since, until), &logs::Wanted { text, level })
    };
    let found = blocking::call(&services, search).await?;
    let line =
        |line: logs::FoundLine| FoundLineShape { log: line.log.name, at: line.log.at, number: line.number, text: line.text };
    let lines = found.lines.into_iter().map(line).collect();
    Ok(web::Json(FoundLinesShape { lines, is_cut: found.is_cut, logs: found.logs }))
}

/// Answers the logs of a time in one ZIP archive, each as the device sent it.
#[utoipa::path(tag = "devices", params(DevicePath, LogSpan), responses((status = 200, body = Vec<u8>, content_type = "application/zip")))]
#[get("/accounts/{account}/devices/{key}/log-archive")]
pub async fn read_logs(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    wanted: Asked<LogSpan>,
) -> Result<HttpResponse, Problem> {
    let key = devices::get(&services, caller.account, &path.key()?)?.device.key.clone();
    let (of, wanted) = (key.clone(), span(wanted.since, wanted.until));
    let (file, size) = blocking::call(&services, move |services| logs::archive(services, caller.account, &of, wanted)).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{key}-logs.zip\"")))
        .body(file_body::of(file, size)))
}

/// Deletes one log of a device.
#[utoipa::path(tag = "devices", params(FilePath, DryRun), responses((status = 200, body = DeletedLogsShape)))]
#[delete("/accounts/{account}/devices/{key}/logs/{name}")]
pub async fn delete_log(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<FilePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<DeletedLogsShape>, Problem> {
    let (key, name, mode) = (path.key()?, path.into_inner().name, dry_run.mode());
    let which = logs::Which::One(name);
    let delete = move |services: &Services| logs::delete(services, &caller.actor, caller.account, &key, &which, mode);
    Ok(web::Json(DeletedLogsShape { deleted: blocking::call(&services, delete).await? }))
}

/// Deletes the logs of a device that came in within a time; without one all of them.
#[utoipa::path(tag = "devices", params(DevicePath, LogsToDelete), responses((status = 200, body = DeletedLogsShape)))]
#[delete("/accounts/{account}/devices/{key}/logs")]
pub async fn delete_logs(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    wanted: Asked<LogsToDelete>,
) -> Result<web::Json<DeletedLogsShape>, Problem> {
    let key = devices::get(&services, caller.account, &path.key()?)?.device.key.clone();
    let LogsToDelete { since, until, dry_run } = wanted.into_inner();
    let which = if since.is_none() && until.is_none() { logs::Which::All } else { logs::Which::Between(span(since, until)) };
    let mode = body::mode(dry_run);
    let delete = move |services: &Services| logs::delete(services, &caller.actor, caller.account, &key, &which, mode);
    Ok(web::Json(DeletedLogsShape { deleted: blocking::call(&services, delete).await? }))
}
