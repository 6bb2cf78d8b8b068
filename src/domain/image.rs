//! Images: one release of software each, with its files (R199–R212, contract 5.12).

pub mod download;
pub mod member;
pub mod naming;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{ImageId, ProfileId, SchemaId};
use super::limits::{IMAGES, IMAGES_BYTES, PACKAGE_BYTES};
use super::phone_file::ImageFile as PhoneImage;
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
    /// The key file of its software licence (R338).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<License>,
    /// The packages as they were uploaded, where they are kept beside its files (R211).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<KeptPackage>,
    /// When it was uploaded.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A package as it was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPackage {
    /// What the file was called, cleaned.
    pub file: String,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Name of the content among the blobs.
    pub blob: String,
    /// When it was taken.
    pub at: Timestamp,
}

impl KeptPackage {
    /// A name by which it can be saved anywhere.
    pub fn plain_name(&self) -> String {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || "._-()+".contains(letter) { letter } else { '_' };
        self.file.chars().map(plain).collect()
    }
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

/// The key file of the licence that an image of a Group Series takes (R338).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct License {
    /// What the file was called.
    pub file: String,
    /// Bytes.
    pub size_bytes: usize,
    /// Its content, sealed.
    pub sealed: String,
    /// Who uploaded it.
    pub by: String,
    /// When.
    pub at: Timestamp,
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

    /// What a phone gets for the name of software that it asks for: `<PN>.sip.ld` is its part number's image however often it stands there,
    /// `sip.ld` the one for every hardware (protocol/provisioning.md 4.2). One is never given for the other.
    pub fn asked_for(&self, name: &PhoneImage) -> Option<&ImageFile> {
        match &name.part_number {
            Some(part_number) => self.file(&format!("{part_number}.{}", name.base)),
            None => self.file(&name.base),
        }
    }

    /// Names of all its contents among the blobs.
    pub fn blobs(&self) -> impl Iterator<Item = &str> {
        let files = self.files.iter().map(|file| file.blob.as_str());
        files.chain(self.packages.iter().map(|one| one.blob.as_str()))
    }

    /// Bytes of all its files.
    pub fn stored_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }

    /// Bytes that it takes of the disk, packages included.
    pub fn disk_bytes(&self) -> u64 {
        self.stored_bytes() + self.packages.iter().map(|one| one.size_bytes).sum::<u64>()
    }

    /// The packages that it came in, as they were uploaded: those that are kept, or its only file where it was served as it came.
    pub fn originals(&self) -> Vec<KeptPackage> {
        match self.files.as_slice() {
            [only] if self.packages.is_empty() && only.sha256 == self.sha256 => vec![KeptPackage {
                file: self.source.clone(),
                size_bytes: only.size_bytes,
                sha256: only.sha256.clone(),
                blob: only.blob.clone(),
                at: self.at,
            }],
            _ => self.packages.clone(),
        }
    }
}

/// How much software an account may hold (R42). An owner can set other numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageLimits {
    /// Images.
    pub images: usize,
    /// Bytes of all their files.
    pub bytes: u64,
    /// Bytes of one package.
    pub package_bytes: u64,
    /// Whether packages are kept as they were uploaded, beside what was in them.
    pub keep_packages: bool,
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self { images: IMAGES, bytes: IMAGES_BYTES, package_bytes: PACKAGE_BYTES, keep_packages: true }
    }
}

/// A file below a path that a phone asks for, with its image. `location`: the path in the form in which paths are compared. The folder of the
/// version decides; that of the family where several images are of one version.
pub fn served<'a>(images: &'a Images, location: &str, name: &PhoneImage) -> Option<(&'a Arc<Image>, &'a ImageFile)> {
    let parts: Vec<&str> = location.split('/').collect();
    let is_below_folder = parts.first() == Some(&FOLDER);
    let (at, version) = parts.iter().enumerate().skip(usize::from(is_below_folder)).find_map(|(at, part)| {
        let version: SoftwareVersion = part.parse().ok()?;
        images.values().any(|image| image.version == version).then_some((at, version))
    })?;
    let rest = parts.get(at + 1..).filter(|rest| !rest.is_empty())?.join("/");
    let is_software = !rest.contains('/') && rest.ends_with(".ld");
    // Outside of the folder of images only software is found: whatever else lies there is somebody's own.
    if !is_below_folder && !is_software {
        return None;
    }
    let file_of = |image: &'a Arc<Image>| {
        let file = if is_software { image.asked_for(name) } else { image.file(&rest) };
        file.map(|file| (image, file))
    };
    let family = at.checked_sub(1).and_then(|at| parts.get(at)).copied().unwrap_or_default();
    let of_version = || images.values().filter(|image| image.version == version);
    let of_family = of_version().filter(|image| image.families.iter().any(|one| is_folder_of(family, one)));
    of_family.chain(of_version()).find_map(file_of)
}

/// The image of a family's version.
pub fn find<'a>(images: &'a Images, family: &str, version: &SoftwareVersion) -> Option<&'a Arc<Image>> {
    images.values().find(|image| image.is_for(family) && image.version == *version)
}

#[cfg(test)]
mod tests;
