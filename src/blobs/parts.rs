//! Uploads that come in pieces: each a file that grows, and a note beside it that says what it is to become. Both survive a restart, and
//! are none of the content that rows name.
//!
//! Names are made by the caller out of numbers; nothing that a client sent reaches a path.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use tempfile::NamedTempFile;
use uuid::Uuid;

use super::{make_folder, sync_folder};

/// What the name of a growing file ends with.
const PART: &str = "part";
/// What the name of its note ends with.
const NOTE: &str = "json";

/// The folder of such uploads. It is made with the first of them.
#[derive(Clone, Debug)]
pub struct Parts(PathBuf);

impl Parts {
    /// Uses a folder that need not be there.
    pub fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Begins an upload: an empty file and its note.
    pub fn begin(&self, id: Uuid, note: &[u8]) -> io::Result<()> {
        make_folder(&self.0)?;
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.path(id, PART))?;
        self.note(id, note)
    }

    /// Writes the note of an upload anew: the former one stays until this one is whole.
    pub fn note(&self, id: Uuid, note: &[u8]) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.0)?;
        file.write_all(note)?;
        file.as_file().sync_all()?;
        file.persist(self.path(id, NOTE))?;
        sync_folder(&self.0)
    }

    /// All uploads with their notes and how much of each is there. What has only one of the two is left out.
    pub fn all(&self) -> io::Result<Vec<(Uuid, Vec<u8>, u64)>> {
        let mut found = Vec::new();
        for id in self.ids()? {
            if let (Ok(note), Ok(bytes)) = (std::fs::read(self.path(id, NOTE)), self.length(id)) {
                found.push((id, note, bytes));
            }
        }
        Ok(found)
    }

    /// How much of an upload is there.
    pub fn length(&self, id: Uuid) -> io::Result<u64> {
        Ok(std::fs::metadata(self.path(id, PART))?.len())
    }

    /// Opens an upload to write at its end.
    pub fn append(&self, id: Uuid) -> io::Result<File> {
        OpenOptions::new().append(true).open(self.path(id, PART))
    }

    /// Opens an upload for reading.
    pub fn open(&self, id: Uuid) -> io::Result<File> {
        File::open(self.path(id, PART))
    }

    /// Removes an upload. Removing what is not there is no error.
    pub fn remove(&self, id: Uuid) -> io::Result<()> {
        [PART, NOTE].into_iter().try_for_each(|ending| gone(std::fs::remove_file(self.path(id, ending))))
    }

    /// Frees the disk of an upload that is done with; its note stays. What kept the bytes under another name goes on to have them.
    pub fn empty(&self, id: Uuid) -> io::Result<()> {
        NamedTempFile::new_in(&self.0)?.persist(self.path(id, PART))?;
        Ok(())
    }

    /// Where the bytes of an upload lie.
    pub fn place(&self, id: Uuid) -> PathBuf {
        self.path(id, PART)
    }

    /// Removes everything but these.
    pub fn sweep(&self, kept: impl Fn(Uuid) -> bool) -> io::Result<()> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            if !id_of(&name.to_string_lossy()).is_some_and(&kept) {
                gone(std::fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    fn ids(&self) -> io::Result<Vec<Uuid>> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            ids.extend(entry?.file_name().to_str().filter(|name| name.ends_with(NOTE)).and_then(id_of));
        }
        Ok(ids)
    }

    fn path(&self, id: Uuid, ending: &str) -> PathBuf {
        self.0.join(format!("{}.{ending}", id.simple()))
    }
}

fn id_of(name: &str) -> Option<Uuid> {
    let (stem, ending) = name.split_once('.')?;
    matches!(ending, PART | NOTE).then(|| Uuid::try_parse(stem).ok()).flatten()
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_grows_is_found_again_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let parts = Parts::at(dir.path().join("uploads"));
        assert_eq!(parts.all().expect("no folder is no upload"), []);
        let (id, other) = (Uuid::now_v7(), Uuid::now_v7());
        parts.begin(id, b"first").expect("begun");
        parts.begin(other, b"other").expect("begun");
        parts.append(id).and_then(|mut file| file.write_all(b"abc")).expect("written");
        parts.append(id).and_then(|mut file| file.write_all(b"de")).expect("written");
        parts.note(id, b"second").expect("noted");
        let mut all = Parts::at(dir.path().join("uploads")).all().expect("read");
        all.sort();
        assert_eq!(all, [(id, b"second".to_vec(), 5), (other, b"other".to_vec(), 0)]);
        std::fs::write(dir.path().join("uploads/.tmpabc"), b"half").expect("written");
        let kept = dir.path().join("kept");
        std::fs::hard_link(parts.place(id), &kept).expect("named twice");
        parts.empty(id).expect("emptied");
        assert_eq!((parts.length(id).expect("there"), std::fs::read(&kept).expect("kept")), (0, b"abcde".to_vec()));
        parts.sweep(|one| one == id).expect("swept");
        parts.remove(id).expect("removed");
        parts.remove(id).expect("removing twice is no error");
        assert_eq!(std::fs::read_dir(dir.path().join("uploads")).expect("there").count(), 0);
    }
}
