//! SIGTERM drains, a second one stops at once, SIGHUP reads certificates and log level again (FLT-06, OPS-04).

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::Signal;

use super::{Running, set_up, socket};

fn port(server: &Running) -> String {
    server.url().trim_start_matches("https://localhost").trim_matches(['/', ':']).to_owned()
}

fn subject(server: &Running) -> String {
    let port = port(server);
    let script = format!("openssl s_client -connect 127.0.0.1:{port} </dev/null 2>/dev/null | openssl x509 -noout -subject");
    let output = Command::new("sh").args(["-c", &script]).output().expect("openssl is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn bring(certs: &Path, name: &str, common_name: &str) {
    let subject = format!("/CN={common_name}");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", &subject])
        .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
        .current_dir(certs)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success());
}

#[test]
fn a_certificate_that_was_put_there_is_served_after_a_hang_up_and_a_bad_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path());
    let certs = folder.path().join("pdms-state/certs");
    bring(&certs, "own", "first.example.test");
    server.signal(Signal::HUP);
    server.wait_for("read again");
    assert!(subject(&server).contains("first.example.test"));

    bring(&certs, "other", "second.example.test");
    fs::copy(certs.join("other.pem"), certs.join("own.pem")).expect("copied");
    server.signal(Signal::HUP);
    let told = server.wait_for("the old certificate stays in use");
    assert!(told.contains("do not belong together"), "{told}");
    assert!(subject(&server).contains("first.example.test"));

    fs::copy(certs.join("other.key"), certs.join("own.key")).expect("copied");
    server.signal(Signal::HUP);
    server.wait_for("read again");
    assert!(subject(&server).contains("second.example.test"));
    server.stop();
}

#[test]
fn the_log_level_follows_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pdms.toml");
    fs::write(&file, "log = \"warn\"\n").expect("written");
    let server = Running::start_with(folder.path(), &["--config", "pdms.toml"]);
    fs::write(&file, "log = \"pdms=debug\"\n").expect("written");
    server.signal(Signal::HUP);
    server.wait_for("read again");
    fs::write(&file, "log = \"=\"\n").expect("written");
    server.signal(Signal::HUP);
    server.wait_for("the log level stays as it is");
    server.stop();
}

#[test]
fn a_server_that_was_told_to_stop_takes_its_socket_away() {
    let folder = tempfile::tempdir().expect("a folder");
    set_up(folder.path());
    let server = Running::start(folder.path());
    assert!(socket(folder.path()).exists());
    server.signal(Signal::INT);
    assert_eq!(server.wait(), Some(0));
    assert!(!socket(folder.path()).exists());
}

/// A phone that is in the middle of an upload: the server has said that it may go on.
struct Upload {
    phone: Child,
    answers: BufReader<ChildStdout>,
}

impl Upload {
    fn begin(server: &Running) -> Self {
        let mut phone = Command::new("openssl")
            .args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{}", port(server))])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is installed");
        let answers = BufReader::new(phone.stdout.take().expect("piped"));
        let mut upload = Self { phone, answers };
        // phones:only-for-tests-1
        upload.send(
            "PUT /0004f2000001-boot.log HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic cGhvbmVzOm9ubHktZm9yLXRlc3RzLTE=\r\n\
             User-Agent: FileTransport PolycomVVX-VVX_411-UA/5.9.7.4477 (SN:0004f2000001) Type/Application\r\n\
             Content-Length: 10\r\nExpect: 100-continue\r\n\r\n",
        );
        assert!(upload.line().starts_with("HTTP/1.1 100"));
        upload.line();
        upload.send("12345");
        upload
    }

    fn send(&mut self, text: &str) {
        self.phone.stdin.as_mut().expect("piped").write_all(text.as_bytes()).expect("written");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("read");
        line
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let _ = self.phone.kill();
        let _ = self.phone.wait();
    }
}

#[test]
fn what_is_in_flight_is_finished_before_the_server_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    set_up(folder.path());
    let server = Running::start(folder.path());
    let mut upload = Upload::begin(&server);
    server.signal(Signal::TERM);
    server.wait_for("stopping");
    upload.send("67890");
    let answer = upload.line();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_in_flight() {
    let folder = tempfile::tempdir().expect("a folder");
    set_up(folder.path());
    let server = Running::start(folder.path());
    let _upload = Upload::begin(&server);
    server.signal(Signal::TERM);
    server.wait_for("a second signal stops at once");
    server.signal(Signal::TERM);
    assert_eq!(server.wait(), Some(1));
}
