//! The store as a whole: what it keeps, what it refuses, and what it does when the disk fails.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use proptest::prelude::*;

use super::keys::Key as _;
use super::tables::META;
use super::tx::{Direction, Walk};
use super::*;
use crate::domain::deployment::Place;
use crate::domain::device::DeviceKey;
use crate::domain::ids::{AccountId, ProfileId, SiteId};
use crate::domain::mac::Mac;

fn open(dir: &Path) -> Result<Store, StoreError> {
    Store::open(dir, Arc::default())
}

fn fresh() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = open(dir.path()).expect("a new store opens");
    (dir, store)
}

fn number(store: &Store, name: &str) -> Option<u64> {
    store.read(|tx| tx.get(&META, &(name.to_owned(),))).expect("a number is readable")
}

fn set_number(store: &Store, name: &str, value: u64) -> Result<(), StoreError> {
    store.write(|tx| tx.put(&META, &(name.to_owned(),), &value))
}

/// Every file of a directory with its content.
fn content(dir: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .expect("listed")
        .map(|entry| entry.expect("listed"))
        .map(|entry| (entry.file_name(), std::fs::read(entry.path()).expect("read")))
        .collect();
    files.sort();
    files
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let (dir, store) = fresh();
    set_number(&store, "n", 7).expect("written");
    drop(store);
    let store = open(dir.path()).expect("opens again");
    assert_eq!(number(&store, "n"), Some(7));
}

#[test]
fn a_failing_change_leaves_nothing() {
    let (_dir, store) = fresh();
    let result: Result<(), StoreError> = store.write(|tx| {
        tx.put(&META, &("n".to_owned(),), &1)?;
        Err(StoreError::DiskFull)
    });
    assert!(result.is_err());
    assert_eq!(number(&store, "n"), None);
}

#[test]
fn trying_out_leaves_nothing() {
    let (_dir, store) = fresh();
    let seen = store.try_out(|tx| {
        tx.put(&META, &("n".to_owned(),), &1)?;
        tx.get(&META, &("n".to_owned(),))
    });
    assert_eq!(seen.expect("tried out"), Some(1));
    assert_eq!(number(&store, "n"), None);
}

#[test]
fn a_second_server_is_told_who_has_the_directory() {
    let (dir, _store) = fresh();
    let error = open(dir.path()).expect_err("taken");
    let sentence = error.to_string();
    assert!(sentence.contains("already in use by pdms, process"), "{sentence}");
}

#[test]
fn a_missing_database_is_no_fresh_install() {
    let (dir, store) = fresh();
    let file = store.file().to_owned();
    drop(store);
    std::fs::remove_file(&file).expect("removed");
    let before = content(dir.path());
    assert!(matches!(open(dir.path()), Err(StoreError::Missing { .. })));
    assert!(Store::exists(dir.path()).expect("looked"));
    assert_eq!(content(dir.path()), before, "nothing was changed");
}

#[test]
fn an_empty_database_is_no_fresh_install_even_without_the_marker() {
    let (dir, store) = fresh();
    let file = store.file().to_owned();
    drop(store);
    std::fs::write(&file, b"").expect("emptied");
    assert!(matches!(open(dir.path()), Err(StoreError::Empty { .. })));
    std::fs::remove_file(dir.path().join("pdms-state")).expect("removed");
    assert!(matches!(open(dir.path()), Err(StoreError::Empty { .. })));
    assert_eq!(std::fs::read(&file).expect("read"), b"");
}

#[test]
fn a_foreign_or_cut_file_is_told_to_be_damaged() {
    let (_dir, store) = fresh();
    for i in 0..200 {
        set_number(&store, &format!("n{i}"), i).expect("written");
    }
    let file = store.file().to_owned();
    drop(store);
    let whole = std::fs::read(&file).expect("read");
    let cut = &whole[..whole.len() / 2];
    for damaged in [b"this is no database".as_slice(), &[0; 8192], cut, &whole[..100]] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("pdms.redb"), damaged).expect("written");
        let error = open(dir.path()).expect_err("damaged");
        assert!(matches!(error, StoreError::Damaged { .. }), "{} bytes: {error:?}", damaged.len());
        assert!(std::fs::read(dir.path().join("pdms.redb")).expect("read") == damaged, "nothing was changed");
        assert!(!dir.path().join("pdms-state").exists(), "no marker is written for a database that does not open");
    }
}

#[test]
fn flipped_bytes_never_end_in_a_panic_or_in_other_numbers() {
    let (_dir, store) = fresh();
    for i in 0..200 {
        set_number(&store, &format!("n{i}"), i).expect("written");
    }
    let file = store.file().to_owned();
    drop(store);
    let whole = std::fs::read(&file).expect("read");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    for _ in 0..20 {
        let mut bytes = whole.clone();
        for _ in 0..300 {
            bytes[next(whole.len())] ^= 0x55;
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("pdms.redb"), &bytes).expect("written");
        match open(dir.path()) {
            Ok(store) => assert_eq!(number(&store, "n7"), Some(7), "what opens is whole"),
            Err(error) => assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}"),
        }
    }
}

#[test]
fn after_a_failed_write_the_next_one_succeeds_by_itself() {
    for healthy_writes in 0..12 {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let faults = Arc::new(Faults::default());
        let store = Store::open(dir.path(), Arc::clone(&faults)).expect("a new store opens");
        set_number(&store, "n", 1).expect("written");
        faults.fail_after(healthy_writes);
        let failed = set_number(&store, "n", 2);
        assert!(store.read(|tx| tx.get(&META, &("n".to_owned(),))).is_ok(), "reads go on while writes fail");
        let still_failing = set_number(&store, "n", 3);
        if failed.is_ok() {
            faults.heal();
            continue;
        }
        assert!(still_failing.is_err(), "the disk is still full");
        assert!(number(&store, "n").is_some(), "reads go on after a reopening that failed");
        faults.heal();
        set_number(&store, "n", 4).expect("the store opens itself again");
        assert_eq!(number(&store, "n"), Some(4));
        assert!(store.generation() > 0);
        drop(store);
        assert_eq!(number(&open(dir.path()).expect("opens"), "n"), Some(4), "after {healthy_writes} writes");
    }
}

#[test]
fn a_full_disk_is_called_one() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let faults = Arc::new(Faults::default());
    let store = Store::open(dir.path(), Arc::clone(&faults)).expect("a new store opens");
    faults.fail_after(0);
    assert!(matches!(set_number(&store, "n", 1), Err(StoreError::DiskFull)));
}

#[test]
fn readers_never_fail_nor_see_half_a_change_while_the_store_reopens() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let faults = Arc::new(Faults::default());
    let store = Store::open(dir.path(), Arc::clone(&faults)).expect("a new store opens");
    let pair = |tx: &WriteTx, n: u64| {
        tx.put(&META, &("a".to_owned(),), &n)?;
        tx.put(&META, &("b".to_owned(),), &n)
    };
    store.write(|tx| pair(tx, 0)).expect("written");
    let (done, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let seen = store.read(|tx| {
                        let a = tx.get(&META, &("a".to_owned(),))?;
                        Ok::<_, StoreError>((a, tx.get(&META, &("b".to_owned(),))?))
                    });
                    let (a, b) = seen.expect("reads never stop");
                    assert_eq!(a, b);
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for n in 1..40 {
            faults.fail_after(u32::try_from(n % 9).expect("small"));
            // Whether it fails depends on how many writes it needs: both ways are of interest.
            let _either = store.write(|tx| pair(tx, n));
            faults.heal();
            store.write(|tx| pair(tx, n)).expect("the next write succeeds");
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(reads.load(Ordering::SeqCst) > 0);
    assert!(store.generation() > 0, "the test must have made the store reopen");
}

#[test]
fn a_transaction_inside_another_does_not_wait_for_a_reopening_that_waits_for_the_outer_one() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let faults = Arc::new(Faults::default());
    let store = Store::open(dir.path(), Arc::clone(&faults)).expect("a new store opens");
    faults.fail_after(0);
    assert!(set_number(&store, "n", 1).is_err());
    faults.heal();
    let (inside, reopening) = (std::sync::Barrier::new(2), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            inside.wait();
            reopening.store(true, Ordering::SeqCst);
            set_number(&store, "n", 2).expect("the store opens itself again");
        });
        let seen: Result<u64, StoreError> = store.read(|_| {
            inside.wait();
            while !reopening.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            // By now the other thread waits for this transaction or soon will.
            (0..200).try_fold(0, |sum, _| Ok(sum + store.read(|tx| tx.get(&META, &("n".to_owned(),)))?.unwrap_or(0)))
        });
        assert_eq!(seen.expect("read"), 0);
    });
    assert_eq!((number(&store, "n"), store.generation()), (Some(2), 1));
}

#[test]
fn counters_never_give_a_number_twice() {
    let (dir, store) = fresh();
    let next = |store: &Store| store.write(profiles::next_id).expect("a number");
    assert_eq!((next(&store), next(&store)), (ProfileId(1), ProfileId(2)));
    drop(store);
    assert_eq!(next(&open(dir.path()).expect("opens")), ProfileId(3));
}

#[test]
fn a_row_that_does_not_fit_is_named_by_table_and_key_without_its_content() {
    let (_dir, store) = fresh();
    let other: tables::Table<(AccountId,), String> = tables::ACCOUNTS.with_values();
    store.write(|tx| tx.put(&other, &(AccountId(1),), &"CANARY".to_owned())).expect("written");
    let sentence = store.read(|tx| accounts::get(tx, AccountId(1))).expect_err("no account").to_string();
    assert!(sentence.contains("row 00000001 of table accounts-1"), "{sentence}");
    assert!(!sentence.contains("CANARY"), "{sentence}");
}

#[test]
fn a_scan_never_crosses_from_one_account_to_the_next() {
    let (_dir, store) = fresh();
    let places = [AccountId(1), AccountId(0x0100), AccountId(0xff), AccountId(u32::MAX)];
    store
        .write(|tx| {
            places
                .iter()
                .try_for_each(|&account| deployment::put(tx, account, &Place::Global, &vec![ProfileId(account.0.into())]))
        })
        .expect("written");
    for account in places {
        let rows = store.read(|tx| deployment::all(tx, account)).expect("read");
        assert_eq!(rows, vec![(Place::Global, vec![ProfileId(account.0.into())])]);
    }
}

#[test]
fn a_walk_goes_either_way_and_stops_when_told() {
    let (_dir, store) = fresh();
    store
        .write(|tx| (1..=5).try_for_each(|n| deployment::put(tx, AccountId(1), &Place::Site(SiteId(n)), &vec![ProfileId(n)])))
        .expect("written");
    let mut seen = Vec::new();
    store
        .read(|tx| {
            tx.walk(&tables::DEPLOYMENT, Some(&(AccountId(1),)), Direction::Backward, |_, profiles| {
                seen.extend(profiles);
                if seen.len() < 2 { Walk::On } else { Walk::Stop }
            })
        })
        .expect("walked");
    assert_eq!(seen, vec![ProfileId(5), ProfileId(4)]);
}

fn any_device_key() -> impl Strategy<Value = DeviceKey> {
    prop_oneof![
        any::<[u8; 6]>().prop_map(|b| DeviceKey::Mac(Mac::from_bytes(b))),
        "[g-z0-9]{8,32}".prop_map(|s| s.parse().expect("a serial number")),
    ]
}

fn any_place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::Global),
        any::<u64>().prop_map(|n| Place::Site(SiteId(n))),
        any::<u64>().prop_map(|n| Place::Group(crate::domain::ids::GroupId(n))),
        ".{0,40}".prop_map(Place::Model),
    ]
}

proptest! {
    #[test]
    fn every_key_reads_back(account: u32, device in any_device_key(), place in any_place(), name in ".{0,60}") {
        let account = AccountId(account);
        let key = (account, device, name);
        prop_assert_eq!(<(AccountId, DeviceKey, String)>::decode(&key.encode()), Some(key));
        let key = (account, place);
        prop_assert_eq!(<(AccountId, Place)>::decode(&key.encode()), Some(key));
    }

    #[test]
    fn no_part_is_a_prefix_of_another(a in any_device_key(), b in any_device_key()) {
        let (first, second) = ((a.clone(),).encode(), (b.clone(),).encode());
        prop_assert_eq!(second.starts_with(&first), a == b);
    }

    #[test]
    fn times_sort_as_bytes(a in -377_705_023_201_000_000_i64..253_402_207_200_000_000, b in -377_705_023_201_000_000_i64..253_402_207_200_000_000) {
        let key = |micros| (jiff::Timestamp::from_microsecond(micros).expect("a time"),).encode();
        prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
    }
}

proptest! {
    // Each case makes a database of its own.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn places_come_back_as_they_were_written(places in proptest::collection::btree_map(any_place(), proptest::collection::vec(any::<u64>(), 1..4), 0..12)) {
        let (_dir, store) = fresh();
        store.write(|tx| places.iter().try_for_each(|(place, ids)| {
            deployment::put(tx, AccountId(1), place, &ids.iter().copied().map(ProfileId).collect())
        })).expect("written");
        let rows = store.read(|tx| deployment::all(tx, AccountId(1))).expect("read");
        let expected: BTreeSet<_> = places.into_iter().map(|(place, ids)| (place, ids.into_iter().map(ProfileId).collect::<Vec<_>>())).collect();
        prop_assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}
