//! `pdms user` while the server runs and without it, and `pdms version`.

use std::process::Command;

use super::{Running, refused, run, set_up, socket, succeeded};
use pdms::web::local::{Answer, Request, ask};

fn emails(listed: &str) -> Vec<&str> {
    listed.lines().filter_map(|line| line.split('\t').next()).collect()
}

#[test]
fn users_are_added_listed_and_given_passwords_with_and_without_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    succeeded(&run(folder, &["user", "add", "bob@example.test"], "several calm words\n"));
    let server = Running::start(folder);
    succeeded(&run(folder, &["user", "add", "Carol", "--email", "carol@example.test"], "rather quiet sentence\n"));
    let listed = succeeded(&run(folder, &["user", "list"], ""));
    assert_eq!(emails(&listed), ["ada@example.test", "bob@example.test", "carol@example.test"]);
    std::fs::write(folder.join("password"), "an entirely new one\n").expect("written");
    succeeded(&run(folder, &["user", "password", "carol", "--password-file", "password"], ""));
    server.stop();
    assert_eq!(succeeded(&run(folder, &["user", "list"], "")), listed);
}

#[test]
fn users_have_roles_and_tokens_are_made_listed_and_revoked() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    succeeded(&run(folder, &["user", "add", "bob@example.test", "--role", "operator"], "several calm words\n"));
    let listed = succeeded(&run(folder, &["user", "list"], ""));
    assert!(listed.lines().any(|line| line.starts_with("bob@") && line.ends_with("\toperator")), "{listed}");
    let wrong = refused(&run(folder, &["user", "add", "eve@example.test", "--role", "king"], "several calm words\n"), 2);
    assert!(wrong.contains("viewer, operator, account-admin or owner"), "{wrong}");
    let token = succeeded(&run(folder, &["token", "create", "monitoring", "--role", "viewer", "--days", "7"], ""));
    assert!(token.starts_with("pdms_") && token.trim_end().len() == 45, "{token}");
    let server = Running::start(folder);
    let listed = succeeded(&run(folder, &["token", "list"], ""));
    assert!(listed.contains("\tmonitoring\tviewer\tpdms_") && !listed.contains(token.trim_end()), "{listed}");
    assert!(!listed.contains("secrets"), "no token sees secrets unless it is asked for: {listed}");
    succeeded(&run(folder, &["token", "create", "vault", "--role", "owner", "--reveal"], ""));
    let vault = succeeded(&run(folder, &["token", "list"], ""));
    assert!(vault.lines().any(|line| line.contains("\tvault\towner\t") && line.ends_with("\tsecrets")), "{vault}");
    succeeded(&run(folder, &["token", "revoke", "vault"], ""));
    succeeded(&run(folder, &["token", "revoke", "monitoring"], ""));
    assert_eq!(succeeded(&run(folder, &["token", "list"], "")), "");
    let gone = refused(&run(folder, &["token", "revoke", "monitoring"], ""), 1);
    assert!(gone.contains("no token"), "{gone}");
    server.stop();
}

#[test]
fn what_cannot_be_done_is_told_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let missing = refused(&run(folder, &["user", "list"], ""), 1);
    assert!(missing.contains("no state directory") && !folder.join("pdms-state").exists(), "{missing}");
    let server = Running::start(folder);
    let early = refused(&run(folder, &["user", "add", "bob@example.test"], "several calm words"), 1);
    assert!(early.contains("not set up yet"), "{early}");
    set_up(folder);
    let short = refused(&run(folder, &["user", "add", "bob@example.test"], "short"), 1);
    assert!(short.contains("password"), "{short}");
    let nobody = refused(&run(folder, &["user", "password", "nobody@example.test"], "several calm words"), 1);
    assert!(nobody.contains("nobody@example.test"), "{nobody}");
    let nothing = refused(&run(folder, &["user", "password", "ada@example.test"], ""), 1);
    assert!(nothing.contains("no password was given"), "{nothing}");
    server.stop();
}

#[test]
fn a_request_that_is_none_is_answered_and_the_next_one_served() {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path());
    let mut stream = std::os::unix::net::UnixStream::connect(socket(folder.path())).expect("the server listens");
    stream.write_all(b"{\"verb\":\"explode\"}\n").expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    assert!(answer.contains("does not understand"), "{answer}");
    let next = ask(&socket(folder.path()), &Request::ListUsers).expect("answered");
    assert!(matches!(next, Some(Answer::Users(users)) if users.is_empty()));
    server.stop();
}

#[test]
fn the_version_names_the_commit_that_was_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = succeeded(&run(folder.path(), &["version", "--json"], ""));
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let commit = told["commit"].as_str().expect("a text");
    let head = || {
        let here = env!("CARGO_MANIFEST_DIR");
        let output = Command::new("git").args(["-C", here, "rev-parse", "HEAD"]).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match (std::env::var("PDMS_COMMIT").ok(), head()) {
        (Some(given), _) => assert_eq!(commit, given),
        (None, Some(head)) => assert!(commit.len() >= 12 && head.starts_with(commit), "{commit} is not {head}"),
        (None, None) => assert_eq!(commit, "unknown"),
    }
    let line = succeeded(&run(folder.path(), &["version"], ""));
    assert_eq!(line, format!("pdms {} ({commit})\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn verbs_that_need_a_state_make_none_in_an_empty_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let state = folder.join("pdms-state");
    std::fs::create_dir(&state).expect("made");
    let verbs: [&[&str]; 11] = [
        &["user", "list"],
        &["user", "add", "bob@example.test"],
        &["user", "password", "bob@example.test"],
        &["token", "list"],
        &["token", "create", "job", "--role", "viewer"],
        &["token", "revoke", "job"],
        &["ca", "show"],
        &["new-ca", "--every-phone-needs-it"],
        &["new-key"],
        &["backup", "made.backup"],
        &["check"],
    ];
    for verb in verbs {
        let told = refused(&run(folder, verb, "several calm words\n"), 1);
        assert!(told.contains("holds no state of pdms") && told.contains("--state"), "{verb:?}: {told}");
        assert_eq!(std::fs::read_dir(&state).expect("there").count(), 0, "{verb:?} left something");
        assert_eq!(std::fs::read_dir(folder).expect("there").count(), 1, "{verb:?} left something");
    }
    std::fs::write(folder.join("none.backup"), "a letter").expect("written");
    for verb in [&["backup", "verify", "none.backup"][..], &["restore", "none.backup"]] {
        refused(&run(folder, verb, ""), 1);
        assert_eq!(std::fs::read_dir(&state).expect("there").count(), 0, "{verb:?} left something");
    }
    succeeded(&run(folder, &["version"], ""));
    set_up(folder);
    assert_eq!(emails(&succeeded(&run(folder, &["user", "list"], ""))), ["ada@example.test"], "it may begin one");
}
