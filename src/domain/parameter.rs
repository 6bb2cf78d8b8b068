//! Configuration parameters: names, values, and sets of them.
//!
//! A `device.x` and its `device.x.set` are one parameter everywhere (contract 5.2): [`ParameterSet`] keeps both texts as an
//! admin wrote them, resolution takes them together.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::activity::MASK;
use super::limits::{PARAMETER_NAME_CHARS, PARAMETER_VALUE_BYTES};

/// The full dotted name of a parameter, kept in the letter case it was written in (PRS-05 gives the grammar).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ParameterName(Arc<str>);

/// The rule that a parameter breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// No name at all.
    #[error("enter a parameter name")]
    Empty,
    /// More than [`PARAMETER_NAME_CHARS`] characters.
    #[error("a parameter name has at most {PARAMETER_NAME_CHARS} characters; this one has {0}")]
    TooLong(usize),
    /// A character outside the grammar, with its position counted from one.
    #[error("“{0}” (character {1}) is not allowed in a parameter name; use letters, digits, dots, hyphens and underscores")]
    Character(char, usize),
    /// A first character that XML does not allow an attribute to begin with.
    #[error("a parameter name begins with a letter or an underscore, not with “{0}”")]
    Start(char),
    /// More than [`PARAMETER_VALUE_BYTES`] bytes.
    #[error("a value has at most {PARAMETER_VALUE_BYTES} bytes; this one has {0}")]
    ValueTooLong(usize),
    /// A character that XML cannot carry.
    #[error("the value holds the control character U+{0:04X}, which no configuration file can carry")]
    Control(u32),
}

impl ParameterName {
    /// Parses a name: a letter or underscore, then letters, digits, `.`, `-`, `_`, all ASCII.
    pub fn parse(text: &str) -> Result<Self, ParameterError> {
        let Some(first) = text.chars().next() else { return Err(ParameterError::Empty) };
        if !(first.is_ascii_alphabetic() || first == '_') {
            return Err(ParameterError::Start(first));
        }
        let count = text.chars().count();
        if count > PARAMETER_NAME_CHARS {
            return Err(ParameterError::TooLong(count));
        }
        for (i, c) in text.chars().enumerate() {
            if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')) {
                return Err(ParameterError::Character(c, i + 1));
            }
        }
        Ok(Self(text.into()))
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::borrow::Borrow<str> for ParameterName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ParameterName {
    type Error = ParameterError;

    fn try_from(text: String) -> Result<Self, ParameterError> {
        Self::parse(&text)
    }
}

impl From<ParameterName> for String {
    fn from(name: ParameterName) -> Self {
        (*name.0).to_owned()
    }
}

/// Checks that a value can be written into a configuration file: bounded, and no character that XML 1.0 excludes.
pub fn check_value(value: &str) -> Result<(), ParameterError> {
    if value.len() > PARAMETER_VALUE_BYTES {
        return Err(ParameterError::ValueTooLong(value.len()));
    }
    match value.chars().find(|c| (*c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}')) {
        Some(c) => Err(ParameterError::Control(u32::from(c))),
        None => Ok(()),
    }
}

/// Parameters by name. Values are kept byte for byte, line breaks included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParameterSet(BTreeMap<ParameterName, Arc<str>>);

impl ParameterSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value; the latest edit wins (R123). Answers what it replaced.
    pub fn insert(&mut self, name: ParameterName, value: impl Into<Arc<str>>) -> Option<Arc<str>> {
        self.0.insert(name, value.into())
    }

    /// Removes a value and answers what it was.
    pub fn remove(&mut self, name: &str) -> Option<Arc<str>> {
        self.0.remove(name)
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|v| &**v)
    }

    /// The value of a name, to be kept without copying it.
    pub fn get_shared(&self, name: &str) -> Option<&Arc<str>> {
        self.0.get(name)
    }

    /// The name as it is kept, with its value.
    pub fn entry(&self, name: &str) -> Option<(&ParameterName, &Arc<str>)> {
        self.0.get_key_value(name)
    }

    /// All parameters in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&ParameterName, &Arc<str>)> {
        self.0.iter()
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(ParameterName, Arc<str>)> for ParameterSet {
    fn from_iter<T: IntoIterator<Item = (ParameterName, Arc<str>)>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

/// Whether a parameter's value is a secret that pages, logs and the activity log must mask (P10, SEC-05).
///
/// Goes by the name, as the vendor's schema does by its `StringPassword` types: passwords, PINs, keys and credentials. An
/// index or a model at the end of the name does not matter.
pub fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let mut segments = lower.rsplit('.').skip_while(|segment| is_index_or_model(segment));
    let Some(last) = segments.next() else { return false };
    let before = segments.next().unwrap_or_default();
    SECRET_ENDINGS.iter().any(|ending| last.ends_with(ending))
        || last.starts_with("customdevicekey")
        || (last.trim_end_matches(|c: char| c.is_ascii_digit()) == "key" && SECRET_KEYS.contains(&before))
}

/// How the last segment of a secret's name ends.
const SECRET_ENDINGS: [&str; 10] =
    ["password", "passwd", "passphrase", "passcode", "pwd", "secret", "psk", "pin", "privatekey", "community"];

/// What stands before a `key` that is a secret.
const SECRET_KEYS: [&str; 5] = ["configencryption", "encryption", "psk", "wep", "wpa"];

/// Whether a lower-case segment is a number or a model: real files add both to names that the schema has without them.
fn is_index_or_model(segment: &str) -> bool {
    segment.bytes().all(|b| b.is_ascii_digit())
        || ["spip", "ssip", "ssduo", "vvx", "trio", "ccx", "edge"].iter().any(|model| segment.starts_with(model))
}

/// A value as pages, files on screen and the activity log may show it (SEC-05): a secret's is masked whole, of any other the
/// password of an address in it, as in `ftp://user:password@host/`. An empty value is no secret.
pub fn masked<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if is_secret(name) && !value.is_empty() {
        return Cow::Borrowed(MASK);
    }
    let mut shown = String::new();
    let mut rest = value;
    while let Some(password) = password_in_address(rest) {
        shown.push_str(&rest[..password.start]);
        shown.push_str(MASK);
        rest = &rest[password.end..];
    }
    if shown.is_empty() { Cow::Borrowed(value) } else { Cow::Owned(shown + rest) }
}

/// Where the first password of an address stands.
fn password_in_address(text: &str) -> Option<Range<usize>> {
    let mut from = 0;
    while let Some(scheme) = text[from..].find("://") {
        let start = from + scheme + "://".len();
        let ends = |c: char| matches!(c, '/' | '?' | '#' | ',' | ';' | '"' | '\'' | '<' | '>') || c.is_whitespace();
        let authority = &text[start..][..text[start..].find(ends).unwrap_or(text.len() - start)];
        if let Some((user, _)) = authority.rsplit_once('@')
            && let Some(colon) = user.find(':')
            && colon + 1 < user.len()
        {
            return Some(start + colon + 1..start + user.len());
        }
        from = start;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_parameters_are_known_by_name() {
        let secret = [
            "apps.push.password",
            "apps.statePolling.password",
            "device.auth.localAdminPassword",
            "device.auth.localUserPassword",
            "device.logincred.password",
            "device.net.dot1x.password",
            "device.net.secondaryNetwork.wifi.WEP.key",
            "device.net.secondaryNetwork.wifi.WPA.password",
            "device.pacfile.password",
            "device.prov.password",
            "device.sec.configEncryption.key",
            "device.sec.TLS.customDeviceKey1",
            "device.wifi.psk.key",
            "device.wifi.wep.key1",
            "diags.pcap.background.encryption.key",
            "dir.corp.alt.password",
            "exchange.auth.password",
            "prov.login.localPassword",
            "REG.12.AUTH.PASSWORD",
            "reg.1.auth.password.VVX500",
            "reg.2.pin",
            "reg.1.server.2.pstnServerAuth.password",
            "sec.auth.admin.room.password",
            "sec.TLS.customDeviceKey.3",
            "snmp.community",
            "snmp.privacyPassword",
        ];
        for name in secret {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_masked_value_shows_no_secret_and_no_password_of_an_address() {
        assert_eq!(masked("reg.1.auth.password", "canary"), MASK);
        assert_eq!(masked("reg.1.auth.password", ""), "");
        let address = "ftp://user:canary@1.2.3.4/${mac_address}/x.cfg, https://a:b@c";
        assert_eq!(
            masked("CONFIG_FILES", address),
            format!("ftp://user:{MASK}@1.2.3.4/${{mac_address}}/x.cfg, https://a:{MASK}@c")
        );
        for open in ["https://pdms.example.lan:8443/a@b", "sip:user@host:5060", "https://user@host/", "a://b", "://", "x://é:@h"]
        {
            assert_eq!(masked("x", open), open);
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_is_shown() {
        let open = [
            "device.prov.password.set",
            "prov.login.localPassword.hashed",
            "sec.auth.admin.room.password.minLength",
            "sec.pwd.length.admin",
            "dir.corp.auth.useLoginCredentials",
            "device.wifi.psk.keyType",
            "key.1.function.prim",
            "call.internationalPrefix.key",
            "feature.exchangeVoiceMail.skipPin.enabled",
            "device.sec.TLS.customCaCert1",
            "reg.1.auth.userId",
            "mb.main.autoBackKey",
            "",
        ];
        for name in open {
            assert!(!is_secret(name), "{name}");
        }
    }
}
