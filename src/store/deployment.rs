//! Rows of places with their profiles. Devices carry their own list.

use super::error::StoreError;
use super::tables::DEPLOYMENT;
use super::tx::{Read, WriteTx};
use crate::domain::deployment::Place;
use crate::domain::ids::{AccountId, ProfileId};

/// All places of an account that have profiles.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<(Place, Vec<ProfileId>)>, StoreError> {
    Ok(tx.scan(&DEPLOYMENT, Some(&(account,)))?.into_iter().map(|((_, place), profiles)| (place, profiles)).collect())
}

/// Profiles of one place, highest first.
pub fn get(tx: &impl Read, account: AccountId, place: &Place) -> Result<Vec<ProfileId>, StoreError> {
    Ok(tx.get(&DEPLOYMENT, &(account, place.clone()))?.unwrap_or_default())
}

/// Sets the profiles of one place; an empty list removes the row.
pub fn put(tx: &WriteTx, account: AccountId, place: &Place, profiles: &Vec<ProfileId>) -> Result<(), StoreError> {
    let key = (account, place.clone());
    if profiles.is_empty() { tx.delete(&DEPLOYMENT, &key).map(|_| ()) } else { tx.put(&DEPLOYMENT, &key, profiles) }
}
