//! Recycle Bin: what was deleted in the last 30 days, and the way back; and the *Undo* that the message after a deletion offers.

mod list;
mod one;
mod purge;
mod restore;

use crate::domain::access::Actor;
use crate::domain::ids::{DEFAULT_ACCOUNT, DeletionId};
use crate::services::{Services, recycle_bin};
use crate::web::admin::flash::Undo;
use crate::web::admin::forms::Form;
use crate::web::methods::Routes;

/// The list.
const HERE: &str = "/admin/recycle-bin";

/// What is said before something is deleted.
pub const RESTORABLE: &str = "What is deleted stays in the recycle bin for 30 days and can be restored from there.";

/// The addresses below `/admin/recycle-bin`.
pub fn configure(routes: &mut Routes) {
    routes
        .get(HERE, list::show)
        .post("/admin/recycle-bin/restore", restore::save)
        .get("/admin/recycle-bin/delete", purge::ask)
        .post("/admin/recycle-bin/delete", purge::save)
        .get("/admin/recycle-bin/{deletion}", one::show);
}

/// What the message after a deletion offers; none where nothing was deleted.
pub fn undo(services: &Services, actor: &Actor, deletion: Option<DeletionId>) -> Option<Undo> {
    let deletion = deletion?;
    let mark = recycle_bin::undo_mark(services, actor, DEFAULT_ACCOUNT, deletion).unwrap_or_default();
    Some(Undo { deletion: deletion.0, mark })
}

/// The deletions that a form names, each once.
fn selected(form: &Form) -> Vec<DeletionId> {
    let mut ids: Vec<DeletionId> = form.values("select").filter_map(|text| text.parse().ok()).collect();
    ids.sort();
    ids.dedup();
    ids
}
