//! Power cuts: what the disk kept of the writes since the last sync is anything from nothing to all, in any order, torn.
//!
//! A run of commits is recorded; for each point between two syncs, disks are made up that a power cut could have left, and
//! opened. Each must hold what was acknowledged before the cut, or the change that was under way, whole.

use std::path::Path;
use std::sync::Arc;

use super::disk::Written;
use super::tables::META;
use super::*;

/// Commits in the recorded run.
const COMMITS: u64 = 3;

fn names() -> [String; 2] {
    ["a", "b"].map(str::to_owned)
}

fn set(store: &Store, value: u64) {
    let changed: Result<(), StoreError> = store.write(|tx| {
        // Ballast, so that a commit is more than one page.
        for i in 0..40 {
            tx.put(&META, &(format!("ballast {value} {i}"),), &value)?;
        }
        names().into_iter().try_for_each(|name| tx.put(&META, &(name,), &value))
    });
    changed.expect("written");
}

fn values(store: &Store) -> [Option<u64>; 2] {
    names().map(|name| store.read(|tx| tx.get(&META, &(name,))).expect("readable"))
}

/// A disk's content after some writes.
fn after(image: &[u8], writes: &[Written]) -> Vec<u8> {
    let mut image = image.to_vec();
    let index = |n: u64| usize::try_from(n).expect("an offset in memory");
    for written in writes {
        match written {
            Written::Length(length) => image.resize(index(*length), 0),
            Written::Bytes(offset, bytes) => {
                let end = index(*offset) + bytes.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[index(*offset)..end].copy_from_slice(bytes);
            }
            Written::Sync => {}
        }
    }
    image
}

/// What a power cut may leave of the writes since the last sync.
fn remains(unsynced: &[Written]) -> Vec<Vec<Written>> {
    let half = unsynced.len() / 2;
    let every_other = |first| unsynced.iter().skip(first).step_by(2).cloned().collect();
    let mut torn = unsynced.to_vec();
    if let Some(Written::Bytes(_, bytes)) = torn.iter_mut().rev().find(|written| matches!(written, Written::Bytes(..))) {
        bytes.truncate(bytes.len() / 2);
    }
    vec![
        Vec::new(),
        unsynced.to_vec(),
        unsynced[..half].to_vec(),
        unsynced[half..].to_vec(),
        every_other(0),
        every_other(1),
        torn,
    ]
}

/// Opens a made-up disk; answers what it holds and what opening wrote.
fn open_image(image: &[u8]) -> ([Option<u64>; 2], Vec<Written>) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("pdms.redb"), image).expect("written");
    let faults = Arc::<Faults>::default();
    faults.record();
    let store = Store::open(dir.path(), Arc::clone(&faults)).expect("what a power cut leaves opens");
    let repairs = faults.recorded();
    (values(&store), repairs)
}

/// The recorded run: the disk before it, what was written, and after how many writes each commit was acknowledged.
fn run(dir: &Path) -> (Vec<u8>, Vec<Written>, Vec<usize>) {
    let faults = Arc::<Faults>::default();
    let store = Store::open(dir, Arc::clone(&faults)).expect("a new store opens");
    set(&store, 0);
    let image = std::fs::read(store.file()).expect("read");
    faults.record();
    let acknowledged = (1..=COMMITS).map(|value| {
        set(&store, value);
        faults.recorded().len()
    });
    let acknowledged = acknowledged.collect();
    (image, faults.recorded(), acknowledged)
}

#[test]
fn a_power_cut_leaves_every_acknowledged_change_and_no_half_one() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (image, writes, acknowledged) = run(dir.path());
    let syncs: Vec<usize> = writes.iter().enumerate().filter(|(_, w)| matches!(w, Written::Sync)).map(|(i, _)| i + 1).collect();
    assert!(syncs.len() as u64 >= 2 * COMMITS, "two phases have two syncs each");
    let mut synced = 0;
    for next in syncs {
        let kept = after(&image, &writes[..synced]);
        let before = acknowledged.iter().filter(|&&at| at <= synced).count() as u64;
        for remains in remains(&writes[synced..next - 1]) {
            let cut = after(&kept, &remains);
            let (found, repairs) = open_image(&cut);
            let whole = |found: [Option<u64>; 2]| found == [Some(before); 2] || found == [Some(before + 1); 2];
            assert!(whole(found), "after {before} acknowledged commits and a cut before write {next}: {found:?}");
            // The power fails once more while the first cut is being repaired.
            let (found, _) = open_image(&after(&cut, &repairs[..repairs.len() / 2]));
            assert!(whole(found), "after a second cut: {found:?}");
        }
        synced = next;
    }
}
