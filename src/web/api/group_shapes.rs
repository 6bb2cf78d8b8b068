//! Device groups as JSON. Only shapes; [`super::groups`] and [`super::membership`] have the operations.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::deployment::Place;
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::group::{Group, GroupDraft, GroupInput};
use crate::domain::ids::{GroupId, ProfileId};
use crate::domain::world::World;
use crate::services::groups::{self, Loss};

/// A device group.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GroupShape {
    /// Key.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// How many devices are in it; the list of devices takes `group` as a filter.
    pub devices: usize,
    /// Profiles attached to it, highest first.
    pub profiles: Vec<u64>,
    /// Its position among the groups that automatically added devices join, counted from 1.
    pub default_position: Option<usize>,
    /// Who changed it last.
    pub modified_by: String,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// Counts changes of name and description; send it back with a change.
    pub revision: u64,
}

impl GroupShape {
    /// A group of a world with so many members.
    pub fn new(group: &Group, devices: usize, world: &World) -> Self {
        let profiles = world.deployment.get(&Place::Group(group.id)).map(Vec::as_slice).unwrap_or_default();
        Self {
            id: group.id.0,
            name: group.name.to_string(),
            description: group.description.clone(),
            devices,
            profiles: profiles.iter().map(|id| id.0).collect(),
            default_position: world.default_groups.iter().position(|id| *id == group.id).map(|at| at + 1),
            modified_by: group.modified_by.clone(),
            modified_at: group.modified_at,
            revision: group.revision,
        }
    }
}

/// A group to make, or in whose place another is put.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// Name.
    name: String,
    /// Free text.
    #[serde(default)]
    description: String,
    /// The revision that the change was made from. Only where a group is replaced.
    pub(super) revision: Option<u64>,
    /// Devices that are in it from the beginning: MACs or serial numbers. Only where a group is made.
    #[serde(default)]
    pub(super) members: Vec<String>,
    /// Profiles attached to it from the beginning, strongest first. Only where a group is made.
    #[serde(default)]
    pub(super) profiles: Vec<u64>,
}

impl NewGroup {
    /// The group with what it holds from the beginning.
    pub(super) fn whole(&self) -> Result<groups::NewGroup, FieldErrors> {
        let mut errors = FieldErrors::new();
        let draft = self.draft();
        if let Err(wrong) = &draft {
            wrong.iter().for_each(|error| errors.add(error.field, &error.message));
        }
        let key = |text: &String| errors_of(text, &mut errors);
        let members = self.members.iter().filter_map(key).collect();
        let profiles = self.profiles.iter().copied().map(ProfileId).collect();
        errors.into_result(draft.ok().map(|draft| groups::NewGroup { draft, members, profiles }))
    }

    /// The group that is meant.
    pub(super) fn draft(&self) -> Result<GroupDraft, FieldErrors> {
        GroupDraft::parse(&GroupInput { name: self.name.clone(), description: self.description.clone() })
    }
}

fn errors_of(text: &str, errors: &mut FieldErrors) -> Option<DeviceKey> {
    let parsed = text.parse::<DeviceKey>().map_err(|error| format!("“{text}”: {error}"));
    errors.take("members", parsed)
}

/// Changes of a group; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupChanges {
    /// The revision that the change was made from.
    pub(super) revision: u64,
    /// Name.
    name: Option<String>,
    /// Free text.
    description: Option<String>,
}

impl GroupChanges {
    /// The group after the changes.
    pub(super) fn draft(self, present: &Group) -> Result<GroupDraft, FieldErrors> {
        let name = self.name.unwrap_or_else(|| present.name.to_string());
        let description = self.description.unwrap_or_else(|| present.description.clone());
        GroupDraft::parse(&GroupInput { name, description })
    }
}

/// What goes with groups, or would go.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LossShape {
    /// The groups.
    pub groups: Vec<LostGroup>,
}

/// A group that went, or would go.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LostGroup {
    /// Its number.
    pub id: u64,
    /// How many devices are in it.
    pub devices: usize,
}

impl From<Loss> for LossShape {
    fn from(Loss { members }: Loss) -> Self {
        let group = |(id, devices): (GroupId, usize)| LostGroup { id: id.0, devices };
        let members: BTreeMap<GroupId, usize> = members;
        Self { groups: members.into_iter().map(group).collect() }
    }
}
