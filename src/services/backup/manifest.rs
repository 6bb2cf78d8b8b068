//! What a backup says of itself, and what may be in it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::blobs::Blobs;

/// The form of backups that this pdms writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// The program that makes backups.
pub(super) const PRODUCT: &str = env!("CARGO_PKG_NAME");
/// Name of the manifest.
pub(super) const MANIFEST: &str = "manifest.json";
/// Name of the database.
pub(super) const ROWS: &str = "database.rows";
/// Name of the key file.
pub(super) const KEY: &str = "secret.key";
/// Folder of certificates and their keys.
const CERTIFICATES: &str = "certs/";
/// Folder of what devices stored.
const BLOBS: &str = "blobs/";
/// Bytes of a small member: the key file, a certificate.
const SMALL_BYTES: u64 = 1024 * 1024;
/// Bytes of a great one.
const GREAT_BYTES: u64 = 64 * 1024 * 1024 * 1024;
/// Characters of a certificate's file name.
const NAME_CHARS: usize = 100;

/// The manifest. Its JSON is the form in the backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Form of the backup.
    pub format: u32,
    /// The program: `pdms`.
    pub product: String,
    /// Its version.
    pub version: String,
    /// Version of the database in it.
    pub schema: u32,
    /// The moment that it shows.
    pub made_at: Timestamp,
    /// Host name under which phones and people reached the server.
    pub public_name: Option<String>,
    /// Every provisioning address that was ever handed out.
    pub addresses: Vec<String>,
    /// Whether the settings of its server name an own certificate. They are in no backup.
    #[serde(default)]
    pub own_certificate: bool,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// What is kept in the state and deliberately not in here.
    pub left_out: Vec<String>,
    /// Files of devices that rows name and the disk had lost.
    pub lost_files: Vec<String>,
    /// Everything in it but the manifest.
    pub members: Vec<Member>,
}

impl Manifest {
    /// How many devices it holds.
    pub fn devices(&self) -> u64 {
        self.rows.iter().find(|(table, _)| table.starts_with("devices-")).map_or(0, |(_, rows)| *rows)
    }

    /// Bytes of all that it holds.
    pub fn size_bytes(&self) -> u64 {
        self.members.iter().fold(0, |sum, member| sum.saturating_add(member.size_bytes))
    }
}

/// One member of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// What a member is, told by its name alone: a closed set, so that no name ever becomes a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// The manifest.
    Manifest,
    /// The database.
    Rows,
    /// The key file.
    Key,
    /// A file of the folder of certificates, by its plain name.
    Certificate(&'a str),
    /// What a device stored.
    Blob(&'a str),
}

impl<'a> Kind<'a> {
    /// What a name stands for; none for a name that no backup of ours has.
    pub(super) fn of(name: &'a str) -> Option<Self> {
        match name {
            MANIFEST => Some(Self::Manifest),
            ROWS => Some(Self::Rows),
            KEY => Some(Self::Key),
            other => match (other.strip_prefix(CERTIFICATES), other.strip_prefix(BLOBS)) {
                (Some(file), _) if is_certificate(file) => Some(Self::Certificate(file)),
                (_, Some(blob)) if Blobs::place(blob).is_some() => Some(Self::Blob(blob)),
                _ => None,
            },
        }
    }

    /// The most bytes that such a member may have.
    pub(super) fn most_bytes(&self) -> u64 {
        match self {
            Self::Key | Self::Certificate(_) => SMALL_BYTES,
            // A line for each file that a device stored.
            Self::Manifest => 512 * SMALL_BYTES,
            Self::Rows | Self::Blob(_) => GREAT_BYTES,
        }
    }
}

/// Whether a plain file name is one of a certificate or key: letters, digits, `.`, `-` and `_`, not hidden.
pub(super) fn is_certificate(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    !name.is_empty() && !name.starts_with('.') && name.len() <= NAME_CHARS && name.bytes().all(plain)
}

/// The name of a certificate's member.
pub(super) fn certificate(file: &str) -> String {
    format!("{CERTIFICATES}{file}")
}

/// The name of a blob's member.
pub(super) fn blob(blob: &str) -> String {
    format!("{BLOBS}{blob}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_a_closed_set() {
        assert_eq!(Kind::of("certs/ca.key"), Some(Kind::Certificate("ca.key")));
        let blob = "0123456789abcdef0123456789abcdef";
        assert_eq!(Kind::of(&super::blob(blob)), Some(Kind::Blob(blob)));
        for name in [
            "",
            "/etc/passwd",
            "certs/",
            "certs/../secret.key",
            "certs/a/b",
            "certs/.hidden",
            "certs\\ca.key",
            "../secret.key",
            "blobs/../../x",
            "blobs/0123",
            "pdms.redb",
            "Secret.key",
            "C:/x",
        ] {
            assert_eq!(Kind::of(name), None, "{name}");
        }
    }
}
