//! Uploaded logs: one file an upload below `logs/<account>/<device>/`, named by time and kind. The folder is the index.
//!
//! A log is there when it is renamed into place, without waiting for the disk: after a power cut the last seconds of logs may be
//! missing, which no phone notices.

use std::io::{self, Write as _};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::{Blobs, make_folder, sweep, temporary};
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;

/// One stored log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// When it came in.
    pub at: Timestamp,
    /// What it is: `boot.log`, `app.log`, …
    pub kind: String,
    /// Bytes.
    pub size_bytes: u64,
    /// The file's name within its folder, for [`Blobs::log_path`].
    pub name: String,
}

/// Times in names: sortable, to the microsecond, UTC.
const STAMP: &str = "%Y%m%dT%H%M%S.%6fZ";
/// Characters of such a time.
const STAMP_CHARS: usize = "20260102T030405.000000Z".len();

impl Blobs {
    /// Keeps a log. The kind is one of our own words (lower-case letters, digits, dots and hyphens), never a client's text.
    pub fn put_log(
        &self,
        account: AccountId,
        device: &DeviceKey,
        at: Timestamp,
        kind: &str,
        content: &[u8],
    ) -> io::Result<LogFile> {
        if !is_kind(kind) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a kind of log is one of our own words"));
        }
        let folder = self.log_folder(account, device);
        make_folder(&folder)?;
        let mut file = temporary(&folder)?;
        file.write_all(content)?;
        let mut at = Timestamp::from_microsecond(at.as_microsecond()).map_err(io::Error::other)?;
        loop {
            let name = format!("{}-{kind}", at.strftime(STAMP));
            match file.persist_noclobber(folder.join(&name)) {
                Ok(_) => return Ok(LogFile { at, kind: kind.to_owned(), size_bytes: content.len() as u64, name }),
                // Two uploads in the same microsecond: each is kept as an object of its own (contract 4).
                Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => {
                    file = e.file;
                    at = at.checked_add(SignedDuration::from_micros(1)).map_err(io::Error::other)?;
                }
                Err(e) => return Err(e.error),
            }
        }
    }

    /// A device's logs, newest first.
    pub fn logs(&self, account: AccountId, device: &DeviceKey) -> io::Result<Vec<LogFile>> {
        let entries = match std::fs::read_dir(self.log_folder(account, device)) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let mut logs = Vec::new();
        for entry in entries {
            let entry = entry?;
            if let Some((at, kind)) = entry.file_name().to_str().and_then(parse_name) {
                let name = entry.file_name().to_string_lossy().into_owned();
                logs.push(LogFile { at, kind, size_bytes: entry.metadata()?.len(), name });
            }
        }
        logs.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.kind.cmp(&b.kind)));
        Ok(logs)
    }

    /// The newest log of a kind.
    pub fn newest_log(&self, account: AccountId, device: &DeviceKey, kind: &str) -> io::Result<Option<LogFile>> {
        Ok(self.logs(account, device)?.into_iter().find(|log| log.kind == kind))
    }

    /// Where a listed log lies; none for a name that is none of ours.
    pub fn log_path(&self, account: AccountId, device: &DeviceKey, name: &str) -> Option<PathBuf> {
        parse_name(name)?;
        Some(self.log_folder(account, device).join(name))
    }

    /// Removes all logs of a device that is deleted.
    pub fn remove_logs(&self, account: AccountId, device: &DeviceKey) -> io::Result<()> {
        match std::fs::remove_dir_all(self.log_folder(account, device)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Removes logs that are older than a time, and what a crash left half written (R44). Answers how many.
    pub fn expire_logs(&self, before: Timestamp) -> io::Result<usize> {
        let mut removed = 0;
        for account in folders(&self.logs)? {
            for device in folders(&account)? {
                removed += expire_folder(&device, before)?;
            }
        }
        Ok(removed)
    }

    fn log_folder(&self, account: AccountId, device: &DeviceKey) -> PathBuf {
        // Keys are lower-case letters and digits by their types: safe as names of folders.
        self.logs.join(account.to_string()).join(device.to_string())
    }
}

fn expire_folder(folder: &std::path::Path, before: Timestamp) -> io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let old = name.to_str().and_then(parse_name).is_some_and(|(at, _)| at < before);
        // A half-written file has no time in its name; one that is being written now was changed just now.
        let left_over =
            sweep::is_temporary(&name) && Timestamp::try_from(entry.metadata()?.modified()?).is_ok_and(|at| at < before);
        if old || left_over {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn folders(parent: &std::path::Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn is_kind(kind: &str) -> bool {
    !kind.is_empty() && kind.len() <= 64 && kind.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
}

fn parse_name(name: &str) -> Option<(Timestamp, String)> {
    let (stamp, rest) = name.split_at_checked(STAMP_CHARS)?;
    let kind = rest.strip_prefix('-').filter(|kind| is_kind(kind))?;
    let at =
        jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S.%fZ", stamp).ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some((at, kind.to_owned()))
}
