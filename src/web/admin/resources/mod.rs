//! Resource Files: the list, uploading, and the pages of one file (R215–R219).

mod add;
mod content;
mod delete;
mod list;
mod replace;
mod resource;

use crate::web::methods::Routes;

/// Where the list is.
const HERE: &str = "/admin/resources";

/// The addresses below `/admin/resources`. Words that are no numbers come first.
pub fn configure(routes: &mut Routes) {
    routes
        .get(HERE, list::show)
        .get("/admin/resources/add", add::show)
        .post("/admin/resources/add", add::save)
        .get("/admin/resources/delete", delete::ask)
        .post("/admin/resources/delete", delete::save)
        .get("/admin/resources/{id}", resource::show)
        .post("/admin/resources/{id}", resource::save)
        .get("/admin/resources/{id}/content", content::show)
        .get("/admin/resources/{id}/download", content::download)
        .get("/admin/resources/{id}/replace", replace::show)
        .post("/admin/resources/{id}/replace", replace::save);
}
