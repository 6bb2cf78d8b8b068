//! What a change does beside what devices are served: which objects come and go, and which devices stand elsewhere then
//! (contract 5.15).
//!
//! Pure. No time and nothing that phones change by polling has a part in it, and what is new is known by its name: two previews of
//! one change are the same.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::deployment::{Place, subject};
use super::device::{Device, DeviceKey, Owner};
use super::ids::{GroupId, PersonId, ProfileId, SiteId};
use super::people::Person;
use super::world::World;

/// What a change does to objects and to where devices stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rearrangement {
    /// Objects that are gone, with what they are, such as `device group Lobby`; names of one kind stand together.
    pub gone: Vec<(&'static str, String)>,
    /// Objects that are new.
    pub added: Vec<(&'static str, String)>,
    /// Devices that are no longer managed, by their keys.
    pub removed: Vec<String>,
    /// Devices that go from one site to another.
    pub moved: BTreeMap<(String, String), usize>,
    /// Devices whose move to *Internet* waits for somebody's word.
    pub waiting: usize,
    /// Devices whose move waits no more and that keep their site.
    pub kept: usize,
    /// Devices that nobody's word keeps at their site any more.
    pub unpinned: usize,
    /// Devices that stay at their site whatever their addresses say.
    pub pinned: usize,
    /// Devices that leave device groups.
    pub left: BTreeMap<String, usize>,
    /// Devices that join device groups.
    pub joined: BTreeMap<String, usize>,
    /// Devices that have the same groups in another order.
    pub reordered: usize,
    /// Devices that belong to nobody then.
    pub ownerless: usize,
    /// Devices that belong to another person or room.
    pub owned: usize,
    /// Devices that lose profiles of their own list.
    pub stripped: usize,
    /// People who leave groups of people, and how many devices are theirs.
    pub people_left: BTreeMap<String, (BTreeSet<String>, usize)>,
    /// People who join groups of people, and how many devices are theirs.
    pub people_joined: BTreeMap<String, (BTreeSet<String>, usize)>,
    /// Profiles that places do not have any more.
    pub detached: BTreeMap<String, Vec<String>>,
    /// Resource files that have another content then.
    pub replaced: Vec<String>,
    /// Whether the groups that new devices join are others.
    pub defaults: bool,
    /// Whether there is anything, also what no sentence tells, such as another order of profiles.
    pub is_any: bool,
    /// Hash of all of it, key by key.
    pub digest: [u8; 32],
}

/// Looks at a change: at both worlds once, and at each device.
pub struct Watch<'w> {
    before: &'w World,
    after: &'w World,
    found: Rearrangement,
    /// People whose groups are others.
    regrouped: BTreeMap<PersonId, (&'w Person, &'w Person)>,
    /// What is hashed in the end, in its order.
    told: BTreeSet<String>,
}

impl<'w> Watch<'w> {
    /// Looks at the worlds before and after.
    pub fn new(before: &'w World, after: &'w World) -> Self {
        let found = Rearrangement { defaults: before.default_groups != after.default_groups, ..Rearrangement::default() };
        let mut watch = Self { before, after, found, regrouped: BTreeMap::new(), told: BTreeSet::new() };
        watch.kind("site", &before.sites, &after.sites, |site| site.name.to_string());
        watch.kind("profile", &before.profiles, &after.profiles, |profile| profile.name.to_string());
        watch.kind("device group", &before.groups, &after.groups, |group| group.name.to_string());
        watch.kind("person", &before.people, &after.people, |person| person.name.to_string());
        watch.kind("person group", &before.person_groups, &after.person_groups, |group| group.name.to_string());
        watch.kind("room", &before.rooms, &after.rooms, |room| room.name.to_string());
        watch.resources();
        watch.people();
        watch.places();
        if watch.found.defaults {
            let told = format!("defaults {} > {}", watch.groups(&before.default_groups), watch.groups(&after.default_groups));
            watch.told.insert(told);
        }
        watch
    }

    fn kind<K: Ord + ToString, V>(
        &mut self,
        what: &'static str,
        before: &BTreeMap<K, V>,
        after: &BTreeMap<K, V>,
        name: impl Fn(&V) -> String,
    ) {
        if before.keys().eq(after.keys()) {
            return;
        }
        for (id, one) in before.iter().filter(|(id, _)| !after.contains_key(id)) {
            self.told.insert(format!("gone {what} {}", id.to_string()));
            self.found.gone.push((what, name(one)));
        }
        for one in after.iter().filter(|(id, _)| !before.contains_key(id)).map(|(_, one)| name(one)) {
            self.told.insert(format!("new {what} {one}"));
            self.found.added.push((what, one));
        }
    }

    fn resources(&mut self) {
        let (before, after) = (self.before.resources.all(), self.after.resources.all());
        self.kind("resource file", before, after, |one| one.path.to_string());
        for (id, was) in before {
            let Some(is) = after.get(id).filter(|is| is.sha256 != was.sha256) else { continue };
            self.told.insert(format!("content of {id} {} > {}", was.sha256, is.sha256));
            self.found.replaced.push(is.path.to_string());
        }
    }

    fn people(&mut self) {
        let (before, after) = (self.before, self.after);
        for (id, was) in &before.people {
            let Some(is) = after.people.get(id).filter(|is| is.groups != was.groups) else { continue };
            let (was, is): (&Person, &Person) = (was, is);
            self.regrouped.insert(*id, (was, is));
            self.told.insert(format!("person {id} {:?} > {:?}", was.groups, is.groups));
            for (from, to, of) in [(was, is, &mut self.found.people_left), (is, was, &mut self.found.people_joined)] {
                for group in from.groups.iter().filter(|group| !to.groups.contains(group)) {
                    let groups = before.person_groups.get(group).or_else(|| after.person_groups.get(group));
                    let name = groups.map_or_else(|| group.to_string(), |group| group.name.to_string());
                    of.entry(name).or_default().0.insert(was.name.to_string());
                }
            }
        }
    }

    fn places(&mut self) {
        let (before, after) = (self.before, self.after);
        let all: BTreeSet<&Place> = before.deployment.keys().chain(after.deployment.keys()).collect();
        let of = |world: &'w World, place: &Place| world.deployment.get(place).map(Vec::as_slice).unwrap_or_default();
        for place in all {
            let (was, is) = (of(before, place), of(after, place));
            if was == is {
                continue;
            }
            self.told.insert(format!("{place:?} {} > {}", self.profiles(was), self.profiles(is)));
            // A profile that is gone is told as such.
            let lost = was.iter().filter(|id| !is.contains(id) && after.profile(**id).is_some());
            let names: Vec<String> = lost.filter_map(|id| before.profile(*id)).map(|one| one.name.to_string()).collect();
            if !names.is_empty() {
                self.found.detached.insert(subject(place, before), names);
            }
        }
    }

    /// Looks at a device that is there before and after.
    pub fn device(&mut self, was: &Device, is: &Device) {
        if !self.regrouped.is_empty() {
            self.theirs(was);
        }
        if std::ptr::eq(was, is) || stand(was) == stand(is) {
            return;
        }
        let told = format!("{} {} > {}", was.key, self.written(was), self.written(is));
        self.told.insert(told);
        self.site(was, is);
        let name = |groups: &World, id: &GroupId| groups.groups.get(id).map(|group| group.name.to_string());
        for id in was.groups.iter().filter(|id| !is.groups.contains(id)) {
            *self.found.left.entry(name(self.before, id).unwrap_or_default()).or_default() += 1;
        }
        for id in is.groups.iter().filter(|id| !was.groups.contains(id)) {
            *self.found.joined.entry(name(self.after, id).unwrap_or_default()).or_default() += 1;
        }
        let is_reordered = was.groups.len() == is.groups.len() && was.groups.iter().all(|id| is.groups.contains(id));
        self.found.reordered += usize::from(is_reordered && was.groups != is.groups);
        match is.owner {
            owner if owner == was.owner => {}
            None => self.found.ownerless += 1,
            Some(_) => self.found.owned += 1,
        }
        self.found.stripped += usize::from(was.profiles.iter().any(|id| !is.profiles.contains(id)));
    }

    fn site(&mut self, was: &Device, is: &Device) {
        let found = &mut self.found;
        if was.site_id() != is.site_id() {
            let name =
                |world: &World, id: SiteId| world.sites.get(&id).map_or_else(|| id.to_string(), |site| site.name.to_string());
            let way = (name(self.before, was.site_id()), name(self.after, is.site_id()));
            *found.moved.entry(way).or_default() += 1;
        }
        let (waited, waits) = (was.waiting_move().is_some(), is.waiting_move().is_some());
        found.waiting += usize::from(waits && !waited);
        found.kept += usize::from(waited && !waits && was.site_id() == is.site_id());
        found.unpinned += usize::from(was.placement.pinned && !is.placement.pinned);
        found.pinned += usize::from(!was.placement.pinned && is.placement.pinned);
    }

    /// Counts the devices of people whose groups are others.
    fn theirs(&mut self, device: &Device) {
        let Some(Owner::Person(id)) = device.owner else { return };
        let Some(&(was, is)) = self.regrouped.get(&id) else { return };
        self.told.insert(format!("{} is of {id}", device.key));
        for (from, to, of) in [(was, is, &mut self.found.people_left), (is, was, &mut self.found.people_joined)] {
            for group in from.groups.iter().filter(|group| !to.groups.contains(group)) {
                let groups = self.before.person_groups.get(group).or_else(|| self.after.person_groups.get(group));
                let counted = groups.and_then(|group| of.get_mut(group.name.as_str()));
                counted.into_iter().for_each(|(_, devices)| *devices += 1);
            }
        }
    }

    /// Notes a device that is new.
    pub fn added(&mut self, device: &Device) {
        let told = format!("new {} {}", device.key, self.written(device));
        self.told.insert(told);
    }

    /// Notes a device that is gone.
    pub fn removed(&mut self, key: &DeviceKey) {
        self.told.insert(format!("gone {key}"));
        self.found.removed.push(key.to_string());
    }

    /// What was found.
    pub fn found(mut self) -> Rearrangement {
        self.found.removed.sort_unstable();
        self.found.is_any = !self.told.is_empty();
        let mut digest = Sha256::new();
        for line in &self.told {
            digest.update(line.len().to_le_bytes());
            digest.update(line);
        }
        self.found.digest = digest.finalize().into();
        self.found
    }

    fn written(&self, device: &Device) -> String {
        let (site, pinned, waits, declined, groups, owner, profiles) = stand(device);
        let site =
            token(site, self.before.sites.contains_key(&site), || self.after.sites.get(&site).map(|one| one.name.as_str()));
        let owner = match owner {
            Some(Owner::Person(id)) => {
                token(id, self.before.people.contains_key(&id), || self.after.people.get(&id).map(|one| one.name.as_str()))
            }
            Some(Owner::Room(id)) => {
                token(id, self.before.rooms.contains_key(&id), || self.after.rooms.get(&id).map(|one| one.name.as_str()))
            }
            None => String::new(),
        };
        let (groups, profiles) = (self.groups(groups), self.profiles(profiles));
        format!("{site} {pinned} {waits} {declined} [{groups}] {owner:?} [{profiles}]")
    }

    fn groups(&self, groups: &[GroupId]) -> String {
        let one = |id: &GroupId| {
            let name = || self.after.groups.get(id).map(|group| group.name.as_str());
            token(*id, self.before.groups.contains_key(id), name)
        };
        groups.iter().map(one).collect::<Vec<_>>().join(",")
    }

    fn profiles(&self, profiles: &[ProfileId]) -> String {
        let one = |id: &ProfileId| {
            let name = || self.after.profile(*id).map(|profile| profile.name.as_str());
            token(*id, self.before.profile(*id).is_some(), name)
        };
        profiles.iter().map(one).collect::<Vec<_>>().join(",")
    }
}

/// By what an object is known again: its number, or its name where the change makes it and the number may be another one next time.
fn token<'n>(id: impl ToString, is_known: bool, name: impl FnOnce() -> Option<&'n str>) -> String {
    match name().filter(|_| !is_known) {
        Some(name) => format!("{name:?}"),
        None => id.to_string(),
    }
}

/// Site, whether it is pinned, waits to leave, or was told to stay; groups, owner, profiles of its own list.
type Stand<'d> = (SiteId, bool, bool, bool, &'d [GroupId], Option<Owner>, &'d [ProfileId]);

fn stand(device: &Device) -> Stand<'_> {
    let declined = device.placement.elsewhere.is_some_and(|elsewhere| elsewhere.declined);
    let waits = device.waiting_move().is_some();
    (device.site_id(), device.placement.pinned, waits, declined, &device.groups, device.owner, &device.profiles)
}

/// Names of one kind that a sentence lists, and sentences of one kind; the rest is counted.
const NAMED: usize = 10;

impl Rearrangement {
    /// Whether nothing comes, goes or stands elsewhere.
    pub fn is_empty(&self) -> bool {
        !self.is_any
    }

    /// What it does, a sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let mut told = Vec::new();
        self.tell_gone(&mut told);
        self.tell_sites(&mut told);
        self.tell_groups(&mut told);
        let owners = [
            (self.ownerless, "belongs", "belong", "to nobody then"),
            (self.owned, "gets", "get", "another owner"),
            (self.stripped, "loses", "lose", "profiles attached to the device itself"),
        ];
        told.extend(owners.into_iter().filter_map(|(count, one, several, what)| about(count, one, several, what)));
        for (people, verb) in [(&self.people_left, ("leaves", "leave")), (&self.people_joined, ("joins", "join"))] {
            bounded(people, &mut told, |group, (people, devices)| {
                let verb = if people.len() == 1 { verb.0 } else { verb.1 };
                format!("{} {verb} the person group {group}: {} to them.", listed(people), told_belong(*devices))
            });
        }
        bounded(&self.detached, &mut told, |place, profiles| {
            let (do_not, stay) = if profiles.len() == 1 { ("does", "it stays itself") } else { ("do", "they stay themselves") };
            format!("{} {do_not} not reach anybody by {place} any more; {stay}.", listed(profiles))
        });
        told
    }

    fn tell_gone(&self, told: &mut Vec<String>) {
        let gone: Vec<String> = self.gone.iter().map(|(kind, name)| format!("{kind} {name}")).collect();
        for (verb, names) in [("Deleted", &gone), ("No longer managed", &self.removed)] {
            told.extend((!names.is_empty()).then(|| format!("{verb}: {}.", listed(names))));
        }
        if !self.replaced.is_empty() {
            told.push(format!("Another content: resource file {}.", listed(&self.replaced)));
        }
    }

    fn tell_sites(&self, told: &mut Vec<String>) {
        bounded(&self.moved, told, |(from, to), count| {
            let verb = if *count == 1 { "1 device moves".to_owned() } else { format!("{count} devices move") };
            format!("{verb} from {from} to {to}.")
        });
        let by_word = [
            (self.waiting, "keeps its site and waits", "keep their site and wait", "under Pending moves"),
            (self.kept, "keeps its site", "keep their site", "until it comes from somewhere else again"),
            (self.unpinned, "loses its pin", "lose their pin", ": addresses say again where it belongs"),
            (self.pinned, "is pinned", "are pinned", "to a site"),
        ];
        told.extend(by_word.into_iter().filter_map(|(count, one, several, what)| about(count, one, several, what)));
    }

    fn tell_groups(&self, told: &mut Vec<String>) {
        for (groups, one, several) in [(&self.left, "leaves", "leave"), (&self.joined, "joins", "join")] {
            bounded(groups, told, |group, count| {
                let verb = if *count == 1 { format!("1 device {one}") } else { format!("{count} devices {several}") };
                format!("{verb} the device group {group}.")
            });
        }
        told.extend(about(self.reordered, "has its", "have their", "groups in another order"));
        if self.defaults {
            told.push("New devices join other groups by themselves.".to_owned());
        }
    }
}

fn told_belong(devices: usize) -> String {
    if devices == 1 { "1 device belongs".to_owned() } else { format!("{devices} devices belong") }
}

fn about(count: usize, one: &str, several: &str, what: &str) -> Option<String> {
    let verb = match count {
        0 => return None,
        1 => format!("1 device {one}"),
        _ => format!("{count} devices {several}"),
    };
    let space = if what.starts_with(':') { "" } else { " " };
    Some(format!("{verb}{space}{what}."))
}

fn listed<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    let named = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn bounded<K, V>(all: &BTreeMap<K, V>, told: &mut Vec<String>, sentence: impl Fn(&K, &V) -> String) {
    told.extend(all.iter().take(NAMED).map(|(key, value)| sentence(key, value)));
    if all.len() > NAMED {
        told.push(format!("The same happens at {} more.", all.len() - NAMED));
    }
}

#[cfg(test)]
#[path = "rearrangement_tests.rs"]
mod tests;
