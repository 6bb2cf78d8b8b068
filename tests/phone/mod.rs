//! The phones' side: what contract 4 says each request is answered.

mod alerts;
mod conformance;
mod contested;
mod door;
mod files;
mod floods;
mod legacy_http;
mod listed;
mod plain_http;
mod restarts;
mod runs;
mod states;
mod table;
mod trust;
mod uploads;
mod waiting;
