//! Adding, editing and deleting devices on a real store.

use super::*;
use crate::catalog::models::models;
use crate::domain::access::Grant;
use crate::domain::device::draft::DeviceInput;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::names::Name;
use crate::domain::profile::ProfileKind;
use crate::domain::testing;
use crate::services::commit::commit;
use crate::services::testing::{Bench, bench, newest_activity, owner};

fn key(text: &str) -> DeviceKey {
    text.parse().expect("a key")
}

fn draft(key: &str, name: &str) -> DeviceDraft {
    let input = DeviceInput { key: key.to_owned(), name: name.to_owned(), model: "VVX 411".to_owned(), ..DeviceInput::default() };
    DeviceDraft::parse(&input, models()).expect("a good draft")
}

fn add(bench: &Bench, drafts: Vec<DeviceDraft>, mode: Mode) -> Result<Vec<Device>, ServiceError> {
    create(&bench.services, &owner(), DEFAULT_ACCOUNT, drafts, mode)
}

fn items(error: ServiceError) -> Vec<(Option<usize>, &'static str)> {
    match error {
        ServiceError::Invalid(errors) => errors.iter().map(|e| (e.item, e.field)).collect(),
        other => panic!("not a matter of fields: {other}"),
    }
}

#[test]
fn a_device_added_by_hand_is_there_and_recorded() {
    let bench = bench();
    let added = add(&bench, vec![draft("0004f2aabbcc", "Hall")], Mode::Keep).expect("added");
    assert_eq!((added[0].origin, added[0].added_at, added[0].revision), (Origin::Manual, bench.clock.now(), 1));
    assert_eq!(
        newest_activity(&bench.services),
        "ada: device Hall (0004f2aabbcc) added; name - -> Hall; type - -> VVX; model - -> VVX 411"
    );
    let bench = bench.restarted();
    assert_eq!(*get(&bench.services, DEFAULT_ACCOUNT, &key("0004f2aabbcc")).expect("there").device, added[0]);
}

#[test]
fn many_are_added_together_or_not_at_all_and_each_wrong_one_is_named() {
    let bench = bench();
    add(&bench, vec![draft("0004f2000001", "")], Mode::Keep).expect("added");
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        change.block(&key("0004f2000004"), &Block { at: change.now(), by: "ada".to_owned(), name: String::new(), mac: None })
    })
    .expect("blocked");
    let with_profile = DeviceDraft { profiles: vec![ProfileId(7)], ..draft("0004f2000005", "") };
    let drafts = vec![
        draft("0004f2000002", ""),
        draft("0004f2000001", ""),
        draft("0004f2000002", ""),
        draft("0004f2000004", ""),
        with_profile,
    ];
    let error = add(&bench, drafts, Mode::Keep).expect_err("four are wrong");
    assert_eq!(items(error), [(Some(1), "key"), (Some(2), "key"), (Some(3), "key"), (Some(4), "profiles")]);
    assert_eq!(bench.services.roster(DEFAULT_ACCOUNT).len(), 1);
    let alone = add(&bench, vec![draft("0004f2000001", "")], Mode::Keep).expect_err("is there");
    assert_eq!(items(alone), [(None, "key")]);
}

#[test]
fn a_device_that_waits_for_its_row_is_there_already() {
    let bench = bench();
    bench.services.roster(DEFAULT_ACCOUNT).admit(testing::device("0004f2000001"));
    assert!(add(&bench, vec![draft("0004f2000001", "")], Mode::Keep).is_err());
    let edit = DeviceEdit { description: "by the door".to_owned(), ..DeviceEdit::default() };
    update(&bench.services, &owner(), DEFAULT_ACCOUNT, &key("0004f2000001"), 1, edit, Mode::Keep)
        .expect("edited before its row is written");
    let bench = bench.restarted();
    assert_eq!(get(&bench.services, DEFAULT_ACCOUNT, &key("0004f2000001")).expect("there").device.description, "by the door");
}

#[test]
fn no_two_devices_have_the_same_mac_whichever_way_they_go_by() {
    let bench = bench();
    let mac = |text: &str| Some(text.parse().expect("a MAC"));
    let bar = |serial: &str, address: &str| {
        let mut bar = DeviceDraft { model: None, family: Some("Studio".to_owned()), ..draft("0004f2000009", "") };
        (bar.key, bar.edit.mac) = (key(serial), mac(address));
        bar
    };
    let added = add(&bench, vec![bar("8218404c20ccf9", "00e0db000001")], Mode::Keep).expect("added");
    assert_eq!(added[0].mac, mac("00e0db000001"));
    for (drafts, field) in [
        (vec![bar("8218404c20ccfa", "00e0db000001")], (None, "mac")),
        (vec![draft("00e0db000001", "")], (None, "key")),
        (vec![bar("8218404c20ccfa", "00e0db000002"), bar("8218404c20ccfb", "00e0db000002")], (Some(1), "mac")),
        (vec![bar("8218404c20ccfa", "00e0db000002"), draft("00e0db000002", "")], (Some(1), "key")),
    ] {
        assert_eq!(items(add(&bench, drafts, Mode::Keep).expect_err("it is taken")), [field]);
    }
    add(&bench, vec![bar("8218404c20ccfa", "00e0db000002")], Mode::Keep).expect("another one");
    let change = |revision, address: Option<&str>| {
        let edit = DeviceEdit { mac: address.and_then(mac), ..DeviceEdit::default() };
        update(&bench.services, &owner(), DEFAULT_ACCOUNT, &key("8218404c20ccfa"), revision, edit, Mode::Keep)
    };
    assert_eq!(items(change(1, Some("00e0db000001")).expect_err("it is taken")), [(None, "mac")]);
    assert_eq!(change(1, Some("00e0db000003")).expect("free").mac, mac("00e0db000003"));
    assert_eq!(
        bench.services.roster(DEFAULT_ACCOUNT).keeper("00e0db000003".parse().expect("a MAC")),
        Some(key("8218404c20ccfa"))
    );
    assert_eq!(change(2, None).expect("cleared").mac, None);
    change(3, Some("00e0db000002")).expect("its former one is free again");
}

#[test]
fn the_number_of_devices_in_one_call_is_held_at_its_limit() {
    let bench = bench();
    let many = |count: usize| (0..count).map(|i| draft(&format!("0004{i:08x}"), "")).collect::<Vec<_>>();
    assert!(matches!(add(&bench, many(DEVICES_PER_ADD + 1), Mode::Keep), Err(ServiceError::Conflict(_))));
    assert_eq!(add(&bench, many(DEVICES_PER_ADD), Mode::TryOut).map(|added| added.len()).ok(), Some(DEVICES_PER_ADD));
    assert!(bench.services.roster(DEFAULT_ACCOUNT).is_empty(), "it was only tried out");
}

#[test]
fn two_admins_cannot_overwrite_one_another_unseen() {
    let bench = bench();
    add(&bench, vec![draft("0004f2000001", "Hall")], Mode::Keep).expect("added");
    let change = |revision, text: &str| {
        let edit = DeviceEdit { description: text.to_owned(), ..DeviceEdit::default() };
        update(&bench.services, &owner(), DEFAULT_ACCOUNT, &key("0004f2000001"), revision, edit, Mode::Keep)
    };
    assert_eq!(change(1, "first").expect("saved").revision, 2);
    assert_eq!(newest_activity(&bench.services), "ada: device 0004f2000001 changed; name Hall -> -; description - -> first");
    assert!(matches!(change(1, "second"), Err(ServiceError::Conflict(_))));
    assert_eq!(get(&bench.services, DEFAULT_ACCOUNT, &key("0004f2000001")).expect("there").device.description, "first");
}

#[test]
fn deleting_takes_everything_along_and_tells_it_first() {
    let bench = bench();
    let device = key("0004f2000001");
    add(&bench, vec![draft("0004f2000001", "Hall")], Mode::Keep).expect("added");
    let blob = bench.services.blobs.put(b"<overrides/>").expect("written");
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        change.put_profile(testing::profile(1, &[]))?;
        let file = DeviceFile {
            name: "phone.cfg".to_owned(),
            size_bytes: blob.size_bytes,
            sha256: blob.sha256.clone(),
            at: change.now(),
            blob: blob.blob.clone(),
            by: None,
            version: 1,
            former: Vec::new(),
        };
        Ok(store::stored_files::put(change.tx(), DEFAULT_ACCOUNT, &device, &file)?)
    })
    .expect("stored");
    let target = super::super::deployment::Target::Device(device.clone());
    super::super::deployment::attach(&bench.services, &owner(), DEFAULT_ACCOUNT, &target, ProfileId(1), Mode::Keep)
        .expect("attached");
    let go = |mode| delete(&bench.services, &owner(), DEFAULT_ACCOUNT, &device, Afterwards::Forget, mode).expect("deleted");
    let told = go(Mode::TryOut);
    let expected = Cascade {
        key: device.clone(),
        label: "Hall".to_owned(),
        detached_profiles: vec!["profile 1".to_owned()],
        own_profile: None,
        lines_profile: None,
        files: vec!["phone.cfg".to_owned()],
        logs: 0,
        runs: 0,
    };
    assert_eq!(told, expected);
    assert!(bench.services.blobs.read(&blob.blob).is_ok(), "it was only tried out");
    assert_eq!(go(Mode::Keep), told);
    assert!(bench.services.blobs.read(&blob.blob).is_ok(), "the recycle bin keeps it");
    assert!(matches!(get(&bench.services, DEFAULT_ACCOUNT, &device), Err(ServiceError::NotFound { .. })));
    let bench = bench.restarted();
    assert!(bench.services.roster(DEFAULT_ACCOUNT).is_empty());
    assert!(add(&bench, vec![draft("0004f2000001", "")], Mode::Keep).is_ok(), "a forgotten device may come back");
}

#[test]
fn a_blocked_device_is_held_until_someone_lifts_it() {
    let bench = bench();
    let device = key("0004f2000001");
    add(&bench, vec![draft("0004f2000001", "Hall")], Mode::Keep).expect("added");
    delete(&bench.services, &owner(), DEFAULT_ACCOUNT, &device, Afterwards::Block, Mode::Keep).expect("deleted");
    assert_eq!(newest_activity(&bench.services), "ada: device Hall (0004f2000001) deleted and blocked");
    assert!(bench.services.world(DEFAULT_ACCOUNT).expect("a world").blocked.contains(&device));
    let listed = blocked(&bench.services, DEFAULT_ACCOUNT).expect("listed");
    assert_eq!((listed[0].0.clone(), listed[0].1.name.as_str(), listed[0].1.by.as_str()), (device.clone(), "Hall", "ada"));
    assert!(add(&bench, vec![draft("0004f2000001", "")], Mode::Keep).is_err());
    let lift = || unblock(&bench.services, &owner(), DEFAULT_ACCOUNT, &device, Mode::Keep);
    lift().expect("lifted");
    assert!(matches!(lift(), Err(ServiceError::NotFound { .. })));
    assert!(add(&bench, vec![draft("0004f2000001", "")], Mode::Keep).is_ok());
}

#[test]
fn many_are_deleted_in_one_change_or_not_at_all() {
    let bench = bench();
    let names = ["0004f2000001", "0004f2000002", "0004f2000003"];
    add(&bench, names.iter().map(|name| draft(name, "")).collect(), Mode::Keep).expect("added");
    let go = |names: &[&str]| {
        let keys = names.iter().map(|name| key(name)).collect();
        delete_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &keys, Afterwards::Block, Mode::Keep)
    };
    let revision = || bench.services.world(DEFAULT_ACCOUNT).expect("a world").revision;
    assert!(matches!(go(&["0004f2000001", "0004f2000009"]), Err(ServiceError::NotFound { .. })));
    assert_eq!((bench.services.roster(DEFAULT_ACCOUNT).len(), go(&[]).expect("nothing to do").len()), (3, 0));
    let before = revision();
    assert_eq!(go(&names).expect("deleted").len(), 3);
    assert_eq!((bench.services.roster(DEFAULT_ACCOUNT).len(), revision()), (0, before + 1), "one change for all of them");
    assert_eq!(blocked(&bench.services, DEFAULT_ACCOUNT).expect("listed").len(), 3);
    assert_eq!(add(&bench, Vec::new(), Mode::Keep).expect("nothing to do").len(), 0);
}

#[test]
fn thousands_with_what_their_csv_brought_go_and_come_back_in_one_go() {
    const MANY: u64 = 3_000;
    let bench = bench();
    let keys: BTreeSet<DeviceKey> = (0..MANY).map(|number| key(&format!("0004f2{number:06x}"))).collect();
    commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
        for (key, number) in keys.iter().zip(1..) {
            let name = Name::parse(&profile_name(key)).expect("a name");
            change.put_profile(Profile { name, kind: ProfileKind::UserImported, ..testing::profile(number, &[]) })?;
            change.put_device(Device { profiles: vec![ProfileId(number)], ..testing::device(&key.to_string()) })?;
        }
        Ok(())
    })
    .expect("stored");
    let go = |mode| delete_all(&bench.services, &owner(), DEFAULT_ACCOUNT, &keys, Afterwards::Forget, mode).expect("deleted");
    let told = go(Mode::TryOut).what;
    assert!(told.iter().all(|one| one.own_profile == Some(profile_name(&one.key)) && one.detached_profiles.is_empty()));
    let gone = go(Mode::Keep);
    assert_eq!(gone.what, told);
    let wanted = [gone.deletion.expect("a deletion").into()];
    let back = recycle_bin::restore(&bench.services, &owner(), DEFAULT_ACCOUNT, &wanted, &recycle_bin::Names::new(), Mode::Keep);
    assert_eq!(back.expect("back").objects.len() as u64, 2 * MANY);
}
