//! Runs: the requests of one boot or poll, in order, with what each was answered and why (contract 1, R177).

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::device::DeviceKey;
use super::mac::Mac;

/// Whom a run belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A device of the inventory.
    Device(DeviceKey),
    /// A phone that named a MAC and was not let in.
    Stranger(Mac),
    /// Something that named no MAC, or never got past the TLS handshake.
    Address(IpAddr),
}

/// One boot or poll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// First request.
    pub started_at: Timestamp,
    /// Last request so far.
    pub ended_at: Timestamp,
    /// Address it came from.
    pub address: IpAddr,
    /// The last User-Agent, cleaned and capped.
    pub user_agent: String,
    /// Boot or poll.
    pub kind: RunKind,
    /// What was asked, in order.
    pub exchanges: Vec<Exchange>,
    /// How many exchanges were left out because the run has more than a run may keep.
    #[serde(default)]
    pub left_out: u32,
}

/// What set a run off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// An Updater spoke, or the uptime fell.
    Boot,
    /// Anything else.
    Poll,
}

/// One request and its answer, or one failed handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When it was answered.
    pub at: Timestamp,
    /// `GET`, `HEAD`, `PUT`, `POST`; `TLS` for a handshake that failed.
    pub method: String,
    /// What was asked for, cleaned and capped, without a query.
    pub path: String,
    /// HTTP status; 0 for a failed handshake.
    pub status: u16,
    /// Bytes of the answer's or, for an upload, the request's body.
    pub size_bytes: u64,
    /// Why it was answered so.
    pub reason: Reason,
}

/// Why a request was answered the way it was, in words for the Runs tab. Kept as a short text in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(pub String);
