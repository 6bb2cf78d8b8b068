//! A CSV file to rows: any of the guide's three separators, UTF-8 with and without a mark, UTF-16, and Windows-1252 as old spreadsheets
//! write it (R91, R92, R94).

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::blanks;

/// What a file is read as a whole for, or why it is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SheetError {
    /// Line, counted from one.
    pub line: u64,
    /// What is wrong with it, and what to do.
    pub message: String,
}

/// A file with its header apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The separator that it uses.
    pub separator: Separator,
    /// Names of the columns as they are written.
    pub headings: Vec<String>,
    /// The same in lower case, without blanks around.
    pub columns: Vec<String>,
    /// The rows that hold anything.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Line that it begins in, counted from one.
    pub line: u64,
    /// Its cells without the blanks around them, but for those between quotation marks; not always as many as there are columns.
    pub cells: Vec<String>,
    /// Its text as it stands in the file.
    pub raw: String,
}

/// What stands between two cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// The tabulator.
    Tab,
}

impl Separator {
    /// Every one that a file may use (R91, R265).
    pub const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    /// The name that people know it by.
    pub fn word(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
        }
    }

    /// The one of this name.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Itself.
    pub fn char(self) -> char {
        char::from(self.byte())
    }

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

impl Sheet {
    /// Reads a file whose separator is known, or is found in its header.
    ///
    /// # Errors
    /// There is no header, or it mixes separators (R91).
    pub fn read(bytes: &[u8], wanted: Option<Separator>) -> Result<Self, SheetError> {
        let text = decode(bytes);
        let text = text.trim_start_matches('\u{feff}');
        let (text, said) = without_hint(text);
        let wanted = wanted.or(said);
        let before = u64::from(said.is_some());
        let header = text.split(['\r', '\n']).next().unwrap_or_default();
        let separator = separator(header, wanted)?;
        let text = blanks::dropped(text, separator.char()).map_err(|line| {
            let message =
                "a quotation mark begins a cell and no other one ends it, so all lines below would be that cell".to_owned();
            SheetError { line, message }
        })?;
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator.byte()).flexible(true).has_headers(false).from_reader(text.as_bytes());
        let mut records = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(1, csv::Position::line);
                SheetError { line, message: format!("it cannot be read: {error}") }
            })?;
            let (line, byte) = record.position().map_or((1, 0), |at| (at.line(), at.byte()));
            records.push((line, usize::try_from(byte).unwrap_or_default(), record));
        }
        let ends: Vec<usize> = records.iter().skip(1).map(|(_, byte, _)| *byte).chain([text.len()]).collect();
        let mut rows = records.into_iter().zip(ends).map(|((line, byte, record), end)| {
            let whole = text.get(byte..end).unwrap_or_default();
            let raw = whole.trim_start_matches(['\r', '\n']);
            // Empty lines before a row are read with it.
            let empty = whole[..whole.len() - raw.len()].matches('\n').count();
            Row {
                line: line + before + u64::try_from(empty).unwrap_or_default(),
                cells: record.iter().map(ToOwned::to_owned).collect(),
                raw: raw.trim_end_matches(['\r', '\n']).to_owned(),
            }
        });
        let headings = rows.next().map(|row| row.cells).unwrap_or_default();
        let columns = headings.iter().map(|name| name.trim().to_lowercase()).collect();
        let rows = rows.filter(|row| row.cells.iter().any(|cell| !cell.trim().is_empty())).collect();
        Ok(Self { separator, headings, columns, rows })
    }
}

/// The text without the line that tells a spreadsheet the separator, such as `sep=;`, and what that says.
fn without_hint(text: &str) -> (&str, Option<Separator>) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let said = first.trim_end_matches('\r').trim_matches('"');
    let said = said.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &said[4..]);
    match said.and_then(|said| Separator::ALL.into_iter().find(|one| said == one.char().to_string())) {
        Some(separator) => (rest, Some(separator)),
        None => (text, None),
    }
}

/// Text of any encoding that spreadsheets write. What is no UTF-8 and has no mark is taken for Windows-1252.
fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    let encoding = match bytes {
        [first, 0, ..] if *first != 0 => UTF_16LE,
        [0, second, ..] if *second != 0 => UTF_16BE,
        _ if std::str::from_utf8(bytes).is_ok() => UTF_8,
        _ => WINDOWS_1252,
    };
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// The one separator that stands outside quotation marks in the header.
fn separator(header: &str, wanted: Option<Separator>) -> Result<Separator, SheetError> {
    let mut is_quoted = false;
    let mut found: Vec<Separator> = Vec::new();
    for c in header.chars() {
        match Separator::ALL.into_iter().find(|one| one.char() == c) {
            _ if c == '"' => is_quoted = !is_quoted,
            Some(kind) if !is_quoted && !found.contains(&kind) => found.push(kind),
            _ => {}
        }
    }
    let wrong = |message: String| Err(SheetError { line: 1, message });
    match (found.as_slice(), wanted) {
        ([one], None) => Ok(*one),
        ([one], Some(wanted)) if *one != wanted => {
            wrong(format!("the header uses {} as separator, not {} as was said", one.word(), wanted.word()))
        }
        ([], _) if header.trim().is_empty() => {
            wrong("the file begins with an empty line; its first line names the columns".to_owned())
        }
        ([] | [_], wanted) => Ok(wanted.unwrap_or_default()),
        (several, _) => {
            let names: Vec<&str> = several.iter().map(|one| one.word()).collect();
            wrong(format!("the header uses {} as separators; use only one of them in a file", names.join(" and ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
        Sheet::read(bytes, None).expect("a sheet").rows.into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn each_separator_is_found_and_quoted_ones_are_text() {
        for one in Separator::ALL {
            let separator = one.char();
            let text =
                format!("A{separator} b \n\"1{separator}2\"{separator}\"say \"\"x\"\"\"\r\n\r\n{separator}\n3{separator}4");
            let sheet = Sheet::read(text.as_bytes(), None).expect("a sheet");
            assert_eq!((sheet.separator, sheet.columns.join(" ")), (one, "a b".to_owned()));
            let lines: Vec<_> = sheet.rows.iter().map(|row| row.line).collect();
            assert_eq!(lines, [2, 5], "{one:?}");
            assert_eq!(sheet.rows[0].cells, [format!("1{separator}2"), "say \"x\"".to_owned()]);
            assert!(sheet.rows[1].raw == format!("3{separator}4"), "{:?}", sheet.rows[1]);
        }
    }

    #[test]
    fn a_first_line_that_tells_the_separator_is_none_of_the_table() {
        for first in ["sep=;", "SEP=;\r", "\"sep=;\""] {
            let sheet = Sheet::read(format!("{first}\na;b\n1;2\n").as_bytes(), None).expect("a sheet");
            assert_eq!(
                (sheet.separator, sheet.columns.join(" "), sheet.rows[0].line),
                (Separator::Semicolon, "a b".to_owned(), 3)
            );
        }
        assert_eq!(Sheet::read(b"sep=;\na\n1", None).map(|sheet| sheet.separator), Ok(Separator::Semicolon), "one column");
        let error = Sheet::read(b"sep=;\na,b\n1,2", None).expect_err("another one").to_string();
        assert!(error.contains("not semicolon"), "{error}");
    }

    #[test]
    fn a_header_that_mixes_separators_is_refused() {
        let error = Sheet::read(b"a;b,c\n1;2,3", None).expect_err("mixed").to_string();
        assert_eq!(error, "line 1: the header uses semicolon and comma as separators; use only one of them in a file");
        assert!(Sheet::read(b"\"a;b\",c\n1,2", None).is_ok(), "a quoted one is text");
        assert!(Sheet::read(b"", None).is_err() && Sheet::read(b"\n1,2", None).is_err());
        let error = Sheet::read(b"a;b\n1;2", Some(Separator::Tab)).expect_err("another one").to_string();
        assert_eq!(error, "line 1: the header uses semicolon as separator, not tab as was said");
    }

    #[test]
    fn files_come_in_every_usual_encoding() {
        let text = "a,b\nMünchen,Süd\n";
        let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        let marked = |mark: &[u8], rest: &[u8]| [mark, rest].concat();
        let files = [
            text.as_bytes().to_vec(),
            marked(b"\xef\xbb\xbf", text.as_bytes()),
            marked(b"\xff\xfe", &utf16(u16::to_le_bytes)),
            marked(b"\xfe\xff", &utf16(u16::to_be_bytes)),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
            b"a,b\nM\xfcnchen,S\xfcd\n".to_vec(),
        ];
        for file in files {
            assert_eq!(cells(&file), [["München", "Süd"]], "{file:?}");
        }
    }
}
