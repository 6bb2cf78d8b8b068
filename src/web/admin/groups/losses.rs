//! What devices lose or get instead by a change, in words and rows: a part of the pages that ask before it (contract 5.15).

use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::impact::{Impact, ParameterChange};
use crate::services::Services;
use crate::web::admin::words;

/// Devices of one kind of loss that are named; the rest are counted.
const NAMED: usize = 10;
/// Kinds of losses that are shown, parameters of each, and characters of a value: pages stay small whatever profiles hold.
const SHOWN: usize = 10;
const PARAMETERS: usize = 30;
const VALUE_CHARS: usize = 200;

/// What `groups/_losses.html` shows.
pub struct Losses {
    /// The sum in one sentence.
    pub sentence: String,
    /// Kinds of losses, the one of the most devices first.
    pub kinds: Vec<Kind>,
    /// Kinds that are not shown.
    pub more: usize,
}

/// Devices to which the same happens.
pub struct Kind {
    /// How many, in words.
    pub count: String,
    /// Some of them: link and name.
    pub devices: Vec<(String, String)>,
    /// How many are not named.
    pub more: usize,
    /// What happens.
    pub changes: Vec<ParameterChange>,
    /// How many parameters are not shown.
    pub more_changes: usize,
}

impl Losses {
    /// What impacts mean for whom.
    pub fn new(impacts: Vec<Impact>, services: &Services) -> Self {
        let devices: usize = impacts.iter().map(|impact| impact.devices.len()).sum();
        let sentence = match devices {
            0 => "No parameter of any device changes.".to_owned(),
            1 => "1 device gets other values when it next comes:".to_owned(),
            number => format!("{number} devices get other values when they next come:"),
        };
        let more = impacts.len().saturating_sub(SHOWN);
        Self { sentence, kinds: impacts.into_iter().take(SHOWN).map(|impact| kind(impact, services)).collect(), more }
    }
}

fn kind(impact: Impact, services: &Services) -> Kind {
    let roster = services.roster(DEFAULT_ACCOUNT);
    let Impact { devices, changes } = impact;
    let named = devices.iter().take(NAMED).map(|key| {
        let title = roster.find(key).map_or_else(|| key.to_string(), |one| words::title(&one.device));
        (format!("/admin/devices/{key}"), title)
    });
    Kind {
        count: words::count(devices.len(), "device", "devices"),
        devices: named.collect(),
        more: devices.len().saturating_sub(NAMED),
        more_changes: changes.len().saturating_sub(PARAMETERS),
        changes: changes.into_iter().take(PARAMETERS).map(short).collect(),
    }
}

fn short(change: ParameterChange) -> ParameterChange {
    let short = |value: Option<String>| value.map(|value| words::shortened(&value, VALUE_CHARS));
    ParameterChange { name: change.name, old: short(change.old), new: short(change.new) }
}
