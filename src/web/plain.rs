//! The plain HTTP listener: health checks, people sent on to HTTPS, and phones shown the way there (contract 3).

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, LOCATION, RETRY_AFTER};
use actix_web::web::{Data, Payload, ServiceConfig, to};
use actix_web::{HttpRequest, HttpResponse};

use super::listener::Expect;
use super::{health, is_page, phone};
use crate::domain::limits::RETRY_AFTER_SECONDS;
use crate::services::Services;

/// Everything that plain HTTP answers.
pub fn configure(routes: &mut ServiceConfig) {
    routes.configure(health::configure).default_service(to(send_on));
}

/// A page is redirected to the address that we know ourselves by, never to the name in the request (NET-05). A phone path is
/// never redirected: the phone would come with credentials that went over the wire in clear text.
async fn send_on(request: HttpRequest, payload: Payload, services: Data<Services>, door: Data<phone::Door>) -> HttpResponse {
    if !is_page(request.path()) {
        return phone::answer_in_clear(request, payload, services, door).await;
    }
    if request.method().is_safe() {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let base = services.worlds().endpoints().https_url.clone();
        return HttpResponse::TemporaryRedirect()
            .insert_header((LOCATION, format!("{}{path}", base.trim_end_matches('/'))))
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish();
    }
    come_over_https()
}

/// What is said to whoever waits for leave to send a body: a page is sent on by its answer, the rest is phones'.
pub fn expect(services: Data<Services>, door: Data<phone::Door>) -> Expect {
    let of_phones = phone::expect_in_clear(services, door);
    Arc::new(move |request| if is_page(request.path()) { Ok(request) } else { of_phones(request) })
}

fn come_over_https() -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS.to_string()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body("Use HTTPS.\n")
}
