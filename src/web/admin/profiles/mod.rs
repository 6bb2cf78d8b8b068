//! Profile Configuration and the pages of one profile (R108–R127).

mod add;
mod delete;
mod import;
mod list;
mod preview;
mod profile;
mod usage;

use actix_web::web::{ServiceConfig, get, post};

/// The addresses below `/admin/profiles`.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .route("/admin/profiles", get().to(list::show))
        .route("/admin/profiles/add", get().to(add::show))
        .route("/admin/profiles/add", post().to(add::save))
        .route("/admin/profiles/delete", get().to(delete::ask))
        .route("/admin/profiles/delete", post().to(delete::save))
        .route("/admin/profiles/{id}", get().to(profile::show))
        .route("/admin/profiles/{id}", post().to(profile::rename))
        .route("/admin/profiles/{id}/copy", get().to(add::show_copy))
        .route("/admin/profiles/{id}/copy", post().to(add::save_copy))
        .route("/admin/profiles/{id}/parameters", post().to(profile::edit))
        .route("/admin/profiles/{id}/import", post().to(import::upload))
        .route("/admin/profiles/{id}/paste", post().to(import::paste))
        .route("/admin/profiles/{id}/import/{token}", get().to(import::preview))
        .route("/admin/profiles/{id}/import/{token}", post().to(import::decide));
}
