//! What a bulk bar is about: the rows that are ticked, or all that the list finds (U12).
//!
//! *All* travels as the filter and not as a list of keys, with the number that was shown. Whatever is done asks first, repeats the
//! number, and above [`TYPED_ABOVE`] asks to type it; a mark of the rows goes along, so that what is done is done to those that were
//! asked about: where others match by then, it asks again.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use askama::Template;

use super::forms::Form;
use super::layout::Page;
use super::paging::{ListQuery, PER_PAGE_MOST};
use crate::services::lists::{Asked, Listing, mark};

/// From more rows than this on the number is to be typed.
pub const TYPED_ABOVE: usize = 100;

/// Rows that a question names one by one; the rest are counted.
pub const NAMED: usize = 20;

/// The rows that something is to be done to.
#[derive(Clone, Debug)]
pub struct Chosen<K> {
    /// Their keys.
    pub keys: BTreeSet<K>,
    /// The query of the list, where all that it finds are meant.
    matching: Option<String>,
    mark: String,
}

/// What a question carries along, and whether it is asked again.
#[derive(Clone, Debug)]
pub struct Question {
    /// Hidden fields that say the same once more.
    pub fields: Vec<(String, String)>,
    /// The number to type; none where a press of the button is enough.
    pub number: Option<usize>,
    /// Why it is asked again.
    pub again: Option<String>,
}

/// The question before something is done to many: who they are, what it does, and how many there are.
#[derive(Template)]
#[template(path = "bulk.html")]
pub struct BulkPage {
    /// Frame; its title is the question.
    pub page: Page,
    /// Where this is among the pages.
    pub parents: Vec<(String, String)>,
    /// The first of them.
    pub names: Vec<Named>,
    /// How many more there are.
    pub more: usize,
    /// What it does.
    pub sentences: Vec<String>,
    /// What is said below the impact.
    pub closing: &'static str,
    /// What the form carries along.
    pub question: Question,
    /// More hidden fields.
    pub fields: Vec<(String, String)>,
    /// Where the form goes.
    pub action: String,
    /// The label of its button.
    pub verb: String,
    /// Whether nothing is lost by it.
    pub is_harmless: bool,
    /// Where *Cancel* leads.
    pub back: String,
}

/// One of those that something is done to.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its page.
    pub href: String,
    /// Its name.
    pub name: String,
    /// What is worth knowing of it.
    pub note: String,
}

impl<K: Ord + Display + FromStr> Chosen<K> {
    /// Reads a form. `find` answers the keys that a list finds; `is_there` says of a key whether it can be chosen still.
    pub fn of<E>(
        form: &Form,
        listing: &Listing,
        is_there: impl Fn(&K) -> bool,
        find: impl FnOnce(&Asked) -> Result<Vec<K>, E>,
    ) -> Result<Self, E> {
        if !form.is("scope", "matching") {
            let ticked = form.values("select").filter_map(|text| text.parse().ok()).filter(is_there);
            let keys: BTreeSet<K> = ticked.take(PER_PAGE_MOST).collect();
            return Ok(Self { mark: mark(&keys), keys, matching: None });
        }
        let query = form.value("matching");
        let list = ListQuery::parse("", query, listing.sorts);
        // A filter that is not understood narrows nothing on a page; here that would mean everything.
        let found = if list.misread(listing).is_empty() { find(&list.asked(listing))? } else { Vec::new() };
        let keys: BTreeSet<K> = found.into_iter().filter(is_there).collect();
        Ok(Self { mark: mark(&keys), keys, matching: Some(query.to_owned()) })
    }

    /// Whether something may be done at once of which little is at stake: a few ticks are word enough; where all that match are meant,
    /// or many, the person was asked.
    pub fn may_pass(&self, form: &Form) -> bool {
        let is_much = self.is_all() || self.to_type().is_some();
        !is_much || self.is_confirmed(form)
    }

    /// Whether all that the list finds are meant.
    pub fn is_all(&self) -> bool {
        self.matching.is_some()
    }

    /// Whether nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether the form's person said yes to just these: the same rows, with their number typed where there are many.
    pub fn is_confirmed(&self, form: &Form) -> bool {
        form.is("confirmed", "yes") && self.doubt(form).is_none()
    }

    /// What the question about them carries along.
    pub fn question(&self, form: &Form) -> Question {
        let mut fields: Vec<(String, String)> = match &self.matching {
            Some(query) => vec![("scope".to_owned(), "matching".to_owned()), ("matching".to_owned(), query.clone())],
            None => self.keys.iter().map(|key| ("select".to_owned(), key.to_string())).collect(),
        };
        fields.push(("chosen".to_owned(), self.mark.clone()));
        fields.push(("confirmed".to_owned(), "yes".to_owned()));
        let again = if form.is("confirmed", "yes") { self.doubt(form) } else { None };
        Question { fields, number: self.to_type(), again }
    }

    fn to_type(&self) -> Option<usize> {
        (self.len() > TYPED_ABOVE).then_some(self.len())
    }

    /// Why a yes does not count.
    fn doubt(&self, form: &Form) -> Option<String> {
        if self.is_all() && form.value("chosen") != self.mark {
            return Some(format!("Other rows match now than were shown before: {} in all. Look at them again.", self.len()));
        }
        let number = self.to_type()?;
        let typed: String = form.value("number").chars().filter(char::is_ascii_digit).collect();
        (typed != number.to_string()).then(|| format!("Type the number {number} to go on."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::lists::Listing;

    const LISTING: Listing = Listing { sorts: &["name"], filters: &[] };

    fn chosen(form: &Form, rows: u64) -> Chosen<u64> {
        let find = |asked: &Asked| Ok::<_, ()>(if asked.text == "a" { (0..rows).collect() } else { Vec::new() });
        Chosen::of(form, &LISTING, |_| true, find).expect("it cannot fail")
    }

    fn answer(question: &Question, number: &str) -> Form {
        let fields = question.fields.iter().map(|(name, value)| (name.clone(), value.clone()));
        Form::filled(fields.chain([("number".to_owned(), number.to_owned())]))
    }

    #[test]
    fn ticks_are_meant_unless_all_that_match_are() {
        let ticked = chosen(&Form::filled([("select", "7"), ("select", "9"), ("select", "x"), ("matching", "q=a")]), 200);
        assert_eq!((ticked.keys.len(), ticked.is_all()), (2, false));
        let all = chosen(&Form::filled([("select", "7"), ("scope", "matching"), ("matching", "q=a&page=2&sort=-name")]), 200);
        assert_eq!((all.len(), all.is_all(), all.question(&Form::default()).number), (200, true, Some(200)));
        assert!(
            !all.question(&Form::default()).fields.iter().any(|(name, _)| name == "select"),
            "the filter goes along, not the keys"
        );
    }

    #[test]
    fn above_a_hundred_the_number_is_typed() {
        let asked = Form::filled([("scope", "matching"), ("matching", "q=a")]);
        for (rows, typed, is_confirmed) in
            [(100, "", true), (101, "", false), (101, "100", false), (101, "101", true), (1_234, "1,234", true)]
        {
            let form = answer(&chosen(&asked, rows).question(&asked), typed);
            assert_eq!(chosen(&form, rows).is_confirmed(&form), is_confirmed, "{rows} {typed}");
        }
        assert!(!chosen(&asked, 3).is_confirmed(&asked), "nobody was asked yet");
    }

    #[test]
    fn where_others_match_by_then_it_asks_again() {
        let asked = Form::filled([("scope", "matching"), ("matching", "q=a")]);
        let form = answer(&chosen(&asked, 3).question(&asked), "");
        let now = chosen(&form, 4);
        assert!(!now.is_confirmed(&form));
        let again = now.question(&form);
        assert!(again.again.as_deref().is_some_and(|why| why.contains("4 in all")), "{again:?}");
        assert!(chosen(&answer(&again, ""), 4).is_confirmed(&answer(&again, "")));
    }
}
