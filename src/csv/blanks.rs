//! Blanks around the cells of a table, which people type and printed examples have (R273): they mean nothing, unless they stand within
//! quotation marks. A quotation mark behind blanks begins a quoted cell all the same.

use std::iter::Peekable;
use std::str::Chars;

/// Where in a table we are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// At the beginning of a cell, where blanks are dropped.
    Start,
    /// In a cell without quotation marks.
    Plain,
    /// Between quotation marks.
    Quoted,
    /// Behind the quotation mark that ends a cell.
    Closed,
}

/// The same table without blanks around its cells; lines end in line feeds, but for those within cells.
///
/// # Errors
/// The line of a quotation mark that nothing closes: everything behind it would be one cell.
pub(super) fn dropped(text: &str, separator: char) -> Result<String, u64> {
    let mut out = String::with_capacity(text.len());
    let mut blanks = String::new();
    let mut within = Within::Start;
    let (mut line, mut opened) = (1, 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_line = c == '\n' || c == '\r' && chars.peek() != Some(&'\n');
        if within == Within::Quoted {
            line += u64::from(ends_line);
            within = quoted(c, &mut chars, &mut out);
        } else if c == separator {
            blanks.clear();
            out.push(c);
            within = Within::Start;
        } else if c == '\r' || c == '\n' {
            if c == '\r' && chars.peek() == Some(&'\n') {
                chars.next();
            }
            blanks.clear();
            out.push('\n');
            line += 1;
            within = Within::Start;
        } else if c.is_whitespace() {
            if within != Within::Start {
                blanks.push(c);
            }
        } else {
            out.push_str(&blanks);
            blanks.clear();
            out.push(c);
            within = if within == Within::Start && c == '"' { Within::Quoted } else { Within::Plain };
            if within == Within::Quoted {
                opened = line;
            }
        }
    }
    if within == Within::Quoted { Err(opened) } else { Ok(out) }
}

/// One character between quotation marks: two marks are one that is meant.
fn quoted(c: char, chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Within {
    out.push(c);
    if c != '"' {
        return Within::Quoted;
    }
    if chars.peek() == Some(&'"') {
        chars.next();
        out.push('"');
        return Within::Quoted;
    }
    Within::Closed
}

#[cfg(test)]
mod tests {
    use super::dropped;

    #[test]
    fn blanks_go_around_cells_and_stay_within_them() {
        for (text, expected) in [
            (" a , b c ,d\t\r\n", "a,b c,d\n"),
            ("a, \" b \"\" , \" ,c", "a,\" b \"\" , \",c"),
            ("a,\"b\r\nc\"\rd,e", "a,\"b\r\nc\"\nd,e"),
            ("\"a\" x , b\n\n", "\"a\" x,b\n\n"),
            ("x\u{a0},\u{a0}y", "x,y"),
        ] {
            assert_eq!(dropped(text, ',').as_deref(), Ok(expected), "{text:?}");
        }
        assert_eq!(dropped(" a\t b,c \t", '\t').as_deref(), Ok("a\tb,c\t"));
    }

    #[test]
    fn a_quotation_mark_that_nothing_closes_is_told_with_its_line() {
        for (text, line) in [("a,\"b\nc,d\n", 1), ("a\r\n\"b\r\nc\",d\r\ne,\"f\r\n", 4), ("a\r\"b\"\r\"", 3), ("a\n\"b\"\"", 2)] {
            assert_eq!(dropped(text, ','), Err(line), "{text:?}");
        }
    }
}
