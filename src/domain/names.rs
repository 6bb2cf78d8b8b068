//! Names that admins give: one rule for all of them (contract 5.4, R30).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::limits::NAME_CHARS;

/// A name of a device, group, profile, site or shared user: letters of any script, digits, inner blanks and `# . - _ ( ) [ ]`.
/// Kept as typed; compared by [`Name::folded`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// The rule that a name breaks, in words for the form it was typed into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but blanks.
    #[error("enter a name")]
    Empty,
    /// More than [`NAME_CHARS`] characters.
    #[error("a name has at most {NAME_CHARS} characters; this one has {0}")]
    TooLong(usize),
    /// A character outside the rule, with its position counted from one.
    #[error("“{0}” (character {1}) is not allowed; use letters, digits, blanks and # . - _ ( ) [ ]")]
    Character(char, usize),
}

impl Name {
    /// Parses a typed name; outer blanks are dropped.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let count = text.chars().count();
        if count > NAME_CHARS {
            return Err(NameError::TooLong(count));
        }
        for (i, c) in text.chars().enumerate() {
            if !(c.is_alphanumeric() || matches!(c, ' ' | '#' | '.' | '-' | '_' | '(' | ')' | '[' | ']')) {
                return Err(NameError::Character(c, i + 1));
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that two equal names share: uniqueness is case-insensitive (contract 5.4).
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script_digits_and_the_guides_signs_are_taken() {
        for text in ["Büro 3", "受付", "a#.-_()[]9", "Reception desk"] {
            assert_eq!(Name::parse(text).map(|n| n.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn the_refused_character_is_named_with_its_position() {
        assert_eq!(Name::parse("ab/c"), Err(NameError::Character('/', 3)));
        assert_eq!(Name::parse("a\u{202e}b"), Err(NameError::Character('\u{202e}', 2)));
    }

    #[test]
    fn length_is_held_at_the_limit() {
        assert!(Name::parse(&"x".repeat(NAME_CHARS)).is_ok());
        assert_eq!(Name::parse(&"x".repeat(NAME_CHARS + 1)), Err(NameError::TooLong(NAME_CHARS + 1)));
        assert_eq!(Name::parse("  "), Err(NameError::Empty));
    }
}
