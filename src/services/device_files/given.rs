//! Files that a person uploads for devices (R222–R224): names and contents are checked, all of them are kept or none.

use std::collections::{BTreeMap, BTreeSet};

use x509_parser::pem::Pem;

use super::keep;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::given_file::{Content, Directory, GIVEN_DIRECTORY, given, parse};
use crate::domain::ids::AccountId;
use crate::domain::limits::{GIVEN_AT_ONCE, GIVEN_DEVICES, GIVEN_FILE_BYTES, GIVEN_FILES};
use crate::domain::parameter::masked;
use crate::services::commit::{Mode, perform};
use crate::services::error::ServiceError;
use crate::services::{Services, devices, sealed_files};
use crate::xml::{directory, read};

/// A file as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What becomes of a file for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The device.
    pub key: DeviceKey,
    /// The name under which the file is kept.
    pub name: String,
    /// What it does to what is there.
    pub outcome: Outcome,
}

/// What a file does to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is none yet.
    New,
    /// It takes the place of another, which is kept as a version.
    Replaces,
    /// The very same is there.
    Same,
}

impl Outcome {
    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Replaces => "replaces",
            Self::Same => "same",
        }
    }
}

/// A file for one device.
struct Wanted<'a> {
    key: DeviceKey,
    name: String,
    bytes: &'a [u8],
}

/// Keeps files for devices. One whose name begins with the key of a device is for that one; any other is for all of them.
///
/// # Errors
/// [`ServiceError::Invalid`] with an error for each file that cannot be taken; [`ServiceError::NotFound`] for a device.
pub fn put(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    keys: &BTreeSet<DeviceKey>,
    directory: Directory,
    files: &[Sent],
    mode: Mode,
) -> Result<Vec<Put>, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    check_amount(keys.len(), files.len())?;
    let roster = services.roster(account);
    if let Some(missing) = keys.iter().find(|key| roster.find(key).is_none()) {
        return Err(ServiceError::not_found("device", missing));
    }
    let wanted = wanted(keys, directory, files)?;
    let outcome = |one: &Wanted<'_>| match roster.file(&one.key, &one.name) {
        Some(former) if former.sha256 == sealed_files::hash(one.bytes) => Outcome::Same,
        Some(_) => Outcome::Replaces,
        None => Outcome::New,
    };
    let told: Vec<Put> =
        wanted.iter().map(|one| Put { key: one.key.clone(), name: one.name.clone(), outcome: outcome(one) }).collect();
    check_room(services, account, &told)?;
    let changed: Vec<&Wanted<'_>> =
        wanted.iter().zip(&told).filter(|(_, told)| told.outcome != Outcome::Same).map(|(one, _)| one).collect();
    let blobs = written(services, account, &changed, mode)?;
    let kept = perform(services, mode, grant, account, |change| {
        let mut stale = Vec::new();
        if changed.is_empty() {
            change.leave_as_is();
        }
        for (one, blob) in changed.iter().zip(&blobs) {
            let mut device = devices::stored(services, change, account, &one.key)?;
            let row = keep::row(change, &one.name, one.bytes, blob, Some(change.actor()));
            let event = Event::new("device", devices::subject(&device), "was given a file");
            change.record(event.change("file", None, Some(one.name.clone())))?;
            stale.extend(keep::put(services, change, &mut device, row, one.bytes)?.stale);
        }
        Ok(stale)
    });
    match (kept, mode) {
        (Ok(stale), Mode::Keep) => keep::let_go(services, stale),
        (Ok(_), Mode::TryOut) => {}
        (Err(error), _) => {
            keep::let_go(services, blobs.into_iter().filter(|blob| !blob.is_empty()));
            return Err(error);
        }
    }
    Ok(told)
}

/// What files of overrides set, in their order, secrets masked: file, parameter and value. Files of other directories set nothing.
pub fn set_by(directory: Directory, files: &[Sent]) -> Vec<(&str, String, String)> {
    let of_file = |file| {
        let Sent { name, bytes }: &Sent = file;
        let entries = read::parameters(bytes).unwrap_or_default().into_iter();
        entries.map(move |entry| {
            let value = masked(&entry.name, &entry.value).into_owned();
            (name.as_str(), entry.name, value)
        })
    };
    files.iter().filter(|_| directory == Directory::Overrides).flat_map(of_file).collect()
}

fn check_amount(devices: usize, files: usize) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::new();
    if devices == 0 || devices > GIVEN_DEVICES {
        errors.add("devices", format!("choose 1 to {GIVEN_DEVICES} devices; these are {devices}"));
    }
    if files == 0 || files > GIVEN_AT_ONCE {
        errors.add("files", format!("choose 1 to {GIVEN_AT_ONCE} files; these are {files}"));
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Which file is for which device; or what is wrong with each that cannot be taken.
fn wanted<'a>(keys: &BTreeSet<DeviceKey>, directory: Directory, files: &'a [Sent]) -> Result<Vec<Wanted<'a>>, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut found: BTreeMap<(DeviceKey, String), &[u8]> = BTreeMap::new();
    for (item, file) in files.iter().enumerate() {
        let mut wrong = |message: String| errors.add_item(item, FieldErrors::one("files", message));
        let name = match parse(directory, &file.name, |key| keys.contains(key)) {
            Ok(name) => name,
            Err(error) => {
                wrong(error.to_string());
                continue;
            }
        };
        if let Err(reason) = check_content(directory, &name.name, name.content, &file.bytes) {
            wrong(format!("“{}” is not taken: {reason}", file.name));
            continue;
        }
        for key in name.key.iter().chain(keys.iter().filter(|_| name.key.is_none())) {
            if found.insert((key.clone(), name.name.clone()), &file.bytes).is_some() {
                wrong(format!("“{}” comes twice for {key}", file.name));
                break;
            }
        }
    }
    let all = found.into_iter().map(|((key, name), bytes)| Wanted { key, name, bytes });
    if errors.is_empty() { Ok(all.collect()) } else { Err(errors) }
}

/// Whether a content is what its name says.
fn check_content(directory: Directory, kept: &str, content: Content, bytes: &[u8]) -> Result<(), String> {
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    if bytes.len() > GIVEN_FILE_BYTES {
        return Err(format!("it has {} bytes; at most {GIVEN_FILE_BYTES} are taken", bytes.len()));
    }
    match content {
        _ if kept == GIVEN_DIRECTORY => directory::read(bytes).map(drop).map_err(|error| error.to_string()),
        // What is in a licence is its maker's matter; that phones can read it is ours.
        Content::Cfg if directory == Directory::License => read::well_formed(bytes).map_err(|error| error.to_string()),
        Content::Cfg => read::parameters(bytes).map(drop).map_err(|error| error.to_string()),
        Content::Xml => read::well_formed(bytes).map_err(|error| error.to_string()),
        Content::Csv => table(bytes),
        Content::Pem => pem(bytes),
        Content::Certificate if bytes.starts_with(b"-----BEGIN") => pem(bytes),
        Content::Certificate => match x509_parser::parse_x509_certificate(bytes) {
            Ok(_) => Ok(()),
            Err(_) => Err("it is no certificate, neither as text (PEM) nor as bytes (DER)".to_owned()),
        },
    }
}

fn table(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text in UTF-8".to_owned())?;
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n')) {
        return Err("it holds control characters, which no table has".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    reader.records().try_for_each(|record| record.map(drop)).map_err(|error| error.to_string())
}

fn pem(bytes: &[u8]) -> Result<(), String> {
    let mut blocks = 0;
    for block in Pem::iter_from_buffer(bytes) {
        block.map_err(|_| "a block between BEGIN and END cannot be read; it is cut short or was edited".to_owned())?;
        blocks += 1;
    }
    if blocks == 0 { Err("it holds no certificate and no key: there is no line -----BEGIN …-----".to_owned()) } else { Ok(()) }
}

/// Whether each device has room for what is new.
fn check_room(services: &Services, account: AccountId, told: &[Put]) -> Result<(), ServiceError> {
    let roster = services.roster(account);
    let mut new: BTreeMap<&DeviceKey, usize> = BTreeMap::new();
    for put in told.iter().filter(|put| put.outcome == Outcome::New && given(&put.name).is_some()) {
        *new.entry(&put.key).or_default() += 1;
    }
    let is_full =
        |(key, new): &(&&DeviceKey, &usize)| roster.files(key, |file| given(&file.name).is_some()).len() + **new > GIVEN_FILES;
    match new.iter().find(is_full) {
        Some((key, _)) => Err(ServiceError::Conflict(format!(
            "{key} would have more than {GIVEN_FILES} files; delete some that it no longer needs, on its Files tab"
        ))),
        None => Ok(()),
    }
}

/// Writes the contents, before anybody waits for the change. Answers their names among the blobs, in the same order.
fn written(services: &Services, account: AccountId, changed: &[&Wanted<'_>], mode: Mode) -> Result<Vec<String>, ServiceError> {
    let mut blobs = Vec::new();
    for one in changed {
        match mode {
            Mode::TryOut => blobs.push(String::new()),
            Mode::Keep => match sealed_files::put(services, account, &one.key, &one.name, one.bytes) {
                Ok(blob) => blobs.push(blob),
                Err(error) => {
                    keep::let_go(services, blobs);
                    return Err(error);
                }
            },
        }
    }
    Ok(blobs)
}

#[cfg(test)]
#[path = "given_tests.rs"]
mod tests;
