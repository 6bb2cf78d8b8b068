//! What a User-Agent tells of a phone (protocol/provisioning.md 3.1, R175).
//!
//! A hint, never a proof: anybody can send any of these texts. Which model a token means is looked up in [`super::model`].

use std::net::IpAddr;

use super::device::{DeviceKey, Serial};
use super::mac::Mac;
use super::model::ModelTable;

/// Longest User-Agent that is kept or looked at, in characters (PRS-14).
pub const USER_AGENT_CHARS: usize = 256;

/// What a phone says of itself. Every part may be missing: truncated texts are real.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserAgent {
    /// Device type, such as `VVX`.
    pub family: Option<String>,
    /// Model, such as `VVX 411`.
    pub model: Option<String>,
    /// Version of the program that speaks, as text: `5.9.7.4477`, also `3.10.0_362035`.
    pub version: Option<String>,
    /// MAC or serial number from `(SN:…)` or the tail of the version.
    pub tag: Option<DeviceKey>,
    /// Which program speaks.
    pub program: Program,
}

/// The programs of a phone: each has a version of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Program {
    /// The small boot program of UC Software 4 and later.
    Updater,
    /// The telephone itself: its version is what the guide calls software version.
    Application,
    /// Not told. SIP 3 phones say nothing, and their early requests carry the version of the boot ROM.
    #[default]
    Unknown,
}

impl UserAgent {
    /// Reads a User-Agent; none if it is no phone's.
    pub fn parse(text: &str, models: &ModelTable) -> Option<Self> {
        let text: String = text.chars().take(USER_AGENT_CHARS).collect();
        let products: Vec<&str> = text.split_whitespace().collect();
        let transport = products.first().is_some_and(|p| *p == "FileTransport");
        if !transport && !products.iter().any(|p| has_brand(p)) {
            return None;
        }
        let mut agent = Self { tag: serial_tag(&text), program: program(&products), ..Self::default() };
        if let Some((token, version)) = products.iter().enumerate().find_map(|(i, p)| model_token(p, products.get(i + 1))) {
            if let Some((family, model)) = models.recognise(token) {
                agent.family = Some(family.to_owned());
                agent.model = Some(model);
            }
            let (version, mac) = split_version(version);
            agent.version = (!version.is_empty()).then(|| version.to_owned());
            agent.tag = agent.tag.or(mac.map(DeviceKey::Mac));
        }
        Some(agent)
    }
}

/// The header `X-Device` that video bars add: `<serial>/<mac>/<ip>`. Parts that cannot be read are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XDevice {
    /// Serial number.
    pub serial: Option<Serial>,
    /// MAC address.
    pub mac: Option<Mac>,
    /// Address that the device has in its own network.
    pub ip: Option<IpAddr>,
}

impl XDevice {
    /// Reads the header; none if no part of it makes sense.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let device = Self {
            serial: parts.next().and_then(|p| Serial::parse(p).ok()),
            mac: parts.next().and_then(|p| p.parse().ok()).filter(|m: &Mac| !m.is_zero() && !m.is_group()),
            ip: parts.next().and_then(|p| p.trim().parse().ok()),
        };
        (device != Self::default()).then_some(device)
    }
}

/// A User-Agent made fit to be kept and shown: capped, and without anything that could act on a terminal or a page (PRS-14).
pub fn cleaned(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(USER_AGENT_CHARS).collect()
}

/// Whether a product begins with the brand: `PolycomVVX…`, `PolyCCX…`, `Poly/7.3`, but no `Polygon` or `Polypane`.
fn has_brand(product: &str) -> bool {
    let rest = product.strip_prefix("Polycom").or_else(|| product.strip_prefix("Poly"));
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// The model token and the version in a product such as `PolycomVVX-VVX_411-UA/5.9.7`. A blank may follow the slash.
fn model_token<'a>(product: &'a str, next: Option<&&'a str>) -> Option<(&'a str, &'a str)> {
    let (name, version) = product.split_once("-UA/")?;
    let (_, token) = name.split_once('-')?;
    let version = match next {
        Some(next) if version.is_empty() && next.starts_with(|c: char| c.is_ascii_digit()) => next,
        _ => version,
    };
    Some((token, version))
}

/// Splits a tail of twelve hexadecimal digits off: SIP user agents carry the MAC there. Anything but version characters ends the version.
fn split_version(text: &str) -> (&str, Option<Mac>) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))).unwrap_or(text.len());
    let text = &text[..end];
    match text.rsplit_once('_') {
        Some((version, tail)) if tail.len() == 12 => match tail.parse() {
            Ok(mac) => (version, Some(mac)),
            Err(_) => (text, None),
        },
        _ => (text, None),
    }
}

/// The device in `(SN:…)`, which phones add where `device.prov.tagSerialNo` is set.
fn serial_tag(text: &str) -> Option<DeviceKey> {
    let (_, rest) = text.split_once("(SN:")?;
    let (tag, _) = rest.split_once(')')?;
    tag.parse().ok()
}

fn program(products: &[&str]) -> Program {
    match products.iter().rev().find_map(|p| p.strip_prefix("Type/")) {
        Some("Updater") => Program::Updater,
        Some("Application") => Program::Application,
        _ => Program::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_header_of_video_bars_is_read() {
        let device = XDevice::parse("8218404C20CCF9/00:e0:db:12:34:56/10.1.2.3").expect("three good parts");
        assert_eq!(device.serial.map(|s| s.as_str().to_owned()), Some("8218404c20ccf9".to_owned()));
        assert_eq!(device.mac.map(|m| m.to_string()), Some("00e0db123456".to_owned()));
        assert_eq!(device.ip, "10.1.2.3".parse().ok());
        assert_eq!(XDevice::parse("8218404c20ccf9//").and_then(|d| d.mac), None);
        assert_eq!(XDevice::parse("//"), None);
        assert_eq!(XDevice::parse(""), None);
    }

    #[test]
    fn what_is_kept_is_capped_and_harmless() {
        assert_eq!(cleaned(b"a\x1b]0;x\x07\r\nb\xff"), "a\u{fffd}]0;x\u{fffd}\u{fffd}\u{fffd}b\u{fffd}");
        assert_eq!(cleaned(&[b'x'; 9_000]).len(), USER_AGENT_CHARS);
    }
}
