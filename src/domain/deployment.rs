//! Where profiles are attached, and which of these places speak for a device, strongest first.

use serde::{Deserialize, Serialize};

use super::device::{Device, Owner};
use super::ids::{GroupId, PersonGroupId, PersonId, ProfileId, RoomId, SiteId};
use super::profile::Profile;
use super::world::World;

/// The kinds of containers, declared strongest first: the derived order *is* the priority (contract 5.1, R145).
/// Binding stands above all of them and is written by [`super::provision`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    /// The device itself.
    Device,
    /// The person who owns it, or the room it stands in.
    Person,
    /// The groups that this person is in.
    PersonGroup,
    /// The site its address belongs to.
    Site,
    /// Its model.
    Model,
    /// Its device groups, in the device's own order.
    Group,
    /// Every device of the account.
    Global,
    /// What pdms brings by itself.
    Base,
}

/// One place that profiles can be attached to, but for devices: these carry their own list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// A person.
    Person(PersonId),
    /// A room; the same container as a person.
    Room(RoomId),
    /// A group of people.
    PersonGroup(PersonGroupId),
    /// A site.
    Site(SiteId),
    /// A model by its name, such as `VVX 411`.
    Model(String),
    /// A device group.
    Group(GroupId),
    /// Every device.
    Global,
}

impl Place {
    /// The container that profiles at this place belong to.
    pub fn container(&self) -> Container {
        match self {
            Self::Person(_) | Self::Room(_) => Container::Person,
            Self::PersonGroup(_) => Container::PersonGroup,
            Self::Site(_) => Container::Site,
            Self::Model(_) => Container::Model,
            Self::Group(_) => Container::Group,
            Self::Global => Container::Global,
        }
    }
}

impl Container {
    /// The container's name as admins read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Device => "Device",
            Self::Person => "Person or room",
            Self::PersonGroup => "Person group",
            Self::Site => "Site",
            Self::Model => "Device model",
            Self::Group => "Device group",
            Self::Global => "Global",
            Self::Base => "Built-in base",
        }
    }
}

/// One profile at one place that speaks for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed<'a> {
    /// The container it is attached to.
    pub container: Container,
    /// The profile.
    pub profile: &'a Profile,
}

/// The profiles that speak for a device, strongest first: by container, within a container in the admin's order, and among
/// several groups in the order of the device's (or the person's) own list (contract 5.1, R145, R148, R149).
pub fn applicable<'a>(device: &Device, world: &'a World) -> Vec<Placed<'a>> {
    let find = |id: &ProfileId| world.profiles.get(id).map(|profile| &**profile);
    let own = device.profiles.iter().filter_map(find).map(|profile| Placed { container: Container::Device, profile });
    let attached = places(device, world).into_iter().flat_map(|place| {
        let container = place.container();
        let ids = world.deployment.get(&place).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(find).map(move |profile| Placed { container, profile })
    });
    own.chain(attached).collect()
}

/// The places that speak for a device, strongest first. Without the device itself: it carries its own list.
fn places(device: &Device, world: &World) -> Vec<Place> {
    let mut places = Vec::with_capacity(4 + device.groups.len());
    match device.owner {
        Some(Owner::Person(person)) => {
            places.push(Place::Person(person));
            places.extend(world.person_groups.get(&person).into_iter().flatten().copied().map(Place::PersonGroup));
        }
        Some(Owner::Room(room)) => places.push(Place::Room(room)),
        None => {}
    }
    places.extend(device.site.map(Place::Site));
    places.extend(device.model.clone().map(Place::Model));
    places.extend(device.groups.iter().copied().map(Place::Group));
    places.push(Place::Global);
    places
}
