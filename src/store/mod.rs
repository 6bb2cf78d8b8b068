//! The database: redb behind typed tables. No redb type leaves this folder.
//!
//! [`tables`] lists every table, [`keys`] makes keys, [`codec`] makes values, [`tx`] has the verbs, and each entity has a
//! file of functions on a transaction. Opening, reopening after a failed write, and the files that guard a state directory
//! are here. What must not be here: rules of pdms. The only caller of [`Store::write`] is `services/commit.rs`.

pub mod accounts;
pub mod activity;
pub mod blocked;
mod codec;
pub mod deployment;
pub mod devices;
mod disk;
pub mod error;
mod files;
pub mod flash;
pub mod groups;
mod guard;
pub mod images;
pub mod keys;
mod lock;
mod migrations;
mod open;
pub mod part_numbers;
pub mod people;
pub mod profiles;
pub mod recycle_bin;
pub mod resources;
mod rows;
pub mod runs;
pub mod schemas;
pub mod server;
pub mod sessions;
pub mod sightings;
pub mod sites;
pub mod standard;
pub mod stored_files;
pub mod tables;
pub mod tokens;
pub mod trusts;
pub mod tx;
pub mod users;
pub mod views;

pub use disk::Faults;
pub use error::StoreError;
pub use open::Store;
pub use rows::{Row, Snapshot};
pub use tx::{Read, ReadTx, WriteTx};

#[cfg(test)]
mod power_cut_tests;
#[cfg(test)]
mod stored_tests;
#[cfg(test)]
mod tests;
