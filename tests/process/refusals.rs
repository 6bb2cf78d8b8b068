//! A start that cannot work: one sentence, exit status 1, and nothing was changed (FLT-05).

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::{Running, pdms, refused, run, set_up, succeeded};

fn serve(folder: &Path, more: &[&str]) -> Output {
    run(folder, &[&["serve", "--https", "127.0.0.1:0", "--http", "off"], more].concat(), "")
}

fn sentence(output: &Output) -> String {
    let text = refused(output, 1);
    assert_eq!(text.lines().count(), 1, "one sentence: {text}");
    assert!(text.starts_with("error: "), "{text}");
    text
}

#[test]
fn a_port_in_use_leaves_no_state_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let text = sentence(&run(folder.path(), &["serve", "--https", &address, "--http", "off"], ""));
    assert!(text.contains(&address) && text.contains("--https") && text.contains("because"), "{text}");
    assert!(!folder.path().join("pdms-state").exists());
}

#[test]
fn a_second_server_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Running::start(folder.path());
    let text = sentence(&serve(folder.path(), &[]));
    assert!(text.contains("already in use"), "{text}");
    assert_eq!(first.get("readyz").0, "200");
    first.stop();
}

#[test]
fn a_damaged_empty_or_missing_database_is_never_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    set_up(folder.path());
    let file = folder.path().join("pdms-state/pdms.redb");
    let good = fs::read(&file).expect("a database");
    for (damaged, word) in
        [(b"not a database at all".to_vec(), "damaged"), (Vec::new(), "empty"), (good[..good.len() / 2].to_vec(), "damaged")]
    {
        fs::write(&file, &damaged).expect("written");
        let text = sentence(&serve(folder.path(), &[]));
        assert!(text.contains(word), "{word}: {text}");
        assert_eq!(fs::read(&file).expect("still there"), damaged, "nothing was modified");
    }
    fs::remove_file(&file).expect("removed");
    let text = sentence(&serve(folder.path(), &[]));
    assert!(text.contains("missing") && !file.exists(), "{text}");
    fs::write(&file, good).expect("written");
    Running::start(folder.path()).stop();
}

/// All files below a folder with their content.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.push((path.clone(), Vec::new()));
            found.extend(content(&path));
        } else {
            found.push((path.clone(), fs::read(&path).expect("readable")));
        }
    }
    found.sort();
    found
}

/// What `pdms check` says; it must change nothing.
fn checked(folder: &Path) -> Output {
    let before = content(folder);
    let output = run(folder, &["check"], "");
    assert_eq!(content(folder), before, "a check changes nothing");
    output
}

#[test]
fn a_check_says_what_a_start_would_say_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    assert!(sentence(&checked(folder)).contains("no state directory"));
    fs::create_dir(folder.join("pdms-state")).expect("made");
    assert!(sentence(&checked(folder)).contains("holds no state"));
    set_up(folder);
    let server = Running::start(folder);
    assert!(succeeded(&run(folder, &["check"], "")).contains("nothing is wrong"), "while it runs");
    server.stop();
    assert!(succeeded(&checked(folder)).contains("nothing is wrong"), "and without it");
    let state = folder.join("pdms-state");
    for (lost, word) in
        [("certs", "ca.pem is missing"), ("secret.key", "secret.key is missing"), ("pdms.redb", "database is missing")]
    {
        let (path, aside) = (state.join(lost), folder.join("aside"));
        fs::rename(&path, &aside).expect("lost");
        let told = sentence(&checked(folder));
        assert!(told.contains(word), "{lost}: {told}");
        assert_eq!(sentence(&serve(folder, &[])), told, "the start says the same");
        // An empty folder is no better than none, and that is what the refused start may have left.
        let _empty = fs::remove_dir(&path);
        fs::rename(&aside, &path).expect("put back");
    }
    for (file, word) in [("secret.key", "not a key file"), ("pdms.redb", "empty file"), ("certs/ca.pem", "empty or damaged")] {
        let path = state.join(file);
        let good = fs::read(&path).expect("a file");
        fs::write(&path, "").expect("emptied");
        let told = sentence(&checked(folder));
        assert!(told.contains(word), "{file}: {told}");
        assert_eq!(sentence(&serve(folder, &[])), told, "the start says the same");
        fs::write(&path, good).expect("put back");
    }
    // The marker alone protects nothing that the database does not tell by itself: it comes back.
    fs::remove_file(state.join("pdms-state")).expect("removed");
    succeeded(&checked(folder));
    Running::start(folder).stop();
    assert!(state.join("pdms-state").exists());
}

#[test]
fn a_state_that_lost_database_and_marker_is_no_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    Running::start(folder).stop();
    for file in ["pdms.redb", "pdms-state"] {
        fs::remove_file(folder.join("pdms-state").join(file)).expect("removed");
    }
    let before = content(folder);
    let told = sentence(&serve(folder, &[]));
    assert!(told.contains("pdms.redb was set up before, but its database is missing"), "{told}");
    assert_eq!(sentence(&checked(folder)), told);
    assert_eq!(content(folder), before, "nothing was changed");
}

#[test]
fn a_ca_is_given_up_on_purpose_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    let server = Running::start(folder);
    let ca = |server: &Running| server.greeting.lines().find(|line| line.contains("SHA-256")).expect("told").to_owned();
    let first = ca(&server);
    let agree = ["new-ca", "--every-phone-needs-it"];
    assert!(sentence(&run(folder, &agree, "")).contains("already in use"), "not while it runs");
    server.stop();
    refused(&run(folder, &["new-ca"], ""), 2);
    let server = Running::start(folder);
    assert_eq!(ca(&server), first);
    server.stop();
    fs::remove_dir_all(folder.join("pdms-state/certs")).expect("lost");
    sentence(&serve(folder, &[]));
    succeeded(&run(folder, &agree, ""));
    let server = Running::start(folder);
    let second = ca(&server);
    assert_ne!(second, first);
    server.stop();
    succeeded(&run(folder, &agree, ""));
    let kept = |name: &str| name.starts_with("certs-given-up-");
    let names = fs::read_dir(folder.join("pdms-state")).expect("a folder").flatten();
    assert_eq!(names.filter(|entry| kept(&entry.file_name().to_string_lossy())).count(), 1, "what was there is set aside");
}

#[test]
fn a_state_directory_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "x").expect("written");
    let text = sentence(&serve(folder.path(), &["--state", "file"]));
    assert!(text.contains("file"), "{text}");
    let text = sentence(&serve(folder.path(), &["--state", "/proc/pdms-state"]));
    assert!(text.contains("/proc/pdms-state"), "{text}");
}

#[test]
fn wrong_settings_are_told_with_their_line() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("pdms.toml"), "log = \"info\"\n\n[uploads]\nlog_bites = 1\n").expect("written");
    let text = refused(&serve(folder.path(), &["--config", "pdms.toml"]), 1);
    assert!(text.contains("line 4") && text.contains("log_bites"), "{text}");
    let text = sentence(&serve(folder.path(), &["--config", "none.toml"]));
    assert!(text.contains("none.toml"), "{text}");
    assert!(!folder.path().join("pdms-state").exists());
}

#[test]
fn a_misspelt_variable_is_told_before_anything_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = pdms(folder.path(), &["serve"]).env("PDMS_HTPS", "127.0.0.1:0").output().expect("the binary runs");
    let text = sentence(&output);
    assert!(text.contains("PDMS_HTPS") && text.contains("PDMS_HTTPS?"), "{text}");
    assert!(!folder.path().join("pdms-state").exists());
}

#[test]
fn a_key_that_does_not_fit_its_certificate_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    Running::start(folder.path()).stop();
    let certs = folder.path().join("pdms-state/certs");
    fs::copy(certs.join("ca.pem"), certs.join("own.pem")).expect("copied");
    fs::copy(certs.join("server-p256.pem"), certs.join("own.key")).expect("copied");
    let text = sentence(&serve(folder.path(), &[]));
    assert!(text.contains("do not belong together") && text.contains("own.key"), "{text}");
}
