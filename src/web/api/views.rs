//! Saved views of lists: the caller's own and those that are shared. A token's are those of whoever made it.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{DryRun, created};
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::ids::{UserId, ViewId};
use crate::domain::user::Role;
use crate::domain::view::{NOBODY, View, ViewDraft, ViewInput};
use crate::services::Services;
use crate::services::views::{self, Shown};
use crate::web::blocking;

/// A saved view of a list: nothing but a link to it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ViewShape {
    /// Number.
    pub id: u64,
    /// The list: its address below `/admin/`, such as `devices`.
    pub list: String,
    /// Name.
    pub name: String,
    /// The query of the list's address; empty for the whole list in its usual order.
    pub query: String,
    /// The address that shows it.
    pub href: String,
    /// The least role that sees it besides its owner: `viewer` is everybody, `nobody` keeps it to its owner.
    pub shared_with: String,
    /// Whether the list opens with it where nothing else was chosen.
    pub opens: bool,
    /// Whether it is the caller's own.
    pub own: bool,
    /// Who changed it last.
    pub modified_by: String,
    /// When.
    pub modified_at: Timestamp,
    /// Counts changes.
    pub revision: u64,
}

impl ViewShape {
    fn new(view: View, caller: Option<UserId>) -> Self {
        Self {
            id: view.id.0,
            href: view.href(),
            shared_with: view.shared_with.map_or(NOBODY, Role::word).to_owned(),
            opens: view.opens,
            own: view.is_of(caller),
            list: view.list,
            name: view.name,
            query: view.query,
            modified_by: view.modified.by,
            modified_at: view.modified.at,
            revision: view.modified.revision,
        }
    }
}

/// A view to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewView {
    /// The list: its address below `/admin/`, such as `devices`.
    list: String,
    /// Name: one line of at most 80 characters, unique among the caller's views of the list and among the shared ones.
    name: String,
    /// The query of the list's address, at most 1000 characters.
    #[serde(default)]
    query: String,
    /// The least role that sees it besides its owner; to share takes the role account admin.
    #[serde(default)]
    shared_with: String,
    /// Whether the list opens with it where nothing else was chosen; the caller's former one does so no more.
    #[serde(default)]
    opens: bool,
}

/// What is to be changed of a view.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewChanges {
    /// The revision that the change was made from.
    revision: u64,
    /// Name.
    #[serde(default)]
    name: Option<String>,
    /// The query of the list's address.
    #[serde(default)]
    query: Option<String>,
    /// The least role that sees it besides its owner; `nobody` keeps it to the owner.
    #[serde(default)]
    shared_with: Option<String>,
    /// Whether the list opens with it.
    #[serde(default)]
    opens: Option<bool>,
}

/// A view in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ViewPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Number of the view.
    #[param(value_type = u64)]
    id: String,
}

impl ViewPath {
    fn id(&self) -> Result<ViewId, Problem> {
        self.id.parse().map_err(|_| Problem::not_found("view", &self.id))
    }
}

const VIEWS: &[Order<ViewShape>] = &[
    ("name", |a, b| (a.name.to_lowercase(), a.id).cmp(&(b.name.to_lowercase(), b.id))),
    ("list", |a, b| (&a.list, a.name.to_lowercase(), a.id).cmp(&(&b.list, b.name.to_lowercase(), b.id))),
    ("modified", |a, b| (a.modified_at, a.id).cmp(&(b.modified_at, b.id))),
];

/// Lists the saved views that the caller sees; sorts by `name`, `list` or `modified`.
#[utoipa::path(tag = "views", params(AccountPath, Narrow), responses((status = 200, body = List<ViewShape>)))]
#[get("/accounts/{account}/views")]
pub async fn list_views(
    caller: Caller,
    services: web::Data<Services>,
    _: web::Path<AccountPath>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<ViewShape>>, Problem> {
    let user = views::user_of(&caller.actor);
    let seen = views::seen(&services, caller.account, user, caller.actor.role());
    let all = seen.into_iter().map(|view| ViewShape::new(view, user)).collect();
    let texts = |one: &ViewShape| vec![one.name.clone(), one.list.clone(), one.query.clone()];
    Ok(web::Json(narrowed(all, &asked, texts, VIEWS)?))
}

/// Keeps a view of a list. It is the caller's own; a token's belongs to whoever made the token.
#[utoipa::path(tag = "views", params(AccountPath, DryRun), request_body = NewView, responses((status = 201, body = ViewShape), (status = 200, description = "A dry run", body = ViewShape)))]
#[post("/accounts/{account}/views")]
pub async fn create_view(
    caller: Caller,
    services: web::Data<Services>,
    _: web::Path<AccountPath>,
    dry_run: Asked<DryRun>,
    new: Sent<NewView>,
) -> Result<HttpResponse, Problem> {
    let NewView { list, name, query, shared_with, opens } = new.into_inner();
    let draft = ViewDraft::parse(&ViewInput { list, name, query, shared_with, opens })?;
    let (user, mode) = (views::user_of(&caller.actor), dry_run.mode());
    let work = move |services: &Services| views::create(services, &caller.actor, caller.account, draft, mode);
    let view = blocking::call(&services, work).await?;
    Ok(HttpResponse::build(created(mode)).json(ViewShape::new(view, user)))
}

/// Renames a view, or changes what it shows and who sees it. What is shared takes the role account admin.
#[utoipa::path(tag = "views", params(ViewPath, DryRun), request_body = ViewChanges, responses((status = 200, body = ViewShape)))]
#[patch("/accounts/{account}/views/{id}")]
pub async fn change_view(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ViewPath>,
    dry_run: Asked<DryRun>,
    changes: Sent<ViewChanges>,
) -> Result<web::Json<ViewShape>, Problem> {
    let id = path.id()?;
    let present = views::get(&services, &caller.actor, caller.account, id)?;
    let ViewChanges { revision, name, query, shared_with, opens } = changes.into_inner();
    let draft = ViewDraft::parse(&ViewInput {
        list: present.list,
        name: name.unwrap_or(present.name),
        query: query.unwrap_or(present.query),
        shared_with: shared_with.unwrap_or_else(|| present.shared_with.map_or(NOBODY, Role::word).to_owned()),
        opens: opens.unwrap_or(present.opens),
    })?;
    let (user, mode) = (views::user_of(&caller.actor), dry_run.mode());
    let shown = Shown { id, revision };
    let work = move |services: &Services| views::update(services, &caller.actor, caller.account, shown, draft, mode);
    Ok(web::Json(ViewShape::new(blocking::call(&services, work).await?, user)))
}

/// Deletes a view, and answers it. One that is shared takes the role account admin.
#[utoipa::path(tag = "views", params(ViewPath, DryRun), responses((status = 200, body = ViewShape)))]
#[delete("/accounts/{account}/views/{id}")]
pub async fn delete_view(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ViewPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<ViewShape>, Problem> {
    let id = path.id()?;
    let (user, mode) = (views::user_of(&caller.actor), dry_run.mode());
    let work = move |services: &Services| views::delete(services, &caller.actor, caller.account, id, mode);
    Ok(web::Json(ViewShape::new(blocking::call(&services, work).await?, user)))
}
