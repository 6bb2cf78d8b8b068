//! Pending: everybody who knocked and was not let in, with the reason, the next step, and one click for what helps (R178, R184).

mod act;
pub mod click;
mod list;

use crate::web::methods::Routes;

/// The page itself.
const HERE: &str = "/admin/pending";

/// The addresses below `/admin/pending`.
pub fn configure(routes: &mut Routes) {
    routes
        .get(HERE, list::show)
        .post(HERE, act::save)
        .get("/admin/pending/unbind", act::ask_unbind)
        .post("/admin/pending/window", act::set_window)
        // A reload after the window was opened asks by GET.
        .get("/admin/pending/window", || async { crate::web::admin::layout::see_other(HERE) });
}
