//! Rows of people, of groups of people and of rooms.

use super::error::StoreError;
use super::tables::{PEOPLE, PERSON_GROUPS, ROOMS};
use super::tx::{Read, WriteTx};
use crate::domain::ids::{AccountId, PersonGroupId, PersonId, RoomId};
use crate::domain::people::{Person, PersonGroup, Room};

/// All people of an account.
pub fn all(tx: &impl Read, account: AccountId) -> Result<Vec<Person>, StoreError> {
    Ok(tx.scan(&PEOPLE, Some(&(account,)))?.into_iter().map(|(_, person)| person).collect())
}

/// A number for a new person.
pub fn next_id(tx: &WriteTx) -> Result<PersonId, StoreError> {
    tx.next_number("person").map(PersonId)
}

/// Writes a person.
pub fn put(tx: &WriteTx, account: AccountId, person: &Person) -> Result<(), StoreError> {
    tx.put(&PEOPLE, &(account, person.id), person)
}

/// Removes a person and tells whether there was one.
pub fn delete(tx: &WriteTx, account: AccountId, id: PersonId) -> Result<bool, StoreError> {
    tx.delete(&PEOPLE, &(account, id))
}

/// All groups of people of an account.
pub fn all_groups(tx: &impl Read, account: AccountId) -> Result<Vec<PersonGroup>, StoreError> {
    Ok(tx.scan(&PERSON_GROUPS, Some(&(account,)))?.into_iter().map(|(_, group)| group).collect())
}

/// A number for a new group of people.
pub fn next_group_id(tx: &WriteTx) -> Result<PersonGroupId, StoreError> {
    tx.next_number("person-group").map(PersonGroupId)
}

/// Writes a group of people.
pub fn put_group(tx: &WriteTx, account: AccountId, group: &PersonGroup) -> Result<(), StoreError> {
    tx.put(&PERSON_GROUPS, &(account, group.id), group)
}

/// Removes a group of people and tells whether there was one.
pub fn delete_group(tx: &WriteTx, account: AccountId, id: PersonGroupId) -> Result<bool, StoreError> {
    tx.delete(&PERSON_GROUPS, &(account, id))
}

/// All rooms of an account.
pub fn all_rooms(tx: &impl Read, account: AccountId) -> Result<Vec<Room>, StoreError> {
    Ok(tx.scan(&ROOMS, Some(&(account,)))?.into_iter().map(|(_, room)| room).collect())
}

/// A number for a new room.
pub fn next_room_id(tx: &WriteTx) -> Result<RoomId, StoreError> {
    tx.next_number("room").map(RoomId)
}

/// Writes a room.
pub fn put_room(tx: &WriteTx, account: AccountId, room: &Room) -> Result<(), StoreError> {
    tx.put(&ROOMS, &(account, room.id), room)
}

/// Removes a room and tells whether there was one.
pub fn delete_room(tx: &WriteTx, account: AccountId, id: RoomId) -> Result<bool, StoreError> {
    tx.delete(&ROOMS, &(account, id))
}
