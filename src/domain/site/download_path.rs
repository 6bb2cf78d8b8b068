//! From where the phones of a site are told to take software and resource files (R85, R86, R204).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address of the form `https://FQDN/`: phones compare the name in a certificate with host names only, so it is never an IP
/// address. The slash at the end is added where it was not typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DownloadPath(String);

/// What is wrong with an address, and what one looks like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write it as https://relay.example.com/")]
pub struct DownloadPathError(&'static str);

/// Longest name of a host.
const HOST_CHARS: usize = 253;

impl DownloadPath {
    /// The address as phones are told.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DownloadPath {
    type Err = DownloadPathError;

    fn from_str(text: &str) -> Result<Self, DownloadPathError> {
        let scheme_end = text.trim().find("://").map_or(0, |at| at + 3);
        let (scheme, rest) = text.trim().split_at(scheme_end);
        if !scheme.eq_ignore_ascii_case("https://") {
            return Err(DownloadPathError("the address begins with https://"));
        }
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = place.split_once(':').unwrap_or((place, "443"));
        if !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(DownloadPathError("what follows the colon is no port"));
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let is_number = host.split('.').next_back().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if host.len() > HOST_CHARS || !host.contains('.') || !host.split('.').all(is_label) || is_number {
            return Err(DownloadPathError("the host is no full name (FQDN) as certificates have it"));
        }
        if !path.is_empty() {
            return Err(DownloadPathError("nothing stands behind the host's slash"));
        }
        Ok(Self(format!("https://{}/", place.to_ascii_lowercase())))
    }
}

impl fmt::Display for DownloadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for DownloadPath {
    type Error = DownloadPathError;

    fn try_from(text: String) -> Result<Self, DownloadPathError> {
        text.parse()
    }
}

impl From<DownloadPath> for String {
    fn from(path: DownloadPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slash_is_added_and_letters_are_small() {
        for text in ["https://Relay.Example.com", " HTTPS://relay.example.com/ "] {
            assert_eq!(text.parse::<DownloadPath>().expect("good").as_str(), "https://relay.example.com/", "{text}");
        }
        assert_eq!(
            "https://relay.example.com:8443".parse::<DownloadPath>().expect("good").as_str(),
            "https://relay.example.com:8443/"
        );
    }

    #[test]
    fn anything_else_is_refused_with_the_form() {
        let bad = [
            "",
            "relay.example.com",
            "http://relay.example.com/",
            "https://",
            "https://relay/",
            "https://10.1.2.3/",
            "https://[::1]/",
            "https://relay.example.com/images",
            "https://relay.example.com:0/",
            "https://user@relay.example.com/",
            "https://-a.example.com/",
            "https://a..com/",
            "https://relay.example.com/?x",
            "ftp://relay.example.com/",
        ];
        for text in bad {
            let told = text.parse::<DownloadPath>().expect_err(text).to_string();
            assert!(told.ends_with("write it as https://relay.example.com/"), "{text}: {told}");
        }
    }
}
