//! Feature tests: one file a feature, all in one binary, against the real server.

mod phone_files;
mod user_agents;
