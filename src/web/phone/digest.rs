//! HTTP Digest (RFC 7616) at the phones' door, for networks without TLS (R316): MD5 with `qop=auth`, which is what such phones
//! know. The nonce holds its time and our seal on it, so nothing is kept of a challenge.
//!
//! It keeps the password off the wire, and nothing else: whoever listens reads the files.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Whose credentials are asked for.
const REALM: &str = "pdms";
/// Longest header that is looked at.
const HEADER_BYTES: usize = 2_048;
/// Seconds that a nonce is good for: a phone's whole boot.
const NONCE_SECONDS: i64 = 300;
/// Hexadecimal digits of a nonce's time, and of the seal behind it.
const TIME_DIGITS: usize = 16;
const SEAL_BYTES: usize = 16;

/// Makes challenges and knows its own nonces again.
pub(super) struct Digests {
    key: [u8; 32],
}

/// What is to be thought of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nonce {
    /// Ours, and not too old.
    Fresh,
    /// Ours, and too old: with the right password a phone is told so and repeats without asking anybody.
    Stale,
    /// Not ours.
    Foreign,
}

/// An answer to a challenge, as a phone sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    /// Whose credentials it was made with, as the phone writes it.
    pub(super) user: String,
    nonce: String,
    /// The path that it counts for.
    pub(super) uri: String,
    count: String,
    client_nonce: String,
    response: String,
}

impl Digests {
    /// With a key that nobody else knows.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The value of `WWW-Authenticate`.
    pub fn challenge(&self, now: Timestamp, stale: bool) -> String {
        let nonce = self.nonce(now.as_second());
        let stale = if stale { ", stale=true" } else { "" };
        format!("Digest realm=\"{REALM}\", qop=\"auth\", algorithm=MD5, nonce=\"{nonce}\"{stale}")
    }

    /// What is to be thought of the nonce of an answer.
    pub fn nonce_of(&self, answered: &Answered, now: Timestamp) -> Nonce {
        let time = answered.nonce.get(..TIME_DIGITS).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let Some(second) = time.and_then(|time| i64::try_from(time).ok()) else { return Nonce::Foreign };
        if !bool::from(self.nonce(second).as_bytes().ct_eq(answered.nonce.as_bytes())) {
            return Nonce::Foreign;
        }
        // A clock that was set back must not make nonces that last.
        if (0..NONCE_SECONDS).contains(&(now.as_second() - second)) { Nonce::Fresh } else { Nonce::Stale }
    }

    fn nonce(&self, second: i64) -> String {
        let time = format!("{second:0TIME_DIGITS$x}");
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(b"digest nonce");
        mac.update(time.as_bytes());
        let seal = mac.finalize().into_bytes();
        format!("{time}{}", hex::encode(&seal[..SEAL_BYTES]))
    }
}

impl Answered {
    /// Reads the header of a request; none unless it is Digest with everything that `qop=auth` needs.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get(AUTHORIZATION)?.to_str().ok().filter(|text| text.len() <= HEADER_BYTES)?;
        let (scheme, rest) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let fields = fields(rest)?;
        let get = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let is_md5 = get("algorithm").is_none_or(|name| name.eq_ignore_ascii_case("md5"));
        let is_auth = get("qop").is_some_and(|quality| quality.eq_ignore_ascii_case("auth"));
        if !is_md5 || !is_auth || get("realm")? != REALM {
            return None;
        }
        Some(Self {
            user: get("username")?,
            nonce: get("nonce")?,
            uri: get("uri")?,
            count: get("nc")?,
            client_nonce: get("cnonce")?,
            response: get("response")?,
        })
    }

    /// Whether it was made with these credentials for this method.
    pub fn is_of(&self, user: &str, password: &str, method: &str) -> bool {
        let expected = self.expected(REALM, user, password, method);
        let same_user = self.user.as_bytes().ct_eq(user.as_bytes());
        bool::from(same_user & expected.as_bytes().ct_eq(self.response.to_ascii_lowercase().as_bytes()))
    }

    /// RFC 7616, 3.4.1.
    fn expected(&self, realm: &str, user: &str, password: &str, method: &str) -> String {
        let secret = md5_hex(&format!("{user}:{realm}:{password}"));
        let target = md5_hex(&format!("{method}:{}", self.uri));
        md5_hex(&format!("{secret}:{}:{}:{}:auth:{target}", self.nonce, self.count, self.client_nonce))
    }
}

/// The `name=value` pairs of a header, names in lower case; quoted values may hold commas and `\"`.
fn fields(text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',', '\t']);
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted)?,
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        found.push((name.trim().to_ascii_lowercase(), value));
        rest = left.trim_start_matches([' ', ',', '\t']);
    }
    Some(found)
}

/// A text up to its closing quote, and what follows.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

fn md5_hex(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use jiff::ToSpan;

    use super::*;

    fn answered(value: &str) -> Option<Answered> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).expect("a header value"));
        Answered::of(&headers)
    }

    #[test]
    fn the_standards_own_example_is_right() {
        let example = Answered {
            user: "Mufasa".to_owned(),
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".to_owned(),
            uri: "/dir/index.html".to_owned(),
            count: "00000001".to_owned(),
            client_nonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".to_owned(),
            response: String::new(),
        };
        let expected = example.expected("http-auth@example.org", "Mufasa", "Circle of Life", "GET");
        assert_eq!(expected, "8ca523f5e9506fed4657c9700eebdbec");
    }

    #[test]
    fn only_the_right_user_password_method_and_path_fit() {
        let digests = Digests::new([7; 32]);
        let now = Timestamp::UNIX_EPOCH + 90.seconds();
        let nonce = digests.nonce(now.as_second());
        let mut right = answered(&format!(
            "Digest username=\"phones\", realm=\"pdms\", nonce=\"{nonce}\", uri=\"/a.cfg\", nc=00000001, cnonce=\"x,\\\"y\", qop=auth, response=\"\""
        ))
        .expect("an answer");
        assert_eq!((right.client_nonce.as_str(), right.uri.as_str()), ("x,\"y", "/a.cfg"));
        right.response = right.expected(REALM, "phones", "s3cret", "GET");
        assert!(right.is_of("phones", "s3cret", "GET"));
        assert!(
            !right.is_of("phones", "s3cret", "PUT")
                && !right.is_of("phones", "other", "GET")
                && !right.is_of("x", "s3cret", "GET")
        );
        assert!(!Answered { uri: "/b.cfg".to_owned(), ..right.clone() }.is_of("phones", "s3cret", "GET"));
        assert!(!Answered { user: "x".to_owned(), ..right }.is_of("phones", "s3cret", "GET"));
    }

    #[test]
    fn what_lacks_a_part_or_is_of_another_kind_is_no_answer() {
        let whole = "Digest username=\"u\", realm=\"pdms\", nonce=\"n\", uri=\"/\", nc=1, cnonce=c, qop=auth, response=\"r\"";
        assert!(answered(whole).is_some());
        for (part, other) in [
            ("Digest", "Basic"),
            ("username=\"u\", ", ""),
            ("realm=\"pdms\"", "realm=\"x\""),
            ("qop=auth", "qop=auth-int"),
            ("qop=auth, ", ""),
            ("nc=1", "nc=1, algorithm=SHA-256"),
            ("response=\"r\"", "response=\"r"),
        ] {
            assert_eq!(answered(&whole.replace(part, other)), None, "{part}");
        }
    }

    #[test]
    fn a_nonce_is_ours_and_young_or_does_not_count() {
        let (ours, theirs) = (Digests::new([7; 32]), Digests::new([8; 32]));
        let now = Timestamp::UNIX_EPOCH + 1_000.seconds();
        let with = |digests: &Digests, second| Answered {
            user: String::new(),
            nonce: digests.nonce(second),
            uri: String::new(),
            count: String::new(),
            client_nonce: String::new(),
            response: String::new(),
        };
        assert_eq!(ours.nonce_of(&with(&ours, 1_000), now), Nonce::Fresh);
        assert_eq!(ours.nonce_of(&with(&ours, 701), now), Nonce::Fresh);
        assert_eq!(ours.nonce_of(&with(&ours, 700), now), Nonce::Stale);
        assert_eq!(ours.nonce_of(&with(&ours, 2_000), now), Nonce::Stale, "of a clock that was set back");
        assert_eq!(ours.nonce_of(&with(&theirs, 1_000), now), Nonce::Foreign);
        assert_eq!(ours.nonce_of(&Answered { nonce: "é".repeat(20), ..with(&ours, 1) }, now), Nonce::Foreign);
        assert!(ours.challenge(now, true).ends_with("stale=true") && !ours.challenge(now, false).contains("stale"));
    }
}
