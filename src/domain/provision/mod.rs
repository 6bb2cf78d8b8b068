//! From effective parameters to the two files that a phone gets: its master file and its parameter file.
//!
//! Composing has two steps. [`draft`] makes everything that devices of the same [`Shape`] share, with a few places left open;
//! [`Draft::fill`] closes them for one device. Whoever serves many phones keeps what the first step made
//! (`xml::write::Prepared`); [`compose`] does both and is the definition of what a phone must get.
//!
//! Binding stands above every profile, the built-in base below. Both are listed here and nowhere else.

mod base;
mod binding;
pub mod bootstrap;
pub mod compare;
mod in_flash;
mod local;
pub mod master;
mod naming;
pub mod paths;
pub mod polling;
pub mod search;
pub mod software;
mod takeover;
#[cfg(test)]
mod tests;
mod together;
pub mod variables;
pub mod view;
mod warning;

use std::borrow::Cow;

use super::account::Secret;
use super::credential::{Channel, DeviceSecrets, Recipient};
use super::deployment::{self, Placed};
use super::device::Device;
use super::ids::{ProfileId, SiteId};
use super::parameter::{before_set, is_of_device, is_of_xml};
use super::resolution::{self, Effective};
use super::software::offer;
use super::software::steps::Step;
use super::world::World;

pub use base::listed as base_listed;
pub use in_flash::InFlash;
pub use local::LocalTime;
use local::site_with_time;
pub use naming::told as naming_told;
pub use polling::PollingClock;
use software::Software;
pub use takeover::{Fillers, holds_next};
pub use warning::{Warning, warnings_of};

/// One attribute of a file: its name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<'a, V> {
    /// Name.
    pub name: Cow<'a, str>,
    /// Value.
    pub value: V,
}

/// A setting that the server itself gives, without its `.set` twin.
type Given<'a> = Setting<'a, Text<'a>>;

impl<'a> Given<'a> {
    fn fixed(name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        Self { name: Cow::Borrowed(name), value: Text::Fixed(value.into()) }
    }
}

/// A value as far as it is known without the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// Known.
    Fixed(Cow<'a, str>),
    /// Written by an admin: variables in it are still to be replaced.
    Profile(Cow<'a, str>),
    /// The device's polling minute.
    PollingTime,
    /// The name that the device is told.
    DeviceName,
    /// User name of the device's own credentials.
    OwnUser,
    /// Password of the device's own credentials.
    OwnPassword,
    /// The phone's admin password.
    AdminPassword,
}

/// The attributes of both files. In the parameter file every name occurs once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files<'a, V> {
    /// Attributes of the master file, in the order in which they are written.
    pub master: Vec<Setting<'a, V>>,
    /// Parameters added by rule.
    pub binding: Vec<Setting<'a, V>>,
    /// Parameters that profiles won.
    pub profiles: Vec<Setting<'a, V>>,
    /// Parameters of the built-in base that no profile mentions.
    pub base: Vec<Setting<'a, V>>,
}

/// What devices of one shape share.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// The attributes, with places left open for the device's own values.
    pub files: Files<'a, Text<'a>>,
    /// What the polling minute is worked out from.
    pub polling: PollingClock,
    /// The software that is chosen, and what devices of the shape take next.
    pub software: Software,
    /// What an admin should know.
    pub warnings: Vec<Warning>,
}

/// Everything that one device gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provision<'a> {
    /// The attributes of its files.
    pub files: Files<'a, Cow<'a, str>>,
    /// What an admin should know.
    pub warnings: Vec<Warning>,
}

/// What decides, within one [`World`], which draft a device gets: two devices of the same shape get the same files but for
/// the values that [`DeviceValues`] holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The profiles that speak for the device, strongest first. Which containers they are in changes no byte.
    profiles: Vec<ProfileId>,
    /// Length of the device's key: limits of the master file are counted with it.
    key_bytes: usize,
    /// Whether the device is told a name.
    named: bool,
    /// How its files travel.
    channel: Channel,
    /// Its site, where that has a time of its own.
    site: Option<SiteId>,
    /// Its software, and from where it comes.
    software: Software,
}

impl Shape {
    /// The shape of a device.
    pub fn of(device: &Device, channel: Channel, placed: &[Placed<'_>], world: &World) -> Self {
        Self {
            profiles: placed.iter().map(|one| one.profile.id).collect(),
            key_bytes: device.key.to_string().len(),
            named: naming::told(device, world).is_some(),
            channel,
            site: site_with_time(device, world),
            software: Software::of(device, placed, world),
        }
    }
}

/// The values of one device that stand in the places a draft leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceValues {
    /// Its key, as file names carry it.
    pub key: String,
    /// Its polling minute, `hh:mm` on its own clock.
    pub polling_time: String,
    /// The name that it is told; empty where it is told none.
    pub name: String,
    /// Its secrets.
    pub secrets: DeviceSecrets,
}

impl DeviceValues {
    /// The values of a device.
    pub fn of(recipient: &Recipient<'_>, polling: &PollingClock, world: &World) -> Self {
        let device = recipient.device;
        Self {
            key: device.key.to_string(),
            polling_time: polling.time_for(device),
            name: naming::told(device, world).unwrap_or_default().to_owned(),
            secrets: recipient.secrets.clone(),
        }
    }
}

/// Composes what one device gets: binding above the merged profiles, the base below, master attributes apart.
pub fn compose<'a>(effective: &Effective<'a>, recipient: &Recipient<'_>, world: &'a World) -> Provision<'a> {
    draft_for(effective, recipient, world).fill(recipient, world)
}

/// The draft of a device's shape, with the warnings that are the device's own.
fn draft_for<'a>(effective: &Effective<'a>, recipient: &Recipient<'_>, world: &'a World) -> Draft<'a> {
    let device = recipient.device;
    let placed = deployment::applicable(device, world);
    let shape = Shape::of(device, recipient.channel, &placed, world);
    let mut draft = draft(effective, &shape, world);
    if naming::of(device, world).is_some() && naming::told(device, world).is_none() {
        draft.warnings.push(Warning::NameTooLong);
    }
    let offers = offer::offer(device, &placed, world).into_iter().chain(offer::components(device, &placed, world));
    draft.warnings.extend(offers.filter(offer::Offer::is_missing).map(|offer| Warning::NoImage {
        family: offer.family.to_owned(),
        version: match offer.step {
            Step::MissingHop(hop) => hop.via.to_string(),
            _ => offer.version.to_string(),
        },
    }));
    draft
}

/// The master file for nobody in particular, which names no file and holds nothing of any device or profile: what a person
/// with the shared credentials sees under `000000000000.cfg` (contract 4).
pub fn anonymous() -> Provision<'static> {
    let files = Files { master: master::anonymous(), binding: Vec::new(), profiles: Vec::new(), base: Vec::new() };
    let secrets = DeviceSecrets { user: String::new(), password: Secret::default(), admin_password: Secret::default() };
    let nobody = DeviceValues { key: String::new(), polling_time: String::new(), name: String::new(), secrets };
    Provision { files: files.map(|text| text.fill(&nobody)), warnings: Vec::new() }
}

/// Composes what all devices of one shape share.
pub fn draft<'a>(effective: &Effective<'a>, shape: &Shape, world: &'a World) -> Draft<'a> {
    let mut warnings = Vec::new();
    let software = &shape.software;
    let master = master::attributes(
        effective,
        shape.key_bytes,
        software.path(),
        (&world.endpoints.https_url, &world.resources),
        &mut warnings,
    );
    let rule = by_rule(shape.channel, effective, software, world);
    let time = LocalTime::at(shape.site, world);
    let below = below_profiles(shape.named, shape.channel, time, world, &mut warnings);
    warnings.extend(together::warnings(effective, &below));
    warnings.extend(otherwise_spelt(effective, &rule, &below));
    let mut files = Files {
        master,
        profiles: won_by_profiles(effective, &rule, &below),
        base: below.into_iter().filter(|given| counts(given, effective)).flat_map(with_twin).collect(),
        binding: rule.into_iter().flat_map(with_twin).collect(),
    };
    for setting in files.master.iter_mut().chain(&mut files.profiles) {
        if let Text::Profile(text) = &mut setting.value
            && variables::is_about_software(text)
        {
            *text = Cow::Owned(software.expand(text, world).into_owned());
        }
    }
    Draft { files, polling: PollingClock::new(effective, time), software: software.clone(), warnings }
}

/// What is added by rule above every profile: the binding, and what stations of the CX family update themselves by.
fn by_rule<'a>(channel: Channel, effective: &Effective<'_>, software: &Software, world: &'a World) -> Vec<Given<'a>> {
    let mut rule = binding::parameters(channel, effective, world);
    rule.extend(software.rule(world));
    rule
}

/// What stands below every profile: the base, and the name that the device is told (a profile's beats it, R233).
fn below_profiles<'a>(
    named: bool,
    channel: Channel,
    time: LocalTime<'a>,
    world: &'a World,
    warnings: &mut Vec<Warning>,
) -> Vec<Given<'a>> {
    let account = &world.account;
    let mut below = base::parameters(account.base, time.zone, &account.time_server, warnings);
    if channel == Channel::ClearText {
        below.retain(|given| !given.value.is_secret());
    }
    if named {
        below.push(Setting { name: Cow::Borrowed(naming::PARAMETER), value: Text::DeviceName });
    }
    below
}

/// The parameters that profiles won, but for those that the rule governs, and for ours in another letter case: a phone that does not
/// care about it would be told two values.
fn won_by_profiles<'a>(effective: &Effective<'a>, rule: &[Given<'_>], below: &[Given<'_>]) -> Vec<Setting<'a, Text<'a>>> {
    let mut won = Vec::with_capacity(effective.iter().len() + 8);
    for resolved in effective.iter() {
        let is_ours = governs(rule, resolved.name) || is_misspelt(below, resolved.name).is_some();
        let is_ours = is_ours || resolved.yields() && governs(below, resolved.name);
        if master::is_master(resolved.name) || is_ours || is_of_xml(resolved.name) {
            continue;
        }
        let profile_text = |value: &'a str| Text::Profile(Cow::Borrowed(value));
        if let Some(value) = resolved.winner.value {
            won.push(Setting { name: Cow::Borrowed(resolved.name), value: profile_text(value) });
        }
        if let Some(set) = resolved.winner.set {
            won.push(Setting { name: Cow::Owned(format!("{}.set", resolved.name)), value: profile_text(set) });
        }
    }
    won
}

/// Whether what stands below the profiles reaches the device: no profile says it, but for those that yield.
fn counts(given: &Given<'_>, effective: &Effective<'_>) -> bool {
    effective.get(&given.name).is_none_or(resolution::Resolved::yields)
}

/// Whether a parameter is one of ours. Letter case does not matter: a phone might not care about it.
fn governs(rule: &[Given<'_>], name: &str) -> bool {
    rule.iter().any(|given| given.name.eq_ignore_ascii_case(name))
}

/// Of ours the one that this is in another letter case.
fn is_misspelt<'g>(ours: &'g [Given<'_>], name: &str) -> Option<&'g str> {
    let found = ours.iter().find(|given| given.name.eq_ignore_ascii_case(name))?;
    (found.name != name).then_some(&*found.name)
}

/// What profiles say in another letter case than phones know it.
fn otherwise_spelt(effective: &Effective<'_>, rule: &[Given<'_>], below: &[Given<'_>]) -> Vec<Warning> {
    let ours = |name| is_misspelt(rule, name).or_else(|| is_misspelt(below, name));
    let warning = |(name, known): (&str, &str)| Warning::Spelling { name: name.to_owned(), known: known.to_owned() };
    effective.iter().filter_map(|resolved| Some((resolved.name, ours(resolved.name)?))).map(warning).collect()
}

/// A setting of ours and, where it has one, its twin.
fn with_twin<'a>(given: Given<'a>) -> impl Iterator<Item = Setting<'a, Text<'a>>> {
    let twin = has_twin(&given.name)
        .then(|| Setting { name: Cow::Owned(format!("{}.set", given.name)), value: Text::Fixed(Cow::Borrowed("1")) });
    std::iter::once(given).chain(twin)
}

/// Whether a parameter of ours takes effect only beside its twin.
fn has_twin(name: &str) -> bool {
    is_of_device(name) && before_set(name).is_none()
}

impl<'a> Draft<'a> {
    /// Closes the open places for one device.
    pub fn fill(self, recipient: &Recipient<'_>, world: &World) -> Provision<'a> {
        let values = DeviceValues::of(recipient, &self.polling, world);
        Provision { files: self.files.map(|text| text.fill(&values)), warnings: self.warnings }
    }
}

impl<'a> Text<'a> {
    /// The value for one device.
    pub fn fill(self, values: &DeviceValues) -> Cow<'a, str> {
        match self {
            Self::Fixed(text) => text,
            Self::Profile(Cow::Borrowed(text)) => variables::expand(text, &values.key),
            Self::Profile(Cow::Owned(text)) => Cow::Owned(variables::expand(&text, &values.key).into_owned()),
            Self::PollingTime => Cow::Owned(values.polling_time.clone()),
            Self::DeviceName => Cow::Owned(values.name.clone()),
            Self::OwnUser => Cow::Owned(values.secrets.user.clone()),
            Self::OwnPassword => Cow::Owned(values.secrets.password.expose().to_owned()),
            Self::AdminPassword => Cow::Owned(values.secrets.admin_password.expose().to_owned()),
        }
    }

    /// Whether it is a secret of the device.
    fn is_secret(&self) -> bool {
        matches!(self, Self::OwnUser | Self::OwnPassword | Self::AdminPassword)
    }
}

impl<'a, V> Files<'a, V> {
    /// The same attributes with other values.
    fn map<W>(self, value: impl Fn(V) -> W) -> Files<'a, W> {
        let all = |settings: Vec<Setting<'a, V>>| {
            settings.into_iter().map(|setting| Setting { name: setting.name, value: value(setting.value) }).collect()
        };
        Files { master: all(self.master), binding: all(self.binding), profiles: all(self.profiles), base: all(self.base) }
    }

    /// All parameters, binding first.
    pub fn parameters(&self) -> impl Iterator<Item = &Setting<'a, V>> {
        self.binding.iter().chain(&self.profiles).chain(&self.base)
    }
}

/// Everything at once: places, merges and composes.
pub fn provision<'a>(recipient: &Recipient<'_>, world: &'a World) -> Provision<'a> {
    compose(&resolution::merge(&deployment::applicable(recipient.device, world)), recipient, world)
}
