//! What feature tests share: a server in the same process and phones that talk to it.

pub mod browser;
pub mod api;
pub mod phone;
pub mod server;
