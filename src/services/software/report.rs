//! The fleet by its software: which versions there are, who is below the least one, below what is chosen, below the newest image
//! (R212, R372).

use std::collections::BTreeMap;

use crate::domain::device_list::Listed;
use crate::domain::software::SoftwareVersion;
use crate::domain::software::behind::{Behind, is_behind, newest};
use crate::domain::software::offer::family_of;
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
    /// That wait for somebody to allow that they go back.
    pub needs_consent: usize,
}

impl Standing {
    /// Counts one more device that is behind in these ways.
    fn add(&mut self, behind: &[Behind]) {
        self.devices += 1;
        let is = |what: Behind| usize::from(behind.contains(&what));
        self.below_minimum += is(Behind::Minimum);
        self.below_chosen += is(Behind::Chosen);
        self.below_newest += is(Behind::Newest);
        self.stuck += is(Behind::Waiting);
        self.needs_consent += is(Behind::Consent);
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
            let is = |what: &Behind| is_behind(*what, device, installed.as_ref(), world);
            let behind: Vec<Behind> = Behind::ALL.iter().copied().filter(is).collect();
            row.standing.add(&behind);
            report.total.add(&behind);
        }
        let mut rows: Vec<_> = rows.into_values().collect();
        rows.sort_by(|(a, row), (b, other)| row.family.cmp(&other.family).then_with(|| b.cmp(a)));
        report.rows = rows.into_iter().map(|(_, row)| row).collect();
        report
    }
}
