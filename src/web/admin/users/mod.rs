//! Users: who signs in and what they may do (R17–R19). For owners alone.

mod add;
mod user;

use actix_web::{HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::failure::Failure;
use super::layout::{Page, html};
use super::session::SignedIn;
use crate::domain::account::Secret;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::user::{Role, User};
use crate::services::{Services, sessions, users};
use crate::web::blocking;
use crate::web::methods::Routes;

/// Where the list is.
const HERE: &str = "/admin/users";

#[derive(Template)]
#[template(path = "users/list.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    roles: Vec<(&'static str, &'static str)>,
}

struct Row {
    user: User,
    /// Where the user is signed in, and when that was last used.
    sessions: usize,
    last_used: Option<Timestamp>,
}

/// The addresses of the users, and of taking up an invitation.
pub fn configure(routes: &mut Routes) {
    routes
        .get(HERE, show)
        .get("/admin/users/add", add::show)
        .post("/admin/users/add", add::save)
        .get("/admin/users/{id}", user::show)
        .post("/admin/users/{id}", user::save)
        .get("/admin/users/{id}/delete", user::ask_delete)
        .post("/admin/users/{id}/delete", user::delete)
        .get("/admin/users/{id}/invite", user::ask_invite)
        .post("/admin/users/{id}/invite", user::invite)
        .get("/admin/users/{id}/second-factor", user::ask_reset)
        .post("/admin/users/{id}/second-factor", user::reset)
        .post("/admin/users/{id}/sessions/{session}/end", user::end_session);
}

async fn show(who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let all = blocking::call(&services, users::list).await.map_err(Failure::of(&who))?;
    let row = |user: User| {
        let open = sessions::of_user(&services, user.id);
        Row { sessions: open.len(), last_used: open.first().map(|one| one.session.last_seen_at), user }
    };
    let rows = all.into_iter().map(row).collect();
    Ok(html(&ListPage { page: who.page("Users"), rows, roles: meanings() }))
}

/// Roles with what they mean, the least first.
fn meanings() -> Vec<(&'static str, &'static str)> {
    Role::ALL.iter().map(|role| (role.label(), role.meaning())).collect()
}

/// Roles to choose from: value and label.
pub(super) fn choices(most: Role) -> Vec<(&'static str, &'static str)> {
    Role::ALL.iter().filter(|role| **role <= most).map(|role| (role.word(), role.label())).collect()
}

/// The link of an invitation, as it is handed on.
pub fn invitation_link(services: &Services, token: &Secret) -> String {
    let world = services.world(DEFAULT_ACCOUNT);
    let base = world.map_or_else(|_| "/".to_owned(), |world| world.endpoints.https_url.clone());
    format!("{base}admin/invitation?token={}", token.expose())
}
