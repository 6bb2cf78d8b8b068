//! The list of what was deleted and can come back.

use std::cmp::Ordering;

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::ids::AccountId;
use crate::domain::recycle_bin::Deletion;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::services::recycle_bin::{self, Item};

/// The words of the kinds of objects.
pub const KINDS: &[&str] = &["device", "group", "site", "profile", "person", "person-group", "room"];

/// What can be asked of it.
pub const LISTING: Listing =
    Listing { sorts: &["-deleted", "what", "by"], filters: &[Filter { name: "kind", takes: Takes::Words(KINDS) }] };

/// The deletions that are asked for, in their order, and how many there are.
///
/// # Errors
/// [`ServiceError::Store`](ServiceError) where they cannot be read.
pub fn list(services: &Services, account: AccountId, asked: &Asked) -> Result<(Vec<Deletion>, usize), ServiceError> {
    let (mut deletions, search) = (recycle_bin::list(services, account)?, asked.search());
    let all = deletions.len();
    deletions.retain(|one| asked.filter("kind").is_none_or(|kind| one.kinds.keys().any(|of| of.word() == kind)));
    if !asked.text.is_empty() {
        // A row names the first few objects; a search is for any of them.
        let in_row = |one: &Deletion| search.finds(&[&one.title(), &one.hung.to_string(), &one.by]);
        let is_it = |item: &Item| search.finds(&[&item.name]) || item.device.as_ref().is_some_and(|key| search.finds_key(key));
        let holding = recycle_bin::holding(services, account, &deletions, is_it)?;
        deletions.retain(|one| in_row(one) || holding.contains(&one.id));
    }
    asked.sorting.sort(&mut deletions, |a, b| column(a, b, asked.sorting.word), |a, b| a.id.cmp(&b.id));
    Ok((deletions, all))
}

fn column(a: &Deletion, b: &Deletion, word: &str) -> Ordering {
    match word {
        "what" => by_text(&a.title(), &b.title()),
        "by" => by_text(&a.by, &b.by),
        _ => a.at.cmp(&b.at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::recycle_bin::Kind;

    #[test]
    fn every_kind_is_a_word_of_the_filter() {
        assert_eq!(Kind::ALL.map(Kind::word), KINDS);
    }
}
