//! The accept step in front of HTTP: reads the ClientHello, shakes hands, and says in words why a handshake failed.
//!
//! actix-server throws failed handshakes away; a phone that does not trust us would leave no trace. Nothing of HTTP is known here.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, CipherSuite, HandshakeKind, PeerIncompatible, ServerConfig, SignatureScheme};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;

use super::asking::{Question, Shaken, is_asked};
use super::listener::TimeLimits;
use super::tickets::Tickets;
use crate::domain::manufacturer::Presented;
use crate::services::certificates::Certificates;
use crate::services::manufacturers::asking::Asker;

/// Bytes of a connection's beginning that tell what the peer speaks: a TLS record header and the version its hello asks for.
const PEEKED_BYTES: usize = 11;
/// What a peer hears that speaks plain HTTP to this port. 503 rather than 400: a phone that may hold a configuration keeps it.
const PLAIN_HTTP_ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Retry-After: 3600\r\nContent-Length: 48\r\nConnection: close\r\n\r\nThis port speaks HTTPS. Use an https:// address.";

/// Called with every handshake that failed, on the worker's thread: it must not block.
pub type FailureSink = Arc<dyn Fn(FailedHandshake) + Send + Sync>;

/// What the accept step needs: the TLS settings and whom to tell about failures.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    on_failure: FailureSink,
    asker: Option<Arc<Asker>>,
    certificates: Arc<Certificates>,
}

/// A handshake that came to nothing.
#[derive(Clone, Debug)]
pub struct FailedHandshake {
    /// Whom we spoke to.
    pub peer: SocketAddr,
    /// The host name the peer asked for, where it got that far.
    pub server_name: Option<String>,
    /// The cipher suites it offered, where it got that far.
    pub offered: Vec<CipherSuite>,
    /// What went wrong.
    pub fault: HandshakeFault,
}

/// Why a handshake failed. [`fmt::Display`] says it in words, with what it usually means for a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandshakeFault {
    /// An `http://` address that names the HTTPS port.
    PlainHttp,
    /// A hello in the form of SSL 2.0, as very old software sends it.
    Ssl2Hello,
    /// Neither TLS nor HTTP.
    NotTls,
    /// The newest version the peer can do, as its hello gives it (`0x0301` is TLS 1.0).
    OldVersion(u16),
    /// No cipher suite, or no signature or key exchange method, in common.
    NothingInCommon,
    /// The peer ended it with an alert.
    Alert(AlertDescription),
    /// The peer went silent.
    Timeout,
    /// The peer closed the connection half way.
    Closed,
    /// Anything else, in rustls' words.
    Other(String),
}

impl Tls {
    /// TLS 1.2 and 1.3 with the certificates that are in use at the moment of each hello; HTTP/1.1 only.
    pub fn new(certificates: Arc<Certificates>, on_failure: FailureSink) -> Result<Self, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Choice(Arc::clone(&certificates))));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Stateless tickets: resumption for browsers without a shared cache that every phone's handshake would have to lock.
        config.ticketer = Arc::new(Tickets::new(rustls::crypto::aws_lc_rs::Ticketer::new()?, Arc::clone(&certificates)));
        config.send_tls13_tickets = 1;
        Ok(Self { config: Arc::new(config), on_failure, asker: None, certificates })
    }

    /// The same, and phones are asked for their factory certificate whenever the settings say so.
    #[must_use]
    pub fn asking(self, asker: Arc<Asker>) -> Self {
        Self { asker: Some(asker), ..self }
    }

    /// Shakes hands. On failure the sink has been told and there is nothing left to do.
    pub async fn accept(&self, io: TcpStream, limits: &TimeLimits) -> Option<Shaken> {
        let peer = io.peer_addr().ok()?;
        let mut failure = FailedHandshake { peer, server_name: None, offered: Vec::new(), fault: HandshakeFault::Closed };
        match self.shake_hands(io, limits, &mut failure).await {
            Ok(stream) => Some(stream),
            Err(Some(fault)) => {
                let FailedHandshake { server_name, offered, .. } = &failure;
                tracing::debug!(%peer, ?server_name, ?offered, %fault, "a handshake failed");
                failure.fault = fault;
                (self.on_failure)(failure);
                None
            }
            Err(None) => None,
        }
    }

    /// The error is none for a peer that left without a word: a port check, not a failed handshake.
    async fn shake_hands(
        &self,
        mut io: TcpStream,
        limits: &TimeLimits,
        facts: &mut FailedHandshake,
    ) -> Result<Shaken, Option<HandshakeFault>> {
        let hello = async {
            let opening = Opening::peek(&io).await?;
            if opening == Opening::Http {
                answer_plain_http(&mut io).await;
                return Err(Some(HandshakeFault::PlainHttp));
            }
            LazyConfigAcceptor::new(Acceptor::default(), io).await.map_err(|error| Some(opening.fault(&error)))
        };
        let start = timeout(limits.hello, hello).await.map_err(|_| Some(HandshakeFault::Timeout))??;
        let hello = start.client_hello();
        facts.server_name = hello.server_name().map(str::to_owned);
        facts.offered = hello.cipher_suites().to_vec();
        let question = self.question(&hello);
        let settings = match &question {
            Some((question, _)) => {
                question.settings(&self.config).map_err(|error| Some(HandshakeFault::Other(error.to_string())))?
            }
            None => Arc::clone(&self.config),
        };
        let under = self.certificates.active().ca;
        let handshake = start.into_stream(settings);
        let done = timeout(limits.handshake, handshake).await.map_err(|_| Some(HandshakeFault::Timeout))?;
        let stream = done.map_err(|error| Some(HandshakeFault::of(&error)))?;
        let presented = question.map_or(Presented::NotAsked, |(question, asker)| question.answer(&stream, asker));
        let is_shown = stream.get_ref().1.handshake_kind().is_some_and(|kind| kind != HandshakeKind::Resumed);
        Ok(Shaken::new(stream, presented, under.filter(|_| is_shown)))
    }

    /// What whoever sent this hello is asked, and who judges the answer; none for browsers, and while nobody is asked.
    fn question(&self, hello: &ClientHello<'_>) -> Option<(Arc<Question>, &Asker)> {
        let asker = self.asker.as_deref()?;
        let asking = asker.asking().filter(|_| is_asked(hello))?;
        Some((Question::new(asking, &self.config), asker))
    }
}

/// Chooses the certificate for a hello: P-256 for those that take it, RSA for all others (protocol/provisioning.md 7).
#[derive(Debug)]
struct Choice(Arc<Certificates>);

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let active = self.0.active();
        // rustls has already taken out the schemes that no offered cipher suite can use, so `!ECDSA` in a list counts.
        let takes_p256 = hello.signature_schemes().contains(&SignatureScheme::ECDSA_NISTP256_SHA256);
        match &active.p256 {
            Some(p256) if takes_p256 => Some(Arc::clone(p256)),
            _ => Some(Arc::clone(&active.default)),
        }
    }
}

/// What a connection's first bytes say about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// A TLS record; with the highest version of the hello before `supported_versions`, where that many bytes had come.
    Tls(Option<u16>),
    Http,
    Ssl2,
    Unknown,
}

impl Opening {
    async fn peek(io: &TcpStream) -> Result<Self, Option<HandshakeFault>> {
        let mut bytes = [0; PEEKED_BYTES];
        match io.peek(&mut bytes).await {
            Ok(0) | Err(_) => Err(None),
            Ok(length) => Ok(Self::of(&bytes[..length])),
        }
    }

    fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0x16, 0x03, _, _, _, 0x01, _, _, _, major, minor] => Self::Tls(Some(u16::from_be_bytes([*major, *minor]))),
            [0x16, ..] => Self::Tls(None),
            // A two-byte length with its high bit set, then the type of a hello.
            [first, _, 0x01, ..] if first & 0x80 != 0 => Self::Ssl2,
            [a, b, ..] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Self::Http,
            _ => Self::Unknown,
        }
    }

    /// Why the hello could not be read: an old hello lacks what a newer one must have, so its version is the better explanation.
    fn fault(self, error: &io::Error) -> HandshakeFault {
        match self {
            Self::Ssl2 => HandshakeFault::Ssl2Hello,
            Self::Unknown => HandshakeFault::NotTls,
            Self::Tls(Some(version)) if version < 0x0303 && rustls_error(error).is_some() => HandshakeFault::OldVersion(version),
            Self::Tls(_) | Self::Http => HandshakeFault::of(error),
        }
    }
}

impl HandshakeFault {
    fn of(error: &io::Error) -> Self {
        match rustls_error(error) {
            Some(rustls::Error::AlertReceived(alert)) => Self::Alert(*alert),
            Some(rustls::Error::PeerIncompatible(cause)) => match cause {
                PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled
                | PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::SupportedVersionsExtensionRequired => Self::OldVersion(0x0302),
                _ => Self::NothingInCommon,
            },
            Some(other) => Self::Other(other.to_string()),
            None if error.kind() == io::ErrorKind::InvalidData => Self::Other(error.to_string()),
            None => Self::Closed,
        }
    }
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// Reads what has come so that closing does not reset the connection, then says what this port speaks.
async fn answer_plain_http(io: &mut TcpStream) {
    let mut request = [0; 4096];
    let _ = io.try_read(&mut request);
    // The peer may be gone already: then there is nobody to tell.
    let _ = io.write_all(PLAIN_HTTP_ANSWER).await;
    let _ = io.shutdown().await;
}

impl fmt::Display for HandshakeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use AlertDescription as A;
        match self {
            Self::PlainHttp => f.write_str("it spoke plain HTTP to the HTTPS port: its address must begin with https://"),
            Self::Ssl2Hello => {
                f.write_str("it opened in the form of SSL 2.0, which no server may answer: its software is too old")
            }
            Self::NotTls => f.write_str("it spoke neither TLS nor HTTP"),
            Self::OldVersion(0x0300) => f.write_str("it offers SSL 3.0 at most; TLS 1.2 is needed"),
            Self::OldVersion(0x0301) => f.write_str("it offers TLS 1.0 at most; TLS 1.2 is needed"),
            Self::OldVersion(_) => f.write_str("it offers TLS 1.1 at most; TLS 1.2 is needed"),
            Self::NothingInCommon => f.write_str("no common cipher suite: its cipher list lacks ECDHE with AES-GCM"),
            Self::Alert(A::UnknownCA) => f.write_str("it does not know the CA of our certificate: the CA is not installed on it"),
            Self::Alert(A::CertificateExpired) => f.write_str("it holds our certificate for expired: its clock is wrong"),
            Self::Alert(A::BadCertificate) => {
                f.write_str("it called our certificate bad: its clock is behind, or the host name is not in the certificate")
            }
            Self::Alert(A::CertificateUnknown | A::DecryptError | A::AccessDenied) => {
                f.write_str("it refused our certificate: it lacks our CA, the host name is not in it, or its clock is wrong")
            }
            Self::Alert(A::CertificateRevoked) => f.write_str("it holds our certificate for revoked"),
            Self::Alert(A::UnsupportedCertificate) => f.write_str("it cannot use a certificate of this kind"),
            Self::Alert(A::ProtocolVersion) => f.write_str("it refused our TLS version"),
            Self::Alert(A::HandshakeFailure | A::InsufficientSecurity) => f.write_str("it found no common cipher suite"),
            Self::Alert(alert) => write!(f, "it ended the handshake with the alert {alert:?}"),
            Self::Timeout => f.write_str("it went silent during the handshake"),
            Self::Closed => {
                f.write_str("it closed the connection during the handshake, as phones do that do not trust the certificate")
            }
            Self::Other(words) => write!(f, "the handshake broke off: {words}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_the_peer_speaks() {
        let hello = |minor| Opening::of(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, minor]);
        assert_eq!(hello(3), Opening::Tls(Some(0x0303)));
        assert_eq!(hello(1), Opening::Tls(Some(0x0301)));
        assert_eq!(Opening::of(&[0x16, 3]), Opening::Tls(None));
        assert_eq!(Opening::of(b"GET / HTTP/"), Opening::Http);
        assert_eq!(Opening::of(&[0x80, 0x2e, 1, 3, 1]), Opening::Ssl2);
        assert_eq!(Opening::of(b"hello"), Opening::Unknown);
    }

    #[test]
    fn the_answer_to_plain_http_is_as_long_as_it_says() {
        let text = std::str::from_utf8(PLAIN_HTTP_ANSWER).expect("it is written as text above");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{} bytes", body.len());
    }
}
