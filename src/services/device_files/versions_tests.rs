//! Versions of files, what differs between them, and values that are deleted, on a real store.

use super::*;
use crate::domain::given_file::Directory;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::phone_file::DeviceFile as Kind;
use crate::services::device_files::given::{self, Sent};
use crate::services::device_files::overrides;
use crate::services::testing::{Bench, add_device, bench, owner};
use crate::services::uploads;

fn key() -> DeviceKey {
    "0004f2aa0001".parse().expect("a MAC address")
}

fn with_device() -> Bench {
    let bench = bench();
    add_device(&bench.services, &key());
    bench
}

fn upload(bench: &Bench, content: &str) {
    uploads::keep_file(&bench.services, DEFAULT_ACCOUNT, &key(), Kind::Phone, content.as_bytes()).expect("kept");
}

fn own(parameters: &str) -> String {
    format!("<PHONE_CONFIG><OVERRIDES {parameters}/></PHONE_CONFIG>")
}

fn text(bench: &Bench, version: Option<u32>) -> String {
    let (_, bytes) = content(&bench.services, DEFAULT_ACCOUNT, &key(), "phone.cfg", version).expect("readable");
    String::from_utf8(bytes).expect("UTF-8")
}

fn blobs(bench: &Bench) -> usize {
    let folders = std::fs::read_dir(bench.dir.path().join("state/blobs")).expect("blobs");
    folders.flat_map(|folder| std::fs::read_dir(folder.expect("a folder").path()).into_iter().flatten()).count()
}

#[test]
fn what_a_phone_uploads_anew_keeps_what_was_there_and_no_more_than_that() {
    let bench = with_device();
    (0..20).for_each(|number| upload(&bench, &own(&format!("up.timeOut=\"{number}\""))));
    let file = of(&bench.services, DEFAULT_ACCOUNT, &key(), "phone.cfg").expect("there");
    assert_eq!((file.version, file.former.len(), file.by), (20, 10, None));
    assert!(text(&bench, None).contains("\"19\"") && text(&bench, Some(15)).contains("\"14\""));
    assert!(content(&bench.services, DEFAULT_ACCOUNT, &key(), "phone.cfg", Some(3)).is_err(), "too old");
    assert_eq!(blobs(&bench), 11);
    let bench = bench.restarted();
    assert_eq!(blobs(&bench), 11, "the sweep at a start takes none of them");
    assert!(text(&bench, Some(10)).contains("\"9\""));
    delete(&bench.services, &owner(), DEFAULT_ACCOUNT, &key(), "phone.cfg", Mode::Keep).expect("deleted");
    assert_eq!(blobs(&bench), 0);
    assert!(bench.services.roster(DEFAULT_ACCOUNT).file(&key(), "phone.cfg").is_none());
}

#[test]
fn a_version_comes_back_and_what_it_replaced_becomes_one() {
    let bench = with_device();
    upload(&bench, &own("up.timeOut=\"1\""));
    upload(&bench, &own("up.timeOut=\"2\""));
    let restore = |version, mode| restore(&bench.services, &owner(), DEFAULT_ACCOUNT, &key(), "phone.cfg", version, mode);
    restore(1, Mode::TryOut).expect("tried");
    assert!(text(&bench, None).contains("\"2\""), "nothing was written");
    let back = restore(1, Mode::Keep).expect("restored");
    assert_eq!((back.version, back.by.as_deref()), (3, Some("ada")));
    assert!(text(&bench, None).contains("\"1\"") && text(&bench, Some(2)).contains("\"2\""));
}

#[test]
fn versions_differ_by_parameters_with_secrets_masked_and_others_by_lines() {
    let old = own("a.b=\"1\" reg.1.auth.password=\"CANARY\" gone.x=\"1\"");
    let new = own("new.x=\"2\" a.b=\"1\" reg.1.auth.password=\"CANARY2\"");
    let Difference::Parameters(changed) = difference(old.as_bytes(), new.as_bytes()) else { panic!("parameters") };
    let names: Vec<_> = changed.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["gone.x", "new.x", "reg.1.auth.password"]);
    assert!(!format!("{changed:?}").contains("CANARY"));
    let Difference::Lines(lines) = difference(b"a\nb\nc\n", b"a\nx\nc\n") else { panic!("lines") };
    let marked: Vec<_> = lines.iter().map(|line| (line.kind, line.text.as_str())).collect();
    assert_eq!(marked, [(LineKind::Same, "a"), (LineKind::Removed, "b"), (LineKind::Added, "x"), (LineKind::Same, "c")]);
    assert_eq!(difference(b"\0", b"\0\x01"), Difference::Bytes);
}

#[test]
fn a_value_is_deleted_with_its_twin_and_all_others_are_kept_in_meaning() {
    let bench = with_device();
    upload(&bench, &own("device.x=\"1\" device.x.set=\"1\" tcpIpApp.sntp.gmtOffset=\"-7200\" a.b=\"&lt;&quot;&#10;é\""));
    let clock = || bench.services.roster(DEFAULT_ACCOUNT).find(&key()).expect("there").device.own_clock.len();
    assert_eq!(clock(), 1);
    let delete = |version, parameter: &str| {
        overrides::delete_value(&bench.services, &owner(), DEFAULT_ACCOUNT, &key(), ("phone.cfg", version), parameter, Mode::Keep)
    };
    assert!(matches!(delete(Some(7), "device.x"), Err(ServiceError::Conflict(_))), "another version was shown");
    assert!(matches!(delete(None, "device.y"), Err(ServiceError::NotFound { .. })));
    delete(Some(1), "device.x").expect("deleted");
    let left = read::parameters(text(&bench, None).as_bytes()).expect("well-formed");
    let left: Vec<_> = left.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
    assert_eq!(left, [("tcpIpApp.sntp.gmtOffset", "-7200"), ("a.b", "<\"\né")]);
    delete(None, "tcpIpApp.sntp.gmtOffset").expect("deleted");
    assert_eq!(clock(), 0, "the polling minute follows");
    delete(None, "a.b").expect("deleted");
    assert!(read::parameters(text(&bench, None).as_bytes()).expect("an empty file is one too").is_empty());
}

#[test]
fn a_person_and_a_phone_take_turns_in_one_file() {
    let bench = with_device();
    upload(&bench, &own("a.b=\"1\""));
    let sent = [Sent { name: "phone.cfg".to_owned(), bytes: own("a.b=\"2\"").into_bytes() }];
    let keys = std::collections::BTreeSet::from([key()]);
    let put =
        |mode| given::put(&bench.services, &owner(), DEFAULT_ACCOUNT, &keys, Directory::Overrides, &sent, mode).expect("taken");
    assert_eq!(put(Mode::TryOut)[0].outcome, given::Outcome::Replaces);
    put(Mode::Keep);
    assert_eq!(put(Mode::Keep)[0].outcome, given::Outcome::Same, "and no version of the same");
    let who: Vec<_> =
        of(&bench.services, DEFAULT_ACCOUNT, &key(), "phone.cfg").expect("there").versions().map(|one| one.by).collect();
    assert_eq!(who, [Some("ada".to_owned()), None]);
}
