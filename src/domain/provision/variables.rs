//! The variables that profiles may use, and how a key takes the place of the first.
//!
//! `$mac_address` and `${mac_address}` become the device's key (R169); `${downloadPath}` and `${CXPhoneVersion}` (R132) are replaced
//! by [`super::software`] when a draft is made. Nothing else is syntax: `$FDialpad$`, `${x}`, `|` and
//! `{}` are ordinary text, and what a replacement makes is not looked at again.

use std::borrow::Cow;

/// A part of a text that may hold variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Ordinary text.
    Text(&'a str),
    /// The device's key: its MAC in 12 lower-case hexadecimal digits, or its serial number.
    Key,
}

/// The download path of the device, without the slash at its end (R132).
pub const DOWNLOAD_PATH: &str = "${downloadPath}";

/// The version that a station of the CX family is sent to (R132).
pub const CX_VERSION: &str = "${CXPhoneVersion}";

/// Whether a text holds one of the two variables that depend on the device's software.
pub fn is_about_software(text: &str) -> bool {
    text.contains(DOWNLOAD_PATH) || text.contains(CX_VERSION)
}

const SPELLINGS: [&str; 2] = ["$mac_address", "${mac_address}"];

/// Takes a text apart, from left to right.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(after) = SPELLINGS.iter().find_map(|spelling| rest.strip_prefix(spelling)) {
            rest = after;
            return Some(Piece::Key);
        }
        let (before, after) = rest.split_at(next_variable(rest));
        rest = after;
        Some(Piece::Text(before))
    })
}

/// Where the next variable begins; the length of the text if there is none.
fn next_variable(text: &str) -> usize {
    let is_variable = |at: &usize| SPELLINGS.iter().any(|spelling| text[*at..].starts_with(spelling));
    // Nearly all values have no `$` at all: that is what must be fast.
    text.match_indices('$').map(|(at, _)| at).find(is_variable).unwrap_or(text.len())
}

/// Replaces the variables by a key.
pub fn expand<'a>(text: &'a str, key: &str) -> Cow<'a, str> {
    if !text.contains('$') {
        return Cow::Borrowed(text);
    }
    let part = |piece| match piece {
        Piece::Text(text) => text,
        Piece::Key => key,
    };
    Cow::Owned(pieces(text).map(part).collect())
}

/// How many bytes a text has once its variables are replaced by a key of this length.
pub fn expanded_bytes(text: &str, key_bytes: usize) -> usize {
    let length = |piece| match piece {
        Piece::Text(text) => str::len(text),
        Piece::Key => key_bytes,
    };
    pieces(text).map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_become_the_key_and_nothing_else_does() {
        let cases = [
            ("$mac_address-site.cfg", "0004f2aabbcc-site.cfg"),
            ("a/${mac_address}/b", "a/0004f2aabbcc/b"),
            ("$mac_address$mac_address", "0004f2aabbcc0004f2aabbcc"),
            ("${${mac_address}}", "${0004f2aabbcc}"),
            ("$${mac_address}", "$0004f2aabbcc"),
            ("$FDialpad$", "$FDialpad$"),
            ("${PATH}|{x}$", "${PATH}|{x}$"),
            ("$MAC_ADDRESS ${mac_address", "$MAC_ADDRESS ${mac_address"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(expand(text, "0004f2aabbcc"), expected, "{text}");
            assert_eq!(expanded_bytes(text, 12), expected.len(), "{text}");
        }
    }

    #[test]
    fn what_a_replacement_makes_is_not_replaced_again() {
        assert_eq!(expand("$mac_addres$mac_address", "s1234567"), "$mac_address1234567");
    }
}
