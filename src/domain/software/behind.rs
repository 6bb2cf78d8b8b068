//! Which devices do not have the software that they should have, and which wait for something (R212, R372).

use super::SoftwareVersion;
use super::downgrade::waits_for;
use super::offer::{family_of, offer};
use super::steps::Step;
use crate::domain::deployment::applicable;
use crate::domain::device::Device;
use crate::domain::model::Family;
use crate::domain::world::World;

/// What is not as it should be with the software of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Behind {
    /// It has less than the least version of its family.
    Minimum,
    /// It has less than what is chosen for it.
    Chosen,
    /// It has less than the newest image of its family that is here.
    Newest,
    /// What is chosen for it waits for something: an image, a consent, another try.
    Waiting,
    /// What is chosen for it is older than what it has, and nobody has allowed it to go back.
    Consent,
}

impl Behind {
    /// What lists call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Minimum => "Below the least version",
            Self::Chosen => "Below what is chosen",
            Self::Newest => "Below the newest image",
            Self::Waiting => "Waiting for something",
            Self::Consent => "Waiting for consent to go back",
        }
    }
}

/// Whether a device with this software is behind in that way.
pub fn is_behind(what: Behind, device: &Device, installed: Option<&SoftwareVersion>, world: &World) -> bool {
    let is_less = |than: &SoftwareVersion| installed.is_some_and(|installed| installed < than && !than.begins(installed));
    let offer = || offer(device, &applicable(device, world), world);
    match what {
        Behind::Minimum => below_minimum(device, world).is_some(),
        Behind::Chosen => offer().is_some_and(|offer| is_less(offer.version)),
        Behind::Newest => family_of(device, world).and_then(|family| newest(family, world)).is_some_and(is_less),
        Behind::Waiting => {
            let goes_on = |step: &Step<'_>| matches!(step, Step::Stay { .. } | Step::Serve(_) | Step::Hop(..) | Step::NotHeard);
            offer().is_some_and(|offer| !goes_on(&offer.step))
        }
        Behind::Consent => waits_for(device, world).is_some(),
    }
}

/// Whether this version is chosen for a device.
pub fn is_chosen(version: &str, device: &Device, world: &World) -> bool {
    let version = version.parse::<SoftwareVersion>().ok();
    offer(device, &applicable(device, world), world).is_some_and(|offer| version.as_ref() == Some(offer.version))
}

/// The family of a device that has less than the least version of it.
pub fn below_minimum<'w>(device: &Device, world: &'w World) -> Option<&'w Family> {
    let family = world.models.family(family_of(device, world)?)?;
    let (minimum, installed) = (family.minimum.as_ref()?, device.told_software()?.installed.as_ref()?);
    (installed < minimum).then_some(family)
}

/// The newest image of a family that is here (R212).
pub fn newest<'w>(family: &str, world: &'w World) -> Option<&'w SoftwareVersion> {
    world.images.values().filter(|image| image.is_for(family)).map(|image| &image.version).max()
}
