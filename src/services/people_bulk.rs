//! Many at once: who is in a group of people, and whose many devices are (R156). Single ones are [`super::people`]'s.

use std::collections::BTreeSet;

use super::Services;
use super::commit::{Mode, perform};
use super::error::ServiceError;
use super::people::{self, Organised, owner_name};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::{DeviceKey, Owner};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, PersonGroupId, PersonId};
use crate::domain::limits::{DEVICES, GROUPS_PER_DEVICE};
use crate::domain::people::{Modified, Person, PersonGroup};

/// People who are to join or leave a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleChange {
    /// They join; the group comes last in the list of each.
    pub add: BTreeSet<PersonId>,
    /// They leave.
    pub remove: BTreeSet<PersonId>,
}

/// What came of something that was done to many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many joined, or belong to somebody else now.
    pub added: usize,
    /// How many left.
    pub removed: usize,
    /// For how many nothing changed.
    pub unchanged: usize,
}

/// Lets people join and leave a group: all of them, or none when one is not there.
///
/// # Errors
/// [`ServiceError::NotFound`] without such a group; [`ServiceError::Invalid`] of the fields `add` and `remove` with everybody who
/// cannot; [`ServiceError::Conflict`] for more than are changed at once.
pub fn change_members(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: PersonGroupId,
    wanted: &PeopleChange,
    mode: Mode,
) -> Result<Counted, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    check_amount(wanted.add.len() + wanted.remove.len(), "people")?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let group = people::get::<PersonGroup>(services, account, id)?;
        let (mut errors, mut done) = (FieldErrors::new(), Counted::default());
        let (mut joined, mut left) = (Vec::new(), Vec::new());
        for (field, who) in [("add", &wanted.add), ("remove", &wanted.remove)] {
            let joins = field == "add";
            for person in who {
                let Some(person) = world.people.get(person) else {
                    errors.add(field, format_args!("there is no person {person}; they may have been deleted meanwhile"));
                    continue;
                };
                if joins && wanted.remove.contains(&person.id) {
                    errors.add(field, format_args!("{} cannot join and leave at once", person.name));
                }
                if person.groups.contains(&id) == joins {
                    done.unchanged += 1;
                    continue;
                }
                if joins && person.groups.len() >= GROUPS_PER_DEVICE {
                    errors
                        .add(field, format_args!("{} is in {GROUPS_PER_DEVICE} groups already, which is the most", person.name));
                    continue;
                }
                let mut person = Person::clone(person);
                if joins {
                    person.groups.push(id);
                    joined.push(person.name.to_string());
                } else {
                    person.groups.retain(|other| *other != id);
                    left.push(person.name.to_string());
                }
                let revision = person.modified.revision + 1;
                person.modified = Modified { by: change.actor().to_owned(), at: change.now(), revision };
                change.put_person(person)?;
            }
        }
        if !errors.is_empty() {
            return Err(errors.into());
        }
        (done.added, done.removed) = (joined.len(), left.len());
        if joined.is_empty() && left.is_empty() {
            change.leave_as_is();
            return Ok(done);
        }
        let told = |names: &[String]| Some(format!("{}: {}", names.len(), names.join(", "))).filter(|_| !names.is_empty());
        let event = Event::new(PersonGroup::WHAT, group.name.to_string(), "changed members");
        change.record(event.change("joined", None, told(&joined)).change("left", told(&left), None))?;
        Ok(done)
    })
}

/// Says whose many devices are: all of them, or none when one is not there. No owner takes away the one they have.
///
/// # Errors
/// [`ServiceError::Invalid`] of the fields `keys` and `owner`; [`ServiceError::Conflict`] for more than are changed at once.
pub fn set_owners(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    keys: &BTreeSet<DeviceKey>,
    owner: Option<Owner>,
    mode: Mode,
) -> Result<Counted, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    check_amount(keys.len(), "devices")?;
    if keys.is_empty() {
        return Ok(Counted::default());
    }
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let told = |owner: Option<Owner>| owner.and_then(|owner| owner_name(&world, owner));
        let (mut errors, mut done) = (FieldErrors::new(), Counted::default());
        if owner.is_some() && told(owner).is_none() {
            errors.add("owner", "there is no such person or room; it may have been deleted meanwhile");
        }
        for key in keys {
            let Ok(mut device) = super::devices::stored(services, change, account, key) else {
                errors.add("keys", format_args!("there is no device {key}"));
                continue;
            };
            if device.owner == owner {
                done.unchanged += 1;
                continue;
            }
            let event = Event::new("device", super::devices::subject(&device), "changed");
            change.record(event.change("owner", told(device.owner), told(owner)))?;
            device.owner = owner;
            device.revision += 1;
            change.put_device(device)?;
            done.added += 1;
        }
        if !errors.is_empty() {
            return Err(errors.into());
        }
        if done.added == 0 {
            change.leave_as_is();
        }
        Ok(done)
    })
}

fn check_amount(count: usize, what: &str) -> Result<(), ServiceError> {
    if count > DEVICES {
        let words = format!("at most {DEVICES} {what} are changed at once; these are {count}. Split the list");
        return Err(ServiceError::Conflict(words));
    }
    Ok(())
}
