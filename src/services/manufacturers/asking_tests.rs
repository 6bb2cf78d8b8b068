//! What certificates are worth, with chains like those in the field (protocol/provisioning.md 7, PHN-07).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

use super::super::{lists, reading};
use super::*;
use crate::domain::manufacturer::ManufacturerCa;

const MAC: &str = "0004f2aa0001";
/// Serial number of authorities, and below it of a phone where one counts.
const AUTHORITY: u64 = 7;
const PHONE: u64 = 8;

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
    params.serial_number = Some(SerialNumber::from(AUTHORITY));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
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
    asking_with(authorities, &[], accept_expired)
}

/// The same with revocation lists.
fn asking_with(authorities: &[&Authority], files: &[Vec<u8>], accept_expired: bool) -> Asking {
    let uploaded = |one: &&Authority| {
        let read = reading::authorities(&one.der).expect("a CA");
        read.into_iter().map(|facts| facts.added(now(), "test")).collect::<Vec<_>>()
    };
    let manufacturers: Vec<ManufacturerCa> = authorities.iter().flat_map(uploaded).collect();
    let read = |file: &Vec<u8>| lists::lists(file, &manufacturers, now(), "test").expect("a list");
    let settings = AdmissionSettings {
        certificates: CertificatePolicy::Prefer,
        accept_expired,
        revocation_lists: files.iter().flat_map(read).collect(),
        manufacturers,
        ..AdmissionSettings::default()
    };
    Asking::of(&settings).expect("phones are asked")
}

/// The list of an authority that names these serial numbers; the next one was to be there years ago.
fn list(of: &Authority, serials: &[u64]) -> Vec<u8> {
    let revoked = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2026, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2026, 2, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(&of.issuer).expect("signed").der().to_vec()
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
fn phn_07_what_is_revoked_counts_no_more_however_its_chain_comes_and_everything_else_does() {
    let maker = Maker::new("Maker");
    let Maker { root, policy, issuing } = &maker;
    let [leaf, other] = [PHONE, PHONE + 1].map(|serial| maker.phone(MAC, |p| p.serial_number = Some(SerialNumber::from(serial))));
    let revoked = Presented::Revoked(MAC.parse().expect("a MAC"));
    let whole = |leaf: &CertificateDer<'static>| [leaf.clone(), issuing.der.clone(), policy.der.clone()];
    let all = asking_with(&[root, policy, issuing], &[list(issuing, &[PHONE])], true);
    for asking in [all, asking_with(&[root, issuing], &[list(issuing, &[PHONE]), list(root, &[])], true)] {
        assert_eq!(asking.judge(std::slice::from_ref(&leaf), now()), revoked, "the leaf alone");
        assert_eq!(asking.judge(&whole(&leaf), now()), revoked);
        assert_eq!(asking.judge(std::slice::from_ref(&other), now()), verified());
        assert_eq!(asking.judge(&whole(&other), now()), verified());
    }
    // An authority between is revoked by the one above it: whether the phone sends it or it is here.
    let above = [list(policy, &[AUTHORITY])];
    for ends in [&[root, policy, issuing][..], &[policy, issuing], &[policy]] {
        assert_eq!(asking_with(ends, &above, true).judge(&whole(&other), now()), revoked);
    }
    let by_the_root = asking_with(&[root, policy, issuing], &above, true);
    assert_eq!(by_the_root.judge(std::slice::from_ref(&other), now()), revoked);
    assert_eq!(by_the_root.names().len(), 3, "it is asked for all the same, so that it is told why");
    // Expired leaves count here, revoked ones among them do not.
    let expired = |p: &mut CertificateParams| {
        (p.not_after, p.serial_number) = (date_time_ymd(2020, 1, 1), Some(SerialNumber::from(PHONE)));
    };
    let asking = asking_with(&[issuing], &[list(issuing, &[PHONE])], true);
    assert_eq!(asking.judge(&[maker.phone(MAC, expired)], now()), revoked);
    let nobody = asking.judge(&[maker.phone("a phone", |p| p.serial_number = Some(SerialNumber::from(PHONE)))], now());
    assert_eq!(nobody, not(CertificateFault::Revoked));
}

/// A maker that began anew with another key under the same name: a list of one key says nothing of what the other one signed.
#[test]
fn a_list_counts_for_the_key_that_made_it_not_for_its_name() {
    let (old, new) = (Maker::new("Maker"), Maker::new("Maker"));
    let numbered = |maker: &Maker| maker.phone(MAC, |p| p.serial_number = Some(SerialNumber::from(PHONE)));
    for ends in [[&old.issuing, &new.issuing], [&new.issuing, &old.issuing]] {
        let asking = asking_with(&ends, &[list(&old.issuing, &[PHONE])], false);
        assert_eq!(asking.judge(&[numbered(&old)], now()), Presented::Revoked(MAC.parse().expect("a MAC")));
        assert_eq!(asking.judge(&[numbered(&new)], now()), verified());
        let both = asking_with(&ends, &[list(&old.issuing, &[]), list(&new.issuing, &[PHONE])], false);
        assert_eq!(both.judge(&[numbered(&old)], now()), verified());
        assert_eq!(both.judge(&[numbered(&new)], now()), Presented::Revoked(MAC.parse().expect("a MAC")));
    }
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
