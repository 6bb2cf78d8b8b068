//! Listeners, pages, API and phone paths: HTTP on one side, services on the other.
//!
//! [`https_app`] and [`http_app`] put everything together; every address of the server is registered from here.

pub mod admin;
pub mod api;
pub mod asking;
pub mod bearer;
pub mod blocking;
pub mod error;
pub mod file_body;
pub mod guard;
pub mod health;
pub mod listener;
pub mod local;
pub mod methods;
pub mod metrics;
pub mod pace;
pub mod package_file;
pub mod phone;
pub mod places;
pub mod plain;
pub mod resource_part;
pub mod resource_upload;
pub mod restart;
pub mod route_roles;
pub mod sizes;
mod tickets;
pub mod tls;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, Error};

use crate::services::Services;
use crate::services::address::Address;
use health::Stopping;
use listener::TimeLimits;

/// What all handlers share.
#[derive(Clone)]
pub struct Shared {
    /// Everything that services work with.
    pub services: Data<Services>,
    /// Where the server is reached.
    pub address: Data<Address>,
    /// The phones' door.
    pub door: Data<phone::Door>,
    /// Whether the server is stopping.
    pub stopping: Data<Stopping>,
    /// What starts the server again.
    pub restart: Data<restart::Restart>,
    /// How long peers may take.
    pub limits: Data<TimeLimits>,
    /// In a demonstration: pages say so.
    pub demo: Option<Data<admin::session::Demo>>,
}

/// What answers on the HTTPS socket: health checks, pages and API with their sessions, and phones everywhere else.
pub fn https_app(
    shared: &Shared,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let (services, demo) = (shared.services.clone(), shared.demo.clone());
    App::new()
        .app_data(shared.services.clone())
        .app_data(shared.address.clone())
        .app_data(shared.door.clone())
        .app_data(shared.stopping.clone())
        .app_data(shared.restart.clone())
        .app_data(shared.limits.clone())
        .wrap(from_fn(pace::pace_bodies))
        .wrap(from_fn(guard::known_host))
        .wrap(from_fn(guard::catch_panics))
        .configure(|routes| {
            if let Some(demo) = demo {
                routes.app_data(demo);
            }
        })
        .configure(health::configure)
        .configure(metrics::configure)
        .service(methods::read_only("/", || async { admin::layout::see_other("/admin/") }).wrap(admin::security_headers()))
        .configure(|routes| api::configure(routes, &services))
        .configure(|routes| admin::configure(routes, &services))
        .default_service(web::to(phone::answer))
}

/// What answers on the plain HTTP socket.
pub fn http_app(
    shared: &Shared,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(shared.services.clone())
        .app_data(shared.door.clone())
        .app_data(shared.stopping.clone())
        .app_data(shared.limits.clone())
        .wrap(from_fn(pace::pace_bodies))
        .wrap(from_fn(guard::catch_panics))
        .configure(plain::configure)
}

/// Whether an address is for people and programs; every other one is a phone's.
pub fn is_page(path: &str) -> bool {
    const ROOMS: [&str; 4] = ["/admin", "/setup", "/api", "/static"];
    path == "/" || ROOMS.iter().any(|room| below(path, room))
}

fn below(path: &str, room: &str) -> bool {
    path.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_master_file_sends_a_phone_to_a_page() {
        use crate::domain::provision::paths::{Kind, PathError, check};
        for room in ["/admin", "/setup", "/api", "/static", "/livez", "/readyz", "/version", "/metrics"] {
            for kind in [Kind::File, Kind::Directory] {
                for path in [room.to_owned(), format!("{room}/x.cfg"), format!("./{}/x", room.to_uppercase())] {
                    assert!(matches!(check(&path, kind, None), Err(PathError::Room(_))), "{path}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_page_is_a_phones() {
        for page in ["/", "/admin", "/admin/devices", "/setup", "/api/v1/accounts", "/static/app.css"] {
            assert!(is_page(page), "{page}");
        }
        for phones in ["/0004f2000001.cfg", "/default/000000000000.cfg", "/administrator.cfg", "/setup.cfg"] {
            assert!(!is_page(phones), "{phones}");
        }
    }
}
