//! Lists as files for spreadsheets: every list of the pages can be taken away as it is filtered. They are not read back.

/// Rows as CSV, the first one with the headings.
pub fn csv(rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut lines = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(Vec::new());
    for row in rows {
        lines.write_record(row.iter().map(|text| defused(text))).expect("memory takes every line");
    }
    lines.into_inner().expect("memory is always written")
}

/// A text that no spreadsheet takes for a formula: names and values are typed by people, or come from phones.
pub fn defused(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n') => format!("'{text}"),
        _ => text.to_owned(),
    }
}
