//! What phones see: every path that is no page, API or health check (contract 4).
//!
//! A request comes by this way: credentials ([`auth`]), address ([`peer`]), User-Agent ([`agent`]), then what
//! [`crate::services::provisioning`] says about who comes and what it gets; [`fetch`] and [`upload`] turn that into HTTP. Every
//! answer, also the 401 of a stranger, leaves a message for the runs. A fetch reads memory only.

pub mod agent;
pub mod auth;
mod fetch;
pub mod handshake;
pub mod peer;
mod reply;
mod upload;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use actix_http::{Request, RequestHead};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use ipnet::IpNet;
use jiff::Timestamp;

use crate::catalog::models::models;
use crate::domain::admission::{NewDeviceCaps, identify};
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::OUTSIDE_TEXT_CHARS;
use crate::domain::phone_file::{LogKind, PhoneFile, PhonePath};
use crate::domain::run::assembly::{Asked, Heard, Speaker, Standing};
use crate::domain::run::{Exchange, Method as Verb, Reason, clean};
use crate::domain::user_agent::XDevice;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::presence::Message;
use crate::services::provisioning::{Guest, Provisioning, Visit};
use crate::services::uploads::{Space, UploadSettings};
use crate::web::is_page;
use crate::web::listener::{Connection, Expect};
use agent::Agent;
use auth::{Gate, Proof};
use reply::Reply;

/// Longest body that is passed over after a 401: most logs are shorter.
const PASSED_OVER_BYTES: u64 = 256 * 1024;

/// What the settings say about phones.
#[derive(Clone, Debug, Default)]
pub struct PhoneSettings {
    /// Proxies whose word about a request's origin counts.
    pub trusted_proxies: Vec<IpNet>,
    /// How much may be uploaded.
    pub uploads: UploadSettings,
    /// How many new devices may come.
    pub new_devices: NewDeviceCaps,
}

/// The phones' door: what all of their requests share.
pub struct Door {
    gate: Gate,
    provisioning: Provisioning,
    settings: PhoneSettings,
    space: Space,
    /// Bodies that are being read at a time: each may hold [`upload::IN_MEMORY_BYTES`].
    bodies: tokio::sync::Semaphore,
}

impl Door {
    /// One for the whole server.
    pub fn new(services: &Services, settings: PhoneSettings) -> Self {
        Self {
            gate: Gate::new(*services.secrets().derived_key("phone credentials")),
            provisioning: Provisioning::new(settings.new_devices),
            settings,
            space: Space::default(),
            bodies: tokio::sync::Semaphore::new(upload::BODIES_AT_A_TIME),
        }
    }

    /// The address that a request comes from: the socket's, or what a trusted proxy says (P5b, NET-06).
    pub fn address_of(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        peer::address(peer, headers, &self.settings.trusted_proxies)
    }
}

/// What the head of a request tells of who comes and what for.
struct Caller {
    peer: SocketAddr,
    address: IpAddr,
    path: PhonePath,
    agent: Agent,
    x_device: Option<XDevice>,
}

/// One request with what is known of it from the beginning.
struct Call {
    services: web::Data<Services>,
    door: web::Data<Door>,
    request: HttpRequest,
    caller: Caller,
}

impl std::ops::Deref for Call {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

/// Answers a phone. To be mounted as the default service, behind the addresses that are not phones'.
pub async fn answer(
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
    door: web::Data<Door>,
) -> HttpResponse {
    let call = Call::new(request, services, door);
    let (reply, guest) = call.answer(payload).await;
    call.note(&reply, guest);
    reply.into_response()
}

/// Tells a phone that waits for leave to send a body, and shows no credentials, to bring them first: then no byte of the body is
/// sent (UPL-02). It is a request like any other for the runs. Pages and programs have ways of their own to say who they are.
pub fn expect(services: web::Data<Services>, door: web::Data<Door>) -> Expect {
    Arc::new(move |request: Request| {
        if is_page(request.path()) || request.head().headers().contains_key(AUTHORIZATION) {
            return Ok(request);
        }
        let reply = Reply::unauthorized(Reason::CredentialsMissing);
        let peer = peer_of(request.conn_data(), request.peer_addr());
        let caller = Caller::new(request.head(), peer, &door);
        caller.note(&services, request.head(), &reply, None);
        Err(reply.into_response().into())
    })
}

fn peer_of(connection: Option<&Connection>, socket: Option<SocketAddr>) -> SocketAddr {
    let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    connection.and_then(|connection| connection.peer).or(socket).unwrap_or(nobody)
}

impl Call {
    fn new(request: HttpRequest, services: web::Data<Services>, door: web::Data<Door>) -> Self {
        let peer = peer_of(request.conn_data(), request.peer_addr());
        let caller = Caller::new(request.head(), peer, &door);
        Self { services, door, request, caller }
    }

    /// The answer, and who came, where the credentials were right.
    async fn answer(&self, payload: web::Payload) -> (Reply, Option<Guest>) {
        let Some(world) = self.services.worlds().get(DEFAULT_ACCOUNT) else {
            return (Reply::unauthorized(self.reason_of_no_credentials()), None);
        };
        match self.door.gate.judge(self.request.headers(), &world.account) {
            Proof::Missing => return (self.challenge(Reason::CredentialsMissing, payload).await, None),
            Proof::Wrong => return (self.challenge(Reason::CredentialsWrong, payload).await, None),
            Proof::Right => {}
        }
        let visit = self.visit();
        match *self.request.method() {
            Method::GET | Method::HEAD => {
                let guest = self.door.provisioning.receive(&self.services, &world, &visit);
                (fetch::answer(self, &world, &guest).await, Some(guest))
            }
            Method::PUT | Method::POST => upload::answer(self, &world, payload).await,
            _ => (Reply::method_refused(), None),
        }
    }

    /// The 401. A short body that is on its way already is passed over, so that the phone can repeat its upload over the same
    /// connection; for a longer one the connection ends.
    async fn challenge(&self, reason: Reason, mut payload: web::Payload) -> Reply {
        let announced = self.request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes <= PASSED_OVER_BYTES) {
            while let Some(Ok(_)) = payload.next().await {}
        }
        Reply::unauthorized(reason)
    }

    /// Before set-up nothing can be right.
    fn reason_of_no_credentials(&self) -> Reason {
        match self.request.headers().contains_key(AUTHORIZATION) {
            true => Reason::CredentialsWrong,
            false => Reason::CredentialsMissing,
        }
    }

    fn visit(&self) -> Visit<'_> {
        Visit {
            file: &self.path.file,
            location: &self.path.location,
            agent: self.agent.phone.as_deref(),
            address: self.address,
            at: self.now(),
        }
    }

    fn receive(&self, world: &World) -> Guest {
        self.door.provisioning.receive(&self.services, world, &self.visit())
    }

    fn now(&self) -> Timestamp {
        self.services.clock().now()
    }

    fn is_head(&self) -> bool {
        self.request.method() == Method::HEAD
    }

    fn note(&self, reply: &Reply, guest: Option<Guest>) {
        self.caller.note(&self.services, self.request.head(), reply, guest);
    }

    fn tag(&self) -> Option<DeviceKey> {
        self.agent.phone.as_ref().and_then(|phone| phone.tag.clone())
    }
}

impl Caller {
    fn new(head: &RequestHead, peer: SocketAddr, door: &Door) -> Self {
        let x_device = head.headers.get("x-device").and_then(|value| XDevice::parse(value.to_str().ok()?));
        Self {
            address: door.address_of(peer.ip(), &head.headers),
            path: PhonePath::parse(head.uri.path()),
            agent: agent::of(&head.headers),
            peer,
            x_device,
        }
    }

    /// Leaves the message that runs and sightings are made of.
    fn note(&self, services: &Services, head: &RequestHead, reply: &Reply, guest: Option<Guest>) {
        let standing = match &guest {
            Some(guest) if guest.device.is_some() => Standing::LetIn,
            _ => Standing::Refused,
        };
        let key = match guest {
            Some(guest) => guest.key,
            None => self.named(services),
        };
        let heard = Heard {
            connection: peer::connection_id(self.peer),
            address: self.address,
            key,
            standing,
            asked: asked(&self.path.file, &head.method),
            speaker: Speaker::Application,
            user_agent: Arc::clone(&self.agent.text),
            exchange: Exchange {
                at: services.clock().now(),
                method: verb(&head.method),
                path: clean(head.uri.path(), OUTSIDE_TEXT_CHARS).into(),
                // Nobody heard the answer to an upload that was cut.
                status: if reply.reason() == Reason::CutOff { 0 } else { reply.status().as_u16() },
                size_bytes: reply.size_bytes(),
                reason: reply.reason(),
            },
        };
        let private_ip = self.x_device.as_ref().and_then(|told| told.ip);
        services.presence().note(Message { account: DEFAULT_ACCOUNT, heard, agent: self.agent.phone.clone(), private_ip });
    }

    /// The device that a request names which was not received: anybody can name one.
    fn named(&self, services: &Services) -> Option<DeviceKey> {
        let roster = services.roster(DEFAULT_ACCOUNT);
        identify(&self.path.file, &self.path.location, self.agent.phone.as_deref(), models(), |key| roster.find(key).is_some())
    }
}

fn verb(method: &Method) -> Verb {
    match *method {
        Method::GET => Verb::Get,
        Method::HEAD => Verb::Head,
        Method::PUT => Verb::Put,
        Method::POST => Verb::Post,
        _ => Verb::Other,
    }
}

fn asked(file: &PhoneFile, method: &Method) -> Asked {
    match file {
        PhoneFile::Master(_) | PhoneFile::MasterDefault if *method == Method::GET => Asked::Master,
        PhoneFile::Parameters(_) if *method == Method::GET => Asked::Parameters,
        PhoneFile::Log(_, LogKind::Boot) if *method == Method::PUT => Asked::BootLog,
        _ => Asked::Other,
    }
}
