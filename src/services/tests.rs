//! State as a whole: memory follows the store, nothing secret lies open, and failures undo.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::activity::ActivityQuery;
use super::commit::{Change, commit, try_out};
use super::testing::{Bench, bench, grant};
use super::*;
use crate::domain::access::{Action, Grant};
use crate::domain::activity::Event;
use crate::domain::deployment::Place;
use crate::domain::device::{Block, Device, Sighting};
use crate::domain::group::Group;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId, ProfileId};
use crate::domain::names::Name;
use crate::domain::testing;

fn system(services: &Services, make: impl FnOnce(&mut Change<'_>) -> Result<(), ServiceError>) -> Result<(), ServiceError> {
    commit(services, Grant::system("test"), DEFAULT_ACCOUNT, make)
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("listed") {
        let path = entry.expect("listed").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn holds(file: &Path, text: &str) -> bool {
    let content = std::fs::read(file).expect("read");
    content.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn a_change_is_in_memory_when_it_is_answered_and_there_after_a_restart() {
    let bench = bench();
    system(&bench.services, |change| {
        change.put_profile(testing::profile(1, &[("a.b", "1")]))?;
        change.put_place(Place::Global, vec![ProfileId(1)])?;
        change.put_device(testing::device("0004f2aabbcc"))
    })
    .expect("committed");
    let check = |services: &Services| {
        let world = services.world(DEFAULT_ACCOUNT).expect("a world");
        assert_eq!(world.profiles[&ProfileId(1)].parameters.get("a.b"), Some("1"));
        assert_eq!(world.deployment[&Place::Global], vec![ProfileId(1)]);
        assert!(services.roster(DEFAULT_ACCOUNT).find(&"0004f2aabbcc".parse().expect("a key")).is_some());
    };
    check(&bench.services);
    check(&bench.restarted().services);
}

#[test]
fn a_change_that_fails_or_is_only_tried_out_leaves_memory_alone() {
    let bench = bench();
    let before = bench.services.world(DEFAULT_ACCOUNT).expect("a world").revision;
    let failed = system(&bench.services, |change| {
        change.put_device(testing::device("0004f2aabbcc"))?;
        Err(ServiceError::Conflict("no".to_owned()))
    });
    assert!(matches!(failed, Err(ServiceError::Conflict(_))));
    try_out(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        change.put_device(testing::device("0004f2aabbcc"))?;
        change.put_profile(testing::profile(1, &[]))
    })
    .expect("tried out");
    assert!(bench.services.roster(DEFAULT_ACCOUNT).is_empty());
    assert_eq!(bench.services.world(DEFAULT_ACCOUNT).expect("a world").revision, before);
}

#[test]
#[should_panic(expected = "recorded in the activity log")]
fn a_persons_change_without_an_activity_entry_is_a_mistake() {
    let bench = bench();
    let right = grant(Action::EditDevices(DEFAULT_ACCOUNT));
    let _unrecorded =
        commit(&bench.services, right, DEFAULT_ACCOUNT, |change| change.put_device(testing::device("0004f2aabbcc")));
}

#[test]
fn an_activity_entry_goes_with_its_change_or_not_at_all() {
    let bench = bench();
    let make = |fail: bool| {
        commit(&bench.services, grant(Action::EditDevices(DEFAULT_ACCOUNT)), DEFAULT_ACCOUNT, |change| {
            change.record(Event::new("device", "0004f2aabbcc", "added"))?;
            if fail { Err(ServiceError::Conflict("no".to_owned())) } else { Ok(()) }
        })
    };
    assert!(make(true).is_err());
    make(false).expect("committed");
    let page =
        activity::list(&bench.services, DEFAULT_ACCOUNT, &ActivityQuery { limit: 10, ..Default::default() }).expect("listed");
    assert_eq!((page.total, page.items.len()), (1, 1));
    assert_eq!((page.items[0].actor.as_str(), page.items[0].at), ("ada", bench.clock.now()));
}

#[test]
fn the_log_is_paged_and_filtered_newest_first_across_account_and_server() {
    let bench = bench();
    for i in 0..6 {
        let log = if i % 2 == 0 { DEFAULT_ACCOUNT } else { crate::domain::activity::SERVER };
        bench.clock.advance_to(bench.clock.now() + SignedDuration::from_secs(60));
        commit(&bench.services, Grant::system("test"), log, |change| {
            let event = Event::new(if i % 2 == 0 { "device" } else { "user" }, format!("number {i}"), "changed");
            change.record(event.change("name", Some("Ärger".to_owned()), None))
        })
        .expect("committed");
    }
    let subjects = |query: ActivityQuery| {
        let page = activity::list(&bench.services, DEFAULT_ACCOUNT, &query).expect("listed");
        (page.total, page.items.into_iter().map(|e| e.event.subject).collect::<Vec<_>>())
    };
    let all = ActivityQuery { limit: 2, offset: 1, ..Default::default() };
    assert_eq!(subjects(all), (6, vec!["number 4".to_owned(), "number 3".to_owned()]));
    let users = ActivityQuery { limit: 9, object: Some("user".to_owned()), q: "ÄRGER number".to_owned(), ..Default::default() };
    assert_eq!(subjects(users).0, 3);
    let since = bench.clock.now() - SignedDuration::from_secs(60);
    let late = ActivityQuery { limit: 9, since: Some(since), until: Some(bench.clock.now()), ..Default::default() };
    assert_eq!(subjects(late), (1, vec!["number 4".to_owned()]));
}

#[test]
fn sec_02_no_secret_lies_open_in_the_state_directory() {
    let bench = bench();
    let parameters = [
        ("reg.1.auth.password", "CANARY_SIP_1"),
        ("log.render.file", "ftp://u:CANARY_FTP@192.0.2.1/"),
        ("reg.1.address", "CANARY_OPEN"),
    ];
    let profile = testing::profile(1, &parameters);
    system(&bench.services, |change| change.put_profile(profile)).expect("committed");
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("a world");
    assert_eq!(world.profiles[&ProfileId(1)].parameters.get("reg.1.auth.password"), Some("CANARY_SIP_1"));
    let bench = bench.restarted();
    let world = bench.services.world(DEFAULT_ACCOUNT).expect("a world");
    assert_eq!(world.profiles[&ProfileId(1)].parameters.get("reg.1.auth.password"), Some("CANARY_SIP_1"));
    assert_eq!(world.account.provisioning.password.expose(), "CANARY_SHARED");
    let all = files(bench.dir.path());
    assert!(all.iter().any(|file| holds(file, "CANARY_OPEN")), "the search must be able to find something");
    for canary in ["CANARY_SIP_1", "CANARY_FTP", "CANARY_SHARED"] {
        assert_eq!(all.iter().find(|file| holds(file, canary)), None, "{canary}");
    }
}

#[test]
fn without_its_key_file_the_state_does_not_open_and_no_other_key_is_made() {
    let bench = bench();
    let Bench { services, clock, dir, .. } = bench;
    let key_file = services.state_dir().key_file();
    drop(services);
    let open = || Services::open(Opening::new(dir.path().join("state"), clock.clone())).map(|_| ()).map_err(|e| e.to_string());
    std::fs::remove_file(&key_file).expect("removed");
    assert!(open().expect_err("no key").contains("the key file"));
    assert!(!key_file.exists());
    std::fs::write(&key_file, "pdms-key-1 AAAA").expect("written");
    assert!(open().expect_err("no key").contains("is not a key file of pdms"));
    std::fs::write(&key_file, format!("pdms-key-1 {}", "A".repeat(43))).expect("written");
    assert!(open().expect_err("another key").contains("does not open with this key file"));
}

#[test]
fn directories_and_files_are_private() {
    let bench = bench();
    bench.services.blobs.put(b"x").expect("written");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let root = bench.services.state_dir().root();
    for file in files(root) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        assert_eq!(mode(file.parent().expect("a folder")), 0o700, "{}", file.display());
    }
}

#[test]
fn a_failed_disk_loses_one_change_and_no_more() {
    let bench = bench();
    let put = |key: &str| system(&bench.services, |change| change.put_device(testing::device(key)));
    put("0004f2000001").expect("committed");
    bench.faults.fail_after(0);
    assert!(matches!(put("0004f2000002"), Err(ServiceError::Store(_))));
    let roster = bench.services.roster(DEFAULT_ACCOUNT);
    assert_eq!(roster.len(), 1, "what failed is not shown");
    bench.faults.heal();
    put("0004f2000003").expect("the next change succeeds");
    assert_eq!(roster.len(), 2);
    let keys = |services: &Services| {
        let mut keys: Vec<_> = services.roster(DEFAULT_ACCOUNT).all().iter().map(|one| one.device.key.to_string()).collect();
        keys.sort();
        keys
    };
    let shown = keys(&bench.services);
    assert_eq!(shown, keys(&bench.restarted().services));
}

#[test]
fn what_memory_knew_before_the_store_survives_a_reopening() {
    let bench = bench();
    let roster = bench.services.roster(DEFAULT_ACCOUNT);
    system(&bench.services, |change| change.put_device(testing::device("0004f2000001"))).expect("committed");
    let admitted = roster.admit(testing::device("0004f2000002"));
    assert!(roster.is_pending(&admitted.device.key));
    let now = bench.clock.now();
    roster.sight(&"0004f2000001".parse().expect("a key"), |sighting| sighting.last_seen = Some(now)).expect("known");
    bench.faults.fail_after(0);
    assert!(system(&bench.services, |change| change.put_device(testing::device("0004f2000003"))).is_err());
    bench.faults.heal();
    system(&bench.services, |change| change.put_device(testing::device("0004f2000004"))).expect("committed");
    assert!(roster.is_pending(&admitted.device.key), "a device that waits for its row is still known");
    let seen = roster.find(&"0004f2000001".parse().expect("a key")).expect("known").sighting.last_seen;
    assert_eq!(seen, Some(now));
}

#[test]
fn orphaned_content_is_swept_at_start() {
    let bench = bench();
    let written = bench.services.blobs.put(b"orphan").expect("written");
    let bench = bench.restarted();
    assert!(bench.services.blobs.read(&written.blob).is_err());
}

/// One random operation.
#[derive(Clone, Debug)]
enum Step {
    Device(u8, String),
    Gone(u8),
    Profile(u8, String),
    ProfileGone(u8),
    Attach(u8, Vec<u8>),
    Group(u8, String),
    GroupGone(u8),
    Defaults(Vec<u8>),
    Block(u8),
    Unblock(u8),
    Sight(u8, i64),
    Fail,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_u8, "[a-z]{0,4}").prop_map(|(n, text)| Step::Device(n, text)),
        (0..6_u8).prop_map(Step::Gone),
        (0..4_u8, "[a-z]{0,4}").prop_map(|(n, text)| Step::Profile(n, text)),
        (0..4_u8).prop_map(Step::ProfileGone),
        (0..3_u8, proptest::collection::vec(0..4_u8, 0..3)).prop_map(|(n, ids)| Step::Attach(n, ids)),
        (0..3_u8, "[a-z]{1,4}").prop_map(|(n, text)| Step::Group(n, text)),
        (0..3_u8).prop_map(Step::GroupGone),
        proptest::collection::vec(0..3_u8, 0..3).prop_map(Step::Defaults),
        (0..6_u8).prop_map(Step::Block),
        (0..6_u8).prop_map(Step::Unblock),
        (0..6_u8, 0..1000_i64).prop_map(|(n, at)| Step::Sight(n, at)),
        Just(Step::Fail),
    ]
}

fn key(n: u8) -> crate::domain::device::DeviceKey {
    format!("0004f20000{n:02x}").parse().expect("a key")
}

fn take(services: &Services, step: Step) -> Result<(), ServiceError> {
    system(services, |change| match step {
        Step::Device(n, text) => {
            let device = Device { name: Name::parse(&text).ok(), ..testing::device(&key(n).to_string()) };
            change.put_device(device)
        }
        Step::Gone(n) => change.delete_device(&key(n)),
        Step::Profile(n, text) => change.put_profile(testing::profile(n.into(), &[("reg.1.auth.password", &text), ("a", &text)])),
        Step::ProfileGone(n) => change.delete_profile(ProfileId(n.into())),
        Step::Attach(n, ids) => {
            let place = if n == 0 { Place::Global } else { Place::Model(format!("VVX {n}")) };
            change.put_place(place, ids.into_iter().map(|id| ProfileId(id.into())).collect())
        }
        Step::Group(n, text) => change.put_group(Group {
            id: GroupId(n.into()),
            name: Name::parse(&text).expect("letters"),
            description: String::new(),
            modified_by: "ada".to_owned(),
            modified_at: change.now(),
            revision: 1,
        }),
        Step::GroupGone(n) => change.delete_group(GroupId(n.into())),
        Step::Defaults(ids) => change.put_default_groups(ids.into_iter().map(|id| GroupId(id.into())).collect()),
        Step::Block(n) => {
            change.block(&key(n), &Block { at: change.now(), by: "ada".to_owned(), name: String::new(), mac: None })
        }
        Step::Unblock(n) => change.unblock(&key(n)).map(|_| ()),
        Step::Sight(n, at) => {
            let told = |sighting: &mut Sighting| sighting.last_seen = jiff::Timestamp::from_second(at).ok();
            match services.roster(DEFAULT_ACCOUNT).sight(&key(n), told) {
                Some(sighting) => change.put_sighting(&key(n), &sighting),
                None => Ok(()),
            }
        }
        Step::Fail => {
            change.put_device(testing::device("0004f2ffffff"))?;
            Err(ServiceError::Conflict("undone".to_owned()))
        }
    })
}

/// Everything that is in memory, in a form that compares.
fn memory(services: &Services) -> impl PartialEq + std::fmt::Debug + use<> {
    let world = services.world(DEFAULT_ACCOUNT).expect("a world");
    let devices: BTreeMap<_, _> = services
        .roster(DEFAULT_ACCOUNT)
        .all()
        .into_iter()
        .map(|one| (one.device.key.clone(), (Device::clone(&one.device), Sighting::clone(&one.sighting))))
        .collect();
    let organised = (world.groups.clone(), world.default_groups.clone());
    (world.account.clone(), world.profiles.clone(), world.deployment.clone(), world.blocked.clone(), organised, devices)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn memory_equals_what_a_fresh_start_reads(steps in proptest::collection::vec(any_step(), 1..30)) {
        let bench = bench();
        for step in steps {
            let undone = matches!(step, Step::Fail);
            prop_assert_eq!(take(&bench.services, step).is_err(), undone);
        }
        let before = memory(&bench.services);
        let bench = bench.restarted();
        prop_assert_eq!(before, memory(&bench.services));
    }
}

#[test]
fn a_state_directory_that_cannot_be_one_is_told_with_its_name() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("state");
    std::fs::write(&file, "a file").expect("written");
    let error = Services::open(Opening::new(&file, Clock::system())).expect_err("no directory").to_string();
    assert!(error.contains("cannot use as the state directory") && error.contains("/state"), "{error}");
    assert_eq!(std::fs::read(&file).expect("read"), b"a file");
}
