//! A client that asks as phones do: over TLS, with credentials or without, and as roughly as a test needs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use super::server::{PASSWORD, Server, USER};

/// How long a test waits for an answer: far longer than any takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A phone, or whatever asks.
#[derive(Clone, Debug)]
pub struct Phone {
    port: u16,
    /// Over plain HTTP.
    in_clear: bool,
    /// Sent with each request, one header a line.
    headers: Vec<String>,
    /// What it shows where it is asked for a certificate.
    certificate: Option<Arc<CertifiedKey>>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// Header lines as they came.
    pub head: String,
    /// Body.
    pub body: Vec<u8>,
}

impl Phone {
    /// A VVX 500 with the shared credentials.
    pub fn new(server: &Server) -> Self {
        Self::bare(server).with_credentials(USER, PASSWORD).tagged(None)
    }

    /// Nobody in particular: neither credentials nor a User-Agent.
    pub fn bare(server: &Server) -> Self {
        Self { port: server.address.port(), in_clear: false, headers: Vec::new(), certificate: None }
    }

    /// A VVX 500 over plain HTTP, without credentials.
    pub fn in_clear(server: &Server) -> Self {
        Self { port: server.http.port(), in_clear: true, headers: Vec::new(), certificate: None }.tagged(None)
    }

    /// With these credentials, in place of others.
    pub fn with_credentials(self, user: &str, password: &str) -> Self {
        self.with("Authorization", &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }

    /// With a certificate to show. Whether the key is the certificate's is for the test to choose.
    pub fn with_certificate(self, certificate: CertifiedKey) -> Self {
        Self { certificate: Some(Arc::new(certificate)), ..self }
    }

    /// Without credentials.
    pub fn without_credentials(mut self) -> Self {
        self.headers.retain(|line| !line.starts_with("Authorization:"));
        self
    }

    /// A VVX 500's Application, tagged with a MAC or not.
    pub fn tagged(self, mac: Option<&str>) -> Self {
        let tag = mac.map(|mac| format!(" (SN:{mac})")).unwrap_or_default();
        self.with("User-Agent", &format!("FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477{tag} Type/Application"))
    }

    /// With a header, in place of one of the same name.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|line| !line.starts_with(&format!("{name}:")));
        self.headers.push(format!("{name}: {value}"));
        self
    }

    /// Fetches a file.
    pub fn get(&self, path: &str) -> Response {
        self.ask("GET", path, None)
    }

    /// Asks for a file's size.
    pub fn head(&self, path: &str) -> Response {
        self.ask("HEAD", path, None)
    }

    /// Uploads a file.
    pub fn put(&self, path: &str, body: &[u8]) -> Response {
        self.ask("PUT", path, Some(body))
    }

    /// Any request.
    pub fn ask(&self, method: &str, path: &str, body: Option<&[u8]>) -> Response {
        let mut request = self.request_head(method, path);
        if let Some(body) = body {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body.unwrap_or_default());
        self.send(&bytes, method == "HEAD")
    }

    /// Uploads with chunked coding, in pieces of 32 KiB.
    pub fn put_chunked(&self, path: &str, body: &[u8]) -> Response {
        let mut bytes = format!("{}Transfer-Encoding: chunked\r\n\r\n", self.request_head("PUT", path)).into_bytes();
        for chunk in body.chunks(32 * 1024) {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        self.send(&bytes, false)
    }

    /// Asks for leave to send a body, and hangs up at the first answer, of which only the head is read: 100 is leave.
    pub fn ask_leave(&self, path: &str) -> Response {
        let request = format!("{}Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n", self.request_head("PUT", path));
        if self.in_clear {
            first_head(self.connect_in_clear(), request.as_bytes())
        } else {
            first_head(self.connect(), request.as_bytes())
        }
    }

    /// Announces more than it sends, then hangs up.
    pub fn put_cut(&self, path: &str, announced: usize, sent: &[u8]) {
        let mut bytes = format!("{}Content-Length: {announced}\r\n\r\n", self.request_head("PUT", path)).into_bytes();
        bytes.extend_from_slice(sent);
        let mut stream = self.connect();
        stream.write_all(&bytes).expect("sent");
        stream.flush().expect("sent");
    }

    /// Fetches a file, reads so many bytes of the answer, and hangs up.
    pub fn begin(&self, path: &str, bytes: usize) -> Vec<u8> {
        let mut stream = self.connect();
        stream
            .write_all(format!("{}\r\n", self.request_head("GET", path)).as_bytes())
            .and_then(|()| stream.flush())
            .expect("sent");
        let mut begin = vec![0; bytes];
        stream.read_exact(&mut begin).expect("answered");
        begin
    }

    /// Sends bytes as they are and reads one answer.
    pub fn send(&self, bytes: &[u8], is_head: bool) -> Response {
        if self.in_clear { exchange(self.connect_in_clear(), bytes, is_head) } else { exchange(self.connect(), bytes, is_head) }
    }

    /// Sends bytes as they are and reads all that comes until the server hangs up.
    pub fn send_all(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes).and_then(|()| stream.flush());
        stream.conn.send_close_notify();
        let _ = stream.flush();
        let mut answers = Vec::new();
        // Whoever refuses may hang up without a farewell.
        let _ = stream.read_to_end(&mut answers);
        String::from_utf8_lossy(&answers).into_owned()
    }

    fn request_head(&self, method: &str, path: &str) -> String {
        let names_host = self.headers.iter().any(|line| line.starts_with("Host:"));
        let host = if names_host { "" } else { "Host: localhost\r\n" };
        let mut head = format!("{method} {path} HTTP/1.1\r\n{host}");
        for line in &self.headers {
            head.push_str(line);
            head.push_str("\r\n");
        }
        head
    }

    fn connect_in_clear(&self) -> TcpStream {
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        tcp.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        tcp
    }

    fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let tcp = self.connect_in_clear();
        let name = ServerName::try_from("localhost").expect("a name");
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions that the provider has")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer))
            .with_client_cert_resolver(Arc::new(Shown(self.certificate.clone())));
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).expect("a client"), tcp)
    }
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// The values of a header that may stand there more than once.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn exchange(mut stream: impl std::io::Read + std::io::Write, bytes: &[u8], is_head: bool) -> Response {
    // A server that has heard enough may answer and hang up before everything is sent.
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
    read_response(&mut stream, is_head)
}

fn first_head(mut stream: impl std::io::Read + std::io::Write, bytes: &[u8]) -> Response {
    stream.write_all(bytes).and_then(|()| stream.flush()).expect("sent");
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("answered though no byte of the body was sent");
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).trim_end().to_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Response { status, head, body: Vec::new() }
}

fn read_response(stream: &mut impl std::io::Read, is_head: bool) -> Response {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some(response) = parse(&bytes, is_head) {
            return response;
        }
        match stream.read(&mut chunk) {
            Ok(0) => panic!("the connection ended within an answer: {}", String::from_utf8_lossy(&bytes)),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) => panic!("no answer: {error}; so far: {}", String::from_utf8_lossy(&bytes)),
        }
    }
}

/// A whole answer, once it is whole. `100 Continue` is passed over.
fn parse(bytes: &[u8], is_head: bool) -> Option<Response> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
    if status == 100 {
        return parse(&bytes[end + 4..], is_head);
    }
    let mut response = Response { status, head, body: Vec::new() };
    let length = match is_head || matches!(status, 204 | 304) {
        true => 0,
        false => response.header("content-length").expect("every answer says its length").parse().expect("a number"),
    };
    response.body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some(response)
}

/// Shows a certificate to whoever asks, or none.
#[derive(Debug)]
struct Shown(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// Takes any certificate: what is tested here lies behind it.
#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
