//! Schema files as the vendor writes them, and ill-formed ones.

use super::*;
use crate::domain::schema::Schema;

/// A real file; none where they are not at hand.
#[expect(clippy::print_stdout, reason = "a test that must skip something says so")]
fn shared(name: &str) -> Option<Vec<u8>> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/xsd").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    bytes
}

fn schema(body: &str) -> String {
    format!(r#"<xsd:schema xmlns:xsd="{XSD}" xmlns:pdms="{DICTIONARY}" xml:lang="en">{body}</xsd:schema>"#)
}

fn defined(body: &str) -> Definition {
    let mut all = read(schema(body).as_bytes()).expect("a schema");
    assert_eq!(all.len(), 1, "{body}");
    all.remove(0)
}

fn refusal(text: &str) -> String {
    read(text.as_bytes()).expect_err("refused").to_string()
}

#[test]
fn types_are_read_wherever_they_are_declared() {
    let named = r#"<xsd:simpleType name="UInt_1_65535"><xsd:restriction base="xsd:nonNegativeInteger"><xsd:minInclusive value="1"/>
        <xsd:maxInclusive value="65535"/></xsd:restriction></xsd:simpleType><xsd:attribute name="a.b" type="UInt_1_65535"/>"#;
    assert_eq!(defined(named).kind, Kind::Number { least: Some(1), most: Some(65_535) });
    let inner = r#"<xsd:attribute name="a.b"><xsd:simpleType><xsd:restriction base="xsd:string"><xsd:enumeration value="x"/>
        <xsd:enumeration value=""/></xsd:restriction></xsd:simpleType></xsd:attribute>"#;
    assert_eq!(defined(inner).kind, Kind::Choice(["x".into(), "".into()].into()));
    let nested = r#"<xsd:element name="e"><xsd:complexType><xsd:attribute ref="other"/><xsd:attribute name="a.b" type="xsd:boolean"/>
        </xsd:complexType></xsd:element>"#;
    assert_eq!(defined(nested).kind, Kind::Switch);
    assert_eq!(defined(r#"<xsd:attribute name="a.b"/>"#).kind, Kind::ANY);
}

#[test]
fn a_number_or_nothing_is_a_number() {
    let union = r#"<xsd:simpleType name="UIntNull_0_9"><xsd:union><xsd:simpleType><xsd:restriction base="xsd:string">
        <xsd:enumeration value=""/></xsd:restriction></xsd:simpleType><xsd:simpleType><xsd:restriction base="xsd:integer">
        <xsd:minInclusive value="0"/><xsd:maxExclusive value="10"/></xsd:restriction></xsd:simpleType></xsd:union></xsd:simpleType>
        <xsd:attribute name="a.b" type="UIntNull_0_9"/>"#;
    assert_eq!(defined(union).kind, Kind::Number { least: Some(0), most: Some(9) });
}

#[test]
fn prefixes_are_known_by_their_namespace() {
    let plain = format!(r#"<schema xmlns="{XSD}"><attribute name="a.b" type="boolean"/></schema>"#);
    assert_eq!(read(plain.as_bytes()).expect("a schema")[0].kind, Kind::Switch);
    let xs = format!(r#"<xs:schema xmlns:xs="{XSD}"><xs:attribute name="a.b" type="xs:unsignedByte"/></xs:schema>"#);
    assert_eq!(read(xs.as_bytes()).expect("a schema")[0].kind, Kind::Number { least: Some(0), most: Some(255) });
}

#[test]
fn the_vendors_sentences_tell_defaults_and_secrets() {
    let told = |text: &str| {
        let told = Told::by(text);
        (told.default, told.is_secret, told.is_made_by_machine)
    };
    let is = |default: &str, secret| (Some(default.to_owned()), secret, true);
    assert_eq!(told("true/false parameter default 0 (false)."), is("0", false));
    assert_eq!(told("number min -5 max 9 default -3."), is("-3", false));
    assert_eq!(told("number min 0 max 9 default \"\"."), is("", false));
    assert_eq!(told("string (password) min length 0 max length 49 default \"\"."), is("", true));
    assert_eq!(told("enum allowed values: \"default\" \"ringer1\", default \"default\"."), is("default", false));
    assert_eq!(told("How loud it is."), (None, false, false));
    assert_eq!(told("How loud. number min 0 max 9 default 3."), (Some("3".to_owned()), false, false));
}

#[test]
fn our_own_dictionary_says_more() {
    let ours = r#"<xsd:attribute name="reg.1.auth.password" type="xsd:string"><xsd:annotation><xsd:documentation>The
        password  of a line.</xsd:documentation><xsd:appinfo><pdms:parameter pattern="reg.{1-34}.auth.password" default="" restart="no"
        secret="true"/></xsd:appinfo></xsd:annotation></xsd:attribute>"#;
    let one = defined(ours);
    assert_eq!(
        (&*one.text, one.default.as_deref(), one.restarts, one.is_secret),
        ("The password of a line.", Some(""), Some(false), true)
    );
    assert!(one.is_family() && one.numbers[0] == (1..=34));
}

#[test]
fn what_is_no_schema_is_refused_with_its_place() {
    assert!(refusal("<polycomConfig a.b=\"1\"/>").contains("line 1, column 1: this is no XML schema"));
    assert!(refusal("<!DOCTYPE a><a/>").contains("DOCTYPE"));
    assert!(refusal(&schema("<xsd:attribute name=\"a b\"/>")).contains("“a b” is no parameter"));
    assert!(refusal(&schema("\n <xsd:attribute name=\"a.b\" type=\"Gone\"/>")).starts_with("line 2, column 2: the type Gone"));
    assert!(refusal(&schema("<xsd:attribute name=\"a.b\">")).starts_with("line 1, column "));
    let round = r#"<xsd:simpleType name="A"><xsd:restriction base="A"/></xsd:simpleType><xsd:attribute name="a.b" type="A"/>"#;
    assert!(refusal(&schema(round)).contains("made of itself"));
    let limit = r#"<xsd:attribute name="a.b"><xsd:simpleType><xsd:restriction base="xsd:int"><xsd:minInclusive value="low"/>
        </xsd:restriction></xsd:simpleType></xsd:attribute>"#;
    assert!(refusal(&schema(limit)).contains("“low” is no whole number"));
}

#[test]
fn a_schema_may_be_empty() {
    assert_eq!(read(schema("").as_bytes()).map(|all| all.len()), Ok(0));
}

#[test]
fn the_vendors_own_schemas_are_read_and_the_broken_one_is_refused_with_its_line() {
    let Some(phones) = shared("mjmunger-polypytools__issue_35_4.0.15.1009_Config_polycomConfig.xsd") else { return };
    let definitions = read(&phones).expect("well-formed");
    assert_eq!(definitions.len(), 17_978);
    let schema = Schema::new(definitions);
    let found = |name: &str| schema.find(name).expect("declared").definition;
    assert_eq!(found("reg.9.server.1.port").kind, found("reg.1.server.1.port").kind);
    assert!(found("reg.1.auth.password").is_secret);
    assert_eq!(found("reg.9.displayName").default, found("reg.1.displayName").default);
    let adapter = shared("hl727-meeting__x30_micadapter_polycomConfig.xsd").expect("beside the other");
    assert_eq!(read(&adapter).map(|all| all.len()), Ok(7));
    let broken = shared("hl727-meeting__x30_videocodec_polycomConfig.xsd").expect("beside the other");
    let error = read(&broken).expect_err("as its maker saved it, it is not well-formed");
    assert_eq!(error.at.line, 3_470, "{error}");
}
