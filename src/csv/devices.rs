//! Devices as CSV: the guide's columns, some of our own, and a parameter in every other column (R265–R285).
//!
//! The guide prints its examples with lines that are broken in the middle: such a header and such rows are put together again, where
//! nothing else can be meant.

use std::collections::HashMap;

use super::cells::{TableWriter, unguarded};
use super::reader::{Row, Separator, Sheet, SheetError};
use crate::domain::device::DeviceKey;
use crate::domain::limits::DEVICES_PER_ADD;
use crate::domain::parameter::ParameterName;
use crate::domain::schema::Schema;

/// A column that is no parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// MAC address.
    Mac,
    /// Serial number.
    Serial,
    /// Device type (R268).
    Type,
    /// Device name (R269).
    Name,
    /// Device groups, joined by `|` (R270).
    Groups,
    /// Model; a column of our own.
    Model,
    /// Name of the site; a column of our own.
    Site,
    /// Whether it stays at that site whatever its addresses say; a column of our own.
    Pinned,
    /// The person or room that it belongs to; a column of our own.
    Owner,
    /// The name that the device itself is told; a column of our own.
    SentName,
    /// Free text about it; a column of our own.
    Description,
    /// The private address that a person typed; a column of our own.
    PrivateIp,
}

impl Column {
    /// Every one: those of the guide in its order, then our own.
    pub const ALL: [Self; 12] = [
        Self::Mac,
        Self::Serial,
        Self::Name,
        Self::Type,
        Self::Groups,
        Self::Model,
        Self::Site,
        Self::Pinned,
        Self::Owner,
        Self::SentName,
        Self::Description,
        Self::PrivateIp,
    ];
    /// Those of the guide (R283).
    pub const OF_THE_GUIDE: [Self; 5] = [Self::Mac, Self::Serial, Self::Name, Self::Type, Self::Groups];

    /// Its heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Mac => "mac_address",
            Self::Serial => "serial_number",
            Self::Type => "endpoint_type",
            Self::Name => "endpoint_name",
            Self::Groups => "endpoint_group",
            Self::Model => "endpoint_model",
            Self::Site => "endpoint_site",
            Self::Pinned => "endpoint_pinned",
            Self::Owner => "endpoint_owner",
            Self::SentName => "endpoint_sent_name",
            Self::Description => "endpoint_description",
            Self::PrivateIp => "endpoint_private_ip",
        }
    }
}

/// How headings of columns begin that are no parameters: another one of these is misspelt, and no parameter.
const RESERVED: &str = "endpoint_";

/// Lines that the guide's pattern has room for (R283).
const LINES: std::ops::RangeInclusive<u8> = 1..=5;
/// What the guide's pattern has for each line.
const OF_A_LINE: [&str; 4] = ["address", "displayName", "auth.userId", "auth.password"];

/// A file of devices.
#[derive(Clone, Debug)]
pub struct DeviceTable {
    /// The separator that it uses.
    pub separator: Separator,
    /// Its parameters, in order, with the place of each in a row.
    pub parameters: Vec<(usize, ParameterName)>,
    /// Its rows.
    pub rows: Vec<DeviceRow>,
    places: HashMap<Column, usize>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct DeviceRow {
    /// Line that it begins in.
    pub line: u64,
    /// Its cells, or why they cannot be told apart.
    cells: Result<Vec<String>, String>,
}

impl DeviceTable {
    /// Whether it has this column.
    pub fn has(&self, column: Column) -> bool {
        self.places.contains_key(&column)
    }

    /// What stands in this column, without blanks around it; none where there is no such column.
    pub fn cell<'a>(&self, row: &'a DeviceRow, column: Column) -> Option<&'a str> {
        self.places.get(&column).map(|place| row.at(*place).trim())
    }
}

impl DeviceRow {
    /// Why its cells cannot be told apart.
    pub fn fault(&self) -> Option<&str> {
        self.cells.as_ref().err().map(String::as_str)
    }

    /// The cell at a place, as it was meant; empty where there is none.
    pub fn at(&self, place: usize) -> &str {
        self.cells.as_ref().ok().and_then(|cells| cells.get(place)).map_or("", |cell| unguarded(cell))
    }
}

/// Reads a file. Parameters are spelt as the schema has them: letter case does not count in headings (R266), and may count for phones.
///
/// # Errors
/// It cannot be read as a whole: a header that is none, or more rows than a file may have (R280).
pub fn read(bytes: &[u8], separator: Option<Separator>, schema: &Schema) -> Result<DeviceTable, SheetError> {
    let mut sheet = Sheet::read(bytes, separator)?;
    mend_header(&mut sheet);
    let (places, parameters) = header(&sheet, schema)?;
    let wanted = sheet.headings.len();
    let rows = std::mem::take(&mut sheet.rows);
    let rows = if wanted > 1 { mended(rows, wanted, &places) } else { rows };
    if let Some(row) = rows.get(DEVICES_PER_ADD) {
        let message = format!("a file has at most {DEVICES_PER_ADD} devices, and this one has {}; split it", rows.len());
        return Err(SheetError { line: row.line, message });
    }
    let separator = sheet.separator;
    let row = |row: Row| DeviceRow { line: row.line, cells: whole(row, wanted, separator) };
    Ok(DeviceTable { separator, parameters, rows: rows.into_iter().map(row).collect(), places })
}

/// An empty file with every heading of the guide's pattern (R281, R283).
///
/// # Errors
/// Only of writing to memory.
pub fn template(separator: Separator, with_mark: bool) -> Result<Vec<u8>, csv::Error> {
    let mut writer = TableWriter::new(separator, with_mark);
    let own = Column::OF_THE_GUIDE.iter().map(|column| column.heading().to_owned());
    writer.row(&own.chain(pattern()).collect::<Vec<_>>())?;
    Ok(writer.finish())
}

/// The parameters of the guide's pattern.
pub fn pattern() -> impl Iterator<Item = String> {
    LINES.flat_map(|line| OF_A_LINE.iter().map(move |field| format!("reg.{line}.{field}")))
}

/// How parameters stand in a file: lines first, each with what the guide names of it, then the others by name (R283).
pub fn order(name: &str) -> (bool, u64, usize, String) {
    let folded = name.to_ascii_lowercase();
    let line = folded.strip_prefix("reg.").and_then(|rest| rest.split_once('.'));
    match line.and_then(|(number, field)| Some((number.parse().ok()?, field))) {
        Some((number, field)) => {
            let known = OF_A_LINE.iter().position(|known| known.eq_ignore_ascii_case(field));
            (false, number, known.unwrap_or(OF_A_LINE.len()), folded)
        }
        None => (true, 0, 0, folded),
    }
}

/// Puts a header together that is printed in several lines: one that ends in the middle of a name, or behind a separator where the next
/// line has nothing but names too.
fn mend_header(sheet: &mut Sheet) {
    let is_name = |cell: &String| cell.is_empty() || ParameterName::parse(cell).is_ok();
    loop {
        let next = sheet.rows.first().map(|row| row.cells.clone()).unwrap_or_default();
        match sheet.headings.last().map(String::as_str) {
            Some(last) if last.len() > 1 && last.ends_with('.') && !next.is_empty() => {
                let joined = format!("{last}{}", next[0]);
                sheet.headings.pop();
                sheet.headings.push(joined);
                sheet.headings.extend(next.into_iter().skip(1));
            }
            Some("") if next.len() > 1 && next.iter().all(is_name) && next[0].contains('.') => {
                sheet.headings.pop();
                sheet.headings.extend(next);
            }
            _ => break,
        }
        sheet.rows.remove(0);
    }
    while sheet.headings.last().is_some_and(|heading| heading.trim().is_empty()) {
        sheet.headings.pop();
    }
}

type Header = (HashMap<Column, usize>, Vec<(usize, ParameterName)>);

fn header(sheet: &Sheet, schema: &Schema) -> Result<Header, SheetError> {
    let wrong = |message: String| SheetError { line: 1, message };
    let (mut places, mut parameters) = (HashMap::new(), Vec::new());
    let mut seen = HashMap::new();
    for (place, heading) in sheet.headings.iter().enumerate() {
        let heading = unbroken(heading);
        if heading.contains(char::is_whitespace) {
            let message =
                format!("column {}, “{heading}”: no parameter and no column of devices has a blank in its name", place + 1);
            return Err(wrong(message));
        }
        if seen.insert(heading.to_lowercase(), place).is_some() {
            return Err(wrong(format!("the column {heading} stands there twice")));
        }
        if heading.is_empty() {
            return Err(wrong(format!("column {} has no name", place + 1)));
        }
        if let Some(column) = Column::ALL.into_iter().find(|column| column.heading().eq_ignore_ascii_case(&heading)) {
            places.insert(column, place);
            continue;
        }
        if heading.to_lowercase().starts_with(RESERVED) {
            let known: Vec<_> = Column::ALL.iter().map(|column| column.heading()).collect();
            return Err(wrong(format!("there is no column {heading}; besides parameters there are {}", known.join(", "))));
        }
        let name = spelt(schema, &heading).unwrap_or(heading);
        let name = ParameterName::parse(&name).map_err(|error| wrong(format!("column {}, “{name}”: {error}", place + 1)))?;
        parameters.push((place, name));
    }
    if !places.contains_key(&Column::Mac) && !places.contains_key(&Column::Serial) {
        return Err(wrong("there is neither a column mac_address nor serial_number; one of them is required".to_owned()));
    }
    Ok((places, parameters))
}

/// A heading without the blanks that come of a line which was broken behind a dot.
fn unbroken(heading: &str) -> String {
    heading.trim().split('.').map(str::trim).collect::<Vec<_>>().join(".")
}

/// A parameter in the letter case of the schema, with its own numbers.
fn spelt(schema: &Schema, heading: &str) -> Option<String> {
    let found = schema.find(heading).filter(|found| !found.is_for_a_model && !found.is_spelt_so)?;
    let of_schema: Vec<&str> = parts(&found.definition.name);
    let own: Vec<&str> = parts(heading);
    if own.len() != of_schema.len() {
        return None;
    }
    let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let part = |(own, of_schema): (&str, &str)| if is_number(own) { own.to_owned() } else { of_schema.to_owned() };
    let spelt: String = own.into_iter().zip(of_schema).map(part).collect();
    spelt.eq_ignore_ascii_case(heading).then_some(spelt)
}

/// Runs of digits and of everything else, in turn.
fn parts(name: &str) -> Vec<&str> {
    let bytes = name.as_bytes();
    bytes.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).filter_map(|part| std::str::from_utf8(part).ok()).collect()
}

/// Puts rows together that are printed in two lines: broken behind a separator or a `|`, and whole together. A line that begins a
/// device of its own is never taken for the rest of another.
fn mended(rows: Vec<Row>, wanted: usize, places: &HashMap<Column, usize>) -> Vec<Row> {
    let mut whole: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match whole.last_mut() {
            Some(last) if row.cells.len() < wanted && !begins_a_device(&row, places) => match together(last, &row, wanted) {
                Some(cells) => last.cells = cells,
                None => whole.push(row),
            },
            _ => whole.push(row),
        }
    }
    whole
}

fn begins_a_device(row: &Row, places: &HashMap<Column, usize>) -> bool {
    let key = |column| row.cells.get(*places.get(&column)?)?.parse::<DeviceKey>().ok();
    matches!(key(Column::Mac), Some(DeviceKey::Mac(_))) || key(Column::Serial).is_some()
}

fn together(first: &Row, rest: &Row, wanted: usize) -> Option<Vec<String>> {
    let (last, before) = first.cells.split_last()?;
    if last.ends_with('|') && first.cells.len() + rest.cells.len() - 1 == wanted {
        let joined = format!("{last}{}", rest.cells[0]);
        return Some(before.iter().cloned().chain([joined]).chain(rest.cells[1..].iter().cloned()).collect());
    }
    let is_broken = last.is_empty() && before.len() + rest.cells.len() == wanted;
    is_broken.then(|| before.iter().chain(&rest.cells).cloned().collect())
}

/// The cells of a row that has as many as the header; empty ones at the end are nothing.
fn whole(row: Row, wanted: usize, separator: Separator) -> Result<Vec<String>, String> {
    let mut cells = row.cells;
    while cells.len() > wanted && cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
    if cells.len() == wanted {
        return Ok(cells);
    }
    let others = Separator::ALL.into_iter().filter(|other| *other != separator);
    let other = others.filter(|other| row.raw.matches(other.char()).count() + 1 >= wanted).map(Separator::word).next();
    let hint = match other {
        Some(other) => format!("it uses {other} as separator, and the header {}", separator.word()),
        None => format!("put quotation marks around cells that hold a {}", separator.word()),
    };
    Err(format!("the row has {} cells, the header {wanted}; {hint}", cells.len()))
}

#[cfg(test)]
#[path = "devices_tests.rs"]
mod tests;
