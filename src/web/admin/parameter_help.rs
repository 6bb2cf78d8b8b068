//! What the dictionary says of a parameter, as pages show it beside its name (R137, R141).

use crate::domain::schema::Schema;
use crate::domain::schema::advice::{Advice, Oddity};
use crate::services::schema;

/// The words about one parameter, and about the value that it has.
pub struct Help {
    /// What it does; empty where nobody says.
    pub text: String,
    /// What it takes, what a phone does without it, what a change does to a phone.
    pub facts: String,
    /// Whether the dictionary does not have it: no fault, and nothing is checked.
    pub is_unknown: bool,
    /// What is odd about the name or the value.
    pub fault: Option<String>,
}

impl Help {
    /// What is known of a parameter and said of its value. A `.set` twin and an attribute of the master file are no parameters of a
    /// dictionary: nothing is said of them.
    pub fn of(schema: &Schema, name: &str, value: Option<&str>) -> Self {
        Self::with(schema, name, value.and_then(|value| schema::advise_on(schema, name, value)))
    }

    /// What is known of a parameter, with what was said of its value.
    pub fn with(schema: &Schema, name: &str, advice: Option<Advice>) -> Self {
        let is_unknown = advice.as_ref().is_some_and(|advice| advice.oddity == Oddity::Unknown);
        let fault = advice.filter(|_| !is_unknown).map(|advice| sentence(&advice));
        let Some(found) = schema.find(name) else {
            return Self { text: String::new(), facts: String::new(), is_unknown, fault };
        };
        let definition = found.definition;
        let default = match &definition.default {
            Some(default) if default.is_empty() => "While nothing sets it, it is empty. ".to_owned(),
            Some(default) => format!("While nothing sets it, it is {default}. "),
            None => String::new(),
        };
        let facts = format!("Takes {}. {default}{}", definition.kind, schema::restart_words(schema::restart(schema, name)));
        Self { text: definition.text.to_string(), facts, is_unknown, fault }
    }

    /// Whether there is anything to tell.
    pub fn is_known(&self) -> bool {
        !self.text.is_empty() || !self.facts.is_empty()
    }
}

/// Values that a box offers; where there are more, the value is typed.
const OFFERED: usize = 40;

/// The values that the dictionary offers for a parameter; none where a value is typed.
pub fn choices(schema: &Schema, name: &str) -> Vec<String> {
    let found = schema.find(name).and_then(|found| found.definition.kind.choices());
    let offered = found.filter(|choices| choices.len() <= OFFERED).unwrap_or_default();
    offered.into_iter().map(str::to_owned).collect()
}

/// What the dictionary finds odd about many parameters: the first few by name, the others counted.
pub struct AdviceView {
    /// Name and what is odd about it.
    pub named: Vec<(String, String)>,
    /// How many more there are.
    pub more: usize,
    /// Which of them are unknown, in words; none where all are known.
    pub unknown: Option<String>,
}

/// Odd values that a page names; there may be thousands.
const NAMED: usize = 10;

impl AdviceView {
    /// Those of a profile or a file. Unknown names are no fault, and are counted.
    pub fn of(advice: &[Advice]) -> Self {
        let (unknown, odd): (Vec<_>, Vec<_>) = advice.iter().partition(|one| one.oddity == Oddity::Unknown);
        let named = odd.iter().take(NAMED).map(|one| (one.name.clone(), sentence(one))).collect();
        let unknown = match unknown.as_slice() {
            [] => None,
            [one] => Some(format!("{} is not in the dictionary: its value is not checked", one.name)),
            several => Some(format!("{} parameters are not in the dictionary: their values are not checked", several.len())),
        };
        Self { named, more: odd.len().saturating_sub(NAMED), unknown }
    }

    /// Whether there is anything to tell.
    pub fn is_some(&self) -> bool {
        !self.named.is_empty() || self.unknown.is_some()
    }
}

fn sentence(advice: &Advice) -> String {
    let text = advice.to_string();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
