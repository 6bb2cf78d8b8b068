//! Everything about the software of one device in words, for its page and the API alike.

use jiff::Timestamp;

use crate::domain::deployment::{self, Placed, applicable};
use crate::domain::device::Device;
use crate::domain::ids::ProfileId;
use crate::domain::resolution;
use crate::domain::software::SoftwareVersion;
use crate::domain::software::behind;
use crate::domain::software::offer::{self, By, Offer, family_of, part_numbers, step};
use crate::domain::software::steps::Step;
use crate::domain::world::World;

/// The software of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Version of its Application.
    pub installed: Option<String>,
    /// Version of its Updater.
    pub updater: Option<String>,
    /// Part numbers that it can have.
    pub part_numbers: Vec<String>,
    /// How these are known.
    pub part_numbers_from: &'static str,
    /// The least software of its family.
    pub minimum: Option<String>,
    /// What it means that it has less, where it does (R372).
    pub below_minimum: Option<String>,
    /// The last release that there is for its model, or how that begins.
    pub last_release: Option<String>,
    /// The newest image of its family that is here (R212).
    pub newest: Option<String>,
    /// From where it takes images.
    pub download: String,
    /// Who says so.
    pub download_from: String,
    /// What is chosen for it and for what stands beside it.
    pub offers: Vec<OfferView>,
}

/// A choice and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferView {
    /// Family.
    pub family: String,
    /// The version that is chosen.
    pub version: String,
    /// Who chooses it.
    pub by: ChosenBy,
    /// The next step, as a word for programs.
    pub step: &'static str,
    /// The same for people.
    pub label: &'static str,
    /// The step with its reason.
    pub told: String,
    /// Every version that it still takes, in their order.
    pub way: Vec<String>,
    /// Its image or that of a stop is not here.
    pub is_missing: bool,
    /// It would go back, and nobody has allowed that.
    pub needs_consent: bool,
    /// Its image was withdrawn.
    pub is_withdrawn: bool,
    /// Why it does not count: a profile names the path itself.
    pub shadowed_by: Option<String>,
}

/// Who chooses a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// A profile.
    Profile {
        /// Its number.
        id: ProfileId,
        /// Its name.
        name: String,
        /// Where it is attached.
        place: String,
    },
    /// The rule that brings devices up to the least version.
    Minimum,
}

impl Overview {
    /// What is known of a device.
    pub fn of(device: &Device, world: &World) -> Self {
        let placed = applicable(device, world);
        let (path, offered) = (path_of_profile(&placed), super::offers(device, world));
        let told = device.told_software();
        let text = |version: Option<&SoftwareVersion>| version.map(ToString::to_string);
        let installed = told.and_then(|told| told.installed.as_ref());
        let family = family_of(device, world);
        let known = family.and_then(|family| world.models.family(family));
        let newest = family.and_then(|family| behind::newest(family, world));
        let download = offer::download(device, world);
        let (at, from) = match &path {
            Some((value, by)) => (value.clone(), format!("APP_FILE_PATH in {by}")),
            None => (format!("{}/", download.address(world)), download.told().to_owned()),
        };
        Self {
            installed: text(installed),
            updater: text(told.and_then(|told| told.updater.as_ref())),
            part_numbers: part_numbers(device, world).into_iter().map(str::to_owned).collect(),
            part_numbers_from: part_numbers_from(device, world),
            minimum: known.and_then(|family| text(family.minimum.as_ref())),
            below_minimum: below_minimum(device, world),
            last_release: family.and_then(|family| text(world.models.last_release(device.model.as_deref(), family))),
            newest: text(newest),
            download: at,
            download_from: from,
            offers: offered.iter().map(|one| OfferView::of(one, device, path.as_ref(), world)).collect(),
        }
    }
}

impl OfferView {
    fn of(offer: &Offer<'_>, device: &Device, path: Option<&(String, String)>, world: &World) -> Self {
        let is_own = family_of(device, world) == Some(offer.family);
        Self {
            family: offer.family.to_owned(),
            version: offer.version.to_string(),
            by: match &offer.by {
                By::Profile(placed) => ChosenBy::Profile {
                    id: placed.profile.id,
                    name: placed.profile.name.to_string(),
                    place: told_place(placed, world),
                },
                By::Minimum => ChosenBy::Minimum,
            },
            step: offer.step.word(),
            label: label(&offer.step),
            told: match is_own {
                true => offer.told(),
                false if offer.is_missing() => offer.told(),
                false => "It is handed on by the device that it stands behind.".to_owned(),
            },
            way: if is_own { way(offer, device, world) } else { Vec::new() },
            is_missing: offer.is_missing(),
            needs_consent: offer.step == Step::NeedsConsent,
            is_withdrawn: matches!(offer.step, Step::Withdrawn(_)),
            shadowed_by: path
                .filter(|_| is_own)
                .map(|(_, by)| format!("{by} names a path of its own in APP_FILE_PATH, which beats every choice.")),
        }
    }

    /// How a badge of it looks.
    pub fn tone(&self) -> &'static str {
        match self.step {
            "stay" => "ok",
            "serve" | "hop" => "info",
            _ => "warn",
        }
    }
}

fn label(step: &Step<'_>) -> &'static str {
    match step {
        Step::Stay { .. } => "up to date",
        Step::Serve(_) => "takes it next",
        Step::Hop(..) => "over a stop",
        Step::MissingHop(_) => "stop is missing",
        Step::NoWay(_) => "no way",
        Step::MissingImage => "image is missing",
        Step::NoPart(_) => "no file for it",
        Step::NeedsConsent => "needs consent",
        Step::Withdrawn(_) => "withdrawn",
        Step::NotHeard => "not heard yet",
    }
}

/// The path that a profile names itself, and which profile that is.
fn path_of_profile(placed: &[Placed<'_>]) -> Option<(String, String)> {
    const APP_FILE_PATH: &str = "APP_FILE_PATH";
    let effective = resolution::merge_only(placed, &[APP_FILE_PATH].into());
    let winner = effective.get(APP_FILE_PATH)?.winner;
    Some((crate::domain::parameter::masked("", winner.value?).into_owned(), winner.profile.name.to_string()))
}

fn told_place(placed: &Placed<'_>, world: &World) -> String {
    let name = placed.place.and_then(|place| deployment::name(place, world));
    match name.filter(|name| name != placed.container.label()) {
        Some(name) => format!("{}: {name}", placed.container.label()),
        None => placed.container.label().to_owned(),
    }
}

fn part_numbers_from(device: &Device, world: &World) -> &'static str {
    let is_learned = device.model.as_ref().is_some_and(|model| world.part_numbers.contains_key(model));
    match device.told_software().and_then(|told| told.part_number.as_ref()) {
        Some(_) => "told by the device itself",
        None if is_learned => "told by devices of its model",
        None => "by the table of models",
    }
}

/// What it means that a device has less than the least version of its family, where it does (R372).
pub fn below_minimum(device: &Device, world: &World) -> Option<String> {
    let family = behind::below_minimum(device, world)?;
    let (minimum, installed) = (family.minimum.as_ref()?, device.told_software()?.installed.as_ref()?);
    Some(format!(
        "{installed} is less than {minimum}, the least version of {} that can be managed: the phone does not come online and shows “{}”.",
        family.name, family.symptom
    ))
}

/// What a list marks a device with: tone and word, the gravest first.
pub fn marks(device: &Device, world: &World, now: Timestamp) -> Vec<(&'static str, &'static str)> {
    let is_missing = || super::offers(device, world).iter().any(Offer::is_missing);
    let marks = [
        (is_missing(), ("warn", "image is missing")),
        (behind::below_minimum(device, world).is_some(), ("warn", "below the least version")),
        (device.updating(now).is_some(), ("info", "updating")),
    ];
    marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark).collect()
}

/// Every version that a device still takes, as if each step went well.
fn way(offer: &Offer<'_>, device: &Device, world: &World) -> Vec<String> {
    /// More stops than any family has.
    const MOST: usize = 8;
    let mut imagined = device.clone();
    let mut way = Vec::new();
    let mut next = step(&imagined, offer.family, offer.version, world);
    while let (Step::Serve(_) | Step::Hop(..), Some(version)) = (&next, next.version(offer.version)) {
        let version = version.clone();
        way.push(version.to_string());
        if way.len() >= MOST {
            break;
        }
        imagined.change_software(|software| software.told.runs(Some(version), None));
        next = step(&imagined, offer.family, offer.version, world);
    }
    way
}
