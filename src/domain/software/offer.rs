//! Which software a device is to have, by whose choice, what it takes next, and from where (R129, R133, R199, R202, R364).

use super::device::Decided;
use super::steps::{Held, Step, Traveller, Wanted, next_step};
use super::{SoftwareChoice, SoftwareVersion, chosen};
use crate::domain::deployment::Placed;
use crate::domain::device::Device;
use crate::domain::image::{FOLDER, Image, folder_of_family};
use crate::domain::site::INTERNET;
use crate::domain::world::World;

/// The software of one device or of a component beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer<'w> {
    /// Name of its family.
    pub family: &'w str,
    /// The version that it is to have.
    pub version: &'w SoftwareVersion,
    /// Who says so.
    pub by: By<'w>,
    /// What it takes next.
    pub step: Step<'w>,
}

/// Who chooses a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'w> {
    /// A profile, in one of the device's containers.
    Profile(Placed<'w>),
    /// The rule that brings devices to the least version that can be managed, below all profiles (R364).
    Minimum,
}

/// From where a device takes images (R202).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Download<'w> {
    /// What its site says.
    Site(&'w str),
    /// What the account says for devices in sites.
    Enterprise(&'w str),
    /// What the account says for all others.
    Internet(&'w str),
    /// This server, where nobody says anything.
    Here,
}

/// What devices of one shape are sent to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    /// The version that is chosen, as it is written.
    pub version: String,
    /// Their family's folder and the version that they take next; none where they are sent to no image.
    pub next: Option<(String, String)>,
}

/// The family whose software a device takes.
pub fn family_of<'w>(device: &Device, world: &'w World) -> Option<&'w str> {
    let by_model = || device.model.as_deref().and_then(|model| world.models.family_of_model(model));
    let family = device.family.as_deref().and_then(|family| world.models.family(family)).or_else(by_model)?;
    Some(&family.name)
}

/// The software of a device, where anybody chooses one.
pub fn offer<'w>(device: &Device, placed: &[Placed<'w>], world: &'w World) -> Option<Offer<'w>> {
    let raises = world.account.software.raise_to_minimum;
    // Nearly always nobody does, and every request of every device comes here.
    if !raises && placed.iter().all(|one| one.profile.software.is_empty()) {
        return None;
    }
    let family = family_of(device, world)?;
    let (by, version) = match chosen(placed, family) {
        Some((by, SoftwareChoice { version, .. })) => (By::Profile(*by), version),
        None if raises => (By::Minimum, minimum_for(device, family, world)?),
        None => return None,
    };
    Some(Offer { family, version, by, step: step(device, family, version, world) })
}

/// What is chosen for components beside the device, such as a Group Series behind a Trio (R133).
pub fn components<'w>(device: &Device, placed: &[Placed<'w>], world: &'w World) -> Vec<Offer<'w>> {
    let Some(family) = family_of(device, world) else { return Vec::new() };
    let beside = world.models.components_of(family);
    let choice = |component: &'w str| {
        let (by, SoftwareChoice { version, .. }) = chosen(placed, component)?;
        let step = match held(None, component, Wanted::Release(version), world) {
            Held::Absent => Step::MissingImage,
            _ => Step::Serve(version.clone()),
        };
        Some(Offer { family: component, version, by: By::Profile(*by), step })
    };
    beside.filter_map(|component| choice(&component.name)).collect()
}

/// The least version of its family, where the device has an earlier one.
fn minimum_for<'w>(device: &Device, family: &str, world: &'w World) -> Option<&'w SoftwareVersion> {
    let minimum = world.models.family(family)?.minimum.as_ref()?;
    let installed = device.told_software()?.installed.as_ref()?;
    (installed < minimum).then_some(minimum)
}

/// The next step of a device to a version of its family.
pub fn step<'w>(device: &Device, family: &str, version: &SoftwareVersion, world: &'w World) -> Step<'w> {
    let told = device.told_software();
    let Decided { downgrade_to, .. } = device.decided_software();
    let traveller = Traveller {
        family,
        installed: told.and_then(|told| told.installed.as_ref()),
        updater: told.and_then(|told| told.updater.as_ref()),
        downgrade_to: downgrade_to.as_ref(),
    };
    let held = |wanted: Wanted<'_>| held(Some(device), family, wanted, world);
    next_step(&traveller, version, world.ladder, held, |version| device.is_withdrawn(version))
}

/// Whether an image is there, with a file for the device's hardware; the latest where several will do.
fn held(device: Option<&Device>, family: &str, wanted: Wanted<'_>, world: &World) -> Held {
    let those = world.images.values().filter(|image| image.is_for(family) && wanted.is(&image.version));
    let fits = |image: &Image| device.is_none_or(|device| has_part(image, device, world));
    let best = those.max_by(|a, b| (fits(a), &a.version).cmp(&(fits(b), &b.version)));
    match best {
        Some(image) if fits(image) => Held::Whole(image.version.clone()),
        Some(image) => Held::WithoutPart(image.version.clone()),
        None => Held::Absent,
    }
}

/// The part numbers that a device can have: its own, where it told it; else those that were learned of its model, then those of the
/// table (protocol/provisioning.md 4.3).
pub fn part_numbers<'a>(device: &'a Device, world: &'a World) -> Vec<&'a str> {
    if let Some(own) = device.told_software().and_then(|told| told.part_number.as_deref()) {
        return vec![own];
    }
    let Some(model) = device.model.as_deref() else { return Vec::new() };
    let learned = world.part_numbers.get(model).into_iter().flatten();
    let listed = world.models.model(model).into_iter().flat_map(|model| &model.part_numbers);
    let mut all: Vec<&str> = learned.map(String::as_str).collect();
    if all.is_empty() {
        all.extend(listed.map(String::as_str));
    }
    all
}

/// Whether an image has a file for a device. Where nothing is known of its part number it may ask, and tells it by that; stations of
/// the CX family take the whole package.
fn has_part(image: &Image, device: &Device, world: &World) -> bool {
    let parts = part_numbers(device, world);
    parts.is_empty() || parts.iter().any(|part| image.software_for(part).is_some())
}

/// From where a device takes images, unless a profile names the path itself.
pub fn download<'w>(device: &Device, world: &'w World) -> Download<'w> {
    let site = device.site_id();
    let settings = &world.account.software;
    let of_site = world.sites.get(&site).and_then(|site| site.download_path.as_ref());
    match (of_site, site == INTERNET) {
        (Some(path), _) => Download::Site(path.as_str()),
        (None, false) => settings.enterprise.as_ref().map_or(Download::Here, |path| Download::Enterprise(path.as_str())),
        (None, true) => settings.internet.as_ref().map_or(Download::Here, |path| Download::Internet(path.as_str())),
    }
}

impl<'w> Download<'w> {
    /// What stands in front of the path of an image: nothing for this server.
    pub fn prefix(self) -> &'w str {
        match self {
            Self::Site(path) | Self::Enterprise(path) | Self::Internet(path) => path,
            Self::Here => "",
        }
    }

    /// The address without its slash at the end, as `${downloadPath}` is written into parameters.
    pub fn address(self, world: &'w World) -> &'w str {
        let address = if self == Self::Here { world.endpoints.https_url.as_str() } else { self.prefix() };
        address.trim_end_matches('/')
    }

    /// Who says so, in words.
    pub fn told(self) -> &'static str {
        match self {
            Self::Site(_) => "the download path of its site",
            Self::Enterprise(_) => "Provisioning Settings: Enterprise Sites",
            Self::Internet(_) => "Provisioning Settings: Internet",
            Self::Here => "no download path is set: this server",
        }
    }
}

impl Offer<'_> {
    /// What the device is sent to.
    pub fn sent(&self) -> Sent {
        let next = self.step.version(self.version).map(|next| (folder_of_family(self.family), next.to_string()));
        Sent { version: self.version.to_string(), next }
    }

    /// The step with its reason.
    pub fn told(&self) -> String {
        self.step.told(self.family, self.version)
    }

    /// Whether the image of the chosen version, or of a stop on the way, is not there (R131).
    pub fn is_missing(&self) -> bool {
        matches!(self.step, Step::MissingImage | Step::MissingHop(_))
    }
}

/// The path of an image's software below a download path.
pub fn image_path(folder: &str, version: &str) -> String {
    format!("{FOLDER}/{folder}/{version}/sip.ld")
}

/// Whether a device may have files of a version: while a stop is open only that stop's, else of what is chosen; where nobody chooses
/// anything nothing is refused (R392).
pub fn may_fetch(device: &Device, placed: &[Placed<'_>], world: &World, version: &SoftwareVersion) -> bool {
    match offer(device, placed, world) {
        None => true,
        // Whatever else the software that it has asks for of its own files.
        Some(_) if device.told_software().is_some_and(|told| told.installed.as_ref() == Some(version)) => true,
        Some(Offer { step: Step::Hop(stop, _), .. }) => stop == *version,
        Some(Offer { step: Step::MissingHop(hop) | Step::NoWay(hop), .. }) => hop.is_at(version),
        Some(Offer { step: Step::Withdrawn(withdrawn), .. }) => withdrawn != *version,
        Some(_) => true,
    }
}
