//! Factory certificates of phones on the real server, with an authority made here and with `openssl` and `curl` as phones (PHN-06,
//! PHN-07, R373, R374).

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use actix_web::test::TestRequest;
use pdms::catalog::models::models;
use pdms::domain::account::CertificatePolicy;
use pdms::domain::device::draft::{DeviceDraft, DeviceInput};
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::run::Reason;
use pdms::domain::trust::{Certificate, Trust};
use pdms::services::accounts::AccountDraft;
use pdms::services::activity::{self, ActivityQuery};
use pdms::services::commit::Mode;
use pdms::services::devices::Afterwards;
use pdms::services::error::ServiceError;
use pdms::services::{devices, manufacturers};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use crate::support::api::{Api, json, problem};
use crate::support::browser::{Browser, Site};
use crate::support::phone::Phone;
use crate::support::server::{PASSWORD, Server, USER, admin};

mod refused;

const MAC: &str = "0004f2aa0001";
const OTHER: &str = "0004f2aa0002";

/// A manufacturer: a root, an authority below it, and phones.
struct Manufacturer {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    name: String,
}

/// A phone's certificate with its key.
struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2009, 3, 9), date_time_ymd(2044, 3, 9));
    params
}

impl Manufacturer {
    fn new(name: &str) -> Self {
        let authority = |name: &str| {
            let mut params = named(name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            params
        };
        let (root, issuing) = (authority(&format!("{name} Root")), authority(&format!("{name} Issuing")));
        let (root_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
        let root_pem = root.self_signed(&root_key).expect("signed").pem();
        let issuing_pem = issuing.signed_by(&key, &Issuer::new(root, root_key)).expect("signed").pem();
        Self { pem: root_pem + &issuing_pem, issuer: Issuer::new(issuing, key), name: format!("{name} Issuing") }
    }

    fn phone(&self, common_name: &str) -> Identity {
        self.phone_with(common_name, |_| {})
    }

    fn phone_with(&self, common_name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = named(common_name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        Identity { certificate, key }
    }
}

impl Identity {
    /// Its certificate, with its own key or with another one.
    fn shown(&self, key: &KeyPair) -> CertifiedKey {
        let der = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        CertifiedKey::new(vec![self.certificate.der().clone()], any_supported_type(&der).expect("a usable key"))
    }

    fn own(&self) -> CertifiedKey {
        self.shown(&self.key)
    }

    /// Both in one file, for programs.
    fn file(&self, server: &Server, name: &str) -> String {
        let path: PathBuf = server.dir.path().join(name);
        std::fs::write(&path, self.certificate.pem() + &self.key.serialize_pem()).expect("written");
        path.to_str().expect("a plain path").to_owned()
    }
}

/// A server that asks for the certificates of a manufacturer.
fn asking(manufacturer: &Manufacturer, policy: CertificatePolicy) -> Server {
    let server = Server::start();
    upload(&server, manufacturer);
    set(&server, policy, false);
    server
}

fn upload(server: &Server, manufacturer: &Manufacturer) {
    let file = manufacturer.pem.as_bytes();
    let added = manufacturers::add(&server.services, &admin(), DEFAULT_ACCOUNT, file, Mode::Keep).expect("taken");
    assert_eq!(added.len(), 2);
}

fn set(server: &Server, policy: CertificatePolicy, accept_expired: bool) {
    server.set_account(&AccountDraft {
        certificates: Some(policy),
        accept_expired: Some(accept_expired),
        ..AccountDraft::default()
    });
}

fn trust(server: &Server, key: &str) -> Trust {
    Trust::clone(&server.services.trusts(DEFAULT_ACCOUNT).of(&key.parse().expect("a key")))
}

fn master(key: &str) -> String {
    format!("/{key}.cfg")
}

/// Runs a program and answers what it printed; none, with a printed line, where it is not installed.
fn run(program: &str, arguments: &[&str], input: &str) -> Option<String> {
    let spawned =
        Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        println!("skipped: {program} is not installed");
        return None;
    };
    // A program that ends early has heard enough.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    Some(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// The status that curl gets.
fn curl(server: &Server, path: &str, arguments: &[&str]) -> Option<u16> {
    let url = format!("{}{}", server.base(), path.trim_start_matches('/'));
    let usual = ["-s", "-k", "--http1.1", "-o", "/dev/null", "-w", "%{http_code}"];
    let text = run("curl", &[&usual, arguments, &[url.as_str()]].concat(), "")?;
    Some(text.trim().parse().unwrap_or_else(|_| panic!("curl: {text}")))
}

/// What openssl prints of a handshake and of the answer to a request for a file.
fn openssl(server: &Server, path: &str, arguments: &[&str]) -> Option<String> {
    let address = server.address.to_string();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    run("openssl", &[&["s_client", "-connect", &address, "-ign_eof"], arguments].concat(), &request)
}

fn status(text: &str) -> u16 {
    let line = text.lines().find_map(|line| line.strip_prefix("HTTP/1.1 ")).unwrap_or_else(|| panic!("no answer: {text}"));
    line[..3].parse().expect("a status")
}

#[test]
fn phn_06_a_factory_certificate_opens_its_own_files_without_a_password_and_no_others() {
    let maker = Manufacturer::new("Maker");
    let server = asking(&maker, CertificatePolicy::Prefer);
    // Capitals, as some phones have them.
    let identity = maker.phone(&MAC.to_uppercase());
    let phone = Phone::bare(&server).with_certificate(identity.own());
    assert_eq!(phone.get(&master(MAC)).status, 200);
    assert_eq!(phone.get(&format!("/{MAC}-profile.cfg")).status, 200);
    assert_eq!(phone.put(&format!("/{MAC}-app.log"), b"a line").status, 201);
    let refused = phone.get(&master(OTHER));
    let stranger = Phone::bare(&server).get(&master(OTHER));
    assert_eq!((refused.status, &refused.body), (401, &stranger.body), "the uniform 401");
    assert_eq!(phone.put(&format!("/{OTHER}-app.log"), b"a line").status, 401);
    let knock = trust(&server, OTHER).knock.expect("recorded");
    assert_eq!(knock.reason, Reason::OfAnotherDevice);
    assert_eq!(trust(&server, OTHER).certificate, Certificate::Unknown, "nothing is learned of the other one");
    assert_eq!(trust(&server, MAC).certificate, Certificate::FactoryInstalled);
    // One that is no device here asks for one that is.
    let unknown = Phone::bare(&server).with_certificate(maker.phone("0004f2aa0009").own());
    assert_eq!(unknown.get(&master(MAC)).status, 401);
    server.flush();
    let query = ActivityQuery { q: "factory certificate of".to_owned(), limit: 10, ..ActivityQuery::default() };
    let told = activity::list(&server.services, DEFAULT_ACCOUNT, &query).expect("listed").items;
    let pairs: Vec<_> = told
        .iter()
        .filter(|one| one.event.object == "device")
        .map(|one| (one.event.subject.as_str(), one.event.changes[0].new.as_deref()))
        .collect();
    assert_eq!(pairs, [("0004f2aa0009", Some(MAC)), (MAC, Some(OTHER))], "certificate and MAC do not match, once an hour");

    let file = identity.file(&server, "phone.pem");
    for version in ["--tls-max 1.2", "--tlsv1.3"] {
        let version: Vec<&str> = version.split(' ').collect();
        let with = |path: &str| curl(&server, path, &[&version[..], &["--cert", &file]].concat());
        if let Some(status) = with(&master(MAC)) {
            assert_eq!((status, with(&master(OTHER))), (200, Some(401)), "{version:?}");
            assert_eq!(curl(&server, &master(MAC), &version), Some(401), "without the certificate");
        }
    }
    for version in ["-tls1_2", "-tls1_3"] {
        if let Some(text) = openssl(&server, &master(MAC), &[version, "-cert", &file, "-key", &file]) {
            assert_eq!(status(&text), 200, "{version}");
        }
    }
}

#[test]
fn who_waits_for_leave_to_send_a_log_gets_it_by_a_verified_certificate_alone() {
    let (maker, foreign) = (Manufacturer::new("Maker"), Manufacturer::new("Foreign"));
    let server = asking(&maker, CertificatePolicy::Prefer);
    let path = format!("/{MAC}-app.log");
    let phone = Phone::bare(&server).with_certificate(maker.phone(MAC).own());
    assert_eq!(phone.ask_leave(&path).status, 100);
    assert_eq!(phone.with("Expect", "100-continue").put(&path, b"waited").status, 201);
    let unverified = Phone::bare(&server).with_certificate(foreign.phone(MAC).own());
    assert_eq!(unverified.ask_leave(&path).status, 401);
    assert_eq!(Phone::bare(&server).ask_leave(&path).status, 401);
}

#[test]
fn phn_07_what_is_not_verified_counts_as_none_and_is_recorded_with_its_reason() {
    let (maker, foreign) = (Manufacturer::new("Maker"), Manufacturer::new("Foreign"));
    let server = asking(&maker, CertificatePolicy::Prefer);
    let server_only = |p: &mut CertificateParams| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let cases = [
        ("0004f2aa0011", foreign.phone("0004f2aa0011"), "no authority that was uploaded here signed it"),
        ("0004f2aa0012", maker.phone_with("0004f2aa0012", |p| p.not_after = date_time_ymd(2020, 1, 1)), "it has expired"),
        ("0004f2aa0013", maker.phone_with("0004f2aa0013", server_only), "it is not meant for clients"),
        ("0004f2aa0014", maker.phone("a phone"), "its common name is no MAC address"),
    ];
    for (mac, identity, reason) in &cases {
        let bare = Phone::bare(&server).with_certificate(identity.own());
        assert_eq!(bare.get(&master(mac)).status, 401, "{reason}");
        assert!(server.device(mac).is_none(), "{reason}");
        let with_password = Phone::new(&server).with_certificate(identity.own());
        assert_eq!(with_password.get(&master(mac)).status, 200, "its credentials decide: {reason}");
        assert_eq!(trust(&server, mac).certificate, Certificate::Invalid((*reason).into()));
        let file = identity.file(&server, mac);
        if let Some(status) = curl(&server, &master(mac), &["--cert", &file]) {
            let credentials = format!("{USER}:{PASSWORD}");
            let with_password = curl(&server, &master(mac), &["--cert", &file, "-u", &credentials]);
            assert_eq!((status, with_password), (401, Some(200)), "curl: {reason}");
        }
    }
    assert_eq!(Phone::new(&server).get(&master(MAC)).status, 200, "others are served on");
    let good = maker.phone("0004f2aa0015");
    let stolen = Phone::bare(&server).with_certificate(good.own());
    assert_eq!(stolen.get(&master("0004f2aa0015")).status, 200);
    server.flush();
    server.delete("0004f2aa0015", Afterwards::Block);
    let revoked = stolen.get(&master("0004f2aa0015"));
    assert_eq!((revoked.status, revoked.text().contains('<')), (503, false), "blocking a device revokes its certificate here");
    set(&server, CertificatePolicy::Prefer, true);
    let expired = Phone::bare(&server).with_certificate(cases[1].1.own());
    assert_eq!(expired.get(&master(cases[1].0)).status, 200, "where the account takes expired ones");
    assert_eq!(trust(&server, cases[1].0).certificate, Certificate::FactoryInstalled);
}

#[test]
fn a_certificate_without_its_key_is_worth_nothing_and_the_handshake_goes_on() {
    let maker = Manufacturer::new("Maker");
    let server = asking(&maker, CertificatePolicy::Prefer);
    let (identity, thief) = (maker.phone(MAC), maker.phone(OTHER));
    let stolen = identity.shown(&thief.key);
    assert_eq!(Phone::bare(&server).with_certificate(stolen).get(&master(MAC)).status, 401);
    let with_password = Phone::new(&server).with_certificate(identity.shown(&thief.key));
    assert_eq!(with_password.get(&master(MAC)).status, 200, "its credentials decide");
    let told = Certificate::Invalid("the phone did not prove that it holds the key".into());
    assert_eq!(trust(&server, MAC).certificate, told);
}

#[test]
fn nobody_is_asked_without_a_ca_or_by_the_policy_off_and_browsers_never() {
    let maker = Manufacturer::new("Maker");
    let server = Server::start();
    set(&server, CertificatePolicy::Prefer, true);
    let asked = |arguments: &[&str]| {
        let text = openssl(&server, "/", arguments)?;
        assert!(text.contains("HTTP/1.1 303"), "{text}");
        Some(text.contains("Acceptable client certificate CA names") && text.contains(&maker.name))
    };
    let is = |arguments: &[&str], expected: bool, why: &str| {
        for version in ["-tls1_2", "-tls1_3"] {
            let found = asked(&[arguments, &[version]].concat());
            assert!(found.is_none() || found == Some(expected), "{why}, {version}");
        }
    };
    is(&[], false, "no CA");
    upload(&server, &maker);
    is(&[], true, "a phone without ALPN");
    is(&["-alpn", "http/1.1"], true, "a phone with ALPN");
    is(&["-alpn", "h2,http/1.1"], false, "a browser");
    set(&server, CertificatePolicy::Off, true);
    is(&[], false, "off");
    assert_eq!(Phone::new(&server).with_certificate(maker.phone(MAC).own()).get(&master(MAC)).status, 200);
    assert_eq!(trust(&server, MAC).certificate, Certificate::Unknown, "nothing is learned by not asking");
}

/// A resumed session skips the question. Who resumes must neither keep an identity that it no longer shows, nor miss its own.
#[test]
fn resumption_neither_leaks_an_identity_nor_loses_one() {
    let maker = Manufacturer::new("Maker");
    let server = Server::start();
    let identity = maker.phone(MAC).file(&server, "phone.pem");
    let session = server.dir.path().join("session").to_str().expect("a plain path").to_owned();
    let ask = |arguments: &[&str]| openssl(&server, &master(MAC), &[&["-tls1_2"], arguments].concat());
    let Some(before) = ask(&["-sess_out", &session]) else { return };
    assert_eq!(status(&before), 401);
    assert!(
        ask(&["-sess_in", &session]).is_some_and(|text| text.contains("Reused, ")),
        "tickets are given while nobody is asked"
    );
    upload(&server, &maker);
    set(&server, CertificatePolicy::Prefer, true);
    let shown = ["-cert", identity.as_str(), "-key", identity.as_str()];
    let resumed = ask(&[&["-sess_in", session.as_str(), "-sess_out", session.as_str()], &shown[..]].concat()).expect("openssl");
    assert_eq!(status(&resumed), 200, "a ticket of the time before hides no certificate");
    let without = ask(&["-sess_in", &session]).expect("openssl");
    assert_eq!(status(&without), 401, "and no ticket stands for one");
}

#[test]
fn of_credentials_and_certificate_either_names_the_device_and_two_names_are_refused() {
    let maker = Manufacturer::new("Maker");
    let server = asking(&maker, CertificatePolicy::Prefer);
    let phone = Phone::new(&server);
    assert_eq!(phone.get(&master(MAC)).status, 200);
    let key = MAC.parse().expect("a key");
    let secrets = pdms::services::credentials::of(&server.services, DEFAULT_ACCOUNT, &key);
    let own = Phone::bare(&server).tagged(None).with_credentials(&secrets.user, secrets.password.expose());
    let both = own.clone().with_certificate(maker.phone(MAC).own());
    assert_eq!(both.get(&master(MAC)).status, 200);
    let torn = own.with_certificate(maker.phone(OTHER).own());
    for path in [master(MAC), master(OTHER), "/000000000000.cfg".to_owned()] {
        assert_eq!(torn.get(&path).status, 401, "{path}");
    }
    assert_eq!(trust(&server, MAC).knock.expect("recorded").reason, Reason::OfAnotherDevice);
    // A certificate beside the shared credentials: it says more.
    let with_shared = phone.with_certificate(maker.phone(OTHER).own());
    assert_eq!((with_shared.get(&master(OTHER)).status, with_shared.get(&master(MAC)).status), (200, 401));
}

#[test]
fn where_certificates_are_required_nothing_else_opens() {
    let maker = Manufacturer::new("Maker");
    let server = Server::start();
    let require = AccountDraft { certificates: Some(CertificatePolicy::Require), ..AccountDraft::default() };
    let set =
        |server: &Server| pdms::services::accounts::update(&server.services, &admin(), DEFAULT_ACCOUNT, None, &require).map(drop);
    let told = set(&server).expect_err("without a CA no phone could come in").to_string();
    assert!(told.contains("upload the CA certificates"), "{told}");
    upload(&server, &maker);
    set(&server).expect("with one it can");
    assert_eq!(Phone::new(&server).get(&master(MAC)).status, 503);
    assert_eq!(Phone::bare(&server).with_certificate(maker.phone(MAC).own()).get(&master(MAC)).status, 200);
    let uploaded = manufacturers::list(&server.services, DEFAULT_ACCOUNT).expect("there");
    let remove = |index: usize| {
        let ca = &uploaded[index].fingerprint;
        manufacturers::remove(&server.services, &admin(), DEFAULT_ACCOUNT, ca, Mode::Keep)
    };
    assert_eq!(remove(0).expect("one of two").standing.verified, 1);
    assert!(matches!(remove(1), Err(ServiceError::Conflict(_))), "the last one stays while nothing else opens");
    assert_eq!(Phone::bare(&server).with_certificate(maker.phone(OTHER).own()).get(&master(OTHER)).status, 200, "the leaf alone");
}

#[test]
fn authorities_and_policy_survive_a_restart() {
    let maker = Manufacturer::new("Maker");
    let server = asking(&maker, CertificatePolicy::Prefer).restarted();
    assert_eq!(Phone::bare(&server).with_certificate(maker.phone(MAC).own()).get(&master(MAC)).status, 200);
}

#[test]
fn programs_upload_list_and_delete_authorities_and_set_the_policy() {
    let maker = Manufacturer::new("Maker");
    let server = Server::start();
    let api = Api::owner(&server);
    let file = maker.pem.as_bytes();
    let tried = api.send("POST", "/manufacturers?dry_run=true", file);
    assert_eq!((tried.status, &json(&tried)["total"]), (200, &2.into()), "{}", tried.text());
    assert_eq!(api.ok("GET", "/manufacturers", None)["total"], 0, "a dry run keeps nothing");
    assert_eq!(api.send("POST", "/manufacturers", file).status, 201);
    let (status, fields) = problem(&api.send("POST", "/manufacturers", file));
    assert_eq!((status, fields[0].0.as_str()), (422, "file"), "{fields:?}");
    let listed = api.ok("GET", "/manufacturers?q=issuing", None);
    assert_eq!(listed["total"], 1);
    let ca = listed["items"][0]["fingerprint"].as_str().expect("a fingerprint").to_owned();

    let settings = api.ok("GET", "/settings", None);
    assert_eq!((&settings["certificates"], &settings["accept_expired"]), (&"off".into(), &true.into()));
    let change = serde_json::json!({ "revision": settings["revision"], "certificates": "prefer", "accept_expired": false });
    assert_eq!(api.ok("PATCH", "/settings", Some(change))["certificates"], "prefer");
    assert_eq!(Phone::bare(&server).with_certificate(maker.phone(MAC).own()).get(&master(MAC)).status, 200);
    let state = api.ok("GET", &format!("/devices/{MAC}/certificate"), None);
    assert_eq!((&state["shown"], &state["read"]), (&"factory-installed".into(), &"unknown".into()));

    let gone = api.ok("DELETE", &format!("/manufacturers/{ca}?dry_run=true"), None);
    assert_eq!((&gone["standing"]["verified"], &gone["is_last"]), (&1.into(), &false.into()));
    api.ok("DELETE", &format!("/manufacturers/{ca}"), None);
    assert_eq!(api.refused("DELETE", &format!("/manufacturers/{ca}"), None).0, 404);
    assert_eq!(Phone::bare(&server).with_certificate(maker.phone(MAC).own()).get(&master(MAC)).status, 401, "from then on none");
}

#[test]
fn r374_what_a_person_read_off_a_phone_is_noted_and_opens_nothing() {
    let server = Server::start();
    assert_eq!(Phone::new(&server).get(&master(MAC)).status, 200);
    let api = Api::owner(&server);
    let path = format!("/devices/{MAC}/certificate");
    let note = |state: &str| api.ok("PUT", &path, Some(serde_json::json!({ "state": state })));
    assert_eq!(note("not-installed")["read"], "not-installed");
    assert_eq!(note("invalid")["read"], "invalid");
    assert_eq!(api.ok("GET", &path, None)["read"], "invalid");
    assert_eq!(api.refused("PUT", "/devices/0004f2aaffff/certificate", Some(serde_json::json!({ "state": "invalid" }))).0, 404);
    assert_eq!(Phone::bare(&server).get(&master(MAC)).status, 401);
    let log = api.ok("GET", "/activity", None).to_string();
    assert!(log.contains("certificate as read off it"), "{log}");
}

#[actix_web::test]
async fn the_page_takes_a_file_tells_the_policy_and_says_what_deleting_changes() {
    let maker = Manufacturer::new("Maker & <Sons>");
    let site = Site::open().await;
    let mut browser = Browser::signed_in(&site).await;
    let page = "/admin/provisioning/phone-certificates";
    let empty = browser.get(page).await;
    assert!(empty.body.contains("Polycom Root CA"), "{}", empty.body);
    let revision = empty.body.split_once("name=\"revision\" value=\"").expect("a form").1.split('"').next().expect("a number");
    let rejected = browser.post(page, &[("revision", revision), ("certificates", "require")]).await;
    assert_eq!(rejected.status.as_u16(), 422);
    assert!(rejected.body.contains("Upload the CA certificates"), "{}", rejected.body);

    browser.get(page).await;
    let token = browser.token().await;
    let upload = |content: &str| {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--b\r\nContent-Disposition: form-data; \
             name=\"file\"; filename=\"ca.pem\"\r\n\r\n{content}\r\n--b--\r\n"
        );
        TestRequest::post().insert_header(("content-type", "multipart/form-data; boundary=b")).set_payload(body)
    };
    let path = format!("{page}/upload");
    let refused = browser.send(upload("nothing"), &path).await;
    assert!(refused.status.as_u16() == 422 && refused.body.contains("PEM or DER"), "{}", refused.body);
    assert_eq!(browser.send(upload(&maker.pem), &path).await.status.as_u16(), 303);
    let filled = browser.get(page).await.body;
    assert!(filled.contains("2 CA certificates are here now") && filled.contains("the policy is <em>Off</em>"), "{filled}");
    assert!(!filled.contains("<Sons>"), "whatever a certificate says is text");

    let href = filled.split_once("/delete?ca=").expect("a link").1.split('"').next().expect("its end");
    let question = browser.get(&format!("{page}/delete?ca={href}")).await.body;
    assert!(question.contains("count as none") && question.contains("No device has shown"), "{question}");
    let gone = browser.post(&format!("{page}/delete"), &[("ca", href)]).await;
    assert!(gone.body.contains("is deleted"), "{}", gone.body);

    let key = "0004f2aa0001";
    let draft = DeviceDraft::parse(&DeviceInput { key: key.to_owned(), ..DeviceInput::default() }, models()).expect("a draft");
    devices::create(&site.services, &admin(), DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("added");
    let detail = browser.get(&format!("/admin/devices/{key}/detail")).await.body;
    assert!(detail.contains("Menu, Status, Platform, Phone") && detail.contains("unknown"), "{detail}");
    let noted = browser.post(&format!("/admin/devices/{key}/certificate"), &[("state", "not-installed")]).await.body;
    assert!(noted.contains("Not Installed") && noted.contains("Entered by hand"), "{noted}");
}
