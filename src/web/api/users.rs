//! People who sign in. They belong to the server, not to an account.

use actix_web::{HttpResponse, get, post, put, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{DryRun, created};
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::account::Secret;
use crate::domain::ids::UserId;
use crate::domain::user::{Role, User};
use crate::services::Services;
use crate::services::users::{self, UserDraft};
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
    /// `owner`.
    pub role: String,
    /// When the user was added.
    pub created_at: Timestamp,
    /// When the password was last set.
    pub password_changed_at: Timestamp,
}

impl From<User> for UserShape {
    fn from(user: User) -> Self {
        let role = match user.role {
            Role::Owner => "owner".to_owned(),
        };
        let User { id, name, email, created_at, password_changed_at, .. } = user;
        Self { id: id.0, name, email, role, created_at, password_changed_at }
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
    /// Password.
    #[schema(value_type = String)]
    password: Secret,
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

const USERS: &[Order<UserShape>] = &[
    ("added", |a, b| a.id.cmp(&b.id)),
    ("name", |a, b| (a.name.to_lowercase(), a.id).cmp(&(b.name.to_lowercase(), b.id))),
    ("email", |a, b| (a.email.to_lowercase(), a.id).cmp(&(b.email.to_lowercase(), b.id))),
];

/// Lists users; sorts by `added`, `name` or `email`.
#[utoipa::path(tag = "users", params(Narrow), responses((status = 200, body = List<UserShape>)))]
#[get("/users")]
pub async fn list_users(
    _: Caller,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<UserShape>>, Problem> {
    let users = blocking::call(&services, users::list).await?;
    let all = users.into_iter().map(UserShape::from).collect();
    Ok(web::Json(narrowed(all, &asked, |one| vec![one.name.clone(), one.email.clone()], USERS)?))
}

/// Adds a user.
#[utoipa::path(tag = "users", params(DryRun), request_body = NewUser, responses((status = 201, body = UserShape), (status = 200, description = "A dry run", body = UserShape)))]
#[post("/users")]
pub async fn add_user(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    new: Sent<NewUser>,
) -> Result<HttpResponse, Problem> {
    let NewUser { name, email, password } = new.into_inner();
    let (draft, mode) = (UserDraft { name, email, password }, dry_run.mode());
    let made = blocking::call(&services, move |services| users::add(services, &caller.actor, &draft, mode)).await?;
    Ok(HttpResponse::build(created(mode)).json(UserShape::from(made)))
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
    let id: UserId = path.id.parse().map_err(|_| Problem::not_found("user", &path.id))?;
    let (password, mode) = (new.into_inner().password, dry_run.mode());
    let work = move |services: &Services| users::replace_password(services, &caller.actor, id, &password, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}
