//! What came of a file row by row, to be looked at and to be saved (R95, R274): whose it was, when, and each row with its result.

use std::fmt;

use jiff::Timestamp;

/// The log of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportLog {
    /// What the file is called.
    pub source: String,
    /// Who sent it.
    pub who: String,
    /// When it was looked at or taken.
    pub at: Timestamp,
    /// Whether it was taken, and what came of it, in one sentence.
    pub outcome: String,
    /// Its rows, in order.
    pub rows: Vec<LogRow>,
}

/// What came of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Line that it begins in.
    pub line: u64,
    /// What it is about: the name of a site, the key of a device.
    pub subject: String,
    /// Another name of it, where it has one.
    pub name: Option<String>,
    /// The result in one word.
    pub word: &'static str,
    /// Why, and what changed: one thing after the other, without line breaks and tabs.
    pub told: Vec<String>,
}

/// A text that keeps to one cell of the log.
pub fn flat(text: &str) -> String {
    text.replace(['\r', '\n', '\t'], " ")
}

/// A field that changed, as one cell of the log.
pub fn changed(change: &crate::domain::activity::Change) -> String {
    let (field, text) = (&change.field, |value: &str| flat(value));
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!("{field} was “{}”, is now “{}”", text(old), text(new)),
        (Some(old), None) => format!("{field} was “{}”, is now nothing", text(old)),
        (None, Some(new)) => format!("{field} is now “{}”", text(new)),
        (None, None) => field.to_string(),
    }
}

impl ImportLog {
    /// How many rows came to this.
    pub fn count(&self, word: &str) -> usize {
        self.rows.iter().filter(|row| row.word == word).count()
    }

    /// Bytes that it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        const ROW: usize = 128;
        const CELL: usize = 24;
        self.rows.iter().map(|row| ROW + row.subject.len() + row.told.iter().map(|cell| CELL + cell.len()).sum::<usize>()).sum()
    }
}

/// Three lines about the file, an empty one, and one for each row with tabs between its cells.
impl fmt::Display for ImportLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\r\n{:.0}, {}\r\n{}\r\n\r\n", flat(&self.source), self.at, flat(&self.who), flat(&self.outcome))?;
        for row in &self.rows {
            write!(f, "line {}\t{}", row.line, flat(&row.subject))?;
            if let Some(name) = &row.name {
                write!(f, "\t{}", flat(name))?;
            }
            write!(f, "\t{}", row.word)?;
            for cell in &row.told {
                write!(f, "\t{cell}")?;
            }
            f.write_str("\r\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_says_whose_file_it_was_and_what_came_of_each_row_in_one_line() {
        let row = LogRow { line: 2, subject: "A\nB".to_owned(), name: None, word: "added", told: vec!["networks".to_owned()] };
        let log = ImportLog {
            source: "sites.csv".to_owned(),
            who: "ada".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            outcome: "Imported: 1 site added.".to_owned(),
            rows: vec![row],
        };
        let text = "sites.csv\r\n1970-01-01T00:00:00Z, ada\r\nImported: 1 site added.\r\n\r\nline 2\tA B\tadded\tnetworks\r\n";
        assert_eq!((log.to_string().as_str(), log.count("added"), log.count("changed")), (text, 1, 0));
    }
}
