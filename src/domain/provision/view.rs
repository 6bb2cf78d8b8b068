//! Why a device gets what it gets: every attribute of its files with its winner and what that beat. For pages and the API.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::credential::Recipient;
use super::super::deployment::{self, Container, Place};
use super::super::device::Device;
use super::super::flash::Flash;
use super::super::ids::{ProfileId, SiteId};
use super::super::parameter::{self, ParameterSet};
use super::super::profile::Profile;
use super::super::resolution::{self, Effective, Mention, Resolved, is_off};
use super::super::software::offer::{By, offer};
use super::super::world::World;
use super::{
    DeviceValues, Given, LocalTime, Setting, Software, Text, Warning, base, below_profiles, by_rule, draft_for, governs,
    has_twin, is_misspelt, master, naming, variables,
};

/// The effective configuration of a device, explained. Values are as the device gets them: mask the secret ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveView {
    /// Master attributes first, then parameters, each in the order of their names.
    pub rows: Vec<Row>,
    /// What an admin should know.
    pub warnings: Vec<Warning>,
}

/// One attribute with its winner and what that beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Name; a parameter and its `.set` twin are one row.
    pub name: String,
    /// Which of the two files it is in.
    pub file: File,
    /// Whether its values must be masked on screen.
    pub secret: bool,
    /// What the device gets.
    pub winner: Layer,
    /// What it does not get, strongest first.
    pub beaten: Vec<Layer>,
}

/// The file that an attribute is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// `<key>.cfg`.
    Master,
    /// `<key>-profile.cfg`.
    Parameters,
    /// Neither: only the phone itself holds it.
    Phone,
}

/// One source's word about an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Who says it.
    pub source: Source,
    /// The value; none where a profile holds only the `.set` twin.
    pub value: Option<String>,
    /// The value of the `.set` twin, where there is one.
    pub set: Option<String>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The phone's own override, which no served value beats (contract 5.1).
    Override {
        /// Where it was made.
        kind: Override,
        /// When the phone uploaded the file that says so.
        at: Timestamp,
    },
    /// Still in the phone's flash, although it is served no longer (contract 5.11).
    Flash {
        /// Since when it was served so.
        since: Timestamp,
        /// When it was served last, where that is known.
        last_served: Option<Timestamp>,
        /// When the device was first served without it.
        ceased: Timestamp,
    },
    /// Added by rule, above every profile (contract 5.2).
    Rule,
    /// A profile in one of the device's containers.
    Profile {
        /// The container.
        container: Container,
        /// The place; none where that is the device itself.
        place: Option<Place>,
        /// The profile.
        id: ProfileId,
        /// Its name.
        name: String,
    },
    /// The name of the device, told to those that take one (R233).
    DeviceName,
    /// The built-in base (contract 5.3), or what a master file holds by itself.
    Base(Part),
}

/// The parts of what this server brings by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The switch of the REST interface.
    RestApi,
    /// The serial number in the User-Agent.
    SerialTag,
    /// When phones poll; the window is that of a site, where one has its own.
    Polling(Option<SiteId>),
    /// The phones' admin password.
    AdminPassword,
    /// How logs are uploaded.
    LogUpload,
    /// Time server and zone; the zone is that of a site, where one has its own.
    Time(Option<SiteId>),
    /// What a master file holds by itself.
    MasterFile,
    /// The least software with which devices can be managed (R364).
    MinimumSoftware,
}

impl Part {
    /// The part in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::RestApi => "REST interface",
            Self::SerialTag => "serial number in the User-Agent",
            Self::Polling(_) => "polling",
            Self::AdminPassword => "admin password",
            Self::LogUpload => "log upload",
            Self::Time(_) => "time",
            Self::MasterFile => "master file",
            Self::MinimumSoftware => "least software",
        }
    }

    /// The site that it is of; none where it is the account's.
    pub fn site(self) -> Option<SiteId> {
        match self {
            Self::Polling(site) | Self::Time(site) => site,
            _ => None,
        }
    }
}

/// The kinds of overrides that a phone keeps and uploads (protocol/provisioning.md 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Override {
    /// Made in the phone's menu or by its REST interface: `-phone.cfg`.
    PhoneMenu,
    /// Made on a conference station: `-system.cfg`.
    System,
    /// Made on the phone's web page: `-web.cfg`.
    WebPage,
    /// Made by a cloud service: `-cloud.cfg`.
    Cloud,
}

/// How high flash and what is served stand: see [`Source::height`].
const ABOVE_ALL_SERVED: u8 = 4;
const SERVED: u8 = 5;

impl Override {
    /// All of them, the weakest first (protocol/provisioning.md 1.3).
    pub const WEAKEST_FIRST: [Self; 4] = [Self::Cloud, Self::WebPage, Self::System, Self::PhoneMenu];

    fn height(self) -> u8 {
        match self {
            Self::PhoneMenu => 0,
            Self::System => 1,
            Self::WebPage => 2,
            Self::Cloud => 3,
        }
    }
}

impl Source {
    /// The source in words: `added by rule`, `Office phones (Global)`, `built-in base: time`.
    pub fn describe(&self) -> String {
        match self {
            Self::Override { kind: Override::PhoneMenu, .. } => "set on the phone".to_owned(),
            Self::Override { kind: Override::System, .. } => "set on the device".to_owned(),
            Self::Override { kind: Override::WebPage, .. } => "set on the phone's web page".to_owned(),
            Self::Override { kind: Override::Cloud, .. } => "set by a cloud service".to_owned(),
            Self::Flash { .. } => "still in flash".to_owned(),
            Self::Rule => "added by rule".to_owned(),
            Self::Profile { container, name, .. } => format!("{name} ({})", container.label()),
            Self::DeviceName => "name sent to the device".to_owned(),
            Self::Base(part) => format!("built-in base: {}", part.label()),
        }
    }

    /// A word for addresses and programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Override { .. } => "phone",
            Self::Flash { .. } => "flash",
            Self::Rule => "rule",
            Self::Profile { container, .. } => container.word(),
            Self::DeviceName => "name",
            Self::Base(_) => "base",
        }
    }

    /// How far above the profiles it stands: overrides of the phone, then what is in its flash, then all that is served.
    fn height(&self) -> u8 {
        match self {
            Self::Override { kind, .. } => kind.height(),
            Self::Flash { .. } => ABOVE_ALL_SERVED,
            _ => SERVED,
        }
    }
}

/// Explains everything that a device gets.
pub fn explain(recipient: &Recipient<'_>, world: &World) -> EffectiveView {
    let effective = resolution::merge(&deployment::applicable(recipient.device, world));
    let draft = draft_for(&effective, recipient, world);
    let values = DeviceValues::of(recipient, &draft.polling, world);
    let filled = Filled { values: &values, software: &draft.software, world };
    let mut rows = parameter_rows(&effective, recipient, &filled);
    let placed = deployment::applicable(recipient.device, world);
    let chosen = software_layers(recipient.device, &placed, &draft.software, world);
    rows.extend(draft.files.master.into_iter().map(|setting| master_row(setting, &effective, &chosen, &filled)));
    rows.sort_by(|a, b| (a.file, &a.name).cmp(&(b.file, &b.name)));
    EffectiveView { rows, warnings: draft.warnings }
}

impl EffectiveView {
    /// Lays the overrides that the phone has uploaded over what it is served: otherwise *I set it but nothing happens* would
    /// remain unexplained (R159).
    pub fn with_overrides(mut self, kind: Override, at: Timestamp, overrides: &ParameterSet) -> Self {
        for (name, value) in overrides.iter() {
            let name = name.as_str();
            let layer = Layer { source: Source::Override { kind, at }, value: Some(value.to_string()), set: None };
            match self.rows.iter_mut().find(|row| row.name == name && row.file != File::Master) {
                Some(row) => row.lay(layer),
                None => self.rows.extend(row(name, File::Phone, vec![layer])),
            }
        }
        self.sorted()
    }

    /// Adds what the phone still has in its flash although it is served no longer (contract 5.11). Where it is to be served again, that
    /// will take its place.
    pub fn with_flash(mut self, flash: &Flash) -> Self {
        for (name, kept, ceased) in flash.left() {
            let source = Source::Flash { since: kept.since, last_served: ceased.last_served, ceased: ceased.at };
            let layer = Layer { source, value: Some(kept.told.text.clone()), set: Some("1".to_owned()) };
            match self.rows.iter_mut().find(|row| row.name == name && row.file != File::Master) {
                Some(row) if row.served().is_some_and(Layer::reaches_flash) => row.beaten.push(layer),
                Some(row) => row.lay(layer),
                None => self.rows.extend(row(name, File::Phone, vec![layer])),
            }
        }
        self.sorted()
    }

    fn sorted(mut self) -> Self {
        self.rows.sort_by(|a, b| (a.file, &a.name).cmp(&(b.file, &b.name)));
        self
    }
}

impl Layer {
    /// Whether a phone writes it to its flash: only what its twin says is meant.
    fn reaches_flash(&self) -> bool {
        self.value.is_some() && self.set.as_deref().is_some_and(|set| !is_off(set))
    }
}

impl Row {
    /// All that is said, strongest first.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.winner).chain(&self.beaten)
    }

    /// What this server says, whatever the phone makes of it; none where only the phone itself has the parameter.
    pub fn served(&self) -> Option<&Layer> {
        self.layers().find(|layer| layer.source.height() == SERVED)
    }

    /// Whether the phone goes by a setting of its own.
    pub fn is_overridden(&self) -> bool {
        matches!(self.winner.source, Source::Override { .. })
    }

    /// Puts what the phone has at its height.
    fn lay(&mut self, layer: Layer) {
        let height = layer.source.height();
        if height < self.winner.source.height() {
            self.beaten.insert(0, std::mem::replace(&mut self.winner, layer));
        } else {
            let at = self.beaten.iter().position(|one| one.source.height() > height).unwrap_or(self.beaten.len());
            self.beaten.insert(at, layer);
        }
    }
}

/// What texts of profiles are filled with.
struct Filled<'f> {
    values: &'f DeviceValues,
    software: &'f Software,
    world: &'f World,
}

/// Rows of the parameter file, in no particular order.
fn parameter_rows(effective: &Effective<'_>, recipient: &Recipient<'_>, filled: &Filled<'_>) -> Vec<Row> {
    let Filled { values, software, world } = *filled;
    let rule = by_rule(recipient.channel, effective, software, world);
    let named = naming::told(recipient.device, world).is_some();
    let time = LocalTime::at(Some(recipient.device.site_id()), world);
    let below = below_profiles(named, recipient.channel, time, world, &mut Vec::new());
    let layer = |given: &Given<'_>| given_layer(given, recipient, world, values);
    let below_of = |name: &str| below.iter().find(|given| given.name == name).map(layer);

    let mut rows = Vec::new();
    for given in &rule {
        // Spellings that differ in letter case only are beaten too.
        let spellings = effective.iter().filter(|resolved| resolved.name.eq_ignore_ascii_case(&given.name));
        let mut layers = vec![Layer { source: Source::Rule, ..layer(given) }];
        layers.extend(spellings.flat_map(|resolved| mentions(resolved, filled)));
        rows.extend(row(&given.name, File::Parameters, layers));
    }
    let is_served = |name: &str| {
        !master::is_master(name) && !governs(&rule, name) && is_misspelt(&below, name).is_none() && !parameter::is_of_xml(name)
    };
    // What a profile says of ours in other letters is served to nobody, and beaten by what is.
    let in_other_letters = |name: &str| {
        let misspelt = effective.iter().filter(|one| is_misspelt(&below, one.name) == Some(name));
        misspelt.flat_map(|one| mentions(one, filled)).collect::<Vec<_>>()
    };
    for resolved in effective.iter().filter(|one| is_served(one.name)) {
        let mentions =
            |yields| resolved.mentions().filter(move |one| one.profile.yields == yields).map(|one| mention_layer(one, filled));
        let layers = mentions(false).chain(below_of(resolved.name)).chain(mentions(true));
        let layers = layers.chain(in_other_letters(resolved.name)).collect();
        rows.extend(row(resolved.name, File::Parameters, layers));
    }
    for given in below.iter().filter(|given| effective.get(&given.name).is_none()) {
        let layers = std::iter::once(layer(given)).chain(in_other_letters(&given.name)).collect();
        rows.extend(row(&given.name, File::Parameters, layers));
    }
    rows
}

/// What the choice of software says of the path of the image: whose choice it is, with the path that it leads to; and the choices that
/// are weaker, as versions.
fn software_layers(device: &Device, placed: &[deployment::Placed<'_>], software: &Software, world: &World) -> Vec<Layer> {
    let Some(offer) = offer(device, placed, world) else { return Vec::new() };
    let first = match offer.by {
        By::Profile(by) => profile_source(by.container, by.place, by.profile),
        By::Minimum => Source::Base(Part::MinimumSoftware),
    };
    let told = software.path().unwrap_or_else(|| format!("{} {}", offer.family, offer.version));
    let choices = placed.iter().filter_map(|one| {
        let choice = one.profile.software.iter().find(|choice| choice.family == offer.family)?;
        let value = Some(format!("{} {}", choice.family, choice.version));
        Some(Layer { source: profile_source(one.container, one.place, one.profile), value, set: None })
    });
    std::iter::once(Layer { source: first, value: Some(told), set: None }).chain(choices.skip(1)).collect()
}

/// The row of a master attribute: what is written, and what the profiles say of it. Of the software `chosen` says more: it is beaten by a
/// profile that names the path itself (R166).
fn master_row(setting: Setting<'_, Text<'_>>, effective: &Effective<'_>, chosen: &[Layer], filled: &Filled<'_>) -> Row {
    let values = filled.values;
    let is_software = setting.name == master::APP_FILE_PATH;
    let won_by_profile = match &setting.value {
        Text::Profile(Cow::Borrowed(_)) => true,
        // A list begins with our own file; a profile's entries follow it, as far as there is room.
        Text::Profile(Cow::Owned(list)) => list.contains(','),
        _ => false,
    };
    let written = setting.value.fill(values).into_owned();
    let mut layers: Vec<Layer> = effective.get(&setting.name).into_iter().flat_map(|one| mentions(one, filled)).collect();
    if is_software {
        layers.extend(chosen.iter().cloned());
    }
    let is_chosen = is_software && effective.value(&setting.name).is_none() && filled.software.path().is_some();
    let source = if won_by_profile || is_chosen { layers.remove(0).source } else { Source::Base(Part::MasterFile) };
    let winner = Layer { source, value: Some(written), set: None };
    Row {
        name: setting.name.to_string(),
        file: File::Master,
        secret: parameter::is_secret(&setting.name),
        winner,
        beaten: layers,
    }
}

/// A row of layers, strongest first.
fn row(name: &str, file: File, layers: Vec<Layer>) -> Option<Row> {
    let mut layers = layers.into_iter();
    let winner = layers.next()?;
    Some(Row { name: name.to_owned(), file, secret: parameter::is_secret(name), winner, beaten: layers.collect() })
}

fn mentions<'m>(resolved: &'m Resolved<'_>, filled: &'m Filled<'_>) -> impl Iterator<Item = Layer> + 'm {
    resolved.mentions().map(|mention| mention_layer(mention, filled))
}

fn mention_layer(mention: &Mention<'_>, filled: &Filled<'_>) -> Layer {
    let Filled { values, software, world } = filled;
    let fill = |text: &Arc<str>| variables::expand(&software.expand(text, world), &values.key).into_owned();
    let source = profile_source(mention.container, mention.place, mention.profile);
    Layer { source, value: mention.value.map(fill), set: mention.set.map(fill) }
}

fn profile_source(container: Container, place: Option<&Place>, profile: &Profile) -> Source {
    Source::Profile { container, place: place.cloned(), id: profile.id, name: profile.name.to_string() }
}

/// The layer of something that pdms brings by itself.
fn given_layer(given: &Given<'_>, recipient: &Recipient<'_>, world: &World, values: &DeviceValues) -> Layer {
    let source = match given.value {
        Text::DeviceName => Source::DeviceName,
        _ => Source::Base(base::part(&given.name, recipient.device.site_id(), world)),
    };
    let set = has_twin(&given.name).then(|| "1".to_owned());
    Layer { source, value: Some(given.value.clone().fill(values).into_owned()), set }
}
