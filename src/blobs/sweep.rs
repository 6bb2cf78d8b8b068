//! Removes what a crash left behind: content without a row, and half-written files.

use std::collections::HashSet;
use std::io;
use std::path::Path;

/// What names of half-written files begin with.
pub(super) const TEMPORARY: &str = ".part-";

/// Removes all files below the fan-out folders that are not named. Run at start, before anything is written.
pub(super) fn sweep(root: &Path, named: &HashSet<String>) -> io::Result<usize> {
    let mut removed = 0;
    for folder in std::fs::read_dir(root)? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(folder.path())? {
            let file = file?;
            if file.file_name().to_str().is_none_or(|name| !named.contains(name)) {
                std::fs::remove_file(file.path())?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}
