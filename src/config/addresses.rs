//! Addresses as they are written in settings and flags.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::Deserialize;

/// An address for plain HTTP, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HttpSocket(pub Option<SocketAddr>);

/// An `https://` address without a path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl FromStr for HttpSocket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self(None)),
            _ => text.parse().map(|address| Self(Some(address))).map_err(|_| format!("“{text}” is neither ADDRESS:PORT nor off")),
        }
    }
}

impl TryFrom<String> for HttpSocket {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("“{text}” is no address of this server; write https://HOST or https://HOST:PORT");
        let rest = text.strip_prefix("https://").ok_or_else(wrong)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| wrong())?),
            _ => (rest, 443),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if bare.is_empty() || !(bare.chars().all(is_host) || bare.parse::<IpAddr>().is_ok()) {
            return Err(wrong());
        }
        Ok(Self { host: bare.to_lowercase(), port })
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for PublicUrl {
    /// With a final slash, as phones are told it; the port only where it is not 443.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            443 => write!(f, "https://{host}/"),
            port => write!(f, "https://{host}:{port}/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_https_with_a_host_and_no_path() {
        let shown = |text: &str| text.parse::<PublicUrl>().map(|url| url.to_string());
        assert_eq!(shown("https://PDMS.example.lan"), Ok("https://pdms.example.lan/".to_owned()));
        assert_eq!(shown("https://pdms:8443/"), Ok("https://pdms:8443/".to_owned()));
        assert_eq!(shown("https://[2001:db8::1]:8443"), Ok("https://[2001:db8::1]:8443/".to_owned()));
        for wrong in ["http://pdms", "https://", "https://pdms/x", "https://pdms:x", "https://u:p@pdms"] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }
}
