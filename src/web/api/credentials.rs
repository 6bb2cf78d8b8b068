//! The shared credentials: who comes with what, and the end of the former ones. They are changed with the account's settings.

use actix_web::{delete, get, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::device_shapes::DeviceShape;
use super::list::{List, Narrow, Order, narrowed};
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::admission::decide::Rules;
use crate::services::Services;
use crate::services::shared_credentials;
use crate::web::blocking;

/// How many devices come with what.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CredentialsShape {
    /// User name of the shared credentials.
    pub user: String,
    /// All devices.
    pub devices: usize,
    /// Those that only their own credentials open.
    pub bound: usize,
    /// Those that come with their own credentials, the bound ones among them.
    pub with_own: usize,
    /// Those that come with the shared credentials.
    pub with_shared: usize,
    /// Those that come with the former ones.
    pub with_former: usize,
    /// The former ones, while they count.
    pub former: Option<FormerShape>,
}

/// Shared credentials that are replaced as planned.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FormerShape {
    /// User name.
    pub user: String,
    /// When they were replaced.
    pub replaced_at: Timestamp,
    /// Until when phones that are not known may use them.
    pub unknown_until: Option<Timestamp>,
}

/// Tells how many devices come with the shared credentials, the former ones and their own.
#[utoipa::path(tag = "settings", params(AccountPath), responses((status = 200, body = CredentialsShape)))]
#[get("/accounts/{account}/credentials")]
pub async fn show_credentials(caller: Caller, services: web::Data<Services>) -> Result<web::Json<CredentialsShape>, Problem> {
    let world = services.world(caller.account)?;
    let usage = shared_credentials::usage(&services, caller.account)?;
    let unknown_until = Rules::of(&world.account).former_until;
    let former = world.account.provisioning.former.as_ref();
    Ok(web::Json(CredentialsShape {
        user: world.account.provisioning.user.clone(),
        devices: usage.total,
        bound: usage.bound,
        with_own: usage.own,
        with_shared: usage.shared,
        with_former: usage.former,
        former: former.map(|one| FormerShape { user: one.user.clone(), replaced_at: one.replaced_at, unknown_until }),
    }))
}

const DEVICES: &[Order<DeviceShape>] = &[
    ("name", |a, b| (name(a), &a.key).cmp(&(name(b), &b.key))),
    ("key", |a, b| a.key.cmp(&b.key)),
    ("last_seen", |a, b| (a.last_seen, &a.key).cmp(&(b.last_seen, &b.key))),
];

/// Its name, else its key.
fn name(one: &DeviceShape) -> String {
    one.name.as_ref().unwrap_or(&one.key).to_lowercase()
}

/// Lists the devices that still come with the former shared credentials; sorts by `name`, `key` or `last_seen`.
#[utoipa::path(tag = "settings", params(AccountPath, Narrow), responses((status = 200, body = List<DeviceShape>)))]
#[get("/accounts/{account}/credentials/former")]
pub async fn list_users_of_former(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<DeviceShape>>, Problem> {
    let now = services.clock().now();
    let users = shared_credentials::users_of_former(&services, caller.account)?;
    let trusts = services.trusts(caller.account);
    let all = users.iter().map(|listed| DeviceShape::new(listed, &trusts.of(&listed.device.key), now)).collect();
    let texts = |one: &DeviceShape| vec![one.key.clone(), one.name.clone().unwrap_or_default()];
    Ok(web::Json(narrowed(all, &asked, texts, DEVICES)?))
}

/// What ended.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EndedShape {
    /// Known devices that still came with the former shared credentials.
    pub devices: usize,
}

/// Ends the former shared credentials now.
#[utoipa::path(tag = "settings", params(AccountPath, DryRun), responses((status = 200, body = EndedShape)))]
#[delete("/accounts/{account}/credentials/former")]
pub async fn end_former(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<EndedShape>, Problem> {
    let mode = dry_run.mode();
    let end = move |services: &Services| shared_credentials::end_former(services, &caller.actor, caller.account, None, mode);
    Ok(web::Json(EndedShape { devices: blocking::call(&services, end).await? }))
}
