//! Where a phone looks for its boot server: the address in flash, those that DHCP offers, and which of them counts (rules 10–12).

use std::net::Ipv4Addr;

use crate::domain::mac::Mac;

use super::credentials::Credentials;
use super::flash::Flash;
use super::rules::{Rule, Rules};

/// How a server is spoken to. FTP and TFTP addresses are understood as such, and lead nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Clear text.
    Http,
    /// TLS.
    Https,
}

/// The address of a server with the directory that file names are joined to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Name or IP address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Absolute path that ends in a slash.
    pub directory: String,
    /// Credentials that stand in the address.
    pub credentials: Option<Credentials>,
}

/// What the network told the phone by DHCP. The simulated network tells what it was set up with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dhcp {
    /// The custom option, 160 unless the phone was told another.
    pub option_160: Option<String>,
    /// What phones with a Microsoft base profile look at in place of 160.
    pub option_161: Option<String>,
    /// TFTP server name.
    pub option_66: Option<String>,
    /// Time offset in seconds.
    pub option_2: Option<i32>,
    /// Whether a time server was named: without one the clock may stay at its beginning (rule 15).
    pub option_42: bool,
}

impl Address {
    /// Reads an address as phones do: `scheme://user:password@host:port/path`, all but the host optional.
    /// A scheme beats the server type (rule 12). None where there is no host, or a protocol that is not simulated.
    pub fn parse(text: &str, server_type: Option<&str>) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme_of(scheme)?, rest),
            None => (scheme_of(server_type.unwrap_or("HTTPS"))?, text),
        };
        let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        let (credentials, place) = match authority.rsplit_once('@') {
            Some((credentials, place)) => (Some(Credentials::parse(credentials)), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place, scheme)?;
        let mut directory = format!("/{}", path.trim_matches('/'));
        if directory.len() > 1 {
            directory.push('/');
        }
        Some(Self { scheme, host, port, directory, credentials })
    }

    /// The absolute path of a file below this address's directory.
    pub fn join(&self, name: &str) -> String {
        format!("{}{}", self.directory, name.trim_start_matches('/'))
    }

    /// The `Host` header.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.scheme, self.port) {
            (Scheme::Http, 80) | (Scheme::Https, 443) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

fn scheme_of(text: &str) -> Option<Scheme> {
    match text.to_ascii_uppercase().as_str() {
        "HTTP" | "2" => Some(Scheme::Http),
        "HTTPS" | "3" => Some(Scheme::Https),
        _ => None,
    }
}

fn split_port(place: &str, scheme: Scheme) -> Option<(String, u16)> {
    let usual = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(host, port)| (host, port.strip_prefix(':')))?,
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Some(usual), |text| text.parse().ok())?;
    (!host.is_empty() && host != "0.0.0.0").then(|| (host.to_owned(), port))
}

/// The address that a phone has on the simulated network: a loopback address that is always the same for it and never 127.0.0.1.
pub fn own_address(mac: Mac) -> Ipv4Addr {
    let [_, _, oui, a, b, c] = mac.bytes();
    Ipv4Addr::new(127, 64 | (oui ^ a) & 63, b, c.clamp(1, 254))
}

/// The boot server of the next run, and the credentials for it (rules 10–12).
pub fn boot_server(flash: &Flash, dhcp: &Dhcp, rules: Rules) -> Option<(Address, Option<Credentials>)> {
    let server_type = flash.get("device.prov.serverType");
    let offered = dhcp_offer(flash, dhcp).and_then(|text| Address::parse(text, server_type));
    let stored = || flash.get("device.prov.serverName").and_then(|text| Address::parse(text, server_type));
    let address = offered.or_else(stored)?;
    let own = flash.credentials();
    let credentials = match (address.credentials.clone(), own) {
        (Some(_), Some(own)) if rules.alternative(Rule::DhcpCredentials) => Some(own),
        (Some(given), _) => Some(given),
        (None, own) => own,
    };
    Some((address, credentials))
}

/// The DHCP offer that beats the address in flash: the custom option before option 66, as far as the mode looks at them (rule 10).
fn dhcp_offer<'a>(flash: &Flash, dhcp: &'a Dhcp) -> Option<&'a str> {
    let microsoft = matches!(flash.get("device.baseProfile"), Some("Lync" | "SkypeForBusiness" | "MSTeams"));
    let custom = if microsoft { dhcp.option_161.as_deref() } else { dhcp.option_160.as_deref() };
    let tftp_name = dhcp.option_66.as_deref();
    match flash.get("device.dhcp.bootSrvUseOpt").unwrap_or("CustomAndOpt66") {
        "Static" | "2" => None,
        "Opt66" | "0" => tftp_name,
        "Custom" | "1" => custom,
        _ => custom.or(tftp_name),
    }
}
