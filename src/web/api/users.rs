//! People who sign in. They belong to the server, not to an account; only owners see and change them.

use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{DryRun, created};
use super::caller::Caller;
use super::list::{List, Paging, asked};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::account::Secret;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::UserId;
use crate::domain::user::{Role, User};
use crate::services::commit::Mode;
use crate::services::lists::users::ListedUser;
use crate::services::users::{self, Access, DeletedUser, UserChange};
use crate::services::views::Left;
use crate::services::{Services, invitations, lists, passwords};
use crate::web::admin::users::invitation_link;
use crate::web::blocking;

/// A user.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UserShape {
    /// Key.
    pub id: u64,
    /// Shown name.
    pub name: String,
    /// What the person types to sign in.
    pub email: String,
    /// `viewer`, `operator`, `account-admin` or `owner`.
    pub role: String,
    /// Whether the person may sign in.
    pub enabled: bool,
    /// Whether the person was invited and has chosen no password yet.
    pub invited: bool,
    /// When the user was added.
    pub created_at: Timestamp,
    /// When the password was last set.
    pub password_changed_at: Timestamp,
    /// Counts changes of the fields that a change takes; send it back with a change.
    pub revision: u64,
    /// The link with which the person chooses a password. Told once, when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
    /// In how many places the user is signed in. Told in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<usize>,
    /// When one of these was used last. Told in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

impl From<User> for UserShape {
    fn from(user: User) -> Self {
        Self {
            id: user.id.0,
            role: user.role.word().to_owned(),
            enabled: user.is_enabled(),
            invited: user.is_invited(),
            name: user.name,
            email: user.email,
            created_at: user.created_at,
            password_changed_at: user.password_changed_at,
            revision: user.revision,
            invitation: None,
            sessions: None,
            last_used_at: None,
        }
    }
}

/// A user to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Shown name.
    name: String,
    /// What the person types to sign in.
    email: String,
    /// `viewer`, `operator`, `account-admin` or `owner`.
    role: String,
    /// Password. Without one the answer tells a link with which the person chooses one.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    password: Option<Secret>,
}

/// What to change of a user; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedUser {
    /// The revision that the change was made from.
    revision: u64,
    /// Shown name.
    name: Option<String>,
    /// What the person types to sign in.
    email: Option<String>,
    /// `viewer`, `operator`, `account-admin` or `owner`.
    role: Option<String>,
    /// Whether the person may sign in.
    enabled: Option<bool>,
}

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// Password.
    #[schema(value_type = String)]
    password: Secret,
}

/// A user in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// Number of the user.
    #[param(value_type = u64)]
    id: String,
}

impl UserPath {
    /// The user. What is no number names nobody.
    pub(super) fn id(&self) -> Result<UserId, Problem> {
        self.id.parse().map_err(|_| Problem::not_found("user", &self.id))
    }
}

fn role(text: &str) -> Result<Role, Problem> {
    text.parse().map_err(|error| Problem::invalid(&FieldErrors::one("role", error)))
}

/// Which users.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in name, e-mail or role.
    q: Option<String>,
    /// `viewer`, `operator`, `account-admin` or `owner`.
    role: Option<String>,
    /// `enabled`, `invited` or `disabled`.
    standing: Option<String>,
    /// `added`, `name`, `email`, `role`, `standing`, `sessions` or `used`; with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Users on a page, at most 1000.
    per_page: Option<usize>,
}

/// Lists users, as they were added unless `sort` says otherwise.
#[utoipa::path(tag = "users", params(Wanted), responses((status = 200, body = List<UserShape>)))]
#[get("/users")]
pub async fn list_users(
    _: Caller,
    services: web::Data<Services>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<UserShape>>, Problem> {
    let Wanted { q, role, standing, sort, page, per_page } = wanted.into_inner();
    let paging = Paging::new(page, per_page)?;
    let sort = sort.unwrap_or_else(|| "added".to_owned());
    let asked = asked(&lists::users::LISTING, [("q", q), ("role", role), ("standing", standing), ("sort", Some(sort))])?;
    let found = blocking::call(&services, move |services| lists::users::list(services, &asked)).await?;
    let shape = |ListedUser { user, sessions, last_used }| UserShape {
        sessions: Some(sessions),
        last_used_at: last_used,
        ..UserShape::from(user)
    };
    Ok(web::Json(paging.cut(found.into_iter(), shape)))
}

/// Tells one user.
#[utoipa::path(tag = "users", params(UserPath), responses((status = 200, body = UserShape)))]
#[get("/users/{id}")]
pub async fn show_user(
    _: Caller,
    services: web::Data<Services>,
    path: web::Path<UserPath>,
) -> Result<web::Json<UserShape>, Problem> {
    let id = path.id()?;
    Ok(web::Json(blocking::call(&services, move |services| users::get(services, id)).await?.into()))
}

/// Adds a user, with a password or with an invitation.
#[utoipa::path(tag = "users", params(DryRun), request_body = NewUser, responses((status = 201, body = UserShape), (status = 200, description = "A dry run", body = UserShape)))]
#[post("/users")]
pub async fn add_user(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    new: Sent<NewUser>,
) -> Result<HttpResponse, Problem> {
    let NewUser { name, email, role: word, password } = new.into_inner();
    let access = password.map_or(Access::Invitation, Access::Password);
    let new = users::NewUser { name, email, role: role(&word)?, access };
    let mode = dry_run.mode();
    let added = blocking::call(&services, move |services| users::add(services, &caller.actor, &new, mode)).await?;
    let told = added.invitation.filter(|_| mode == Mode::Keep);
    let invitation = told.map(|token| invitation_link(&services, &token));
    Ok(HttpResponse::build(created(mode)).json(UserShape { invitation, ..UserShape::from(added.user) }))
}

/// Changes a user. Whoever gets another role or is disabled is signed out everywhere.
#[utoipa::path(tag = "users", params(UserPath, DryRun), request_body = ChangedUser, responses((status = 200, body = UserShape)))]
#[patch("/users/{id}")]
pub async fn change_user(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<UserPath>,
    dry_run: Asked<DryRun>,
    changed: Sent<ChangedUser>,
) -> Result<web::Json<UserShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let ChangedUser { revision, name, email, role: word, enabled } = changed.into_inner();
    let wanted = UserChange { revision: Some(revision), name, email, role: word.as_deref().map(role).transpose()?, enabled };
    let work = move |services: &Services| users::change(services, &caller.actor, id, &wanted, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// A user who was deleted, or would be, with what goes along or stays behind.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeletedUserShape {
    /// The user.
    #[serde(flatten)]
    pub user: UserShape,
    /// Names of the API tokens that the user made: they end.
    pub tokens: Vec<String>,
    /// Names of saved views that nobody else sees: they go along.
    pub views: Vec<String>,
    /// Names of shared views: they stay and belong to the caller.
    pub views_passed_on: Vec<String>,
    /// Names of shared views that stay and belong to nobody, because the caller has one of that name, has too many, or is no user.
    pub views_of_nobody: Vec<String>,
}

impl From<DeletedUser> for DeletedUserShape {
    fn from(DeletedUser { user, tokens, views }: DeletedUser) -> Self {
        let Left { gone, passed_on, ownerless } = views;
        Self { user: user.into(), tokens, views: gone, views_passed_on: passed_on, views_of_nobody: ownerless }
    }
}

/// Deletes a user with the API tokens that the user made, and answers the user with what goes along. Saved views that are shared stay
/// and belong to the caller.
#[utoipa::path(tag = "users", params(UserPath, DryRun), responses((status = 200, body = DeletedUserShape)))]
#[delete("/users/{id}")]
pub async fn delete_user(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<UserPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<DeletedUserShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let work = move |services: &Services| users::delete(services, &caller.actor, id, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Sets a user's password and ends all sessions of that user.
#[utoipa::path(tag = "users", params(UserPath, DryRun), request_body = NewPassword, responses((status = 200, body = UserShape)))]
#[put("/users/{id}/password")]
pub async fn set_user_password(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<UserPath>,
    dry_run: Asked<DryRun>,
    new: Sent<NewPassword>,
) -> Result<web::Json<UserShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let password = new.into_inner().password;
    let work = move |services: &Services| passwords::replace(services, &caller.actor, id, &password, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Makes a link with which a user chooses a new password, and tells it once. A link from before is worth nothing any more.
#[utoipa::path(tag = "users", params(UserPath, DryRun), responses((status = 200, body = UserShape)))]
#[post("/users/{id}/invitation")]
pub async fn invite_user(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<UserPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<UserShape>, Problem> {
    let (id, mode) = (path.id()?, dry_run.mode());
    let work = move |services: &Services| {
        let token = invitations::invite(services, &caller.actor, id, mode)?;
        Ok((token, users::get(services, id)?))
    };
    let (token, user) = blocking::call(&services, work).await?;
    let invitation = (mode == Mode::Keep).then(|| invitation_link(&services, &token));
    Ok(web::Json(UserShape { invitation, ..UserShape::from(user) }))
}
