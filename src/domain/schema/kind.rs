//! Which values a parameter takes.

use std::collections::BTreeSet;
use std::fmt;

/// Which values a parameter takes. The empty value is always taken: it means *not set*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On or off.
    Switch,
    /// A whole number within limits, both included.
    Number {
        /// The least.
        least: Option<i64>,
        /// The greatest.
        most: Option<i64>,
    },
    /// One of some texts.
    Choice(Box<[Box<str>]>),
    /// A text of some length in characters.
    Text {
        /// The shortest.
        least: Option<usize>,
        /// The longest.
        most: Option<usize>,
    },
    /// What any of these takes.
    AnyOf(Box<[Kind]>),
}

/// Why a value is none that a parameter takes. Phones may take it all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// Neither on nor off.
    #[error("1 (on) or 0 (off) is expected")]
    Switch,
    /// Not a whole number, or one outside the limits.
    #[error("{} is expected", of_number(*least, *most))]
    Number {
        /// The least.
        least: Option<i64>,
        /// The greatest.
        most: Option<i64>,
    },
    /// None of the texts.
    #[error("{} is expected", of_choice(choices))]
    Choice {
        /// All of them.
        choices: Box<[Box<str>]>,
    },
    /// Too short or too long.
    #[error("a text of {} characters is expected; this one has {has}", of_length(*least, *most))]
    Length {
        /// The shortest.
        least: Option<usize>,
        /// The longest.
        most: Option<usize>,
        /// Of the value.
        has: usize,
    },
    /// None of several kinds.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", or "))]
    NoneOf(Vec<ValueFault>),
}

/// Choices that a sentence names; there may be hundreds.
const NAMED: usize = 12;

impl Kind {
    /// A text of any length.
    pub const ANY: Self = Self::Text { least: None, most: None };

    /// The values that can be chosen from; none where a value is typed.
    pub fn choices(&self) -> Option<Vec<&str>> {
        match self {
            Self::Switch => Some(vec!["1", "0"]),
            Self::Choice(choices) => Some(choices.iter().map(|choice| &**choice).filter(|choice| !choice.is_empty()).collect()),
            Self::Number { .. } | Self::Text { .. } | Self::AnyOf(_) => None,
        }
    }

    /// Whether a value is one of those.
    ///
    /// # Errors
    /// What is expected instead.
    pub fn check(&self, value: &str) -> Result<(), ValueFault> {
        if value.is_empty() {
            return Ok(());
        }
        match self {
            Self::Switch => is_switch(value).then_some(()).ok_or(ValueFault::Switch),
            Self::Number { least, most } => {
                let number = value.trim().parse::<i64>().ok();
                let fits = number.is_some_and(|n| least.is_none_or(|least| n >= least) && most.is_none_or(|most| n <= most));
                fits.then_some(()).ok_or(ValueFault::Number { least: *least, most: *most })
            }
            Self::Choice(choices) => {
                let is_one = choices.iter().any(|choice| **choice == *value);
                is_one.then_some(()).ok_or_else(|| ValueFault::Choice { choices: choices.clone() })
            }
            Self::Text { least, most } => {
                let has = value.chars().count();
                let fits = least.is_none_or(|least| has >= least) && most.is_none_or(|most| has <= most);
                fits.then_some(()).ok_or(ValueFault::Length { least: *least, most: *most, has })
            }
            Self::AnyOf(kinds) => {
                let mut faults = Vec::with_capacity(kinds.len());
                for kind in kinds {
                    match kind.check(value) {
                        Ok(()) => return Ok(()),
                        Err(fault) => faults.push(fault),
                    }
                }
                Err(ValueFault::NoneOf(faults))
            }
        }
    }
}

impl Kind {
    /// Whether both take the same values: the order of choices does not count, nor whether the empty text is among them.
    pub fn takes_the_same(&self, other: &Self) -> bool {
        self.plain() == other.plain()
    }

    fn plain(&self) -> Self {
        match self {
            Self::Choice(choices) => {
                let choices: BTreeSet<_> = choices.iter().filter(|choice| !choice.is_empty()).cloned().collect();
                Self::Choice(choices.into_iter().collect())
            }
            Self::Text { least, most } => Self::Text { least: least.filter(|least| *least > 0), most: *most },
            Self::AnyOf(kinds) => {
                let mut kinds: Vec<_> = kinds.iter().map(Self::plain).collect();
                kinds.sort_by_cached_key(|kind| format!("{kind:?}"));
                kinds.dedup();
                Self::AnyOf(kinds.into())
            }
            Self::Switch | Self::Number { .. } => self.clone(),
        }
    }

    /// What each takes, in words that tell one from the other: choices that a sentence would not name are named where they differ.
    pub fn told_apart(&self, other: &Self) -> (String, String) {
        let (one, two) = (self.to_string(), other.to_string());
        if one != two {
            return (one, two);
        }
        let (of_one, of_two) = (self.all_choices(), other.all_choices());
        let with = |text: String, own: BTreeSet<&str>, others: &BTreeSet<&str>| {
            let alone: Vec<&str> = own.difference(others).copied().collect();
            let more = alone.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named = alone.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            if named.is_empty() { text } else { format!("{text}; among them {named}{more}") }
        };
        (with(one, of_one.clone(), &of_two), with(two, of_two, &of_one))
    }

    fn all_choices(&self) -> BTreeSet<&str> {
        match self {
            Self::Choice(choices) => choices.iter().map(|choice| &**choice).filter(|choice| !choice.is_empty()).collect(),
            Self::AnyOf(kinds) => kinds.iter().flat_map(Self::all_choices).collect(),
            Self::Switch | Self::Number { .. } | Self::Text { .. } => BTreeSet::new(),
        }
    }
}

/// What it takes, as it goes on behind *takes*.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("1 (on) or 0 (off)"),
            Self::Number { least, most } => f.write_str(&of_number(*least, *most)),
            Self::Choice(choices) => f.write_str(&of_choice(choices)),
            Self::Text { least: None | Some(0), most: None } => f.write_str("a text"),
            Self::Text { least, most } => write!(f, "a text of {} characters", of_length(*least, *most)),
            Self::AnyOf(kinds) => f.write_str(&kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", or ")),
        }
    }
}

/// Files in the field write `0`, `1`, `true`, `True` and the like.
fn is_switch(value: &str) -> bool {
    let value = value.trim();
    matches!(value, "0" | "1") || value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}

fn of_number(least: Option<i64>, most: Option<i64>) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
        (Some(least), None) => format!("a whole number from {least} on"),
        (None, Some(most)) => format!("a whole number up to {most}"),
        (None, None) => "a whole number".to_owned(),
    }
}

fn of_choice(choices: &[Box<str>]) -> String {
    let named: Vec<_> = choices.iter().filter(|choice| !choice.is_empty()).take(NAMED).map(|choice| &**choice).collect();
    let others = choices.iter().filter(|choice| !choice.is_empty()).count() - named.len();
    match others {
        0 => format!("one of {}", named.join(", ")),
        others => format!("one of {} and {others} others", named.join(", ")),
    }
}

fn of_length(least: Option<usize>, most: Option<usize>) -> String {
    match (least.filter(|least| *least > 0), most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => "any number of".to_owned(),
    }
}
