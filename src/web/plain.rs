//! The plain HTTP listener: health checks, people sent on to HTTPS, and phones told to come back later (contract 3).

use actix_http::{Request, Response};
use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, LOCATION, RETRY_AFTER};
use actix_web::web::{Data, ServiceConfig, to};
use actix_web::{HttpRequest, HttpResponse};

use super::{health, is_page};
use crate::domain::limits::RETRY_AFTER_SECONDS;
use crate::services::Services;

/// Everything that plain HTTP answers.
pub fn configure(routes: &mut ServiceConfig) {
    routes.configure(health::configure).default_service(to(send_on));
}

/// A page is redirected to the address that we know ourselves by, never to the name in the request (NET-05). A phone path is
/// never redirected: the phone would come with credentials that went over the wire in clear text.
async fn send_on(request: HttpRequest, services: Data<Services>) -> HttpResponse {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if is_page(request.path()) && request.method().is_safe() {
        let base = services.worlds().endpoints().https_url.clone();
        return HttpResponse::TemporaryRedirect()
            .insert_header((LOCATION, format!("{}{path}", base.trim_end_matches('/'))))
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish();
    }
    come_over_https()
}

/// No body is taken over plain HTTP: who waits for leave to send one is answered at once, and never asked for credentials.
///
/// # Errors
/// The answer to a phone.
pub fn expect(request: Request) -> Result<Request, Response<BoxBody>> {
    if is_page(request.path()) { Ok(request) } else { Err(come_over_https().into()) }
}

fn come_over_https() -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS.to_string()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body("Use HTTPS.\n")
}
