//! Configuration files as admins bring them, good and bad: reading and hostile input (PRS-01 to PRS-05).

use std::time::{Duration, Instant};

use proptest::prelude::*;

use pdms::domain::limits::IMPORT_BYTES;
use pdms::domain::provision::{Files, Provision, Setting};
use pdms::xml::Shape;
use pdms::xml::read::{Reason, parameters};
use pdms::xml::write;

/// Names and values of a file.
fn pairs(file: &str) -> Vec<(String, String)> {
    let entries = parameters(file.as_bytes()).unwrap_or_else(|e| panic!("{e}: {file}"));
    entries.into_iter().map(|e| (e.name, e.value)).collect()
}

/// Line, column and reason of a refusal.
fn refusal(file: &[u8]) -> (u32, u32, Reason) {
    let error = parameters(file).expect_err("a file to be refused");
    (error.at.line, error.at.column, error.reason)
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn attributes_at_every_depth_are_parameters_in_document_order() {
    let file = "<?xml version=\"1.0\"?>\n<!-- a b=\"c\" & -->\n<any z.root='0' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' \
                xsi:noNamespaceSchemaLocation='polycomConfig.xsd'>\n <voice a.one = \"1\"><x b.two='2'/></voice>text<y c.three='3' />\n</any>\n<!-- end -->";
    assert_eq!(pairs(file), owned(&[("z.root", "0"), ("a.one", "1"), ("b.two", "2"), ("c.three", "3")]));
    let entries = parameters(file.as_bytes()).expect("a good file");
    assert_eq!(entries.iter().map(|e| (e.at.line, e.at.column)).collect::<Vec<_>>(), [(3, 6), (4, 9), (4, 24), (4, 50)]);
}

#[test]
fn references_are_replaced_and_everything_else_is_kept() {
    let cases = [
        ("&amp;&lt;&gt;&quot;&apos;", "&<>\"'"),
        ("&#65;&#x42;&#10;&#13;&#9;", "AB\n\r\t"),
        ("$FDialpad$ ^ | {x} ${mac_address} [2-9]11|0T", "$FDialpad$ ^ | {x} ${mac_address} [2-9]11|0T"),
        ("  two  blanks  ", "  two  blanks  "),
        ("Büro 受付 😀 ]]> >", "Büro 受付 😀 ]]> >"),
        ("", ""),
    ];
    for (written, meant) in cases {
        assert_eq!(pairs(&format!("<a b=\"{written}\"/>")), owned(&[("b", meant)]), "{written}");
    }
    assert_eq!(pairs("<a b='\"' c=\"'\"/>"), owned(&[("b", "\""), ("c", "'")]));
}

#[test]
fn line_breaks_inside_values_survive_whatever_the_line_ends() {
    for end in ["\n", "\r\n", "\r"] {
        let file =
            format!("<a sec.TLS.customCaCert.1=\"-----BEGIN CERTIFICATE-----{end}MIIB{end}-----END CERTIFICATE-----{end}\"/>");
        assert_eq!(pairs(&file)[0].1, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "{end:?}");
    }
}

#[test]
fn marks_and_encodings_make_no_difference() {
    let text = "<a b='ü'/>";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        [b"\xff\xfe", utf16.as_slice()].concat(),
        b"<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xfc'/>".to_vec(),
    ] {
        let entries = parameters(&bytes).expect("a good file");
        assert_eq!((entries[0].name.as_str(), entries[0].value.as_str()), ("b", "ü"));
    }
}

#[test]
fn files_that_are_not_well_formed_are_refused_where_the_fault_is() {
    let duplicate = Reason::Duplicate("p.x".to_owned());
    assert_eq!(refusal(b"<a>\n  <b p.x='1' p.x='2'/></a>"), (2, 14, duplicate));
    let cases: [(&[u8], u32, u32, &str); 9] = [
        (b"<a b='1'>\n</c>", 2, 1, "</c> stands where </a>"),
        (b"<a b='1'>\n<c>", 2, 4, "ends before"),
        (b"<a b='x & y'/>", 1, 9, "&amp;"),
        (b"<a b='x < y'/>", 1, 9, "&lt;"),
        (b"<a b='&nbsp;'/>", 1, 7, "nbsp"),
        (b"<a b='x\x01'/>", 1, 8, "U+0001"),
        (b"<a>\n<x y:z='1'/></a>", 2, 4, "y:"),
        (b"<!-- x -->\n<?xml version='1.0'?><a/>", 2, 1, "very first"),
        (b"<a b=1/>", 1, 6, "well-formed"),
    ];
    for (file, line, column, words) in cases {
        let (at_line, at_column, reason) = refusal(file);
        let text = String::from_utf8_lossy(file);
        assert!(reason.to_string().contains(words), "{text}: {reason}");
        assert_eq!((at_line, at_column), (line, column), "{text}");
    }
}

#[test]
fn other_kinds_of_files_are_told_by_name() {
    let cases = [
        ("<APPLICATION APP_FILE_PATH='sip.ld' CONFIG_FILES='a.cfg'/>", Shape::Master),
        ("<directory><item_list/></directory>", Shape::Directory),
        ("<PHONE_IMAGES><REVISION/></PHONE_IMAGES>", Shape::ImageList),
        ("<phrases><phrase i='0' t='x'/></phrases>", Shape::Dictionary),
        ("<license x='1'/>", Shape::Licence),
        ("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'/>", Shape::Schema),
        ("<ParameterList X='1'/>", Shape::Foreign),
        ("<CiscoIPPhoneDirectory/>", Shape::Foreign),
        ("<!-- exported -->\n<config><line>1</line></config>", Shape::ValuesInText),
        ("<a>{if $x}<b c='{$mac}'>{/if}</a>", Shape::Template),
        ("<a b=\"{{ x }}\" {% if y %}c='1'{% endif %}/>", Shape::Template),
        ("account.1.enable = 1\naccount.1.label = x\n", Shape::KeyValue),
        ("mac,name\n0004f2abcdef,x\n", Shape::Table),
        ("hello", Shape::PlainText),
        ("", Shape::Empty),
    ];
    for (file, shape) in cases {
        assert_eq!(refusal(file.as_bytes()).2, Reason::Shape(shape), "{file}");
    }
    assert!(pairs("<a b='{$mac}' c='{{ x }}'/>").len() == 2, "a placeholder in well-formed XML is a value");
    assert!(pairs("<PHONE_CONFIG><OVERRIDES/></PHONE_CONFIG>").is_empty(), "an empty shell is a parameter file");
}

#[test]
fn a_doctype_is_refused_before_anything_is_expanded() {
    let bomb = "<!DOCTYPE a [<!ENTITY x0 \"x\">".to_owned()
        + &(1..=10).map(|i| format!("<!ENTITY x{i} \"{}\">", format!("&x{};", i - 1).repeat(10))).collect::<String>()
        + "]><a b=\"&x10;\"/>";
    for file in [
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a b=\"&x;\"/>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM \"http://127.0.0.1:9/\"> %p;]><a b='1'/>",
        "<!DOCTYPE a><a b='1'/>",
        &bomb,
    ] {
        let start = Instant::now();
        assert_eq!(refusal(file.as_bytes()), (1, 1, Reason::Doctype), "{file}");
        assert!(start.elapsed() < Duration::from_millis(100));
    }
    assert!(Reason::Doctype.to_string().starts_with("DOCTYPE not allowed"));
}

#[test]
fn depth_and_breadth_are_bounded() {
    let bound = |file: String, reason: Reason| {
        let start = Instant::now();
        assert_eq!(refusal(file.as_bytes()).2, reason);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?} for {reason:?}", start.elapsed());
    };
    bound("<a>".repeat(100_000) + &"</a>".repeat(100_000), Reason::Depth);
    bound("<a>".repeat(100_000), Reason::Depth);
    bound(format!("<a>{}</a>", "<b/>".repeat(100_000)), Reason::Elements);
    bound(format!("<a {}/>", (0..20_000).map(|i| format!("p{i}='1' ")).collect::<String>()), Reason::Attributes);
    bound(format!("<a {}/>", (0..20_000).map(|i| format!("xmlns:n{i}='u' ")).collect::<String>()), Reason::Attributes);
    bound(" ".repeat(5 * 1024 * 1024), Reason::Size { bytes: 5 * 1024 * 1024, most: IMPORT_BYTES });
}

#[test]
fn as_many_parameters_as_a_profile_holds_are_read() {
    let file = format!(
        "<a>{}</a>",
        (0..100)
            .map(|e| format!("<e {}/>\n", (0..100).map(|i| format!("p{e}.{i}='1' ")).collect::<String>()))
            .collect::<String>()
    );
    assert_eq!(pairs(&file).len(), 10_000);
}

/// A parameter file as phones get it, made of these settings.
fn written(settings: &[(String, String)]) -> Vec<u8> {
    let profiles = settings.iter().map(|(n, v)| Setting { name: n.as_str().into(), value: v.as_str().into() }).collect();
    let files = Files { master: Vec::new(), binding: Vec::new(), profiles, base: Vec::new() };
    write::parameters(&Provision { files, warnings: Vec::new() })
}

proptest! {
    #[test]
    fn what_is_written_for_phones_is_read_as_it_was(
        values in prop::collection::vec("[\\x20-\\x7e\t\n\r&<>\"'{}$€é😀\u{85}\u{2028}\u{fffd}]{0,40}|(\\]\\]>|&amp;|&#10;|<!--|\r\n){0,6}", 1..20)
    ) {
        let settings: Vec<_> = values.into_iter().enumerate().map(|(i, v)| (format!("p.{i}"), v)).collect();
        let read = parameters(&written(&settings)).expect("our own file");
        prop_assert_eq!(read.into_iter().map(|e| (e.name, e.value)).collect::<Vec<_>>(), settings);
    }

    #[test]
    fn no_bytes_at_all_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parameters(&bytes);
    }

    #[test]
    fn no_text_like_xml_panics(text in "(<|>|/|\"|'|=|&|;|<!--|-->|<\\?xml|\\?>|<!DOCTYPE|\\]\\]>|<!\\[CDATA\\[|a|é|:|xmlns|\\{\\$| |\n){0,60}") {
        let _ = parameters(text.as_bytes());
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let _ = parameters(&utf16);
    }
}
