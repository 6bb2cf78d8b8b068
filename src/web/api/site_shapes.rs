//! Sites as JSON. Only shapes; [`super::sites`] has the operations.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::present;
use super::matching::Matching;
use super::settings::WindowShape;
use crate::domain::activity::Change;
use crate::domain::ids::SiteId;
use crate::domain::limits::MOVES_NAMED;
use crate::domain::placement::{By, Found};
use crate::domain::site::draft::{NetworkInput, SiteInput};
use crate::domain::site::index::SiteIndex;
use crate::domain::site::{Network, Site, Sites};
use crate::domain::world::World;
use crate::services::lists::moves::ListedMove;
use crate::services::sites::import::{Imported, PlannedRow};
use crate::services::sites::placing::{Moved, Moves};
use crate::services::sites::{Saved, ties_of, told_clock};

/// A site.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SiteShape {
    /// Key; the lower one is the older site.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Where it is, in words.
    pub location: String,
    /// Its public networks, each with those behind it.
    pub networks: Vec<NetworkShape>,
    /// IANA time zone; null where the account's counts.
    pub time_zone: Option<String>,
    /// When its phones poll; null where the account's window counts.
    pub polling_window: Option<WindowShape>,
    /// From where its phones take software and resource files; null where the account says.
    #[serde(default)]
    pub download_path: Option<String>,
    /// Whether only a management agent at the site controls its phones, and controls no others.
    #[serde(default)]
    pub site_specific: bool,
    /// Whether it is *Internet*, which takes every device that no other site claims, and cannot be changed.
    pub built_in: bool,
    /// How many devices belong to it.
    pub device_count: usize,
    /// What should be looked at: networks that two sites claim, or that nobody has entered yet.
    pub warnings: Vec<String>,
    /// Who changed it last.
    pub modified_by: String,
    /// When it was changed last; null for *Internet*.
    pub modified_at: Option<Timestamp>,
    /// Counts changes; send it back with a change.
    pub revision: u64,
}

/// A public network of a site.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkShape {
    /// Addresses as this server sees them.
    #[schema(example = "20.1.0.0/16")]
    pub public: String,
    /// Addresses that phones behind it have themselves. With none, all that come from there belong to the site.
    #[serde(default)]
    #[schema(example = json!(["10.33.24.0/24"]))]
    pub private: Vec<String>,
}

impl SiteShape {
    /// A site among others.
    pub fn new(site: &Site, sites: &Sites, counts: &BTreeMap<SiteId, usize>) -> Self {
        Self {
            warnings: warnings(site, sites, &SiteIndex::of_all(sites)),
            ..Self::plain(site, counts.get(&site.id).copied().unwrap_or_default())
        }
    }

    /// Adds what is to be warned of. Apart, because a list of thousands of sites shows a few.
    pub fn warn(&mut self, sites: &Sites, index: &SiteIndex<'_>) {
        if let Some(site) = sites.get(&SiteId(self.id)) {
            self.warnings = warnings(site, sites, index);
        }
    }

    /// A site without its warnings.
    pub fn plain(site: &Site, devices: usize) -> Self {
        Self {
            id: site.id.0,
            name: site.name.to_string(),
            description: site.description.clone(),
            location: site.location.clone(),
            networks: site.networks.iter().map(NetworkShape::from).collect(),
            time_zone: site.time_zone.clone(),
            polling_window: site.polling_window.map(|(from, to)| WindowShape { from, to }),
            download_path: site.download_path.as_ref().map(ToString::to_string),
            site_specific: site.site_specific,
            built_in: site.is_internet(),
            device_count: devices,
            warnings: Vec::new(),
            modified_by: site.modified_by.clone(),
            modified_at: (!site.is_internet()).then_some(site.modified_at),
            revision: site.revision,
        }
    }
}

fn warnings(site: &Site, sites: &Sites, index: &SiteIndex<'_>) -> Vec<String> {
    let mut warnings: Vec<String> = ties_of(std::slice::from_ref(site), sites, index).iter().map(ToString::to_string).collect();
    if site.is_unset() {
        warnings.push("no network is entered yet: no device belongs to this site by its address".to_owned());
    }
    warnings.extend(told_clock(site));
    warnings
}

impl From<&Network> for NetworkShape {
    fn from(network: &Network) -> Self {
        Self { public: network.public.to_string(), private: network.private.iter().map(ToString::to_string).collect() }
    }
}

impl From<&NetworkShape> for NetworkInput {
    fn from(shape: &NetworkShape) -> Self {
        Self { public: shape.public.clone(), private: shape.private.clone() }
    }
}

/// A site to add, or in whose place another is put.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSite {
    /// Name.
    name: String,
    /// Free text.
    #[serde(default)]
    description: String,
    /// Where it is, in words.
    #[serde(default)]
    location: String,
    /// Its public networks, each with those behind it.
    #[serde(default)]
    networks: Vec<NetworkShape>,
    /// IANA time zone; absent or null: the account's.
    time_zone: Option<String>,
    /// When its phones poll; absent or null: the account's window.
    polling_window: Option<WindowShape>,
    /// From where its phones take software and resource files, as `https://FQDN/`; absent or null: where the account says.
    download_path: Option<String>,
    /// Whether only a management agent at the site controls its phones.
    #[serde(default)]
    site_specific: bool,
    /// The revision that the change was made from. Only where a site is replaced.
    pub(super) revision: Option<u64>,
}

impl NewSite {
    pub(super) fn input(&self) -> SiteInput {
        SiteInput {
            name: self.name.clone(),
            description: self.description.clone(),
            location: self.location.clone(),
            networks: self.networks.iter().map(NetworkInput::from).collect(),
            time_zone: self.time_zone.clone().unwrap_or_default(),
            polling_window: self.polling_window.as_ref().map(|window| (window.from, window.to)),
            download_path: self.download_path.clone().unwrap_or_default(),
            site_specific: self.site_specific,
        }
    }
}

/// Changes of a site. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteChanges {
    /// The revision that the change was made from.
    pub(super) revision: u64,
    /// Name.
    name: Option<String>,
    /// Free text.
    description: Option<String>,
    /// Where it is, in words.
    location: Option<String>,
    /// All its networks.
    networks: Option<Vec<NetworkShape>>,
    /// IANA time zone; null: the account's.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    time_zone: Option<Option<String>>,
    /// When its phones poll; null: the account's window.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<WindowShape>)]
    polling_window: Option<Option<WindowShape>>,
    /// From where its phones take software and resource files, as `https://FQDN/`; null: where the account says.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    download_path: Option<Option<String>>,
    /// Whether only a management agent at the site controls its phones.
    site_specific: Option<bool>,
}

impl SiteChanges {
    /// The fields after the change of a site.
    pub(super) fn input(self, site: &Site) -> SiteInput {
        let networks = self.networks.unwrap_or_else(|| site.networks.iter().map(NetworkShape::from).collect());
        let window = |window: Option<WindowShape>| window.map(|window| (window.from, window.to));
        SiteInput {
            name: self.name.unwrap_or_else(|| site.name.to_string()),
            description: self.description.unwrap_or_else(|| site.description.clone()),
            location: self.location.unwrap_or_else(|| site.location.clone()),
            networks: networks.iter().map(NetworkInput::from).collect(),
            time_zone: self.time_zone.unwrap_or_else(|| site.time_zone.clone()).unwrap_or_default(),
            polling_window: self.polling_window.map_or(site.polling_window, window),
            download_path: self
                .download_path
                .unwrap_or_else(|| site.download_path.as_ref().map(ToString::to_string))
                .unwrap_or_default(),
            site_specific: self.site_specific.unwrap_or(site.site_specific),
        }
    }
}

/// A site that was saved, or would be, with the devices that belong elsewhere for it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SavedSite {
    /// The site.
    #[serde(flatten)]
    pub site: SiteShape,
    /// Devices that come to it or leave it.
    pub moves: MovesShape,
}

impl SavedSite {
    /// What was saved, one entry a site. `world` is the one after it, or before a dry run.
    pub fn all(saved: &Saved, world: &World, counts: &BTreeMap<SiteId, usize>) -> Vec<Self> {
        let mut sites = world.sites.clone();
        sites.extend(saved.sites.iter().map(|site| (site.id, std::sync::Arc::new(site.clone()))));
        let shape = |site: &Site| {
            let name = site.name.as_str();
            let moves = saved.moves.0.iter().filter(|one| one.from == name || one.to == name);
            Self { site: SiteShape::new(site, &sites, counts), moves: MovesShape::new(moves) }
        };
        saved.sites.iter().map(shape).collect()
    }
}

/// Devices that belong elsewhere, or would.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MovesShape {
    /// The first thousand of them.
    pub items: Vec<MoveShape>,
    /// How many there are.
    pub total: usize,
}

/// A device that belongs elsewhere, or would.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MoveShape {
    /// MAC or serial number.
    pub key: String,
    /// Name of the site that it leaves.
    pub from: String,
    /// Name of the site that it comes to.
    pub to: String,
    /// Whether it stays until somebody says yes, under *Pending moves*.
    pub waits: bool,
}

impl MovesShape {
    fn new<'a>(moves: impl Iterator<Item = &'a Moved>) -> Self {
        let all: Vec<&Moved> = moves.collect();
        let shape =
            |one: &&Moved| MoveShape { key: one.key.to_string(), from: one.from.clone(), to: one.to.clone(), waits: one.waits };
        Self { items: all.iter().take(MOVES_NAMED).map(shape).collect(), total: all.len() }
    }
}

impl From<Moves> for MovesShape {
    fn from(moves: Moves) -> Self {
        Self::new(moves.0.iter())
    }
}

/// The site that an address belongs to, and why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MatchShape {
    /// The site.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The public network that matched; null: none did, so it is *Internet*.
    pub public: Option<String>,
    /// The private network that matched behind it, where there are any.
    pub private: Option<String>,
}

impl MatchShape {
    /// What was found among these sites.
    pub fn new(found: Found, sites: &Sites) -> Self {
        let (public, private) = match found.by {
            By::Networks { public, private } => (Some(public.to_string()), private.map(|one| one.to_string())),
            By::NoNetwork | By::Person => (None, None),
        };
        let name = sites.get(&found.site).map(|site| site.name.to_string()).unwrap_or_default();
        Self { id: found.site.0, name, public, private }
    }
}

/// A device that came from no site any more, and keeps its old one until somebody decides.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PendingMoveShape {
    /// MAC or serial number.
    pub key: String,
    /// Name shown here.
    pub name: Option<String>,
    /// The site that it keeps.
    pub site: String,
    /// Address that it came from last.
    #[schema(value_type = Option<String>)]
    pub public_ip: Option<IpAddr>,
    /// Private address in force.
    #[schema(value_type = Option<String>)]
    pub private_ip: Option<IpAddr>,
    /// Since when it waits.
    pub waits_since: Timestamp,
}

impl From<ListedMove> for PendingMoveShape {
    fn from(ListedMove { listed, site, since }: ListedMove) -> Self {
        Self {
            key: listed.device.key.to_string(),
            name: listed.device.name.as_ref().map(ToString::to_string),
            site,
            public_ip: listed.sighting.public_ip,
            private_ip: listed.private_ip(),
            waits_since: since,
        }
    }
}

/// Devices about whose moves is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveSelection {
    /// MACs or serial numbers.
    pub keys: Option<Vec<String>>,
    /// All that the list finds, in place of these.
    #[serde(default)]
    pub matching: Option<Matching>,
}

/// What was decided, or would be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DecidedShape {
    /// How many of the devices waited; about the others there was nothing to decide.
    pub decided: usize,
}

/// What a file of sites did, or would do.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SitesImportShape {
    /// Its rows, in order.
    pub items: Vec<SitesImportRow>,
    /// How many rows there are.
    pub total: usize,
    /// Networks that the sites share with others.
    pub warnings: Vec<String>,
    /// Devices that belong elsewhere for it.
    pub moves: MovesShape,
}

/// A row of a file of sites.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SitesImportRow {
    /// Line that it begins in.
    pub line: u64,
    /// Name of the site.
    pub name: String,
    /// `added`, `changed` or `unchanged`.
    pub outcome: String,
    /// The fields that change; of a site that is added everything that is stored.
    pub changes: Vec<FieldChangeShape>,
}

/// A field that changes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FieldChangeShape {
    /// Field.
    pub field: String,
    /// Before.
    pub old: Option<String>,
    /// After.
    pub new: Option<String>,
}

impl From<Change> for FieldChangeShape {
    fn from(Change { field, old, new }: Change) -> Self {
        Self { field, old, new }
    }
}

impl From<Imported> for SitesImportShape {
    fn from(Imported { plan, saved }: Imported) -> Self {
        let change = |change: &Change| FieldChangeShape::from(change.clone());
        let row = |row: &PlannedRow| SitesImportRow {
            line: row.line,
            name: row.name.clone(),
            outcome: row.outcome.word().to_owned(),
            changes: row.outcome.changes().iter().map(change).collect(),
        };
        Self {
            items: plan.rows.iter().map(row).collect(),
            total: plan.rows.len(),
            warnings: saved.warnings().collect(),
            moves: saved.moves.into(),
        }
    }
}
