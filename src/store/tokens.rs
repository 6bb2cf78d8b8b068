//! Rows of API tokens.

use super::error::StoreError;
use super::tables::TOKENS;
use super::tx::{Read, WriteTx};
use crate::domain::ids::TokenId;
use crate::domain::token::{Token, TokenKey};

/// One token.
pub fn get(tx: &impl Read, key: TokenKey) -> Result<Option<Token>, StoreError> {
    tx.get(&TOKENS, &(key,))
}

/// All tokens, in no order.
pub fn all(tx: &impl Read) -> Result<Vec<(TokenKey, Token)>, StoreError> {
    Ok(tx.scan(&TOKENS, None)?.into_iter().map(|((key,), token)| (key, token)).collect())
}

/// A number for a new token.
pub fn next_id(tx: &WriteTx) -> Result<TokenId, StoreError> {
    tx.next_number("token").map(TokenId)
}

/// Writes a token.
pub fn put(tx: &WriteTx, key: TokenKey, token: &Token) -> Result<(), StoreError> {
    tx.put(&TOKENS, &(key,), token)
}

/// Removes a token and tells whether there was one.
pub fn delete(tx: &WriteTx, key: TokenKey) -> Result<bool, StoreError> {
    tx.delete(&TOKENS, &(key,))
}
