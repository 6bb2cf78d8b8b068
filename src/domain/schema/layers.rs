//! One schema laid over another: what the upper one says counts, and what it leaves open is taken from the lower one (R137–R139).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::{Definition, Schema, numbers, shape};

impl Schema {
    /// The definitions of a file over those of another schema. The upper one decides types, limits and values; words, defaults and
    /// restarts that it does not tell are the lower one's, and so are parameters that it does not have.
    pub fn over(upper: Vec<Definition>, lower: &Self) -> Self {
        let mut all = families(upper);
        for one in &mut all {
            let Some(known) = lower.find(&one.name).map(|found| found.definition) else { continue };
            if one.text.is_empty() {
                one.text.clone_from(&known.text);
            }
            if one.default.is_none() {
                one.default = known.default.clone().filter(|default| one.kind.check(default).is_ok());
            }
            one.restarts = one.restarts.or(known.restarts);
            one.is_secret |= known.is_secret;
        }
        all.extend(lower.iter().cloned());
        Self::new(all)
    }
}

/// Definitions that differ in an index alone, as one: vendors' files name each index of each family. Those stay apart whose kinds
/// differ, and whose numbers have gaps.
pub fn families(definitions: Vec<Definition>) -> Vec<Definition> {
    let mut by_shape: BTreeMap<String, Vec<Definition>> = BTreeMap::new();
    for one in definitions {
        by_shape.entry(shape(&one.name)).or_default().push(one);
    }
    by_shape.into_values().flat_map(|alike| one_family(&alike).map_or(alike, |family| vec![family])).collect()
}

/// The family that some definitions make up; none where they are no rectangle of indexes, or not of one kind.
fn one_family(alike: &[Definition]) -> Option<Definition> {
    let first = alike.first().filter(|_| alike.len() > 1)?;
    if alike.iter().any(|one| one.kind != first.kind || one.is_family()) {
        return None;
    }
    let each: BTreeSet<Vec<u64>> = alike.iter().map(|one| numbers(&one.name).collect()).collect();
    let dimensions = each.first()?.len();
    let range = |at: usize| -> Option<RangeInclusive<u64>> {
        let values: BTreeSet<u64> = each.iter().map(|numbers| numbers[at]).collect();
        let (from, to) = (*values.first()?, *values.last()?);
        (to - from + 1 == values.len() as u64).then_some(from..=to)
    };
    let ranges = (0..dimensions).map(range).collect::<Option<Box<[_]>>>()?;
    let size: u64 = ranges.iter().map(|range| range.end() - range.start() + 1).product();
    if size != each.len() as u64 || each.len() != alike.len() {
        return None;
    }
    let mut family = alike.iter().min_by_key(|one| numbers(&one.name).collect::<Vec<_>>())?.clone();
    family.numbers = ranges;
    if let Some(told) = alike.iter().find(|one| !one.text.is_empty()).filter(|_| family.text.is_empty()) {
        family.text.clone_from(&told.text);
    }
    if family.default.is_none() {
        family.default = alike.iter().find_map(|one| one.default.clone());
    }
    family.is_secret = alike.iter().any(|one| one.is_secret);
    Some(family)
}

/// What a schema would change of another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Names that the former does not have.
    pub added: Vec<String>,
    /// Names that only the former has.
    pub removed: Vec<String>,
    /// Name, what it took and what it takes now.
    pub changed: Vec<(String, String, String)>,
}

impl Difference {
    /// Compares two schemas, each by itself. A family counts once.
    pub fn between(before: &Schema, after: &Schema) -> Self {
        let mut difference = Self::default();
        for one in after.iter() {
            match before.find(&one.name) {
                None => difference.added.push(one.name.to_string()),
                Some(found) if !found.definition.kind.takes_the_same(&one.kind) => {
                    let (old, new) = found.definition.kind.told_apart(&one.kind);
                    difference.changed.push((one.name.to_string(), old, new));
                }
                Some(_) => {}
            }
        }
        let gone = before.iter().filter(|one| after.find(&one.name).is_none());
        difference.removed = gone.map(|one| one.name.to_string()).collect();
        difference
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::{Kind, exact_numbers};

    fn defined(name: &str, kind: Kind) -> Definition {
        Definition {
            name: name.into(),
            numbers: exact_numbers(name),
            kind,
            default: None,
            text: "".into(),
            restarts: None,
            is_secret: false,
        }
    }

    fn number(most: i64) -> Kind {
        Kind::Number { least: Some(0), most: Some(most) }
    }

    #[test]
    fn indexes_become_families_where_they_leave_no_gap() {
        let names =
            ["reg.1.server.1.port", "reg.1.server.2.port", "reg.2.server.1.port", "reg.2.server.2.port", "a.711.b", "a.722.b"];
        let made = families(names.iter().map(|name| defined(name, number(9))).collect());
        let of = |name: &str| made.iter().find(|one| &*one.name == name).map(Definition::is_family);
        assert_eq!(
            (of("reg.1.server.1.port"), of("a.711.b"), of("a.722.b"), made.len()),
            (Some(true), Some(false), Some(false), 3)
        );
        let mut odd = vec![defined("x.1", number(1)), defined("x.2", number(2))];
        assert_eq!(families(odd.clone()).len(), 2, "of two kinds");
        odd[1].kind = number(1);
        assert_eq!(families(odd).len(), 1);
    }

    #[test]
    fn a_change_says_what_is_different_and_what_takes_the_same_is_none() {
        let choice = |texts: &[&str]| Kind::Choice(texts.iter().map(|text| (*text).into()).collect());
        let numbers: Vec<String> = (10..40).map(|number| number.to_string()).collect();
        let long = |last: &str| choice(&numbers.iter().map(String::as_str).chain([last]).collect::<Vec<_>>());
        let any = |kinds: &[Kind]| Kind::AnyOf(kinds.into());
        let schema = |kinds: Vec<Kind>| {
            let named = kinds.into_iter().zip(["a.a", "a.b", "a.c", "a.d"]);
            Schema::new(named.map(|(kind, name)| defined(name, kind)).collect())
        };
        let text = |least| Kind::Text { least, most: Some(9) };
        let before = schema(vec![choice(&["a", "b", ""]), any(&[number(1), choice(&["x"])]), text(None), long("old")]);
        let after = schema(vec![choice(&["b", "a"]), any(&[choice(&["x"]), number(1)]), text(Some(0)), long("new")]);
        let changed = Difference::between(&before, &after).changed;
        let [(name, old, new)] = changed.as_slice() else { panic!("one is different: {changed:?}") };
        assert!(name == "a.d" && old.ends_with("among them old") && new.ends_with("among them new"), "{old} / {new}");
    }

    #[test]
    fn the_upper_one_decides_and_the_lower_one_fills_in() {
        let known = Definition { text: "words".into(), default: Some("3".into()), ..defined("up.timeOut", number(65)) };
        let lower = Schema::new(vec![known, defined("only.below", number(1))]);
        let both = Schema::over(vec![defined("up.timeOut", number(9)), defined("only.above", number(1))], &lower);
        let found = both.find("up.timeOut").expect("there").definition;
        assert_eq!((&*found.text, found.default.as_deref(), &found.kind), ("words", Some("3"), &number(9)));
        assert!(both.find("only.below").is_some() && both.find("only.above").is_some());
        let strict = Schema::over(vec![defined("up.timeOut", number(2))], &lower);
        assert_eq!(strict.find("up.timeOut").and_then(|found| found.definition.default.clone()), None, "3 is not taken any more");
        let difference =
            Difference::between(&lower, &Schema::new(vec![defined("up.timeOut", number(9)), defined("new", number(1))]));
        assert_eq!(
            (difference.added.as_slice(), difference.removed.as_slice()),
            (&["new".to_owned()][..], &["only.below".to_owned()][..])
        );
        assert_eq!(difference.changed.len(), 1);
    }
}
