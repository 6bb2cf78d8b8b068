//! What feature tests share: a server in the same process and phones that talk to it.

pub mod api;
pub mod browser;
pub mod openapi;
pub mod phone;
pub mod server;
