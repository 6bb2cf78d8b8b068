//! Resource files on a real store.

use std::io::Write as _;

use super::content::tests::png;
use super::*;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::names::Name;
use crate::domain::profile::draft::ProfileDraft;
use crate::domain::resource::ResourceInput;
use crate::domain::testing::parameter_set;
use crate::services::profiles;
use crate::services::testing::{Bench, bench, newest_activity, owner};

fn spooled(bench: &Bench, bytes: &[u8]) -> File {
    let mut file = spool(&bench.services).expect("a file");
    file.write_all(bytes).expect("written");
    file
}

fn draft(folder: &str, name: &str) -> ResourceDraft {
    let input = ResourceInput { folder: folder.to_owned(), name: name.to_owned(), description: "For the lobby".to_owned() };
    ResourceDraft::parse(&input).expect("a draft")
}

fn put(bench: &Bench, name: &str, bytes: &[u8], mode: Mode) -> Result<Resource, ServiceError> {
    create(&bench.services, &owner(), DEFAULT_ACCOUNT, draft("", name), &mut spooled(bench, bytes), mode)
}

fn shown_now(bench: &Bench, id: ResourceId) -> Shown {
    Shown { id, revision: get(&bench.services, DEFAULT_ACCOUNT, id).expect("there").revision }
}

fn read(bench: &Bench, id: ResourceId) -> Vec<u8> {
    beginning(&bench.services, DEFAULT_ACCOUNT, id, 1_000).expect("readable")
}

/// Blobs on the disk, whether or not a row names them.
fn blobs(bench: &Bench) -> usize {
    let folders = std::fs::read_dir(bench.services.state_dir.blobs()).expect("readable");
    folders.map(|folder| std::fs::read_dir(folder.expect("readable").path()).expect("readable").count()).sum()
}

fn names(bench: &Bench, value: &str) -> ProfileId {
    let parameters = parameter_set(&[("saf.2", value)]);
    let draft = ProfileDraft {
        name: Name::parse("Tones").expect("a name"),
        description: String::new(),
        parameters,
        software: Vec::new(),
        yields: false,
    };
    profiles::create(&bench.services, &owner(), DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("made")[0].id
}

#[test]
fn a_file_is_kept_with_its_size_and_survives_a_restart() {
    let bench = bench();
    let made = put(&bench, "logo.png", &png(320, 240), Mode::Keep).expect("taken");
    assert_eq!((made.pixels, made.revision), (Some((320, 240)), 1));
    assert!(newest_activity(&bench.services).contains("resource file logo.png added"));
    let bench = bench.restarted();
    assert_eq!(get(&bench.services, DEFAULT_ACCOUNT, made.id).ok().as_deref(), Some(&made));
    assert_eq!(read(&bench, made.id), png(320, 240), "the sweep leaves what a row names");
}

#[test]
fn names_are_unique_whatever_the_case_and_nothing_of_a_refused_file_stays() {
    let bench = bench();
    put(&bench, "Ring.txt", b"1", Mode::Keep).expect("taken");
    for (name, bytes, field) in [("RING.TXT", &b"2"[..], "name"), ("x.png", b"<html>", FILE), ("x.txt", b"", FILE)] {
        let Err(ServiceError::Invalid(errors)) = put(&bench, name, bytes, Mode::Keep) else { panic!("{name} is refused") };
        assert!(errors.of(field).is_some(), "{name}: {errors:?}");
    }
    assert_eq!((blobs(&bench), bench.services.world(DEFAULT_ACCOUNT).expect("set up").resources.all().len()), (1, 1));
}

#[test]
fn a_dry_run_keeps_nothing_and_a_failed_write_leaves_nothing() {
    let bench = bench();
    let tried = put(&bench, "a.txt", b"1", Mode::TryOut).expect("it would be taken");
    assert_eq!((tried.size_bytes, tried.sha256.len(), blobs(&bench)), (1, 64, 0));
    bench.faults.fail_after(0);
    assert!(put(&bench, "a.txt", b"1", Mode::Keep).is_err());
    assert_eq!(blobs(&bench), 0);
}

#[test]
fn another_content_takes_the_place_of_the_one_that_was_shown() {
    let bench = bench();
    let first = put(&bench, "a.txt", b"one", Mode::Keep).expect("taken");
    let at = shown_now(&bench, first.id);
    let replace = |bytes: &[u8], at, mode| {
        super::replace(&bench.services, &owner(), DEFAULT_ACCOUNT, at, &mut spooled(&bench, bytes), mode)
    };
    assert_eq!(replace(b"two", at, Mode::TryOut).map(|new| new.revision).ok(), Some(2));
    assert_eq!(read(&bench, first.id), b"one");
    let second = replace(b"two", at, Mode::Keep).expect("replaced");
    assert_eq!((read(&bench, first.id), second.revision, blobs(&bench)), (b"two".to_vec(), 2, 1));
    assert!(matches!(replace(b"three", at, Mode::Keep), Err(ServiceError::Conflict(_))), "somebody else was faster");
    let same = replace(b"two", shown_now(&bench, first.id), Mode::Keep).expect("as it is");
    assert_eq!((same.revision, blobs(&bench)), (2, 1));
    let held = Arc::new(first);
    let (_, newer) = open(&bench.services, DEFAULT_ACCOUNT, &held).expect("a request that began before gets the new one");
    assert_eq!(newer.revision, 2);
}

#[test]
fn a_description_is_changed_once() {
    let bench = bench();
    let made = put(&bench, "a.txt", b"1", Mode::Keep).expect("taken");
    let describe =
        |text: &str| super::describe(&bench.services, &owner(), DEFAULT_ACCOUNT, shown_now(&bench, made.id), text, Mode::Keep);
    assert_eq!(describe(" Hall ").map(|new| (new.description, new.revision)).ok(), Some(("Hall".to_owned(), 2)));
    assert_eq!(describe("Hall").map(|new| new.revision).ok(), Some(2));
    assert!(matches!(describe(&"x".repeat(1_001)), Err(ServiceError::Invalid(_))));
}

#[test]
fn a_file_that_a_profile_names_goes_only_where_somebody_confirmed_it() {
    let bench = bench();
    let (made, free) = (put(&bench, "a.wav", b"RIFF\x24\0\0\0WAVEfmt ", Mode::Keep), put(&bench, "b.txt", b"1", Mode::Keep));
    let (made, free) = (made.expect("taken").id, free.expect("taken").id);
    names(&bench, "A.wav");
    let told = users(&bench.services, DEFAULT_ACCOUNT, made).expect("told");
    assert_eq!(
        (told.profiles[0].1.as_str(), told.profiles[0].2.as_slice(), told.devices),
        ("Tones", &["saf.2".to_owned()][..], 0)
    );
    let both = BTreeSet::from([made, free]);
    let delete = |used, mode| delete_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &both, used, mode);
    let refused = delete(Used::Refused, Mode::Keep).expect_err("refused").to_string();
    assert!(refused.contains("named by the profile Tones"), "{refused}");
    assert_eq!(blobs(&bench), 2, "all or nothing");
    assert_eq!(delete(Used::Confirmed, Mode::TryOut).map(|gone| gone.len()).ok(), Some(2));
    assert_eq!(blobs(&bench), 2);
    assert_eq!(delete(Used::Confirmed, Mode::Keep).map(|gone| gone.len()).ok(), Some(2));
    assert_eq!((blobs(&bench), get(&bench.services, DEFAULT_ACCOUNT, made).is_err()), (0, true));
}

#[test]
fn a_name_like_that_of_a_device_is_the_devices() {
    use crate::domain::access::Grant;
    use crate::domain::testing::device;
    let bench = bench();
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| change.put_device(device("office2024")))
        .expect("added");
    let Err(ServiceError::Invalid(errors)) = put(&bench, "office2024.cfg", b"<a/>", Mode::Keep) else { panic!("refused") };
    assert!(errors.of("name").is_some_and(|told| told.contains("Files of that device")));
    assert!(put(&bench, "office2025.cfg", b"<a/>", Mode::Keep).is_ok());
}
