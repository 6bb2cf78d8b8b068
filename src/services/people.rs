//! People, groups of people and rooms: making, editing and deleting them, who is in which group, and whose a device is (R156). The
//! three kinds are kept alike: what is their own is in [`Organised`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use super::Services;
use super::commit::{Change, Mode, perform};
use super::error::ServiceError;
use super::recycle_bin::{self, Deleted};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::deployment::{Place, name};
use crate::domain::device::{DeviceKey, Owner};
use crate::domain::device_list::Listed;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, PersonGroupId, PersonId, RoomId};
use crate::domain::limits::{DELETED_AT_ONCE, GROUPS_PER_DEVICE, PEOPLE};
use crate::domain::names::Name;
use crate::domain::people::{Modified, NameRule, NamedDraft, Person, PersonGroup, Room};
use crate::domain::world::World;
use crate::store::{self, StoreError, WriteTx};

/// One of the three kinds: a person, a group of people, a room.
pub trait Organised: Clone + PartialEq + Send + Sync + 'static {
    /// Its key.
    type Id: Copy + Ord + Display + FromStr + Send + Sync + 'static;
    /// What it is called, also in the activity log.
    const WHAT: &'static str;
    /// What several of them are called.
    const SEVERAL: &'static str;
    /// What its name may be made of.
    const RULE: NameRule;

    /// All of them.
    fn all(world: &World) -> &BTreeMap<Self::Id, Arc<Self>>;
    /// A new one.
    fn new(id: Self::Id, draft: NamedDraft, modified: Modified) -> Self;
    /// Its key.
    fn id(&self) -> Self::Id;
    /// Its name.
    fn name(&self) -> &Name;
    /// Its description.
    fn description(&self) -> &str;
    /// Its last change.
    fn modified(&self) -> &Modified;
    /// The same with other words.
    fn edited(&self, draft: NamedDraft, modified: Modified) -> Self;
    /// A number for a new one.
    fn next_id(tx: &WriteTx) -> Result<Self::Id, StoreError>;
    /// Writes it.
    fn put(self, change: &mut Change<'_>) -> Result<(), ServiceError>;
    /// Removes it.
    fn delete(id: Self::Id, change: &mut Change<'_>) -> Result<(), ServiceError>;
    /// Where profiles are attached for it.
    fn place(id: Self::Id) -> Place;
    /// As the owner of devices; none for groups.
    fn owner(id: Self::Id) -> Option<Owner>;
}

macro_rules! organised {
    ($kind:ident, $id:ident, $what:literal, $several:literal, $rule:ident, $map:ident, $next:ident, $put:ident, $delete:ident,
     $place:ident, $owner:expr $(, $own:ident)*) => {
        impl Organised for $kind {
            type Id = $id;
            const WHAT: &'static str = $what;
            const SEVERAL: &'static str = $several;
            const RULE: NameRule = NameRule::$rule;

            fn all(world: &World) -> &BTreeMap<$id, Arc<Self>> {
                &world.$map
            }

            fn new(id: $id, draft: NamedDraft, modified: Modified) -> Self {
                Self { id, name: draft.name, description: draft.description, modified $(, $own: Default::default())* }
            }

            fn id(&self) -> $id {
                self.id
            }

            fn name(&self) -> &Name {
                &self.name
            }

            fn description(&self) -> &str {
                &self.description
            }

            fn modified(&self) -> &Modified {
                &self.modified
            }

            fn edited(&self, draft: NamedDraft, modified: Modified) -> Self {
                Self { id: self.id, name: draft.name, description: draft.description, modified $(, $own: self.$own.clone())* }
            }

            fn next_id(tx: &WriteTx) -> Result<$id, StoreError> {
                store::people::$next(tx)
            }

            fn put(self, change: &mut Change<'_>) -> Result<(), ServiceError> {
                change.$put(self)
            }

            fn delete(id: $id, change: &mut Change<'_>) -> Result<(), ServiceError> {
                change.$delete(id)
            }

            fn place(id: $id) -> Place {
                Place::$place(id)
            }

            fn owner(id: $id) -> Option<Owner> {
                let of: fn($id) -> Option<Owner> = $owner;
                of(id)
            }
        }
    };
}

organised!(
    Person,
    PersonId,
    "person",
    "people",
    Person,
    people,
    next_id,
    put_person,
    delete_person,
    Person,
    |id| Some(Owner::Person(id)),
    groups
);
organised!(
    PersonGroup,
    PersonGroupId,
    "person group",
    "person groups",
    Usual,
    person_groups,
    next_group_id,
    put_person_group,
    delete_person_group,
    PersonGroup,
    |_| None
);
organised!(Room, RoomId, "room", "rooms", Room, rooms, next_room_id, put_room, delete_room, Room, |id| Some(Owner::Room(id)));

/// One of a kind.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn get<T: Organised>(services: &Services, account: AccountId, id: T::Id) -> Result<Arc<T>, ServiceError> {
    find::<T>(&*services.world(account)?, id)
}

fn find<T: Organised>(world: &World, id: T::Id) -> Result<Arc<T>, ServiceError> {
    T::all(world).get(&id).cloned().ok_or_else(|| ServiceError::not_found(T::WHAT, id))
}

/// Makes some: all of them, or none when one cannot be made.
///
/// # Errors
/// [`ServiceError::Invalid`] when a name is taken, with the item where there are several; [`ServiceError::Conflict`] when there
/// would be more than an account may have.
pub fn create<T: Organised>(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    drafts: Vec<NamedDraft>,
    mode: Mode,
) -> Result<Vec<T>, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let present = T::all(&world).len();
        if present + drafts.len() > PEOPLE {
            return Err(ServiceError::Conflict(format!(
                "an account has at most {PEOPLE} {}; there are {present} already",
                T::SEVERAL
            )));
        }
        check_new_names::<T>(&world, &drafts)?;
        drafts.into_iter().map(|draft| add_named(change, draft)).collect()
    })
}

/// Makes one within a change. Whether its name is free is the caller's to know.
pub(super) fn add_named<T: Organised>(change: &mut Change<'_>, draft: NamedDraft) -> Result<T, ServiceError> {
    let modified = Modified { by: change.actor().to_owned(), at: change.now(), revision: 1 };
    let made = T::new(T::next_id(change.tx())?, draft, modified);
    change.record(changed(None, &made, "added"))?;
    made.clone().put(change)?;
    Ok(made)
}

/// Changes name and description of one that was shown with `revision`.
///
/// # Errors
/// [`ServiceError::Conflict`] when somebody else has changed it since (R14); [`ServiceError::Invalid`] when the name is taken.
pub fn update<T: Organised>(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    (id, revision): (T::Id, u64),
    draft: NamedDraft,
    mode: Mode,
) -> Result<T, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let old = find::<T>(&world, id)?;
        if old.modified().revision != revision {
            return Err(ServiceError::stale(T::WHAT, &old.modified().by));
        }
        check_name::<T>(&world, &draft.name, Some(id))?;
        if (&draft.name, draft.description.as_str()) == (old.name(), old.description()) {
            change.leave_as_is();
            return Ok(T::clone(&old));
        }
        let new = old.edited(draft, modified(change, old.modified()));
        change.record(changed(Some(&*old), &new, "changed"))?;
        new.clone().put(change)?;
        Ok(new)
    })
}

/// Gives one a description within a change of more.
pub(super) fn describe<T: Organised>(change: &mut Change<'_>, old: &T, description: String) -> Result<(), ServiceError> {
    let new = old.edited(NamedDraft { name: old.name().clone(), description }, modified(change, old.modified()));
    change.record(changed(Some(old), &new, "changed"))?;
    new.put(change)
}

fn modified(change: &Change<'_>, old: &Modified) -> Modified {
    Modified { by: change.actor().to_owned(), at: change.now(), revision: old.revision + 1 }
}

/// What goes with some of a kind; what changes for whom is told by [`crate::domain::foresight`], as of any change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// How many go.
    pub count: usize,
    /// Devices that belong to them.
    pub devices: usize,
}

fn loss<T: Organised>(services: &Services, account: AccountId, ids: &BTreeSet<T::Id>) -> Result<Loss, ServiceError> {
    let world = services.world(account)?;
    for id in ids {
        find::<T>(&world, *id)?;
    }
    let owners: Vec<Owner> = ids.iter().filter_map(|id| T::owner(*id)).collect();
    let is_theirs = |listed: &Listed| listed.device.owner.is_some_and(|owner| owners.contains(&owner));
    let devices = services.roster(account).all().iter().filter(|listed| is_theirs(listed)).count();
    Ok(Loss { count: ids.len(), devices })
}

/// Deletes some of a kind with everything that they held: devices belong to nobody then, people leave the group, profiles lose a
/// place. All of them, or none when one is not there. Answers what went.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] for more than are deleted at once.
pub fn delete_all<T: Organised>(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    ids: &BTreeSet<T::Id>,
    mode: Mode,
) -> Result<Deleted<Loss>, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    if ids.len() > DELETED_AT_ONCE {
        let (count, what) = (ids.len(), T::SEVERAL);
        return Err(ServiceError::Conflict(format!(
            "at most {DELETED_AT_ONCE} {what} are deleted at once; these are {count}. Split the list"
        )));
    }
    if ids.is_empty() {
        return Ok(Deleted { what: Loss::default(), deletion: None });
    }
    perform(services, mode, grant, account, |change| {
        let loss = loss::<T>(services, account, ids)?;
        let world = services.world(account)?;
        let owners: Vec<Owner> = ids.iter().filter_map(|id| T::owner(*id)).collect();
        for one in services.roster(account).all() {
            if one.device.owner.is_some_and(|owner| owners.contains(&owner)) {
                let mut device = super::devices::stored(services, change, account, &one.device.key)?;
                device.owner = None;
                device.revision += 1;
                change.put_device(device)?;
            }
        }
        let places: BTreeSet<Place> = ids.iter().map(|id| T::place(*id)).collect();
        for person in world.people.values() {
            let stays = |group: &PersonGroupId| !places.contains(&Place::PersonGroup(*group));
            if !person.groups.iter().all(stays) {
                let groups = person.groups.iter().copied().filter(stays).collect();
                change.put_person(Person { groups, ..Person::clone(person) })?;
            }
        }
        for id in ids {
            let gone = find::<T>(&world, *id)?;
            change.put_place(T::place(*id), Vec::new())?;
            T::delete(*id, change)?;
            change.record(Event::new(T::WHAT, gone.name().to_string(), "deleted"))?;
        }
        Ok(Deleted { what: loss, deletion: recycle_bin::keep(services, change, mode)? })
    })
}

/// Sets the groups of a person, highest first, in place of those they were shown with.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] when `shown` is no longer the list (R14); [`ServiceError::Invalid`] of the
/// field `groups`.
pub fn set_groups(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: PersonId,
    shown: &[PersonGroupId],
    groups: Vec<PersonGroupId>,
    mode: Mode,
) -> Result<Vec<PersonGroupId>, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let person = find::<Person>(&world, id)?;
        if shown != person.groups {
            return Err(ServiceError::stale("list of groups", &person.modified.by));
        }
        check_groups(&world, &groups).map_err(|message| FieldErrors::one("groups", message))?;
        if groups == person.groups {
            change.leave_as_is();
            return Ok(groups);
        }
        let names = |groups: &[PersonGroupId]| {
            let names: Vec<_> = groups.iter().filter_map(|id| name(&Place::PersonGroup(*id), &world)).collect();
            Some(names.join(", ")).filter(|names| !names.is_empty())
        };
        let event = Event::new("person", person.name.to_string(), "changed");
        change.record(event.change("groups", names(&person.groups), names(&groups)))?;
        let modified = modified(change, &person.modified);
        change.put_person(Person { groups: groups.clone(), modified, ..Person::clone(&person) })?;
        Ok(groups)
    })
}

fn check_groups(world: &World, groups: &[PersonGroupId]) -> Result<(), String> {
    if groups.len() > GROUPS_PER_DEVICE {
        return Err(format!("a person is in at most {GROUPS_PER_DEVICE} groups; these are {}", groups.len()));
    }
    for (i, id) in groups.iter().enumerate() {
        let group = world.person_groups.get(id);
        let group = group.ok_or_else(|| format!("there is no person group {id}; it may have been deleted meanwhile"))?;
        if groups[..i].contains(id) {
            return Err(format!("“{}” stands in the list twice", group.name));
        }
    }
    Ok(())
}

/// Says whose a device is, in place of the owner it was shown with.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] when `shown` is no longer the owner (R14); [`ServiceError::Invalid`] of the
/// field `owner`.
pub fn set_owner(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    shown: Option<Owner>,
    owner: Option<Owner>,
    mode: Mode,
) -> Result<Option<Owner>, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let mut device = super::devices::stored(services, change, account, key)?;
        if shown != device.owner {
            return Err(ServiceError::stale("device", ""));
        }
        if let Some(owner) = owner
            && owner_name(&world, owner).is_none()
        {
            return Err(FieldErrors::one("owner", "there is no such person or room; it may have been deleted meanwhile").into());
        }
        if owner == device.owner {
            change.leave_as_is();
            return Ok(owner);
        }
        let told = |owner: Option<Owner>| owner.and_then(|owner| owner_name(&world, owner));
        let event = Event::new("device", super::devices::subject(&device), "changed");
        change.record(event.change("owner", told(device.owner), told(owner)))?;
        device.owner = owner;
        device.revision += 1;
        change.put_device(device)?;
        Ok(owner)
    })
}

/// What an owner is called; none where it is gone.
pub fn owner_name(world: &World, owner: Owner) -> Option<String> {
    match owner {
        Owner::Person(id) => name(&Place::Person(id), world),
        Owner::Room(id) => name(&Place::Room(id), world).map(|name| format!("room {name}")),
    }
}

/// Whether anybody uses people or rooms yet: until then pages do not speak of them (R156).
pub fn are_used(world: &World) -> bool {
    !(world.people.is_empty() && world.person_groups.is_empty() && world.rooms.is_empty())
}

fn changed<T: Organised>(old: Option<&T>, new: &T, action: &str) -> Event {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let event = Event::new(T::WHAT, new.name().to_string(), action);
    let event = match old {
        Some(old) => event.change("name", Some(old.name().to_string()), Some(new.name().to_string())),
        None => event,
    };
    event.change("description", old.and_then(|old| text(old.description())), text(new.description()))
}

fn check_new_names<T: Organised>(world: &World, drafts: &[NamedDraft]) -> Result<(), ServiceError> {
    let mut errors = FieldErrors::new();
    let mut names = BTreeSet::new();
    for (item, draft) in drafts.iter().enumerate() {
        let of_draft = match check_name::<T>(world, &draft.name, None) {
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

fn check_name<T: Organised>(world: &World, name: &Name, except: Option<T::Id>) -> Result<(), FieldErrors> {
    let folded = name.folded();
    match T::all(world).values().find(|other| Some(other.id()) != except && other.name().folded() == folded) {
        Some(other) => {
            let what = T::WHAT;
            Err(FieldErrors::one("name", format_args!("there is a {what} “{}” already; choose another name", other.name())))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
