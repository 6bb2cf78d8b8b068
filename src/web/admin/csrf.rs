//! No other site can make a signed-in browser change anything (ADM-07): one middleware for every unsafe request.
//!
//! It asks two things. The browser must say that the request comes from a page of ours (`Sec-Fetch-Site`, else `Origin`), and the
//! request must repeat the session's token: in the header `X-CSRF-Token`, or in the field `csrf` of its form. A multipart form
//! has that field first. The body is read here, up to a limit, and handed on.

use actix_multipart::Multipart;
use actix_session::SessionExt;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, error, web};
use futures_util::{StreamExt, stream};
use subtle::ConstantTimeEq;

use super::errors;
use super::forms::sentence;
use super::read_ahead;
use super::session::{self, SignInFirst, Visitor};
use super::setup;
use super::unsent;
use crate::services::{Services, form_tokens};
use crate::web::sizes::{self, Size};

/// Header that scripts and the API send the token in.
pub const HEADER: &str = "x-csrf-token";
/// Bytes in a form from anybody else: also from somebody whose session ended over it.
const STRANGER_FORM_BYTES: usize = 64 * 1024;

/// Why an unsafe request goes no further.
enum Refusal {
    /// It comes from another site, or nobody can tell.
    Forged(&'static str),
    /// It comes from a page of ours, but of a session that has ended (R15).
    Ended,
    /// Its body is above the limit.
    TooLarge,
}

/// Lets safe requests pass and unsafe ones only with proof that they come from a page of this session.
pub async fn protect(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // No clone of the request may live on when it is passed on: routing writes into it.
    match judge(&mut request).await? {
        None => Ok(next.call(request).await?.map_into_boxed_body()),
        Some(Refusal::Forged(why)) => Ok(forged(request, why)),
        Some(Refusal::Ended) => ended(request).await,
        Some(Refusal::TooLarge) => Ok(too_large(request)),
    }
}

async fn judge(request: &mut ServiceRequest) -> Result<Option<Refusal>, Error> {
    // The API asks for the same proof, but answers programs: `api::caller` refuses with a problem instead of a page.
    if request.method().is_safe() || request.path().starts_with("/api/") {
        return Ok(None);
    }
    if !is_same_origin(request.headers()) {
        return Ok(Some(Refusal::Forged("the request came from another site")));
    }
    // An uploaded backup is too big to be read ahead: the one-time token in its address is what nobody else can know.
    if request.path() == setup::RESTORE {
        return Ok(None);
    }
    let expected = session::token(&request.get_session());
    let in_header = request.headers().get(HEADER).map(|value| value.as_bytes().to_vec());
    let given = match in_header {
        Some(token) => Some(token),
        None => {
            let is_signed_in = Visitor::of(request.request()).person().is_some();
            if is_signed_in && sizes::is_streamed(request.path()) {
                let given = read_ahead::first_field(request, "csrf").await?;
                let is_own = given.is_some_and(|token| bool::from(token.ct_eq(expected.as_bytes())));
                return Ok((!is_own).then_some(Refusal::Ended));
            }
            let limit = if is_signed_in { Size::of_form_at(request.path()) } else { STRANGER_FORM_BYTES };
            let Some(body) = buffered(request, limit).await? else {
                let has_ended = !is_signed_in && !is_open_to_strangers(request.path());
                return Ok(Some(if has_ended { Refusal::Ended } else { Refusal::TooLarge }));
            };
            token_in(request.headers(), body).await
        }
    };
    let is_own = given.is_some_and(|token| bool::from(token.ct_eq(expected.as_bytes())));
    Ok((!is_own).then_some(Refusal::Ended))
}

/// What the browser says of the page that sent the request. Programs that are no browsers say nothing: for them the token decides.
pub(in crate::web) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text(ORIGIN.as_str()), text(HOST.as_str())) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(host)),
        (Some(_), None) => false,
    }
}

/// Reads the body up to a limit and puts it back for the handler; none where it is larger.
pub(super) async fn buffered(request: &mut ServiceRequest, limit: usize) -> Result<Option<Bytes>, Error> {
    let mut payload = request.take_payload();
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(error::ErrorBadRequest)?;
        if body.len() + chunk.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    let body = Bytes::from(body);
    request.set_payload(Payload::from(body.clone()));
    Ok(Some(body))
}

async fn token_in(headers: &HeaderMap, body: Bytes) -> Option<Vec<u8>> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if kind.starts_with("application/x-www-form-urlencoded") {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).ok()?;
        return pairs.into_iter().find(|(name, _)| name == "csrf").map(|(_, token)| token.into_bytes());
    }
    if !kind.starts_with("multipart/form-data") {
        return None;
    }
    let mut parts = Multipart::new(headers, stream::iter([Ok::<_, error::PayloadError>(body)]));
    let mut first = parts.next().await?.ok()?;
    if first.name() != Some("csrf") {
        return None;
    }
    let mut token = Vec::new();
    while let Some(Ok(chunk)) = first.next().await {
        token.extend_from_slice(&chunk);
    }
    Some(token)
}

/// A request that may come from another site: nothing of it is kept. Who is not signed in is led to the sign-in page.
fn forged(request: ServiceRequest, why: &str) -> ServiceResponse<BoxBody> {
    let visitor = Visitor::of(request.request());
    tracing::warn!(path = request.path(), why, "a change was refused");
    let back = session::page_to_return_to(request.request());
    let is_stranger = visitor.person().is_none() && !is_open_to_strangers(request.path());
    let answer = if is_stranger { SignInFirst(back).error_response() } else { errors::forged(&visitor, back.as_str()) };
    into_response(request, answer)
}

/// A session that ended while a form was open leads to the sign-in page and back to the form with what was typed; where
/// somebody has signed in again meanwhile, straight back to it.
async fn ended(mut request: ServiceRequest) -> Result<ServiceResponse<BoxBody>, Error> {
    if is_open_to_strangers(request.path()) {
        return Ok(forged(request, "the form's token is missing or not of this session"));
    }
    tracing::info!(path = request.path(), "a form came after its session had ended");
    let back = session::page_to_return_to(request.request());
    let body = buffered(&mut request, STRANGER_FORM_BYTES).await?.unwrap_or_default();
    let token = token_in(request.headers(), body.clone()).await.and_then(|token| String::from_utf8(token).ok());
    let services = request.app_data::<web::Data<Services>>().expect("pages are registered together with the services");
    let owner = token.and_then(|token| form_tokens::owner(services, &token));
    let page = unsent::keep(services, request.path(), &body, owner, &back);
    let visitor = Visitor::of(request.request());
    let answer = match visitor.person() {
        Some(_) => errors::forged(&visitor, page.as_str()),
        None => SignInFirst(page).error_response(),
    };
    Ok(into_response(request, answer))
}

fn too_large(request: ServiceRequest) -> ServiceResponse<BoxBody> {
    let back = session::page_to_return_to(request.request());
    let told = Size::at(request.path()).map_or_else(|| "A form may have 16 MiB.".to_owned(), |size| sentence(&size.exceeded()));
    let answer = errors::too_large(&Visitor::of(request.request()), &told, back.as_str());
    into_response(request, answer)
}

fn into_response(request: ServiceRequest, answer: HttpResponse) -> ServiceResponse<BoxBody> {
    request.into_response(answer.map_into_boxed_body())
}

/// Pages whose forms nobody needs to be signed in for.
fn is_open_to_strangers(path: &str) -> bool {
    path.starts_with("/admin/sign-in") || path.starts_with("/setup")
}
