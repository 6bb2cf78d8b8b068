//! Attaching profiles to places and to single devices, in order (R144–R152).

use super::Services;
use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::deployment::{Container, Place, subject};
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::limits::PROFILES_PER_CONTAINER;
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::provision::{Warning, warnings_of};
use crate::domain::world::World;

/// What profiles are attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A place.
    Place(Place),
    /// One device.
    Device(DeviceKey),
}

impl Target {
    /// The container that it is of.
    pub fn container(&self) -> Container {
        match self {
            Self::Place(place) => place.container(),
            Self::Device(_) => Container::Device,
        }
    }
}

/// How a profile moves in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// One higher.
    Up,
    /// One lower.
    Down,
    /// Before all others.
    Top,
    /// Behind all others.
    Bottom,
}

/// The profiles of a target, highest first.
///
/// # Errors
/// [`ServiceError::NotFound`] for a place or device that does not exist.
pub fn of(services: &Services, account: AccountId, target: &Target) -> Result<Vec<ProfileId>, ServiceError> {
    match target {
        Target::Place(place) => {
            let world = services.world(account)?;
            must_exist(services, &world, place)?;
            Ok(world.deployment.get(place).cloned().unwrap_or_default())
        }
        Target::Device(key) => Ok(super::devices::get(services, account, key)?.device.profiles.clone()),
    }
}

/// Sets the profiles of a target, highest first, in place of those it was shown with.
///
/// # Errors
/// [`ServiceError::Conflict`] when `shown` is no longer what is attached (R14); [`ServiceError::Invalid`] of the field
/// `profiles` for profiles that do not exist, stand there twice or may not be attached.
pub fn set(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    target: &Target,
    shown: Option<&[ProfileId]>,
    profiles: Vec<ProfileId>,
    mode: Mode,
) -> Result<Vec<ProfileId>, ServiceError> {
    change_list(services, actor, account, target, mode, |now| {
        if shown.is_some_and(|shown| shown != now) {
            return Err(ServiceError::stale("list of profiles", ""));
        }
        Ok(profiles)
    })
}

/// Attaches a profile below those that are attached already. One that is attached stays where it is.
///
/// # Errors
/// As [`set`].
pub fn attach(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    target: &Target,
    profile: ProfileId,
    mode: Mode,
) -> Result<Vec<ProfileId>, ServiceError> {
    change_list(services, actor, account, target, mode, |now| {
        let mut next = now.to_vec();
        if !next.contains(&profile) {
            next.push(profile);
        }
        Ok(next)
    })
}

/// Detaches a profile.
///
/// # Errors
/// [`ServiceError::NotFound`] when it is not attached.
pub fn detach(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    target: &Target,
    profile: ProfileId,
    mode: Mode,
) -> Result<Vec<ProfileId>, ServiceError> {
    change_list(services, actor, account, target, mode, |now| {
        position(now, profile)?;
        Ok(now.iter().copied().filter(|other| *other != profile).collect())
    })
}

/// Moves a profile in its list; the others keep their order.
///
/// # Errors
/// [`ServiceError::NotFound`] when it is not attached.
pub fn reorder(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    target: &Target,
    profile: ProfileId,
    step: Move,
    mode: Mode,
) -> Result<Vec<ProfileId>, ServiceError> {
    change_list(services, actor, account, target, mode, |now| {
        let from = position(now, profile)?;
        let to = match step {
            Move::Up => from.saturating_sub(1),
            Move::Down => (from + 1).min(now.len() - 1),
            Move::Top => 0,
            Move::Bottom => now.len() - 1,
        };
        let mut next = now.to_vec();
        next.remove(from);
        next.insert(to, profile);
        Ok(next)
    })
}

fn change_list(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    target: &Target,
    mode: Mode,
    decide: impl FnOnce(&[ProfileId]) -> Result<Vec<ProfileId>, ServiceError>,
) -> Result<Vec<ProfileId>, ServiceError> {
    let grant = authorize(actor, Action::Deploy(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        match target {
            Target::Place(place) => {
                must_exist(services, &world, place)?;
                let old = world.deployment.get(place).cloned().unwrap_or_default();
                let new = decide(&old)?;
                check(&world, target, &new).map_err(|message| FieldErrors::one("profiles", message))?;
                if new == old {
                    change.leave_as_is();
                    return Ok(new);
                }
                record(change, &world, subject(place, &world), &old, &new)?;
                change.put_place(place.clone(), new.clone())?;
                Ok(new)
            }
            Target::Device(key) => {
                let mut device = super::devices::stored(services, change, account, key)?;
                let new = decide(&device.profiles)?;
                check(&world, target, &new).map_err(|message| FieldErrors::one("profiles", message))?;
                if new == device.profiles {
                    change.leave_as_is();
                    return Ok(new);
                }
                record(change, &world, super::devices::subject(&device), &device.profiles, &new)?;
                device.profiles.clone_from(&new);
                device.revision += 1;
                change.put_device(device)?;
                Ok(new)
            }
        }
    })
}

/// What an admin should know of profiles that are attached together, highest first.
pub fn warnings(world: &World, attached: &[ProfileId]) -> Vec<Warning> {
    warnings_of(attached.iter().filter_map(|id| world.profile(*id)).map(|profile| &**profile), world)
}

/// Whether these profiles may be attached to a device, in words if not.
pub(super) fn check_for_device(world: &World, key: &DeviceKey, profiles: &[ProfileId]) -> Result<(), String> {
    check(world, &Target::Device(key.clone()), profiles)
}

/// Whether these profiles may be attached to a device group, in words if not.
pub(super) fn check_for_group(world: &World, profiles: &[ProfileId]) -> Result<(), String> {
    check(world, &Target::Place(Place::Global), profiles)
}

fn check(world: &World, target: &Target, profiles: &[ProfileId]) -> Result<(), String> {
    if profiles.len() > PROFILES_PER_CONTAINER {
        return Err(format!("at most {PROFILES_PER_CONTAINER} profiles are attached to one place; these are {}", profiles.len()));
    }
    for (i, id) in profiles.iter().enumerate() {
        let profile =
            world.profile(*id).ok_or_else(|| format!("there is no profile {id}; it may have been deleted meanwhile"))?;
        if profiles[..i].contains(id) {
            return Err(format!("“{}” stands in the list twice", profile.name));
        }
        if profile.is_template() {
            return Err(format!(
                "“{}” asks for values first and cannot be attached. Copy it, fill in its form, and attach the copy",
                profile.name
            ));
        }
        if !may_stand_at(target, profile) {
            return Err(format!("“{}” comes from a device CSV and belongs to its device alone", profile.name));
        }
    }
    Ok(())
}

/// Whether a profile may be attached here at all: one from a device CSV belongs to its device alone, which its name tells (R151,
/// contract 5.5).
pub fn may_stand_at(target: &Target, profile: &Profile) -> bool {
    let is_own = |key: &DeviceKey| profile.name.as_str().eq_ignore_ascii_case(&format!("{key}_csv_profile"));
    profile.kind != ProfileKind::UserImported || matches!(target, Target::Device(key) if is_own(key))
}

fn must_exist(services: &Services, world: &World, place: &Place) -> Result<(), ServiceError> {
    let (what, which) = match place {
        _ if super::places::exists(services, world, place) => return Ok(()),
        Place::Global => ("container", "global".to_owned()),
        Place::Model(name) => ("model", name.clone()),
        Place::Person(id) => ("person", id.to_string()),
        Place::Room(id) => ("room", id.to_string()),
        Place::PersonGroup(id) => ("person group", id.to_string()),
        Place::Site(id) => ("site", id.to_string()),
        Place::Group(id) => ("device group", id.to_string()),
    };
    Err(ServiceError::not_found(what, which))
}

fn position(profiles: &[ProfileId], profile: ProfileId) -> Result<usize, ServiceError> {
    profiles.iter().position(|other| *other == profile).ok_or_else(|| ServiceError::not_found("attached profile", profile))
}

/// Notes a change of the profiles at a place in the activity log.
pub(super) fn record(
    change: &mut Change<'_>,
    world: &World,
    subject: String,
    old: &[ProfileId],
    new: &[ProfileId],
) -> Result<(), ServiceError> {
    let names = |ids: &[ProfileId]| {
        let names: Vec<_> =
            ids.iter().map(|id| world.profile(*id).map_or_else(|| id.to_string(), |p| p.name.to_string())).collect();
        Some(names.join(", ")).filter(|names| !names.is_empty())
    };
    change.record(Event::new("deployment", subject, "changed").change("profiles", names(old), names(new)))
}

#[cfg(test)]
mod tests;
