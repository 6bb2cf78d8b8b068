//! Rows of sites. *Internet* has none: nothing of it can be changed (R75).

use super::error::StoreError;
use super::tables::SITES;
use super::tx::{Read, WriteTx};
use crate::domain::ids::{AccountId, SiteId};
use crate::domain::site::{INTERNET, Site};

/// All sites of an account but *Internet*, the oldest first.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<Site>, StoreError> {
    Ok(tx.scan(&SITES, Some(&(account,)))?.into_iter().map(|(_, site)| site).collect())
}

/// A number for a new site: higher than that of every older one.
pub fn next_id(tx: &WriteTx) -> Result<SiteId, StoreError> {
    tx.next_number("site").map(|number| SiteId(INTERNET.0 + number))
}

/// Writes a site.
pub fn put(tx: &WriteTx, account: AccountId, site: &Site) -> Result<(), StoreError> {
    tx.put(&SITES, &(account, site.id), site)
}

/// Removes a site and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, id: SiteId) -> Result<bool, StoreError> {
    tx.delete(&SITES, &(account, id))
}
