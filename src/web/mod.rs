//! Listeners, pages, API and phone paths: HTTP on one side, services on the other.

pub mod admin;
pub mod api;
pub mod blocking;
pub mod listener;
pub mod pace;
pub mod phone;
pub mod tls;
