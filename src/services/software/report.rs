//! The fleet by its software: which versions there are, who is below the least one, below what is chosen, below the newest image
//! (R212, R372).

use std::collections::BTreeMap;

use super::{below_minimum, newest, offers};
use crate::domain::device::Device;
use crate::domain::device_list::Listed;
use crate::domain::software::SoftwareVersion;
use crate::domain::software::offer::{Offer, family_of};
use crate::domain::software::steps::Step;
use crate::domain::world::World;

/// The whole of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// By family and version, the newest first; devices of which nothing is known under empty texts.
    pub rows: Vec<VersionRow>,
    /// All of them together.
    pub total: Standing,
}

/// Devices of one family with one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionRow {
    /// Family; empty where it is not known.
    pub family: String,
    /// Version; empty where none was told.
    pub version: String,
    /// The newest image of the family that is here.
    pub newest: Option<String>,
    /// How many stand how.
    pub standing: Standing,
}

/// How many devices stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// All.
    pub devices: usize,
    /// With less than the least version of their family.
    pub below_minimum: usize,
    /// With less than what is chosen for them.
    pub below_chosen: usize,
    /// With less than the newest image of their family.
    pub below_newest: usize,
    /// That wait for something: an image, a consent, another try.
    pub stuck: usize,
}

impl Standing {
    fn add(&mut self, device: &Device, installed: Option<&SoftwareVersion>, world: &World) {
        self.devices += 1;
        self.below_minimum += usize::from(below_minimum(device, world).is_some());
        let family = family_of(device, world);
        let is_less = |than: &SoftwareVersion| installed.is_some_and(|installed| installed < than && !than.begins(installed));
        self.below_newest += usize::from(family.and_then(|family| newest(family, world)).is_some_and(is_less));
        let own: Option<Offer<'_>> = offers(device, world).into_iter().find(|offer| Some(offer.family) == family);
        self.below_chosen += usize::from(own.as_ref().is_some_and(|offer| is_less(offer.version)));
        let is_stuck =
            |offer: &Offer<'_>| !matches!(offer.step, Step::Stay { .. } | Step::Serve(_) | Step::Hop(..) | Step::NotHeard);
        self.stuck += usize::from(own.as_ref().is_some_and(is_stuck));
    }
}

impl Report {
    /// The report of these devices.
    pub fn of(devices: &[Listed], world: &World) -> Self {
        let mut report = Self::default();
        let mut rows: BTreeMap<(String, String), (Option<SoftwareVersion>, VersionRow)> = BTreeMap::new();
        for Listed { device, sighting } in devices {
            let family = family_of(device, world).or(device.family.as_deref()).unwrap_or_default().to_owned();
            let version = sighting.software_version.clone().unwrap_or_default();
            let installed: Option<SoftwareVersion> = version.parse().ok();
            let (_, row) = rows.entry((family.clone(), version.clone())).or_insert_with(|| {
                let newest = newest(&family, world).map(ToString::to_string);
                (installed.clone(), VersionRow { family, version, newest, standing: Standing::default() })
            });
            row.standing.add(device, installed.as_ref(), world);
            report.total.add(device, installed.as_ref(), world);
        }
        let mut rows: Vec<_> = rows.into_values().collect();
        rows.sort_by(|(a, row), (b, other)| row.family.cmp(&other.family).then_with(|| b.cmp(a)));
        report.rows = rows.into_iter().map(|(_, row)| row).collect();
        report
    }
}
