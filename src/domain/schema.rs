//! The schema: which parameters there are, what each is for and which values it takes (R137–R143).
//!
//! A schema advises. Phones take more than any schema says, so a name that it does not have and a value outside its limits are told,
//! never refused. Reading one from a file is [`crate::xml::xsd`]'s work.

pub mod advice;
mod kind;
pub mod layers;
pub mod uploaded;

use std::collections::HashMap;
use std::ops::RangeInclusive;

pub use kind::{Kind, ValueFault};

/// What ends the name of a parameter that is for one model of phone: `powerSaving.enable.VVX500` is `powerSaving.enable` there.
const MODEL_ENDINGS: [&str; 6] = ["SPIP", "SSIP", "SSDuo", "VVX", "Trio", "CCX"];
/// Characters that a search needs: fewer find everything (R122).
pub const SEARCH_CHARS: usize = 2;

/// One parameter, or a family of them that differ in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Full name; of a family, that with its first index.
    pub name: Box<str>,
    /// The numbers in the name, in order: one that is no index is a range of itself.
    pub numbers: Box<[RangeInclusive<u64>]>,
    /// Which values it takes.
    pub kind: Kind,
    /// What a phone does while nothing sets it, where that is known.
    pub default: Option<Box<str>>,
    /// What it is for, in words; empty where nobody said.
    pub text: Box<str>,
    /// Whether a change restarts the phone, where that is known.
    pub restarts: Option<bool>,
    /// Whether its value is a password or a key.
    pub is_secret: bool,
}

/// A parameter as it was found by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// What is known of it.
    pub definition: &'a Definition,
    /// Whether the letter case of the name is that of the schema; phones may look closer than we do.
    pub is_spelt_so: bool,
    /// Whether the name ends in a model, which the schema does not know.
    pub is_for_a_model: bool,
}

/// A set of definitions, found by name.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// By name, without regard to letter case.
    definitions: Vec<Definition>,
    /// Name and description of each in lower case: what is searched.
    searched: Vec<(Box<str>, Box<str>)>,
    /// Where the definitions stand whose names have this shape.
    by_shape: HashMap<Box<str>, Vec<usize>>,
}

impl Schema {
    /// The parameters of several files. Of two definitions of one name the first counts; what it does not say of an index is taken from
    /// the first of its family that says it.
    pub fn new(mut definitions: Vec<Definition>) -> Self {
        definitions.sort_by_cached_key(|one| folded(&one.name));
        definitions.dedup_by(|later, first| later.name.eq_ignore_ascii_case(&first.name));
        let mut by_shape: HashMap<Box<str>, Vec<usize>> = HashMap::with_capacity(definitions.len());
        for (at, definition) in definitions.iter().enumerate() {
            by_shape.entry(shape(&definition.name).into()).or_default().push(at);
        }
        for family in by_shape.values().filter(|family| family.len() > 1) {
            describe(&mut definitions, family);
        }
        let searched = definitions.iter().map(|one| (folded(&one.name).into(), one.text.to_lowercase().into())).collect();
        Self { definitions, searched, by_shape }
    }

    /// How many definitions there are.
    pub fn len(&self) -> usize {
        self.definitions.len()
    }

    /// Whether there is none: some devices come with such a schema.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// Bytes that one search looks through, once each: what its time goes with.
    pub fn searched_bytes(&self) -> usize {
        self.searched.iter().map(|(name, text)| name.len() + text.len()).sum()
    }

    /// All of them by name.
    pub fn iter(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.iter()
    }

    /// The definition of a name. Letter case does not count, and a model at its end is passed over.
    pub fn find(&self, name: &str) -> Option<Found<'_>> {
        let found = |name: &str, is_for_a_model| {
            let definition = self.lookup(name)?;
            Some(Found { definition, is_spelt_so: is_same_spelling(&definition.name, name), is_for_a_model })
        };
        found(name, false).or_else(|| found(without_model(name)?, true))
    }

    fn lookup(&self, name: &str) -> Option<&Definition> {
        let numbers: Vec<_> = numbers(name).collect();
        let family = self.by_shape.get(&*shape(name))?.iter().map(|at| &self.definitions[*at]);
        let mut fitting = family.filter(|definition| definition.covers(&numbers));
        // One that is named itself says more than a family.
        let first = fitting.next()?;
        Some(
            fitting
                .find(|other| other.name.eq_ignore_ascii_case(name))
                .filter(|_| !first.name.eq_ignore_ascii_case(name))
                .unwrap_or(first),
        )
    }

    /// Definitions whose name or description holds a text of at least [`SEARCH_CHARS`] characters, without regard to letter case: first
    /// those whose name begins with it, then those whose name holds it, then the others, each by name.
    pub fn search(&self, text: &str, most: usize) -> Vec<&Definition> {
        let wanted = text.trim().to_lowercase();
        if wanted.chars().count() < SEARCH_CHARS {
            return Vec::new();
        }
        let by_index = self.find(text.trim()).map(|found| found.definition);
        let rank = |name: &str, text: &str| match name.find(&wanted) {
            Some(0) => Some(1),
            Some(_) => Some(2),
            None => text.contains(&wanted).then_some(3),
        };
        let searched = self.searched.iter().zip(&self.definitions);
        let mut ranked: Vec<_> = searched.filter_map(|((name, text), one)| Some((rank(name, text)?, one))).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let others = ranked.into_iter().map(|(_, one)| one).filter(|one| by_index != Some(*one));
        by_index.into_iter().chain(others).take(most).collect()
    }
}

impl Definition {
    fn covers(&self, numbers: &[u64]) -> bool {
        self.numbers.len() == numbers.len() && self.numbers.iter().zip(numbers).all(|(range, number)| range.contains(number))
    }

    /// Whether the name stands for several parameters.
    pub fn is_family(&self) -> bool {
        self.numbers.iter().any(|range| range.start() != range.end())
    }
}

/// What each number of a name may be, where none is an index.
pub fn exact_numbers(name: &str) -> Box<[RangeInclusive<u64>]> {
    numbers(name).map(|number| number..=number).collect()
}

/// Reads a pattern such as `reg.{1-34}.address`: the name with its first indexes, and what each number in it may be.
pub fn pattern(text: &str) -> Option<(String, Box<[RangeInclusive<u64>]>)> {
    let mut name = String::with_capacity(text.len());
    let mut indexes = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (range, after) = behind.split_once('}')?;
        let (from, to) = range.split_once('-')?;
        let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
        name.push_str(before);
        // A digit on either side would become part of the number.
        let is_alone = !name.ends_with(|c: char| c.is_ascii_digit()) && !after.starts_with(|c: char| c.is_ascii_digit());
        if from > to || !is_alone {
            return None;
        }
        indexes.push((numbers(&name).count(), from..=to));
        name.push_str(&from.to_string());
        rest = after;
    }
    name.push_str(rest);
    let mut ranges = exact_numbers(&name);
    for (at, range) in indexes {
        *ranges.get_mut(at)? = range;
    }
    Some((name, ranges))
}

/// A description and a default for those of a family that have none of their own: schemas describe the first index only.
fn describe(definitions: &mut [Definition], family: &[usize]) {
    let first = |has: fn(&Definition) -> bool| family.iter().map(|at| &definitions[*at]).find(|one| has(one)).cloned();
    let (words, value) = (first(|one| !one.text.is_empty()), first(|one| one.default.is_some()));
    for at in family {
        let one = &mut definitions[*at];
        if let Some(first) = words.as_ref().filter(|first| one.text.is_empty() && one.kind == first.kind) {
            one.text.clone_from(&first.text);
        }
        if let Some(first) = value.as_ref().filter(|first| one.default.is_none() && one.kind == first.kind) {
            one.default.clone_from(&first.default);
        }
    }
}

/// A name in lower case with `#` for each number: what the names of one family share.
fn shape(name: &str) -> String {
    let mut shape = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '0'..='9' if shape.ends_with('#') => {}
            '0'..='9' => shape.push('#'),
            c => shape.push(c.to_ascii_lowercase()),
        }
    }
    shape
}

fn numbers(name: &str) -> impl Iterator<Item = u64> {
    let runs = name.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    // What is greater than any index is none.
    runs.map(|run| run.parse().unwrap_or(u64::MAX))
}

fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Whether two names of one family differ in their numbers alone.
fn is_same_spelling(one: &str, other: &str) -> bool {
    let letters = |name: &str| -> String { name.chars().filter(|c| !c.is_ascii_digit()).collect() };
    letters(one) == letters(other)
}

/// A name without the model at its end; none where it ends in none.
fn without_model(name: &str) -> Option<&str> {
    let (base, ending) = name.rsplit_once('.')?;
    MODEL_ENDINGS.iter().any(|model| ending.starts_with(model)).then_some(base)
}

#[cfg(test)]
mod tests;
