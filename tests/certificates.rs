//! What is lost, damaged or exchanged of the certificates is told, and never made anew over what phones trust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use pdms::domain::server::GivenCertificates;
use pdms::services::certificates::{CertificateError, Certificates, Folder, OwnFiles, ServerNames};

fn names() -> ServerNames {
    ServerNames::new(&["pdms.example.lan".to_owned()], "box", [[127, 0, 0, 1].into()])
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

fn open(folder: &Path, given: &GivenCertificates) -> Result<Certificates, CertificateError> {
    Certificates::open(folder, None, given.clone(), &names(), now())
}

/// A folder with a private CA that phones were given.
fn used() -> (tempfile::TempDir, PathBuf, GivenCertificates) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let folder = dir.path().join("certs");
    let given = open(&folder, &GivenCertificates::default()).expect("made").given();
    assert!(given.ca.is_some());
    (dir, folder, given)
}

/// What is refused, in words; a check says the same, and neither changes anything.
fn refused(folder: &Path, given: &GivenCertificates) -> String {
    let before = content(folder);
    let told = open(folder, given).expect_err("phones trust something else").to_string();
    let checked = Certificates::check(Folder::at(folder), None, given, now()).expect_err("and the check says so");
    assert_eq!(checked.to_string(), told);
    assert_eq!(content(folder), before, "nothing was changed");
    told
}

fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.flatten().map(|entry| (entry.path(), fs::read(entry.path()).expect("readable"))).collect();
    files.sort();
    files
}

#[test]
fn half_a_private_ca_is_never_replaced_by_a_new_one() {
    let (_dir, folder, _) = used();
    fs::remove_file(folder.join("ca.key")).expect("removed");
    let told = refused(&folder, &GivenCertificates::default());
    assert!(told.contains("ca.key is missing"), "{told}");
}

/// What was lost was the certificate: the server made a new authority and wrote it over the key that every phone trusted.
#[test]
fn a_private_ca_that_has_signed_is_never_made_anew() {
    let (_dir, folder, _) = used();
    fs::remove_file(folder.join("ca.pem")).expect("removed");
    let told = refused(&folder, &GivenCertificates::default());
    assert!(told.contains("ca.pem is missing"), "{told}");
    fs::remove_file(folder.join("ca.key")).expect("removed");
    refused(&folder, &GivenCertificates::default());
}

/// A whole folder that was lost looked like that of a new server: every phone that trusted the old CA was stranded.
#[test]
fn a_lost_emptied_or_exchanged_folder_is_refused_by_the_fingerprint_that_phones_were_given() {
    let (_dir, folder, given) = used();
    let ca = given.ca.clone().expect("a fingerprint");
    fs::remove_dir_all(&folder).expect("removed");
    Certificates::check(Folder::at(&folder), None, &given, now()).expect_err("a check says so too");
    assert!(!folder.exists(), "and makes nothing");
    let told = refused(&folder, &given);
    for part in ["ca.pem is missing", ca.as_str(), "from a copy", "pdms new-ca"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (_other_dir, other, _) = used();
    for (path, bytes) in content(&other) {
        fs::write(folder.join(path.file_name().expect("a file")), bytes).expect("written");
    }
    let told = refused(&folder, &given);
    assert!(told.contains("another CA") && told.contains(&ca), "{told}");
}

#[test]
fn a_running_server_makes_no_other_ca_either() {
    let (_dir, folder, given) = used();
    let running = open(&folder, &given).expect("all is there");
    let before = running.active();
    fs::remove_dir_all(&folder).expect("removed");
    fs::create_dir(&folder).expect("emptied");
    running.refresh(&running.given(), &names(), now()).expect_err("refused");
    assert_eq!(running.active().default.cert, before.default.cert, "what was read before stays in use");
    assert!(content(&folder).is_empty());
}

#[test]
fn damaged_files_of_the_ca_are_named() {
    let (_dir, folder, given) = used();
    for (file, what) in [("ca.pem", "certificate"), ("ca.key", "private key")] {
        let good = fs::read(folder.join(file)).expect("a file");
        for bad in [&b""[..], b"-----BEGIN nothing", &good[..good.len() / 2], b"\xff\xfe"] {
            fs::write(folder.join(file), bad).expect("written");
            let told = refused(&folder, &given);
            assert!(told.contains(file) && (told.contains(what) || told.contains("PEM form")), "{told}");
        }
        fs::write(folder.join(file), good).expect("written");
    }
    let (_other_dir, other, _) = used();
    fs::copy(other.join("ca.key"), folder.join("ca.key")).expect("copied");
    assert!(refused(&folder, &given).contains("do not belong together"));
}

/// Phones trust the CA, not the certificate that it signed.
#[test]
fn a_damaged_or_missing_server_certificate_is_made_anew() {
    let (_dir, folder, given) = used();
    for bad in [Some(&b""[..]), Some(b"nonsense"), None] {
        for file in ["server-rsa.pem", "server-p256.pem"] {
            match bad {
                Some(bytes) => fs::write(folder.join(file), bytes).expect("written"),
                None => fs::remove_file(folder.join(file)).expect("removed"),
            }
        }
        let opened = open(&folder, &given).expect("mended");
        assert_eq!(opened.given(), given, "by the same CA");
    }
}

#[test]
fn an_own_certificate_that_is_lost_or_halved_gives_no_way_to_a_new_ca() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let folder = dir.path().join("certs");
    fs::create_dir(&folder).expect("a folder");
    bring(&folder, "own");
    let given = open(&folder, &GivenCertificates::default()).expect("taken").given();
    assert!(given.own && given.ca.is_none());
    let key = fs::read(folder.join("own.key")).expect("a key");
    fs::remove_file(folder.join("own.key")).expect("removed");
    assert!(refused(&folder, &given).contains("own.key is missing beside"));
    fs::remove_file(folder.join("own.pem")).expect("removed");
    let told = refused(&folder, &given);
    assert!(told.contains("own.pem is missing") && told.contains("pdms new-ca"), "{told}");
    assert!(!key.is_empty() && content(&folder).is_empty());
}

#[test]
fn from_an_own_certificate_back_to_the_ca_that_phones_know_is_no_loss() {
    let (_dir, folder, given) = used();
    bring(&folder, "own");
    let own = open(&folder, &given).expect("taken").given();
    assert_eq!(own, GivenCertificates { own: true, ..given.clone() });
    for file in ["own.pem", "own.key"] {
        fs::remove_file(folder.join(file)).expect("removed");
    }
    assert_eq!(open(&folder, &own).expect("the private CA").given(), given);
    let configured = OwnFiles { certificate: folder.join("none.pem"), key: folder.join("none.key") };
    let told = Certificates::check(Folder::at(&folder), Some(&configured), &given, now()).expect_err("the settings name no file");
    assert!(told.to_string().contains("none.pem"), "{told}");
}

/// Makes a self-signed certificate with openssl, as an admin would bring one.
fn bring(folder: &Path, name: &str) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=phones.example.com", "-days", "30"])
        .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
