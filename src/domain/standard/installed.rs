//! What a server remembers of the standard profiles that it had: so that a version that has others can say what changed, and whoever used
//! one that is gone keeps its parameters (R112, contract 5.16).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FIRST_ID, StandardProfile};
use crate::domain::ids::ProfileId;
use crate::domain::names::Name;
use crate::domain::parameter::ParameterSet;

/// A standard profile as a version brought it. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Its number.
    pub number: u32,
    /// Name.
    pub name: Name,
    /// What it does.
    #[serde(default)]
    pub description: String,
    /// Its parameters, without what a template asks for.
    #[serde(default)]
    pub parameters: ParameterSet,
    /// The version of pdms that it has been like this since.
    pub version: String,
    /// When that version first ran here.
    pub at: Timestamp,
}

impl Installed {
    /// What is remembered of a profile of this version.
    pub fn now(shipped: &StandardProfile, version: &str, at: Timestamp) -> Self {
        Self {
            number: shipped.number,
            name: shipped.name.clone(),
            description: shipped.description.clone(),
            parameters: shipped.parameters.clone(),
            version: version.to_owned(),
            at,
        }
    }

    /// Its number among all profiles.
    pub fn id(&self) -> ProfileId {
        ProfileId(FIRST_ID + u64::from(self.number))
    }

    fn is_as(&self, shipped: &StandardProfile) -> bool {
        self.name == shipped.name && self.description == shipped.description && self.parameters == shipped.parameters
    }
}

/// What this version has otherwise than what is remembered.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Upgrade<'a> {
    /// Those that are new.
    pub came: Vec<&'a StandardProfile>,
    /// Those that are different now: as they were, and as they are.
    pub changed: Vec<(&'a Installed, &'a StandardProfile)>,
    /// Those that are no longer shipped.
    pub gone: Vec<&'a Installed>,
}

impl<'a> Upgrade<'a> {
    /// Compares by number; everything in the order of the numbers.
    pub fn between(remembered: &'a [Installed], shipped: impl Iterator<Item = &'a StandardProfile>) -> Self {
        let mut left: BTreeMap<u32, &Installed> = remembered.iter().map(|one| (one.number, one)).collect();
        let mut upgrade = Self::default();
        for one in shipped {
            match left.remove(&one.number) {
                None => upgrade.came.push(one),
                Some(before) if before.is_as(one) => {}
                Some(before) => upgrade.changed.push((before, one)),
            }
        }
        upgrade.came.sort_by_key(|one| one.number);
        upgrade.changed.sort_by_key(|(_, one)| one.number);
        upgrade.gone = left.into_values().collect();
        upgrade
    }

    /// Whether all is as it was.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(number: u32, value: &str) -> StandardProfile {
        let file = format!(
            "name = \"Clock-{number}\"\nnumber = {number}\ndescription = \"d\"\nsource = \"s\"\nconfidence = \"usual\"\n[parameters]\n\"a.b\" = \"{value}\""
        );
        toml::from_str(&file).expect("a profile")
    }

    #[test]
    fn what_came_changed_and_went_is_told_by_number() {
        let then = Timestamp::UNIX_EPOCH;
        let remembered: Vec<_> = [1, 2, 3].map(|number| Installed::now(&shipped(number, "0"), "0.1.0", then)).into();
        let now = [shipped(4, "0"), shipped(2, "1"), shipped(1, "0")];
        let upgrade = Upgrade::between(&remembered, now.iter());
        let numbers = |list: &[&StandardProfile]| list.iter().map(|one| one.number).collect::<Vec<_>>();
        assert_eq!(numbers(&upgrade.came), [4]);
        assert_eq!(upgrade.changed.iter().map(|(before, _)| before.number).collect::<Vec<_>>(), [2]);
        assert_eq!(upgrade.gone.iter().map(|one| one.number).collect::<Vec<_>>(), [3]);
        assert!(Upgrade::between(&remembered, [1, 2, 3].map(|number| shipped(number, "0")).iter()).is_none());
    }
}
