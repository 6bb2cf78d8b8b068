//! `pdms ca` while the server runs and without it, and a kill at any step (contract 3).

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use super::{Running, refused, run, set_up, succeeded};

/// What a line of `pdms ca show` says.
fn told(folder: &Path, what: &str) -> Option<String> {
    let shown = succeeded(&run(folder, &["ca", "show"], ""));
    let mut lines = shown.lines().map(|line| line.split('\t'));
    lines.find_map(|mut fields| (fields.next() == Some(what)).then(|| fields.next().unwrap_or_default().to_owned()))
}

/// The server is killed and started again.
fn killed(folder: &Path, server: Running) -> Running {
    server.signal(Signal::KILL);
    server.wait();
    succeeded(&run(folder, &["check"], ""));
    Running::start(folder)
}

/// The files of CAs in the folder of certificates: whether `ca.pem` is what verifies the server now, and how many others there are.
fn lies(folder: &Path, server: &Running) -> (bool, usize) {
    let certs = folder.join("pdms-state/certs");
    let names = fs::read_dir(&certs).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let others = names.filter(|name| name.to_string_lossy().starts_with("ca-")).count();
    let asked = Command::new("curl").args(["-s", "--cacert"]).arg(certs.join("ca.pem")).arg(server.url() + "version").output();
    (asked.expect("curl is installed").status.success(), others)
}

/// The CA that the server says is its own when it starts.
fn is_told_of(server: &Running, fingerprint: &str) -> bool {
    server.greeting.contains(fingerprint)
}

#[test]
fn one_ca_takes_the_place_of_another_and_each_step_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    let mut server = Running::start(folder);
    let old = told(folder, "CA").expect("a CA");
    assert_eq!(told(folder, "rollover").as_deref(), Some("none"));
    let asked = refused(&run(folder, &["ca", "start"], ""), 1);
    assert!(asked.contains("802.1X"), "{asked}");
    let early = refused(&run(folder, &["ca", "switch"], ""), 1);
    assert!(early.contains("start that first"), "{early}");

    succeeded(&run(folder, &["ca", "start", "--place-is-free"], ""));
    server = killed(folder, server);
    let new = told(folder, "new CA").expect("a new CA");
    assert!(is_told_of(&server, &old), "the old one signs");
    assert_eq!(lies(folder, &server), (true, 2));
    let twice = refused(&run(folder, &["ca", "start", "--place-is-free"], ""), 1);
    assert!(twice.contains("already"), "{twice}");

    succeeded(&run(folder, &["ca", "switch"], ""));
    server = killed(folder, server);
    assert!(is_told_of(&server, &new), "the new one signs");
    assert_eq!(lies(folder, &server), (true, 2));
    let late = refused(&run(folder, &["ca", "cancel"], ""), 1);
    assert!(late.contains("already"), "{late}");

    server.stop();
    let ended = run(folder, &["ca", "end"], "");
    succeeded(&ended);
    assert!(String::from_utf8_lossy(&ended.stderr).contains("make a backup now"), "an older one brings the old CA back");
    assert_eq!((told(folder, "CA"), told(folder, "new CA")), (Some(new.clone()), None), "without a server");
    let server = Running::start(folder);
    assert!(is_told_of(&server, &new));
    assert_eq!(lies(folder, &server), (true, 0), "neither the old key nor another name is left");
    server.stop();
}

#[test]
fn a_lost_new_ca_is_told_with_the_way_out_and_cancelled() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    Running::start(folder).stop();
    let old = told(folder, "CA").expect("a CA");
    succeeded(&run(folder, &["ca", "start", "--place-is-free"], ""));
    let certs = folder.join("pdms-state/certs");
    let later = |path: &std::path::PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("ca-") && name.ends_with(".key")
    };
    let files = fs::read_dir(&certs).expect("a folder").map(|entry| entry.expect("an entry").path());
    let key = files.into_iter().find(later).expect("the new CA's key");
    fs::remove_file(&key).expect("removed");
    for verb in ["check", "serve"] {
        let refused = refused(&run(folder, &[verb], ""), 1);
        assert!(refused.contains("pdms ca cancel") && refused.contains("is missing"), "{verb}: {refused}");
    }
    succeeded(&run(folder, &["ca", "cancel"], ""));
    succeeded(&run(folder, &["check"], ""));
    let server = Running::start(folder);
    assert!(is_told_of(&server, &old));
    assert_eq!(
        fs::read_dir(&certs).expect("a folder").filter(|entry| later(&entry.as_ref().expect("an entry").path())).count(),
        0
    );
    server.stop();
}
