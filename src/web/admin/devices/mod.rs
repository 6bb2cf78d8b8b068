//! Device Monitor and the pages of one device (R228–R245, R257–R263).

mod add;
mod add_to_group;
mod blocked;
mod compare;
mod delete;
mod detail;
mod directories;
mod downgrades;
mod effective;
mod explained;
mod export;
mod file_versions;
mod files;
mod groups;
mod head;
mod import;
mod lines;
mod lines_of_many;
mod list;
mod log_page;
mod logs;
mod owner;
mod owners;
mod password;
mod profiles;
mod runs;
mod software;
mod summary;
mod text;
mod trust;
mod upload;
mod uploaded;
mod what_if;

pub use list::{chosen, site_choices};
pub use text::with_secrets_masked;

use crate::web::methods::Routes;

/// The addresses below `/admin/devices`. Words that are no keys come first.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/admin/devices", list::show)
        .get("/admin/devices/add", add::show)
        .post("/admin/devices/add", add::save)
        .get("/admin/devices/delete", delete::ask)
        .post("/admin/devices/delete", delete::save)
        .get("/admin/devices/blocked", blocked::show)
        .post("/admin/devices/blocked", blocked::unblock)
        .get("/admin/devices/deleted", password::list)
        .post("/admin/devices/deleted", password::reveal_deleted)
        .post("/admin/devices/owner", owners::save)
        .post("/admin/devices/groups", add_to_group::save)
        .get("/admin/devices/export", export::show)
        .post("/admin/devices/export", export::in_clear)
        .get("/admin/devices/export/file", export::file)
        .get("/admin/devices/import", import::show)
        .post("/admin/devices/import", import::upload)
        .get("/admin/devices/import/template", export::template)
        .get("/admin/devices/import/{token}", import::preview)
        .post("/admin/devices/import/{token}", import::decide)
        .get("/admin/devices/import/{token}/log", import::log)
        .get("/admin/devices/directories", directories::ask)
        .post("/admin/devices/directories", directories::save)
        .post("/admin/devices/downgrades", downgrades::save)
        .get("/admin/devices/upload", upload::ask)
        .post("/admin/devices/upload", upload::ask_many)
        .post("/admin/devices/upload/files", upload::take)
        .get("/admin/devices/upload/{token}", upload::preview)
        .post("/admin/devices/upload/{token}", upload::decide)
        .get("/admin/devices/what-if", what_if::show)
        .get("/admin/devices/what-if/{file}", what_if::file)
        .get("/admin/devices/lines", lines_of_many::home)
        .post("/admin/devices/lines", lines_of_many::ask)
        .get("/admin/devices/lines/preview", lines_of_many::home)
        .post("/admin/devices/lines/preview", lines_of_many::look)
        .get("/admin/devices/lines/preview/{token}", lines_of_many::preview)
        .post("/admin/devices/lines/preview/{token}", lines_of_many::decide)
        .get("/admin/devices/{key}", summary::show)
        .post("/admin/devices/{key}", summary::save)
        .post("/admin/devices/{key}/password", password::reveal)
        .get("/admin/devices/{key}/detail", detail::show)
        .post("/admin/devices/{key}/certificate", detail::save_certificate)
        .get("/admin/devices/{key}/groups", groups::show)
        .post("/admin/devices/{key}/groups", groups::save)
        .get("/admin/devices/{key}/lines", lines::show)
        .post("/admin/devices/{key}/lines", lines::save)
        .get("/admin/devices/{key}/owner", owner::show)
        .post("/admin/devices/{key}/owner", owner::save)
        .get("/admin/devices/{key}/profiles", profiles::show)
        .post("/admin/devices/{key}/profiles", profiles::save)
        .get("/admin/devices/{key}/compare", compare::show)
        .get("/admin/devices/{key}/effective", effective::show)
        .get("/admin/devices/{key}/effective/{file}", effective::file)
        .get("/admin/devices/{key}/software", software::show)
        .post("/admin/devices/{key}/software", software::act)
        .get("/admin/devices/{key}/runs", runs::show)
        .get("/admin/devices/{key}/files", files::list)
        .get("/admin/devices/{key}/files/{name}", files::show)
        .get("/admin/devices/{key}/files/{name}/download", files::download)
        .get("/admin/devices/{key}/files/{name}/compare", file_versions::compare)
        .get("/admin/devices/{key}/files/{name}/delete", file_versions::ask_delete)
        .post("/admin/devices/{key}/files/{name}/delete", file_versions::delete)
        .post("/admin/devices/{key}/files/{name}/delete-value", file_versions::delete_value)
        .post("/admin/devices/{key}/files/{name}/restore", file_versions::restore)
        .get("/admin/devices/{key}/served/{file}/download", files::download_served)
        .get("/admin/devices/{key}/logs", logs::list)
        .get("/admin/devices/{key}/logs/delete", logs::ask_delete)
        .post("/admin/devices/{key}/logs/delete", logs::delete)
        .get("/admin/devices/{key}/logs/zip", logs::zip)
        .get("/admin/devices/{key}/logs/{name}", logs::show)
        .get("/admin/devices/{key}/logs/{name}/download", logs::download);
}
