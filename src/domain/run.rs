//! Runs: the requests of one boot or poll, in order, with what each was answered and why (contract 1, R177).
//!
//! [`assembly`] puts requests together into runs; [`verdict`] says in words what came of one. Both are pure.

pub mod assembly;
mod open;
pub mod verdict;

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::device::DeviceKey;

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

/// Why a request was answered the way it was. `Display` gives the words for the Runs tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The master file made for this device.
    Master,
    /// A master file without device values.
    SharedMaster,
    /// The effective parameters.
    Parameters,
    /// What this device had stored here.
    DeviceFile,
    /// No such file, and none is needed.
    Absent,
    /// No image is served for this path.
    NoImage,
    /// A profile lists this file in `CONFIG_FILES`, and it is not stored here.
    ListedMissing,
    /// An upload under a new name.
    Stored,
    /// An upload that took the place of a former one.
    Replaced,
    /// The challenge that every request without credentials gets.
    CredentialsMissing,
    /// The credentials are not the account's.
    CredentialsWrong,
    /// Provisioning is switched off for the account, or was never set up.
    ProvisioningOff,
    /// The device was deleted with *block*.
    Blocked,
    /// Nothing says which device this is.
    Unidentified,
    /// It comes with credentials or a certificate of another device.
    OfAnotherDevice,
    /// The device is bound: the shared credentials no longer open it.
    Bound,
    /// It shows the factory default, and nobody has let it in yet (R184).
    FactoryCredentials,
    /// The factory default over plain HTTP: it opens nothing there (contract 4, point 4).
    FactoryInClear,
    /// The account lets in only those that show their factory certificate (R373).
    CertificateNeeded,
    /// A new device, and the account asks somebody first.
    NotApproved,
    /// A new device, and the account takes only those that were added beforehand.
    NotStaged,
    /// It was added beforehand too long ago.
    StagedTooLong,
    /// It was known as another model.
    ModelChanged,
    /// It comes from another subnet than it belongs to.
    OtherPlace,
    /// It came over plain HTTP, though it was served over TLS before.
    CameOverHttp,
    /// The master file of a phone that comes over plain HTTP and does not know our certificate authority yet.
    BootstrapMaster,
    /// Stage 1 of the way to HTTPS: our certificate authority, and a time server.
    BootstrapTrust,
    /// Stage 2: our HTTPS address.
    BootstrapMove,
    /// Plain HTTP has nothing else.
    PlainHttp,
    /// Phones get nothing at all over plain HTTP: the switch is off.
    PlainHttpOff,
    /// Too many new devices came from this address or to this account in a short time.
    TooManyNew,
    /// The upload is not one of this device's own files.
    Foreign,
    /// Nothing that phones may upload.
    NotUploadable,
    /// A method that phones do not use.
    MethodRefused,
    /// An upload in pieces (`Content-Range`).
    Piecewise,
    /// The upload is longer than its kind may be.
    TooLarge,
    /// The connection ended before the upload did; the former file stays.
    CutOff,
    /// The device uploads more than it may.
    QuotaReached,
    /// The disk is nearly full.
    DiskReserve,
    /// A fault of this server.
    Fault,
    /// The TLS handshake failed.
    Handshake(HandshakeFault),
}

impl Reason {
    /// Whether whoever asked did not show the right credentials: then nothing says that it is the phone that it may claim to be.
    pub fn is_unproven(self) -> bool {
        matches!(self, Self::CredentialsMissing | Self::CredentialsWrong)
    }

    /// Whether the device keeps what it has, on purpose.
    pub fn is_held(self) -> bool {
        matches!(
            self,
            Self::Blocked
                | Self::ProvisioningOff
                | Self::TooManyNew
                | Self::Unidentified
                | Self::Bound
                | Self::FactoryCredentials
                | Self::FactoryInClear
                | Self::CertificateNeeded
                | Self::NotApproved
                | Self::NotStaged
                | Self::StagedTooLong
                | Self::ModelChanged
                | Self::OtherPlace
                | Self::CameOverHttp
                | Self::PlainHttpOff
        )
    }
}

/// What to do about somebody who is not let in for a reason; none for reasons that keep nobody out.
pub fn next_step(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::ProvisioningOff => "Switch it on under Provisioning Settings; until then phones keep what they have",
        Reason::Blocked => "Unblock it under Pending if it may come back",
        Reason::TooManyNew => "Let it in under Pending, or wait: it is taken when it asks again",
        Reason::Unidentified => "Switch on device.prov.tagSerialNo on the phone, or find out why it does not get its own file",
        Reason::Bound => {
            "If this phone was reset or replaced, bind it again under Pending. If not, somebody else has the shared credentials"
        }
        Reason::FactoryCredentials => "If this is one of your phones, adopt it under Pending",
        Reason::FactoryInClear => {
            "Factory settings open nothing over plain HTTP. Enter the shared credentials of Provisioning Settings on the phone"
        }
        Reason::CertificateNeeded => {
            "Load the certificate authority of the phone's maker, or no longer require certificates under Provisioning Settings"
        }
        Reason::NotApproved => "Let it in under Pending if it is one of your phones",
        Reason::NotStaged => "Add the device, or let it in under Pending",
        Reason::StagedTooLong => "Expect it back: the device then has seven days more",
        Reason::ModelChanged => "If the phone was replaced by another model, let it in under Pending",
        Reason::OtherPlace => "If the phone has moved, let it in under Pending: it is at home there from then on",
        Reason::CameOverHttp => {
            "It keeps its lines. If it was reset, let it in under Pending; else give it the HTTPS address, by DHCP or in its menu"
        }
        Reason::PlainHttpOff => {
            "Give it the HTTPS address, by DHCP or in its menu, or switch on the bootstrap in Provisioning Settings"
        }
        Reason::CredentialsWrong => "Enter the shared credentials of Provisioning Settings on the phone, or in the DHCP option",
        Reason::OfAnotherDevice => {
            "See which phone is at that address: it shows credentials or a certificate that were made for another device"
        }
        _ => return None,
    })
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Master => "the master file of this device",
            Self::SharedMaster => "a master file without device values",
            Self::Parameters => "its effective configuration",
            Self::DeviceFile => "what it uploaded last",
            Self::Absent => "nothing stored under this name, and nothing needed",
            Self::NoImage => "no software is served here",
            Self::ListedMissing => "a profile names this file for phones to fetch, and it is not stored here",
            Self::Stored => "stored",
            Self::Replaced => "stored, in place of the former one",
            Self::CredentialsMissing => "no credentials sent; a phone repeats the request with them",
            Self::CredentialsWrong => "wrong user name or password",
            Self::ProvisioningOff => "provisioning is switched off",
            Self::Blocked => "this device is blocked",
            Self::Unidentified => "nothing says which device this is",
            Self::OfAnotherDevice => "credentials or certificate of another device",
            Self::Bound => "bound: only its own credentials open this device",
            Self::FactoryCredentials => "factory credentials, and nobody has let it in yet",
            Self::FactoryInClear => "factory credentials, which count over TLS only",
            Self::CertificateNeeded => "only phones with a factory certificate are let in",
            Self::NotApproved => "a new device, waiting for somebody to let it in",
            Self::NotStaged => "a new device, and only those that were added before are let in",
            Self::StagedTooLong => "added too long ago; expect it anew",
            Self::ModelChanged => "known as another model",
            Self::OtherPlace => "comes from another subnet than it belongs to",
            Self::CameOverHttp => "came over plain HTTP, though it has a configuration that TLS protects",
            Self::BootstrapMaster => "the master file that leads from plain HTTP to HTTPS",
            Self::BootstrapTrust => "our certificate authority and a time server, so that it can trust us over HTTPS",
            Self::BootstrapMove => "our HTTPS address, because it showed that it trusts us",
            Self::PlainHttp => "plain HTTP has nothing but the way to HTTPS",
            Self::PlainHttpOff => "phones are not served over plain HTTP",
            Self::TooManyNew => "too many new devices in a short time",
            Self::Foreign => "not a file of this device",
            Self::NotUploadable => "nothing that a phone may upload",
            Self::MethodRefused => "not a method that phones use",
            Self::Piecewise => "uploads in pieces are not taken",
            Self::TooLarge => "larger than this kind of file may be",
            Self::CutOff => "the connection ended before the upload did; the former file stays",
            Self::QuotaReached => "this device uploads more than it may",
            Self::DiskReserve => "the server's disk is nearly full",
            Self::Fault => "a fault of this server",
            Self::Handshake(fault) => return fault.fmt(f),
        })
    }
}

/// Why a TLS handshake failed, as far as the two sides told. `Display` gives the cause in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandshakeFault {
    /// The phone does not know the CA that signed our certificate.
    UnknownCa,
    /// The phone refuses our certificate and does not say why: CA, name or clock.
    CertificateRefused,
    /// The phone calls our certificate bad: libraries say so of a wrong name and of a validity that has not begun.
    CertificateBad,
    /// The phone takes our certificate for expired: mostly its clock.
    CertificateTime,
    /// The phone takes our certificate for revoked.
    CertificateRevoked,
    /// The phone cannot use a certificate of this kind.
    CertificateUnsupported,
    /// No cipher suite that both sides speak.
    NoCommonSuite,
    /// No TLS version that both sides speak.
    NoCommonVersion,
    /// What came was no TLS, mostly plain HTTP.
    NotTls,
    /// The phone hung up without a word.
    HungUp,
    /// The handshake took too long.
    TimedOut,
    /// Anything else.
    Other,
}

impl fmt::Display for HandshakeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::UnknownCa => "it does not know the CA of our certificate",
            Self::CertificateRefused => "it refuses our certificate and does not say why",
            Self::CertificateBad => "it calls our certificate bad: not valid yet, or made for another name",
            Self::CertificateTime => "it takes our certificate for expired; its clock may be wrong",
            Self::CertificateRevoked => "it takes our certificate for revoked",
            Self::CertificateUnsupported => "it cannot use a certificate of this kind",
            Self::NoCommonSuite => "it shares no cipher suite with us",
            Self::NoCommonVersion => "it speaks no TLS version that we do",
            Self::NotTls => "it did not speak TLS",
            Self::HungUp => "it hung up during the handshake",
            Self::TimedOut => "the handshake took too long",
            Self::Other => "the handshake failed",
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
        };
        let json = serde_json::to_string(&exchange).expect("plain values become JSON");
        assert_eq!(json, r#"{"t":1795000000123,"m":"GET","p":"/0004f2c05001.cfg","s":200,"z":312,"r":"master"}"#);
        assert_eq!(serde_json::from_str::<Exchange>(&json).ok(), Some(exchange));
        let failed = Reason::Handshake(HandshakeFault::UnknownCa);
        assert_eq!(serde_json::to_string(&failed).ok().as_deref(), Some(r#"{"handshake":"unknown-ca"}"#));
    }
}
