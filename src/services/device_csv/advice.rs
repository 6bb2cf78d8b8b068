//! What is said of a file although it is taken: parameters and values that the dictionary does not know so (R141), and values that many
//! rows share (R272).

use std::collections::{BTreeMap, HashMap};

use crate::csv::devices::{DeviceRow, DeviceTable};
use crate::domain::parameter::{ParameterName, masked};
use crate::domain::schema::Schema;
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
