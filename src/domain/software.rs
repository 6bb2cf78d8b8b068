//! Versions of software, and which of them profiles choose for the devices of a family (R129, R133, R199).

pub mod behind;
pub mod device;
pub mod downgrade;
pub mod ladder;
pub mod offer;
pub mod steps;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::deployment::Placed;
use super::field_error::FieldErrors;
use super::image::{Images, find};
use super::model::ModelTable;
use super::profile::Profile;

/// A version as phones and packages write it: `5.9.8.5760`, `3.10.0_362035`. Compared by its numbers: `9.4.1.0508` is after `9.4.1.507`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SoftwareVersion(String);

/// Why a text is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version is two to six numbers with dots between them, such as 5.9.8.5760")]
pub struct VersionError;

/// Most digits of one number.
const NUMBER_DIGITS: usize = 9;

impl SoftwareVersion {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a version is of this release: it begins with the same numbers, as `5.9.8.5760` does with those of `5.9.8`.
    pub fn begins(&self, other: &Self) -> bool {
        let mut others = other.numbers();
        self.numbers().all(|number| others.next() == Some(number))
    }

    fn numbers(&self) -> impl Iterator<Item = u32> {
        numbers(&self.0).map(|number| number.parse().unwrap_or_default())
    }
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '_'])
}

impl FromStr for SoftwareVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let text = text.trim();
        let is_number = |part: &str| (1..=NUMBER_DIGITS).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        match (2..=6).contains(&numbers(text).count()) && numbers(text).all(is_number) {
            true => Ok(Self(text.to_owned())),
            false => Err(VersionError),
        }
    }
}

impl Hash for SoftwareVersion {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.numbers().for_each(|number| number.hash(state));
    }
}

impl fmt::Display for SoftwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for SoftwareVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<SoftwareVersion> for String {
    fn from(version: SoftwareVersion) -> Self {
        version.0
    }
}

impl Ord for SoftwareVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers().cmp(other.numbers())
    }
}

impl PartialOrd for SoftwareVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SoftwareVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SoftwareVersion {}

/// The version that a profile chooses for the devices of one family; a component beside the phone, such as a Group Series
/// behind a Trio, has a family of its own (R133).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftwareChoice {
    /// Name of the [`super::model::Family`].
    pub family: String,
    /// The version.
    pub version: SoftwareVersion,
}

/// Versions that were chosen as text, a family and a version each; families by any of their names.
///
/// # Errors
/// Of the field `software`, every choice that breaks a rule.
pub fn choices(typed: &[(String, String)], models: &ModelTable) -> Result<Vec<SoftwareChoice>, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut made: Vec<SoftwareChoice> = Vec::new();
    for (family, version) in typed {
        let Some(known) = models.family(family) else {
            let names: Vec<_> = models.families_with_software().map(|family| family.name.as_str()).collect();
            errors.add("software", format_args!("“{family}” is no family of devices; there are {}", names.join(", ")));
            continue;
        };
        if made.iter().any(|one| one.family == known.name) {
            errors.add("software", format_args!("{} stands twice; a profile chooses one version for a family", known.name));
            continue;
        }
        match version.parse() {
            Ok(version) => made.push(SoftwareChoice { family: known.name.clone(), version }),
            Err(error) => errors.add("software", format_args!("{family}: {error}")),
        }
    }
    made.sort_by(|a, b| a.family.cmp(&b.family));
    errors.into_result(Some(made))
}

/// The choices of a profile whose image is not there (R131).
pub fn missing<'p>(profile: &'p Profile, images: &'p Images) -> impl Iterator<Item = &'p SoftwareChoice> {
    profile.software.iter().filter(|choice| find(images, &choice.family, &choice.version).is_none())
}

/// The choice that counts for a family: the strongest profile's that makes one (R199), with that profile.
pub fn chosen<'p, 'w>(placed: &'p [Placed<'w>], family: &str) -> Option<(&'p Placed<'w>, &'w SoftwareChoice)> {
    placed.iter().find_map(|one| {
        let choice = one.profile.software.iter().find(|choice| choice.family == family)?;
        Some((one, choice))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::Container;
    use crate::domain::testing::profile;

    fn version(text: &str) -> SoftwareVersion {
        text.parse().expect("a version")
    }

    #[test]
    fn versions_are_compared_by_their_numbers_and_written_as_they_came() {
        assert!(version("5.9.8.5760") > version("5.9.8.576") && version("5.10.0") > version("5.9.9"));
        assert!(version("9.4.1.0508") > version("9.4.1.507") && version("9.4.1.0508") == version("9.4.1.508"));
        assert_eq!(version(" 3.10.0_362035\n").to_string(), "3.10.0_362035");
        assert!(version("5.9.8").begins(&version("5.9.8.5760")) && version("5.9.8").begins(&version("5.9.8")));
        assert!(!version("5.9.8.5760").begins(&version("5.9.8")) && !version("5.9.8").begins(&version("5.9.80.1")));
        for bad in ["", "5", "5.", "5.x", "5..1", "5.9.8.5760 rts63", "../5.9", "1.2.3.4.5.6.7", "1.1234567890"] {
            assert_eq!(bad.parse::<SoftwareVersion>().ok(), None, "{bad}");
        }
    }

    #[test]
    fn the_strongest_profile_that_chooses_for_the_family_counts() {
        let choosing = |id, family: &str, text: &str| {
            let choice = SoftwareChoice { family: family.to_owned(), version: version(text) };
            super::super::profile::Profile { software: vec![choice], ..profile(id, &[]) }
        };
        let profiles = [profile(1, &[]), choosing(2, "Trio", "7.2.2"), choosing(3, "VVX", "5.5.1"), choosing(4, "VVX", "5.4.7")];
        let placed: Vec<_> =
            profiles.iter().map(|profile| Placed { container: Container::Group, place: None, profile }).collect();
        let (by, choice) = chosen(&placed, "VVX").expect("somebody chooses");
        assert_eq!((by.profile.id.0, choice.version.as_str()), (3, "5.5.1"));
        assert!(chosen(&placed, "CCX").is_none());
    }
}
