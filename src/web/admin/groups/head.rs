//! What every page of one group begins with.

use std::sync::Arc;

use crate::domain::group::Group;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::domain::world::World;
use crate::services::{Services, groups};
use crate::web::admin::attached;
use crate::web::admin::failure::Failure;
use crate::web::admin::session::SignedIn;

/// Name, tabs and place among the defaults of a group.
pub struct Head {
    pub id: GroupId,
    pub title: String,
    /// How many devices are in it.
    pub devices: usize,
    /// Its position among the groups that automatic adds join, counted from one.
    pub default_position: Option<usize>,
}

impl Head {
    /// The head of a group's pages.
    pub fn new(group: &Group, world: &World, services: &Services) -> Self {
        let counts = services.roster(DEFAULT_ACCOUNT).counts(services.clock().now());
        Self {
            id: group.id,
            title: group.name.to_string(),
            devices: counts.groups.get(&group.id).copied().unwrap_or(0),
            default_position: world.default_groups.iter().position(|id| *id == group.id).map(|at| at + 1),
        }
    }

    /// The pages of a group.
    pub fn tabs(&self) -> Vec<(String, &'static str)> {
        let tab = |(path, label): (&str, &'static str)| (format!("/admin/groups/{}{path}", self.id), label);
        [("", "General Information"), ("/devices", "Devices"), ("/profiles", attached::LABEL)].map(tab).to_vec()
    }
}

/// The group that an address names, and the world it lives in.
pub fn find(services: &Services, who: &SignedIn, id: &str) -> Result<(Arc<Group>, Arc<World>), Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let Ok(number) = id.parse() else { return Err(Failure::not_found(who, "device group", id)) };
    let group = groups::get(services, DEFAULT_ACCOUNT, number).map_err(Failure::of(who))?;
    Ok((group, world))
}
