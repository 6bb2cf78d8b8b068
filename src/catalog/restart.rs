//! What a change of a parameter does to a phone: `data/restart.tsv`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Whether a change of a parameter restarts the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Restart {
    /// It does not.
    No,
    /// Nobody said.
    May,
    /// It does.
    Yes,
}

impl Restart {
    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::May => "may",
            Self::Yes => "yes",
        }
    }
}

/// What a change of a parameter does; [`Restart::May`] for those that the table does not list. Letter case and index do not count.
pub fn restart_of(name: &str) -> Restart {
    static TABLE: LazyLock<HashMap<String, Restart>> = LazyLock::new(|| {
        let mut table = HashMap::new();
        for (name, effect) in lines() {
            let effect = if effect == "none" { Restart::No } else { Restart::Yes };
            let known = table.entry(shape(name)).or_insert(effect);
            *known = effect.max(*known);
        }
        table
    });
    TABLE.get(&shape(name)).copied().unwrap_or(Restart::May)
}

/// Name and effect of each line below the heading.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = include_str!("../../data/restart.tsv").lines().skip(1);
    lines.filter_map(|line| {
        let (name, rest) = line.split_once('\t')?;
        Some((name, rest.split('\t').next().unwrap_or_default()))
    })
}

/// A name in lower case with `#` for each number.
fn shape(name: &str) -> String {
    let mut shape = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '0'..='9' if shape.ends_with('#') => {}
            '0'..='9' => shape.push('#'),
            c => shape.push(c.to_ascii_lowercase()),
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_says_an_effect_and_what_is_not_listed_may_restart() {
        assert!(lines().count() > 300);
        assert!(lines().all(|(_, effect)| ["none", "restart", "reboot"].contains(&effect)));
        let (name, _) = lines().find(|(_, effect)| *effect == "none").expect("one without an effect");
        assert_eq!(restart_of(name), Restart::No);
        assert_eq!(restart_of("APPS.push.password"), Restart::Yes);
        assert_eq!(restart_of("no.such.thing"), Restart::May);
    }
}
