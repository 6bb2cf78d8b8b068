//! Looking names up, checking values and comparing schemas.

use super::*;

fn named(name: &str, kind: Kind, text: &str) -> Definition {
    let (name, numbers) = pattern(name).expect("a pattern");
    Definition { name: name.into(), numbers, kind, default: None, text: text.into(), restarts: None, is_secret: false }
}

fn number(least: i64, most: i64) -> Kind {
    Kind::Number { least: Some(least), most: Some(most) }
}

fn schema() -> Schema {
    Schema::new(vec![
        named("reg.{1-34}.address", Kind::ANY, "Address of a line"),
        named("reg.{1-34}.server.{1-4}.port", number(0, 65_535), ""),
        named("reg.2.address", Kind::ANY, "Of the second line alone"),
        named("voice.volume", number(-5, 10), "How loud it is"),
        named("device.sec.TLS.customCaCert{1-6}", Kind::ANY, "A certificate"),
        named("callList.enabled", Kind::Switch, ""),
    ])
}

#[test]
fn a_name_is_found_within_the_ranges_of_its_indexes() {
    let schema = schema();
    let found = |name: &str| schema.find(name).map(|found| found.definition.name.to_string());
    assert_eq!(found("reg.34.address").as_deref(), Some("reg.1.address"));
    assert_eq!(found("reg.2.address").as_deref(), Some("reg.2.address"), "its own definition says more");
    assert_eq!(found("reg.7.server.4.port").as_deref(), Some("reg.1.server.1.port"));
    assert_eq!(found("device.sec.TLS.customCaCert6").as_deref(), Some("device.sec.TLS.customCaCert1"));
    for unknown in
        ["reg.0.address", "reg.35.address", "reg.7.server.5.port", "reg.address", "reg.99999999999999999999.address", ""]
    {
        assert_eq!(found(unknown), None, "{unknown}");
    }
}

#[test]
fn letter_case_and_models_are_passed_over_and_told() {
    let schema = schema();
    let other = schema.find("Reg.3.Address").expect("found");
    assert!(!other.is_spelt_so && !other.is_for_a_model);
    assert!(schema.find("reg.3.address").expect("found").is_spelt_so);
    let model = schema.find("callList.enabled.VVX500").expect("found");
    assert!(model.is_for_a_model && model.is_spelt_so);
    assert!(schema.find("callList.enabled.other").is_none());
}

#[test]
fn a_search_ranks_the_beginning_of_a_name_before_its_middle_before_the_words() {
    let schema = schema();
    let names = |text: &str| schema.search(text, 10).iter().map(|one| one.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names("vo"), ["voice.volume"]);
    assert_eq!(names("address"), ["reg.1.address", "reg.2.address"]);
    assert_eq!(names("LINE"), ["reg.1.address", "reg.2.address"]);
    assert_eq!(names("reg.9.address"), ["reg.1.address"]);
    assert_eq!(names("r"), Vec::<String>::new());
    assert_eq!(schema.search("re", 2).len(), 2);
}

#[test]
fn values_outside_the_limits_are_told_with_what_is_expected() {
    let fault = |kind: &Kind, value: &str| kind.check(value).map_err(|fault| fault.to_string());
    let volume = number(-5, 10);
    assert_eq!(fault(&volume, "-5"), Ok(()));
    assert_eq!(fault(&volume, "11").expect_err("refused"), "a whole number from -5 to 10 is expected");
    assert!(fault(&volume, "loud").is_err());
    for value in ["0", "1", "True", " false "] {
        assert_eq!(fault(&Kind::Switch, value), Ok(()), "{value}");
    }
    assert!(fault(&Kind::Switch, "yes").is_err());
    let choice = Kind::Choice(["TCPpreferred", "UDPOnly", ""].map(Into::into).into());
    assert_eq!(fault(&choice, "udponly").expect_err("refused"), "one of TCPpreferred, UDPOnly is expected");
    let short = Kind::Text { least: Some(0), most: Some(3) };
    assert_eq!(fault(&short, "äöü"), Ok(()));
    assert_eq!(fault(&short, "four").expect_err("refused"), "a text of at most 3 characters is expected; this one has 4");
    let either = Kind::AnyOf(Box::new([number(1, 2), Kind::Choice(["Auto".into()].into())]));
    assert_eq!(fault(&either, "Auto"), Ok(()));
    assert_eq!(fault(&either, "3").expect_err("refused"), "a whole number from 1 to 2 is expected, or one of Auto is expected");
    for kind in [volume, Kind::Switch, choice, either] {
        assert_eq!(fault(&kind, ""), Ok(()), "the empty value means: not set");
    }
}

#[test]
fn a_family_shares_the_words_of_the_first_that_has_some() {
    let plain = |name: &str, text: &str| Definition { numbers: exact_numbers(name), ..named(name, Kind::ANY, text) };
    let schema =
        Schema::new(vec![plain("reg.2.label", ""), plain("reg.1.label", "Shown beside the key"), plain("reg.3.label", "")]);
    assert_eq!(schema.len(), 3);
    assert!(schema.iter().all(|one| &*one.text == "Shown beside the key" && !one.is_family()));
    assert!(schema.find("reg.4.label").is_none());
}

#[test]
fn a_pattern_needs_ranges_that_stand_alone() {
    assert_eq!(pattern("a.{1-3}.b2").map(|(name, ranges)| (name, ranges.len())), Some(("a.1.b2".to_owned(), 2)));
    for wrong in ["a.{1}", "a.{3-1}", "a.{x-2}", "a.{1-2", "a.{1-2}3", "a.9{1-2}"] {
        assert_eq!(pattern(wrong), None, "{wrong}");
    }
}
