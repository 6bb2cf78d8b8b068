//! Rows of images of software; their files are among the blobs.

use super::error::StoreError;
use super::tables::IMAGES;
use super::tx::{Read, WriteTx};
use crate::domain::ids::{AccountId, ImageId};
use crate::domain::image::Image;

/// All images of an account, by number.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<Image>, StoreError> {
    Ok(tx.scan(&IMAGES, Some(&(account,)))?.into_iter().map(|(_, image)| image).collect())
}

/// All images of all accounts: what the sweep of blobs keeps.
pub fn of_all_accounts(tx: &impl Read) -> Result<Vec<Image>, StoreError> {
    Ok(tx.scan(&IMAGES, None)?.into_iter().map(|(_, image)| image).collect())
}

/// A number for a new image.
pub fn next_id(tx: &WriteTx) -> Result<ImageId, StoreError> {
    tx.next_number("image").map(ImageId)
}

/// Writes an image.
pub fn put(tx: &WriteTx, account: AccountId, image: &Image) -> Result<(), StoreError> {
    tx.put(&IMAGES, &(account, image.id), image)
}

/// Removes an image and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, id: ImageId) -> Result<bool, StoreError> {
    tx.delete(&IMAGES, &(account, id))
}
