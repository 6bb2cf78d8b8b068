//! Where profiles are attached, and which of these places speak for a device, strongest first.

use serde::{Deserialize, Serialize};

use super::ids::{GroupId, PersonGroupId, PersonId, RoomId, SiteId};

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
