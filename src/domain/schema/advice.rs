//! What is odd about a parameter's name or value as a schema sees it (R141). Never an error: phones take more than schemas say.

use std::fmt;

use super::{Schema, ValueFault};
use crate::domain::parameter::is_secret;
use crate::domain::provision::master::is_master;
use crate::domain::resolution::{is_off, twin_of};

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The parameter, as it is written.
    pub name: String,
    /// What is odd.
    pub oddity: Oddity,
}

/// What is odd about a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// The schema does not have it (R140).
    Unknown,
    /// The schema has it in another letter case: this one.
    Spelling(String),
    /// The value is none that the schema says it takes.
    Value(ValueFault),
    /// The schema of the device's software does not have it: this one (R143).
    NotIn(String),
}

/// What is odd about a parameter with this value; nothing where the value is empty, which means *not set*, or holds a variable that each
/// device fills in. Attributes of the master file are no parameters; of a `.set` twin its parameter is looked up.
pub fn of(schema: &Schema, name: &str, value: &str) -> Option<Advice> {
    if is_master(name) || schema.is_empty() {
        return None;
    }
    let told = |oddity| Some(Advice { name: name.to_owned(), oddity });
    let is_flag = value.is_empty() || is_off(value) || matches!(value.trim(), "1" | "true" | "True");
    if let Some(base) = twin_of(name).filter(|_| is_flag) {
        return match schema.find(name).or_else(|| schema.find(base)) {
            Some(_) => None,
            None => told(Oddity::Unknown),
        };
    }
    let Some(found) = schema.find(name) else { return told(Oddity::Unknown) };
    if !found.is_spelt_so && !found.is_for_a_model {
        return told(Oddity::Spelling(found.definition.name.to_string()));
    }
    if value.contains('$') {
        return None;
    }
    found.definition.kind.check(value).err().and_then(|fault| told(Oddity::Value(fault)))
}

impl Oddity {
    /// A word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Spelling(_) => "spelling",
            Self::Value(_) => "value",
            Self::NotIn(_) => "not-in-schema",
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.oddity {
            Oddity::Unknown => f.write_str("not in the dictionary: the value is not checked"),
            Oddity::Spelling(name) => {
                write!(f, "written {name} in the dictionary, and phones look at the letter case: write it so")
            }
            // A length is told of a secret, and never the value: no fault holds it.
            Oddity::Value(ValueFault::Length { least, most, .. }) if is_secret(&self.name) => {
                let fault = ValueFault::Length { least: *least, most: *most, has: 0 };
                let words = fault.to_string();
                f.write_str(words.split(';').next().unwrap_or(&words))
            }
            Oddity::Value(fault) => fault.fmt(f),
            Oddity::NotIn(schema) => write!(f, "not known in {schema}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::{Definition, Kind, exact_numbers};

    fn schema() -> Schema {
        let definition = |name: &str, kind: Kind| Definition {
            name: name.into(),
            numbers: exact_numbers(name),
            kind,
            default: None,
            text: "words".into(),
            restarts: None,
            is_secret: false,
        };
        Schema::new(vec![
            definition("up.timeOut", Kind::Number { least: Some(0), most: Some(65) }),
            definition("device.net.vlanId", Kind::Number { least: None, most: Some(4094) }),
            definition("a.password", Kind::Text { least: None, most: Some(3) }),
        ])
    }

    fn told(name: &str, value: &str) -> Option<String> {
        of(&schema(), name, value).map(|advice| advice.to_string())
    }

    #[test]
    fn odd_values_names_and_spellings_are_told_and_nothing_else() {
        for (name, value) in [
            ("up.timeOut", "65"),
            ("up.timeOut", ""),
            ("up.timeOut", "$mac_address"),
            ("up.timeOut.VVX500", "3"),
            ("device.net.vlanId.set", "1"),
            ("device.net.vlanId.set", "0"),
            ("CONFIG_FILES", "a.cfg"),
        ] {
            assert_eq!(told(name, value), None, "{name}={value}");
        }
        assert_eq!(told("up.timeOut", "66").as_deref(), Some("a whole number from 0 to 65 is expected"));
        assert!(told("up.timeout", "1").is_some_and(|words| words.contains("up.timeOut")));
        assert!(told("up.timeOuts", "1").is_some_and(|words| words.contains("not in the dictionary")));
        assert!(told("device.net.nothing.set", "1").is_some());
    }

    #[test]
    fn the_length_of_a_secret_is_not_told() {
        assert_eq!(told("a.password", "12345").as_deref(), Some("a text of at most 3 characters is expected"));
    }
}
