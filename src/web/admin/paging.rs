//! Lists: search, filters, order and page live in the address, so that a view can be reloaded, sent and bookmarked (R59).

use std::ops::Range;

use actix_web::HttpRequest;

use super::columns::Columns;
use super::{unsent, words};
use crate::domain::text_search::TextSearch;
use crate::services::lists::{Asked, Listing, Misread};

/// Rows on a page unless the address says otherwise.
pub const PER_PAGE: usize = 50;
/// Most rows on a page.
pub const PER_PAGE_MOST: usize = 200;
/// Characters of a search that are looked at.
const SEARCH_CHARS: usize = 200;

/// The query of a list page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    path: String,
    pairs: Vec<(String, String)>,
    sort: &'static str,
    descending: bool,
    /// An address without a query means *as it was last*, so that the plain list is asked for in words (R62).
    is_remembered: bool,
    is_file: bool,
}

/// What an address says that asks for the list as a file.
const FILE: (&str, &str) = ("as", "csv");

/// What the address of a remembered list says where it narrows nothing.
const PLAIN: &str = "all=";

impl ListQuery {
    /// Reads the query of a request. `sortable` are the columns it may be sorted by, the first one by default; a `-` there says that
    /// it is usual the other way round.
    pub fn of(request: &HttpRequest, sortable: &[&'static str]) -> Self {
        Self::parse(request.path(), request.query_string(), sortable)
    }

    /// The same from its parts. Empty values and unknown orders are dropped.
    pub fn parse(path: &str, query: &str, sortable: &[&'static str]) -> Self {
        let mut pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        let is_file = pairs.iter().any(|(name, value)| (name.as_str(), value.as_str()) == FILE);
        pairs.retain(|(name, value)| !value.trim().is_empty() && name != unsent::PARAMETER && name != FILE.0);
        let wanted = pairs.iter().find(|(name, _)| name == "sort").map_or("", |(_, value)| value.as_str());
        let (key, descending) = wanted.strip_prefix('-').map_or((wanted, false), |key| (key, true));
        let known = sortable.iter().map(|name| name.trim_start_matches('-')).find(|name| *name == key);
        if known.is_none() {
            pairs.retain(|(name, _)| name != "sort");
        }
        let usual = sortable.first().copied().unwrap_or_default();
        let (sort, descending) = known.map_or((usual.trim_start_matches('-'), usual.starts_with('-')), |name| (name, descending));
        Self { path: path.to_owned(), pairs, sort, descending, is_remembered: false, is_file }
    }

    /// The search text, without outer blanks; empty for none.
    pub fn q(&self) -> String {
        self.filter("q").unwrap_or_default().trim().chars().take(SEARCH_CHARS).collect()
    }

    /// What is asked of a list by this address, the page left out. What the list does not know narrows nothing.
    pub fn asked(&self, listing: &Listing) -> Asked {
        let q = self.q();
        let others = self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).filter(|(name, _)| *name != "q");
        listing.read_what_is_known(others.chain([("q", q.as_str())]))
    }

    /// The filters with a value that the list does not take.
    pub fn misread(&self, listing: &Listing) -> Vec<Misread> {
        listing.misread(self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())))
    }

    /// The value of a filter; none where it is not set.
    pub fn filter(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether a filter has this value; an empty value means *not set*.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.filter(name).unwrap_or_default() == value
    }

    /// Whether anything narrows the list: search or a filter.
    pub fn is_narrowed(&self) -> bool {
        self.pairs.iter().any(|(name, _)| !matches!(name.as_str(), "sort" | "page" | "per_page"))
    }

    /// The column to sort by.
    pub fn sort_key(&self) -> &'static str {
        self.sort
    }

    /// Whether the order is turned round.
    pub fn descending(&self) -> bool {
        self.descending
    }

    /// `aria-sort` of a column's header; none for the columns that do not decide.
    pub fn aria_sort(&self, key: &str) -> Option<&'static str> {
        (self.sort == key).then_some(if self.descending { "descending" } else { "ascending" })
    }

    /// Link that sorts by a column, or turns the order round where it already decides. Keeps search and filters.
    pub fn sort_link(&self, key: &str) -> String {
        let turned = self.sort == key && !self.descending;
        self.with(&[("sort", &format!("{}{key}", if turned { "-" } else { "" })), ("page", "")])
    }

    /// Link to this list with some values replaced; an empty value drops the name.
    pub fn with(&self, changes: &[(&str, &str)]) -> String {
        let kept = self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let kept = kept.filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let added = changes.iter().copied().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<(&str, &str)> = kept.chain(added).collect();
        if pairs.is_empty() {
            return self.reset_link();
        }
        serde_urlencoded::to_string(&pairs).map_or_else(|_| self.path.clone(), |query| format!("{}?{query}", self.path))
    }

    /// Names and values that a search form must repeat as hidden fields, because it has no field of its own for them.
    pub fn hidden(&self, own: &[&str]) -> Vec<(&str, &str)> {
        let pairs = self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        pairs.filter(|(name, _)| *name != "page" && !own.contains(name)).collect()
    }

    /// This list as it is.
    pub fn link(&self) -> String {
        self.with(&[])
    }

    /// This list without search, filters and order.
    pub fn reset_link(&self) -> String {
        if self.is_remembered { format!("{}?{PLAIN}", self.path) } else { self.path.clone() }
    }

    /// The same for a list that is shown again as it was last.
    #[must_use]
    pub fn remembered(mut self) -> Self {
        self.is_remembered = true;
        self
    }

    /// The query without the page: what is worth remembering. Empty where nothing was chosen.
    pub fn lasting(&self) -> String {
        let pairs: Vec<_> = self.pairs.iter().filter(|(name, _)| name != "page").collect();
        serde_urlencoded::to_string(pairs).unwrap_or_default()
    }

    /// The columns of a list that may be hidden, as the address shows them.
    pub fn columns(&self, all: &[(&'static str, &'static str)]) -> Columns {
        Columns::of(self, all, &[])
    }

    /// The search text, ready to be looked for.
    pub fn search(&self) -> TextSearch {
        TextSearch::new(&self.q())
    }

    /// Whether all that was found is wanted as a file, whatever the page.
    pub fn is_file(&self) -> bool {
        self.is_file
    }

    /// Link to that file.
    pub fn file_link(&self) -> String {
        self.with(&[("page", ""), ("per_page", ""), FILE])
    }

    /// Rows on a page to choose from.
    pub fn page_sizes(&self) -> &'static [usize] {
        words::PAGE_SIZES
    }

    /// Page asked for, counted from one.
    pub fn page(&self) -> usize {
        self.filter("page").and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
    }

    /// Rows on a page.
    pub fn per_page(&self) -> usize {
        self.filter("per_page").and_then(|text| text.parse().ok()).unwrap_or(PER_PAGE).clamp(1, PER_PAGE_MOST)
    }

    /// Where we are among `total` rows; a page past the end becomes the last.
    pub fn pager(&self, total: usize) -> Pager {
        let pages = total.div_ceil(self.per_page()).max(1);
        Pager { list: self.clone(), total, pages, page: self.page().min(pages) }
    }
}

/// Where we are in a long list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pager {
    list: ListQuery,
    total: usize,
    pages: usize,
    page: usize,
}

/// One step of the row of page links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageStep {
    /// The page, counted from one.
    pub number: usize,
    /// Its link.
    pub href: String,
    /// It is the page shown.
    pub current: bool,
    /// It stands for pages that are left out.
    pub gap: bool,
}

impl Pager {
    /// The rows of this page, as positions in the whole list.
    pub fn range(&self) -> Range<usize> {
        let first = (self.page - 1) * self.list.per_page();
        first.min(self.total)..(first + self.list.per_page()).min(self.total)
    }

    /// Rows in the whole list.
    pub fn total(&self) -> usize {
        self.total
    }

    /// What is shown, in words.
    pub fn summary(&self) -> String {
        let range = self.range();
        match (self.total, self.pages) {
            (0, _) => "No rows".to_owned(),
            (1, _) => "1 row".to_owned(),
            (total, 1) => format!("{total} rows"),
            (total, _) => format!("{} to {} of {total}", range.start + 1, range.end),
        }
    }

    /// Link to the page before.
    pub fn previous(&self) -> Option<String> {
        (self.page > 1).then(|| self.link(self.page - 1))
    }

    /// Link to the page after.
    pub fn next(&self) -> Option<String> {
        (self.page < self.pages).then(|| self.link(self.page + 1))
    }

    /// First, last and the neighbours of the current page, with gaps; nothing where all fits on one page.
    pub fn steps(&self) -> Vec<PageStep> {
        let mut steps: Vec<PageStep> = Vec::new();
        if self.pages == 1 {
            return steps;
        }
        for number in (1..=self.pages).filter(|n| *n == 1 || *n == self.pages || n.abs_diff(self.page) <= 1) {
            if steps.last().is_some_and(|last| last.number + 1 < number) {
                steps.push(PageStep { number: number - 1, href: String::new(), current: false, gap: true });
            }
            steps.push(PageStep { number, href: self.link(number), current: number == self.page, gap: false });
        }
        steps
    }

    fn link(&self, page: usize) -> String {
        let number = page.to_string();
        self.list.with(&[("page", if page == 1 { "" } else { &number })])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(query: &str) -> ListQuery {
        ListQuery::parse("/admin/devices", query, &["name", "seen"])
    }

    #[test]
    fn links_keep_what_they_do_not_change() {
        let list = list("q=a%26b&model=VVX+411&page=3&sort=seen");
        assert_eq!(list.q(), "a&b");
        assert_eq!(list.sort_link("seen"), "/admin/devices?q=a%26b&model=VVX+411&sort=-seen");
        assert_eq!(list.sort_link("name"), "/admin/devices?q=a%26b&model=VVX+411&sort=name");
        assert_eq!((list.aria_sort("seen"), list.aria_sort("name")), (Some("ascending"), None));
        assert_eq!(list.hidden(&["q"]), [("model", "VVX 411"), ("sort", "seen")]);
    }

    #[test]
    fn a_remembered_list_names_itself_where_nothing_is_chosen() {
        let (plain, remembered) = (list("q=a&page=2"), list("q=a&page=2").remembered());
        assert_eq!(
            (plain.with(&[("q", ""), ("page", "")]), plain.reset_link()),
            ("/admin/devices".to_owned(), "/admin/devices".to_owned())
        );
        assert_eq!(remembered.with(&[("q", ""), ("page", "")]), "/admin/devices?all=");
        assert_eq!((remembered.lasting(), self::list("all=&page=3&unsent=x").lasting()), ("q=a".to_owned(), String::new()));
    }

    #[test]
    fn a_file_holds_all_that_is_found_and_is_not_remembered() {
        let file = list("q=a&page=3&per_page=10&as=csv&sort=seen");
        assert!(file.is_file() && !list("q=a&as=pdf").is_file());
        assert_eq!(file.lasting(), "q=a&per_page=10&sort=seen");
        assert_eq!(list("q=a&page=3&per_page=10").file_link(), "/admin/devices?q=a&as=csv");
    }

    #[test]
    fn nonsense_in_the_address_is_the_default() {
        let list = list("sort=-evil&page=-4&per_page=0&q=%20");
        assert_eq!((list.sort_key(), list.descending(), list.page(), list.per_page()), ("name", false, 1, 1));
        assert!(!list.is_narrowed());
        assert_eq!(self::list("per_page=100000").per_page(), PER_PAGE_MOST);
    }

    #[test]
    fn a_list_may_be_usual_the_other_way_round() {
        let list = |query: &str| ListQuery::parse("/admin/runs", query, &["-at", "who"]);
        assert_eq!((list("").sort_key(), list("").descending(), list("sort=at").descending()), ("at", true, false));
        assert_eq!((list("").aria_sort("at"), list("").sort_link("at")), (Some("descending"), "/admin/runs?sort=at".to_owned()));
        assert_eq!((list("sort=who").descending(), list("sort=at").sort_link("at")), (false, "/admin/runs?sort=-at".to_owned()));
    }

    #[test]
    fn every_row_is_on_exactly_one_page() {
        for total in [0, 1, 9, 10, 11, 95, 100] {
            let pages = total_pages(total);
            let mut seen = Vec::new();
            for page in 1..=pages {
                seen.extend(list(&format!("per_page=10&page={page}")).pager(total).range());
            }
            assert_eq!(seen, (0..total).collect::<Vec<_>>(), "{total}");
        }
    }

    fn total_pages(total: usize) -> usize {
        total.div_ceil(10).max(1)
    }

    #[test]
    fn a_page_past_the_end_is_the_last_and_gaps_are_told() {
        let pager = list("per_page=10&page=99").pager(200);
        assert_eq!((pager.summary().as_str(), pager.next()), ("191 to 200 of 200", None));
        let pager = list("per_page=10&page=10").pager(200);
        let shown: Vec<_> = pager.steps().iter().map(|s| if s.gap { 0 } else { s.number }).collect();
        assert_eq!(shown, [1, 0, 9, 10, 11, 0, 20]);
        assert_eq!(pager.previous().as_deref(), Some("/admin/devices?per_page=10&page=9"));
    }
}
