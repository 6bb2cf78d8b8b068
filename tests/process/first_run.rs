//! First run: nothing needs to be given, and the set-up link or a file makes the owner (R9, contract 2).

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Running, pdms, refused, run, set_up, succeeded};

#[test]
fn an_empty_directory_and_one_command_are_enough() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path());
    assert!(server.greeting.contains("setup?token="), "{}", server.greeting);
    let state = folder.path().join("pdms-state");
    assert!(server.greeting.contains(&state.display().to_string()), "{}", server.greeting);
    let mode = |path: &str| fs::metadata(state.join(path)).expect(path).permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("certs/ca.key"), mode("certs/server-rsa.pem"), mode("admin.sock")), (0o700, 0o600, 0o600, 0o600));

    assert_eq!(server.get("livez"), ("200".to_owned(), "live\n".to_owned()));
    assert_eq!(server.get("readyz").0, "200");
    assert_eq!(server.get("admin/").0, "303");
    assert_eq!(server.get("000000000000.cfg").0, "401", "phones are asked for credentials even now");
    server.stop();
}

#[test]
fn each_start_prints_another_link_until_the_server_is_set_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let link = |server: &Running| server.greeting.lines().find(|line| line.contains("setup?token=")).map(str::to_owned);
    let first = Running::start(folder.path());
    let (first_link, _) = (link(&first).expect("a link"), first.stop());
    let second = Running::start(folder.path());
    assert_ne!(link(&second).expect("a link"), first_link);
    set_up(folder.path());
    assert_eq!(second.get("admin/sign-in").0, "200");
    second.stop();
    let third = Running::start(folder.path());
    assert_eq!(link(&third), None);
    assert!(!third.greeting.contains("only-for-tests-1") && !third.greeting.contains("four unhurried words"));
}

#[test]
fn a_file_sets_the_server_up_once_and_what_was_made_at_random_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("answers.toml");
    fs::write(&file, "[owner]\nname = \"Ada\"\nemail = \"ada@example.test\"\npassword = \"four unhurried words\"\n")
        .expect("written");
    let printed = succeeded(&run(folder.path(), &["setup", "--from", "answers.toml"], ""));
    let made: toml::Table = toml::from_str(&printed).expect("TOML");
    let provisioning = made["provisioning"].as_table().expect("a table");
    assert!(provisioning["password"].as_str().is_some_and(|password| password.len() > 20), "{printed}");
    assert!(!made.contains_key("owner"), "what was given is not repeated: {printed}");
    let again = refused(&run(folder.path(), &["setup", "--from", "answers.toml"], ""), 1);
    assert!(again.contains("set up already"), "{again}");
}

#[test]
fn a_wrong_file_is_told_with_its_line_or_field_and_nothing_is_set_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("answers.toml");
    fs::write(&file, "[owner]\nname = \"Ada\"\nemail = \"ada@example.test\"\n[server]\ntimezone = \"UTC\"\n").expect("written");
    let misspelt = refused(&run(folder.path(), &["setup", "--from", "answers.toml"], ""), 1);
    assert!(misspelt.contains("line 5") && misspelt.contains("timezone"), "{misspelt}");

    fs::write(&file, "[owner]\nname = \"Ada\"\nemail = \"ada\"\npassword = \"short\"\n[server]\ntime_zone = \"Mars\"\n")
        .expect("written");
    let wrong = refused(&run(folder.path(), &["setup", "--from", "answers.toml"], ""), 1);
    for field in ["email", "password", "time_zone"] {
        assert!(wrong.contains(field), "{field}: {wrong}");
    }
    set_up(folder.path());
}

#[test]
fn misuse_is_exit_status_two_and_the_version_is_data() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(refused(&run(folder.path(), &["srve"], ""), 2).contains("serve"), "the verb that was meant is named");
    refused(&run(folder.path(), &["user", "add", "bob", "--password", "secret"], ""), 2);
    refused(&run(folder.path(), &["serve", "--https", "everywhere"], ""), 2);
    let version = succeeded(&run(folder.path(), &["version", "--json"], ""));
    let version: serde_json::Value = serde_json::from_str(&version).expect("JSON");
    assert_eq!(version["name"], "pdms");
    assert!(pdms(folder.path(), &["--help"]).output().expect("it runs").status.success());
}
