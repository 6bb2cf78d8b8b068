//! Who is calling, and the token that changes need.

use actix_session::SessionExt;
use actix_web::{HttpRequest, get, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::problem::{Problem, Problems};
use crate::domain::access::Actor;
use crate::web::admin::session::token;

/// The caller's session.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionShape {
    /// Name of the user.
    pub user: String,
    /// What to send in the header `X-CSRF-Token` with whatever changes something.
    pub csrf_token: String,
}

/// Tells who is signed in, and the token that changes need.
#[utoipa::path(tag = "session", responses((status = 200, body = SessionShape), Problems))]
#[get("/session")]
pub async fn show_session(caller: Caller, request: HttpRequest) -> Result<web::Json<SessionShape>, Problem> {
    let user = match caller.actor {
        Actor::User { name, .. } => name,
        Actor::CommandLine => "command line".to_owned(),
    };
    Ok(web::Json(SessionShape { user, csrf_token: token(&request.get_session()) }))
}
