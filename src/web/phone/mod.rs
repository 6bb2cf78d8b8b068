//! What phones see: every path that is no page, API or health check (contract 4).
//!
//! A request comes by this way: credentials ([`auth`]), address ([`peer`]), User-Agent ([`agent`]), then what
//! [`crate::services::provisioning`] says about who comes and what it gets; [`fetch`] and [`upload`] turn that into HTTP. Every
//! answer, also the 401 of a stranger, leaves a message for the runs. A fetch reads memory only.

pub mod agent;
pub mod auth;
mod caller;
mod digest;
mod download;
mod fetch;
pub mod handshake;
mod patience;
pub mod peer;
mod reply;
mod upload;

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;

use actix_http::Request;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use ipnet::IpNet;
use jiff::Timestamp;

use crate::domain::account::CertificatePolicy;
use crate::domain::admission::NewDeviceCaps;
use crate::domain::admission::decide::Proof;
use crate::domain::credential::Channel;
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::manufacturer::Presented;
use crate::domain::phone_file::PhoneFile;
use crate::domain::run::Reason;
use crate::domain::trust::Admitted;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::bootstrap::{self, Bootstrap};
use crate::services::credentials;
use crate::services::flash::Served;
use crate::services::newcomers::Newcomers;
use crate::services::provisioning::{Guest, Provisioning, Visit};
use crate::services::uploads::{Pace, Space, UploadSettings};
use crate::web::is_page;
use crate::web::listener::Expect;
use auth::{Gate, IsShown};
use caller::Caller;
use digest::{Answered, Digests, Nonce};
use patience::Patience;
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
    pace: Pace,
    patience: Patience,
    /// Bodies that are being read at a time: each may hold [`upload::IN_MEMORY_BYTES`].
    bodies: tokio::sync::Semaphore,
}

impl Door {
    /// Bytes of the disk that uploads leave free.
    pub fn reserve_bytes(&self) -> u64 {
        self.settings.uploads.reserve_bytes
    }

    /// One for the whole server.
    pub fn new(services: &Services, settings: PhoneSettings) -> Self {
        let newcomers = Arc::new(Newcomers::new(settings.new_devices));
        Self {
            gate: Gate::new(*services.secrets().derived_key("phone credentials")),
            digests: Digests::new(*services.secrets().derived_key("digest nonces")),
            provisioning: Provisioning::new(Arc::clone(&newcomers)),
            bootstrap: Bootstrap::new(newcomers),
            settings,
            space: Space::default(),
            pace: Pace::default(),
            patience: Patience::default(),
            bodies: tokio::sync::Semaphore::new(upload::BODIES_AT_A_TIME),
        }
    }

    /// How much may be uploaded, and what uploads leave free of the disk.
    pub fn uploads(&self) -> &UploadSettings {
        &self.settings.uploads
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
    caller: Caller,
    /// It answered a challenge that is too old, with the right password.
    stale: Cell<bool>,
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
        (show_the_way(&call.caller, call.request.method(), &call.services, &call.door), None)
    };
    call.note(&reply, guest);
    reply.into_response()
}

/// What a phone is answered over plain HTTP where its network is not listed.
fn show_the_way(caller: &Caller, method: &Method, services: &Services, door: &Door) -> Reply {
    let (fetches, takes) = (matches!(*method, Method::GET | Method::HEAD), *method == Method::GET);
    let visit = caller.visit(services.clock().now());
    fetch::at_once(door.bootstrap.answer(services, DEFAULT_ACCOUNT, &visit, fetches, takes))
}

/// A log that comes over TLS shows that its phone trusts us, whatever else it shows and whether or not it is taken (contract 3).
fn note_proof(caller: &Caller, method: &Method, services: &Services) {
    if let (true, Channel::Tls, PhoneFile::Log(key, _)) = (is_upload(method), caller.channel, &caller.path.file) {
        bootstrap::log_came(services, DEFAULT_ACCOUNT, key, caller.address);
    }
}

fn is_upload(method: &Method) -> bool {
    matches!(*method, Method::PUT | Method::POST)
}

fn serves_in_clear(services: &Services, address: IpAddr) -> bool {
    services.worlds().get(DEFAULT_ACCOUNT).is_some_and(|world| world.account.admission.serves_in_clear(address))
}

/// Tells a phone that waits for leave to send a body, and shows neither credentials nor a certificate, to bring them first: then no
/// byte of the body is sent (UPL-02). It is a request like any other for the runs. Pages and programs have ways of their own to
/// say who they are.
pub fn expect(services: web::Data<Services>, door: web::Data<Door>) -> Expect {
    Arc::new(move |request: Request| {
        if is_page(request.path()) {
            return Ok(request);
        }
        let caller = Caller::of_connection(&request, Channel::Tls, &services, &door);
        if request.head().headers().contains_key(AUTHORIZATION) || matches!(caller.certificate, Presented::Verified(_)) {
            return Ok(request);
        }
        note_proof(&caller, request.method(), &services);
        let reply = Reply::unauthorized(Reason::CredentialsMissing);
        caller.note(&services, request.head(), &reply, None);
        Err(reply.into_response().into())
    })
}

/// The same over plain HTTP, where nothing is taken but from networks that are listed.
pub fn expect_in_clear(services: web::Data<Services>, door: web::Data<Door>) -> Expect {
    Arc::new(move |request: Request| {
        let caller = Caller::of_connection(&request, Channel::ClearText, &services, &door);
        let reply = if !serves_in_clear(&services, caller.address) {
            show_the_way(&caller, request.method(), &services, &door)
        } else if request.head().headers().contains_key(AUTHORIZATION) {
            return Ok(request);
        } else {
            let challenge = door.digests.challenge(services.clock().now(), false);
            Reply::unauthorized(Reason::CredentialsMissing).or_by_digest(challenge)
        };
        caller.note(&services, request.head(), &reply, None);
        Err(reply.into_response().into())
    })
}

impl Call {
    fn new(request: HttpRequest, services: web::Data<Services>, door: web::Data<Door>, channel: Channel) -> Self {
        let caller = Caller::new(request.head(), request.conn_data(), request.peer_addr(), channel, &services, &door);
        Self { caller, stale: Cell::new(false), services, door, request }
    }

    /// The answer, and who came, where the credentials were right.
    async fn answer(&self, payload: web::Payload) -> (Reply, Option<Guest>) {
        let Some(world) = self.services.worlds().get(DEFAULT_ACCOUNT) else {
            return (Reply::unauthorized(self.reason_of_no_credentials()), None);
        };
        let proof = self.judge(&world);
        // Whoever shows another device's credentials learns nothing, not even what may be uploaded.
        let is_another = |device| self.named(&self.services).is_some_and(|named| named != device);
        note_proof(&self.caller, self.request.method(), &self.services);
        let is_told = proof.is_worthless() || proof.device().is_some_and(is_another);
        if is_upload(self.request.method()) && !is_told {
            return upload::answer(self, &world, payload, &proof).await;
        }
        match self.receive(&world, &proof) {
            Err(reason) => (self.challenge(reason, payload).await, None),
            Ok(guest) if matches!(*self.request.method(), Method::GET | Method::HEAD) => {
                let reply = fetch::answer(self, &world, &guest).await;
                self.remember(&world, &guest, &reply);
                (reply, Some(guest))
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
        if reason == Reason::CredentialsWrong {
            self.door.patience.wait(self.address, self.named(&self.services), self.now()).await;
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
        self.caller.visit(self.now())
    }

    /// What the request shows of itself.
    fn judge(&self, world: &World) -> Proof {
        if let (Channel::ClearText, Some(answered)) = (self.channel, Answered::of(self.request.headers())) {
            return self.judge_digest(&answered, world);
        }
        let generation_of = self.generation_of(world);
        let by_credentials = self.door.gate.judge(self.request.headers(), &world.account, generation_of);
        match &self.certificate {
            // Where certificates count no longer, an open connection does not go on with one.
            presented @ Presented::Verified(_) if world.account.admission.certificates != CertificatePolicy::Off => {
                by_credentials.with(presented, self.named(&self.services).as_ref())
            }
            _ => by_credentials,
        }
    }

    /// Finds the generation of a device's own password that passes a test.
    fn generation_of(&self, world: &World) -> impl Fn(&DeviceKey, IsShown<'_>) -> Option<u32> {
        let account = world.account_id;
        move |key, is_shown| credentials::generation_of(&self.services, account, key, is_shown)
    }

    /// The same of an answer to a Digest challenge. It counts for this path alone, and as long as its nonce does.
    fn judge_digest(&self, answered: &Answered, world: &World) -> Proof {
        let asked = self.request.uri().path_and_query().map_or("/", |path| path.as_str());
        let generation_of = self.generation_of(world);
        let proof = self.door.gate.judge_digest(answered, self.request.method().as_str(), &world.account, generation_of);
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

    /// What was served may stay in the phone's flash (contract 5.11): that is worked out later, with the presence batch.
    fn remember(&self, world: &Arc<World>, guest: &Guest, reply: &Reply) {
        if let (Reason::Parameters, false, Some(device)) = (reply.reason(), self.is_head(), &guest.device) {
            // Whoever shows the factory default, or is let in because it is expected back, has lost what it had.
            let is_fresh = guest.is_back || guest.admitted == Some(Admitted::FactoryDefault);
            let (device, world) = (Arc::clone(device), Arc::clone(world));
            let served = Served { at: self.now(), device, channel: self.channel, world, is_fresh };
            self.services.presence().serve(served.world.account_id, served);
        }
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
