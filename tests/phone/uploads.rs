//! What a phone may leave with us (contract 4, group UPL of the security catalogue).

use std::sync::atomic::{AtomicBool, Ordering};

use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::run::Subject;
use pdms::domain::upload::UploadCaps;
use pdms::services::activity::{self, ActivityQuery};
use pdms::services::uploads::UploadSettings;
use pdms::services::{credentials, runs};
use pdms::web::phone::PhoneSettings;

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::Server;

const MAC: &str = "0004f2aa0001";
const OVERRIDES: &[u8] = b"<PHONE_CONFIG><OVERRIDES up.timeOut=\"41\"/></PHONE_CONFIG>";

fn small_caps() -> PhoneSettings {
    let caps = UploadCaps {
        log_bytes: 200_000,
        override_bytes: 10_000,
        directory_bytes: 20_000,
        dump_bytes: 300_000,
        ..UploadCaps::default()
    };
    PhoneSettings { uploads: UploadSettings { caps, ..UploadSettings::default() }, ..PhoneSettings::default() }
}

/// Every file below the state directory that an upload could have left.
fn left_behind(server: &Server) -> Vec<std::path::PathBuf> {
    let state = server.dir.path().join("state");
    ["logs", "blobs"].iter().flat_map(|folder| every_file(&state.join(folder))).collect()
}

/// Every file below a folder.
fn every_file(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path());
    entries.flat_map(|entry| if entry.is_dir() { every_file(&entry) } else { vec![entry] }).collect()
}

#[test]
fn upl_01_a_log_comes_back_byte_for_byte_and_each_is_kept() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let path = format!("/logs/{MAC}-boot.log");
    let (first, second) = (vec![b'a'; 200_000], vec![b'b'; 150_000]);
    assert_eq!(phone.put(&path, &first).status, 201);
    assert_eq!(phone.get(&path).body, first);
    server.advance(1);
    assert_eq!(phone.ask("POST", &path, Some(&second)).status, 201);
    assert_eq!(phone.get(&path).body, second);
    let sized = phone.head(&path);
    assert_eq!((sized.status, sized.header("content-length")), (200, Some("150000")));
    let logs = server.dir.path().join(format!("state/logs/1/{MAC}"));
    assert_eq!(std::fs::read_dir(logs).expect("readable").count(), 2);
}

#[test]
fn upl_02_without_credentials_nothing_is_read_and_nothing_is_written() {
    let server = Server::start();
    let nobody = Phone::bare(&server);
    let announced = format!("PUT /{MAC}-boot.log HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n");
    assert_eq!(nobody.send(announced.as_bytes(), false).status, 401, "answered although no byte of the body came");
    let waiting = announced.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let answers = nobody.send_all(waiting.as_bytes());
    assert!(answers.starts_with("HTTP/1.1 401") && !answers.contains("100 Continue"), "{answers}");
    // Both are told: what waited for leave once left no trace.
    let told = runs::of(&server.services, DEFAULT_ACCOUNT, &Subject::Stranger(MAC.parse().expect("a MAC"))).expect("listed");
    assert_eq!(told[0].run.exchanges.iter().map(|one| one.status).collect::<Vec<_>>(), [401, 401]);
    let wrong = nobody.with_credentials("phones", "wrong");
    assert_eq!(wrong.put(&format!("/{MAC}-boot.log"), &vec![0; 3_000_000]).status, 401);
    assert!(left_behind(&server).is_empty() && server.device(MAC).is_none());
}

#[test]
fn a_phone_repeats_a_challenged_upload_over_the_same_connection() {
    let server = Server::start();
    let body = "x".repeat(20_000);
    let length = format!("Content-Length: {}\r\n", body.len());
    let credentials = "Authorization: Basic cGhvbmVzOm9ubHktZm9yLXRlc3RzLTc0MTE=\r\n";
    let head = format!("PUT /{MAC}-app.log HTTP/1.1\r\nHost: a\r\n{length}");
    let both = format!("{head}\r\n{body}{head}{credentials}Connection: close\r\n\r\n{body}");
    let answers = Phone::bare(&server).send_all(both.as_bytes());
    let statuses: Vec<&str> = answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["401", "201"], "{answers}");
}

#[test]
fn upl_03_each_kind_has_its_cap_whether_announced_or_chunked() {
    let server = Server::start_with(small_caps());
    let phone = Phone::new(&server);
    for (name, cap) in [
        ("-app.log", 200_000),
        ("-phone.cfg", 10_000),
        ("-directory.xml", 20_000),
        ("-core.gz", 300_000),
        ("_2026.11.22_101500.pcap.tar.gz", 300_000),
    ] {
        let path = format!("/{MAC}{name}");
        let fits = vec![b'x'; cap];
        let exceeds = vec![b'x'; cap + 1];
        assert_eq!(phone.put(&path, &exceeds).status, 413, "{name}");
        assert_eq!(phone.put_chunked(&path, &exceeds).status, 413, "{name}");
        assert!(phone.get(&path).status == 404, "{name}");
        assert_eq!(phone.put_chunked(&path, &fits).status, 201, "{name}");
        assert_eq!(phone.get(&path).body, fits, "{name}");
    }
    assert_eq!(left_behind(&server).len(), 5);
}

#[test]
fn upl_04_the_oldest_logs_make_room_and_other_phones_are_not_affected() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let megabyte = vec![b'x'; 1024 * 1024];
    for _ in 0..80 {
        server.advance(1);
        assert_eq!(phone.put(&format!("/{MAC}-app.log"), &megabyte).status, 201);
    }
    let kept = server.dir.path().join(format!("state/logs/1/{MAC}"));
    let kept = std::fs::read_dir(kept).expect("readable").count();
    assert!((50..=64).contains(&kept), "{kept} megabytes are kept");
    assert_eq!(phone.put("/0004f2aa0002-app.log", b"another").status, 201);
}

#[test]
fn upl_04_a_device_that_uploads_without_end_is_told_to_wait_and_no_other() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let path = format!("/{MAC}-app.log");
    let statuses: Vec<u16> = (0..610).map(|_| phone.put(&path, b"x").status).collect();
    assert!(statuses[..600].iter().all(|status| *status == 201), "{statuses:?}");
    assert!(statuses[600..].iter().all(|status| *status == 429), "{statuses:?}");
    assert!(phone.put(&path, b"x").header("retry-after").is_some());
    assert_eq!(phone.put("/0004f2aa0002-app.log", b"another").status, 201);
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 200, "its configuration is served all the same");
    server.advance(3_600);
    assert_eq!(phone.put(&path, b"x").status, 201, "an hour later it goes on");
}

#[test]
fn upl_05_only_a_devices_own_files_are_taken() {
    let server = Server::start();
    let phone = Phone::new(&server).tagged(Some(MAC));
    let before = phone.get(&format!("/{MAC}.cfg"));
    let other = Phone::new(&server).tagged(Some("0004f2aa0002"));
    assert_eq!(other.put("/0004f2aa0002-phone.cfg", OVERRIDES).status, 201);
    for (path, status) in [
        (format!("/{MAC}.cfg"), 405),
        (format!("/{MAC}-profile.cfg"), 405),
        (format!("/{MAC}-license.cfg"), 405),
        ("/000000000000.cfg".to_owned(), 405),
        ("/000000000000-directory.xml".to_owned(), 405),
        ("/3111-44500-001.sip.ld".to_owned(), 405),
        ("/0004f2aa0002-phone.cfg".to_owned(), 403),
        (format!("/{MAC}-x.sh"), 403),
        ("/welcome.wav".to_owned(), 403),
        ("/../../etc/passwd".to_owned(), 403),
    ] {
        for method in ["PUT", "POST"] {
            let answer = phone.ask(method, &path, Some(b"x"));
            assert_eq!((answer.status, answer.header("allow").is_some()), (status, status == 405), "{method} {path}");
        }
    }
    for path in ["/office2024-app.log", "/office2024-phone.cfg", "/office2024-core.gz"] {
        assert_eq!(phone.put(path, b"x").status, 403, "{path} is nobody's");
        assert_eq!(phone.get(path).status, 404, "{path}");
    }
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).body, before.body);
    assert_eq!(other.get("/0004f2aa0002-phone.cfg").body, OVERRIDES, "it is what it was");
    assert_eq!(phone.put("/0004f2aa0003-phone.cfg", OVERRIDES).status, 403);
    assert!(server.device("0004f2aa0003").is_none(), "an upload that is not taken adds no device");
    assert_eq!(server.services.roster(DEFAULT_ACCOUNT).len(), 2);
    assert_eq!(left_behind(&server).len(), 1);
    // Credentials of a device name it: for them another one's file is the 401 that everybody gets.
    let secrets = credentials::of(&server.services, DEFAULT_ACCOUNT, &MAC.parse().expect("a MAC"));
    let own = phone.clone().with_credentials(&secrets.user, secrets.password.expose());
    let (foreign, nobody) = (own.put("/0004f2aa0002-phone.cfg", b"x"), Phone::bare(&server).put("/0004f2aa0002-phone.cfg", b"x"));
    assert_eq!((foreign.status, &foreign.body), (401, &nobody.body));
    assert_eq!(other.get("/0004f2aa0002-phone.cfg").body, OVERRIDES);
    assert_eq!(own.put(&format!("/{MAC}-phone.cfg"), OVERRIDES).status, 201);
}

#[test]
fn upl_06_uploads_in_pieces_are_refused_and_the_length_that_head_tells_is_true() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let path = format!("/{MAC}-app.log");
    assert_eq!(phone.head(&path).status, 404);
    let pieces = phone.clone().with("Content-Range", "bytes 0-9/100");
    assert_eq!(pieces.put(&path, &[b'x'; 10]).status, 400);
    assert_eq!(phone.head(&path).status, 404);
    assert_eq!(phone.put(&path, &[b'x'; 77]).status, 201);
    assert_eq!(phone.head(&path).header("content-length"), Some("77"));
}

#[test]
fn upl_07_an_upload_that_is_cut_leaves_the_former_file() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let is_tidy =
        |server: &Server| left_behind(server).iter().all(|file| !file.parent().is_some_and(|p| p.ends_with("unfinished")));
    phone.put_cut(&format!("/{MAC}-directory.xml"), 1_000_000, &vec![b'x'; 500_000]);
    for (path, former) in [(format!("/{MAC}-phone.cfg"), OVERRIDES), (format!("/{MAC}-app.log"), &b"former"[..])] {
        assert_eq!(phone.put(&path, former).status, 201);
        phone.put_cut(&path, 1_000_000, &vec![b'x'; 500_000]);
        wait_until(|| is_tidy(&server));
        assert_eq!(phone.get(&path).body, former, "{path}");
    }
    wait_until(|| left_behind(&server).len() == 2);
    server.flush();
    let server = server.restarted();
    let phone = Phone::new(&server);
    assert_eq!(phone.get(&format!("/{MAC}-phone.cfg")).body, OVERRIDES, "and so it is after a restart");
    assert_eq!(phone.get(&format!("/{MAC}-app.log")).body, b"former");
    assert_eq!(phone.get(&format!("/{MAC}-directory.xml")).status, 404, "where nothing was, nothing is");
    assert_eq!(left_behind(&server).len(), 2);
}

/// Asks until it is so: a hang-up is noticed when the network says so.
fn wait_until(is_so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed().as_secs() < 30, "it does not come to be");
        std::thread::yield_now();
    }
}

#[test]
fn upl_08_what_was_uploaded_is_never_served_as_a_page() {
    let server = Server::start();
    let phone = Phone::new(&server);
    for name in ["-directory.xml", "-app.log"] {
        phone.put(&format!("/{MAC}{name}"), b"<script>alert(1)</script>");
        let answer = phone.get(&format!("/{MAC}{name}"));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{name}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{name}");
    }
}

#[test]
fn upl_09_uploads_at_once_never_mix_and_empty_ones_are_taken() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let path = format!("/{MAC}-directory.xml");
    let bodies: Vec<Vec<u8>> = (b'a'..=b'h').map(|letter| vec![letter; 150_000]).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let seen = phone.get(&path);
                assert!(seen.status == 404 || bodies.contains(&seen.body), "{} bytes are a mixture", seen.body.len());
            }
        });
        let writers: Vec<_> = bodies.iter().map(|body| scope.spawn(|| phone.put(&path, body).status)).collect();
        let statuses: Vec<u16> = writers.into_iter().map(|writer| writer.join().expect("answered")).collect();
        done.store(true, Ordering::Relaxed);
        assert!(statuses.iter().all(|status| matches!(status, 201 | 204)), "{statuses:?}");
        reader.join().expect("only whole files are seen");
    });
    assert_eq!(left_behind(&server).len(), bodies.len(), "the one that counts, and those before it as versions");
    let entries = || {
        server.flush();
        activity::list(&server.services, DEFAULT_ACCOUNT, &ActivityQuery { limit: 100, ..ActivityQuery::default() })
            .expect("listed")
            .items
            .len()
    };
    assert!(phone.put(&path, &bodies[0]).status < 300);
    let (same, before, stored) = (bodies[0].clone(), entries(), left_behind(&server).len());
    for _ in 0..10 {
        assert_eq!(phone.put(&path, &same).status, 204);
    }
    assert!(entries() <= before + 1, "not ten entries for ten times the same");
    assert_eq!((left_behind(&server).len(), phone.get(&path).body), (stored, same));
    assert_eq!(phone.put(&path, b"").status, 204);
    assert_eq!((phone.get(&path).status, phone.get(&path).body.len()), (200, 0));
    assert_eq!(phone.put(&format!("/{MAC}-app.log"), b"").status, 201);
}

#[test]
fn an_override_is_given_back_after_a_restart_and_moves_the_polling_minute_with_the_phones_clock() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let polling = |phone: &Phone| {
        let text = phone.get(&format!("/{MAC}-profile.cfg")).text();
        text.lines().find(|line| line.contains("prov.polling.time=")).map(str::to_owned).expect("the base polls")
    };
    let before = polling(&phone);
    let overrides = b"<PHONE_CONFIG><OVERRIDES tcpIpApp.sntp.gmtOffset=\"-7200\"/></PHONE_CONFIG>";
    assert_eq!(phone.put(&format!("/{MAC}-web.cfg"), overrides).status, 201);
    assert_eq!(phone.put(&format!("/{MAC}-web.cfg"), overrides).status, 204, "the same again");
    let own_clock = |server: &Server| {
        server.device(MAC).map(|known| known.device.own_clock.get("tcpIpApp.sntp.gmtOffset").map(str::to_owned))
    };
    assert_eq!(own_clock(&server), Some(Some("-7200".to_owned())));
    assert_ne!(polling(&phone), before);
    let server = server.restarted();
    assert_eq!(Phone::new(&server).get(&format!("/{MAC}-web.cfg")).body, overrides);
    assert_eq!(own_clock(&server), Some(Some("-7200".to_owned())));
    // What the phone's menu says beats what its web pages say, and what is taken back is forgotten.
    let phone = Phone::new(&server);
    phone.put(&format!("/{MAC}-phone.cfg"), b"<PHONE_CONFIG><OVERRIDES tcpIpApp.sntp.gmtOffset=\"0\"/></PHONE_CONFIG>");
    assert_eq!(own_clock(&server), Some(Some("0".to_owned())));
    phone.put(&format!("/{MAC}-phone.cfg"), b"this is no configuration file");
    assert_eq!(own_clock(&server), Some(Some("-7200".to_owned())));
    phone.put(&format!("/{MAC}-web.cfg"), b"<PHONE_CONFIG><OVERRIDES/></PHONE_CONFIG>");
    assert_eq!(own_clock(&server), Some(None));
    assert_eq!(polling(&phone), before);
}

#[test]
fn sec_02_what_phones_keep_with_us_does_not_lie_open_on_the_disk() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let secret = "CANARY_SIP_PASSWORD";
    let overrides = format!("<PHONE_CONFIG><OVERRIDES reg.1.auth.password=\"{secret}\"/></PHONE_CONFIG>");
    let long = format!("<directory>{}</directory>", secret.repeat(10_000));
    for (name, body) in [("-phone.cfg", &overrides), ("-web.cfg", &overrides), ("-directory.xml", &long)] {
        let path = format!("/{MAC}{name}");
        assert_eq!(phone.put(&path, body.as_bytes()).status, 201, "{name}");
        assert_eq!(phone.get(&path).text(), *body, "{name}");
    }
    server.flush();
    let server = server.restarted();
    assert_eq!(Phone::new(&server).get(&format!("/{MAC}-phone.cfg")).text(), overrides);
    for file in every_file(&server.dir.path().join("state")) {
        let content = std::fs::read(&file).unwrap_or_default();
        assert!(!content.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", file.display());
    }
}

#[test]
fn below_the_reserve_of_the_disk_uploads_are_refused_and_configuration_goes_on() {
    let uploads = UploadSettings { reserve_bytes: u64::MAX, ..UploadSettings::default() };
    let server = Server::start_with(PhoneSettings { uploads, ..PhoneSettings::default() });
    let phone = Phone::new(&server);
    let told = Api::owner(&server).ok("GET", "/api/v1/server/storage", None);
    assert_eq!(told["state"], "refusing", "{told}");
    assert_eq!(phone.put(&format!("/{MAC}-app.log"), b"x").status, 507);
    assert_eq!(phone.put(&format!("/{MAC}-phone.cfg"), OVERRIDES).status, 507);
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 200);
    assert_eq!(server.services.roster(DEFAULT_ACCOUNT).len(), 1);
}
