//! How much the uploads of all devices take together, and what happens when that is too much: the oldest go, whoever sent them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::{LogFile, accounts, folders, read_folder};
use crate::domain::limits::LOG_BYTES_IN_ALL;

/// No time: nothing was removed early.
const NEVER: i64 = i64::MIN;
/// The oldest go by the minute: a count for each minute of some weeks is small, while a list of all files may not be.
const STEP_SECONDS: i64 = 60;

/// The sum over all devices.
#[derive(Debug)]
pub(super) struct Fleet {
    bytes: AtomicU64,
    limit: AtomicU64,
    removed_early: AtomicI64,
    /// One makes room; uploads that come meanwhile go on.
    clearing: Mutex<()>,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            bytes: AtomicU64::new(0),
            limit: AtomicU64::new(LOG_BYTES_IN_ALL),
            removed_early: AtomicI64::new(NEVER),
            clearing: Mutex::default(),
        }
    }
}

impl Fleet {
    pub(super) fn limit(&self, bytes: u64) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn in_all(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.limit.load(Ordering::Relaxed))
    }

    pub(super) fn removed_early(&self) -> Option<Timestamp> {
        let micros = self.removed_early.load(Ordering::Relaxed);
        (micros != NEVER).then(|| Timestamp::from_microsecond(micros).ok()).flatten()
    }

    pub(super) fn grows(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn shrinks(&self, bytes: u64) {
        let less = |now: u64| Some(now.saturating_sub(bytes));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    pub(super) fn counted(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Removes the oldest uploads of all devices until nine tenths of the limit are left, where it is exceeded. Tells whether it did.
    pub(super) fn make_room(&self, root: &Path, now: Timestamp) -> io::Result<bool> {
        let is_full = || self.in_all().0 > self.in_all().1;
        let Some(_alone) = Some(()).filter(|()| is_full()).and_then(|()| self.clearing.try_lock()) else { return Ok(false) };
        let mut minutes: BTreeMap<i64, u64> = BTreeMap::new();
        each(root, |entry, _| {
            *minutes.entry(minute(entry)).or_default() += entry.size_bytes;
            Ok(())
        })?;
        let mut bytes: u64 = minutes.values().sum();
        let enough = self.in_all().1 / 10 * 9;
        let this_minute = now.as_second().div_euclid(STEP_SECONDS);
        let mut oldest = minutes.into_iter().filter(|(minute, _)| *minute < this_minute);
        let mut kept_from = i64::MIN;
        while bytes > enough
            && let Some((minute, of_it)) = oldest.next()
        {
            bytes -= of_it;
            kept_from = minute + 1;
        }
        let mut is_any = false;
        each(root, |entry, folder| {
            if minute(entry) < kept_from {
                remove(&folder.join(&entry.name))?;
                is_any = true;
            }
            Ok(())
        })?;
        self.counted(bytes);
        if is_any {
            self.removed_early.store(now.as_microsecond(), Ordering::Relaxed);
        }
        Ok(is_any)
    }
}

fn minute(entry: &LogFile) -> i64 {
    entry.at.as_second().div_euclid(STEP_SECONDS)
}

/// A device's own quota may have removed it at the same moment.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn each(root: &Path, mut visit: impl FnMut(&LogFile, &Path) -> io::Result<()>) -> io::Result<()> {
    for account in accounts(root)? {
        for folder in folders(&account)? {
            read_folder(&folder)?.iter().try_for_each(|entry| visit(entry, &folder))?;
        }
    }
    Ok(())
}
