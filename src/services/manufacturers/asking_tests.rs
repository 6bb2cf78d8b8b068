//! What certificates are worth, with chains like those in the field (protocol/provisioning.md 7, PHN-07).

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::super::reading;
use super::*;

const MAC: &str = "0004f2aa0001";

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

/// An authority of the test, with what it signed with.
struct Authority {
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2009, 3, 9), date_time_ymd(2044, 3, 9));
    params
}

fn authority(name: &str, by: Option<&Authority>) -> Authority {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().expect("a key");
    let certificate = match by {
        Some(by) => params.signed_by(&key, &by.issuer),
        None => params.self_signed(&key),
    };
    let der = certificate.expect("signed").der().clone();
    Authority { der, issuer: Issuer::new(params, key) }
}

/// Root, policy and issuing authority, and a phone's certificate at the end: four certificates deep.
struct Maker {
    root: Authority,
    policy: Authority,
    issuing: Authority,
}

impl Maker {
    fn new(name: &str) -> Self {
        let root = authority(&format!("{name} Root CA"), None);
        let policy = authority(&format!("{name} Equipment Policy CA"), Some(&root));
        let issuing = authority(&format!("{name} Equipment Issuing CA 1"), Some(&policy));
        Self { root, policy, issuing }
    }

    fn phone(&self, common_name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateDer<'static> {
        let mut params = named(common_name);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        params.signed_by(&key, &self.issuing.issuer).expect("signed").der().clone()
    }
}

fn asking(authorities: &[&Authority], accept_expired: bool) -> Asking {
    let uploaded = |one: &&Authority| {
        let read = reading::authorities(&one.der).expect("a CA");
        read.into_iter().map(|facts| facts.added(now(), "test")).collect::<Vec<_>>()
    };
    let manufacturers = authorities.iter().flat_map(uploaded).collect();
    let certificates = CertificatePolicy::Prefer;
    let settings = AdmissionSettings { certificates, accept_expired, manufacturers, ..AdmissionSettings::default() };
    Asking::of(&settings).expect("phones are asked")
}

fn verified() -> Presented {
    Presented::Verified(MAC.parse().expect("a MAC"))
}

fn not(fault: CertificateFault) -> Presented {
    Presented::Unverified(fault)
}

#[test]
fn a_chain_is_verified_however_much_of_it_the_phone_sends() {
    let maker = Maker::new("Maker");
    let Maker { root, policy, issuing } = &maker;
    let leaf = maker.phone(MAC, |_| {});
    let (policy_der, issuing_der) = (policy.der.clone(), issuing.der.clone());
    let all = asking(&[root, policy, issuing], true);
    assert_eq!(all.judge(std::slice::from_ref(&leaf), now()), verified(), "the leaf alone");
    let root_alone = asking(&[root], true);
    let whole = [leaf.clone(), issuing_der.clone(), policy_der.clone()];
    assert_eq!(root_alone.judge(&whole, now()), verified(), "four deep");
    assert_eq!(asking(&[policy], true).judge(&[leaf.clone(), issuing_der], now()), verified());
    assert_eq!(asking(&[issuing], true).judge(&whole, now()), verified(), "a chain that goes on above it");
    assert_eq!(root_alone.judge(&[leaf], now()), not(CertificateFault::UnknownAuthority), "a gap");
    assert_eq!(all.judge(&[], now()), Presented::Nothing);
    assert_eq!(all.names().len(), 3);
}

#[test]
fn phn_07_what_does_not_count_says_why() {
    use CertificateFault as F;
    let (maker, foreign) = (Maker::new("Maker"), Maker::new("Maker"));
    let asking = asking(&[&maker.root, &maker.policy, &maker.issuing], false);
    let judge = |leaf: CertificateDer<'static>| asking.judge(&[leaf], now());
    assert_eq!(judge(foreign.phone(MAC, |_| {})), not(F::UnknownAuthority), "the same names, other keys");
    assert_eq!(judge(maker.phone(MAC, |p| p.not_after = date_time_ymd(2020, 1, 1))), not(F::Expired));
    assert_eq!(judge(maker.phone(MAC, |p| p.not_before = date_time_ymd(2030, 1, 1))), not(F::NotYetValid));
    let server = |p: &mut CertificateParams| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    assert_eq!(judge(maker.phone(MAC, server)), not(F::WrongPurpose));
    let client = |p: &mut CertificateParams| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_eq!(judge(maker.phone(MAC, client)), verified());
    for no_mac in ["phone.example.com", "000000000000", "0004f2aa00", ""] {
        assert_eq!(judge(maker.phone(no_mac, |_| {})), not(F::NoMac), "{no_mac}");
    }
    let two = |p: &mut CertificateParams| p.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 3]), "0004f2aa0002");
    assert_eq!(judge(maker.phone(MAC, two)), not(F::NoMac), "of two names neither");
    assert_eq!(judge(CertificateDer::from(vec![0x30, 0x03, 1, 2, 3])), not(F::Broken));
    assert_eq!(judge(maker.issuing.der.clone()), not(F::Broken), "an authority is no phone");
}

#[test]
fn the_common_name_counts_in_any_letter_case() {
    let maker = Maker::new("Maker");
    let asking = asking(&[&maker.issuing], false);
    for name in ["0004F2AA0001", "0004f2Aa0001", "00:04:F2:AA:00:01"] {
        assert_eq!(asking.judge(&[maker.phone(name, |_| {})], now()), verified(), "{name}");
    }
}

#[test]
fn an_expired_certificate_counts_where_the_account_says_so_and_everything_else_is_checked_all_the_same() {
    let (maker, foreign) = (Maker::new("Maker"), Maker::new("Foreign"));
    let asking = asking(&[&maker.issuing], true);
    let expired = |p: &mut CertificateParams| p.not_after = date_time_ymd(2020, 1, 1);
    assert_eq!(asking.judge(&[maker.phone(MAC, expired)], now()), verified());
    assert_eq!(asking.judge(&[foreign.phone(MAC, expired)], now()), not(CertificateFault::UnknownAuthority));
    let and_server = |p: &mut CertificateParams| {
        expired(p);
        p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    };
    assert_eq!(asking.judge(&[maker.phone(MAC, and_server)], now()), not(CertificateFault::WrongPurpose));
    assert_eq!(
        asking.judge(&[maker.phone(MAC, |p| p.not_before = date_time_ymd(2030, 1, 1))], now()),
        not(CertificateFault::NotYetValid)
    );
}

#[test]
fn nobody_is_asked_without_an_authority_or_while_the_policy_is_off() {
    let settings = AdmissionSettings { certificates: CertificatePolicy::Prefer, ..AdmissionSettings::default() };
    assert!(Asking::of(&settings).is_none());
    let maker = Maker::new("Maker");
    let read = reading::authorities(&maker.root.der).expect("a CA");
    let manufacturers: Vec<_> = read.into_iter().map(|facts| facts.added(now(), "test")).collect();
    let settings = AdmissionSettings { manufacturers, ..AdmissionSettings::default() };
    assert!(Asking::of(&settings).is_none());
}

#[test]
fn files_are_taken_as_people_have_them_and_told_what_is_wrong() {
    let maker = Maker::new("Maker");
    let pem = |one: &Authority| {
        let text = STANDARD.encode(&one.der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        format!("a comment\n-----BEGIN CERTIFICATE-----\r\n{}\r\n-----END CERTIFICATE-----\r\n", lines.join("\r\n"))
    };
    let chain = pem(&maker.issuing) + &pem(&maker.policy) + &pem(&maker.root);
    assert_eq!(reading::authorities(chain.as_bytes()).expect("a chain").len(), 3);
    let two: Vec<u8> = [maker.root.der.as_ref(), maker.policy.der.as_ref()].concat();
    assert_eq!(reading::authorities(&two).expect("two in DER form").len(), 2);
    let phone = maker.phone(MAC, |_| {});
    let told = |file: &[u8]| reading::authorities(file).expect_err("refused");
    assert!(told(&phone).contains("is not a CA's certificate"), "{}", told(&phone));
    let mixed: Vec<u8> = [maker.root.der.as_ref(), phone.as_ref()].concat();
    assert!(told(&mixed).starts_with("certificate 2 of 2: "), "{}", told(&mixed));
    assert!(told(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").contains("holds no certificate"));
    assert!(told(b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n").contains("damaged"));
    assert!(told(b"hello").contains("PEM or DER"));
    assert!(told(b"").contains("choose a file"));
}
