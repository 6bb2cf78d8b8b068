//! Which profiles are attached to all devices and to single ones, in order.

use actix_web::{get, put, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::deployment::Place;
use crate::domain::ids::{AccountId, ProfileId};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::deployment::{self, Target};
use crate::web::blocking;

/// The profiles of one place or device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AttachedShape {
    /// Profiles, highest first.
    pub profiles: Vec<AttachedProfile>,
    /// The same as numbers alone: what to send back as `shown` with a change.
    pub shown: Vec<u64>,
    /// What phones will make of these profiles together that may not be meant, with what to do about it.
    pub warnings: Vec<String>,
}

/// One attached profile.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AttachedProfile {
    /// Key.
    pub id: u64,
    /// Name.
    pub name: String,
}

/// Profiles to attach in place of those that are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// Profiles, highest first.
    profiles: Vec<u64>,
    /// The list that the change was made from, as it was answered; a conflict where it is no longer that.
    shown: Vec<u64>,
}

/// Shows the profiles attached to all devices.
#[utoipa::path(tag = "deployment", params(AccountPath), responses((status = 200, body = AttachedShape)))]
#[get("/accounts/{account}/deployment/global")]
pub async fn show_global(caller: Caller, services: web::Data<Services>) -> Result<web::Json<AttachedShape>, Problem> {
    show(&caller, &services, &Target::Place(Place::Global))
}

/// Sets the profiles attached to all devices.
#[utoipa::path(tag = "deployment", params(AccountPath, DryRun), request_body = NewOrder, responses((status = 200, body = AttachedShape)))]
#[put("/accounts/{account}/deployment/global")]
pub async fn set_global(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    order: Sent<NewOrder>,
) -> Result<web::Json<AttachedShape>, Problem> {
    set(caller, services, Target::Place(Place::Global), order.into_inner(), dry_run.mode()).await
}

/// Shows the profiles attached to a device itself.
#[utoipa::path(tag = "deployment", params(DevicePath), responses((status = 200, body = AttachedShape)))]
#[get("/accounts/{account}/deployment/devices/{key}")]
pub async fn show_of_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
) -> Result<web::Json<AttachedShape>, Problem> {
    show(&caller, &services, &Target::Device(path.key()?))
}

/// Sets the profiles attached to a device itself.
#[utoipa::path(tag = "deployment", params(DevicePath, DryRun), request_body = NewOrder, responses((status = 200, body = AttachedShape)))]
#[put("/accounts/{account}/deployment/devices/{key}")]
pub async fn set_of_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
    order: Sent<NewOrder>,
) -> Result<web::Json<AttachedShape>, Problem> {
    set(caller, services, Target::Device(path.key()?), order.into_inner(), dry_run.mode()).await
}

fn show(caller: &Caller, services: &Services, target: &Target) -> Result<web::Json<AttachedShape>, Problem> {
    let attached = deployment::of(services, caller.account, target)?;
    shape(services, caller.account, attached)
}

async fn set(
    caller: Caller,
    services: web::Data<Services>,
    target: Target,
    order: NewOrder,
    mode: Mode,
) -> Result<web::Json<AttachedShape>, Problem> {
    let ids = |numbers: Vec<u64>| numbers.into_iter().map(ProfileId).collect::<Vec<_>>();
    let (profiles, shown) = (ids(order.profiles), ids(order.shown));
    let work = move |services: &Services| {
        deployment::set(services, &caller.actor, caller.account, &target, Some(&shown), profiles, mode)
    };
    let attached = blocking::call(&services, work).await?;
    shape(&services, caller.account, attached)
}

fn shape(services: &Services, account: AccountId, attached: Vec<ProfileId>) -> Result<web::Json<AttachedShape>, Problem> {
    let world = services.world(account)?;
    let name = |id: &ProfileId| world.profile(*id).map(|profile| profile.name.to_string()).unwrap_or_default();
    let profiles = attached.iter().map(|id| AttachedProfile { id: id.0, name: name(id) }).collect();
    let warnings = deployment::warnings(&world, &attached).iter().map(ToString::to_string).collect();
    Ok(web::Json(AttachedShape { profiles, shown: attached.iter().map(|id| id.0).collect(), warnings }))
}
