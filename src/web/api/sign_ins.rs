//! Where the caller is signed in.

use actix_session::SessionExt;
use actix_web::{HttpRequest, delete, get, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::DryRun;
use super::caller::Caller;
use super::list::{List, Narrow, Order, narrowed};
use super::problem::Problem;
use super::sent::Asked;
use super::users::UserPath;
use crate::domain::access::Actor;
use crate::domain::ids::UserId;
use crate::domain::session::SessionKey;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::sessions::{self, Listed};
use crate::services::{sign_in, users};
use crate::web::admin::session;
use crate::web::blocking;

/// A browser or program that is signed in as the caller.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenSessionShape {
    /// Names it; the cookie's value cannot be found from it.
    pub id: String,
    /// What it calls itself.
    pub user_agent: String,
    /// Where it was last used from.
    pub address: Option<String>,
    /// When it was signed in.
    pub since: Timestamp,
    /// When it was last used.
    pub last_used: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl OpenSessionShape {
    fn new(Listed { key, session }: Listed, token: &str) -> Self {
        Self {
            id: hex::encode(key.0),
            user_agent: session.user_agent,
            address: session.address.map(|address| address.to_string()),
            since: session.created_at,
            last_used: session.last_seen_at,
            current: session.state.get(session::CSRF).is_some_and(|own| own == token),
        }
    }
}

/// A session in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OpenSessionPath {
    /// Its name, as the list has it.
    id: String,
}

const SESSIONS: &[Order<OpenSessionShape>] = &[
    ("-last_used", |a, b| (b.last_used, &a.id).cmp(&(a.last_used, &b.id))),
    ("since", |a, b| (a.since, &a.id).cmp(&(b.since, &b.id))),
    ("address", |a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id))),
];

/// Lists where the caller is signed in; sorts by `last_used`, `since` or `address`.
#[utoipa::path(tag = "session", params(Narrow), responses((status = 200, body = List<OpenSessionShape>)))]
#[get("/sessions")]
pub async fn list_sign_ins(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<OpenSessionShape>>, Problem> {
    let texts = |one: &OpenSessionShape| vec![one.user_agent.clone(), one.address.clone().unwrap_or_default()];
    Ok(web::Json(narrowed(open(&caller, &request, &services)?, &asked, texts, SESSIONS)?))
}

/// Ends one of the caller's sessions and answers it.
#[utoipa::path(tag = "session", params(OpenSessionPath, DryRun), responses((status = 200, body = OpenSessionShape)))]
#[delete("/sessions/{id}")]
pub async fn end_sign_in(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
    path: web::Path<OpenSessionPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<OpenSessionShape>, Problem> {
    let not_found = || Problem::not_found("session", &path.id);
    let key = key(&path.id).ok_or_else(not_found)?;
    let one = open(&caller, &request, &services)?.into_iter().find(|one| one.id == path.id).ok_or_else(not_found)?;
    if dry_run.mode() == Mode::Keep {
        let user = user(&caller)?;
        blocking::call(&services, move |services| sessions::end_one_of(services, user, key)).await?;
    }
    Ok(web::Json(one))
}

/// A session of a user in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionOfUserPath {
    /// Number of the user.
    #[param(value_type = u64)]
    id: String,
    /// The session's name, as the list has it.
    session: String,
}

/// Lists where a user is signed in; sorts by `last_used`, `since` or `address`.
#[utoipa::path(tag = "users", params(UserPath, Narrow), responses((status = 200, body = List<OpenSessionShape>)))]
#[get("/users/{id}/sessions")]
pub async fn list_sign_ins_of_user(
    _: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
    path: web::Path<UserPath>,
    asked: Asked<Narrow>,
) -> Result<web::Json<List<OpenSessionShape>>, Problem> {
    let user = users::get(&services, path.id()?)?;
    let texts = |one: &OpenSessionShape| vec![one.user_agent.clone(), one.address.clone().unwrap_or_default()];
    Ok(web::Json(narrowed(open_of(user.id, &request, &services), &asked, texts, SESSIONS)?))
}

/// Ends one of a user's sessions and answers it.
#[utoipa::path(tag = "users", params(SessionOfUserPath, DryRun), responses((status = 200, body = OpenSessionShape)))]
#[delete("/users/{id}/sessions/{session}")]
pub async fn end_sign_in_of_user(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
    path: web::Path<SessionOfUserPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<OpenSessionShape>, Problem> {
    let id = path.id.parse().map_err(|_| Problem::not_found("user", &path.id))?;
    let user = users::get(&services, id)?;
    let not_found = || Problem::not_found("session", &path.session);
    let key = key(&path.session).ok_or_else(not_found)?;
    let one = open_of(user.id, &request, &services).into_iter().find(|one| one.id == path.session).ok_or_else(not_found)?;
    if dry_run.mode() == Mode::Keep {
        blocking::call(&services, move |services| sign_in::end_of_other(services, &caller.actor, user.id, key)).await?;
    }
    Ok(web::Json(one))
}

fn key(id: &str) -> Option<SessionKey> {
    hex::decode(id).ok().and_then(|bytes| bytes.try_into().ok()).map(SessionKey)
}

/// Where the caller is signed in.
pub(super) fn open(caller: &Caller, request: &HttpRequest, services: &Services) -> Result<Vec<OpenSessionShape>, Problem> {
    Ok(open_of(user(caller)?, request, services))
}

/// Where a user is signed in.
fn open_of(user: UserId, request: &HttpRequest, services: &Services) -> Vec<OpenSessionShape> {
    // Sessions keep what pages put into them as JSON.
    let token = serde_json::Value::from(session::token(&request.get_session())).to_string();
    let own = sessions::of_user(services, user);
    own.into_iter().map(|listed| OpenSessionShape::new(listed, &token)).collect()
}

/// The user who calls.
pub(super) fn user(caller: &Caller) -> Result<UserId, Problem> {
    match caller.actor {
        Actor::User { id, .. } => Ok(id),
        Actor::Token { .. } | Actor::CommandLine => Err(Problem::not_found("session", "of this caller: only people have some")),
    }
}
