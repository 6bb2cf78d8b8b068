//! What an imported configuration file would change in a profile, shown before it is accepted (R122, R123, contract 5.2).
//!
//! Reading files is `xml`'s work. Masking secrets is the pages'.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::activity::MASK;
use super::credential::check_admin_password;
use super::parameter::{ParameterName, ParameterSet, check_value, is_of_device, masked};
use super::profile::draft::check_mask;
use super::provision::master;
use super::resolution::{is_off, twin_of};

/// A place in a text; both count from one, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

impl Position {
    /// The first character.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place that follows a text.
    pub fn after(text: &str) -> Self {
        Self::START.moved_over(text)
    }

    /// The place after a further piece of text.
    pub fn moved_over(self, text: &str) -> Self {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        match text.rsplit_once('\n') {
            None => Self { line: self.line, column: self.column.saturating_add(count(text.chars().count())) },
            Some((lines, last)) => Self {
                line: self.line.saturating_add(count(lines.matches('\n').count() + 1)),
                column: count(last.chars().count()).saturating_add(1),
            },
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// One parameter as a file has it, not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name as written.
    pub name: String,
    /// Value, with its line breaks.
    pub value: String,
    /// Where the name stands.
    pub at: Position,
}

/// What an import takes although it would leave it out by itself (contract 5.2): the boxes of the preview, unticked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Take empty values too.
    pub keep_empty: bool,
    /// Take values equal to the default too, and pairs whose `.set` says that they are not meant.
    pub keep_defaults: bool,
}

/// A parameter that would be new, or is there already with this very value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Name.
    pub name: ParameterName,
    /// Value.
    pub value: Arc<str>,
    /// Where the file has it.
    pub at: Position,
}

/// A parameter whose value would be replaced: the latest edit wins (R123).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Name.
    pub name: ParameterName,
    /// Value that the profile has.
    pub old: Arc<str>,
    /// Value that the file has.
    pub new: Arc<str>,
    /// Where the file has it.
    pub at: Position,
}

/// A parameter that is left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Name.
    pub name: ParameterName,
    /// Value in the file.
    pub value: Arc<str>,
    /// Where the file has it.
    pub at: Position,
    /// Why.
    pub why: LeaveOut,
}

/// Why a value is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaveOut {
    /// It is empty: phones read that as *not set*.
    Empty,
    /// It is what a phone does anyway.
    Default,
    /// Its `.set` twin says 0, or is such a twin without a value: *not mentioned*.
    NotSet,
}

/// A parameter that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Name as written.
    pub name: String,
    /// Where the file has it.
    pub at: Position,
    /// The rule that it breaks, in words.
    pub reason: String,
}

/// A parameter that the file has in several elements. The last one wins, as the order of the document suggests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Name.
    pub name: ParameterName,
    /// Its values in the order of the file; the last one counts.
    pub values: Vec<(Arc<str>, Position)>,
}

impl Conflict {
    /// Whether the values differ; else somebody only said the same thing twice.
    pub fn differs(&self) -> bool {
        self.values.windows(2).any(|pair| pair[0].0 != pair[1].0)
    }
}

/// What accepting a file would do to a profile. Every list is in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPreview {
    /// New to the profile.
    pub added: Vec<Given>,
    /// In the profile with another value.
    pub changed: Vec<Changed>,
    /// In the profile with this value. The mask of a secret stands for the one that is there.
    pub unchanged: Vec<Given>,
    /// Not taken unless unticked.
    pub left_out: Vec<LeftOut>,
    /// Not taken at all.
    pub refused: Vec<Refused>,
    /// In several elements of the file.
    pub conflicts: Vec<Conflict>,
    /// Namespaces and the like: they belong to XML itself, no phone reads them as parameters, and nothing is lost without them.
    pub of_xml: Vec<Entry>,
}

impl ImportPreview {
    /// Compares a file with the parameters of a profile. `default` answers the value that a phone has when a parameter is not
    /// mentioned, where it is known.
    pub fn new<'d>(
        present: &ParameterSet,
        entries: &[Entry],
        default: impl Fn(&str) -> Option<&'d str>,
        options: ImportOptions,
    ) -> Self {
        let mut preview = Self::default();
        let meant = preview.last_of_each(present, entries);
        let by_name: HashMap<&str, &str> = meant.iter().map(|g| (g.name.as_str(), &*g.value)).collect();
        for given in &meant {
            match why_left_out(&given.name, present, &by_name, &default, options) {
                Some(why) => {
                    let Given { name, value, at } = given.clone();
                    preview.left_out.push(LeftOut { name, value, at, why });
                }
                None => preview.compare(present, given.clone()),
            }
        }
        preview
    }

    /// Whether accepting changes anything.
    pub fn changes_anything(&self) -> bool {
        !(self.added.is_empty() && self.changed.is_empty())
    }

    /// Does what the preview shows.
    pub fn apply(&self, parameters: &mut ParameterSet) {
        for Given { name, value, .. } in &self.added {
            parameters.insert(name.clone(), Arc::clone(value));
        }
        for Changed { name, new, .. } in &self.changed {
            parameters.insert(name.clone(), Arc::clone(new));
        }
    }

    /// How many values are left out for a reason.
    pub fn left_out_as(&self, why: LeaveOut) -> usize {
        self.left_out.iter().filter(|l| l.why == why).count()
    }

    /// The entries that can be taken, each name once, with its last value; refusals and conflicts are noted.
    fn last_of_each(&mut self, present: &ParameterSet, entries: &[Entry]) -> Vec<Given> {
        let mut order: Vec<Conflict> = Vec::new();
        let mut places: HashMap<ParameterName, usize> = HashMap::new();
        for entry in entries {
            if let Some((name, value)) = kept(present, entry) {
                self.unchanged.push(Given { name: name.clone(), value: Arc::clone(value), at: entry.at });
                continue;
            }
            let name = match checked(entry) {
                Ok(name) => name,
                Err(reason) => {
                    self.refused.push(Refused { name: entry.name.clone(), at: entry.at, reason });
                    continue;
                }
            };
            let said = (Arc::from(entry.value.as_str()), entry.at);
            let place = *places.entry(name.clone()).or_insert_with(|| {
                order.push(Conflict { name, values: Vec::new() });
                order.len() - 1
            });
            order[place].values.push(said);
        }
        let mut meant = Vec::with_capacity(order.len());
        for said in order {
            let Some((value, at)) = said.values.last().cloned() else { continue };
            meant.push(Given { name: said.name.clone(), value, at });
            if said.values.len() > 1 {
                self.conflicts.push(said);
            }
        }
        meant
    }

    fn compare(&mut self, present: &ParameterSet, given: Given) {
        match present.get_shared(given.name.as_str()) {
            None => self.added.push(given),
            // Nobody finds out a secret by bringing one.
            Some(old) if *old == given.value && masked(given.name.as_str(), old) == **old => self.unchanged.push(given),
            Some(old) => {
                let Given { name, value, at } = given;
                self.changed.push(Changed { name, old: Arc::clone(old), new: value, at });
            }
        }
    }
}

/// What the profile has where an entry is the mask of it: a file that was exported without secrets changes none.
fn kept<'p>(present: &'p ParameterSet, entry: &Entry) -> Option<(&'p ParameterName, &'p Arc<str>)> {
    let is_mask = |old: &str| entry.value.contains(MASK) && masked(&entry.name, old) == entry.value;
    present.entry(&entry.name).filter(|(_, old)| is_mask(old))
}

/// The name of a parameter or master attribute that a profile may have with this value; in words, why not.
fn checked(entry: &Entry) -> Result<ParameterName, String> {
    let name = ParameterName::parse(&entry.name).map_err(|error| error.to_string())?;
    check_value(&entry.value).map_err(|error| error.to_string())?;
    master::check(name.as_str(), &entry.value).map_err(|error| error.to_string())?;
    check_admin_password(name.as_str(), &entry.value)?;
    check_mask(name.as_str(), &entry.value)?;
    Ok(name)
}

/// Whether a value is left out. `device.x` and `device.x.set` are judged as the one parameter that they are.
fn why_left_out<'d>(
    name: &ParameterName,
    present: &ParameterSet,
    file: &HashMap<&str, &str>,
    default: &impl Fn(&str) -> Option<&'d str>,
    options: ImportOptions,
) -> Option<LeaveOut> {
    let base = twin_of(name.as_str()).unwrap_or(name.as_str());
    let (value, set) = match (file.get(base), file.get(format!("{base}.set").as_str())) {
        (Some(value), set) => (Some(*value), set.copied().filter(|_| is_of_device(base))),
        (None, set) => (None, set.copied()),
    };
    if !options.keep_empty && (value == Some("") || value.is_none() && set == Some("")) {
        return Some(LeaveOut::Empty);
    }
    if options.keep_defaults {
        return None;
    }
    // What the file says of the value may have been refused, or be the mask of a secret that nobody here knows.
    let is_alone = value.is_none() && present.get(base).is_none() && twin_of(name.as_str()).is_some();
    if is_alone || set.is_some_and(is_off) {
        return Some(LeaveOut::NotSet);
    }
    (value.is_some() && value == default(base)).then_some(LeaveOut::Default)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: &[(&str, &str)]) -> Vec<Entry> {
        let at = |i: usize| Position { line: u32::try_from(i).unwrap_or(0) + 1, column: 3 };
        pairs.iter().enumerate().map(|(i, (n, v))| Entry { name: (*n).to_owned(), value: (*v).to_owned(), at: at(i) }).collect()
    }

    fn set(pairs: &[(&str, &str)]) -> ParameterSet {
        pairs.iter().map(|(n, v)| (ParameterName::parse(n).expect("a good name"), Arc::from(*v))).collect()
    }

    fn preview(present: &[(&str, &str)], file: &[(&str, &str)], options: ImportOptions) -> ImportPreview {
        let default = |name: &str| (name == "log.level" || name == "device.log").then_some("4");
        ImportPreview::new(&set(present), &entries(file), default, options)
    }

    const LEAVE_OUT: ImportOptions = ImportOptions { keep_empty: false, keep_defaults: false };
    const KEEP_ALL: ImportOptions = ImportOptions { keep_empty: true, keep_defaults: true };

    fn names<'a>(list: impl IntoIterator<Item = &'a ParameterName>) -> Vec<&'a str> {
        list.into_iter().map(ParameterName::as_str).collect()
    }

    #[test]
    fn added_changed_and_unchanged_are_told_apart_and_applied_as_shown() {
        let before = [("a", "1"), ("b", "2"), ("c", "3")];
        let shown = preview(&before, &[("b", "2"), ("c", "4"), ("d", "5")], LEAVE_OUT);
        assert_eq!(names(shown.added.iter().map(|g| &g.name)), ["d"]);
        assert_eq!(names(shown.unchanged.iter().map(|g| &g.name)), ["b"]);
        assert_eq!((&*shown.changed[0].old, &*shown.changed[0].new, shown.changed[0].at.line), ("3", "4", 2));
        let mut after = set(&before);
        shown.apply(&mut after);
        assert_eq!(after, set(&[("a", "1"), ("b", "2"), ("c", "4"), ("d", "5")]));
    }

    #[test]
    fn empty_values_and_defaults_are_left_out_until_unticked() {
        let file = [("a", ""), ("log.level", "4"), ("log.levels", "4")];
        let shown = preview(&[("a", "1")], &file, LEAVE_OUT);
        assert_eq!(shown.left_out.iter().map(|l| l.why).collect::<Vec<_>>(), [LeaveOut::Empty, LeaveOut::Default]);
        assert_eq!(shown.left_out_as(LeaveOut::Empty), 1);
        assert_eq!(names(shown.added.iter().map(|g| &g.name)), ["log.levels"]);
        let all = preview(&[("a", "1")], &file, KEEP_ALL);
        assert_eq!((all.left_out.len(), all.added.len(), all.changed.len()), (0, 2, 1));
        let empty_only = preview(&[], &file, ImportOptions { keep_empty: true, keep_defaults: false });
        assert_eq!(names(empty_only.left_out.iter().map(|l| &l.name)), ["log.level"]);
    }

    #[test]
    fn twins_go_together() {
        let left_out = |file: &[(&str, &str)]| preview(&[], file, LEAVE_OUT).left_out.iter().map(|l| l.why).collect::<Vec<_>>();
        use LeaveOut::{Default, Empty, NotSet};
        assert_eq!(left_out(&[("device.x", "5"), ("device.x.set", "0")]), [NotSet, NotSet]);
        assert_eq!(left_out(&[("device.x.set", "1"), ("device.x", "")]), [Empty, Empty]);
        assert_eq!(left_out(&[("device.log", "4"), ("device.log.set", "1")]), [Default, Default]);
        assert_eq!(left_out(&[("device.log", "5"), ("device.log.set", "1")]), []);
        assert_eq!(left_out(&[("device.x.set", "0")]), [NotSet]);
        assert_eq!(left_out(&[("device.x.set", "1")]), [NotSet], "there is no value beside it");
        assert_eq!(
            preview(&[("device.x", "5")], &[("device.x.set", "1")], LEAVE_OUT).added.len(),
            1,
            "the profile has the value"
        );
        assert_eq!(left_out(&[("device.set", "1")]), []);
        assert_eq!(left_out(&[("voice.x", "5"), ("voice.x.set", "0")]), [], "only device parameters have twins");
        assert_eq!(preview(&[], &[("device.x", "5"), ("device.x.set", "0")], KEEP_ALL).added.len(), 2);
    }

    #[test]
    fn the_last_of_several_elements_wins_and_is_told() {
        let shown = preview(&[], &[("a", "1"), ("b", "1"), ("a", "2"), ("b", "1")], LEAVE_OUT);
        assert_eq!(
            shown.added.iter().map(|g| (g.name.as_str(), &*g.value, g.at.line)).collect::<Vec<_>>(),
            [("a", "2", 3), ("b", "1", 4)]
        );
        assert_eq!(names(shown.conflicts.iter().map(|c| &c.name)), ["a", "b"]);
        assert_eq!(shown.conflicts.iter().map(Conflict::differs).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn bad_names_and_values_are_refused_with_line_and_reason() {
        let shown = preview(&[], &[("ok", "1"), ("x:y", "1"), ("long", &"v".repeat(70_000))], KEEP_ALL);
        assert_eq!(shown.added.len(), 1);
        assert_eq!(shown.refused.iter().map(|r| (r.name.as_str(), r.at.line)).collect::<Vec<_>>(), [("x:y", 2), ("long", 3)]);
        assert!(shown.refused[0].reason.contains("“:”"), "{}", shown.refused[0].reason);
        let master = preview(&[], &[("CONFIG_FILES", "a.cfg,b c.cfg"), ("MISC_FILES", "x.png"), ("_site", "1")], LEAVE_OUT);
        assert_eq!(names(master.added.iter().map(|g| &g.name)), ["MISC_FILES"]);
        assert_eq!(master.refused.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["CONFIG_FILES", "_site"]);
    }

    #[test]
    fn places_are_counted_from_one_in_characters() {
        assert_eq!(Position::after(""), Position::START);
        assert_eq!(Position::after("ab\nü"), Position { line: 2, column: 2 });
        assert_eq!(Position::after("ab\nü").moved_over("é\n\nx"), Position { line: 4, column: 2 });
    }
}
