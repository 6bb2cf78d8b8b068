//! Files that people upload: names, contents, devices, and directories that are merged.

use super::*;
use crate::domain::contacts::Side;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::phone_file::DeviceFile as Kind;
use crate::services::device_files::directories;
use crate::services::testing::{Bench, add_device, bench, owner};
use crate::services::uploads;

fn key(last: u8) -> DeviceKey {
    format!("0004f2aa00{last:02x}").parse().expect("a MAC address")
}

fn with_devices() -> Bench {
    let bench = bench();
    (1..=3).for_each(|last| add_device(&bench.services, &key(last)));
    bench
}

fn sent(name: &str, content: &str) -> Sent {
    Sent { name: name.to_owned(), bytes: content.as_bytes().to_vec() }
}

fn give(bench: &Bench, keys: &[u8], directory: Directory, files: &[Sent]) -> Result<Vec<Put>, ServiceError> {
    let keys = keys.iter().map(|last| key(*last)).collect();
    put(&bench.services, &owner(), DEFAULT_ACCOUNT, &keys, directory, files, Mode::Keep)
}

const DIRECTORY: &str = "<directory><item_list><item><fn>Desk</fn><ct>1000</ct></item></item_list></directory>";

#[test]
fn a_file_with_a_key_is_for_that_device_and_any_other_for_all() {
    let bench = with_devices();
    let files = [sent("0004f2aa0001-phone.cfg", "<a b.c=\"1\"/>"), sent("0004F2AA0002-phone.cfg", "<a b.c=\"2\"/>")];
    let put = give(&bench, &[1, 2, 3], Directory::Overrides, &files).expect("taken");
    assert_eq!(put.iter().map(|one| one.key.clone()).collect::<Vec<_>>(), [key(1), key(2)]);
    let put = give(&bench, &[1, 2, 3], Directory::Contacts, &[sent("directory.xml", DIRECTORY)]).expect("taken");
    assert_eq!(put.len(), 3);
    let both = [sent("phone.cfg", "<a b.c=\"1\"/>"), sent("0004f2aa0001-phone.cfg", "<a b.c=\"1\"/>")];
    assert!(matches!(give(&bench, &[1], Directory::Overrides, &both), Err(ServiceError::Invalid(_))), "twice for one device");
}

#[test]
fn what_is_not_what_its_name_says_is_refused_and_nothing_of_it_kept() {
    let bench = with_devices();
    let deep = format!("<a>{}", "<a>".repeat(100_000));
    let many = format!("<a {}/>", (0..20_000).map(|n| format!("p.x{n}=\"1\" ")).collect::<String>());
    let refused = [
        (Directory::Misc, sent("x.cfg", "no xml")),
        (Directory::Misc, sent("x.xml", &deep)),
        (Directory::Overrides, sent("phone.cfg", &deep)),
        (Directory::Overrides, sent("phone.cfg", &many)),
        (Directory::Contacts, sent("directory.xml", "<a/>")),
        (Directory::Certificate, sent("ca.pem", "no certificate")),
        (Directory::Certificate, sent("ca.crt", "no certificate")),
        (Directory::Flk, sent("keys.csv", "a,\"b\0")),
        (Directory::License, sent("license.cfg", "MZ\u{0}")),
        (Directory::Misc, sent("empty.xml", "")),
    ];
    for (directory, file) in refused {
        let name = file.name.clone();
        let error = give(&bench, &[1], directory, &[sent("fine.xml", "<a/>"), file]).map(drop);
        assert!(matches!(error, Err(ServiceError::Invalid(_))), "{name}: {error:?}");
    }
    assert!(bench.services.roster(DEFAULT_ACCOUNT).files(&key(1), |_| true).is_empty());
}

#[test]
fn certificates_are_taken_as_text_and_as_bytes() {
    let bench = with_devices();
    let made = rcgen::generate_simple_self_signed(vec!["ca.example".to_owned()]).expect("a certificate");
    let files = [
        sent("ca.pem", &made.cert.pem()),
        Sent { name: "ca.cer".to_owned(), bytes: made.cert.der().to_vec() },
        sent("ca.crt", &made.cert.pem()),
    ];
    assert_eq!(give(&bench, &[1], Directory::Certificate, &files).expect("taken").len(), 3);
}

#[test]
fn the_two_directories_stay_apart_until_they_are_merged() {
    let bench = with_devices();
    give(&bench, &[1, 2], Directory::Contacts, &[sent("directory.xml", DIRECTORY)]).expect("taken");
    let own = "<directory><item_list><item><fn>Mine</fn><ct>2000</ct></item></item_list></directory>";
    uploads::keep_file(&bench.services, DEFAULT_ACCOUNT, &key(1), Kind::Directory, own.as_bytes()).expect("kept");
    let keys: BTreeSet<_> = [key(1), key(2)].into();
    let merge =
        |mode| directories::merge_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &keys, Side::Own, mode).expect("merged");
    let tried = merge(Mode::TryOut);
    assert_eq!((tried.changed.len(), tried.left.len(), tried.changed[0].counts), (1, 1, (1, 1)));
    assert_eq!(merge(Mode::Keep), tried);
    let read =
        || super::super::versions::content(&bench.services, DEFAULT_ACCOUNT, &key(1), "directory.xml", None).expect("there");
    let contacts = directory::read(&read().1).expect("a directory");
    assert_eq!(contacts.iter().map(|one| one.label()).collect::<Vec<_>>(), ["Mine", "Desk"]);
    assert_eq!(merge(Mode::Keep).same, [key(1)], "once is enough");
}
