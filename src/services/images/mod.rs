//! Images of software: uploaded in pieces, unpacked by a thread of their own, kept with the profile that chooses them, deleted with it
//! (R129, R199–R212, R338).
//!
//! [`uploads`] has what is under way, [`package`] what is in a package, [`worker`] what becomes of one, [`license`] the key files.

pub mod deletion;
pub mod license;
pub mod limits;
mod package;
pub mod packages;
mod taking;
mod upload;
pub mod uploads;
mod watch;
pub mod worker;

use std::sync::Arc;

use super::Services;
use super::error::ServiceError;
use crate::domain::ids::{AccountId, ImageId};
use crate::domain::image::Image;
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::world::World;

pub use taking::name_of;
pub use uploads::Desk;

/// One image.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn get(services: &Services, account: AccountId, id: ImageId) -> Result<Arc<Image>, ServiceError> {
    find(&*services.world(account)?, id)
}

fn find(world: &World, id: ImageId) -> Result<Arc<Image>, ServiceError> {
    world.images.get(&id).cloned().ok_or_else(|| ServiceError::not_found("image", id))
}

/// The profiles of people that choose an image: its version for one of its families.
pub fn chosen_by(world: &World, image: &Image) -> Vec<Arc<Profile>> {
    let chooses = |profile: &&Arc<Profile>| {
        let mut choices = profile.software.iter();
        profile.kind != ProfileKind::Software
            && choices.any(|choice| image.is_for(&choice.family) && choice.version == image.version)
    };
    world.profiles.values().filter(chooses).cloned().collect()
}

/// A file of an image, opened for reading. Slow: it asks the disk.
///
/// # Errors
/// [`ServiceError::File`].
pub fn open(services: &Services, blob: &str) -> Result<std::fs::File, ServiceError> {
    services.blobs.open_blob(blob).map_err(ServiceError::file("read", services.state_dir.blobs()))
}

#[cfg(test)]
mod tests;
