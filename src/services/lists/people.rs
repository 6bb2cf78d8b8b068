//! The lists of people, of groups of people and of rooms: one rule for the three kinds (R156).

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::deployment::{Place, name};
use crate::domain::ids::AccountId;
use crate::domain::world::World;
use crate::services::error::ServiceError;
use crate::services::people::Organised;
use crate::services::{Services, places};

/// What can be asked of one of them. Only people are in groups.
pub const LISTING: Listing = Listing {
    sorts: &["name", "devices", "profiles", "by", "modified"],
    filters: &[Filter { name: "group", takes: Takes::Number }],
};

/// An object of one kind with what its list tells of it.
#[derive(Clone, Debug)]
pub struct ListedNamed<T> {
    /// The object.
    pub one: Arc<T>,
    /// Names of the groups of a person, in the person's own order.
    pub groups: String,
    /// Devices that it speaks for.
    pub devices: usize,
    /// Profiles attached to it.
    pub profiles: usize,
}

/// The objects of a kind that are asked for, in their order.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list<T: Organised>(services: &Services, account: AccountId, asked: &Asked) -> Result<Vec<ListedNamed<T>>, ServiceError> {
    let (world, search) = (services.world(account)?, asked.search());
    let reach = places::reach(services, &world);
    let group = group(asked);
    let is_in = |one: &&Arc<T>| group.as_ref().is_none_or(|group| groups_of(&***one, &world).contains(group));
    let listed = |one: &Arc<T>| {
        let place = T::place(one.id());
        let groups: Vec<_> = groups_of(&**one, &world).iter().filter_map(|group| name(group, &world)).collect();
        ListedNamed {
            groups: groups.join(", "),
            devices: reach.of_place(&place),
            profiles: world.deployment.get(&place).map_or(0, Vec::len),
            one: Arc::clone(one),
        }
    };
    let is_found = |one: &ListedNamed<T>| {
        search.finds(&[one.one.name().as_str(), one.one.description(), &one.groups, &one.one.modified().by])
    };
    let mut found: Vec<ListedNamed<T>> = T::all(&world).values().filter(is_in).map(listed).filter(is_found).collect();
    let tie = |a: &ListedNamed<T>, b: &ListedNamed<T>| {
        by_text(a.one.name().as_str(), b.one.name().as_str()).then(a.one.id().cmp(&b.one.id()))
    };
    asked.sorting.sort(&mut found, |a, b| column(a, b, asked.sorting.word), tie);
    Ok(found)
}

/// The group that people are narrowed to.
pub fn group(asked: &Asked) -> Option<Place> {
    asked.filter("group").and_then(|id| id.parse().ok()).map(Place::PersonGroup)
}

/// The groups of a person, highest first; none for what is no person.
fn groups_of<T: Organised>(one: &T, world: &World) -> Vec<Place> {
    let Place::Person(id) = T::place(one.id()) else { return Vec::new() };
    let groups = world.people.get(&id).map(|person| person.groups.as_slice()).unwrap_or_default();
    groups.iter().copied().map(Place::PersonGroup).collect()
}

fn column<T: Organised>(a: &ListedNamed<T>, b: &ListedNamed<T>, word: &str) -> Ordering {
    match word {
        "devices" => a.devices.cmp(&b.devices),
        "profiles" => a.profiles.cmp(&b.profiles),
        "by" => by_text(&a.one.modified().by, &b.one.modified().by),
        "modified" => a.one.modified().at.cmp(&b.one.modified().at),
        _ => Ordering::Equal,
    }
}
