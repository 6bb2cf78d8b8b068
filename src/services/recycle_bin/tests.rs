//! Deleting and putting back on a real store: everything is as it was, whatever was deleted in whichever order; and what is in the way.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::consent::Consent;
use crate::domain::deployment::Place;
use crate::domain::device::{Device, Owner, Sighting};
use crate::domain::device_file::DeviceFile;
use crate::domain::device_list::Listed;
use crate::domain::group::Group;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId, PersonGroupId, PersonId, ProfileId, RoomId, SiteId};
use crate::domain::names::Name;
use crate::domain::people::{Modified, Person, PersonGroup, Room};
use crate::domain::placement::Placement;
use crate::domain::run::{Run, RunKind};
use crate::domain::site::{Network, Site};
use crate::domain::subnet::Subnet;
use crate::domain::testing;
use crate::services::devices::Afterwards;
use crate::services::testing::{Bench, bench, newest_activity, owner};
use crate::services::{device_files, devices, groups, people, profiles, runs, sites};

fn key(number: u64) -> DeviceKey {
    format!("0004f2{number:06x}").parse().expect("a key")
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn modified() -> Modified {
    Modified { by: "ada".to_owned(), at: Timestamp::UNIX_EPOCH, revision: 1 }
}

fn group(id: u64) -> Group {
    Group {
        id: GroupId(id),
        name: name(&format!("group {id}")),
        description: String::new(),
        modified_by: "ada".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

fn site(id: u64, network: &str) -> Site {
    let networks = vec![Network { public: Subnet::parse(network).expect("a network"), private: Vec::new() }];
    Site { id: SiteId(id), name: name(&format!("site {id}")), networks, revision: 1, ..Site::internet() }
}

/// What an account holds, but for what counts changes.
#[derive(Debug, PartialEq)]
struct State {
    profiles: Vec<crate::domain::profile::Profile>,
    deployment: Vec<(Place, Vec<ProfileId>)>,
    sites: Vec<Site>,
    groups: Vec<Group>,
    default_groups: Vec<GroupId>,
    people: Vec<Person>,
    person_groups: Vec<PersonGroup>,
    rooms: Vec<Room>,
    blocked: Vec<DeviceKey>,
    devices: Vec<(Device, Sighting)>,
}

fn state(bench: &Bench) -> State {
    fn all<K, V: Clone>(map: &std::collections::BTreeMap<K, Arc<V>>) -> Vec<V> {
        map.values().map(|one| V::clone(one)).collect()
    }
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("a world");
    let device = |one: Listed| (Device { revision: 0, ..Device::clone(&one.device) }, Sighting::clone(&one.sighting));
    let mut devices: Vec<_> = bench.services.roster(DEFAULT_ACCOUNT).all().into_iter().map(device).collect();
    devices.sort_by(|a, b| a.0.key.cmp(&b.0.key));
    State {
        profiles: all(&world.profiles),
        deployment: world.deployment.clone().into_iter().collect(),
        sites: all(&world.sites),
        groups: all(&world.groups),
        default_groups: world.default_groups.clone(),
        people: all(&world.people),
        person_groups: all(&world.person_groups),
        rooms: all(&world.rooms),
        blocked: world.blocked.iter().cloned().collect(),
        devices,
    }
}

/// Ids in some order, some of them.
fn some(ids: u64) -> impl Strategy<Value = Vec<u64>> {
    proptest::sample::subsequence((1..=ids).collect::<Vec<_>>(), 0..=usize::try_from(ids).expect("few")).prop_shuffle()
}

const DEVICES: u64 = 4;
const PLACES: usize = 12;

/// An account with a few of everything, and what hangs on what.
#[derive(Clone, Debug)]
struct Furniture {
    places: Vec<Vec<u64>>,
    defaults: Vec<u64>,
    people: Vec<Vec<u64>>,
    devices: Vec<Furnished>,
}

/// Profiles, groups, owner, address, site, pinned.
type Furnished = (Vec<u64>, Vec<u64>, u8, u8, u64, bool);

fn furniture() -> impl Strategy<Value = Furniture> {
    let device = (some(4), some(3), 0..5_u8, 0..4_u8, 0..4_u64, any::<bool>());
    let lists = proptest::collection::vec(some(4), PLACES);
    (lists, some(3), proptest::collection::vec(some(2), 2), proptest::collection::vec(device, DEVICES as usize))
        .prop_map(|(places, defaults, people, devices)| Furniture { places, defaults, people, devices })
}

fn places() -> [Place; PLACES] {
    [
        Place::Global,
        Place::Model("VVX 411".to_owned()),
        Place::Group(GroupId(1)),
        Place::Group(GroupId(2)),
        Place::Group(GroupId(3)),
        Place::Site(SiteId(2)),
        Place::Site(SiteId(3)),
        Place::Person(PersonId(1)),
        Place::Person(PersonId(2)),
        Place::PersonGroup(PersonGroupId(1)),
        Place::PersonGroup(PersonGroupId(2)),
        Place::Room(RoomId(1)),
    ]
}

fn furnish(bench: &Bench, with: &Furniture) {
    let ids = |list: &[u64]| list.iter().copied().map(ProfileId).collect::<Vec<_>>();
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        for id in 1..=4 {
            change.put_profile(testing::profile(id, &[("up.a", &id.to_string()), ("reg.1.auth.password", "CANARY_BIN")]))?;
        }
        (1..=3).try_for_each(|id| change.put_group(group(id)))?;
        change.put_site(site(2, "10.1.0.0/16"))?;
        change.put_site(site(3, "10.1.2.0/24"))?;
        for (id, groups) in (1..).zip(&with.people) {
            let groups = groups.iter().copied().map(PersonGroupId).collect();
            change.put_person(Person { groups, ..testing::person(id, &[]) })?;
            let (id, name) = (PersonGroupId(id), name(&format!("people {id}")));
            change.put_person_group(PersonGroup { id, name, description: String::new(), modified: modified() })?;
        }
        change.put_room(Room { id: RoomId(1), name: name("Hall"), description: String::new(), modified: modified() })?;
        for (place, list) in places().into_iter().zip(&with.places) {
            change.put_place(place, ids(list))?;
        }
        change.put_default_groups(with.defaults.iter().copied().map(GroupId).collect())?;
        for (number, (profiles, groups, owner, _, at, pinned)) in (1..).zip(&with.devices) {
            let owner = match owner {
                0 | 1 => Some(Owner::Person(PersonId(u64::from(*owner) + 1))),
                2 => Some(Owner::Room(RoomId(1))),
                _ => None,
            };
            let groups = groups.iter().copied().map(GroupId).collect();
            let mut device = Device { profiles: ids(profiles), groups, owner, ..testing::device(&key(number).to_string()) };
            if *at > 0 {
                device.pin(SiteId(*at), change.now());
                device.placement = Placement { pinned: *pinned, ..device.placement };
            }
            change.put_device(device)?;
        }
        Ok(())
    })
    .expect("furnished");
    for (number, (_, _, _, address, at, pinned)) in (1..).zip(&with.devices) {
        // Whoever came has a site: the one that no person said, where it came from.
        let seen = match at {
            0 => None,
            _ if *pinned => ["10.1.2.3", "10.1.9.9", "192.0.2.1"].get(usize::from(*address)),
            1 => Some(&"192.0.2.1"),
            2 => Some(&"10.1.9.9"),
            _ => Some(&"10.1.2.3"),
        };
        let seen = seen.and_then(|text| text.parse().ok());
        bench.services.roster(DEFAULT_ACCOUNT).sight(&key(number), |sighting| {
            sighting.public_ip = seen;
            sighting.last_seen = seen.map(|_| bench.clock.now());
        });
    }
}

/// One act of deleting: what kind, and which of them.
fn acts() -> impl Strategy<Value = Vec<(usize, Vec<u64>)>> {
    proptest::collection::vec((0..7_usize, some(4)), 1..4)
}

fn delete(bench: &Bench, kind: usize, wanted: &[u64]) -> Option<DeletionId> {
    let (services, actor, account) = (&bench.services, owner(), DEFAULT_ACCOUNT);
    let world = services.world(account).expect("a world");
    fn ids<I: Ord + Copy>(wanted: &[u64], make: fn(u64) -> I, is_there: impl Fn(&I) -> bool) -> BTreeSet<I> {
        wanted.iter().map(|id| make(*id)).filter(is_there).collect()
    }
    let deleted = match kind {
        0 => {
            let keys =
                wanted.iter().map(|number| key(*number)).filter(|key| services.roster(account).find(key).is_some()).collect();
            let afterwards = if wanted.len() == 1 { Afterwards::Block } else { Afterwards::Forget };
            devices::delete_all(services, &actor, account, &keys, afterwards, Mode::Keep).map(|gone| gone.deletion)
        }
        1 => {
            let ids = ids(wanted, ProfileId, |id| world.profiles.contains_key(id));
            profiles::delete_all(services, &actor, account, &ids, Mode::Keep).map(|gone| gone.deletion)
        }
        2 => {
            let ids = ids(wanted, GroupId, |id| world.groups.contains_key(id));
            groups::delete_all(services, &actor, account, &ids, Mode::Keep).map(|gone| gone.deletion)
        }
        3 => {
            let ids = ids(wanted, SiteId, |id| id.0 > 1 && world.sites.contains_key(id));
            sites::delete_all(services, &actor, account, &ids, Mode::Keep).map(|gone| gone.deletion)
        }
        4 => {
            let ids = ids(wanted, PersonId, |id| world.people.contains_key(id));
            people::delete_all::<Person>(services, &actor, account, &ids, Mode::Keep).map(|gone| gone.deletion)
        }
        5 => {
            let ids = ids(wanted, PersonGroupId, |id| world.person_groups.contains_key(id));
            people::delete_all::<PersonGroup>(services, &actor, account, &ids, Mode::Keep).map(|gone| gone.deletion)
        }
        _ => {
            let ids = ids(wanted, RoomId, |id| world.rooms.contains_key(id));
            people::delete_all::<Room>(services, &actor, account, &ids, Mode::Keep).map(|gone| gone.deletion)
        }
    };
    deleted.expect("deleted")
}

fn undo(bench: &Bench, wanted: &[DeletionId]) -> Result<Restored, ServiceError> {
    let wanted: Vec<Wanted> = wanted.iter().copied().map(Wanted::from).collect();
    restore(&bench.services, &owner(), DEFAULT_ACCOUNT, &wanted, &Names::new(), Mode::Keep)
}

/// One device in one group, with one profile.
fn small() -> Bench {
    let bench = bench();
    let nothing = vec![Vec::new(); PLACES];
    let device = (vec![1, 2], vec![1, 2], 0, 0, 0, false);
    let with = Furniture { places: nothing, defaults: vec![1], people: vec![vec![1], vec![]], devices: vec![device] };
    furnish(&bench, &with);
    bench
}

mod in_the_way;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..testing::property_config() })]

    /// Whatever is deleted, undone one by one it is as it was, and so it is undone all at once; also after a restart.
    #[test]
    fn what_is_undone_is_as_it_was(with in furniture(), acts in acts(), at_once in any::<bool>()) {
        let bench = bench();
        furnish(&bench, &with);
        let before = state(&bench);
        let mut states = Vec::new();
        let mut deletions = Vec::new();
        for (kind, wanted) in &acts {
            states.push(state(&bench));
            match delete(&bench, *kind, wanted) {
                Some(deletion) => deletions.push(deletion),
                None => drop(states.pop()),
            }
        }
        if at_once {
            let restored = undo(&bench, &deletions).expect("restored");
            prop_assert_eq!(&restored.left_out, &Vec::<String>::new());
        } else {
            while let Some((deletion, then)) = deletions.pop().zip(states.pop()) {
                let restored = undo(&bench, &[deletion]).expect("restored");
                prop_assert_eq!(&restored.left_out, &Vec::<String>::new());
                prop_assert_eq!(state(&bench), then);
            }
        }
        prop_assert_eq!(&state(&bench), &before);
        prop_assert_eq!(list(&bench.services, DEFAULT_ACCOUNT).expect("listed"), vec![]);
        let kept = bench.services.store.read(store::recycle_bin::files).expect("read");
        prop_assert!(kept.is_empty());
        let bench = bench.restarted();
        let mut after = state(&bench);
        // What devices tell is written with the next batch.
        for (device, then) in after.devices.iter_mut().zip(&before.devices) {
            device.1 = then.1.clone();
        }
        prop_assert_eq!(after, before);
    }
}

#[test]
fn a_device_comes_back_with_files_runs_logs_and_trust_and_nobody_has_them_meanwhile() {
    let bench = small();
    let services = &bench.services;
    let blob = services.blobs.put(b"<overrides/>").expect("kept");
    let file = DeviceFile {
        name: "phone.cfg".to_owned(),
        size_bytes: blob.size_bytes,
        sha256: blob.sha256,
        at: bench.clock.now(),
        blob: blob.blob.clone(),
        by: None,
        version: 1,
        former: Vec::new(),
    };
    let run = empty_run(bench.clock.now());
    commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        change.put_file(&key(1), file.clone())?;
        change.change_trust(&key(1), |trust| {
            trust.generation = 3;
            trust.bound_at = Some(Timestamp::UNIX_EPOCH);
            trust.expect(Timestamp::UNIX_EPOCH);
        })?;
        Ok(store::runs::put(change.tx(), DEFAULT_ACCOUNT, &Subject::Device(key(1)), &run, 20, change.now())?)
    })
    .expect("stored");
    let draft = services.blobs.logs().draft().expect("a draft");
    services.blobs.logs().keep(DEFAULT_ACCOUNT, &key(1), "boot.log", bench.clock.now(), draft).expect("kept");
    let logs = || device_files::logs(services, DEFAULT_ACCOUNT, &key(1)).expect("listed").len();
    let runs = || {
        let listed = runs::of(services, DEFAULT_ACCOUNT, &Subject::Device(key(1))).expect("listed").len();
        let counts =
            runs::counts(services, DEFAULT_ACCOUNT, &std::collections::BTreeSet::from([key(1), key(2)])).expect("counted");
        assert_eq!(counts, std::collections::HashMap::from_iter((listed > 0).then(|| (key(1), listed))));
        listed
    };
    assert_eq!((logs(), runs()), (1, 1));
    bench.clock.advance_to(bench.clock.now() + SignedDuration::from_secs(60));

    let deletion = delete(&bench, 0, &[1]).expect("deleted");
    let deleted = list(services, DEFAULT_ACCOUNT).expect("listed").remove(0);
    assert_eq!((deleted.by.as_str(), deleted.objects(), deleted.hung.files), ("ada", 1, 1));
    assert_eq!((logs(), runs()), (0, 0));
    assert!(services.trusts(DEFAULT_ACCOUNT).of(&key(1)).bound_at.is_none());
    assert!(services.roster(DEFAULT_ACCOUNT).file(&key(1), "phone.cfg").is_none());
    let named = services.store.read(store::recycle_bin::files).expect("read");
    assert_eq!(named.len(), 1, "its content is named, and stays over a restart and in backups");
    services.sweep().expect("swept");
    assert!(services.blobs.has(&file.blob));

    undo(&bench, &[deletion]).expect("restored");
    assert_eq!((logs(), runs()), (1, 1));
    assert_eq!(services.roster(DEFAULT_ACCOUNT).file(&key(1), "phone.cfg"), Some(file));
    let trust = services.trusts(DEFAULT_ACCOUNT).of(&key(1));
    assert_eq!((trust.generation, trust.bound_at, trust.deleted_at), (3, Some(Timestamp::UNIX_EPOCH), None));
    assert_eq!(trust.expected_until, None, "doors that were open for a time stay closed");
    assert!(services.world(DEFAULT_ACCOUNT).expect("a world").blocked.is_empty());
    assert_eq!(newest_activity(services), format!("ada: device {} restored", key(1)));
}

#[test]
fn what_was_taken_away_from_a_key_meanwhile_stays_away() {
    let bench = small();
    let services = &bench.services;
    let deletion = delete(&bench, 0, &[1, 2]).expect("deleted");
    commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        change.change_trust(&key(1), |trust| (trust.generation, trust.oldest_generation) = (7, 6)).map(drop)
    })
    .expect("another device of this key came and went");
    undo(&bench, &[deletion]).expect("restored");
    let trust = services.trusts(DEFAULT_ACCOUNT).of(&key(1));
    assert_eq!((trust.generation, trust.oldest_generation), (7, 6));
}

#[test]
fn after_thirty_days_it_is_gone_for_good_with_files_runs_and_logs() {
    let bench = small();
    let services = &bench.services;
    let blob = services.blobs.put(b"x").expect("kept");
    let file = DeviceFile {
        name: "phone.cfg".to_owned(),
        size_bytes: 1,
        sha256: blob.sha256,
        at: bench.clock.now(),
        blob: blob.blob.clone(),
        by: None,
        version: 1,
        former: Vec::new(),
    };
    let run = empty_run(bench.clock.now());
    commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        change.put_file(&key(1), file)?;
        Ok(store::runs::put(change.tx(), DEFAULT_ACCOUNT, &Subject::Device(key(1)), &run, 20, change.now())?)
    })
    .expect("stored");
    bench.clock.advance_to(bench.clock.now() + SignedDuration::from_secs(1));
    let deletion = delete(&bench, 0, &[1]).expect("deleted");
    let sweep = || crate::services::retention::run(services, crate::services::retention::Keep::default()).expect("run").deletions;
    bench.clock.advance_to(bench.clock.now() + SignedDuration::from_hours(24 * BIN_DAYS));
    assert_eq!(sweep(), 0, "thirty days are not over");
    bench.clock.advance_to(bench.clock.now() + SignedDuration::from_secs(1));
    assert_eq!(sweep(), 1);
    assert!(!services.blobs.has(&blob.blob));
    let stored = services.store.read(|tx| store::runs::of(tx, DEFAULT_ACCOUNT, &Subject::Device(key(1)))).expect("read");
    assert_eq!(stored, []);
    assert!(matches!(undo(&bench, &[deletion]), Err(ServiceError::Absent(_))));
}

#[test]
fn the_oldest_make_room() {
    let of = |id, at: i64, number, bytes| Deletion {
        id: DeletionId(id),
        at: Timestamp::from_second(at).expect("a time"),
        by: String::new(),
        kinds: std::collections::BTreeMap::from([(Kind::Device, number)]),
        names: Vec::new(),
        hung: crate::domain::recycle_bin::Hung::default(),
        bytes,
    };
    let ids = |ids: &[u64]| ids.iter().copied().map(DeletionId).collect::<Vec<_>>();
    let most = BIN_OBJECTS as u64;
    assert_eq!(over(&[of(3, 30, 1, 1), of(2, 20, most, 1), of(1, 10, 1, 1)], Timestamp::MIN), ids(&[2, 1]));
    assert_eq!(over(&[of(3, 30, most + 1, BIN_BYTES + 1)], Timestamp::MIN), ids(&[]), "the newest one stays");
    assert_eq!(over(&[of(3, 30, 1, 1), of(2, 20, 1, 1)], Timestamp::from_second(25).expect("a time")), ids(&[2]));
    let many: Vec<Deletion> = (0..=BIN_DELETIONS as u64).rev().map(|id| of(id, 1, 1, 1)).collect();
    assert_eq!(over(&many, Timestamp::MIN), ids(&[0]));
}

#[test]
fn secrets_lie_sealed_in_the_bin_and_viewers_restore_nothing() {
    let bench = small();
    let services = &bench.services;
    let deletion = delete(&bench, 1, &[1]).expect("deleted");
    let rows = services.store.read(|tx| store::recycle_bin::kept(tx, DEFAULT_ACCOUNT, deletion)).expect("read");
    assert!(!format!("{rows:?}").contains("CANARY_BIN"));
    let viewer = match owner() {
        Actor::User { id, name, account, confirmed, consent, .. } => {
            Actor::User { id, name, role: crate::domain::user::Role::Operator, account, confirmed, consent }
        }
        other => other,
    };
    let denied = restore(services, &viewer, DEFAULT_ACCOUNT, &[deletion.into()], &Names::new(), Mode::Keep);
    assert!(matches!(denied, Err(ServiceError::Denied(_))));
    let denied = purge(services, &viewer, DEFAULT_ACCOUNT, &BTreeSet::from([deletion]), Mode::Keep);
    assert!(matches!(denied, Err(ServiceError::Denied(_))));
    undo(&bench, &[deletion]).expect("restored");
    let world = services.world(DEFAULT_ACCOUNT).expect("a world");
    assert_eq!(world.profiles[&ProfileId(1)].parameters.get("reg.1.auth.password"), Some("CANARY_BIN"));
}

#[test]
fn an_undo_is_known_by_its_mark_unless_something_changed() {
    let bench = small();
    let services = &bench.services;
    let undo = |deletion: DeletionId, shown: Option<String>| {
        let actor = owner().with_consent(Consent::of_person(shown));
        restore(services, &actor, DEFAULT_ACCOUNT, &[deletion.into()], &Names::new(), Mode::Keep).map(drop)
    };
    let deletion = delete(&bench, 1, &[1]).expect("deleted");
    let mark = undo_mark(services, &owner(), DEFAULT_ACCOUNT, deletion);
    assert!(matches!(undo(deletion, None), Err(ServiceError::Unconfirmed)), "nobody was shown it");
    undo(deletion, mark).expect("what is undone is what was done");
    let deletion = delete(&bench, 1, &[1]).expect("deleted");
    let mark = undo_mark(services, &owner(), DEFAULT_ACCOUNT, deletion);
    commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| change.put_profile(testing::profile(2, &[("up.a", "7")])))
        .expect("stored");
    assert!(matches!(undo(deletion, mark), Err(ServiceError::Unconfirmed)), "another value comes back over");
}

/// A run of no request.
fn empty_run(at: Timestamp) -> Run {
    Run {
        started_at: at,
        ended_at: at,
        address: [192, 0, 2, 7].into(),
        user_agent: String::new(),
        kind: RunKind::Poll,
        complete: false,
        shown: Vec::new(),
        exchanges: Vec::new(),
        left_out: 0,
    }
}
