//! Rules 9, 17–21 and 26: restarts, images, orders, polling, check-sync.

use jiff::Timestamp;

use super::given::{self, Files, LINE, boot, poll, requests, walk};
use crate::simulate::address::Dhcp;
use crate::simulate::boot::Program;
use crate::simulate::firmware::{Installation, Release};
use crate::simulate::models::MODELS;
use crate::simulate::phone::{CheckSync, Occasion, Phone};
use crate::simulate::rules::{Rule, Rules};
use crate::simulate::run::Report;
use crate::simulate::wire::{Answer, Method, Move, Request};

const TAG: &str = r#"device.set="1" device.prov.tagSerialNo="1" device.prov.tagSerialNo.set="1""#;

fn phone(rules: Rules) -> Phone {
    given::phone("VVX411", rules)
}

#[test]
fn rule_09_a_changed_provisioning_value_restarts_once_the_same_value_does_not() {
    let restarts = |rules| {
        let mut phone = phone(rules);
        let files = Files::of(&phone, &[("a.cfg", TAG)]);
        [boot(&mut phone, &files).restart, boot(&mut phone, &files).restart]
    };
    assert_eq!(restarts(Rules::USUAL), [true, false]);
    assert_eq!(restarts(Rules::USUAL.with(Rule::FlashRestart)), [false, false]);
}

#[test]
fn rule_09_values_in_flash_that_are_neither_network_nor_provisioning_nor_tls_restart_nothing() {
    let mut phone = phone(Rules::USUAL);
    let files = Files::of(&phone, &[("a.cfg", r#"device.set="1" device.hostname="desk" device.hostname.set="1""#)]);
    assert!(!boot(&mut phone, &files).restart);
    assert_eq!(phone.memory.flash.get("device.hostname"), Some("desk"));
    for name in ["device.net.vlanId", "device.dhcp.bootSrvUseOpt", "device.prov.user", "device.sec.TLS.customCaCert1"] {
        let files = Files::of(&phone, &[("a.cfg", &format!(r#"device.set="1" {name}="1" {name}.set="1""#))]);
        assert!(boot(&mut given::phone("VVX411", Rules::USUAL), &files).restart, "{name}");
    }
}

/// One run in which the image's answer is read to its end.
fn fetch_image(phone: &mut Phone, files: &Files, cut: bool) -> (Report, Vec<String>) {
    assert!(phone.begin(Occasion::Boot, Timestamp::UNIX_EPOCH));
    let (mut last, mut asked) = (None, Vec::new());
    while let Some(next) = phone.wants() {
        let answer = match next {
            Move::Send(request) => {
                if request.path.ends_with(".ld") && request.header("Authorization").is_some() {
                    asked.push(request.path.clone());
                }
                last = Some(request);
                files.answer(last.as_ref().expect("just sent"))
            }
            Move::ReadOn => match files.rest(last.as_ref().expect("an answer was opened")) {
                Answer::Reply(mut reply) if cut => {
                    reply.body.truncate(reply.body.len() - 1);
                    reply.into()
                }
                answer => answer,
            },
        };
        phone.take(answer);
    }
    (phone.end(), asked)
}

fn image(version: &str, updater: &str, container: u32) -> Vec<u8> {
    Release { version, updater, container, reads: container }.image(9_000)
}

fn with_image(phone: &Phone, name: &str, image: Vec<u8>) -> Files {
    let mut files = Files::of(phone, &[("a.cfg", LINE)]);
    files.0.insert(format!("/{name}"), image);
    files
}

#[test]
fn rule_17_the_part_numbers_image_is_opened_first_then_the_combined_one() {
    let mut phone = phone(Rules::USUAL);
    let files = with_image(&phone, "sip.ld", image("5.9.7.4477", "5.9.7.47435", 1));
    let (report, asked) = fetch_image(&mut phone, &files, false);
    assert_eq!(asked, ["/3111-48450-001.sip.ld", "/sip.ld"]);
    assert_eq!((report.installation, report.restart), (None, false), "its own version is not fetched");
}

#[test]
fn rule_17_a_broken_image_is_dropped_and_tried_at_so_many_boots_only() {
    let downloads = |rules| {
        let mut phone = phone(rules);
        phone.memory.flash.write("device.prov.abortSWUpgradeAfterFailures", "2");
        let files = with_image(&phone, "3111-48450-001.sip.ld", image("6.0.0.1", "6.0.0.2", 1));
        let fetched = (0..4).map(|_| fetch_image(&mut phone, &files, true).0.installation.is_some()).collect::<Vec<_>>();
        assert_eq!(phone.memory.software.application, "5.9.7.4477");
        fetched
    };
    assert_eq!(downloads(Rules::USUAL), [true, true, false, false]);
    assert_eq!(downloads(Rules::USUAL.with(Rule::BrokenImage)), [true; 4]);
}

#[test]
fn rule_18_an_image_reboots_and_brings_its_updater_unless_the_present_one_cannot_read_it() {
    let install = |container| {
        let mut phone = phone(Rules::USUAL);
        let files = with_image(&phone, "3111-48450-001.sip.ld", image("6.0.0.1", "6.0.0.2", container));
        let report = fetch_image(&mut phone, &files, false).0;
        let comes_up = report.installation != Some(Installation::Installed);
        assert_eq!(report.configured, comes_up, "it starts anew at once with what it installed, and comes up with anything else");
        (report.installation, report.restart, phone.memory.software.application, phone.memory.software.updater)
    };
    let (new, old) = (("6.0.0.1".to_owned(), "6.0.0.2".to_owned()), ("5.9.7.4477".to_owned(), "5.9.7.47435".to_owned()));
    assert_eq!(install(1), (Some(Installation::Installed), true, new.0, new.1));
    assert_eq!(install(2), (Some(Installation::Refused), false, old.0, old.1));
}

#[test]
fn rule_18_the_updater_of_a_stop_reads_what_the_one_before_it_refused() {
    let mut phone = phone(Rules::USUAL);
    let mut go = |version, container, reads| {
        let release = Release { version, updater: version, container, reads };
        let files = with_image(&phone, "3111-48450-001.sip.ld", release.image(9_000));
        fetch_image(&mut phone, &files, false).0.installation
    };
    assert_eq!(go("6.1.0.1", 2, 2), Some(Installation::Refused));
    assert_eq!(go("6.0.0.1", 1, 2), Some(Installation::Installed));
    assert_eq!(go("6.1.0.1", 2, 2), Some(Installation::Installed));
}

#[test]
fn rule_19_a_boot_begins_with_the_updater_and_a_poll_has_the_application_alone() {
    let mut phone = phone(Rules::USUAL);
    let files = Files::of(&phone, &[("a.cfg", LINE)]);
    let agents =
        |seen: &[Request]| seen.iter().map(|r| r.header("User-Agent").unwrap_or_default().to_owned()).collect::<Vec<_>>();
    let seen = requests(&mut phone, Occasion::Boot, |request| files.answer(request));
    assert_eq!((seen[0].method, seen[0].path.as_str()), (Method::Put, "/0004f2000007-boot.log"));
    assert_eq!(agents(&seen)[0], "FileTransport PolycomVVX-VVX_411-UA/5.9.7.47435 Type/Updater");
    assert!(agents(&seen)[2..].iter().all(|agent| agent.ends_with("/5.9.7.4477 Type/Application")));
    for occasion in [Occasion::Poll, Occasion::CheckSync] {
        let seen = requests(&mut phone, occasion, |request| files.answer(request));
        assert!(agents(&seen).iter().all(|agent| agent.ends_with("Type/Application")));
        assert!(seen.iter().all(|request| request.method == Method::Get), "a poll uploads nothing");
    }
    phone.rules = Rules::USUAL.with(Rule::PollOrder);
    let seen = requests(&mut phone, Occasion::Poll, |request| files.answer(request));
    assert!(seen.iter().any(|request| request.path == "/0004f2000007-app.log"), "the whole order, without the Updater");
    assert!(seen.iter().all(|request| request.path != "/0004f2000007-boot.log"));
}

#[test]
fn rule_19_every_telephone_has_an_updater_that_comes_first_and_a_video_bar_has_none() {
    for model in MODELS {
        let is_first = model.boot[0].program == Program::Updater;
        assert_eq!(is_first, !model.name.starts_with("Studio"), "{}", model.name);
        assert!(model.poll.iter().all(|step| step.program == Program::Application), "{}", model.name);
    }
}

fn next_poll(attributes: &str, dhcp_offset: Option<i32>, now: &str) -> Option<String> {
    let mut phone = phone(Rules::USUAL);
    phone.dhcp = Dhcp { option_2: dhcp_offset, ..phone.dhcp };
    let files = Files::of(&phone, &[("a.cfg", attributes)]);
    boot(&mut phone, &files);
    phone.next_poll(now.parse().expect("a time")).map(|at| at.to_string())
}

const BERLIN: &str = r#"prov.polling.enabled="1" prov.polling.mode="abs" prov.polling.period="86400" prov.polling.time="03:30"
    tcpIpApp.sntp.gmtOffset="3600" tcpIpApp.sntp.daylightSavings.enable="1" tcpIpApp.sntp.daylightSavings.fixedDayEnable="0"
    tcpIpApp.sntp.daylightSavings.start.month="3" tcpIpApp.sntp.daylightSavings.start.dayOfWeek="1"
    tcpIpApp.sntp.daylightSavings.start.dayOfWeek.lastInMonth="1" tcpIpApp.sntp.daylightSavings.start.time="2"
    tcpIpApp.sntp.daylightSavings.stop.month="10" tcpIpApp.sntp.daylightSavings.stop.dayOfWeek="1"
    tcpIpApp.sntp.daylightSavings.stop.dayOfWeek.lastInMonth="1" tcpIpApp.sntp.daylightSavings.stop.time="3""#;

#[test]
fn rule_20_polls_follow_the_phones_own_clock_through_daylight_saving() {
    let at = |now| next_poll(BERLIN, None, now);
    assert_eq!(at("2026-11-22T12:00:00Z").as_deref(), Some("2026-11-23T02:30:00Z"));
    assert_eq!(at("2026-07-01T00:00:00Z").as_deref(), Some("2026-07-01T01:30:00Z"));
    assert_eq!(at("2026-03-28T12:00:00Z").as_deref(), Some("2026-03-29T01:30:00Z"), "the night in which summer time begins");
    assert_eq!(at("2026-10-24T12:00:00Z").as_deref(), Some("2026-10-25T02:30:00Z"), "the night in which it ends");
}

#[test]
fn rule_20_dhcps_offset_counts_unless_it_is_overridden() {
    let off = BERLIN.replace("enable=\"1\" tcpIpApp.sntp.daylightSavings.f", "enable=\"0\" tcpIpApp.sntp.daylightSavings.f");
    assert_eq!(next_poll(&off, Some(7200), "2026-07-01T00:00:00Z").as_deref(), Some("2026-07-01T01:30:00Z"));
    let own = format!("{off} tcpIpApp.sntp.gmtOffset.overrideDHCP=\"1\"");
    assert_eq!(next_poll(&own, Some(7200), "2026-07-01T00:00:00Z").as_deref(), Some("2026-07-01T02:30:00Z"));
}

#[test]
fn rule_20_relative_and_random_polls_and_none() {
    let polling = |more: &str| format!(r#"prov.polling.enabled="1" tcpIpApp.sntp.daylightSavings.enable="0" {more}"#);
    let relative = polling(r#"prov.polling.mode="rel" prov.polling.period="7200""#);
    assert_eq!(next_poll(&relative, None, "1970-01-01T03:00:00Z").as_deref(), Some("1970-01-01T04:00:00Z"));
    let random = polling(r#"prov.polling.mode="random" prov.polling.time="03:00" prov.polling.timeRandomEnd="05:00""#);
    let at = next_poll(&random, None, "2026-07-01T00:00:00Z").unwrap_or_default();
    assert!(at.starts_with("2026-07-01T03:") || at.starts_with("2026-07-01T04:"), "{at}");
    assert_eq!(next_poll("up.timeOut=\"1\"", None, "2026-07-01T00:00:00Z"), None, "polling is off by default");
}

#[test]
fn rule_21_check_sync_re_reads_and_restarts_only_where_a_file_needs_it() {
    let restart = |before: &str, after: &str| {
        let mut phone = phone(Rules::USUAL);
        let files = Files::of(&phone, &[("a.cfg", before)]);
        boot(&mut phone, &files);
        let files = Files::of(&phone, &[("a.cfg", after)]);
        walk(&mut phone, Occasion::CheckSync, |request, _| files.answer(request)).restart
    };
    assert!(!restart(LINE, LINE), "nothing changed");
    assert!(!restart("up.timeOut=\"1\"", "up.timeOut=\"2\""), "a change that needs no restart");
    assert!(restart(LINE, &LINE.replace("100", "200")));
    let always = "voIpProt.SIP.specialEvent.checkSync.alwaysReboot=\"1\"";
    assert!(restart(always, always), "with alwaysReboot it restarts although nothing changed");
    let mut polling = phone(Rules::USUAL);
    let files = Files::of(&polling, &[("a.cfg", always)]);
    boot(&mut polling, &files);
    assert!(!poll(&mut polling, &files).restart, "a poll is no check-sync");
}

#[test]
fn rule_21_check_sync_waits_for_a_call_to_end() {
    assert_eq!(phone(Rules::USUAL).check_sync(true), CheckSync::AfterCall);
    assert_eq!(phone(Rules::USUAL).check_sync(false), CheckSync::Now);
    assert_eq!(phone(Rules::USUAL.with(Rule::CheckSyncInCall)).check_sync(true), CheckSync::Now);
}

#[test]
fn rule_26_changes_within_one_run_cause_one_restart_at_its_end() {
    let run = |rules| {
        let mut phone = phone(rules);
        let files = Files::of(&phone, &[("a.cfg", LINE), ("b.cfg", "up.timeOut=\"1\"")]);
        boot(&mut phone, &files);
        let changed = format!("{TAG} {}", LINE.replace("100", "200"));
        let files = Files::of(&phone, &[("a.cfg", &changed), ("b.cfg", "up.timeOut=\"2\"")]);
        let report = poll(&mut phone, &files);
        let (asks_on, again) = (report.trail.iter().any(|line| line.contains("license")), boot(&mut phone, &files).restart);
        assert!(!again, "one restart for all of them");
        (report.restart, asks_on)
    };
    assert_eq!(run(Rules::USUAL), (true, true), "the rest of the run comes before the restart");
    assert_eq!(run(Rules::USUAL.with(Rule::RestartAtEnd)), (true, false));
}
