//! Transactions in domain values. Every entity's file is written on these few verbs.

use redb::ReadableTable;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec;
use super::error::StoreError;
use super::keys::Key;
use super::tables::{Definition, META, Table};

/// A snapshot of the whole database: it sees nothing of what is committed after it began.
pub struct ReadTx(pub(super) redb::ReadTransaction);

/// One change of the database: all of it is kept or none.
pub struct WriteTx(pub(super) redb::WriteTransaction);

/// What both kinds of transaction can do.
pub trait Read: sealed::Raw {
    /// The row of a key.
    fn get<K: Key, V: DeserializeOwned>(&self, table: &Table<K, V>, key: &K) -> Result<Option<V>, StoreError> {
        let key = key.encode();
        match self.raw_get(table.definition(), &key)? {
            Some(bytes) => codec::decode(table.name, &key, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Whether a key has a row.
    fn has<K: Key, V>(&self, table: &Table<K, V>, key: &K) -> Result<bool, StoreError> {
        Ok(self.raw_get(table.definition(), &key.encode())?.is_some())
    }

    /// All rows whose key begins with these parts, in the order of their keys; `None` for the whole table.
    fn scan<K: Key, V: DeserializeOwned>(
        &self,
        table: &Table<K, V>,
        prefix: Option<&dyn Prefix>,
    ) -> Result<Vec<(K, V)>, StoreError> {
        let mut rows = Vec::new();
        self.walk(table, prefix, Direction::Forward, |key, value| {
            rows.push((key, value));
            Walk::On
        })?;
        Ok(rows)
    }

    /// Shows rows one by one until told to stop, so that a long table need not be held in memory.
    fn walk<K: Key, V: DeserializeOwned>(
        &self,
        table: &Table<K, V>,
        prefix: Option<&dyn Prefix>,
        direction: Direction,
        mut visit: impl FnMut(K, V) -> Walk,
    ) -> Result<(), StoreError> {
        let prefix = prefix.map(Prefix::bytes).unwrap_or_default();
        self.raw_walk(table.definition(), &prefix, direction, &mut |key, bytes| {
            let value = codec::decode(table.name, key, bytes)?;
            Ok(visit(decode_key(table.name, key)?, value))
        })
    }

    /// The keys that begin with these parts, without reading what they stand for.
    fn keys<K: Key, V>(&self, table: &Table<K, V>, prefix: &dyn Prefix, direction: Direction) -> Result<Vec<K>, StoreError> {
        let mut keys = Vec::new();
        self.raw_walk(table.definition(), &prefix.bytes(), direction, &mut |key, _| {
            keys.push(decode_key(table.name, key)?);
            Ok(Walk::On)
        })?;
        Ok(keys)
    }
}

pub(super) fn decode_key<K: Key>(table: &'static str, key: &[u8]) -> Result<K, StoreError> {
    K::decode(key).ok_or_else(|| StoreError::Decode {
        table,
        key: hex::encode(key),
        cause: "the key has another layout".to_owned(),
    })
}

/// The first parts of a key.
pub trait Prefix {
    /// Their bytes.
    fn bytes(&self) -> Vec<u8>;
}

impl<K: Key> Prefix for K {
    fn bytes(&self) -> Vec<u8> {
        self.encode()
    }
}

/// Which end a walk begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest key first.
    Forward,
    /// Greatest key first.
    Backward,
}

/// Whether a walk goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Show the next row.
    On,
    /// Enough.
    Stop,
}

impl Read for ReadTx {}
impl Read for WriteTx {}

impl WriteTx {
    /// Writes a row in place of what the key had.
    pub fn put<K: Key, V: Serialize>(&self, table: &Table<K, V>, key: &K, value: &V) -> Result<(), StoreError> {
        let bytes = codec::encode(table.name, value)?;
        self.0.open_table(table.definition())?.insert(key.encode().as_slice(), bytes.as_slice())?;
        Ok(())
    }

    /// Removes a row and tells whether there was one.
    pub fn delete<K: Key, V>(&self, table: &Table<K, V>, key: &K) -> Result<bool, StoreError> {
        Ok(self.0.open_table(table.definition())?.remove(key.encode().as_slice())?.is_some())
    }

    /// Removes all rows whose key begins with these parts and tells how many there were.
    pub fn delete_all<K: Key, V>(&self, table: &Table<K, V>, prefix: &dyn Prefix) -> Result<u64, StoreError> {
        let (lower, upper) = bounds(&prefix.bytes());
        let mut count = 0;
        let mut rows = self.0.open_table(table.definition())?;
        rows.retain_in::<&[u8], _>((as_slice(&lower), as_slice(&upper)), |_, _| {
            count += 1;
            false
        })?;
        Ok(count)
    }

    /// The next number of a counter, from 1. Numbers are never given out twice, also after a delete.
    pub fn next_number(&self, counter: &str) -> Result<u64, StoreError> {
        self.next_numbers(counter, 1)
    }

    /// The first of so many numbers of a counter that follow one another.
    pub fn next_numbers(&self, counter: &str, count: u64) -> Result<u64, StoreError> {
        let key = (format!("next-{counter}"),);
        let number = self.get(&META, &key)?.unwrap_or(1);
        self.put(&META, &key, &(number + count))?;
        Ok(number)
    }
}

type Bounds = (std::ops::Bound<Vec<u8>>, std::ops::Bound<Vec<u8>>);

/// All keys that begin with these bytes.
fn bounds(prefix: &[u8]) -> Bounds {
    use std::ops::Bound;
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return (Bound::Included(prefix.to_vec()), Bound::Excluded(end));
        }
    }
    (Bound::Included(prefix.to_vec()), Bound::Unbounded)
}

fn as_slice(bound: &std::ops::Bound<Vec<u8>>) -> std::ops::Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

mod sealed {
    use super::{Definition, Direction, ReadTx, ReadableTable, StoreError, Walk, WriteTx, as_slice, bounds};

    /// Bytes in, bytes out: the only place that touches the library's tables for reading.
    pub trait Raw {
        fn raw_get(&self, table: Definition, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
        fn raw_walk(
            &self,
            table: Definition,
            prefix: &[u8],
            direction: Direction,
            visit: &mut Visitor<'_>,
        ) -> Result<(), StoreError>;
    }

    pub type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> Result<Walk, StoreError> + 'a;

    /// Both kinds open their tables by a method of the same name, but by no trait of the library.
    macro_rules! raw {
        ($($transaction:ty),+) => {$(
            impl Raw for $transaction {
                fn raw_get(&self, table: Definition, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
                    get_in(&self.0.open_table(table)?, key)
                }

                fn raw_walk(
                    &self,
                    table: Definition,
                    prefix: &[u8],
                    direction: Direction,
                    visit: &mut Visitor<'_>,
                ) -> Result<(), StoreError> {
                    walk_in(&self.0.open_table(table)?, prefix, direction, visit)
                }
            }
        )+};
    }

    raw!(ReadTx, WriteTx);

    type Bytes = &'static [u8];

    fn get_in(table: &impl ReadableTable<Bytes, Bytes>, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(table.get(key)?.map(|row| row.value().to_vec()))
    }

    fn walk_in(
        table: &impl ReadableTable<Bytes, Bytes>,
        prefix: &[u8],
        direction: Direction,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        let (lower, upper) = bounds(prefix);
        let mut rows = table.range::<&[u8]>((as_slice(&lower), as_slice(&upper)))?;
        loop {
            let next = match direction {
                Direction::Forward => rows.next(),
                Direction::Backward => rows.next_back(),
            };
            let Some(row) = next else { return Ok(()) };
            let (key, value) = row?;
            if visit(key.value(), value.value())? == Walk::Stop {
                return Ok(());
            }
        }
    }
}
