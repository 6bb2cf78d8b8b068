//! Profile Deployment: the ladder of containers, every place in them, and the profiles of each (R144–R153).

mod home;
mod place;

use crate::web::methods::Routes;

/// The addresses below `/admin/deployment`.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/admin/deployment", home::show)
        .post("/admin/deployment", home::save)
        .get("/admin/deployment/{container}/{id}", place::show)
        .post("/admin/deployment/{container}/{id}", place::save);
}
