//! Which methods an address takes: HEAD wherever GET is, and 405 with `Allow` for the rest (RFC 9110, 9.3.2 and 15.5.6).
//!
//! Rooms list their addresses as [`Routes`]. From the same list come the routing, what [`judge`] knows, which judges before any
//! session or token is looked at, and who may ask for what ([`Room::least`]). Phones have rules of their own: see [`super::phone`].

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Handler, ResourceDef, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::middleware::Next;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, Resource, Responder, Route};

use super::route_roles::{self, Least};

/// What an address takes that is only read.
const READ_ONLY: &str = "GET, HEAD";

/// Addresses with their handlers. Where two patterns fit, the first one counts.
#[derive(Default)]
pub struct Routes(Vec<(Method, String, Route)>);

impl Routes {
    /// What GET and HEAD of an address are answered by.
    pub fn get<F, Args>(&mut self, path: impl Into<String>, handler: F) -> &mut Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.0.push((Method::GET, path.into(), web::get().to(handler)));
        self
    }

    /// What a form of an address is answered by.
    pub fn post<F, Args>(&mut self, path: impl Into<String>, handler: F) -> &mut Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.0.push((Method::POST, path.into(), web::post().to(handler)));
        self
    }

    /// All addresses, each with a method that it takes.
    pub fn addresses(&self) -> Vec<(Method, String)> {
        self.0.iter().map(|(method, path, _)| (method.clone(), path.clone())).collect()
    }

    /// Registers them.
    pub fn register(self, config: &mut ServiceConfig) {
        for (_, path, route) in self.0 {
            config.route(&path, route);
        }
    }
}

/// What a set of addresses takes.
struct Methods(Vec<(Method, ResourceDef)>);

impl Methods {
    fn new(pairs: impl IntoIterator<Item = (Method, String)>) -> Self {
        let mut patterns: Vec<(Method, Vec<String>)> = Vec::new();
        for (method, pattern) in pairs {
            match patterns.iter_mut().find(|(known, _)| *known == method) {
                Some((_, of_method)) => of_method.push(pattern),
                None => patterns.push((method, vec![pattern])),
            }
        }
        Self(patterns.into_iter().map(|(method, patterns)| (method, ResourceDef::new(patterns))).collect())
    }

    /// The value of `Allow` if this address is known and does not take the method.
    fn refusal(&self, method: &Method, path: &str) -> Option<String> {
        let mut taken = Vec::new();
        for (known, _) in self.0.iter().filter(|(_, patterns)| patterns.is_match(path)) {
            taken.push(known.as_str());
            if *known == Method::GET {
                taken.push("HEAD");
            }
        }
        let is_taken = taken.is_empty() || taken.contains(&method.as_str());
        (!is_taken).then(|| taken.join(", "))
    }
}

/// A set of addresses: what they take, who may ask for them, and how a method that one of them does not take is answered.
pub struct Room {
    methods: Methods,
    /// Each method and pattern; of two that fit a path, the one whose words say more comes first, as it does in the routing.
    roles: Vec<(Method, ResourceDef, Least)>,
    refuse: fn(&HttpRequest, &str) -> HttpResponse,
}

impl Room {
    /// A room of these addresses; `refuse` is told the value of `Allow`, which is added to its answer.
    pub fn new(addresses: Vec<(Method, String)>, refuse: fn(&HttpRequest, &str) -> HttpResponse) -> Self {
        let methods = Methods::new(addresses.clone());
        let mut addresses = addresses;
        addresses.sort_by_key(|(_, path)| path.split('/').map(|part| part.starts_with('{')).collect::<Vec<_>>());
        let with_role = |(method, path): (Method, String)| {
            let least = route_roles::least(&method, &path);
            (method, ResourceDef::new(path), least)
        };
        Self { methods, roles: addresses.into_iter().map(with_role).collect(), refuse }
    }

    /// Who may ask for a path; none where nothing is at it.
    pub fn least(&self, method: &Method, path: &str) -> Option<Least> {
        let fits = |(own, pattern, _): &&(Method, ResourceDef, Least)| own == method && pattern.is_match(path);
        self.roles.iter().find(fits).map(|(_, _, least)| *least)
    }
}

/// Middleware for a scope that has `Data` of its [`Room`]: refuses what an address does not take, and has HEAD answered like GET.
/// The listener leaves the body out.
pub async fn judge(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let refused = request.app_data::<Data<Room>>().and_then(|room| {
        let allow = room.methods.refusal(request.method(), request.path())?;
        let answer = (room.refuse)(request.request(), &allow);
        Some(with_allow(answer, &allow))
    });
    if let Some(answer) = refused {
        return Ok(request.into_response(answer));
    }
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// An address that is only read, outside of any room.
pub fn read_only<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let refuse = || async { with_allow(HttpResponse::MethodNotAllowed().finish(), READ_ONLY) };
    web::resource(path).get(handler.clone()).head(handler).default_service(web::to(refuse))
}

fn with_allow(mut answer: HttpResponse, allow: &str) -> HttpResponse {
    if let Ok(allow) = allow.try_into() {
        answer.headers_mut().insert(ALLOW, allow);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::Role;

    #[test]
    fn an_address_is_refused_only_if_it_is_known_and_takes_something_else() {
        let mut routes = Routes::default();
        let handler = || async { HttpResponse::Ok().finish() };
        routes.get("/devices", handler).post("/devices", handler).get("/devices/{key}", handler).post("/theme", handler);
        let methods = Methods::new(routes.addresses());
        let refusal = |method, path| methods.refusal(&method, path);
        for taken in [Method::GET, Method::HEAD, Method::POST] {
            assert_eq!(refusal(taken, "/devices"), None);
        }
        assert_eq!(refusal(Method::DELETE, "/devices").as_deref(), Some("GET, HEAD, POST"));
        assert_eq!(refusal(Method::POST, "/devices/0004f2000001").as_deref(), Some("GET, HEAD"));
        assert_eq!(refusal(Method::HEAD, "/theme").as_deref(), Some("POST"));
        assert_eq!(refusal(Method::DELETE, "/nothing"), None, "what is not there is for others to answer");
    }

    #[test]
    fn the_words_of_an_address_say_more_than_its_parameters() {
        let addresses = ["/admin/devices/{key}", "/admin/devices/add", "/admin/devices/{key}/files/{name}"];
        let addresses = addresses.map(|path| (Method::GET, path.to_owned())).to_vec();
        let room = Room::new(addresses, |_, _| HttpResponse::MethodNotAllowed().finish());
        let least = |path| room.least(&Method::GET, path);
        assert_eq!(least("/admin/devices/add"), Some(Least::Role(Role::AccountAdmin)));
        assert_eq!(least("/admin/devices/0004f2000001"), Some(Least::Role(Role::Viewer)));
        assert_eq!(room.least(&Method::POST, "/admin/devices/add"), None);
    }
}
