//! Who is in which device group, and which of a device's groups speaks first (R97–R102).

use std::collections::BTreeSet;

use super::Services;
use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use super::groups::{check_list, find, names};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::group::{Group, with_first};
use crate::domain::ids::{AccountId, GroupId};
use crate::domain::limits::{DEVICES, GROUPS_PER_DEVICE};

/// Who joins and who leaves a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// Devices that join: the group comes last in their lists.
    pub add: BTreeSet<DeviceKey>,
    /// Devices that leave.
    pub remove: BTreeSet<DeviceKey>,
}

/// What came of a change of members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Devices that joined.
    pub added: Vec<DeviceKey>,
    /// Devices that left.
    pub removed: Vec<DeviceKey>,
    /// Devices for which nothing changed.
    pub unchanged: usize,
}

/// The members of any of these groups, by key.
pub fn of_any(services: &Services, account: AccountId, groups: &BTreeSet<GroupId>) -> Vec<DeviceKey> {
    let all = services.roster(account).all();
    let members = all.iter().filter(|one| one.device.groups.iter().any(|id| groups.contains(id)));
    let mut keys: Vec<_> = members.map(|one| one.device.key.clone()).collect();
    keys.sort();
    keys
}

/// Lets devices join and leave a group: all of them, or none when one is not there.
///
/// # Errors
/// [`ServiceError::NotFound`] without such a group; [`ServiceError::Invalid`] of the fields `add` and `remove` with every device that
/// cannot; [`ServiceError::Conflict`] for more than are changed at once.
pub fn change(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: GroupId,
    wanted: &MemberChange,
    mode: Mode,
) -> Result<Changed, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    let count = wanted.add.len() + wanted.remove.len();
    if count > DEVICES {
        return Err(ServiceError::Conflict(format!(
            "at most {DEVICES} members are changed at once; these are {count}. Split the list"
        )));
    }
    perform(services, mode, grant, account, |change| {
        let group = find(&*services.world(account)?, id)?;
        check(services, account, id, wanted)?;
        let mut done = Changed::default();
        for (keys, joins) in [(&wanted.add, true), (&wanted.remove, false)] {
            for key in keys {
                let mut device = super::devices::stored(services, change, account, key)?;
                if device.groups.contains(&id) == joins {
                    done.unchanged += 1;
                    continue;
                }
                if joins {
                    device.groups.push(id);
                    done.added.push(key.clone());
                } else {
                    device.groups.retain(|other| *other != id);
                    done.removed.push(key.clone());
                }
                device.revision += 1;
                change.put_device(device)?;
            }
        }
        tell(change, &group, &done)?;
        Ok(done)
    })
}

/// Notes who is in a new group from the beginning; nothing where nobody is.
pub(super) fn tell_joined(change: &mut Change<'_>, group: &Group, members: BTreeSet<DeviceKey>) -> Result<(), ServiceError> {
    if members.is_empty() {
        return Ok(());
    }
    tell(change, group, &Changed { added: members.into_iter().collect(), ..Changed::default() })
}

fn tell(change: &mut Change<'_>, group: &Group, done: &Changed) -> Result<(), ServiceError> {
    if done.added.is_empty() && done.removed.is_empty() {
        change.leave_as_is();
        return Ok(());
    }
    let told = |keys: &[DeviceKey]| {
        let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
        Some(format!("{}: {}", keys.len(), keys.join(", "))).filter(|_| !keys.is_empty())
    };
    let event = Event::new("device group", group.name.to_string(), "changed members");
    change.record(event.change("joined", None, told(&done.added)).change("left", told(&done.removed), None))
}

/// Devices that cannot join or leave, each told.
fn check(services: &Services, account: AccountId, id: GroupId, wanted: &MemberChange) -> Result<(), FieldErrors> {
    let roster = services.roster(account);
    let mut errors = FieldErrors::new();
    for key in &wanted.add {
        match roster.find(key) {
            None => errors.add("add", format_args!("there is no device {key}")),
            Some(one) if one.device.groups.len() >= GROUPS_PER_DEVICE && !one.device.groups.contains(&id) => {
                errors.add("add", format_args!("{key} is in {GROUPS_PER_DEVICE} groups already, which is the most"));
            }
            Some(_) => {}
        }
        if wanted.remove.contains(key) {
            errors.add("remove", format_args!("{key} cannot join and leave at once"));
        }
    }
    for key in wanted.remove.iter().filter(|key| roster.find(key).is_none()) {
        errors.add("remove", format_args!("there is no device {key}"));
    }
    errors.into_result(Some(()))
}

/// The groups of a device that are there, highest first.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn of_device(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Vec<GroupId>, ServiceError> {
    let world = services.world(account)?;
    let listed = super::devices::get(services, account, key)?;
    Ok(listed.device.groups.iter().copied().filter(|id| world.groups.contains_key(id)).collect())
}

/// Sets the groups of a device, highest first, in place of those it was shown with.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] when `shown` is no longer the list (R14); [`ServiceError::Invalid`] of the
/// field `groups`.
pub fn set_of_device(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    shown: &[GroupId],
    groups: Vec<GroupId>,
    mode: Mode,
) -> Result<Vec<GroupId>, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let mut device = super::devices::stored(services, change, account, key)?;
        device.groups.retain(|id| world.groups.contains_key(id));
        if shown != device.groups {
            return Err(ServiceError::stale("list of groups", ""));
        }
        check_list(&world, &groups).map_err(|message| FieldErrors::one("groups", message))?;
        if groups == device.groups {
            change.leave_as_is();
            return Ok(groups);
        }
        let event = Event::new("device", super::devices::subject(&device), "changed");
        change.record(event.change("groups", names(&world, &device.groups), names(&world, &groups)))?;
        device.groups.clone_from(&groups);
        device.revision += 1;
        change.put_device(device)?;
        Ok(groups)
    })
}

/// Makes a group the first one of each of its members; their other groups keep their order (R102). Answers how many members there
/// are, and the ones for which it was not the first.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn set_to_top(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: GroupId,
    mode: Mode,
) -> Result<(usize, Vec<DeviceKey>), ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    perform(services, mode, grant, account, |change| {
        let group = find(&*services.world(account)?, id)?;
        let members = of_any(services, account, &BTreeSet::from([id]));
        let mut moved = Vec::new();
        for key in &members {
            let mut device = super::devices::stored(services, change, account, key)?;
            let groups = with_first(&device.groups, id);
            if groups != device.groups {
                device.groups = groups;
                device.revision += 1;
                change.put_device(device)?;
                moved.push(key.clone());
            }
        }
        if moved.is_empty() {
            change.leave_as_is();
        } else {
            let event = Event::new("device group", group.name.to_string(), "set to top priority");
            change.record(event.change("devices", None, Some(moved.len().to_string())))?;
        }
        Ok((members.len(), moved))
    })
}
