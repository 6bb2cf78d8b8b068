//! `/metrics`: figures for monitoring, on this machine or to an API token of any role (contract 3). What they are is [`crate::services::metrics`]' matter.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, FORWARDED, WWW_AUTHENTICATE};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::bearer::{self, Presented};
use super::methods::read_only;
use super::{blocking, listener};
use crate::services::Services;
use crate::services::address::Address;
use crate::services::certificates::facts;
use crate::services::error::chain;
use crate::services::metrics::{self, Outside};

/// The version of the format, as Prometheus asks for it.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The address.
pub fn configure(routes: &mut ServiceConfig) {
    routes.service(read_only("/metrics", show));
}

async fn show(request: HttpRequest, services: Data<Services>, address: Data<Address>) -> HttpResponse {
    if !may_read(&request) && !brings_a_token(&request, &services).await {
        return plain(StatusCode::UNAUTHORIZED, "Figures are answered on this machine, or to an API token.\n");
    }
    let active = address.certificates().active();
    let authority_until = active.ca_pem.as_deref().and_then(facts::of_pem).map(|facts| facts.valid_until);
    let outside = Outside { connections: listener::open_connections(), certificate_until: active.not_after, authority_until };
    match blocking::call(&services, move |services| metrics::text(services, outside)).await {
        Ok(text) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).content_type(MEDIA_TYPE).body(text),
        Err(error) => {
            tracing::error!(error = chain(&error), "figures cannot be told");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "The figures cannot be told; the server's log says why.\n")
        }
    }
}

/// Whether whoever asks may read the figures: somebody on this machine who asks for himself. What a proxy passes on comes from
/// elsewhere, wherever the proxy runs.
fn may_read(request: &HttpRequest) -> bool {
    let is_near = request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let passed_on = ["x-forwarded-for", "x-real-ip", "via", FORWARDED.as_str()];
    is_near && !passed_on.iter().any(|header| request.headers().contains_key(*header))
}

async fn brings_a_token(request: &HttpRequest, services: &Data<Services>) -> bool {
    match bearer::presented(request, services).await {
        Ok(presented) => matches!(presented, Presented::Good(_)),
        Err(error) => {
            tracing::error!(error = chain(&error), "an API token could not be looked up");
            false
        }
    }
}

fn plain(status: StatusCode, words: &'static str) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
    }
    answer.insert_header((CACHE_CONTROL, "no-store")).content_type("text/plain; charset=utf-8").body(words)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_somebody_on_this_machine_who_asks_for_himself_reads_them() {
        let from = |peer: &str| TestRequest::get().peer_addr(format!("{peer}:40000").parse().expect("a socket address"));
        assert!(may_read(&from("127.0.0.1").to_http_request()) && may_read(&from("[::1]").to_http_request()));
        assert!(may_read(&from("[::ffff:127.0.0.1]").to_http_request()));
        for stranger in ["192.0.2.7", "10.0.0.1", "[2001:db8::1]"] {
            assert!(!may_read(&from(stranger).to_http_request()), "{stranger}");
        }
        for header in ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"] {
            assert!(!may_read(&from("127.0.0.1").insert_header((header, "for=192.0.2.7")).to_http_request()), "{header}");
        }
        assert!(!may_read(&TestRequest::get().to_http_request()), "nobody");
    }
}
