//! Files that are too big for the database: uploads and logs, below the state directory.
//!
//! Content that phones get back is written to a temporary file, synced and renamed; then the caller commits the row that names it.
//! A crash between the two leaves a file without a row, which [`sweep`] removes at start. Every name here is made by us:
//! nothing that a client sent reaches a path.

pub mod logs;
pub mod parts;
mod sweep;
pub mod usage;

use std::collections::HashSet;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use uuid::Uuid;

/// All content of one state directory.
#[derive(Debug)]
pub struct Blobs {
    root: PathBuf,
    logs: logs::Logs,
    held: Mutex<Held>,
}

/// Content that is to be removed once nobody holds it any more.
#[derive(Debug, Default)]
struct Held {
    holders: usize,
    waiting: Vec<String>,
}

/// As long as this lives, nothing is removed: what the rows of one moment name can be read to the end.
#[derive(Debug)]
pub struct Hold<'a>(&'a Blobs);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut held = self.0.held.lock();
        held.holders -= 1;
        if held.holders == 0 {
            // What stays in spite of this has no row: the next start removes it.
            held.waiting.drain(..).for_each(|blob| drop(self.0.remove_now(&blob)));
        }
    }
}

/// Content that was written and is safe from a power cut. Name it in a row, or a later start removes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub blob: String,
    /// Bytes.
    pub size_bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// How much is copied at a time.
const CHUNK_BYTES: usize = 64 * 1024;

impl Blobs {
    /// Uses two existing folders, one for content with rows and one for logs.
    pub fn open(root: PathBuf, logs: PathBuf) -> io::Result<Self> {
        make_folder(&root)?;
        Ok(Self { root, logs: logs::Logs::open(logs, logs::Quota::default())?, held: Mutex::default() })
    }

    /// Uses the folders as they are, for looking at them: nothing is made or removed.
    pub fn at(root: PathBuf, logs: PathBuf) -> Self {
        Self { root, logs: logs::Logs::at(logs, logs::Quota::default()), held: Mutex::default() }
    }

    /// Whether a content is there.
    pub fn has(&self, blob: &str) -> bool {
        self.path(blob).is_ok_and(|path| path.is_file())
    }

    /// The logs of all devices.
    pub fn logs(&self) -> &logs::Logs {
        &self.logs
    }

    /// Bytes that can still be written to the disk of the state directory.
    pub fn free_bytes(&self) -> io::Result<u64> {
        Ok(usage::Disk::of(&self.root)?.free_bytes)
    }

    /// Keeps a content of known size.
    pub fn put(&self, content: &[u8]) -> io::Result<Written> {
        self.put_from(content)
    }

    /// Keeps whatever a reader gives. How much that may be is for the caller to bound.
    pub fn put_from(&self, mut content: impl Read) -> io::Result<Written> {
        let blob = Uuid::now_v7().simple().to_string();
        let path = self.path(&blob)?;
        let folder = path.parent().ok_or_else(|| io::Error::other("a blob has a folder"))?;
        make_folder(folder)?;
        let mut file = temporary(folder)?;
        let (size_bytes, sha256) = copy(&mut content, &mut file)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        sync_folder(folder)?;
        // The fan-out folder itself may be new.
        sync_folder(&self.root)?;
        Ok(Written { blob, size_bytes, sha256 })
    }

    /// Keeps a file that is synced and lies on the same disk, without a copy: it has a second name then. Whoever has the first one
    /// writes to it no more.
    pub fn link(&self, file: &Path) -> io::Result<String> {
        let blob = Uuid::now_v7().simple().to_string();
        let path = self.path(&blob)?;
        let folder = path.parent().ok_or_else(|| io::Error::other("a blob has a folder"))?;
        make_folder(folder)?;
        std::fs::hard_link(file, &path)?;
        sync_folder(folder)?;
        sync_folder(&self.root)?;
        Ok(blob)
    }

    /// Opens a content for reading.
    pub fn open_blob(&self, blob: &str) -> io::Result<File> {
        File::open(self.path(blob)?)
    }

    /// Reads a whole content into memory; for what is known to be small.
    pub fn read(&self, blob: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.path(blob)?)
    }

    /// Keeps all content from being removed. Take it before the snapshot whose rows name what is to be read.
    pub fn hold(&self) -> Hold<'_> {
        self.held.lock().holders += 1;
        Hold(self)
    }

    /// Removes a content after the row that named it is gone; later, where it is held. Removing what is not there is no error.
    pub fn remove(&self, blob: &str) -> io::Result<()> {
        let mut held = self.held.lock();
        if held.holders > 0 {
            held.waiting.push(blob.to_owned());
            return Ok(());
        }
        self.remove_now(blob)
    }

    fn remove_now(&self, blob: &str) -> io::Result<()> {
        match std::fs::remove_file(self.path(blob)?) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Removes everything that none of these names stands for, and what a crash left half written. Answers how many files.
    pub fn sweep(&self, named: &HashSet<String>) -> io::Result<usize> {
        sweep::sweep(&self.root, named)
    }

    /// Where a content of this name lies below the folder of all content; none for a name that is none of ours.
    /// Folders by the last two digits: time-ordered names would all share the first ones.
    pub fn place(blob: &str) -> Option<PathBuf> {
        let ours = blob.len() == 32 && blob.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        ours.then(|| Path::new(&blob[30..]).join(blob))
    }

    fn path(&self, blob: &str) -> io::Result<PathBuf> {
        let refused = || io::Error::new(io::ErrorKind::InvalidInput, "a row names a blob that cannot be ours");
        Ok(self.root.join(Self::place(blob).ok_or_else(refused)?))
    }
}

/// A temporary file in the folder it will stay in. The library makes it with mode 0600.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(sweep::TEMPORARY).tempfile_in(folder)
}

fn copy(content: &mut impl Read, file: &mut NamedTempFile) -> io::Result<(u64, String)> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut hash = Sha256::new();
    let mut size_bytes = 0;
    loop {
        let count = match content.read(&mut chunk) {
            Ok(0) => return Ok((size_bytes, hex::encode(hash.finalize()))),
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        hash.update(&chunk[..count]);
        file.write_all(&chunk[..count])?;
        size_bytes += count as u64;
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
