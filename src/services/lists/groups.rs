//! The list of device groups (R97–R105).

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::deployment::Place;
use crate::domain::group::Group;
use crate::domain::ids::AccountId;
use crate::services::Services;
use crate::services::error::ServiceError;

/// What can be asked of it.
pub const LISTING: Listing = Listing {
    sorts: &["name", "devices", "profiles", "default", "by", "modified"],
    filters: &[Filter { name: "default", takes: Takes::Words(&["true", "false"]) }],
};

/// A group with what the list tells of it.
#[derive(Clone, Debug)]
pub struct ListedGroup {
    /// The group.
    pub group: Arc<Group>,
    /// Its members.
    pub devices: usize,
    /// Profiles attached to it.
    pub profiles: usize,
    /// Its place among the groups that automatic adds join, counted from one.
    pub default_position: Option<usize>,
}

/// The groups that are asked for, in their order.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId, asked: &Asked) -> Result<Vec<ListedGroup>, ServiceError> {
    let (world, search) = (services.world(account)?, asked.search());
    let counts = services.roster(account).counts(services.clock().now()).groups;
    let listed = |group: &Arc<Group>| ListedGroup {
        devices: counts.get(&group.id).copied().unwrap_or(0),
        profiles: world.deployment.get(&Place::Group(group.id)).map_or(0, Vec::len),
        default_position: world.default_groups.iter().position(|id| *id == group.id).map(|at| at + 1),
        group: Arc::clone(group),
    };
    let is_shown = |one: &ListedGroup| {
        let texts = [one.group.name.as_str(), &one.group.description, &one.group.modified_by];
        asked.admits("default", if one.default_position.is_some() { "true" } else { "false" }) && search.finds(&texts)
    };
    let mut found: Vec<ListedGroup> = world.groups.values().map(listed).filter(is_shown).collect();
    let tie = |a: &ListedGroup, b: &ListedGroup| {
        by_text(a.group.name.as_str(), b.group.name.as_str()).then(a.group.id.cmp(&b.group.id))
    };
    asked.sorting.sort(&mut found, |a, b| column(a, b, asked.sorting.word), tie);
    Ok(found)
}

fn column(a: &ListedGroup, b: &ListedGroup, word: &str) -> Ordering {
    let position = |one: &ListedGroup| one.default_position.unwrap_or(usize::MAX);
    match word {
        "devices" => a.devices.cmp(&b.devices),
        "profiles" => a.profiles.cmp(&b.profiles),
        "default" => position(a).cmp(&position(b)),
        "by" => by_text(&a.group.modified_by, &b.group.modified_by),
        "modified" => a.group.modified_at.cmp(&b.group.modified_at),
        _ => Ordering::Equal,
    }
}
