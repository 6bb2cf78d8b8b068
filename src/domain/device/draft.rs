//! What an admin typed about a device, checked: forms, JSON and command line share these rules (R228–R234).
//!
//! Once a draft exists nobody checks its fields again. What depends on other objects (is the key new, do the profiles exist)
//! is left for the service.

use std::net::IpAddr;

use super::{Device, DeviceKey, Serial};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{GroupId, ProfileId, SiteId};
use crate::domain::limits::{DESCRIPTION_CHARS, NAME_CHARS};
use crate::domain::mac::Mac;
use crate::domain::model::{Family, KeyKind, ModelTable};
use crate::domain::names::Name;

/// The fields of a device as they were typed. Blank means none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceInput {
    /// MAC or serial number, in any usual notation.
    pub key: String,
    /// MAC of a device that goes by its serial number, in any usual notation.
    pub mac: String,
    /// Name shown.
    pub name: String,
    /// Name sent to the device.
    pub sent_name: String,
    /// Free text.
    pub description: String,
    /// Family.
    pub family: String,
    /// Model.
    pub model: String,
    /// Private address.
    pub private_ip: String,
    /// Number of the site that it is pinned to; blank where its addresses say.
    pub pin: String,
    /// Profiles to attach, highest first.
    pub profiles: Vec<ProfileId>,
    /// Groups to join, highest first.
    pub groups: Vec<GroupId>,
}

/// A device to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceDraft {
    /// Key.
    pub key: DeviceKey,
    /// Family by its name in the table; none until it is recognised at first contact (R239).
    pub family: Option<String>,
    /// Model; by its name in the table where it is there.
    pub model: Option<String>,
    /// Profiles to attach, highest first.
    pub profiles: Vec<ProfileId>,
    /// Groups to join, highest first: a device that is added by hand joins no others (R104).
    pub groups: Vec<GroupId>,
    /// What can also be edited later.
    pub edit: DeviceEdit,
}

/// What can be edited of a device (R231).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceEdit {
    /// MAC of a device that goes by its serial number (R267).
    pub mac: Option<Mac>,
    /// Name shown.
    pub name: Option<Name>,
    /// Name sent to the device.
    pub sent_name: Option<Name>,
    /// Free text.
    pub description: String,
    /// Private address.
    pub private_ip: Option<IpAddr>,
    /// The site that it is pinned to; none where its addresses say.
    pub pin: Option<SiteId>,
    /// Family for a device that was added without one or never came; none leaves it as it is.
    pub family: Option<String>,
    /// Model for a device that never came, or none that is known; none leaves it as it is.
    pub model: Option<Option<String>>,
}

impl DeviceDraft {
    /// Checks the fields of a device to add.
    ///
    /// # Errors
    /// Every field that breaks a rule.
    pub fn parse(input: &DeviceInput, models: &ModelTable) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let key = errors.take("key", input.key.parse::<DeviceKey>());
        let model = optional(&input.model).and_then(|text| errors.take("model", model_name(text, models)));
        let family = family(input, model.as_deref(), models, &mut errors);
        // A type's name, such as `Studio`, is no model: the device tells its own.
        let model = model.filter(|name| models.family(name).is_none());
        if let Some(message) = key.as_ref().and_then(|key| wrong_key(key, family)) {
            errors.add("key", message);
        }
        let mac = kept_mac(input, key.as_ref(), &mut errors);
        let edit = DeviceEdit { mac, ..edit(input, family, &mut errors) };
        let draft = key.map(|key| {
            let family = family.map(|family| family.name.clone());
            let (profiles, groups) = (input.profiles.clone(), input.groups.clone());
            Self { key, family, model, profiles, groups, edit }
        });
        errors.into_result(draft)
    }
}

impl DeviceEdit {
    /// Checks the fields of a device to edit; of the input only those count that can be edited. Type and model are of them as long as the
    /// device never came (R239): what it told itself stays. A type is also as long as it has none.
    ///
    /// # Errors
    /// Every field that breaks a rule.
    pub fn parse(input: &DeviceInput, device: &Device, has_come: bool, models: &ModelTable) -> Result<Self, FieldErrors> {
        if !has_come {
            return Self::corrected(input, device, models);
        }
        let mut errors = FieldErrors::new();
        let present = device.family.as_deref();
        let typed = optional(&input.family).and_then(|text| errors.take("family", known_family(text, models)));
        if let Some(message) = typed.and_then(|typed| wrong_family(typed, device, models)) {
            errors.add("family", message);
        }
        let family = present.map_or(typed, |name| models.family(name));
        let mac = kept_mac(input, Some(&device.key), &mut errors);
        let edit = DeviceEdit { mac, ..edit(input, family, &mut errors) };
        let family = typed.filter(|_| present.is_none()).map(|family| family.name.clone());
        if optional(&input.model).is_some_and(|model| device.model.as_deref() != Some(model)) {
            errors.add("model", "the device tells its model itself, and it came already; leave this as it is");
        }
        errors.into_result(Some(Self { family, ..edit }))
    }

    /// The same of a device that never came: what somebody said of its type and model may be wrong.
    fn corrected(input: &DeviceInput, device: &Device, models: &ModelTable) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let typed = optional(&input.family).and_then(|text| errors.take("family", known_family(text, models)));
        let typed = typed.filter(|typed| device.family.as_deref() != Some(typed.name.as_str()));
        let model = optional(&input.model).and_then(|text| errors.take("model", model_name(text, models)));
        let model = model.filter(|model| device.model.as_ref() != Some(model) && models.family(model).is_none());
        let of_model = model.as_deref().and_then(|name| models.family_of_model(name));
        if let (Some(typed), Some(of_model)) = (typed, of_model)
            && typed.name != of_model.name
        {
            errors.add("model", format_args!("this model is a {}, not a {}", of_model.name, typed.name));
        }
        let news = typed.or(of_model);
        if let Some(message) = news.and_then(|family| wrong_kind(&device.key, family)) {
            errors.add(if typed.is_some() { "family" } else { "model" }, message);
        }
        let present = device.family.as_deref().and_then(|name| models.family(name));
        let family = news.or(present);
        // A name that was for a device of the other type goes with it.
        let keeps_name = family.is_none_or(|family| family.takes_name) || optional(&input.sent_name) != sent_name(device);
        let sent_name = if keeps_name { input.sent_name.clone() } else { String::new() };
        let mac = kept_mac(input, Some(&device.key), &mut errors);
        let edit = DeviceEdit { mac, ..edit(&DeviceInput { sent_name, ..input.clone() }, family, &mut errors) };
        let is_dropped = model.is_none() && news.is_some_and(|news| is_of_another(device.model.as_deref(), news, models));
        let model = model.map(Some).or(is_dropped.then_some(None));
        errors.into_result(Some(Self { family: news.map(|family| family.name.clone()), model, ..edit }))
    }
}

fn sent_name(device: &Device) -> Option<&str> {
    device.sent_name.as_ref().map(|name| name.as_str())
}

/// Whether a model is known to be of another family.
pub fn is_of_another(model: Option<&str>, family: &Family, models: &ModelTable) -> bool {
    model.and_then(|name| models.family_of_model(name)).is_some_and(|of_model| of_model.name != family.name)
}

/// Why a device cannot be of the family that was typed for it later.
pub fn wrong_family(typed: &Family, device: &Device, models: &ModelTable) -> Option<String> {
    match &device.family {
        Some(present) if *present == typed.name => None,
        Some(present) => Some(format!(
            "this device is a {present}; a type that is known stays. If it is wrong, delete the device and add it anew"
        )),
        None => {
            let of_model = device.model.as_deref().and_then(|name| models.family_of_model(name));
            let other = of_model.filter(|of_model| of_model.name != typed.name);
            other
                .map(|other| format!("its model is a {}, not a {}", other.name, typed.name))
                .or_else(|| wrong_kind(&device.key, typed))
        }
    }
}

fn edit(input: &DeviceInput, family: Option<&Family>, errors: &mut FieldErrors) -> DeviceEdit {
    let name = optional(&input.name).and_then(|text| errors.take("name", Name::parse(text)));
    let sent_name = optional(&input.sent_name).and_then(|text| errors.take("sent_name", Name::parse(text)));
    match family {
        Some(family) if sent_name.is_some() && !family.takes_name => {
            errors.add("sent_name", format_args!("a {} takes no name from a server; leave this blank", family.name));
        }
        None if sent_name.is_some() => {
            errors.add("sent_name", "which devices take a name depends on their type; choose the type first")
        }
        _ => {}
    }
    let description = input.description.trim();
    let chars = description.chars().count();
    if chars > DESCRIPTION_CHARS {
        errors.add("description", format_args!("a description has at most {DESCRIPTION_CHARS} characters; this one has {chars}"));
    }
    let private_ip = optional(&input.private_ip).and_then(|text| errors.take("private_ip", address(text)));
    let pin = optional(&input.pin).and_then(|text| {
        errors.take(
            "pin",
            text.parse().map_err(|_| format!("“{text}” is no number of a site; leave it blank to let its addresses say")),
        )
    });
    DeviceEdit { mac: None, name, sent_name, description: description.to_owned(), private_ip, pin, family: None, model: None }
}

/// The MAC beside a serial number (R267). A device that goes by its MAC has no other one.
fn kept_mac(input: &DeviceInput, key: Option<&DeviceKey>, errors: &mut FieldErrors) -> Option<Mac> {
    let mac = errors.take("mac", optional(&input.mac)?.parse::<Mac>())?;
    match key? {
        DeviceKey::Mac(own) if *own != mac => {
            errors.add("mac", format_args!("this device goes by its MAC address {own}; leave this blank"));
        }
        DeviceKey::Mac(_) => return None,
        DeviceKey::Serial(_) if mac.is_group() => errors.add("mac", MANY_DEVICES),
        DeviceKey::Serial(_) if mac.is_zero() => errors.add("mac", "this is the address of no device; see the label at its back"),
        DeviceKey::Serial(_) => {}
    }
    Some(mac)
}

/// What is said of an address that no single device has.
pub const MANY_DEVICES: &str = "this address means many devices at once, not one; see the label at the back of the device";

fn optional(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn address(text: &str) -> Result<IpAddr, &'static str> {
    let ip: IpAddr = text.parse().map_err(|_| "enter an address such as 192.168.1.20 or fd00::20")?;
    if ip.is_unspecified() || ip.is_multicast() { Err("this is not the address of one device") } else { Ok(ip) }
}

/// A model's name as the table has it; one that is not in the table is taken as typed: new models come faster than tables.
fn model_name(text: &str, models: &ModelTable) -> Result<String, String> {
    if let Some(model) = models.model(text) {
        return Ok(model.name.clone());
    }
    let chars = text.chars().count();
    if chars > NAME_CHARS {
        return Err(format!("a model's name has at most {NAME_CHARS} characters; this one has {chars}"));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(_) => Err("a model's name has no control characters".to_owned()),
        None => Ok(text.to_owned()),
    }
}

/// The family that was typed, else the model's.
fn family<'a>(input: &DeviceInput, model: Option<&str>, models: &'a ModelTable, errors: &mut FieldErrors) -> Option<&'a Family> {
    let of_model = model.and_then(|name| models.family_of_model(name));
    let Some(text) = optional(&input.family) else { return of_model };
    let typed = errors.take("family", known_family(text, models))?;
    if let Some(of_model) = of_model.filter(|of_model| of_model.name != typed.name) {
        errors.add("model", format_args!("this model is a {}, not a {}", of_model.name, typed.name));
    }
    Some(typed)
}

fn known_family<'a>(text: &str, models: &'a ModelTable) -> Result<&'a Family, String> {
    models.family(text).ok_or_else(|| {
        let known: Vec<_> = models.families().map(|family| family.name.as_str()).collect();
        format!("unknown type; use one of: {}", known.join(", "))
    })
}

/// First digits of the MAC addresses of most of these phones.
const MAC_PREFIXES: [&str; 4] = ["0004f2", "00e0db", "482567", "64167f"];

/// Why a key cannot be the one of a device of this family, or of one that nobody told the family of.
fn wrong_key(key: &DeviceKey, family: Option<&Family>) -> Option<String> {
    match (key, family) {
        (DeviceKey::Mac(mac), _) if mac.is_group() => Some(MANY_DEVICES.to_owned()),
        (_, Some(family)) => wrong_kind(key, family),
        (DeviceKey::Serial(serial), None) if is_like_a_mac(serial.as_str()) => Some(format!(
            "this looks like a MAC address, which has 12 hexadecimal digits; these are {}. If it is a serial number, choose the type too",
            serial.as_str().len()
        )),
        _ => None,
    }
}

/// Whether a serial number is so like a MAC address that it is rather one with digits missing or too many. Serial numbers of
/// fourteen hexadecimal digits are usual (R39).
fn is_like_a_mac(serial: &str) -> bool {
    let begins = || MAC_PREFIXES.iter().any(|prefix| serial.starts_with(prefix));
    let is_near = || matches!(serial.len(), 10 | 11 | 13);
    serial.len() <= 16 && serial.bytes().all(|b| b.is_ascii_hexdigit()) && (is_near() || begins())
}

/// Devices of some families go by their MAC, of others by their serial number (R3, R229).
fn wrong_kind(key: &DeviceKey, family: &Family) -> Option<String> {
    match (key, family.key) {
        (DeviceKey::Mac(_), KeyKind::Mac) | (DeviceKey::Serial(_), KeyKind::Serial) => None,
        (DeviceKey::Serial(Serial(_)), KeyKind::Mac) => {
            Some(format!("a {} goes by its MAC address, 12 hexadecimal digits", family.name))
        }
        (DeviceKey::Mac(_), KeyKind::Serial) => {
            Some(format!("a {} goes by its serial number, not by a MAC address", family.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing;

    fn table() -> ModelTable {
        let family = |name: &str, key, takes_name| Family {
            lines: None,
            name: name.to_owned(),
            aliases: Vec::new(),
            prefixes: Vec::new(),
            display: String::new(),
            key,
            takes_name,
            rest: true,
            component_of: None,
            minimum: None,
            symptom: String::new(),
            last_release: None,
        };
        let model = crate::domain::model::Model {
            lines: None,
            name: "VVX 411".to_owned(),
            family: "VVX".to_owned(),
            tokens: Vec::new(),
            part_numbers: Vec::new(),
            tested: Vec::new(),
            last_release: None,
        };
        ModelTable::new(vec![family("VVX", KeyKind::Mac, false), family("Studio", KeyKind::Serial, true)], vec![model])
            .expect("a good table")
    }

    fn input(key: &str) -> DeviceInput {
        DeviceInput { key: key.to_owned(), ..DeviceInput::default() }
    }

    fn fields(input: &DeviceInput) -> Vec<&'static str> {
        DeviceDraft::parse(input, &table()).err().map(|errors| errors.iter().map(|e| e.field).collect()).unwrap_or_default()
    }

    #[test]
    fn a_key_alone_is_enough() {
        let draft = DeviceDraft::parse(&input("00:04:F2:AA:BB:CC"), &table()).expect("a good draft");
        assert_eq!((draft.key.to_string().as_str(), draft.family, draft.model), ("0004f2aabbcc", None, None));
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let wrong = DeviceInput {
            mac: String::new(),
            key: "nope".to_owned(),
            name: "a/b".to_owned(),
            sent_name: "*".to_owned(),
            description: "x".repeat(DESCRIPTION_CHARS + 1),
            family: "Teapot".to_owned(),
            model: "y".repeat(NAME_CHARS + 1),
            private_ip: "300.1.1.1".to_owned(),
            pin: "Berlin".to_owned(),
            groups: Vec::new(),
            profiles: Vec::new(),
        };
        assert_eq!(fields(&wrong), ["key", "model", "family", "name", "sent_name", "description", "private_ip", "pin"]);
    }

    #[test]
    fn the_model_brings_its_name_and_family() {
        let draft =
            DeviceDraft::parse(&DeviceInput { model: "vvx411".to_owned(), ..input("0004f2aabbcc") }, &table()).expect("good");
        assert_eq!((draft.model.as_deref(), draft.family.as_deref()), (Some("VVX 411"), Some("VVX")));
        let unknown =
            DeviceDraft::parse(&DeviceInput { model: "VVX 999".to_owned(), ..input("0004f2aabbcc") }, &table()).expect("good");
        assert_eq!((unknown.model.as_deref(), unknown.family), (Some("VVX 999"), None));
        let studio = DeviceInput { model: "vvx411".to_owned(), family: "Studio".to_owned(), ..input("8218404c20ccf9") };
        assert_eq!(fields(&studio), ["model"]);
    }

    #[test]
    fn a_types_name_in_place_of_a_model_gives_the_type() {
        let typed = DeviceInput { model: "studio".to_owned(), sent_name: "Hall".to_owned(), ..input("8218404c20ccf9") };
        let draft = DeviceDraft::parse(&typed, &table()).expect("good");
        assert_eq!((draft.family.as_deref(), draft.model), (Some("Studio"), None));
    }

    #[test]
    fn a_device_that_goes_by_its_serial_number_keeps_one_mac_beside_it() {
        let with = |key: &str, mac: &str| DeviceInput { mac: mac.to_owned(), ..input(key) };
        let kept = |key: &str, mac: &str| DeviceDraft::parse(&with(key, mac), &table()).map(|draft| draft.edit.mac);
        assert_eq!(kept("8218404c20ccf9", "00:E0:DB:4C:20:CC"), Ok(Some(Mac::from_bytes([0, 0xe0, 0xdb, 0x4c, 0x20, 0xcc]))));
        assert_eq!((kept("8218404c20ccf9", " "), kept("0004f2aabbcc", "00:04:f2:aa:bb:cc")), (Ok(None), Ok(None)));
        for (key, mac) in [("8218404c20ccf9", "nope"), ("8218404c20ccf9", "0104f2000001"), ("8218404c20ccf9", "000000000000")] {
            assert_eq!(fields(&with(key, mac)), ["mac"], "{mac}");
        }
        assert_eq!(fields(&with("0004f2aabbcc", "0004f2aabbcd")), ["mac"], "another one is not its own");
    }

    #[test]
    fn a_type_is_chosen_later_as_long_as_there_is_none() {
        let parse = |device: &Device, family: &str| {
            let input = DeviceInput { family: family.to_owned(), sent_name: "Hall".to_owned(), ..DeviceInput::default() };
            DeviceEdit::parse(&input, device, true, &table())
                .map(|edit| edit.family)
                .map_err(|e| e.iter().next().map(|e| e.field))
        };
        let untyped = |key: &str| Device { family: None, model: None, ..testing::device(key) };
        let bar = untyped("8218404c20ccf9");
        assert_eq!(parse(&bar, ""), Err(Some("sent_name")));
        assert_eq!(parse(&bar, "studio"), Ok(Some("Studio".to_owned())));
        assert_eq!(parse(&bar, "VVX"), Err(Some("family")), "it goes by a serial number");
        assert_eq!(parse(&Device { model: Some("VVX 411".to_owned()), ..bar.clone() }, "Studio"), Err(Some("family")));
        let known = Device { family: Some("Studio".to_owned()), ..bar };
        assert_eq!(parse(&known, "Studio"), Ok(None), "it stays as it is");
        assert_eq!(parse(&known, "VVX"), Err(Some("family")));
    }

    #[test]
    fn what_was_said_of_a_device_that_never_came_is_corrected_and_what_it_told_stays() {
        let phone =
            Device { family: Some("VVX".to_owned()), model: Some("VVX 411".to_owned()), ..testing::device("8218404c20ccf9") };
        let parse = |has_come, family: &str, model: &str| {
            let input = DeviceInput { family: family.to_owned(), model: model.to_owned(), ..DeviceInput::default() };
            let edit = DeviceEdit::parse(&input, &phone, has_come, &table());
            edit.map(|edit| (edit.family, edit.model)).map_err(|errors| errors.iter().next().map(|error| error.field))
        };
        assert_eq!(parse(false, "Studio", ""), Ok((Some("Studio".to_owned()), Some(None))), "the model of the other type goes");
        assert_eq!(parse(false, "", "New 1"), Ok((None, Some(Some("New 1".to_owned())))));
        assert_eq!(parse(false, "VVX", "VVX 411"), Ok((None, None)), "it stays as it is");
        assert_eq!(parse(false, "Studio", "vvx411"), Ok((Some("Studio".to_owned()), Some(None))));
        assert_eq!(parse(true, "Studio", ""), Err(Some("family")));
        assert_eq!(parse(true, "", "New 1"), Err(Some("model")));
    }

    #[test]
    fn a_mistyped_mac_is_no_serial_number_and_a_group_is_no_device() {
        for key in ["0004f2a1000", "0004f2a100", "0004f2a10001b", "1234567890a", "64167f01", "0004f2a1000012ab"] {
            assert_eq!(fields(&input(key)), ["key"], "{key}");
            let bar = DeviceInput { family: "Studio".to_owned(), ..input(key) };
            assert_eq!(fields(&bar), [""; 0], "{key} with its type");
        }
        for key in ["8218404c20ccf9", "12345678", "8c20ccf9x1234"] {
            assert_eq!(fields(&input(key)), [""; 0], "{key}");
        }
        for key in ["ff:ff:ff:ff:ff:ff", "01005e000001", "333300000001"] {
            assert_eq!(fields(&input(key)), ["key"], "{key}");
        }
    }

    #[test]
    fn the_kind_of_key_goes_with_the_family() {
        let with = |key: &str, family: &str| DeviceInput { family: family.to_owned(), ..input(key) };
        assert_eq!(fields(&with("8218404c20ccf9", "VVX")), ["key"]);
        assert_eq!(fields(&with("0004f2aabbcc", "studio")), ["key"]);
        assert_eq!(fields(&with("8218404c20ccf9", "studio")), [""; 0]);
    }

    #[test]
    fn only_types_that_take_a_name_are_sent_one() {
        let with =
            |key: &str, family: &str| DeviceInput { family: family.to_owned(), sent_name: "Hall".to_owned(), ..input(key) };
        assert_eq!(fields(&with("8218404c20ccf9", "Studio")), [""; 0]);
        assert_eq!(fields(&with("0004f2aabbcc", "VVX")), ["sent_name"]);
        assert_eq!(fields(&with("0004f2aabbcc", "")), ["sent_name"]);
    }

    #[test]
    fn a_description_is_held_at_its_limit_and_an_address_is_of_one_device() {
        assert_eq!(fields(&DeviceInput { description: "é".repeat(DESCRIPTION_CHARS), ..input("0004f2aabbcc") }), [""; 0]);
        for ip in ["0.0.0.0", "224.0.0.1", "::"] {
            assert_eq!(fields(&DeviceInput { private_ip: ip.to_owned(), ..input("0004f2aabbcc") }), ["private_ip"], "{ip}");
        }
    }
}
