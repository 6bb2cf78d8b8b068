//! Signing in and out by a program, who is calling, the token that changes need, and the caller's own password.

use actix_session::{SessionExt, SessionInsertError};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, delete, get, post, put, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::caller::Caller;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use super::sign_ins::{self, OpenSessionShape};
use crate::domain::access::Actor;
use crate::domain::account::Secret;
use crate::domain::user::User;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::sign_in::{self, SignInError};
use crate::services::{confirmation, passwords};
use crate::web::admin::csrf;
use crate::web::admin::session::{self, Person, Visitor, token};
use crate::web::blocking;

/// The caller's session.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionShape {
    /// Name of the user.
    pub user: String,
    /// Number of the user.
    pub user_id: Option<u64>,
    /// What the caller may do: `viewer`, `operator`, `account-admin` or `owner`.
    pub role: String,
    /// What to send in the header `X-CSRF-Token` with whatever changes something; absent where a dry run began no session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<String>,
    /// Until when secrets are told without asking for the password once more; absent for a token, and where it is to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_until: Option<Timestamp>,
}

/// The caller's password, once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The caller's password.
    #[schema(value_type = String)]
    password: Secret,
    /// A code of the authenticator app, or a recovery code, where the caller has a second factor.
    #[serde(default)]
    code: String,
}

/// For how long the password is not asked for again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedShape {
    /// Until when; in a dry run, which confirms nothing, until when it would.
    pub confirmed_until: Timestamp,
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInShape {
    /// The user's e-mail address.
    email: String,
    /// The user's password.
    password: String,
    /// A code of the authenticator app, or a recovery code, where the user has a second factor.
    #[serde(default)]
    code: Option<String>,
}

/// The caller's own new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPassword {
    /// The password so far.
    #[schema(value_type = String)]
    current: Secret,
    /// The new one.
    #[schema(value_type = String)]
    password: Secret,
}

/// Signs in, for programs: the answer sets the session's cookie and tells the token that changes need. A dry run only tells whether
/// the password is right.
///
/// No token is asked for here: a page of another site cannot send JSON to us, and is refused by its origin besides.
#[utoipa::path(tag = "session", params(DryRun), request_body = SignInShape, security(()), responses((status = 200, body = SessionShape)))]
#[post("/session")]
pub async fn begin_session(
    request: HttpRequest,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    body: Sent<SignInShape>,
) -> Result<web::Json<SessionShape>, Problem> {
    if !csrf::is_same_origin(request.headers()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "the request came from another site; nobody was signed in"));
    }
    let SignInShape { email, password, code } = body.into_inner();
    let from = sign_in::From { address: session::address(&request), mark: session::mark(&request) };
    let (password, mode) = (Secret::new(password), dry_run.mode());
    let check = move |services: &Services| Ok(sign_in::at_once(services, &email, &password, code.as_deref(), &from, mode));
    let user = blocking::call(&services, check).await?.map_err(refused)?;
    let user = user.ok_or_else(|| {
        Problem::new(StatusCode::UNAUTHORIZED, "this user has a second factor: send its code in the field code too")
    })?;
    let (csrf_token, confirmed_until) = match mode {
        Mode::Keep => begin(&request, &services, &user).map(|(token, until)| (Some(token), until))?,
        Mode::TryOut => (None, None),
    };
    let role = user.role.word().to_owned();
    Ok(web::Json(SessionShape { user: user.name, user_id: Some(user.id.0), role, csrf_token, confirmed_until }))
}

fn refused(error: SignInError) -> Problem {
    match error {
        SignInError::Service(error) => error.into(),
        SignInError::Wrong => Problem::new(StatusCode::UNAUTHORIZED, error),
        SignInError::Wait(pause) => Problem::wait(sign_in::seconds(pause), error),
    }
}

/// Begins a session in place of the request's own, and answers its token, and until when the password counts that began it.
fn begin(request: &HttpRequest, services: &Services, user: &User) -> Result<(String, Option<Timestamp>), Problem> {
    let person = Person::entering(services, user);
    session::sign_in(request, &person).map_err(not_kept)?;
    Ok((token(&request.get_session()), person.confirmed_until()))
}

fn not_kept(error: SessionInsertError) -> Problem {
    tracing::error!(%error, "a session could not be kept");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the session could not be kept; the log of the server says why")
}

/// Confirms that it is the caller who asks, by the caller's password. For ten minutes, and after signing in, the operations that tell
/// secrets, manage users or make API tokens answer; otherwise they answer 403 and name this operation.
#[utoipa::path(tag = "session", params(DryRun), request_body = Confirmation, responses((status = 200, body = ConfirmedShape)))]
#[post("/session/confirmation")]
pub async fn confirm_session(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<Confirmation>,
) -> Result<web::Json<ConfirmedShape>, Problem> {
    let (id, mode) = (sign_ins::user(&caller)?, dry_run.mode());
    let Confirmation { password, code } = sent.into_inner();
    let check = move |services: &Services| confirmation::confirm(services, &caller.actor, id, &password, &code, mode);
    blocking::call(&services, check).await?;
    let visitor = Visitor::of(&request);
    if let Some(person) = visitor.person().filter(|_| mode == Mode::Keep) {
        session::confirm(&request, person).map_err(not_kept)?;
    }
    let confirmed_until = confirmation::counts_until(services.clock().now());
    Ok(web::Json(ConfirmedShape { confirmed_until }))
}

/// Tells who is signed in, and the token that changes need.
#[utoipa::path(tag = "session", responses((status = 200, body = SessionShape)))]
#[get("/session")]
pub async fn show_session(caller: Caller, request: HttpRequest) -> Result<web::Json<SessionShape>, Problem> {
    let is_of_a_session = matches!(caller.actor, Actor::User { .. });
    let csrf_token = is_of_a_session.then(|| token(&request.get_session()));
    let visitor = is_of_a_session.then(|| Visitor::of(&request));
    let person = visitor.as_ref().and_then(Visitor::person).filter(|person| person.is_confirmed());
    let confirmed_until = person.and_then(Person::confirmed_until);
    let role = caller.actor.role().word().to_owned();
    let (user, user_id) = match caller.actor {
        Actor::User { id, name, .. } => (name, Some(id.0)),
        token_or_command_line => (token_or_command_line.shown(), None),
    };
    Ok(web::Json(SessionShape { user, user_id, role, csrf_token, confirmed_until }))
}

/// Signs out: the session ends everywhere at once. Answers the session that ended.
#[utoipa::path(tag = "session", params(DryRun), responses((status = 200, body = OpenSessionShape)))]
#[delete("/session")]
pub async fn end_session(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<OpenSessionShape>, Problem> {
    let open = sign_ins::open(&caller, &request, &services)?;
    let own = open.into_iter().find(|one| one.current).ok_or_else(|| Problem::not_found("session", "of this cookie"))?;
    if dry_run.mode() == Mode::Keep {
        blocking::call(&services, move |services| sign_in::signed_out(services, &caller.actor)).await?;
        session::sign_out(&request.get_session());
    }
    Ok(web::Json(own))
}

/// Changes the caller's own password. All sessions of the caller end; the answer begins a new one, with another cookie and token.
#[utoipa::path(tag = "session", params(DryRun), request_body = OwnPassword, responses((status = 200, body = SessionShape)))]
#[put("/session/password")]
pub async fn change_own_password(
    caller: Caller,
    request: HttpRequest,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<OwnPassword>,
) -> Result<web::Json<SessionShape>, Problem> {
    let (id, mode) = (sign_ins::user(&caller)?, dry_run.mode());
    let OwnPassword { current, password } = sent.into_inner();
    let change = move |services: &Services| passwords::change_own(services, &caller.actor, id, &current, &password, mode);
    let user = blocking::call(&services, change).await?;
    let (csrf_token, confirmed_until) = match mode {
        Mode::Keep => begin(&request, &services, &user)?,
        Mode::TryOut => (token(&request.get_session()), None),
    };
    let role = user.role.word().to_owned();
    Ok(web::Json(SessionShape { user: user.name, user_id: Some(id.0), role, csrf_token: Some(csrf_token), confirmed_until }))
}
