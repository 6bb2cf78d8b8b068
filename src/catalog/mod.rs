//! Shipped reference data (`data/`, embedded in the binary) turned into domain values.
//!
//! Each table is parsed once. That it parses is proved by its test, so nothing here can fail at run time.

pub mod governed;
pub mod models;
pub mod restart;
pub mod schema;
pub mod standard;
pub mod upgrade_paths;
