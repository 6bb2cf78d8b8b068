//! People, groups of people and rooms as JSON. Only shapes; [`super::people`] has the operations.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::matching::Matching;
use super::problem::Problem;
use crate::domain::device::Owner;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{PersonGroupId, PersonId, RoomId};
use crate::domain::people::{NameRule, NamedDraft, NamedInput};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::people::{Loss, Organised, owner_name};

/// A person, a group of people or a room.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NamedShape {
    /// Key.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// How many devices it speaks for; the list of devices takes `owner` as a filter.
    pub devices: usize,
    /// Profiles attached to it, highest first.
    pub profiles: Vec<u64>,
    /// Who changed it last.
    pub modified_by: String,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// Counts changes; send it back with a change.
    pub revision: u64,
}

/// How many devices each of a kind speaks for.
fn devices<T: Organised>(services: &Services, world: &World) -> HashMap<String, usize> {
    let reach = crate::services::places::reach(services, world);
    T::all(world).keys().map(|id| (id.to_string(), reach.of_place(&T::place(*id)))).collect()
}

/// One of a world, with the number of its devices.
pub fn shape<T: Organised>(one: &T, devices: usize, world: &World) -> NamedShape {
    let profiles = world.deployment.get(&T::place(one.id())).map(Vec::as_slice).unwrap_or_default();
    NamedShape {
        id: one.id().to_string().parse().unwrap_or_default(),
        name: one.name().to_string(),
        description: one.description().to_owned(),
        devices,
        profiles: profiles.iter().map(|id| id.0).collect(),
        modified_by: one.modified().by.clone(),
        modified_at: one.modified().at,
        revision: one.modified().revision,
    }
}

impl NamedShape {
    /// One of a world.
    pub fn new<T: Organised>(one: &T, services: &Services, world: &World) -> Self {
        let devices = devices::<T>(services, world).remove(&one.id().to_string()).unwrap_or(0);
        shape(one, devices, world)
    }
}

/// A person, a group of people or a room to make, or in whose place another is put.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNamed {
    /// Name; a room's of ASCII letters and digits, blanks and # . - _ ( ) [ ].
    name: String,
    /// Free text.
    #[serde(default)]
    description: String,
    /// The revision that the change was made from. Only where one is replaced.
    pub(super) revision: Option<u64>,
}

impl NewNamed {
    /// What is meant.
    pub(super) fn draft(&self, rule: NameRule) -> Result<NamedDraft, FieldErrors> {
        NamedDraft::parse(&NamedInput { name: self.name.clone(), description: self.description.clone() }, rule)
    }
}

/// Changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedChanges {
    /// The revision that the change was made from.
    pub(super) revision: u64,
    /// Name.
    name: Option<String>,
    /// Free text.
    description: Option<String>,
}

impl NamedChanges {
    /// What it is after the changes.
    pub(super) fn draft<T: Organised>(self, present: &T) -> Result<NamedDraft, FieldErrors> {
        let name = self.name.unwrap_or_else(|| present.name().to_string());
        let description = self.description.unwrap_or_else(|| present.description().to_owned());
        NamedDraft::parse(&NamedInput { name, description }, T::RULE)
    }
}

/// What to delete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedSelection {
    /// Their numbers.
    pub(super) ids: Option<Vec<u64>>,
    /// All that the list finds, in place of these.
    #[serde(default)]
    pub(super) matching: Option<Matching>,
}

/// What goes, or would go.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PeopleLossShape {
    /// How many were deleted.
    pub deleted: usize,
    /// Devices that belonged to them, and belong to nobody now.
    pub devices: usize,
}

impl From<Loss> for PeopleLossShape {
    fn from(Loss { count, devices }: Loss) -> Self {
        Self { deleted: count, devices }
    }
}

/// The groups of a person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonGroupOrder {
    /// Groups, highest first.
    pub groups: Vec<NamedPersonGroup>,
    /// The same as numbers alone: what to send back as `shown` with a change.
    pub shown: Vec<u64>,
}

/// One group of a person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NamedPersonGroup {
    /// Key.
    pub id: u64,
    /// Name.
    pub name: String,
}

impl PersonGroupOrder {
    /// A list of groups in a world.
    pub fn new(list: &[PersonGroupId], world: &World) -> Self {
        let named = |id: &PersonGroupId| {
            let group = world.person_groups.get(id)?;
            Some(NamedPersonGroup { id: id.0, name: group.name.to_string() })
        };
        Self { groups: list.iter().filter_map(named).collect(), shown: list.iter().map(|id| id.0).collect() }
    }
}

/// Whose a device is: one of the two.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerKey {
    /// Number of a person.
    #[serde(default)]
    pub person: Option<u64>,
    /// Number of a room.
    #[serde(default)]
    pub room: Option<u64>,
}

impl From<Owner> for OwnerKey {
    fn from(owner: Owner) -> Self {
        match owner {
            Owner::Person(id) => Self { person: Some(id.0), room: None },
            Owner::Room(id) => Self { person: None, room: Some(id.0) },
        }
    }
}

/// Whose a device is from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOwner {
    /// The person or room; `null` for nobody.
    pub(super) owner: Option<OwnerKey>,
    /// The owner that the change was made from, as it was answered; a conflict where it is no longer that.
    pub(super) shown: Option<OwnerKey>,
}

/// The owner that is meant.
pub fn owner_of(field: &'static str, sent: Option<OwnerKey>) -> Result<Option<Owner>, Problem> {
    match sent {
        None => Ok(None),
        Some(OwnerKey { person: Some(id), room: None }) => Ok(Some(Owner::Person(PersonId(id)))),
        Some(OwnerKey { person: None, room: Some(id) }) => Ok(Some(Owner::Room(RoomId(id)))),
        Some(_) => Err(Problem::field(field, "send either a person or a room")),
    }
}

/// Whose a device is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OwnerShape {
    /// The person or room; absent for nobody.
    pub owner: Option<OwnerKey>,
    /// What it is called.
    pub name: Option<String>,
}

impl OwnerShape {
    /// An owner of a world.
    pub fn new(owner: Option<Owner>, world: &World) -> Self {
        Self { name: owner.and_then(|owner| owner_name(world, owner)), owner: owner.map(Into::into) }
    }
}
