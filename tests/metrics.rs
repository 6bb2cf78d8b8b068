//! Figures for monitoring: `/metrics` on this machine (contract 3).

use std::collections::BTreeMap;
use std::process::Command;

use pdms::simulate::fleet::boot;
use pdms::simulate::rules::Rules;
use pdms::simulate::statistics::Statistics;

use super::fleet::{LINE, network, phone, profile, put_on_global, run};
use super::support::phone::Phone;
use super::support::server::{PASSWORD, Server};

/// What curl gets from `/metrics`: the status and the body.
fn ask(server: &Server, more: &[&str]) -> (String, String) {
    let url = format!("https://127.0.0.1:{}/metrics", server.address.port());
    let output = Command::new("curl").args(["-sk", "-w", "\n%{http_code}", &url]).args(more).output().expect("curl is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').expect("the status stands last");
    (status.to_owned(), body.to_owned())
}

/// The samples of a text in Prometheus' format, by name and labels. Fails where a line is none, where a family is not announced or
/// comes twice, or where a sample does.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let (mut kinds, mut found) = (BTreeMap::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            assert!(help.split_once(' ').is_some_and(|(name, words)| is_name(name) && !words.is_empty()), "{line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a name and a kind");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} comes twice");
        } else {
            let (key, value) = line.rsplit_once(' ').expect("a sample");
            let (name, labels) = key.split_once('{').unwrap_or((key, "}"));
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(is_name(name) && (kinds.contains_key(name) || kinds.contains_key(family)), "{line}");
            for label in labels.strip_suffix('}').expect("labels end").split(',').filter(|label| !label.is_empty()) {
                let (name, value) = label.split_once("=\"").expect("a label");
                assert!(is_name(name) && value.strip_suffix('"').is_some_and(|value| !value.contains('"')), "{line}");
            }
            assert!(found.insert(key.to_owned(), value.parse().expect("a number")).is_none(), "{key} comes twice");
        }
    }
    found
}

#[test]
fn figures_tell_of_phones_and_name_nobody() {
    let server = Server::start();
    put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
    let (status, before) = ask(&server, &[]);
    assert_eq!((status.as_str(), samples(&before)["pdms_devices{status=\"online\"}"]), ("200", 0.0));
    let network = network(&server);
    let mut phone = phone(&server, &network, "VVX411", 1, Rules::USUAL);
    run(boot(&mut phone, &network, &mut Statistics::default()));
    let plain = format!("http://127.0.0.1:{}/", server.address.port());
    let _ = Command::new("curl").args(["-s", &plain]).output().expect("curl is installed");
    server.advance(600);
    server.flush();
    let (_, text) = ask(&server, &[]);
    let found = samples(&text);
    let of = |key: &str| *found.get(key).unwrap_or_else(|| panic!("{key} is missing in {text}"));
    assert_eq!(of("pdms_devices{status=\"online\"}"), 1.0);
    assert!(of("pdms_phone_requests_total{file=\"master\",status=\"200\"}") >= 2.0, "it restarts once");
    assert!(of("pdms_phone_requests_total{file=\"parameters\",status=\"200\"}") >= 2.0);
    assert!(of("pdms_runs_total{result=\"complete\"}") >= 1.0);
    assert_eq!(of("pdms_handshakes_failed_total{cause=\"not_tls\"}"), 1.0);
    assert!(of("pdms_commit_seconds_count") > 1.0 && of("pdms_commits_failed_total") == 0.0);
    assert_eq!(of("pdms_commit_seconds_bucket{le=\"+Inf\"}"), of("pdms_commit_seconds_count"));
    assert!(of("pdms_connections") >= 1.0 && of("pdms_disk_free_bytes") > 0.0 && of("pdms_database_bytes") > 0.0);
    assert!((1.0..398.0).contains(&of("pdms_certificate_left_days{certificate=\"server\"}")));
    assert!(of("pdms_certificate_left_days{certificate=\"authority\"}") > 3_000.0);
    assert_eq!(of("pdms_pending_phones{standing=\"waiting\",reason=\"bound\"}"), 0.0);
    Phone::new(&server).with_credentials("PlcmSpIp", "PlcmSpIp").get("/0004f2aa0001.cfg");
    let waits = "pdms_pending_phones{standing=\"waiting\",reason=\"factory-credentials\"}";
    assert_eq!(samples(&ask(&server, &[]).1)[waits], 1.0);
    let key = phone.mac.to_string();
    for secret in [key.as_str(), PASSWORD, "line-secret", "127.0.0.1", "VVX411"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn figures_are_for_this_machine_only() {
    let server = Server::start();
    let (status, words) = ask(&server, &["-H", "X-Forwarded-For: 192.0.2.7"]);
    assert_eq!(status, "401");
    assert!(!words.contains("pdms_"), "{words}");
    assert_eq!(ask(&server, &["-X", "POST"]).0, "405");
}
