//! Why a device has what it has: what it is served, what it keeps itself, and what is left in its flash (R108, R159, contract 5.11).

use super::device_files::{self, OwnFile};
use super::error::ServiceError;
use super::{Services, credentials, flash};
use crate::domain::credential::Recipient;
use crate::domain::device::Device;
use crate::domain::ids::AccountId;
use crate::domain::provision::view::{EffectiveView, explain};
use crate::domain::world::World;

/// The effective configuration of a device with everything that lies over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Every attribute with all its layers.
    pub view: EffectiveView,
    /// Files of settings that the device itself keeps.
    pub own_files: Vec<OwnFile>,
}

/// Explains a device of the inventory.
///
/// # Errors
/// The store or a file of the device could not be read.
pub fn of_device(services: &Services, account: AccountId, device: &Device, world: &World) -> Result<Explained, ServiceError> {
    let own_files = device_files::overrides(services, account, &device.key)?;
    let left = flash::of(services, account, &device.key)?;
    let secrets = credentials::of(services, account, &device.key);
    let channel = credentials::channel_of(services, account, &device.key);
    let view = explain(&Recipient { device, secrets: &secrets, channel }, world).with_flash(&left);
    let view = own_files.iter().fold(view, |view, own| view.with_overrides(own.kind, own.at, &own.parameters));
    Ok(Explained { view, own_files })
}

/// Explains what a device would get that is not there: nothing lies over it.
pub fn of_imagined(services: &Services, account: AccountId, device: &Device, world: &World) -> EffectiveView {
    let secrets = credentials::of(services, account, &device.key);
    explain(&Recipient::over_tls(device, &secrets), world)
}
