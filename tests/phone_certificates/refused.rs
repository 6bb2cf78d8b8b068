//! A certificate that does not count: its cause and what to do are told wherever somebody looks.

use pdms::domain::account::CertificatePolicy;
use pdms::domain::ids::DEFAULT_ACCOUNT;
use pdms::domain::trust::Certificate;
use rcgen::date_time_ymd;

use super::{MAC, Manufacturer, OTHER, asking, master, set, trust};
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
