//! Devices: managed phones, conference units and video bars (R228–R241).

pub mod draft;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ids::{GroupId, PersonId, ProfileId, RoomId, SiteId};
use super::mac::Mac;
use super::names::Name;
use super::parameter::ParameterSet;
use super::placement::Placement;
use super::software::device::DeviceSoftware;

/// What identifies a device: its MAC, or for devices without one its serial number (R3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceKey {
    /// Audio devices and most others.
    Mac(Mac),
    /// For example a Studio bar.
    Serial(Serial),
}

/// A serial number such as `8218404c20ccf9`: letters and digits, no separators (R39). Kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(String);

/// Why a text is neither a MAC address nor a serial number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceKeyError {
    /// It is of neither form.
    #[error("enter a MAC address (12 hexadecimal digits) or a serial number (8 to 32 letters and digits, no separators)")]
    Form,
    /// The name of files that belong to every phone.
    #[error("{} is the MAC address of no device: files of that name are for all phones; enter the one on the label", Mac::ZERO)]
    Zero,
    /// What a spreadsheet makes of digits with an E among them, or of many digits.
    #[error(
        "“{0}” is a number that a spreadsheet such as Excel made of a MAC address or serial number: make the column one of text there, and enter it again"
    )]
    Number(String),
}

/// Whether a text is a number as spreadsheets write large ones: `4.23E+12`.
fn is_of_spreadsheet(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    digits(whole) && digits(part) && exponent.strip_prefix('+').is_some_and(digits)
}

impl Serial {
    /// Parses a serial number of 8 to 32 ASCII letters and digits. Twelve hexadecimal digits are a MAC address, never a serial.
    pub fn parse(text: &str) -> Result<Self, DeviceKeyError> {
        let text = text.trim();
        let fits = (8..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !fits || (text.len() == 12 && text.bytes().all(|b| b.is_ascii_hexdigit())) {
            return Err(if is_of_spreadsheet(text) { DeviceKeyError::Number(text.to_owned()) } else { DeviceKeyError::Form });
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The serial number in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Device {
    /// Its MAC, where it is known: its key, or what is kept beside its serial number.
    pub fn mac(&self) -> Option<Mac> {
        self.key.mac().or(self.mac)
    }
}

impl DeviceKey {
    /// The MAC, where the key is one.
    pub fn mac(&self) -> Option<Mac> {
        match self {
            Self::Mac(mac) => Some(*mac),
            Self::Serial(_) => None,
        }
    }
}

impl FromStr for DeviceKey {
    type Err = DeviceKeyError;

    fn from_str(text: &str) -> Result<Self, DeviceKeyError> {
        match text.parse::<Mac>() {
            Ok(mac) if !mac.is_zero() => Ok(Self::Mac(mac)),
            Ok(_) => Err(DeviceKeyError::Zero),
            Err(_) => Serial::parse(text).map(Self::Serial),
        }
    }
}

impl From<Mac> for DeviceKey {
    fn from(mac: Mac) -> Self {
        Self::Mac(mac)
    }
}

impl fmt::Display for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => mac.fmt(f),
            Self::Serial(serial) => f.pad(&serial.0),
        }
    }
}

impl Serialize for DeviceKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What an admin knows and sets of a device. Changes rarely; what phones tell at each contact is in [`Sighting`].
/// Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Key.
    pub key: DeviceKey,
    /// Name shown in the portal (R233).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Name sent to the device, for types that take one (R179, R233, R234).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_name: Option<Name>,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Device type, such as `VVX` (R240): set by hand, or recognised at first contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Model, such as `VVX 411`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// MAC of a device that goes by its serial number, where somebody knows it (R267). Others have it as their key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Private address typed by an admin; what the device tells is in the sighting (R231, R238).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ip: Option<IpAddr>,
    /// Profiles attached to this very device, highest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<ProfileId>,
    /// The device's groups, in its own order (R102, R149).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupId>,
    /// Site; none counts as the site *Internet*.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// How it came to its site.
    #[serde(default, skip_serializing_if = "is_default")]
    pub placement: Placement,
    /// Who or what the device belongs to (R156).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Overrides that the phone itself keeps and uploads, as far as they change what must be served:
    /// its clock (contract 5.8). Read from `-phone.cfg` and `-web.cfg`.
    #[serde(default, skip_serializing_if = "ParameterSet::is_empty")]
    pub own_clock: ParameterSet,
    /// What is known of its software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<Box<DeviceSoftware>>,
    /// How the device came in.
    pub origin: Origin,
    /// When it came in.
    pub added_at: Timestamp,
    /// Counts changes by admins (R14).
    #[serde(default)]
    pub revision: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Who or what a device belongs to (R156).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// A person.
    Person(PersonId),
    /// A room.
    Room(RoomId),
}

/// `person-5`, `room-3`: as addresses have it.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person-{id}"),
            Self::Room(id) => write!(f, "room-{id}"),
        }
    }
}

impl FromStr for Owner {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Self, OwnerError> {
        match text.split_once('-').ok_or(OwnerError)? {
            ("person", id) => id.parse().map(Self::Person).map_err(|_| OwnerError),
            ("room", id) => id.parse().map(Self::Room).map_err(|_| OwnerError),
            _ => Err(OwnerError),
        }
    }
}

/// Why a text is no owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an owner is written as person-5 or room-3")]
pub struct OwnerError;

/// How a device came into the inventory (R228).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// At its first contact (R178).
    Automatic,
    /// By an admin or the API.
    Manual,
}

/// Why a key is held: it was deleted with *block*, until someone lifts it (contract 5.14). Its JSON is the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Name that the device had, so that the list is readable.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The MAC of a device that went by its serial number: it asks by either, and is held by either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
}

/// What a device told by talking to us. Written in batches: a crash loses at most the last second of it (P14).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// First message ever.
    pub first_seen: Option<Timestamp>,
    /// Last message.
    pub last_seen: Option<Timestamp>,
    /// Address the server saw last.
    pub public_ip: Option<IpAddr>,
    /// Address that the device reports of itself, where it does.
    pub private_ip: Option<IpAddr>,
    /// Version of the Application: what the guide calls software version (R175).
    pub software_version: Option<String>,
    /// Version of the Updater or boot ROM.
    pub updater_version: Option<String>,
    /// Result and time of the last run (R177, R258).
    pub last_run: Option<LastRun>,
}

/// Result of the last run of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// When it began.
    pub at: Timestamp,
    /// Whether the master and every file of ours that it names were answered 200.
    pub complete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_told_with_its_cause() {
        let told = |text: &str| text.parse::<DeviceKey>().expect_err("no key").to_string();
        for text in ["4.23E+12", "4,23E+12", "1E+11"] {
            assert!(told(text).contains("Excel") && told(text).contains(text), "{}", told(text));
        }
        assert!(told("00:00:00:00:00:00").contains("the MAC address of no device"), "{}", told("000000000000"));
        for text in ["", "x", "4.23", "E+12", "1.E+1"] {
            assert!(told(text).starts_with("enter a MAC address"), "{text}: {}", told(text));
        }
        assert!("0004f2aabbcc".parse::<DeviceKey>().is_ok() && "8218404c20ccf9".parse::<DeviceKey>().is_ok());
    }
}
