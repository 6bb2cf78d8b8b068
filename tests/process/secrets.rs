//! Secrets on the disk, in the log and on the command line of the binary as it runs (SEC-01 to SEC-04, SEC-06).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::{Running, pdms, run, set_up, succeeded};

/// Everything below a folder, itself included.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
    let below = entries.flat_map(|path| if path.is_dir() { everything(&path) } else { vec![path] });
    std::iter::once(folder.to_owned()).chain(below).collect()
}

/// The first file below a folder with this text in it.
fn holding(folder: &Path, text: &str) -> Option<PathBuf> {
    let holds = |path: &PathBuf| fs::read(path).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()));
    everything(folder).into_iter().filter(|path| path.is_file()).find(holds)
}

/// What curl gets: the status behind the body.
fn curl(server: &Server, path: &str, more: &[&str]) -> String {
    let url = server.running.url() + path;
    let output = Command::new("curl").args(["-sk", "-w", "\n%{http_code}", &url]).args(more).output().expect("curl is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A server on which secrets of every kind were used.
struct Server {
    running: Running,
    token: String,
}

impl Server {
    fn start(folder: &Path, more: &[&str]) -> Self {
        set_up(folder);
        let token = succeeded(&run(folder, &["token", "create", "job", "--role", "owner"], "")).trim_end().to_owned();
        let server = Self { running: Running::start_with(folder, more), token };
        let bearer = format!("Authorization: Bearer {}", server.token);
        let json = |path: &str, body: &str| curl(&server, path, &["-H", &bearer, "--json", body]);
        let profile = r#"{"name": "Lines", "parameters": {"reg.1.auth.password": "CANARY_SIP_1", "reg.1.label": "CANARY_OPEN"}}"#;
        let made = json("api/v1/accounts/default/profiles", profile);
        assert!(made.ends_with("\n201"), "{made}");
        let attached = curl(
            &server,
            "api/v1/accounts/default/deployment/global",
            &["-X", "PUT", "-H", &bearer, "--json", r#"{"profiles": [1], "shown": []}"#],
        );
        assert!(attached.ends_with("\n200"), "{attached}");
        let import = "api/v1/accounts/default/profiles/import?name=CANARY_QUERY";
        let failed = curl(&server, import, &["-H", &bearer, "-H", "Content-Type: application/xml", "-d", "<a x='CANARY_FILE'"]);
        assert!(failed.ends_with("\n422") || failed.ends_with("\n400"), "{failed}");
        let wrong = r#"{"email": "ada@example.test", "password": "CANARY_GUESS"}"#;
        assert!(curl(&server, "api/v1/session", &["--json", wrong]).ends_with("\n401"));
        let right = r#"{"email": "ada@example.test", "password": "four unhurried words"}"#;
        assert!(curl(&server, "api/v1/session", &["--json", right]).ends_with("\n200"));
        let own = curl(&server, "0004f2aa0001-profile.cfg", &["-u", "phones:only-for-tests-1", "-A", PHONE]);
        assert!(own.contains("CANARY_SIP_1") && own.ends_with("\n200"), "{own}");
        assert!(curl(&server, "0004f2aa0001.cfg", &["-u", "phones:CANARY_WRONG", "-A", PHONE]).ends_with("\n401"));
        server
    }
}

const PHONE: &str = "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 (SN:0004f2aa0001) Type/Application";

#[test]
fn sec_01_sec_02_nothing_that_opens_a_door_lies_open_in_the_state_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("pdms-state");
    let Server { running, token } = Server::start(folder.path(), &[]);
    let listed = succeeded(&run(folder.path(), &["token", "list"], ""));
    assert!(listed.contains(&token[..11]) && !listed.contains(&token[..20]), "its beginning alone: {listed}");
    running.stop();
    assert!(holding(&state, "CANARY_OPEN").is_some(), "the search must be able to find something");
    assert!(holding(&state, "$argon2id$v=19$m=19456,t=2,p=1$").is_some(), "passwords of people are hashed, slowly");
    for secret in ["CANARY_SIP_1", "only-for-tests-1", "four unhurried words", "CANARY_GUESS", "CANARY_WRONG", &token] {
        assert_eq!(holding(&state, secret), None, "{secret}");
    }
    let key = fs::read(state.join("secret.key")).expect("a key file");
    assert_eq!(fs::metadata(state.join("secret.key")).expect("there").permissions().mode() & 0o777, 0o600);
    let database = fs::read(state.join("pdms.redb")).expect("a database");
    assert!(!database.windows(key.len()).any(|part| part == key), "the key is outside of the database");
}

#[test]
fn sec_03_everything_is_private_whatever_the_umask() {
    let folder = tempfile::tempdir().expect("a folder");
    set_up(folder.path());
    fs::remove_dir_all(folder.path().join("pdms-state")).expect("removed");
    let mut shell = Command::new("sh");
    shell.current_dir(folder.path()).env_remove("PDMS_STATE").env_remove("PDMS_LOG");
    shell.args(["-c", "umask 000; exec \"$0\" serve --https 127.0.0.1:0 --http off", env!("CARGO_BIN_EXE_pdms")]);
    let running = Running::of(shell);
    succeeded(&run(folder.path(), &["setup", "--from", "setup.toml"], ""));
    let put = ["-T", "setup.toml", "-u", "phones:only-for-tests-1", "-A", PHONE];
    for name in ["0004f2aa0001-app.log", "0004f2aa0001-phone.cfg"] {
        let output = Command::new("curl")
            .args(["-sk", "-o", "/dev/null", "-w", "%{http_code}", &(running.url() + name)])
            .args(put)
            .current_dir(folder.path())
            .output()
            .expect("curl is installed");
        assert_eq!(output.stdout, b"201", "{name}");
    }
    let all = everything(&folder.path().join("pdms-state"));
    assert!(
        all.iter().any(|path| path.ends_with("admin.sock")) && all.iter().any(|path| path.to_string_lossy().contains("logs"))
    );
    for path in all {
        let found = fs::metadata(&path).expect("there");
        let expected = if found.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(found.permissions().mode() & 0o777, expected, "{}", path.display());
    }
    running.stop();
}

#[test]
fn sec_04_the_log_tells_no_secret_however_much_it_tells() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("trace.toml"), "log = \"trace\"\n").expect("written");
    let server = Server::start(folder.path(), &["--config", "trace.toml"]);
    let asked = curl(&server, "admin/devices?q=CANARY_QUERY", &["-b", "__Host-pdms=CANARY_COOKIE"]);
    assert!(asked.ends_with("\n303"), "{asked}");
    server.running.signal(Signal::TERM);
    let log = server.running.greeting.clone() + &server.running.lines.iter().collect::<Vec<_>>().join("\n");
    assert_eq!(server.running.wait(), Some(0));
    assert!(log.contains("TRACE") || log.contains("trace"), "it tells much: {log}");
    // What Basic sends for the right and the wrong password.
    let basic = ["cGhvbmVzOm9ubHktZm9yLXRlc3RzLTE", "cGhvbmVzOkNBTkFSWV9XUk9ORw"];
    let secrets = ["CANARY", "only-for-tests-1", "four unhurried words", &server.token, "Bearer pdms_", "csrf="];
    for secret in secrets.into_iter().chain(basic) {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

#[test]
fn sec_06_no_secret_is_taken_from_the_command_line_or_the_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = |arguments: &[&str]| succeeded(&run(folder.path(), &[arguments, &["--help"]].concat(), ""));
    let verbs: &[&[&str]] = &[
        &[],
        &["serve"],
        &["setup"],
        &["check"],
        &["user", "add"],
        &["user", "password"],
        &["token", "create"],
        &["backup"],
        &["backup", "verify"],
        &["restore"],
        &["simulate"],
    ];
    let mut files = 0;
    for verb in verbs {
        for word in help(verb).split(|c: char| c.is_whitespace() || "[],=".contains(c)) {
            let is_secret =
                ["password", "passphrase", "secret", "token"].iter().any(|secret| word.to_lowercase().contains(secret));
            if is_secret && (word.starts_with("--") || word.starts_with("PDMS_")) {
                assert!(word.ends_with("-file"), "{verb:?} takes {word}");
                files += 1;
            }
        }
    }
    assert!(files >= 4, "secrets come in files: {files}");
    let typed = pdms(folder.path(), &["user", "password", "ada@example.test", "--password", "CANARY"]).output().expect("it runs");
    assert_eq!(typed.status.code(), Some(2));
    set_up(folder.path());
    let running = Running::start(folder.path());
    for file in ["cmdline", "environ"] {
        let told = fs::read(format!("/proc/{}/{file}", running.child.id())).expect("readable");
        let told = String::from_utf8_lossy(&told);
        assert!(!told.contains("only-for-tests-1") && !told.contains("four unhurried words"), "{file}: {told}");
    }
    running.stop();
}
