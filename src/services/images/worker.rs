//! What becomes of an upload that is whole: looked at, asked about, unpacked, and taken as an image. On a thread of its own, one at a time;
//! phones, pages and other uploads go on meanwhile.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest as _, Sha256};

use super::package::{Contents, Refused};
use super::packages;
use super::taking::{self, Package};
use super::uploads::{Stage, Upload, UploadId, check_room, of_disk};
use super::watch::{Watch, Watched};
use crate::services::Services;
use crate::services::error::{ServiceError, chain};

/// How much is read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// Unpacks everything that waits for it.
///
/// # Errors
/// What an upload became could not be noted. It waits on, and is tried again with the next one.
pub fn work(services: &Services) -> Result<(), ServiceError> {
    let _turn = services.images.working.lock();
    while let Some((upload, watch)) = next(services) {
        let id = upload.id;
        let stage = match become_image(services, upload, &watch) {
            Err(Refused::Cancelled) => {
                if services.images.stopping.load(Ordering::Relaxed) {
                    return Ok(());
                }
                continue;
            }
            Err(Refused::Package(why)) => Stage::Refused { why, same: None },
            Err(Refused::Disk(error)) => {
                let error = ServiceError::file("unpack", services.state_dir.uploads())(error);
                tracing::error!(error = chain(&error), "an upload of software could not be unpacked");
                Stage::Refused { why: format!("{}; look at the server's log, and upload it again", chain(&error)), same: None }
            }
            Ok(stage) => stage,
        };
        end(services, id, stage)?;
    }
    Ok(())
}

/// The upload that waits longest.
fn next(services: &Services) -> Option<(Upload, Arc<Watch>)> {
    let uploads = services.images.uploads.lock();
    let waiting = uploads.values().filter(|one| one.upload.stage == Stage::Unpacking && !one.watch.is_cancelled());
    waiting.min_by_key(|one| one.upload.touched_at).map(|one| (one.upload.clone(), Arc::clone(&one.watch)))
}

/// Notes what it became. Of what is over the bytes are not needed any more.
fn end(services: &Services, id: UploadId, stage: Stage) -> Result<(), ServiceError> {
    let is_over = stage.is_over();
    match services.images.change(services, id, |upload| upload.stage = stage) {
        // Somebody took it away meanwhile.
        Err(ServiceError::NotFound { .. }) => Ok(()),
        Ok(()) if is_over => services.images.parts.empty(id.0).map_err(of_disk(services)),
        other => other,
    }
}

fn become_image(services: &Services, upload: Upload, watch: &Watch) -> Result<Stage, Refused> {
    let world = services.world(upload.account).map_err(told)?;
    let mut file = services.images.parts.open(upload.id.0).map_err(Refused::Disk)?;
    let sha256 = hash(&mut file, upload.size_bytes, watch)?;
    if let Some(same) = world.images.values().find(|image| image.sha256 == sha256) {
        let why = format!("this very package is here already, as {}", taking::name_of(same));
        return Ok(Stage::Refused { why, same: Some(same.id) });
    }
    let contents = Contents::look(&mut file, &upload.file, world.models)?;
    let version = contents.version.clone().or_else(|| upload.said.version.clone());
    let families = if contents.families.is_empty() { upload.said.families.clone() } else { contents.families.clone() };
    let (Some(version), false) = (version.clone(), families.is_empty()) else {
        return Ok(Stage::Asking { version, families });
    };
    let (paths, size_bytes, replaces) = (contents.paths(), upload.size_bytes, upload.said.replaces);
    let package = Package { sha256, version, families, size_bytes, paths, replaces };
    if let Some(image) = package.in_the_way(&world) {
        return Ok(Stage::Taken { image });
    }
    let is_kept = world.account.image_limits.keep_packages && !contents.is_whole();
    package.check_limits(&world, contents.unpacked_bytes() + if is_kept { size_bytes } else { 0 })?;
    check_room(services, contents.unpacked_bytes()).map_err(told)?;
    let mut unpacked = contents.unpack(&mut file, &services.blobs, watch)?;
    if is_kept {
        unpacked.keep(packages::keep(services, &upload, &package.sha256, &mut file, watch)?);
    }
    taking::take(services, &upload, package, &mut unpacked).map(|image| Stage::Done { image }).map_err(told)
}

/// What a service says against it, in its words.
fn told(error: ServiceError) -> Refused {
    if !matches!(error, ServiceError::Conflict(_) | ServiceError::Invalid(_)) {
        tracing::error!(error = chain(&error), "an upload of software could not be taken");
    }
    Refused::Package(chain(&error))
}

/// SHA-256 of a file in hexadecimal.
fn hash(file: &mut File, size_bytes: u64, watch: &Watch) -> Result<String, Refused> {
    file.rewind().map_err(Refused::Disk)?;
    watch.begin(size_bytes);
    let (mut source, mut hash) = (Watched::new(file, watch), Sha256::new());
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match source.read(&mut chunk) {
            Ok(0) => return Ok(hex::encode(hash.finalize())),
            Ok(read) => hash.update(&chunk[..read]),
            Err(_) if watch.is_cancelled() => return Err(Refused::Cancelled),
            Err(error) => return Err(Refused::Disk(error)),
        }
    }
}
