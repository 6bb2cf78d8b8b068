//! What the state takes of the disk, by kind, and what happens as the disk fills (P4, P16).

use std::collections::HashSet;

use super::Services;
use super::backup::kept;
use super::error::ServiceError;
use super::named_blobs::{self, NamedBlob, Origin};
pub use crate::blobs::usage::Usage;
use crate::blobs::usage::{Disk, of_folder};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::limits::DISK_WARNING_BYTES;

/// The disk and what lies on it of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Bytes of the disk of the state directory.
    pub total_bytes: u64,
    /// Bytes of it that we can still write.
    pub free_bytes: u64,
    /// Bytes that uploads leave free.
    pub reserve_bytes: u64,
    /// How near its end it is.
    pub state: State,
    /// What lies there, in the order in which it is shown.
    pub kinds: Vec<(Kind, Usage)>,
}

/// How near its end a disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is room.
    Fine,
    /// It will soon be full.
    Tight,
    /// Uploads are refused, so that configuration goes on.
    Refusing,
}

/// What lies on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The database.
    Database,
    /// Images of software.
    Software,
    /// Resource files.
    Resources,
    /// Files that devices have here.
    DeviceFiles,
    /// Logs, core dumps and captures.
    Logs,
    /// Backups in the state directory.
    Backups,
    /// Uploads on their way, and what a crash left: the next start removes it.
    Unfinished,
}

impl Kind {
    /// All of them, as they are shown.
    pub const ALL: [Self; 7] =
        [Self::Database, Self::Software, Self::Resources, Self::DeviceFiles, Self::Logs, Self::Backups, Self::Unfinished];

    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Software => "software",
            Self::Resources => "resources",
            Self::DeviceFiles => "device-files",
            Self::Logs => "logs",
            Self::Backups => "backups",
            Self::Unfinished => "unfinished",
        }
    }
}

impl State {
    /// Of a disk with so much free.
    pub fn of(free_bytes: u64, reserve_bytes: u64) -> Self {
        match free_bytes {
            free if free < reserve_bytes => Self::Refusing,
            free if free < reserve_bytes.saturating_mul(4).max(DISK_WARNING_BYTES) => Self::Tight,
            _ => Self::Fine,
        }
    }

    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Tight => "tight",
            Self::Refusing => "refusing",
        }
    }
}

/// Looks at the disk. Walks through the folders: for the blocking pool.
///
/// # Errors
/// [`ServiceError::Denied`]; the disk or the database cannot be read.
pub fn look(services: &Services, actor: &Actor, reserve_bytes: u64) -> Result<Storage, ServiceError> {
    authorize(actor, Action::EditServer)?;
    let root = services.state_dir.root();
    let disk = Disk::of(root).map_err(ServiceError::file("read", root))?;
    let kinds = Kind::ALL.into_iter().map(|kind| Ok((kind, usage(services, kind)?))).collect::<Result<_, ServiceError>>()?;
    let state = State::of(disk.free_bytes, reserve_bytes);
    Ok(Storage { total_bytes: disk.total_bytes, free_bytes: disk.free_bytes, reserve_bytes, state, kinds })
}

fn usage(services: &Services, kind: Kind) -> Result<Usage, ServiceError> {
    let dir = &services.state_dir;
    let folder = |path: std::path::PathBuf| of_folder(&path).map_err(ServiceError::file("read", path));
    match kind {
        Kind::Database => {
            let file = services.store.file();
            let bytes = std::fs::metadata(file).map_err(ServiceError::file("read", file))?.len();
            Ok(Usage { files: 1, bytes })
        }
        Kind::Software => named(services, |origin| origin == Origin::Image),
        Kind::Resources => named(services, |origin| origin == Origin::Resource),
        Kind::DeviceFiles => named(services, |origin| origin == Origin::DeviceFile),
        Kind::Logs => folder(dir.logs()),
        // Those in another folder are on another disk, as a rule, and never ours alone.
        Kind::Backups => match kept::plan(services)?.folder {
            None => folder(dir.backups()),
            Some(_) => Ok(Usage::default()),
        },
        Kind::Unfinished => {
            let (all, known) = (folder(dir.blobs())?, named(services, |_| true)?);
            Ok(Usage { files: all.files.saturating_sub(known.files), bytes: all.bytes.saturating_sub(known.bytes) })
        }
    }
}

/// The contents that rows name, each once.
fn named(services: &Services, wanted: impl Fn(Origin) -> bool) -> Result<Usage, ServiceError> {
    let mut seen = HashSet::new();
    let mut usage = Usage::default();
    for NamedBlob { blob, origin, size_bytes, .. } in services.store.read(named_blobs::all)? {
        if wanted(origin) && seen.insert(blob) {
            usage.files += 1;
            usage.bytes += size_bytes;
        }
    }
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limits::DISK_RESERVE_BYTES;

    #[test]
    fn a_disk_is_tight_long_before_uploads_are_refused() {
        let state = |free| State::of(free, DISK_RESERVE_BYTES);
        assert_eq!(state(DISK_RESERVE_BYTES - 1), State::Refusing);
        assert_eq!(state(DISK_RESERVE_BYTES), State::Tight);
        assert_eq!(state(DISK_WARNING_BYTES), State::Fine);
        assert_eq!(State::of(u64::MAX - 1, u64::MAX), State::Refusing);
    }
}
