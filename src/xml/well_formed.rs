//! Whether a file is XML that phones can read, whatever it says: for files that are handed out as they are.

use roxmltree::Document;

use super::encoding::decode;
use super::read::{ReadError, refuse_faults, syntax_error};
use super::scan::{Bounds, OF_CONFIGURATION, OF_DOCUMENT, scan};

/// What kind of XML it is: their bounds differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Parameters, thousands of them in one element.
    Configuration,
    /// Anything else: many elements with a few attributes each.
    Document,
}

impl Kind {
    fn bounds(self) -> Bounds {
        match self {
            Self::Configuration => OF_CONFIGURATION,
            Self::Document => OF_DOCUMENT,
        }
    }
}

/// Reads a file to its end. The caller bounds its size.
///
/// # Errors
/// The first place that speaks against it.
pub fn check(bytes: &[u8], kind: Kind) -> Result<(), ReadError> {
    let text = decode(bytes)?;
    refuse_faults(&text, scan(&text, kind.bounds()).fault)?;
    Document::parse(&text).map(drop).map_err(|error| syntax_error(&text, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        check(text.as_bytes(), Kind::Document).expect_err("refused").to_string()
    }

    #[test]
    fn whatever_is_well_formed_is_taken() {
        for text in
            ["<directory><item_list/></directory>", "<?xml version='1.0'?>\n<x a='1'>text</x>\n", "\u{feff}<html><br/></html>"]
        {
            assert_eq!(check(text.as_bytes(), Kind::Document), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_phones_could_not_read_is_told_with_its_place() {
        assert!(told("<a>\n<b></a>").starts_with("line 2"), "{}", told("<a>\n<b></a>"));
        assert!(told("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>").contains("DOCTYPE not allowed"));
        assert!(told("no markup").starts_with("line 1"));
        assert!(told(&("<a>".repeat(200) + &"</a>".repeat(200))).contains("elements within each other"));
        assert!(check(b"<a b='\xfc'/>", Kind::Document).is_err_and(|error| error.to_string().contains("not UTF-8")));
        let wide = format!("<a{}/>", (0..600).map(|i| format!(" b{i}='1'")).collect::<String>());
        assert!(check(wide.as_bytes(), Kind::Document).is_err() && check(wide.as_bytes(), Kind::Configuration).is_ok());
    }
}
