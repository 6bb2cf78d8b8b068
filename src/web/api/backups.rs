//! Backups that the server keeps, and the plan by which they are made.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, delete, get, post, put, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{DryRun, created};
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::account::Secret;
use crate::domain::backup_plan::{BackupPlan, PlanInput};
use crate::services::Services;
use crate::services::backup::Manifest;
use crate::services::backup::kept::{self, Kept};
use crate::web::{blocking, file_body};

/// A kept backup.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BackupShape {
    /// Its name.
    #[schema(example = "pdms-20261122T020000Z.backup")]
    pub name: String,
    /// When it was made.
    pub at: Timestamp,
    /// Whether the plan made it: then it goes when `keep` newer ones of the plan are there. Others stay until they are deleted.
    pub planned: bool,
    /// Bytes.
    pub size_bytes: u64,
    /// Whether it needs a passphrase.
    pub encrypted: bool,
}

impl From<Kept> for BackupShape {
    fn from(Kept { name, at, is_planned: planned, size_bytes, encrypted }: Kept) -> Self {
        Self { name, at, planned, size_bytes, encrypted }
    }
}

/// What a backup holds whose every byte was checked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct VerifiedShape {
    /// The moment that it shows.
    pub made_at: Timestamp,
    /// Version of pdms that made it.
    pub version: String,
    /// Version of its database.
    pub schema: u32,
    /// Host name of the server.
    pub public_name: Option<String>,
    /// How many devices it holds.
    pub devices: u64,
    /// Bytes of all that it holds.
    pub size_bytes: u64,
}

impl From<Manifest> for VerifiedShape {
    fn from(manifest: Manifest) -> Self {
        let (devices, size_bytes) = (manifest.devices(), manifest.size_bytes());
        let Manifest { made_at, version, schema, public_name, .. } = manifest;
        Self { made_at, version, schema, public_name, devices, size_bytes }
    }
}

/// The plan.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PlanShape {
    /// `never`, `day`, or `week` for Sundays.
    pub every: String,
    /// Hour, 0 to 23, where the account is.
    pub hour: i8,
    /// How many of those that the plan made are kept; the others stay until they are deleted.
    pub keep: u16,
    /// Absolute folder of the server's machine; absent for the one in the state directory.
    pub folder: Option<String>,
    /// Whether backups are encrypted.
    pub encrypted: bool,
    /// Counts changes; send it back with a change.
    pub revision: u64,
}

impl From<BackupPlan> for PlanShape {
    fn from(plan: BackupPlan) -> Self {
        let encrypted = plan.passphrase.is_some();
        let BackupPlan { every, hour, keep, folder, revision, .. } = plan;
        Self { every: every.word().to_owned(), hour, keep, folder, encrypted, revision }
    }
}

/// Another plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlan {
    /// The revision that the change was made from.
    revision: u64,
    /// `never`, `day`, or `week` for Sundays.
    every: String,
    /// Hour, 0 to 23, where the account is.
    hour: i8,
    /// How many of those that the plan made are kept; the others stay until they are deleted.
    keep: u16,
    /// Absolute folder of the server's machine, outside the state directory; absent for the folder `backups` in that.
    folder: Option<String>,
    /// Whether backups are encrypted.
    encrypted: bool,
    /// A new passphrase; absent to leave the one that is set.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    passphrase: Secret,
}

/// A kept backup in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BackupPath {
    /// Its name.
    #[param(example = "pdms-20261122T020000Z.backup")]
    name: String,
}

const BACKUPS: &[Order<BackupShape>] =
    &[("-at", |a, b| b.at.cmp(&a.at)), ("size", |a, b| (a.size_bytes, a.at).cmp(&(b.size_bytes, b.at)))];

/// Lists the kept backups, newest first; sorts by `at` or `size`.
#[utoipa::path(tag = "server", params(Narrow), responses((status = 200, body = List<BackupShape>)))]
#[get("/server/backups")]
pub async fn list_backups(
    _: Caller,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<BackupShape>>, Problem> {
    let all = blocking::call(&services, kept::list).await?.into_iter().map(BackupShape::from).collect();
    Ok(web::Json(narrowed(all, &asked, |one| vec![one.name.clone()], BACKUPS)?))
}

/// Makes a backup now, by the passphrase of the plan, and checks it. It stays until it is deleted; a dry run does not know its size.
#[utoipa::path(tag = "server", params(DryRun), responses((status = 201, body = BackupShape), (status = 200, description = "A dry run", body = BackupShape)))]
#[post("/server/backups")]
pub async fn make_backup(caller: Caller, services: web::Data<Services>, dry_run: Asked<DryRun>) -> Result<HttpResponse, Problem> {
    let mode = dry_run.mode();
    let made = blocking::call(&services, move |services| kept::make(services, &caller.actor, mode)).await?;
    Ok(HttpResponse::build(created(mode)).json(BackupShape::from(made)))
}

/// Answers a kept backup. Without a passphrase it opens every secret of the installation.
#[utoipa::path(tag = "server", params(BackupPath), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
#[get("/server/backups/{name}")]
pub async fn read_backup(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<BackupPath>,
) -> Result<HttpResponse, Problem> {
    let name = path.into_inner().name;
    let asked = name.clone();
    let (file, size) = blocking::call(&services, move |services| kept::hand_out(services, &caller.actor, &asked)).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(file_body::of(file, size)))
}

/// Checks every byte of a kept backup.
#[utoipa::path(tag = "server", params(BackupPath), responses((status = 200, body = VerifiedShape)))]
#[get("/server/backups/{name}/verified")]
pub async fn verify_backup(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<BackupPath>,
) -> Result<web::Json<VerifiedShape>, Problem> {
    let name = path.into_inner().name;
    let manifest = blocking::call(&services, move |services| kept::verify_kept(services, &caller.actor, &name)).await?;
    Ok(web::Json(manifest.into()))
}

/// Deletes a kept backup and answers which.
#[utoipa::path(tag = "server", params(BackupPath, DryRun), responses((status = 200, body = BackupShape)))]
#[delete("/server/backups/{name}")]
pub async fn delete_backup(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<BackupPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<BackupShape>, Problem> {
    let (name, mode) = (path.into_inner().name, dry_run.mode());
    let removed = blocking::call(&services, move |services| kept::remove(services, &caller.actor, &name, mode)).await?;
    Ok(web::Json(removed.into()))
}

/// Shows the plan.
#[utoipa::path(tag = "server", responses((status = 200, body = PlanShape)))]
#[get("/server/backup-plan")]
pub async fn show_backup_plan(_: Caller, services: web::Data<Services>) -> Result<web::Json<PlanShape>, Problem> {
    Ok(web::Json(blocking::call(&services, kept::plan).await?.into()))
}

/// Replaces the plan.
#[utoipa::path(tag = "server", params(DryRun), request_body = NewPlan, responses((status = 200, body = PlanShape)))]
#[put("/server/backup-plan")]
pub async fn replace_backup_plan(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    new: Sent<NewPlan>,
) -> Result<web::Json<PlanShape>, Problem> {
    let NewPlan { revision, every, hour, keep, folder, encrypted, passphrase } = new.into_inner();
    let (hour, keep, folder) = (hour.to_string(), keep.to_string(), folder.unwrap_or_default());
    let input = PlanInput { every, hour, keep, folder, encrypt: encrypted, passphrase };
    let mode = dry_run.mode();
    let change = move |services: &Services| kept::set_plan(services, &caller.actor, revision, &input, mode);
    Ok(web::Json(blocking::call(&services, change).await?.into()))
}
