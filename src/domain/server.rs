//! What is set once for the whole server, whatever accounts it has.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::account::Secret;
use super::backup_plan::BackupPlan;
use super::rollover::Rollover;
use super::seen_clock::SeenClock;

/// The server's own settings. Its JSON is the stored form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSettings {
    /// Host name under which phones and people reach the server; none until set-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_name: Option<String>,
    /// When the first owner was made; none while the set-up page is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_up_at: Option<Timestamp>,
    /// Every provisioning address that was ever handed out (contract 3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// When each of [`ServerSettings::addresses`] was; of the oldest that was not noted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub handed_out_at: BTreeMap<String, Timestamp>,
    /// What phones were given to trust.
    #[serde(default, skip_serializing_if = "GivenCertificates::is_nothing")]
    pub given: GivenCertificates,
    /// When backups are made; it counts its own changes.
    #[serde(default, skip_serializing_if = "BackupPlan::is_usual")]
    pub backups: BackupPlan,
    /// What devices' credentials and hashes in rows are derived from, sealed, once another key file took the first one's place; until
    /// then the key file says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<Secret>,
    /// How far the clock was believed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<SeenClock>,
    /// Counts changes, so that two admins cannot overwrite one another unseen (R14).
    #[serde(default)]
    pub revision: u64,
}

/// What phones were given to trust. It is kept here, so that a lost folder of certificates never looks like that of a new server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenCertificates {
    /// SHA-256 fingerprint of the private CA: pairs of capital digits with colons. None while it never signed what was in use. While
    /// another one takes its place, it is this one until the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// Whether the admin's own certificate, put into the folder, was in use last.
    #[serde(default)]
    pub own: bool,
    /// The CA that is taking the place of [`GivenCertificates::ca`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollover: Option<Rollover>,
}

impl GivenCertificates {
    /// Whether nothing was ever given.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A provisioning address taken apart. [`fmt::Display`] puts it together as phones are told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    /// HTTPS; else plain HTTP.
    pub is_tls: bool,
    /// Host name in small letters, or an address without brackets.
    pub host: String,
    /// Port, also where the address leaves it out.
    pub port: u16,
}

impl BaseUrl {
    /// Takes an address apart; none where it is none of ours.
    pub fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let is_tls = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Self::of_request(is_tls, rest.split('/').next()?, || if is_tls { 443 } else { 80 })
    }

    /// The address by which a request came: `named` is its header `Host`, `otherwise` the port where that names none. Whatever
    /// cannot be a host is none.
    pub fn of_request(is_tls: bool, named: &str, otherwise: impl FnOnce() -> u16) -> Option<Self> {
        let (host, port) = match named.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port.parse().ok()?),
            _ => (named, otherwise()),
        };
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let is_host = (1..=253).contains(&host.len()) && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b));
        is_host.then_some(Self { is_tls, host, port })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_tls, host, port } = self;
        let (scheme, usual) = if *is_tls { ("https", 443) } else { ("http", 80) };
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        if *port == usual { write!(f, "{scheme}://{host}/") } else { write!(f, "{scheme}://{host}:{port}/") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_put_together_again() {
        for url in [
            "https://pdms.example.lan:8443/",
            "https://192.0.2.7/",
            "https://[2001:db8::1]:8443/",
            "https://[2001:db8::1]/",
            "http://pdms.example.lan/",
        ] {
            assert_eq!(BaseUrl::parse(url).map(|base| base.to_string()).as_deref(), Some(url));
        }
        assert_eq!(BaseUrl::parse("ftp://a/"), None);
    }

    #[test]
    fn a_request_names_the_same_address_in_its_own_way() {
        let named = |text: &str| BaseUrl::of_request(true, text, || 443).map(|base| base.to_string());
        assert_eq!(named("PDMS.example.lan:8443").as_deref(), Some("https://pdms.example.lan:8443/"));
        assert_eq!(named("pdms.example.lan:443").as_deref(), Some("https://pdms.example.lan/"));
        assert_eq!(named("[2001:DB8::1]").as_deref(), Some("https://[2001:db8::1]/"));
        assert_eq!(BaseUrl::of_request(true, "pdms", || 8443).map(|base| base.port), Some(8443), "some phones leave it out");
        for none in ["", "a b", "<script>", "a:99999", "a/b", &"a".repeat(300)] {
            assert_eq!(named(none), None, "{none}");
        }
    }
}
