//! The HTTPS listener: which TLS it speaks, which certificate it shows, how failures are told, and what it cuts off.

use std::future::Future;
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, web};
use jiff::{Timestamp, ToSpan};
use pdms::domain::server::GivenCertificates;
use pdms::services::certificates::{Certificates, OwnFiles, Refreshed, ServerNames};
use pdms::web::listener::{self, Connection, TimeLimits};
use pdms::web::pace::pace_bodies;
use pdms::web::tls::{FailedHandshake, HandshakeFault, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A day in the life of the certificates. Clients that verify are given the same clock.
fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

fn names() -> ServerNames {
    ServerNames::new(&["pdms.example.lan".to_owned()], "box", ["192.0.2.7".parse().expect("an address")])
}

/// A listener with a small application behind it, in a thread of its own, with failures kept for the test to read.
pub struct Listener {
    pub address: SocketAddr,
    certificates: Arc<Certificates>,
    failures: mpsc::Receiver<FailedHandshake>,
    stop: actix_server::ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
    folder: tempfile::TempDir,
}

async fn whoami(request: HttpRequest) -> String {
    let connection = request.conn_data::<Connection>().expect("set for every connection");
    let tls = connection.tls.as_ref().expect("only HTTPS here");
    format!("{:?} {:?}", tls.version, tls.server_name)
}

async fn length(body: Bytes) -> String {
    body.len().to_string()
}

impl Listener {
    pub fn start() -> Self {
        Self::start_with(TimeLimits::default())
    }

    fn start_with(limits: TimeLimits) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let certificates = Arc::new(
            Certificates::open(&folder.path().join("certs"), None, GivenCertificates::default(), &names(), now()).expect("made"),
        );
        let (told, failures) = mpsc::channel();
        let sink = Arc::new(move |failure| drop(told.send(failure)));
        let tls = Tls::new(Arc::clone(&certificates), sink).expect("settings that rustls takes");
        let socket = listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let address = socket.local_addr().expect("bound");
        let (started, handle) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(Data::new(limits))
                        .wrap(actix_web::middleware::from_fn(pace_bodies))
                        .route("/whoami", web::get().to(whoami))
                        .route("/length", web::put().to(length))
                };
                let server =
                    listener::listen(listener::server(2), socket, Some(tls), limits, Arc::new(Ok), app).expect("listens").run();
                started.send(server.handle()).expect("the test waits");
                server.await.expect("ends well");
            });
        });
        let stop = handle.recv().expect("the server starts");
        Self { address, certificates, failures, stop, thread: Some(thread), folder }
    }

    fn failure(&self) -> FailedHandshake {
        self.failures.recv_timeout(Duration::from_secs(10)).expect("the failure is told")
    }

    fn ca(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.folder.path().join("certs/ca.pem")).expect("written at the start")
    }

    pub fn trusting(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca()).expect("a usable CA");
        client(roots, now())
    }

    /// Runs `openssl s_client` with the arguments and answers what it printed.
    fn openssl(&self, arguments: &[&str]) -> String {
        let mut child = Command::new("openssl")
            .args(["s_client", "-connect", &self.address.to_string(), "-servername", "pdms.example.lan"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("openssl is installed");
        drop(child.stdin.take());
        let output = child.wait_with_output().expect("it ends");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let stop = self.stop.stop(false);
        let waiting = std::thread::spawn(move || actix_web::rt::System::new().block_on(stop));
        let _ = waiting.join();
        self.thread.take().map(std::thread::JoinHandle::join);
    }
}

#[derive(Debug)]
struct FixedTime(Timestamp);

impl TimeProvider for FixedTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(self.0.as_second()).ok()?)))
    }
}

fn client(roots: RootCertStore, clock: Timestamp) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_details(provider, Arc::new(FixedTime(clock)))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub async fn connect(address: SocketAddr, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect(address).await?;
    let name = ServerName::try_from("pdms.example.lan").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, socket).await
}

async fn ask(stream: &mut TlsStream<TcpStream>, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut answer)).await.expect("an answer in time");
    let length = read.unwrap_or_default();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_older_versions_are_refused_with_their_name() {
    let listener = Listener::start();
    let old = ["-cipher", "ALL:@SECLEVEL=0"];
    for (version, offered) in [("-tls1", 0x0301), ("-tls1_1", 0x0302)] {
        let text = listener.openssl(&[version, old[0], old[1]]);
        assert!(text.contains("Cipher is (NONE)"), "{text}");
        assert_eq!(listener.failure().fault, HandshakeFault::OldVersion(offered));
    }
    assert!(listener.openssl(&["-tls1_2"]).contains("Protocol  : TLSv1.2"));
    assert!(listener.openssl(&["-tls1_3"]).contains("TLSv1.3"));
}

#[test]
fn ecdsa_goes_to_those_that_offer_it_and_rsa_to_all_others() {
    let listener = Listener::start();
    let key = |arguments: &[&str]| {
        let text = listener.openssl(arguments);
        text.lines().find(|line| line.starts_with("Server public key is")).map(str::to_owned).unwrap_or(text)
    };
    assert_eq!(key(&["-tls1_3"]), "Server public key is 256 bit");
    assert_eq!(key(&["-tls1_2"]), "Server public key is 256 bit");
    assert_eq!(key(&["-tls1_3", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"]), "Server public key is 2048 bit");
    // As old phones say it: the cipher list leaves ECDSA out, the signature algorithms do not.
    assert_eq!(key(&["-tls1_2", "-cipher", "ALL:!ECDSA"]), "Server public key is 2048 bit");
}

#[test]
fn the_certificate_is_what_strict_phones_ask_for() {
    let listener = Listener::start();
    let ca = listener.folder.path().join("certs/ca.pem");
    let ca = ca.to_str().expect("a plain path");
    let when = now().as_second().to_string();
    let text = listener.openssl(&["-showcerts", "-CAfile", ca, "-verify_hostname", "pdms.example.lan", "-attime", &when]);
    assert!(text.contains("Verify return code: 0 (ok)"), "{text}");
    assert_eq!(text.matches("-----BEGIN CERTIFICATE-----").count(), 2, "the full chain is sent: {text}");

    let mut reader = Command::new("openssl")
        .args(["x509", "-noout", "-text"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is installed");
    reader.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
    let shown = String::from_utf8(reader.wait_with_output().expect("it ends").stdout).expect("text");
    for part in ["DNS:pdms.example.lan", "DNS:box", "DNS:localhost", "IP Address:192.0.2.7", "TLS Web Server Authentication"] {
        assert!(shown.contains(part), "{part} is missing: {shown}");
    }
    assert!(shown.contains("Subject: CN = pdms.example.lan"), "{shown}");
    let active = listener.certificates.active();
    assert!(active.not_after.as_second() - active.not_before.as_second() <= 397 * 86_400);
}

#[test]
fn a_failed_handshake_is_told_with_its_cause() {
    let listener = Listener::start();
    let refused = |config| run(connect(listener.address, config)).expect_err("the client refuses");

    refused(client(RootCertStore::empty(), now()));
    let failure = listener.failure();
    assert_eq!(failure.fault, HandshakeFault::Alert(AlertDescription::UnknownCA));
    assert_eq!(failure.server_name.as_deref(), Some("pdms.example.lan"));
    assert!(failure.fault.to_string().contains("does not know the CA"));

    let mut roots = RootCertStore::empty();
    roots.add(listener.ca()).expect("a usable CA");
    let in_two_years = now() + (2 * 366 * 24).hours();
    refused(client(roots, in_two_years));
    assert_eq!(listener.failure().fault, HandshakeFault::Alert(AlertDescription::CertificateExpired));

    listener.openssl(&["-tls1_2", "-cipher", "AES128-SHA"]);
    let failure = listener.failure();
    assert_eq!(failure.fault, HandshakeFault::NothingInCommon);
    assert!(!failure.offered.is_empty(), "what was offered is kept");
}

#[test]
fn plain_http_on_the_https_port_is_told_on_both_sides() {
    let listener = Listener::start();
    let answer = run(async {
        let mut socket = TcpStream::connect(listener.address).await.expect("connected");
        socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("written");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("an answer, then the end");
        answer
    });
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("https://"));
    assert_eq!(listener.failure().fault, HandshakeFault::PlainHttp);
}

#[test]
fn a_port_check_is_no_failure_but_silence_and_hanging_up_are() {
    let limits = TimeLimits { hello: Duration::from_millis(300), ..TimeLimits::default() };
    let listener = Listener::start_with(limits);
    run(async {
        drop(TcpStream::connect(listener.address).await.expect("connected"));
        let mut half = TcpStream::connect(listener.address).await.expect("connected");
        half.write_all(&[0x16, 3, 1]).await.expect("written");
        drop(half);
    });
    assert_eq!(listener.failure().fault, HandshakeFault::Closed);
    let silent = run(async { TcpStream::connect(listener.address).await.expect("connected").into_std().expect("a socket") });
    assert_eq!(listener.failure().fault, HandshakeFault::Timeout);
    drop(silent);
}

#[test]
fn slow_heads_and_bodies_are_cut_off() {
    // The HTTP library's clock ticks every half second: shorter limits would have run out before they begin.
    let short = Duration::from_millis(1_500);
    let listener = Listener::start_with(TimeLimits { head: short, body: short, ..TimeLimits::default() });
    run(async {
        let mut slow_head = connect(listener.address, listener.trusting()).await.expect("connected");
        assert!(ask(&mut slow_head, "GET /whoami HTT").await.starts_with("HTTP/1.1 408"));

        let mut silent = connect(listener.address, listener.trusting()).await.expect("connected");
        assert!(ask(&mut silent, "").await.starts_with("HTTP/1.1 408"), "a connection without a request ends too");

        let mut slow_body = connect(listener.address, listener.trusting()).await.expect("connected");
        let answer = ask(&mut slow_body, "PUT /length HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345").await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");

        let mut good = connect(listener.address, listener.trusting()).await.expect("connected");
        let answer = ask(&mut good, "PUT /length HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n5"), "{answer}");
    });
}

#[test]
fn two_thousand_phones_shake_hands_at_once() {
    let listener = Listener::start();
    let config = Arc::new(listener.trusting());
    let address = listener.address;
    let open = run(async move {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..2_000 {
            let connector = TlsConnector::from(Arc::clone(&config));
            all.spawn(async move {
                let socket = TcpStream::connect(address).await?;
                let name = ServerName::try_from("pdms.example.lan").map_err(|_| ErrorKind::InvalidInput)?;
                connector.connect(name, socket).await
            });
        }
        let streams = all.join_all().await;
        streams.into_iter().filter(Result::is_ok).count()
    });
    assert_eq!(open, 2_000);
    assert!(listener.failures.try_recv().is_err(), "nobody is told of a failure");
}

#[test]
fn a_certificate_is_replaced_while_connections_go_on() {
    let listener = Listener::start();
    run(async {
        let mut before = connect(listener.address, listener.trusting()).await.expect("connected");
        let old = before.get_ref().1.peer_certificates().expect("shown")[0].clone();

        assert_eq!(
            listener.certificates.refresh(&listener.certificates.given(), &names(), now()).expect("readable"),
            Refreshed::Unchanged
        );
        let more = ServerNames::new(&["phones.example.lan".to_owned(), "pdms.example.lan".to_owned()], "box", []);
        assert_eq!(
            listener.certificates.refresh(&listener.certificates.given(), &more, now()).expect("renewed"),
            Refreshed::Changed
        );
        assert!(listener.certificates.active().names.covers_host("phones.example.lan"));

        let after = connect(listener.address, listener.trusting()).await.expect("connected");
        assert_ne!(after.get_ref().1.peer_certificates().expect("shown")[0], old);
        let answer = ask(&mut before, "GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.ends_with(r#"Some(TLSv1_3) Some("pdms.example.lan")"#), "{answer}");
    });
}

#[test]
fn the_server_certificate_is_renewed_at_two_thirds_of_its_life_and_the_ca_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let certificates = Certificates::open(folder.path(), None, GivenCertificates::default(), &names(), now()).expect("made");
    let first = certificates.active();
    let early = now() + (250 * 24).hours();
    assert_eq!(certificates.refresh(&certificates.given(), &names(), early).expect("readable"), Refreshed::Unchanged);
    let due = now() + (270 * 24).hours();
    assert_eq!(certificates.refresh(&certificates.given(), &names(), due).expect("renewed"), Refreshed::Changed);
    let second = certificates.active();
    assert!(second.not_after > first.not_after);
    assert_eq!(second.ca_pem, first.ca_pem);
    let opened = Certificates::open(folder.path(), None, GivenCertificates::default(), &names(), due).expect("opened again");
    assert_eq!(opened.active().default.cert, second.default.cert);
}

/// Makes a self-signed certificate with openssl, as an admin would bring one.
fn bring(folder: &Path, name: &str) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=phones.example.com", "-days", "30"])
        .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn an_own_certificate_is_taken_and_a_pair_that_does_not_fit_keeps_the_old_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let certs = folder.path();
    bring(certs, "own");
    bring(certs, "other");
    let own = OwnFiles { certificate: certs.join("own.pem"), key: certs.join("own.key") };
    let certificates = Certificates::open(certs, Some(own), GivenCertificates::default(), &names(), now()).expect("taken");
    let first = certificates.active();
    assert!(first.ca_pem.is_none() && first.p256.is_none(), "phones need no private CA for it");

    std::fs::copy(certs.join("other.key"), certs.join("own.key")).expect("copied");
    let error = certificates.refresh(&certificates.given(), &names(), now()).expect_err("the key does not fit");
    assert!(error.to_string().contains("do not belong together"), "{error}");
    assert_eq!(certificates.active().default.cert, first.default.cert, "the old one stays");

    std::fs::copy(certs.join("other.pem"), certs.join("own.pem")).expect("copied");
    assert_eq!(certificates.refresh(&certificates.given(), &names(), now()).expect("a good pair"), Refreshed::Changed);
}
