//! What a file of a device was before: its versions, what differs between two of them, and the way back (R225).

use similar::{ChangeTag, TextDiff};

use super::keep;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::device_file::{DeviceFile, Version};
use crate::domain::given_file::with_keys_masked;
use crate::domain::ids::AccountId;
use crate::domain::parameter::masked;
use crate::services::commit::{Mode, commit, perform};
use crate::services::error::ServiceError;
use crate::services::{Services, devices, sealed_files};
use crate::store;
use crate::xml::read;

/// Lines around a changed one that are shown too.
const CONTEXT: usize = 3;
/// Changes that are told; the rest are counted.
pub const TOLD: usize = 2_000;

/// What differs between two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Of two files of parameters: each that changed, with both values; secrets are masked.
    Parameters(Vec<ChangedParameter>),
    /// Of any other text: lines.
    Lines(Vec<Line>),
    /// Something that is no text.
    Bytes,
}

/// A parameter that is not the same in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedParameter {
    /// Its name.
    pub name: String,
    /// Its value in the earlier version.
    pub old: Option<String>,
    /// Its value in the later version.
    pub new: Option<String>,
}

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What became of it.
    pub kind: LineKind,
    /// The line, without its end.
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// It is in both.
    Same,
    /// Only the later version has it.
    Added,
    /// Only the earlier version has it.
    Removed,
    /// Lines of both are left out here.
    Gap,
}

/// A file with all its versions.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn of(services: &Services, account: AccountId, key: &DeviceKey, name: &str) -> Result<DeviceFile, ServiceError> {
    let row = services.store.read(|tx| Ok::<_, ServiceError>(store::stored_files::get(tx, account, key, name)?))?;
    row.ok_or_else(|| ServiceError::not_found("file", name))
}

/// A version of a file with its content; without a number the one that counts.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::File`] where its content cannot be read.
pub fn content(
    services: &Services,
    account: AccountId,
    key: &DeviceKey,
    name: &str,
    version: Option<u32>,
) -> Result<(DeviceFile, Vec<u8>), ServiceError> {
    let file = of(services, account, key, name)?;
    let wanted = match version {
        None => file.alone(),
        Some(number) => file.at_version(number).ok_or_else(|| gone(name, number))?,
    };
    let bytes = sealed_files::read(services, account, key, &wanted)?;
    Ok((wanted, bytes))
}

fn gone(name: &str, number: u32) -> ServiceError {
    ServiceError::not_found("version of the file", format!("{name}, version {number}"))
}

/// A version to be taken away, with the secrets that it may hold; noted in the activity log (SEC-05).
///
/// # Errors
/// As [`content`]; the actor may not, or the note could not be written.
pub fn hand_out(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    name: &str,
    version: Option<u32>,
) -> Result<(DeviceFile, Vec<u8>), ServiceError> {
    let grant = authorize(actor, Action::Reveal(account))?;
    let found = content(services, account, key, name, version)?;
    let told = match version {
        Some(number) => format!("{name}, version {number}"),
        None => name.to_owned(),
    };
    let event = Event::new("device", key.to_string(), "downloaded a file of").change("file", None, Some(told));
    commit(services, grant, account, |change| change.record(event))?;
    Ok(found)
}

/// What differs between two versions of a file.
///
/// # Errors
/// As [`content`].
pub fn compare(
    services: &Services,
    account: AccountId,
    key: &DeviceKey,
    name: &str,
    (from, to): (u32, u32),
) -> Result<Difference, ServiceError> {
    let old = content(services, account, key, name, Some(from))?.1;
    let new = content(services, account, key, name, Some(to))?.1;
    let difference = difference(&old, &new);
    // Passwords may stand in lines of settings that nobody can read, and keys in others.
    let is_told = !matches!(difference, Difference::Lines(_)) || !name.ends_with(".cfg");
    Ok(if is_told { difference } else { Difference::Bytes })
}

/// What differs between two contents.
pub fn difference(old: &[u8], new: &[u8]) -> Difference {
    if let (Some(old), Some(new)) = (parameters(old), parameters(new)) {
        return Difference::Parameters(changed(&old, &new));
    }
    let [old, new] = [old, new].map(with_keys_masked_if_text);
    match (std::str::from_utf8(&old), std::str::from_utf8(&new)) {
        (Ok(old), Ok(new)) if !old.contains('\0') && !new.contains('\0') => Difference::Lines(lines(old, new)),
        _ => Difference::Bytes,
    }
}

/// What is no text stays what it is.
fn with_keys_masked_if_text(bytes: &[u8]) -> Vec<u8> {
    if std::str::from_utf8(bytes).is_ok() { with_keys_masked(bytes) } else { bytes.to_vec() }
}

/// Parameters of a file by name; of one that occurs several times the first counts, as it does for phones. None for other files.
fn parameters(content: &[u8]) -> Option<std::collections::BTreeMap<String, String>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in read::parameters(content).ok()? {
        found.entry(entry.name).or_insert(entry.value);
    }
    Some(found)
}

fn changed(
    old: &std::collections::BTreeMap<String, String>,
    new: &std::collections::BTreeMap<String, String>,
) -> Vec<ChangedParameter> {
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    let shown = |name: &str, value: Option<&String>| value.map(|value| masked(name, value).into_owned());
    differing
        .map(|name| ChangedParameter { name: name.clone(), old: shown(name, old.get(name)), new: shown(name, new.get(name)) })
        .collect()
}

fn lines(old: &str, new: &str) -> Vec<Line> {
    let diff = TextDiff::configure().timeout(std::time::Duration::from_secs(2)).diff_lines(old, new);
    let mut found = Vec::new();
    for (at, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if at > 0 {
            found.push(Line { kind: LineKind::Gap, text: String::new() });
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let kind = match change.tag() {
                ChangeTag::Equal => LineKind::Same,
                ChangeTag::Insert => LineKind::Added,
                ChangeTag::Delete => LineKind::Removed,
            };
            found.push(Line { kind, text: change.value().trim_end_matches(['\r', '\n']).to_owned() });
        }
    }
    found
}

/// Puts a version in the place of what counts; what counted becomes a version.
///
/// # Errors
/// As [`content`]; [`ServiceError::Conflict`] where something else came meanwhile.
pub fn restore(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    name: &str,
    version: u32,
    mode: Mode,
) -> Result<Version, ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    let present = of(services, account, key, name)?;
    let (_, bytes) = content(services, account, key, name, Some(version))?;
    if present.version == version {
        return Ok(present.present());
    }
    let what = format!("version {version} of {name}");
    let event = |device: &str| Event::new("device", device.to_owned(), "put back").change("file", None, Some(what.clone()));
    replace(services, (grant, mode), account, key, &present, &bytes, event)?;
    of(services, account, key, name).map(|file| file.present())
}

/// Writes another content of a file that was read before, unless another came meanwhile.
pub(super) fn replace(
    services: &Services,
    (grant, mode): (crate::domain::access::Grant, Mode),
    account: AccountId,
    key: &DeviceKey,
    read: &DeviceFile,
    content: &[u8],
    event: impl Fn(&str) -> Event,
) -> Result<(), ServiceError> {
    let blob = match mode {
        Mode::Keep => sealed_files::put(services, account, key, &read.name, content)?,
        Mode::TryOut => String::new(),
    };
    let kept = perform(services, mode, grant, account, |change| {
        let mut device = devices::stored(services, change, account, key)?;
        let now = store::stored_files::get(change.tx(), account, key, &read.name)?;
        if now.is_none_or(|now| now.version != read.version || now.sha256 != read.sha256) {
            return Err(other_meanwhile(&read.name));
        }
        let row = keep::row(change, &read.name, content, &blob, Some(change.actor()));
        change.record(event(&devices::subject(&device)))?;
        keep::put(services, change, &mut device, row, content)
    });
    match (kept, mode) {
        (Ok(written), Mode::Keep) => {
            keep::let_go(services, written.stale);
            Ok(())
        }
        (Ok(_), Mode::TryOut) => Ok(()),
        (Err(error), _) => {
            keep::let_go(services, Some(blob).filter(|blob| !blob.is_empty()));
            Err(error)
        }
    }
}

pub(super) fn other_meanwhile(name: &str) -> ServiceError {
    ServiceError::Conflict(format!(
        "{name} was uploaded anew since you opened it; nothing was saved. Open it again and repeat your change"
    ))
}

/// Removes a file with all its versions.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub fn delete(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    name: &str,
    mode: Mode,
) -> Result<(), ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    let stale = perform(services, mode, grant, account, |change| {
        let row = store::stored_files::get(change.tx(), account, key, name)?;
        let row = row.ok_or_else(|| ServiceError::not_found("file", name))?;
        let mut device = devices::stored(services, change, account, key)?;
        let event = Event::new("device", devices::subject(&device), "deleted a file of");
        change.record(event.change("file", Some(name.to_owned()), None))?;
        Ok(keep::remove(services, change, &mut device, row)?.stale)
    })?;
    if mode == Mode::Keep {
        keep::let_go(services, stale);
    }
    Ok(())
}

#[cfg(test)]
#[path = "versions_tests.rs"]
mod tests;
