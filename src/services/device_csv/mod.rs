//! Devices from a CSV file, and back (R265–R285): what a file would do row by row, then all of that in one change, or nothing.
//!
//! A file with a fault of its structure is refused as a whole. A row that cannot be taken is told with its column and left out.

mod advice;
mod cells;
mod export;
mod import;
mod planning;

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use crate::csv::devices::Column;
pub use crate::csv::reader::Separator;
use crate::domain::activity::{Change as FieldChange, Event};
use crate::domain::device::{Device, DeviceKey, Owner};
use crate::domain::ids::GroupId;
use crate::domain::names::Name;
use crate::domain::parameter::ParameterSet;
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::world::World;
use crate::services::import_log::{self as log, LogRow, flat};
pub use advice::{Advised, Hidden, Hint};
pub use export::{ExportOptions, Values, export, export_in_clear, template};
pub use import::{BadRows, import, import_shown, plan, rows};

/// How a file is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The separator that it uses; none where its header tells (R265).
    pub separator: Option<Separator>,
    /// What becomes of devices that are there.
    pub existing: Existing,
    /// Whether device groups, people and rooms are made that are not there (R270).
    pub create_groups: bool,
}

/// What becomes of devices that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// They stay as they are (R275).
    #[default]
    Skip,
    /// All that came by CSV is dropped; groups and values become those of the file (R276).
    Overwrite,
    /// What is given replaces or joins what there is; the rest stays (R277).
    Merge,
}

impl Existing {
    /// Every one, in the order of choice lists.
    pub const ALL: [Self; 3] = [Self::Skip, Self::Overwrite, Self::Merge];

    /// Its word in addresses and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Overwrite => "overwrite",
            Self::Merge => "merge",
        }
    }

    /// The one of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// What a file would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The separator that it uses.
    pub separator: Separator,
    /// Its rows, in order.
    pub rows: Vec<PlannedRow>,
    /// Parameters and values that the dictionary does not know so; never a reason to refuse.
    pub advice: Vec<Advised>,
    /// Values that many rows share (R272).
    pub hints: Vec<Hint>,
    /// Parameters that have no effect, because a profile of the device above its CSV profile says them too.
    pub hidden: Vec<Hidden>,
    /// Whether secrets are compared: who may see them is told that one is the same, for anybody else one that is brought is a change.
    pub compares_secrets: bool,
    /// Whether a secret is brought that counts as changed for that alone.
    pub brings_secrets: bool,
    /// Device groups that would be made, with the numbers that stand for them in [`Target::device`].
    new_groups: Vec<(GroupId, Name)>,
    /// People and rooms that would be made, likewise.
    new_owners: Vec<(Owner, Name)>,
    /// What it was planned against.
    world: Arc<World>,
}

/// What one row would do.
#[derive(Clone, Debug)]
pub struct PlannedRow {
    /// Line that it begins in.
    pub line: u64,
    /// The device's key, or what stands in its place.
    pub key: String,
    /// The device's name, as the file has it.
    pub name: String,
    /// What is worth knowing of it, although it is taken.
    pub note: Option<String>,
    /// What it would do.
    pub outcome: Outcome,
}

/// What a row would do.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Add a device.
    Added(Box<Target>),
    /// Change one.
    Changed(Box<Target>),
    /// Nothing: the device is so already.
    Unchanged,
    /// Nothing: the device is there, and such ones stay as they are.
    Skipped,
    /// It cannot be taken: every reason.
    Refused(Vec<Fault>),
}

/// Why a row cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The column, by its heading; empty where it is the row itself.
    pub column: String,
    /// What is wrong, and what to do.
    pub why: String,
}

/// A device as it would be.
#[derive(Clone, Debug)]
pub struct Target {
    old: Option<Arc<Device>>,
    old_profile: Option<Arc<Profile>>,
    /// Numbers of groups that are not made yet stand in it; the CSV profile is put into its list when it is written.
    device: Device,
    parameters: ParameterSet,
}

/// The words of all outcomes, in the order in which they are told.
pub const OUTCOMES: [&str; 5] = ["added", "changed", "unchanged", "skipped", "refused"];

impl Outcome {
    /// The outcome in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Added(_) => "added",
            Self::Changed(_) => "changed",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Refused(_) => "refused",
        }
    }

    /// The device as it would be, where the row does anything.
    fn target(&self) -> Option<&Target> {
        match self {
            Self::Added(target) | Self::Changed(target) => Some(target),
            Self::Unchanged | Self::Skipped | Self::Refused(_) => None,
        }
    }

    /// Why the row cannot be taken; nothing where it can.
    pub fn faults(&self) -> &[Fault] {
        if let Self::Refused(faults) = self { faults } else { &[] }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.column.is_empty() {
            write!(f, "{}: ", self.column)?;
        }
        f.write_str(&self.why)
    }
}

impl Plan {
    /// How many rows come to this.
    pub fn count(&self, word: &str) -> usize {
        self.rows.iter().filter(|row| row.outcome.word() == word).count()
    }

    /// Whether it does anything.
    pub fn is_doable(&self) -> bool {
        self.targets().next().is_some()
    }

    /// Names of the device groups that would be made.
    pub fn new_groups(&self) -> impl Iterator<Item = &Name> {
        self.new_groups.iter().map(|(_, name)| name)
    }

    /// People and rooms that would be made, as a file names them.
    pub fn new_owners(&self) -> impl Iterator<Item = String> {
        self.new_owners.iter().map(|(owner, name)| named(*owner, name))
    }

    /// The fields and parameters that a row changes; secrets masked.
    pub fn changes(&self, row: &PlannedRow) -> Vec<FieldChange> {
        row.outcome.target().map(|target| self.event(target).changes).unwrap_or_default()
    }

    /// The parameters of a row that have no effect, each with the profile of the device that hides it.
    pub fn hidden(&self, row: &PlannedRow) -> Vec<(String, String)> {
        let target = row.outcome.target();
        let hidden = target.map(|target| advice::hidden(target, &self.world)).unwrap_or_default();
        hidden.into_iter().map(|(name, by)| (name.to_owned(), by.to_string())).collect()
    }

    /// What tells two plans apart: whoever accepts one accepts what was shown.
    pub fn mark(&self) -> String {
        let mut hash = Sha256::new();
        for row in &self.rows {
            hash.update(format!("{} {} ", row.line, row.outcome.word()));
            let Some(target) = row.outcome.target() else { continue };
            hash.update(serde_json::to_vec(&target.device).unwrap_or_default());
            for (name, value) in target.parameters.iter() {
                hash.update(format!("{}={name}{}={value}", name.as_str().len(), value.len()));
            }
            hash.update(target.old.as_ref().map_or(0, |old| old.revision).to_be_bytes());
            hash.update(target.old_profile.as_ref().map_or(0, |old| old.revision).to_be_bytes());
        }
        hex::encode(&hash.finalize()[..8])
    }

    /// What the log of the import tells of each row (R274).
    pub fn told(&self) -> Vec<LogRow> {
        let row = |row: &PlannedRow| {
            let faults = row.outcome.faults().iter().map(|fault| flat(&fault.to_string()));
            let changes = self.changes(row);
            let hidden = self.hidden(row).into_iter().map(|(name, by)| format!("{name} has no effect: hidden by profile “{by}”"));
            LogRow {
                line: row.line,
                subject: row.key.clone(),
                name: Some(row.name.clone()),
                word: row.outcome.word(),
                told: faults.chain(row.note.clone()).chain(hidden).chain(changes.iter().map(log::changed)).collect(),
            }
        };
        self.rows.iter().map(row).collect()
    }

    fn targets(&self) -> impl Iterator<Item = &Target> {
        self.rows.iter().filter_map(|row| row.outcome.target())
    }

    /// What becomes of a device, as the activity log has it.
    fn event(&self, target: &Target) -> Event {
        let Target { old, old_profile, device, parameters } = target;
        let (old, new) = (old.as_deref(), device);
        let site = |device: &Device| self.world.sites.get(&device.site_id()).map(|site| site.name.to_string());
        let mac = |device: &Device| device.mac.map(|mac| mac.to_string());
        let described = |device: &Device| Some(device.description.clone()).filter(|text| !text.is_empty());
        let private_ip = |device: &Device| device.private_ip.map(|ip| ip.to_string());
        let event = Event::new("device", super::devices::subject(new), if old.is_some() { "changed" } else { "added" })
            .change("type", old.and_then(|old| old.family.clone()), new.family.clone())
            .change("model", old.and_then(|old| old.model.clone()), new.model.clone())
            .change("MAC address", old.and_then(mac), mac(new))
            .change("name", old.and_then(|old| words(old.name.as_ref())), words(new.name.as_ref()))
            .change("name on the device", old.and_then(|old| words(old.sent_name.as_ref())), words(new.sent_name.as_ref()))
            .change("description", old.and_then(described), described(new))
            .change("private IP", old.and_then(private_ip), private_ip(new))
            .change("groups", old.and_then(|old| self.group_names(&old.groups)), self.group_names(&new.groups));
        let event = match old {
            None if new.site.is_none() => event,
            _ => event.change("site", old.and_then(site), site(new)),
        };
        let pinned = |device: &Device| device.placement.pinned.then(|| export::PINNED.to_owned());
        let event = event.change("pinned to its site", old.and_then(pinned), pinned(new)).change(
            "owner",
            old.and_then(|old| self.owner_name(old)),
            self.owner_name(new),
        );
        let none = ParameterSet::new();
        let former = old_profile.as_ref().map_or(&none, |profile| &profile.parameters);
        super::profiles::parameter_changes(event, former, parameters)
    }

    fn owner_name(&self, device: &Device) -> Option<String> {
        let owner = device.owner?;
        let new = self.new_owners.iter().find(|(new, _)| *new == owner);
        new.map(|(owner, name)| named(*owner, name)).or_else(|| export::owner_cell(owner, &self.world))
    }

    fn group_names(&self, groups: &[GroupId]) -> Option<String> {
        let new = |id: &GroupId| self.new_groups.iter().find(|(new, _)| new == id).map(|(_, name)| name);
        let name = |id: &GroupId| self.world.groups.get(id).map(|group| &group.name).or_else(|| new(id));
        let names: Vec<_> = groups.iter().filter_map(name).map(ToString::to_string).collect();
        Some(names.join(", ")).filter(|names| !names.is_empty())
    }
}

impl Target {
    /// Whether the device has its CSV profile in its list already.
    fn is_attached(&self) -> bool {
        self.old_profile.as_ref().is_some_and(|profile| self.device.profiles.contains(&profile.id))
    }

    /// Whether a secret was brought with the value that it has.
    fn is_typed_again(&self) -> bool {
        let former = self.old_profile.as_ref().map(|former| &former.parameters);
        former.is_some_and(|former| self.parameters.typed_again(former).next().is_some())
    }

    /// Whether its CSV profile stays as it is.
    fn has_same_profile(&self) -> bool {
        match &self.old_profile {
            Some(former) => former.parameters == self.parameters && self.is_attached() && !self.is_typed_again(),
            None => self.parameters.is_empty(),
        }
    }
}

fn named(owner: Owner, name: &Name) -> String {
    match owner {
        Owner::Person(_) => format!("person {name}"),
        Owner::Room(_) => format!("room {name}"),
    }
}

fn words(name: Option<&Name>) -> Option<String> {
    name.map(ToString::to_string)
}

/// The name of the profile that a device gets by CSV (R284, contract 5.5).
pub(super) fn profile_name(key: &DeviceKey) -> String {
    format!("{key}_csv_profile")
}

/// The device that a profile belongs to by its name; none for any other name.
pub(super) fn device_of(profile: &str) -> Option<DeviceKey> {
    profile.strip_suffix("_csv_profile")?.parse().ok()
}

/// The profiles that came by CSV, by their names in lower case.
pub(super) fn csv_profiles(world: &World) -> HashMap<String, Arc<Profile>> {
    let of_csv = world.profiles.values().filter(|profile| profile.kind == ProfileKind::UserImported);
    of_csv.map(|profile| (profile.name.folded(), Arc::clone(profile))).collect()
}

#[cfg(test)]
mod tests;
