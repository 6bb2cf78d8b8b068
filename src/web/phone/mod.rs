//! What phones see: every path that is no page, API or health check (contract 4).
//!
//! A request comes by this way: credentials ([`auth`]), address ([`peer`]), User-Agent ([`agent`]), then what
//! [`crate::services::provisioning`] says about who comes and what it gets; [`fetch`] and [`upload`] turn that into HTTP. Every
//! answer, also the 401 of a stranger, leaves a message for the runs. A fetch reads memory only.

pub mod agent;
pub mod auth;
mod digest;
mod fetch;
pub mod handshake;
pub mod peer;
mod reply;
mod upload;

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use actix_http::{Request, Response};
use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use ipnet::IpNet;
use jiff::Timestamp;

use crate::catalog::models::models;
use crate::domain::account::CertificatePolicy;
use crate::domain::admission::decide::Proof;
use crate::domain::admission::{NewDeviceCaps, identify};
use crate::domain::credential::Channel;
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::OUTSIDE_TEXT_CHARS;
use crate::domain::manufacturer::Presented;
use crate::domain::phone_file::{LogKind, PhoneFile, PhonePath};
use crate::domain::run::assembly::{Asked, Heard, Speaker, Standing};
use crate::domain::run::{Exchange, Method as Verb, Reason, clean};
use crate::domain::server::Place;
use crate::domain::trust::Admitted;
use crate::domain::user_agent::XDevice;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::bootstrap::{self, Bootstrap};
use crate::services::credentials;
use crate::services::presence::Message;
use crate::services::provisioning::{Guest, Provisioning, Visit};
use crate::services::uploads::{Space, UploadSettings};
use crate::web::listener::Connection;
use agent::Agent;
use auth::Gate;
use digest::{Answered, Digests, Nonce};
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
    digests: Digests,
    provisioning: Provisioning,
    bootstrap: Bootstrap,
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
            digests: Digests::new(*services.secrets().derived_key("digest nonces")),
            provisioning: Provisioning::new(settings.new_devices),
            bootstrap: Bootstrap::new(settings.new_devices),
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

/// One request with what is known of it from the beginning.
struct Call {
    services: web::Data<Services>,
    door: web::Data<Door>,
    request: HttpRequest,
    peer: SocketAddr,
    address: IpAddr,
    path: PhonePath,
    agent: Agent,
    x_device: Option<XDevice>,
    /// The address of ours that it asked at.
    came_by: Option<String>,
    channel: Channel,
    /// It answered a challenge that is too old, with the right password.
    stale: Cell<bool>,
}

/// Answers a phone. To be mounted as the default service, behind the addresses that are not phones'.
pub async fn answer(
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
    door: web::Data<Door>,
) -> HttpResponse {
    let call = Call::new(request, services, door, Channel::Tls);
    let (reply, guest) = call.answer(payload).await;
    call.note(&reply, guest);
    reply.into_response()
}

/// Answers a phone over plain HTTP: in full where its network is listed (R316), else it is shown the way to HTTPS and nothing else
/// (contract 3). Then it is never asked for credentials, those that it sends are not looked at, and no body is read.
pub async fn answer_in_clear(
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
    door: web::Data<Door>,
) -> HttpResponse {
    let call = Call::new(request, services, door, Channel::ClearText);
    let (reply, guest) = if serves_in_clear(&call.services, call.address) {
        call.answer(payload).await
    } else {
        let method = call.request.method();
        let (fetches, takes) = (matches!(*method, Method::GET | Method::HEAD), *method == Method::GET);
        let answer = call.door.bootstrap.answer(&call.services, DEFAULT_ACCOUNT, &call.visit(), fetches, takes);
        (fetch::at_once(answer), None)
    };
    call.note(&reply, guest);
    reply.into_response()
}

fn serves_in_clear(services: &Services, address: IpAddr) -> bool {
    services.worlds().get(DEFAULT_ACCOUNT).is_some_and(|world| world.account.admission.serves_in_clear(address))
}

/// Tells whoever waits for leave to send a body, and shows neither credentials nor a session, to bring them first: then no
/// byte of the body is sent (UPL-02). The listener asks this for each `Expect: 100-continue`.
pub fn expect(request: Request) -> Result<Request, Response<BoxBody>> {
    let headers = request.head().headers();
    let tls = request.conn_data::<Connection>().and_then(|connection| connection.tls.as_ref());
    let is_certified = tls.is_some_and(|tls| matches!(tls.certificate, Presented::Verified(_)));
    if is_certified || headers.contains_key(AUTHORIZATION) || headers.contains_key(COOKIE) {
        return Ok(request);
    }
    Err(Reply::unauthorized(Reason::CredentialsMissing).into_response().into())
}

/// The same over plain HTTP, where nothing is taken but from networks that are listed.
pub fn expect_in_clear(services: &Services, door: &Door, request: Request) -> Result<Request, Response<BoxBody>> {
    let peer = request.conn_data::<Connection>().and_then(|connection| connection.peer);
    let address = peer.map(|peer| door.address_of(peer.ip(), request.head().headers()));
    if !address.is_some_and(|address| serves_in_clear(services, address)) {
        return Err(Reply::absent(Reason::PlainHttp).into_response().into());
    }
    if request.head().headers().contains_key(AUTHORIZATION) {
        return Ok(request);
    }
    let challenge = door.digests.challenge(services.clock().now(), false);
    Err(Reply::unauthorized(Reason::CredentialsMissing).or_by_digest(challenge).into_response().into())
}

impl Call {
    fn new(request: HttpRequest, services: web::Data<Services>, door: web::Data<Door>, channel: Channel) -> Self {
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let connected = request.conn_data::<Connection>().and_then(|connection| connection.peer);
        let peer = connected.or_else(|| request.peer_addr()).unwrap_or(nobody);
        let x_device = request.headers().get("x-device").and_then(|value| XDevice::parse(value.to_str().ok()?));
        Self {
            came_by: came_by(&request, &services),
            address: door.address_of(peer.ip(), request.headers()),
            path: PhonePath::parse(request.path()),
            agent: agent::of(request.headers()),
            peer,
            x_device,
            channel,
            stale: Cell::new(false),
            services,
            door,
            request,
        }
    }

    /// The answer, and who came, where the credentials were right.
    async fn answer(&self, payload: web::Payload) -> (Reply, Option<Guest>) {
        let Some(world) = self.services.worlds().get(DEFAULT_ACCOUNT) else {
            return (Reply::unauthorized(self.reason_of_no_credentials()), None);
        };
        let proof = self.judge(&world);
        // Whoever shows another device's credentials learns nothing, not even what may be uploaded.
        let is_another = |device| self.named().is_some_and(|named| named != device);
        let is_upload = matches!(*self.request.method(), Method::PUT | Method::POST);
        if let (true, Channel::Tls, PhoneFile::Log(key, _)) = (is_upload, self.channel, &self.path.file) {
            bootstrap::log_came(&self.services, world.account_id, key, self.address);
        }
        let is_told = proof.is_worthless() || proof.device().is_some_and(is_another);
        if is_upload && !is_told {
            return upload::answer(self, &world, payload, &proof).await;
        }
        match self.receive(&world, &proof) {
            Err(reason) => (self.challenge(reason, payload).await, None),
            Ok(guest) if matches!(*self.request.method(), Method::GET | Method::HEAD) => {
                (fetch::answer(self, &world, &guest).await, Some(guest))
            }
            Ok(_) => (Reply::method_refused(), None),
        }
    }

    /// The 401. A short body that is on its way already is passed over, so that the phone can repeat its upload over the same
    /// connection; for a longer one the connection ends.
    async fn challenge(&self, reason: Reason, mut payload: web::Payload) -> Reply {
        let announced = self.request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes <= PASSED_OVER_BYTES) {
            while let Some(Ok(_)) = payload.next().await {}
        }
        match self.channel {
            Channel::Tls => Reply::unauthorized(reason),
            Channel::ClearText => {
                Reply::unauthorized(reason).or_by_digest(self.door.digests.challenge(self.now(), self.stale.get()))
            }
        }
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
            certificate: self.presented(),
            came_by: self.came_by.as_deref(),
            at: self.now(),
            channel: self.channel,
        }
    }

    /// What the connection showed of a factory certificate.
    fn presented(&self) -> &Presented {
        let tls = self.request.conn_data::<Connection>().and_then(|connection| connection.tls.as_ref());
        tls.map_or(&Presented::NotAsked, |tls| &tls.certificate)
    }

    /// What the request shows of itself.
    fn judge(&self, world: &World) -> Proof {
        if let (Channel::ClearText, Some(answered)) = (self.channel, Answered::of(self.request.headers())) {
            return self.judge_digest(&answered, world);
        }
        let generation_of = |key: &DeviceKey, presented: &str| {
            let trust = self.services.trusts(world.account_id).of(key);
            let (oldest, present) = (trust.oldest_generation, trust.generation);
            credentials::generation_of(self.services.secrets(), world.account_id, key, presented, oldest, present)
        };
        let by_credentials = self.door.gate.judge(self.request.headers(), &world.account, generation_of);
        match self.presented() {
            // Where certificates count no longer, an open connection does not go on with one.
            presented @ Presented::Verified(_) if world.account.admission.certificates != CertificatePolicy::Off => {
                by_credentials.with(presented, self.named().as_ref())
            }
            _ => by_credentials,
        }
    }

    /// The same of an answer to a Digest challenge. It counts for this path alone, and as long as its nonce does.
    fn judge_digest(&self, answered: &Answered, world: &World) -> Proof {
        let asked = self.request.uri().path_and_query().map_or("/", |path| path.as_str());
        let proof = self.door.gate.judge_digest(answered, self.request.method().as_str(), &world.account);
        match self.door.digests.nonce_of(answered, self.now()) {
            _ if answered.uri != asked => Proof::Wrong,
            Nonce::Fresh => proof,
            Nonce::Stale if proof != Proof::Wrong => {
                self.stale.set(true);
                Proof::Missing
            }
            Nonce::Stale | Nonce::Foreign => Proof::Wrong,
        }
    }

    fn receive(&self, world: &World, proof: &Proof) -> Result<Guest, Reason> {
        self.door.provisioning.receive(&self.services, world, &self.visit(), proof)
    }

    fn now(&self) -> Timestamp {
        self.services.clock().now()
    }

    fn is_head(&self) -> bool {
        self.request.method() == Method::HEAD
    }

    /// Leaves the message that runs and sightings are made of.
    fn note(&self, reply: &Reply, guest: Option<Guest>) {
        let standing = match &guest {
            Some(guest) if guest.device.is_some() => Standing::LetIn,
            _ => Standing::Refused,
        };
        let shown = guest.as_ref().and_then(|guest| guest.admitted).map(Admitted::shown);
        let key = match guest {
            Some(guest) => guest.key,
            None => self.named(),
        };
        let heard = Heard {
            connection: peer::connection_id(self.peer),
            address: self.address,
            key,
            standing,
            shown,
            asked: asked(&self.path.file, self.request.method()),
            speaker: Speaker::Application,
            user_agent: Arc::clone(&self.agent.text),
            exchange: Exchange {
                at: self.now(),
                method: verb(self.request.method()),
                path: clean(self.request.path(), OUTSIDE_TEXT_CHARS).into(),
                // Nobody heard the answer to an upload that was cut.
                status: if reply.reason() == Reason::CutOff { 0 } else { reply.status().as_u16() },
                size_bytes: reply.size_bytes(),
                reason: reply.reason(),
            },
        };
        let private_ip = self.x_device.as_ref().and_then(|told| told.ip);
        self.services.presence().note(Message { account: DEFAULT_ACCOUNT, heard, agent: self.agent.phone.clone(), private_ip });
    }

    /// The device that a request names which was not received: anybody can name one.
    fn named(&self) -> Option<DeviceKey> {
        let roster = self.services.roster(DEFAULT_ACCOUNT);
        identify(&self.path.file, &self.path.location, self.agent.phone.as_deref(), models(), |key| roster.find(key).is_some())
    }

    fn tag(&self) -> Option<DeviceKey> {
        self.agent.phone.as_ref().and_then(|phone| phone.tag.clone())
    }
}

/// The address of ours by which a request came. Some phones leave the port out of their header whatever it is: then it is taken for
/// the one that they are told.
fn came_by(request: &HttpRequest, services: &Services) -> Option<String> {
    let host = request.headers().get(HOST)?.to_str().ok()?;
    let is_tls = request.conn_data::<Connection>().is_some_and(|connection| connection.tls.is_some());
    let told = || {
        let endpoints = services.worlds().endpoints();
        let url = if is_tls { Some(&endpoints.https_url) } else { endpoints.http_url.as_ref() };
        url.and_then(|url| Place::parse(url)).map_or(0, |place| place.port)
    };
    Place::of_request(is_tls, host, told).map(|place| place.to_string())
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
