//! What is wrong with a state, in sentences that name the file and the next step; nothing is changed (`pdms check`).
//!
//! What keeps a state from being opened at all is told by opening it: see [`Services::inspect`].

use std::path::Path;

use super::Services;
use super::addresses::{self, Answered};
use super::backup::kept;
use super::certificates::{Certificates, Folder, OwnFiles};
use super::error::{ServiceError, chain};
use super::named_blobs;
use super::secrets::{KeyFile, Secrets};
use super::warnings;
use crate::store;

/// Everything that is wrong with a state that could be opened. `own` are the files of an own certificate that the settings name;
/// `answered` is none where the certificates cannot be used, which is told beside.
///
/// # Errors
/// The database cannot be read.
pub fn faults(services: &Services, own: Option<&OwnFiles>, answered: Option<&Answered>) -> Result<Vec<String>, ServiceError> {
    let mut faults = Vec::new();
    faults.extend(key_file(services));
    let given = services.store.read(store::server::get)?.given;
    let certificates = services.state_dir.certificates();
    if let Err(error) = Certificates::check(Folder::at(&certificates), own, &given, services.clock.now()) {
        faults.push(chain(&error));
    }
    faults.extend(lost_blobs(services, &services.state_dir.blobs())?);
    faults.extend(unreadable_schemas(services));
    faults.extend(kept::misplaced(services)?.into_iter().map(|(_, text)| text.trim_end_matches('.').to_owned()));
    faults.extend(super::flash::faults(services)?);
    faults.extend(super::views::faults(services)?);
    if let Some(answered) = answered {
        faults.extend(warnings::urgent(services, answered).into_iter().map(|text| text.trim_end_matches('.').to_owned()));
        faults.extend(addresses::faults(services, answered)?);
    }
    Ok(faults)
}

/// A running server has read its key long ago: the file may have changed since.
fn key_file(services: &Services) -> Option<String> {
    let path = services.state_dir.key_file();
    match Secrets::open(&path, KeyFile::MustExist) {
        Err(error) => Some(chain(&error)),
        Ok(found) if !found.has_key_of(&services.secrets) => Some(format!(
            "{} is another key file than the one that the server runs with; put that one back before the next start",
            path.display()
        )),
        Ok(_) => None,
    }
}

/// Uploaded schemas that cannot be read any more: the dictionary counts in their place.
fn unreadable_schemas(services: &Services) -> Vec<String> {
    let worlds = services.worlds.accounts().into_iter().filter_map(|account| services.worlds.get(account));
    let shelves = worlds.flat_map(|world| world.schemas.shelf.clone());
    let broken = shelves.filter(|one| one.uploaded.parameters > 0 && one.schema.is_empty());
    broken.map(|one| format!("the uploaded schema {} cannot be read; delete it and upload it again", one.uploaded.name)).collect()
}

/// Files of phones, or resource files, that are named in the database and missing on the disk. Phones that ask for one are told to come back (503).
/// `folder` is where the sentence says that they belong.
pub(super) fn lost_blobs(services: &Services, folder: &Path) -> Result<Option<String>, ServiceError> {
    let named = services.store.read(named_blobs::all)?;
    let mut lost = named.iter().filter(|one| !services.blobs.has(&one.blob));
    let Some(first) = lost.next() else { return Ok(None) };
    Ok(Some(format!(
        "{} of {} stored files are missing in {}, the first is {}; put the folder back from a copy, or delete what is missing: \
         phones upload their files anew, and software can be uploaded again",
        1 + lost.count(),
        named.len(),
        folder.display(),
        first.what,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::Grant;
    use crate::domain::device::DeviceKey;
    use crate::domain::device_file::DeviceFile;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::services::commit::commit;
    use crate::services::testing::bench;

    #[test]
    fn content_and_key_that_are_gone_are_told() {
        let bench = bench();
        let services = &bench.services;
        assert_eq!(faults(services, None, None).expect("readable"), Vec::<String>::new());
        let written = services.blobs.put(b"<directory/>").expect("kept");
        let blob = written.blob.clone();
        let file = DeviceFile {
            name: "directory.xml".to_owned(),
            size_bytes: written.size_bytes,
            sha256: written.sha256,
            at: services.clock.now(),
            blob: written.blob,
            by: None,
            version: 1,
            former: Vec::new(),
        };
        let key: DeviceKey = "0004f2000001".parse().expect("a key");
        commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
            store::stored_files::put(change.tx(), DEFAULT_ACCOUNT, &key, &file).map_err(ServiceError::from)
        })
        .expect("a row");
        assert_eq!(lost_blobs(services, &services.state_dir.blobs()).expect("readable"), None);
        services.blobs.remove(&blob).expect("removed");
        let told = lost_blobs(services, &services.state_dir.blobs()).expect("readable").expect("a fault");
        assert!(told.starts_with("1 of 1 stored files") && told.contains("directory.xml of 0004f2000001"), "{told}");
        std::fs::remove_file(services.state_dir.key_file()).expect("removed");
        assert_eq!(faults(services, None, None).expect("readable").len(), 2);
        Secrets::open(&services.state_dir.key_file(), KeyFile::MayBeMade).expect("another key");
        assert!(faults(services, None, None).expect("readable")[0].contains("another key file"));
    }
}
