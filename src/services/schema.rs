//! The dictionary of parameters: what each is, and what is said of names and values (R137–R143).

use crate::catalog::schema::dictionary;
use crate::domain::parameter::ParameterSet;
use crate::domain::schema::Schema;
use crate::domain::schema::advice::{self, Advice};

/// The dictionary that counts now.
pub fn current() -> &'static Schema {
    dictionary()
}

/// What is said of one parameter with a value.
pub fn advise_on(name: &str, value: &str) -> Option<Advice> {
    advice::of(current(), name, value)
}

/// What is said of parameters, in the order of their names.
pub fn advise(parameters: &ParameterSet) -> Vec<Advice> {
    parameters.iter().filter_map(|(name, value)| advice::of(current(), name.as_str(), value)).collect()
}

/// What a change of a parameter does to a phone, in words.
pub fn restart_words(restarts: Option<bool>) -> &'static str {
    match restarts {
        Some(true) => "A change restarts the phone.",
        Some(false) => "A change does not restart the phone.",
        None => "Whether a change restarts the phone is not known.",
    }
}
