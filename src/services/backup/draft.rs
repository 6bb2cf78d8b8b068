//! A file that has no name before it is whole: whatever ends the process, nothing half is left in the folder.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use tempfile::NamedTempFile;

use crate::services::secrets::random_text;

/// What names of files begin with that are about to get their right one.
const PREFIX: &str = ".pdms-backup-";

/// A file that is being written, readable by its owner only.
pub(super) enum Draft {
    /// It stands in no folder: it goes with the process.
    Unnamed(File),
    /// On file systems that cannot do that; it goes with this value.
    Named(NamedTempFile),
}

impl Draft {
    pub(super) fn begin(folder: &Path) -> io::Result<Self> {
        let unnamed = rustix::fs::open(folder, OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
        match unnamed {
            Ok(descriptor) => Ok(Self::Unnamed(descriptor.into())),
            // The library makes it with mode 0600; where the folder itself is the reason, it tells so.
            Err(_) => Ok(Self::Named(NamedTempFile::with_prefix_in(PREFIX, folder)?)),
        }
    }

    pub(super) fn file(&mut self) -> &mut File {
        match self {
            Self::Unnamed(file) => file,
            Self::Named(file) => file.as_file_mut(),
        }
    }

    /// Gives it its name, in place of what has it.
    pub(super) fn keep(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Named(file) => file.persist(path).map(drop).map_err(|error| error.error),
            Self::Unnamed(file) => {
                use std::os::fd::AsRawFd as _;
                let here = format!("/proc/self/fd/{}", file.as_raw_fd());
                // A link never replaces a file, but a rename does.
                let between = path.with_file_name(format!("{PREFIX}{}", random_text(12)));
                rustix::fs::linkat(CWD, here.as_str(), CWD, &between, AtFlags::SYMLINK_FOLLOW)?;
                fs::rename(&between, path).inspect_err(|_| drop(fs::remove_file(&between)))
            }
        }
    }
}
