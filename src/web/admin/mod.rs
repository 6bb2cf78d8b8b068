//! The admin pages: one room a page of the guide, on a frame that all share. Pages call services; they never touch state.
//!
//! Every page works without a script; scripts and styles come from files only, as [`security_headers`] demands.
//!
//! A page is a struct that derives `askama::Template`, holds its [`layout::Page`] in a field `page` (made by
//! [`session::SignedIn::page`]) and extends `base.html`, which brings the components of `macros.html` in as `m`. Its handler takes
//! [`session::SignedIn`], which guards it, and answers [`layout::html`]. A form is taken as [`forms::Form`], parsed into a draft,
//! and either shown again by [`layout::html_rejected`] or answered by [`session::SignedIn::done`] with a redirect and a message.
//! A list reads its address by [`paging::ListQuery`].

mod account;
mod activity;
mod activity_links;
pub mod assets;
pub mod attached;
mod backups;
mod bulk;
pub mod choices;
pub mod columns;
mod coming_up;
mod confirm;
pub mod conflict;
pub mod csrf;
mod dashboard;
pub mod deployment;
pub mod devices;
pub mod errors;
pub mod failure;
pub mod flash;
mod flash_choice;
pub mod forms;
#[cfg(test)]
mod gallery;
mod gate;
pub mod groups;
mod impact;
mod impact_act;
mod imports;
mod invitation;
pub mod layout;
mod list_memory;
pub mod next;
pub mod ordered;
pub mod paging;
mod parameter_help;
mod pending;
mod people;
mod phone_certificates;
pub mod profiles;
mod provisioning;
mod read_ahead;
mod recycle_bin;
mod resources;
pub mod runs;
mod schema;
mod second_factor;
mod sent_file;
pub mod session;
pub mod session_store;
mod setup;
mod setup_restore;
mod sign_in;
mod sites;
mod software;
mod software_report;
pub mod storage;
pub mod theme;
mod tokens;
pub mod unsent;
mod upload_answer;
pub mod users;
mod view_bar;
mod views;
pub mod words;

use actix_web::guard::{GuardContext, fn_guard};
use actix_web::http::Method;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::{self, Data, ServiceConfig};

use crate::services::Services;
use crate::web::methods::{self, Room, Routes, read_only};
use session::Visitor;

/// Registers all pages and the files they need. Their handlers want `Data` of [`Services`] and of
/// [`crate::services::address::Address`], and of [`session::Demo`] in a demonstration.
pub fn configure(config: &mut ServiceConfig, services: &Data<Services>) {
    let files = web::scope("/static").wrap(security_headers()).service(read_only("/{name:.*}", assets::serve));
    let rooms = rooms();
    let pages = web::scope("")
        .guard(fn_guard(is_page))
        .app_data(Data::new(Room::new(rooms.addresses(), |request, _| errors::method_refused(&Visitor::of(request)))))
        .wrap(from_fn(impact::ask))
        .wrap(from_fn(confirm::ask))
        .wrap(from_fn(gate::admit))
        .wrap(from_fn(csrf::protect))
        .wrap(from_fn(methods::judge))
        .wrap(from_fn(upload_answer::tell))
        .wrap(session_store::middleware(services))
        .wrap(security_headers())
        .configure(|config| rooms.register(config))
        .default_service(web::to(|visitor: Visitor| async move { errors::not_found(&visitor) }));
    config.service(files).service(pages);
}

/// Every page, with a method that it takes.
pub fn addresses() -> Vec<(Method, String)> {
    rooms().addresses()
}

/// One line a room.
fn rooms() -> Routes {
    let mut routes = Routes::default();
    setup::configure(&mut routes);
    sign_in::configure(&mut routes);
    dashboard::configure(&mut routes);
    devices::configure(&mut routes);
    runs::configure(&mut routes);
    pending::configure(&mut routes);
    coming_up::configure(&mut routes);
    sites::configure(&mut routes);
    profiles::configure(&mut routes);
    software_report::configure(&mut routes);
    groups::configure(&mut routes);
    people::configure(&mut routes);
    deployment::configure(&mut routes);
    resources::configure(&mut routes);
    recycle_bin::configure(&mut routes);
    provisioning::configure(&mut routes);
    schema::configure(&mut routes);
    phone_certificates::configure(&mut routes);
    activity::configure(&mut routes);
    backups::configure(&mut routes);
    storage::configure(&mut routes);
    account::configure(&mut routes);
    second_factor::configure(&mut routes);
    users::configure(&mut routes);
    invitation::configure(&mut routes);
    tokens::configure(&mut routes);
    software::configure(&mut routes);
    views::configure(&mut routes);
    confirm::configure(&mut routes);
    routes
}

/// Whether a path is one of the pages'. Everything else at this listener is for phones and programs.
fn is_page(context: &GuardContext<'_>) -> bool {
    let path = context.head().uri.path();
    path == "/setup" || path == setup::RESTORE || path == "/admin" || path.starts_with("/admin/")
}

/// What browsers may do with an answer of ours (ADM-08).
pub const SECURITY_HEADERS: [(&str, &str); 8] = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ("Cache-Control", "no-store"),
];

/// Adds [`SECURITY_HEADERS`]. An answer that sets one of these itself keeps its own.
pub fn security_headers() -> DefaultHeaders {
    SECURITY_HEADERS.into_iter().fold(DefaultHeaders::new(), DefaultHeaders::add)
}

/// Only files of ours run or style a page; nothing may frame it or be framed by it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";
