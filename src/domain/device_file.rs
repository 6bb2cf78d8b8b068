//! Files that a device keeps with us and gets back: overrides, directory, calls (R171, R172, contract 4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The row of one stored file. Its JSON is the stored form; the bytes lie outside the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFile {
    /// Name without the device's prefix, lower case: `phone.cfg`, `directory.xml`.
    pub name: String,
    /// Bytes of the content.
    pub size_bytes: u64,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// When it came in.
    pub at: Timestamp,
    /// Name of the content among the blobs.
    pub blob: String,
}
