//! People, groups of people and rooms: who or what devices belong to (R156). A device has an owner, a person or a room; a person is
//! in groups, strongest first in the person's own order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::field_error::FieldErrors;
use super::ids::{PersonGroupId, PersonId, RoomId};
use super::limits::DESCRIPTION_CHARS;
use super::names::Name;

/// Who changed something last, and how often it was changed (R14, R16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modified {
    /// A user's name, or `pdms`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Counts changes.
    #[serde(default)]
    pub revision: u64,
}

/// A person who owns devices. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Key.
    pub id: PersonId,
    /// Unique among the people of the account without regard to letter case.
    pub name: Name,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The groups that the person is in, strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<PersonGroupId>,
    /// Its last change.
    pub modified: Modified,
}

/// A group of people. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonGroup {
    /// Key.
    pub id: PersonGroupId,
    /// Unique among the groups of people of the account without regard to letter case.
    pub name: Name,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its last change.
    pub modified: Modified,
}

/// A room that devices stand in. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Key.
    pub id: RoomId,
    /// Unique among the rooms of the account without regard to letter case.
    pub name: Name,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its last change.
    pub modified: Modified,
}

/// A person, a group of people or a room as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedInput {
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
}

/// A person, a group of people or a room to add, or what is to be changed of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDraft {
    /// Name.
    pub name: Name,
    /// Free text.
    pub description: String,
}

/// What a name may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// As every name (contract 5.4).
    Usual,
    /// A person's: apostrophes, too.
    Person,
    /// A room's: ASCII letters and digits, blanks and the guide's signs (R37).
    Room,
}

impl NamedDraft {
    /// Checks the fields.
    ///
    /// # Errors
    /// Every field that breaks a rule.
    pub fn parse(input: &NamedInput, rule: NameRule) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let parse = if rule == NameRule::Person { Name::parse_of_person } else { Name::parse };
        let name = errors.take("name", parse(&input.name));
        let foreign = name.as_ref().and_then(|name| name.as_str().chars().zip(1..).find(|(c, _)| !c.is_ascii()));
        if let (NameRule::Room, Some((c, at))) = (rule, foreign) {
            errors.add(
                "name",
                format_args!(
                    "“{c}” (character {at}) cannot stand in the name of a room; use a to z, digits, blanks and # . - _ ( ) [ ]"
                ),
            );
        }
        let description = input.description.trim().to_owned();
        let chars = description.chars().count();
        if chars > DESCRIPTION_CHARS {
            let message = format_args!("a description has at most {DESCRIPTION_CHARS} characters; this one has {chars}");
            errors.add("description", message);
        }
        errors.into_result(name.map(|name| Self { name, description }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limits::NAME_CHARS;

    #[test]
    fn a_room_is_named_by_the_guides_rule_and_a_person_by_the_usual_one() {
        let fields = |name: &str, rule| {
            let input = NamedInput { name: name.to_owned(), description: String::new() };
            NamedDraft::parse(&input, rule)
                .err()
                .map(|errors| errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>())
        };
        for name in ["Board room (2) [east]", "a#.-_9", &"x".repeat(NAME_CHARS)] {
            assert_eq!((fields(name, NameRule::Room), fields(name, NameRule::Usual)), (None, None), "{name}");
        }
        assert_eq!(fields("Jürgen", NameRule::Usual), None);
        assert!(fields("O'Brien", NameRule::Usual).is_some() && fields("O'Brien", NameRule::Room).is_some());
        assert_eq!((fields("O'Brien", NameRule::Person), fields("Siobhán O’Brien", NameRule::Person)), (None, None));
        let told = fields("Büro", NameRule::Room).expect("refused");
        assert!(told[0].contains("“ü” (character 2)"), "{told:?}");
        for name in ["", "a/b", &"x".repeat(NAME_CHARS + 1)] {
            assert!(fields(name, NameRule::Room).is_some() && fields(name, NameRule::Usual).is_some(), "{name}");
        }
    }
}
