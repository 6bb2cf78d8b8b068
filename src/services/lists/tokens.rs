//! The list of API tokens.

use std::cmp::Ordering;

use super::{Asked, Filter, Listing, Takes, by_text};
use crate::domain::ids::AccountId;
use crate::domain::token::Token;
use crate::services::error::ServiceError;
use crate::services::{Services, tokens};

/// What can be asked of it.
pub const LISTING: Listing = Listing {
    sorts: &["name", "role", "made", "ends", "used"],
    filters: &[Filter { name: "role", takes: Takes::Words(super::users::ROLES) }],
};

/// The tokens that are asked for, in their order, and how many there are.
///
/// # Errors
/// [`ServiceError::Store`](ServiceError) where they cannot be read.
pub fn list(services: &Services, account: AccountId, asked: &Asked) -> Result<(Vec<Token>, usize), ServiceError> {
    let (mut tokens, search) = (tokens::list(services, account)?, asked.search());
    let all = tokens.len();
    tokens.retain(|token| {
        let texts = [token.name.as_str(), token.role.label(), token.role.word(), &token.prefix];
        asked.admits("role", token.role.word()) && search.finds(&texts)
    });
    let tie = |a: &Token, b: &Token| by_text(&a.name, &b.name).then(a.id.cmp(&b.id));
    asked.sorting.sort(&mut tokens, |a, b| column(a, b, asked.sorting.word), tie);
    Ok((tokens, all))
}

fn column(a: &Token, b: &Token, word: &str) -> Ordering {
    match word {
        "role" => a.role.cmp(&b.role),
        "made" => a.created_at.cmp(&b.created_at),
        "ends" => a.expires_at.cmp(&b.expires_at),
        "used" => a.last_used_at.cmp(&b.last_used_at),
        _ => Ordering::Equal,
    }
}
