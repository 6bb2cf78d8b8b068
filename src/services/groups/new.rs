//! Making groups together with their first members and profiles (R98): one change, so that what it does to devices is shown once.

use std::collections::BTreeSet;

use super::{Group, add, check_new_names};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::deployment::Place;
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::group::GroupDraft;
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::limits::{DEVICES, GROUPS, GROUPS_PER_DEVICE};
use crate::services::commit::{Change, Mode, perform};
use crate::services::error::ServiceError;
use crate::services::{Services, deployment, devices, membership};

/// A group to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGroup {
    /// Name and description.
    pub draft: GroupDraft,
    /// Devices that join: the group comes last in their lists.
    pub members: BTreeSet<DeviceKey>,
    /// Profiles attached to it, strongest first.
    pub profiles: Vec<ProfileId>,
}

impl From<GroupDraft> for NewGroup {
    fn from(draft: GroupDraft) -> Self {
        Self { draft, members: BTreeSet::new(), profiles: Vec::new() }
    }
}

/// Makes groups with what they hold from the beginning: all of them, or none when one cannot be made.
///
/// # Errors
/// [`ServiceError::Invalid`] of the fields `name`, `members` and `profiles`, with the item where there are several;
/// [`ServiceError::Conflict`] when there would be more than an account may have.
pub fn create(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    new: Vec<impl Into<NewGroup>>,
    mode: Mode,
) -> Result<Vec<Group>, ServiceError> {
    let new: Vec<NewGroup> = new.into_iter().map(Into::into).collect();
    let grant = authorize(actor, Action::EditDevices(account))?;
    if new.iter().any(|one| !one.profiles.is_empty()) {
        authorize(actor, Action::Deploy(account))?;
    }
    if new.is_empty() {
        return Ok(Vec::new());
    }
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        if world.groups.len() + new.len() > GROUPS {
            let present = world.groups.len();
            return Err(ServiceError::Conflict(format!(
                "an account has at most {GROUPS} device groups; there are {present} already"
            )));
        }
        let drafts: Vec<GroupDraft> = new.iter().map(|one| one.draft.clone()).collect();
        check_new_names(&world, &drafts)?;
        check_contents(services, account, &new)?;
        new.into_iter().map(|one| make(services, change, account, one)).collect()
    })
}

/// Members that cannot join and profiles that cannot be attached, each told.
fn check_contents(services: &Services, account: AccountId, new: &[NewGroup]) -> Result<(), ServiceError> {
    let (world, roster) = (services.world(account)?, services.roster(account));
    let mut errors = FieldErrors::new();
    for (item, one) in new.iter().enumerate() {
        let mut wrong = FieldErrors::new();
        if one.members.len() > DEVICES {
            wrong.add("members", format_args!("a group has at most {DEVICES} devices"));
        }
        for key in &one.members {
            match roster.find(key) {
                None => wrong.add("members", format_args!("there is no device {key}")),
                Some(listed) if listed.device.groups.len() >= GROUPS_PER_DEVICE => {
                    wrong.add("members", format_args!("{key} is in {GROUPS_PER_DEVICE} groups already, which is the most"));
                }
                Some(_) => {}
            }
        }
        if let Err(message) = deployment::check_for_group(&world, &one.profiles) {
            wrong.add("profiles", message);
        }
        if new.len() == 1 && !wrong.is_empty() {
            return Err(wrong.into());
        }
        if !wrong.is_empty() {
            errors.add_item(item, wrong);
        }
    }
    Ok(errors.into_result(Some(()))?)
}

fn make(services: &Services, change: &mut Change<'_>, account: AccountId, new: NewGroup) -> Result<Group, ServiceError> {
    let world = services.world(account)?;
    let group = add(change, new.draft)?;
    for key in &new.members {
        let mut device = devices::stored(services, change, account, key)?;
        device.groups.push(group.id);
        device.revision += 1;
        change.put_device(device)?;
    }
    membership::tell_joined(change, &group, new.members)?;
    if !new.profiles.is_empty() {
        deployment::record(change, &world, format!("device group {}", group.name), &[], &new.profiles)?;
        change.put_place(Place::Group(group.id), new.profiles)?;
    }
    Ok(group)
}
