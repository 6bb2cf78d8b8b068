//! Simulated phones. They know only the wire, as real ones do: this folder uses nothing of the server but the words of its domain.
//!
//! [`phone::Phone`] is pure: it says what it wants and hears what came of it. [`connection`] carries that over real sockets, [`fleet`]
//! runs many phones at once and counts. What real phones do is written in the rules whose numbers the tests carry.

pub mod address;
pub mod boot;
pub mod connection;
pub mod credentials;
pub mod faults;
pub mod files;
pub mod firmware;
pub mod flash;
pub mod fleet;
pub mod fresh;
pub mod journey;
pub mod memory;
pub mod models;
pub mod network;
pub mod phone;
pub mod polling;
pub mod rules;
pub mod run;
pub mod statistics;
pub mod tls;
pub mod trust;
pub mod wire;

#[cfg(test)]
mod tests;
