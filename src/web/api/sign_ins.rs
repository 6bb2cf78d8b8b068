//! Where the caller is signed in.

use actix_web::{HttpResponse, delete, get, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::DryRun;
use super::caller::Caller;
use super::list::List;
use super::problem::{Problem, Problems};
use crate::domain::access::Actor;
use crate::domain::ids::UserId;
use crate::domain::session::SessionKey;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::sessions::{self, Listed};
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
}

impl From<Listed> for OpenSessionShape {
    fn from(Listed { key, session }: Listed) -> Self {
        Self {
            id: hex::encode(key.0),
            user_agent: session.user_agent,
            address: session.address.map(|address| address.to_string()),
            since: session.created_at,
            last_used: session.last_seen_at,
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

/// Lists where the caller is signed in.
#[utoipa::path(tag = "session", responses((status = 200, body = List<OpenSessionShape>), Problems))]
#[get("/sessions")]
pub async fn list_sign_ins(caller: Caller, services: web::Data<Services>) -> Result<web::Json<List<OpenSessionShape>>, Problem> {
    let own = sessions::of_user(&services, user(&caller)?);
    Ok(web::Json(List { total: own.len(), items: own.into_iter().map(OpenSessionShape::from).collect() }))
}

/// Ends one of the caller's sessions.
#[utoipa::path(tag = "session", params(OpenSessionPath, DryRun), responses((status = 204, description = "It has ended"), Problems))]
#[delete("/sessions/{id}")]
pub async fn end_sign_in(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<OpenSessionPath>,
    dry_run: web::Query<DryRun>,
) -> Result<HttpResponse, Problem> {
    let not_found = || Problem::not_found("session", &path.id);
    let key = hex::decode(&path.id).ok().and_then(|bytes| bytes.try_into().ok()).map(SessionKey).ok_or_else(not_found)?;
    let user = user(&caller)?;
    let ended = match dry_run.mode() {
        Mode::TryOut => sessions::of_user(&services, user).iter().any(|one| one.key == key),
        Mode::Keep => blocking::call(&services, move |services| sessions::end_one_of(services, user, key)).await?,
    };
    match ended {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(not_found()),
    }
}

fn user(caller: &Caller) -> Result<UserId, Problem> {
    match caller.actor {
        Actor::User { id, .. } => Ok(id),
        Actor::CommandLine => Err(Problem::not_found("session", "of the command line")),
    }
}
