//! Lines of devices: read from all profiles, written into a profile of each device's own.
//!
//! A device's own profile is one of user-defined kind that is attached to it and nowhere else. Where there is none, one named `NAME lines` is
//! made below the CSV profile (contract 5.1). What the CSV profile says already is changed there; where another profile of the device would
//! hide what is written, its own one moves above that.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Services;
use super::commit::{Change, Mode, perform};
use super::deployment::check_for_device;
use super::error::ServiceError;
use super::{profiles, schema};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::{Device, DeviceKey};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::limits::LINES_AT_ONCE;
use crate::domain::limits::PROFILES_PER_CONTAINER;
use crate::domain::lines::{self, Line, Placing, TypedLine, check, edits, told};
use crate::domain::names::Name;
use crate::domain::parameter::ParameterSet;
use crate::domain::profile::draft::{ParameterEdit, ProfileDraft, apply};
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::world::World;

/// Which profiles are one device's own: one look at all devices, for as many of them as are asked about.
pub struct OwnProfiles {
    carriers: HashMap<ProfileId, usize>,
    placed: HashSet<ProfileId>,
}

impl OwnProfiles {
    /// Looks at all devices of an account.
    pub fn new(services: &Services, world: &World) -> Self {
        let mut carriers = HashMap::new();
        for listed in services.roster(world.account_id).all() {
            for id in &listed.device.profiles {
                *carriers.entry(*id).or_default() += 1;
            }
        }
        Self { carriers, placed: world.deployment.values().flatten().copied().collect() }
    }

    /// The strongest own profile of a device.
    pub fn of<'w>(&self, device: &Device, world: &'w World) -> Option<&'w Profile> {
        let own = device.profiles.iter().filter_map(|id| world.profiles.get(id)).find(|profile| {
            profile.kind == ProfileKind::UserDefined
                && !profile.yields
                && self.carriers.get(&profile.id) == Some(&1)
                && !self.placed.contains(&profile.id)
        });
        own.map(|profile| &**profile)
    }

    /// The profile that was made for the lines of a device, as long as it is attached to that device alone: it goes with it. Whoever gives it
    /// another description keeps it.
    pub fn made_for<'w>(&self, device: &Device, world: &'w World) -> Option<&'w Profile> {
        let own = device.profiles.iter().filter_map(|id| world.profiles.get(id)).find(|profile| {
            profile.kind == ProfileKind::UserDefined
                && !profile.yields
                && profile.description == description(device)
                && self.carriers.get(&profile.id) == Some(&1)
                && !self.placed.contains(&profile.id)
        });
        own.map(|profile| &**profile)
    }
}

/// How a profile is described that is made for the lines of a device.
fn description(device: &Device) -> String {
    format!("Lines of {}.", device.key)
}

/// The lines of one device.
#[derive(Clone, Debug)]
pub struct LinesOf {
    /// The device.
    pub key: DeviceKey,
    /// Its own profile: number and name.
    pub own: Option<(ProfileId, Name)>,
    /// The revision of that profile; 0 where there is none.
    pub revision: u64,
    /// The lines.
    pub lines: Vec<Line>,
}

/// The lines of a device: at least as many as are asked for, and all that some profile speaks of.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn read(services: &Services, account: AccountId, key: &DeviceKey, least: usize) -> Result<LinesOf, ServiceError> {
    let mut read = read_all(services, account, std::slice::from_ref(key), least)?;
    read.pop().ok_or_else(|| ServiceError::not_found("device", key))
}

/// The lines of several devices.
///
/// # Errors
/// As [`read`].
pub fn read_all(services: &Services, account: AccountId, keys: &[DeviceKey], least: usize) -> Result<Vec<LinesOf>, ServiceError> {
    let world = services.world(account)?;
    let own_profiles = OwnProfiles::new(services, &world);
    let read = |key: &DeviceKey| {
        let device = super::devices::get(services, account, key)?.device;
        let own = own_profiles.of(&device, &world);
        Ok(LinesOf {
            key: key.clone(),
            own: own.map(|own| (own.id, own.name.clone())),
            revision: own.map_or(0, |own| own.revision),
            lines: lines::read(&device, &world, own.map(|own| own.id), least),
        })
    };
    keys.iter().map(read).collect()
}

/// What was typed about the lines of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinesEdit {
    /// The device.
    pub key: DeviceKey,
    /// The revision of its own profile that was shown; none where nobody looked.
    pub shown: Option<u64>,
    /// What was typed, by line.
    pub typed: BTreeMap<usize, TypedLine>,
}

/// What was changed for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The device.
    pub key: DeviceKey,
    /// The profile that it was written into, its own before its CSV profile; none where nothing changed.
    pub profile: Option<(ProfileId, Name)>,
    /// Its CSV profile, where some of it was written into its own profile and some into this one.
    pub also: Option<Name>,
    /// The profile of the device that its own one was put above, because that one says something of the same.
    pub above: Option<Name>,
    /// Whether that was made for it.
    pub is_new: bool,
    /// Name, value before and after; secrets masked.
    pub changes: Vec<(String, Option<String>, Option<String>)>,
}

/// Writes lines of devices: all of them, or none where one cannot be written.
///
/// # Errors
/// [`ServiceError::Invalid`] with the item of each device and its wrong fields; [`ServiceError::Conflict`] where an own profile was
/// changed since, or too many are asked for.
pub fn save(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    wanted: &[LinesEdit],
    mode: Mode,
) -> Result<Vec<Saved>, ServiceError> {
    authorize(actor, Action::Deploy(account))?;
    let grant = authorize(actor, Action::EditProfiles(account))?;
    if wanted.len() > LINES_AT_ONCE {
        return Err(ServiceError::Conflict(format!(
            "lines of at most {LINES_AT_ONCE} devices are changed at once; split the list"
        )));
    }
    check_all(services, account, wanted)?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let own_profiles = OwnProfiles::new(services, &world);
        let mut taken: BTreeSet<String> = world.all_profiles().map(|profile| profile.name.folded()).collect();
        let write = |one: &LinesEdit| write(services, change, &world, &own_profiles, &mut taken, one);
        let saved = wanted.iter().map(write).collect::<Result<Vec<_>, _>>()?;
        if saved.iter().all(|one| one.changes.is_empty()) {
            change.leave_as_is();
        }
        Ok(saved)
    })
}

/// Every wrong field of every device at once.
fn check_all(services: &Services, account: AccountId, wanted: &[LinesEdit]) -> Result<(), ServiceError> {
    let world = services.world(account)?;
    let mut errors = FieldErrors::new();
    let mut keys = HashSet::new();
    for (item, one) in wanted.iter().enumerate() {
        let mut of_one = FieldErrors::new();
        if services.roster(account).find(&one.key).is_none() {
            of_one.add("device", format_args!("there is no device {}", one.key));
        }
        if !keys.insert(&one.key) {
            of_one.add("device", format_args!("{} stands in the list twice", one.key));
        }
        for fault in check(&one.typed, world.schemas.current()) {
            of_one.add(fault.field.word(), format_args!("line {}: {}", fault.line, fault.message));
        }
        if !of_one.is_empty() {
            errors.add_item(item, of_one);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

fn write(
    services: &Services,
    change: &mut Change<'_>,
    world: &World,
    own_profiles: &OwnProfiles,
    taken: &mut BTreeSet<String>,
    one: &LinesEdit,
) -> Result<Saved, ServiceError> {
    let device = super::devices::stored(services, change, world.account_id, &one.key)?;
    let own = own_profiles.of(&device, world);
    if one.shown.is_some_and(|shown| shown != own.map_or(0, |own| own.revision)) {
        return Err(ServiceError::stale("device's lines", own.map_or("", |own| &own.modified_by)));
    }
    let edits = edits(&one.typed, &device, world, own.map(|own| own.id));
    let Placing { csv, own: edits, at, above } = lines::place(edits, &device, world, own.map(|own| own.id));
    let name_of = |id: ProfileId| world.profile(id).map(|profile| profile.name.clone());
    let above = above.and_then(name_of);
    let mut saved = Saved { key: one.key.clone(), profile: None, also: None, above, is_new: false, changes: Vec::new() };
    if !edits.is_empty() {
        let nothing = ParameterSet::new();
        saved.changes = told(&edits, own.map_or(&nothing, |own| &own.parameters));
        let new = match own {
            Some(own) => {
                put_at(change, world, device, own.id, own.name.clone(), at)?;
                change_own(change, world, own, &edits)?
            }
            None => make_own(change, world, device, &edits, at, taken)?,
        };
        saved.is_new = own.is_none();
        saved.profile = Some((new.id, new.name));
    }
    if let Some((profile, edits)) = csv.and_then(|(id, edits)| Some((world.profile(id)?, edits))) {
        saved.changes.extend(told(&edits, &profile.parameters));
        let new = change_own(change, world, profile, &edits)?;
        match saved.profile {
            None => saved.profile = Some((new.id, new.name)),
            Some(_) => saved.also = Some(new.name),
        }
    }
    Ok(saved)
}

fn change_own(change: &mut Change<'_>, world: &World, own: &Profile, edits: &[ParameterEdit]) -> Result<Profile, ServiceError> {
    let mut new = own.clone();
    new.parameters = apply(&own.parameters, edits).map_err(|message| FieldErrors::one("address", message))?;
    schema::refuse_changes(world, &own.parameters, &new.parameters)?;
    new.revision += 1;
    new.modified_at = change.now();
    change.actor().clone_into(&mut new.modified_by);
    let event = Event::new("profile", new.name.to_string(), "changed");
    change.record(profiles::parameter_changes(event, &own.parameters, &new.parameters))?;
    change.put_profile(new.clone())?;
    Ok(new)
}

/// Makes the device's own profile at a place among the others.
fn make_own(
    change: &mut Change<'_>,
    world: &World,
    device: Device,
    edits: &[ParameterEdit],
    at: usize,
    taken: &mut BTreeSet<String>,
) -> Result<Profile, ServiceError> {
    let parameters = apply(&ParameterSet::new(), edits).map_err(|message| FieldErrors::one("address", message))?;
    schema::refuse_changes(world, &ParameterSet::new(), &parameters)?;
    check_for_device(world, &device.key, &device.profiles).map_err(ServiceError::Conflict)?;
    if device.profiles.len() >= PROFILES_PER_CONTAINER {
        let message = format!("the device {} has {PROFILES_PER_CONTAINER} profiles already, which is the most", device.key);
        return Err(ServiceError::Conflict(message));
    }
    let (name, description) = (free_name(&device, taken)?, description(&device));
    let new =
        profiles::add(change, ProfileDraft { name, description, software: Vec::new(), parameters, yields: false }, "added")?;
    put_at(change, world, device, new.id, new.name.clone(), at)?;
    Ok(new)
}

/// Puts a profile at a place among the others of a device, where it does not stand there already.
fn put_at(
    change: &mut Change<'_>,
    world: &World,
    mut device: Device,
    id: ProfileId,
    name: Name,
    at: usize,
) -> Result<(), ServiceError> {
    let mut after: Vec<ProfileId> = device.profiles.iter().copied().filter(|other| *other != id).collect();
    after.insert(at.min(after.len()), id);
    if after == device.profiles {
        return Ok(());
    }
    let called = |one: &ProfileId| if *one == id { Some(&name) } else { world.profile(*one).map(|one| &one.name) };
    let names = |ids: &[ProfileId]| {
        let names: Vec<_> = ids.iter().filter_map(called).map(ToString::to_string).collect();
        Some(names.join(", ")).filter(|names| !names.is_empty())
    };
    let event = Event::new("deployment", super::devices::subject(&device), "changed");
    change.record(event.change("profiles", names(&device.profiles), names(&after)))?;
    device.profiles = after;
    device.revision += 1;
    change.put_device(device)
}

/// `NAME lines`, by the device's name or else its key, with a number behind it where a profile has that name.
fn free_name(device: &Device, taken: &mut BTreeSet<String>) -> Result<Name, ServiceError> {
    let called = device.name.as_ref().map(ToString::to_string);
    let stems = called.into_iter().chain([device.key.to_string()]);
    for stem in stems {
        let endings = std::iter::once(String::new()).chain((2..1_000).map(|number| format!(" {number}")));
        let free = endings.filter_map(|ending| Name::parse(&format!("{stem} lines{ending}")).ok());
        if let Some(name) = free.into_iter().find(|name| !taken.contains(&name.folded())) {
            taken.insert(name.folded());
            return Ok(name);
        }
    }
    Err(ServiceError::Conflict(format!("a profile for the lines of {} finds no free name", device.key)))
}
