//! Credentials and how a phone presents them: Basic and Digest (rules 13, 14; protocol/provisioning.md 3.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

/// A user name and a password for the provisioning server.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, …)", self.user)
    }
}

/// What of a Digest challenge an answer to it needs (RFC 7616).
#[derive(Clone, Debug, PartialEq, Eq)]
struct DigestChallenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Option<String>,
    quality: bool,
}

impl Credentials {
    /// A user name and a password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into() }
    }

    /// The part of an address before its `@`.
    pub fn parse(text: &str) -> Self {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Self::new(user, password)
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The `Authorization` header for Basic.
    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.password)))
    }

    /// The `Authorization` header that answers a server's challenges: Digest where it is offered, else Basic.
    /// `count` numbers the answers of one phone: it serves as the client's own nonce, so that runs can be repeated exactly.
    pub fn answer(&self, challenges: &[String], method: &str, path: &str, count: u32) -> Option<String> {
        let digest = challenges.iter().find_map(|text| DigestChallenge::read(text));
        if let Some(digest) = digest {
            return Some(self.digest(&digest, method, path, &format!("{count:08x}")));
        }
        let basic = challenges.iter().any(|text| text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic")));
        basic.then(|| self.basic())
    }

    fn digest(&self, challenge: &DigestChallenge, method: &str, path: &str, cnonce: &str) -> String {
        let DigestChallenge { realm, nonce, opaque, algorithm, quality } = challenge;
        let secret = md5_hex(&format!("{}:{realm}:{}", self.user, self.password));
        let target = md5_hex(&format!("{method}:{path}"));
        let response = if *quality {
            md5_hex(&format!("{secret}:{nonce}:00000001:{cnonce}:auth:{target}"))
        } else {
            md5_hex(&format!("{secret}:{nonce}:{target}"))
        };
        let user = &self.user;
        let mut header =
            format!(r#"Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{path}", response="{response}""#);
        if *quality {
            header += &format!(r#", qop=auth, nc=00000001, cnonce="{cnonce}""#);
        }
        if let Some(algorithm) = algorithm {
            header += &format!(", algorithm={algorithm}");
        }
        if let Some(opaque) = opaque {
            header += &format!(r#", opaque="{opaque}""#);
        }
        header
    }
}

impl DigestChallenge {
    /// Reads a `WWW-Authenticate` value; none unless it is Digest with an algorithm that phones know, which is MD5 only.
    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let get =
            |wanted: &str| fields(rest).find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.to_owned());
        let algorithm = get("algorithm");
        if algorithm.as_deref().is_some_and(|name| !name.eq_ignore_ascii_case("md5")) {
            return None;
        }
        let quality = get("qop").is_some_and(|values| values.split(',').any(|value| value.trim() == "auth"));
        Some(Self { realm: get("realm")?, nonce: get("nonce")?, opaque: get("opaque"), algorithm, quality })
    }
}

/// The `name=value` pairs of a challenge; quoted values may hold commas.
fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (name, after) = rest.trim_start_matches([' ', ',']).split_once('=')?;
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        rest = left;
        Some((name.trim(), value.trim()))
    })
}

fn md5_hex(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_13_digest_is_answered_as_in_the_standards_own_examples() {
        let newer = r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;
        let newer = DigestChallenge::read(newer).expect("a Digest challenge");
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let header = Credentials::new("Mufasa", "Circle of Life").digest(&newer, "GET", "/dir/index.html", cnonce);
        assert!(header.contains(r#"response="8ca523f5e9506fed4657c9700eebdbec""#), "{header}");
        let older = DigestChallenge::read(r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#);
        let older = older.expect("a Digest challenge");
        let header = Credentials::new("Mufasa", "CircleOfLife").digest(&older, "GET", "/dir/index.html", "");
        assert!(header.contains(r#"response="1949323746fe6a43ef61f9606e7febea""#), "{header}");
    }

    #[test]
    fn rule_13_basic_is_answered_where_no_digest_is_offered() {
        let credentials = Credentials::parse("PlcmSpIp:a:b");
        assert_eq!(credentials.password(), "a:b");
        assert_eq!(credentials.answer(&["Basic realm=\"x\"".to_owned()], "GET", "/", 1), Some(credentials.basic()));
        assert_eq!(credentials.answer(&["Negotiate".to_owned()], "GET", "/", 1), None);
        assert!(!format!("{credentials:?}").contains("a:b"));
    }
}
