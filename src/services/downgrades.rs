//! Consent to older software for many devices: with the change that chooses it, in its transaction, or for devices that wait
//! (contract 5.12). That of a single device is [`super::software::allow_downgrade`].

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Services;
use super::commit::{self, Change, Effects, Mode, perform};
use super::error::ServiceError;
use super::presence::row;
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::activity::Event;
use crate::domain::device::{Device, DeviceKey};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::AccountId;
use crate::domain::limits::DEVICES;
use crate::domain::software::downgrade::{Downgrade, waiting, waits_for};
use crate::domain::software::{SoftwareChoice, SoftwareVersion};
use crate::store::WriteTx;

/// What came of a consent for many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Devices that may go back now.
    pub allowed: Vec<DeviceKey>,
    /// Devices that wait for no such consent.
    pub unchanged: usize,
}

/// Lets the devices go back that would have to for a change, where whoever agreed to it said so.
pub(super) fn allow_as_agreed(
    services: &Services,
    tx: &WriteTx,
    grant: &Grant,
    account: AccountId,
    now: Timestamp,
    effects: &mut Effects,
) -> Result<(), ServiceError> {
    let Some(told) = grant.consent().take_allowed_downgrades() else { return Ok(()) };
    let allow = |change: &mut Change<'_>| allow(services, change, account, &told.foresight.downgrades);
    let ((), more) = commit::run(services, tx, grant, account, now, allow)?;
    effects.roster.extend(more.roster);
    Ok(())
}

fn allow(services: &Services, change: &mut Change<'_>, account: AccountId, downgrades: &[Downgrade]) -> Result<(), ServiceError> {
    for Downgrade { family, to, from, devices } in downgrades {
        for key in devices {
            let mut device = row(services, change, account, key)?;
            device.change_software(|software| software.decided.downgrade_to = Some(to.clone()));
            device.revision += 1;
            change.put_device(device)?;
        }
        let event = match devices.as_slice() {
            [key] => {
                let from = from.first().map(ToString::to_string);
                let event = Event::new("device", key.to_string(), "may go back to older software");
                event.change("software", from, Some(to.to_string()))
            }
            many => {
                let keys: Vec<_> = many.iter().map(ToString::to_string).collect();
                let event = Event::new("software", format!("{family} {to}"), "may be gone back to");
                event.change("devices", None, Some(format!("{}: {}", keys.len(), keys.join(", "))))
            }
        };
        change.record(event)?;
    }
    Ok(())
}

/// The devices among these that wait for consent, by what they would go back to.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn waiting_among(
    services: &Services,
    account: AccountId,
    keys: &BTreeSet<DeviceKey>,
) -> Result<Vec<Downgrade>, ServiceError> {
    let (world, roster) = (services.world(account)?, services.roster(account));
    let devices: Vec<_> = keys.iter().filter_map(|key| roster.find(key)).collect();
    Ok(waiting(devices.iter().map(|one| &*one.device), &world))
}

/// How many devices wait for consent to go back to this version.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn waiting_for(services: &Services, account: AccountId, version: &SoftwareVersion) -> Result<usize, ServiceError> {
    let world = services.world(account)?;
    let has_later = |device: &Device| {
        device.told_software().and_then(|told| told.installed.as_ref()).is_some_and(|installed| version < installed)
    };
    let waits = |device: &Device| waits_for(device, &world).is_some_and(|(_, wanted)| wanted == version);
    // Few have later software: only for those is looked up what is chosen.
    let all = services.roster(account).all();
    Ok(all.iter().filter(|one| has_later(&one.device) && waits(&one.device)).count())
}

/// Lets devices go back for which one of these versions is chosen: all of them, or none when one is not there. Whoever waits for no such
/// consent stays as it is.
///
/// # Errors
/// [`ServiceError::Invalid`] of the fields `keys` and `software`; [`ServiceError::Conflict`] for more than are changed at once.
pub fn allow_all(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    keys: &BTreeSet<DeviceKey>,
    software: &[SoftwareChoice],
    mode: Mode,
) -> Result<Allowed, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    if keys.len() > DEVICES {
        let words = format!("at most {DEVICES} devices are changed at once; these are {}. Split the list", keys.len());
        return Err(ServiceError::Conflict(words));
    }
    if software.is_empty() {
        return Err(FieldErrors::one("software", "say which older versions the devices may go back to").into());
    }
    perform(services, mode, grant, account, |change| {
        let (world, roster, mut errors) = (services.world(account)?, services.roster(account), FieldErrors::new());
        let is_meant = |device: &Device| {
            let is = |(family, version): (&str, &SoftwareVersion)| {
                software.iter().any(|one| one.family == family && one.version == *version)
            };
            waits_for(device, &world).is_some_and(is)
        };
        let mut meant = Vec::new();
        for key in keys {
            match roster.find(key) {
                Some(one) if is_meant(&one.device) => meant.push(one.device),
                Some(_) => {}
                None => errors.add("keys", format_args!("there is no device {key}")),
            }
        }
        errors.into_result(Some(()))?;
        let downgrades = waiting(meant.iter().map(|device| &**device), &world);
        if downgrades.is_empty() {
            change.leave_as_is();
        }
        allow(services, change, account, &downgrades)?;
        let allowed: Vec<DeviceKey> = downgrades.into_iter().flat_map(|one| one.devices).collect();
        Ok(Allowed { unchanged: keys.len() - allowed.len(), allowed })
    })
}
