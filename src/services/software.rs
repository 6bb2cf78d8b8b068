//! What devices tell of their software and take of it, and what admins decide about single devices (contract 5.12).
//!
//! Requests leave word in memory; the next presence batch writes it. No request waits for the disk.

mod overview;
mod report;

use std::sync::Arc;

use jiff::Timestamp;

use super::Services;
use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use super::presence::row;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::deployment::applicable;
use crate::domain::device::{Device, DeviceKey, Sighting};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::AccountId;
use crate::domain::limits::PART_NUMBERS_PER_MODEL;
use crate::domain::phone_file::{PhoneFile, PhonePath};
use crate::domain::run::assembly::{Heard, Speaker};
use crate::domain::software::SoftwareVersion;
use crate::domain::software::device::Told;
use crate::domain::software::offer::{self, Offer};
use crate::domain::user_agent::{Program, UserAgent};
use crate::domain::world::World;

pub use overview::{ChosenBy, OfferView, Overview, below_minimum, marks};
pub use report::{Report, Standing, VersionRow};

/// More than the header of an image goes out to a device.
pub fn downloading(services: &Services, account: AccountId, key: &DeviceKey, version: &SoftwareVersion, at: Timestamp) {
    learn(services, account, key, |told, _| told.downloads(version, at));
}

/// A device has all of an image: after three times without another version it is withdrawn from that device.
pub fn completed(services: &Services, account: AccountId, key: &DeviceKey, version: &SoftwareVersion, at: Timestamp) {
    learn(services, account, key, |told, go| told.completed(version, go, at));
}

/// Whether a device is busy with an update, so that it gets no reboot, reset or apply.
pub fn is_updating(services: &Services, account: AccountId, key: &DeviceKey) -> bool {
    let now = services.clock.now();
    services.roster(account).find(key).is_some_and(|one| one.device.updating(now).is_some())
}

/// Whether a device may have files of a version: while a stop on its way is open only that stop's (R392).
pub fn may_fetch(device: &Device, world: &World, version: &SoftwareVersion) -> bool {
    offer::may_fetch(device, &applicable(device, world), world, version)
}

/// The device as it speaks in this very request: the row follows with the next batch.
pub(super) fn as_heard(device: Arc<Device>, agent: Option<&UserAgent>) -> Arc<Device> {
    let Some((program, version)) = agent.and_then(|agent| Some((agent.program, agent.version.as_ref()?.parse().ok()?))) else {
        return device;
    };
    let version: SoftwareVersion = version;
    let (installed, updater) = match program {
        Program::Application => (Some(version), None),
        Program::Updater => (None, Some(version)),
        Program::Unknown => return device,
    };
    let told = device.told_software();
    let is_known = |new: &Option<SoftwareVersion>, old: Option<&SoftwareVersion>| new.is_none() || new.as_ref() == old;
    if is_known(&installed, told.and_then(|told| told.installed.as_ref()))
        && is_known(&updater, told.and_then(|told| told.updater.as_ref()))
    {
        return device;
    }
    let mut heard = Device::clone(&device);
    heard.change_software(|software| software.told.runs(installed, updater));
    Arc::new(heard)
}

/// Takes in what a message of a device tells of its software, and which part number its model is found to have.
pub(super) fn hear(
    services: &Services,
    account: AccountId,
    key: &DeviceKey,
    (heard, agent, sighting): (&Heard, Option<&UserAgent>, &Sighting),
) -> Option<(String, String)> {
    let part = match PhonePath::parse(&heard.exchange.path).file {
        PhoneFile::Image(file) => Some(file.part_number),
        _ => None,
    };
    let version = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
    let (installed, updater) = (version(&sighting.software_version), version(&sighting.updater_version));
    let is_back = part.is_none() && heard.speaker == Speaker::Application;
    let own = part.clone().flatten();
    learn(services, account, key, |told, _| {
        told.runs(installed, updater);
        if is_back {
            told.is_back(heard.exchange.at);
        }
        if own.is_some() {
            told.part_number = own;
        }
    });
    let (model, part) = (agent?.model.clone()?, part.flatten()?);
    let world = services.world(account).ok()?;
    let is_known = world.part_numbers.get(&model).is_some_and(|known| known.contains(&part));
    (!is_known).then_some((model, part))
}

/// Changes what a device told; `change` gets it with the number of the go that its tries count in.
fn learn(services: &Services, account: AccountId, key: &DeviceKey, change: impl FnOnce(&mut Told, u32)) {
    if services.roster(account).learn_software(key, change) {
        services.presence().software_changed(account, key);
    }
}

/// Writes what devices told into their rows.
pub(super) fn write<'a>(
    services: &Services,
    change: &mut Change<'_>,
    account: AccountId,
    keys: impl Iterator<Item = &'a DeviceKey>,
) -> Result<(), ServiceError> {
    for key in keys {
        // Whoever was deleted meanwhile stays deleted.
        let Some(known) = services.roster(account).find(key) else { continue };
        let mut device = row(services, change, account, key)?;
        let told = known.device.told_software().cloned().unwrap_or_default();
        if device.told_software() != Some(&told) {
            device.change_software(|software| software.told = told);
            change.put_device(device)?;
        }
    }
    Ok(())
}

/// Writes part numbers that models were found to have, the latest first.
pub(super) fn write_parts<'a>(
    services: &Services,
    change: &mut Change<'_>,
    account: AccountId,
    found: impl Iterator<Item = &'a (String, String)>,
) -> Result<(), ServiceError> {
    let mut known = services.world(account)?.part_numbers.as_ref().clone();
    for (model, part) in found {
        let parts = known.entry(model.clone()).or_default();
        if !parts.contains(part) {
            parts.insert(0, part.clone());
            parts.truncate(PART_NUMBERS_PER_MODEL);
            change.put_part_numbers(model, parts.clone())?;
        }
    }
    Ok(())
}

/// The software of a device, where anybody chooses one, with what stands beside it.
pub fn offers<'w>(device: &Device, world: &'w World) -> Vec<Offer<'w>> {
    let placed = applicable(device, world);
    let own = offer::offer(device, &placed, world);
    own.into_iter().chain(offer::components(device, &placed, world)).collect()
}

/// Allows a device to go back to this version, which must be the one that is chosen for it.
///
/// # Errors
/// [`ServiceError::NotFound`]; of the field `version` where it is not what is chosen, or is no older one.
pub fn allow_downgrade(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    version: &SoftwareVersion,
    mode: Mode,
) -> Result<(), ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let mut device = row(services, change, account, key)?;
        let placed = applicable(&device, &world);
        let chosen = offer::offer(&device, &placed, &world).map(|offer| offer.version);
        let installed = device.told_software().and_then(|told| told.installed.clone());
        match (chosen, installed) {
            (Some(chosen), _) if chosen != version => {
                return Err(wrong(format!("{chosen} is chosen for this device, and not {version}")));
            }
            (None, _) => return Err(wrong("no profile chooses software for this device".to_owned())),
            (_, None) => return Err(wrong("it has not told its version yet".to_owned())),
            (_, Some(installed)) if installed <= *version => {
                return Err(wrong(format!("{version} is not older than the {installed} that it has")));
            }
            (_, Some(installed)) => {
                let event = Event::new("device", device.key.to_string(), "may go back to older software");
                change.record(event.change("software", Some(installed.to_string()), Some(version.to_string())))?;
            }
        }
        device.change_software(|software| software.decided.downgrade_to = Some(version.clone()));
        device.revision += 1;
        change.put_device(device)
    })
}

fn wrong(message: String) -> ServiceError {
    FieldErrors::one("version", message).into()
}

/// Gives a device an image again that was withdrawn from it.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] where none was.
pub fn try_again(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    mode: Mode,
) -> Result<(), ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    perform(services, mode, grant, account, |change| {
        let mut device = row(services, change, account, key)?;
        // Memory knows the last download before the row does.
        let known = services.roster(account).find(key).map_or_else(|| device.clone(), |known| Device::clone(&known.device));
        let tried = known.told_software().and_then(|told| told.tries.as_ref()).map(|tries| tries.version.clone());
        let Some(version) = tried.filter(|version| known.is_withdrawn(version)) else {
            return Err(ServiceError::Conflict("no image was withdrawn from this device".to_owned()));
        };
        device.change_software(|software| software.decided.go += 1);
        device.revision += 1;
        change.record(Event::new("device", device.key.to_string(), "is given its image again").change(
            "software",
            None,
            Some(version.to_string()),
        ))?;
        change.put_device(device)
    })
}
