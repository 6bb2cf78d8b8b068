//! A certificate that does not count: its cause and what to do are told wherever somebody looks.

use pdms::domain::account::CertificatePolicy;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::trust::Certificate;
use rcgen::{SigningKey, date_time_ymd};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::{Identity, MAC, Manufacturer, OTHER, asking, master, set, trust};
use crate::support::api::Api;
use crate::support::phone::Phone;

#[test]
fn what_keeps_a_phone_out_is_told_wherever_somebody_looks_and_nobody_overwrites_what_was_verified() {
    let (maker, foreign) = (Manufacturer::new("Maker"), Manufacturer::new("Foreign"));
    let server = asking(&maker, CertificatePolicy::Prefer);
    let api = Api::owner(&server);
    assert_eq!(Phone::bare(&server).with_certificate(maker.phone(MAC).own()).get(&master(MAC)).status, 200);
    set(&server, CertificatePolicy::Require, false);
    let expired = maker.phone_with(MAC, |p| p.not_after = date_time_ymd(2020, 1, 1));
    let early = |key: &str| maker.phone_with(key, |p| p.not_before = date_time_ymd(2040, 1, 1));
    let cases = [
        (MAC, expired, "it has expired", "Take certificates that have expired"),
        (OTHER, foreign.phone(OTHER), "no authority that was uploaded here signed it", "load the certificate authority"),
        ("0004f2aa0003", early("0004f2aa0003"), "it is not valid yet", "clock"),
        ("0004f2aa0004", maker.phone("a phone"), "its common name is no MAC address", "its factory certificate"),
    ];
    let listed = |key: &str| api.ok("GET", &format!("/pending?q={key}"), None)["items"][0].clone();
    for (key, identity, fault, next) in &cases {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        for (phone, status, reason, step) in [
            (Phone::bare(&server), 401, "credentials-missing", "credentials"),
            (Phone::new(&server), 503, "certificate-needed", "let-in"),
        ] {
            server.advance(1);
            assert_eq!(phone.with_certificate(identity.own()).get(&master(key)).status, status, "{fault}");
            let one = listed(key);
            assert_eq!((text(&one["reason"]), text(&one["certificate"])), (reason.to_owned(), (*fault).to_owned()), "{one}");
            assert!(text(&one["why"]).contains(fault) && text(&one["next"]).contains(next), "{one}");
            let coming = api.ok("GET", &format!("/coming-up?phone={key}"), None);
            let stuck =
                coming["steps"].as_array().expect("steps").iter().find(|one| one["step"] == *step).expect("a step").to_string();
            assert!(stuck.contains("\"stuck\"") && stuck.contains(fault) && stuck.contains(next), "{stuck}");
        }
    }
    assert_eq!(trust(&server, MAC).certificate, Certificate::FactoryInstalled, "the shared credentials do not say who it is");
    let state = api.ok("GET", &format!("/devices/{MAC}/certificate"), None);
    assert_eq!(
        (&state["shown"], &state["refused"]["reason"]),
        (&"factory-installed".into(), &"it has expired".into()),
        "{state}"
    );
    for page in [format!("/admin/devices/{MAC}/detail"), format!("/admin/devices/{MAC}"), "/admin/pending".to_owned()] {
        let text = api.page(&page).text();
        assert!(text.contains("it has expired"), "{page}: {text}");
    }
    // With its own credentials it is the device itself.
    let key = MAC.parse().expect("a key");
    let secrets = pdms::services::credentials::of(&server.services, DEFAULT_ACCOUNT, &key);
    let own = Phone::bare(&server).with_credentials(&secrets.user, secrets.password.expose());
    assert_eq!(own.with_certificate(cases[0].1.own()).get(&master(MAC)).status, 503);
    assert_eq!(trust(&server, MAC).certificate, Certificate::Invalid("it has expired".into()));
}

/// The first element of some DER: its tag, all of its bytes, and what comes after it.
fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (header, length) = match usize::from(der[1]) {
        short if short < 0x80 => (2, short),
        long => (2 + (long & 0x7f), der[2..2 + (long & 0x7f)].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))),
    };
    (der[0], &der[..header + length], &der[header + length..])
}

/// The elements in a sequence of at least 128 bytes.
fn elements(sequence: &[u8]) -> Vec<(u8, &[u8])> {
    let (mut rest, mut all) = (&sequence[2 + usize::from(sequence[1] & 0x7f)..], Vec::new());
    while !rest.is_empty() {
        let (tag, one, after) = element(rest);
        all.push((tag, one));
        rest = after;
    }
    all
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("a short certificate").to_be_bytes();
    [&[0x30, 0x82], &length[..], &content].concat()
}

/// The same certificate in version 1 of X.509, which tells no version and has no extensions; its authority signed that.
fn of_version_1(identity: &Identity, maker: &Manufacturer) -> CertifiedKey {
    const VERSION: u8 = 0xa0;
    const EXTENSIONS: u8 = 0xa3;
    let parts = elements(identity.certificate.der());
    let content: Vec<&[u8]> =
        elements(parts[0].1).into_iter().filter(|(tag, _)| ![VERSION, EXTENSIONS].contains(tag)).map(|(_, one)| one).collect();
    let content = sequence(&content);
    let signature = maker.issuer.key().sign(&content).expect("signed");
    let length = u8::try_from(signature.len() + 1).expect("a short signature");
    let der = sequence(&[&content, parts[1].1, &[&[0x03, length, 0], &signature[..]].concat()]);
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).expect("a key");
    CertifiedKey::new(vec![CertificateDer::from(der)], any_supported_type(&key).expect("a usable key"))
}

#[test]
fn a_certificate_of_version_1_is_told_as_that_and_not_as_a_copy() {
    let maker = Manufacturer::new("Maker");
    let server = asking(&maker, CertificatePolicy::Require);
    let api = Api::owner(&server);
    let shown = of_version_1(&maker.phone(MAC), &maker);
    assert_eq!(Phone::new(&server).with_certificate(shown.clone()).get(&master(MAC)).status, 503);
    let one = api.ok("GET", &format!("/pending?q={MAC}"), None)["items"][0].clone();
    let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
    assert!(text("certificate").contains("X.509 version 1"), "{one}");
    assert!(text("next").contains("of version 3") && text("next").contains("no longer require certificates"), "{one}");
    assert!(!one.to_string().contains("holds the key") && !one.to_string().contains("copy"), "{one}");
    let coming = api.ok("GET", &format!("/coming-up?phone={MAC}"), None).to_string();
    assert!(coming.contains("X.509 version 1"), "{coming}");
    set(&server, CertificatePolicy::Prefer, true);
    assert_eq!(Phone::new(&server).with_certificate(shown).get(&master(MAC)).status, 200, "its credentials decide");
}
