//! `pdms serve --demo` and `pdms simulate` as an admin starts them.

use std::path::Path;
use std::process::Command;

use super::{Running, pdms, refused, run, set_up, succeeded};

/// Where an address leads to.
fn leads_to(url: &str) -> String {
    let arguments = ["-sk", "-o", "/dev/null", "-w", "%{redirect_url}", url];
    let output = Command::new("curl").args(arguments).output().expect("curl is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_demo_prints_a_link_that_signs_in_once_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let demo = Running::start_with(folder.path(), &["--demo"]);
    let link =
        demo.greeting.split_whitespace().find(|word| word.contains("/admin/sign-in/link?token=")).expect("a link").to_owned();
    assert!(!demo.greeting.contains("setup?token="), "it is set up already: {}", demo.greeting);
    assert_eq!(leads_to(&link), demo.url() + "admin/");
    assert_eq!(leads_to(&link), demo.url() + "admin/sign-in", "a second time it leads nowhere");
    let (status, page) = demo.get("admin/sign-in");
    assert_eq!(status, "200");
    assert!(page.contains("demo-banner"), "every page says that this is a demo");
    let line = demo.greeting.lines().find(|line| line.contains("  State ")).expect("the state directory is told");
    let state = line.split_whitespace().nth(1).expect("a path").to_owned();
    assert!(Path::new(&state).is_dir());
    demo.stop();
    assert!(!Path::new(&state).exists(), "{state} is gone");
    assert!(!folder.path().join("pdms-state").exists(), "the usual state directory was never touched");
}

#[test]
fn a_demo_is_for_this_machine_only() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let text = refused(&run(folder.path(), &["serve", "--demo", "--https", "0.0.0.0:0"], ""), 1);
    assert!(text.contains("a demo listens on loopback addresses only"), "{text}");
    let text = refused(&run(folder.path(), &["serve", "--demo", "--state", "x"], ""), 2);
    assert!(text.contains("--state"), "{text}");
}

#[test]
fn simulated_phones_boot_against_a_server_and_say_how_it_went() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    set_up(folder.path());
    std::fs::write(folder.path().join("password"), "only-for-tests-1\n").expect("written");
    let server = Running::start(folder.path());
    let url = server.url();
    let simulate = |more: &[&str]| {
        let usual = ["simulate", "--server", &url, "--user", "phones", "--ca", "pdms-state/certs/ca.pem", "--json"];
        pdms(folder.path(), &[&usual, more].concat()).output().expect("the binary runs")
    };
    let text = succeeded(&simulate(&["--password-file", "password", "--phones", "6", "--model", "VVX411,CCX600", "--poll"]));
    let figures: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&figures["booted"], &figures["failed"], &figures["dead"]), (&6.into(), &0.into(), &0.into()), "{text}");
    let wrong = simulate(&["--rule", "14=alternative"]);
    assert_eq!(wrong.status.code(), Some(1), "with the factory's password nobody boots");
    assert!(String::from_utf8_lossy(&wrong.stdout).contains("was answered 401"));
    let elsewhere = run(folder.path(), &["simulate", "--server", "https://192.0.2.7/"], "");
    assert!(refused(&elsewhere, 2).contains("only ever talk to loopback addresses"));
}
