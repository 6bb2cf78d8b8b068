//! The list of the places that profiles can be attached to (R152, R153).

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::deployment::Container;
use crate::domain::ids::AccountId;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::services::places::{self, ListedPlace, PlaceQuery};

/// The words of the containers in addresses, and what each of them is.
pub const CONTAINERS: [(&str, Container); 8] = [
    ("devices", Container::Device),
    ("people", Container::Person),
    ("rooms", Container::Person),
    ("person-groups", Container::PersonGroup),
    ("sites", Container::Site),
    ("models", Container::Model),
    ("groups", Container::Group),
    ("global", Container::Global),
];

/// What can be asked of it; the usual order is the strongest container first, with the devices behind all places.
pub const LISTING: Listing = Listing {
    sorts: &["container", "name", "profiles", "devices"],
    filters: &[
        Filter {
            name: "container",
            takes: Takes::Words(&["devices", "people", "rooms", "person-groups", "sites", "models", "groups", "global"]),
        },
        Filter { name: "attached", takes: Takes::Words(&["true", "false"]) },
    ],
};

/// The places that are asked for, in their order.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId, asked: &Asked) -> Result<Vec<ListedPlace>, ServiceError> {
    let container = asked.filter("container").and_then(container);
    let query = PlaceQuery { text: asked.text.clone(), container, attached: asked.filter("attached") == Some("true") };
    let mut found = places::list(services, account, &query)?;
    match asked.sorting.word {
        "name" => found.sort_by(|a, b| by_text(&a.name, &b.name)),
        "profiles" => found.sort_by_key(|one| one.profiles.len()),
        "devices" => found.sort_by_key(|one| one.devices),
        _ => {}
    }
    if asked.sorting.descending {
        found.reverse();
    }
    Ok(found)
}

/// The container that a word means.
pub fn container(word: &str) -> Option<Container> {
    CONTAINERS.iter().find(|(known, _)| *known == word).map(|(_, container)| *container)
}
