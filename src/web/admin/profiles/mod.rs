//! Profile Configuration and the pages of one profile (R108–R127).

mod add;
mod archive;
mod copy;
mod delete;
mod fields;
mod history;
mod import;
mod list;
mod preview;
mod profile;
mod resource_choice;
mod software;
mod standard;
mod usage;

use crate::web::methods::Routes;

/// The addresses below `/admin/profiles`.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/admin/profiles", list::show)
        .get("/admin/profiles/add", add::show)
        .post("/admin/profiles/add", add::save)
        .get("/admin/profiles/delete", delete::ask)
        .post("/admin/profiles/delete", delete::save)
        .post("/admin/profiles/export", archive::export)
        .post("/admin/profiles/export/secrets", archive::export_secrets)
        .get("/admin/profiles/import", archive::show)
        .post("/admin/profiles/import", archive::upload)
        .get("/admin/profiles/import/{token}", archive::preview)
        .post("/admin/profiles/import/{token}", archive::decide)
        .get("/admin/profiles/{id}", profile::show)
        .post("/admin/profiles/{id}", profile::rename)
        .get("/admin/profiles/{id}/copy", copy::show)
        .post("/admin/profiles/{id}/copy", copy::save)
        .get("/admin/profiles/{id}/fields", fields::show)
        .get("/admin/profiles/{id}/history", history::show)
        .post("/admin/profiles/{id}/parameters", profile::edit)
        .post("/admin/profiles/{id}/software", software::choose)
        .post("/admin/profiles/{id}/import", import::upload)
        .post("/admin/profiles/{id}/paste", import::paste)
        .get("/admin/profiles/{id}/import/{token}", import::preview)
        .post("/admin/profiles/{id}/import/{token}", import::decide);
}
