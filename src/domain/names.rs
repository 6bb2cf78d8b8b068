//! Names that admins give: one rule for all of them (contract 5.4, R30).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use serde::{Deserialize, Serialize};

use super::limits::NAME_CHARS;

/// A name of a device, group, profile, site or shared user: letters of any script with their marks, digits, inner blanks and
/// `# . - _ ( ) [ ]`; one of a person has apostrophes, too. Kept as typed, but for letters that are typed as letter and mark: these are
/// put together (NFC), so that one name looks alike and is one. Compared by [`Name::folded`].
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
        Self::with(text, is_taken)
    }

    /// Parses the name of a person, which may have an apostrophe: `Siobhán O’Brien`.
    pub fn parse_of_person(text: &str) -> Result<Self, NameError> {
        Self::with(text, |c| is_taken(c) || matches!(c, '\'' | '’'))
    }

    fn with(text: &str, is_taken: impl Fn(char) -> bool) -> Result<Self, NameError> {
        let text = composed(text.trim());
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let count = text.chars().count();
        if count > NAME_CHARS {
            return Err(NameError::TooLong(count));
        }
        for (i, c) in text.chars().enumerate() {
            if !is_taken(c) {
                return Err(NameError::Character(c, i + 1));
            }
        }
        Ok(Self(text.into_owned()))
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

/// [`Name::folded`] of a text that was typed to find a name by.
pub fn folded(text: &str) -> String {
    composed(text.trim()).to_lowercase()
}

/// Letters with their marks put together where there is one sign for both.
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

fn is_taken(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ' ' | '#' | '.' | '-' | '_' | '(' | ')' | '[' | ']') || is_mark(c)
}

/// What is written on, below or beside a letter: without it words of many scripts are none.
fn is_mark(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    matches!(category, GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark)
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

/// Of a stored name, whosever it is.
impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse_of_person(&text)
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
    fn marks_of_letters_are_taken_and_put_together_where_one_sign_is_both() {
        for text in ["हिन्दी कक्ष", "ห้องประชุม ๑", "தமிழ்", "עִבְרִית"]
        {
            assert!(Name::parse(text).is_ok(), "{text}: {:?}", Name::parse(text));
        }
        let (apart, together) = (Name::parse("Zu\u{308}rich").expect("a name"), Name::parse("ZÜRICH").expect("a name"));
        assert_eq!((apart.as_str(), apart.folded()), ("Zürich", together.folded()));
        assert_eq!(folded(" zu\u{308}RICH "), together.folded());
    }

    #[test]
    fn people_have_apostrophes_and_nothing_else_has() {
        for text in ["Siobhán O'Brien", "D’Arcy"] {
            assert!(Name::parse_of_person(text).is_ok() && Name::parse(text).is_err(), "{text}");
            assert_eq!(Name::try_from(text.to_owned()).map(String::from).as_deref(), Ok(text), "as it is stored");
        }
        assert!(Name::parse_of_person("a/b").is_err());
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
