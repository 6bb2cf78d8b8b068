//! Who calls the API, and for which account.
//!
//! The admin session is the only way in: its cookie, and for whatever changes something also its token in the header
//! `X-CSRF-Token`, so that no other site can make a signed-in browser call. `GET /api/v1/session` tells the token.

use std::future::{Ready, ready};

use actix_session::SessionExt;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest};
use subtle::ConstantTimeEq;

use super::problem::Problem;
use crate::domain::access::Actor;
use crate::domain::ids::{AccountId, DEFAULT_ACCOUNT, DEFAULT_ACCOUNT_LABEL};
use crate::web::admin::{csrf, session};

/// A caller who may use the API, and the account in the path. As a handler's argument it guards the handler.
pub struct Caller {
    /// Who, as services want to know it.
    pub actor: Actor,
    /// The account that the path names; the default one where it names none.
    pub account: AccountId,
}

impl Caller {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let actor = session::actor(request).ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, "sign in by POST /api/v1/session or at /admin/ and send the session's cookie")
        })?;
        if !request.method().is_safe() {
            check_origin(request)?;
        }
        let account = match request.match_info().get("account") {
            None | Some(DEFAULT_ACCOUNT_LABEL) => DEFAULT_ACCOUNT,
            Some(other) => return Err(Problem::not_found("account", other)),
        };
        Ok(Self { actor, account })
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
