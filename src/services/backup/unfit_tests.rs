//! A backup that could not be restored is not made, and is told where there is one.

use std::fs;

use super::tests::{another_key, backup, on_disk, restore, rows, with_members};
use super::{kept, *};
use crate::domain::access::Grant;
use crate::domain::backup_plan::PlanInput;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::rollover::Rollover;
use crate::domain::server::GivenCertificates;
use crate::services::Opening;
use crate::services::certificates::{self, Certificates, OwnFiles, ServerNames};
use crate::services::commit::{Mode, commit};
use crate::services::error::chain;
use crate::services::testing::{Bench, bench, owner};

/// What a CA's file may have become.
type Damage = (&'static str, Option<Vec<u8>>, &'static str);

/// A server whose private CA phones were given.
fn with_ca() -> Bench {
    let bench = bench();
    let (folder, now) = (bench.services.state_dir.certificates(), bench.clock.now());
    let opened = Certificates::open(&folder, None, GivenCertificates::default(), &ServerNames::of_this_machine(&[]), now);
    give(&bench, opened.expect("made").given());
    bench
}

/// The same, while another CA takes its place. Answers the new one's mark in file names.
fn with_two_cas() -> (Bench, String) {
    let bench = with_ca();
    let (folder, now) = (bench.services.state_dir.certificates(), bench.clock.now());
    let next = certificates::make_next_ca(&folder, now).expect("made");
    let rollover = Rollover { started_at: now, by: "ada".to_owned(), next, switched_at: Some(now) };
    let mark = rollover.mark().to_string();
    let given = bench.services.store.read(store::server::get).expect("settings").given;
    give(&bench, GivenCertificates { rollover: Some(rollover), ..given });
    (bench, mark)
}

fn give(bench: &Bench, given: GivenCertificates) {
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        let settings = store::server::get(change.tx())?;
        Ok::<_, ServiceError>(store::server::put(change.tx(), &crate::domain::server::ServerSettings { given, ..settings })?)
    })
    .expect("given");
}

/// The key of a CA that phones know nothing of.
fn another_ca(file: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let now = "2026-11-22T12:00:00Z".parse().expect("a time");
    let names = ServerNames::of_this_machine(&[]);
    Certificates::open(folder.path(), None, GivenCertificates::default(), &names, now).expect("made");
    fs::read(folder.path().join(file)).expect("a file")
}

/// Everything that makes a state one that no server starts with.
fn damages() -> Vec<Damage> {
    vec![
        ("secret.key", Some(another_key().into_bytes()), "key file"),
        ("secret.key", Some(Vec::new()), "not a key file"),
        ("certs/ca.key", None, "ca.key is missing"),
        ("certs/ca.key", Some(Vec::new()), "ca.key is empty or damaged"),
        ("certs/ca.key", Some(another_ca("ca.key")), "do not belong together"),
        ("certs/ca.pem", None, "ca.pem is missing"),
        ("certs/ca.pem", Some(another_ca("ca.pem")), "is another CA"),
    ]
}

fn put(path: &Path, content: Option<&[u8]>) {
    match content {
        Some(content) => fs::write(path, content).expect("written"),
        None => fs::remove_file(path).expect("removed"),
    }
}

#[test]
fn a_backup_that_could_not_be_restored_is_not_made_and_the_older_one_stays() {
    let bench = with_ca();
    let one = PlanInput { every: "never".to_owned(), hour: "2".to_owned(), keep: "1".to_owned(), ..PlanInput::default() };
    kept::set_plan(&bench.services, &owner(), 0, &one, Mode::Keep).expect("planned");
    let good = kept::make(&bench.services, &owner(), Mode::Keep).expect("made");
    let root = bench.services.state_dir.root().to_owned();
    for (file, content, words) in [damages(), vec![("secret.key", None, "key file")]].concat() {
        bench.clock.advance_to(bench.clock.now() + jiff::SignedDuration::from_mins(1));
        let former = fs::read(root.join(file)).expect("there");
        put(&root.join(file), content.as_deref());
        let told = chain(&kept::make(&bench.services, &owner(), Mode::Keep).expect_err(file));
        assert!(told.contains("no backup was made") && told.contains(words) && told.contains(file), "{file}, {words}: {told}");
        assert_eq!(kept::list(&bench.services).expect("listed"), std::slice::from_ref(&good), "{file}, {words}");
        put(&root.join(file), Some(&former));
    }
    kept::verify_kept(&bench.services, &owner(), &good.name).expect("whole");
    bench.clock.advance_to(bench.clock.now() + jiff::SignedDuration::from_mins(1));
    let next = kept::make(&bench.services, &owner(), Mode::Keep).expect("made");
    assert_eq!(kept::list(&bench.services).expect("listed"), [next, good]);
}

/// The backup with another content of a member, or without it.
fn changed(whole: &[u8], file: &str, content: Option<&[u8]>) -> Vec<u8> {
    match content {
        Some(content) => with_members(whole, &[(file, content)], |_| ()),
        None => without(whole, file),
    }
}

fn without(whole: &[u8], file: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writing = Writing::begin(&mut out).expect("begun");
    let mut reading = Reading::open(Box::new(io::Cursor::new(whole))).expect("whole");
    let manifest = reading.manifest().clone();
    let mut names = manifest.members.iter().map(|member| member.name.clone());
    let copied = reading.each(|_, content| match names.next() {
        Some(name) if name != file => {
            writing.member(&name, true, |out| io::copy(content, out).map(drop).map_err(BackupError::writing))
        }
        _ => Ok(()),
    });
    copied.expect("copied");
    writing.finish(manifest).expect("finished");
    out
}

fn told_unusable(archive: &[u8], bench: &Bench, words: &str) {
    let verified = chain(&verify(&mut on_disk(archive), None).expect_err(words));
    let (dir, restored) = restore(archive, None, bench);
    let restored = chain(&restored.expect_err(words));
    for told in [verified, restored] {
        assert!(told.contains("cannot be used") && told.contains(words) && !told.contains("restoring"), "{words}: {told}");
    }
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0, "{words} left something");
}

#[test]
fn a_backup_whose_parts_do_not_go_together_is_told_and_never_restored() {
    let bench = with_ca();
    let whole = backup(&bench.services);
    verify(&mut on_disk(&whole), None).expect("whole");
    for (file, content, words) in damages() {
        told_unusable(&changed(&whole, file, content.as_deref()), &bench, words);
    }
}

#[test]
fn while_one_ca_takes_the_place_of_another_both_have_to_fit() {
    let (bench, mark) = with_two_cas();
    let whole = backup(&bench.services);
    verify(&mut on_disk(&whole), None).expect("whole");
    restore(&whole, None, &bench).1.expect("restored");
    let key = format!("certs/ca-{mark}.key");
    told_unusable(&changed(&whole, &key, Some(b"")), &bench, "is empty or damaged");
    told_unusable(&changed(&whole, &key, None), &bench, "is missing");
    told_unusable(&changed(&whole, "certs/ca.key", None), &bench, "ca.key is missing");
    fs::remove_file(bench.services.state_dir.root().join(&key)).expect("removed");
    assert!(matches!(pack(&bench.services, &mut Vec::new()), Err(BackupError::Unfit(_))));
}

#[test]
fn what_is_told_of_a_restored_state_names_its_own_place() {
    let (bench, blob) = super::tests::filled();
    bench.services.blobs.remove(&blob).expect("removed");
    let dir = tempfile::tempdir().expect("a folder");
    let state = dir.path().join("new");
    let whole = backup(&bench.services);
    let faults = restore::into_empty(&mut on_disk(&whole), None, &state, bench.clock.clone()).expect("restored").faults;
    let place = state.join("blobs").display().to_string();
    assert!(faults.len() == 1 && faults[0].contains(&place), "{faults:?}");
}

#[test]
fn with_an_own_certificate_no_ca_is_asked_for() {
    let in_folder = bench();
    let certs = in_folder.services.state_dir.certificates();
    give(&in_folder, GivenCertificates { own: true, ..GivenCertificates::default() });
    let mine = another_ca("server-p256.pem");
    fs::write(certs.join("own.pem"), &mine).expect("written");
    fs::write(certs.join("own.key"), &mine).expect("written");
    let whole = backup(&in_folder.services);
    verify(&mut on_disk(&whole), None).expect("whole");
    restore(&whole, None, &in_folder).1.expect("restored");
    told_unusable(&changed(&whole, "certs/own.key", None), &in_folder, "own.key is missing");
    // The settings name one that lies elsewhere, and the CA that phones knew once is gone.
    let Bench { services, clock, dir, .. } = with_ca();
    let root = services.state_dir.root().to_owned();
    drop(services);
    fs::remove_file(root.join("certs/ca.key")).expect("removed");
    let own = OwnFiles { certificate: "/elsewhere/own.pem".into(), key: "/elsewhere/own.key".into() };
    let services =
        Services::open(Opening { own_certificate: Some(own), ..Opening::new(&root, clock.clone()) }).expect("it opens");
    let whole = backup(&services);
    verify(&mut on_disk(&whole), None).expect("whole");
    let state = dir.path().join("new");
    let restored = restore::into_empty(&mut on_disk(&whole), None, &state, clock.clone()).expect("restored");
    assert!(restored.faults.iter().any(|fault| fault.contains("settings")), "{:?}", restored.faults);
    let again = Services::open(Opening::new(&state, clock)).expect("it opens");
    assert_eq!(rows(&again), rows(&services));
}

#[test]
fn a_disk_that_is_full_is_told_with_the_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("full.backup");
    let full = to_file(&path, None, |_| Err(BackupError::writing(io::Error::from_raw_os_error(28))));
    let told = ServiceError::from(full.expect_err("no room"));
    assert!(told.is_disk_full() && chain(&told).contains("full.backup because No space left"), "{}", chain(&told));
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0, "nothing half is left");
}
