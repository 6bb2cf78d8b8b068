//! The table of contract 4, line by line, with what HTTP adds to it: HEAD, conditions, POST, `Expect`, lengths that are wrong.

use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::services::accounts::AccountDraft;
use pdms::services::devices::Afterwards;

use crate::support::phone::Phone;
use crate::support::server::Server;

const MAC: &str = "0004f2aa0001";
const MIXED: &str = "0004F2aA0001";
const SERIAL: &str = "8218404c20ccf9";
const STUDIO: &str = "FileTransport PolycomStudio-PolyStudio-UA/1.0.0 Type/Application";

#[test]
fn the_challenge_is_the_same_for_every_method_and_for_wrong_credentials() {
    let server = Server::start();
    let first = Phone::bare(&server).get("/000000000000.cfg");
    let path = format!("/{MAC}.cfg");
    for phone in [Phone::bare(&server), Phone::bare(&server).with_credentials("phones", "wrong")] {
        for method in ["GET", "HEAD", "PUT", "POST", "DELETE"] {
            let answer = phone.ask(method, &path, None);
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, first.header("www-authenticate")), "{method}");
            assert_eq!(answer.header("content-length"), first.header("content-length"), "{method}");
        }
    }
    assert!(server.services.roster(DEFAULT_ACCOUNT).is_empty());
}

#[test]
fn a_fault_while_reading_is_503_and_the_phone_is_served_on() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let path = format!("/{MAC}-phone.cfg");
    assert_eq!(phone.put(&path, b"<a/>").status, 201);
    let blobs = server.dir.path().join("state/blobs");
    std::fs::remove_dir_all(&blobs).expect("removed behind the server's back");
    let answer = phone.get(&path);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("3600")));
    assert_eq!(phone.get(&format!("/{MAC}.cfg")).status, 200);
    assert_eq!(phone.put(&path, b"<b/>").status, 204);
    assert_eq!(phone.get(&path).body, b"<b/>");
}

#[test]
fn a_device_without_a_mac_is_served_by_its_serial_number() {
    let server = Server::start();
    let studio = Phone::new(&server).with("User-Agent", STUDIO);
    let master = studio.get(&format!("/{}.CFG", SERIAL.to_uppercase()));
    assert_eq!(master.status, 200);
    assert!(master.text().contains(&format!("CONFIG_FILES=\"{SERIAL}-profile.cfg\"")), "{}", master.text());
    assert_eq!(studio.get(&format!("/{SERIAL}-profile.cfg")).status, 200);
    assert_eq!(studio.head(&format!("/{SERIAL}.cfg")).status, 200);
    assert_eq!(server.device(SERIAL).and_then(|known| known.device.family.clone()).as_deref(), Some("Studio"));
}

#[test]
fn the_zero_file_is_what_the_master_file_would_be_in_every_state() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let (own, zero) = (format!("/{MAC}.cfg"), "/000000000000.cfg");
    let tagged = phone.clone().tagged(Some(MIXED));
    let same = |state: &str, status: u16| {
        for method in ["GET", "HEAD"] {
            let (own, zero) = (tagged.ask(method, &own, None), tagged.ask(method, zero, None));
            assert_eq!((own.status, zero.status), (status, status), "{state}");
            assert_eq!(own.body, zero.body, "{state}");
            assert_eq!(own.header("content-length"), zero.header("content-length"), "{state}");
        }
    };
    same("admitted", 200);
    assert_eq!(tagged.get("/000000000000.CFG").status, 200);
    for (who, status) in
        [(phone.clone(), 503), (phone.clone().with("User-Agent", "curl/8.5.0"), 200), (Phone::bare(&server), 401)]
    {
        assert_eq!((who.get(zero).status, who.head(zero).status), (status, status));
    }
    server.set_account(&AccountDraft { enabled: Some(false), ..AccountDraft::default() });
    same("disabled", 503);
    assert_eq!(phone.clone().with("User-Agent", "curl/8.5.0").get(zero).status, 503);
    assert_eq!(Phone::bare(&server).get(zero).status, 401);
    server.set_account(&AccountDraft { enabled: Some(true), ..AccountDraft::default() });
    server.flush();
    server.delete(MAC, Afterwards::Block);
    same("blocked", 503);
}

#[test]
fn every_file_of_a_device_is_taken_given_back_and_replaced() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let files = ["-phone.cfg", "-web.cfg", "-Web.cfg", "-system.cfg", "-cloud.cfg", "-directory.xml", "-calls.xml"];
    for (n, suffix) in files.into_iter().enumerate() {
        let (path, body) = (format!("/some/folder/{MIXED}{suffix}"), format!("<a b=\"{n}\"/>"));
        // CX stations write the same file with another letter case.
        let expected = if suffix == "-Web.cfg" { 204 } else { 201 };
        assert_eq!(phone.put(&path, body.as_bytes()).status, expected, "{suffix}");
        assert_eq!(phone.ask("POST", &path, Some(body.as_bytes())).status, 204, "{suffix}");
        for path in [format!("/{MAC}{suffix}"), format!("/default/{MAC}{}", suffix.to_uppercase())] {
            let answer = phone.get(&path);
            assert_eq!((answer.status, answer.text()), (200, body.clone()), "{path}");
            let sized = phone.head(&path);
            assert_eq!((sized.status, sized.header("content-length")), (200, answer.header("content-length")), "{path}");
        }
    }
    assert_eq!(server.services.roster(DEFAULT_ACCOUNT).len(), 1, "one device, however its MAC is written");
}

#[test]
fn every_log_is_kept_for_itself_and_the_newest_is_answered() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let logs = ["-boot.log", "-app.log", "-appFlash.log", "-now-app.log", "-core.gz", "_2026.11.22_101500.pcap.tar.gz"];
    for suffix in logs {
        let path = format!("/{MAC}{suffix}");
        assert_eq!((phone.get(&path).status, phone.head(&path).status), (404, 404), "{suffix}");
        for body in ["first of them", "second"] {
            server.advance(1);
            assert_eq!(phone.put(&path, body.as_bytes()).status, 201, "{suffix}");
            assert_eq!(phone.get(&path).text(), body, "{suffix}");
            assert_eq!(phone.head(&path).header("content-length"), Some(body.len().to_string().as_str()), "{suffix}");
        }
    }
}

#[test]
fn conditions_and_ranges_change_nothing() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let path = format!("/{MAC}.cfg");
    let plain = phone.get(&path);
    assert!(plain.header("etag").is_none() && plain.header("last-modified").is_none() && plain.header("location").is_none());
    for (name, value) in [
        ("If-None-Match", "*"),
        ("If-Modified-Since", "Fri, 01 Jan 2027 00:00:00 GMT"),
        ("If-Match", "\"x\""),
        ("Range", "bytes=0-9"),
    ] {
        let answer = phone.clone().with(name, value).get(&path);
        assert_eq!((answer.status, &answer.body), (200, &plain.body), "{name}");
    }
}

#[test]
fn an_upload_may_wait_for_leave_and_its_length_counts_whatever_follows() {
    let server = Server::start();
    let phone = Phone::new(&server);
    let path = format!("/{MAC}-app.log");
    assert_eq!(phone.clone().with("Expect", "100-continue").put(&path, b"waited").status, 201);
    assert_eq!(phone.get(&path).body, b"waited");
    server.advance(1);
    let credentials = "Authorization: Basic cGhvbmVzOm9ubHktZm9yLXRlc3RzLTc0MTE=\r\n";
    let longer = format!("PUT {path} HTTP/1.1\r\nHost: a\r\n{credentials}Content-Length: 5\r\n\r\n123456789\r\n\r\n");
    let answers = Phone::bare(&server).send_all(longer.as_bytes());
    assert!(
        answers.starts_with("HTTP/1.1 201") && !answers.matches("HTTP/1.1 ").skip(1).any(|_| answers.contains(" 200 ")),
        "{answers}"
    );
    assert_eq!(phone.get(&path).body, b"12345");
}

#[test]
fn two_phones_with_one_mac_are_one_device_and_get_the_same() {
    let server = Server::start();
    let files = |agent: &str| {
        let phone = Phone::new(&server).with("User-Agent", agent);
        [".cfg", "-profile.cfg"].map(|suffix| phone.get(&format!("/{MAC}{suffix}")))
    };
    let one = files("FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application");
    let other = files("FileTransport PolycomVVX-VVX_500-UA/6.4.6.2494 Type/Application");
    for (one, other) in one.iter().zip(&other) {
        assert_eq!((one.status, other.status), (200, 200));
        assert_eq!(one.body, other.body);
    }
    assert_eq!(server.services.roster(DEFAULT_ACCOUNT).len(), 1);
}

#[test]
fn a_name_that_no_file_system_takes_is_refused_before_its_body_is_read() {
    use pdms::domain::limits::DUMP_NAME_BYTES;
    let server = Server::start();
    let phone = Phone::new(&server);
    for (bytes, status) in [(DUMP_NAME_BYTES - 1, 201), (DUMP_NAME_BYTES, 201), (DUMP_NAME_BYTES + 1, 403), (300, 403)] {
        let path = format!("/{MAC}-core{}", "x".repeat(bytes - "-core".len()));
        assert_eq!(phone.put(&path, b"dump").status, status, "{bytes} bytes");
        let answer = phone.get(&path);
        assert_eq!(answer.status, if status == 201 { 200 } else { 404 }, "{bytes} bytes");
    }
    // The answer comes although no byte of the body was sent.
    let credentials = "Authorization: Basic cGhvbmVzOm9ubHktZm9yLXRlc3RzLTc0MTE=\r\n";
    let path = format!("/{MAC}-core{}", "x".repeat(300));
    let announced = format!("PUT {path} HTTP/1.1\r\nHost: a\r\n{credentials}Content-Length: 1000\r\n\r\n");
    assert_eq!(Phone::bare(&server).send(announced.as_bytes(), false).status, 403);
    let longest = format!("/{}", "x".repeat(2_000));
    assert_eq!((phone.put(&longest, b"x").status, phone.get(&longest).status), (403, 404));
}
