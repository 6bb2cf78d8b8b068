//! Adding and editing devices. [`super::device_deletion`] removes them.

use std::sync::Arc;

use actix_web::{HttpResponse, patch, post, put, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{DryRun, OneOrMany, created, present};
use super::caller::Caller;
use super::device_shapes::DeviceShape;
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::device::Device;
use crate::domain::device::draft::{DeviceDraft, DeviceEdit, DeviceInput};
use crate::domain::device_list::Listed;
use crate::domain::ids::{AccountId, GroupId, ProfileId};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::devices;
use crate::web::blocking;

/// A device to add.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// MAC in any usual notation, or serial number.
    #[schema(example = "00:04:f2:ab:cd:ef")]
    key: String,
    /// MAC of a device that goes by its serial number, in any usual notation.
    mac: Option<String>,
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
    /// Number of the site that it is pinned to; where it is left out, its addresses say.
    pin: Option<u64>,
    /// Profiles to attach to the device, highest first.
    #[serde(default)]
    profiles: Vec<u64>,
    /// Device groups to join, highest first.
    #[serde(default)]
    groups: Vec<u64>,
}

impl NewDevice {
    fn input(&self) -> DeviceInput {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        DeviceInput {
            key: self.key.clone(),
            mac: text(&self.mac),
            name: text(&self.name),
            sent_name: text(&self.sent_name),
            description: text(&self.description),
            family: text(&self.family),
            model: text(&self.model),
            private_ip: text(&self.private_ip),
            pin: self.pin.map(|id| id.to_string()).unwrap_or_default(),
            profiles: self.profiles.iter().copied().map(ProfileId).collect(),
            groups: self.groups.iter().copied().map(GroupId).collect(),
        }
    }
}

/// Changes of a device. What is absent stays with PATCH and is cleared with PUT; `null` clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceChanges {
    /// The revision that the change was made from.
    revision: u64,
    /// MAC of a device that goes by its serial number, in any usual notation.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    mac: Option<Option<String>>,
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
    /// Number of the site that it is pinned to; cleared, its addresses say where it belongs.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u64>)]
    pin: Option<Option<u64>>,
    /// Device type, for a device that has none yet or never came; what it told itself stays.
    family: Option<String>,
    /// Model, for a device that never came; what it told itself stays.
    model: Option<String>,
}

impl DeviceChanges {
    /// The fields after the change; `before` are those that stay where nothing is said.
    fn input(self, before: DeviceInput) -> DeviceInput {
        let text = |change: Option<Option<String>>, before| change.map_or(before, Option::unwrap_or_default);
        DeviceInput {
            mac: text(self.mac, before.mac),
            name: text(self.name, before.name),
            sent_name: text(self.sent_name, before.sent_name),
            description: text(self.description, before.description),
            private_ip: text(self.private_ip, before.private_ip),
            pin: self.pin.map_or(before.pin, |pin| pin.map(|id| id.to_string()).unwrap_or_default()),
            family: self.family.unwrap_or_default(),
            model: self.model.unwrap_or_default(),
            ..DeviceInput::default()
        }
    }
}

/// The fields of a device as somebody would have typed them.
fn typed(device: &Device) -> DeviceInput {
    DeviceInput {
        mac: device.mac.map(|mac| mac.to_string()).unwrap_or_default(),
        name: device.name.as_ref().map(ToString::to_string).unwrap_or_default(),
        sent_name: device.sent_name.as_ref().map(ToString::to_string).unwrap_or_default(),
        description: device.description.clone(),
        private_ip: device.private_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        pin: device.pin_id().map(|id| id.to_string()).unwrap_or_default(),
        ..DeviceInput::default()
    }
}

/// Adds a device, or all of an array or none.
#[utoipa::path(tag = "devices", params(AccountPath, DryRun), request_body = OneOrMany<NewDevice>, responses((status = 201, body = OneOrMany<DeviceShape>), (status = 200, description = "A dry run", body = OneOrMany<DeviceShape>)))]
#[post("/accounts/{account}/devices")]
pub async fn add_devices(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<OneOrMany<NewDevice>>,
) -> Result<HttpResponse, Problem> {
    let (amount, inputs) = sent.into_inner().into_list();
    let world = services.world(caller.account)?;
    let drafts = amount.parse_all(&inputs, |new| DeviceDraft::parse(&new.input(), world.models))?;
    let mode = dry_run.mode();
    let add = move |services: &Services| devices::create(services, &caller.actor, caller.account, drafts, mode);
    let made = blocking::call(&services, add).await.map_err(|error| amount.placed(error))?;
    let shapes = made.into_iter().map(|device| shape(&services, caller.account, device)).collect();
    Ok(HttpResponse::build(created(mode)).json(amount.shape(shapes)))
}

/// Changes the fields that are sent.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), request_body = DeviceChanges, responses((status = 200, body = DeviceShape)))]
#[patch("/accounts/{account}/devices/{key}")]
pub async fn change_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
    changes: Sent<DeviceChanges>,
) -> Result<web::Json<DeviceShape>, Problem> {
    let device = devices::get(&services, caller.account, &path.key()?)?;
    let before = typed(&device.device);
    update(caller, services, device, changes.into_inner(), before, dry_run.mode()).await
}

/// Sets all fields that can be edited; what is not sent is cleared.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), request_body = DeviceChanges, responses((status = 200, body = DeviceShape)))]
#[put("/accounts/{account}/devices/{key}")]
pub async fn replace_device(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
    changes: Sent<DeviceChanges>,
) -> Result<web::Json<DeviceShape>, Problem> {
    let device = devices::get(&services, caller.account, &path.key()?)?;
    update(caller, services, device, changes.into_inner(), DeviceInput::default(), dry_run.mode()).await
}

async fn update(
    caller: Caller,
    services: web::Data<Services>,
    known: Listed,
    changes: DeviceChanges,
    before: DeviceInput,
    mode: Mode,
) -> Result<web::Json<DeviceShape>, Problem> {
    let models = services.world(caller.account)?.models;
    let revision = changes.revision;
    let (has_come, device) = (known.has_come(), known.device);
    let edit = DeviceEdit::parse(&changes.input(before), &device, has_come, models)?;
    let work =
        move |services: &Services| devices::update(services, &caller.actor, caller.account, &device.key, revision, edit, mode);
    let changed = blocking::call(&services, work).await?;
    Ok(web::Json(shape(&services, caller.account, changed)))
}

/// A device as it was just written, with what it had told before.
fn shape(services: &Services, account: AccountId, device: Device) -> DeviceShape {
    let sighting = devices::get(services, account, &device.key).map(|one| one.sighting).unwrap_or_default();
    let trust = services.trusts(account).of(&device.key);
    DeviceShape::new(&Listed { device: Arc::new(device), sighting }, &trust, services.clock().now())
}
