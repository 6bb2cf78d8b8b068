//! Software: images that phones upgrade to, uploads on their way, licences (R199–R212, R338).

mod image;
mod list;
mod packages;
pub mod upload;

use crate::web::methods::Routes;

/// The list.
pub const HERE: &str = "/admin/software";

/// The addresses of the pages.
pub fn configure(routes: &mut Routes) {
    routes
        .get(HERE, list::show)
        .post("/admin/software/limits", list::save_limits)
        .post(upload::HERE, upload::take)
        // A reload after a rejected file asks by GET.
        .get(upload::HERE, upload::home)
        .get("/admin/software/uploads/{upload}", upload::show)
        .get("/admin/software/uploads/{upload}/state", upload::state)
        .post("/admin/software/uploads/{upload}", upload::answer)
        .get("/admin/software/{id}", image::show)
        .get("/admin/software/{id}/delete", image::ask)
        .post("/admin/software/{id}/delete", image::delete)
        .get("/admin/software/{id}/packages/delete", packages::ask)
        .post("/admin/software/{id}/packages/delete", packages::delete)
        .get("/admin/software/{id}/packages/{number}", packages::download)
        .post("/admin/software/{id}/license", image::save_license)
        .post("/admin/software/{id}/license/delete", image::delete_license)
        .post("/admin/software/{id}/license/reveal", image::reveal_license);
}
