//! Device management and provisioning server for Poly phones: one binary, everything inside.
//!
//! `ARCHITECTURE.md` has the map; each module says what lives in it and what must not.

pub mod blobs;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod csv;
pub mod domain;
pub mod services;
pub mod simulate;
pub mod startup;
pub mod store;
pub mod web;
pub mod xml;
