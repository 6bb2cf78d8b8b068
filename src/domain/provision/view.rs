//! Why a device gets what it gets: every attribute of its files with its winner and what that beat. For pages and the API.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::credential::Recipient;
use super::super::deployment::{self, Container, Place};
use super::super::ids::ProfileId;
use super::super::parameter::{self, ParameterSet};
use super::super::resolution::{self, Effective, Mention, Resolved};
use super::super::world::World;
use super::{
    DeviceValues, Given, LocalTime, Setting, Text, Warning, below_profiles, binding, draft_for, governs, has_twin, master,
    naming, variables,
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
    Override(Override),
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
    Base,
}

/// The two kinds of overrides that a phone keeps and uploads, strongest first (protocol/provisioning.md 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Override {
    /// Made in the phone's menu or by its REST interface: `-phone.cfg`.
    PhoneMenu,
    /// Made on the phone's web page: `-web.cfg`.
    WebPage,
}

impl Source {
    /// The source in words: `added by rule`, `Office phones (Global)`, `built-in base`.
    pub fn describe(&self) -> String {
        match self {
            Self::Override(Override::PhoneMenu) => "set on the phone".to_owned(),
            Self::Override(Override::WebPage) => "set on the phone's web page".to_owned(),
            Self::Rule => "added by rule".to_owned(),
            Self::Profile { container, name, .. } => format!("{name} ({})", container.label()),
            Self::DeviceName => "name sent to the device".to_owned(),
            Self::Base => "built-in base".to_owned(),
        }
    }
}

/// Explains everything that a device gets.
pub fn explain(recipient: &Recipient<'_>, world: &World) -> EffectiveView {
    let effective = resolution::merge(&deployment::applicable(recipient.device, world));
    let draft = draft_for(&effective, recipient, world);
    let values = DeviceValues::of(recipient, &draft.polling, world);
    let mut rows = parameter_rows(&effective, recipient, world, &values);
    rows.extend(draft.files.master.into_iter().map(|setting| master_row(setting, &effective, &values)));
    rows.sort_by(|a, b| (a.file, &a.name).cmp(&(b.file, &b.name)));
    EffectiveView { rows, warnings: draft.warnings }
}

impl EffectiveView {
    /// Lays the overrides that the phone has uploaded over what it is served: otherwise *I set it but nothing happens* would
    /// remain unexplained (R159).
    pub fn with_overrides(mut self, kind: Override, overrides: &ParameterSet) -> Self {
        for (name, value) in overrides.iter() {
            let name = name.as_str();
            let layer = Layer { source: Source::Override(kind), value: Some(value.to_string()), set: None };
            match self.rows.iter_mut().find(|row| row.name == name && row.file != File::Master) {
                Some(row) => row.lay(layer),
                None => self.rows.extend(row(name, File::Phone, vec![layer])),
            }
        }
        self.rows.sort_by(|a, b| (a.file, &a.name).cmp(&(b.file, &b.name)));
        self
    }
}

impl Row {
    /// Puts an override at its height.
    fn lay(&mut self, layer: Layer) {
        let height = |source: &Source| if let Source::Override(kind) = source { (0, Some(*kind)) } else { (1, None) };
        let weaker = height(&layer.source) > height(&self.winner.source);
        if weaker {
            self.beaten.insert(0, layer);
        } else {
            self.beaten.insert(0, std::mem::replace(&mut self.winner, layer));
        }
    }
}

/// Rows of the parameter file, in no particular order.
fn parameter_rows(effective: &Effective<'_>, recipient: &Recipient<'_>, world: &World, values: &DeviceValues) -> Vec<Row> {
    let rule = binding::parameters(recipient.channel, effective, world);
    let named = naming::told(recipient.device, world).is_some();
    let time = LocalTime::at(Some(recipient.device.site_id()), world);
    let below = below_profiles(named, recipient.channel, time, world, &mut Vec::new());
    let below_of = |name: &str| below.iter().find(|given| given.name == name).map(|given| given_layer(given, values));

    let mut rows = Vec::new();
    for given in &rule {
        // Spellings that differ in letter case only are beaten too.
        let spellings = effective.iter().filter(|resolved| resolved.name.eq_ignore_ascii_case(&given.name));
        let mut layers = vec![Layer { source: Source::Rule, ..given_layer(given, values) }];
        layers.extend(spellings.flat_map(|resolved| mentions(resolved, values)));
        rows.extend(row(&given.name, File::Parameters, layers));
    }
    for resolved in effective.iter().filter(|one| !master::is_master(one.name) && !governs(&rule, one.name)) {
        let layers = mentions(resolved, values).chain(below_of(resolved.name)).collect();
        rows.extend(row(resolved.name, File::Parameters, layers));
    }
    for given in below.iter().filter(|given| effective.get(&given.name).is_none()) {
        rows.extend(row(&given.name, File::Parameters, vec![given_layer(given, values)]));
    }
    rows
}

/// The row of a master attribute: what is written, and what the profiles say of it.
fn master_row(setting: Setting<'_, Text<'_>>, effective: &Effective<'_>, values: &DeviceValues) -> Row {
    let won_by_profile = match &setting.value {
        Text::Profile(Cow::Borrowed(_)) => true,
        // A list begins with our own file; a profile's entries follow it, as far as there is room.
        Text::Profile(Cow::Owned(list)) => list.contains(','),
        _ => false,
    };
    let written = setting.value.fill(values).into_owned();
    let mut layers: Vec<Layer> = effective.get(&setting.name).into_iter().flat_map(|one| mentions(one, values)).collect();
    let source = if won_by_profile { layers.remove(0).source } else { Source::Base };
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

fn mentions<'m>(resolved: &'m Resolved<'_>, values: &'m DeviceValues) -> impl Iterator<Item = Layer> + 'm {
    std::iter::once(&resolved.winner).chain(&resolved.beaten).map(|mention| mention_layer(mention, values))
}

fn mention_layer(mention: &Mention<'_>, values: &DeviceValues) -> Layer {
    let filled = |text: &Arc<str>| variables::expand(text, &values.key).into_owned();
    let profile = mention.profile;
    let source = Source::Profile {
        container: mention.container,
        place: mention.place.cloned(),
        id: profile.id,
        name: profile.name.to_string(),
    };
    Layer { source, value: mention.value.map(filled), set: mention.set.map(filled) }
}

/// The layer of something that pdms brings by itself.
fn given_layer(given: &Given<'_>, values: &DeviceValues) -> Layer {
    let source = if matches!(given.value, Text::DeviceName) { Source::DeviceName } else { Source::Base };
    let set = has_twin(&given.name).then(|| "1".to_owned());
    Layer { source, value: Some(given.value.clone().fill(values).into_owned()), set }
}
