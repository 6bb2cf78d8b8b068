//! The database file as redb writes it, with two things of ours: a fence and, for tests, faults.
//!
//! The fence cuts a handle off from writing before its successor is opened, so that the old one cannot write on closing.
//! The lock on the state directory is a file of its own ([`super::lock`]), held across such a change of handles, which the
//! library's own lock on the database could not be.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use redb::StorageBackend;
use redb::backends::FileBackend;

/// One open handle on the database file.
#[derive(Debug)]
pub(super) struct Disk {
    file: FileBackend,
    fence: Fence,
    faults: Arc<Faults>,
}

/// Shuts a [`Disk`] for writing, for good.
#[derive(Clone, Debug, Default)]
pub(super) struct Fence(Arc<AtomicBool>);

/// For tests: makes writes fail as a full disk does. Without being told, nothing fails.
#[derive(Debug)]
pub struct Faults {
    /// Writes and syncs that still succeed; negative: all.
    left: AtomicI64,
    /// What was written since recording began.
    #[cfg(test)]
    record: parking_lot::Mutex<Option<Vec<Written>>>,
}

/// One thing that reached the disk, or at least its cache.
#[cfg(test)]
#[derive(Clone, Debug)]
pub(super) enum Written {
    Bytes(u64, Vec<u8>),
    Length(u64),
    Sync,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            left: AtomicI64::new(-1),
            #[cfg(test)]
            record: parking_lot::Mutex::default(),
        }
    }
}

impl Faults {
    /// Lets this many writes and syncs through and fails all later ones.
    pub fn fail_after(&self, writes: u32) {
        self.left.store(i64::from(writes), Ordering::SeqCst);
    }

    /// The disk is well again.
    pub fn heal(&self) {
        self.left.store(-1, Ordering::SeqCst);
    }

    /// Begins to record what is written.
    #[cfg(test)]
    pub(super) fn record(&self) {
        *self.record.lock() = Some(Vec::new());
    }

    /// What was recorded so far.
    #[cfg(test)]
    pub(super) fn recorded(&self) -> Vec<Written> {
        self.record.lock().clone().unwrap_or_default()
    }

    #[cfg(test)]
    fn note(&self, written: impl FnOnce() -> Written) {
        if let Some(record) = self.record.lock().as_mut() {
            record.push(written());
        }
    }

    fn pass(&self) -> io::Result<()> {
        if self.left.load(Ordering::Relaxed) < 0 {
            return Ok(());
        }
        let passed = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
            0 => None,
            left => Some(if left < 0 { left } else { left - 1 }),
        });
        passed.map(|_| ()).map_err(|_| io::Error::from(io::ErrorKind::StorageFull))
    }
}

impl Fence {
    pub(super) fn shut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Disk {
    pub(super) fn new(file: File, fence: Fence, faults: Arc<Faults>) -> Result<Self, redb::DatabaseError> {
        Ok(Self { file: FileBackend::new(file)?, fence, faults })
    }

    fn may_write(&self) -> io::Result<()> {
        if self.fence.0.load(Ordering::SeqCst) {
            return Err(io::Error::other("this handle was replaced after a failed write"));
        }
        self.faults.pass()
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.may_write()?;
        #[cfg(test)]
        self.faults.note(|| Written::Length(len));
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.may_write()?;
        self.file.sync_data()?;
        #[cfg(test)]
        self.faults.note(|| Written::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.may_write()?;
        #[cfg(test)]
        self.faults.note(|| Written::Bytes(offset, data.to_vec()));
        self.file.write(offset, data)
    }
}
