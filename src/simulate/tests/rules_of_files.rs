//! Rules 1–8, 22, 24, 25: master, listed files, overrides, flash, directory, line.

use super::given::{self, Files, LINE, boot, poll, requests, walk};
use crate::simulate::files::Parameters;
use crate::simulate::memory::{Layer, Line};
use crate::simulate::phone::{Occasion, Phone};
use crate::simulate::rules::{Rule, Rules};
use crate::simulate::wire::{Answer, Method, Reply};

fn phone(rules: Rules) -> Phone {
    given::phone("VVX411", rules)
}

fn booted(rules: Rules, listed: &[(&str, &str)]) -> (Phone, Files) {
    let mut phone = phone(rules);
    let files = Files::of(&phone, listed);
    assert!(boot(&mut phone, &files).configured);
    (phone, files)
}

/// Boots while one file gets this answer, with credentials or without.
fn boot_with(phone: &mut Phone, files: &Files, path: &str, answer: Answer) {
    walk(phone, Occasion::Boot, |request, _| if request.path == path { answer.clone() } else { files.answer(request) });
}

fn masters_asked_for(rules: Rules, answer: Answer) -> Vec<String> {
    let mut phone = phone(rules);
    let seen = requests(&mut phone, Occasion::Boot, |_| answer.clone());
    seen.into_iter().map(|r| r.path).filter(|p| p.ends_with("7.cfg") || p == "/000000000000.cfg").collect()
}

#[test]
fn rule_01_the_own_master_is_asked_for_in_lower_case_and_the_site_master_only_without_it() {
    let (own, site) = ("/0004f2000007.cfg".to_owned(), "/000000000000.cfg".to_owned());
    for answer in [Reply::new(404, "").into(), Reply::new(403, "").into(), Reply::new(503, "").into(), Answer::Cut] {
        assert_eq!(masters_asked_for(Rules::USUAL, answer), [own.clone(), site.clone()]);
    }
    let narrow = Rules::USUAL.with(Rule::FallbackMaster);
    assert_eq!(masters_asked_for(narrow, Reply::new(404, "").into()), [own.clone(), site]);
    assert_eq!(masters_asked_for(narrow, Reply::new(503, "").into()), std::slice::from_ref(&own));
    assert_eq!(masters_asked_for(narrow, Answer::Cut), std::slice::from_ref(&own));
    let mut phone = phone(Rules::USUAL);
    let files = Files::of(&phone, &[("a.cfg", LINE)]);
    let seen = requests(&mut phone, Occasion::Boot, |request| files.answer(request));
    assert!(seen.iter().all(|request| request.path != "/000000000000.cfg"), "a master that came needs no other");
}

#[test]
fn rule_02_without_any_master_the_stored_configuration_stays() {
    let (mut phone, _) = booted(Rules::USUAL, &[("a.cfg", LINE)]);
    let before = phone.memory.all();
    let report = boot(&mut phone, &Files::default());
    assert!(!report.master);
    assert_eq!((phone.memory.all(), phone.line()), (before, Line::Registered));
}

#[test]
fn rule_03_parameters_that_no_listed_file_contains_fall_back_to_default() {
    let less = |rules| {
        let (mut phone, mut files) = booted(rules, &[("a.cfg", "up.timeOut=\"41\" lcl.ml.lang=\"German_Germany\"")]);
        files.put("a.cfg", "<x up.timeOut=\"42\"/>");
        boot(&mut phone, &files);
        (phone.memory.effective("up.timeOut").map(str::to_owned), phone.memory.effective("lcl.ml.lang").map(str::to_owned))
    };
    assert_eq!(less(Rules::USUAL), (Some("42".to_owned()), None));
    let kept = less(Rules::USUAL.with(Rule::FormerList));
    assert_eq!(kept, (Some("42".to_owned()), Some("German_Germany".to_owned())));
}

#[test]
fn rule_03_a_master_that_lists_nothing_takes_everything_away() {
    let (mut phone, mut files) = booted(Rules::USUAL, &[("a.cfg", LINE)]);
    files.put("0004f2000007.cfg", "<APPLICATION CONFIG_FILES=\"\"/>");
    assert!(!boot(&mut phone, &files).configured);
    assert!(phone.is_dead());
}

#[test]
fn rule_04_the_leftmost_file_wins() {
    let (phone, _) = booted(Rules::USUAL, &[("a.cfg", "up.timeOut=\"1\""), ("b.cfg", "up.timeOut=\"2\" lcl.ml.lang=\"x\"")]);
    assert_eq!(phone.memory.effective("up.timeOut"), Some("1"));
    assert_eq!(phone.memory.effective("lcl.ml.lang"), Some("x"));
}

#[test]
fn rule_05_a_listed_file_that_cannot_be_had_keeps_the_former_values() {
    let after = |rules, answer: Answer| {
        let (mut phone, mut files) = booted(rules, &[("a.cfg", LINE), ("b.cfg", "up.timeOut=\"1\"")]);
        files.put("b.cfg", "<x up.timeOut=\"2\"/>");
        boot_with(&mut phone, &files, "/a.cfg", answer);
        assert_eq!(phone.line(), Line::Registered, "the line stays under both readings");
        phone.memory.effective("up.timeOut").map(str::to_owned)
    };
    for answer in [Answer::Cut, Reply::new(503, "").into(), Reply::new(404, "").into()] {
        assert_eq!(after(Rules::USUAL, answer.clone()).as_deref(), Some("1"), "the whole run is dropped");
        assert_eq!(after(Rules::USUAL.with(Rule::MissingFile), answer).as_deref(), Some("2"), "the rest counts");
    }
}

#[test]
fn rule_06_overrides_stand_above_the_files_the_phones_own_highest() {
    let (mut phone, _) = booted(Rules::USUAL, &[("a.cfg", "up.timeOut=\"1\"")]);
    phone.change(Layer::Cloud, "up.timeOut", "7");
    assert_eq!(phone.memory.effective("up.timeOut"), Some("7"));
    phone.change(Layer::Web, "up.timeOut", "2");
    assert_eq!(phone.memory.effective("up.timeOut"), Some("2"));
    phone.change(Layer::Phone, "up.timeOut", "3");
    assert_eq!(phone.memory.effective("up.timeOut"), Some("3"));
}

#[test]
fn rule_06_overrides_are_fetched_at_each_boot_and_uploaded_on_change() {
    let (mut phone, mut files) = booted(Rules::USUAL, &[("a.cfg", "up.timeOut=\"1\"")]);
    let uploads = |phone: &mut Phone, files: &Files| {
        let seen = requests(phone, Occasion::Boot, |request| files.answer(request));
        let puts = seen
            .iter()
            .filter(|r| r.method == Method::Put && r.path.ends_with("-phone.cfg") && r.header("Authorization").is_some());
        puts.map(|r| String::from_utf8_lossy(&r.body).into_owned()).collect::<Vec<_>>()
    };
    assert!(uploads(&mut phone, &files).is_empty(), "nothing changed");
    phone.change(Layer::Phone, "up.timeOut", "3");
    let sent = uploads(&mut phone, &files);
    assert!(sent.len() == 1 && sent[0].contains("<OVERRIDES up.timeOut=\"3\"/>"), "{sent:?}");
    assert!(uploads(&mut phone, &files).is_empty(), "the change was uploaded");
    files.put("0004f2000007-phone.cfg", "<PHONE_CONFIG><OVERRIDES up.timeOut=\"4\"/></PHONE_CONFIG>");
    boot(&mut phone, &files);
    assert_eq!(phone.memory.effective("up.timeOut"), Some("4"), "what the server keeps is taken up");
}

#[test]
fn rule_06_a_404_leaves_the_phones_own_overrides() {
    let after = |rules, answer: Answer| {
        let (mut phone, mut files) = booted(rules, &[("a.cfg", "up.timeOut=\"1\"")]);
        files.put("0004f2000007-phone.cfg", "<x up.timeOut=\"4\"/>");
        boot(&mut phone, &files);
        boot_with(&mut phone, &files, "/0004f2000007-phone.cfg", answer);
        phone.memory.effective("up.timeOut").map(str::to_owned)
    };
    assert_eq!(after(Rules::USUAL, Reply::new(404, "").into()).as_deref(), Some("4"));
    assert_eq!(after(Rules::USUAL.with(Rule::MissingOverrides), Reply::new(404, "").into()).as_deref(), Some("1"));
    for rules in [Rules::USUAL, Rules::USUAL.with(Rule::MissingOverrides)] {
        assert_eq!(after(rules, Reply::new(503, "").into()).as_deref(), Some("4"), "only 404 says that there is none");
    }
}

#[test]
fn rule_07_after_a_factory_reset_overrides_come_back_from_the_server() {
    let after = |rules| {
        let (mut phone, mut files) = booted(rules, &[("a.cfg", "up.timeOut=\"1\"")]);
        phone.change(Layer::Phone, "lcl.ml.lang", "own");
        phone.factory_reset();
        assert_eq!((phone.memory.effective("lcl.ml.lang"), phone.memory.flash.is_empty()), (None, true));
        phone.point_at("https://pdms.example.lan:8443/", given::USER, given::PASSWORD);
        files.put("0004f2000007-phone.cfg", "<x up.timeOut=\"4\"/>");
        boot(&mut phone, &files);
        phone.memory.effective("up.timeOut").map(str::to_owned)
    };
    assert_eq!(after(Rules::USUAL).as_deref(), Some("4"));
    assert_eq!(after(Rules::USUAL.with(Rule::OverridesAfterReset)).as_deref(), Some("1"));
}

#[test]
fn rule_08_flash_is_written_only_with_both_flags_and_outlives_its_file() {
    let flags = |attributes: &str| {
        let (phone, _) = booted(Rules::USUAL, &[("a.cfg", attributes)]);
        phone.memory.flash.get("device.prov.tagSerialNo").map(str::to_owned)
    };
    let (value, own, all) = ("device.prov.tagSerialNo=\"1\"", "device.prov.tagSerialNo.set=\"1\"", "device.set=\"1\"");
    assert_eq!(flags(value), None);
    assert_eq!(flags(&format!("{value} {own}")), None);
    assert_eq!(flags(&format!("{value} {all}")), None);
    assert_eq!(flags(&format!("{value} {own} {all}")).as_deref(), Some("1"));
    let listed = format!("{value} {own}");
    let (mut phone, mut files) = booted(Rules::USUAL, &[("a.cfg", &listed), ("b.cfg", all)]);
    assert_eq!(phone.memory.flash.get("device.prov.tagSerialNo"), Some("1"), "device.set may stand in any file");
    files.put("a.cfg", "<x/>");
    boot(&mut phone, &files);
    assert_eq!(phone.memory.flash.get("device.prov.tagSerialNo"), Some("1"), "it stays when it is no longer served");
    phone.factory_reset();
    assert_eq!(phone.memory.flash.get("device.prov.tagSerialNo"), None);
}

#[test]
fn rule_22_unknown_parameters_are_counted_and_ignored() {
    let mut phone = phone(Rules::USUAL);
    let files = Files::of(&phone, &[("a.cfg", "up.timeOut=\"1\" no.such.thing=\"1\" plain=\"2\"")]);
    assert_eq!(boot(&mut phone, &files).unknown, 2);
    assert_eq!(phone.memory.all(), Parameters::from([("up.timeOut".to_owned(), "1".to_owned())]));
}

#[test]
fn rule_22_an_ill_formed_file_is_ignored_as_a_whole() {
    let after = |rules| {
        let (mut phone, mut files) = booted(rules, &[("a.cfg", "lcl.ml.lang=\"x\""), ("b.cfg", "up.timeOut=\"1\"")]);
        files.put("a.cfg", "<x lcl.ml.lang=\"y\"");
        files.put("b.cfg", "<x up.timeOut=\"2\"/>");
        assert_eq!(boot(&mut phone, &files).ill_formed, 1);
        let get = |name: &str| phone.memory.effective(name).map(str::to_owned);
        (get("lcl.ml.lang"), get("up.timeOut"))
    };
    assert_eq!(after(Rules::USUAL), (None, Some("2".to_owned())));
    let as_missing = after(Rules::USUAL.with(Rule::IllFormedFile));
    assert_eq!(as_missing, (Some("x".to_owned()), Some("1".to_owned())));
}

#[test]
fn rule_24_the_seed_directory_counts_only_without_an_own_one() {
    let (mut phone, mut files) = booted(Rules::USUAL, &[("a.cfg", LINE)]);
    files.put("000000000000-directory.xml", "seed");
    boot(&mut phone, &files);
    let body = |phone: &Phone| phone.memory.directory.clone().map(|d| (String::from_utf8_lossy(&d.body).into_owned(), d.own));
    assert_eq!(body(&phone), Some(("seed".to_owned(), false)));
    files.put("0004f2000007-directory.xml", "own");
    boot(&mut phone, &files);
    assert_eq!(body(&phone), Some(("own".to_owned(), true)));
    files.remove("0004f2000007-directory.xml");
    let seen = requests(&mut phone, Occasion::Boot, |request| files.answer(request));
    assert!(seen.iter().all(|request| request.path != "/000000000000-directory.xml"), "with an own one it asks for no seed");
    assert_eq!(body(&phone), Some(("own".to_owned(), true)));
}

#[test]
fn rule_25_line_values_without_server_or_credentials_are_a_dead_desk() {
    let line = |attributes: &str| booted(Rules::USUAL, &[("a.cfg", attributes)]).0.line();
    assert_eq!(line(LINE), Line::Registered);
    assert_eq!(line("up.timeOut=\"1\""), Line::None);
    for missing in LINE.split(' ') {
        assert_eq!(line(&LINE.replace(missing, "")), Line::Dead, "without {missing}");
    }
    let (mut phone, mut files) = booted(Rules::USUAL, &[("a.cfg", LINE)]);
    files.put("a.cfg", "<x up.timeOut=\"1\"/>");
    poll(&mut phone, &files);
    assert!(phone.is_dead(), "a phone that lost its line is dead too");
}
