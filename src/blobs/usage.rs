//! How much of the disk a folder takes.

use std::io;
use std::path::Path;

/// Files, and the bytes in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many.
    pub files: u64,
    /// Bytes of all together.
    pub bytes: u64,
}

/// The space of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that it has.
    pub total_bytes: u64,
    /// Bytes that we can still write.
    pub free_bytes: u64,
}

impl Disk {
    /// The disk that a folder is on.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let disk = rustix::fs::statvfs(folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Ok(Self { total_bytes: bytes(disk.f_blocks), free_bytes: bytes(disk.f_bavail) })
    }
}

/// Everything below a folder, whose links are not followed; nothing where there is no folder. What goes while it is counted is
/// left out.
pub fn of_folder(folder: &Path) -> io::Result<Usage> {
    let mut usage = Usage::default();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let Some(entries) = there(std::fs::read_dir(&folder))? else { continue };
        for entry in entries {
            let entry = entry?;
            let Some(found) = there(entry.metadata())? else { continue };
            if found.is_dir() {
                waiting.push(entry.path());
            } else {
                usage.files += 1;
                usage.bytes += found.len();
            }
        }
    }
    Ok(usage)
}

/// What is there, if it is.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_all_depths_count_and_links_are_not_followed() {
        let elsewhere = tempfile::tempdir().expect("a folder");
        std::fs::write(elsewhere.path().join("big"), [0; 1_000]).expect("written");
        let root = tempfile::tempdir().expect("a folder");
        let deep = root.path().join("a/b");
        std::fs::create_dir_all(&deep).expect("made");
        std::fs::write(deep.join("x"), [0; 30]).expect("written");
        std::fs::write(root.path().join("y"), [0; 12]).expect("written");
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("link")).expect("linked");
        let usage = of_folder(root.path()).expect("counted");
        assert_eq!(usage.files, 3);
        assert!((42..1_000).contains(&usage.bytes), "{usage:?}");
        assert_eq!(of_folder(&root.path().join("none")).expect("counted"), Usage::default());
    }

    #[test]
    fn a_disk_has_no_more_free_than_it_has() {
        let disk = Disk::of(Path::new("/")).expect("a disk");
        assert!(disk.free_bytes <= disk.total_bytes && disk.total_bytes > 0);
    }
}
