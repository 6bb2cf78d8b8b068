//! Every content that a row names: what a start must not sweep away, what a backup holds, and what must not be missing.

use super::error::ServiceError;
use crate::store::{self, Read};

/// One content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedBlob {
    /// Its name among the blobs.
    pub blob: String,
    /// What it is, for people: `phone.cfg of 0004f2aabbcc`.
    pub what: String,
    /// Whose it is.
    pub origin: Origin,
    /// Bytes.
    pub size_bytes: u64,
}

/// Whose content it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A device's, also of one in the recycle bin.
    DeviceFile,
    /// An image's.
    Image,
    /// A resource file.
    Resource,
}

/// All of them, of all accounts. A content that several rows name comes once for each.
///
/// # Errors
/// [`ServiceError::Store`].
pub fn all(tx: &impl Read) -> Result<Vec<NamedBlob>, ServiceError> {
    let files = store::stored_files::all(tx)?.into_iter().chain(store::recycle_bin::files(tx)?);
    // A file with all its versions.
    let files = files.flat_map(|(_, key, file)| file.each().map(move |one| (key.clone(), one)));
    let files = files.map(|(key, file)| NamedBlob {
        what: format!("{} of {key}", file.name),
        blob: file.blob,
        origin: Origin::DeviceFile,
        size_bytes: file.size_bytes,
    });
    let images = store::images::of_all_accounts(tx)?.into_iter().flat_map(|image| {
        let files = image.files.into_iter().map(|file| (file.path, file.blob, file.size_bytes));
        let packages = image.packages.into_iter().map(|one| (format!("package {}", one.file), one.blob, one.size_bytes));
        let named = |(name, blob, size_bytes)| NamedBlob {
            what: format!("{name} of software {}", image.version),
            blob,
            origin: Origin::Image,
            size_bytes,
        };
        files.chain(packages).map(named).collect::<Vec<_>>()
    });
    let resources = store::resources::of_all_accounts(tx)?.into_iter().map(|resource| NamedBlob {
        what: format!("resource file {}", resource.path),
        blob: resource.blob,
        origin: Origin::Resource,
        size_bytes: resource.size_bytes,
    });
    Ok(files.chain(images).chain(resources).collect())
}
