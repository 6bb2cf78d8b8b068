//! What a device itself keeps and has uploaded, value by value: it beats whatever is served (R159).

use jiff::Timestamp;

use super::versions;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::device::{Device, DeviceKey};
use crate::domain::ids::AccountId;
use crate::domain::parameter::{ParameterName, ParameterSet, check_value, masked};
use crate::domain::provision::view::{Layer, Override, Row, Source};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, explain};
use crate::xml::{read, write};

/// What a device itself keeps and has uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// Where it was made.
    pub kind: Override,
    /// Name of the file without the device's key.
    pub name: &'static str,
    /// When the file came in.
    pub at: Timestamp,
    /// Its version.
    pub version: u32,
    /// What it says.
    pub parameters: ParameterSet,
}

/// One value of an override, and what would count without it. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnValue {
    /// The file, without the device's key.
    pub file: &'static str,
    /// Its version.
    pub version: u32,
    /// The parameter.
    pub name: String,
    /// Its value there.
    pub value: String,
    /// Whether it counts: a stronger file may have it too.
    pub counts: bool,
    /// What the phone would go by without it; none where it would fall back to its own default.
    pub otherwise: Option<String>,
    /// Who says that, in words.
    pub by: String,
}

/// The overrides of a device, the weaker kind first (R159). A file that is no configuration says nothing here.
///
/// # Errors
/// [`ServiceError::File`] where a file's content cannot be read.
pub fn overrides(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Vec<OwnFile>, ServiceError> {
    let mut found = Vec::new();
    for kind in Override::WEAKEST_FIRST {
        let name = override_file(kind);
        let (stored, content) = match super::file(services, account, key, name) {
            Ok(found) => found,
            Err(ServiceError::NotFound { .. }) => continue,
            Err(error) => return Err(error),
        };
        let entries = read::parameters(&content).unwrap_or_default().into_iter().filter(|one| check_value(&one.value).is_ok());
        let parameters: ParameterSet =
            entries.filter_map(|one| Some((ParameterName::parse(&one.name).ok()?, one.value.into()))).collect();
        if !parameters.is_empty() {
            found.push(OwnFile { kind, name, at: stored.at, version: stored.version, parameters });
        }
    }
    Ok(found)
}

/// The name, without the device's key, of the file that overrides are uploaded in.
pub fn override_file(kind: Override) -> &'static str {
    match kind {
        Override::PhoneMenu => "phone.cfg",
        Override::System => "system.cfg",
        Override::WebPage => "web.cfg",
        Override::Cloud => "cloud.cfg",
    }
}

/// Every value of the overrides with what would count without it.
///
/// # Errors
/// As [`overrides`].
pub fn values(services: &Services, account: AccountId, device: &Device, world: &World) -> Result<Vec<OwnValue>, ServiceError> {
    let explain::Explained { view, own_files } = explain::of_device(services, account, device, world)?;
    let version = |kind| own_files.iter().find(|own| own.kind == kind).map_or(0, |own| own.version);
    Ok(view.rows.iter().flat_map(|row| of_row(row, &version)).collect())
}

fn of_row(row: &Row, version: &impl Fn(Override) -> u32) -> Vec<OwnValue> {
    let layers: Vec<&Layer> = row.layers().collect();
    let kind = |layer: &Layer| if let Source::Override { kind, .. } = layer.source { Some(kind) } else { None };
    let own = layers.iter().enumerate().filter_map(|(at, layer)| Some((at, kind(layer)?, layer.value.as_deref()?)));
    let shown = |value: &str| masked(&row.name, value).into_owned();
    let value = |(at, kind, value): (usize, Override, &str)| {
        let next = layers.iter().enumerate().find(|(other, layer)| *other != at && layer.value.is_some()).map(|(_, layer)| layer);
        OwnValue {
            file: override_file(kind),
            version: version(kind),
            name: row.name.clone(),
            value: shown(value),
            counts: at == 0,
            otherwise: next.and_then(|layer| layer.value.as_deref()).map(shown),
            by: next.map_or_else(|| "the phone's own default".to_owned(), |layer| layer.source.describe()),
        }
    };
    own.map(value).collect()
}

/// Deletes one value of an override: the phone gets the file back without it at its next boot. `version` is the one that was shown.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] where another came meanwhile, or the file is no configuration.
pub fn delete_value(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    key: &DeviceKey,
    (name, version): (&str, Option<u32>),
    parameter: &str,
    mode: Mode,
) -> Result<(), ServiceError> {
    let grant = authorize(actor, Action::EditDevices(account))?;
    if !super::keep::OVERRIDES.contains(&name) {
        return Err(ServiceError::not_found("file of settings", name));
    }
    let file = versions::of(services, account, key, name)?;
    if version.is_some_and(|version| version != file.version) {
        return Err(versions::other_meanwhile(name));
    }
    let (_, content) = super::file(services, account, key, name)?;
    let entries = read::parameters(&content)
        .map_err(|error| ServiceError::Conflict(format!("{name} cannot be read, so no value of it can be deleted: {error}")))?;
    // With its twin it is one parameter (contract 5.2).
    let base = parameter.strip_suffix(".set").unwrap_or(parameter);
    let goes = |one: &str| one == base || one.strip_suffix(".set") == Some(base);
    let Some(gone) = entries.iter().find(|one| goes(&one.name)) else {
        return Err(ServiceError::not_found("value in this file", parameter));
    };
    let mut met = std::collections::HashSet::new();
    let kept = entries.iter().filter(|one| !goes(&one.name) && met.insert(one.name.as_str()));
    let content = write::overrides(kept.map(|one| (one.name.as_str(), one.value.as_str())));
    let event = |device: &str| {
        let event = Event::new("device", device.to_owned(), "deleted a value of the phone's own settings of");
        event.change("file", None, Some(name.to_owned())).parameter_change(&gone.name, Some(&gone.value), None)
    };
    versions::replace(services, (grant, mode), account, key, &file, &content, event)
}
