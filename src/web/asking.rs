//! Asking phones for their factory certificate during the handshake (R373).
//!
//! Every handshake goes on whatever comes: a phone whose certificate is worth nothing, or that cannot prove that it is its own,
//! comes in as one without, and its credentials decide. What came is judged once the handshake is done.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::domain::manufacturer::{CertificateFault, Presented};
use crate::domain::rollover::CaMark;
use crate::services::manufacturers::asking::{self, Asker, Asking};

/// Whether whoever sent this hello is asked. Browsers are not: they would show their user a list of certificates to choose from.
/// Every browser offers HTTP/2 by ALPN, and phones speak HTTP/1.1 alone and mostly send no ALPN at all. Where a browser has
/// HTTP/2 switched off, the names of the authorities in our question keep it from asking its user: he has none of theirs.
pub fn is_asked(hello: &ClientHello<'_>) -> bool {
    hello.alpn().is_none_or(|mut protocols| !protocols.any(|protocol| protocol == b"h2"))
}

/// The question to one phone, and whether its answer came with proof that it holds the key.
pub struct Question {
    asking: Arc<Asking>,
    algorithms: WebPkiSupportedAlgorithms,
    /// Why it came without.
    unproven: OnceLock<CertificateFault>,
}

impl Question {
    /// One for each handshake.
    pub fn new(asking: Arc<Asking>, usual: &ServerConfig) -> Arc<Self> {
        let algorithms = usual.crypto_provider().signature_verification_algorithms;
        Arc::new(Self { asking, algorithms, unproven: OnceLock::new() })
    }

    /// The usual settings with this question. Nothing is resumed: each handshake shows the certificate anew, so no identity
    /// outlives the authority or the policy that it was let in by, and none is missed for a ticket of a time when nobody asked.
    ///
    /// # Errors
    /// Settings that rustls does not take.
    pub fn settings(self: &Arc<Self>, usual: &ServerConfig) -> Result<Arc<ServerConfig>, Error> {
        let mut settings = ServerConfig::builder_with_provider(Arc::clone(usual.crypto_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_client_cert_verifier(Arc::clone(self) as Arc<dyn ClientCertVerifier>)
            .with_cert_resolver(Arc::clone(&usual.cert_resolver));
        settings.alpn_protocols.clone_from(&usual.alpn_protocols);
        settings.session_storage = Arc::new(NoServerSessionStorage {});
        settings.send_tls13_tickets = 0;
        Ok(Arc::new(settings))
    }

    /// What came of it.
    pub fn answer(&self, stream: &TlsStream<TcpStream>, asker: &Asker) -> Presented {
        match (stream.get_ref().1.peer_certificates(), self.unproven.get()) {
            (None, _) => Presented::Nothing,
            (Some(_), Some(fault)) => Presented::Unverified(*fault),
            (Some(chain), None) => self.asking.judge(chain, asker.now()),
        }
    }

    fn noted(
        &self,
        certificate: &CertificateDer<'_>,
        proof: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        if let Err(error) = proof {
            // A handshake has one proof.
            let _ = self.unproven.set(asking::unproven(certificate, &error));
        }
        Ok(HandshakeSignatureValid::assertion())
    }
}

impl ClientCertVerifier for Question {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.asking.names()
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // Judged by [`Question::answer`].
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.noted(certificate, verify_tls12_signature(message, certificate, signed, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.noted(certificate, verify_tls13_signature(message, certificate, signed, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").finish_non_exhaustive()
    }
}

/// A connection after its handshake, with what the phone showed.
pub struct Shaken {
    stream: TlsStream<TcpStream>,
    /// What it showed of a factory certificate.
    pub presented: Presented,
    /// The CA of ours that it was shown in full; none where it resumed a session or the certificate is no CA's of ours.
    pub under: Option<CaMark>,
}

impl Shaken {
    /// All of it together.
    pub fn new(stream: TlsStream<TcpStream>, presented: Presented, under: Option<CaMark>) -> Self {
        Self { stream, presented, under }
    }

    /// The connection.
    pub fn stream(&self) -> &TlsStream<TcpStream> {
        &self.stream
    }
}

impl AsyncRead for Shaken {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Shaken {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, pieces: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
