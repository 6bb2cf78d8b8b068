//! How far around an address the shared credentials open a device (contract 4, point 3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// Lengths of the prefixes that count as one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nearby {
    /// Of a private IPv4 address.
    pub ipv4_bits: u8,
    /// Of an IPv6 address.
    pub ipv6_bits: u8,
}

impl Default for Nearby {
    fn default() -> Self {
        Self { ipv4_bits: 24, ipv6_bits: 64 }
    }
}

impl Nearby {
    /// Whether `other` is at the same place as `home`: the same address, or the same subnet of a private network. Loopback is
    /// one place as a whole. Behind one public IPv4 address sits one place, beside it somebody else; an IPv6 subnet is always
    /// one network.
    pub fn covers(self, home: IpAddr, other: IpAddr) -> bool {
        if home == other {
            return true;
        }
        match (home, other) {
            (IpAddr::V4(home), IpAddr::V4(other)) => self.covers_v4(home, other),
            (IpAddr::V6(home), IpAddr::V6(other)) => self.covers_v6(home, other),
            _ => home.is_loopback() && other.is_loopback(),
        }
    }

    fn covers_v4(self, home: Ipv4Addr, other: Ipv4Addr) -> bool {
        if home.is_loopback() {
            return other.is_loopback();
        }
        let is_private = home.is_private() || home.is_link_local();
        is_private && (home.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(self.ipv4_bits.min(32))
    }

    fn covers_v6(self, home: Ipv6Addr, other: Ipv6Addr) -> bool {
        (home.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(self.ipv6_bits.min(128))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_private_subnet_loopback_or_one_public_address() {
        let table = [
            ("10.1.2.3", "10.1.2.250", true),
            ("10.1.2.3", "10.1.3.3", false),
            ("192.168.7.9", "192.168.7.1", true),
            ("169.254.7.9", "169.254.7.1", true),
            ("203.0.113.5", "203.0.113.5", true),
            ("203.0.113.5", "203.0.113.6", false),
            ("127.0.0.1", "127.200.3.4", true),
            ("127.0.0.1", "::1", true),
            ("127.0.0.1", "10.0.0.1", false),
            ("2001:db8:1:2::9", "2001:db8:1:2:aaaa::1", true),
            ("2001:db8:1:2::9", "2001:db8:1:3::9", false),
            ("fd00::1", "10.0.0.1", false),
        ];
        for (home, other, same) in table {
            let address = |text: &str| text.parse().expect("an address");
            assert_eq!(Nearby::default().covers(address(home), address(other)), same, "{home} {other}");
        }
    }

    #[test]
    fn the_lengths_are_settings() {
        let (home, other) = ("10.1.2.3".parse().expect("an address"), "10.1.9.9".parse().expect("an address"));
        assert!(Nearby { ipv4_bits: 16, ipv6_bits: 64 }.covers(home, other));
        assert!(!Nearby { ipv4_bits: 32, ipv6_bits: 128 }.covers(home, "10.1.2.4".parse().expect("an address")));
        assert!(Nearby { ipv4_bits: 0, ipv6_bits: 0 }.covers(home, "192.0.2.1".parse().expect("an address")));
    }
}
