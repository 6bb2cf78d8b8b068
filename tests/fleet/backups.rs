//! Backups while phones boot and an admin saves, and the phones' life after a restore (P12, P17, OPS-02).

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use pdms::domain::activity::Activity;
use pdms::domain::device::DeviceKey;
use pdms::domain::device::draft::{DeviceDraft, DeviceEdit};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::mac::Mac;
use pdms::services::activity::{self, ActivityQuery};
use pdms::services::backup::{self, restore};
use pdms::services::commit::Mode;
use pdms::services::{Opening, Services, devices};
use pdms::simulate::fleet::{boot, judge};
use pdms::simulate::journey::travel;
use pdms::simulate::memory::Line;
use pdms::simulate::models::MODELS;
use pdms::simulate::phone::Occasion;
use pdms::simulate::rules::Rules;
use pdms::simulate::statistics::{Ending, Statistics};

use super::storm::{plan, storm};
use super::{LINE, network, phone, profile, put_on_global, run};
use crate::support::server::{Server, admin};

/// Phones that boot meanwhile.
const PHONES: u32 = 100;
/// Devices that the admin adds at each save, all or none.
const AT_ONCE: u32 = 3;

/// The devices of a save; their keys tell its number.
fn saved(number: u32) -> Vec<DeviceDraft> {
    let first = Mac::from_bytes([0x64, 0x16, 0x7f, 0xaa, 0, 0]);
    let draft = |index| DeviceDraft {
        key: DeviceKey::from(first.plus(number * AT_ONCE + index)),
        family: None,
        model: None,
        groups: Vec::new(),
        profiles: Vec::new(),
        edit: DeviceEdit::default(),
    };
    (0..AT_ONCE).map(draft).collect()
}

pub fn backup_into(services: &Services, path: &Path) {
    backup::to_file(path, None, |out| backup::write(services, None, out).map(drop)).expect("a backup");
}

/// Flips one bit of many bytes, one after the other: all of the end, where the archive's own tables are, and some everywhere.
fn no_byte_changes_unseen(path: &Path) {
    let whole = std::fs::read(path).expect("a backup");
    let verify = |path: &Path| backup::verify(&mut File::open(path).expect("a file"), None);
    verify(path).expect("it is whole");
    let changed = path.with_extension("changed");
    let end = whole.len().saturating_sub(200);
    for at in (0..end).step_by(whole.len() / 100 + 1).chain(end..whole.len()) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&changed, bytes).expect("written");
        assert!(verify(&changed).is_err(), "byte {at} of {}", whole.len());
    }
}

pub fn restored(path: &Path, state: &Path, server: &Server) -> Services {
    let mut file = File::open(path).expect("a backup");
    let restored = restore::into_empty(&mut file, None, state, server.clock.clone()).expect("restored");
    assert_eq!(restored.faults, Vec::<String>::new());
    Services::open(Opening::new(state, server.clock.clone())).expect("it opens")
}

/// How many saves a state holds, and that it holds each of them whole, with their entries in the activity log and nothing later.
fn saves_in(services: &Services) -> u32 {
    let roster = services.roster(DEFAULT_ACCOUNT);
    let holds = |number| saved(number).iter().filter(|draft| roster.find(&draft.key).is_some()).count();
    let whole = usize::try_from(AT_ONCE).expect("small");
    let count = (0..).take_while(|number| holds(*number) == whole).count();
    let count = u32::try_from(count).expect("small");
    assert!((count..count + 50).all(|number| holds(number) == 0), "a later or a half save is in it");
    let query = ActivityQuery { limit: usize::MAX, ..ActivityQuery::default() };
    let log = activity::list(services, DEFAULT_ACCOUNT, &query).expect("listed").items;
    let by_admin =
        |entry: &&Activity| entry.actor == "command line" && entry.event.object == "device" && entry.event.action == "added";
    let told = log.iter().filter(by_admin).count();
    assert_eq!(u32::try_from(told).expect("small"), count * AT_ONCE, "the log tells of the same saves");
    count
}

#[test]
fn each_backup_taken_while_phones_boot_and_an_admin_saves_is_of_one_moment() {
    let server = Server::start();
    put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
    let plan = plan(&server, MODELS.iter().collect(), PHONES);
    let network = network(&server);
    let folder = tempfile::tempdir().expect("a folder");
    let (over, saves) = (AtomicBool::new(false), AtomicU32::new(0));
    // Of each backup, how many saves were acknowledged before it began, and how many had begun when it was done.
    let mut bounds = Vec::new();
    std::thread::scope(|scope| {
        let booting = scope.spawn(|| {
            let statistics = storm(plan, network);
            over.store(true, Ordering::SeqCst);
            statistics
        });
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                let number = saves.load(Ordering::SeqCst);
                devices::create(&server.services, &admin(), DEFAULT_ACCOUNT, saved(number), Mode::Keep).expect("saved");
                saves.store(number + 1, Ordering::SeqCst);
            }
        });
        while !over.load(Ordering::SeqCst) || bounds.is_empty() {
            let path = folder.path().join(format!("{}.backup", bounds.len()));
            let before = saves.load(Ordering::SeqCst);
            backup_into(&server.services, &path);
            bounds.push((path, before, saves.load(Ordering::SeqCst) + 1));
        }
        let statistics = booting.join().expect("phones boot");
        assert_eq!((statistics.booted, statistics.dead), (u64::from(PHONES), 0), "{statistics}");
    });
    assert!(bounds.iter().any(|(_, before, after)| before + 1 < *after), "somebody saved meanwhile");
    no_byte_changes_unseen(&bounds[0].0);
    for (number, (path, before, after)) in bounds.iter().enumerate() {
        let services = restored(path, &folder.path().join(format!("state-{number}")), &server);
        let found = saves_in(&services);
        assert!((*before..=*after).contains(&found), "backup {number}: {found} is not between {before} and {after}");
    }
}

#[test]
fn phones_go_on_with_a_restored_server_without_a_visit() {
    let server = Server::start();
    put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
    let network = network(&server);
    let mut phones: Vec<_> = (1..=4).map(|number| phone(&server, &network, "VVX411", number, Rules::USUAL)).collect();
    let runtime = super::runtime();
    runtime.block_on(async {
        for phone in &mut phones {
            let booted = boot(phone, &network, &mut Statistics::default()).await;
            assert_eq!(judge(phone, &booted), Ending::Booted);
        }
    });
    server.advance(600);
    server.flush();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.backup");
    backup_into(&server.services, &path);
    // What happens after the backup is lost with the old host: one phone boots once more, and what it was given stays right.
    runtime.block_on(async { drop(boot(&mut phones[0], &network, &mut Statistics::default()).await) });
    drop(restored(&path, &folder.path().join("state"), &server));
    let server = server.stopped().on_another_host(folder).started();
    run(async {
        for phone in &mut phones {
            for occasion in [Occasion::Poll, Occasion::Boot] {
                let journey = travel(phone, occasion, &network, None).await;
                assert_eq!((judge(phone, &journey), phone.line()), (Ending::Booted, Line::Registered));
                assert!(!journey.report.restart, "it gets the very files that it has");
            }
        }
    });
    server.flush();
    assert_eq!(server.services.roster(DEFAULT_ACCOUNT).len(), phones.len());
}
