//! Under which names and addresses this machine is reached: what a server certificate must cover.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::subnet::Subnet;

/// The host names and addresses of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerNames {
    primary: String,
    hosts: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
}

impl ServerNames {
    /// The machine's host name, `localhost`, the machine's addresses, and the names that admins gave, of which the first is the
    /// one that phones are told.
    pub fn of_this_machine(public_names: &[String]) -> Self {
        let host = gethostname::gethostname().to_string_lossy().to_lowercase();
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let addresses = interfaces.iter().map(|interface| interface.ip()).filter(is_reachable);
        Self::new(public_names, &host, addresses)
    }

    /// The networks that this machine itself is in, by its interfaces: what a site of its own would claim (R74).
    pub fn own_subnets() -> Vec<Subnet> {
        let prefix = |address: if_addrs::IfAddr| match address {
            if_addrs::IfAddr::V4(one) => (IpAddr::V4(one.ip), one.prefixlen),
            if_addrs::IfAddr::V6(one) => (IpAddr::V6(one.ip), one.prefixlen),
        };
        let all = if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| prefix(interface.addr));
        let networks: BTreeSet<Subnet> = all
            .filter(|(address, _)| is_reachable(address) && !address.is_loopback())
            .filter_map(|(address, bits)| Subnet::around(address, bits).ok())
            .filter(|network| !network.is_unset())
            .collect();
        networks.into_iter().collect()
    }

    /// Puts the names together; `localhost` and the loopback addresses are always among them.
    pub fn new(public_names: &[String], host: &str, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let mut hosts = BTreeSet::from(["localhost".to_owned()]);
        let mut addresses: BTreeSet<IpAddr> = addresses.into_iter().collect();
        addresses.extend([IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        for name in public_names.iter().map(String::as_str).chain([host]).filter(|name| !name.is_empty()) {
            match name.parse() {
                Ok(address) => drop(addresses.insert(address)),
                Err(_) => drop(hosts.insert(name.to_lowercase())),
            }
        }
        // Never an address: phones compare the common name with host names only (NET-03).
        let is_host = |name: &&str| !name.is_empty() && name.parse::<IpAddr>().is_err();
        let primary = public_names.iter().map(String::as_str).chain([host]).find(is_host).unwrap_or("localhost").to_lowercase();
        Self { primary, hosts, addresses }
    }

    /// The name that stands in the certificate's subject; never an address.
    pub fn primary(&self) -> &str {
        &self.primary
    }

    /// What others on this network can reach for sure: an IPv4 address if there is one, else the primary name.
    pub fn best(&self) -> String {
        let lan = self.addresses().find(|ip| ip.is_ipv4() && !ip.is_loopback());
        lan.map_or_else(|| self.primary.clone(), |ip| ip.to_string())
    }

    /// All host names.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// All addresses, loopback included.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().copied()
    }

    /// Whether every name and address of `other` is among these.
    pub fn covers(&self, other: &Self) -> bool {
        self.hosts.is_superset(&other.hosts) && self.addresses.is_superset(&other.addresses)
    }

    /// Whether a host name or address is among these; a name with `*` as its first label stands for one label.
    pub fn covers_host(&self, host: &str) -> bool {
        if let Ok(address) = host.parse() {
            return self.addresses.contains(&address);
        }
        let host = host.to_lowercase();
        let wildcard = host.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        self.hosts.contains(&host) || wildcard.is_some_and(|name| self.hosts.contains(&name))
    }

    pub(super) fn from_parts(primary: String, hosts: BTreeSet<String>, addresses: BTreeSet<IpAddr>) -> Self {
        Self { primary, hosts, addresses }
    }
}

/// Link-local addresses change and need a zone to be reached: nobody types them.
fn is_reachable(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_name_leads_and_an_address_never_does() {
        let lan = IpAddr::from([192, 168, 1, 9]);
        let names = ServerNames::new(&["10.0.0.1".to_owned(), "PDMS.example.lan".to_owned()], "box", [lan]);
        assert_eq!(names.primary(), "pdms.example.lan");
        for host in ["pdms.example.lan", "box", "localhost", "10.0.0.1", "192.168.1.9", "127.0.0.1", "::1"] {
            assert!(names.covers_host(host), "{host}");
        }
        assert!(!names.covers_host("other"));
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let names = ServerNames::new(&["*.example.lan".to_owned()], "", []);
        assert!(names.covers_host("pdms.example.lan"));
        assert!(!names.covers_host("a.b.example.lan"));
    }
}
