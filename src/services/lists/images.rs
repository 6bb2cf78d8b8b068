//! The list of images of software.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::ids::AccountId;
use crate::domain::image::Image;
use crate::domain::world::World;
use crate::services::error::ServiceError;
use crate::services::images::{chosen_by, name_of};
use crate::services::{Services, profiles};

/// What can be asked of it.
pub const LISTING: Listing = Listing {
    sorts: &["-uploaded", "version", "families", "size", "files", "used", "by"],
    filters: &[Filter { name: "family", takes: Takes::Text }],
};

/// An image with what its list tells of it.
#[derive(Clone, Debug)]
pub struct ListedImage {
    /// The image.
    pub image: Arc<Image>,
    /// What people call it.
    pub name: String,
    /// By how many it is used: profiles of people that choose it, and places and devices that its own profile is attached to.
    pub used: usize,
}

/// The images that are asked for, in their order.
///
/// # Errors
/// [`ServiceError::NotFound`] for an account that does not exist.
pub fn list(services: &Services, account: AccountId, asked: &Asked) -> Result<Vec<ListedImage>, ServiceError> {
    let (world, search) = (services.world(account)?, asked.search());
    let own: BTreeSet<_> = world.images.values().map(|image| image.profile).collect();
    let uses = profiles::uses_of(services, &world, &own);
    let listed = |image: &Arc<Image>| {
        let attached = uses.get(&image.profile).map_or(0, |uses| uses.places.len() + uses.devices.len());
        ListedImage { name: name_of(image), used: attached + chosen_by(&world, image).len(), image: Arc::clone(image) }
    };
    let is_found = |one: &ListedImage| {
        let image = &one.image;
        let is_of = asked.filter("family").is_none_or(|family| is_of(image, family, &world));
        is_of && search.finds(&[&one.name, &image.source, &image.by, &image.sha256])
    };
    let mut found: Vec<ListedImage> = world.images.values().map(listed).filter(is_found).collect();
    let tie = |a: &ListedImage, b: &ListedImage| a.image.id.cmp(&b.image.id);
    asked.sorting.sort(&mut found, |a, b| column(a, b, asked.sorting.word), tie);
    Ok(found)
}

fn is_of(image: &Image, family: &str, world: &World) -> bool {
    image.is_for(world.models.family(family).map_or(family, |known| known.name.as_str()))
}

fn column(a: &ListedImage, b: &ListedImage, word: &str) -> Ordering {
    let (one, other) = (&a.image, &b.image);
    match word {
        "uploaded" => one.at.cmp(&other.at),
        "version" => one.version.cmp(&other.version),
        "families" => by_text(&one.families.join(" "), &other.families.join(" ")),
        "size" => one.stored_bytes().cmp(&other.stored_bytes()),
        "files" => one.files.len().cmp(&other.files.len()),
        "used" => a.used.cmp(&b.used),
        "by" => by_text(&one.by, &other.by),
        _ => Ordering::Equal,
    }
}
