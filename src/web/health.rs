//! Whether the server lives, can serve, and what it is: for load balancers, service managers and people (OPS-06).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::blocking;
use super::methods::read_only;
use crate::services::Services;
use crate::services::address::Address;
use crate::services::{users, warnings};

/// Says that the server is stopping, to everybody who asks whether it is ready.
#[derive(Clone, Debug, Default)]
pub struct Stopping(Arc<AtomicBool>);

impl Stopping {
    /// From now on the server is not ready for new work.
    pub fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn has_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What this program is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Version {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The commit it was built from; `unknown` where the build could not know it.
    pub commit: &'static str,
}

/// The version of this binary.
pub const VERSION: Version =
    Version { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION"), commit: env!("PDMS_COMMIT") };

/// `/livez`, `/readyz` and `/version`.
pub fn configure(routes: &mut ServiceConfig) {
    routes.service(read_only("/livez", live)).service(read_only("/readyz", ready)).service(read_only("/version", version));
}

async fn live() -> HttpResponse {
    text(HttpResponse::Ok(), "live\n")
}

/// Ready means that the state can be read. Why it cannot is told on this machine only.
async fn ready(request: HttpRequest, services: Data<Services>, stopping: Data<Stopping>) -> HttpResponse {
    if stopping.has_begun() {
        return text(HttpResponse::ServiceUnavailable(), "stopping\n");
    }
    match blocking::call(&services, |services| users::list(services).map(drop)).await {
        Ok(()) => text(HttpResponse::Ok(), format!("ready\n{}", warned(&request, &services).await)),
        Err(error) if request.peer_addr().is_some_and(|peer| peer.ip().is_loopback()) => {
            text(HttpResponse::ServiceUnavailable(), format!("not ready: {error}\n"))
        }
        Err(_) => text(HttpResponse::ServiceUnavailable(), "not ready\n"),
    }
}

/// What needs attention, a line each, for whoever asks on this machine.
async fn warned(request: &HttpRequest, services: &Data<Services>) -> String {
    let is_local = request.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
    let Some(address) = request.app_data::<Data<Address>>().filter(|_| is_local).cloned() else { return String::new() };
    let told = blocking::call(services, move |services| warnings::list(services, &address)).await.unwrap_or_default();
    told.into_iter().map(|one| format!("warning: {}\n", one.text)).collect()
}

async fn version() -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(VERSION)
}

fn text(mut answer: actix_web::HttpResponseBuilder, body: impl Into<String>) -> HttpResponse {
    answer.insert_header((CACHE_CONTROL, "no-store")).content_type("text/plain; charset=utf-8").body(body.into())
}
