//! Bytes of an uploaded or pasted file to text: byte order mark, then the XML declaration, then UTF-8.

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::domain::import::Position;

use super::read::{ReadError, Reason};

/// How much of a file may be looked at for its XML declaration, in bytes.
const DECLARATION_BYTES: usize = 256;

/// Decodes a file. Anything that is not exactly the encoding it claims to be is refused with the place of the first bad byte.
pub(super) fn decode(bytes: &[u8]) -> Result<String, ReadError> {
    match detect(bytes)? {
        Charset::Latin1(bytes) => Ok(encoding_rs::mem::decode_latin1(bytes).into_owned()),
        Charset::Ascii(bytes) => match bytes.iter().position(|b| !b.is_ascii()) {
            None => Ok(encoding_rs::mem::decode_latin1(bytes).into_owned()),
            Some(at) => Err(bad_byte(&encoding_rs::mem::decode_latin1(&bytes[..at]), "US-ASCII")),
        },
        Charset::Encoding(encoding, bytes) => decode_strictly(encoding, bytes),
    }
}

/// An encoding and the bytes that follow its mark.
enum Charset<'a> {
    /// ISO-8859-1 as XML means it. The decoder's own table takes it for Windows-1252, as browsers must.
    Latin1(&'a [u8]),
    /// US-ASCII, for the same reason.
    Ascii(&'a [u8]),
    Encoding(&'static Encoding, &'a [u8]),
}

fn detect(bytes: &[u8]) -> Result<Charset<'_>, ReadError> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Ok(Charset::Encoding(encoding, &bytes[mark..]));
    }
    match bytes {
        [b'<', 0, ..] => return Ok(Charset::Encoding(UTF_16LE, bytes)),
        [0, b'<', ..] => return Ok(Charset::Encoding(UTF_16BE, bytes)),
        _ => {}
    }
    let Some(label) = declared(bytes) else { return Ok(Charset::Encoding(UTF_8, bytes)) };
    match label.to_ascii_lowercase().as_str() {
        "iso-8859-1" | "iso_8859-1" | "iso8859-1" | "latin1" | "l1" => return Ok(Charset::Latin1(bytes)),
        "us-ascii" | "ascii" => return Ok(Charset::Ascii(bytes)),
        _ => {}
    }
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        // A declaration that can be read byte by byte cannot be UTF-16: the file was converted and still claims its old encoding.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(Charset::Encoding(UTF_8, bytes)),
        Some(encoding) => Ok(Charset::Encoding(encoding, bytes)),
        None => Err(ReadError { at: Position::START, reason: Reason::UnknownEncoding(label) }),
    }
}

/// The encoding that the XML declaration names.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = encoding_rs::mem::decode_latin1(&bytes[..bytes.len().min(DECLARATION_BYTES)]);
    let (declaration, _) = head.strip_prefix("<?xml")?.split_once("?>")?;
    let (_, rest) = declaration.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split_once(quote).map(|(label, _)| label.trim().to_owned())
}

fn decode_strictly(encoding: &'static Encoding, bytes: &[u8]) -> Result<String, ReadError> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len().saturating_mul(3));
    let mut text = String::with_capacity(room);
    match decoder.decode_to_string_without_replacement(bytes, &mut text, true).0 {
        DecoderResult::InputEmpty => Ok(text),
        DecoderResult::OutputFull | DecoderResult::Malformed(..) => Err(bad_byte(&text, encoding.name())),
    }
}

/// The error for a bad byte after `before`.
fn bad_byte(before: &str, encoding: &'static str) -> ReadError {
    ReadError { at: Position::after(before), reason: Reason::BadByte(encoding) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_usual_encoding_gives_the_same_text() {
        let text = "<a b=\"Büro €\"/>";
        let marked = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            marked(b"\xef\xbb\xbf", text.into()),
            marked(b"\xff\xfe", utf16(text, u16::to_le_bytes)),
            marked(b"\xfe\xff", utf16(text, u16::to_be_bytes)),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text), "{bytes:?}");
        }
    }

    #[test]
    fn one_byte_encodings_go_by_the_declaration() {
        let file = |label: &str, value: &[u8]| {
            [format!("<?xml version='1.0' encoding='{label}'?><a b='").as_bytes(), value, b"'/>"].concat()
        };
        let decoded = |label, value| decode(&file(label, value)).map(|t| t.contains("'ü€'"));
        assert_eq!(decoded("windows-1252", b"\xfc\x80"), Ok(true));
        assert_eq!(decoded("ISO-8859-15", b"\xfc\xa4"), Ok(true));
        assert!(decode(&file("ISO-8859-1", b"\xfc\x80")).is_ok_and(|t| t.contains("'ü\u{80}'")), "Latin-1 is not Windows-1252");
        assert!(decode(&file("utf-16", "ü".as_bytes())).is_ok_and(|t| t.contains('ü')));
    }

    #[test]
    fn what_is_not_what_it_claims_is_refused_with_its_place() {
        let refused = |bytes: &[u8]| decode(bytes).map_err(|e| (e.at.line, e.at.column, e.reason)).err();
        assert_eq!(refused(b"<a\n b=\"x\xfc\"/>"), Some((2, 6, Reason::BadByte("UTF-8"))));
        assert_eq!(refused(b"<?xml encoding='ascii'?>\n\xfc"), Some((2, 1, Reason::BadByte("US-ASCII"))));
        assert_eq!(refused(b"\xff\xfe<\0a\0\x00\xd8x\0"), Some((1, 3, Reason::BadByte("UTF-16LE"))));
        assert_eq!(refused(b"<?xml encoding='klingon'?>"), Some((1, 1, Reason::UnknownEncoding("klingon".to_owned()))));
    }
}
