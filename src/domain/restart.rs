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

/// What is known of parameters, by their names.
#[derive(Clone, Debug, Default)]
pub struct RestartTable(HashMap<String, Effect>);

/// What stands in a name of the table for a part that is a number.
const NUMBER: &str = "{n}";

impl RestartTable {
    /// A table of names; `{n}` stands for a part that is a number.
    pub fn new(rows: impl IntoIterator<Item = (String, Effect)>) -> Self {
        Self(rows.into_iter().collect())
    }

    /// What a change of this parameter does.
    pub fn effect(&self, name: &str) -> Effect {
        self.known(name).unwrap_or(Effect::MayRestart)
    }

    /// The same, if it is known.
    pub fn known(&self, name: &str) -> Option<Effect> {
        if let Some(effect) = self.0.get(name) {
            return Some(*effect);
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
        let table = RestartTable::new(rows.map(|(name, effect)| (name.to_owned(), effect)));
        let effects = ["reg.12.address", "up.timeOut", "up.x", "reg..address"].map(|name| table.effect(name));
        assert_eq!(effects, [Effect::None, Effect::Restart, Effect::MayRestart, Effect::MayRestart]);
    }
}
