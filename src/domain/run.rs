//! Runs: the requests of one boot or poll, in order, with what each was answered and why (contract 1, R177).
//!
//! [`assembly`] puts requests together into runs; [`verdict`] says in words what came of one. Both are pure.

pub mod assembly;
mod open;
mod reason;
pub mod verdict;

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::device::DeviceKey;
pub use reason::{Going, HandshakeFault, Percent, Reason, next_step};

/// Whom a run belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A device of the inventory that was let in.
    Device(DeviceKey),
    /// A phone that named a device and was not let in, whether that device exists or not: anybody can name one.
    Stranger(DeviceKey),
    /// Something that named no device, or never got past the TLS handshake.
    Address(IpAddr),
}

/// One boot or poll. Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// First request.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub started_at: Timestamp,
    /// Last request so far.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub ended_at: Timestamp,
    /// Address the last request came from.
    pub address: IpAddr,
    /// The last User-Agent, cleaned and capped.
    pub user_agent: String,
    /// Boot or poll.
    pub kind: RunKind,
    /// Whether the master and every file of ours that it names were answered 200 (contract 4).
    #[serde(default)]
    pub complete: bool,
    /// With which kinds of credentials its requests were let in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Shown>,
    /// What was asked, in order.
    pub exchanges: Vec<Exchange>,
    /// How many exchanges were left out because the run has more than [`super::limits::EXCHANGES_PER_RUN`].
    #[serde(default)]
    pub left_out: u32,
}

/// What set a run off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// An Updater spoke.
    Boot,
    /// Anything else.
    Poll,
}

/// What a phone showed when it was let in. `Display` gives the words for the Runs tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// Its own credentials.
    Own,
    /// Its factory certificate.
    Certificate,
    /// The shared credentials.
    Shared,
    /// The factory default.
    FactoryDefault,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Own => "its own credentials",
            Self::Certificate => "its factory certificate",
            Self::Shared => "the shared credentials",
            Self::FactoryDefault => "the factory default",
        })
    }
}

/// One request and its answer, or one failed handshake. Names are short in the stored form: a fleet keeps millions of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When it was answered; stored in milliseconds.
    #[serde(rename = "t", with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// What was to be done.
    #[serde(rename = "m")]
    pub method: Method,
    /// What was asked for, cleaned and capped by [`clean`], without a query. Empty for a failed handshake.
    #[serde(rename = "p", default, skip_serializing_if = "str_is_empty")]
    pub path: Box<str>,
    /// HTTP status; 0 for a failed handshake or a connection that was cut before its answer.
    #[serde(rename = "s")]
    pub status: u16,
    /// Bytes of the answer's or, for an upload, the request's body.
    #[serde(rename = "z", default)]
    pub size_bytes: u64,
    /// Why it was answered so.
    #[serde(rename = "r")]
    pub reason: Reason,
    /// Whether it came over plain HTTP.
    #[serde(rename = "c", default, skip_serializing_if = "is_false")]
    pub in_clear: bool,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

fn str_is_empty(text: &str) -> bool {
    text.is_empty()
}

/// What a phone wanted to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Fetch a file.
    Get,
    /// Ask for a file's size.
    Head,
    /// Upload a file.
    Put,
    /// Upload a file, as some models do.
    Post,
    /// Anything else, which is answered 405.
    Other,
    /// A TLS handshake that failed.
    Tls,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Other => "other",
            Self::Tls => "TLS",
        })
    }
}

/// Makes a text from outside fit to be kept and shown: control characters replaced, at most `chars` characters.
pub fn clean(text: &str, chars: usize) -> String {
    if text.len() <= chars && text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return text.to_owned();
    }
    let replace = |c: char| if c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) { '\u{fffd}' } else { c };
    text.chars().take(chars).map(replace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_bounded_and_cannot_hide_or_reorder_anything() {
        assert_eq!(clean("a\u{0}b\u{202e}c\nd", 80), "a\u{fffd}b\u{fffd}c\u{fffd}d");
        assert_eq!(clean(&"é".repeat(300), 200).chars().count(), 200);
    }

    #[test]
    fn an_exchange_is_stored_small_and_read_back_the_same() {
        let exchange = Exchange {
            at: Timestamp::from_millisecond(1_795_000_000_123).expect("a time within the range"),
            method: Method::Get,
            path: "/0004f2c05001.cfg".into(),
            status: 200,
            size_bytes: 312,
            reason: Reason::Master,
            in_clear: false,
        };
        let json = serde_json::to_string(&exchange).expect("plain values become JSON");
        assert_eq!(json, r#"{"t":1795000000123,"m":"GET","p":"/0004f2c05001.cfg","s":200,"z":312,"r":"master"}"#);
        assert_eq!(serde_json::from_str::<Exchange>(&json).ok(), Some(exchange));
        let failed = Reason::Handshake(HandshakeFault::UnknownCa);
        assert_eq!(serde_json::to_string(&failed).ok().as_deref(), Some(r#"{"handshake":"unknown-ca"}"#));
    }
}
