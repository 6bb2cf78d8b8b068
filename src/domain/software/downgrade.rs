//! Devices that a change would take back to older software although nobody has allowed that yet (contract 5.12): they keep what they
//! run, and whoever makes the change is asked whether they may go back.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::SoftwareVersion;
use super::offer::{family_of, offer, step};
use super::steps::Step;
use crate::domain::deployment::{Placed, applicable};
use crate::domain::device::{Device, DeviceKey};
use crate::domain::provision::master::APP_FILE_PATH;
use crate::domain::world::World;

/// Devices of one family for which one older version would be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downgrade {
    /// Their family.
    pub family: String,
    /// The version that would be chosen.
    pub to: SoftwareVersion,
    /// What they run, the oldest first.
    pub from: BTreeSet<SoftwareVersion>,
    /// The devices, by their keys.
    pub devices: Vec<DeviceKey>,
}

/// The family and the version that a device waits for consent to go back to; none where it waits for none.
pub fn waits_for<'w>(device: &Device, world: &'w World) -> Option<(&'w str, &'w SoftwareVersion)> {
    let placed = applicable(device, world);
    let offer = offer(device, &placed, world).filter(|offer| offer.step == Step::NeedsConsent)?;
    (!names_its_own(&placed)).then_some((offer.family, offer.version))
}

/// Whether a profile of a device names a path of its own, which beats every choice.
pub fn names_its_own(placed: &[Placed<'_>]) -> bool {
    placed.iter().any(|one| one.profile.parameters.get(APP_FILE_PATH).is_some())
}

/// The devices among these that wait for consent, by what they would go back to.
pub fn waiting<'a>(devices: impl Iterator<Item = &'a Device>, world: &World) -> Vec<Downgrade> {
    let mut found = Downgrades::default();
    for device in devices {
        if let Some((_, version)) = waits_for(device, world) {
            found.look_at(device, version, world);
        }
    }
    found.into_list()
}

/// Downgrades that are found one by one.
#[derive(Debug, Default)]
pub struct Downgrades(BTreeMap<(String, SoftwareVersion), Downgrade>);

impl Downgrades {
    /// Takes in a device for which this version is to be chosen from now on, where it would have to go back for it.
    pub fn look_at(&mut self, device: &Device, version: &SoftwareVersion, world: &World) {
        let Some((family, installed)) = would_go_back(device, version, world) else { return };
        let one = self.0.entry((family.to_owned(), version.clone())).or_insert_with(|| Downgrade {
            family: family.to_owned(),
            to: version.clone(),
            from: BTreeSet::new(),
            devices: Vec::new(),
        });
        if !one.from.contains(installed) {
            one.from.insert(installed.clone());
        }
        one.devices.push(device.key.clone());
    }

    /// All of them, by family and version.
    pub fn into_list(self) -> Vec<Downgrade> {
        let sorted = |mut one: Downgrade| {
            one.devices.sort_unstable();
            one
        };
        self.0.into_values().map(sorted).collect()
    }
}

/// The family and the later software of a device that would need consent to this version.
fn would_go_back<'a>(device: &'a Device, version: &SoftwareVersion, world: &'a World) -> Option<(&'a str, &'a SoftwareVersion)> {
    let installed = device.told_software()?.installed.as_ref()?;
    let family = family_of(device, world)?;
    (step(device, family, version, world) == Step::NeedsConsent).then_some((family, installed))
}

impl Downgrade {
    /// Tells it in a sentence.
    pub fn told(&self) -> String {
        /// Versions that are named.
        const NAMED: usize = 5;
        let mut from: Vec<&str> = self.from.iter().take(NAMED).map(SoftwareVersion::as_str).collect();
        if self.from.len() > NAMED {
            from.push("others");
        }
        let from = match from.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => String::new(),
        };
        let Self { family, to, devices, .. } = self;
        match devices.len() {
            1 => format!("1 {family} device runs {from} and would go back to {to}: it keeps what it runs until you allow it."),
            count => {
                format!(
                    "{count} {family} devices run {from} and would go back to {to}: they keep what they run until you allow it."
                )
            }
        }
    }

    /// Takes it into a hash by which a change is known again.
    pub fn take_into(&self, hash: &mut Sha256) {
        hash.update(format!("\0back to {} {}\0", self.family, self.to));
        for key in &self.devices {
            hash.update(format!("{key}\0"));
        }
    }
}

#[cfg(test)]
#[path = "downgrade_tests.rs"]
mod tests;
