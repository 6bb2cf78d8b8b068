//! Everything of one account that decides what a device gets, but for the device itself: one immutable value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::account::Account;
use super::deployment::Place;
use super::device::DeviceKey;
use super::group::Group;
use super::ids::{AccountId, GroupId, PersonGroupId, PersonId, ProfileId, RoomId};
use super::image::Images;
use super::model::ModelTable;
use super::people::{Person, PersonGroup, Room};
use super::profile::Profile;
use super::resource::Resources;
use super::rollover::CaMark;
use super::schema::uploaded::Schemas;
use super::site::Sites;
use super::software::ladder::Ladder;
use super::standard::StandardTable;

/// A snapshot of an account. Requests hold one snapshot from beginning to end, so a file is of one state, never of two.
#[derive(Clone, Debug)]
pub struct World {
    /// The account this is.
    pub account_id: AccountId,
    /// Its settings, secrets opened.
    pub account: Arc<Account>,
    /// Where phones reach us.
    pub endpoints: Arc<Endpoints>,
    /// The account's own profiles.
    pub profiles: BTreeMap<ProfileId, Arc<Profile>>,
    /// The profiles that come with the server (R111).
    pub standard: Arc<StandardTable>,
    /// Profiles attached to each place, highest first.
    pub deployment: BTreeMap<Place, Vec<ProfileId>>,
    /// All sites, *Internet* among them.
    pub sites: Sites,
    /// All device groups (R97).
    pub groups: BTreeMap<GroupId, Arc<Group>>,
    /// The groups that automatically added devices join, in the order that these get (R103, R105).
    pub default_groups: Vec<GroupId>,
    /// All people, each with the list of groups (R156).
    pub people: BTreeMap<PersonId, Arc<Person>>,
    /// All groups of people.
    pub person_groups: BTreeMap<PersonGroupId, Arc<PersonGroup>>,
    /// All rooms.
    pub rooms: BTreeMap<RoomId, Arc<Room>>,
    /// What admins put here for phones to fetch (R215–R221).
    pub resources: Arc<Resources>,
    /// The schemas that count for search and checks (R137–R143).
    pub schemas: Arc<Schemas>,
    /// All images of software (R199).
    pub images: Arc<Images>,
    /// What is known of models and their families.
    pub models: &'static ModelTable,
    /// The stops on the way to later software.
    pub ladder: &'static Ladder,
    /// Part numbers that devices told, by the name of their model, the latest first: they win over the table.
    pub part_numbers: Arc<BTreeMap<String, Vec<String>>>,
    /// Devices that were deleted with *block*: they are held until someone lifts it (contract 5.14).
    pub blocked: BTreeSet<DeviceKey>,
    /// Counts snapshots: grows with every change.
    pub revision: u64,
}

impl World {
    /// A profile by its number, an own or a standard one.
    pub fn profile(&self, id: ProfileId) -> Option<&Arc<Profile>> {
        self.profiles.get(&id).or_else(|| self.standard.get(id).map(|standard| &standard.profile))
    }

    /// All profiles: the account's own, then the standard ones.
    pub fn all_profiles(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.profiles.values().chain(self.standard.iter().map(|standard| &standard.profile))
    }
}

/// Where phones reach this server, as it is written into their configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The account's provisioning address, with scheme, port and final slash: `https://pdms.example.lan:8443/`.
    pub https_url: String,
    /// The same over plain HTTP, while that listener is open.
    pub http_url: Option<String>,
    /// The private CA's certificate in PEM form, while the server certificate is signed by it or by the one that takes its place;
    /// none with a public certificate.
    pub ca_pem: Option<String>,
    /// The CA that is taking its place: phones are given both.
    pub next_ca: Option<NextCa>,
}

/// A private CA that takes the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextCa {
    /// Its certificate in PEM form.
    pub pem: String,
    /// How it is noted which phones have it.
    pub mark: CaMark,
    /// Whether it signs the server's certificate already.
    pub signs: bool,
}
