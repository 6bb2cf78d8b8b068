//! The places of an account that profiles can be attached to: which there are, what they are called, and how many devices each one
//! speaks for (R152, R153).

use std::collections::BTreeSet;

use super::Services;
use super::deployment::Target;
use super::error::ServiceError;
use crate::domain::deployment::{Container, Place, name};
use crate::domain::device_list::DeviceQuery;
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::reach::Reach;
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
    /// Words that must all occur in the name; of devices, in anything that the Device Monitor searches.
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
}

/// The places that a query asks for, by container and name.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId, query: &PlaceQuery) -> Result<Vec<ListedPlace>, ServiceError> {
    let world = services.world(account)?;
    let reach = reach(services, &world);
    let words: Vec<String> = query.text.split_whitespace().map(str::to_lowercase).collect();
    let mut found: Vec<ListedPlace> = all(services, &world)
        .into_iter()
        .filter(|place| query.container.is_none_or(|wanted| wanted == place.container()))
        .filter_map(|place| {
            let name = name(&place, &world)?;
            let folded = name.to_lowercase();
            let profiles = world.deployment.get(&place).cloned().unwrap_or_default();
            let is_wanted = words.iter().all(|word| folded.contains(word)) && !(query.attached && profiles.is_empty());
            is_wanted.then(|| ListedPlace { devices: reach.of_place(&place), target: Target::Place(place), name, profiles })
        })
        .collect();
    found.sort_by_cached_key(|place| (place.container(), place.name.to_lowercase()));
    if query.container.is_none_or(|wanted| wanted == Container::Device) {
        found.splice(0..0, devices(services, &world, query));
    }
    Ok(found)
}

impl ListedPlace {
    /// The container that it is of.
    pub fn container(&self) -> Container {
        self.target.container()
    }
}

fn devices(services: &Services, world: &World, query: &PlaceQuery) -> Vec<ListedPlace> {
    let wanted = DeviceQuery { text: query.text.clone(), ..DeviceQuery::default() };
    let found = services.roster(world.account_id).select(&wanted, world, services.clock().now());
    let found = found.into_iter().filter(|one| !(query.attached && one.device.profiles.is_empty()));
    let listed = found.map(|one| ListedPlace {
        target: Target::Device(one.device.key.clone()),
        name: one.device.name.as_ref().map_or_else(|| one.device.key.to_string(), ToString::to_string),
        profiles: one.device.profiles.clone(),
        devices: 1,
    });
    listed.collect()
}

/// Every place there is: those of the world, and each model that is known or that a device has.
fn all(services: &Services, world: &World) -> BTreeSet<Place> {
    let known = world.models.models().iter().map(|model| model.name.clone());
    let told = services.roster(world.account_id).all().into_iter().filter_map(|one| one.device.model.clone());
    let models = known.chain(told).map(Place::Model);
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
