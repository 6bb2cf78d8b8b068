//! Adding, editing and deleting devices (R228–R242). Lists come from [`super::roster`], profiles of a device from
//! [`super::deployment`], devices at first contact from the phones' side.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::Services;
use super::commit::{Change, Mode, perform};
use super::device_csv::{csv_profiles, profile_name};
use super::error::ServiceError;
use super::lines::OwnProfiles;
use super::recycle_bin::{self, Deleted};
use super::roster::Roster;
use super::sites::placing;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::draft::{DeviceDraft, DeviceEdit};
use crate::domain::device::{Block, Device, DeviceKey, Origin};
use crate::domain::device_list::Listed;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::limits::{DELETED_AT_ONCE, DEVICES, DEVICES_PER_ADD};
use crate::domain::mac::Mac;
use crate::domain::parameter::ParameterSet;
use crate::domain::placement::Placement;
use crate::domain::profile::Profile;
use crate::domain::world::World;
use crate::store;

/// What becomes of the key of a deleted device (contract 5.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It may come back as a new device.
    Forget,
    /// It is held until someone unblocks it.
    Block,
}

/// What goes with a device, shown before it is deleted (R232).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cascade {
    /// The device.
    pub key: DeviceKey,
    /// The device as the list shows it: its name, else its key.
    pub label: String,
    /// Profiles that are attached to it and stay; only the attachment goes.
    pub detached_profiles: Vec<String>,
    /// Its profile from a device CSV, which goes with it (R284).
    pub own_profile: Option<String>,
    /// The profile that was made for its lines, which goes with it where it is attached nowhere else.
    pub lines_profile: Option<String>,
    /// Files that it keeps with us, by name.
    pub files: Vec<String>,
    /// Stored logs.
    pub logs: usize,
    /// Recorded runs, also the one that goes on.
    pub runs: usize,
}

/// One device.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn get(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Listed, ServiceError> {
    services.roster(account).find(key).ok_or_else(|| not_found(key))
}

/// Adds devices by hand: all of them, or none when one cannot be added.
///
/// # Errors
/// [`ServiceError::Invalid`] with the item of each draft that cannot be added and why; [`ServiceError::Conflict`] when there
/// would be more than an installation or one call may have.
pub fn create(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    drafts: Vec<DeviceDraft>,
    mode: Mode,
) -> Result<Vec<Device>, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    if drafts.len() > DEVICES_PER_ADD {
        let count = drafts.len();
        return Err(ServiceError::Conflict(format!(
            "at most {DEVICES_PER_ADD} devices are added at once; these are {count}. Split the list"
        )));
    }
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        check_new(services, account, &world, &drafts)?;
        let now = change.now();
        drafts
            .into_iter()
            .map(|draft| {
                let pin = draft.edit.pin;
                let mut device = made_by_hand(draft, now);
                placing::set_pin(services, &world, &mut device, pin, now)?;
                change.record(added(&device, &world))?;
                change.put_device(device.clone())?;
                Ok(device)
            })
            .collect()
    })
}

/// Edits a device that was shown with `revision`.
///
/// # Errors
/// [`ServiceError::Conflict`] when somebody else has edited it since (R14).
pub fn update(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    revision: u64,
    edit: DeviceEdit,
    mode: Mode,
) -> Result<Device, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    perform(services, mode, grant, account, |change| {
        let old = stored(services, change, account, key)?;
        if old.revision != revision {
            return Err(ServiceError::stale("device", ""));
        }
        let mut new = old.clone();
        let DeviceEdit { mac, name, sent_name, description, private_ip, pin, family, model } = edit;
        let holder = mac.and_then(|mac| Some((mac, services.roster(account).holder(mac)?)));
        if let Some((mac, other)) = holder.filter(|(_, other)| other != key) {
            return Err(FieldErrors::one("mac", mac_is_of(mac, &other)).into());
        }
        if let Some(mac) =
            mac.filter(|mac| old.mac != Some(*mac) && services.world(account).is_ok_and(|world| is_held(*mac, &world)))
        {
            return Err(FieldErrors::one("mac", mac_is_held(mac)).into());
        }
        new.mac = mac;
        let is_corrected = model.is_some() || family.is_some() && old.family.is_some();
        if is_corrected && get(services, account, key)?.has_come() {
            // It told its own since the form was shown.
            return Err(ServiceError::stale("device", ""));
        }
        new.family = family.or(new.family);
        new.model = model.unwrap_or(new.model);
        (new.name, new.sent_name, new.description, new.private_ip) = (name, sent_name, description, private_ip);
        let world = services.world(account)?;
        placing::set_pin(services, &world, &mut new, pin, change.now())?;
        if new == old {
            change.leave_as_is();
            return Ok(old);
        }
        new.revision += 1;
        change.record(placing::told(edited(&old, &new), &old, &new, &world))?;
        change.put_device(new.clone())?;
        Ok(new)
    })
}

/// What is looked through once for all devices that are deleted together.
struct Owned {
    csv_profiles: HashMap<String, Arc<Profile>>,
    own_profiles: OwnProfiles,
    runs: HashMap<DeviceKey, usize>,
}

/// What goes with a device.
fn cascade_of(services: &Services, world: &World, owned: &Owned, key: &DeviceKey) -> Result<Cascade, ServiceError> {
    let account = world.account_id;
    let listed = get(services, account, key)?;
    let own = owned.csv_profiles.get(&profile_name(key));
    let of_lines = owned.own_profiles.made_for(&listed.device, world);
    let goes = |id: &ProfileId| own.is_some_and(|own| own.id == *id) || of_lines.is_some_and(|own| own.id == *id);
    let detached = listed.device.profiles.iter().filter(|id| !goes(id));
    let files = services.store.read(|tx| store::stored_files::of(tx, account, key))?;
    let runs = owned.runs.get(key).copied().unwrap_or_default();
    let logs = super::device_files::logs(services, account, key)?.len();
    Ok(Cascade {
        key: key.clone(),
        label: label(&listed.device),
        detached_profiles: detached.filter_map(|id| world.profile(*id)).map(|profile| profile.name.to_string()).collect(),
        own_profile: own.map(|own| own.name.to_string()),
        lines_profile: of_lines.map(|own| own.name.to_string()),
        files: files.into_iter().map(|file| file.name).collect(),
        logs,
        runs,
    })
}

/// Deletes a device with everything of a [`Cascade`], and answers what that was.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn delete(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    afterwards: Afterwards,
    mode: Mode,
) -> Result<Cascade, ServiceError> {
    let mut gone = delete_all(services, actor, account, &BTreeSet::from([key.clone()]), afterwards, mode)?.what;
    gone.pop().ok_or_else(|| not_found(key))
}

/// Deletes devices as [`delete`] does, in one change: all of them, or none when one is not there.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] for more than are deleted at once.
pub fn delete_all(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    keys: &BTreeSet<DeviceKey>,
    afterwards: Afterwards,
    mode: Mode,
) -> Result<Deleted<Vec<Cascade>>, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    if keys.len() > DELETED_AT_ONCE {
        let count = keys.len();
        return Err(ServiceError::Conflict(format!(
            "at most {DELETED_AT_ONCE} devices are deleted at once; these are {count}. Split the list"
        )));
    }
    if keys.is_empty() {
        return Ok(Deleted { what: Vec::new(), deletion: None });
    }
    let world = services.world(account)?;
    let owned = Owned {
        csv_profiles: csv_profiles(&world),
        own_profiles: OwnProfiles::new(services, &world),
        runs: super::runs::counts(services, account, keys)?,
    };
    let gone = keys.iter().map(|key| cascade_of(services, &world, &owned, key)).collect::<Result<_, _>>()?;
    let deletion = perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let (csv, own) = (csv_profiles(&world), OwnProfiles::new(services, &world));
        for key in keys {
            let device = stored(services, change, account, key)?;
            delete_rows(change, &device, afterwards)?;
            let of_lines = own.made_for(&device, &world);
            for profile in csv.get(&profile_name(key)).map(|profile| &**profile).into_iter().chain(of_lines) {
                change.delete_profile(profile.id)?;
                change.record(Event::new("profile", profile.name.to_string(), "deleted"))?;
            }
        }
        recycle_bin::keep(services, change, mode)
    })?;
    Ok(Deleted { what: gone, deletion })
}

/// Removes the rows of a device. Its runs and logs, and the content of its files, stay until it leaves the recycle bin.
fn delete_rows(change: &mut Change<'_>, device: &Device, afterwards: Afterwards) -> Result<(), ServiceError> {
    let key = &device.key;
    store::stored_files::delete_all(change.tx(), change.account_id(), key)?;
    change.delete_device(key)?;
    let now = change.now();
    change.change_trust(key, move |trust| *trust = trust.forgotten(now))?;
    if afterwards == Afterwards::Block {
        let name = device.name.as_ref().map(ToString::to_string).unwrap_or_default();
        change.block(key, &Block { at: change.now(), by: change.actor().to_owned(), name, mac: device.mac })?;
    }
    let action = if afterwards == Afterwards::Block { "deleted and blocked" } else { "deleted" };
    change.record(Event::new("device", subject(device), action))
}

/// Devices that are held because they were deleted with *block*.
///
/// # Errors
/// Only of the store.
pub fn blocked(services: &Services, account: AccountId) -> Result<Vec<(DeviceKey, Block)>, ServiceError> {
    services.store.read(|tx| Ok(store::blocked::all(tx, account)?))
}

/// Lets a blocked key come back as a new device, and answers what held it.
///
/// # Errors
/// [`ServiceError::NotFound`] when it is not blocked.
pub fn unblock(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    mode: Mode,
) -> Result<Block, ServiceError> {
    let grant = authorize(actor, Action::Admit(account))?;
    perform(services, mode, grant, account, |change| {
        let block = change.unblock(key)?.ok_or_else(|| ServiceError::not_found("blocked device", key))?;
        // It knocks again, and then for another reason.
        change.change_trust(key, crate::domain::trust::Trust::forget_knocks)?;
        change.record(Event::new("device", key.to_string(), "unblocked"))?;
        Ok(block)
    })
}

/// A device's row; one that was admitted a moment ago gets it here, ahead of the batch that would write it.
pub(super) fn stored(
    services: &Services,
    change: &mut Change<'_>,
    account: AccountId,
    key: &DeviceKey,
) -> Result<Device, ServiceError> {
    if let Some(device) = change.device(key)? {
        return Ok(device);
    }
    let pending = services.roster(account).find(key).ok_or_else(|| not_found(key))?;
    Ok(Device::clone(&pending.device))
}

/// A device in the activity log: its key, which never changes, and its name.
pub(super) fn subject(device: &Device) -> String {
    match &device.name {
        Some(name) => format!("{name} ({})", device.key),
        None => device.key.to_string(),
    }
}

pub(super) fn label(device: &Device) -> String {
    device.name.as_ref().map_or_else(|| device.key.to_string(), ToString::to_string)
}

/// Why a MAC cannot be a device's: another device has it.
pub(super) fn mac_is_of(mac: Mac, other: &DeviceKey) -> String {
    format!("{mac} is the MAC address of the device {other}; correct it, or delete that device first")
}

/// Whether a device of this MAC was deleted and blocked.
pub(super) fn is_held(mac: Mac, world: &World) -> bool {
    world.blocked.contains(&DeviceKey::from(mac))
}

/// Why a MAC cannot be a device's: it is held.
pub(super) fn mac_is_held(mac: Mac) -> String {
    format!("{mac} was deleted and blocked; unblock it first")
}

fn not_found(key: &DeviceKey) -> ServiceError {
    ServiceError::not_found("device", key)
}

fn check_new(services: &Services, account: AccountId, world: &World, drafts: &[DeviceDraft]) -> Result<(), ServiceError> {
    let roster = services.roster(account);
    let total: usize = services.worlds.accounts().into_iter().map(|account| services.roster(account).len()).sum();
    if total + drafts.len() > DEVICES {
        return Err(ServiceError::Conflict(format!("an installation has at most {DEVICES} devices; there are {total} already")));
    }
    let mut errors = FieldErrors::new();
    let (mut keys, mut macs) = (HashSet::new(), HashSet::new());
    for (item, draft) in drafts.iter().enumerate() {
        let mut of_draft = FieldErrors::new();
        if roster.find(&draft.key).is_some() {
            of_draft.add("key", format_args!("there is a device {} already", draft.key));
        } else if let Some((mac, other)) = draft.key.mac().and_then(|mac| Some((mac, roster.keeper(mac)?))) {
            of_draft.add("key", mac_is_of(mac, &other));
        } else if world.blocked.contains(&draft.key) {
            of_draft.add("key", format_args!("{} was deleted and blocked; unblock it first", draft.key));
        } else if let Some(mac) = draft.edit.mac.filter(|mac| is_held(*mac, world)) {
            of_draft.add("mac", mac_is_held(mac));
        } else if !keys.insert(&draft.key) {
            of_draft.add("key", format_args!("{} stands in this list twice", draft.key));
        }
        check_mac(&roster, draft, &mut macs, &mut of_draft);
        if let Err(message) = placing::check_pin(world, draft.edit.pin) {
            of_draft.add("pin", message);
        }
        if let Err(message) = super::deployment::check_for_device(world, &draft.key, &draft.profiles) {
            of_draft.add("profiles", message);
        }
        if let Err(message) = super::groups::check_list(world, &draft.groups) {
            of_draft.add("groups", message);
        }
        if drafts.len() == 1 {
            errors = of_draft;
        } else {
            errors.add_item(item, of_draft);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

/// No two devices have the same MAC, whichever way they go by.
fn check_mac(roster: &Roster, draft: &DeviceDraft, macs: &mut HashSet<Mac>, errors: &mut FieldErrors) {
    let own = draft.key.mac();
    if let Some((mac, other)) = draft.edit.mac.and_then(|mac| Some((mac, roster.holder(mac)?))) {
        errors.add("mac", mac_is_of(mac, &other));
    }
    if let Some(mac) = own.or(draft.edit.mac).filter(|mac| !macs.insert(*mac))
        && errors.is_empty()
    {
        let field = if own.is_some() { "key" } else { "mac" };
        errors.add(field, format_args!("the MAC address {mac} stands in this list twice"));
    }
}

fn made_by_hand(draft: DeviceDraft, now: jiff::Timestamp) -> Device {
    let DeviceDraft { key, family, model, profiles, groups, edit } = draft;
    let DeviceEdit { mac, name, sent_name, description, private_ip, pin: _, family: _, model: _ } = edit;
    Device {
        key,
        name,
        sent_name,
        description,
        family,
        model,
        private_ip,
        mac,
        profiles,
        groups,
        site: None,
        placement: Placement::default(),
        owner: None,
        own_clock: ParameterSet::new(),
        software: None,
        origin: Origin::Manual,
        added_at: now,
        revision: 1,
    }
}

fn added(device: &Device, world: &World) -> Event {
    let blank = Device { mac: None, name: None, sent_name: None, description: String::new(), private_ip: None, ..device.clone() };
    let profiles = profile_names(world, device);
    let unpinned = Device { site: None, placement: Placement::default(), ..device.clone() };
    let mut event = placing::told(edited(&blank, device), &unpinned, device, world);
    event.action = "added".to_owned();
    let event = event.change("type", None, device.family.clone()).change("model", None, device.model.clone());
    let event = event.change("profiles", None, (!profiles.is_empty()).then(|| profiles.join(", ")));
    event.change("groups", None, super::groups::names(world, &device.groups))
}

fn edited(old: &Device, new: &Device) -> Event {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Event::new("device", subject(new), "changed")
        .change("type", old.family.clone(), new.family.clone())
        .change("model", old.model.clone(), new.model.clone())
        .change("MAC address", old.mac.map(|mac| mac.to_string()), new.mac.map(|mac| mac.to_string()))
        .change("name", old.name.as_ref().map(ToString::to_string), new.name.as_ref().map(ToString::to_string))
        .change(
            "name on the device",
            old.sent_name.as_ref().map(ToString::to_string),
            new.sent_name.as_ref().map(ToString::to_string),
        )
        .change("description", text(&old.description), text(&new.description))
        .change("private IP", old.private_ip.map(|ip| ip.to_string()), new.private_ip.map(|ip| ip.to_string()))
}

fn profile_names(world: &World, device: &Device) -> Vec<String> {
    device.profiles.iter().filter_map(|id| world.profile(*id)).map(|profile| profile.name.to_string()).collect()
}

#[cfg(test)]
mod tests;
