//! What phones get over plain HTTP: the way to HTTPS and nothing else (contract 3).

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use pdms::domain::account::{BootstrapSettings, BootstrapSwitch};
use pdms::domain::admission::NewDeviceCaps;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::run::{HandshakeFault, Reason, Subject};
use pdms::domain::trust::Trust;
use pdms::services::accounts::AccountDraft;
use pdms::services::{bootstrap, runs};
use pdms::web::phone::PhoneSettings;

use crate::support::phone::{Phone, Response};
use crate::support::server::{PASSWORD, Server, USER};

const MAC: &str = "0004f2aa0001";

fn trust(server: &Server) -> Arc<Trust> {
    server.services.trusts(DEFAULT_ACCOUNT).of(&MAC.parse().expect("a MAC"))
}

fn learn(server: &Server, change: impl FnOnce(&mut Trust)) {
    server.services.trusts(DEFAULT_ACCOUNT).learn(&MAC.parse().expect("a MAC"), change);
}

fn stage_file(server: &Server) -> String {
    let answer = Phone::in_clear(server).get(&format!("/{MAC}-bootstrap.cfg"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

fn assert_held(answer: &Response, what: &str) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("3600")), "{what}");
}

/// A profile and shared credentials whose values must never be read over plain HTTP.
fn with_secrets() -> Server {
    let server = Server::start();
    server.global_profile("Lines", &[("reg.1.auth.password", "line-secret"), ("up.timeOut", "41")]);
    server
}

#[test]
fn before_set_up_everything_is_503() {
    let server = Server::start_unset(PhoneSettings::default());
    for path in [format!("/{MAC}.cfg"), format!("/{MAC}-bootstrap.cfg"), "/000000000000.cfg".to_owned(), "/x.wav".to_owned()] {
        assert_held(&Phone::in_clear(&server).get(&path), &path);
        assert_held(&Phone::in_clear(&server).put(&path, b"x"), &path);
    }
}

#[test]
fn a_new_phone_gets_a_master_that_names_its_bootstrap_file_and_no_image() {
    let server = with_secrets();
    let phone = Phone::in_clear(&server);
    let master = phone.get(&format!("/{MAC}.cfg"));
    assert_eq!(master.status, 200);
    let text = master.text();
    assert!(text.contains(&format!("CONFIG_FILES=\"{MAC}-bootstrap.cfg\"")), "{text}");
    assert!(text.contains("APP_FILE_PATH=\"swupdate/none/none/sip.ld\""), "a path that is always 404: {text}");
    assert!(text.contains(&format!("LOG_FILE_DIRECTORY=\"{}\"", server.base())), "{text}");
    assert_eq!(phone.get("/swupdate/none/none/3111-44500-001.sip.ld").status, 404);
    for upper in [format!("/{}.cfg", MAC.to_uppercase()), format!("/{}.CFG", MAC.to_uppercase()), format!("/default/{MAC}.cfg")] {
        assert_eq!(phone.get(&upper).body, master.body, "{upper}");
    }
    let head = phone.head(&format!("/{MAC}.cfg"));
    assert_eq!((head.status, head.header("content-length")), (200, master.header("content-length")));
    assert!(server.device(MAC).is_none(), "nothing is added by plain HTTP");
}

#[test]
fn stage_1_is_trust_and_time_and_holds_no_secret_and_no_parameter_of_a_profile() {
    let server = with_secrets();
    let file = stage_file(&server);
    for part in [
        "device.sec.TLS.customCaCert2=\"-----BEGIN CERTIFICATE-----",
        "device.sec.TLS.profileSelection.provisioning=\"PlatformProfile2\"",
        "device.sntp.serverName=\"pool.ntp.org\"",
        "device.prov.tagSerialNo=\"1\"",
        "prov.polling.mode=\"rel\"",
        "prov.polling.period=\"3600\"",
        "device.set=\"1\"",
    ] {
        assert!(file.contains(part), "{part}: {file}");
    }
    for secret in ["line-secret", PASSWORD, USER, "up.timeOut", "reg.", "device.prov.server", "device.dhcp", "Password", "cipher"]
    {
        assert!(!file.contains(secret), "{secret}: {file}");
    }
    assert!(trust(&server).bootstrap.as_ref().is_some_and(|bootstrap| bootstrap.proven_at.is_none()));
}

#[test]
fn everything_else_is_404_without_a_challenge_whatever_credentials_come_along() {
    let server = with_secrets();
    Phone::new(&server).get("/0004f2aa0002.cfg");
    let nobody = Phone::in_clear(&server);
    for phone in [nobody.clone(), nobody.with_credentials(USER, PASSWORD)] {
        for name in ["-profile.cfg", "-phone.cfg", "-web.cfg", "-license.cfg", "-directory.xml", "-calls.xml", "-app.log"] {
            let answer = phone.get(&format!("/{MAC}{name}"));
            assert_eq!((answer.status, answer.header("www-authenticate")), (404, None), "{name}");
            assert!(answer.body.len() < 100);
        }
        for path in
            ["/000000000000-license.cfg", "/000000000000-directory.xml", "/swupdate/x/1/sip.ld", "/a.wav", "/8218404c20ccf9.cfg"]
        {
            assert_eq!(phone.get(path).status, 404, "{path}");
        }
        for (method, path) in [
            ("PUT", format!("/{MAC}-app.log")),
            ("PUT", format!("/{MAC}.cfg")),
            ("POST", format!("/{MAC}-phone.cfg")),
            ("DELETE", format!("/{MAC}.cfg")),
        ] {
            let answer = phone.ask(method, &path, Some(b"x"));
            assert_eq!((answer.status, answer.header("www-authenticate")), (404, None), "{method} {path}");
        }
        assert_eq!(phone.get(&format!("/{MAC}.cfg")).header("location"), None, "phone paths are never redirected");
    }
}

#[test]
fn an_upload_is_answered_before_its_body_and_gets_no_leave_to_send_one() {
    let server = with_secrets();
    let head = format!("PUT /{MAC}-app.log HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n");
    for expects in ["", "Expect: 100-continue\r\n", "Expect: 100-continue\r\nAuthorization: Basic eDp5\r\n"] {
        let mut stream = TcpStream::connect(server.http).expect("the server listens");
        stream.write_all(format!("{head}{expects}\r\n").as_bytes()).expect("sent");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("answered though no byte of the body was sent");
        assert_eq!(std::str::from_utf8(&answer), Ok("HTTP/1.1 404"), "{expects}");
    }
}

#[test]
fn whoever_waits_for_leave_gets_the_answer_that_everybody_gets() {
    let unset = Server::start_unset(PhoneSettings::default());
    assert_held(&Phone::in_clear(&unset).ask_leave(&format!("/{MAC}-app.log")), "before set-up");
    let server = with_secrets();
    let waiting = Phone::in_clear(&server).with("Expect", "100-continue");
    let master = waiting.get(&format!("/{MAC}.cfg"));
    assert_eq!((master.status, master.text().contains("-bootstrap.cfg")), (200, true), "a fetch has nothing to wait for");
    Phone::new(&server).get(&format!("/{MAC}-profile.cfg"));
    let served = waiting.ask_leave(&format!("/{MAC}-app.log"));
    assert_held(&served, "it was served in full");
    assert_eq!(served.header("www-authenticate"), None);
    assert_eq!(trust(&server).knock.as_ref().map(|knock| knock.reason), Some(Reason::CameOverHttp), "and is listed");
    assert_held(&waiting.get(&format!("/{MAC}.cfg")), "its master, too");
}

#[test]
fn a_device_that_was_served_in_full_keeps_its_lines_and_is_listed() {
    let server = with_secrets();
    let over_tls = Phone::new(&server);
    over_tls.get(&format!("/{MAC}.cfg"));
    over_tls.get(&format!("/{MAC}-profile.cfg"));
    let phone = Phone::in_clear(&server).tagged(Some(MAC));
    for name in [".cfg", "-bootstrap.cfg", "-profile.cfg", "-phone.cfg", "-app.log"] {
        assert_held(&phone.get(&format!("/{MAC}{name}")), name);
    }
    assert_held(&phone.put(&format!("/{MAC}-app.log"), b"x"), "its log");
    assert_held(&phone.get("/000000000000.cfg"), "what its own master would be");
    let knock = trust(&server).knock.clone().expect("listed");
    assert_eq!((knock.reason, knock.address), (Reason::CameOverHttp, IpAddr::from([127, 0, 0, 1])));
    assert_eq!(over_tls.get(&format!("/{MAC}-profile.cfg")).status, 200, "over TLS it is served as ever");
    let now = server.clock.now();
    learn(&server, |trust| trust.expect(now));
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 200, "it may come back from where it was");
    assert!(stage_file(&server).contains("customCaCert2"));
    server.advance(25 * 3_600);
    assert_held(&phone.get(&format!("/{MAC}.cfg")), "a day later");
}

#[test]
fn the_master_of_nobody_in_particular_is_that_of_whoever_says_who_it_is() {
    let server = with_secrets();
    let own = Phone::in_clear(&server).get(&format!("/{MAC}.cfg"));
    let tagged = Phone::in_clear(&server).tagged(Some(MAC));
    assert_eq!(tagged.get("/000000000000.cfg").body, own.body);
    assert_held(&Phone::in_clear(&server).get("/000000000000.cfg"), "a phone that may hold a configuration keeps it");
}

#[test]
fn a_log_over_tls_from_the_same_address_proves_trust_and_then_the_address_is_told() {
    let server = with_secrets();
    let nobody = Phone::bare(&server);
    assert_eq!(nobody.put(&format!("/{MAC}-app.log"), b"log").status, 401);
    assert!(!stage_file(&server).contains("device.prov.serverName"), "a log before stage 1 proves nothing");
    let (now, elsewhere) = (server.clock.now(), IpAddr::from([10, 0, 0, 9]));
    learn(&server, |trust| trust.bootstrapped(now, elsewhere));
    learn(&server, |trust| trust.log_came(now, elsewhere));
    assert!(!stage_file(&server).contains("device.prov.serverName"), "nor does one from another address");
    assert_eq!(nobody.get(&format!("/{MAC}-app.log")).status, 401);
    assert!(!stage_file(&server).contains("device.prov.serverName"), "nor another request");
    assert_eq!(nobody.put(&format!("/{MAC}-app.log"), b"log").status, 401, "it gets its challenge as ever");
    let file = stage_file(&server);
    for part in [
        "device.prov.serverType=\"HTTPS\"",
        "device.prov.serverType.set=\"1\"",
        &format!("device.prov.serverName=\"{}\"", server.base()),
        "device.prov.serverName.set=\"1\"",
        "device.dhcp.bootSrvUseOpt=\"Static\"",
        "device.dhcp.bootSrvUseOpt.set=\"1\"",
        "device.set=\"1\"",
    ] {
        assert!(file.contains(part), "{part}: {file}");
    }
    assert!(!file.contains("line-secret") && !file.contains(PASSWORD) && !file.contains("device.prov.user"));
}

#[test]
fn a_log_that_waits_for_leave_over_tls_proves_as_much() {
    let server = with_secrets();
    stage_file(&server);
    let challenged = Phone::bare(&server).ask_leave(&format!("/{MAC}-boot.log"));
    assert_eq!(challenged.status, 401);
    assert!(stage_file(&server).contains("device.prov.serverName"));
}

#[test]
fn without_proof_the_cause_is_what_the_handshakes_showed_and_only_a_missing_suite_brings_a_list() {
    let server = with_secrets();
    assert!(!stage_file(&server).contains("cipherSuite"));
    let here = IpAddr::from([127, 0, 0, 1]);
    bootstrap::handshake_failed(&server.services, here, HandshakeFault::UnknownCa);
    assert_eq!(trust(&server).bootstrap.as_ref().and_then(|known| known.fault), Some(HandshakeFault::UnknownCa));
    assert!(!stage_file(&server).contains("cipherSuite"));
    bootstrap::handshake_failed(&server.services, here, HandshakeFault::NoCommonSuite);
    let file = stage_file(&server);
    assert!(
        file.contains("device.sec.TLS.profile.cipherSuiteDefault2=\"0\"") && file.contains("ECDHE-RSA-AES128-GCM-SHA256"),
        "{file}"
    );
    assert!(!file.contains("device.prov.serverName"));
}

#[test]
fn a_handshake_that_fails_at_the_real_listener_is_the_cause() {
    let server = with_secrets();
    stage_file(&server);
    let mut stream = TcpStream::connect(server.address).expect("the server listens");
    stream.write_all(b"\x16\x03\x01\x00\x02\x01\x00").expect("sent");
    let _ = stream.read_to_end(&mut Vec::new());
    // The socket is closed a moment before the cause is told.
    let is_told = || trust(&server).bootstrap.as_ref().is_some_and(|known| known.fault.is_some());
    let begun = Instant::now();
    while !is_told() && begun.elapsed().as_secs() < 30 {
        std::thread::yield_now();
    }
    assert!(is_told());
}

#[test]
fn the_switch_the_slot_and_the_profile_are_settings() {
    let server = with_secrets();
    let set = |switch| {
        let bootstrap = Some(BootstrapSettings { switch, ..BootstrapSettings::default() });
        server.set_account(&AccountDraft { bootstrap, ..AccountDraft::default() });
    };
    set(BootstrapSwitch::Off);
    assert_held(&Phone::in_clear(&server).get(&format!("/{MAC}.cfg")), "off");
    set(BootstrapSwitch::On);
    assert_eq!(Phone::in_clear(&server).get(&format!("/{MAC}.cfg")).status, 200);
    server.set_account(&AccountDraft { enabled: Some(false), ..AccountDraft::default() });
    assert_held(&Phone::in_clear(&server).get(&format!("/{MAC}.cfg")), "while no phone is served");
}

#[test]
fn phn_12_plain_http_is_bootstrap_only_and_pages_alone_are_redirected() {
    let server = with_secrets();
    let phone = Phone::in_clear(&server).with_credentials(USER, PASSWORD);
    for path in [format!("/{MAC}.cfg"), format!("/{MAC}-profile.cfg"), "/x.wav".to_owned()] {
        let answer = phone.get(&path);
        assert!(answer.header("location").is_none() && !answer.text().contains("line-secret"), "{path}");
    }
    let page = phone.get("/admin/devices");
    assert_eq!((page.status, page.header("location")), (307, Some(&*format!("{}admin/devices", server.base()))));
}

#[test]
fn a_sweep_over_macs_is_held_and_known_phones_go_on() {
    let caps = NewDeviceCaps { per_address: 3, per_hour: 100 };
    let server = Server::start_with(PhoneSettings { new_devices: caps, ..PhoneSettings::default() });
    let phone = Phone::in_clear(&server);
    let statuses: Vec<u16> = (0..5).map(|n| phone.get(&format!("/0004f200000{n}.cfg")).status).collect();
    assert_eq!(statuses, [200, 200, 200, 503, 503]);
    assert_eq!(phone.get("/0004f2000000-bootstrap.cfg").status, 200);
    server.advance(601);
    assert_eq!(phone.get("/0004f2000004.cfg").status, 200);
}

#[test]
fn what_was_asked_over_plain_http_is_told_under_unknown_phones() {
    let server = with_secrets();
    Phone::in_clear(&server).get(&format!("/{MAC}.cfg"));
    let of = || runs::of(&server.services, DEFAULT_ACCOUNT, &Subject::Stranger(MAC.parse().expect("a MAC"))).expect("listed");
    assert!(of()[0].verdict().words.contains("did not take the file"), "{:?}", of()[0].verdict());
    stage_file(&server);
    assert_eq!(of()[0].verdict().words, "Came over plain HTTP and was given our certificate authority");
    assert_eq!(of()[0].run.exchanges.len(), 2);
    server.flush();
    let server = server.restarted();
    assert!(trust(&server).bootstrap.is_some(), "how far a phone is outlives a restart");
}
