//! Where a request comes from, as far as its sender cannot choose freely: what is counted and bounded by.

use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, or an IPv6 network of a home or office: who has one of those has 2^64 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(IpAddr);

impl Source {
    /// Where a request with this address comes from.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
            v4 => v4,
        })
    }
}
