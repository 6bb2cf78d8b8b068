//! Device Groups: the list, the pages of one group, and the groups that automatic adds join (R97–R105).

mod add;
mod default;
mod delete;
mod devices;
mod group;
mod head;
mod list;
mod profiles;
mod top;

pub use default::item;
pub use devices::told;

use crate::web::methods::Routes;

/// The addresses below `/admin/groups`. Words that are no numbers come first.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/admin/groups", list::show)
        .get("/admin/groups/add", add::show)
        .post("/admin/groups/add", add::save)
        .get("/admin/groups/default", default::show)
        .post("/admin/groups/default", default::save)
        .get("/admin/groups/delete", delete::ask)
        .post("/admin/groups/delete", delete::save)
        .get("/admin/groups/top", top::ask)
        .post("/admin/groups/top", top::save)
        .get("/admin/groups/{id}", group::show)
        .post("/admin/groups/{id}", group::save)
        .get("/admin/groups/{id}/devices", devices::show)
        .post("/admin/groups/{id}/devices", devices::save)
        .get("/admin/groups/{id}/profiles", profiles::show)
        .post("/admin/groups/{id}/profiles", profiles::save);
}
