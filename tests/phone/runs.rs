//! What is remembered of each boot and poll, and in which words (R177, R245, R258).

use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::run::verdict::{Outcome, Stage};
use pdms::domain::run::{Reason, RunKind, Subject};
use pdms::services::accounts::AccountDraft;
use pdms::services::presence;
use pdms::services::runs::{self, ListedRun};

use crate::support::phone::Phone;
use crate::support::server::Server;

const MAC: &str = "0004f2aa0001";

fn runs_of(server: &Server) -> Vec<ListedRun> {
    runs::of_device(&server.services, DEFAULT_ACCOUNT, &MAC.parse().expect("a MAC")).expect("listed")
}

fn words(listed: &ListedRun) -> String {
    listed.verdict().words
}

fn boot(server: &Server) {
    let phone = Phone::new(server);
    let updater = phone.clone().with("User-Agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater");
    updater.put(&format!("/{MAC}-boot.log"), b"boot");
    poll(server);
}

fn poll(server: &Server) {
    let phone = Phone::new(server);
    for path in [
        format!("/{MAC}.cfg"),
        format!("/{MAC}-profile.cfg"),
        format!("/{MAC}-phone.cfg"),
        "/000000000000-license.cfg".to_owned(),
    ] {
        assert_eq!(phone.clone().without_credentials().get(&path).status, 401);
        phone.get(&path);
        server.advance(1);
    }
}

#[test]
fn a_boot_is_one_run_with_every_request_in_order_and_teaches_the_versions() {
    let server = Server::start();
    boot(&server);
    let listed = runs_of(&server);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].stage, Stage::GoesOn);
    assert!(server.device(MAC).expect("added").sighting.last_run.is_some_and(|last| last.complete), "lists say so at once");
    let run = &listed[0].run;
    assert_eq!((run.kind, run.complete, words(&listed[0]).as_str()), (RunKind::Boot, true, "Booted and took everything"));
    let asked: Vec<String> = run.exchanges.iter().map(|e| format!("{} {} {}", e.method, e.path, e.status)).collect();
    assert_eq!(asked.len(), 9, "{asked:#?}");
    assert_eq!(asked[..3], [format!("PUT /{MAC}-boot.log 201"), format!("GET /{MAC}.cfg 401"), format!("GET /{MAC}.cfg 200")]);
    assert_eq!(asked[8], "GET /000000000000-license.cfg 404");

    server.advance(120);
    server.flush();
    let known = server.device(MAC).expect("added");
    assert_eq!(known.sighting.software_version.as_deref(), Some("5.9.7.4477"));
    assert_eq!(known.sighting.updater_version.as_deref(), Some("5.9.7.47435"));
    assert_eq!(known.sighting.public_ip.map(|ip| ip.to_string()).as_deref(), Some("127.0.0.1"));
    assert!(known.sighting.last_run.is_some_and(|last| last.complete));
    assert_eq!(runs_of(&server)[0].stage, Stage::Ended);
}

#[test]
fn polls_are_runs_of_their_own_and_the_last_twenty_are_kept_over_a_restart() {
    let server = Server::start();
    for _ in 0..22 {
        poll(&server);
        server.advance(3_600);
        server.flush();
    }
    server.advance(120);
    server.flush();
    assert_eq!(runs_of(&server).len(), 20);
    let newest = runs_of(&server)[0].run.clone();
    assert_eq!(newest.kind, RunKind::Poll);
    let server = server.restarted();
    assert_eq!(runs_of(&server).len(), 20);
    assert_eq!(runs_of(&server)[0].run, newest);
    assert!(server.device(MAC).and_then(|known| known.sighting.last_run).is_some_and(|last| last.at == newest.started_at));
}

#[test]
fn a_stop_in_the_middle_of_a_run_keeps_what_was_heard() {
    let server = Server::start();
    boot(&server);
    presence::close(&server.services).expect("written");
    let server = server.restarted();
    assert_eq!((runs_of(&server).len(), server.device(MAC).is_some()), (1, true));
}

#[test]
fn whoever_has_the_wrong_password_has_a_run_and_is_no_device() {
    let server = Server::start();
    let wrong = Phone::new(&server).with_credentials("phones", "wrong");
    assert_eq!(wrong.get(&format!("/{MAC}.cfg")).status, 401);
    assert!(server.device(MAC).is_none());
    let refused = runs::refused(&server.services, DEFAULT_ACCOUNT).expect("listed");
    assert_eq!((refused.len(), &refused[0].subject), (1, &Subject::Stranger(MAC.parse().expect("a MAC"))));
    assert_eq!(words(&refused[0]), "Was refused: wrong user name or password");
    assert!(refused[0].verdict().next.is_some());
    server.advance(200);
    server.flush();
    let server = server.restarted();
    assert_eq!(runs::refused(&server.services, DEFAULT_ACCOUNT).expect("listed").len(), 1);
}

#[test]
fn a_stranger_who_names_a_device_changes_nothing_that_is_known_of_it() {
    let server = Server::start();
    poll(&server);
    server.advance(600);
    server.flush();
    let before = server.device(MAC).expect("added").sighting;
    for _ in 0..30 {
        Phone::new(&server).with_credentials("phones", "wrong").get(&format!("/{MAC}.cfg"));
        server.advance(300);
        server.flush();
    }
    assert_eq!(server.device(MAC).expect("still there").sighting, before);
    let own = runs::of(&server.services, DEFAULT_ACCOUNT, &Subject::Device(MAC.parse().expect("a MAC"))).expect("listed");
    assert_eq!(own.len(), 1, "the device's own run is not pushed out");
    assert!(own[0].run.complete);
    assert!(runs_of(&server).len() > 1, "but the device's page shows who claimed to be it");
}

#[test]
fn each_way_of_not_getting_a_configuration_has_its_own_words() {
    let server = Server::start();
    let phone = Phone::new(&server);
    phone.get(&format!("/{MAC}.cfg"));
    assert_eq!(runs_of(&server)[0].verdict().outcome, Outcome::UnderWay);
    assert!(server.device(MAC).expect("added").sighting.last_run.is_none(), "nothing is certain yet");
    server.advance(600);
    assert_eq!(words(&runs_of(&server)[0]), "Fetched the master file but not its configuration");
    server.set_account(&AccountDraft { enabled: Some(false), ..AccountDraft::default() });
    phone.get(&format!("/{MAC}.cfg"));
    assert_eq!(words(&runs_of(&server)[0]), "Held: provisioning is switched off");
    assert!(server.device(MAC).and_then(|known| known.sighting.last_run).is_some_and(|last| !last.complete));
    server.set_account(&AccountDraft { enabled: Some(true), ..AccountDraft::default() });
    phone.get("/000000000000.cfg");
    server.advance(600);
    Phone::bare(&server).get("/000000000000.cfg");
    let refused = runs::refused(&server.services, DEFAULT_ACCOUNT).expect("listed");
    assert_eq!(words(&refused[0]), "Was asked for credentials and sent none");
}

#[test]
fn an_upload_that_is_cut_is_told_in_the_run() {
    let server = Server::start();
    poll(&server);
    Phone::new(&server).put_cut(&format!("/{MAC}-app.log"), 1_000_000, &vec![b'x'; 300_000]);
    let begun = std::time::Instant::now();
    while !runs_of(&server)[0].run.exchanges.iter().any(|exchange| exchange.reason == Reason::CutOff) {
        assert!(begun.elapsed().as_secs() < 30, "{:#?}", runs_of(&server)[0].run.exchanges);
        std::thread::yield_now();
    }
    assert_eq!(
        words(&runs_of(&server)[0]),
        "Polled and took everything, but an upload was not kept: the connection ended before the upload did; the former file stays"
    );
}

#[test]
fn a_handshake_that_fails_is_told_by_address_with_its_cause() {
    let server = Server::start();
    let roots = rustls::RootCertStore::empty();
    let config = rustls::ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions that the provider has")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("localhost").expect("a name");
    let mut client = rustls::ClientConnection::new(config.into(), name).expect("a client");
    let mut tcp = std::net::TcpStream::connect(server.address).expect("the server listens");
    while client.complete_io(&mut tcp).is_ok() {}
    // The alert is on its way; the server notices it when it comes.
    let begun = std::time::Instant::now();
    let refused = loop {
        let refused = runs::refused(&server.services, DEFAULT_ACCOUNT).expect("listed");
        if !refused.is_empty() || begun.elapsed().as_secs() > 30 {
            break refused;
        }
        std::thread::yield_now();
    };
    assert_eq!(refused.len(), 1);
    assert_eq!(words(&refused[0]), "Never came past TLS: it does not know the CA of our certificate");
    assert!(matches!(refused[0].subject, Subject::Address(_)));
}
