//! Rows of the recycle bin: deletions, and what went by them.

use super::error::StoreError;
use super::tables::{DELETED, DELETIONS};
use super::tx::{Read, Walk, WriteTx};
use super::{codec, tx::Direction};
use crate::domain::device::DeviceKey;
use crate::domain::device_file::DeviceFile;
use crate::domain::ids::{AccountId, DeletionId};
use crate::domain::recycle_bin::{Deletion, Kept, What};

/// All deletions of an account, oldest first.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<Deletion>, StoreError> {
    Ok(tx.scan(&DELETIONS, Some(&(account,)))?.into_iter().map(|(_, deletion)| deletion).collect())
}

/// One deletion.
pub fn get(tx: &impl Read, account: AccountId, id: DeletionId) -> Result<Option<Deletion>, StoreError> {
    tx.get(&DELETIONS, &(account, id))
}

/// A number for a new deletion.
pub fn next_id(tx: &WriteTx) -> Result<DeletionId, StoreError> {
    tx.next_number("deletion").map(DeletionId)
}

/// Writes a deletion.
pub fn put(tx: &WriteTx, account: AccountId, deletion: &Deletion) -> Result<(), StoreError> {
    tx.put(&DELETIONS, &(account, deletion.id), deletion)
}

/// What went by a deletion, in order; rows that were put back are missing.
pub fn kept(tx: &impl Read, account: AccountId, id: DeletionId) -> Result<Vec<(u64, Kept)>, StoreError> {
    Ok(tx.scan(&DELETED, Some(&(account, id)))?.into_iter().map(|((.., number), kept)| (number, kept)).collect())
}

/// Writes a row of a deletion and tells how many bytes it has.
pub fn put_kept(tx: &WriteTx, account: AccountId, id: DeletionId, number: u64, kept: &Kept) -> Result<u64, StoreError> {
    let bytes = codec::encode(DELETED.name, kept)?.len() as u64;
    tx.put(&DELETED, &(account, id, number), kept)?;
    Ok(bytes)
}

/// Removes a row of a deletion.
pub fn delete_kept(tx: &WriteTx, account: AccountId, id: DeletionId, number: u64) -> Result<(), StoreError> {
    tx.delete(&DELETED, &(account, id, number)).map(drop)
}

/// Removes a deletion with everything that went by it, and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, id: DeletionId) -> Result<bool, StoreError> {
    tx.delete_all(&DELETED, &(account, id))?;
    tx.delete(&DELETIONS, &(account, id))
}

/// Shows every row of all accounts.
pub fn walk(tx: &impl Read, mut visit: impl FnMut(AccountId, DeletionId, u64, Kept)) -> Result<(), StoreError> {
    tx.walk(&DELETED, None, Direction::Forward, |(account, id, number), kept| {
        visit(account, id, number, kept);
        Walk::On
    })
}

/// All files of deleted devices, with whose they were: content that is still named.
pub fn files(tx: &impl Read) -> Result<Vec<(AccountId, DeviceKey, DeviceFile)>, StoreError> {
    let mut all = Vec::new();
    walk(tx, |account, _, _, kept| {
        if let Kept::Object(object) = kept
            && let What::Device(one) = object.what
        {
            all.extend(one.files.into_iter().map(|file| (account, one.device.key.clone(), file)));
        }
    })?;
    Ok(all)
}
