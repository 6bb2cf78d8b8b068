//! Logs, core dumps and captures of a device for people (R263, R264): listed, searched, taken away together and deleted.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};

use jiff::Timestamp;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::blobs::logs::LogFile;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::domain::limits::LOG_LINES_FOUND;
use crate::domain::log_line::{self, Level};
use crate::services::commit::{Mode, perform};
use crate::services::error::ServiceError;
use crate::services::{Services, devices};

/// Characters of a line that was found.
const LINE_CHARS: usize = 500;

/// One kept log, core dump or capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLog {
    /// Its name here: unique for the device.
    pub name: String,
    /// What follows the device's key in the name that the phone gave it: `boot.log`, `app.log`.
    pub kind: String,
    /// When it came in.
    pub at: Timestamp,
    /// Bytes.
    pub size_bytes: u64,
}

impl StoredLog {
    /// Whether it is text, that can be read and searched.
    pub fn is_text(&self) -> bool {
        self.kind.ends_with(".log")
    }
}

/// From when to when, without the end.
pub type Span = (Timestamp, Timestamp);

/// What is looked for in logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A text that a line holds, whatever the letter case; empty: any.
    pub text: String,
    /// The least level; none: any line.
    pub level: Option<Level>,
}

/// What was found in logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The lines, in the order of the logs and of their lines.
    pub lines: Vec<FoundLine>,
    /// There are more than these.
    pub is_cut: bool,
    /// Logs that were looked through.
    pub logs: usize,
}

/// A line that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLine {
    /// The log that it is in.
    pub log: StoredLog,
    /// Which line of it, counted from 1.
    pub number: usize,
    /// The line.
    pub text: String,
}

/// The kept logs of a device, newest first.
///
/// # Errors
/// [`ServiceError::File`].
pub fn logs(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Vec<StoredLog>, ServiceError> {
    let found = kept(services, account, key)?.into_iter().map(|log| StoredLog {
        name: log.name,
        kind: log.kind,
        at: log.at,
        size_bytes: log.size_bytes,
    });
    let mut logs: Vec<_> = found.collect();
    logs.sort_by_key(|log| std::cmp::Reverse(log.at));
    Ok(logs)
}

fn kept(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Vec<LogFile>, ServiceError> {
    let mut found = services.blobs.logs().list(account, key).map_err(failed(services, "list"))?;
    let trust = services.trusts(account).of(key);
    found.retain(|log| !trust.is_of_former_device(log.at));
    Ok(found)
}

fn failed(services: &Services, action: &'static str) -> impl FnOnce(io::Error) -> ServiceError {
    ServiceError::file(action, services.state_dir.logs())
}

/// Those of a span of time.
///
/// # Errors
/// As [`logs`].
pub fn between(services: &Services, account: AccountId, key: &DeviceKey, span: Span) -> Result<Vec<StoredLog>, ServiceError> {
    let mut all = logs(services, account, key)?;
    all.retain(|log| log.at >= span.0 && log.at < span.1);
    Ok(all)
}

/// One log with its content.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::File`] where its content cannot be read.
pub fn log(services: &Services, account: AccountId, key: &DeviceKey, name: &str) -> Result<(StoredLog, Vec<u8>), ServiceError> {
    let log = logs(services, account, key)?.into_iter().find(|log| log.name == name);
    let log = log.ok_or_else(|| ServiceError::not_found("log", name))?;
    let content = open(services, account, key, &log).and_then(|mut file| {
        let mut content = Vec::new();
        io::Read::read_to_end(&mut file, &mut content).map(|_| content).map_err(failed(services, "read"))
    })?;
    Ok((log, content))
}

fn open(services: &Services, account: AccountId, key: &DeviceKey, log: &StoredLog) -> Result<File, ServiceError> {
    let path = services.blobs.logs().path(account, key, &log.name).ok_or_else(|| ServiceError::not_found("log", &log.name))?;
    File::open(path).map_err(failed(services, "read"))
}

/// Looks through the logs of a span, line by line, and stops where enough was found.
///
/// # Errors
/// As [`logs`].
pub fn search(
    services: &Services,
    account: AccountId,
    key: &DeviceKey,
    span: Span,
    wanted: &Wanted,
) -> Result<Found, ServiceError> {
    let mut found = Found::default();
    let text = wanted.text.trim().to_lowercase();
    for log in between(services, account, key, span)?.into_iter().filter(StoredLog::is_text) {
        found.logs += 1;
        let mut reader = BufReader::new(match open(services, account, key, &log) {
            // It made room for another since it was listed.
            Err(ServiceError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        });
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if reader.read_until(b'\n', &mut bytes).map_err(failed(services, "read"))? == 0 {
                break;
            }
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end_matches(['\r', '\n']);
            let is_grave = |least: Level| log_line::parse(line).is_some_and(|line| line.level >= least);
            if !wanted.level.is_none_or(is_grave) || !(text.is_empty() || line.to_lowercase().contains(&text)) {
                continue;
            }
            if found.lines.len() == LOG_LINES_FOUND {
                found.is_cut = true;
                return Ok(found);
            }
            let text = line.chars().take(LINE_CHARS).collect();
            found.lines.push(FoundLine { log: log.clone(), number, text });
        }
    }
    Ok(found)
}

/// The logs of a span in one ZIP archive, in a file that is gone when it is closed, and its size.
///
/// # Errors
/// As [`logs`]; [`ServiceError::NotFound`] where there is none.
pub fn archive(services: &Services, account: AccountId, key: &DeviceKey, span: Span) -> Result<(File, u64), ServiceError> {
    let logs = between(services, account, key, span)?;
    if logs.is_empty() {
        return Err(ServiceError::not_found("log of this time of the device", key));
    }
    let file = tempfile::tempfile_in(services.state_dir.root()).map_err(failed(services, "write"))?;
    let mut zip = ZipWriter::new(file);
    let broken = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(error) => failed(services, "write")(error),
        other => failed(services, "write")(io::Error::other(other)),
    };
    for log in logs {
        let mut content = match open(services, account, key, &log) {
            Err(ServiceError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
            content => content?,
        };
        zip.start_file(saved_as(key, &log), SimpleFileOptions::default().unix_permissions(0o600)).map_err(broken)?;
        io::copy(&mut content, &mut zip).map_err(failed(services, "write"))?;
    }
    let mut file = zip.finish().map_err(broken)?;
    let size = file.seek(SeekFrom::End(0)).and_then(|size| file.rewind().map(|()| size)).map_err(failed(services, "read"))?;
    Ok((file, size))
}

/// What a log is called where it is saved: with the time when it came in, in UTC.
pub fn saved_as(key: &DeviceKey, log: &StoredLog) -> String {
    format!("{key}-{}-{}", log.at.strftime("%Y%m%d-%H%M%S%.6f").to_string().replace('.', "-"), log.kind)
}

/// Which logs are to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// One, by its name.
    One(String),
    /// Those of a span.
    Between(Span),
    /// All of the device.
    All,
}

/// Deletes logs of a device, and answers how many.
///
/// # Errors
/// [`ServiceError::NotFound`] where there is none; [`ServiceError::File`].
pub fn delete(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    which: &Which,
    mode: Mode,
) -> Result<usize, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    let mut all = kept(services, account, key)?;
    match which {
        Which::One(name) => all.retain(|log| log.name == *name),
        Which::Between((since, until)) => all.retain(|log| log.at >= *since && log.at < *until),
        Which::All => {}
    }
    if all.is_empty() {
        let named = if let Which::One(name) = which { name.clone() } else { key.to_string() };
        return Err(ServiceError::not_found("log", named));
    }
    perform(services, mode, grant, account, |change| {
        let device = devices::stored(services, change, account, key)?;
        let event = Event::new("device", devices::subject(&device), "deleted logs of");
        change.record(event.change("logs", Some(all.len().to_string()), None))?;
        // Last of all: files do not come back with the transaction.
        for log in all.iter().filter(|_| mode == Mode::Keep) {
            match services.blobs.logs().remove(account, key, log) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(services, "remove")(error)),
                _ => {}
            }
        }
        Ok(all.len())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use jiff::ToSpan as _;

    use super::*;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::services::testing::{Bench, add_device, bench, owner};
    use crate::services::uploads;

    fn key() -> DeviceKey {
        "0004f2aa0001".parse().expect("a MAC address")
    }

    fn with_logs() -> Bench {
        let bench = bench();
        add_device(&bench.services, &key());
        upload(&bench, "app.log", b"0417110903|sip  |4|03|Registration failed\n0417110904|cfg|2|00|fine\n\xff plain\r\n");
        upload(&bench, "2026.11.22_101500.pcap.tar.gz", b"registration");
        bench.clock.advance_to(bench.clock.now() + 1.hour() * 24);
        upload(&bench, "boot.log", b"REGISTRATION again");
        bench
    }

    fn upload(bench: &Bench, kind: &str, content: &[u8]) {
        let mut draft = uploads::draft(&bench.services).expect("a draft");
        uploads::write(&bench.services, &mut draft, content).expect("written");
        uploads::keep_log(&bench.services, DEFAULT_ACCOUNT, &key(), kind, draft).expect("kept");
    }

    const ALL: Span = (Timestamp::MIN, Timestamp::MAX);

    fn found(bench: &Bench, span: Span, text: &str, level: Option<Level>) -> Vec<(usize, String)> {
        let wanted = Wanted { text: text.to_owned(), level };
        let found = search(&bench.services, DEFAULT_ACCOUNT, &key(), span, &wanted).expect("searched");
        found.lines.into_iter().map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn a_search_looks_through_the_texts_of_a_span_and_leaves_out_what_is_none() {
        let bench = with_logs();
        let first = (Timestamp::MIN, bench.clock.now());
        let failed = (1, "0417110903|sip  |4|03|Registration failed".to_owned());
        assert_eq!(found(&bench, ALL, "registration", None), [(1, "REGISTRATION again".to_owned()), failed.clone()]);
        assert_eq!(found(&bench, first, "registration", None), std::slice::from_ref(&failed));
        assert_eq!(found(&bench, ALL, "", Some(Level::Minor)), [failed]);
        assert_eq!(found(&bench, ALL, "PLAIN", None), [(3, "\u{fffd} plain".to_owned())]);
    }

    #[test]
    fn a_search_that_finds_too_much_stops() {
        let bench = with_logs();
        upload(&bench, "app.log", "x\n".repeat(10_000).as_bytes());
        let wanted = Wanted { text: "x".to_owned(), level: None };
        let found = search(&bench.services, DEFAULT_ACCOUNT, &key(), ALL, &wanted).expect("searched");
        assert_eq!((found.lines.len(), found.is_cut), (LOG_LINES_FOUND, true));
    }

    #[test]
    fn an_archive_holds_each_upload_as_it_came() {
        let bench = with_logs();
        let (mut file, size) = archive(&bench.services, DEFAULT_ACCOUNT, &key(), ALL).expect("made");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("readable");
        assert_eq!(bytes.len() as u64, size);
        let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes)).expect("a ZIP archive");
        assert_eq!(archive.len(), 3);
        let mut last = String::new();
        archive.by_index(0).expect("a file").read_to_string(&mut last).expect("readable");
        assert_eq!(last, "REGISTRATION again");
    }

    #[test]
    fn logs_are_deleted_one_by_one_by_time_and_all() {
        let bench = with_logs();
        let count = || logs(&bench.services, DEFAULT_ACCOUNT, &key()).expect("listed").len();
        let delete = |which: Which, mode| delete(&bench.services, &owner(), DEFAULT_ACCOUNT, &key(), &which, mode);
        assert_eq!((delete(Which::All, Mode::TryOut).expect("tried"), count()), (3, 3));
        let name = logs(&bench.services, DEFAULT_ACCOUNT, &key()).expect("listed")[0].name.clone();
        assert_eq!((delete(Which::One(name.clone()), Mode::Keep).expect("deleted"), count()), (1, 2));
        assert!(matches!(delete(Which::One(name), Mode::Keep), Err(ServiceError::NotFound { .. })));
        assert!(delete(Which::Between((bench.clock.now(), Timestamp::MAX)), Mode::Keep).is_err());
        assert_eq!((delete(Which::Between((Timestamp::MIN, bench.clock.now())), Mode::Keep).expect("deleted"), count()), (2, 0));
    }
}
