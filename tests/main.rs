//! Feature tests: one file a feature, all in one binary, against the real server.

#![expect(clippy::print_stdout, reason = "a test that must skip something says so")]

mod addresses;
mod admin;
mod admin_backups;
mod admin_conflicts;
mod admin_devices;
mod admin_forgery;
mod admin_pending;
mod admin_rollover;
mod admin_sessions;
mod api;
mod application;
mod certificates;
mod coming_up;
mod confirmation;
mod deployment;
mod dictionary;
mod effective;
mod fleet;
mod framing;
mod golden;
mod groups;
mod import;
mod import_corpus;
mod lines;
mod listener;
mod metrics;
mod people;
mod phone;
mod phone_certificates;
mod phone_files;
mod phone_revocation;
mod process;
mod profile_archives;
mod profile_warnings;
mod roles;
mod schema_upload;
mod second_factor;
mod sites;
mod sites_csv;
mod standard_profiles;
mod support;
mod user_agents;
