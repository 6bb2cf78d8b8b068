//! Power failures and full disks: what was acknowledged stays, and the server goes on by itself (P12, P13, FLT-01, FLT-04).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use pdms::domain::account::Secret;
use pdms::domain::user::Role;
use pdms::web::local::{Answer, Request, ask};
use rustix::process::Signal;

use super::{Running, run, set_up, socket, succeeded};

/// How often the server is killed.
const KILLS: usize = 50;

fn add(folder: &Path, email: &str) -> std::io::Result<Option<Answer>> {
    let password = Secret::new("four unhurried words");
    ask(&socket(folder), &Request::AddUser { name: email.to_owned(), email: email.to_owned(), role: Role::Owner, password })
}

fn users(folder: &Path) -> BTreeSet<String> {
    match ask(&socket(folder), &Request::ListUsers).expect("answered") {
        Some(Answer::Users(users)) => users.into_iter().map(|user| user.email).collect(),
        other => panic!("no list: {other:?}"),
    }
}

#[test]
fn fifty_kills_at_any_moment_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    let acknowledged = Mutex::new(BTreeSet::from(["ada@example.test".to_owned()]));
    for round in 0..KILLS {
        let server = Running::start(folder);
        let found = users(folder);
        let expected = acknowledged.lock().expect("no writer panicked").clone();
        assert!(found.is_superset(&expected), "lost in round {round}: {:?}", expected.difference(&found).collect::<Vec<_>>());
        // Two writers, so that at the moment of the kill one of them is always in the middle of a change.
        let killed = AtomicBool::new(false);
        let wanted = expected.len() + round % 3;
        std::thread::scope(|scope| {
            for writer in 0..2 {
                let (acknowledged, killed) = (&acknowledged, &killed);
                scope.spawn(move || {
                    for number in 0.. {
                        let email = format!("u{round}-{writer}-{number}@example.test");
                        if killed.load(Ordering::SeqCst) || !matches!(add(folder, &email), Ok(Some(Answer::Done))) {
                            return;
                        }
                        acknowledged.lock().expect("no writer panicked").insert(email);
                    }
                });
            }
            while acknowledged.lock().expect("no writer panicked").len() < wanted {
                std::thread::yield_now();
            }
            server.signal(Signal::KILL);
            killed.store(true, Ordering::SeqCst);
            assert_eq!(server.wait(), None, "killed");
        });
    }
    let listed = succeeded(&run(folder, &["user", "list"], ""));
    assert!(acknowledged.into_inner().expect("no writer panicked").iter().all(|email| listed.contains(email.as_str())));
}

/// A small disk of its own, where the system lets the test have one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_stops_changes_only_and_only_while_it_is_full() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: this system lets the test have no disk of its own");
        return;
    };
    let folder = disk.0.path();
    set_up(folder);
    let server = Running::start(folder);
    let filler = folder.join("filler");
    // The disk is filled to the last byte; writing ends with an error.
    let _ = fs::write(&filler, vec![0; 24 * 1024 * 1024]);
    let refusal = (0..200).find_map(|number| match add(folder, &format!("u{number}@example.test")) {
        Ok(Some(Answer::Failed(reason))) => Some(reason),
        _ => None,
    });
    let refusal = refusal.expect("the disk is full");
    assert!(refusal.contains("disk is full"), "{refusal}");
    assert!(users(folder).contains("ada@example.test"), "reading goes on");
    assert_eq!(server.get("000000000000.cfg").0, "401", "phones are answered");
    fs::remove_file(&filler).expect("removed");
    assert!(matches!(add(folder, "after@example.test"), Ok(Some(Answer::Done))), "the next change works by itself");
    server.stop();
    let again = Running::start(folder);
    assert!(users(folder).contains("after@example.test"));
    again.stop();
}
