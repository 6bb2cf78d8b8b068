//! Which versions a family's devices must stop at on their way to others (R391, R392, protocol/provisioning.md 4.5).
//!
//! The hops themselves are data (`data/upgrade-paths.toml`, read by the catalog).

use serde::Deserialize;

use super::SoftwareVersion;

/// One stop on the way.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hop {
    /// Names of the [`crate::domain::model::Family`]s.
    pub families: Vec<String>,
    /// It concerns devices with this version or a later one; none: all early ones.
    #[serde(default)]
    pub from: Option<SoftwareVersion>,
    /// It concerns devices with an earlier version than this.
    pub below: SoftwareVersion,
    /// It concerns devices with an earlier Updater or boot ROM than this, which the stop brings.
    #[serde(default)]
    pub updater_below: Option<SoftwareVersion>,
    /// It concerns devices that go to this version or a later one.
    pub to: SoftwareVersion,
    /// Where they stop.
    pub via: SoftwareVersion,
    /// Whether that very release counts and no other one that begins so (R392).
    #[serde(default = "yes")]
    pub exact: bool,
    /// Why, in words.
    pub why: String,
    /// How certain that is.
    pub confidence: Confidence,
    /// Where it is known from.
    pub source: String,
}

fn yes() -> bool {
    true
}

/// How certain a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The vendor or several of those who did it say so.
    Sure,
    /// One of those who did it says so.
    Likely,
}

impl Confidence {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sure => "sure",
            Self::Likely => "likely",
        }
    }
}

/// All hops, in the order in which they are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ladder(Vec<Hop>);

/// What is wrong with a table of hops.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// A device that made the stop would be sent there again.
    #[error("the hop of {0:?} over {1} concerns those that have made it")]
    Circle(Vec<String>, String),
}

impl Ladder {
    /// Checks the hops.
    ///
    /// # Errors
    /// A hop that would be made over and over again.
    pub fn new(hops: Vec<Hop>) -> Result<Self, LadderError> {
        match hops.iter().find(|hop| hop.via < *hop.updater_below.as_ref().unwrap_or(&hop.below)) {
            Some(hop) => Err(LadderError::Circle(hop.families.clone(), hop.via.to_string())),
            None => Ok(Self(hops)),
        }
    }

    /// The stop that a device must make before anything else, unless it is where the device goes anyway. A boot ROM that is not
    /// known counts as an early one: no stop is left out.
    pub fn hop(
        &self,
        family: &str,
        installed: &SoftwareVersion,
        updater: Option<&SoftwareVersion>,
        target: &SoftwareVersion,
    ) -> Option<&Hop> {
        self.0.iter().find(|hop| {
            let is_early = |below: &SoftwareVersion| updater.is_none_or(|updater| updater < below);
            hop.families.iter().any(|one| one == family)
                && hop.from.as_ref().is_none_or(|from| installed >= from)
                && *installed < hop.below
                && hop.updater_below.as_ref().is_none_or(is_early)
                && *target >= hop.to
                && !hop.is_at(target)
        })
    }

    /// Whether devices of a family have any stops.
    pub fn concerns(&self, family: &str) -> bool {
        self.hops().any(|hop| hop.families.iter().any(|one| one == family))
    }

    /// All of them.
    pub fn hops(&self) -> impl Iterator<Item = &Hop> {
        self.0.iter()
    }
}

impl Hop {
    /// Whether a release is the stop.
    pub fn is_at(&self, version: &SoftwareVersion) -> bool {
        if self.exact { *version == self.via } else { self.via.begins(version) }
    }
}
