//! Writing tables so that they read back to the same, and that no spreadsheet takes a cell for a formula (P6).

use std::borrow::Cow;

use csv::{QuoteStyle, Terminator, WriterBuilder};

use super::reader::Separator;

/// What spreadsheets need to take a file for UTF-8 (R94).
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A table that is being written.
#[derive(Debug)]
pub struct TableWriter {
    out: Vec<u8>,
    separator: Separator,
}

impl TableWriter {
    /// An empty table. With a mark for spreadsheets that take a file without one for something else (R94).
    pub fn new(separator: Separator, with_mark: bool) -> Self {
        let mark = if with_mark { BYTE_ORDER_MARK } else { "" };
        Self { out: mark.as_bytes().to_vec(), separator }
    }

    /// Adds a row. Texts are quoted where they need it.
    ///
    /// # Errors
    /// Only of writing to memory.
    pub fn row(&mut self, cells: &[impl AsRef<str>]) -> Result<(), csv::Error> {
        let cells: Vec<Cow<'_, str>> = cells.iter().map(|cell| guarded(cell.as_ref())).collect();
        // Blanks around a cell are kept between quotation marks alone, and the library sees no need for them.
        let is_padded = |cell: &Cow<'_, str>| cell.starts_with(char::is_whitespace) || cell.ends_with(char::is_whitespace);
        let style = if cells.iter().any(is_padded) { QuoteStyle::Always } else { QuoteStyle::Necessary };
        let mut writer = WriterBuilder::new()
            .delimiter(self.separator.byte())
            .quote_style(style)
            .terminator(Terminator::CRLF)
            .buffer_capacity(512)
            .from_writer(&mut self.out);
        writer.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
        Ok(writer.flush()?)
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// A text that no spreadsheet takes for a formula: one that begins as one gets an apostrophe before it.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text.trim_start_matches('\'')) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The same text without that apostrophe.
pub(super) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest.trim_start_matches('\''))).unwrap_or(text)
}

/// Some spreadsheets pass over blanks before a formula.
fn is_formula(text: &str) -> bool {
    text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r'])
}

#[cfg(test)]
mod tests {
    use encoding_rs::WINDOWS_1252;
    use proptest::prelude::*;

    use super::*;
    use crate::csv::reader::Sheet;
    use crate::domain::testing::property_config;

    #[test]
    fn no_cell_is_a_formula_and_each_comes_back() {
        for text in ["=1+1", "+49 30", "-5", "@a", "\t=1", " =1", "'=1", "''-", "'", "a=1", ""] {
            assert!(!guarded(text).trim_start().starts_with(['=', '+', '-', '@']), "{text}");
            assert_eq!(unguarded(&guarded(text)), text);
        }
    }

    /// A text that a configuration file can hold.
    fn cell() -> impl Strategy<Value = String> {
        prop_oneof!["[ -~]{0,12}", "[=+@'\",;\t\r\n -]{0,8}", "[a-zäöüß€“•]{1,8}", "\\PC{0,6}",]
    }

    fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
        (1usize..5).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(cell(), width), 0..6))
    }

    proptest! {
        #![proptest_config(property_config())]

        #[test]
        fn whatever_is_written_is_read_back_the_same(table in table(), separator in 0usize..3, with_mark: bool, utf16 in 0u8..4) {
            let separator = Separator::ALL[separator];
            let mut writer = TableWriter::new(separator, with_mark);
            let width = table.first().map_or(1, Vec::len);
            let columns: Vec<String> = (0..=width).map(|at| format!("column{at}")).collect();
            writer.row(&columns).expect("memory");
            for row in &table {
                // A row of blanks is none.
                writer.row(&[&["x".to_owned()], row.as_slice()].concat()).expect("memory");
            }
            let text = String::from_utf8(writer.finish()).expect("UTF-8");
            let units = || text.encode_utf16();
            let bytes = match utf16 {
                1 => units().flat_map(u16::to_le_bytes).collect(),
                2 => units().flat_map(u16::to_be_bytes).collect(),
                3 if !with_mark && !WINDOWS_1252.encode(&text).2 => {
                    let (bytes, _, _) = WINDOWS_1252.encode(&text);
                    // What happens to be UTF-8 is taken for it.
                    if std::str::from_utf8(&bytes).is_ok() { text.clone().into_bytes() } else { bytes.into_owned() }
                }
                _ => text.clone().into_bytes(),
            };
            let sheet = Sheet::read(&bytes, None).expect("a table");
            let read: Vec<Vec<String>> =
                sheet.rows.iter().map(|row| row.cells[1..].iter().map(|cell| unguarded(cell).to_owned()).collect()).collect();
            prop_assert_eq!(read, table);
            prop_assert_eq!(sheet.separator, separator);
        }
    }
}
