//! An image goes, and with it its profile wherever that is attached, its schema and its files (R129, R207).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::taking::name_of;
use super::{chosen_by, find};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::ids::{AccountId, ImageId};
use crate::domain::image::Image;
use crate::services::commit::{Mode, perform};
use crate::services::error::ServiceError;
use crate::services::profiles::{Uses, detach_everywhere, uses_of};
use crate::services::{Services, schema};

/// An image that is gone, with what went by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The image.
    pub image: Arc<Image>,
    /// Where its profile was attached.
    pub uses: Uses,
}

/// Deletes an image. While profiles of people choose it, only where `forced`: their devices then keep the software that they have.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] that names the profiles which choose it.
pub fn delete(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: ImageId,
    forced: bool,
    mode: Mode,
) -> Result<Gone, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    let gone = perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let image = find(&world, id)?;
        let choosing = chosen_by(&world, &image);
        if let (Some(first), false) = (choosing.first(), forced) {
            let others = match choosing.len() - 1 {
                0 => String::new(),
                others => format!(" and {others} more"),
            };
            return Err(ServiceError::Conflict(format!(
                "{} is chosen by the profile “{}”{others}; choose another version there first, or delete it all the same",
                name_of(&image),
                first.name
            )));
        }
        let uses = uses_of(services, &world, &BTreeSet::from([image.profile]));
        detach_everywhere(services, change, &world, &uses)?;
        if world.profiles.contains_key(&image.profile) {
            change.delete_profile(image.profile)?;
        }
        if let Some(schema) = image.schema {
            schema::delete_of_image(change, &world, schema)?;
        }
        change.record(Event::new("software", name_of(&image), "deleted").change("file", Some(image.source.clone()), None))?;
        change.delete_image(id)?;
        Ok(Gone { uses: uses.get(&image.profile).cloned().unwrap_or_default(), image })
    })?;
    if mode == Mode::Keep {
        // What stays in spite of this has no row: the next start removes it. Whoever is being sent one gets it to its end.
        gone.image.blobs().for_each(|blob| drop(services.blobs.remove(blob)));
    }
    Ok(gone)
}
