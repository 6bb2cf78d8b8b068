//! Signing in and out by a program, who is calling, and the token that changes need.

use actix_session::SessionExt;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::problem::{Problem, Problems};
use crate::domain::access::Actor;
use crate::domain::account::Secret;
use crate::services::Services;
use crate::services::sign_in::{self, SignInError};
use crate::web::admin::csrf;
use crate::web::admin::session::{self, Person, token};
use crate::web::blocking;

/// The caller's session.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionShape {
    /// Name of the user.
    pub user: String,
    /// What to send in the header `X-CSRF-Token` with whatever changes something.
    pub csrf_token: String,
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInShape {
    /// The user's e-mail address.
    email: String,
    /// The user's password.
    password: String,
}

/// Signs in, for programs: the answer sets the session's cookie and tells the token that changes need.
///
/// No token is asked for here: a page of another site cannot send JSON to us, and is refused by its origin besides.
#[utoipa::path(tag = "session", request_body = SignInShape, security(()), responses((status = 200, body = SessionShape), Problems))]
#[post("/session")]
pub async fn begin_session(
    request: HttpRequest,
    services: web::Data<Services>,
    body: web::Json<SignInShape>,
) -> Result<web::Json<SessionShape>, Problem> {
    if !csrf::is_same_origin(request.headers()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "the request came from another site; nobody was signed in"));
    }
    let SignInShape { email, password } = body.into_inner();
    let from = sign_in::From { address: session::address(&request), mark: session::mark(&request) };
    let password = Secret::new(password);
    let checked = blocking::call(&services, move |services| Ok(sign_in::sign_in(services, &email, &password, &from))).await;
    let user = match checked {
        Ok(Ok(user)) => user,
        Ok(Err(SignInError::Service(error))) | Err(error) => return Err(error.into()),
        Ok(Err(error @ SignInError::Wrong)) => return Err(Problem::new(StatusCode::UNAUTHORIZED, error)),
        Ok(Err(error @ SignInError::Wait(wait))) => return Err(Problem::wait(sign_in::seconds(wait), error)),
    };
    let person = Person { id: user.id, name: user.name.clone(), role: user.role, since: services.clock().now() };
    session::sign_in(&request, &person).map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error))?;
    Ok(web::Json(SessionShape { user: user.name, csrf_token: token(&request.get_session()) }))
}

/// Tells who is signed in, and the token that changes need.
#[utoipa::path(tag = "session", responses((status = 200, body = SessionShape), Problems))]
#[get("/session")]
pub async fn show_session(caller: Caller, request: HttpRequest) -> Result<web::Json<SessionShape>, Problem> {
    Ok(web::Json(SessionShape { user: name(caller.actor), csrf_token: token(&request.get_session()) }))
}

/// Signs out: the session ends everywhere at once.
#[utoipa::path(tag = "session", responses((status = 204, description = "Signed out"), Problems))]
#[delete("/session")]
pub async fn end_session(caller: Caller, request: HttpRequest, services: web::Data<Services>) -> Result<HttpResponse, Problem> {
    blocking::call(&services, move |services| sign_in::signed_out(services, &caller.actor)).await?;
    session::sign_out(&request.get_session());
    Ok(HttpResponse::NoContent().finish())
}

fn name(actor: Actor) -> String {
    match actor {
        Actor::User { name, .. } => name,
        Actor::CommandLine => "command line".to_owned(),
    }
}
