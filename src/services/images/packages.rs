//! The packages that images came in, kept as they were uploaded (R211): opened, counted, and removed by themselves where room is short.
//!
//! A single `.ld` or `.tar` is served as it came, and is its own package.

use std::fs::File;
use std::io::Seek as _;
use std::sync::Arc;

use super::find;
use super::package::Refused;
use super::taking::name_of;
use super::uploads::{Upload, check_room};
use super::watch::{Watch, Watched};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::ids::{AccountId, ImageId};
use crate::domain::image::{Image, KeptPackage};
use crate::services::Services;
use crate::services::commit::{Mode, perform};
use crate::services::error::{ServiceError, chain};

/// Keeps a package beside what was in it. The upload's own file is named a second time, so that it costs neither time nor room; only
/// where the disk cannot do that it is copied.
pub(super) fn keep(
    services: &Services,
    upload: &Upload,
    sha256: &str,
    file: &mut File,
    watch: &Watch,
) -> Result<KeptPackage, Refused> {
    let blob = match services.blobs.link(&services.images.parts.place(upload.id.0)) {
        Ok(blob) => blob,
        Err(error) => {
            tracing::info!(%error, "a package of software is copied: it cannot be named twice on this disk");
            copy(services, upload.size_bytes, file, watch)?
        }
    };
    let at = services.clock.now();
    Ok(KeptPackage { file: upload.file.clone(), size_bytes: upload.size_bytes, sha256: sha256.to_owned(), blob, at })
}

fn copy(services: &Services, size_bytes: u64, file: &mut File, watch: &Watch) -> Result<String, Refused> {
    check_room(services, size_bytes).map_err(|error| Refused::Package(chain(&error)))?;
    file.rewind().map_err(Refused::Disk)?;
    watch.begin(size_bytes);
    let written = services.blobs.put_from(&mut Watched::new(file, watch));
    if watch.is_cancelled() {
        // What was written of it is gone, or has no row.
        drop(written.map(|written| services.blobs.remove(&written.blob)));
        return Err(Refused::Cancelled);
    }
    written.map(|written| written.blob).map_err(Refused::Disk)
}

/// A package of an image, opened for reading; `number` counts from 1. Slow: it asks the disk.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::File`].
pub fn open(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: ImageId,
    number: usize,
) -> Result<(File, KeptPackage), ServiceError> {
    authorize(actor, Action::EditProfiles(account))?;
    let mut originals = find(&*services.world(account)?, id)?.originals();
    let at = number.checked_sub(1).filter(|at| *at < originals.len());
    let package = at.map(|at| originals.swap_remove(at)).ok_or_else(|| ServiceError::not_found("package", number))?;
    Ok((super::open(services, &package.blob)?, package))
}

/// Removes the packages of an image; what phones fetch of it stays.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] where none is kept beside it.
pub fn delete(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: ImageId,
    mode: Mode,
) -> Result<Arc<Image>, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    let (image, gone) = perform(services, mode, grant, account, |change| {
        let former = find(&*services.world(account)?, id)?;
        if former.packages.is_empty() {
            let why = "no package is kept beside this image";
            return Err(ServiceError::Conflict(why.to_owned()));
        }
        let names: Vec<&str> = former.packages.iter().map(|one| one.file.as_str()).collect();
        let event = Event::new("software", name_of(&former), "package deleted");
        change.record(event.change("file", Some(names.join(", ")), None))?;
        let image = Image { packages: Vec::new(), ..Image::clone(&former) };
        change.put_image(image.clone())?;
        Ok((Arc::new(image), former))
    })?;
    if mode == Mode::Keep {
        // What stays in spite of this has no row: the next start removes it.
        gone.packages.iter().for_each(|one| drop(services.blobs.remove(&one.blob)));
    }
    Ok(image)
}
