//! Taking up an invitation: for whoever was handed its link, without a session or a token.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::DryRun;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::account::Secret;
use crate::services::sign_in::{self, SignInError};
use crate::services::{Services, invitations};
use crate::web::admin::{csrf, session};
use crate::web::blocking;

/// The invitation that is taken up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakenInvitation {
    /// What stands behind `token=` in the link.
    #[schema(value_type = String)]
    token: Secret,
    /// The password that the person chose.
    #[schema(value_type = String)]
    password: Secret,
}

/// Who was invited.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct InvitedShape {
    /// Shown name.
    pub name: String,
    /// What the person types to sign in.
    pub email: String,
    /// `viewer`, `operator`, `account-admin` or `owner`.
    pub role: String,
}

/// Takes up an invitation: sets the password that the person chose, and uses the link up. 404 for a link that was used, has grown old
/// or never was. A dry run tells whom the link invites and whether the password can be taken.
///
/// No token of a session is asked for here: a page of another site cannot send JSON to us, and is refused by its origin besides.
#[utoipa::path(tag = "session", params(DryRun), request_body = TakenInvitation, security(()), responses((status = 200, body = InvitedShape)))]
#[post("/invitation")]
pub async fn accept_invitation(
    request: HttpRequest,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    body: Sent<TakenInvitation>,
) -> Result<web::Json<InvitedShape>, Problem> {
    if !csrf::is_same_origin(request.headers()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "the request came from another site; nothing was changed"));
    }
    let TakenInvitation { token, password } = body.into_inner();
    let (address, mode) = (session::address(&request), dry_run.mode());
    let accept = move |services: &Services| Ok(invitations::accept(services, token.expose(), &password, address, mode));
    let user = blocking::call(&services, accept).await?.map_err(refused)?;
    Ok(web::Json(InvitedShape { name: user.name, email: user.email, role: user.role.word().to_owned() }))
}

/// A link that was used is told like one that never was.
fn refused(error: SignInError) -> Problem {
    match error {
        SignInError::Service(error) => error.into(),
        SignInError::Wrong => {
            let detail = "this link was used before or is too old; ask an owner for another one, or sign in";
            Problem::new(StatusCode::NOT_FOUND, detail)
        }
        SignInError::Wait(pause) => {
            let seconds = sign_in::seconds(pause);
            Problem::wait(seconds, format_args!("too many wrong links; try again in {seconds} s"))
        }
    }
}
