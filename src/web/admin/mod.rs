//! The admin pages: one room a page of the guide, on a frame that all share. Pages call services; they never touch state.
//!
//! Every page works without a script; scripts and styles come from files only, as [`security_headers`] demands.

pub mod assets;
pub mod csrf;
pub mod errors;
pub mod flash;
pub mod forms;
#[cfg(test)]
mod gallery;
pub mod layout;
pub mod next;
pub mod paging;
pub mod session;
pub mod theme;

use actix_web::middleware::DefaultHeaders;

/// What browsers may do with an answer of ours (ADM-08). An answer that sets one of these itself keeps its own.
pub fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("Content-Security-Policy", CONTENT_SECURITY_POLICY))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Referrer-Policy", "same-origin"))
        .add(("Strict-Transport-Security", "max-age=31536000"))
        .add(("Cross-Origin-Opener-Policy", "same-origin"))
        .add(("Cross-Origin-Resource-Policy", "same-origin"))
        .add(("Permissions-Policy", "camera=(), microphone=(), geolocation=()"))
        .add(("Cache-Control", "no-store"))
}

/// Only files of ours run or style a page; nothing may frame it or be framed by it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";
