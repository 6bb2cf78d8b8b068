//! Where profiles are attached, in an archive: written by names, and attached again on a server that may know only some of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::deployment::{Place, name, subject};
use crate::domain::device::DeviceKey;
use crate::domain::group::GroupDraft;
use crate::domain::ids::{GroupId, PersonGroupId, PersonId, ProfileId};
use crate::domain::limits::{DESCRIPTION_CHARS, GROUPS, GROUPS_PER_DEVICE, PEOPLE, PROFILES_PER_CONTAINER};
use crate::domain::names::Name;
use crate::domain::people::{NamedDraft, NamedInput, Person, PersonGroup, Room};
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::world::World;
use crate::services::commit::Change;
use crate::services::error::ServiceError;
use crate::services::people::{Organised, add_named, describe};
use crate::services::{Services, devices, groups, places};

/// Whether profiles are attached as the archive says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attach {
    /// They are only taken.
    #[default]
    No,
    /// They are attached again where the places are.
    Yes,
}

/// The member of an archive that says where its profiles are attached.
pub(super) const DEPLOYMENT: &str = "deployment.json";
/// What it says it is.
const FORMAT: &str = "pdms deployment";

/// Where profiles are attached, who is in which group of people, and which groups new devices join. Everything goes by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deployment {
    format: String,
    version: u32,
    /// Places with their profiles, highest first.
    #[serde(default)]
    places: Vec<PlaceEntry>,
    /// Devices with their profiles, highest first; those that have only their CSV profile are left out.
    #[serde(default)]
    devices: Vec<DeviceEntry>,
    /// People with their groups, strongest first.
    #[serde(default)]
    people: Vec<PersonEntry>,
    /// The groups that devices join which are added by themselves.
    #[serde(default)]
    default_groups: Vec<String>,
    /// Descriptions of device groups, people, groups of people and rooms.
    #[serde(default)]
    descriptions: Vec<Description>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    /// `group`, `person`, `person-group` or `room`.
    kind: String,
    name: String,
    description: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PlaceEntry {
    /// `global`, `model`, `site`, `group`, `person`, `person-group` or `room`.
    kind: String,
    name: String,
    profiles: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DeviceEntry {
    device: DeviceKey,
    profiles: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PersonEntry {
    name: String,
    groups: Vec<String>,
}

impl Deployment {
    /// The deployment of an account.
    pub(super) fn of(services: &Services, world: &World) -> Self {
        let named = |ids: &[ProfileId]| ids.iter().filter_map(|id| world.profile(*id)).map(|one| one.name.to_string()).collect();
        let place = |(place, ids): (&Place, &Vec<ProfileId>)| {
            let kind = if matches!(place, Place::Room(_)) { "room" } else { place.container().word() };
            let profiles: Vec<String> = named(ids);
            let entry = PlaceEntry { kind: kind.to_owned(), name: name(place, world)?, profiles };
            (!entry.profiles.is_empty()).then_some(entry)
        };
        let is_of_csv = |id: &ProfileId| world.profile(*id).is_some_and(|one| one.kind == ProfileKind::UserImported);
        let mut devices: Vec<DeviceEntry> = services
            .roster(world.account_id)
            .all()
            .iter()
            .filter(|listed| !listed.device.profiles.iter().all(is_of_csv))
            .map(|listed| DeviceEntry { device: listed.device.key.clone(), profiles: named(&listed.device.profiles) })
            .collect();
        devices.sort_by(|a, b| a.device.cmp(&b.device));
        let in_groups = world.people.values().filter(|person| !person.groups.is_empty());
        let groups_of = |person: &Person| {
            let groups = person.groups.iter().filter_map(|id| world.person_groups.get(id));
            groups.map(|group| group.name.to_string()).collect()
        };
        let groups = world.default_groups.iter().filter_map(|id| world.groups.get(id));
        Self {
            format: FORMAT.to_owned(),
            version: 1,
            places: world.deployment.iter().filter_map(place).collect(),
            devices,
            people: in_groups.map(|person| PersonEntry { name: person.name.to_string(), groups: groups_of(person) }).collect(),
            default_groups: groups.map(|group| group.name.to_string()).collect(),
            descriptions: descriptions(world),
        }
    }

    /// Reads it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| format!("{DEPLOYMENT} cannot be read: {error}"))?;
        if read.format != FORMAT || read.version != 1 {
            return Err(format!("{DEPLOYMENT} is of another kind or version"));
        }
        Ok(read)
    }

    /// As text for people.
    pub(super) fn written(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec_pretty(self)
    }
}

/// The descriptions of all that is nothing but a name and a description.
fn descriptions(world: &World) -> Vec<Description> {
    fn all<T: Organised>(kind: &'static str, world: &World) -> impl Iterator<Item = Description> {
        let one = move |one: &Arc<T>| described(kind, one.name(), one.description());
        T::all(world).values().filter_map(one)
    }
    let groups = world.groups.values().filter_map(|group| described("group", &group.name, &group.description));
    let people =
        all::<Person>("person", world).chain(all::<PersonGroup>("person-group", world)).chain(all::<Room>("room", world));
    groups.chain(people).collect()
}

fn described(kind: &str, name: &Name, description: &str) -> Option<Description> {
    let entry = || Description { kind: kind.to_owned(), name: name.to_string(), description: description.to_owned() };
    (!description.is_empty()).then(entry)
}

/// What was attached again, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    /// Places whose profiles change.
    pub places: usize,
    /// Devices whose profiles change.
    pub devices: usize,
    /// People whose groups change.
    pub people: usize,
    /// Whether the default groups change.
    pub default_groups: bool,
    /// Device groups, people, groups of people and rooms that get a description; those that have one keep it.
    pub described: usize,
    /// Device groups, people, groups of people and rooms that are made.
    pub made: Vec<String>,
    /// What is not there, or cannot be done: it is left out.
    pub missing: Vec<String>,
}

impl Attached {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.places + self.devices + self.people + self.described == 0 && !self.default_groups && self.made.is_empty()
    }
}

/// Attaches profiles as an archive says. Nothing is detached: what is attached besides stays, below.
pub(super) fn attach(
    services: &Services,
    actor: &Actor,
    change: &mut Change<'_>,
    world: &World,
    wanted: &Deployment,
    new: &[Profile],
) -> Result<Attached, ServiceError> {
    authorize(actor, Action::Deploy(world.account_id))?;
    authorize(actor, Action::EditDevices(world.account_id))?;
    let all = || world.all_profiles().map(|profile| &**profile).chain(new);
    let mut attaching = Attaching {
        services,
        world,
        profiles: all().map(|profile| (profile.name.folded(), profile)).collect(),
        names: all().map(|profile| (profile.id, &profile.name)).collect(),
        ids: HashMap::new(),
        people: HashMap::new(),
        missing: BTreeSet::new(),
        told: Attached::default(),
        descriptions: wanted.descriptions.iter().map(|one| ((one.kind.as_str(), one.name.to_lowercase()), one)).collect(),
    };
    attaching.know();
    attaching.all(change, wanted)?;
    let Attaching { mut told, missing, .. } = attaching;
    told.missing = missing.into_iter().collect();
    Ok(told)
}

struct Attaching<'a> {
    services: &'a Services,
    world: &'a World,
    profiles: HashMap<String, &'a Profile>,
    names: HashMap<ProfileId, &'a Name>,
    /// Places by kind and name.
    ids: HashMap<(&'static str, String), Place>,
    /// People that were made for it.
    people: HashMap<PersonId, Person>,
    missing: BTreeSet<String>,
    told: Attached,
    /// Descriptions by kind and name.
    descriptions: HashMap<(&'a str, String), &'a Description>,
}

impl Attaching<'_> {
    fn know(&mut self) {
        let world = self.world;
        let groups = world.groups.values().map(|one| (("group", one.name.folded()), Place::Group(one.id)));
        let sites = world.sites.values().map(|one| (("site", one.name.folded()), Place::Site(one.id)));
        let people = world.people.values().map(|one| (("person", one.name.folded()), Place::Person(one.id)));
        let rooms = world.rooms.values().map(|one| (("room", one.name.folded()), Place::Room(one.id)));
        let person_groups =
            world.person_groups.values().map(|one| (("person-group", one.name.folded()), Place::PersonGroup(one.id)));
        self.ids = groups.chain(sites).chain(people).chain(rooms).chain(person_groups).collect();
    }

    fn all(&mut self, change: &mut Change<'_>, wanted: &Deployment) -> Result<(), ServiceError> {
        for PlaceEntry { kind, name, profiles } in &wanted.places {
            if let Some(place) = self.place(change, kind, name)? {
                self.at_place(change, place, profiles)?;
            }
        }
        for DeviceEntry { device, profiles } in &wanted.devices {
            self.at_device(change, device, profiles)?;
        }
        for PersonEntry { name, groups } in &wanted.people {
            self.person(change, name, groups)?;
        }
        self.default_groups(change, &wanted.default_groups)?;
        self.describe_groups(change)?;
        // Those whose own groups changed just now are written there: their rows are newer than the world.
        let changed: BTreeSet<PersonId> = self.people.keys().copied().collect();
        self.describe::<Person>(change, "person", |person| !changed.contains(&person.id))?;
        self.describe::<PersonGroup>(change, "person-group", |_| true)?;
        self.describe::<Room>(change, "room", |_| true)
    }

    /// The description that the archive has for something of that name.
    fn description(&self, kind: &'static str, name: &str) -> Option<String> {
        let text = self.descriptions.get(&(kind, name.to_lowercase()))?.description.trim();
        (!text.is_empty() && text.chars().count() <= DESCRIPTION_CHARS).then(|| text.to_owned())
    }

    /// Describes the device groups that are there without a description.
    fn describe_groups(&mut self, change: &mut Change<'_>) -> Result<(), ServiceError> {
        for group in self.world.groups.values().filter(|group| group.description.is_empty()) {
            if let Some(description) = self.description("group", group.name.as_str()) {
                groups::describe(change, group, description)?;
                self.told.described += 1;
            }
        }
        Ok(())
    }

    /// The same of people, groups of people or rooms.
    fn describe<T: Organised>(
        &mut self,
        change: &mut Change<'_>,
        kind: &'static str,
        is_wanted: impl Fn(&T) -> bool,
    ) -> Result<(), ServiceError> {
        let blank = T::all(self.world).values().filter(|one| one.description().is_empty() && is_wanted(one));
        for one in blank {
            if let Some(description) = self.description(kind, one.name().as_str()) {
                describe(change, &**one, description)?;
                self.told.described += 1;
            }
        }
        Ok(())
    }

    fn place(&mut self, change: &mut Change<'_>, kind: &str, name: &str) -> Result<Option<Place>, ServiceError> {
        Ok(match kind {
            "global" => Some(Place::Global),
            "model" => {
                let place = Place::Model(name.to_owned());
                let is_there = places::exists(self.services, self.world, &place);
                if !is_there {
                    self.missing.insert(format!("model {name}"));
                }
                is_there.then_some(place)
            }
            "site" => {
                let found = self.ids.get(&("site", name.to_lowercase())).cloned();
                if found.is_none() {
                    self.missing.insert(format!("site {name}"));
                }
                found
            }
            "group" => self.found_or_made(change, "group", name)?,
            "person" => self.found_or_made(change, "person", name)?,
            "person-group" => self.found_or_made(change, "person-group", name)?,
            "room" => self.found_or_made(change, "room", name)?,
            other => {
                self.missing.insert(format!("{other} {name}"));
                None
            }
        })
    }

    /// A place that is nothing but a name is made where it is not there.
    fn found_or_made(&mut self, change: &mut Change<'_>, kind: &'static str, text: &str) -> Result<Option<Place>, ServiceError> {
        let key = (kind, text.to_lowercase());
        if let Some(place) = self.ids.get(&key) {
            return Ok(Some(place.clone()));
        }
        let (what, most) = match kind {
            "group" => ("device group", GROUPS),
            "person" => (Person::WHAT, PEOPLE),
            "room" => (Room::WHAT, PEOPLE),
            _ => (PersonGroup::WHAT, PEOPLE),
        };
        if self.ids.keys().filter(|(known, _)| *known == kind).count() >= most {
            self.missing.insert(format!("{what} {text}: there are {most} already"));
            return Ok(None);
        }
        let description = self.description(kind, text).unwrap_or_default();
        let input = NamedInput { name: text.to_owned(), description };
        let rule = if kind == "room" { Room::RULE } else { Person::RULE };
        let draft = match NamedDraft::parse(&input, rule) {
            Ok(draft) => draft,
            Err(wrong) => {
                self.missing.insert(format!("{what} {text}: {wrong}"));
                return Ok(None);
            }
        };
        let NamedDraft { name, description } = draft.clone();
        let place = match kind {
            "group" => Place::Group(groups::add(change, GroupDraft { name, description })?.id),
            "person" => {
                let person = add_named::<Person>(change, draft)?;
                let place = Place::Person(person.id);
                self.people.insert(person.id, person);
                place
            }
            "room" => Place::Room(add_named::<Room>(change, draft)?.id),
            _ => Place::PersonGroup(add_named::<PersonGroup>(change, draft)?.id),
        };
        self.told.made.push(format!("{what} {text}"));
        self.ids.insert(key, place.clone());
        Ok(Some(place))
    }

    /// The list of a place or a device as it will be: what the archive says, in its order, and below what is attached besides.
    fn list(&mut self, at: &str, present: &[ProfileId], wanted: &[String], device: Option<&DeviceKey>) -> Option<Vec<ProfileId>> {
        let target = device.map(|key| crate::services::deployment::Target::Device(key.clone()));
        let target = target.unwrap_or(crate::services::deployment::Target::Place(Place::Global));
        let mut list: Vec<ProfileId> = Vec::with_capacity(wanted.len());
        for name in wanted {
            match self.profiles.get(&name.to_lowercase()) {
                Some(profile) if profile.is_template() || !crate::services::deployment::may_stand_at(&target, profile) => {
                    self.missing.insert(format!("profile {name}, which may not stand at {at}"));
                }
                Some(profile) if list.contains(&profile.id) => {}
                Some(profile) => list.push(profile.id),
                // The CSV profile of a device comes with the file of devices.
                None if device.is_some_and(|key| name.eq_ignore_ascii_case(&format!("{key}_csv_profile"))) => {}
                None => drop(self.missing.insert(format!("profile {name}"))),
            }
        }
        let besides: Vec<ProfileId> = present.iter().copied().filter(|id| !list.contains(id)).collect();
        let is_of_csv = |id: &ProfileId| self.world.profile(*id).is_some_and(|one| one.kind == ProfileKind::UserImported);
        let (of_csv, besides): (Vec<_>, Vec<_>) = besides.into_iter().partition(is_of_csv);
        let list: Vec<ProfileId> = of_csv.into_iter().chain(list).chain(besides).collect();
        if list.len() > PROFILES_PER_CONTAINER {
            self.missing.insert(format!("{at}: at most {PROFILES_PER_CONTAINER} profiles are attached to one place"));
            return None;
        }
        (list != present).then_some(list)
    }

    fn at_place(&mut self, change: &mut Change<'_>, place: Place, wanted: &[String]) -> Result<(), ServiceError> {
        let present = self.world.deployment.get(&place).cloned().unwrap_or_default();
        let called = match name(&place, self.world) {
            Some(_) => subject(&place, self.world),
            None => self
                .ids
                .iter()
                .find(|(_, known)| **known == place)
                .map_or_else(String::new, |((kind, name), _)| format!("{kind} {name}")),
        };
        let Some(list) = self.list(&called, &present, wanted, None) else { return Ok(()) };
        self.record(change, called, &present, &list)?;
        self.told.places += 1;
        change.put_place(place, list)
    }

    fn at_device(&mut self, change: &mut Change<'_>, key: &DeviceKey, wanted: &[String]) -> Result<(), ServiceError> {
        if self.services.roster(self.world.account_id).find(key).is_none() {
            self.missing.insert(format!("device {key}"));
            return Ok(());
        }
        let mut device = devices::stored(self.services, change, self.world.account_id, key)?;
        let Some(list) = self.list(&format!("device {key}"), &device.profiles, wanted, Some(key)) else { return Ok(()) };
        self.record(change, devices::subject(&device), &device.profiles, &list)?;
        self.told.devices += 1;
        device.profiles = list;
        device.revision += 1;
        change.put_device(device)
    }

    fn record(&self, change: &mut Change<'_>, subject: String, old: &[ProfileId], new: &[ProfileId]) -> Result<(), ServiceError> {
        let names = |ids: &[ProfileId]| {
            let names: Vec<_> = ids.iter().filter_map(|id| self.names.get(id)).map(ToString::to_string).collect();
            Some(names.join(", ")).filter(|names| !names.is_empty())
        };
        change.record(Event::new("deployment", subject, "changed").change("profiles", names(old), names(new)))
    }

    fn person(&mut self, change: &mut Change<'_>, text: &str, wanted: &[String]) -> Result<(), ServiceError> {
        let Some(Place::Person(id)) = self.found_or_made(change, "person", text)? else { return Ok(()) };
        let mut groups: Vec<PersonGroupId> = Vec::new();
        for name in wanted {
            if let Some(Place::PersonGroup(group)) = self.found_or_made(change, "person-group", name)? {
                groups.extend(Some(group).filter(|group| !groups.contains(group)));
            }
        }
        let known = self.world.people.get(&id).map(|person| Person::clone(person));
        let Some(mut person) = known.or_else(|| self.people.get(&id).cloned()) else { return Ok(()) };
        let besides: Vec<_> = person.groups.iter().copied().filter(|group| !groups.contains(group)).collect();
        groups.extend(besides);
        if groups.len() > GROUPS_PER_DEVICE {
            self.missing.insert(format!("person {text}: a person is in at most {GROUPS_PER_DEVICE} groups"));
            return Ok(());
        }
        if groups == person.groups {
            return Ok(());
        }
        let before: Vec<_> = person.groups.iter().filter_map(|id| self.world.person_groups.get(id)).collect();
        let before = before.iter().map(|group| group.name.to_string()).collect::<Vec<_>>().join(", ");
        let event = Event::new(Person::WHAT, person.name.to_string(), "changed");
        change.record(event.change("groups", Some(before).filter(|names| !names.is_empty()), Some(wanted.join(", "))))?;
        person.groups = groups;
        person.modified.revision += 1;
        person.modified.at = change.now();
        change.actor().clone_into(&mut person.modified.by);
        if person.description.is_empty() {
            person.description = self.description("person", text).unwrap_or_default();
        }
        self.told.people += 1;
        self.people.insert(id, person.clone());
        change.put_person(person)
    }

    fn default_groups(&mut self, change: &mut Change<'_>, wanted: &[String]) -> Result<(), ServiceError> {
        let mut groups: Vec<GroupId> = Vec::new();
        for name in wanted {
            if let Some(Place::Group(id)) = self.found_or_made(change, "group", name)? {
                groups.extend(Some(id).filter(|id| !groups.contains(id)));
            }
        }
        let present = &self.world.default_groups;
        groups.extend(present.iter().copied().filter(|id| !groups.contains(id)).collect::<Vec<_>>());
        if groups == *present || groups.len() > GROUPS_PER_DEVICE {
            return Ok(());
        }
        let event = Event::new("device group", "default groups", "changed");
        change.record(event.change("groups", groups::names(self.world, present), Some(wanted.join(", "))))?;
        self.told.default_groups = true;
        change.put_default_groups(groups)
    }
}
