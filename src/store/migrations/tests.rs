//! The mechanism, with steps of its own. What the real ones do to rows is tested beside the stored rows.

use std::sync::Arc;

use super::*;
use crate::store::Faults;

const STEPS: &[Step] =
    &[Step { to: 3, sentence: "count the rows", run: count }, Step { to: 4, sentence: "count them again", run: count }];
const FAILING: &[Step] =
    &[Step { to: 3, sentence: "count the rows", run: count }, Step { to: 4, sentence: "give up", run: fail }];

fn count(tx: &WriteTx) -> Result<(), StoreError> {
    tx.next_number("migrated").map(|_| ())
}

fn fail(tx: &WriteTx) -> Result<(), StoreError> {
    count(tx)?;
    Err(StoreError::DiskFull)
}

fn counted(store: &Store) -> Option<u64> {
    store.read(|tx| tx.get(&META, &("next-migrated".to_owned(),))).expect("the counter is readable")
}

fn fresh() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Store::open(dir.path(), Arc::new(Faults::default())).expect("a new store opens");
    (dir, store)
}

#[test]
fn steps_run_once_each_and_in_order_and_the_file_is_kept_aside() {
    let (dir, store) = fresh();
    run_steps(&store, store.file(), STEPS).expect("both steps run");
    assert_eq!((version(&store).expect("a version"), counted(&store)), (4, Some(3)));
    assert!(dir.path().join("pdms.v2.redb").exists());
    run_steps(&store, store.file(), STEPS).expect("nothing is left to do");
    assert_eq!(counted(&store), Some(3));
}

#[test]
fn a_failing_step_leaves_the_version_before_it() {
    let (_dir, store) = fresh();
    let error = run_steps(&store, store.file(), FAILING).expect_err("the second step fails");
    assert!(error.to_string().contains("version 4 (give up)"), "{error}");
    assert_eq!((version(&store).expect("a version"), counted(&store)), (3, Some(2)));
}

#[test]
fn a_newer_database_is_refused_with_both_numbers() {
    let (dir, store) = fresh();
    run_steps(&store, store.file(), STEPS).expect("both steps run");
    drop(store);
    let error = Store::open(dir.path(), Arc::new(Faults::default())).expect_err("version 4 is unknown here");
    assert!(matches!(error, StoreError::Newer { found: 4, known: 2, .. }), "{error}");
}
