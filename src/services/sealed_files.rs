//! The content of files that devices store with us, sealed at rest: overrides hold SIP passwords, directories hold people.
//!
//! The row tells length and hash of what the device sent; what lies among the blobs is that content sealed for its device and
//! name. Content from before files were sealed is read as it lies there; it is sealed when the device next changes it.

use sha2::{Digest as _, Sha256};

use super::Services;
use super::error::ServiceError;
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::AccountId;

/// The hash by which contents are compared.
pub fn hash(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// Writes a content to the disk, synced. Answers its name among the blobs.
///
/// # Errors
/// [`ServiceError::File`].
pub fn put(services: &Services, account: AccountId, key: &DeviceKey, name: &str, content: &[u8]) -> Result<String, ServiceError> {
    let sealed = services.secrets.seal_bytes(&place(account, key, name), content);
    let written = services.blobs.put(&sealed).map_err(ServiceError::file("write", services.state_dir.blobs()))?;
    Ok(written.blob)
}

/// The content that a row names.
///
/// # Errors
/// [`ServiceError::File`]; [`ServiceError::Secret`] where the key file is another than the one it was sealed with.
pub fn read(services: &Services, account: AccountId, key: &DeviceKey, row: &DeviceFile) -> Result<Vec<u8>, ServiceError> {
    let stored = services.blobs.read(&row.blob).map_err(ServiceError::file("read", services.state_dir.blobs()))?;
    Ok(services.secrets.open_bytes(&place(account, key, &row.name), stored)?)
}

fn place(account: AccountId, key: &DeviceKey, name: &str) -> String {
    format!("account {account}, device {key}, file {name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::services::testing::bench;

    const CONTENT: &[u8] = b"<OVERRIDES reg.1.auth.password=\"CANARY_OVERRIDE\"/>";

    fn key() -> DeviceKey {
        "0004f2aa0001".parse().expect("a MAC address")
    }

    fn row(bench: &crate::services::testing::Bench, blob: String) -> DeviceFile {
        let at = bench.clock.now();
        DeviceFile {
            name: "phone.cfg".to_owned(),
            size_bytes: CONTENT.len() as u64,
            sha256: hash(CONTENT),
            at,
            blob,
            by: None,
            version: 1,
            former: Vec::new(),
        }
    }

    #[test]
    fn content_comes_back_for_its_own_device_only_and_does_not_lie_open() {
        let bench = bench();
        let blob = put(&bench.services, DEFAULT_ACCOUNT, &key(), "phone.cfg", CONTENT).expect("written");
        let raw = bench.services.blobs.read(&blob).expect("it is there");
        assert!(!raw.windows(6).any(|six| six == b"CANARY"));
        let row = row(&bench, blob);
        assert_eq!(read(&bench.services, DEFAULT_ACCOUNT, &key(), &row).ok().as_deref(), Some(CONTENT));
        let other = "0004f2aa0002".parse().expect("a MAC address");
        assert!(matches!(read(&bench.services, DEFAULT_ACCOUNT, &other, &row), Err(ServiceError::Secret(_))));
    }

    #[test]
    fn content_from_before_files_were_sealed_is_read_as_it_lies_there() {
        let bench = bench();
        let blob = bench.services.blobs.put(CONTENT).expect("written").blob;
        let row = row(&bench, blob);
        assert_eq!(read(&bench.services, DEFAULT_ACCOUNT, &key(), &row).ok().as_deref(), Some(CONTENT));
    }

    #[test]
    fn content_that_looks_sealed_and_is_empty_comes_back_as_it_was() {
        let bench = bench();
        let sealed = bench.services.secrets.seal_bytes("elsewhere", b"x");
        for content in [&sealed[..], b""] {
            let blob = put(&bench.services, DEFAULT_ACCOUNT, &key(), "phone.cfg", content).expect("written");
            let row = row(&bench, blob);
            assert_eq!(read(&bench.services, DEFAULT_ACCOUNT, &key(), &row).ok().as_deref(), Some(content));
        }
    }
}
