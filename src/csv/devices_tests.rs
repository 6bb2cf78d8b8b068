//! Reading files of devices: the guide's examples, headers, rows, and what is refused.

use super::*;
use crate::domain::schema::{Definition, Kind, pattern as family};

/// A schema of what lines have.
fn schema() -> Schema {
    let definition = |field: &str| {
        let (name, numbers) = family(&format!("reg.{{1-34}}.{field}")).expect("a family");
        let kind = Kind::Text { least: None, most: None };
        Definition { name: name.into(), numbers, kind, default: None, text: "".into(), restarts: None, is_secret: false }
    };
    Schema::new(OF_A_LINE.map(definition).into())
}

/// The guide's example of two lines, as it is printed: header and row are broken in the middle (R273).
const TWO_LINES: &str = "\
mac_address, endpoint_name, endpoint_group, reg.1.address, reg.
1.displayname, reg.1.auth.userId, reg.1.auth.password, reg.2.address, reg.
2.displayname, reg.2.auth.userId, reg.2.auth.password,
0004F23EA4E1, SoundPoint-EA4E1, EPGroup1|EPGroup2, 1000, Jon Smith, 1000,
1000, 1001, Jon Smith1, 1001, 1001
";

fn table(text: &str) -> DeviceTable {
    read(text.as_bytes(), None, &schema()).expect("a file of devices")
}

fn names(table: &DeviceTable) -> Vec<&str> {
    table.parameters.iter().map(|(_, name)| name.as_str()).collect()
}

fn values<'a>(table: &'a DeviceTable, row: &'a DeviceRow) -> Vec<&'a str> {
    table.parameters.iter().map(|(place, _)| row.at(*place)).collect()
}

fn error(text: &str) -> String {
    read(text.as_bytes(), None, &schema()).expect_err("refused").to_string()
}

#[test]
fn the_guides_examples_are_read_as_they_are_printed() {
    let two = table(TWO_LINES);
    assert_eq!(two.rows.len(), 1);
    let row = &two.rows[0];
    assert_eq!(two.cell(row, Column::Mac), Some("0004F23EA4E1"));
    assert_eq!(
        (two.cell(row, Column::Name), two.cell(row, Column::Groups)),
        (Some("SoundPoint-EA4E1"), Some("EPGroup1|EPGroup2"))
    );
    let fields = ["address", "displayName", "auth.userId", "auth.password"];
    let wanted: Vec<String> = (1..=2).flat_map(|line| fields.map(|field| format!("reg.{line}.{field}"))).collect();
    assert_eq!(names(&two), wanted, "as the dictionary spells them");
    assert_eq!(values(&two, row), ["1000", "Jon Smith", "1000", "1000", "1001", "Jon Smith1", "1001", "1001"]);

    let one = table("mac_address,reg.1.address\n0004F24FD08E, 1001\n");
    assert_eq!((names(&one), values(&one, &one.rows[0])), (vec!["reg.1.address"], vec!["1001"]));

    let without = table("mac_address, device.hostname\n0004F23EA4E1, SoundPointA4E1\n0004F24FD08E, SoundPointD08E\n");
    assert_eq!(values(&without, &without.rows[1]), ["SoundPointD08E"]);

    let studio = table(
        "mac_address, serial_number, endpoint_type, endpoint_name, endpoint_group\n\
         00E0DB4C20CC, 8218404c20ccf9, Polycom Studio, Jsmith_Studio, EPGroup1|\nEPGroup2\n",
    );
    assert_eq!(studio.rows.len(), 1);
    assert_eq!(studio.cell(&studio.rows[0], Column::Type), Some("Polycom Studio"));
    assert_eq!(studio.cell(&studio.rows[0], Column::Groups), Some("EPGroup1|EPGroup2"));
}

#[test]
fn headings_come_in_any_order_and_case_and_parameters_get_the_dictionarys_spelling() {
    let table = table("REG.12.DISPLAYNAME;Endpoint_Name;my.Own;MAC_Address\n\" a \";b;c;0004f2000001\n");
    assert_eq!((names(&table), table.separator), (vec!["reg.12.displayName", "my.Own"], Separator::Semicolon));
    assert_eq!(values(&table, &table.rows[0]), [" a ", "c"], "blanks between quotation marks are meant");
}

#[test]
fn a_fault_of_the_header_refuses_the_file_with_its_place() {
    for (text, told) in [
        ("mac_address;a.b,c.d\n", "semicolon and comma"),
        ("mac_address,a.b,A.B\n", "A.B stands there twice"),
        ("mac_address,endpoint_grp\n", "there is no column endpoint_grp"),
        ("mac_address,reg.[1-5].address\n", "column 2, “reg.[1-5].address”: “[” (character 5)"),
        ("endpoint_name,a.b\n", "neither a column mac_address nor serial_number"),
        ("mac_address,,a.b\n", "column 2 has no name"),
    ] {
        let error = error(text);
        assert!(error.starts_with("line 1: ") && error.contains(told), "{text}: {error}");
    }
}

#[test]
fn a_row_with_other_cells_than_the_header_is_told_with_the_reason() {
    let table =
        table("mac_address,a.b,c.d\n0004f2000001;1;2\n0004f2000002,1\n0004f2000003,1,2,3\n0004f2000004,1,2,,\n0004f2000005,1,\n");
    let faults: Vec<_> = table.rows.iter().map(|row| (row.line, row.fault().unwrap_or("fine").to_owned())).collect();
    assert!(faults[0].1.contains("it uses semicolon as separator, and the header comma"), "{faults:?}");
    assert!(faults[1].1.contains("2 cells, the header 3") && faults[2].1.contains("4 cells"), "{faults:?}");
    assert_eq!(faults[3..], [(5, "fine".to_owned()), (6, "fine".to_owned())]);
}

#[test]
fn ten_thousand_rows_are_taken_and_one_more_is_not() {
    let file = |rows: usize| (0..rows).fold("mac_address\n".to_owned(), |file, row| format!("{file}0004f2{row:06x}\n"));
    assert_eq!(table(&file(DEVICES_PER_ADD)).rows.len(), DEVICES_PER_ADD);
    let error = error(&file(DEVICES_PER_ADD + 1));
    assert!(error.starts_with("line 10002: a file has at most 10000 devices"), "{error}");
}

#[test]
fn the_pattern_has_five_lines_and_the_order_puts_lines_first() {
    let file = String::from_utf8(template(Separator::Tab, true).expect("memory")).expect("UTF-8");
    let headings: Vec<&str> = file.trim_start_matches('\u{feff}').trim_end().split('\t').collect();
    assert_eq!(
        headings[..6],
        ["mac_address", "serial_number", "endpoint_name", "endpoint_type", "endpoint_group", "reg.1.address"]
    );
    assert_eq!((headings.len(), headings.last()), (25, Some(&"reg.5.auth.password")));
    let mut names = ["up.x", "reg.10.address", "reg.2.label", "reg.2.auth.password", "reg.2.address", "a.b"];
    names.sort_by_key(|name| order(name));
    assert_eq!(names, ["reg.2.address", "reg.2.auth.password", "reg.2.label", "reg.10.address", "a.b", "up.x"]);
}

#[test]
fn a_heading_with_a_blank_is_told_and_never_becomes_another_name() {
    let refused =
        |header: &str| read(format!("{header}\n0004f2000001,1\n").as_bytes(), None, &schema()).expect_err("refused").message;
    assert!(refused("mac_address,a b").contains("column 2, “a b”"), "{}", refused("mac_address,a b"));
    assert!(refused("mac_address,up.time Out").contains("“up.time Out”"));
    assert!(refused("MAC address,up.timeOut").contains("column 1, “MAC address”"));
    let table = read(b"mac_address,reg. 1.address\n0004f2000001,1\n", None, &schema()).expect("a file");
    assert_eq!(table.parameters[0].1.as_str(), "reg.1.address", "a line that was broken behind a dot");
}
