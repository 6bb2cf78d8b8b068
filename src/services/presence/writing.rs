//! A batch of what phones told, put into rows.

use std::collections::BTreeSet;

use super::Batch;
use crate::domain::activity::Event;
use crate::domain::device::{Device, DeviceKey};
use crate::domain::ids::AccountId;
use crate::domain::run::Subject;
use crate::domain::user_agent::UserAgent;
use crate::services::commit::Change;
use crate::services::error::ServiceError;
use crate::services::sites::placing;
use crate::services::{Services, runs, software};

/// Writes one account's part of a batch.
pub(super) fn write(services: &Services, change: &mut Change<'_>, account: AccountId, batch: &Batch) -> Result<(), ServiceError> {
    let roster = services.roster(account);
    for (_, key) in batch.sightings.iter().filter(|(of, _)| *of == account) {
        // Whoever was deleted meanwhile stays deleted.
        let Some(known) = roster.find(key) else { continue };
        if roster.is_pending(key) {
            add(change, Device::clone(&known.device))?;
        }
        change.put_sighting(key, &known.sighting)?;
    }
    for ((_, key), agent) in batch.recognised.iter().filter(|((of, _), _)| *of == account) {
        recognise(change, key, agent)?;
    }
    software::write(services, change, account, batch.software.iter().filter(|(of, _)| *of == account).map(|(_, key)| key))?;
    let parts = batch.parts.iter().filter(|(of, _)| *of == account).map(|(_, found)| found);
    software::write_parts(services, change, account, parts)?;
    for (_, key, news) in batch.placing.iter().filter(|(of, ..)| *of == account) {
        placing::write_run(services, change, account, key, *news)?;
    }
    for (_, finished) in batch.ended().filter(|(of, _)| *of == account) {
        match &finished.subject {
            // Its former runs went with it.
            Subject::Device(key) if roster.find(key).is_none() => {}
            _ => runs::keep(change, account, finished)?,
        }
    }
    for (_, key, words) in batch.came_to.iter().filter(|(of, ..)| *of == account) {
        change.record(Event::new("device", key.to_string(), words))?;
    }
    for (_, event) in batch.reports.iter().filter(|(of, _)| *of == account) {
        change.record(event.clone())?;
    }
    if batch.refused.is_empty() { Ok(()) } else { runs::make_room(change, account) }
}

/// Writes what was learned of keys.
pub(super) fn write_trusts(
    services: &Services,
    change: &Change<'_>,
    account: AccountId,
) -> Result<BTreeSet<DeviceKey>, ServiceError> {
    let roster = services.roster(account);
    services.trusts(account).write(change, |key| roster.find(key).is_some())
}

/// No trust is kept of a device without the device: one that is let in at this moment has taught already and was not sighted yet.
pub(super) fn add_taught(
    services: &Services,
    change: &mut Change<'_>,
    account: AccountId,
    learned: &BTreeSet<DeviceKey>,
) -> Result<(), ServiceError> {
    let roster = services.roster(account);
    learned.iter().filter(|key| roster.is_pending(key)).try_for_each(|key| row(services, change, account, key).map(drop))
}

/// A device's row, which is written here and now if the device was only admitted so far.
pub(in crate::services) fn row(
    services: &Services,
    change: &mut Change<'_>,
    account: AccountId,
    key: &DeviceKey,
) -> Result<Device, ServiceError> {
    if let Some(device) = change.device(key)? {
        return Ok(device);
    }
    let admitted = services.roster(account).find(key).ok_or_else(|| ServiceError::not_found("device", key))?;
    add(change, Device::clone(&admitted.device))?;
    Ok(Device::clone(&admitted.device))
}

fn add(change: &mut Change<'_>, device: Device) -> Result<(), ServiceError> {
    change.record(Event::new("device", device.key.to_string(), "added"))?;
    change.put_device(device)
}

/// Gives a device that was added without a type the one that it tells of itself (R239).
fn recognise(change: &mut Change<'_>, key: &DeviceKey, agent: &UserAgent) -> Result<(), ServiceError> {
    let Some(mut device) = change.device(key)?.filter(|device| device.model.is_none()) else { return Ok(()) };
    device.family = agent.family.clone().or(device.family);
    device.model = agent.model.clone();
    change.put_device(device)
}
