//! What a deletion takes is kept: worked out from what the change does to World and Roster, for any change, and not by each subject. An
//! object that is added later cannot forget it, and what comes back is what went.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::domain::deployment::Place;
use crate::domain::device::{Device, DeviceKey, Owner};
use crate::domain::device_list::Listed;
use crate::domain::flash::Flash;
use crate::domain::ids::{AccountId, DeletionId, PersonGroupId, ProfileId, SiteId};
use crate::domain::recycle_bin::{Around, Deletion, DeviceAround, Hung, Kept, KeptDevice, KeptObject, NAMED, Stood, What};
use crate::domain::run::verdict::Stage;
use crate::domain::run::{Run, Subject};
use crate::domain::site::INTERNET;
use crate::domain::site::index::SiteIndex;
use crate::domain::world::World;
use crate::services::commit::{Change, Mode};
use crate::services::error::ServiceError;
use crate::services::roster::RosterChange;
use crate::services::sites::placing;
use crate::services::world::WorldChange;
use crate::services::{Services, flash, presence, runs};
use crate::store;

/// Devices around that one row tells of.
const AROUND_IN_ROW: usize = 1_000;

/// Keeps everything that a change has deleted so far, as one deletion. None where it deleted nothing, and where it is only tried out:
/// what is kept changes nothing of what the change does.
pub(in crate::services) fn keep(
    services: &Services,
    change: &Change<'_>,
    mode: Mode,
) -> Result<Option<DeletionId>, ServiceError> {
    if mode == Mode::TryOut {
        return Ok(None);
    }
    let account = change.account_id();
    let world = services.world(account)?;
    let mut gone = objects(services, change, &world)?;
    if gone.is_empty() {
        return Ok(None);
    }
    let (around, hung) = around(services, change, &world);
    for object in &mut gone {
        object.hung.add(&hung.of(&object.what));
    }
    let id = store::recycle_bin::next_id(change.tx())?;
    let (mut kinds, mut sum, mut bytes) = (BTreeMap::new(), Hung::default(), 0);
    for object in &gone {
        *kinds.entry(object.what.kind()).or_default() += 1;
        sum.add(&object.hung);
    }
    let names = gone.iter().take(NAMED).map(|object| object.what.label()).collect();
    let rows = gone.into_iter().map(|object| Kept::Object(Box::new(object))).chain(around.into_iter().map(Kept::Around));
    for (number, kept) in (1_u64..).zip(rows) {
        bytes += store::recycle_bin::put_kept(change.tx(), account, id, number, &kept)?;
    }
    let (at, by) = (change.now(), change.actor().to_owned());
    let deletion = Deletion { id, at, by, kinds, names, hung: sum, bytes };
    store::recycle_bin::put(change.tx(), account, &deletion)?;
    Ok(Some(id))
}

/// The objects that are gone, as they were.
fn objects(services: &Services, change: &Change<'_>, world: &World) -> Result<Vec<KeptObject>, ServiceError> {
    let account = change.account_id();
    let (in_world, in_roster) = change.so_far();
    let blocked: BTreeSet<&DeviceKey> =
        in_world.iter().filter_map(|one| if let WorldChange::Blocked(key) = one { Some(key) } else { None }).collect();
    let keys: HashSet<DeviceKey> =
        in_roster.iter().filter_map(|one| if let RosterChange::Gone(key) = one { Some(key.clone()) } else { None }).collect();
    let mut told = told_last(services, change, &keys)?;
    let mut gone = Vec::new();
    for one in in_roster {
        if let RosterChange::Gone(key) = one
            && let Some(listed) = services.roster(account).find(key)
        {
            gone.push(device(services, account, listed, told.remove(key).unwrap_or_default(), blocked.contains(key))?);
        }
    }
    let sealed = |profile: &Arc<_>| What::Profile(services.secrets.seal_profile(account, profile));
    for one in in_world {
        let what = match one {
            WorldChange::ProfileGone(id) => world.profiles.get(id).map(sealed),
            WorldChange::SiteGone(id) => world.sites.get(id).map(|one| What::Site((**one).clone())),
            WorldChange::GroupGone(id) => world.groups.get(id).map(|one| What::Group((**one).clone())),
            WorldChange::PersonGroupGone(id) => world.person_groups.get(id).map(|one| What::PersonGroup((**one).clone())),
            WorldChange::PersonGone(id) => world.people.get(id).map(|one| What::Person((**one).clone())),
            WorldChange::RoomGone(id) => world.rooms.get(id).map(|one| What::Room((**one).clone())),
            _ => None,
        };
        gone.extend(what.map(|what| KeptObject { what, hung: Hung::default() }));
    }
    Ok(gone)
}

/// What a device told that no batch has written.
#[derive(Default)]
struct ToldLast {
    runs: Vec<Run>,
    flash: Option<Flash>,
}

/// Takes what deleted devices told last and no batch has written: it is let go of with their rows ([`presence::Presence::forget`]). Their
/// runs go where all runs lie; one that goes on is over.
fn told_last(
    services: &Services,
    change: &Change<'_>,
    gone: &HashSet<DeviceKey>,
) -> Result<HashMap<DeviceKey, ToldLast>, ServiceError> {
    let mut told: HashMap<DeviceKey, ToldLast> = HashMap::new();
    if gone.is_empty() {
        return Ok(told);
    }
    presence::settle(services);
    let (unwritten, served) = services.presence.unwritten_of(change.account_id(), gone);
    for (_, key, flash) in flash::news(services, &served)? {
        told.entry(key).or_default().flash = Some(flash);
    }
    // What begins at this moment is already of whoever comes next.
    for finished in unwritten.into_iter().filter(|finished| finished.run.started_at <= change.now()) {
        runs::keep(change, change.account_id(), &finished)?;
        if let Subject::Device(key) = finished.subject {
            told.entry(key).or_default().runs.push(finished.run);
        }
    }
    Ok(told)
}

/// A device with its files and what it had told. The rows are gone in this transaction: they are read from before it.
fn device(
    services: &Services,
    account: AccountId,
    listed: Listed,
    told: ToldLast,
    blocked: bool,
) -> Result<KeptObject, ServiceError> {
    let device = Device::clone(&listed.device);
    let (files, flash) = services.store.read(|tx| {
        let files = store::stored_files::of(tx, account, &device.key)?;
        Ok::<_, ServiceError>((files, store::flash::get(tx, account, &device.key)?.unwrap_or_default()))
    })?;
    let (profiles, groups) = (device.profiles.len() as u64, device.groups.len() as u64);
    let hung = Hung { profiles, groups, files: files.len() as u64, ..Hung::default() };
    let trust = (*services.trusts(account).of(&device.key)).clone();
    let mut sighting = (*listed.sighting).clone();
    told.runs.iter().for_each(|run| sighting.conclude(run, Stage::Ended));
    let flash = told.flash.unwrap_or(flash);
    let what = What::Device(Box::new(KeptDevice { device, sighting, flash, files, trust, blocked }));
    Ok(KeptObject { what, hung })
}

/// How many of what hung on what.
#[derive(Default)]
struct Hanging {
    places: HashMap<ProfileId, u64>,
    devices_of_profiles: HashMap<ProfileId, u64>,
    profiles: HashMap<Place, u64>,
    devices: HashMap<Place, u64>,
    people: HashMap<PersonGroupId, u64>,
}

impl Hanging {
    fn of(&self, what: &What) -> Hung {
        let count = |number: Option<&u64>| number.copied().unwrap_or_default();
        let mut hung = Hung::default();
        if let What::Profile(profile) = what {
            hung.places = count(self.places.get(&profile.id));
            hung.devices = count(self.devices_of_profiles.get(&profile.id));
        }
        if let Some(place) = what.place() {
            hung.profiles = count(self.profiles.get(&place));
            hung.devices = count(self.devices.get(&place));
        }
        if let What::PersonGroup(group) = what {
            hung.people = count(self.people.get(&group.id));
        }
        if let What::Person(person) = what {
            hung.groups = person.groups.len() as u64;
        }
        hung
    }
}

/// How the lists stood that something was taken out of, in rows of bounded size.
fn around(services: &Services, change: &Change<'_>, world: &World) -> (Vec<Around>, Hanging) {
    let (in_world, in_roster) = change.so_far();
    let (mut around, mut hung) = (Around::default(), Hanging::default());
    for one in in_world {
        match one {
            WorldChange::Place(place, now) => {
                let before = world.deployment.get(place).filter(|before| *before != now);
                let Some(before) = before else { continue };
                for id in before.iter().filter(|id| !now.contains(id)) {
                    *hung.places.entry(*id).or_default() += 1;
                }
                hung.profiles.insert(place.clone(), before.len() as u64);
                around.places.push((place.clone(), before.clone()));
            }
            WorldChange::DefaultGroups(_) => around.default_groups.clone_from(&world.default_groups),
            WorldChange::Person(now) => {
                let before = world.people.get(&now.id).filter(|before| before.groups != now.groups);
                let Some(before) = before else { continue };
                for id in before.groups.iter().filter(|id| !now.groups.contains(id)) {
                    *hung.people.entry(*id).or_default() += 1;
                }
                around.people.push((before.id, before.groups.clone()));
            }
            _ => {}
        }
    }
    let roster = services.roster(change.account_id());
    // The last word about a device counts.
    let changed: BTreeMap<&DeviceKey, &Device> = in_roster
        .iter()
        .filter_map(|one| if let RosterChange::Device(now) = one { Some((&now.key, &**now)) } else { None })
        .collect();
    let index = LazyCell::new(|| SiteIndex::of_all(&world.sites));
    let devices = changed.into_values().filter_map(|now| {
        let listed = roster.find(&now.key)?;
        let said = || placing::origin(&listed).map(|came| index.find(came).map_or(INTERNET, |found| found.site));
        stayed(&listed.device, now, said, &mut hung)
    });
    let devices: Vec<DeviceAround> = devices.collect();
    let mut rows = vec![around];
    rows.extend(devices.chunks(AROUND_IN_ROW).map(|some| Around { devices: some.to_vec(), ..Around::default() }));
    rows.retain(|row| *row != Around::default());
    (rows, hung)
}

/// What a device that stays has lost; none where that is nothing.
fn stayed(before: &Device, now: &Device, said: impl FnOnce() -> Option<SiteId>, hung: &mut Hanging) -> Option<DeviceAround> {
    fn whole<T: Copy + PartialEq>(before: &[T], now: &[T]) -> Vec<T> {
        if before == now { Vec::new() } else { before.to_vec() }
    }
    let is_elsewhere = before.site_id() != now.site_id() || before.placement != now.placement;
    let stood = || {
        let Device { site, placement, .. } = *before;
        Stood { site, placement, said: said(), left_at: now.site, left_as: now.placement }
    };
    let lost = DeviceAround {
        key: before.key.clone(),
        profiles: whole(&before.profiles, &now.profiles),
        groups: whole(&before.groups, &now.groups),
        owner: before.owner.filter(|_| before.owner != now.owner),
        stood: is_elsewhere.then(stood),
    };
    for id in before.profiles.iter().filter(|id| !now.profiles.contains(id)) {
        *hung.devices_of_profiles.entry(*id).or_default() += 1;
    }
    let groups = before.groups.iter().filter(|id| !now.groups.contains(id)).map(|id| Place::Group(*id));
    let owner = lost.owner.map(|owner| match owner {
        Owner::Person(id) => Place::Person(id),
        Owner::Room(id) => Place::Room(id),
    });
    let site = lost.stood.as_ref().map(|_| Place::Site(before.site_id()));
    for place in groups.chain(owner).chain(site) {
        *hung.devices.entry(place).or_default() += 1;
    }
    let nothing = lost.profiles.is_empty() && lost.groups.is_empty() && lost.owner.is_none() && lost.stood.is_none();
    (!nothing).then_some(lost)
}
