//! What an upload of software is, and how far it may be.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, ImageId};
use crate::domain::software::SoftwareVersion;
use crate::domain::world::World;

/// An upload: made by us, so that nobody can guess it or lead it elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UploadId(pub(super) Uuid);

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl FromStr for UploadId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Its bytes come.
    Receiving,
    /// It is looked at and unpacked, or waits for its turn.
    Unpacking,
    /// Somebody has to say which version it is, or for which families.
    Asking {
        /// The version that was found.
        version: Option<SoftwareVersion>,
        /// The families that were found.
        families: Vec<String>,
    },
    /// Another package is there of the same version for the same family: somebody has to say whether it is replaced.
    Taken {
        /// The image that is there.
        image: ImageId,
    },
    /// It is not taken.
    Refused {
        /// Why, in words.
        why: String,
        /// The image that is the very same package.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        same: Option<ImageId>,
    },
    /// It is an image now.
    Done {
        /// The image.
        image: ImageId,
    },
}

impl Stage {
    /// Its word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Unpacking => "unpacking",
            Self::Asking { .. } => "asking",
            Self::Taken { .. } => "taken",
            Self::Refused { .. } => "refused",
            Self::Done { .. } => "done",
        }
    }

    /// Whether nothing more happens with it.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Done { .. })
    }
}

/// What somebody says about a package that does not say it itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The version.
    #[serde(default)]
    pub version: Option<SoftwareVersion>,
    /// The families.
    #[serde(default)]
    pub families: Vec<String>,
    /// Whether an image of the same version is replaced.
    #[serde(default)]
    pub replaces: bool,
}

/// The same as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaidInput {
    /// The version; empty for what the package says.
    pub version: String,
    /// The families; none for those that the package says.
    pub families: Vec<String>,
    /// Whether an image of the same version is replaced.
    pub replaces: bool,
}

impl SaidInput {
    /// Checks what is typed.
    ///
    /// # Errors
    /// Of `version` and `families`.
    pub fn parse(&self, world: &World) -> Result<Said, FieldErrors> {
        let mut errors = FieldErrors::new();
        let typed = Some(self.version.trim()).filter(|version| !version.is_empty());
        let version = typed.and_then(|version| errors.take("version", version.parse()));
        let mut families = Vec::new();
        for family in self.families.iter().filter(|family| !family.trim().is_empty()) {
            match world.models.family(family) {
                Some(family) if families.contains(&family.name) => {}
                Some(family) => families.push(family.name.clone()),
                None => errors.add("families", format_args!("there is no family “{family}”")),
            }
        }
        errors.into_result(Some(Said { version, families, replaces: self.replaces }))
    }
}

/// An upload as it is kept beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Key.
    pub id: UploadId,
    /// Whose.
    pub account: AccountId,
    /// What the file is called, cleaned: for people only.
    pub file: String,
    /// Bytes that it has when it is whole.
    pub size_bytes: u64,
    /// How far it is.
    pub stage: Stage,
    /// What somebody said about it.
    #[serde(default)]
    pub said: Said,
    /// Who uploads it.
    pub by: String,
    /// When it was begun.
    pub at: Timestamp,
    /// When something last happened to it.
    pub touched_at: Timestamp,
}

/// An upload with what is known of it this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The upload.
    pub upload: Upload,
    /// Bytes that are there.
    pub received: u64,
    /// How much is unpacked, in percent.
    pub unpacked_percent: u8,
}
