//! Rules 10–16 and 23: which server, which credentials, whom to trust, and uploads.

use std::sync::Arc;

use super::given::{self, Files, LINE, PASSWORD, USER, boot, requests, walk};
use crate::simulate::address::{Address, Dhcp, Scheme, boot_server};
use crate::simulate::credentials::Credentials;
use crate::simulate::flash::Flash;
use crate::simulate::memory::Layer;
use crate::simulate::phone::{Occasion, Phone};
use crate::simulate::rules::{Rule, Rules};
use crate::simulate::trust::{CLOCK_WITHOUT_TIME, Trust, der};
use crate::simulate::wire::{Answer, Method, Move, Reply, Request};

fn phone(rules: Rules) -> Phone {
    given::phone("VVX411", rules)
}

fn host(mode: &str, base_profile: &str, dhcp: &Dhcp) -> Option<String> {
    let mut flash = Flash::default();
    flash.write("device.prov.serverName", "flash");
    flash.write("device.dhcp.bootSrvUseOpt", mode);
    flash.write("device.baseProfile", base_profile);
    boot_server(&flash, dhcp, Rules::USUAL).map(|(address, _)| address.host)
}

#[test]
fn rule_10_dhcp_beats_the_address_in_flash_unless_the_mode_is_static() {
    let text = |text: &str| Some(text.to_owned());
    let all = Dhcp { option_160: text("o160"), option_161: text("o161"), option_66: text("o66"), ..Dhcp::default() };
    assert_eq!(host("", "", &all), text("o160"));
    assert_eq!(host("", "Lync", &all), text("o161"));
    assert_eq!(host("Static", "", &all), text("flash"));
    assert_eq!(host("2", "", &all), text("flash"));
    assert_eq!(host("Opt66", "", &all), text("o66"));
    assert_eq!(host("", "", &Dhcp { option_160: None, ..all.clone() }), text("o66"));
    assert_eq!(host("Custom", "", &Dhcp { option_160: None, ..all }), text("flash"));
    assert_eq!(host("", "", &Dhcp::default()), text("flash"));
}

#[test]
fn rule_11_credentials_in_a_dhcp_address_are_used_and_not_stored() {
    let user = |rules| {
        let mut phone = phone(rules);
        phone.dhcp.option_160 = Some("https://other:word@dhcp.example.lan/".to_owned());
        let stored = phone.memory.flash.clone();
        let seen = requests(&mut phone, Occasion::Boot, |_| Reply::challenge().into());
        assert_eq!(phone.memory.flash, stored);
        seen.iter().find_map(|request| request.header("Authorization").map(str::to_owned))
    };
    assert_eq!(user(Rules::USUAL), Some(Credentials::new("other", "word").basic()));
    assert_eq!(user(Rules::USUAL.with(Rule::DhcpCredentials)), Some(Credentials::new(USER, PASSWORD).basic()));
}

#[test]
fn rule_12_a_scheme_in_the_address_beats_the_server_type() {
    let scheme = |text, server_type| Address::parse(text, server_type).map(|a| (a.scheme, a.port, a.directory));
    assert_eq!(scheme("https://h/t1", Some("HTTP")), Some((Scheme::Https, 443, "/t1/".to_owned())));
    assert_eq!(scheme("http://h:8080", Some("3")), Some((Scheme::Http, 8080, "/".to_owned())));
    assert_eq!(scheme("h/t1/", Some("HTTP")), Some((Scheme::Http, 80, "/t1/".to_owned())));
    assert_eq!(scheme("[::1]:8443", Some("HTTPS")), Some((Scheme::Https, 8443, "/".to_owned())));
    assert_eq!(scheme("h", Some("TFTP")), None);
    assert_eq!(scheme("0.0.0.0", None), None);
}

#[test]
fn rule_13_no_credentials_first_then_with_them_for_every_file() {
    let pattern = |rules| {
        let mut phone = phone(rules);
        let files = Files::of(&phone, &[("a.cfg", LINE)]);
        let seen = requests(&mut phone, Occasion::Boot, |request| files.answer(request));
        seen.iter().map(|request| request.header("Authorization").is_some()).collect::<Vec<_>>()
    };
    let twice = pattern(Rules::USUAL);
    assert!(twice.len() % 2 == 0 && twice.chunks(2).all(|pair| pair == [false, true]), "{twice:?}");
    let at_once = pattern(Rules::USUAL.with(Rule::FirstRequest));
    assert!(at_once.iter().all(|sent| *sent) && at_once.len() * 2 == twice.len(), "{at_once:?}");
}

#[test]
fn rule_13_digest_is_answered_where_it_is_asked_for() {
    for rules in [Rules::USUAL, Rules::USUAL.with(Rule::FirstRequest)] {
        let mut phone = phone(rules);
        let challenge = r#"Digest realm="r", nonce="n", qop="auth""#.to_owned();
        let reply = Reply { challenges: vec![challenge], ..Reply::new(401, "") };
        let seen = requests(&mut phone, Occasion::Boot, |_| reply.clone().into());
        let sent = seen[1].header("Authorization").unwrap_or_default();
        assert!(sent.starts_with("Digest username=\"phones\"") && sent.contains("uri=\"/0004f2000007-boot.log\""), "{sent}");
    }
}

fn tries_of_the_master(phone: &mut Phone) -> Vec<u32> {
    let seen = requests(phone, Occasion::Boot, |_| Reply::challenge().into());
    let with = |r: &&Request| r.path == "/0004f2000007.cfg" && r.header("Authorization").is_none();
    seen.iter().filter(with).map(|r| r.after_seconds).collect()
}

#[test]
fn rule_14_refused_credentials_are_tried_again_up_to_the_limit() {
    assert_eq!(tries_of_the_master(&mut phone(Rules::USUAL)), [0, 1, 1]);
    assert_eq!(tries_of_the_master(&mut phone(Rules::USUAL.with(Rule::RefusedCredentials))), [0]);
    let mut set = phone(Rules::USUAL);
    set.memory.flash.write("device.prov.redunAttemptLimit", "2");
    set.memory.flash.write("device.prov.redunInterAttemptDelay", "30");
    assert_eq!(tries_of_the_master(&mut set), [0, 30]);
}

#[test]
fn rule_15_trust_is_built_in_and_pushed_authorities_a_name_check_and_a_clock() {
    let built_in: Arc<[Vec<u8>]> = Arc::from(vec![vec![1]]);
    let mut flash = Flash::default();
    let trust = |flash: &Flash| Trust::of(flash, &built_in, true);
    assert_eq!(trust(&flash).roots, [vec![1]]);
    assert!(!trust(&flash).checks_name);
    flash.write("device.sec.TLS.customCaCert2", "-----BEGIN CERTIFICATE-----\nAg\nM=\n-----END CERTIFICATE-----\n");
    assert_eq!(trust(&flash).roots, [vec![1], vec![2, 3]]);
    flash.write("device.sec.TLS.profileSelection.provisioning", "PlatformProfile2");
    flash.write("device.sec.TLS.profile.caCertList2", "Platform2");
    assert_eq!(trust(&flash).roots, [vec![2, 3]]);
    flash.write("device.sec.TLS.prov.strictCertCommonNameValidation", "1");
    assert!(trust(&flash).checks_name);
    assert_eq!(der("AgM="), Some(vec![2, 3]), "the first and last line are optional");
    assert_eq!(Trust::of(&flash, &built_in, false).clock(2_000_000_000), CLOCK_WITHOUT_TIME);
    assert_eq!(trust(&flash).clock(2_000_000_000), 2_000_000_000);
    let mut without_time = phone(Rules::USUAL);
    without_time.dhcp.option_42 = false;
    assert!(!without_time.trust().knows_time);
    without_time.memory.flash.write("device.sntp.serverName", "time.example.lan");
    assert!(without_time.trust().knows_time);
}

#[test]
fn rule_16_a_pushed_authority_counts_from_the_next_run_on() {
    let roots_during_and_after = |rules| {
        let mut phone = phone(rules);
        let pushed = r#"device.set="1" device.sec.TLS.customCaCert1="AgM=" device.sec.TLS.customCaCert1.set="1""#;
        let files = Files::of(&phone, &[("a.cfg", pushed)]);
        assert!(phone.begin(Occasion::Boot, jiff::Timestamp::UNIX_EPOCH));
        while let Some(Move::Send(request)) = phone.wants() {
            phone.take(files.answer(&request));
        }
        let during = phone.trust().roots.len();
        phone.end();
        (during, phone.trust().roots.len())
    };
    assert_eq!(roots_during_and_after(Rules::USUAL), (0, 1));
    assert_eq!(roots_during_and_after(Rules::USUAL.with(Rule::PushedTrust)), (1, 1));
}

#[test]
fn rule_23_failed_uploads_do_no_harm() {
    for answer in [
        Reply::challenge().into(),
        Reply::new(403, "").into(),
        Reply::new(404, "").into(),
        Reply::new(405, "").into(),
        Reply::new(503, "").into(),
        Answer::Cut,
    ] {
        let mut phone = phone(Rules::USUAL);
        let files = Files::of(&phone, &[("a.cfg", LINE)]);
        boot(&mut phone, &files);
        phone.change(Layer::Phone, "up.timeOut", "3");
        let before = phone.memory.clone();
        let lost = |request: &Request| if request.method == Method::Put { answer.clone() } else { files.answer(request) };
        let report = walk(&mut phone, Occasion::Boot, |request, _| lost(request));
        assert_eq!((report.uploads_lost, report.configured, &phone.memory), (3, true, &before));
        let seen = requests(&mut phone, Occasion::Boot, |request| files.answer(request));
        let again = |request: &&Request| request.method == Method::Put && request.path.ends_with("-phone.cfg");
        assert!(seen.iter().any(|request| again(&request)), "what was lost is sent at the next occasion");
    }
}
