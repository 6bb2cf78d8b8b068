//! Creating, editing, copying and deleting profiles (R108–R127). Where they are attached is [`super::deployment`]'s.
//!
//! Standard profiles are found here like all others, and never change (R111).

pub mod archive;
mod copying;
mod deployed;
mod history;
mod packing;
mod unpacking;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Services;
use super::commit::{Change, Mode, perform};
use super::device_csv::device_of;
use super::error::ServiceError;
use super::recycle_bin::{self, Deleted};
use super::schema;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::deployment::Place;
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::import::ImportPreview;
use crate::domain::limits::DELETED_AT_ONCE;
use crate::domain::names::Name;
use crate::domain::parameter::{ParameterName, ParameterSet};
use crate::domain::profile::draft::{ParameterEdit, ProfileDraft, apply, check_count};
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::reach::Reach;
use crate::domain::software::SoftwareChoice;
use crate::domain::world::World;
use crate::store;

pub use copying::{CopyInput, copy};
pub use history::{PastValue, history};

/// Where a profile is attached, and how many devices' files it has a part in (R127, contract 5.15).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Places but devices.
    pub places: Vec<Place>,
    /// Devices that it is attached to directly.
    pub devices: Vec<DeviceKey>,
    /// Devices that it reaches, by whatever place.
    pub affected: usize,
}

/// One profile, secrets opened.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn get(services: &Services, account: AccountId, id: ProfileId) -> Result<Arc<Profile>, ServiceError> {
    find(&*services.world(account)?, id)
}

/// All profiles in the order of their numbers: the account's own, then the standard ones.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId) -> Result<Vec<Arc<Profile>>, ServiceError> {
    Ok(services.world(account)?.all_profiles().cloned().collect())
}

/// Where a profile is attached and whom it reaches.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn uses(services: &Services, account: AccountId, id: ProfileId) -> Result<Uses, ServiceError> {
    let world = services.world(account)?;
    find(&world, id)?;
    Ok(uses_of(services, &world, &BTreeSet::from([id])).remove(&id).unwrap_or_default())
}

/// [`uses`] of several profiles, with one look at every device.
pub(super) fn uses_of(services: &Services, world: &World, ids: &BTreeSet<ProfileId>) -> BTreeMap<ProfileId, Uses> {
    let mut uses: BTreeMap<ProfileId, Uses> = ids.iter().map(|id| (*id, Uses::default())).collect();
    for (place, attached) in &world.deployment {
        for id in attached {
            if let Some(uses) = uses.get_mut(id) {
                uses.places.push(place.clone());
            }
        }
    }
    let devices = services.roster(world.account_id).all();
    let reach = Reach::new(world, devices.iter().map(|one| &*one.device));
    for (id, uses) in &mut uses {
        uses.affected = reach.of_profile(*id);
    }
    for listed in &devices {
        for id in &listed.device.profiles {
            if let Some(uses) = uses.get_mut(id) {
                uses.devices.push(listed.device.key.clone());
            }
        }
    }
    for uses in uses.values_mut() {
        uses.devices.sort();
    }
    uses
}

/// Creates profiles: all of them, or none when one cannot be created.
///
/// # Errors
/// [`ServiceError::Invalid`] when a name is taken, with the item where there are several.
pub fn create(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    drafts: Vec<ProfileDraft>,
    mode: Mode,
) -> Result<Vec<Profile>, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        check_new_names(&world, &drafts)?;
        refuse_ruled_out(&world, &drafts)?;
        drafts.into_iter().map(|draft| add(change, draft, "added")).collect()
    })
}

/// Changes name and description of a profile that was shown with `revision`.
///
/// # Errors
/// [`ServiceError::Conflict`] when somebody else has changed it since (R14); [`ServiceError::Invalid`] when the name is taken.
pub fn rename(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Shown,
    name: Name,
    description: String,
    mode: Mode,
) -> Result<Profile, ServiceError> {
    edit(services, actor, account, shown, mode, |world, old, new| {
        check_name(world, &name, Some(old.id))?;
        (new.name, new.description) = (name, description);
        Ok(())
    })
}

/// Sets and removes parameters of a profile that was shown with `revision`; the latest edit wins (R123).
///
/// # Errors
/// As [`rename`]; [`ServiceError::Invalid`] when the profile would have too many parameters.
pub fn edit_parameters(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Shown,
    edits: &[ParameterEdit],
    mode: Mode,
) -> Result<Profile, ServiceError> {
    edit(services, actor, account, shown, mode, |_, old, new| {
        new.parameters = apply(&old.parameters, edits).map_err(|message| FieldErrors::one("parameters", message))?;
        Ok(())
    })
}

/// Chooses versions of software in place of those that a profile chose, which was shown with `revision` (R129, R133).
///
/// # Errors
/// As [`edit_parameters`].
pub fn choose_software(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Shown,
    software: Vec<SoftwareChoice>,
    mode: Mode,
) -> Result<Profile, ServiceError> {
    edit(services, actor, account, shown, mode, |_, _, new| {
        new.software = software;
        Ok(())
    })
}

/// Takes exactly what a preview shows into a profile that was shown with `revision` (R122).
///
/// # Errors
/// As [`edit_parameters`].
pub fn import(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Shown,
    preview: &ImportPreview,
    mode: Mode,
) -> Result<Profile, ServiceError> {
    edit(services, actor, account, shown, mode, |_, _, new| {
        preview.apply(&mut new.parameters);
        check_count(&new.parameters).map_err(|message| FieldErrors::one("parameters", message).into())
    })
}

/// Replaces name, description, choice of software and all parameters at once, as the API does.
///
/// # Errors
/// As [`edit_parameters`].
pub fn replace(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Shown,
    draft: ProfileDraft,
    mode: Mode,
) -> Result<Profile, ServiceError> {
    edit(services, actor, account, shown, mode, |world, old, new| {
        check_name(world, &draft.name, Some(old.id))?;
        (new.name, new.description, new.parameters) = (draft.name, draft.description, draft.parameters);
        new.software = draft.software;
        Ok(())
    })
}

/// Deletes a profile and detaches it everywhere; answers where it was and whom it reached (R127).
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn delete(services: &Services, actor: &Actor, account: AccountId, id: ProfileId, mode: Mode) -> Result<Uses, ServiceError> {
    let mut gone = delete_all(services, actor, account, &BTreeSet::from([id]), mode)?.what;
    gone.remove(&id).ok_or_else(|| ServiceError::not_found("profile", id))
}

/// Deletes profiles as [`delete`] does, in one change: all of them, or none when one is not there.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] for more than are deleted at once.
pub fn delete_all(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    ids: &BTreeSet<ProfileId>,
    mode: Mode,
) -> Result<Deleted<BTreeMap<ProfileId, Uses>>, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    if ids.len() > DELETED_AT_ONCE {
        let count = ids.len();
        return Err(ServiceError::Conflict(format!(
            "at most {DELETED_AT_ONCE} profiles are deleted at once; these are {count}. Split the list"
        )));
    }
    if ids.is_empty() {
        return Ok(Deleted { what: BTreeMap::new(), deletion: None });
    }
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let profiles = ids.iter().map(|id| find_own(&world, *id)).collect::<Result<Vec<_>, _>>()?;
        let gone = uses_of(services, &world, ids);
        detach_everywhere(services, change, &world, &gone)?;
        for profile in profiles {
            change.delete_profile(profile.id)?;
            let attachments = gone.get(&profile.id).map_or(0, |uses| uses.places.len() + uses.devices.len());
            let event = Event::new("profile", profile.name.to_string(), "deleted");
            change.record(event.change("attachments", Some(attachments.to_string()).filter(|_| attachments > 0), None))?;
        }
        Ok(Deleted { what: gone, deletion: recycle_bin::keep(services, change, mode)? })
    })
}

/// Takes profiles from wherever they are attached.
pub(super) fn detach_everywhere(
    services: &Services,
    change: &mut Change<'_>,
    world: &World,
    gone: &BTreeMap<ProfileId, Uses>,
) -> Result<(), ServiceError> {
    let places: BTreeSet<&Place> = gone.values().flat_map(|uses| &uses.places).collect();
    for place in places {
        let left = world.deployment[place].iter().copied().filter(|id| !gone.contains_key(id)).collect();
        change.put_place(place.clone(), left)?;
    }
    let devices: BTreeSet<&DeviceKey> = gone.values().flat_map(|uses| &uses.devices).collect();
    for key in devices {
        let mut device = super::devices::stored(services, change, world.account_id, key)?;
        device.profiles.retain(|id| !gone.contains_key(id));
        device.revision += 1;
        change.put_device(device)?;
    }
    Ok(())
}

/// A profile as somebody had it before them when they decided on a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The profile.
    pub id: ProfileId,
    /// Its revision.
    pub revision: u64,
}

fn edit(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Shown,
    mode: Mode,
    make: impl FnOnce(&World, &Profile, &mut Profile) -> Result<(), ServiceError>,
) -> Result<Profile, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let old = find_own(&world, shown.id)?;
        if old.revision != shown.revision {
            return Err(ServiceError::stale("profile", &old.modified_by));
        }
        let mut new = Profile::clone(&old);
        make(&world, &old, &mut new)?;
        if old.kind == ProfileKind::UserImported && new.name != old.name {
            return Err(FieldErrors::one("name", "the name of a profile from a device CSV says whose it is and stays").into());
        }
        schema::refuse_changes(&world, &old.parameters, &new.parameters)?;
        if new == *old && new.parameters.typed_again(&old.parameters).next().is_none() {
            change.leave_as_is();
            return Ok(new);
        }
        new.revision += 1;
        new.modified_at = change.now();
        change.actor().clone_into(&mut new.modified_by);
        change.record(changed(&old, &new, "changed"))?;
        change.put_profile(new.clone())?;
        Ok(new)
    })
}

pub(super) fn add(change: &mut Change<'_>, draft: ProfileDraft, action: &str) -> Result<Profile, ServiceError> {
    let profile = Profile {
        id: store::profiles::next_id(change.tx())?,
        name: draft.name,
        description: draft.description,
        kind: ProfileKind::UserDefined,
        software: draft.software,
        parameters: draft.parameters,
        yields: draft.yields,
        modified_by: change.actor().to_owned(),
        modified_at: change.now(),
        revision: 1,
    };
    let blank = Profile { description: String::new(), software: Vec::new(), parameters: ParameterSet::new(), ..profile.clone() };
    change.record(changed(&blank, &profile, action))?;
    change.put_profile(profile.clone())?;
    Ok(profile)
}

fn changed(old: &Profile, new: &Profile, action: &str) -> Event {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let event = Event::new("profile", new.name.to_string(), action)
        .change("name", Some(old.name.to_string()), Some(new.name.to_string()))
        .change("description", text(&old.description), text(&new.description));
    parameter_changes(software_changes(event, old, new), &old.parameters, &new.parameters)
}

/// The event with every family for which another version is chosen.
pub(super) fn software_changes(event: Event, old: &Profile, new: &Profile) -> Event {
    let families: BTreeSet<&str> = old.software.iter().chain(&new.software).map(|choice| choice.family.as_str()).collect();
    let version = |profile: &Profile, family: &str| {
        profile.software.iter().find(|choice| choice.family == family).map(|choice| choice.version.to_string())
    };
    families
        .into_iter()
        .fold(event, |event, family| event.change(format!("software of {family}"), version(old, family), version(new, family)))
}

/// The event with every parameter that is different, and every secret that was typed anew.
pub(super) fn parameter_changes(event: Event, old: &ParameterSet, new: &ParameterSet) -> Event {
    let names: BTreeSet<_> = old.iter().chain(new.iter()).map(|(name, _)| name.as_str()).collect();
    let again: BTreeSet<_> = new.typed_again(old).map(ParameterName::as_str).collect();
    names.into_iter().fold(event, |event, name| match again.contains(name) {
        true => event.typed_again(name),
        false => event.parameter_change(name, old.get(name), new.get(name)),
    })
}

fn find(world: &World, id: ProfileId) -> Result<Arc<Profile>, ServiceError> {
    world.profile(id).cloned().ok_or_else(|| ServiceError::not_found("profile", id))
}

/// A profile that may be changed: standard ones and those of images are read-only (R111, R129).
fn find_own(world: &World, id: ProfileId) -> Result<Arc<Profile>, ServiceError> {
    let profile = find(world, id)?;
    if profile.is_standard() {
        return Err(ServiceError::ReadOnly(profile.name.to_string()));
    }
    if profile.kind == ProfileKind::Software {
        return Err(ServiceError::Conflict(format!(
            "“{}” comes with an image of software and goes with it: it is never changed here. Delete the image under Software, or \
             choose its version in a profile of your own",
            profile.name
        )));
    }
    Ok(profile)
}

/// Values of new profiles that the schema rules out, where that is wanted (R141).
fn refuse_ruled_out(world: &World, drafts: &[ProfileDraft]) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::new();
    for (item, draft) in drafts.iter().enumerate() {
        match schema::refuse_changes(world, &ParameterSet::new(), &draft.parameters) {
            Err(wrong) if drafts.len() == 1 => return Err(wrong),
            Err(wrong) => errors.add_item(item, wrong),
            Ok(()) => {}
        }
    }
    errors.into_result(Some(()))
}

fn check_new_names(world: &World, drafts: &[ProfileDraft]) -> Result<(), ServiceError> {
    let mut errors = FieldErrors::new();
    let mut names = BTreeSet::new();
    for (item, draft) in drafts.iter().enumerate() {
        let of_draft = match check_name(world, &draft.name, None) {
            Err(taken) => taken,
            Ok(()) if !names.insert(draft.name.folded()) => {
                FieldErrors::one("name", format_args!("“{}” stands in this list twice", draft.name))
            }
            Ok(()) => continue,
        };
        if drafts.len() == 1 {
            return Err(of_draft.into());
        }
        errors.add_item(item, of_draft);
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

/// Names are unique among all profiles of the account and the standard ones, whatever the letter case (R33). A profile keeps its name where a
/// later version of pdms brings a standard one of that name.
fn check_name(world: &World, name: &Name, except: Option<ProfileId>) -> Result<(), FieldErrors> {
    let folded = name.folded();
    if except.and_then(|id| world.profiles.get(&id)).is_some_and(|own| own.name.folded() == folded) {
        return Ok(());
    }
    refuse_reserved(name)?;
    match world.all_profiles().find(|other| other.name.folded() == folded) {
        Some(other) if other.is_standard() => Err(FieldErrors::one(
            "name",
            format_args!("“{}” is the name of a standard profile, which comes with the server; choose another name", other.name),
        )),
        Some(other) => {
            Err(FieldErrors::one("name", format_args!("there is a profile “{}” already; choose another name", other.name)))
        }
        None => Ok(()),
    }
}

/// What a device CSV calls the profile of a device is kept for it: another profile of that name would stand in its way (R284).
pub(super) fn refuse_reserved(name: &Name) -> Result<(), FieldErrors> {
    match device_of(&name.folded()) {
        Some(key) => Err(FieldErrors::one(
            "name",
            format_args!("“{name}” is kept for what a device CSV brings for the device {key}; choose another name"),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
