//! Keys as bytes of our own, so that no change in the database library's encodings can touch them.
//!
//! A key is made of parts. Every part says where it ends, so the key of the first parts is a prefix of the whole key,
//! and a prefix scan never crosses from one owner to the next. Numbers are big-endian: byte order is number order.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::domain::deployment::Place;
use crate::domain::device::{DeviceKey, Serial};
use crate::domain::ids::{
    AccountId, DeletionId, GroupId, ImageId, PersonGroupId, PersonId, ProfileId, ResourceId, RoomId, SchemaId, SiteId, UserId,
    ViewId,
};
use crate::domain::mac::Mac;
use crate::domain::run::Subject;
use crate::domain::session::SessionKey;
use crate::domain::token::TokenKey;

/// One part of a key.
pub trait KeyPart: Sized {
    /// Appends the part.
    fn push(&self, out: &mut Vec<u8>);
    /// Takes the part off the front; none if the bytes are not of this kind.
    fn take(bytes: &mut &[u8]) -> Option<Self>;
}

/// A whole key: a tuple of parts.
pub trait Key: Sized {
    /// Its bytes.
    fn encode(&self) -> Vec<u8>;
    /// The key made of exactly these bytes.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

macro_rules! key_tuple {
    ($($part:ident),+) => {
        impl<$($part: KeyPart),+> Key for ($($part,)+) {
            fn encode(&self) -> Vec<u8> {
                #[expect(non_snake_case, reason = "one name serves as type and as value")]
                let ($($part,)+) = self;
                let mut out = Vec::with_capacity(24);
                $($part.push(&mut out);)+
                out
            }

            fn decode(mut bytes: &[u8]) -> Option<Self> {
                let key = ($($part::take(&mut bytes)?,)+);
                bytes.is_empty().then_some(key)
            }
        }
    };
}

key_tuple!(A);
key_tuple!(A, B);
key_tuple!(A, B, C);

macro_rules! number_parts {
    ($($id:ident($number:ty)),*) => {$(
        impl KeyPart for $id {
            fn push(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0.to_be_bytes());
            }

            fn take(bytes: &mut &[u8]) -> Option<Self> {
                take_array(bytes).map(|b| Self(<$number>::from_be_bytes(b)))
            }
        }
    )*};
}

number_parts!(
    AccountId(u32),
    UserId(u64),
    ProfileId(u64),
    SiteId(u64),
    GroupId(u64),
    PersonId(u64),
    PersonGroupId(u64),
    RoomId(u64),
    SchemaId(u64),
    ImageId(u64),
    DeletionId(u64),
    ViewId(u64),
    ResourceId(u64)
);

impl KeyPart for u64 {
    fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        take_array(bytes).map(Self::from_be_bytes)
    }
}

/// At most 65,535 bytes: two bytes of length, then UTF-8. Longer texts are cut off by the limits of the domain long before.
impl KeyPart for String {
    fn push(&self, out: &mut Vec<u8>) {
        let length = u16::try_from(self.len()).expect("no text in a key reaches 64 KiB: names and models are bounded far below");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(self.as_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let length = u16::from_be_bytes(take_array(bytes)?);
        let (text, rest) = bytes.split_at_checked(usize::from(length))?;
        *bytes = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

impl KeyPart for TokenKey {
    fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        take_array(bytes).map(Self)
    }
}

impl KeyPart for SessionKey {
    fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        take_array(bytes).map(Self)
    }
}

/// Microseconds since 1970 with the sign bit turned over, so that earlier times come first.
impl KeyPart for Timestamp {
    fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.as_microsecond().cast_unsigned() ^ (1 << 63)).to_be_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let micros = u64::from_be_bytes(take_array(bytes)?) ^ (1 << 63);
        Self::from_microsecond(micros.cast_signed()).ok()
    }
}

impl KeyPart for Mac {
    fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes());
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        take_array(bytes).map(Self::from_bytes)
    }
}

/// `m` and six bytes, or `s` and a text.
impl KeyPart for DeviceKey {
    fn push(&self, out: &mut Vec<u8>) {
        match self {
            Self::Mac(mac) => {
                out.push(b'm');
                mac.push(out);
            }
            Self::Serial(serial) => {
                out.push(b's');
                serial.as_str().to_owned().push(out);
            }
        }
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        match take_byte(bytes)? {
            b'm' => Mac::take(bytes).map(Self::Mac),
            b's' => Serial::parse(&String::take(bytes)?).ok().map(Self::Serial),
            _ => None,
        }
    }
}

/// `d` and a device key, `x` and a device key, `4` or `6` and an address.
impl KeyPart for Subject {
    fn push(&self, out: &mut Vec<u8>) {
        match self {
            Self::Device(key) => {
                out.push(b'd');
                key.push(out);
            }
            Self::Stranger(key) => {
                out.push(b'x');
                key.push(out);
            }
            Self::Address(IpAddr::V4(ip)) => {
                out.push(b'4');
                out.extend_from_slice(&ip.octets());
            }
            Self::Address(IpAddr::V6(ip)) => {
                out.push(b'6');
                out.extend_from_slice(&ip.octets());
            }
        }
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        match take_byte(bytes)? {
            b'd' => DeviceKey::take(bytes).map(Self::Device),
            b'x' => DeviceKey::take(bytes).map(Self::Stranger),
            b'4' => take_array::<4>(bytes).map(|b| Self::Address(IpAddr::from(b))),
            b'6' => take_array::<16>(bytes).map(|b| Self::Address(IpAddr::from(b))),
            _ => None,
        }
    }
}

/// One letter for the kind, then a number or, for a model, its name.
impl KeyPart for Place {
    fn push(&self, out: &mut Vec<u8>) {
        let mut numbered = |letter: u8, id: u64| {
            out.push(letter);
            id.push(out);
        };
        match self {
            Self::Person(id) => numbered(b'p', id.0),
            Self::Room(id) => numbered(b'r', id.0),
            Self::PersonGroup(id) => numbered(b'u', id.0),
            Self::Site(id) => numbered(b's', id.0),
            Self::Group(id) => numbered(b'g', id.0),
            Self::Model(name) => {
                out.push(b'm');
                name.push(out);
            }
            Self::Global => out.push(b'*'),
        }
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some(match take_byte(bytes)? {
            b'p' => Self::Person(PersonId(u64::take(bytes)?)),
            b'r' => Self::Room(RoomId(u64::take(bytes)?)),
            b'u' => Self::PersonGroup(PersonGroupId(u64::take(bytes)?)),
            b's' => Self::Site(SiteId(u64::take(bytes)?)),
            b'g' => Self::Group(GroupId(u64::take(bytes)?)),
            b'm' => Self::Model(String::take(bytes)?),
            b'*' => Self::Global,
            _ => return None,
        })
    }
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}
