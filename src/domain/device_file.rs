//! Files that are kept for a device: overrides, directory and calls that it uploads itself, and whatever a person put there for it
//! (R171, R172, R221, R225, contract 4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::limits::FILE_VERSIONS;

/// The row of one stored file. Its JSON is the stored form; the bytes lie outside the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFile {
    /// Name without the device's prefix, lower case: `phone.cfg`, `directory.xml`. What a person put there and no device uploads begins
    /// with the word of its directory: `certificate.ca.pem` (see [`super::given_file`]).
    pub name: String,
    /// Bytes of the content.
    pub size_bytes: u64,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// When it came in.
    pub at: Timestamp,
    /// Name of the content among the blobs.
    pub blob: String,
    /// Who put it there; none where the device uploaded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Counts what was stored under this name: the first is 1, and 0 is from before they were counted.
    #[serde(default)]
    pub version: u32,
    /// What stood here before, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Version>,
}

/// A content that a file had, or has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its number.
    pub version: u32,
    /// Bytes of the content.
    pub size_bytes: u64,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// When it came in.
    pub at: Timestamp,
    /// Name of the content among the blobs.
    pub blob: String,
    /// Who put it there; none where the device uploaded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl DeviceFile {
    /// What counts now, as a version like those before it.
    pub fn present(&self) -> Version {
        let Self { version, size_bytes, sha256, at, blob, by, .. } = self.clone();
        Version { version, size_bytes, sha256, at, blob, by }
    }

    /// All versions, the latest first.
    pub fn versions(&self) -> impl Iterator<Item = Version> + '_ {
        std::iter::once(self.present()).chain(self.former.iter().cloned())
    }

    /// The file as it was in a version; none where that is not kept any more.
    pub fn at_version(&self, version: u32) -> Option<Self> {
        self.versions().find(|one| one.version == version).map(|one| self.with(one))
    }

    /// The same without what stood there before: what is held in memory of each device.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.former = Vec::new();
        self
    }

    /// The present content and each former one as a file by itself: everything that has bytes among the blobs.
    pub fn each(self) -> impl Iterator<Item = Self> {
        let all: Vec<_> = self.versions().map(|one| self.with(one)).collect();
        all.into_iter()
    }

    /// Takes the place of another. Answers the contents that are let go of: the oldest of too many.
    pub fn follow(&mut self, former: Option<Self>) -> Vec<String> {
        let Some(former) = former else {
            self.version = 1;
            return Vec::new();
        };
        self.version = former.version + 1;
        self.former = former.versions().collect();
        let gone = self.former.split_off(self.former.len().min(FILE_VERSIONS));
        gone.into_iter().map(|one| one.blob).collect()
    }

    fn with(&self, Version { version, size_bytes, sha256, at, blob, by }: Version) -> Self {
        Self { name: self.name.clone(), size_bytes, sha256, at, blob, by, version, former: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(blob: &str) -> DeviceFile {
        DeviceFile {
            name: "phone.cfg".to_owned(),
            size_bytes: 1,
            sha256: String::new(),
            at: Timestamp::UNIX_EPOCH,
            blob: blob.to_owned(),
            by: None,
            version: 0,
            former: Vec::new(),
        }
    }

    #[test]
    fn the_latest_versions_are_kept_and_the_oldest_make_room() {
        let mut now = file("0");
        assert!(now.follow(None).is_empty());
        for number in 1..=FILE_VERSIONS + 3 {
            let mut next = file(&number.to_string());
            let gone = next.follow(Some(now));
            let expected = number.checked_sub(FILE_VERSIONS + 1).map(|gone| gone.to_string());
            assert_eq!(gone, expected.into_iter().collect::<Vec<_>>());
            now = next;
        }
        assert_eq!((now.version as usize, now.former.len()), (FILE_VERSIONS + 4, FILE_VERSIONS));
        let numbers: Vec<_> = now.versions().map(|one| one.version).collect();
        assert!(numbers.windows(2).all(|two| two[0] == two[1] + 1), "{numbers:?}");
        let second = now.at_version(now.version - 1).expect("it is kept");
        assert_eq!((second.blob, second.former.len()), ((FILE_VERSIONS + 2).to_string(), 0));
        assert_eq!(now.clone().each().count(), FILE_VERSIONS + 1);
    }

    #[test]
    fn a_row_from_before_versions_were_counted_is_read_and_followed() {
        let row = r#"{"name":"phone.cfg","size_bytes":1,"sha256":"","at":"2026-01-01T00:00:00Z","blob":"b"}"#;
        let old: DeviceFile = serde_json::from_str(row).expect("readable");
        assert_eq!((old.version, old.by.clone(), old.former.len()), (0, None, 0));
        let mut next = file("c");
        next.follow(Some(old));
        assert_eq!((next.version, next.former[0].version), (1, 0));
    }
}
