//! `pdms backup`, `pdms backup verify` and `pdms restore`, with and without a server (contract 2, P17).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::Services;
use pdms::services::activity::{self, ActivityQuery};
use pdms::services::clock::Clock;

use super::{Running, pdms, refused, run, set_up, succeeded};

/// How often a verb is killed.
const KILLS: u64 = 12;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

fn users(folder: &Path, state: &str) -> String {
    succeeded(&run(folder, &["user", "list", "--state", state], ""))
}

/// What the activity log tells of backups: by whom, where, what, and whether encrypted.
fn noted(state: &Path) -> Vec<String> {
    let services = Services::inspect(state, Clock::system()).expect("a state");
    let entries = activity::list(&services, DEFAULT_ACCOUNT, &ActivityQuery { limit: 50, ..Default::default() }).expect("listed");
    let of_backups = entries.items.into_iter().filter(|one| one.event.object == "backup");
    of_backups
        .map(|one| format!("{} {} {} {:?}", one.actor, one.event.subject, one.event.action, one.event.changes[0].new))
        .collect()
}

#[test]
fn a_state_moves_to_another_directory_by_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let missing = refused(&run(folder, &["backup", "early.backup"], ""), 1);
    assert!(missing.contains("no state directory") && names(folder).is_empty(), "{missing}");
    set_up(folder);
    let server = Running::start(folder);
    fs::create_dir(folder.join("kept")).expect("made");
    let told = run(folder, &["backup", "kept/online.backup"], "");
    assert!(String::from_utf8_lossy(&told.stderr).contains("It is not encrypted"), "a warning");
    succeeded(&told);
    server.stop();
    fs::write(folder.join("passphrase"), "five entirely unguessable words here\n").expect("written");
    let with = |verb: &[&str]| run(folder, &[verb, &["--passphrase-file", "passphrase"]].concat(), "");
    succeeded(&with(&["backup", "kept/sealed.backup"]));
    assert_eq!(names(&folder.join("kept")).len(), 2, "nothing else is left");
    let mode = fs::metadata(folder.join("kept/online.backup")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let whole = succeeded(&run(folder, &["backup", "verify", "kept/online.backup"], ""));
    assert!(whole.contains("is whole: localhost, 0 devices"), "{whole}");
    let asked = refused(&run(folder, &["backup", "verify", "kept/sealed.backup"], ""), 1);
    assert!(asked.contains("--passphrase-file"), "{asked}");
    succeeded(&with(&["backup", "verify", "kept/sealed.backup"]));
    let noted = noted(&folder.join("pdms-state"));
    for (file, encrypted) in [("online", "no"), ("sealed", "yes")] {
        let line = format!("command line {}/kept/{file}.backup written Some(\"{encrypted}\")", folder.display());
        assert_eq!(noted.iter().filter(|one| **one == line).count(), 1, "{line}: {noted:?}");
    }
    let listed = users(folder, "pdms-state");
    for (backup, state) in [("kept/online.backup", "one"), ("kept/sealed.backup", "two")] {
        succeeded(&with(&["restore", backup, "--state", state]));
        assert_eq!(users(folder, state), listed, "{backup}");
        succeeded(&run(folder, &["check", "--state", state], ""));
    }
    let authority = |state: &str| fs::read(folder.join(state).join("certs/ca.pem")).expect("a CA");
    assert_eq!(authority("one"), authority("pdms-state"), "phones trust it already");
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_told_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    refused(&run(folder, &["backup"], ""), 2);
    refused(&run(folder, &["restore"], ""), 2);
    set_up(folder);
    succeeded(&run(folder, &["backup", "a.backup"], ""));
    let mut damaged = fs::read(folder.join("a.backup")).expect("a backup");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(folder.join("damaged.backup"), damaged).expect("written");
    for verb in [&["backup", "verify", "damaged.backup"][..], &["restore", "damaged.backup", "--state", "new"]] {
        let told = refused(&run(folder, verb, ""), 1);
        assert!(told.contains("damaged or was changed"), "{told}");
    }
    assert!(!folder.join("new").exists());
    let used = refused(&run(folder, &["restore", "a.backup"], ""), 1);
    assert!(used.contains("not empty") && used.contains("set up"), "{used}");
    fs::write(folder.join("notes.txt"), "mine").expect("written");
    let other = refused(&run(folder, &["backup", "notes.txt"], ""), 1);
    assert!(other.contains("no backup of pdms"), "{other}");
    assert_eq!(fs::read(folder.join("notes.txt")).expect("there"), b"mine");
    let nowhere = refused(&run(folder, &["backup", "none/a.backup"], ""), 1);
    assert!(nowhere.contains("none"), "{nowhere}");
}

#[test]
fn a_fresh_server_becomes_the_old_one_by_an_upload_with_its_set_up_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    Running::start(folder).stop();
    fs::write(folder.join("passphrase"), "five entirely unguessable words here\n").expect("written");
    succeeded(&run(folder, &["backup", "a.backup", "--passphrase-file", "passphrase"], ""));
    let fresh = Running::start_with(folder, &["--state", "fresh"]);
    let link = fresh.greeting.lines().find(|line| line.contains("/setup?token=")).expect("a link is told").trim().to_owned();
    let (base, token) = link.split_once("setup?token=").expect("a link");
    let upload = |token: &str, passphrase: &str| {
        let url = format!("{base}setup/restore?token={token}");
        let (file, passphrase) = ("file=@a.backup", format!("passphrase={passphrase}"));
        let arguments = ["-sk", "-w", "\n%{http_code}", "-F", &passphrase, "-F", file, &url];
        let output = Command::new("curl").args(arguments).current_dir(folder).output().expect("curl is installed");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let stranger = upload("guessed", "five entirely unguessable words here");
    assert!(stranger.ends_with("\n422") && stranger.contains("not valid"), "{stranger}");
    let wrong = upload(token, "another passphrase");
    assert!(wrong.ends_with("\n422") && wrong.contains("does not open the backup"), "{wrong}");
    let right = upload(token, "five entirely unguessable words here");
    assert!(right.ends_with("\n200") && right.contains("The backup is restored"), "{right}");
    let again = fresh.wait_for("  State ");
    assert!(again.contains("pdms is running.") && !again.contains("/setup?token="), "{again}");
    assert_eq!(users(folder, "fresh"), users(folder, "pdms-state"));
    fresh.stop();
    let authority = |state: &str| fs::read(folder.join(state).join("certs/ca.pem")).expect("a CA");
    assert_eq!(authority("fresh"), authority("pdms-state"), "phones trust it already");
}

/// Starts a verb and kills it some time later, if it still runs.
pub fn killed_after(folder: &Path, arguments: &[&str], moment: Duration) {
    let mut child = pdms(folder, arguments).stderr(Stdio::null()).spawn().expect("the binary runs");
    let begun = Instant::now();
    while begun.elapsed() < moment && child.try_wait().expect("a process").is_none() {
        std::thread::yield_now();
    }
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().expect("it ends");
}

#[test]
fn a_kill_at_any_moment_leaves_no_half_backup_and_no_half_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    set_up(folder);
    Running::start(folder).stop();
    fs::create_dir(folder.join("kept")).expect("made");
    let begun = Instant::now();
    succeeded(&run(folder, &["backup", "whole.backup"], ""));
    let usual = begun.elapsed();
    for round in 0..KILLS {
        killed_after(folder, &["backup", "kept/a.backup"], usual * u32::try_from(round).expect("small") / 10);
        for name in names(&folder.join("kept")) {
            assert_eq!(name, "a.backup", "round {round}");
            succeeded(&run(folder, &["backup", "verify", "kept/a.backup"], ""));
        }
    }
    let listed = users(folder, "pdms-state");
    let begun = Instant::now();
    succeeded(&run(folder, &["restore", "whole.backup", "--state", "usual"], ""));
    let usual = begun.elapsed();
    for round in 0..KILLS {
        let state = format!("state-{round}");
        killed_after(folder, &["restore", "whole.backup", "--state", &state], usual * u32::try_from(round).expect("small") / 10);
        // Either it was decided, and the next opening finishes it, or it counts as empty.
        let again = run(folder, &["restore", "whole.backup", "--state", &state], "");
        if !again.status.success() {
            let text = String::from_utf8_lossy(&again.stderr);
            assert!(text.contains("was set up") || text.contains("waits in"), "round {round}: {text}");
        }
        assert_eq!(users(folder, &state), listed, "round {round}");
        succeeded(&run(folder, &["check", "--state", &state], ""));
        assert!(!folder.join(&state).join("restoring").exists() && !folder.join(&state).join("restored").exists());
    }
}
