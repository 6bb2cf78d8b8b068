//! The state directory: what lies where, and that only we can read it.

use std::ffi::OsString;
use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::error::ServiceError;

/// What must be no directory: else the server cannot start.
const FILES: [&str; 10] = [
    "pdms.redb",
    "secret.key",
    "lock",
    "admin.sock",
    "certs/ca.pem",
    "certs/ca.key",
    "certs/server-rsa.pem",
    "certs/server-p256.pem",
    "certs/own.pem",
    "certs/own.key",
];
/// What must be a directory.
const FOLDERS: [&str; 3] = ["certs", "blobs", "logs"];

/// Everything the server keeps, below one directory.
#[derive(Clone, Debug)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Names what lies where in a directory that may not exist.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Makes the directory and its folders where they are missing, readable by the server's own user only.
    pub fn prepare(&self) -> Result<(), ServiceError> {
        [self.root.clone(), self.certificates(), self.logs(), self.blobs()].iter().try_for_each(|folder| make_private(folder))
    }

    /// Refuses a directory where a file belongs, and the other way round.
    pub(super) fn refuse_misplaced(&self) -> Result<(), ServiceError> {
        let files = FILES.iter().map(|name| self.root.join(name)).find(|path| path.is_dir());
        let folders = FOLDERS.iter().map(|name| self.root.join(name)).find(|path| path.exists() && !path.is_dir());
        let (path, words) = match (files, folders) {
            (Some(path), _) => (path, "a directory where a file belongs"),
            (None, Some(path)) => (path, "a file where a directory belongs"),
            (None, None) => return Ok(()),
        };
        Err(ServiceError::Conflict(format!("{} is {words}; move it away (nothing was changed)", path.display())))
    }

    /// Whether something lies here that is made only after the database: a private CA, or what phones uploaded.
    pub fn has_remains(&self) -> Result<bool, ServiceError> {
        for file in ["ca.pem", "ca.key"] {
            let path = self.certificates().join(file);
            if path.try_exists().map_err(ServiceError::file("read", &path))? {
                return Ok(true);
            }
        }
        // Unfinished uploads have a folder of their own from the first start on.
        let logs =
            entries(&self.logs())?.into_iter().filter(|name| name.as_encoded_bytes().first().is_some_and(u8::is_ascii_digit));
        Ok(logs.count() > 0 || !entries(&self.blobs())?.is_empty())
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Key file that sealed secrets need.
    pub fn key_file(&self) -> PathBuf {
        self.root.join("secret.key")
    }

    /// Folder of certificates and their keys.
    pub fn certificates(&self) -> PathBuf {
        self.root.join("certs")
    }

    /// Folder of uploaded logs.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Folder of other uploaded content.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// Folder of uploads that are under way.
    pub fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// Folder in which a backup is unpacked and checked, or a state is sealed with another key; what lies in it is not yet
    /// anything.
    pub fn restoring(&self) -> PathBuf {
        self.root.join("restoring")
    }

    /// Folder of a whole checked state that takes the place of what is here, at once or at the next opening.
    pub fn restored(&self) -> PathBuf {
        self.root.join("restored")
    }

    /// Folder of the backups that the server keeps itself.
    pub fn backups(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// Socket on which other verbs reach the running server.
    pub fn admin_socket(&self) -> PathBuf {
        self.root.join("admin.sock")
    }
}

/// Names in a folder; none where there is no folder.
pub(super) fn entries(folder: &Path) -> Result<Vec<OsString>, ServiceError> {
    let read = || std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect();
    match read() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(ServiceError::file("read", folder)),
    }
}

pub(super) fn make_private(folder: &Path) -> Result<(), ServiceError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(ServiceError::file("make the directory", folder))?;
    let mode = std::fs::metadata(folder).map_err(ServiceError::file("read", folder))?.permissions().mode();
    if mode & 0o777 == 0o700 {
        return Ok(());
    }
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))
        .map_err(ServiceError::file("take other users' rights from", folder))
}
