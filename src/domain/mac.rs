//! MAC addresses: the key of most devices and the prefix of most file names phones ask for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 48-bit MAC address. Written as 12 lower-case hexadecimal digits everywhere (R38, contract 1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

/// Why a text is not a MAC address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a MAC address has 12 hexadecimal digits, with or without colons, hyphens, dots or blanks between them")]
pub struct MacError;

impl Mac {
    /// All digits zero.
    pub const ZERO: Self = Self([0; 6]);

    /// The address made of these six bytes.
    pub const fn from_bytes(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The six bytes, most significant first.
    pub const fn bytes(self) -> [u8; 6] {
        self.0
    }

    /// The address so many places further on; after the last one it begins again.
    pub fn plus(self, places: u32) -> Self {
        let number = self.0.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte)) + u64::from(places);
        let [_, _, bytes @ ..] = number.to_be_bytes();
        Self(bytes)
    }

    /// Broadcast or multicast: an address of many, never of one device.
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// All digits zero: the name of files that belong to every phone (protocol/provisioning.md 1.3).
    pub const fn is_zero(self) -> bool {
        matches!(self.0, [0, 0, 0, 0, 0, 0])
    }
}

impl FromStr for Mac {
    type Err = MacError;

    /// Accepts any usual notation: `0004f2aabbcc`, `00:04:F2:AA:BB:CC`, `0004.f2aa.bbcc`, `00-04-f2-aa-bb-cc`.
    fn from_str(text: &str) -> Result<Self, MacError> {
        let mut bytes = [0u8; 6];
        let mut digits = 0;
        for c in text.trim().chars() {
            if matches!(c, ':' | '-' | '.' | ' ') {
                continue;
            }
            let value = c.to_digit(16).ok_or(MacError)?;
            let slot = bytes.get_mut(digits / 2).ok_or(MacError)?;
            *slot = (*slot << 4) | u8::try_from(value).map_err(|_| MacError)?;
            digits += 1;
        }
        if digits == 12 { Ok(Self(bytes)) } else { Err(MacError) }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0u8; 12];
        for (i, byte) in self.0.iter().enumerate() {
            text[2 * i] = HEX[usize::from(byte >> 4)];
            text[2 * i + 1] = HEX[usize::from(byte & 15)];
        }
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mac({self})")
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_notation_means_the_same_address() {
        for text in ["0004f2aabbcc", "00:04:F2:AA:BB:CC", "0004.f2aa.bbcc", "00-04-f2-aa-bb-cc", " 0004F2AABBCC "] {
            assert_eq!(text.parse::<Mac>().map(|m| m.to_string()), Ok("0004f2aabbcc".to_owned()), "{text}");
        }
    }

    #[test]
    fn counting_on_carries_over_every_byte() {
        assert_eq!(Mac::from_bytes([0, 4, 0xf2, 0xff, 0xff, 0xff]).plus(1), Mac::from_bytes([0, 4, 0xf3, 0, 0, 0]));
        assert_eq!(Mac::from_bytes([0xff; 6]).plus(1), Mac::from_bytes([0; 6]));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "0004f2aabbc", "0004f2aabbccd", "0004f2aabbcg", "0004f2aabbcé", "0004/f2aabbcc"] {
            assert_eq!(text.parse::<Mac>(), Err(MacError), "{text}");
        }
    }
}
