//! `pdms check`: a certificate that phones refuse, and what keeps a server from starting, each with its next step.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::{Running, pdms, refused, run, set_up, succeeded};

/// A certificate of the admin's own for this host until the end of this year.
fn bring(folder: &Path, host: &str, until_year: i32) {
    let mut params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until_year, 12, 31));
    let key = KeyPair::generate().expect("a key");
    let certs = folder.join("pdms-state/certs");
    fs::write(certs.join("own.pem"), params.self_signed(&key).expect("signed").pem()).expect("written");
    fs::write(certs.join("own.key"), key.serialize_pem()).expect("written");
}

#[test]
fn a_certificate_that_phones_refuse_is_told_stopped_and_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    Running::start(folder).stop();
    let cases = [("localhost", 2021, "has expired"), ("elsewhere.example.test", 2090, "does not name the address")];
    for (host, until_year, words) in cases {
        bring(folder, host, until_year);
        let stopped = refused(&run(folder, &["check"], ""), 1);
        assert!(stopped.contains(words), "{stopped}");
        let server = Running::start(folder);
        let running = refused(&run(folder, &["check"], ""), 1);
        assert!(running.contains(words), "{running}");
        server.stop();
    }
    bring(folder, "localhost", 2090);
    succeeded(&run(folder, &["check"], ""));
}

#[test]
fn what_lies_where_something_else_belongs_is_told_by_check_and_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    Running::start(folder).stop();
    let state = folder.join("pdms-state");
    let files = ["certs/server-p256.pem", "lock", "admin.sock"].map(|name| (name, "is a directory where a file belongs"));
    let folders = ["blobs", "logs", "certs"].map(|name| (name, "is a file where a directory belongs"));
    for (name, words) in files.into_iter().chain(folders) {
        let (path, aside) = (state.join(name), folder.join("aside"));
        let was_there = fs::rename(&path, &aside).is_ok();
        if words.starts_with("is a directory") {
            fs::create_dir(&path).expect("made");
        } else {
            fs::write(&path, "").expect("written");
        }
        let told = refused(&run(folder, &["check"], ""), 1);
        assert!(told.contains(name) && told.contains(words) && told.contains("move it away"), "{name}: {told}");
        let start = refused(&run(folder, &["serve", "--https", "127.0.0.1:0", "--http", "off"], ""), 1);
        assert_eq!(start, told, "the start says the same");
        let _gone = fs::remove_dir(&path).or_else(|_| fs::remove_file(&path));
        if was_there {
            fs::rename(&aside, &path).expect("put back");
        }
    }
    succeeded(&run(folder, &["check"], ""));
}

#[test]
fn a_port_that_another_program_has_is_told_while_no_server_of_ours_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = other.local_addr().expect("bound").to_string();
    for (variable, flag) in [("PDMS_HTTPS", "--https"), ("PDMS_HTTP", "--http")] {
        let output = pdms(folder, &["check"]).env(variable, &taken).output().expect("it runs");
        let told = refused(&output, 1);
        assert!(told.contains(&taken) && told.contains("stop the program") && told.contains(flag), "{told}");
    }
    let server = Running::start(folder);
    let output = pdms(folder, &["check"]).env("PDMS_HTTPS", &taken).output().expect("it runs");
    assert!(succeeded(&output).contains("nothing is wrong"), "a server of ours has its own");
    server.stop();
}
