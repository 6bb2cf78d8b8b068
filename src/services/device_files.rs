//! What devices stored with us, for the admin's eyes: their files and their logs (R171–R173, R263). Phones' own way to them is
//! the uploads' matter.

use jiff::Timestamp;

use super::commit::commit;
use super::error::ServiceError;
use super::{Services, sealed_files};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::AccountId;
use crate::domain::parameter::{ParameterName, ParameterSet, check_value};
use crate::domain::provision::view::Override;
use crate::store;
use crate::xml::read;

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

/// The files that a device keeps with us, by name.
///
/// # Errors
/// [`ServiceError::Store`].
pub fn files(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Vec<DeviceFile>, ServiceError> {
    services.store.read(|tx| Ok(store::stored_files::of(tx, account, key)?))
}

/// One file with its content.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::File`] where its content cannot be read.
pub fn file(services: &Services, account: AccountId, key: &DeviceKey, name: &str) -> Result<(DeviceFile, Vec<u8>), ServiceError> {
    let row = services.store.read(|tx| Ok::<_, ServiceError>(store::stored_files::get(tx, account, key, name)?))?;
    let row = row.ok_or_else(|| ServiceError::not_found("file", name))?;
    let content = sealed_files::read(services, account, key, &row)?;
    Ok((row, content))
}

/// The same to be taken away, with the secrets that it may hold; noted in the activity log (SEC-05).
///
/// # Errors
/// As [`file`]; the actor may not, or the note could not be written.
pub fn hand_out(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    name: &str,
) -> Result<(DeviceFile, Vec<u8>), ServiceError> {
    let grant = authorize(actor, Action::Reveal(account))?;
    let found = file(services, account, key, name)?;
    let event = Event::new("device", key.to_string(), "downloaded a file of").change("file", None, Some(name.to_owned()));
    commit(services, grant, account, |change| change.record(event))?;
    Ok(found)
}

/// What a device itself keeps and has uploaded: it beats whatever is served (R159).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// Where it was made.
    pub kind: Override,
    /// Name of the file without the device's key.
    pub name: &'static str,
    /// When the file came in.
    pub at: Timestamp,
    /// What it says.
    pub parameters: ParameterSet,
}

/// What a device itself keeps and has uploaded, the weaker kind first (R159). A file that is no configuration says nothing here.
///
/// # Errors
/// [`ServiceError::File`] where a file's content cannot be read.
pub fn overrides(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Vec<OwnFile>, ServiceError> {
    let mut found = Vec::new();
    for kind in [Override::WebPage, Override::PhoneMenu] {
        let name = override_file(kind);
        let (stored, content) = match file(services, account, key, name) {
            Ok(found) => found,
            Err(ServiceError::NotFound { .. }) => continue,
            Err(error) => return Err(error),
        };
        let entries = read::parameters(&content).unwrap_or_default().into_iter().filter(|one| check_value(&one.value).is_ok());
        let parameters: ParameterSet =
            entries.filter_map(|one| Some((ParameterName::parse(&one.name).ok()?, one.value.into()))).collect();
        if !parameters.is_empty() {
            found.push(OwnFile { kind, name, at: stored.at, parameters });
        }
    }
    Ok(found)
}

/// The name, without the device's key, of the file that overrides are uploaded in.
pub fn override_file(kind: Override) -> &'static str {
    match kind {
        Override::PhoneMenu => "phone.cfg",
        Override::WebPage => "web.cfg",
    }
}

/// The kept logs of a device, newest first.
///
/// # Errors
/// [`ServiceError::File`].
pub fn logs(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Vec<StoredLog>, ServiceError> {
    let mut found = services.blobs.logs().list(account, key).map_err(ServiceError::file("list", services.state_dir.logs()))?;
    let trust = services.trusts(account).of(key);
    found.retain(|log| !trust.is_of_former_device(log.at));
    let stored =
        |log: crate::blobs::logs::LogFile| StoredLog { name: log.name, kind: log.kind, at: log.at, size_bytes: log.size_bytes };
    let mut logs: Vec<_> = found.into_iter().map(stored).collect();
    logs.sort_by_key(|log| std::cmp::Reverse(log.at));
    Ok(logs)
}

/// One log with its content.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::File`] where its content cannot be read.
pub fn log(services: &Services, account: AccountId, key: &DeviceKey, name: &str) -> Result<(StoredLog, Vec<u8>), ServiceError> {
    let not_found = || ServiceError::not_found("log", name);
    let log = logs(services, account, key)?.into_iter().find(|log| log.name == name).ok_or_else(not_found)?;
    let path = services.blobs.logs().path(account, key, name).ok_or_else(not_found)?;
    let content = std::fs::read(path).map_err(ServiceError::file("read", services.state_dir.logs()))?;
    Ok((log, content))
}
