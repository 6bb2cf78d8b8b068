//! The account as it will be once deleted objects are back, worked out beside the account as it is: what comes back where, and what is
//! in its way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::restore::{Names, Restored, Taken};
use crate::domain::activity::Event;
use crate::domain::deployment::{self, Place};
use crate::domain::device::{Device, DeviceKey, Owner};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, DeletionId, GroupId, PersonId, ProfileId, SiteId};
use crate::domain::limits::{DEVICES, GROUPS, GROUPS_PER_DEVICE, PEOPLE, PROFILES_PER_CONTAINER, SITES};
use crate::domain::people::{NameRule, NamedDraft, NamedInput, Person};
use crate::domain::placement::find;
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::recycle_bin::{Around, Deletion, DeviceAround, KeptDevice, Kind, What, put_back};
use crate::domain::site::index::SiteIndex;
use crate::domain::site::{INTERNET, Origin};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Change;
use crate::services::device_csv::device_of;
use crate::services::devices;
use crate::services::error::ServiceError;
use crate::services::profiles::refuse_reserved;
use crate::services::sites::{placing, told_ties};
use crate::store;

/// What was left out, by cause.
#[derive(Default)]
struct LeftOut {
    profiles: usize,
    groups: usize,
    places: usize,
    owners: usize,
    devices: usize,
    people: usize,
    full: usize,
    sentences: Vec<String>,
}

/// The account as it will be.
pub(super) struct Back<'s> {
    services: &'s Services,
    before: Arc<World>,
    after: World,
    /// The names of all objects that are there or come back: looked through once, for thousands may come.
    names: BTreeSet<(Kind, String)>,
    /// The objects that come back, in the order of their kinds.
    objects: Vec<What>,
    /// Kinds and names of all of them.
    labels: Vec<(Kind, String)>,
    /// Places of objects that come back: they have nothing but what they had.
    places: BTreeSet<Place>,
    /// Devices that come back.
    returning: BTreeMap<DeviceKey, KeptDevice>,
    /// Devices that are there and get something back.
    devices: BTreeMap<DeviceKey, Device>,
    /// Those of them that stand where they stood: whether a person had said so, and else what site their addresses had spoken for.
    standing: BTreeMap<DeviceKey, (bool, Option<SiteId>)>,
    /// What cannot come back and stays in the recycle bin.
    pub(super) stays: BTreeSet<(DeletionId, u64)>,
    left: LeftOut,
}

impl<'s> Back<'s> {
    pub(super) fn new(services: &'s Services, account: AccountId) -> Result<Self, ServiceError> {
        let before = services.world(account)?;
        Ok(Self {
            services,
            after: World::clone(&before),
            names: names_of(&before),
            before,
            objects: Vec::new(),
            labels: Vec::new(),
            places: BTreeSet::new(),
            returning: BTreeMap::new(),
            devices: BTreeMap::new(),
            standing: BTreeMap::new(),
            stays: BTreeSet::new(),
            left: LeftOut::default(),
        })
    }

    /// Takes the objects in: each needs its name, or its key.
    pub(super) fn take_in(&mut self, taken: &mut [Taken], names: &Names) -> Result<(), ServiceError> {
        let is_alone = taken.iter().map(|one| one.objects.len()).sum::<usize>() == 1;
        let mut errors = FieldErrors::new();
        // Devices first: whether they come back decides about their profiles of CSV files.
        for are_devices in [true, false] {
            let all = taken.iter_mut().flat_map(|one| {
                let deletion = &one.deletion;
                one.objects.iter_mut().map(move |(number, what)| (deletion, *number, what))
            });
            let wanted = all.enumerate().filter(|(_, (.., what))| matches!(what, What::Device(_)) == are_devices);
            for (item, (deletion, number, what)) in wanted {
                let place = (deletion.id, number);
                match self.take_object(what, deletion, names.get(&place)) {
                    Ok(true) => {}
                    Ok(false) => drop(self.stays.insert(place)),
                    Err(wrong) if is_alone => errors = wrong,
                    Err(wrong) => errors.add_item(item, wrong),
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors.into());
        }
        if self.labels.is_empty() {
            let why = std::mem::take(&mut self.left.sentences);
            let why = if why.is_empty() { "no object was chosen".to_owned() } else { why.join("; ") };
            return Err(ServiceError::Conflict(format!("nothing was restored: {why}")));
        }
        self.objects.sort_by_key(What::kind);
        Ok(())
    }

    /// Takes one in and tells whether it can come back.
    fn take_object(&mut self, what: &mut What, of: &Deletion, name: Option<&String>) -> Result<bool, FieldErrors> {
        if let What::Device(one) = what {
            return Ok(self.take_device(one, of));
        }
        if let Some(name) = name {
            let rule = match what.kind() {
                Kind::Room => NameRule::Room,
                Kind::Person => NameRule::Person,
                _ => NameRule::Usual,
            };
            let name = NamedDraft::parse(&NamedInput { name: name.clone(), description: String::new() }, rule)?.name;
            if what.name() != Some(&name)
                && let What::Profile(profile) = what
            {
                refuse_reserved(&name)?;
                // Its former name said whose it is (R284).
                profile.kind = ProfileKind::UserDefined;
            }
            what.rename(name);
        }
        if let Some(name) = what.name()
            && self.names.contains(&(what.kind(), name.folded()))
        {
            let kind = what.kind().one();
            let of_csv = matches!(&*what, What::Profile(profile) if profile.kind == ProfileKind::UserImported);
            return Err(match device_of(name.as_str()).filter(|_| of_csv) {
                // Its name says whose it is and cannot be chosen (R284).
                Some(key) => FieldErrors::one(
                    "name",
                    format_args!(
                        "there is a {kind} “{name}” by now, which came with another import of {key}: delete the device {key} first, or \
                         restore this one under another name as a profile of your own"
                    ),
                ),
                None => FieldErrors::one("name", format_args!("there is a {kind} “{name}” by now; choose another name")),
            });
        }
        if let What::Profile(profile) = what
            && profile.kind == ProfileKind::UserImported
            && let Some(key) = device_of(profile.name.as_str())
            && !self.has_device(&key, of)
        {
            let sentence = format!(
                "{} belongs to the device {key}, which is another one by now or none: restore it with that device, or under another name",
                profile.name
            );
            self.left.sentences.push(sentence);
            return Ok(false);
        }
        let account = self.before.account_id;
        match what {
            What::Profile(stored) => {
                let opened = self.services.secrets.open_profile(account, stored.clone());
                let opened: Profile = opened.map_err(|error| FieldErrors::one("name", error))?;
                self.after.profiles.insert(opened.id, Arc::new(opened));
            }
            What::Site(site) => drop(self.after.sites.insert(site.id, Arc::new(site.clone()))),
            What::Group(group) => drop(self.after.groups.insert(group.id, Arc::new(group.clone()))),
            What::PersonGroup(group) => drop(self.after.person_groups.insert(group.id, Arc::new(group.clone()))),
            What::Person(person) => drop(self.after.people.insert(person.id, Arc::new(person.clone()))),
            What::Room(room) => drop(self.after.rooms.insert(room.id, Arc::new(room.clone()))),
            What::Device(_) => {}
        }
        self.names.extend(what.name().map(|name| (what.kind(), name.folded())));
        self.places.extend(what.place());
        self.labels.push((what.kind(), what.label()));
        self.objects.push(what.clone());
        Ok(true)
    }

    fn take_device(&mut self, one: &KeptDevice, of: &Deletion) -> bool {
        let key = &one.device.key;
        let label = devices::subject(&one.device);
        let is_there = self.services.roster(self.before.account_id).find(key).is_some() || self.returning.contains_key(key);
        let roster = self.services.roster(self.before.account_id);
        let sentence = if let Some(other) = one.device.mac().and_then(|mac| roster.holder(mac)).filter(|other| other != key) {
            format!("the device {other} has the MAC address of {label} by now; delete it first, then restore {label}")
        } else if is_there {
            format!("there is a device {key} by now; delete it first, then restore {label}")
        } else if self.before.blocked.contains(key) && !(one.blocked && self.is_block_of(key, of)) {
            format!("{key} was blocked since; unblock it first, then restore {label}")
        } else {
            self.labels.push((Kind::Device, label));
            self.returning.insert(key.clone(), KeptDevice::clone(one));
            return true;
        };
        self.left.sentences.push(sentence);
        false
    }

    /// Whether the device comes back, or is there still as it was at a deletion: a profile of a CSV file is for that one alone (R284).
    fn has_device(&self, key: &DeviceKey, of: &Deletion) -> bool {
        let stayed = || self.services.roster(self.before.account_id).find(key).is_some_and(|one| one.device.added_at <= of.at);
        self.returning.contains_key(key) || stayed()
    }

    /// Whether a key is held by the very deletion that is taken back.
    fn is_block_of(&self, key: &DeviceKey, of: &Deletion) -> bool {
        let row = self.services.store.read(|tx| store::blocked::get(tx, self.before.account_id, key));
        row.is_ok_and(|block| block.is_some_and(|block| (block.at, &block.by) == (of.at, &of.by)))
    }

    /// Whether something comes back that was not there.
    fn returns_profile(&self, id: ProfileId) -> bool {
        !self.before.profiles.contains_key(&id) && self.after.profiles.contains_key(&id)
    }

    fn returns_group(&self, id: GroupId) -> bool {
        !self.before.groups.contains_key(&id) && self.after.groups.contains_key(&id)
    }

    /// Profiles of places: a place that comes back gets all of its profiles that are there, another one those that come back.
    pub(super) fn take_places(&mut self, around: &Around) {
        for (place, before) in &around.places {
            let is_own = self.places.contains(place);
            let comes = |id: &_| if is_own { self.after.profile(*id).is_some() } else { self.returns_profile(*id) };
            let coming = before.iter().filter(|id| comes(id)).count();
            if deployment::name(place, &self.after).is_none() {
                self.left.places += usize::from(coming > 0);
                continue;
            }
            let mut list = self.after.deployment.get(place).cloned().unwrap_or_default();
            put_back(&mut list, before, comes);
            self.left.profiles += if is_own { before.len() - coming } else { 0 };
            if list.len() > PROFILES_PER_CONTAINER {
                self.left.full += 1;
            } else if !list.is_empty() {
                self.after.deployment.insert(place.clone(), list);
            }
        }
        let mut defaults = std::mem::take(&mut self.after.default_groups);
        put_back(&mut defaults, &around.default_groups, |id| self.returns_group(*id));
        self.after.default_groups = defaults;
    }

    /// Lists of people and devices.
    pub(super) fn take_lists(&mut self, change: &mut Change<'_>, around: &Around) -> Result<(), ServiceError> {
        for (person, before) in &around.people {
            let returns = |id: &_| !self.before.person_groups.contains_key(id) && self.after.person_groups.contains_key(id);
            if !before.iter().any(returns) {
                continue;
            }
            let Some(person) = self.after.people.get(person) else {
                self.left.people += 1;
                continue;
            };
            let mut groups = person.groups.clone();
            put_back(&mut groups, before, returns);
            if groups.len() > GROUPS_PER_DEVICE {
                self.left.full += 1;
                continue;
            }
            let person = Person { groups, ..Person::clone(person) };
            self.after.people.insert(person.id, Arc::new(person));
        }
        around.devices.iter().try_for_each(|one| self.take_device_around(change, one))
    }

    /// What a device has lost that comes back.
    fn take_device_around(&mut self, change: &mut Change<'_>, lost: &DeviceAround) -> Result<(), ServiceError> {
        let profiles = lost.profiles.iter().any(|id| self.returns_profile(*id));
        let groups = lost.groups.iter().any(|id| self.returns_group(*id));
        let owner = lost.owner.filter(|owner| self.places.contains(&place_of(*owner)));
        let site_of = |site: Option<_>| site.unwrap_or(INTERNET);
        let returns_site = |site| !self.before.sites.contains_key(&site) && self.after.sites.contains_key(&site);
        // Also one that stood elsewhere, and that only its addresses had to do with the site.
        let stood = lost.stood.as_ref().filter(|stood| {
            let waited = stood.placement.elsewhere.map(|elsewhere| elsewhere.site);
            let sites = [Some(site_of(stood.site)), waited, stood.said];
            sites.into_iter().flatten().any(returns_site) && self.after.sites.contains_key(&site_of(stood.site))
        });
        if !profiles && !groups && owner.is_none() && stood.is_none() {
            return Ok(());
        }
        let mut device = if let Some(one) = self.returning.get(&lost.key) {
            one.device.clone()
        } else if let Some(device) = self.devices.get(&lost.key) {
            device.clone()
        } else {
            match devices::stored(self.services, change, self.before.account_id, &lost.key) {
                Ok(device) => device,
                Err(ServiceError::NotFound { .. }) => {
                    self.left.devices += 1;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        };
        if profiles {
            let mut list = device.profiles.clone();
            put_back(&mut list, &lost.profiles, |id| self.returns_profile(*id));
            if list.len() > PROFILES_PER_CONTAINER { self.left.full += 1 } else { device.profiles = list }
        }
        if groups {
            let mut list = device.groups.clone();
            put_back(&mut list, &lost.groups, |id| self.returns_group(*id));
            if list.len() > GROUPS_PER_DEVICE { self.left.full += 1 } else { device.groups = list }
        }
        match (owner, device.owner) {
            (Some(owner), None) => device.owner = Some(owner),
            (Some(owner), Some(other)) if owner != other => self.left.owners += 1,
            _ => {}
        }
        if let Some(stood) = stood {
            let is_as_left = (device.site, device.placement) == (stood.left_at, stood.left_as);
            let is_pinned_again = stood.placement.pinned && !device.placement.pinned;
            if is_pinned_again || is_as_left {
                (device.site, device.placement) = (stood.site, stood.placement);
                self.standing.insert(lost.key.clone(), (stood.placement.pinned, stood.said));
            }
        }
        match self.returning.get_mut(&lost.key) {
            Some(one) => one.device = device,
            None => drop(self.devices.insert(lost.key.clone(), device)),
        }
        Ok(())
    }

    pub(super) fn check_limits(&self) -> Result<(), ServiceError> {
        let after = &self.after;
        let accounts = self.services.worlds.accounts();
        let devices: usize = accounts.into_iter().map(|account| self.services.roster(account).len()).sum();
        let all = [
            (Kind::Site, after.sites.len() - 1, SITES),
            (Kind::Group, after.groups.len(), GROUPS),
            (Kind::Person, after.people.len(), PEOPLE),
            (Kind::PersonGroup, after.person_groups.len(), PEOPLE),
            (Kind::Room, after.rooms.len(), PEOPLE),
            (Kind::Device, devices + self.returning.len(), DEVICES),
        ];
        match all.into_iter().find(|(kind, number, most)| number > most && self.labels.iter().any(|(of, _)| of == kind)) {
            Some((kind, number, most)) => {
                let what = kind.several();
                Err(ServiceError::Conflict(format!("there may be at most {most} {what}; with these there would be {number}")))
            }
            None => Ok(()),
        }
    }

    pub(super) fn write(&mut self, change: &mut Change<'_>) -> Result<(), ServiceError> {
        for what in std::mem::take(&mut self.objects) {
            change.record(Event::new(what.kind().one(), what.label(), "restored"))?;
            match what {
                What::Profile(profile) => change.put_profile(Profile::clone(&self.after.profiles[&profile.id]))?,
                What::Site(site) => change.put_site(site)?,
                What::Group(group) => change.put_group(group)?,
                What::PersonGroup(group) => change.put_person_group(group)?,
                // Written with all people, once the lists are as they will be.
                What::Person(person) => self.keep_groups_that_are_there(person.id),
                What::Room(room) => change.put_room(room)?,
                What::Device(_) => {}
            }
        }
        for (id, person) in &self.after.people {
            if self.before.people.get(id) != Some(person) {
                change.put_person(Person::clone(person))?;
            }
        }
        for (place, list) in &self.after.deployment {
            if self.before.deployment.get(place) != Some(list) {
                change.put_place(place.clone(), list.clone())?;
            }
        }
        if self.before.default_groups != self.after.default_groups {
            change.put_default_groups(self.after.default_groups.clone())?;
        }
        for device in std::mem::take(&mut self.devices).into_values() {
            change.put_device(Device { revision: device.revision + 1, ..device })?;
        }
        for one in std::mem::take(&mut self.returning).into_values() {
            self.write_device(change, one)?;
        }
        self.move_devices(change)
    }

    /// A person who comes back is in the groups that are there.
    fn keep_groups_that_are_there(&mut self, id: PersonId) {
        let World { people, person_groups, .. } = &mut self.after;
        if let Some(person) = people.get_mut(&id) {
            let person = Arc::make_mut(person);
            let groups = person.groups.len();
            person.groups.retain(|group| person_groups.contains_key(group));
            self.left.groups += groups - person.groups.len();
        }
    }

    fn write_device(&mut self, change: &mut Change<'_>, one: KeptDevice) -> Result<(), ServiceError> {
        let KeptDevice { mut device, sighting, flash, files, trust, blocked } = one;
        let (key, after) = (device.key.clone(), &self.after);
        let gone = |list: usize, there: usize| list - there;
        let (profiles, groups) = (device.profiles.len(), device.groups.len());
        device.profiles.retain(|id| after.profile(*id).is_some());
        device.groups.retain(|id| after.groups.contains_key(id));
        self.left.profiles += gone(profiles, device.profiles.len());
        self.left.groups += gone(groups, device.groups.len());
        if device.owner.is_some_and(|owner| deployment::name(&place_of(owner), after).is_none()) {
            device.owner = None;
            self.left.owners += 1;
        }
        if !after.sites.contains_key(&device.site_id()) {
            let came = sighting.public_ip.map(|seen| Origin { seen, own: device.private_ip.or(sighting.private_ip) });
            device.unpin(came.map(|came| find(&after.sites, came)), change.now());
            self.left.sentences.push(format!("the site of {} is gone", devices::label(&device)));
        }
        change.record(Event::new("device", devices::subject(&device), "restored"))?;
        change.put_device(device)?;
        change.put_sighting_back(&key, sighting)?;
        store::flash::put(change.tx(), change.account_id(), &key, &flash)?;
        for file in files {
            change.put_file(&key, file)?;
        }
        if blocked {
            change.unblock(&key)?;
        }
        change.change_trust(&key, move |now| *now = now.put_back(&trust))?;
        Ok(())
    }

    /// Sites that come back take their devices, also those that came from there first meanwhile.
    fn move_devices(&mut self, change: &mut Change<'_>) -> Result<(), ServiceError> {
        let (before, after) = (&self.before.sites, &self.after.sites);
        let back: BTreeSet<_> = after.keys().filter(|id| !before.contains_key(id)).copied().collect();
        if back.is_empty() {
            return Ok(());
        }
        // Where another site claims their addresses by now, that decides.
        let (roster, index) = (self.services.roster(self.before.account_id), SiteIndex::of_all(after));
        let says = |key: &DeviceKey| {
            let came = roster.find(key).as_ref().and_then(placing::origin);
            came.map(|came| index.find(came).map_or(INTERNET, |found| found.site))
        };
        let is_settled = |(key, (pinned, said)): &(&DeviceKey, &(bool, Option<SiteId>))| *pinned || says(key) == *said;
        let settled = self.standing.iter().filter(is_settled).map(|(key, _)| key.clone()).collect();
        placing::replace(self.services, change, before, after, &back, &settled)?;
        let sites: Vec<_> = back.iter().filter_map(|id| after.get(id)).map(|site| (**site).clone()).collect();
        self.left.sentences.extend(told_ties(&sites, after).iter().map(ToString::to_string));
        Ok(())
    }

    pub(super) fn told(self) -> Restored {
        let LeftOut { profiles, groups, places, owners, devices, people, full, sentences } = self.left;
        let all = [
            (devices, "device that hung on it is gone itself", "devices that hung on it are gone themselves"),
            (people, "person who was in it is gone", "people who were in it are gone"),
            (profiles, "profile that was attached is gone", "profiles that were attached are gone"),
            (groups, "group is gone", "groups are gone"),
            (places, "place that it was attached to is gone", "places that it was attached to are gone"),
            (
                owners,
                "device belongs to somebody else by now, or its owner is gone",
                "devices belong to others by now, or their owners are gone",
            ),
            (full, "list is full: nothing was put back into it", "lists are full: nothing was put back into them"),
        ];
        let counted = all.into_iter().filter(|(number, ..)| *number > 0);
        let counted = counted.map(|(number, one, several)| format!("{number} {}", if number == 1 { one } else { several }));
        let objects = self.labels;
        Restored { objects, left_out: counted.chain(sentences).collect() }
    }
}

fn place_of(owner: Owner) -> Place {
    match owner {
        Owner::Person(id) => Place::Person(id),
        Owner::Room(id) => Place::Room(id),
    }
}

/// What is called how; standard profiles, too.
fn names_of(world: &World) -> BTreeSet<(Kind, String)> {
    let profiles = world.all_profiles().map(|one| (Kind::Profile, one.name.folded()));
    let sites = world.sites.values().map(|one| (Kind::Site, one.name.folded()));
    let groups = world.groups.values().map(|one| (Kind::Group, one.name.folded()));
    let person_groups = world.person_groups.values().map(|one| (Kind::PersonGroup, one.name.folded()));
    let people = world.people.values().map(|one| (Kind::Person, one.name.folded()));
    let rooms = world.rooms.values().map(|one| (Kind::Room, one.name.folded()));
    profiles.chain(sites).chain(groups).chain(person_groups).chain(people).chain(rooms).collect()
}
