//! Device groups: making, editing and deleting them, and which of them automatic adds join (R97–R105). Who is a member is
//! [`super::membership`]'s, which profiles a group has [`super::deployment`]'s.

mod new;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Services;
use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use super::membership;
use super::recycle_bin::{self, Deleted};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::deployment::Place;
use crate::domain::field_error::FieldErrors;
use crate::domain::group::{Group, GroupDraft};
use crate::domain::ids::{AccountId, GroupId};
use crate::domain::limits::{DELETED_AT_ONCE, GROUPS_PER_DEVICE};
use crate::domain::names::Name;
use crate::domain::world::World;
use crate::store;

pub use new::{NewGroup, create};

/// A group as somebody had it before them when they decided on a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The group.
    pub id: GroupId,
    /// Its revision.
    pub revision: u64,
}

/// What goes with groups (R101); what changes for whom is told by [`crate::domain::foresight`], as of any change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Members of each group.
    pub members: BTreeMap<GroupId, usize>,
}

/// One group.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn get(services: &Services, account: AccountId, id: GroupId) -> Result<Arc<Group>, ServiceError> {
    find(&*services.world(account)?, id)
}

/// All groups in the order of their numbers.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId) -> Result<Vec<Arc<Group>>, ServiceError> {
    Ok(services.world(account)?.groups.values().cloned().collect())
}

/// Changes name and description of a group that was shown with `revision`.
///
/// # Errors
/// [`ServiceError::Conflict`] when somebody else has changed it since (R14); [`ServiceError::Invalid`] when the name is taken.
pub fn update(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: Shown,
    draft: GroupDraft,
    mode: Mode,
) -> Result<Group, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let old = find(&world, shown.id)?;
        if old.revision != shown.revision {
            return Err(ServiceError::stale("device group", &old.modified_by));
        }
        check_name(&world, &draft.name, Some(old.id))?;
        let mut new = Group { name: draft.name, description: draft.description, ..Group::clone(&old) };
        if new == *old {
            change.leave_as_is();
            return Ok(new);
        }
        new.revision += 1;
        new.modified_at = change.now();
        change.actor().clone_into(&mut new.modified_by);
        change.record(changed(Some(&old), &new, "changed"))?;
        change.put_group(new.clone())?;
        Ok(new)
    })
}

/// Gives a group a description within a change of more.
pub(super) fn describe(change: &mut Change<'_>, old: &Group, description: String) -> Result<(), ServiceError> {
    let mut new = Group { description, revision: old.revision + 1, modified_at: change.now(), ..old.clone() };
    change.actor().clone_into(&mut new.modified_by);
    change.record(changed(Some(old), &new, "changed"))?;
    change.put_group(new)
}

fn loss(services: &Services, account: AccountId, ids: &BTreeSet<GroupId>) -> Result<Loss, ServiceError> {
    let world = services.world(account)?;
    for id in ids {
        find(&world, *id)?;
    }
    let mut members: BTreeMap<GroupId, usize> = ids.iter().map(|id| (*id, 0)).collect();
    for one in services.roster(account).all() {
        for id in &one.device.groups {
            members.get_mut(id).into_iter().for_each(|count| *count += 1);
        }
    }
    Ok(Loss { members })
}

/// Deletes groups with everything that they held: members lose them, profiles lose a place, the defaults an entry (R101). All of
/// them, or none when one is not there. Answers what went.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] for more than are deleted at once.
pub fn delete_all(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    ids: &BTreeSet<GroupId>,
    mode: Mode,
) -> Result<Deleted<Loss>, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    if ids.len() > DELETED_AT_ONCE {
        let count = ids.len();
        return Err(ServiceError::Conflict(format!(
            "at most {DELETED_AT_ONCE} device groups are deleted at once; these are {count}. Split the list"
        )));
    }
    if ids.is_empty() {
        return Ok(Deleted { what: Loss::default(), deletion: None });
    }
    perform(services, mode, grant, account, |change| {
        let loss = loss(services, account, ids)?;
        let world = services.world(account)?;
        for member in membership::of_any(services, account, ids) {
            let mut device = super::devices::stored(services, change, account, &member)?;
            device.groups.retain(|id| !ids.contains(id));
            device.revision += 1;
            change.put_device(device)?;
        }
        if world.default_groups.iter().any(|id| ids.contains(id)) {
            change.put_default_groups(world.default_groups.iter().copied().filter(|id| !ids.contains(id)).collect())?;
        }
        for id in ids {
            let place = Place::Group(*id);
            let profiles = world.deployment.get(&place).map_or(0, Vec::len);
            change.put_place(place, Vec::new())?;
            change.delete_group(*id)?;
            let count = |number: usize| Some(number.to_string()).filter(|_| number > 0);
            let event = Event::new("device group", find(&world, *id)?.name.to_string(), "deleted");
            let event = event.change("members", count(loss.members.get(id).copied().unwrap_or(0)), None);
            change.record(event.change("profiles", count(profiles), None))?;
        }
        Ok(Deleted { what: loss, deletion: recycle_bin::keep(services, change, mode)? })
    })
}

/// Sets the groups that automatically added devices join, highest first, in place of those they were shown with (R103, R105).
///
/// # Errors
/// [`ServiceError::Conflict`] when `shown` is no longer the list (R14); [`ServiceError::Invalid`] of the field `groups`.
pub fn set_defaults(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    shown: &[GroupId],
    groups: Vec<GroupId>,
    mode: Mode,
) -> Result<Vec<GroupId>, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        if shown != world.default_groups {
            return Err(ServiceError::stale("list of default groups", ""));
        }
        check_list(&world, &groups).map_err(|message| FieldErrors::one("groups", message))?;
        if groups == world.default_groups {
            change.leave_as_is();
            return Ok(groups);
        }
        let event = Event::new("device group", "default groups", "changed");
        change.record(event.change("groups", names(&world, &world.default_groups), names(&world, &groups)))?;
        change.put_default_groups(groups.clone())?;
        Ok(groups)
    })
}

/// Whether this may be a list of groups, in words if not.
pub(super) fn check_list(world: &World, groups: &[GroupId]) -> Result<(), String> {
    if groups.len() > GROUPS_PER_DEVICE {
        return Err(format!("a device is in at most {GROUPS_PER_DEVICE} groups; these are {}", groups.len()));
    }
    for (i, id) in groups.iter().enumerate() {
        let group =
            world.groups.get(id).ok_or_else(|| format!("there is no device group {id}; it may have been deleted meanwhile"))?;
        if groups[..i].contains(id) {
            return Err(format!("“{}” stands in the list twice", group.name));
        }
    }
    Ok(())
}

/// Groups by name, in their order; none for an empty list.
pub(super) fn names(world: &World, groups: &[GroupId]) -> Option<String> {
    let names: Vec<_> = groups.iter().filter_map(|id| world.groups.get(id)).map(|group| group.name.to_string()).collect();
    Some(names.join(", ")).filter(|names| !names.is_empty())
}

pub(super) fn find(world: &World, id: GroupId) -> Result<Arc<Group>, ServiceError> {
    world.groups.get(&id).cloned().ok_or_else(|| ServiceError::not_found("device group", id))
}

pub(super) fn add(change: &mut Change<'_>, draft: GroupDraft) -> Result<Group, ServiceError> {
    let group = Group {
        id: store::groups::next_id(change.tx())?,
        name: draft.name,
        description: draft.description,
        modified_by: change.actor().to_owned(),
        modified_at: change.now(),
        revision: 1,
    };
    change.record(changed(None, &group, "added"))?;
    change.put_group(group.clone())?;
    Ok(group)
}

fn changed(old: Option<&Group>, new: &Group, action: &str) -> Event {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let event = Event::new("device group", new.name.to_string(), action);
    let event = match old {
        Some(old) => event.change("name", Some(old.name.to_string()), Some(new.name.to_string())),
        None => event,
    };
    event.change("description", old.and_then(|old| text(&old.description)), text(&new.description))
}

fn check_new_names(world: &World, drafts: &[GroupDraft]) -> Result<(), ServiceError> {
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

/// Names are unique among the groups of the account, whatever the letter case (R34).
fn check_name(world: &World, name: &Name, except: Option<GroupId>) -> Result<(), FieldErrors> {
    let folded = name.folded();
    match world.groups.values().find(|other| Some(other.id) != except && other.name.folded() == folded) {
        Some(other) => {
            Err(FieldErrors::one("name", format_args!("there is a device group “{}” already; choose another name", other.name)))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
