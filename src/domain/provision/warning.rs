//! What an admin should know of the files that phones get.

use super::super::clock::{ClockWarning, UnknownZone};
use super::super::deployment::{Container, Placed};
use super::super::profile::Profile;
use super::super::resolution;
use super::super::software::missing;
use super::super::world::World;
use super::master::{self, MasterError};
use super::{LocalTime, below_profiles, naming, together};
use crate::domain::credential::Channel;

/// Something in a device's files that an admin should know of. Nothing here keeps a phone from being served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A path is longer than phones take, or nothing that they can ask for; it is left out.
    #[error("{attribute} is not served as the profile has it, an entry is left out: {error}")]
    LeftOut {
        /// Attribute of the master file.
        attribute: String,
        /// What is wrong with the path.
        error: MasterError,
    },
    /// A file that phones are sent to on this server, which does not have it.
    #[error("{}", not_stored(attribute, entry, *is_image))]
    NotStored {
        /// Attribute of the master file.
        attribute: String,
        /// The path.
        entry: String,
        /// Whether it is the software of a phone, which phones go on without.
        is_image: bool,
    },
    /// The image of a chosen version, or of a stop on the way to it, is not here (R131).
    #[error(
        "Couldn't find software image {family} {version}: phones keep the software they have. Choose another version, or upload it under Software"
    )]
    NoImage {
        /// Family.
        family: String,
        /// Version.
        version: String,
    },
    /// A list is full; this entry of it is left out.
    #[error("{attribute}: “{entry}” is left out, the whole list has at most {max} bytes", max = crate::domain::limits::CONFIG_FILES_BYTES)]
    ListFull {
        /// Attribute of the master file.
        attribute: String,
        /// The entry.
        entry: String,
    },
    /// Parameters that hang together come partly from profiles and partly from the base.
    #[error(
        "{what} comes from two sources: profiles set {}; where no other profile does, the built-in base gives {}. Set all of them, or none",
        listed(set),
        listed(kept)
    )]
    Mixed {
        /// What they decide together.
        what: &'static str,
        /// Those that profiles set.
        set: Vec<String>,
        /// Those that the base gives.
        kept: Vec<String>,
    },
    /// A profile holds one of the parameters that this server gives, in another letter case.
    #[error(
        "{name} is not served: phones look at the letter case and know it as {known}. Write it so in the profile, or take it out"
    )]
    Spelling {
        /// As the profile has it.
        name: String,
        /// As phones know it.
        known: String,
    },
    /// Phones of the account's zone show a wrong time at times.
    #[error("time zone {zone}: {warning}")]
    Clock {
        /// IANA name.
        zone: String,
        /// What they show.
        warning: ClockWarning,
    },
    /// The account's zone is unknown, so that phones are told none.
    #[error("phones are told no time zone: {0}")]
    Zone(UnknownZone),
    /// The name that the device should be told is longer than it takes.
    #[error("the device is not told its name: it takes at most {max} characters", max = naming::CHARS)]
    NameTooLong,
}

/// Names for a message: a few of them, the rest counted.
fn listed(names: &[String]) -> String {
    const NAMED: usize = 3;
    let named = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

impl Warning {
    pub(super) fn left_out(attribute: &str, error: MasterError) -> Self {
        Self::LeftOut { attribute: attribute.to_owned(), error }
    }
}

/// What comes of a file that is not here, and what to do about it.
fn not_stored(attribute: &str, entry: &str, is_image: bool) -> String {
    let (comes, next) = match is_image {
        true => ("phones keep the software they have", "take it out of the profile"),
        false => {
            let comes = "phones are told to come again later, and no boot or poll of theirs becomes complete";
            (comes, "upload it under Resource Files, take it out of the profile")
        }
    };
    format!(
        "{attribute} names “{entry}”, which this server does not have: {comes}. Either {next}, or give the full address of a server that has the file"
    )
}

/// What an admin should know of profiles by themselves, strongest first, whatever device gets them. What concerns the account's
/// own settings is not told here. Of a template nothing is: no device gets it, and half of it is still to be typed.
pub fn warnings_of<'a>(profiles: impl IntoIterator<Item = &'a Profile>, world: &World) -> Vec<Warning> {
    /// Bytes of a MAC, which nearly all devices go by.
    const KEY_BYTES: usize = 12;
    let placed = profiles.into_iter().filter(|profile| !profile.is_template());
    let placed: Vec<_> = placed.map(|profile| Placed { container: Container::Global, place: None, profile }).collect();
    let effective = resolution::merge(&placed);
    let mut warnings: Vec<_> = placed
        .iter()
        .flat_map(|one| missing(one.profile, &world.images))
        .map(|choice| Warning::NoImage { family: choice.family.clone(), version: choice.version.to_string() })
        .collect();
    master::attributes(&effective, KEY_BYTES, None, (&world.endpoints.https_url, &world.resources), &mut warnings);
    let base = below_profiles(false, Channel::Tls, LocalTime::at(None, world), world, &mut Vec::new());
    warnings.extend(together::warnings(&effective, &base));
    warnings
}
