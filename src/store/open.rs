//! Opening the database, and opening it again after a failed write.
//!
//! After one failed write or sync the library refuses every later write on that handle, also when the disk is well again
//! (measured with a full disk). Then a second handle is opened and takes the first one's place. That needs all transactions
//! ended, because the new handle would reuse pages that a reader of the old one still looks at. Transactions hold a shared lock
//! while they run, so waiting for them is waiting for that lock; they are closures, so they end. A handle that could not be
//! replaced goes on reading.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use parking_lot::{RwLock, RwLockReadGuard};
use redb::backends::InMemoryBackend;
use redb::{Database, DatabaseError, ReadableDatabase as _, StorageBackend, StorageError, TransactionError};

use super::disk::{Disk, Faults, Fence};
use super::error::StoreError;
use super::guard::{self, Found};
use super::lock::Lock;
use super::rows::Snapshot;
use super::tables;
use super::tx::{ReadTx, WriteTx};
use super::{files, migrations};

/// Name of the database in the state directory.
pub(super) const NAME: &str = "pdms.redb";
/// Memory that the library may use for pages. What is asked for often is held as values; of the rest the operating system keeps what it
/// has room for. With four times as much a storm of 50,000 phones is no faster.
const CACHE_BYTES: usize = 8 * 1024 * 1024;
/// How long a reopening waits for running transactions.
const REOPEN_WAIT: Duration = Duration::from_secs(10);

/// The database of one state directory. Only one process at a time has it.
#[derive(Debug)]
pub struct Store {
    file: PathBuf,
    handle: RwLock<Handle>,
    generation: AtomicU64,
    /// Whether a reopening waits for running transactions.
    awaited: AtomicBool,
    faults: Arc<Faults>,
    _lock: Option<Lock>,
}

/// One opening of the file.
#[derive(Debug)]
struct Handle {
    database: Database,
    fence: Fence,
}

/// A handle that is not replaced while this lives.
struct Shared<'a>(RwLockReadGuard<'a, Handle>);

impl std::ops::Deref for Shared<'_> {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.0
    }
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

impl Store {
    /// Opens the database of an existing directory, or makes one where none ever was.
    ///
    /// # Errors
    /// In words for the person who started the server: in use, missing, empty, damaged, too new, or a failing file system.
    pub fn open(dir: &Path, faults: Arc<Faults>) -> Result<Self, StoreError> {
        let lock = Lock::take(dir)?;
        let file = dir.join(NAME);
        if guard::look(dir, &file)? == Found::Nothing {
            create(dir, &file, &faults)?;
        }
        let handle = open_handle(&file, &faults, Integrity::Check)?;
        let store = Self::on(file, handle, faults, Some(lock));
        migrations::run(&store, &store.file)?;
        store.make_tables()?;
        guard::mark(dir)?;
        Ok(store)
    }

    /// Opens a copy in memory of the database of a directory, for looking at it. Nothing on the disk is changed, not even what an
    /// unclean stop left to be mended.
    ///
    /// # Errors
    /// As [`Store::open`]; here a missing database is always an error.
    pub fn inspect(dir: &Path) -> Result<Self, StoreError> {
        let lock = Lock::look(dir)?;
        let file = dir.join(NAME);
        if guard::look(dir, &file)? == Found::Nothing {
            return Err(StoreError::Missing { file });
        }
        let handle = open_copy(&file)?;
        let store = Self::on(file, handle, Arc::default(), lock);
        migrations::run_on_copy(&store, &store.file)?;
        store.make_tables()?;
        Ok(store)
    }

    fn on(file: PathBuf, handle: Handle, faults: Arc<Faults>, lock: Option<Lock>) -> Self {
        let (handle, generation, awaited) = (RwLock::new(handle), AtomicU64::new(0), AtomicBool::new(false));
        Self { file, handle, generation, awaited, faults, _lock: lock }
    }

    /// Where the database of a directory is, or would be.
    pub fn file_in(dir: &Path) -> PathBuf {
        dir.join(NAME)
    }

    /// Whether a directory was ever used: it has a database or the mark that it had one.
    pub fn exists(dir: &Path) -> Result<bool, StoreError> {
        match guard::look(dir, &dir.join(NAME)) {
            Ok(found) => Ok(found == Found::Database),
            Err(StoreError::Missing { .. } | StoreError::Empty { .. }) => Ok(true),
            Err(other) => Err(other),
        }
    }

    /// The database file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// How often the database was opened again. When it grows, what was derived from rows must be derived anew: a commit that
    /// was reported as failed may turn out to be kept.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Reads from one snapshot. Short by intention: a reopening waits for it.
    pub fn read<T, E: From<StoreError>>(&self, look: impl FnOnce(&ReadTx) -> Result<T, E>) -> Result<T, E> {
        let handle = self.share();
        let tx = handle.database.begin_read().map_err(StoreError::from)?;
        look(&ReadTx(tx))
    }

    /// Looks at the whole database as it is at one moment, for as long as it takes: where a reopening has to wait for it, the
    /// walk over the rows breaks off.
    ///
    /// # Errors
    /// The database failed; what `look` reports.
    pub fn snapshot<T, E: From<StoreError>>(&self, look: impl FnOnce(&Snapshot<'_>) -> Result<T, E>) -> Result<T, E> {
        let handle = self.share();
        let tx = handle.database.begin_read().map_err(StoreError::from)?;
        look(&Snapshot::new(ReadTx(tx), &self.awaited))
    }

    /// Makes one change; durable when this returns `Ok`, undone when the closure fails.
    pub fn write<T, E: From<StoreError>>(&self, change: impl FnOnce(&WriteTx) -> Result<T, E>) -> Result<T, E> {
        let (_handle, tx) = self.begin_write()?;
        let value = change(&tx)?;
        tx.0.commit().map_err(StoreError::from)?;
        Ok(value)
    }

    /// Does what a change would do, and undoes it.
    pub fn try_out<T, E: From<StoreError>>(&self, change: impl FnOnce(&WriteTx) -> Result<T, E>) -> Result<T, E> {
        let (_handle, tx) = self.begin_write()?;
        let value = change(&tx)?;
        tx.0.abort().map_err(StoreError::from)?;
        Ok(value)
    }

    /// The handle, shared with other transactions. The first transaction of a thread queues behind a reopening, so that a stream
    /// of readers cannot keep it waiting; one inside another must not, because the reopening waits for the outer one.
    fn share(&self) -> Shared<'_> {
        let depth = DEPTH.get();
        DEPTH.set(depth + 1);
        Shared(if depth == 0 { self.handle.read() } else { self.handle.read_recursive() })
    }

    fn begin_write(&self) -> Result<(Shared<'_>, WriteTx), StoreError> {
        let generation = self.generation();
        let handle = self.share();
        let begun = handle.database.begin_write();
        let (handle, mut tx) = match begun {
            Ok(tx) => (handle, tx),
            Err(TransactionError::Storage(StorageError::PreviousIo)) => {
                drop(handle);
                self.reopen(generation)?;
                let handle = self.share();
                let tx = handle.database.begin_write()?;
                (handle, tx)
            }
            Err(other) => return Err(other.into()),
        };
        // Phones decide a part of what is stored: checksums alone must not decide which commit counts after a crash.
        tx.set_two_phase_commit(true);
        tx.set_quick_repair(true);
        Ok((handle, WriteTx(tx)))
    }

    /// Replaces the handle, unless another thread did so since `seen`.
    fn reopen(&self, seen: u64) -> Result<(), StoreError> {
        self.awaited.store(true, Ordering::SeqCst);
        let handle = self.handle.try_write_for(REOPEN_WAIT);
        self.awaited.store(false, Ordering::SeqCst);
        let mut handle = handle
            .ok_or_else(|| StoreError::Database("a long-running read keeps the database from being opened again".into()))?;
        if self.generation() != seen {
            return Ok(());
        }
        handle.fence.shut();
        *handle = open_handle(&self.file, &self.faults, Integrity::Trust)?;
        self.generation.fetch_add(1, Ordering::SeqCst);
        tracing::warn!("the database was opened again after a failed write");
        Ok(())
    }

    /// Tables that came with a newer pdms and need no migration because nothing was in them.
    fn make_tables(&self) -> Result<(), StoreError> {
        let missing = self.read(|tx| {
            let have: Vec<String> = tx.0.list_tables()?.map(|t| redb::TableHandle::name(&t).to_owned()).collect();
            Ok::<_, StoreError>(tables::ALL.iter().any(|t| !have.iter().any(|h| h == redb::TableHandle::name(t))))
        })?;
        if missing { self.write(make_all_tables) } else { Ok(()) }
    }
}

fn make_all_tables(tx: &WriteTx) -> Result<(), StoreError> {
    for table in tables::ALL {
        tx.0.open_table(table)?;
    }
    Ok(())
}

/// A database of its own that is being made, for [`Store::fill`].
pub(super) fn new_handle(file: &Path, faults: &Arc<Faults>) -> Result<Database, StoreError> {
    open_handle(file, faults, Integrity::Trust).map(|handle| handle.database)
}

/// Makes a whole database under another name first: a crash never leaves a half one under the right name.
fn create(dir: &Path, file: &Path, faults: &Arc<Faults>) -> Result<(), StoreError> {
    let temporary = file.with_extension("redb.new");
    let _leftover = std::fs::remove_file(&temporary);
    let handle = open_handle(&temporary, faults, Integrity::Trust)?;
    let tx = WriteTx(handle.database.begin_write()?);
    make_all_tables(&tx)?;
    migrations::begin(&tx)?;
    tx.0.commit()?;
    drop(handle);
    std::fs::rename(&temporary, file).map_err(StoreError::file("rename", &temporary))?;
    files::sync_folder(dir).map_err(StoreError::file("write", dir))
}

/// Whether the whole file is checked when it is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Integrity {
    /// At start: what lay on the disk may have been damaged since.
    Check,
    /// Of a file that this process has just been working with.
    Trust,
}

fn open_handle(file: &Path, faults: &Arc<Faults>, integrity: Integrity) -> Result<Handle, StoreError> {
    let opened = files::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(file)
        .map_err(StoreError::file("open", file))?;
    let fence = Fence::default();
    let disk = || Disk::new(opened, fence.clone(), Arc::clone(faults));
    Ok(Handle { database: open_database(file, integrity, disk)?, fence })
}

fn open_copy(file: &Path) -> Result<Handle, StoreError> {
    let content = std::fs::read(file).map_err(StoreError::file("read", file))?;
    let memory = || {
        let memory = InMemoryBackend::new();
        memory.set_len(content.len() as u64).and_then(|()| memory.write(0, &content)).map_err(StorageError::Io)?;
        Ok(memory)
    };
    Ok(Handle { database: open_database(file, Integrity::Check, memory)?, fence: Fence::default() })
}

fn open_database<B: StorageBackend>(
    file: &Path,
    integrity: Integrity,
    backend: impl FnOnce() -> Result<B, DatabaseError>,
) -> Result<Database, StoreError> {
    let damaged = |cause: String| StoreError::Damaged { file: file.to_owned(), cause };
    // The library panics on some damaged files where others give an error.
    let result = quietly(|| {
        let backend = backend()?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        builder.set_check_integrity_on_open(integrity == Integrity::Check);
        builder.create_with_backend(backend)
    });
    match result {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(DatabaseError::Storage(StorageError::Io(e)))) if !is_about_content(&e) => Err(StoreError::file("open", file)(e)),
        Ok(Err(error)) => Err(damaged(error.to_string())),
        Err(()) => Err(damaged("its pages contradict each other".to_owned())),
    }
}

fn is_about_content(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof)
}

thread_local! {
    /// Whether a panic of this thread stays unprinted.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// Transactions that this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs something that may panic, without the panic being printed: the caller has a better sentence.
fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, ()> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                others(info);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    QUIET.set(false);
    result.map_err(|_| ())
}
