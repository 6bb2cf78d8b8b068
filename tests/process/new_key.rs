//! `pdms new-key`: all of it or nothing, whatever comes in between (SEC-02).

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use pdms::domain::device::DeviceKey;
use pdms::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use pdms::services::clock::Clock;
use pdms::services::{Opening, Services, credentials, device_files, profiles, tokens};

use super::backup::killed_after;
use super::{Running, refused, run, set_up, succeeded};

/// How often the verb is killed.
const KILLS: u32 = 16;
/// Devices that stored a file.
const DEVICES: u32 = 12;

fn mac(number: u32) -> String {
    format!("0004f2ac00{number:02}")
}

/// A state with secrets of several kinds, and an API token of it.
fn filled(folder: &Path) -> String {
    set_up(folder);
    let token = succeeded(&run(folder, &["token", "create", "job", "--role", "owner"], "")).trim_end().to_owned();
    let server = Running::start(folder);
    let curl = |path: &str, more: &[&str]| {
        let url = server.url() + path;
        let output = Command::new("curl").args(["-sk", "-o", "/dev/null", "-w", "%{http_code}", &url]).args(more).output();
        String::from_utf8_lossy(&output.expect("curl is installed").stdout).into_owned()
    };
    let bearer = format!("Authorization: Bearer {token}");
    let profile = r#"{"name": "Lines", "parameters": {"reg.1.auth.password": "CANARY_SIP_1"}}"#;
    assert_eq!(curl("api/v1/accounts/default/profiles", &["-H", &bearer, "--json", profile]), "201");
    for number in 0..DEVICES {
        let (master, file) = (format!("{}.cfg", mac(number)), format!("{}-phone.cfg", mac(number)));
        assert_eq!(curl(&master, &["-u", "phones:only-for-tests-1"]), "200");
        let content = format!("<a reg.1.auth.password='CANARY_{number}'/>");
        assert_eq!(curl(&file, &["-u", "phones:only-for-tests-1", "-X", "PUT", "--data-binary", &content]), "201");
    }
    server.stop();
    token
}

/// Everything that the key file opens or gives, and that is to outlive it.
fn opened(folder: &Path, token: &str) -> Vec<String> {
    let services = Services::open(Opening::new(folder.join("pdms-state"), Clock::system())).expect("the state opens");
    let world = services.world(DEFAULT_ACCOUNT).expect("set up");
    let profile = profiles::get(&services, DEFAULT_ACCOUNT, ProfileId(1)).expect("a profile");
    let mut all = vec![
        world.account.provisioning.password.expose().to_owned(),
        profile.parameters.get("reg.1.auth.password").expect("a password").to_owned(),
        format!("{:?}", tokens::recognise(&services, token).expect("readable").is_some()),
    ];
    for number in 0..DEVICES {
        let key: DeviceKey = mac(number).parse().expect("a key");
        let own = credentials::of(&services, DEFAULT_ACCOUNT, &key);
        let (_, content) = device_files::file(&services, DEFAULT_ACCOUNT, &key, "phone.cfg").expect("a file");
        all.extend([own.password.expose().to_owned(), own.admin_password.expose().to_owned()]);
        all.push(String::from_utf8(content).expect("a text"));
    }
    all
}

/// Nothing is left of what was begun.
fn is_tidy(folder: &Path) {
    let state = folder.join("pdms-state");
    assert!(!state.join("restoring").exists() && !state.join("restored").exists());
    let blobs = fs::read_dir(state.join("blobs")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let count: usize = blobs.map(|folder| fs::read_dir(folder).expect("a folder").count()).sum();
    assert_eq!(count, DEVICES as usize, "files of devices");
    succeeded(&run(folder, &["check"], ""));
}

fn key_file(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("pdms-state/secret.key")).expect("a key file")
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_state_or_the_new_one_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let token = filled(folder);
    let before = opened(folder, &token);
    assert!(before.iter().any(|one| one == "CANARY_SIP_1") && before.iter().any(|one| one == "true"));
    let first = key_file(folder);
    let begun = Instant::now();
    let done = run(folder, &["new-key"], "");
    let usual = begun.elapsed();
    succeeded(&done);
    assert!(String::from_utf8_lossy(&done.stderr).contains("Make a backup now"));
    assert_ne!(key_file(folder), first);
    assert_eq!(opened(folder, &token), before);
    is_tidy(folder);
    for round in 0..KILLS {
        let old = key_file(folder);
        killed_after(folder, &["new-key"], usual * round / (KILLS - 2));
        // Opening finishes what was decided.
        assert_eq!(opened(folder, &token), before, "round {round}");
        is_tidy(folder);
        let is_new = key_file(folder) != old;
        let log = fs::read(folder.join("pdms-state/pdms.redb")).expect("a database");
        assert!(!log.windows(6).any(|part| part == b"CANARY"), "round {round}, new: {is_new}");
    }
}

#[test]
fn a_full_disk_leaves_the_old_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let token = filled(folder);
    let (before, key) = (opened(folder, &token), key_file(folder));
    // No file grows beyond so many blocks of 512 bytes: writes fail as on a full disk, at ever later moments.
    let limited = |blocks: u32| {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" new-key");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_pdms")]).current_dir(folder).env_remove("PDMS_STATE");
        command.stdin(Stdio::null()).output().expect("a shell")
    };
    let mut refusals = 0;
    for blocks in (0..24).map(|power| 1 << power) {
        let output = limited(blocks);
        if output.status.success() {
            break;
        }
        refused(&output, 1);
        refusals += 1;
        assert_eq!(key_file(folder), key, "{blocks} blocks");
        assert_eq!(opened(folder, &token), before, "{blocks} blocks");
        is_tidy(folder);
    }
    assert!(refusals > 0, "some of them are too few");
    assert_ne!(key_file(folder), key, "and some are enough");
    assert_eq!(opened(folder, &token), before);
    is_tidy(folder);
}

#[test]
fn it_is_not_for_a_running_server_nor_for_nothing_and_the_old_key_opens_nothing_any_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let missing = refused(&run(folder, &["new-key"], ""), 1);
    assert!(missing.contains("no state directory"), "{missing}");
    Running::start(folder).stop();
    let never = refused(&run(folder, &["new-key"], ""), 1);
    assert!(never.contains("never set up"), "{never}");
    set_up(folder);
    succeeded(&run(folder, &["backup", "before.backup"], ""));
    let server = Running::start(folder);
    let busy = refused(&run(folder, &["new-key"], ""), 1);
    assert!(busy.contains("in use"), "{busy}");
    server.stop();

    let path = folder.join("pdms-state/secret.key");
    let old = key_file(folder);
    succeeded(&run(folder, &["new-key"], ""));
    succeeded(&run(folder, &["backup", "after.backup"], ""));
    let new = key_file(folder);
    fs::write(&path, &old).expect("written");
    for verb in ["check", "new-key", "serve"] {
        let told = refused(&run(folder, &[verb], ""), 1);
        assert!(told.contains("does not open with this key file"), "{verb}: {told}");
    }
    fs::write(&path, &new).expect("written");
    succeeded(&run(folder, &["check"], ""));
    for (backup, key) in [("before.backup", &old), ("after.backup", &new)] {
        let state = format!("of-{backup}");
        succeeded(&run(folder, &["restore", backup, "--state", &state], ""));
        succeeded(&run(folder, &["check", "--state", &state], ""));
        assert_eq!(&fs::read(folder.join(state).join("secret.key")).expect("a key file"), key);
    }
}
