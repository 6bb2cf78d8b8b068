//! What the head of a request and its connection tell of who comes and what for, and the message that it leaves for the runs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use actix_http::{Request, RequestHead};
use actix_web::http::header::{HOST, HeaderMap};
use actix_web::http::{Method, StatusCode};
use jiff::Timestamp;

use super::agent::{self, Agent};
use super::reply::Reply;
use super::{Door, peer};
use crate::catalog::models::models;
use crate::domain::admission::{by_its_mac, identify};
use crate::domain::credential::Channel;
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::OUTSIDE_TEXT_CHARS;
use crate::domain::manufacturer::Presented;
use crate::domain::phone_file::{LogKind, PhoneFile, PhonePath};
use crate::domain::rollover::CaMark;
use crate::domain::run::assembly::{Asked, Heard, Speaker, Standing};
use crate::domain::run::{Exchange, Method as Verb, Reason, clean};
use crate::domain::server::BaseUrl;
use crate::domain::trust::Admitted;
use crate::domain::user_agent::XDevice;
use crate::services::Services;
use crate::services::presence::Message;
use crate::services::provisioning::{Guest, Visit};
use crate::web::listener::Connection;

/// Who asks, for which file, and by which way.
pub(super) struct Caller {
    pub peer: SocketAddr,
    /// The phone's own, also behind a trusted proxy.
    pub address: IpAddr,
    pub path: PhonePath,
    pub agent: Agent,
    pub x_device: Option<XDevice>,
    /// The address of ours that it asked at.
    pub came_by: Option<String>,
    pub channel: Channel,
    /// What the connection showed of a factory certificate.
    pub certificate: Presented,
    /// The CA of ours that the connection was made under.
    pub under: Option<CaMark>,
}

impl Caller {
    /// The caller of a request that has not reached an application yet.
    pub fn of_connection(request: &Request, channel: Channel, services: &Services, door: &Door) -> Self {
        Self::new(request.head(), request.conn_data(), request.peer_addr(), channel, services, door)
    }

    /// The caller of the request with this `head`.
    pub fn new(
        head: &RequestHead,
        connection: Option<&Connection>,
        socket: Option<SocketAddr>,
        channel: Channel,
        services: &Services,
        door: &Door,
    ) -> Self {
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let peer = connection.and_then(|connection| connection.peer).or(socket).unwrap_or(nobody);
        let tls = connection.and_then(|connection| connection.tls.as_ref());
        let (mut path, agent) = (PhonePath::parse(head.uri.path()), agent::of(&head.headers));
        let roster = services.roster(DEFAULT_ACCOUNT);
        let mac_of = |key: &DeviceKey| roster.find(key).map(|listed| listed.device.mac);
        if let Some(key) = by_its_mac(&path.file, agent.phone.as_deref(), |mac| roster.holder(mac), mac_of) {
            path.file = path.file.belonging_to(key);
        }
        Self {
            address: door.address_of(peer.ip(), &head.headers),
            path,
            agent,
            x_device: head.headers.get("x-device").and_then(|value| XDevice::parse(value.to_str().ok()?)),
            came_by: came_by(&head.headers, tls.is_some(), services),
            certificate: tls.map_or(Presented::NotAsked, |tls| tls.certificate.clone()),
            under: tls.and_then(|tls| tls.under),
            channel,
            peer,
        }
    }

    /// What its request comes to, `at` this time.
    pub fn visit(&self, at: Timestamp) -> Visit<'_> {
        Visit {
            own_address: self.x_device.as_ref().and_then(|told| told.ip),
            file: &self.path.file,
            location: &self.path.location,
            agent: self.agent.phone.as_deref(),
            address: self.address,
            certificate: &self.certificate,
            came_by: self.came_by.as_deref(),
            under: self.under,
            at,
            channel: self.channel,
        }
    }

    /// Leaves the message that runs and sightings are made of, unless somebody else does when it has ended.
    pub fn note(&self, services: &Services, head: &RequestHead, reply: &Reply, guest: Option<Guest>) {
        if reply.is_told_later() {
            return;
        }
        let (reason, status, bytes) = (reply.reason(), reply.status(), reply.size_bytes());
        services.presence().note(self.message(head, reason, status, bytes, guest.as_ref(), services));
    }

    /// The message about an answer.
    pub fn message(
        &self,
        head: &RequestHead,
        reason: Reason,
        status: StatusCode,
        size_bytes: u64,
        guest: Option<&Guest>,
        services: &Services,
    ) -> Message {
        let standing = match guest {
            Some(guest) if guest.device.is_some() => Standing::LetIn,
            _ => Standing::Refused,
        };
        let shown = guest.and_then(|guest| guest.admitted).map(Admitted::shown);
        let is_back = guest.is_some_and(|guest| guest.is_back);
        let key = match guest {
            Some(guest) => guest.key.clone(),
            None => self.named(services),
        };
        let heard = Heard {
            connection: peer::connection_id(self.peer),
            address: self.address,
            key,
            standing,
            shown,
            is_back,
            asked: asked(&self.path.file, &head.method),
            speaker: Speaker::Unknown,
            user_agent: Arc::clone(&self.agent.text),
            exchange: Exchange {
                at: services.clock().now(),
                method: verb(&head.method),
                path: clean(head.uri.path(), OUTSIDE_TEXT_CHARS).into(),
                // Nobody heard the answer to an upload that was cut.
                status: if reason == Reason::CutOff { 0 } else { status.as_u16() },
                size_bytes,
                reason,
                in_clear: self.channel == Channel::ClearText,
            },
        };
        let private_ip = self.x_device.as_ref().and_then(|told| told.ip);
        Message { account: DEFAULT_ACCOUNT, heard, agent: self.agent.phone.clone(), private_ip }
    }

    /// The device that a request names which was not received: anybody can name one.
    pub fn named(&self, services: &Services) -> Option<DeviceKey> {
        let roster = services.roster(DEFAULT_ACCOUNT);
        identify(&self.path.file, &self.path.location, self.agent.phone.as_deref(), models(), |key| roster.find(key).is_some())
    }
}

/// The address of ours by which a request came. Some phones leave the port out of their header whatever it is: then it is taken for
/// the one that they are told.
fn came_by(headers: &HeaderMap, is_tls: bool, services: &Services) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let told = || {
        let endpoints = services.worlds().endpoints();
        let url = if is_tls { Some(&endpoints.https_url) } else { endpoints.http_url.as_ref() };
        url.and_then(|url| BaseUrl::parse(url)).map_or(0, |base| base.port)
    };
    BaseUrl::of_request(is_tls, host, told).map(|base| base.to_string())
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
