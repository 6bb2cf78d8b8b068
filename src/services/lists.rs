//! Lists: what each one shows, by which filters and in which order. One rule a list, for its page, its file, the API and whatever is
//! done to all that it shows (R56–R64). How a list is asked for in an address or in JSON is the web's matter.

pub mod devices;
pub mod groups;
pub mod images;
pub mod moves;
pub mod pending;
pub mod people;
pub mod places;
pub mod profiles;
pub mod recycle_bin;
pub mod resources;
pub mod sites;
pub mod tokens;
pub mod users;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::domain::device::Owner;
use crate::domain::field_error::FieldErrors;
use crate::domain::text_search::TextSearch;

/// What can be asked of a list.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// What it can be sorted by, the usual order first; a `-` there says that it is usual the other way round.
    pub sorts: &'static [&'static str],
    /// What it can be narrowed by, beside the search text.
    pub filters: &'static [Filter],
}

/// A filter of a list.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Its name in addresses and JSON.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
}

/// What a filter takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// One of these words.
    Words(&'static [&'static str]),
    /// The number of an object.
    Number,
    /// Whose something is, as `person-5` or `room-3`.
    Owner,
    /// A day, as `2026-11-22`.
    Day,
    /// Any text.
    Text,
}

/// A filter of an address with a value that it does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// The filter.
    pub filter: &'static str,
    /// The value.
    pub value: String,
    /// What it takes.
    pub rule: String,
}

/// The list of the activity log, as far as addresses ask it.
pub const ACTIVITY: Listing = Listing {
    sorts: &["-at"],
    filters: &[
        Filter { name: "object", takes: Takes::Text },
        Filter { name: "actor", takes: Takes::Text },
        Filter { name: "subject", takes: Takes::Text },
        Filter { name: "since", takes: Takes::Day },
        Filter { name: "until", takes: Takes::Day },
    ],
};

/// The same of the phones that got nothing.
pub const UNKNOWN_PHONES: Listing = Listing {
    sorts: &["-started", "who", "outcome"],
    filters: &[Filter { name: "who", takes: Takes::Words(&["phone", "address"]) }],
};

/// What can be asked of the list at an address below `/admin/`; none where it has no filters, or there is no list.
pub fn at(word: &str) -> Option<&'static Listing> {
    Some(match word {
        "devices" => &devices::LISTING,
        "sites" => &sites::LISTING,
        "sites/moves" => &moves::LISTING,
        "groups" => &groups::LISTING,
        "people" => &people::LISTING,
        "pending" => &pending::LISTING,
        "unknown-phones" => &UNKNOWN_PHONES,
        "profiles" => &profiles::LISTING,
        "deployment" => &places::LISTING,
        "activity" => &ACTIVITY,
        "users" => &users::LISTING,
        "tokens" => &tokens::LISTING,
        "recycle-bin" => &recycle_bin::LISTING,
        _ => return None,
    })
}

/// A mark of what a list finds: another one for other keys, whatever their order.
pub fn mark<K: fmt::Display>(keys: &BTreeSet<K>) -> String {
    let mut hash = Sha256::new();
    for key in keys {
        hash.update(key.to_string().as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// An order: a word of the list, and whether it is turned round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sorting {
    /// The word.
    pub word: &'static str,
    /// Whether it is turned round.
    pub descending: bool,
}

/// What somebody asked of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The search text.
    pub text: String,
    /// The order.
    pub sorting: Sorting,
    filters: Vec<(&'static str, String)>,
}

impl Asked {
    /// The value of a filter; none where it narrows nothing.
    pub fn filter(&self, name: &str) -> Option<&str> {
        self.filters.iter().find(|(filter, _)| *filter == name).map(|(_, value)| value.as_str())
    }

    /// Whether a filter lets a value through.
    pub fn admits(&self, name: &str, value: &str) -> bool {
        self.filter(name).is_none_or(|wanted| wanted == value)
    }

    /// Whether nothing narrows the list.
    pub fn is_plain(&self) -> bool {
        self.text.is_empty() && self.filters.is_empty()
    }

    /// The search text, ready to be looked for.
    pub fn search(&self) -> TextSearch {
        TextSearch::new(&self.text)
    }
}

impl fmt::Display for Sorting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.word)
    }
}

impl Sorting {
    /// Puts rows in order. Where `by` finds two equal, `tie` decides, so that no page shows a row twice.
    pub fn sort<T>(self, rows: &mut [T], by: impl Fn(&T, &T) -> Ordering, tie: impl Fn(&T, &T) -> Ordering) {
        rows.sort_by(|a, b| {
            let order = by(a, b).then_with(|| tie(a, b));
            if self.descending { order.reverse() } else { order }
        });
    }
}

impl Listing {
    /// Reads what is asked for: names and values, `q` and `sort` among them. Empty values ask for nothing.
    ///
    /// # Errors
    /// Each value that its filter does not take, a filter that the list does not have, and an order that it does not know.
    pub fn read<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Asked, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut asked = Asked { sorting: self.usual(), ..Asked::default() };
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
            match name {
                "q" => value.trim().clone_into(&mut asked.text),
                "sort" => match self.sorting(value) {
                    Some(sorting) => asked.sorting = sorting,
                    None => errors.add("sort", self.orders()),
                },
                _ => match self.filters.iter().find(|filter| filter.name == name) {
                    None => errors.add("matching", format_args!("this list has no filter “{name}”: {}", self.names())),
                    Some(filter) => match filter.takes.check(value) {
                        Ok(()) => asked.filters.push((filter.name, value.to_owned())),
                        Err(why) => errors.add(filter.name, why),
                    },
                },
            }
        }
        errors.into_result(Some(asked))
    }

    /// The same of an address that somebody typed or kept: what is not understood narrows nothing.
    pub fn read_what_is_known<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Asked {
        let known = pairs.into_iter().filter(|(name, value)| match *name {
            "q" => true,
            "sort" => self.sorting(value).is_some(),
            _ => self.filters.iter().any(|filter| filter.name == *name && filter.takes.check(value).is_ok()),
        });
        self.read(known).unwrap_or_default()
    }

    /// The filters of this list that an address gives a value which they do not take. What is shown then is more than was meant.
    pub fn misread<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Misread> {
        let wrong = |(name, value): (&str, &str)| {
            let filter = self.filters.iter().find(|filter| filter.name == name)?;
            let rule = filter.takes.check(value).err().filter(|_| !value.trim().is_empty())?;
            Some(Misread { filter: filter.name, value: value.to_owned(), rule })
        };
        pairs.into_iter().filter_map(wrong).collect()
    }

    /// The order that a word means, with `-` in front the other way round.
    pub fn sorting(&self, text: &str) -> Option<Sorting> {
        let (key, descending) = text.strip_prefix('-').map_or((text, false), |key| (key, true));
        let words = self.sorts.iter().map(|word| word.trim_start_matches('-'));
        words.clone().find(|word| *word == key).map(|word| Sorting { word, descending })
    }

    fn usual(&self) -> Sorting {
        self.sorts.first().and_then(|word| self.sorting(word)).unwrap_or_default()
    }

    fn orders(&self) -> String {
        let words: Vec<&str> = self.sorts.iter().map(|word| word.trim_start_matches('-')).collect();
        format!("use one of: {}; with - in front the other way round", words.join(", "))
    }

    fn names(&self) -> String {
        let names: Vec<&str> = ["q"].into_iter().chain(self.filters.iter().map(|filter| filter.name)).collect();
        format!("use {}", names.join(", "))
    }
}

impl Takes {
    fn check(self, value: &str) -> Result<(), String> {
        let is_taken = match self {
            Self::Words(words) => words.contains(&value),
            Self::Number => value.parse::<u64>().is_ok(),
            Self::Owner => value.parse::<Owner>().is_ok(),
            Self::Day => value.trim().parse::<Date>().is_ok(),
            Self::Text => true,
        };
        if is_taken { Ok(()) } else { Err(self.rule()) }
    }

    fn rule(self) -> String {
        match self {
            Self::Words(words) => format!("use one of: {}", words.join(", ")),
            Self::Number => "use the number of one".to_owned(),
            Self::Owner => "use the number of one, as person-5 or room-3".to_owned(),
            Self::Day => "use a day, as 2026-11-22".to_owned(),
            Self::Text => "use any text".to_owned(),
        }
    }
}

/// Compares texts as people read them.
fn by_text(a: &str, b: &str) -> Ordering {
    a.to_lowercase().cmp(&b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: Listing = Listing {
        sorts: &["-at", "name"],
        filters: &[
            Filter { name: "kind", takes: Takes::Words(&["one", "other"]) },
            Filter { name: "site", takes: Takes::Number },
            Filter { name: "owner", takes: Takes::Owner },
        ],
    };

    #[test]
    fn the_first_word_is_the_usual_order_and_may_be_turned_round() {
        let sorting = |pairs: &[(&'static str, &'static str)]| LISTING.read(pairs.iter().copied()).expect("good words").sorting;
        assert_eq!(sorting(&[]), Sorting { word: "at", descending: true });
        assert_eq!(sorting(&[("sort", "at")]), Sorting { word: "at", descending: false });
        assert_eq!(sorting(&[("sort", "-name")]), Sorting { word: "name", descending: true });
    }

    #[test]
    fn what_a_filter_does_not_take_is_an_error_for_programs_and_nothing_for_addresses() {
        let pairs = [("q", " a "), ("kind", "third"), ("site", "x"), ("owner", "nobody"), ("colour", "red"), ("sort", "size")];
        let errors = LISTING.read(pairs).expect_err("all wrong");
        let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
        assert_eq!(fields, ["kind", "site", "owner", "matching", "sort"]);
        let asked = LISTING.read_what_is_known(pairs);
        assert_eq!((asked.text.as_str(), asked.filter("kind"), asked.sorting.word), ("a", None, "at"));
        let asked = LISTING.read([("kind", "one"), ("site", "3"), ("owner", "room-3")]).expect("all right");
        assert!(asked.admits("kind", "one") && !asked.admits("site", "4") && asked.admits("colour", "red"));
        let told: Vec<_> = LISTING.misread(pairs).into_iter().map(|wrong| (wrong.filter, wrong.value)).collect();
        assert_eq!(
            told,
            [("kind", "third"), ("site", "x"), ("owner", "nobody")].map(|(filter, value)| (filter, value.to_owned()))
        );
        assert_eq!(LISTING.misread([("kind", "one"), ("site", ""), ("q", "x"), ("page", "y")]), []);
    }

    #[test]
    fn a_mark_is_of_the_keys_and_not_of_their_number() {
        let mark_of = |keys: &[u64]| mark(&keys.iter().copied().collect());
        assert_eq!(mark_of(&[1, 2]), mark_of(&[2, 1]));
        assert_ne!(mark_of(&[1, 2]), mark_of(&[1, 3]));
        assert_ne!(mark_of(&[1, 23]), mark_of(&[12, 3]));
    }

    #[test]
    fn turned_round_rows_stand_the_other_way_to_the_last_tie() {
        let sorted = |descending| {
            let mut rows = vec![(1, "b"), (2, "a"), (1, "a")];
            Sorting { word: "at", descending }.sort(&mut rows, |a, b| a.0.cmp(&b.0), |a, b| a.1.cmp(b.1));
            rows
        };
        assert_eq!(sorted(false), [(1, "a"), (1, "b"), (2, "a")]);
        assert_eq!(sorted(true), [(2, "a"), (1, "b"), (1, "a")]);
    }
}
