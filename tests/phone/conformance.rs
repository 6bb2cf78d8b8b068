//! The request orders of real phones, played against the server.

use std::path::Path;
use std::process::Command;

use crate::support::server::{PASSWORD, Server, USER};

#[test]
fn every_transcript_of_a_real_phone_is_answered_as_phones_can_live_with() {
    let player = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/replay.py");
    if !player.exists() {
        println!("skipped: {} is not there", player.display());
        return;
    }
    let server = Server::start();
    let output = Command::new("python3")
        .arg(&player)
        .args(["--base", &server.base(), "--user", USER, "--password", PASSWORD, "--insecure"])
        .output()
        .expect("python3 is installed");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.trim_end().ends_with(" 0 short"),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
