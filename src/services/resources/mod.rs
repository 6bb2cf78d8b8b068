//! Resource files: taken, replaced, described, deleted, and opened for phones and people (R215–R221).
//!
//! A content comes in as a file without a name on the disk of the state, is looked at there, goes among the blobs, and is named by a row;
//! it is never in memory whole. Blobs of resource files lie unsealed: they are handed to every phone, in pieces of any length.

mod content;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::Services;
use super::commit::{Change, Mode, commit, perform};
use super::error::ServiceError;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, ProfileId, ResourceId};
use crate::domain::limits::{RESOURCES, RESOURCES_AT_ONCE};
use crate::domain::reach::reached;
use crate::domain::resource::path::ResourcePath;
use crate::domain::resource::usage::Usage;
use crate::domain::resource::{Resource, ResourceDraft, description};
use crate::domain::world::World;
use crate::store;
use content::Refused;

/// Field of a content.
pub const FILE: &str = "file";

/// A resource file as somebody had it before them when they decided on a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The file.
    pub id: ResourceId,
    /// Its revision.
    pub revision: u64,
}

/// Whether files may go that profiles name (R218).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// They are refused.
    Refused,
    /// Somebody was told and wants it all the same.
    Confirmed,
}

/// Who uses a resource file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// Profiles that name it: key, name, and the parameters by which they do.
    pub profiles: Vec<(ProfileId, String, Vec<String>)>,
    /// Devices that these profiles reach.
    pub devices: usize,
    /// Whether it is there for all devices (R220).
    pub for_all: bool,
}

impl Users {
    /// Whether anything changes for somebody once it is gone.
    pub fn are_any(&self) -> bool {
        !self.profiles.is_empty() || self.for_all
    }
}

/// One resource file.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn get(services: &Services, account: AccountId, id: ResourceId) -> Result<Arc<Resource>, ServiceError> {
    find(&*services.world(account)?, id)
}

fn find(world: &World, id: ResourceId) -> Result<Arc<Resource>, ServiceError> {
    world.resources.get(id).cloned().ok_or_else(|| ServiceError::not_found("resource file", id))
}

/// Who uses a resource file.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn users(services: &Services, account: AccountId, id: ResourceId) -> Result<Users, ServiceError> {
    let world = services.world(account)?;
    let resource = find(&world, id)?;
    let usage = Usage::of(&world);
    let profiles: Vec<_> = usage
        .profiles(id)
        .filter_map(|(id, names)| Some((id, world.profile(id)?.name.to_string(), names.iter().cloned().collect())))
        .collect();
    let ids: BTreeSet<ProfileId> = profiles.iter().map(|(id, ..)| *id).collect();
    let all = services.roster(account).all();
    let devices = if ids.is_empty() { 0 } else { reached(&world, all.iter().map(|one| &*one.device), &ids).len() };
    Ok(Users { profiles, devices, for_all: resource.path.is_for_all() })
}

/// A file without a name on the disk of the state, for a content that is on its way.
///
/// # Errors
/// [`ServiceError::File`].
pub fn spool(services: &Services) -> Result<File, ServiceError> {
    let root = services.state_dir.root();
    tempfile::tempfile_in(root).map_err(ServiceError::file("write", root))
}

/// Whether so many bytes can be written and the disk has its reserve still.
pub fn has_room(services: &Services, bytes: u64, reserve_bytes: u64) -> bool {
    services.blobs.free_bytes().is_ok_and(|free| free >= bytes.saturating_add(reserve_bytes))
}

/// Takes a resource file.
///
/// # Errors
/// [`ServiceError::Invalid`] of `name` and [`FILE`]; [`ServiceError::Conflict`] where there are too many.
pub fn create(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    draft: ResourceDraft,
    file: &mut File,
    mode: Mode,
) -> Result<Resource, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    // Before anything is written: most mistakes are in the name.
    check_name(services, account, &*services.world(account)?, &draft.path)?;
    let taken = Taken::of(services, &draft.path, file, mode)?;
    let blob = taken.blob.clone();
    let made = perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        check_name(services, account, &world, &draft.path)?;
        if world.resources.all().len() >= RESOURCES {
            return Err(ServiceError::Conflict(format!("there are {RESOURCES} resource files; delete one first")));
        }
        let resource = Resource {
            id: store::resources::next_id(change.tx())?,
            path: draft.path,
            description: draft.description,
            size_bytes: taken.size_bytes,
            sha256: taken.sha256,
            blob: taken.blob,
            pixels: taken.pixels,
            uploaded_at: change.now(),
            modified_by: change.actor().to_owned(),
            modified_at: change.now(),
            revision: 1,
        };
        let event = Event::new("resource file", resource.path.to_string(), "added");
        change.record(with_content(event, None, &resource).change("description", None, shown(&resource.description)))?;
        change.put_resource(resource.clone())?;
        Ok(resource)
    });
    if made.is_err() {
        forget(services, &blob);
    }
    made
}

/// Puts another content in the place of the one that was shown, under the same name.
///
/// # Errors
/// [`ServiceError::Conflict`] when somebody else has changed the file since (R14); [`ServiceError::Invalid`] of [`FILE`].
pub fn replace(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    asked: Shown,
    file: &mut File,
    mode: Mode,
) -> Result<Resource, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    let present = as_shown(&*services.world(account)?, asked)?;
    let taken = Taken::of(services, &present.path, file, mode)?;
    let blob = taken.blob.clone();
    let saved = perform(services, mode, grant, account, |change| {
        let old = as_shown(&*services.world(account)?, asked)?;
        if old.sha256 == taken.sha256 {
            change.leave_as_is();
            return Ok((Resource::clone(&old), None));
        }
        let new = Resource {
            size_bytes: taken.size_bytes,
            sha256: taken.sha256,
            blob: taken.blob,
            pixels: taken.pixels,
            uploaded_at: change.now(),
            ..Resource::clone(&old)
        };
        let new = modified(change, new);
        change.record(with_content(Event::new("resource file", new.path.to_string(), "replaced"), Some(&old), &new))?;
        change.put_resource(new.clone())?;
        Ok((new, Some(old)))
    });
    match saved {
        Ok((new, Some(old))) => {
            if mode == Mode::Keep {
                forget(services, &old.blob);
            }
            Ok(new)
        }
        Ok((same, None)) => {
            forget(services, &blob);
            Ok(same)
        }
        Err(error) => {
            forget(services, &blob);
            Err(error)
        }
    }
}

/// Changes the description.
///
/// # Errors
/// [`ServiceError::Conflict`] when somebody else has changed the file since (R14); [`ServiceError::Invalid`].
pub fn describe(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    asked: Shown,
    text: &str,
    mode: Mode,
) -> Result<Resource, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    let text = description(text).map_err(|error| FieldErrors::one("description", error))?;
    perform(services, mode, grant, account, |change| {
        let old = as_shown(&*services.world(account)?, asked)?;
        if old.description == text {
            change.leave_as_is();
            return Ok(Resource::clone(&old));
        }
        let new = modified(change, Resource { description: text, ..Resource::clone(&old) });
        let event = Event::new("resource file", new.path.to_string(), "changed");
        change.record(event.change("description", shown(&old.description), shown(&new.description)))?;
        change.put_resource(new.clone())?;
        Ok(new)
    })
}

/// Deletes resource files: all of them or none. Answers what went.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] where profiles name one and nobody confirmed it (R218).
pub fn delete_all(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    ids: &BTreeSet<ResourceId>,
    used: Used,
    mode: Mode,
) -> Result<Vec<Arc<Resource>>, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    if ids.len() > RESOURCES {
        return Err(ServiceError::Conflict(format!("at most {RESOURCES} resource files are deleted at once")));
    }
    let gone = perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let gone = ids.iter().map(|id| find(&world, *id)).collect::<Result<Vec<_>, _>>()?;
        if used == Used::Refused {
            refuse_used(&world, &gone)?;
        }
        if gone.is_empty() {
            change.leave_as_is();
        }
        for resource in &gone {
            change.delete_resource(resource.id)?;
            change.record(Event::new("resource file", resource.path.to_string(), "deleted"))?;
        }
        Ok(gone)
    })?;
    if mode == Mode::Keep {
        gone.iter().for_each(|resource| forget(services, &resource.blob));
    }
    Ok(gone)
}

/// The content of a resource file to be read, and the file as it is by then: it may have been replaced a moment ago.
///
/// # Errors
/// [`ServiceError::File`]; [`ServiceError::NotFound`] where it was deleted meanwhile.
pub fn open(services: &Services, account: AccountId, resource: &Arc<Resource>) -> Result<(File, Arc<Resource>), ServiceError> {
    let open = |one: &Resource| services.blobs.open_blob(&one.blob);
    let failed = || ServiceError::file("read", services.state_dir.blobs());
    match open(resource) {
        Ok(file) => Ok((file, Arc::clone(resource))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let newer = get(services, account, resource.id)?;
            if newer.blob == resource.blob {
                return Err(failed()(error));
            }
            Ok((open(&newer).map_err(failed())?, newer))
        }
        Err(error) => Err(failed()(error)),
    }
}

/// The content of a resource file to be taken away, with the secrets that it may hold; noted in the activity log (SEC-05).
///
/// # Errors
/// As [`open`]; the actor may not, or the note could not be written.
pub fn hand_out(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: ResourceId,
) -> Result<(File, Arc<Resource>), ServiceError> {
    let grant = authorize(actor, Action::Reveal(account))?;
    let opened = open(services, account, &get(services, account, id)?)?;
    let event = Event::new("resource file", opened.1.path.to_string(), "downloaded");
    commit(services, grant, account, |change| change.record(event))?;
    Ok(opened)
}

/// The beginning of a text.
///
/// # Errors
/// As [`open`].
pub fn beginning(services: &Services, account: AccountId, id: ResourceId, bytes: u64) -> Result<Vec<u8>, ServiceError> {
    let (file, _) = open(services, account, &get(services, account, id)?)?;
    let mut text = Vec::new();
    file.take(bytes).read_to_end(&mut text).map_err(ServiceError::file("read", services.state_dir.blobs()))?;
    Ok(text)
}

/// A content that was looked at and, unless it is only tried out, lies among the blobs.
struct Taken {
    size_bytes: u64,
    sha256: String,
    blob: String,
    pixels: Option<(u32, u32)>,
}

impl Taken {
    fn of(services: &Services, path: &ResourcePath, file: &mut File, mode: Mode) -> Result<Self, ServiceError> {
        let failed = || ServiceError::file("write", services.state_dir.blobs());
        let size_bytes = file.seek(SeekFrom::End(0)).map_err(failed())?;
        let pixels = content::check(path, file, size_bytes).map_err(|refused| match refused {
            Refused::Content(why) => FieldErrors::one(FILE, why).into(),
            Refused::Io(error) => failed()(error),
        })?;
        file.seek(SeekFrom::Start(0)).map_err(failed())?;
        if mode == Mode::TryOut {
            let sha256 = hash(file).map_err(failed())?;
            return Ok(Self { size_bytes, sha256, blob: String::new(), pixels });
        }
        let written = services.blobs.put_from(file).map_err(failed())?;
        Ok(Self { size_bytes: written.size_bytes, sha256: written.sha256, blob: written.blob, pixels })
    }
}

fn hash(file: &mut File) -> io::Result<String> {
    const CHUNK_BYTES: usize = 64 * 1024;
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK_BYTES]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex::encode(hash.finalize())),
            count => hash.update(&chunk[..count]),
        }
    }
}

/// Removes a content that no row names any more; if that fails, the sweep at the next start does it.
fn forget(services: &Services, blob: &str) {
    if !blob.is_empty()
        && let Err(error) = services.blobs.remove(blob)
    {
        tracing::warn!(%error, blob, "the content of a resource file could not be removed");
    }
}

fn check_name(services: &Services, account: AccountId, world: &World, path: &ResourcePath) -> Result<(), FieldErrors> {
    if let Some(there) = world.resources.find(&path.location()) {
        let told = format_args!("there is a resource file “{}” already; replace that one, or choose another name", there.path);
        return Err(FieldErrors::one("name", told));
    }
    if let Some(key) = path.looks_like().filter(|key| services.roster(account).find(key).is_some()) {
        let told =
            format_args!("the name begins with the serial number of the device {key}; upload it under Files of that device");
        return Err(FieldErrors::one("name", told));
    }
    Ok(())
}

fn as_shown(world: &World, asked: Shown) -> Result<Arc<Resource>, ServiceError> {
    let present = find(world, asked.id)?;
    if present.revision == asked.revision { Ok(present) } else { Err(ServiceError::stale("resource file", &present.modified_by)) }
}

fn modified(change: &Change<'_>, resource: Resource) -> Resource {
    Resource { modified_by: change.actor().to_owned(), modified_at: change.now(), revision: resource.revision + 1, ..resource }
}

/// Files that are named by profiles do not vanish silently.
fn refuse_used(world: &World, gone: &[Arc<Resource>]) -> Result<(), ServiceError> {
    const NAMED: usize = 5;
    let usage = Usage::of(world);
    let Some(used) = gone.iter().find(|one| usage.count(one.id) > 0) else { return Ok(()) };
    let names: Vec<String> =
        usage.profiles(used.id).filter_map(|(id, _)| world.profile(id)).map(|profile| profile.name.to_string()).collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    Err(ServiceError::Conflict(format!(
        "“{}” is named by the profile {named}{more}: phones would be sent to a file that is not there. Nothing was deleted. Take it out \
         there first, or confirm that it is to go all the same",
        used.path
    )))
}

fn with_content(event: Event, old: Option<&Resource>, new: &Resource) -> Event {
    event.change("size", old.map(|old| old.size_bytes.to_string()), Some(new.size_bytes.to_string())).change(
        "SHA-256",
        old.map(|old| old.sha256.clone()),
        Some(new.sha256.clone()),
    )
}

fn shown(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

const _: () = assert!(RESOURCES_AT_ONCE <= RESOURCES, "what is uploaded at once fits in");
