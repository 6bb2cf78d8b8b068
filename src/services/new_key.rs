//! Another key file, with everything that is sealed sealed anew (SEC-02). Not for a running server.
//!
//! The new state is made beside the old one and takes its place as a restored one does ([`in_place`]): a kill or a full disk leaves
//! the old one or the new one. Its database is made out of rows, so that no page of it holds what the old key opens. Devices' files
//! become new content, which no row of the old state names: if it comes to nothing, the next start sweeps it away.
//!
//! Phones notice nothing: what was derived for them keeps its root (see [`super::secrets`]).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use super::backup::in_place;
use super::backup::kept::PASSPHRASE;
use super::commit::{Change, commit};
use super::error::ServiceError;
use super::images::license;
use super::state_dir::{StateDir, entries, make_private};
use super::{Services, sealed_files, second_factor, setup};
use crate::blobs::Blobs;
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::account::Secret;
use crate::domain::activity::{Event, SERVER};
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::AccountId;
use crate::domain::recycle_bin::{Kept, What};
use crate::store::{self, Row, Store};

/// Rows that are read ahead of those that are written.
const ROWS_AHEAD: usize = 1_000;
/// The only files of the new state that take the place of old ones: content is in its place already.
const MADE: [&str; 2] = ["secret.key", "pdms.redb"];

/// Makes another key file and seals everything with it. Answers the files that the old key still opens: copies of the database from
/// before a newer version.
///
/// # Errors
/// The actor may not; nobody was set up; there is no room. Then everything is as it was, unless the error says that the new state
/// waits to be put in place: then the next start does that.
pub fn renew(services: Services, actor: &Actor) -> Result<Vec<PathBuf>, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    if !setup::is_set_up(&services) {
        return Err(ServiceError::Conflict("this server was never set up: there is nothing to seal".to_owned()));
    }
    let state = services.state_dir.clone();
    if let Err(error) = make(&services, grant).and_then(|()| in_place::decide(&state)) {
        // Once it is decided, which may be so in spite of an error, the content that was made belongs to the new state.
        in_place::refuse_unfinished(&state)?;
        // What stays in spite of this is removed at the next start.
        let _ = in_place::discard(&state.restoring()).and_then(|()| services.sweep());
        return Err(error);
    }
    drop(services);
    in_place::finish(&state)?;
    let is_copy = |path: &PathBuf| path.to_string_lossy().ends_with(".redb") && *path != Store::file_in(state.root());
    Ok(entries(state.root())?.into_iter().map(|name| state.root().join(name)).filter(is_copy).collect())
}

/// Makes the new state, whole and checked, in the folder for that.
fn make(services: &Services, grant: Grant) -> Result<(), ServiceError> {
    check_room(services)?;
    let folder = StateDir::at(services.state_dir.restoring());
    in_place::discard(folder.root())?;
    make_private(folder.root())?;
    copy_rows(services, folder.root())?;
    let secrets = services.secrets.renewed(&folder.key_file())?;
    let store = Store::open(folder.root(), Arc::default())?;
    // Content of the old state and of the new one lies side by side.
    let blobs = Blobs::at(services.state_dir.blobs(), services.state_dir.logs());
    let made = Services::on(folder.clone(), secrets, store, blobs, services.clock.clone());
    commit(&made, grant, SERVER, |change| {
        seal_rows(services, &made, change)?;
        seal_files(services, &made, change)?;
        seal_deleted(services, &made, change)?;
        change.record(Event::new("server", "key file", "replaced"))
    })?;
    made.rebuild()?;
    drop(made);
    let mut others = entries(folder.root())?.into_iter().filter(|name| !MADE.iter().any(|made| *name == *made));
    others.try_for_each(|name| in_place::discard(&folder.root().join(name)))
}

/// Another database and all files of devices once more have to find a place.
fn check_room(services: &Services) -> Result<(), ServiceError> {
    let file = services.store.file();
    let database = std::fs::metadata(file).map_err(ServiceError::file("read", file))?.len();
    let deleted = services.store.read(store::recycle_bin::files)?;
    let files = services.store.read(store::stored_files::all)?;
    let files: u64 = files.into_iter().chain(deleted).flat_map(|(_, _, file)| file.each()).map(|file| file.size_bytes).sum();
    let free = services.blobs.free_bytes().map_err(ServiceError::file("read", services.state_dir.root()))?;
    let needed = database.saturating_add(files);
    if needed > free {
        let [needed, free] = [needed, free].map(|bytes| bytes.div_ceil(1024 * 1024));
        let words = format!("this needs {needed} MiB on the disk for a while, and only {free} MiB are free; nothing was changed");
        return Err(ServiceError::Conflict(words));
    }
    Ok(())
}

/// All rows that hold nothing sealed, but for sessions: cookies end with the key.
fn copy_rows(services: &Services, into: &Path) -> Result<(), ServiceError> {
    let (sender, rows) = sync_channel(ROWS_AHEAD);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            services.store.snapshot(|all| {
                all.rows(|table, key, value| {
                    if Store::holds_secrets(table) {
                        return Ok(());
                    }
                    let row = Row { table: table.to_owned(), key: key.to_vec(), value: value.to_vec() };
                    // Nobody takes it where writing failed, which is told there.
                    sender.send(row).map_err(|_| ServiceError::Conflict("the new database cannot be written".to_owned()))
                })
            })
        });
        let written = Store::fill(into, move || Ok::<_, ServiceError>(rows.recv().ok()));
        let read = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written.and(read)
    })
}

fn seal_rows(old: &Services, new: &Services, change: &Change<'_>) -> Result<(), ServiceError> {
    old.store.read(|tx| {
        for (id, account) in store::accounts::all(tx)? {
            let account = old.secrets.open_account(id, account)?;
            store::accounts::put(change.tx(), id, &new.secrets.seal_account(id, &account))?;
            for mut image in store::images::all(tx, id)? {
                if let Some(license) = &mut image.license {
                    license.sealed = new.secrets.reseal(&old.secrets, &license::place(id, image.id), &license.sealed)?;
                    store::images::put(change.tx(), id, &image)?;
                }
            }
            for profile in store::profiles::all(tx, id)? {
                let profile = old.secrets.open_profile(id, profile)?;
                store::profiles::put(change.tx(), id, &new.secrets.seal_profile(id, &profile))?;
            }
        }
        for mut user in store::users::all(tx)? {
            if let Some(factor) = &mut user.second_factor {
                factor.secret = new.secrets.reseal(&old.secrets, &second_factor::place(user.id), &factor.secret)?;
            }
            store::users::put(change.tx(), &user)?;
        }
        let mut settings = store::server::get(tx)?;
        if let Some(passphrase) = &mut settings.backups.passphrase {
            *passphrase = Secret::new(new.secrets.reseal(&old.secrets, PASSPHRASE, passphrase.expose())?);
        }
        settings.roots = Some(new.secrets.sealed_roots());
        Ok(store::server::put(change.tx(), &settings)?)
    })
}

fn seal_files(old: &Services, new: &Services, change: &Change<'_>) -> Result<(), ServiceError> {
    for (account, key, mut file) in old.store.read(store::stored_files::all)? {
        seal_file(old, new, account, &key, &mut file)?;
        store::stored_files::put(change.tx(), account, &key, &file)?;
    }
    Ok(())
}

fn seal_file(
    old: &Services,
    new: &Services,
    account: AccountId,
    key: &DeviceKey,
    file: &mut DeviceFile,
) -> Result<(), ServiceError> {
    let sealed = |one: DeviceFile| {
        // One that is lost stays so, and `pdms check` goes on telling it.
        if !old.blobs.has(&one.blob) {
            return Ok(one.blob);
        }
        let content = sealed_files::read(old, account, key, &one)?;
        sealed_files::put(new, account, key, &one.name, &content)
    };
    file.blob = sealed(file.clone().alone())?;
    let former: Vec<_> = file.clone().each().skip(1).collect();
    for (version, one) in file.former.iter_mut().zip(former) {
        version.blob = sealed(one)?;
    }
    Ok(())
}

/// What is in the recycle bin, row by row: profiles with their secrets, devices with their files.
fn seal_deleted(old: &Services, new: &Services, change: &Change<'_>) -> Result<(), ServiceError> {
    old.store.read(|tx| {
        let mut outcome = Ok(());
        store::recycle_bin::walk(tx, |account, deletion, number, kept| {
            if outcome.is_ok() {
                let sealed = seal_kept(old, new, account, kept);
                let put = |kept| Ok(store::recycle_bin::put_kept(change.tx(), account, deletion, number, &kept).map(drop)?);
                outcome = sealed.and_then(put);
            }
        })?;
        outcome
    })
}

fn seal_kept(old: &Services, new: &Services, account: AccountId, mut kept: Kept) -> Result<Kept, ServiceError> {
    if let Kept::Object(object) = &mut kept {
        match &mut object.what {
            What::Profile(profile) => {
                *profile = new.secrets.seal_profile(account, &old.secrets.open_profile(account, profile.clone())?);
            }
            What::Device(one) => {
                one.files.iter_mut().try_for_each(|file| seal_file(old, new, account, &one.device.key, file))?;
            }
            _ => {}
        }
    }
    Ok(kept)
}

#[cfg(test)]
#[path = "new_key_tests.rs"]
mod tests;
