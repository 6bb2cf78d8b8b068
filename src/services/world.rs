//! The worlds in memory: one immutable value an account, swapped as a whole after each commit.
//!
//! Readers take an [`Arc`] and hold it as long as they like; they never wait. Only [`super::commit`] swaps, under the
//! writer's lock, so that swaps follow the order of commits and precede the answer to whoever made the change.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::error::ServiceError;
use super::secrets::Secrets;
use crate::catalog;
use crate::domain::account::Account;
use crate::domain::deployment::Place;
use crate::domain::device::DeviceKey;
use crate::domain::group::Group;
use crate::domain::ids::{AccountId, GroupId, ImageId, PersonGroupId, PersonId, ProfileId, ResourceId, RoomId, SiteId};
use crate::domain::image::Image;
use crate::domain::people::{Person, PersonGroup, Room};
use crate::domain::profile::Profile;
use crate::domain::resource::{Resource, Resources};
use crate::domain::schema::uploaded::Schemas;
use crate::domain::site::{INTERNET, Site};
use crate::domain::standard::StandardTable;
use crate::domain::world::{Endpoints, World};
use crate::store::{self, Read};

/// All worlds.
#[derive(Debug)]
pub struct Worlds {
    current: ArcSwap<BTreeMap<AccountId, Arc<World>>>,
    endpoints: ArcSwap<Endpoints>,
    standard: ArcSwap<StandardTable>,
}

/// What a commit changed of a world.
#[derive(Clone, Debug)]
pub(super) enum WorldChange {
    /// The account's settings.
    Account(Arc<Account>),
    /// A profile, new or changed.
    Profile(Arc<Profile>),
    /// A profile that is gone.
    ProfileGone(ProfileId),
    /// A device group, new or changed.
    Group(Arc<Group>),
    /// A device group that is gone.
    GroupGone(GroupId),
    /// The groups that automatically added devices join.
    DefaultGroups(Vec<GroupId>),
    /// A person, new or changed.
    Person(Arc<Person>),
    /// A person who is gone.
    PersonGone(PersonId),
    /// A group of people, new or changed.
    PersonGroup(Arc<PersonGroup>),
    /// A group of people that is gone.
    PersonGroupGone(PersonGroupId),
    /// A room, new or changed.
    Room(Arc<Room>),
    /// A room that is gone.
    RoomGone(RoomId),
    /// The profiles of a place.
    Place(Place, Vec<ProfileId>),
    /// A site, new or changed.
    Site(Arc<Site>),
    /// A site that is gone.
    SiteGone(SiteId),
    /// A resource file, new or changed.
    Resource(Arc<Resource>),
    /// A resource file that is gone.
    ResourceGone(ResourceId),
    /// The schemas that count.
    Schemas(Arc<Schemas>),
    /// An image of software, new or changed.
    Image(Arc<Image>),
    /// An image that is gone.
    ImageGone(ImageId),
    /// The part numbers that a model was found to have.
    PartNumbers(String, Vec<String>),
    /// A key that is held from now on.
    Blocked(DeviceKey),
    /// A key that is no longer held.
    Unblocked(DeviceKey),
}

impl Worlds {
    pub(super) fn new(endpoints: Endpoints) -> Self {
        Self { current: ArcSwap::default(), endpoints: ArcSwap::from_pointee(endpoints), standard: ArcSwap::default() }
    }

    /// An account's world as it is now; none before set-up.
    pub fn get(&self, account: AccountId) -> Option<Arc<World>> {
        self.current.load().get(&account).cloned()
    }

    /// The accounts there are.
    pub fn accounts(&self) -> Vec<AccountId> {
        self.current.load().keys().copied().collect()
    }

    /// Where phones reach us, as the last call of [`super::Services::set_endpoints`] said.
    pub fn endpoints(&self) -> Arc<Endpoints> {
        self.endpoints.load_full()
    }

    pub(super) fn set_endpoints(&self, endpoints: Endpoints) {
        let endpoints = Arc::new(endpoints);
        self.endpoints.store(Arc::clone(&endpoints));
        let mut next = BTreeMap::clone(&self.current.load());
        for world in next.values_mut() {
            let world = Arc::make_mut(world);
            world.endpoints = Arc::clone(&endpoints);
            world.revision += 1;
        }
        self.current.store(Arc::new(next));
    }

    /// Swaps in a world with these changes. The first change of a new account must be its settings.
    pub(super) fn apply(&self, account: AccountId, changes: Vec<WorldChange>) {
        if changes.is_empty() {
            return;
        }
        let mut next = BTreeMap::clone(&self.current.load());
        for change in changes {
            match (next.get_mut(&account), change) {
                (Some(world), change) => change.apply_to(Arc::make_mut(world)),
                (None, WorldChange::Account(settings)) => {
                    next.insert(account, Arc::new(self.empty(account, settings)));
                }
                (None, _) => debug_assert!(false, "account {account} has no settings, so nothing else of it can change"),
            }
        }
        if let Some(world) = next.get_mut(&account) {
            Arc::make_mut(world).revision += 1;
        }
        self.current.store(Arc::new(next));
    }

    /// Reads everything anew: at start, and after the database was opened again.
    pub(super) fn rebuild(&self, tx: &impl Read, secrets: &Secrets) -> Result<(), ServiceError> {
        let installed = store::standard::all(tx)?;
        self.standard.store(Arc::new(StandardTable::new(catalog::standard::standard_profiles().values(), &installed)));
        let mut next = BTreeMap::new();
        for (id, stored) in store::accounts::all(tx)? {
            let account = Arc::new(secrets.open_account(id, stored)?);
            let mut world = self.empty(id, account);
            world.revision = self.get(id).map_or(1, |old| old.revision + 1);
            for stored in store::profiles::all(tx, id)? {
                let profile = secrets.open_profile(id, stored)?;
                world.profiles.insert(profile.id, Arc::new(profile));
            }
            world.sites.extend(store::sites::all(tx, id)?.into_iter().map(|site| (site.id, Arc::new(site))));
            world.deployment = store::deployment::all(tx, id)?.into_iter().collect();
            let groups = store::groups::all(tx, id)?.into_iter();
            world.groups = groups.map(|group| (group.id, Arc::new(group))).collect();
            world.default_groups = store::groups::defaults(tx, id)?;
            world.people = store::people::all(tx, id)?.into_iter().map(|one| (one.id, Arc::new(one))).collect();
            let groups = store::people::all_groups(tx, id)?.into_iter();
            world.person_groups = groups.map(|one| (one.id, Arc::new(one))).collect();
            world.rooms = store::people::all_rooms(tx, id)?.into_iter().map(|one| (one.id, Arc::new(one))).collect();
            world.resources = Arc::new(Resources::new(store::resources::all(tx, id)?));
            world.schemas = Arc::new(super::schema::read_all(tx, id)?);
            world.images = Arc::new(store::images::all(tx, id)?.into_iter().map(|one| (one.id, Arc::new(one))).collect());
            world.part_numbers = Arc::new(store::part_numbers::all(tx, id)?.into_iter().collect());
            let held = store::blocked::all(tx, id)?.into_iter();
            world.blocked = held.flat_map(|(key, block)| [Some(key), block.mac.map(DeviceKey::from)]).flatten().collect();
            next.insert(id, Arc::new(world));
        }
        self.current.store(Arc::new(next));
        Ok(())
    }

    /// The world of an account that has its settings and nothing else.
    fn empty(&self, account_id: AccountId, account: Arc<Account>) -> World {
        World {
            account_id,
            account,
            endpoints: self.endpoints(),
            profiles: BTreeMap::new(),
            standard: self.standard.load_full(),
            deployment: BTreeMap::new(),
            sites: BTreeMap::from([(INTERNET, Arc::new(Site::internet()))]),
            groups: BTreeMap::new(),
            default_groups: Vec::new(),
            people: BTreeMap::new(),
            person_groups: BTreeMap::new(),
            rooms: BTreeMap::new(),
            resources: Arc::default(),
            schemas: Arc::new(Schemas::shipped(catalog::schema::dictionary())),
            images: Arc::default(),
            models: catalog::models::models(),
            ladder: catalog::upgrade_paths::ladder(),
            part_numbers: Arc::default(),
            blocked: std::collections::BTreeSet::new(),
            revision: 0,
        }
    }
}

impl WorldChange {
    /// Makes the change to a world: to the one that is swapped in, or to one that only shows what would be.
    pub(super) fn apply_to(self, world: &mut World) {
        match self {
            Self::Account(account) => world.account = account,
            Self::Profile(profile) => {
                world.profiles.insert(profile.id, profile);
            }
            Self::ProfileGone(id) => {
                world.profiles.remove(&id);
            }
            Self::Group(group) => {
                world.groups.insert(group.id, group);
            }
            Self::GroupGone(id) => {
                world.groups.remove(&id);
            }
            Self::DefaultGroups(groups) => world.default_groups = groups,
            Self::Person(person) => {
                world.people.insert(person.id, person);
            }
            Self::PersonGone(id) => {
                world.people.remove(&id);
            }
            Self::PersonGroup(group) => {
                world.person_groups.insert(group.id, group);
            }
            Self::PersonGroupGone(id) => {
                world.person_groups.remove(&id);
            }
            Self::Room(room) => {
                world.rooms.insert(room.id, room);
            }
            Self::RoomGone(id) => {
                world.rooms.remove(&id);
            }
            Self::Place(place, profiles) if profiles.is_empty() => {
                world.deployment.remove(&place);
            }
            Self::Place(place, profiles) => {
                world.deployment.insert(place, profiles);
            }
            Self::Site(site) => {
                world.sites.insert(site.id, site);
            }
            Self::SiteGone(id) => {
                world.sites.remove(&id);
            }
            Self::Resource(resource) => Arc::make_mut(&mut world.resources).put(resource),
            Self::ResourceGone(id) => Arc::make_mut(&mut world.resources).remove(id),
            Self::Schemas(schemas) => world.schemas = schemas,
            Self::Image(image) => drop(Arc::make_mut(&mut world.images).insert(image.id, image)),
            Self::ImageGone(id) => drop(Arc::make_mut(&mut world.images).remove(&id)),
            Self::PartNumbers(model, parts) => drop(Arc::make_mut(&mut world.part_numbers).insert(model, parts)),
            Self::Blocked(key) => {
                world.blocked.insert(key);
            }
            Self::Unblocked(key) => {
                world.blocked.remove(&key);
            }
        }
    }
}
