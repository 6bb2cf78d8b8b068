//! Lists: what is found, in which order, and which page of how many: the same for every kind of object.
//!
//! Long lists are narrowed where they are kept; [`narrowed`] is for those that are short enough to be held as a whole.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Display;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
use crate::domain::mac::Mac;
use crate::domain::text_search::TextSearch;
use crate::services::lists::{Asked as ListAsked, Listing, mark};

/// Objects on a page unless the query says otherwise.
const PER_PAGE: usize = 50;
/// Most objects on a page.
const PER_PAGE_MOST: usize = 1_000;

/// One page of a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The objects of this page.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: usize,
    /// The mark of all that was found, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

impl<T> List<T> {
    /// All there is, on one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { total: items.len(), items, mark: None }
    }

    /// With the mark of what was found, where it is wanted.
    #[must_use]
    pub fn marked<K: Ord + Display>(self, wanted: Option<bool>, keys: impl FnOnce() -> BTreeSet<K>) -> Self {
        Self { mark: wanted.filter(|wanted| *wanted).map(|_| mark(&keys())), ..self }
    }
}

/// Which page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// How many objects come before it.
    pub offset: usize,
    /// How many objects it has at most.
    pub limit: usize,
}

impl Paging {
    /// From `page` and `per_page` of a query. Out of range is an error: silently cut pages lose objects.
    pub fn new(page: Option<usize>, per_page: Option<usize>) -> Result<Self, Problem> {
        let (page, limit) = (page.unwrap_or(1), per_page.unwrap_or(PER_PAGE));
        if page == 0 {
            return Err(Problem::field("page", "pages are counted from 1"));
        }
        if !(1..=PER_PAGE_MOST).contains(&limit) {
            return Err(Problem::field("per_page", format_args!("ask for 1 to {PER_PAGE_MOST} objects a page")));
        }
        Ok(Self { offset: (page - 1).saturating_mul(limit), limit })
    }

    /// One page of everything that was found.
    pub fn cut<T, U>(self, found: impl ExactSizeIterator<Item = T>, shape: impl FnMut(T) -> U) -> List<U> {
        let total = found.len();
        List { items: found.skip(self.offset).take(self.limit).map(shape).collect(), total, mark: None }
    }
}

/// Which part of a short list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Narrow {
    /// Words that must all occur in an object; a MAC in any spelling.
    pub q: Option<String>,
    /// What to sort by; with `-` in front the other way round.
    pub sort: Option<String>,
    /// Page, counted from 1.
    pub page: Option<usize>,
    /// Objects on a page, at most 1000.
    pub per_page: Option<usize>,
}

/// What a list can be sorted by: a word, and the order that it means. Each order leaves no two objects equal, so that no page
/// shows one twice.
pub type Order<T> = (&'static str, fn(&T, &T) -> Ordering);

/// The part of a list that is asked for. `texts` are what words are looked for in; the first of `orders` is the usual one.
///
/// # Errors
/// A page out of range, or a word that nothing can be sorted by.
pub fn narrowed<T>(
    mut all: Vec<T>,
    asked: &Narrow,
    texts: impl Fn(&T) -> Vec<String>,
    orders: &[Order<T>],
) -> Result<List<T>, Problem> {
    let paging = Paging::new(asked.page, asked.per_page)?;
    let order = order(asked.sort.as_deref(), orders)?;
    let search = TextSearch::new(asked.q.as_deref().unwrap_or_default());
    if !search.is_empty() {
        all.retain(|one| {
            let texts = texts(one);
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            search.finds(&texts) || texts.iter().any(|text| text.parse::<Mac>().is_ok() && search.finds_key(text))
        });
    }
    all.sort_by(order);
    Ok(paging.cut(all.into_iter(), |one| one))
}

/// What is asked of a list, by the names of its description: values that are not sent ask for nothing.
///
/// # Errors
/// Each value that is not taken, with its field.
pub fn asked<const N: usize>(listing: &Listing, values: [(&str, Option<String>); N]) -> Result<ListAsked, Problem> {
    let pairs = values.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    Ok(listing.read(pairs)?)
}

/// Checks a filter that knows only some words.
///
/// # Errors
/// Another word; the field is named.
pub fn one_of(field: &'static str, asked: Option<&str>, words: &[&str]) -> Result<(), Problem> {
    match asked {
        Some(word) if !words.contains(&word) => Err(Problem::field(field, format_args!("use one of: {}", words.join(", ")))),
        _ => Ok(()),
    }
}

/// The order that a word means, whichever way round.
fn order<'a, T>(sort: Option<&str>, orders: &'a [Order<T>]) -> Result<impl Fn(&T, &T) -> Ordering + use<'a, T>, Problem> {
    let word = sort.unwrap_or(orders[0].0);
    let key = |word: &str| word.strip_prefix('-').unwrap_or(word).to_owned();
    let Some((named, order)) = orders.iter().find(|(named, _)| key(named) == key(word)) else {
        let words: Vec<String> = orders.iter().map(|(named, _)| key(named)).collect();
        return Err(Problem::field(
            "sort",
            format_args!("use one of: {}; with - in front the other way round", words.join(", ")),
        ));
    };
    let is_turned = named.starts_with('-') != word.starts_with('-');
    Ok(move |a: &T, b: &T| if is_turned { order(b, a) } else { order(a, b) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_without_gap() {
        let page = |page, per_page| {
            let paging = Paging::new(page, per_page).expect("a good page");
            let list = paging.cut((0..5).collect::<Vec<_>>().into_iter(), |n| n);
            (list.items, list.total)
        };
        assert_eq!(page(None, None), (vec![0, 1, 2, 3, 4], 5));
        assert_eq!(page(Some(2), Some(2)), (vec![2, 3], 5));
        assert_eq!(page(Some(3), Some(2)), (vec![4], 5));
        assert_eq!(page(Some(usize::MAX), Some(1_000)), (vec![], 5));
    }

    #[test]
    fn pages_out_of_range_are_refused() {
        for (page, per_page, field) in [(Some(0), None, "page"), (None, Some(0), "per_page"), (None, Some(1_001), "per_page")] {
            let problem = Paging::new(page, per_page).expect_err("a bad page");
            assert_eq!((problem.status, problem.errors[0].field.as_str()), (422, field));
        }
    }

    const ORDERS: &[Order<(u8, &str)>] = &[("-size", |a, b| b.cmp(a)), ("name", |a, b| (a.1, a.0).cmp(&(b.1, b.0)))];

    fn names(q: &str, sort: Option<&str>) -> Vec<&'static str> {
        let all = vec![(1, "one phone"), (3, "three"), (2, "Two phones"), (2, "a phone")];
        let asked = Narrow { q: Some(q.to_owned()), sort: sort.map(ToOwned::to_owned), ..Narrow::default() };
        let list = narrowed(all, &asked, |one| vec![one.1.to_owned()], ORDERS).expect("a good query");
        list.items.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn a_list_is_narrowed_and_sorted_either_way() {
        assert_eq!(names("", None), ["three", "a phone", "Two phones", "one phone"]);
        assert_eq!(names("", Some("size")), ["one phone", "Two phones", "a phone", "three"]);
        assert_eq!(names("PHONE o", Some("name")), ["Two phones", "a phone", "one phone"]);
        assert_eq!(names("phone", Some("-name")), ["one phone", "a phone", "Two phones"]);
        let odd = Narrow { sort: Some("colour".to_owned()), ..Narrow::default() };
        let problem = narrowed(Vec::new(), &odd, |_: &(u8, &str)| Vec::new(), ORDERS).expect_err("no such word");
        assert_eq!(problem.errors[0].field, "sort");
        assert!(problem.errors[0].message.contains("size, name"), "{problem}");
    }
}
