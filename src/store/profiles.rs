//! Rows of profiles. Secret values come and go sealed.

use super::error::StoreError;
use super::tables::PROFILES;
use super::tx::{Read, WriteTx};
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::profile::Profile;

/// One profile.
pub fn get(tx: &impl Read, account: AccountId, id: ProfileId) -> Result<Option<Profile>, StoreError> {
    tx.get(&PROFILES, &(account, id))
}

/// All profiles of an account.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<Profile>, StoreError> {
    Ok(tx.scan(&PROFILES, Some(&(account,)))?.into_iter().map(|(_, profile)| profile).collect())
}

/// A number for a new profile.
pub fn next_id(tx: &WriteTx) -> Result<ProfileId, StoreError> {
    tx.next_number("profile").map(ProfileId)
}

/// The first of so many numbers for new profiles.
pub fn next_ids(tx: &WriteTx, count: u64) -> Result<ProfileId, StoreError> {
    tx.next_numbers("profile", count).map(ProfileId)
}

/// Writes a profile.
pub fn put(tx: &WriteTx, account: AccountId, profile: &Profile) -> Result<(), StoreError> {
    tx.put(&PROFILES, &(account, profile.id), profile)
}

/// Removes a profile and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, id: ProfileId) -> Result<bool, StoreError> {
    tx.delete(&PROFILES, &(account, id))
}
