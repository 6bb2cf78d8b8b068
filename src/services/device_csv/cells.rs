//! What cells mean where nothing but the cell and what is stored have to be known.

use std::sync::Arc;

use jiff::Timestamp;

use crate::csv::devices::Column;
use crate::domain::activity::MASK;
use crate::domain::device::{Device, DeviceKey, Origin};
use crate::domain::ids::ProfileId;
use crate::domain::model::ModelTable;
use crate::domain::parameter::{ParameterName, ParameterSet, masked};
use crate::domain::placement::Placement;

/// A parameter of the profile in whatever letter case it is written there.
pub(super) fn present<'p>(former: &'p ParameterSet, name: &ParameterName) -> Option<(&'p ParameterName, &'p Arc<str>)> {
    if former.is_empty() {
        return None;
    }
    former.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name.as_str()))
}

/// The value that a cell means. The mask of the stored value means that value: a file that was exported without secrets changes none. For
/// who may see secrets one that is the same is the stored one: a file that was exported with them changes none either.
pub(super) fn value_of(
    name: &ParameterName,
    cell: &str,
    stored: Option<&Arc<str>>,
    compares_secrets: bool,
) -> Result<Arc<str>, String> {
    if let Some(stored) = stored.filter(|stored| compares_secrets && ***stored == *cell) {
        return Ok(Arc::clone(stored));
    }
    if !cell.contains(MASK) {
        return Ok(cell.into());
    }
    match stored.filter(|stored| masked(name.as_str(), stored) == cell) {
        Some(stored) => Ok(Arc::clone(stored)),
        None => {
            Err("this is the mask of a secret and not its value; enter the value, leave the cell empty, or export with secrets"
                .to_owned())
        }
    }
}

/// The column in which a field of a device stands.
pub(super) fn heading(field: &str, key: &DeviceKey) -> &'static str {
    match (field, key) {
        ("key", DeviceKey::Mac(_)) => Column::Mac.heading(),
        ("key", DeviceKey::Serial(_)) => Column::Serial.heading(),
        ("family", _) => Column::Type.heading(),
        ("model", _) => Column::Model.heading(),
        ("sent_name", _) => Column::SentName.heading(),
        ("description", _) => Column::Description.heading(),
        ("private_ip", _) => Column::PrivateIp.heading(),
        _ => Column::Name.heading(),
    }
}

/// Whether a device is of a type that takes a name from a server (R234).
pub(super) fn takes_name(device: &Device, models: &ModelTable) -> bool {
    device.family.as_deref().and_then(|family| models.family(family)).is_some_and(|family| family.takes_name)
}

/// A device that the file adds. It joins no default groups (R279), and its type is recognised when it comes (R239).
pub(super) fn new_device(key: DeviceKey) -> Device {
    Device {
        key,
        name: None,
        sent_name: None,
        description: String::new(),
        family: None,
        model: None,
        private_ip: None,
        mac: None,
        profiles: Vec::<ProfileId>::new(),
        groups: Vec::new(),
        site: None,
        placement: Placement::default(),
        owner: None,
        own_clock: ParameterSet::new(),
        software: None,
        origin: Origin::Manual,
        added_at: Timestamp::UNIX_EPOCH,
        revision: 0,
    }
}
