//! Written files that many devices share, kept for as long as the world they were written from is the current one.
//!
//! Whatever an admin changes makes another world, whose files are written anew when they are first asked for: there is nothing
//! to invalidate. A request that holds an older world gets that world's files, so no phone ever gets half of a change.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;

use crate::domain::credential::Channel;
use crate::domain::deployment::applicable;
use crate::domain::device::{Device, DeviceKey};
use crate::domain::ids::AccountId;
use crate::domain::provision::{Shape, draft, master, paths};
use crate::domain::resolution::merge;
use crate::domain::world::World;
use crate::xml::write::Prepared;

/// Bytes of written files that are kept for one account. Devices with profiles of their own share nothing; theirs are written
/// for each request once this is full.
const KEPT_BYTES: usize = 48 * 1024 * 1024;

/// The written files of all accounts.
#[derive(Debug, Default)]
pub struct Rendered {
    shelves: RwLock<BTreeMap<AccountId, Arc<Shelf>>>,
}

/// The written files of one world.
#[derive(Debug)]
struct Shelf {
    world: Arc<World>,
    prepared: RwLock<HashMap<Shape, Arc<Prepared>>>,
    bytes: AtomicUsize,
    /// The files that any profile names for phones to fetch.
    listed: Vec<Box<str>>,
    /// Files that profiles no longer name, and when that was noticed: a master file that names them may still be on its way
    /// through some phone's boot.
    former: Vec<(Timestamp, Box<str>)>,
}

/// How long a file that was named counts as named: far longer than the longest boot.
const FORMER_FOR: SignedDuration = SignedDuration::from_mins(30);
/// Files that count so at a time; the latest stay.
const FORMER_FILES: usize = 1_000;

impl Rendered {
    /// What many devices share, made and kept as of `now`.
    fn shelve(world: &Arc<World>, former: Option<&Shelf>, now: Timestamp) -> Shelf {
        let listed = listed(world);
        let mut gone: Vec<(Timestamp, Box<str>)> = former.map(|shelf| shelf.former.clone()).unwrap_or_default();
        let before = former.into_iter().flat_map(|shelf| &shelf.listed);
        gone.extend(before.filter(|entry| !listed.contains(entry)).map(|entry| (now, entry.clone())));
        gone.retain(|(at, _)| now.duration_since(*at) < FORMER_FOR);
        gone.drain(..gone.len().saturating_sub(FORMER_FILES));
        Shelf { world: Arc::clone(world), prepared: RwLock::default(), bytes: AtomicUsize::new(0), listed, former: gone }
    }

    /// The files of a device, but for its own values.
    pub fn of(&self, device: &Device, channel: Channel, world: &Arc<World>, now: Timestamp) -> Arc<Prepared> {
        let placed = applicable(device, world);
        let shape = Shape::of(device, channel, &placed, world);
        let shelf = self.shelf(world, now);
        if let Some(prepared) = shelf.as_ref().and_then(|shelf| shelf.prepared.read().get(&shape).cloned()) {
            return prepared;
        }
        let prepared = Arc::new(Prepared::new(&draft(&merge(&placed), &shape, world)));
        if let Some(shelf) = shelf {
            let bytes = prepared.size_bytes();
            if shelf.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= KEPT_BYTES {
                shelf.prepared.write().insert(shape, Arc::clone(&prepared));
            }
        }
        prepared
    }

    /// Whether any profile names this file for phones to fetch; `asked` is a [`crate::domain::phone_file::location`].
    pub fn is_listed_anywhere(&self, asked: &str, world: &Arc<World>, now: Timestamp) -> bool {
        self.any_listed(world, now, |entry| paths::names(entry, None, asked))
    }

    /// Whether a profile named this file a moment ago.
    pub fn was_listed(&self, asked: &str, world: &Arc<World>, now: Timestamp) -> bool {
        let is_fresh = |at: &Timestamp| now.duration_since(*at) < FORMER_FOR;
        let names = |(at, entry): &(Timestamp, Box<str>)| is_fresh(at) && paths::names(entry, None, asked);
        self.shelf(world, now).is_some_and(|shelf| shelf.former.iter().any(names))
    }

    /// Whether any profile names this file with the key of a device written out: phones of other devices may be sent to it too.
    pub fn is_listed_by_key(&self, asked: &str, key: &DeviceKey, world: &Arc<World>, now: Timestamp) -> bool {
        let key = key.to_string();
        self.any_listed(world, now, |entry| entry.to_ascii_lowercase().contains(&key) && paths::names(entry, None, asked))
    }

    fn any_listed(&self, world: &Arc<World>, now: Timestamp, wanted: impl Fn(&str) -> bool) -> bool {
        let any = |listed: &[Box<str>]| listed.iter().any(|entry| wanted(entry));
        self.shelf(world, now).map_or_else(|| any(&listed(world)), |shelf| any(&shelf.listed))
    }

    /// The shelf of this very world, made where the world is newer than the one on the shelf; none where it is older.
    fn shelf(&self, world: &Arc<World>, now: Timestamp) -> Option<Arc<Shelf>> {
        if let Some(shelf) = self.shelves.read().get(&world.account_id)
            && (Arc::ptr_eq(&shelf.world, world) || shelf.world.revision > world.revision)
        {
            return Arc::ptr_eq(&shelf.world, world).then(|| Arc::clone(shelf));
        }
        let mut shelves = self.shelves.write();
        match shelves.get(&world.account_id) {
            Some(current) if Arc::ptr_eq(&current.world, world) => Some(Arc::clone(current)),
            Some(current) if current.world.revision > world.revision => None,
            current => {
                let shelf = Arc::new(Self::shelve(world, current.map(Arc::as_ref), now));
                shelves.insert(world.account_id, Arc::clone(&shelf));
                Some(shelf)
            }
        }
    }
}

/// The files that the profiles of a world name for phones to fetch.
fn listed(world: &World) -> Vec<Box<str>> {
    let parameters = world.profiles.values().flat_map(|profile| profile.parameters.iter());
    parameters.flat_map(|(name, value)| master::listed(name.as_str(), value)).map(Box::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::Place;
    use crate::domain::testing::{deployed, device, profile, to, world};

    fn with_value(revision: u64, value: &str) -> Arc<World> {
        let mut world = deployed(world(), vec![(Place::Global, profile(1, &[("up.timeOut", value)]))]);
        world.revision = revision;
        Arc::new(world)
    }

    fn holds(prepared: &Prepared, world: &World, value: &str) -> bool {
        let file = prepared.parameters(&to(&device("0004f2aabbcc")), world);
        String::from_utf8_lossy(&file).contains(&format!("up.timeOut=\"{value}\""))
    }

    #[test]
    fn devices_of_one_shape_share_what_is_written() {
        let (rendered, world) = (Rendered::default(), with_value(1, "40"));
        let first = rendered.of(&device("0004f2aabbcc"), Channel::Tls, &world, Timestamp::UNIX_EPOCH);
        let second = rendered.of(&device("0004f2aabbdd"), Channel::Tls, &world, Timestamp::UNIX_EPOCH);
        assert!(Arc::ptr_eq(&first, &second) && holds(&first, &world, "40"));
    }

    #[test]
    fn a_request_gets_the_files_of_the_world_that_it_holds() {
        let (rendered, old, new) = (Rendered::default(), with_value(1, "40"), with_value(2, "50"));
        let phone = device("0004f2aabbcc");
        assert!(holds(&rendered.of(&phone, Channel::Tls, &old, Timestamp::UNIX_EPOCH), &old, "40"));
        assert!(holds(&rendered.of(&phone, Channel::Tls, &new, Timestamp::UNIX_EPOCH), &new, "50"));
        assert!(
            holds(&rendered.of(&phone, Channel::Tls, &old, Timestamp::UNIX_EPOCH), &old, "40"),
            "a request that began before the change"
        );
        assert!(Arc::ptr_eq(
            &rendered.of(&phone, Channel::Tls, &new, Timestamp::UNIX_EPOCH),
            &rendered.of(&phone, Channel::Tls, &new, Timestamp::UNIX_EPOCH)
        ));
    }

    #[test]
    fn a_file_that_a_profile_no_longer_names_counts_as_named_for_as_long_as_a_boot_may_take() {
        let naming = |revision, files: &str| {
            let mut world = deployed(world(), vec![(Place::Global, profile(1, &[("CONFIG_FILES", files)]))]);
            world.revision = revision;
            Arc::new(world)
        };
        let at = |minute: i64| Timestamp::from_second(minute * 60).expect("a time within the range");
        let (rendered, old, new) = (Rendered::default(), naming(1, "a.cfg, b.cfg"), naming(2, "b.cfg"));
        assert!(rendered.is_listed_anywhere("a.cfg", &old, at(0)));
        assert!(rendered.was_listed("a.cfg", &new, at(1)) && !rendered.was_listed("b.cfg", &new, at(1)));
        assert!(rendered.was_listed("a.cfg", &naming(3, ""), at(2)), "the world after the next knows it still");
        assert!(rendered.was_listed("a.cfg", &naming(4, ""), at(30)) && !rendered.was_listed("a.cfg", &naming(5, ""), at(31)));
    }
}
