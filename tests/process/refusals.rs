//! A start that cannot work: one sentence, exit status 1, and nothing was changed (FLT-05).

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use super::{Running, pdms, refused, run, set_up};

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
