//! People, groups of people and rooms: three lists of one kind, and the pages of one object of each (R156). Until there is one of them,
//! only Profile Deployment leads here.

mod delete;
mod groups;
mod kind;
mod list;
mod members;
mod one;
mod profiles;

use crate::web::methods::Routes;

/// The addresses below `/admin/people`, `/admin/person-groups` and `/admin/rooms`. Words that are no numbers come first.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/admin/{kind:people|person-groups|rooms}", list::show)
        .get("/admin/{kind:people|person-groups|rooms}/add", one::ask)
        .post("/admin/{kind:people|person-groups|rooms}/add", one::add)
        .get("/admin/{kind:people|person-groups|rooms}/delete", delete::ask)
        .post("/admin/{kind:people|person-groups|rooms}/delete", delete::save)
        .get("/admin/{kind:people|person-groups|rooms}/{id}", one::show)
        .post("/admin/{kind:people|person-groups|rooms}/{id}", one::save)
        .get("/admin/{kind:people|person-groups|rooms}/{id}/profiles", profiles::show)
        .post("/admin/{kind:people|person-groups|rooms}/{id}/profiles", profiles::save)
        .get("/admin/people/{id}/groups", groups::show)
        .post("/admin/people/{id}/groups", groups::save)
        .get("/admin/person-groups/{id}/members", members::show)
        .post("/admin/person-groups/{id}/members", members::save);
}
