//! Sockets and the pipeline from an accepted connection to the application: TLS or not, then HTTP/1.1, with every time limit and cap.

use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_http::body::{BoxBody, MessageBody};
use actix_http::{HttpService, KeepAlive, Request, Response};
use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::Error;
use actix_web::dev::{AppConfig, Extensions};
use rustls::{CipherSuite, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::asking::Shaken;
use super::tls::Tls;
use crate::domain::manufacturer::Presented;
use crate::domain::rollover::CaMark;

/// Connections that wait to be accepted: a building's phones come back at once after a power cut.
const BACKLOG: i32 = 4_096;
/// Open connections for each worker; above it no more are accepted until some end. 10,000 phones at once must not fail (P7).
const CONNECTIONS_PER_WORKER: usize = 25_000;
/// Bytes that go into a connection's buffer before it is written out. The buffer begins with 8 KiB and keeps what it once grew to
/// for as long as the connection lives, so bodies of phones come in pieces of this size: ten thousand phones that wait between
/// two requests must not hold ten thousand whole files (P8).
pub const PIECE_BYTES: usize = 7 * 1024;
/// How long requests in flight may go on after the server was asked to stop (FLT-06).
const DRAIN_SECONDS: u64 = 30;

/// How long a peer may take for each step. What is slower is cut off.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimits {
    /// To send its ClientHello.
    pub hello: Duration,
    /// For the rest of the handshake. Ten thousand phones at once wait in one queue for some ten seconds of signing, so this must
    /// be far above what one slow handset needs (quality/performance.md 1e).
    pub handshake: Duration,
    /// To send the head of a request.
    pub head: Duration,
    /// Between two requests: a phone's requests of one boot are up to a minute apart.
    pub keep_alive: Duration,
    /// To take the rest of an answer after which the connection is closed.
    pub disconnect: Duration,
    /// For a body, beside the time that its bytes take at [`TimeLimits::BODY_BYTES_PER_SECOND`].
    pub body: Duration,
}

impl TimeLimits {
    /// The slowest body that is not cut off: an uplink that is busy with a call still does this.
    pub const BODY_BYTES_PER_SECOND: u64 = 1_024;
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(15),
            handshake: Duration::from_secs(45),
            head: Duration::from_secs(20),
            keep_alive: Duration::from_secs(75),
            disconnect: Duration::from_secs(5),
            body: Duration::from_secs(30),
        }
    }
}

/// What is known of a connection before its first request; handlers read it by `req.conn_data::<Connection>()`.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The socket's other end. It may be a proxy: see the trusted proxies of the settings.
    pub peer: Option<SocketAddr>,
    /// What the handshake agreed on; none over plain HTTP.
    pub tls: Option<TlsFacts>,
    /// Counts it as long as it is open.
    _open: Arc<Open>,
}

/// Connections of this process that are open now.
static OPEN: AtomicU64 = AtomicU64::new(0);

/// How many connections are open, with all that came past TLS and all over plain HTTP.
pub fn open_connections() -> u64 {
    OPEN.load(Ordering::Relaxed)
}

#[derive(Debug)]
struct Open;

impl Open {
    fn count() -> Arc<Self> {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a handshake agreed on.
#[derive(Clone, Debug)]
pub struct TlsFacts {
    /// TLS 1.2 or 1.3.
    pub version: Option<ProtocolVersion>,
    /// Cipher suite.
    pub suite: Option<CipherSuite>,
    /// The host name that the peer asked for.
    pub server_name: Option<String>,
    /// What it showed of a factory certificate.
    pub certificate: Presented,
    /// The CA of ours that the peer was shown; none where it resumed a session.
    pub under: Option<CaMark>,
}

/// Binds a listening socket with the backlog that a fleet needs. Port 0 takes any free port.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, ipproto, listen, socket_with, sockopt};
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket: OwnedFd = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, Some(ipproto::TCP))?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

/// A server with the limits that hold for all its sockets; signals are the caller's.
pub fn server(workers: usize) -> ServerBuilder {
    actix_server::Server::build()
        .workers(workers)
        .max_concurrent_connections(CONNECTIONS_PER_WORKER)
        .shutdown_timeout(DRAIN_SECONDS)
        .disable_signals()
}

/// What is said to a request that waits for leave to send its body (`Expect: 100-continue`): leave, or the answer at once.
pub type Expect = Arc<dyn Fn(Request) -> Result<Request, Response<BoxBody>> + Send + Sync>;

/// Adds a socket with an application for each worker. With `tls` every connection shakes hands first, and the sink of `tls` is
/// told about failures; without, it is plain HTTP.
///
/// # Errors
/// The socket is not usable.
pub fn listen<F, I, S, B>(
    server: ServerBuilder,
    socket: TcpListener,
    tls: Option<Tls>,
    limits: TimeLimits,
    expect: Expect,
    app: F,
) -> io::Result<ServerBuilder>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error>,
    S::InitError: std::fmt::Debug,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    let address = socket.local_addr()?;
    let stopping = server.graceful_shutdown_signal();
    match tls {
        Some(tls) => server.listen("https", socket, move || {
            let tls = tls.clone();
            let shake_hands = fn_service(move |io: TcpStream| {
                let tls = tls.clone();
                async move {
                    let peer = accepted(&io);
                    tls.accept(io, &limits).await.map(|stream| (stream, peer)).ok_or(Ended)
                }
            });
            shake_hands.and_then(pipeline(app().into_factory(), address, limits, expect.clone(), stopping.clone()))
        }),
        None => server.listen("http", socket, move || {
            let take = fn_service(|io: TcpStream| {
                let peer = accepted(&io);
                ready(Ok::<_, Ended>((io, peer)))
            });
            take.and_then(pipeline(app().into_factory(), address, limits, expect.clone(), stopping.clone()))
        }),
    }
}

/// The connection is over; whoever needed to know why has been told.
#[derive(Clone, Copy, Debug)]
pub struct Ended;

/// Prepares a new connection and answers who is at its other end.
fn accepted(io: &TcpStream) -> Option<SocketAddr> {
    // Without it the first answer of a TLS 1.3 connection waits 40 ms (quality/performance.md 1b). A peer that is gone already is
    // found out by whoever reads.
    let _ = io.set_nodelay(true);
    io.peer_addr().ok()
}

/// What bytes come through, with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Unpin + 'static {
    /// What handlers can read of the connection.
    fn facts(&self) -> Connection;
}

impl Stream for TcpStream {
    fn facts(&self) -> Connection {
        Connection { peer: self.peer_addr().ok(), tls: None, _open: Open::count() }
    }
}

impl Stream for Shaken {
    fn facts(&self) -> Connection {
        let (socket, session) = self.stream().get_ref();
        let tls = TlsFacts {
            version: session.protocol_version(),
            suite: session.negotiated_cipher_suite().map(|suite| suite.suite()),
            server_name: session.server_name().map(str::to_owned),
            certificate: self.presented.clone(),
            under: self.under,
        };
        Connection { tls: Some(tls), ..socket.facts() }
    }
}

/// HTTP/1.1 with our limits around the application.
fn pipeline<T, S, B>(
    app: S,
    address: SocketAddr,
    limits: TimeLimits,
    expect: Expect,
    stopping: GracefulShutdownSignal,
) -> impl ServiceFactory<(T, Option<SocketAddr>), Config = (), Response = (), Error = Ended, InitError = ()>
where
    T: Stream,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error>,
    S::InitError: std::fmt::Debug,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    let app = app.map_err(|error| error.into().error_response());
    HttpService::build()
        .keep_alive(KeepAlive::Timeout(limits.keep_alive))
        .client_request_timeout(limits.head)
        .client_disconnect_timeout(limits.disconnect)
        .h1_write_buffer_size(PIECE_BYTES)
        .local_addr(address)
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .expect(fn_service(move |request| ready(expect(request))))
        .on_connect_ext(|io: &T, data: &mut Extensions| {
            data.insert(io.facts());
        })
        .h1(map_config(app, |()| AppConfig::default()))
        .map_err(|error| {
            tracing::debug!(%error, "a connection ended early");
            Ended
        })
}
