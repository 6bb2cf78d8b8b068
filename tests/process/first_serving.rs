//! What closes a door is kept although the process is killed a moment later (contract 3): it does not wait for the next batch of what
//! phones told.

use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use super::{Running, pdms, set_up};

/// How often the server is killed, each time right after another phone was served for the first time.
const KILLS: u32 = 5;

/// A server that answers over plain HTTP too, and its port there.
fn start(folder: &Path) -> (Running, String) {
    let running = Running::of(pdms(folder, &["serve", "--https", "127.0.0.1:0", "--http", "127.0.0.1:0"]));
    let (_, told) = running.greeting.split_once("plain HTTP on port ").expect("it is told");
    let port = told.split_whitespace().next().expect("a port").to_owned();
    (running, port)
}

/// The status that the phone of this MAC is answered.
fn ask(mac: &str, url: &str, more: &[&str]) -> String {
    let agent = format!("FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 (SN:{mac}) Type/Application");
    let common = ["-sk", "-A", &agent, "-o", "/dev/null", "-w", "%{http_code}", url];
    let output = Command::new("curl").args(common).args(more).output().expect("curl is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_phone_that_was_served_and_left_a_log_is_shown_no_way_over_http_after_a_kill_at_that_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    let log = folder.join("log").display().to_string();
    std::fs::write(&log, "booted").expect("written");
    let shared = ["-u", "phones:only-for-tests-1"];
    let (mut server, mut port) = start(folder);
    for number in 1..=KILLS {
        let mac = format!("0004f2aa{number:04x}");
        let plain = |port: &str| ask(&mac, &format!("http://127.0.0.1:{port}/{mac}.cfg"), &[]);
        assert_eq!(plain(&port), "200", "from the box it is shown the way");
        assert_eq!(ask(&mac, &format!("{}{mac}-profile.cfg", server.url()), &shared), "200");
        let sent = [&shared[..], &["-T", &log]].concat();
        assert_eq!(ask(&mac, &format!("{}{mac}-app.log", server.url()), &sent), "201");
        server.signal(Signal::KILL);
        assert_eq!(server.wait(), None, "killed");
        (server, port) = start(folder);
        assert_eq!(plain(&port), "503", "{mac} has lines to lose");
    }
}
