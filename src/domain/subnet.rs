//! Networks as admins type them and sites keep them (R71, R79, R88).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A network of IPv4 or IPv6 addresses. What stands behind its prefix is cleared: `20.56.31.0/8` is `20.0.0.0/8` (contract 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet(IpNet);

/// Bits that stand before an IPv4 address in the form of IPv6.
const MAPPED_BITS: u8 = 96;

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubnetError {
    /// Nothing but blanks.
    #[error("enter a network, such as 10.1.0.0/16")]
    Empty,
    /// The part before the slash.
    #[error("“{0}” is no IP address; enter a network such as 10.1.0.0/16 or 2001:db8::/48")]
    Address(String),
    /// Every address, where one is named.
    #[error("“{0}/0” would be every address, and is none of a site; enter the length of the network's mask, such as {0}/{1}")]
    Everything(String, u8),
    /// An IPv4 network as IPv6 writes it, which no mask of IPv4 fits.
    #[error("“{0}” is an IPv4 address written as IPv6; enter the network as IPv4 writes it, such as {1}/24")]
    Mapped(String, Ipv4Addr),
    /// The part behind the slash.
    #[error("“{text}” is no mask length; {family} takes 0 to {most}")]
    Bits {
        /// What stands there.
        text: String,
        /// `IPv4` or `IPv6`.
        family: &'static str,
        /// The longest prefix.
        most: u8,
    },
}

impl Subnet {
    /// The network of this many bits that an address lies in.
    ///
    /// # Errors
    /// More bits than such an address has.
    pub fn around(address: IpAddr, bits: u8) -> Result<Self, SubnetError> {
        let net = IpNet::new(address, bits).map_err(|_| too_many(address, bits.to_string()))?;
        Ok(Self(net.trunc()))
    }

    /// Parses `10.1.0.0/16`; an address alone is a network of its own.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SubnetError> {
        match text.trim().split_once('/') {
            Some((address, bits)) => Self::of_parts(address, bits),
            None => Self::of_parts(text, ""),
        }
    }

    /// The same with address and mask length apart, as the site CSV has them (R93).
    ///
    /// # Errors
    /// As [`Subnet::parse`].
    pub fn of_parts(address: &str, bits: &str) -> Result<Self, SubnetError> {
        let (address, bits) = (address.trim(), bits.trim());
        if address.is_empty() {
            return Err(SubnetError::Empty);
        }
        let ip: IpAddr = address.parse().map_err(|_| SubnetError::Address(address.to_owned()))?;
        let length = match bits {
            "" => most_bits(ip),
            _ => bits.parse().map_err(|_| too_many(ip, bits.to_owned()))?,
        };
        // Devices that come by IPv4 are known by their IPv4 address, however a socket writes it.
        let mapped = match ip {
            IpAddr::V6(six) => six.to_ipv4_mapped(),
            IpAddr::V4(_) => None,
        };
        if let Some(four) = mapped {
            let length = length.checked_sub(MAPPED_BITS).filter(|length| *length > 0);
            let length = length.ok_or_else(|| SubnetError::Mapped(address.to_owned(), four))?;
            return Self::around(IpAddr::V4(four), length);
        }
        if length == 0 && !ip.is_unspecified() {
            return Err(SubnetError::Everything(address.to_owned(), if ip.is_ipv4() { 8 } else { 48 }));
        }
        Self::around(ip, length)
    }

    /// Whether an address lies in it. The all-zero network stands for one that nobody has entered yet: nothing lies in it (R74).
    pub fn covers(self, address: IpAddr) -> bool {
        !self.is_unset() && self.0.contains(&address.to_canonical())
    }

    /// Whether it is the all-zero network, of whatever length.
    pub fn is_unset(self) -> bool {
        self.0.addr().is_unspecified()
    }

    /// Bits of its prefix: of two networks that cover an address, the longer prefix says more about it.
    pub fn bits(self) -> u8 {
        self.0.prefix_len()
    }

    /// Its first address.
    pub fn address(self) -> IpAddr {
        self.0.addr()
    }
}

fn most_bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn too_many(address: IpAddr, text: String) -> SubnetError {
    SubnetError::Bits { text, family: if address.is_ipv4() { "IPv4" } else { "IPv6" }, most: most_bits(address) }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Self, SubnetError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Subnet {
    type Error = SubnetError;

    fn try_from(text: String) -> Result<Self, SubnetError> {
        Self::parse(&text)
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        subnet.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, String> {
        Subnet::parse(text).map(|net| net.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_ipv4_network_written_as_ipv6_is_one_of_ipv4_and_every_address_is_no_network() {
        let parsed = |text: &str| Subnet::parse(text).map(|net| net.to_string()).map_err(|error| error.to_string());
        assert_eq!(parsed("::ffff:10.1.2.3/104").as_deref(), Ok("10.0.0.0/8"));
        assert_eq!(parsed("::ffff:10.1.2.3"), parsed("10.1.2.3"));
        assert!(Subnet::parse("20.0.0.0/8").is_ok_and(|net| net.covers("::ffff:20.1.2.3".parse().expect("an address"))));
        assert!(parsed("::ffff:10.0.0.0/90").is_err_and(|told| told.contains("enter the network as IPv4 writes it")));
        assert!(parsed("10.0.0.0/0").is_err_and(|told| told.contains("10.0.0.0/8")));
        assert!(parsed("2001:db8::/0").is_err_and(|told| told.contains("every address")));
        assert!(parsed("0.0.0.0/0").is_ok() && parsed("::/0").is_ok(), "nobody has said yet where the site is");
    }

    #[test]
    fn what_stands_behind_the_prefix_is_cleared() {
        assert_eq!(parsed("20.56.31.0/8").as_deref(), Ok("20.0.0.0/8"));
        assert_eq!(parsed(" 2001:db8:1:2::5/48 ").as_deref(), Ok("2001:db8:1::/48"));
        assert_eq!(parsed("10.1.2.3").as_deref(), Ok("10.1.2.3/32"));
        assert_eq!(Subnet::of_parts("1.2.3.4", "32").map(|net| net.to_string()).as_deref(), Ok("1.2.3.4/32"));
    }

    #[test]
    fn what_is_wrong_is_told_with_the_limit() {
        assert!(parsed("").is_err_and(|error| error.contains("enter a network")));
        assert!(parsed("office/8").is_err_and(|error| error.contains("“office” is no IP address")));
        assert!(parsed("10.0.0.0/33").is_err_and(|error| error.contains("IPv4 takes 0 to 32")));
        assert!(parsed("10.0.0.0/255.0.0.0").is_err_and(|error| error.contains("“255.0.0.0” is no mask length")));
        assert!(parsed("::1/129").is_err_and(|error| error.contains("IPv6 takes 0 to 128")));
        assert!(parsed("10.0.0.0/-1").is_err());
    }

    #[test]
    fn nothing_lies_in_the_network_of_zeros() {
        for unset in ["0.0.0.0/0", "0.0.0.0", "0.0.0.0/8", "::/0"] {
            let unset = Subnet::parse(unset).expect("a network");
            assert!(unset.is_unset() && !unset.covers("0.1.2.3".parse().expect("an address")), "{unset}");
            assert!(!unset.covers("2001:db8::1".parse().expect("an address")), "{unset}");
        }
    }

    #[test]
    fn its_text_is_its_stored_form() {
        let net = Subnet::parse("10.33.24.0/24").expect("a network");
        let text = serde_json::to_string(&net).expect("JSON");
        assert_eq!(text, "\"10.33.24.0/24\"");
        assert_eq!(serde_json::from_str::<Subnet>(&text).expect("a network"), net);
        assert!(serde_json::from_str::<Subnet>("\"x\"").is_err());
    }
}
