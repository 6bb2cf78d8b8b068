//! Where CAs lie after each step of a rollover, whichever step a crash came after.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::domain::rollover::Rollover;
use crate::services::certificates::{Certificates, ServerNames, authority, settle};

type Files = BTreeMap<String, String>;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

fn made() -> (Pair, String) {
    let ca = authority::make_ca(now()).expect("a CA");
    let fingerprint = facts::of_pem(&ca.certificate_pem).expect("a certificate").fingerprint;
    (ca, fingerprint)
}

fn moving(old: &str, new: &str) -> GivenCertificates {
    let rollover = Rollover { started_at: now(), by: "Ada".to_owned(), next: new.to_owned(), switched_at: Some(now()) };
    GivenCertificates { ca: Some(old.to_owned()), own: false, rollover: Some(rollover) }
}

fn ended(new: &str) -> GivenCertificates {
    GivenCertificates { ca: Some(new.to_owned()), own: false, rollover: None }
}

fn marked(fingerprint: &str, kind: &str) -> String {
    format!("ca-{}.{kind}", CaMark::of(fingerprint).expect("a fingerprint"))
}

fn lying(folder: &Path) -> Files {
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    names.map(|name| (name.to_string_lossy().into_owned(), fs::read_to_string(folder.join(&name)).expect("readable"))).collect()
}

/// Files as they lie, after the first so many of these changes: what was written, or removed.
fn after(files: &Files, changes: &[(String, Option<&str>)]) -> tempfile::TempDir {
    let mut files = files.clone();
    for (name, content) in changes {
        match content {
            Some(content) => drop(files.insert(name.clone(), (*content).to_owned())),
            None => drop(files.remove(name)),
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    files.iter().for_each(|(name, content)| fs::write(folder.path().join(name), content).expect("written"));
    folder
}

#[test]
fn the_ca_that_signs_is_put_in_its_place_whichever_step_a_crash_came_after() {
    let ((old, old_mark), (new, new_mark)) = (made(), made());
    let begun = Files::from([
        ("ca.pem".to_owned(), old.certificate_pem.clone()),
        ("ca.key".to_owned(), old.key_pem.clone()),
        (marked(&new_mark, "pem"), new.certificate_pem.clone()),
        (marked(&new_mark, "key"), new.key_pem.clone()),
        ("own-notes.txt".to_owned(), "of the admin".to_owned()),
    ]);
    let changes = [
        (marked(&old_mark, "key"), Some(old.key_pem.as_str())),
        (marked(&old_mark, "pem"), Some(&old.certificate_pem)),
        ("ca.key".to_owned(), Some(&new.key_pem)),
        ("ca.pem".to_owned(), Some(&new.certificate_pem)),
        (marked(&new_mark, "pem"), None),
        (marked(&new_mark, "key"), None),
    ];
    for done in 0..=changes.len() {
        let folder = after(&begun, &changes[..done]);
        settle(folder.path(), &moving(&old_mark, &new_mark)).expect("both are found");
        let present = lying(folder.path());
        assert_eq!(present, lying(after(&begun, &changes).path()), "after {done} changes");
    }
    let moved = lying(after(&begun, &changes).path());
    let changes = [(marked(&old_mark, "pem"), None), (marked(&old_mark, "key"), None)];
    for done in 0..=changes.len() {
        let folder = after(&moved, &changes[..done]);
        settle(folder.path(), &ended(&new_mark)).expect("it is found");
        assert_eq!(lying(folder.path()), lying(after(&moved, &changes).path()), "after {done} removals");
    }
    let folder = after(&begun, &[]);
    settle(folder.path(), &ended(&new_mark)).expect("it is found");
    assert_eq!(lying(folder.path()), lying(after(&moved, &changes).path()), "of a state from before, with the old names");
}

#[test]
fn a_start_removes_what_the_settings_do_not_name_and_a_refresh_what_they_named_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let names = ServerNames::new(&[], "box", []);
    let open = |given| Certificates::open(folder, None, given, &names, now()).expect("it opens");
    let known = open(GivenCertificates::default()).given();
    let (never, mark) = made();
    CaFiles::marked(folder, &mark).write(&never).expect("written");
    fs::write(folder.join(format!("{}abc", files::UNFINISHED)), "half a key").expect("written");
    let certificates = open(known.clone());
    let plain = ["ca.key", "ca.pem", "server-p256.pem", "server-rsa.pem"];
    assert_eq!(lying(folder).into_keys().collect::<Vec<_>>(), plain);

    CaFiles::marked(folder, &mark).write(&never).expect("written");
    certificates.refresh(&known, &names, now()).expect("done");
    assert_eq!(lying(folder).len(), 6, "somebody may be making it just now");
    let given = moving(known.ca.as_ref().expect("a CA"), &mark);
    certificates.refresh(&given, &names, now()).expect("done");
    let first = |kind: &str| fs::read_to_string(folder.join(format!("ca.{kind}"))).expect("readable");
    assert_eq!((first("pem"), first("key")), (never.certificate_pem, never.key_pem), "it signs");
    certificates.refresh(&ended(&mark), &names, now()).expect("done");
    assert_eq!(lying(folder).into_keys().collect::<Vec<_>>(), plain, "the key of the old CA is gone");
}

#[test]
fn a_lost_file_of_the_old_ca_is_told_by_its_name() {
    let ((old, old_mark), (new, new_mark)) = (made(), made());
    let folder = tempfile::tempdir().expect("a folder");
    CaFiles::first(folder.path()).write(&new).expect("written");
    CaFiles::marked(folder.path(), &old_mark).write(&old).expect("written");
    fs::remove_file(folder.path().join(marked(&old_mark, "pem"))).expect("removed");
    let told = settle(folder.path(), &moving(&old_mark, &new_mark)).expect_err("it is lost").to_string();
    assert!(told.contains(&marked(&old_mark, "pem")) && told.contains("is missing"), "{told}");
    assert_eq!(lying(folder.path()).len(), 3, "nothing was changed");
}
