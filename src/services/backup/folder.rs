//! The folder of kept backups: which one it is, and what lies in it.
//!
//! The folder is the index: a kept backup's name is its time and whether somebody asked for it. Files of other names in it are
//! somebody else's and are never touched.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::is_sealed;
use crate::domain::backup_plan::BackupPlan;
use crate::services::error::{ServiceError, chain};
use crate::services::state_dir::{StateDir, make_private};

/// Names of those that the plan made.
const PLANNED: &str = "pdms-%Y%m%dT%H%M%SZ.backup";
/// Names of those that somebody asked for.
const BY_HAND: &str = "pdms-%Y%m%dT%H%M%SZ-by-hand.backup";
/// How far ahead of the clock a backup may be dated before its time is doubted.
const LEEWAY: SignedDuration = SignedDuration::from_hours(1);

/// A backup in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub at: Timestamp,
    /// Whether the plan made it, and may remove it; else somebody asked for it.
    pub is_planned: bool,
    /// Bytes.
    pub size_bytes: u64,
    /// Whether it needs a passphrase.
    pub encrypted: bool,
}

impl Kept {
    /// Whether it is of a time that has not come: the clock was wrong when it was made, or is wrong now, or somebody put it there.
    /// Such a one is not counted, hides no other, and is removed by no plan.
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        self.at.duration_since(now) > LEEWAY
    }
}

/// A folder that may be used.
pub(super) struct Folder {
    path: PathBuf,
    /// It is made when it is needed.
    is_ours: bool,
}

impl Folder {
    /// The folder of the plan.
    ///
    /// # Errors
    /// It lies where the server keeps other things.
    pub(super) fn of(state: &StateDir, plan: &BackupPlan) -> Result<Self, ServiceError> {
        let (path, is_ours) = match &plan.folder {
            Some(folder) => (PathBuf::from(folder), false),
            None => (state.backups(), true),
        };
        if is_of_the_state(state, &path) {
            return Err(ServiceError::Conflict(format!(
                "{} lies in the state directory, where other things of the server are; name a folder outside of it, best on another \
                 disk, or none",
                path.display()
            )));
        }
        Ok(Self { path, is_ours })
    }

    /// The same, made where it is missing and ours.
    ///
    /// # Errors
    /// As [`Folder::of`]; it cannot be made.
    pub(super) fn to_write(state: &StateDir, plan: &BackupPlan) -> Result<Self, ServiceError> {
        let folder = Self::of(state, plan)?;
        if folder.is_ours {
            make_private(&folder.path)?;
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of a backup that is made now. No file has it: a clock that was put back never replaces a backup.
    pub(super) fn free_name(&self, now: Timestamp, is_planned: bool) -> (String, Timestamp) {
        let second = |after: i64| Timestamp::from_second(now.as_second().saturating_add(after)).unwrap_or(now);
        let named = |at: Timestamp| (name(at, is_planned), at);
        let mut names = (0..).map(second).map(named);
        names.find(|(name, _)| !self.path.join(name).exists()).unwrap_or_else(|| named(now))
    }

    /// The backups in it, newest first.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn list(&self) -> Result<Vec<Kept>, ServiceError> {
        let read = || -> io::Result<Vec<Kept>> {
            let mut kept = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let Some((at, is_planned)) = parsed(&name).filter(|_| entry.file_type().is_ok_and(|kind| kind.is_file())) else {
                    continue;
                };
                let encrypted = File::open(entry.path()).and_then(|mut file| is_sealed(&mut file)).unwrap_or_default();
                kept.push(Kept { name, at, is_planned, size_bytes: entry.metadata()?.len(), encrypted });
            }
            Ok(kept)
        };
        let mut kept = match read() {
            Err(error) if self.is_ours && error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other.map_err(ServiceError::file("read", &self.path)).map_err(told)?,
        };
        kept.sort_by(|a, b| (b.at, &b.name).cmp(&(a.at, &a.name)));
        Ok(kept)
    }

    /// Opens one of them.
    ///
    /// # Errors
    /// There is none of this name.
    pub(super) fn open(&self, name: &str) -> Result<File, ServiceError> {
        let not_found = || ServiceError::not_found("backup", name);
        parsed(name).ok_or_else(not_found)?;
        File::open(self.path.join(name)).map_err(|_| not_found())
    }

    /// Removes one of them.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(super) fn remove(&self, name: &str) -> Result<(), ServiceError> {
        let path = self.path.join(name);
        fs::remove_file(&path).map_err(ServiceError::file("remove", path)).map_err(told)
    }
}

/// Tells whoever may make backups why a file could not be read or written: the folder is theirs. A full disk stays what it is.
pub(super) fn told(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::File { .. } if !error.is_disk_full() => ServiceError::Conflict(chain(&error)),
        other => other,
    }
}

/// Whether a file name is one of a kept backup.
pub(super) fn is_name(name: &str) -> bool {
    parsed(name).is_some()
}

fn name(at: Timestamp, is_planned: bool) -> String {
    at.strftime(if is_planned { PLANNED } else { BY_HAND }).to_string()
}

/// The time in a name, and whether the plan made it.
fn parsed(file: &str) -> Option<(Timestamp, bool)> {
    [(PLANNED, true), (BY_HAND, false)].into_iter().find_map(|(form, is_planned)| {
        let at = jiff::civil::DateTime::strptime(form, file).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
        // Only what we would write ourselves is ours.
        (name(at, is_planned) == file).then_some((at, is_planned))
    })
}

/// Whether a folder lies in the state directory and is not the one for backups: what a plan puts there would become a part of the
/// next backup, or be taken for something else. Folders are known by what they are, whatever links, `..` or mounts lead to them.
fn is_of_the_state(state: &StateDir, folder: &Path) -> bool {
    let id = |found: Metadata| (found.dev(), found.ino());
    let of = |path: &Path| fs::metadata(path).ok().map(id);
    // What is not there is refused by whoever writes to it.
    let (Ok(real), Some(root)) = (folder.canonicalize(), of(state.root())) else { return false };
    let above: Vec<_> = real.ancestors().filter_map(of).collect();
    let others = [state.certificates(), state.blobs(), state.logs(), state.restoring(), state.restored()];
    let is_the_one = || above.first() == fs::symlink_metadata(state.backups()).ok().map(id).as_ref();
    others.iter().filter_map(|other| of(other)).any(|other| above.contains(&other)) || (above.contains(&root) && !is_the_one())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn names_are_told_apart_and_only_ours_are_names() {
        let at: Timestamp = "2026-11-22T02:00:00Z".parse().expect("a time");
        for (file, is_planned) in [("pdms-20261122T020000Z.backup", true), ("pdms-20261122T020000Z-by-hand.backup", false)] {
            assert_eq!((name(at, is_planned).as_str(), parsed(file)), (file, Some((at, is_planned))));
        }
        for file in ["", "mine.backup", "pdms-20261122T020000Z-by-foot.backup", "pdms-2026112T020000Z.backup", "../secret.key"] {
            assert!(!is_name(file), "{file}");
        }
    }

    #[test]
    fn no_way_leads_into_the_state_but_to_its_folder_of_backups() {
        let dir = tempfile::tempdir().expect("a folder");
        let state = StateDir::at(dir.path().join("state"));
        state.prepare().expect("made");
        let outside = dir.path().join("outside");
        for folder in [&outside, &state.backups(), &state.root().join("new"), &state.backups().join("deeper")] {
            fs::create_dir(folder).expect("made");
        }
        symlink(state.certificates(), dir.path().join("link")).expect("linked");
        symlink(state.root(), dir.path().join("root")).expect("linked");
        let root = state.root().to_owned();
        let refused = [
            root.clone(),
            root.join("certs"),
            root.join("blobs"),
            root.join("logs/unfinished/.."),
            root.join("new"),
            root.join("backups/deeper"),
            root.join("backups/../certs"),
            outside.join("../state/certs/"),
            dir.path().join("link"),
            dir.path().join("root/certs"),
        ];
        fs::create_dir(root.join("logs/unfinished")).expect("made");
        for folder in refused {
            let plan = BackupPlan { folder: Some(folder.display().to_string()), ..BackupPlan::default() };
            let refused = Folder::of(&state, &plan).err().map(|error| error.to_string());
            assert!(refused.is_some_and(|words| words.contains("lies in the state directory")), "{}", folder.display());
        }
        for folder in [outside.clone(), state.backups(), dir.path().join("root/backups"), dir.path().to_owned()] {
            assert!(!is_of_the_state(&state, &folder), "{}", folder.display());
        }
        fs::remove_dir_all(state.backups()).expect("removed");
        symlink(&outside, state.backups()).expect("linked");
        assert!(Folder::of(&state, &BackupPlan::default()).is_ok(), "the admin keeps them elsewhere");
        fs::remove_file(state.backups()).expect("removed");
        symlink(state.root().join("new"), state.backups()).expect("linked");
        assert!(Folder::of(&state, &BackupPlan::default()).is_err());
    }
}
