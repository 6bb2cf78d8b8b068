//! What is said of a file although it is taken: parameters and values that the dictionary does not know so (R141), and values that many
//! rows share (R272).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{PlannedRow, Target};
use crate::csv::devices::{DeviceRow, DeviceTable};
use crate::domain::names::Name;
use crate::domain::parameter::{ParameterName, masked};
use crate::domain::schema::Schema;
use crate::domain::world::World;
use crate::services::schema::advise_on;

/// Rows that hold the same value before a group is proposed for it, unless all do.
const SHARED_BY: usize = 20;
/// The same where every row does.
const SHARED_BY_ALL: usize = 3;

/// Something odd, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advised {
    /// The parameter.
    pub name: String,
    /// What is said of it.
    pub text: String,
    /// Rows that it is said of.
    pub rows: usize,
    /// Line of the first one.
    pub line: u64,
}

/// A value that many rows share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The parameter.
    pub name: String,
    /// Its value; a secret is masked.
    pub value: String,
    /// Rows that hold it.
    pub rows: usize,
    /// Whether these are all rows that are taken.
    pub is_all: bool,
}

/// A parameter of the file that has no effect: a profile that stands above the CSV profile of the device says it too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// The parameter.
    pub name: String,
    /// The profile that hides it, of the first device.
    pub by: String,
    /// Profiles that hide it.
    pub profiles: usize,
    /// Devices that it has no effect for.
    pub rows: usize,
    /// Line of the first one.
    pub line: u64,
}

impl std::fmt::Display for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, by, profiles, rows, line } = self;
        match (rows, profiles) {
            (1, _) => write!(f, "{name} has no effect for 1 device, in line {line}: hidden by profile “{by}”"),
            (_, 1) => write!(f, "{name} has no effect for {rows} devices, the first in line {line}: hidden by profile “{by}”"),
            (_, many) => {
                let others = many - 1;
                write!(
                    f,
                    "{name} has no effect for {rows} devices, the first in line {line}: hidden by profile “{by}” and {others} more"
                )
            }
        }
    }
}

/// What of a device's row is hidden: each parameter that it changes with the profile of the device that hides it.
pub(super) fn hidden<'t>(target: &'t Target, world: &'t World) -> Vec<(&'t str, &'t Name)> {
    let csv = target.old_profile.as_ref().map(|profile| profile.id);
    if csv.is_none_or(|csv| !target.device.profiles.contains(&csv)) {
        // It will be attached above all others.
        return Vec::new();
    }
    let stronger = target.device.profiles.iter().take_while(|id| Some(**id) != csv).filter_map(|id| world.profile(*id));
    let stronger: Vec<_> = stronger.collect();
    let by = |name: &'t ParameterName| {
        let profile = stronger.iter().find(|profile| profile.parameters.get(name.as_str()).is_some())?;
        Some((name.as_str(), &profile.name))
    };
    if stronger.is_empty() {
        return Vec::new();
    }
    let former = target.old_profile.as_ref().map(|profile| &profile.parameters);
    let is_new = |name: &ParameterName, value: &str| former.and_then(|former| former.get(name.as_str())) != Some(value);
    target.parameters.iter().filter(|(name, value)| is_new(name, value)).filter_map(|(name, _)| by(name)).collect()
}

/// What is hidden in all rows, alike parameters together.
pub(super) fn all_hidden(rows: &[PlannedRow], world: &World) -> Vec<Hidden> {
    let mut found: BTreeMap<&str, (Hidden, BTreeSet<&Name>)> = BTreeMap::new();
    for row in rows {
        let Some(target) = row.outcome.target() else { continue };
        for (name, by) in hidden(target, world) {
            let first = || {
                let hidden = Hidden { name: name.to_owned(), by: by.to_string(), profiles: 0, rows: 0, line: row.line };
                (hidden, BTreeSet::new())
            };
            let (hidden, profiles) = found.entry(name).or_insert_with(first);
            hidden.rows += 1;
            profiles.insert(by);
        }
    }
    found.into_values().map(|(hidden, profiles)| Hidden { profiles: profiles.len(), ..hidden }).collect()
}

/// What is said of the rows that are taken.
pub(super) fn of(schema: &Schema, table: &DeviceTable, taken: &[&DeviceRow]) -> (Vec<Advised>, Vec<Hint>) {
    let (mut advised, mut hints) = (Vec::new(), Vec::new());
    for (place, name) in &table.parameters {
        let mut values: HashMap<&str, (usize, u64)> = HashMap::new();
        for row in taken {
            let value = row.at(*place);
            if !value.is_empty() {
                values.entry(value).or_insert((0, row.line)).0 += 1;
            }
        }
        let most = values.iter().max_by_key(|(value, (rows, _))| (*rows, **value));
        if let Some((value, (rows, _))) = most {
            let is_all = *rows == taken.len();
            if *rows >= SHARED_BY || (is_all && *rows >= SHARED_BY_ALL) {
                let value = masked(name.as_str(), value).into_owned();
                hints.push(Hint { name: name.to_string(), value, rows: *rows, is_all });
            }
        }
        advised.extend(on_column(schema, name, &values));
    }
    hints.sort_by_key(|hint| std::cmp::Reverse(hint.rows));
    (advised, hints)
}

/// What the dictionary says of the values of one parameter, alike ones together.
fn on_column(schema: &Schema, name: &ParameterName, values: &HashMap<&str, (usize, u64)>) -> Vec<Advised> {
    // Found once for all rows: ten thousand of them hold ten thousand values.
    let found = schema.find(name.as_str()).filter(|found| found.is_spelt_so || found.is_for_a_model);
    let is_usual = |value: &str| found.is_some_and(|found| found.definition.kind.check(value).is_ok());
    let mut told: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for (value, (rows, line)) in values.iter().filter(|(value, _)| !is_usual(value)) {
        if let Some(advice) = advise_on(schema, name.as_str(), value) {
            let (so_far, first) = told.entry(advice.to_string()).or_insert((0, *line));
            (*so_far, *first) = (*so_far + rows, (*first).min(*line));
        }
    }
    told.into_iter().map(|(text, (rows, line))| Advised { name: name.to_string(), text, rows, line }).collect()
}
