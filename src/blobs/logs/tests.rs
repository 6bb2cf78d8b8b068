//! Logs on a real file system: kept one by one, bounded by device and in all, swept.

use super::*;

const ACCOUNT: AccountId = AccountId(1);

fn logs(quota: Quota) -> (tempfile::TempDir, Logs) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let logs = Logs::open(dir.path().join("logs"), quota).expect("a folder for logs");
    (dir, logs)
}

fn key() -> DeviceKey {
    "0004f2aabbcc".parse().expect("a MAC address")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).expect("a time within the range")
}

fn upload(logs: &Logs, kind: &str, second: i64, content: &[u8]) -> LogFile {
    let mut draft = logs.draft().expect("a draft");
    draft.write(content).expect("written");
    logs.keep(ACCOUNT, &key(), kind, at(second), draft).expect("kept")
}

#[test]
fn every_upload_is_an_object_of_its_own_and_the_newest_is_found() {
    let (dir, logs) = logs(Quota::default());
    upload(&logs, "app.log", 1, b"first");
    upload(&logs, "app.log", 1, b"second, in the same microsecond");
    upload(&logs, "boot.log", 2, b"");
    let newest = logs.newest(ACCOUNT, &key(), "APP.log").expect("readable").expect("there is one");
    let path = logs.path(ACCOUNT, &key(), &newest.name).expect("a name of ours");
    assert_eq!(fs::read(path).expect("readable"), b"second, in the same microsecond");
    let kinds: Vec<_> = logs.list(ACCOUNT, &key()).expect("readable").into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, ["boot.log", "app.log", "app.log"]);
    drop(logs);
    let again = Logs::open(dir.path().join("logs"), Quota::default()).expect("opened again");
    assert_eq!(again.newest(ACCOUNT, &key(), "app.log").expect("readable"), Some(newest));
}

#[test]
fn an_upload_that_is_cut_leaves_nothing_behind() {
    let (dir, logs) = logs(Quota::default());
    let unfinished = dir.path().join("logs").join(UNFINISHED);
    let mut draft = logs.draft().expect("a draft");
    draft.write(b"half").expect("written");
    drop(draft);
    assert_eq!(fs::read_dir(&unfinished).expect("readable").count(), 0);
    std::mem::forget(logs.draft().expect("a draft that a crash leaves"));
    drop(logs);
    Logs::open(dir.path().join("logs"), Quota::default()).expect("opened again");
    assert_eq!(fs::read_dir(&unfinished).expect("readable").count(), 0);
}

#[test]
fn the_oldest_uploads_make_room_by_number_and_by_size() {
    let (_dir, by_number) = logs(Quota { bytes: 1_000_000, files: 10 });
    (0..25).for_each(|second| drop(upload(&by_number, "app.log", second, b"x")));
    let left = by_number.list(ACCOUNT, &key()).expect("readable");
    assert!((9..=10).contains(&left.len()) && left[0].at == at(24));
    let (_dir, by_size) = logs(Quota { bytes: 1_000, files: 100 });
    (0..25).for_each(|second| drop(upload(&by_size, "app.log", second, &[0; 150])));
    let bytes: u64 = by_size.list(ACCOUNT, &key()).expect("readable").iter().map(|e| e.size_bytes).sum();
    assert!((600..=1_000).contains(&bytes), "{bytes}");
    upload(&by_size, "core.gz", 30, &[0; 5_000]);
    assert_eq!(by_size.list(ACCOUNT, &key()).expect("readable").len(), 1);
}

#[test]
fn a_clock_that_was_ahead_costs_no_upload_that_came_after_it_was_put_right() {
    let (_dir, logs) = logs(Quota { bytes: 1_000_000, files: 10 });
    const AHEAD: i64 = 400 * 86_400;
    (0..8).for_each(|second| drop(upload(&logs, "app.log", AHEAD + second, b"x")));
    (0..9).for_each(|second| assert_eq!(upload(&logs, "app.log", second, b"x").at, at(second), "named by its time"));
    let left = logs.list(ACCOUNT, &key()).expect("readable");
    assert_eq!(left.iter().filter(|one| one.at < at(AHEAD)).count(), 9, "{left:?}");
}

#[test]
fn a_kind_that_cannot_stand_in_a_name_is_refused() {
    let (_dir, logs) = logs(Quota::default());
    for kind in ["", "../x", "a/b", "a b", "é"] {
        let draft = logs.draft().expect("a draft");
        assert!(logs.keep(ACCOUNT, &key(), kind, at(0), draft).is_err(), "{kind}");
    }
}

#[test]
fn a_sweep_removes_what_is_old_and_nothing_else() {
    let (_dir, logs) = logs(Quota::default());
    for second in 0..4 {
        upload(&logs, "app.log", second, b"x");
    }
    assert_eq!(logs.sweep(|_| at(2)).expect("swept"), 2);
    assert_eq!(logs.list(ACCOUNT, &key()).expect("readable").len(), 2);
    logs.forget(ACCOUNT, &key(), None, Timestamp::MAX).expect("forgotten");
    assert_eq!(logs.newest(ACCOUNT, &key(), "app.log").expect("readable"), None);
}

fn of(logs: &Logs, device: &str, second: i64, bytes: usize) {
    let mut draft = logs.draft().expect("a draft");
    draft.write(&vec![b'x'; bytes]).expect("written");
    logs.keep(ACCOUNT, &device.parse().expect("a MAC address"), "app.log", at(second), draft).expect("kept");
}

#[test]
fn of_all_devices_together_the_oldest_uploads_make_room_and_that_is_told() {
    let (_dir, logs) = logs(Quota::default());
    logs.limit(10_000);
    let devices = ["0004f2aa0001", "0004f2aa0002", "0004f2aa0003"];
    (0..9).for_each(|number| of(&logs, devices[number % 3], 60 * number as i64, 1_000));
    assert_eq!((logs.in_all(), logs.removed_early()), ((9_000, 10_000), None));
    of(&logs, devices[0], 60 * 9, 2_000);
    assert_eq!(logs.removed_early(), Some(at(60 * 9)));
    let left: Vec<_> =
        devices.iter().map(|one| logs.list(ACCOUNT, &one.parse().expect("a MAC address")).expect("read")).collect();
    let bytes: u64 = left.iter().flatten().map(|one| one.size_bytes).sum();
    assert!(bytes <= 9_000 && logs.in_all().0 == bytes, "{bytes} {:?}", logs.in_all());
    assert!(left.iter().flatten().all(|one| one.at >= at(60 * 2)), "the two oldest of the fleet went");
    assert_eq!(left[0][0].size_bytes, 2_000, "what came just now is there");
}

#[test]
fn what_is_kept_in_all_is_counted_anew_by_a_sweep() {
    let (dir, logs) = logs(Quota::default());
    (0..4).for_each(|second| of(&logs, "0004f2aa0001", second, 100));
    drop(logs);
    let logs = Logs::open(dir.path().join("logs"), Quota::default()).expect("opened again");
    assert_eq!(logs.sweep(|_| at(1)).expect("swept"), 1);
    assert_eq!(logs.in_all().0, 300);
}
