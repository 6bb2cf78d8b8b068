//! Deleting devices, and the keys that are held afterwards.

use std::collections::BTreeSet;

use actix_web::{delete, get, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{self, Amount, DryRun};
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::matching::{Chosen, Matching, chosen};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::device::{Block, DeviceKey};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::AccountId;
use crate::services::Services;
use crate::services::devices::{self, Afterwards, Cascade};
use crate::services::error::ServiceError;
use crate::services::lists::{self, Asked as ListAsked};
use crate::web::blocking;

/// What becomes of a deleted device's key.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Removal {
    /// `forget`: it may come back as a new device. `block`: it is held until somebody unblocks it.
    removal: AfterwardsWord,
    /// Changes nothing and answers what would go.
    #[serde(default)]
    dry_run: bool,
}

/// `forget` or `block`.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AfterwardsWord {
    /// It may come back as a new device.
    Forget,
    /// It is held until somebody unblocks it.
    Block,
}

impl From<AfterwardsWord> for Afterwards {
    fn from(word: AfterwardsWord) -> Self {
        match word {
            AfterwardsWord::Forget => Self::Forget,
            AfterwardsWord::Block => Self::Block,
        }
    }
}

/// What went, or would go, with a device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CascadeShape {
    /// MAC or serial number.
    pub key: String,
    /// Its name, else its key.
    pub device: String,
    /// Profiles that were attached to it; they stay.
    pub detached_profiles: Vec<String>,
    /// Its profile from a device CSV, which went with it.
    pub own_profile: Option<String>,
    /// The profile that was made for its lines, which went with it: it was attached nowhere else.
    pub lines_profile: Option<String>,
    /// Files that it kept here.
    pub files: Vec<String>,
    /// Stored logs.
    pub logs: usize,
    /// Recorded runs.
    pub runs: usize,
}

impl From<Cascade> for CascadeShape {
    fn from(gone: Cascade) -> Self {
        let Cascade { key, label, detached_profiles, own_profile, lines_profile, files, logs, runs } = gone;
        Self { key: key.to_string(), device: label, detached_profiles, own_profile, lines_profile, files, logs, runs }
    }
}

/// Devices to delete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceSelection {
    /// MACs or serial numbers.
    keys: Option<Vec<String>>,
    /// All that the list finds, in place of these.
    #[serde(default)]
    matching: Option<Matching>,
    /// What becomes of them.
    removal: AfterwardsWord,
}

/// A key that is held.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BlockedShape {
    /// MAC or serial number.
    pub key: String,
    /// Name that the device had.
    pub name: String,
    /// When it was deleted and blocked.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

impl From<(DeviceKey, Block)> for BlockedShape {
    fn from((key, Block { at, by, name, .. }): (DeviceKey, Block)) -> Self {
        Self { key: key.to_string(), name, at, by }
    }
}

/// Deletes a device with everything that is kept of it.
#[utoipa::path(tag = "devices", params(DevicePath, Removal), responses((status = 200, body = CascadeShape)))]
#[delete("/accounts/{account}/devices/{key}")]
pub async fn delete_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    removal: Asked<Removal>,
) -> Result<web::Json<CascadeShape>, Problem> {
    let key = path.key()?;
    let (afterwards, mode) = (removal.removal.into(), body::mode(removal.dry_run));
    let work = move |services: &Services| devices::delete(services, &caller.actor, caller.account, &key, afterwards, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Deletes several devices with everything that is kept of them: all or none.
#[utoipa::path(tag = "devices", params(AccountPath, DryRun), request_body = DeviceSelection, responses((status = 200, body = List<CascadeShape>)))]
#[post("/accounts/{account}/devices/delete")]
pub async fn delete_devices(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<DeviceSelection>,
) -> Result<web::Json<List<CascadeShape>>, Problem> {
    let DeviceSelection { keys, matching, removal } = sent.into_inner();
    let roster = services.roster(caller.account);
    let known = |text: &String| match text.parse::<DeviceKey>() {
        Ok(key) if roster.find(&key).is_some() => Ok(key),
        _ => Err(FieldErrors::one("key", format_args!("there is no device “{text}”"))),
    };
    let keys: BTreeSet<DeviceKey> = match chosen("keys", keys, matching)? {
        Chosen::Named(keys) => {
            Amount::Many.parse_all(&keys, known).map_err(|wrong| Problem::items("keys", &wrong))?.into_iter().collect()
        }
        Chosen::All(matching) => matching.keys(&lists::devices::LISTING, |asked| found(&services, caller.account, asked))?,
    };
    let (afterwards, mode) = (removal.into(), dry_run.mode());
    let work = move |services: &Services| devices::delete_all(services, &caller.actor, caller.account, &keys, afterwards, mode);
    let gone = blocking::call(&services, work).await?;
    Ok(web::Json(List::whole(gone.what.into_iter().map(CascadeShape::from).collect())))
}

/// The keys of the devices that a list finds.
pub(super) fn found(services: &Services, account: AccountId, asked: &ListAsked) -> Result<Vec<DeviceKey>, ServiceError> {
    let found = lists::devices::list(services, account, asked)?;
    Ok(found.iter().map(|one| one.device.key.clone()).collect())
}

const BLOCKED: &[Order<BlockedShape>] = &[
    ("key", |a, b| a.key.cmp(&b.key)),
    ("name", |a, b| (&a.name, &a.key).cmp(&(&b.name, &b.key))),
    ("at", |a, b| (a.at, &a.key).cmp(&(b.at, &b.key))),
    ("by", |a, b| (a.by.to_lowercase(), &a.key).cmp(&(b.by.to_lowercase(), &b.key))),
];

/// Lists the keys that are held because their devices were deleted with *block*; sorts by `key`, `name`, `at` or `by`.
#[utoipa::path(tag = "devices", params(AccountPath, Narrow), responses((status = 200, body = List<BlockedShape>)))]
#[get("/accounts/{account}/blocked")]
pub async fn list_blocked(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<BlockedShape>>, Problem> {
    let blocked = blocking::call(&services, move |services| devices::blocked(services, caller.account)).await?;
    let all = blocked.into_iter().map(BlockedShape::from).collect();
    let texts = |one: &BlockedShape| vec![one.key.clone(), one.name.clone(), one.by.clone()];
    Ok(web::Json(narrowed(all, &asked, texts, BLOCKED)?))
}

/// Lets a blocked key come back as a new device; answers what held it.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), responses((status = 200, body = BlockedShape)))]
#[delete("/accounts/{account}/blocked/{key}")]
pub async fn unblock_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<BlockedShape>, Problem> {
    let (key, mode) = (path.key()?, dry_run.mode());
    let work = move |services: &Services| {
        let block = devices::unblock(services, &caller.actor, caller.account, &key, mode)?;
        Ok((key, block))
    };
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}
