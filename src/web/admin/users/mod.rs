//! Users: who signs in and what they may do (R17–R19). For owners alone.

mod add;
mod user;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::columns::Columns;
use super::failure::Failure;
use super::layout::{Page, html};
use super::paging::{ListQuery, Pager};
use super::session::SignedIn;
use super::{list_memory, words};
use crate::domain::account::Secret;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::user::{Role, User};
use crate::services::lists::users::{LISTING, ListedUser, STANDINGS};
use crate::services::{Services, lists};
use crate::web::blocking;
use crate::web::methods::Routes;

/// Where the list is.
const HERE: &str = "/admin/users";

/// The columns that may be hidden, by their word in the address. A user's name always stays.
const COLUMNS: [(&str, &str); 5] =
    [("email", "E-mail"), ("role", "Role"), ("standing", "Sign-in"), ("sessions", "Sessions"), ("used", "Last used")];

#[derive(Template)]
#[template(path = "users/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
    rows: Vec<ListedUser>,
    roles: Vec<(&'static str, &'static str)>,
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

async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let asked = list.asked(&LISTING);
    let found = blocking::call(&services, move |services| lists::users::list(services, &asked)).await;
    let mut rows = found.map_err(Failure::of(&who))?;
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file("users", "Name", rows.iter().map(cells)));
    }
    let pager = list.pager(rows.len());
    let rows = rows.drain(pager.range()).collect();
    Ok(html(&ListPage { page: who.page("Users"), list, pager, columns, rows, roles: meanings() }))
}

fn cells(row: &ListedUser) -> [String; 6] {
    let used = row.last_used.map(words::file_time).unwrap_or_default();
    let User { name, email, role, .. } = &row.user;
    [name.clone(), email.clone(), role.label().to_owned(), row.standing().to_owned(), row.sessions.to_string(), used]
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
