//! Device groups: logical sets of devices, for configuration and for order in the list (R97–R106). A device may be in many; which of
//! them speaks first is the device's own order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::field_error::FieldErrors;
use super::ids::GroupId;
use super::limits::DESCRIPTION_CHARS;
use super::names::Name;

/// A device group. Its JSON is the stored form. Members carry it in their own list, profiles are attached to it as to any place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Key.
    pub id: GroupId,
    /// Unique among the groups of the account without regard to letter case (R34).
    pub name: Name,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who changed it last; a user's name, or `pdms`.
    pub modified_by: String,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// Counts changes of name and description (R14).
    #[serde(default)]
    pub revision: u64,
}

/// The fields of a group as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupInput {
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
}

/// A group to add, or what is to be changed of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDraft {
    /// Name.
    pub name: Name,
    /// Free text.
    pub description: String,
}

impl GroupDraft {
    /// Checks the fields of a group (R98).
    ///
    /// # Errors
    /// Every field that breaks a rule.
    pub fn parse(input: &GroupInput) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let name = errors.take("name", Name::parse(&input.name));
        let description = input.description.trim().to_owned();
        let chars = description.chars().count();
        if chars > DESCRIPTION_CHARS {
            let message = format_args!("a description has at most {DESCRIPTION_CHARS} characters; this one has {chars}");
            errors.add("description", message);
        }
        errors.into_result(name.map(|name| Self { name, description }))
    }
}

/// A device's list of groups with one of them first; the others keep their order (R102). A list that lacks it stays as it is.
pub fn with_first(list: &[GroupId], first: GroupId) -> Vec<GroupId> {
    if !list.contains(&first) {
        return list.to_vec();
    }
    std::iter::once(first).chain(list.iter().copied().filter(|id| *id != first)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::property_config;

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let wrong = GroupInput { name: "a/b".to_owned(), description: "x".repeat(DESCRIPTION_CHARS + 1) };
        let errors = GroupDraft::parse(&wrong).expect_err("wrong");
        assert_eq!(errors.iter().map(|error| error.field).collect::<Vec<_>>(), ["name", "description"]);
        let good = GroupInput { name: " Lobby phones ".to_owned(), description: " By the door ".to_owned() };
        let draft = GroupDraft::parse(&good).expect("good");
        assert_eq!((draft.name.as_str(), draft.description.as_str()), ("Lobby phones", "By the door"));
    }

    proptest! {
        #![proptest_config(property_config())]

        #[test]
        fn one_comes_first_and_the_others_keep_their_order(
            list in prop::sample::subsequence((1..12_u64).collect::<Vec<_>>(), 0..=11).prop_shuffle(),
            first in 1..14_u64,
        ) {
            let list: Vec<_> = list.into_iter().map(GroupId).collect();
            let first = GroupId(first);
            let after = with_first(&list, first);
            let others = |list: &[GroupId]| list.iter().copied().filter(|id| *id != first).collect::<Vec<_>>();
            prop_assert_eq!(others(&after), others(&list));
            prop_assert_eq!(after.first() == Some(&first), list.contains(&first));
            prop_assert_eq!(after.len(), list.len());
            prop_assert_eq!(with_first(&after, first), after.clone(), "doing it twice changes nothing");
        }
    }
}
