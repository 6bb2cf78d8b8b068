//! Devices as a CSV file that a person edits and sends back (R281–R283): what came by CSV alone, or for a look all that their profiles
//! say together.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::cells::takes_name;
use super::{Column, Separator, csv_profiles, profile_name};
use crate::csv::cells::TableWriter;
use crate::csv::devices::{self as csv, order, pattern};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::deployment::applicable;
use crate::domain::device::{Device, DeviceKey, Owner};
use crate::domain::device_list::{DeviceQuery, Listed, site_name};
use crate::domain::ids::AccountId;
use crate::domain::parameter::{ParameterSet, masked};
use crate::domain::profile::Profile;
use crate::domain::resolution::{merge, twin_of};
use crate::domain::site::INTERNET;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::{Mode, perform};
use crate::services::error::ServiceError;

/// How devices are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// What stands between cells.
    pub separator: Separator,
    /// Whether the file begins with a byte order mark (R94).
    pub with_mark: bool,
    /// Which values.
    pub values: Values,
    /// Whether model and site stand in it too, which the vendor's service does not know; and what else is ours, where any device has it:
    /// pin, owner, name on the device, description and typed private address.
    pub with_place: bool,
}

/// Which values of a device are written (R282).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Values {
    /// Those that came by CSV.
    #[default]
    Own,
    /// What all profiles together say.
    Effective,
}

impl Values {
    /// The word in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Effective => "effective",
        }
    }

    /// The one of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Own, Self::Effective].into_iter().find(|one| one.word() == word)
    }
}

/// The devices that a query asks for, secrets masked.
///
/// # Errors
/// Only of an account that does not exist.
pub fn export(
    services: &Services,
    account: AccountId,
    query: &DeviceQuery,
    options: ExportOptions,
) -> Result<Vec<u8>, ServiceError> {
    let world = services.world(account)?;
    written(&world, &services.roster(account).select(query, &world, services.clock.now()), options, false)
}

/// The same with secrets in clear, noted in the activity log, and how many devices are in it. Where that is only tried out, nothing is
/// told.
///
/// # Errors
/// As [`export`].
pub fn export_in_clear(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    query: &DeviceQuery,
    options: ExportOptions,
    mode: Mode,
) -> Result<(usize, Option<Vec<u8>>), ServiceError> {
    let grant = authorize(actor, Action::Reveal(account))?;
    let world = services.world(account)?;
    let devices = services.roster(account).select(query, &world, services.clock.now());
    let file = (mode == Mode::Keep).then(|| written(&world, &devices, options, true)).transpose()?;
    let subject = if devices.len() == 1 { "1 device".to_owned() } else { format!("{} devices", devices.len()) };
    perform(services, mode, grant, account, |change| change.record(Event::new("device", subject, "exported with secrets")))?;
    Ok((devices.len(), file))
}

/// An empty file with all headings.
///
/// # Errors
/// Only of writing to memory.
pub fn template(options: ExportOptions) -> Result<Vec<u8>, ServiceError> {
    csv::template(options.separator, options.with_mark).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::Conflict(error.to_string())
}

/// The parameters of one device by their names in lower case, each with the name as it is written.
type Cells<'a> = BTreeMap<String, (&'a str, &'a str)>;

fn written(world: &World, devices: &[Listed], options: ExportOptions, in_clear: bool) -> Result<Vec<u8>, ServiceError> {
    let own = csv_profiles(world);
    let mut names: BTreeMap<(bool, u64, usize, String), String> = BTreeMap::new();
    if options.values == Values::Own {
        names.extend(pattern().map(|name| (order(&name), name)));
    }
    // Names first, so that no row has to be held: many devices with many parameters are a large table.
    let mut known: HashSet<String> = HashSet::new();
    for listed in devices {
        for (folded, (name, _)) in cells(world, &listed.device, &own, options.values) {
            if known.insert(folded) {
                names.entry(order(name)).or_insert_with(|| name.to_owned());
            }
        }
    }
    let is_used = |column: &Column| match column {
        Column::Pinned => devices.iter().any(|listed| listed.device.placement.pinned),
        Column::Owner => devices.iter().any(|listed| listed.device.owner.is_some()),
        Column::SentName => devices.iter().any(|listed| has_names_apart(&listed.device, world)),
        Column::Description => devices.iter().any(|listed| !listed.device.description.is_empty()),
        Column::PrivateIp => devices.iter().any(|listed| listed.device.private_ip.is_some()),
        _ => true,
    };
    let columns: Vec<Column> = match options.with_place {
        true => Column::ALL.into_iter().filter(is_used).collect(),
        false => Column::OF_THE_GUIDE.to_vec(),
    };
    let folded: Vec<String> = names.values().map(|name| name.to_ascii_lowercase()).collect();
    let mut writer = TableWriter::new(options.separator, options.with_mark);
    let headings = columns.iter().map(|column| column.heading()).chain(names.values().map(String::as_str));
    writer.row(&headings.collect::<Vec<_>>()).map_err(failed)?;
    for listed in devices {
        let device = &*listed.device;
        let cells = cells(world, device, &own, options.values);
        let value = |name: &String| match cells.get(name) {
            Some((_, value)) if in_clear => Cow::Borrowed(*value),
            Some((name, value)) => masked(name, value),
            None => Cow::Borrowed(""),
        };
        let row: Vec<Cow<'_, str>> =
            columns.iter().map(|column| known_of(*column, device, world)).chain(folded.iter().map(value)).collect();
        writer.row(&row).map_err(failed)?;
    }
    Ok(writer.finish())
}

/// What stands in the column of devices that a person has pinned to their site.
pub(super) const PINNED: &str = "yes";

/// Whether a device is told another name than the one that it has here, or none: an import without the column would tell it that one.
fn has_names_apart(device: &Device, world: &World) -> bool {
    let would_be_told = device.name.as_ref().filter(|_| takes_name(device, world.models));
    device.sent_name.as_ref() != would_be_told
}

/// An owner as a file has it: the kind and the name.
pub(super) fn owner_cell(owner: Owner, world: &World) -> Option<String> {
    match owner {
        Owner::Person(id) => world.people.get(&id).map(|person| format!("person {}", person.name)),
        Owner::Room(id) => world.rooms.get(&id).map(|room| format!("room {}", room.name)),
    }
}

/// What stands in a column that is no parameter.
fn known_of<'a>(column: Column, device: &'a Device, world: &'a World) -> Cow<'a, str> {
    match (column, &device.key) {
        (Column::Mac, DeviceKey::Mac(_)) | (Column::Serial, DeviceKey::Serial(_)) => Cow::Owned(device.key.to_string()),
        (Column::Mac, _) => device.mac.map(|mac| mac.to_string()).unwrap_or_default().into(),
        (Column::Serial, _) => Cow::Borrowed(""),
        (Column::Name, _) => device.name.as_ref().map_or("", |name| name.as_str()).into(),
        (Column::Type, _) => device.family.as_deref().unwrap_or_default().into(),
        (Column::Model, _) => device.model.as_deref().unwrap_or_default().into(),
        (Column::Site, _) if device.site_id() == INTERNET => Cow::Borrowed(""),
        (Column::Site, _) => site_name(world, device).into(),
        (Column::Pinned, _) => if device.placement.pinned { PINNED } else { "" }.into(),
        (Column::Owner, _) => device.owner.and_then(|owner| owner_cell(owner, world)).unwrap_or_default().into(),
        (Column::SentName, _) => {
            let told = device.sent_name.as_ref().filter(|_| takes_name(device, world.models));
            told.map_or("", |name| name.as_str()).into()
        }
        (Column::Description, _) => device.description.as_str().into(),
        (Column::PrivateIp, _) => device.private_ip.map(|ip| ip.to_string()).unwrap_or_default().into(),
        (Column::Groups, _) => {
            let names = device.groups.iter().filter_map(|id| world.groups.get(id)).map(|group| group.name.as_str());
            names.collect::<Vec<_>>().join("|").into()
        }
    }
}

fn cells<'a>(world: &'a World, device: &'a Device, own: &'a HashMap<String, Arc<Profile>>, values: Values) -> Cells<'a> {
    match values {
        Values::Own => own.get(&profile_name(&device.key)).map(|profile| of_set(&profile.parameters)).unwrap_or_default(),
        Values::Effective => {
            let merged = merge(&applicable(device, world));
            let value = |(name, value): (&'a str, Option<&'a Arc<str>>)| Some((name.to_ascii_lowercase(), (name, &**value?)));
            merged.iter().map(|one| (one.name, one.winner.value)).filter_map(value).collect()
        }
    }
}

/// The parameters of a set; a twin that an import adds by itself is none.
fn of_set(set: &ParameterSet) -> Cells<'_> {
    let is_implied = |name: &str, value: &str| value == "1" && twin_of(name).is_some_and(|base| set.get(base).is_some());
    let wanted = set.iter().filter(|(name, value)| !is_implied(name.as_str(), value));
    wanted.map(|(name, value)| (name.as_str().to_ascii_lowercase(), (name.as_str(), &**value))).collect()
}
