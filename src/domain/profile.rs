//! Configuration profiles: named sets of parameters (R108–R118).

pub mod draft;
pub mod hints;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::ProfileId;
use super::names::Name;
use super::parameter::ParameterSet;
use super::software::SoftwareChoice;
use super::standard::TEMPLATE_ENDING;

/// A configuration profile. Its JSON is the stored form, with secret values sealed by the store's caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Key.
    pub id: ProfileId,
    /// Unique among all profiles of the account without regard to letter case (R33).
    pub name: Name,
    /// Free text.
    #[serde(default)]
    pub description: String,
    /// What kind it is (R117).
    pub kind: ProfileKind,
    /// Versions of software that it chooses, one a family at most (R129, R133).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub software: Vec<SoftwareChoice>,
    /// The parameters, secrets opened.
    pub parameters: ParameterSet,
    /// Whether its parameters count only where nothing else says them, not even the built-in base: what phones keep in their flash must
    /// not stand in the way of what an admin decides later (contract 5.11).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yields: bool,
    /// Who changed it last (R115); a user's name, or `pdms`.
    pub modified_by: String,
    /// When it was changed last (R118).
    pub modified_at: Timestamp,
    /// Counts changes, so that two admins cannot overwrite one another unseen (R14).
    #[serde(default)]
    pub revision: u64,
}

/// The guide's *Profile Type* (R117).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileKind {
    /// Made and edited by admins.
    UserDefined,
    /// Made from the columns of a device CSV.
    UserImported,
    /// Made with an image and removed with it: chooses that version, and nothing else (R129, R210). Read-only.
    Software,
    /// Comes with the server: read-only, and never among the rows of an account (R111).
    Standard,
}

/// The guide's *Profile Mode* (R116): whose devices a profile is for. There is one so far.
pub const MODE: (&str, &str) = ("polycom-phone-provision", "Polycom Phone Provision");

impl Profile {
    /// Whether it comes with the server (R111).
    pub fn is_standard(&self) -> bool {
        self.kind == ProfileKind::Standard
    }

    /// Whether it asks for something first: then it can be copied, and not attached (R113).
    pub fn is_template(&self) -> bool {
        self.is_standard() && self.name.as_str().ends_with(TEMPLATE_ENDING)
    }
}
