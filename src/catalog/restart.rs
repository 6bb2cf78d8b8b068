//! The shipped table of what changes of parameters do to a phone: `data/restart.tsv`.

use std::sync::LazyLock;

use crate::domain::restart::{Effect, RestartTable, Told};

/// What stands as the source of a row that rests on none.
const ASSUMED: &str = "assumed";

/// The table. Read once.
pub fn restarts() -> &'static RestartTable {
    static TABLE: LazyLock<RestartTable> = LazyLock::new(|| {
        RestartTable::new(rows().map(|(name, effect, source)| (name, Told { effect, is_sure: source != ASSUMED })))
    });
    &TABLE
}

/// Name, effect and source of each row.
fn rows() -> impl Iterator<Item = (String, Effect, &'static str)> {
    let lines = include_str!("../../data/restart.tsv").lines().skip(1);
    lines.map(|line| {
        let mut cells = line.split('\t');
        let [name, effect, source] = [(); 3].map(|()| cells.next().expect("a test has read every row"));
        let effect = match effect {
            "none" => Effect::None,
            "restart" | "reboot" => Effect::Restart,
            _ => Effect::MayRestart,
        };
        (name.to_owned(), effect, source)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalog::standard::standard_profiles;

    #[test]
    fn every_row_names_a_parameter_once_with_its_source_and_what_is_assumed_restarts() {
        let mut names = BTreeSet::new();
        for (name, effect, source) in rows() {
            assert_ne!(effect, Effect::MayRestart, "{name}: no word of the table's");
            assert!(!source.is_empty() && names.insert(name.clone()), "{name}");
            assert!(source != ASSUMED || effect == Effect::Restart, "{name}: an admin must rather be warned too much");
        }
    }

    #[test]
    fn what_is_assumed_is_known_as_that() {
        let told = |name: &str| restarts().known(name).expect("listed");
        assert!(told("apps.push.messageType").is_assumed());
        for (name, effect, source) in rows() {
            assert_eq!(told(&name), Told { effect, is_sure: source != "assumed" }, "{name}");
        }
    }

    #[test]
    fn every_parameter_of_the_standard_profiles_and_of_their_forms_is_listed() {
        for profile in standard_profiles().values() {
            let asked = profile.inputs.iter().flat_map(|input| &input.parameters);
            for name in profile.parameters.iter().map(|(name, _)| name).chain(asked) {
                assert!(restarts().known(name.as_str()).is_some(), "{}: {name}", profile.name);
            }
        }
    }
}
