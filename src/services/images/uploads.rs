//! Uploads of software that are under way: begun with a name and a size, sent in pieces, unpacked when the last one is there. One that is cut
//! off goes on where it stopped, also after a restart of the server, for a day.
//!
//! Notes and pieces are files of the state directory ([`crate::blobs::parts`]), beside what rows name: nothing of them is in a backup.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

pub use super::upload::{Said, SaidInput, Shown, Stage, Upload, UploadId};
use super::watch::Watch;
use crate::blobs::parts::Parts;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::AccountId;
use crate::domain::limits::{DISK_RESERVE_BYTES, IMAGE_UPLOAD_HOURS, IMAGE_UPLOADS};
use crate::domain::run::clean;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;

/// Characters of a file's name that are kept.
const FILE_CHARS: usize = 120;

#[derive(Debug)]
pub(super) struct Running {
    pub(super) upload: Upload,
    pub(super) received: Arc<AtomicU64>,
    pub(super) watch: Arc<Watch>,
    /// Somebody is writing.
    writing: Arc<AtomicBool>,
}

/// All uploads that are under way.
#[derive(Debug)]
pub struct Desk {
    pub(super) parts: Parts,
    pub(super) uploads: Mutex<BTreeMap<UploadId, Running>>,
    pub(super) wanted: Notify,
    /// Held while a package is unpacked: one at a time.
    pub(super) working: Mutex<()>,
    pub(super) stopping: AtomicBool,
    reserve_bytes: AtomicU64,
}

impl Desk {
    /// With uploads in a folder that need not be there.
    pub fn at(parts: Parts) -> Self {
        Self {
            parts,
            uploads: Mutex::default(),
            wanted: Notify::new(),
            working: Mutex::default(),
            stopping: AtomicBool::new(false),
            reserve_bytes: AtomicU64::new(DISK_RESERVE_BYTES),
        }
    }

    /// Finds the uploads that were under way. A note that cannot be read is none; what was being unpacked begins anew.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(in crate::services) fn load(&self) -> std::io::Result<()> {
        let found = self.parts.all()?.into_iter().filter_map(|(_, note, bytes)| {
            let upload: Upload = serde_json::from_slice(&note).ok()?;
            Some((upload.id, Running::new(upload, bytes)))
        });
        let mut uploads = self.uploads.lock();
        *uploads = found.collect();
        self.parts.sweep(|id| uploads.contains_key(&UploadId(id)))?;
        self.wanted.notify_one();
        Ok(())
    }

    /// Waits until there is something to unpack.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Ends what is being unpacked: the server stops. It begins anew at the next start.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.uploads.lock().values().for_each(|running| running.watch.cancel());
    }

    /// Says how many bytes of the disk uploads leave free.
    pub fn leave_free(&self, bytes: u64) {
        self.reserve_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn reserve_bytes(&self) -> u64 {
        self.reserve_bytes.load(Ordering::Relaxed)
    }

    /// Changes an upload and its note.
    pub(super) fn change(&self, services: &Services, id: UploadId, make: impl FnOnce(&mut Upload)) -> Result<(), ServiceError> {
        let mut uploads = self.uploads.lock();
        let running = uploads.get_mut(&id).ok_or_else(|| ServiceError::not_found("upload", id))?;
        let mut upload = running.upload.clone();
        make(&mut upload);
        upload.touched_at = services.clock.now();
        self.parts.note(id.0, &note(&upload)).map_err(of_disk(services))?;
        running.upload = upload;
        Ok(())
    }
}

impl Running {
    fn new(upload: Upload, received: u64) -> Self {
        Self { upload, received: Arc::new(AtomicU64::new(received)), watch: Arc::default(), writing: Arc::default() }
    }

    fn shown(&self) -> Shown {
        Shown {
            upload: self.upload.clone(),
            received: self.received.load(Ordering::Relaxed),
            unpacked_percent: self.watch.percent(),
        }
    }
}

fn note(upload: &Upload) -> Vec<u8> {
    serde_json::to_vec(upload).unwrap_or_default()
}

pub(super) fn of_disk(services: &Services) -> impl FnOnce(std::io::Error) -> ServiceError {
    ServiceError::file("write", services.state_dir.uploads())
}

/// The uploads of an account, the newest first.
pub fn list(services: &Services, account: AccountId) -> Vec<Shown> {
    let uploads = services.images.uploads.lock();
    uploads.values().rev().filter(|one| one.upload.account == account).map(Running::shown).collect()
}

/// One upload.
///
/// # Errors
/// [`ServiceError::NotFound`], also when its time is over.
pub fn get(services: &Services, account: AccountId, id: UploadId) -> Result<Shown, ServiceError> {
    let uploads = services.images.uploads.lock();
    let found = uploads.get(&id).filter(|one| one.upload.account == account).map(Running::shown);
    found.ok_or_else(|| ServiceError::not_found("upload", id))
}

/// Begins an upload of a file of this name and size.
///
/// # Errors
/// Of `size`, for what is larger than a package may be; [`ServiceError::Conflict`] where there are too many, or the disk has no room.
pub fn begin(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    (file, size_bytes): (&str, u64),
    said: Said,
    mode: Mode,
) -> Result<Shown, ServiceError> {
    authorize(actor, Action::EditProfiles(account))?;
    let world = services.world(account)?;
    check_size(&world, size_bytes)?;
    let desk = &services.images;
    check_room(services, size_bytes)?;
    let now = services.clock.now();
    let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let upload = Upload {
        id: UploadId(Uuid::now_v7()),
        account,
        file: clean(file, FILE_CHARS),
        size_bytes,
        stage: Stage::Receiving,
        said,
        by: actor.shown(),
        at: now,
        touched_at: now,
    };
    let mut uploads = desk.uploads.lock();
    // What is over only tells its end.
    if uploads.values().filter(|one| !one.upload.stage.is_over()).count() >= IMAGE_UPLOADS {
        let told = format!("{IMAGE_UPLOADS} uploads of software are under way; cancel one, or wait until one is done");
        return Err(ServiceError::Conflict(told));
    }
    let running = Running::new(upload.clone(), 0);
    let shown = running.shown();
    if mode == Mode::Keep {
        desk.parts.begin(upload.id.0, &note(&upload)).map_err(of_disk(services))?;
        uploads.insert(upload.id, running);
    }
    Ok(shown)
}

fn check_size(world: &World, size_bytes: u64) -> Result<(), ServiceError> {
    let most = world.account.image_limits.package_bytes;
    let told = match size_bytes {
        0 => "the file is empty".to_owned(),
        size if size > most => format!("the file has {}; a package may have {}", in_words(size), in_words(most)),
        _ => return Ok(()),
    };
    Err(FieldErrors::one("size", told).into())
}

/// Bytes as people read them.
pub fn in_words(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", bytes.div_ceil(1_000_000)),
        _ => format!("{}.{:02} GB", bytes / 1_000_000_000, bytes % 1_000_000_000 / 10_000_000),
    }
}

/// What can be done where room for software is short.
pub(super) const DELETE_PACKAGES: &str = "the packages that are kept beside images";

/// Whether so much more finds room beside what is to stay free.
pub(super) fn check_room(services: &Services, bytes: u64) -> Result<(), ServiceError> {
    let free = services.blobs.free_bytes().map_err(ServiceError::file("read", services.state_dir.root()))?;
    let needed = bytes.saturating_add(services.images.reserve_bytes());
    if free >= needed {
        return Ok(());
    }
    Err(ServiceError::Conflict(format!(
        "the disk of the server has {} free, and {} are needed with what stays free for everything else; make room and go on: \
         delete images that no device needs, or {DELETE_PACKAGES}",
        in_words(free),
        in_words(needed)
    )))
}

/// Somebody who writes to an upload: nobody else may meanwhile.
#[derive(Debug)]
pub struct Writing {
    file: std::fs::File,
    received: Arc<AtomicU64>,
    size_bytes: u64,
    writing: Arc<AtomicBool>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.writing.store(false, Ordering::Release);
    }
}

/// Goes on with an upload: `offset` is how much of it is there.
///
/// # Errors
/// [`ServiceError::Conflict`] where another piece is missing, somebody else is writing, or all is there.
pub fn write_at(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: UploadId,
    offset: u64,
) -> Result<Writing, ServiceError> {
    authorize(actor, Action::EditProfiles(account))?;
    let (received, writing, size_bytes) = {
        let uploads = services.images.uploads.lock();
        let running = uploads.get(&id).filter(|one| one.upload.account == account);
        let running = running.ok_or_else(|| ServiceError::not_found("upload", id))?;
        if running.upload.stage != Stage::Receiving {
            return Err(ServiceError::Conflict("all of this upload is here already".to_owned()));
        }
        if running.writing.swap(true, Ordering::Acquire) {
            return Err(ServiceError::Conflict("another connection is sending this upload; try again in a moment".to_owned()));
        }
        (Arc::clone(&running.received), Arc::clone(&running.writing), running.upload.size_bytes)
    };
    // From here on dropping it lets others write.
    let free = Freed(Some(writing));
    let there = received.load(Ordering::Relaxed);
    if there != offset {
        return Err(ServiceError::Conflict(format!("{there} bytes are here, so go on with offset {there}, not {offset}")));
    }
    services.images.change(services, id, |_| ())?;
    let file = services.images.parts.append(id.0).map_err(of_disk(services))?;
    let Some(writing) = free.keep() else { return Err(ServiceError::Interrupted) };
    Ok(Writing { file, received, size_bytes, writing })
}

/// Lets others write when it is dropped before it is kept.
struct Freed(Option<Arc<AtomicBool>>);

impl Freed {
    fn keep(mut self) -> Option<Arc<AtomicBool>> {
        self.0.take()
    }
}

impl Drop for Freed {
    fn drop(&mut self) {
        if let Some(writing) = &self.0 {
            writing.store(false, Ordering::Release);
        }
    }
}

impl Writing {
    /// Writes the next piece. What is written stays, whatever becomes of the connection.
    ///
    /// # Errors
    /// More comes than was announced, or the disk has no room: [`ServiceError::Conflict`]; [`ServiceError::File`].
    pub fn write(&mut self, services: &Services, bytes: &[u8]) -> Result<(), ServiceError> {
        let after = self.received.load(Ordering::Relaxed) + bytes.len() as u64;
        if after > self.size_bytes {
            return Err(ServiceError::Conflict(format!("more comes than the {} bytes that were announced", self.size_bytes)));
        }
        check_room(services, bytes.len() as u64)?;
        let written = self.file.write_all(bytes);
        // A write that failed half way counts as far as it came.
        let length = self.file.metadata().map_err(of_disk(services))?.len();
        self.received.store(length, Ordering::Relaxed);
        written.map_err(of_disk(services))
    }
}

/// Says that an upload is whole: it is unpacked from now on. Saying it again changes nothing.
///
/// # Errors
/// [`ServiceError::Conflict`] where bytes are missing.
pub fn finish(services: &Services, actor: &Actor, account: AccountId, id: UploadId, mode: Mode) -> Result<Shown, ServiceError> {
    authorize(actor, Action::EditProfiles(account))?;
    let shown = get(services, account, id)?;
    if shown.upload.stage != Stage::Receiving {
        return Ok(shown);
    }
    if shown.received != shown.upload.size_bytes {
        let (there, all) = (shown.received, shown.upload.size_bytes);
        return Err(ServiceError::Conflict(format!("{there} of {all} bytes are here; send the rest from offset {there}")));
    }
    if mode == Mode::Keep {
        services.images.parts.open(id.0).and_then(|file| file.sync_all()).map_err(of_disk(services))?;
        unpack_next(services, id, |_| ())?;
    }
    get(services, account, id)
}

/// The same of an upload that came at once, and whose size was not known before: what is here is all of it.
///
/// # Errors
/// As [`finish`]; of `size` for an empty file.
pub fn finish_as_received(services: &Services, actor: &Actor, account: AccountId, id: UploadId) -> Result<Shown, ServiceError> {
    authorize(actor, Action::EditProfiles(account))?;
    let received = get(services, account, id)?.received;
    check_size(&*services.world(account)?, received)?;
    services.images.change(services, id, |upload| upload.size_bytes = received)?;
    finish(services, actor, account, id, Mode::Keep)
}

/// Answers what was asked about an upload; it is unpacked then.
///
/// # Errors
/// [`ServiceError::Conflict`] where nothing is asked; of `version` and `families` where they are still missing.
pub fn answer(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: UploadId,
    said: Said,
    mode: Mode,
) -> Result<Shown, ServiceError> {
    authorize(actor, Action::EditProfiles(account))?;
    let shown = get(services, account, id)?;
    let mut errors = FieldErrors::new();
    match &shown.upload.stage {
        Stage::Asking { version, families } => {
            if version.is_none() && said.version.is_none() {
                errors.add("version", "say which version it is, such as 5.9.8.5760");
            }
            if families.is_empty() && said.families.is_empty() {
                errors.add("families", "say for which devices it is");
            }
        }
        Stage::Taken { .. } if said.replaces => {}
        Stage::Taken { .. } => {
            errors.add("replaces", "say that what is there for the same hardware is to be replaced, or cancel the upload")
        }
        _ => return Err(ServiceError::Conflict("nothing is asked about this upload".to_owned())),
    }
    errors.into_result(Some(()))?;
    if mode == Mode::Keep {
        unpack_next(services, id, |upload| {
            let Said { version, families, replaces } = said;
            upload.said.version = version.or(upload.said.version.take());
            if !families.is_empty() {
                upload.said.families = families;
            }
            upload.said.replaces = replaces;
        })?;
    }
    get(services, account, id)
}

fn unpack_next(services: &Services, id: UploadId, make: impl FnOnce(&mut Upload)) -> Result<(), ServiceError> {
    services.images.change(services, id, |upload| {
        make(upload);
        upload.stage = Stage::Unpacking;
    })?;
    services.images.wanted.notify_one();
    Ok(())
}

/// Cancels an upload, or takes one that is over from the list. Nothing is left of it.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn cancel(services: &Services, actor: &Actor, account: AccountId, id: UploadId, mode: Mode) -> Result<Shown, ServiceError> {
    authorize(actor, Action::EditProfiles(account))?;
    let shown = get(services, account, id)?;
    if mode == Mode::Keep {
        remove(services, id)?;
    }
    Ok(shown)
}

fn remove(services: &Services, id: UploadId) -> Result<(), ServiceError> {
    if let Some(running) = services.images.uploads.lock().remove(&id) {
        running.watch.cancel();
    }
    services.images.parts.remove(id.0).map_err(of_disk(services))
}

/// Removes uploads that nobody went on with for a day, and tells how many.
///
/// # Errors
/// [`ServiceError::File`].
pub fn expire(services: &Services) -> Result<usize, ServiceError> {
    let before = services.clock.now() - SignedDuration::from_hours(IMAGE_UPLOAD_HOURS);
    let is_old = |running: &Running| {
        let is_busy = running.writing.load(Ordering::Relaxed) || running.upload.stage == Stage::Unpacking;
        running.upload.touched_at < before && !is_busy
    };
    let old: Vec<UploadId> = services.images.uploads.lock().iter().filter(|(_, one)| is_old(one)).map(|(id, _)| *id).collect();
    old.iter().try_for_each(|id| remove(services, *id))?;
    Ok(old.len())
}
