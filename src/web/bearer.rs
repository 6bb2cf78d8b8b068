//! API tokens in requests: `Authorization: Bearer pdms_…`. Programs use them for the API and for the figures; pages and phone paths
//! know nothing of them (PHN-04).

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;

use super::blocking;
use crate::domain::access::Actor;
use crate::services::Services;
use crate::services::error::{ServiceError, chain};
use crate::services::tokens;

/// What a request says of a token.
#[derive(Debug)]
pub enum Presented {
    /// Nothing.
    No,
    /// One that does not count: unknown, ended, or of somebody who is gone.
    Bad,
    /// One that counts, and for whom.
    Good(Actor),
}

/// Looks at the token that a request brings, and notes its use now and then.
///
/// # Errors
/// The state could not be read.
pub async fn presented(request: &HttpRequest, services: &Data<Services>) -> Result<Presented, ServiceError> {
    let Some(text) = text(request) else { return Ok(Presented::No) };
    let Some(bearer) = tokens::recognise(services, &text)? else { return Ok(Presented::Bad) };
    if !bearer.is_to_be_noted(services.clock().now()) {
        return Ok(Presented::Good(bearer.actor));
    }
    let actor = bearer.actor.clone();
    // Who only reads is answered also where nothing can be written.
    if let Err(error) = blocking::call(services, move |services| tokens::note_use(services, &bearer)).await {
        tracing::error!(error = chain(&error), "the use of an API token could not be noted");
    }
    Ok(Presented::Good(actor))
}

/// Whether a request brings a token at all.
pub fn is_brought(request: &HttpRequest) -> bool {
    text(request).is_some()
}

fn text(request: &HttpRequest) -> Option<String> {
    let (scheme, rest) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim().to_owned())
}
