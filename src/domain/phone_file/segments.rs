//! A path as phones write it, taken apart: decoded, refused where it could lead elsewhere or deceive a reader, and brought
//! into the one form in which paths are compared.

use super::{DEFAULT_ACCOUNT_LABEL, ImageFile};

/// Longest path that is looked at, in bytes as sent. Phones stay below 255 (protocol/provisioning.md 2).
const PATH_BYTES: usize = 1_024;

/// The decoded segments below the account's root; none for a path that is hostile or far too long.
///
/// Empty segments come from addresses that end with a slash, `.` from relative ones: both are harmless and left away. A query
/// is ignored.
pub(super) fn below_root(path: &str) -> Option<Vec<String>> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path.len() > PATH_BYTES {
        return None;
    }
    let mut segments = path.split('/').map(segment).collect::<Option<Vec<_>>>()?;
    segments.retain(|segment| !segment.is_empty() && segment != ".");
    let labels = segments.iter().take_while(|segment| segment.eq_ignore_ascii_case(DEFAULT_ACCOUNT_LABEL)).count();
    // A file may have this name, too.
    segments.drain(..labels.min(segments.len().saturating_sub(1)));
    Some(segments)
}

/// The form in which two paths are compared: joined, in lower case, the name without the part numbers that phones put in front
/// of images (protocol/provisioning.md 4.2).
pub(super) fn compared(segments: &[String]) -> String {
    let Some((name, folders)) = segments.split_last() else { return String::new() };
    let mut path = folders.join("/");
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(&ImageFile::parse(name).base);
    path.to_ascii_lowercase()
}

/// One decoded segment; none where it could lead out of its directory or deceive a reader.
fn segment(encoded: &str) -> Option<String> {
    let text = percent_decoded(encoded)?;
    let hostile = text == ".."
        || text.chars().any(|c| {
            c.is_control()
                || matches!(c, '/' | '\\' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        });
    (!hostile && (text.is_empty() || !text.trim().is_empty())).then_some(text)
}

/// Decodes `%XX` once; none for a broken escape or what is no UTF-8.
fn percent_decoded(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let (digits, tail) = tail.split_at_checked(2)?;
            let digit = |d: u8| char::from(d).to_digit(16);
            bytes.push(u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()?);
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}
