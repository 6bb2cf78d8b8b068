//! Certificates of phones that their manufacturer has revoked (PHN-07), with an authority and lists that `openssl` makes.

use std::path::PathBuf;
use std::process::Command;

use actix_web::test::TestRequest;
use jiff::SignedDuration;
use pdms::domain::account::CertificatePolicy;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::trust::{Certificate, Trust};
use pdms::services::accounts::AccountDraft;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::support::api::{Api, json, problem};
use crate::support::browser::{Browser, Site};
use crate::support::phone::Phone;
use crate::support::server::Server;

const MAC: &str = "0004f2ab0001";
const OTHER: &str = "0004f2ab0002";
const REVOKED: &str = "its manufacturer has revoked it";
const LISTS: &str = "/revocation-lists";

/// An authority in a folder of its own.
struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    /// Whether there is `openssl`; else a line says so.
    fn can_be_made() -> bool {
        let is_there = Command::new("openssl").arg("version").output().is_ok();
        if !is_there {
            println!("skipped: openssl is not installed");
        }
        is_there
    }

    fn new(name: &str) -> Self {
        Self::with(name, "keyCertSign,cRLSign")
    }

    fn with(name: &str, usage: &str) -> Self {
        let made = Self { folder: tempfile::tempdir().expect("a folder") };
        let config = "[ca]\ndefault_ca = own\n[own]\ndatabase = index\nnew_certs_dir = .\nserial = serial\ncrlnumber = number\n\
                      certificate = ca.pem\nprivate_key = ca.key\ndefault_md = sha256\npolicy = any\ncrl_extensions = of_list\n\
                      unique_subject = no\n[any]\ncommonName = supplied\n[of_list]\nauthorityKeyIdentifier = keyid\n[none]\n\
                      [phone]\nextendedKeyUsage = clientAuth\n[req]\ndistinguished_name = name\n[name]\n[authority]\n\
                      basicConstraints = critical,CA:TRUE\nsubjectKeyIdentifier = hash\nkeyUsage = critical,";
        let files = [("config", format!("{config}{usage}\n")), ("index", String::new())];
        let counters = ["serial", "number"].map(|name| (name, "1001\n".to_owned()));
        for (name, content) in files.into_iter().chain(counters) {
            std::fs::write(made.path(name), content).expect("written");
        }
        let subject = format!("/CN={name}");
        made.openssl(&["req", "-x509", "-extensions", "authority", "-days", "3650", "-subj", &subject, "-out", "ca.pem"], "ca");
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("there")
    }

    /// Runs `openssl` with its settings, and with a new key where one is named.
    fn openssl(&self, arguments: &[&str], key: &str) {
        let (file, mut all) = (format!("{key}.key"), arguments.to_vec());
        all.extend(["-config", "config"]);
        if !key.is_empty() {
            all.extend(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", &file]);
        }
        let output = Command::new("openssl").args(all).current_dir(self.folder.path()).output().expect("openssl runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A phone's certificate with its key.
    fn phone(&self, mac: &str) -> CertifiedKey {
        let (subject, request, certificate) = (format!("/CN={mac}"), format!("{mac}.csr"), format!("{mac}.pem"));
        self.openssl(&["req", "-new", "-subj", &subject, "-out", &request], mac);
        let dates = ["-startdate", "20200101000000Z", "-enddate", "20400101000000Z"];
        let sign = ["ca", "-batch", "-notext", "-extensions", "phone", "-in", &request, "-out", &certificate];
        self.openssl(&[&sign[..], &dates].concat(), "");
        let key = PrivateKeyDer::from_pem_slice(&self.file(&format!("{mac}.key"))).expect("a key");
        let leaf = CertificateDer::from_pem_slice(&self.file(&certificate)).expect("a certificate");
        CertifiedKey::new(vec![leaf], any_supported_type(&key).expect("a usable key"))
    }

    fn revoke(&self, mac: &str) {
        self.openssl(&["ca", "-revoke", &format!("{mac}.pem")], "");
    }

    /// A list of a day in November 2026, and the day on which the next one is to be there.
    fn list(&self, day: u8, next: &str) -> Vec<u8> {
        let made = format!("202611{day:02}000000Z");
        self.openssl(&["ca", "-gencrl", "-out", "list.pem", "-crl_lastupdate", &made, "-crl_nextupdate", next], "");
        self.file("list.pem")
    }

    /// One without a number.
    fn list_of_version_1(&self) -> Vec<u8> {
        let config = String::from_utf8(self.file("config")).expect("a text");
        let bare: Vec<&str> = config.lines().filter(|line| !line.starts_with("crl")).collect();
        std::fs::write(self.path("config"), bare.join("\n")).expect("written");
        let list = self.list(1, FAR);
        std::fs::write(self.path("config"), config).expect("written");
        list
    }
}

/// A day long after the clock of tests, and one before it.
const FAR: &str = "20361201000000Z";
const PAST: &str = "20261120000000Z";

fn set(server: &Server, policy: CertificatePolicy) {
    server.set_account(&AccountDraft { certificates: Some(policy), accept_expired: Some(false), ..AccountDraft::default() });
}

fn trust(server: &Server, key: &str) -> Trust {
    Trust::clone(&server.services.trusts(DEFAULT_ACCOUNT).of(&key.parse().expect("a key")))
}

fn master(key: &str) -> String {
    format!("/{key}.cfg")
}

/// A server that asks, with this authority.
fn asking(authority: &Authority) -> (Server, Api) {
    let server = Server::start();
    let api = Api::owner(&server);
    assert_eq!(api.send("POST", "/manufacturers", &authority.file("ca.pem")).status, 201);
    set(&server, CertificatePolicy::Prefer);
    (server, api)
}

#[test]
fn phn_07_a_revoked_certificate_is_no_identity_and_everybody_else_is_served_on() {
    if !Authority::can_be_made() {
        return;
    }
    let maker = Authority::new("Maker");
    let (server, api) = asking(&maker);
    let [stolen, other] = [MAC, OTHER].map(|mac| maker.phone(mac));
    let bare = |certificate: &CertifiedKey| Phone::bare(&server).with_certificate(certificate.clone());
    assert_eq!((bare(&stolen).get(&master(MAC)).status, bare(&other).get(&master(OTHER)).status), (200, 200));
    assert_eq!(trust(&server, MAC).certificate, Certificate::FactoryInstalled);

    maker.revoke(MAC);
    let list = json(&api.send("POST", LISTS, &maker.list(10, FAR)));
    let told = &list["items"][0];
    assert_eq!((&told["entries"], &told["issuer"]), (&1.into(), &"CN=Maker".into()), "{list}");
    assert_eq!(told["next_update"], "2036-12-01T00:00:00Z");
    assert_eq!(bare(&stolen).get(&master(MAC)).status, 401, "at once");
    assert_eq!(bare(&other).get(&master(OTHER)).status, 200, "nobody else");
    assert_eq!(trust(&server, MAC).certificate, Certificate::Invalid(REVOKED.into()), "also where nothing else came");
    let state = api.ok("GET", &format!("/devices/{MAC}/certificate"), None);
    assert_eq!((&state["shown"], &state["reason"]), (&"invalid".into(), &REVOKED.into()));
    let with_password = Phone::new(&server).with_certificate(stolen.clone());
    assert_eq!(with_password.get(&master(MAC)).status, 200, "its credentials decide");
    let (certificate, key) = (maker.path(&format!("{MAC}.pem")), maker.path(&format!("{MAC}.key")));
    let url = format!("{}{MAC}.cfg", server.base());
    let mut curl = Command::new("curl");
    curl.args(["-sk", "--http1.1", "-o", "/dev/null", "-w", "%{http_code}", "--cert"])
        .arg(certificate)
        .arg("--key")
        .arg(key)
        .arg(url);
    if let Ok(output) = curl.output() {
        assert_eq!(String::from_utf8_lossy(&output.stdout), "401");
    }

    set(&server, CertificatePolicy::Require);
    assert_eq!(with_password.get(&master(MAC)).status, 503, "where certificates are required");
    assert_eq!(bare(&other).get(&master(OTHER)).status, 200);
    set(&server, CertificatePolicy::Prefer);

    let server = server.restarted();
    let api = Api::owner(&server);
    let bare = |certificate: &CertifiedKey| Phone::bare(&server).with_certificate(certificate.clone());
    assert_eq!((bare(&stolen).get(&master(MAC)).status, bare(&other).get(&master(OTHER)).status), (401, 200));
    let fingerprint = told["fingerprint"].as_str().expect("a fingerprint");
    api.ok("DELETE", &format!("{LISTS}/{fingerprint}"), None);
    assert_eq!(bare(&stolen).get(&master(MAC)).status, 200, "without the list it counts again");
    assert_eq!(api.refused("DELETE", &format!("{LISTS}/{fingerprint}"), None).0, 404);
    let log = api.ok("GET", "/activity?q=revocation%20list", None);
    assert_eq!(log["total"], 2, "{log}");
}

#[test]
fn what_is_no_list_of_an_uploaded_ca_is_refused_with_its_reason() {
    if !Authority::can_be_made() {
        return;
    }
    let (maker, foreign) = (Authority::new("Maker"), Authority::new("Foreign"));
    let (_server, api) = asking(&maker);
    let refused = |file: &[u8], reason: &str| {
        let (status, fields) = problem(&api.send("POST", LISTS, file));
        assert_eq!((status, fields[0].0.as_str()), (422, "file"));
        assert!(fields[0].1.contains(reason), "{} is to tell: {reason}", fields[0].1);
    };
    refused(b"", "choose a file");
    refused(
        &maker.list(24, FAR),
        "was made 2026-11-24 00:00 UTC, and by this server's clock it is 2026-11-22 12:00 UTC: where the clock",
    );
    for (path, name, most) in [
        (LISTS, "a file with revocation lists has at most 1 MiB", 1024 * 1024),
        ("/manufacturers", "a file with CA certificates has at most 512 KiB", 512 * 1024),
    ] {
        for bytes in [most + 1, 5 * 1024 * 1024] {
            let large = api.send("POST", path, &vec![0x30; bytes]);
            assert!(large.status == 413 && large.text().contains(name), "{}", large.text());
        }
    }
    refused(b"a letter", "no revocation list; upload a file in PEM or DER form");
    refused(&maker.file("ca.pem"), "this is a certificate");
    refused(&maker.file("ca.key"), "BEGIN X509 CRL");
    refused(b"-----BEGIN X509 CRL-----\n!!!\n-----END X509 CRL-----\n", "damaged");
    refused(&foreign.list(1, FAR), "“CN=Foreign”, whose CA certificate is not here; upload that first");
    refused(&Authority::new("Maker").list(1, FAR), "none of the CAs of that name that are here signed it");
    refused(&maker.list_of_version_1(), "is of version 1 of such lists");
    let mut changed = CrlFile::of(&maker.list(1, FAR));
    changed.flip_last();
    refused(&changed.0, "none of the CAs of that name that are here signed it");

    let not_allowed = Authority::with("Silent", "keyCertSign");
    assert_eq!(api.send("POST", "/manufacturers", &not_allowed.file("ca.pem")).status, 201);
    refused(&not_allowed.list(1, FAR), "does not allow it to sign revocation lists");

    let (first, second) = (maker.list(5, FAR), maker.list(6, FAR));
    assert_eq!(api.send("POST", LISTS, &second).status, 201);
    refused(&second, "here already");
    assert_eq!(api.send("POST", &format!("{LISTS}?dry_run=true"), &maker.list(23, FAR)).status, 200, "clocks differ");
    refused(&first, "that is here was made 2026-11-06 00:00 UTC, and this one before that, 2026-11-05 00:00 UTC");
    let third = CrlFile::of(&maker.list(7, FAR)).0;
    assert_eq!(api.send("POST", LISTS, &third).status, 201, "in DER form");
    let lists = api.ok("GET", LISTS, None);
    assert_eq!((&lists["total"], &lists["items"][0]["made_at"]), (&1.into(), &"2026-11-07T00:00:00Z".into()), "in its place");
    let mixed = [maker.list(8, FAR), foreign.list(8, FAR)].concat();
    refused(&mixed, "list 2 of 2: ");
    assert_eq!(api.ok("GET", LISTS, None), lists, "all or none");
}

/// A list in DER form.
struct CrlFile(Vec<u8>);

impl CrlFile {
    fn of(pem: &[u8]) -> Self {
        Self(rustls::pki_types::CertificateRevocationListDer::from_pem_slice(pem).expect("a list").to_vec())
    }

    fn flip_last(&mut self) {
        *self.0.last_mut().expect("something") ^= 1;
    }
}

#[test]
fn a_list_whose_time_is_over_counts_on_and_is_told_among_the_warnings() {
    if !Authority::can_be_made() {
        return;
    }
    let maker = Authority::new("Maker");
    let (server, api) = asking(&maker);
    let [stolen, other] = [MAC, OTHER].map(|mac| maker.phone(mac));
    maker.revoke(MAC);
    assert_eq!(api.send("POST", LISTS, &maker.list(1, PAST)).status, 201);
    let bare = |certificate: &CertifiedKey| Phone::bare(&server).with_certificate(certificate.clone());
    assert_eq!((bare(&stolen).get(&master(MAC)).status, bare(&other).get(&master(OTHER)).status), (401, 200));
    let warnings = || api.ok("GET", "/api/v1/server/warnings?q=revocation%20list", None);
    let told = warnings();
    let text = told["items"][0]["text"].as_str().expect("a warning");
    assert!(text.contains("CN=Maker") && text.contains("2026-11-20") && text.contains("Upload the newest one"), "{text}");
    set(&server, CertificatePolicy::Off);
    assert_eq!(warnings()["total"], 0, "while nobody is asked");
    set(&server, CertificatePolicy::Prefer);
    assert_eq!(api.send("POST", LISTS, &maker.list(2, FAR)).status, 201);
    assert_eq!(warnings()["total"], 0);
}

#[test]
fn a_list_goes_with_the_last_ca_that_made_it() {
    if !Authority::can_be_made() {
        return;
    }
    let (maker, other) = (Authority::new("Maker"), Authority::new("Other"));
    let (_server, api) = asking(&maker);
    assert_eq!(api.send("POST", "/manufacturers", &other.file("ca.pem")).status, 201);
    assert_eq!(api.send("POST", LISTS, &[maker.list(1, FAR), other.list(1, FAR)].concat()).status, 201);
    let ca = api.ok("GET", "/manufacturers?q=Maker", None)["items"][0]["fingerprint"].as_str().expect("there").to_owned();
    let gone = api.ok("DELETE", &format!("/manufacturers/{ca}"), None);
    assert_eq!(gone["revocation_lists"], 1, "{gone}");
    let left = api.ok("GET", LISTS, None);
    assert_eq!((&left["total"], &left["items"][0]["issuer"]), (&1.into(), &"CN=Other".into()));
}

#[actix_web::test]
async fn the_page_takes_a_list_and_says_what_deleting_it_changes() {
    if !Authority::can_be_made() {
        return;
    }
    let maker = Authority::new("Maker <b>");
    maker.phone(MAC);
    maker.revoke(MAC);
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let page = "/admin/provisioning/phone-certificates";
    let empty = browser.get(page).await.body;
    assert!(empty.contains("Revocation lists") && !empty.contains("Add list"), "first the CAs: {empty}");
    let token = browser.token().await;
    let upload = |content: &[u8]| {
        let head = format!(
            "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--b\r\nContent-Disposition: form-data; \
             name=\"file\"; filename=\"file\"\r\n\r\n"
        );
        let body = [head.as_bytes(), content, b"\r\n--b--\r\n"].concat();
        TestRequest::post().insert_header(("content-type", "multipart/form-data; boundary=b")).set_payload(body)
    };
    let path = format!("{page}/lists/upload");
    assert_eq!(browser.send(upload(&maker.file("ca.pem")), &format!("{page}/upload")).await.status.as_u16(), 303);
    let refused = browser.send(upload(&maker.file("ca.pem")), &path).await;
    assert!(refused.status.as_u16() == 422 && refused.body.contains("f-list-error"), "{}", refused.body);
    assert!(refused.body.contains("This is a certificate"), "{}", refused.body);
    let ahead = browser.send(upload(&maker.list(25, FAR)), &path).await;
    assert!(ahead.status.as_u16() == 422 && ahead.body.contains("2026-11-25 00:00 UTC"), "{}", ahead.body);
    let large = browser.send(upload(&vec![b' '; 1024 * 1024 + 1]), &path).await;
    assert!(large.status.as_u16() == 422 && large.body.contains("ile with revocation lists has at most 1 MiB"), "{}", large.body);
    let huge = browser.send(upload(&vec![b' '; 17 * 1024 * 1024]), &path).await;
    assert!(huge.status.as_u16() == 413 && huge.body.contains("A file with revocation lists"), "{}", huge.body);
    assert!(!huge.body.contains("onfiguration file or pasted"), "{}", huge.body);
    let huge = browser.send(upload(&vec![b' '; 17 * 1024 * 1024]), &format!("{page}/upload")).await;
    assert!(huge.status.as_u16() == 413 && huge.body.contains("CA certificates has at most 512 KiB"), "{}", huge.body);
    assert_eq!(browser.send(upload(&maker.list(1, PAST)), &path).await.status.as_u16(), 303);
    let filled = browser.get(page).await.body;
    assert!(filled.contains("1 revocation list is here now") && filled.contains("1 certificate<"), "{filled}");
    assert!(filled.contains("Overdue") && !filled.contains("Maker <b>"), "{filled}");
    let revision = filled.split_once("name=\"revision\" value=\"").expect("a form").1.split('"').next().expect("a number");
    browser.post(page, &[("revision", revision), ("certificates", "prefer")]).await;
    let dashboard = browser.get("/admin/").await.body;
    assert!(dashboard.contains("phone-certificates#lists"), "{dashboard}");
    let href = filled.split_once("/lists/delete?list=").expect("a link").1.split('"').next().expect("its end");
    let question = browser.get(&format!("{page}/lists/delete?list={href}")).await.body;
    assert!(question.contains("names 1 certificate") && question.contains("count again"), "{question}");
    let gone = browser.post(&format!("{page}/lists/delete"), &[("list", href)]).await.body;
    assert!(gone.contains("is deleted") && !gone.contains("Overdue"), "{gone}");
}

#[test]
fn a_list_that_was_taken_while_the_clock_was_ahead_keeps_no_right_one_out() {
    if !Authority::can_be_made() {
        return;
    }
    let maker = Authority::new("Maker");
    let (server, api) = asking(&maker);
    let right = server.clock.now();
    server.clock.jump_to(right + SignedDuration::from_hours(7 * 24));
    let api_then = Api::owner(&server);
    assert_eq!(api_then.send("POST", LISTS, &maker.list(28, FAR)).status, 201);
    server.clock.jump_to(right);
    assert_eq!(api.send("POST", LISTS, &maker.list(20, FAR)).status, 201);
    let lists = api.ok("GET", LISTS, None);
    assert_eq!((&lists["total"], &lists["items"][0]["made_at"]), (&1.into(), &"2026-11-20T00:00:00Z".into()), "in its place");
}
