//! Configuration parameters: names, values, and sets of them.
//!
//! A `device.x` and its `device.x.set` are one parameter everywhere (contract 5.2): [`ParameterSet`] keeps both texts as an
//! admin wrote them, resolution takes them together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::limits::{PARAMETER_NAME_CHARS, PARAMETER_VALUE_BYTES};

/// The full dotted name of a parameter, kept in the letter case it was written in (PRS-05 gives the grammar).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ParameterName(Arc<str>);

/// The rule that a parameter breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// No name at all.
    #[error("enter a parameter name")]
    Empty,
    /// More than [`PARAMETER_NAME_CHARS`] characters.
    #[error("a parameter name has at most {PARAMETER_NAME_CHARS} characters; this one has {0}")]
    TooLong(usize),
    /// A character outside the grammar, with its position counted from one.
    #[error("“{0}” (character {1}) is not allowed in a parameter name; use letters, digits, dots, hyphens and underscores")]
    Character(char, usize),
    /// A first character that XML does not allow an attribute to begin with.
    #[error("a parameter name begins with a letter or an underscore, not with “{0}”")]
    Start(char),
    /// A name that XML keeps for itself: no parser reads such an attribute as a parameter.
    #[error(
        "“{0}” is a name that XML keeps for itself, as it does with all that begin with “xml”; no phone reads a parameter of this name"
    )]
    OfXml(String),
    /// More than [`PARAMETER_VALUE_BYTES`] bytes.
    #[error("a value has at most {PARAMETER_VALUE_BYTES} bytes; this one has {0}")]
    ValueTooLong(usize),
    /// A character that XML cannot carry.
    #[error("the value holds the control character U+{0:04X}, which no configuration file can carry")]
    Control(u32),
}

/// How names begin that XML keeps for itself, in any letter case.
const RESERVED_BY_XML: &str = "xml";
/// Whether XML keeps a name for itself: written into a file it would be no parameter, and might make it no file.
pub fn is_of_xml(name: &str) -> bool {
    name.get(..RESERVED_BY_XML.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_BY_XML))
}

/// How parameters begin that phones keep in flash, and take only beside a twin that says so (contract 5.2).
const DEVICE: &str = "device.";

/// Whether a parameter begins with `device.`. Letter case does not count here, nor in any rule that guards something: phones may look at
/// it, and it must not decide whether a value stays in flash.
pub fn is_of_device(name: &str) -> bool {
    name.get(..DEVICE.len()).is_some_and(|start| start.eq_ignore_ascii_case(DEVICE))
}

/// The part of a twin's name before `.set`; none of any other name.
pub fn before_set(name: &str) -> Option<&str> {
    let (base, end) = name.split_at_checked(name.len().checked_sub(SET.len())?)?;
    end.eq_ignore_ascii_case(SET).then_some(base)
}

/// How the name of a twin ends.
const SET: &str = ".set";

impl ParameterName {
    /// Parses a name: a letter or underscore, then letters, digits, `.`, `-`, `_`, all ASCII, and none that XML keeps for itself.
    pub fn parse(text: &str) -> Result<Self, ParameterError> {
        if is_of_xml(text) {
            return Err(ParameterError::OfXml(text.to_owned()));
        }
        Self::of_grammar(text)
    }

    /// The same for what is stored: earlier versions took names that XML keeps for itself.
    fn of_grammar(text: &str) -> Result<Self, ParameterError> {
        let Some(first) = text.chars().next() else { return Err(ParameterError::Empty) };
        if !(first.is_ascii_alphabetic() || first == '_') {
            return Err(ParameterError::Start(first));
        }
        let count = text.chars().count();
        if count > PARAMETER_NAME_CHARS {
            return Err(ParameterError::TooLong(count));
        }
        for (i, c) in text.chars().enumerate() {
            if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')) {
                return Err(ParameterError::Character(c, i + 1));
            }
        }
        Ok(Self(text.into()))
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::borrow::Borrow<str> for ParameterName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ParameterName {
    type Error = ParameterError;

    fn try_from(text: String) -> Result<Self, ParameterError> {
        Self::of_grammar(&text)
    }
}

impl From<ParameterName> for String {
    fn from(name: ParameterName) -> Self {
        (*name.0).to_owned()
    }
}

/// Checks that a value can be written into a configuration file: bounded, and no character that XML 1.0 excludes.
pub fn check_value(value: &str) -> Result<(), ParameterError> {
    if value.len() > PARAMETER_VALUE_BYTES {
        return Err(ParameterError::ValueTooLong(value.len()));
    }
    match value.chars().find(|c| (*c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}')) {
        Some(c) => Err(ParameterError::Control(u32::from(c))),
        None => Ok(()),
    }
}

/// Parameters by name. Values are kept byte for byte, line breaks included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParameterSet(BTreeMap<ParameterName, Arc<str>>);

impl ParameterSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value; the latest edit wins (R123). Answers what it replaced.
    pub fn insert(&mut self, name: ParameterName, value: impl Into<Arc<str>>) -> Option<Arc<str>> {
        self.0.insert(name, value.into())
    }

    /// Removes a value and answers what it was.
    pub fn remove(&mut self, name: &str) -> Option<Arc<str>> {
        self.0.remove(name)
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|v| &**v)
    }

    /// The value of a name, to be kept without copying it.
    pub fn get_shared(&self, name: &str) -> Option<&Arc<str>> {
        self.0.get(name)
    }

    /// The name as it is kept, with its value.
    pub fn entry(&self, name: &str) -> Option<(&ParameterName, &Arc<str>)> {
        self.0.get_key_value(name)
    }

    /// All parameters in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&ParameterName, &Arc<str>)> {
        self.0.iter()
    }

    /// The secrets that were typed anew with the value that they had in `former`. A value that is kept is the very same text in memory, and
    /// so is none of them. Typing a secret counts as changing it, or whoever may not see it could find it out by trying (SEC-05).
    pub fn typed_again<'a>(&'a self, former: &'a Self) -> impl Iterator<Item = &'a ParameterName> {
        let is_again = |(name, value): &(&ParameterName, &Arc<str>)| {
            former.get_shared(name.as_str()).is_some_and(|old| old == *value && !Arc::ptr_eq(old, value))
                && masked(name.as_str(), value) != ***value
        };
        self.iter().filter(is_again).map(|(name, _)| name)
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(ParameterName, Arc<str>)> for ParameterSet {
    fn from_iter<T: IntoIterator<Item = (ParameterName, Arc<str>)>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

pub use super::secret_value::{is_foreign_mask, is_secret, masked};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_xml_keeps_for_itself_are_refused_and_stay_readable_where_they_are_stored() {
        for name in ["xmlns", "XMLNS", "xml.lang", "xmlx"] {
            assert_eq!(ParameterName::parse(name), Err(ParameterError::OfXml(name.to_owned())));
            assert!(serde_json::from_str::<ParameterName>(&format!("\"{name}\"")).is_ok(), "an earlier version took it");
        }
        for name in ["xmlns:x", "xml:lang"] {
            assert!(ParameterName::parse(name).is_err(), "{name}");
        }
        assert!(ParameterName::parse("xm.l").is_ok());
    }
}
