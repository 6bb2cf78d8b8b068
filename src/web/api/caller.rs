//! Who calls the API, and for which account.
//!
//! Two ways in. A program brings an API token ([`crate::web::bearer`]). A browser, or a program that signed in, brings the admin
//! session: its cookie, and for whatever changes something also its token in the header `X-CSRF-Token`, so that no other site can
//! make a signed-in browser call; `GET /api/v1/session` tells it. The two are never mixed. [`admit`] asks for the role that
//! [`crate::web::route_roles`] names, before any handler.

use std::future::{Ready, ready};

use actix_session::SessionExt;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, ResponseError as _};
use subtle::ConstantTimeEq;

use super::problem::Problem;
use crate::domain::access::{Action, Actor, Denied, authorize};
use crate::domain::consent::Consent;
use crate::domain::ids::{AccountId, DEFAULT_ACCOUNT, DEFAULT_ACCOUNT_LABEL};
use crate::domain::user::Role;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::web::admin::{csrf, session};
use crate::web::bearer::{self, Presented};
use crate::web::methods::Room;
use crate::web::route_roles::Least;

/// A caller who may use the API, and the account in the path. As a handler's argument it guards the handler.
pub struct Caller {
    /// Who, as services want to know it.
    pub actor: Actor,
    /// The account that the path names; the default one where it names none.
    pub account: AccountId,
}

/// Middleware: lets those pass who have the role that the operation takes, and tells its handler who they are.
pub async fn admit(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<BoxBody>, Error> {
    let least = request.app_data::<Data<Room>>().and_then(|room| room.least(request.method(), request.path()));
    if let Some((least, role)) = least.and_then(|least| Some((least, least.role()?))) {
        // No clone of the request may live on when it is passed on: routing writes into it.
        match known(request.request().clone(), role).await.and_then(|actor| confirmed(actor, least)) {
            Ok(actor) => drop(request.extensions_mut().insert(actor)),
            Err(problem) => return Ok(refused(request, &problem)),
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn refused(request: ServiceRequest, problem: &Problem) -> ServiceResponse<BoxBody> {
    let mut answer = problem.error_response();
    if answer.status() == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    request.into_response(answer)
}

/// Who asks, if it is somebody with at least this role.
async fn known(request: HttpRequest, least: Role) -> Result<Actor, Problem> {
    let services = request.app_data::<Data<Services>>().expect("the API is registered together with the services");
    let actor = match bearer::presented(&request, services).await? {
        Presented::No => session::actor(&request).ok_or_else(|| {
            let detail = "send an API token in the header Authorization, or sign in by POST /api/v1/session or at /admin/ and send the \
                          session's cookie";
            Problem::new(StatusCode::UNAUTHORIZED, detail)
        })?,
        _ if request.cookie(session::COOKIE).is_some() => {
            let detail = "send either an API token or the session's cookie, not both; nothing was changed";
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        Presented::Bad => {
            let detail = "this API token is unknown, has ended or was revoked; an account admin can make another one";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
        }
        Presented::Good(actor) => actor,
    };
    if actor.role() < least {
        return Err(ServiceError::from(Denied::Role(least)).into());
    }
    Ok(actor)
}

/// Refuses a person who has to give the password once more. What a token may do is asked for where it is done.
fn confirmed(actor: Actor, least: Least) -> Result<Actor, Problem> {
    match (&actor, least) {
        (Actor::User { confirmed: false, .. }, Least::Confirmed(_)) => Err(ServiceError::from(Denied::Unconfirmed).into()),
        _ => Ok(actor),
    }
}

impl Caller {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        // Whoever is not known by now asks for something that is open to anyone, and that needs no caller.
        let known = request.extensions().get::<Actor>().cloned();
        let actor = known.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "sign in first"))?;
        if !request.method().is_safe() && !matches!(actor, Actor::Token { .. }) {
            check_origin(request)?;
        }
        let account = match request.match_info().get("account") {
            None | Some(DEFAULT_ACCOUNT_LABEL) => DEFAULT_ACCOUNT,
            Some(other) => return Err(Problem::not_found("account", other)),
        };
        authorize(&actor, Action::Look(account)).map_err(ServiceError::from)?;
        let consent = request.extensions().get::<Consent>().cloned().unwrap_or_default();
        Ok(Self { actor: actor.with_consent(consent), account })
    }
}

/// A change must come from a page of ours, or from a program that holds the session's token.
fn check_origin(request: &HttpRequest) -> Result<(), Problem> {
    if !csrf::is_same_origin(request.headers()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "the request came from another site; nothing was changed"));
    }
    let expected = session::token(&request.get_session());
    let given = request.headers().get(csrf::HEADER).map(|value| value.as_bytes());
    if !given.is_some_and(|given| bool::from(given.ct_eq(expected.as_bytes()))) {
        let detail = "send the token that GET /api/v1/session tells in the header X-CSRF-Token; nothing was changed";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    Ok(())
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
