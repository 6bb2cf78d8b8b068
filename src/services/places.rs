//! The places of an account that profiles can be attached to: which there are, what they are called, and how many devices each one
//! speaks for (R152, R153).

use std::collections::{BTreeSet, HashSet};

use super::Services;
use super::deployment::Target;
use super::error::ServiceError;
use crate::domain::deployment::{Container, Place, name, places};
use crate::domain::device::DeviceKey;
use crate::domain::device_list::{Hit, Listed, Search};
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::reach::Reach;
use crate::domain::text_search::TextSearch;
use crate::domain::world::World;

/// The containers that profiles can be attached to, strongest first.
pub const CONTAINERS: [Container; 7] = [
    Container::Device,
    Container::Person,
    Container::PersonGroup,
    Container::Site,
    Container::Model,
    Container::Group,
    Container::Global,
];

/// Which places a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceQuery {
    /// Words that must all occur in the name, in its description or in the names of the profiles attached to it; of devices, in anything
    /// that the Device Monitor searches.
    pub text: String,
    /// One container only.
    pub container: Option<Container>,
    /// Only those that profiles are attached to.
    pub attached: bool,
}

/// A place or a device as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPlace {
    /// What it is.
    pub target: Target,
    /// What it is called.
    pub name: String,
    /// Its profiles, highest first.
    pub profiles: Vec<ProfileId>,
    /// Devices that it speaks for.
    pub devices: usize,
    /// Where the search found it: what that is and its text. None where it is in the name.
    pub why: Option<(&'static str, String)>,
}

/// The places that a query asks for, by container and name, and behind them the devices.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId, query: &PlaceQuery) -> Result<Vec<ListedPlace>, ServiceError> {
    let (world, all) = (services.world(account)?, services.roster(account).all());
    let is_wanted = |container| query.container.is_none_or(|wanted| wanted == container);
    let search = TextSearch::new(&query.text);
    let mut found: Vec<ListedPlace> = every(&world, &all)
        .into_iter()
        .filter(|place| is_wanted(place.container()))
        .filter_map(|place| listed(place, &world, &search))
        .filter(|one| !(query.attached && one.profiles.is_empty()))
        .collect();
    if !found.is_empty() {
        let reach = Reach::new(&world, all.iter().map(|one| &*one.device));
        for one in &mut found {
            one.devices = if let Target::Place(place) = &one.target { reach.of_place(place) } else { 0 };
        }
    }
    found.sort_by_cached_key(|place| (place.container(), place.name.to_lowercase()));
    if is_wanted(Container::Device) {
        // A device is found by searching; places are what is looked for here, and there may be thousands of devices.
        found.extend(devices(all, &world, query));
    }
    Ok(found)
}

/// A place as the list shows it, if the search finds it; its devices are not counted yet.
fn listed(place: Place, world: &World, search: &TextSearch) -> Option<ListedPlace> {
    let name = name(&place, world)?;
    let profiles = world.deployment.get(&place).cloned().unwrap_or_default();
    let why = if search.is_empty() {
        None
    } else {
        let attached = profiles.iter().filter_map(|id| world.profile(*id)).map(|profile| ("profile", profile.name.as_str()));
        let description = description(&place, world).map(|text| ("description", text));
        match search.hit(&[&name], &attached.chain(description).collect::<Vec<_>>())? {
            Hit::Hidden(what, text) => Some((what, text.to_owned())),
            Hit::Column => None,
        }
    };
    Some(ListedPlace { target: Target::Place(place), name, profiles, devices: 0, why })
}

/// What an admin wrote about a place.
fn description<'w>(place: &Place, world: &'w World) -> Option<&'w str> {
    match place {
        Place::Global | Place::Model(_) => None,
        Place::Group(id) => world.groups.get(id).map(|group| group.description.as_str()),
        Place::Person(id) => world.people.get(id).map(|person| person.description.as_str()),
        Place::PersonGroup(id) => world.person_groups.get(id).map(|group| group.description.as_str()),
        Place::Room(id) => world.rooms.get(id).map(|room| room.description.as_str()),
        Place::Site(id) => world.sites.get(id).map(|site| site.description.as_str()),
    }
}

impl ListedPlace {
    /// The container that it is of.
    pub fn container(&self) -> Container {
        self.target.container()
    }

    /// The key of a device.
    fn key(&self) -> Option<DeviceKey> {
        match &self.target {
            Target::Device(key) => Some(key.clone()),
            Target::Place(_) => None,
        }
    }
}

/// The devices that a query asks for, by name; of those without one the key is the name.
fn devices(all: Vec<Listed>, world: &World, query: &PlaceQuery) -> Vec<ListedPlace> {
    let search = Search::new(&query.text, world);
    // What is attached is asked first: most devices carry no profile themselves.
    let candidates = all.into_iter().filter(|one| !(query.attached && one.device.profiles.is_empty()));
    let made = |one: Listed| {
        let why = match search.finds(&one)? {
            Hit::Hidden(what, text) => Some((what, text.to_owned())),
            Hit::Column => None,
        };
        let device = &one.device;
        Some(ListedPlace {
            target: Target::Device(device.key.clone()),
            name: device.name.as_ref().map_or_else(|| device.key.to_string(), ToString::to_string),
            profiles: device.profiles.clone(),
            devices: 1,
            why,
        })
    };
    let mut found: Vec<ListedPlace> = candidates.filter_map(made).collect();
    found.sort_by_cached_key(|one| (one.name.to_lowercase(), one.key()));
    found
}

/// Every place there is: those of the world, and each model that is known or that a device has.
fn every(world: &World, devices: &[Listed]) -> BTreeSet<Place> {
    let told: HashSet<&str> = devices.iter().filter_map(|one| one.device.model.as_deref()).collect();
    let known = world.models.models().iter().map(|model| model.name.clone());
    let models = known.chain(told.into_iter().map(str::to_owned)).map(Place::Model);
    let groups = world.groups.keys().copied().map(Place::Group);
    let people = world.people.keys().copied().map(Place::Person);
    let person_groups = world.person_groups.keys().copied().map(Place::PersonGroup);
    let rooms = world.rooms.keys().copied().map(Place::Room);
    let sites = world.sites.keys().copied().map(Place::Site);
    let attached = world.deployment.keys().cloned();
    let places =
        std::iter::once(Place::Global).chain(models).chain(groups).chain(sites).chain(people).chain(person_groups).chain(rooms);
    places.chain(attached).collect()
}

/// Whether there is such a place. One that is gone and still has profiles can be emptied.
pub fn exists(services: &Services, world: &World, place: &Place) -> bool {
    if world.deployment.contains_key(place) {
        return true;
    }
    match place {
        Place::Model(model) => {
            let is_told = || services.roster(world.account_id).all().iter().any(|one| one.device.model.as_deref() == Some(model));
            world.models.models().iter().any(|known| known.name == *model) || is_told()
        }
        other => name(other, world).is_some(),
    }
}

/// How many devices each place and each profile reaches.
pub fn reach(services: &Services, world: &World) -> Reach {
    let devices = services.roster(world.account_id).all();
    Reach::new(world, devices.iter().map(|one| &*one.device))
}

/// How many devices one place speaks for.
pub fn devices_of(services: &Services, world: &World, place: &Place) -> usize {
    let roster = services.roster(world.account_id);
    match place {
        Place::Global => roster.len(),
        place => roster.all().iter().filter(|one| places(&one.device, world).contains(place)).count(),
    }
}
