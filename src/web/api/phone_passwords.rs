//! The admin passwords of phones, also of devices that were deleted lately.

use actix_web::{get, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::Asked;
use crate::services::Services;
use crate::services::phone_passwords::{self, Reveal};
use crate::web::blocking;

/// The admin password of a phone.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PhonePasswordShape {
    /// MAC or serial number.
    pub key: String,
    /// Password; absent in a dry run, because nobody notes that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A device that was deleted lately.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeletedShape {
    /// MAC or serial number.
    pub key: String,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

async fn tell(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
    reveal: Reveal,
) -> Result<web::Json<PhonePasswordShape>, Problem> {
    let (key, mode) = (path.key()?, dry_run.mode());
    let named = key.to_string();
    let reveal = move |services: &Services| reveal(services, &caller.actor, caller.account, &key, mode);
    let password = blocking::call(&services, reveal).await?;
    Ok(web::Json(PhonePasswordShape { key: named, password: password.map(|password| password.expose().to_owned()) }))
}

/// Tells the admin password that a device's phone was given, and notes in the activity log that it was told.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), responses((status = 200, body = PhonePasswordShape)))]
#[post("/accounts/{account}/devices/{key}/reveal")]
pub async fn reveal_phone_password(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<PhonePasswordShape>, Problem> {
    tell(caller, services, path, dry_run, phone_passwords::reveal).await
}

const DELETED: &[Order<DeletedShape>] =
    &[("-deleted_at", |a, b| (b.deleted_at, &a.key).cmp(&(a.deleted_at, &b.key))), ("key", |a, b| a.key.cmp(&b.key))];

/// Lists the devices that were deleted in the last 90 days; sorts by `deleted_at` or `key`.
#[utoipa::path(tag = "devices", params(AccountPath, Narrow), responses((status = 200, body = List<DeletedShape>)))]
#[get("/accounts/{account}/deleted")]
pub async fn list_deleted(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<DeletedShape>>, Problem> {
    let all = phone_passwords::deleted(&services, caller.account).into_iter();
    let all = all.map(|(key, deleted_at)| DeletedShape { key: key.to_string(), deleted_at }).collect();
    Ok(web::Json(narrowed(all, &asked, |one: &DeletedShape| vec![one.key.clone()], DELETED)?))
}

/// Tells the admin password of a phone whose device was deleted in the last 90 days, and notes that in the activity log.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), responses((status = 200, body = PhonePasswordShape)))]
#[post("/accounts/{account}/deleted/{key}/reveal")]
pub async fn reveal_deleted(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<PhonePasswordShape>, Problem> {
    tell(caller, services, path, dry_run, phone_passwords::reveal_deleted).await
}
