//! The list of resource files (R215–R219).

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::ids::AccountId;
use crate::domain::resource::usage::Usage;
use crate::domain::resource::{Kind, Resource};
use crate::services::Services;
use crate::services::error::ServiceError;

/// What can be asked of it.
pub const LISTING: Listing = Listing {
    sorts: &["path", "kind", "size", "profiles", "by", "modified"],
    filters: &[
        Filter { name: "kind", takes: Takes::Words(&Kind::WORDS) },
        Filter { name: "used", takes: Takes::Words(&["true", "false"]) },
    ],
};

/// A resource file with what the list tells of it.
#[derive(Clone, Debug)]
pub struct ListedResource {
    /// The file.
    pub resource: Arc<Resource>,
    /// Profiles that name it.
    pub profiles: usize,
}

impl ListedResource {
    /// Whether profiles name it, or it is there for all devices.
    pub fn is_used(&self) -> bool {
        self.profiles > 0 || self.resource.path.is_for_all()
    }
}

/// The files that are asked for, in their order.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId, asked: &Asked) -> Result<Vec<ListedResource>, ServiceError> {
    let (world, search) = (services.world(account)?, asked.search());
    let usage = Usage::of(&world);
    let listed = |resource: &Arc<Resource>| ListedResource { profiles: usage.count(resource.id), resource: Arc::clone(resource) };
    let is_shown = |one: &ListedResource| {
        let resource = &one.resource;
        let texts = [resource.path.as_str(), &resource.description, &resource.modified_by, &resource.sha256];
        asked.admits("kind", resource.kind().word())
            && asked.admits("used", if one.is_used() { "true" } else { "false" })
            && search.finds(&texts)
    };
    let mut found: Vec<ListedResource> = world.resources.all().values().map(listed).filter(is_shown).collect();
    let tie = |a: &ListedResource, b: &ListedResource| {
        by_text(a.resource.path.as_str(), b.resource.path.as_str()).then(a.resource.id.cmp(&b.resource.id))
    };
    asked.sorting.sort(&mut found, |a, b| column(a, b, asked.sorting.word), tie);
    Ok(found)
}

fn column(a: &ListedResource, b: &ListedResource, word: &str) -> Ordering {
    let (one, other) = (&a.resource, &b.resource);
    match word {
        "kind" => by_text(one.kind().label(), other.kind().label()),
        "size" => one.size_bytes.cmp(&other.size_bytes),
        "profiles" => a.profiles.cmp(&b.profiles),
        "by" => by_text(&one.modified_by, &other.modified_by),
        "modified" => one.modified_at.cmp(&other.modified_at),
        _ => Ordering::Equal,
    }
}
