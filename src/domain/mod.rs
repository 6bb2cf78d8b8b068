//! What pdms knows about phones and their configuration, as plain values and pure functions.
//!
//! Nothing here does I/O, reads a clock, draws a random number or logs. Every other layer may use this one; this one uses none.

pub mod access;
pub mod account;
pub mod activity;
pub mod admission;
pub mod backup_plan;
pub mod bootstrap;
pub mod clock;
pub mod coming_up;
pub mod credential;
pub mod deployment;
pub mod device;
pub mod device_file;
pub mod device_list;
pub mod device_paste;
pub mod field_error;
pub mod group;
pub mod ids;
pub mod impact;
pub mod import;
pub mod limits;
pub mod mac;
pub mod manufacturer;
pub mod model;
pub mod names;
pub mod parameter;
pub mod password;
pub mod pending;
pub mod people;
pub mod phone_file;
pub mod placement;
pub mod profile;
pub mod provision;
pub mod reach;
pub mod resolution;
pub mod rollover;
pub mod run;
pub mod schema;
pub mod seen_clock;
pub mod server;
pub mod session;
pub mod sighting;
pub mod site;
pub mod source;
pub mod standard;
pub mod strangers;
pub mod subnet;
#[cfg(test)]
pub(crate) mod testing;
pub mod token;
pub mod trust;
pub mod upload;
pub mod user;
pub mod user_agent;
pub mod world;
