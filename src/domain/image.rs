//! Images: one release of software each, with its files (R199–R212, contract 5.12).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{ImageId, ProfileId, SchemaId};
use super::software::SoftwareVersion;

/// All images of an account, by number.
pub type Images = BTreeMap<ImageId, Arc<Image>>;

/// One release: a ZIP package, or a single `.ld` or `.tar`. Its JSON is the stored form; the bytes lie among the blobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Key.
    pub id: ImageId,
    /// Its version: from `sip.ver`, else from the name of the file, else as typed.
    pub version: SoftwareVersion,
    /// Names of the [`super::model::Family`]s whose devices it is for.
    pub families: Vec<String>,
    /// Name of the file that was uploaded, cleaned: for people only.
    pub source: String,
    /// Bytes of that file.
    pub size_bytes: u64,
    /// SHA-256 of that file in hexadecimal: the same file is not kept twice.
    pub sha256: String,
    /// What it serves below `swupdate/<family>/<version>/`, by path.
    pub files: Vec<ImageFile>,
    /// The software profile that came with it and goes with it (R129, R210).
    pub profile: ProfileId,
    /// The schema that came in it (R139).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaId>,
    /// When it was uploaded.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// One file of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFile {
    /// Path below the version's folder, in the letter case of the package: `3111-44500-001.sip.ld`, `VVXLocalization/…`.
    pub path: String,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256 in hexadecimal: its `ETag`.
    pub sha256: String,
    /// Name of the content among the blobs.
    pub blob: String,
}

/// The first folder of images.
pub const FOLDER: &str = "swupdate";

/// A family's name as it stands in a path: `SoundPoint IP` is `SoundPoint-IP` there.
pub fn folder_of_family(family: &str) -> String {
    family.replace(' ', "-")
}

/// Whether a part of a path means this family, in any letter case.
pub fn is_folder_of(folder: &str, family: &str) -> bool {
    folder_of_family(family).eq_ignore_ascii_case(folder)
}

impl Image {
    /// Whether it is for devices of a family.
    pub fn is_for(&self, family: &str) -> bool {
        self.families.iter().any(|one| one == family)
    }

    /// The file that a phone with this part number takes as its software: its own, else one for every hardware (`sip.ld`).
    pub fn software_for(&self, part_number: &str) -> Option<&ImageFile> {
        self.file(&format!("{part_number}.sip.ld")).or_else(|| self.file("sip.ld"))
    }

    /// A file by its path, in any letter case.
    pub fn file(&self, path: &str) -> Option<&ImageFile> {
        self.files.iter().find(|file| file.path.eq_ignore_ascii_case(path))
    }

    /// Bytes of all its files.
    pub fn stored_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

/// The image of a family's version.
pub fn find<'a>(images: &'a Images, family: &str, version: &SoftwareVersion) -> Option<&'a Arc<Image>> {
    images.values().find(|image| image.is_for(family) && image.version == *version)
}
