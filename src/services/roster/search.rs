//! Searching, filtering, sorting and counting devices. Everything works on a snapshot, so nobody waits for a list.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Known, Roster};
use crate::domain::device::{Device, Presence, Sighting};
use crate::domain::ids::{GroupId, ProfileId, SiteId};
use crate::domain::world::World;

/// What a list of devices should show. The default is the first page of everything by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceQuery {
    /// Words that must all occur somewhere: name, description, family, model, key (a MAC in any notation), addresses,
    /// versions, names of the device's own profiles. Letter case is ignored.
    pub q: String,
    /// Only this family.
    pub family: Option<String>,
    /// Only this model.
    pub model: Option<String>,
    /// Only this site.
    pub site: Option<SiteId>,
    /// Only members of this group.
    pub group: Option<GroupId>,
    /// Only devices that are so.
    pub presence: Option<Presence>,
    /// The column that orders.
    pub sort: DeviceSort,
    /// Whether the order is turned round.
    pub order: Order,
}

/// Columns that order a list of devices. Devices without a value come last in either order; equal ones go by key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceSort {
    /// Shown name.
    #[default]
    Name,
    /// MAC or serial number.
    Key,
    /// Family.
    Family,
    /// Model.
    Model,
    /// Private address.
    PrivateIp,
    /// Public address.
    PublicIp,
    /// Version of the Application.
    SoftwareVersion,
    /// Last contact.
    LastSeen,
    /// When it came in.
    AddedAt,
    /// Never seen, offline, online.
    Presence,
}

/// Which way a list goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

/// How many devices are how; for the dashboard and filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All devices.
    pub total: usize,
    /// Heard of within the time of two polls.
    pub online: usize,
    /// Silent for longer.
    pub offline: usize,
    /// Never heard of.
    pub never_seen: usize,
    /// By family; devices without one under an empty text.
    pub families: BTreeMap<String, usize>,
    /// By model; devices without one under an empty text.
    pub models: BTreeMap<String, usize>,
    /// By site; none is *Internet*.
    pub sites: BTreeMap<Option<SiteId>, usize>,
    /// By group; a device counts in each of its groups.
    pub groups: BTreeMap<GroupId, usize>,
}

impl Roster {
    /// The devices that a query asks for, in its order, all of them: paging is the caller's.
    pub fn search(&self, query: &DeviceQuery, world: &World, now: Timestamp) -> Vec<Arc<Known>> {
        let words: Vec<Word> = query.q.split_whitespace().map(|word| Word::new(word, world)).collect();
        let mut found: Vec<_> = self
            .all()
            .into_iter()
            .filter(|known| query.admits(known, now) && words.iter().all(|word| word.matches(known)))
            .collect();
        sort(&mut found, query.sort, query.order, now);
        found
    }

    /// Counts all devices.
    pub fn counts(&self, now: Timestamp) -> Counts {
        let mut counts = Counts::default();
        for known in self.all() {
            counts.add(&known, now);
        }
        counts
    }
}

impl DeviceQuery {
    fn admits(&self, known: &Known, now: Timestamp) -> bool {
        let device = &known.device;
        let is = |wanted: &Option<String>, value: &Option<String>| wanted.is_none() || wanted == value;
        is(&self.family, &device.family)
            && is(&self.model, &device.model)
            && (self.site.is_none() || self.site == device.site)
            && self.group.is_none_or(|group| device.groups.contains(&group))
            && self.presence.is_none_or(|presence| known.sighting.presence(now) == presence)
    }
}

impl Counts {
    fn add(&mut self, known: &Known, now: Timestamp) {
        let device = &known.device;
        self.total += 1;
        match known.sighting.presence(now) {
            Presence::Online => self.online += 1,
            Presence::Offline => self.offline += 1,
            Presence::NeverSeen => self.never_seen += 1,
        }
        *self.families.entry(device.family.clone().unwrap_or_default()).or_default() += 1;
        *self.models.entry(device.model.clone().unwrap_or_default()).or_default() += 1;
        *self.sites.entry(device.site).or_default() += 1;
        for group in &device.groups {
            *self.groups.entry(*group).or_default() += 1;
        }
    }
}

/// One word of a search.
struct Word {
    text: String,
    /// The same without separators, where it may be part of a MAC.
    digits: Option<String>,
    profiles: HashSet<ProfileId>,
}

impl Word {
    fn new(word: &str, world: &World) -> Self {
        let text = word.to_lowercase();
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
        let is_part_of_a_mac = digits != text && digits.len() >= 2 && digits.chars().all(|c| c.is_ascii_hexdigit());
        let profiles = world.profiles.values().filter(|p| p.name.folded().contains(&text)).map(|p| p.id).collect();
        Self { text, digits: is_part_of_a_mac.then_some(digits), profiles }
    }

    fn matches(&self, known: &Known) -> bool {
        known.text.contains(&self.text)
            || self.digits.as_ref().is_some_and(|digits| known.text.lines().next().is_some_and(|key| key.contains(digits)))
            || known.device.profiles.iter().any(|id| self.profiles.contains(id))
    }
}

/// Everything that a search looks at but profiles; the key alone is on the first line.
pub(super) fn text(device: &Device, sighting: &Sighting) -> Arc<str> {
    let mut text = format!("{}\n", device.key);
    for part in [device.name.as_ref(), device.sent_name.as_ref()].into_iter().flatten() {
        text.push_str(&part.folded());
        text.push('\n');
    }
    let parts = [device.family.as_ref(), device.model.as_ref(), Some(&device.description)];
    let versions = [sighting.software_version.as_ref(), sighting.updater_version.as_ref()];
    for part in parts.into_iter().chain(versions).flatten().filter(|part| !part.is_empty()) {
        text.push_str(&part.to_lowercase());
        text.push('\n');
    }
    for ip in [device.private_ip, sighting.private_ip, sighting.public_ip].into_iter().flatten() {
        writeln!(text, "{ip}").expect("writing to a text cannot fail");
    }
    text.into()
}

/// Whether two sightings are alike in what a search looks at.
pub(super) fn same_text(a: &Sighting, b: &Sighting) -> bool {
    (a.private_ip, a.public_ip, &a.software_version, &a.updater_version)
        == (b.private_ip, b.public_ip, &b.software_version, &b.updater_version)
}

/// A column's value in a form that compares as people expect.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Text(String),
    Address(IpAddr),
    Version(Vec<u64>, String),
    Time(Timestamp),
    Presence(Presence),
}

fn sort(found: &mut Vec<Arc<Known>>, by: DeviceSort, order: Order, now: Timestamp) {
    let mut keyed: Vec<_> = std::mem::take(found).into_iter().map(|known| (column(&known, by, now), known)).collect();
    keyed.sort_by(|(a, known_a), (b, known_b)| {
        let values = match (a, b) {
            (Some(a), Some(b)) if order == Order::Descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        values.then_with(|| known_a.device.key.cmp(&known_b.device.key))
    });
    found.extend(keyed.into_iter().map(|(_, known)| known));
}

fn column(known: &Known, by: DeviceSort, now: Timestamp) -> Option<Column> {
    let (device, sighting) = (&known.device, &known.sighting);
    let text = |value: &Option<String>| value.as_ref().map(|v| Column::Text(v.to_lowercase()));
    match by {
        DeviceSort::Name => device.name.as_ref().map(|name| Column::Text(name.folded())),
        DeviceSort::Key => Some(Column::Text(device.key.to_string())),
        DeviceSort::Family => text(&device.family),
        DeviceSort::Model => text(&device.model),
        DeviceSort::PrivateIp => known.private_ip().map(Column::Address),
        DeviceSort::PublicIp => sighting.public_ip.map(Column::Address),
        DeviceSort::SoftwareVersion => sighting.software_version.as_ref().map(|v| Column::Version(numbers(v), v.clone())),
        DeviceSort::LastSeen => sighting.last_seen.map(Column::Time),
        DeviceSort::AddedAt => Some(Column::Time(device.added_at)),
        DeviceSort::Presence => Some(Column::Presence(sighting.presence(now))),
    }
}

/// The numbers of a version, so that 5.10 comes after 5.9.
fn numbers(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}
