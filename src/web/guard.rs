//! What stands around every handler: a panic becomes an answer with an id, and pages are shown under our own names only.

use std::panic::AssertUnwindSafe;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse, ResponseError};
use futures_util::FutureExt;
use uuid::Uuid;

use super::admin::SECURITY_HEADERS;
use super::api::problem::Problem;
use super::is_page;
use crate::domain::limits::RETRY_AFTER_SECONDS;
use crate::services::address::Address;

/// Middleware: a panic in a handler is logged under an id and answered with it; the next request is served as ever (FLT-09).
pub async fn catch_panics(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Kept as text: routing needs the request for itself alone.
    let (method, path) = (request.method().clone(), request.path().to_owned());
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(answered) => Ok(answered?.map_into_boxed_body()),
        Err(_) => {
            let id = Uuid::now_v7();
            tracing::error!(%id, %method, path, "a handler panicked");
            Err(InternalError::from_response("a handler panicked", fault(&path, id)).into())
        }
    }
}

/// People are told the id; a phone is told to come back, so that it keeps what it has (contract 4).
fn fault(path: &str, id: Uuid) -> HttpResponse {
    if is_api(path) {
        let detail = format!("a fault of this server; its log tells more under {id}");
        return guarded(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).error_response());
    }
    let words = format!("A fault of this server. Its log tells more under {id}.\n");
    if is_page(path) {
        return guarded(HttpResponse::InternalServerError().content_type(TEXT).body(words));
    }
    let mut answer = HttpResponse::ServiceUnavailable();
    answer.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS.to_string())).insert_header((CACHE_CONTROL, "no-store"));
    answer.content_type(TEXT).body(words)
}

const TEXT: &str = "text/plain; charset=utf-8";

/// An answer that no page or operation made, with the headers that all of theirs have (ADM-08).
fn guarded(mut answer: HttpResponse) -> HttpResponse {
    for (name, value) in SECURITY_HEADERS {
        answer
            .headers_mut()
            .insert(HeaderName::from_bytes(name.as_bytes()).expect("a name of ours"), HeaderValue::from_static(value));
    }
    answer
}

/// Middleware for pages and API: a request for a host that is not this server is not answered, whatever name server sent it here.
pub async fn known_host(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !is_page(request.path()) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let host = request.headers().get("host").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = request.app_data::<Data<Address>>().is_none_or(|address| address.is_known_as(without_port(host)));
    if known {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    const WORDS: &str = "This server is not known under this name. Use its public name, or one of its addresses.";
    let answer = match is_api(request.path()) {
        true => Problem::new(StatusCode::MISDIRECTED_REQUEST, WORDS).error_response(),
        false => HttpResponse::MisdirectedRequest().content_type(TEXT).body(format!("{WORDS}\n")),
    };
    Ok(request.into_response(guarded(answer)))
}

/// Whether programs ask: they are refused with a problem.
fn is_api(path: &str) -> bool {
    path.starts_with("/api/")
}

fn without_port(host: &str) -> &str {
    let end = match host.rfind(':') {
        Some(at) if !host.ends_with(']') => at,
        _ => host.len(),
    };
    host[..end].trim_matches(['[', ']'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::api::problem::MEDIA_TYPE;
    use actix_web::middleware::from_fn;
    use actix_web::{App, test, web};

    async fn faulty() -> HttpResponse {
        panic!("a fault of ours")
    }

    #[actix_web::test]
    async fn a_panic_is_answered_with_an_id_and_the_next_request_is_served() {
        let app = App::new()
            .wrap(from_fn(catch_panics))
            .route("/admin/faulty", web::get().to(faulty))
            .route("/api/v1/faulty", web::get().to(faulty))
            .route("/0004f2000001.cfg", web::get().to(faulty))
            .route("/admin/good", web::get().to(HttpResponse::Ok));
        let app = test::init_service(app).await;
        let faulty = async |path: &str| {
            let request = test::TestRequest::get().uri(path).to_request();
            test::try_call_service(&app, request).await.expect_err("answered from outside").error_response()
        };
        let page = faulty("/admin/faulty").await;
        assert_eq!(page.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(SECURITY_HEADERS.iter().all(|(name, _)| page.headers().contains_key(*name)));
        let body = page.into_body().try_into_bytes().expect("at hand");
        let text = std::str::from_utf8(&body).expect("text");
        assert!(text.contains("under 0") && !text.contains("a fault of ours"), "{text}");
        let program = faulty("/api/v1/faulty").await;
        assert_eq!(program.headers().get("content-type").map(|kind| kind.as_bytes()), Some(MEDIA_TYPE.as_bytes()));
        let phone = faulty("/0004f2000001.cfg").await;
        assert_eq!(phone.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(phone.headers().contains_key(RETRY_AFTER) && !phone.headers().contains_key("content-security-policy"));
        let good = test::call_service(&app, test::TestRequest::get().uri("/admin/good").to_request()).await;
        assert_eq!(good.status(), StatusCode::OK);
    }

    #[::core::prelude::v1::test]
    fn a_port_is_no_part_of_a_host() {
        for (header, host) in
            [("pdms:8443", "pdms"), ("pdms", "pdms"), ("[2001:db8::1]:8443", "2001:db8::1"), ("[::1]", "::1"), ("", "")]
        {
            assert_eq!(without_port(header), host);
        }
    }
}
