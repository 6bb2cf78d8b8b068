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

/// What a place is called; none where there is no such place. Models are known by their names: whether there is one is not asked.
pub fn name(place: &Place, world: &World) -> Option<String> {
    match place {
        Place::Global => Some("Global".to_owned()),
        Place::Model(model) => Some(model.clone()),
        Place::Group(id) => world.groups.get(id).map(|group| group.name.to_string()),
        Place::Person(id) => world.people.get(id).map(|person| person.name.to_string()),
        Place::PersonGroup(id) => world.person_groups.get(id).map(|group| group.name.to_string()),
        Place::Room(id) => world.rooms.get(id).map(|room| room.name.to_string()),
        Place::Site(id) => world.sites.get(id).map(|site| site.name.to_string()),
    }
}

/// A place in the activity log: what it is, and what it is called.
pub fn subject(place: &Place, world: &World) -> String {
    let kind = match place {
        Place::Global => return "Global".to_owned(),
        Place::Person(_) => "person",
        Place::Room(_) => "room",
        Place::PersonGroup(_) => "person group",
        Place::Site(_) => "site",
        Place::Model(_) => "model",
        Place::Group(_) => "device group",
    };
    name(place, world).map_or_else(|| format!("a {kind} that is gone"), |name| format!("{kind} {name}"))
}

impl Container {
    /// A word for addresses and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Person => "person",
            Self::PersonGroup => "person-group",
            Self::Site => "site",
            Self::Model => "model",
            Self::Group => "group",
            Self::Global => "global",
            Self::Base => "base",
        }
    }

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
    /// The place; none where that is the device itself.
    pub place: Option<&'a Place>,
    /// The profile.
    pub profile: &'a Profile,
}

/// The profiles that speak for a device, strongest first: by container, within a container in the admin's order, and among
/// several groups in the order of the device's (or the person's) own list (contract 5.1, R145, R148, R149). Those that yield come behind
/// all others.
pub fn applicable<'a>(device: &Device, world: &'a World) -> Vec<Placed<'a>> {
    let find = |id: &ProfileId| world.profile(*id).map(|profile| &**profile);
    let own =
        device.profiles.iter().filter_map(find).map(|profile| Placed { container: Container::Device, place: None, profile });
    let attached = places(device, world).into_iter().filter_map(|place| world.deployment.get_key_value(&place));
    let attached = attached.flat_map(|(place, ids)| {
        let placed = move |profile| Placed { container: place.container(), place: Some(place), profile };
        ids.iter().filter_map(find).map(placed)
    });
    let mut placed: Vec<_> = own.chain(attached).collect();
    placed.sort_by_key(|one| one.profile.yields);
    placed
}

/// The places that speak for a device, strongest first. Without the device itself: it carries its own list.
pub fn places(device: &Device, world: &World) -> Vec<Place> {
    let mut places = Vec::with_capacity(4 + device.groups.len());
    places.extend(device.owner.into_iter().flat_map(|owner| of_owner(owner, world)));
    places.push(Place::Site(device.site_id()));
    places.extend(device.model.clone().map(Place::Model));
    places.extend(device.groups.iter().copied().map(Place::Group));
    places.push(Place::Global);
    places
}

/// The places that speak for the devices of a person or a room, strongest first.
pub fn of_owner(owner: Owner, world: &World) -> Vec<Place> {
    match owner {
        Owner::Person(person) => {
            let groups = world.people.get(&person).map(|person| person.groups.as_slice()).unwrap_or_default();
            [Place::Person(person)].into_iter().chain(groups.iter().copied().map(Place::PersonGroup)).collect()
        }
        Owner::Room(room) => vec![Place::Room(room)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{deployed, device, person, profile, world};

    fn placed_ids(device: &Device, world: &World) -> Vec<u64> {
        applicable(device, world).iter().map(|one| one.profile.id.0).collect()
    }

    #[test]
    fn containers_speak_from_the_device_down_to_global() {
        let places = [
            Place::Global,
            Place::Group(GroupId(1)),
            Place::Model("VVX 411".to_owned()),
            Place::Site(SiteId(1)),
            Place::PersonGroup(PersonGroupId(1)),
            Place::Person(PersonId(1)),
        ];
        let attached = places.into_iter().zip(10..).map(|(place, id)| (place, profile(id, &[]))).collect();
        let mut world = deployed(world(), attached);
        world.people.insert(PersonId(1), person(1, &[1]).into());
        world.profiles.insert(ProfileId(1), profile(1, &[]).into());
        let mut device = device("0004f2000001");
        device.profiles = vec![ProfileId(1)];
        device.owner = Some(Owner::Person(PersonId(1)));
        device.site = Some(SiteId(1));
        device.model = Some("VVX 411".to_owned());
        device.groups = vec![GroupId(1)];

        assert_eq!(placed_ids(&device, &world), [1, 15, 14, 13, 12, 11, 10]);
        assert!(applicable(&device, &world).is_sorted_by_key(|one| one.container));
    }

    #[test]
    fn groups_speak_in_the_devices_own_order_and_profiles_in_the_admins() {
        let attached = [(1, 11), (1, 12), (2, 21), (3, 31)];
        let attached = attached.into_iter().map(|(group, id)| (Place::Group(GroupId(group)), profile(id, &[]))).collect();
        let world = deployed(world(), attached);
        let mut device = device("0004f2000001");
        device.groups = vec![GroupId(2), GroupId(1)];
        assert_eq!(placed_ids(&device, &world), [21, 11, 12]);
    }

    #[test]
    fn a_person_of_several_groups_has_an_order_too() {
        let attached = [1, 2].map(|id| (Place::PersonGroup(PersonGroupId(id)), profile(id, &[])));
        let mut world = deployed(world(), attached.into());
        world.people.insert(PersonId(7), person(7, &[2, 1]).into());
        let mut device = device("0004f2000001");
        device.owner = Some(Owner::Person(PersonId(7)));
        assert_eq!(placed_ids(&device, &world), [2, 1]);
    }

    #[test]
    fn a_room_speaks_where_a_person_would() {
        let world = deployed(world(), vec![(Place::Room(RoomId(3)), profile(1, &[])), (Place::Global, profile(2, &[]))]);
        let mut device = device("0004f2000001");
        device.owner = Some(Owner::Room(RoomId(3)));
        assert_eq!(placed_ids(&device, &world), [1, 2]);
        assert_eq!(applicable(&device, &world)[0].container, Container::Person);
    }

    #[test]
    fn what_belongs_to_others_does_not_speak() {
        let attached = vec![
            (Place::Site(SiteId(9)), profile(1, &[])),
            (Place::Model("VVX 500".to_owned()), profile(2, &[])),
            (Place::Group(GroupId(9)), profile(3, &[])),
        ];
        let mut device = device("0004f2000001");
        device.model = Some("VVX 411".to_owned());
        assert!(applicable(&device, &deployed(world(), attached)).is_empty());
    }
}
