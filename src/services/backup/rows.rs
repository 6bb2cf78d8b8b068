//! The database in a backup: its rows one after the other, each table and each key once and in order, with their number at the end.
//!
//! Own framing, because rows are bytes: a word that tells the form, then records of a table (its name), a row (key and value) or
//! the end. Lengths stand before what they measure, and are bounded before anything is read.

use std::io::{self, Read, Write};

use crate::store::Row;

const MAGIC: &[u8] = b"pdms-rows-1\n";
const END: u8 = 0;
const TABLE: u8 = 1;
const ROW: u8 = 2;
/// Bytes of a table's name.
const MOST_NAME: u64 = 64;
/// Bytes of a key: the longest ones hold a file's name.
const MOST_KEY: u64 = 4 * 1024;
/// Bytes of a value: the greatest ones are profiles.
const MOST_VALUE: u64 = 64 * 1024 * 1024;

/// Writes rows.
pub struct RowWriter<W> {
    out: W,
    table: String,
    rows: u64,
}

impl<W: Write> RowWriter<W> {
    /// Begins.
    ///
    /// # Errors
    /// Of the stream.
    pub fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        Ok(Self { out, table: String::new(), rows: 0 })
    }

    /// Writes a row; the rows of a table come together, and tables by name.
    ///
    /// # Errors
    /// Of the stream.
    pub fn row(&mut self, table: &str, key: &[u8], value: &[u8]) -> io::Result<()> {
        if self.table != table {
            table.clone_into(&mut self.table);
            self.out.write_all(&[TABLE])?;
            self.sized(table.as_bytes())?;
        }
        self.out.write_all(&[ROW])?;
        self.sized(key)?;
        self.sized(value)?;
        self.rows += 1;
        Ok(())
    }

    /// Ends, and answers how many rows there were.
    ///
    /// # Errors
    /// Of the stream.
    pub fn finish(mut self) -> io::Result<u64> {
        self.out.write_all(&[END])?;
        self.out.write_all(&self.rows.to_be_bytes())?;
        Ok(self.rows)
    }

    fn sized(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(bytes)
    }
}

/// Reads rows, and trusts nothing.
pub struct RowReader<R> {
    from: R,
    table: Option<String>,
    key: Option<Vec<u8>>,
    rows: u64,
    ended: bool,
}

impl<R: Read> RowReader<R> {
    /// Begins.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] where these are no rows; of the stream.
    pub fn begin(mut from: R) -> io::Result<Self> {
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Err(wrong("it holds no rows"));
        }
        Ok(Self { from, table: None, key: None, rows: 0, ended: false })
    }

    /// The next row; none after the last one.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        while !self.ended {
            match self.byte()? {
                TABLE => self.begin_table()?,
                ROW => return self.read_row().map(Some),
                END => self.end()?,
                _ => return Err(wrong("a record is of no known kind")),
            }
        }
        Ok(None)
    }

    fn begin_table(&mut self) -> io::Result<()> {
        let name = String::from_utf8(self.sized(MOST_NAME)?).map_err(|_| wrong("the name of a table is no text"))?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(wrong("the name of a table is none of ours"));
        }
        if self.table.as_ref().is_some_and(|before| *before >= name) {
            return Err(wrong("a table comes twice or out of order"));
        }
        (self.table, self.key) = (Some(name), None);
        Ok(())
    }

    fn read_row(&mut self) -> io::Result<Row> {
        let table = self.table.clone().ok_or_else(|| wrong("a row is in no table"))?;
        let key = self.sized(MOST_KEY)?;
        let value = self.sized(MOST_VALUE)?;
        if self.key.as_ref().is_some_and(|before| *before >= key) {
            return Err(wrong("a row comes twice or out of order"));
        }
        self.key = Some(key.clone());
        self.rows += 1;
        Ok(Row { table, key, value })
    }

    fn end(&mut self) -> io::Result<()> {
        let mut count = [0; 8];
        self.from.read_exact(&mut count)?;
        if u64::from_be_bytes(count) != self.rows {
            return Err(wrong("rows are missing"));
        }
        if self.from.read(&mut [0])? != 0 {
            return Err(wrong("something follows the last row"));
        }
        self.ended = true;
        Ok(())
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.from.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn sized(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length)?;
        let length = u64::from(u32::from_be_bytes(length));
        if length > most {
            return Err(wrong("a part of a row is longer than any of ours"));
        }
        let mut bytes = Vec::new();
        if (&mut self.from).take(length).read_to_end(&mut bytes)? as u64 != length {
            return Err(wrong("it ends within a row"));
        }
        Ok(bytes)
    }
}

fn wrong(cause: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the database in it cannot be read: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: &[(&str, &str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = RowWriter::begin(&mut out).expect("begun");
        for (table, key, value) in rows {
            writer.row(table, key.as_bytes(), value.as_bytes()).expect("written");
        }
        writer.finish().expect("finished");
        out
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<Row>> {
        let mut reader = RowReader::begin(bytes)?;
        std::iter::from_fn(|| reader.next_row().transpose()).collect()
    }

    #[test]
    fn rows_come_back_and_nothing_half_is_taken() {
        let whole = written(&[("a-1", "k", "v"), ("a-1", "l", ""), ("b-1", "", "w")]);
        let rows = read(&whole).expect("rows");
        assert_eq!(rows.len(), 3);
        assert_eq!((rows[2].table.as_str(), rows[2].key.as_slice(), rows[2].value.as_slice()), ("b-1", &b""[..], &b"w"[..]));
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "cut at {end}");
        }
        assert!(read(&[&whole[..], b"x"].concat()).is_err());
    }

    #[test]
    fn what_we_would_not_write_is_refused() {
        for rows in [
            &[("b", "k", ""), ("a", "k", "")][..],
            &[("a", "l", ""), ("a", "k", "")],
            &[("a", "k", ""), ("a", "k", "")],
            &[("../a", "k", "")],
        ] {
            assert!(read(&written(rows)).is_err(), "{rows:?}");
        }
        let mut endless = MAGIC.to_vec();
        endless.extend([TABLE, 0, 0, 0, 1, b'a', ROW, 0xff, 0xff, 0xff, 0xff]);
        assert!(read(&endless).is_err());
    }
}
