//! What a change of a parameter does to a phone: whether it goes on, or restarts and is gone for minutes (contract 5.15).

use std::collections::HashMap;

/// What a phone does when it is given another value. Ordered: of several changes the greatest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It goes on.
    #[default]
    None,
    /// Nobody has written down what it does.
    MayRestart,
    /// It restarts: its program, or the whole phone.
    Restart,
}

/// What a phone does, and whether somebody has shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Told {
    /// What it does.
    pub effect: Effect,
    /// Whether a document or a phone shows it; else it is assumed, for an admin is rather warned too much.
    pub is_sure: bool,
}

impl Told {
    /// Of a change of which nobody has written anything down.
    pub const UNKNOWN: Self = Self { effect: Effect::MayRestart, is_sure: false };

    /// What is shown.
    pub fn sure(effect: Effect) -> Self {
        Self { effect, is_sure: true }
    }

    /// That it restarts, where only an assumption says so.
    pub fn is_assumed(self) -> bool {
        self.effect == Effect::Restart && !self.is_sure
    }
}

/// What is known of parameters, by their names.
#[derive(Clone, Debug, Default)]
pub struct RestartTable(HashMap<String, Told>);

/// What stands in a name of the table for a part that is a number.
const NUMBER: &str = "{n}";

impl RestartTable {
    /// A table of names; `{n}` stands for a part that is a number.
    pub fn new(rows: impl IntoIterator<Item = (String, Told)>) -> Self {
        Self(rows.into_iter().collect())
    }

    /// What a change of this parameter does.
    pub fn told(&self, name: &str) -> Told {
        self.known(name).unwrap_or(Told::UNKNOWN)
    }

    /// The same, if it is known.
    pub fn known(&self, name: &str) -> Option<Told> {
        if let Some(told) = self.0.get(name) {
            return Some(*told);
        }
        let part = |part| if is_number(part) { NUMBER } else { part };
        let pattern: Vec<&str> = name.split('.').map(part).collect();
        self.0.get(&pattern.join(".")).copied()
    }
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_match_the_pattern_and_what_is_not_listed_may_restart_the_phone() {
        let rows = [("reg.{n}.address", Effect::None), ("up.timeOut", Effect::Restart), ("up.{n}", Effect::None)];
        let table = RestartTable::new(rows.map(|(name, effect)| (name.to_owned(), Told::sure(effect))));
        let effects = ["reg.12.address", "up.timeOut", "up.x", "reg..address"].map(|name| table.told(name).effect);
        assert_eq!(effects, [Effect::None, Effect::Restart, Effect::MayRestart, Effect::MayRestart]);
    }
}
