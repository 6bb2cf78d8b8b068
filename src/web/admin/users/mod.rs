//! Users: who signs in and what they may do (R17–R19). For owners alone.

mod add;
mod user;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::columns::Columns;
use super::failure::Failure;
use super::layout::{Page, html};
use super::paging::{ListQuery, Pager};
use super::session::SignedIn;
use super::{list_memory, words};
use crate::domain::account::Secret;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::user::{Role, User};
use crate::services::{Services, sessions, users};
use crate::web::blocking;
use crate::web::methods::Routes;

/// Where the list is.
const HERE: &str = "/admin/users";

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name", "email", "role", "standing", "sessions", "used"];

/// The columns that may be hidden, by their word in the address. A user's name always stays.
const COLUMNS: [(&str, &str); 5] =
    [("email", "E-mail"), ("role", "Role"), ("standing", "Sign-in"), ("sessions", "Sessions"), ("used", "Last used")];

/// How somebody stands who may sign in, or may not.
const STANDINGS: [&str; 3] = ["enabled", "invited", "disabled"];

#[derive(Template)]
#[template(path = "users/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
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

async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, SORTABLE) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let all = blocking::call(&services, users::list).await.map_err(Failure::of(&who))?;
    let row = |user: User| {
        let open = sessions::of_user(&services, user.id);
        Row { sessions: open.len(), last_used: open.first().map(|one| one.session.last_seen_at), user }
    };
    let search = list.search();
    let is_shown = |row: &Row| {
        let is = |name: &str, word: &str| list.filter(name).is_none_or(|wanted| wanted == word);
        let texts = [row.user.name.as_str(), row.user.email.as_str(), row.user.role.label()];
        is("role", row.user.role.word()) && is("standing", row.standing()) && search.finds(&texts)
    };
    let mut rows: Vec<Row> = all.into_iter().map(row).filter(is_shown).collect();
    sort(&mut rows, &list);
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file("users", "Name", rows.iter().map(cells)));
    }
    let pager = list.pager(rows.len());
    let rows = rows.drain(pager.range()).collect();
    Ok(html(&ListPage { page: who.page("Users"), list, pager, columns, rows, roles: meanings() }))
}

impl Row {
    fn standing(&self) -> &'static str {
        match () {
            () if !self.user.is_enabled() => "disabled",
            () if self.user.is_invited() => "invited",
            () => "enabled",
        }
    }
}

fn sort(rows: &mut [Row], list: &ListQuery) {
    rows.sort_by_cached_key(|row| row.user.name.to_lowercase());
    match list.sort_key() {
        "email" => rows.sort_by_cached_key(|row| row.user.email.to_lowercase()),
        "role" => rows.sort_by_key(|row| row.user.role),
        "standing" => rows.sort_by_key(Row::standing),
        "sessions" => rows.sort_by_key(|row| row.sessions),
        "used" => rows.sort_by_key(|row| row.last_used),
        _ => {}
    }
    if list.descending() {
        rows.reverse();
    }
}

fn cells(row: &Row) -> [String; 6] {
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
