//! Logs, core dumps and captures that devices upload: each upload a file of its own, whose name carries its time (R173).
//!
//! The folder is the index: no database row, no fsync. An upload is kept once it is renamed into place; a power cut may cost
//! the last seconds of logs and nothing else. The oldest of a device make room, so that none can fill the disk.

mod fleet;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use self::fleet::Fleet;
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::limits::{DUMP_NAME_BYTES, LOG_BYTES_PER_DEVICE, LOG_FILES_PER_DEVICE};

/// Folder of unfinished uploads, emptied at each start. No account has this name: theirs are numbers.
const UNFINISHED: &str = "unfinished";

/// Times in names: sortable, to the microsecond, UTC.
const STAMP: &str = "%Y%m%dT%H%M%S.%6fZ";
/// Characters of such a time.
const STAMP_CHARS: usize = "20260102T030405.000000Z".len();

/// Locks that share the devices among them. One is held while a folder changes, so that two uploads of a device never miscount.
const STRIPES: usize = 64;

/// How far a name may be ahead of the clock before that is taken to have been put back.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

type Shelves = Mutex<HashMap<(AccountId, DeviceKey), Shelf>>;

/// The log folders of all devices.
#[derive(Debug)]
pub struct Logs {
    root: PathBuf,
    quota: Quota,
    shelves: [Shelves; STRIPES],
    last_name: AtomicI64,
    drafts: AtomicU64,
    fleet: Fleet,
}

/// How much is kept of one device; the oldest uploads make room.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Bytes of all uploads.
    pub bytes: u64,
    /// Number of uploads.
    pub files: usize,
}

impl Default for Quota {
    fn default() -> Self {
        Self { bytes: LOG_BYTES_PER_DEVICE, files: LOG_FILES_PER_DEVICE }
    }
}

/// One kept upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// When it came in, in microseconds.
    pub at: Timestamp,
    /// What follows the device's key in the name that the phone gave it, in lower case: `boot.log`, `core.gz`.
    pub kind: String,
    /// Bytes.
    pub size_bytes: u64,
    /// The file's name within its folder.
    pub name: String,
}

/// An upload that is not complete yet. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
    file: File,
    path: PathBuf,
    size_bytes: u64,
    kept: bool,
}

/// What is known of a device's folder without reading it again.
#[derive(Debug, Default)]
struct Shelf {
    files: usize,
    bytes: u64,
    newest: Vec<LogFile>,
}

impl Logs {
    /// Opens the folder, making it where there is none, and removes what an interrupted upload left.
    pub fn open(root: PathBuf, quota: Quota) -> io::Result<Self> {
        let unfinished = root.join(UNFINISHED);
        match fs::remove_dir_all(&unfinished) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => make_folder(&unfinished)?,
        }
        Ok(Self::at(root, quota))
    }

    /// Uses the folder as it is.
    pub fn at(root: PathBuf, quota: Quota) -> Self {
        let (last_name, drafts) = (AtomicI64::new(0), AtomicU64::new(0));
        Self { root, quota, shelves: std::array::from_fn(|_| Mutex::default()), last_name, drafts, fleet: Fleet::default() }
    }

    /// Says how many bytes are kept of all devices together.
    pub fn limit(&self, bytes_in_all: u64) {
        self.fleet.limit(bytes_in_all);
    }

    /// Bytes of all devices' uploads, and how many there may be. Counted anew by each [`Logs::sweep`].
    pub fn in_all(&self) -> (u64, u64) {
        self.fleet.in_all()
    }

    /// When uploads were last removed before their time because there were too many in all; none since the start.
    pub fn removed_early(&self) -> Option<Timestamp> {
        self.fleet.removed_early()
    }

    /// Begins an upload.
    pub fn draft(&self) -> io::Result<Draft> {
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        let path = self.root.join(UNFINISHED).join(number.to_string());
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Draft { file, path, size_bytes: 0, kept: false })
    }

    /// Keeps a complete upload. Answers it as it is listed from now on; older uploads of the device may have made room for it.
    pub fn keep(&self, account: AccountId, key: &DeviceKey, kind: &str, now: Timestamp, mut draft: Draft) -> io::Result<LogFile> {
        let kind = kind.to_ascii_lowercase();
        if !is_kind(&kind) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this cannot stand in a file's name"));
        }
        let entry = LogFile::new(self.unique_time(now), &kind, draft.size_bytes);
        let folder = self.folder(account, key);
        let mut shelves = self.shelves(account, key).lock();
        let shelf = shelf(&mut shelves, account, key, &folder)?;
        if shelf.files == 0 {
            make_folder(&folder)?;
        }
        fs::rename(&draft.path, folder.join(&entry.name))?;
        draft.kept = true;
        shelf.add(entry.clone());
        self.fleet.grows(entry.size_bytes);
        if shelf.files > self.quota.files || shelf.bytes > self.quota.bytes {
            let before = shelf.bytes;
            *shelf = self.rotate(&folder, now)?;
            self.fleet.shrinks(before.saturating_sub(shelf.bytes));
        }
        drop(shelves);
        if self.fleet.make_room(&self.root, now)? {
            self.forget_shelves();
        }
        Ok(entry)
    }

    /// The newest upload of a kind.
    pub fn newest(&self, account: AccountId, key: &DeviceKey, kind: &str) -> io::Result<Option<LogFile>> {
        let mut shelves = self.shelves(account, key).lock();
        let shelf = shelf(&mut shelves, account, key, &self.folder(account, key))?;
        Ok(shelf.newest.iter().find(|e| e.kind.eq_ignore_ascii_case(kind)).cloned())
    }

    /// All uploads of a device, newest first.
    pub fn list(&self, account: AccountId, key: &DeviceKey) -> io::Result<Vec<LogFile>> {
        let mut entries = read_folder(&self.folder(account, key))?;
        entries.reverse();
        Ok(entries)
    }

    /// Where an upload lies; none for a name that is none of ours.
    pub fn path(&self, account: AccountId, key: &DeviceKey, name: &str) -> Option<PathBuf> {
        LogFile::parse(name, 0)?;
        Some(self.folder(account, key).join(name))
    }

    /// Removes one upload.
    pub fn remove(&self, account: AccountId, key: &DeviceKey, entry: &LogFile) -> io::Result<()> {
        let mut shelves = self.shelves(account, key).lock();
        shelves.remove(&(account, key.clone()));
        fs::remove_file(self.folder(account, key).join(&entry.name))?;
        self.fleet.shrinks(entry.size_bytes);
        Ok(())
    }

    /// Removes what a device uploaded after a time, if there is one, and not after another.
    pub fn forget(&self, account: AccountId, key: &DeviceKey, since: Option<Timestamp>, until: Timestamp) -> io::Result<()> {
        let mut shelves = self.shelves(account, key).lock();
        shelves.remove(&(account, key.clone()));
        let folder = self.folder(account, key);
        let all = read_folder(&folder)?;
        let goes = |entry: &&LogFile| since.is_none_or(|since| entry.at > since) && entry.at <= until;
        for entry in all.iter().filter(goes) {
            fs::remove_file(folder.join(&entry.name))?;
            self.fleet.shrinks(entry.size_bytes);
        }
        if all.iter().all(|entry| goes(&entry)) {
            // One that is not there, or holds something else by now, stays as it is.
            let _ = fs::remove_dir(&folder);
        }
        Ok(())
    }

    /// Removes all uploads that are older than a time, which each account has its own of, and tells how many there were (R44).
    pub fn sweep(&self, before: impl Fn(AccountId) -> Timestamp) -> io::Result<u64> {
        let (mut removed, mut left) = (0, 0);
        for account in accounts(&self.root)? {
            let number = account.file_name().and_then(|name| name.to_str()?.parse().ok());
            let before = number.map_or(Timestamp::MIN, |number| before(AccountId(number)));
            for folder in folders(&account)? {
                for entry in read_folder(&folder)? {
                    if entry.at < before {
                        fs::remove_file(folder.join(&entry.name))?;
                        removed += 1;
                    } else {
                        left += entry.size_bytes;
                    }
                }
            }
        }
        self.fleet.counted(left);
        self.forget_shelves();
        Ok(removed)
    }

    /// What is known of folders is read anew.
    fn forget_shelves(&self) {
        self.shelves.iter().for_each(|shelves| shelves.lock().clear());
    }

    fn folder(&self, account: AccountId, key: &DeviceKey) -> PathBuf {
        self.root.join(account.to_string()).join(key.to_string())
    }

    fn shelves(&self, account: AccountId, key: &DeviceKey) -> &Shelves {
        let mut hasher = std::hash::DefaultHasher::new();
        (account, key).hash(&mut hasher);
        let stripe = usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or(0);
        &self.shelves[stripe]
    }

    /// Removes the oldest uploads until nine tenths of the quota are left, so that the next upload needs no rotation. Those of a time
    /// that has not come go first: a clock that was ahead named them before it was put right.
    fn rotate(&self, folder: &Path, now: Timestamp) -> io::Result<Shelf> {
        let mut entries = read_folder(folder)?;
        entries.sort_by_key(|entry| entry.at.duration_since(now) <= AHEAD);
        let (mut files, mut bytes) = (entries.len(), entries.iter().map(|e| e.size_bytes).sum::<u64>());
        let mut kept = entries.into_iter().peekable();
        while let Some(oldest) =
            kept.next_if(|_| files > 1 && (files > self.quota.files * 9 / 10 || bytes > self.quota.bytes / 10 * 9))
        {
            fs::remove_file(folder.join(oldest.name))?;
            files -= 1;
            bytes -= oldest.size_bytes;
        }
        Ok(Shelf::of(kept.collect()))
    }

    /// The time of an upload, later than that of every upload before it: names are unique, and their order is that of arrival. A
    /// clock that was put back is followed.
    fn unique_time(&self, now: Timestamp) -> Timestamp {
        let ahead = i64::try_from(AHEAD.as_micros()).unwrap_or(i64::MAX);
        let next = |last: i64| {
            let now = now.as_microsecond();
            if (now..now.saturating_add(ahead)).contains(&last) { last + 1 } else { now }
        };
        let last = self.last_name.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        let micros = next(last.unwrap_or_else(|last| last));
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl Shelf {
    fn of(entries: Vec<LogFile>) -> Self {
        let mut shelf = Self::default();
        entries.into_iter().for_each(|entry| shelf.add(entry));
        shelf
    }

    fn add(&mut self, entry: LogFile) {
        self.files += 1;
        self.bytes += entry.size_bytes;
        self.newest.retain(|e| e.kind != entry.kind);
        self.newest.push(entry);
    }
}

impl Draft {
    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// What was written so far.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.path)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl LogFile {
    fn new(at: Timestamp, kind: &str, size_bytes: u64) -> Self {
        Self { at, kind: kind.to_owned(), size_bytes, name: format!("{}-{kind}", at.strftime(STAMP)) }
    }

    fn parse(name: &str, size_bytes: u64) -> Option<Self> {
        let (stamp, rest) = name.split_at_checked(STAMP_CHARS)?;
        let kind = rest.strip_prefix('-').filter(|kind| is_kind(kind))?;
        let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S.%fZ", stamp).ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self { at: at.timestamp(), kind: kind.to_owned(), size_bytes, name: name.to_owned() })
    }
}

/// Whether a text may stand in a file's name: lower-case letters, digits, dots, hyphens and underscores.
fn is_kind(kind: &str) -> bool {
    let plain = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
    !kind.is_empty() && kind.len() <= DUMP_NAME_BYTES && kind.bytes().all(plain)
}

/// What is known of a device's folder, which is read where nothing is.
fn shelf<'a>(
    shelves: &'a mut HashMap<(AccountId, DeviceKey), Shelf>,
    account: AccountId,
    key: &DeviceKey,
    folder: &Path,
) -> io::Result<&'a mut Shelf> {
    match shelves.entry((account, key.clone())) {
        Entry::Occupied(known) => Ok(known.into_mut()),
        Entry::Vacant(unknown) => Ok(unknown.insert(Shelf::of(read_folder(folder)?))),
    }
}

/// The uploads in a folder, oldest first. A folder that is not there is empty.
fn read_folder(folder: &Path) -> io::Result<Vec<LogFile>> {
    let mut entries = Vec::new();
    let items = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(entries),
        items => items?,
    };
    for item in items {
        let item = item?;
        let size_bytes = match item.metadata() {
            // It made room a moment ago.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            known => known?.len(),
        };
        entries.extend(item.file_name().to_str().and_then(|name| LogFile::parse(name, size_bytes)));
    }
    entries.sort_by_key(|e| e.at);
    Ok(entries)
}

/// The folders of all accounts.
fn accounts(root: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(folders(root)?.into_iter().filter(|path| !path.ends_with(UNFINISHED)).collect())
}

fn folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(path)?.map(|item| item.map(|i| i.path())).collect()
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests;
