//! The whole application in this process: what its two sockets answer before anybody has set it up.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::channel;

use pdms::config::{Config, HttpSocket, Layer};
use pdms::services::clock::Clock;
use pdms::startup::{Application, Ground, Stopper};
use rustix::process::Signal;

struct Running {
    https: SocketAddr,
    http: SocketAddr,
    stopper: Stopper,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let state = Some(folder.path().join("state"));
        let flags = Layer { state, https: Some(any), http: Some(HttpSocket(Some(any))), ..Layer::default() };
        let config = Config::load(flags, None, []).expect("settings");
        let clock = Clock::manual("2026-11-22T12:00:00Z".parse().expect("a time"));
        let application = Application::build(config, Ground { clock, faults: Arc::default() }).expect("it starts");
        let (https, http) = (application.https_address(), application.http_address().expect("it is on"));
        let stopper = application.stopper();
        let (ready, wait) = channel();
        let thread = std::thread::spawn(move || {
            let run = application.run_until_stopped(move || {
                let _ = ready.send(());
            });
            actix_web::rt::System::new().block_on(run).expect("it ends well");
        });
        wait.recv().expect("it gets ready");
        Self { https, http, stopper, thread: Some(thread), _folder: folder }
    }

    /// What plain HTTP answers to a request.
    fn plain(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(self.http).expect("connected");
        let request = format!("{method} {path} HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    /// What HTTPS answers to a request, head and body.
    fn ask(&self, method: &str, path: &str) -> String {
        let url = format!("https://127.0.0.1:{}{path}", self.https.port());
        let arguments: &[&str] = if method == "HEAD" { &["-sk", "-I"] } else { &["-sk", "-i", "-X", method] };
        let output = Command::new("curl").args(arguments).arg(&url).output().expect("curl is installed");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The head of what HTTPS answers for a host.
    fn head(&self, host: &str, path: &str) -> String {
        let url = format!("https://127.0.0.1:{}{path}", self.https.port());
        let output =
            Command::new("curl").args(["-sk", "-D", "-", "-o", "/dev/null", "-H", &format!("Host: {host}"), &url]).output();
        String::from_utf8_lossy(&output.expect("curl is installed").stdout).to_lowercase()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_some_and(|ended| ended.is_ok()));
    }
}

/// A phone over plain HTTP that was asked for credentials would send them in clear, and a program that waits for leave to send its
/// sign-in was taken for a phone.
#[test]
fn only_a_phone_over_https_that_waits_for_leave_is_asked_for_credentials() {
    let server = Running::start();
    let put = |url: String| {
        let headers = ["-H", "Expect: 100-continue", "-H", "Content-Type: application/json", "--data-binary", "{}"];
        let output = Command::new("curl").args(["-sk", "-i", "-X", "POST"]).args(headers).arg(&url).output();
        String::from_utf8_lossy(&output.expect("curl is installed").stdout).to_lowercase()
    };
    let over_http = put(format!("http://{}/0004f2000001-boot.log", server.http));
    assert!(over_http.starts_with("http/1.1 503") && !over_http.contains("www-authenticate"), "{over_http}");
    let of_a_phone = put(format!("https://{}/0004f2000001-boot.log", server.https));
    assert!(of_a_phone.starts_with("http/1.1 401") && of_a_phone.contains("www-authenticate"), "{of_a_phone}");
    for page in ["/api/v1/session", "/admin/sign-in", "/setup"] {
        let answer = put(format!("https://{}{page}", server.https));
        assert!(answer.starts_with("http/1.1 100") && !answer.contains("www-authenticate"), "{page}: {answer}");
    }
}

#[test]
fn plain_http_sends_people_on_to_our_own_name_and_tells_phones_to_come_back() {
    let server = Running::start();
    let page = server.plain("GET", "/admin/devices?q=a");
    assert!(page.starts_with("HTTP/1.1 307"), "{page}");
    let expected = format!("location: https://localhost:{}/admin/devices?q=a\r\n", server.https.port());
    assert!(page.contains(&expected), "{page}");
    for (method, path) in [("GET", "/0004f2000001.cfg"), ("PUT", "/0004f2000001-boot.log"), ("POST", "/admin/sign-in")] {
        let answer = server.plain(method, path);
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 3600"), "{answer}");
        assert!(!answer.contains("location:"), "{answer}");
    }
    assert!(server.plain("GET", "/livez").ends_with("live\n"));
    assert!(server.plain("GET", "/readyz").ends_with("ready\n"));
}

#[test]
fn pages_are_shown_under_our_own_names_only_and_phones_come_under_any() {
    let server = Running::start();
    for (host, status) in
        [("localhost", "303"), ("127.0.0.1:8443", "303"), ("[::1]:8443", "303"), ("evil.example", "421"), ("", "400")]
    {
        let head = server.head(host, "/admin/");
        assert!(
            head.starts_with(&format!("http/1.1 {status}")) || (host.is_empty() && head.starts_with("http/1.1 4")),
            "{host}: {head}"
        );
    }
    assert!(server.head("phones.example", "/000000000000.cfg").starts_with("http/1.1 401"));
}

#[test]
fn answers_to_browsers_carry_the_headers_that_keep_others_out_and_answers_to_phones_do_not() {
    let server = Running::start();
    for path in ["/", "/admin/", "/setup", "/admin/nothing", "/static/app.css", "/api/v1/session"] {
        let head = server.head("localhost", path);
        for part in ["content-security-policy:", "x-content-type-options: nosniff", "strict-transport-security: max-age=31536000"]
        {
            assert!(head.contains(part), "{path}: {part} is missing: {head}");
        }
        assert!(!head.contains("unsafe-inline") && !head.contains("\r\nserver:"), "{path}: {head}");
    }
    let phone = server.head("localhost", "/000000000000.cfg");
    assert!(!phone.contains("content-security-policy") && !phone.contains("set-cookie"), "{phone}");
}

#[test]
fn head_is_answered_like_get_without_a_body() {
    let server = Running::start();
    let head_of = |answer: &str| {
        let head = answer.split("\r\n\r\n").next().unwrap_or_default().to_lowercase();
        // What differs from one answer to the next.
        let kept = |line: &&str| !line.starts_with("date:") && !line.starts_with("set-cookie:");
        head.lines().filter(kept).map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let paths = [
        "/livez",
        "/readyz",
        "/version",
        "/",
        "/setup",
        "/admin/",
        "/admin/nothing",
        "/static/app.css",
        "/static/none.css",
        "/api/v1/openapi.json",
        "/api/v1/session",
        "/api/v1/nothing",
    ];
    for path in paths {
        let (get, head) = (server.ask("GET", path), server.ask("HEAD", path));
        assert_eq!(head_of(&head), head_of(&get), "{path}");
        assert!(head.ends_with("\r\n\r\n"), "{path}: a body came: {head}");
    }
    assert!(server.plain("HEAD", "/livez").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_method_that_an_address_does_not_take_is_405_and_says_what_it_takes() {
    let server = Running::start();
    let read = "allow: GET, HEAD\r\n";
    let both = "allow: GET, HEAD, POST\r\n";
    for (method, path, allow) in [
        ("POST", "/livez", read),
        ("DELETE", "/readyz", read),
        ("PUT", "/version", read),
        ("POST", "/", read),
        ("PUT", "/static/app.css", read),
        ("DELETE", "/admin/", read),
        ("POST", "/admin/activity", read),
        ("PATCH", "/admin/devices/0004f2000001", both),
        ("OPTIONS", "/setup", both),
        ("GET", "/admin/sign-out", "allow: POST\r\n"),
        ("POST", "/api/v1/openapi.json", read),
        ("PUT", "/api/v1/session", "allow: GET, HEAD, DELETE, POST\r\n"),
        ("TRACE", "/api/v1/accounts/default/devices", both),
    ] {
        let answer = server.ask(method, path);
        assert!(answer.starts_with("HTTP/1.1 405"), "{method} {path}: {answer}");
        let told = answer.lines().find(|line| line.to_lowercase().starts_with("allow:")).unwrap_or_default();
        let sorted = |text: &str| {
            let mut parts: Vec<_> = text.split([':', ',', ' ']).filter(|part| !part.is_empty()).map(str::to_uppercase).collect();
            parts.sort();
            parts
        };
        assert_eq!(sorted(told), sorted(allow.trim_end()), "{method} {path}");
    }
    let api = server.ask("PUT", "/api/v1/session");
    assert!(api.contains("application/problem+json"), "{api}");
    assert!(server.plain("POST", "/livez").starts_with("HTTP/1.1 405"));
    for method in ["GET", "DELETE", "PROPFIND", "TRACE"] {
        assert!(server.ask(method, "/0004f2000001.cfg").starts_with("HTTP/1.1 401"), "{method}: before anything, who asks");
    }
}

/// A server in a test that took the process's signals ended where the test run was told to stop, and the test went on without it:
/// whatever it asked for next was "connection refused".
#[test]
fn a_server_in_a_process_that_is_not_its_own_leaves_the_signals_alone() {
    let _running = Running::start();
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        println!("skipped: this system does not tell which signals a process hears");
        return;
    };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a mask of signals");
    let caught = u64::from_str_radix(caught.trim(), 16).expect("a hexadecimal number");
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        assert_eq!(caught >> (signal.as_raw() - 1) & 1, 0, "{signal:?}");
    }
}
