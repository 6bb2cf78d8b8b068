//! Lists: which page of how many, the same for every kind of object.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::Problem;

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
        List { items: found.skip(self.offset).take(self.limit).map(shape).collect(), total }
    }
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
}
