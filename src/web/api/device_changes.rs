//! Adding, editing and deleting devices, and the keys that are held after a deletion.

use std::sync::Arc;

use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{self, DryRun, OneOrMany, created, present};
use super::caller::Caller;
use super::device_shapes::DeviceShape;
use super::list::List;
use super::paths::{AccountPath, DevicePath};
use super::problem::{Problem, Problems};
use crate::domain::device::draft::{DeviceDraft, DeviceEdit, DeviceInput};
use crate::domain::device::{Block, Device, DeviceKey};
use crate::domain::device_list::Listed;
use crate::domain::ids::{AccountId, ProfileId};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::devices::{self, Afterwards, Cascade};
use crate::web::blocking;

/// A device to add.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// MAC in any usual notation, or serial number.
    #[schema(example = "00:04:f2:ab:cd:ef")]
    key: String,
    /// Name shown here.
    name: Option<String>,
    /// Name sent to the device, for types that take one.
    sent_name: Option<String>,
    /// Free text.
    description: Option<String>,
    /// Device type; recognised at first contact where it is left out.
    family: Option<String>,
    /// Model; recognised at first contact where it is left out.
    model: Option<String>,
    /// Private address.
    private_ip: Option<String>,
    /// Profiles to attach to the device, highest first.
    #[serde(default)]
    profiles: Vec<u64>,
}

impl NewDevice {
    fn input(&self) -> DeviceInput {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        DeviceInput {
            key: self.key.clone(),
            name: text(&self.name),
            sent_name: text(&self.sent_name),
            description: text(&self.description),
            family: text(&self.family),
            model: text(&self.model),
            private_ip: text(&self.private_ip),
            profiles: self.profiles.iter().copied().map(ProfileId).collect(),
        }
    }
}

/// Changes of a device. What is absent stays with PATCH and is cleared with PUT; `null` clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceChanges {
    /// The revision that the change was made from.
    revision: u64,
    /// Name shown here.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// Name sent to the device, for types that take one.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    sent_name: Option<Option<String>>,
    /// Free text.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// Private address.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    private_ip: Option<Option<String>>,
}

impl DeviceChanges {
    /// The fields after the change; `before` are those that stay where nothing is said.
    fn input(self, before: DeviceInput) -> DeviceInput {
        let text = |change: Option<Option<String>>, before| change.map_or(before, Option::unwrap_or_default);
        DeviceInput {
            name: text(self.name, before.name),
            sent_name: text(self.sent_name, before.sent_name),
            description: text(self.description, before.description),
            private_ip: text(self.private_ip, before.private_ip),
            ..DeviceInput::default()
        }
    }
}

/// The fields of a device as somebody would have typed them.
fn typed(device: &Device) -> DeviceInput {
    DeviceInput {
        name: device.name.as_ref().map(ToString::to_string).unwrap_or_default(),
        sent_name: device.sent_name.as_ref().map(ToString::to_string).unwrap_or_default(),
        description: device.description.clone(),
        private_ip: device.private_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        ..DeviceInput::default()
    }
}

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

/// What went, or would go, with a device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CascadeShape {
    /// Its name, else its key.
    pub device: String,
    /// Profiles that were attached to it; they stay.
    pub detached_profiles: Vec<String>,
    /// Files that it kept here.
    pub files: Vec<String>,
    /// Stored logs.
    pub logs: usize,
    /// Recorded runs.
    pub runs: usize,
}

impl From<Cascade> for CascadeShape {
    fn from(Cascade { label, detached_profiles, files, logs, runs }: Cascade) -> Self {
        Self { device: label, detached_profiles, files, logs, runs }
    }
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
    fn from((key, Block { at, by, name }): (DeviceKey, Block)) -> Self {
        Self { key: key.to_string(), name, at, by }
    }
}

/// Adds a device, or all of an array or none.
#[utoipa::path(tag = "devices", params(AccountPath, DryRun), request_body = OneOrMany<NewDevice>, responses((status = 201, body = OneOrMany<DeviceShape>), (status = 200, description = "A dry run", body = OneOrMany<DeviceShape>), Problems))]
#[post("/accounts/{account}/devices")]
pub async fn add_devices(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: web::Query<DryRun>,
    sent: web::Json<OneOrMany<NewDevice>>,
) -> Result<HttpResponse, Problem> {
    let (amount, inputs) = sent.into_inner().into_list();
    let world = services.world(caller.account)?;
    let drafts = amount.parse_all(&inputs, |new| DeviceDraft::parse(&new.input(), world.models))?;
    let mode = dry_run.mode();
    let add = move |services: &Services| devices::create(services, &caller.actor, caller.account, drafts, mode);
    let made = blocking::call(&services, add).await?;
    let shapes = made.into_iter().map(|device| shape(&services, caller.account, device)).collect();
    Ok(HttpResponse::build(created(mode)).json(amount.shape(shapes)))
}

/// Changes the fields that are sent.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), request_body = DeviceChanges, responses((status = 200, body = DeviceShape), Problems))]
#[patch("/accounts/{account}/devices/{key}")]
pub async fn change_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: web::Query<DryRun>,
    changes: web::Json<DeviceChanges>,
) -> Result<web::Json<DeviceShape>, Problem> {
    let device = devices::get(&services, caller.account, &path.key()?)?.device;
    let before = typed(&device);
    update(caller, services, device, changes.into_inner(), before, dry_run.mode()).await
}

/// Sets all fields that can be edited; what is not sent is cleared.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), request_body = DeviceChanges, responses((status = 200, body = DeviceShape), Problems))]
#[put("/accounts/{account}/devices/{key}")]
pub async fn replace_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: web::Query<DryRun>,
    changes: web::Json<DeviceChanges>,
) -> Result<web::Json<DeviceShape>, Problem> {
    let device = devices::get(&services, caller.account, &path.key()?)?.device;
    update(caller, services, device, changes.into_inner(), DeviceInput::default(), dry_run.mode()).await
}

async fn update(
    caller: Caller,
    services: web::Data<Services>,
    device: Arc<Device>,
    changes: DeviceChanges,
    before: DeviceInput,
    mode: Mode,
) -> Result<web::Json<DeviceShape>, Problem> {
    let family = device.family.as_deref().and_then(|name| services.world(caller.account).ok()?.models.family(name));
    let revision = changes.revision;
    let edit = DeviceEdit::parse(&changes.input(before), family)?;
    let work =
        move |services: &Services| devices::update(services, &caller.actor, caller.account, &device.key, revision, edit, mode);
    let changed = blocking::call(&services, work).await?;
    Ok(web::Json(shape(&services, caller.account, changed)))
}

/// Deletes a device with everything that is kept of it.
#[utoipa::path(tag = "devices", params(DevicePath, Removal), responses((status = 200, body = CascadeShape), Problems))]
#[delete("/accounts/{account}/devices/{key}")]
pub async fn delete_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    removal: web::Query<Removal>,
) -> Result<web::Json<CascadeShape>, Problem> {
    let key = path.key()?;
    let afterwards = match removal.removal {
        AfterwardsWord::Forget => Afterwards::Forget,
        AfterwardsWord::Block => Afterwards::Block,
    };
    let mode = body::mode(removal.dry_run);
    let work = move |services: &Services| devices::delete(services, &caller.actor, caller.account, &key, afterwards, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Lists the keys that are held because their devices were deleted with *block*.
#[utoipa::path(tag = "devices", params(AccountPath), responses((status = 200, body = List<BlockedShape>), Problems))]
#[get("/accounts/{account}/blocked")]
pub async fn list_blocked(caller: Caller, services: web::Data<Services>) -> Result<web::Json<List<BlockedShape>>, Problem> {
    let blocked = blocking::call(&services, move |services| devices::blocked(services, caller.account)).await?;
    Ok(web::Json(List { total: blocked.len(), items: blocked.into_iter().map(BlockedShape::from).collect() }))
}

/// Lets a blocked key come back as a new device.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), responses((status = 204, description = "It may come back"), Problems))]
#[delete("/accounts/{account}/blocked/{key}")]
pub async fn unblock_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: web::Query<DryRun>,
) -> Result<HttpResponse, Problem> {
    let key = path.key()?;
    let mode = dry_run.mode();
    blocking::call(&services, move |services| devices::unblock(services, &caller.actor, caller.account, &key, mode)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A device as it was just written, with what it had told before.
fn shape(services: &Services, account: AccountId, device: Device) -> DeviceShape {
    let sighting = devices::get(services, account, &device.key).map(|one| one.sighting).unwrap_or_default();
    DeviceShape::new(&Listed { device: Arc::new(device), sighting }, services.clock().now())
}
