//! Device Monitor and the pages of one device (R228–R245, R257–R263).

mod add;
mod blocked;
mod delete;
mod detail;
mod effective;
mod files;
mod head;
mod list;
mod logs;
mod profiles;
mod runs;
mod summary;
mod text;
mod uploaded;

pub use text::with_secrets_masked;

use actix_web::web::{self, ServiceConfig, get, post};

/// The addresses below `/admin/devices`. Words that are no keys come first.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .route("/admin/devices", get().to(list::show))
        .route("/admin/devices/add", get().to(add::show))
        .route("/admin/devices/add", post().to(add::save))
        .route("/admin/devices/delete", get().to(delete::ask))
        .route("/admin/devices/delete", post().to(delete::save))
        .route("/admin/devices/blocked", get().to(blocked::show))
        .route("/admin/devices/blocked", post().to(blocked::unblock))
        .service(
            web::scope("/admin/devices/{key}")
                .route("", get().to(summary::show))
                .route("", post().to(summary::save))
                .route("/detail", get().to(detail::show))
                .route("/profiles", get().to(profiles::show))
                .route("/profiles", post().to(profiles::save))
                .route("/effective", get().to(effective::show))
                .route("/effective/{file}", get().to(effective::file))
                .route("/runs", get().to(runs::show))
                .route("/files", get().to(files::list))
                .route("/files/{name}", get().to(files::show))
                .route("/files/{name}/download", get().to(files::download))
                .route("/logs", get().to(logs::list))
                .route("/logs/{name}", get().to(logs::show))
                .route("/logs/{name}/download", get().to(logs::download)),
        );
}
