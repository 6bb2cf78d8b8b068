//! Which device a request speaks for, and who gets in (contract 4).

pub mod decide;
pub mod nearby;
pub mod rate;

use super::device::DeviceKey;
use super::mac::Mac;
use super::model::{KeyKind, ModelTable};
use super::phone_file::PhoneFile;
use super::user_agent::UserAgent;

pub use rate::{NewDeviceCaps, NewDevices};

/// The device that a request names: by the name of its file, else by the serial tag of its User-Agent.
///
/// A serial number in a file name is a guess from its shape: it counts for a device that is known, and for a new one only if
/// the User-Agent is of a family that goes by serial numbers. `office2024.cfg` is nobody's. A name that means nothing to us but
/// begins with a MAC, such as a file that a profile lists, counts for a device that is known. `path` is the file's path.
pub fn identify(
    file: &PhoneFile,
    path: &str,
    agent: Option<&UserAgent>,
    models: &ModelTable,
    is_known: impl Fn(&DeviceKey) -> bool,
) -> Option<DeviceKey> {
    let by_name = file.key().filter(|key| match key {
        DeviceKey::Mac(mac) => !mac.is_zero() && !mac.is_group(),
        DeviceKey::Serial(_) => is_known(key) || goes_by_serial(agent, models),
    });
    let in_name = || mac_in_name(path).filter(|key| is_known(key));
    by_name.cloned().or_else(in_name).or_else(|| agent?.tag.clone())
}

/// The device that goes by its serial number and asks by its MAC: the one that keeps this MAC, else the one whose very serial number the
/// User-Agent tells, unless that one keeps another MAC. A MAC that is a device's own key is that device's.
pub fn by_its_mac(
    file: &PhoneFile,
    agent: Option<&UserAgent>,
    holder: impl Fn(Mac) -> Option<DeviceKey>,
    mac_of: impl Fn(&DeviceKey) -> Option<Option<Mac>>,
) -> Option<DeviceKey> {
    let mac = file.key()?.mac()?;
    if let Some(holder) = holder(mac) {
        return Some(holder).filter(|key| key.mac().is_none());
    }
    let serial = agent?.tag.clone().filter(|tag| tag.mac().is_none())?;
    mac_of(&serial)?.is_none().then_some(serial)
}

/// The MAC that the last part of a path begins with.
fn mac_in_name(path: &str) -> Option<DeviceKey> {
    let (digits, rest) = path.rsplit('/').next()?.split_at_checked(12)?;
    let ends = !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    let mac: Mac = digits.parse().ok().filter(|mac: &Mac| ends && !mac.is_zero() && !mac.is_group())?;
    Some(DeviceKey::Mac(mac))
}

fn goes_by_serial(agent: Option<&UserAgent>, models: &ModelTable) -> bool {
    let family = agent.and_then(|a| a.family.as_deref()).and_then(|name| models.family(name));
    family.is_some_and(|family| family.key == KeyKind::Serial)
}

#[cfg(test)]
mod tests {
    use super::super::model::Family;
    use super::super::phone_file::PhonePath;
    use super::*;

    fn models() -> ModelTable {
        let family = |name: &str, key| Family {
            lines: None,
            name: name.to_owned(),
            aliases: Vec::new(),
            prefixes: vec![name.to_owned()],
            display: String::new(),
            key,
            takes_name: false,
            rest: false,
            component_of: None,
            minimum: None,
            symptom: String::new(),
            last_release: None,
        };
        let families = vec![family("VVX", KeyKind::Mac), family("Studio", KeyKind::Serial)];
        ModelTable::new(families, Vec::new()).expect("two families with names of their own")
    }

    fn named(path: &str, family: Option<&str>, tag: Option<&str>, is_known: bool) -> Option<String> {
        let tag = tag.map(|t| t.parse().expect("a key"));
        let agent = UserAgent { family: family.map(str::to_owned), tag, ..UserAgent::default() };
        identify(&PhonePath::parse(path).file, path, Some(&agent), &models(), |_| is_known).map(|key| key.to_string())
    }

    #[test]
    fn the_file_name_comes_first_then_the_tag() {
        let (a, b) = ("0004f2aa0001", "0004f2aa0002");
        assert_eq!(named(&format!("/{a}.cfg"), Some("VVX"), Some(b), false).as_deref(), Some(a));
        assert_eq!(named("/000000000000.cfg", Some("VVX"), Some(b), false).as_deref(), Some(b));
        assert_eq!(named("/000000000000.cfg", Some("VVX"), None, false), None);
    }

    #[test]
    fn a_serial_number_counts_if_it_is_known_or_its_family_goes_by_serials() {
        let serial = "8218404c20ccf9";
        assert_eq!(named(&format!("/{serial}.cfg"), Some("Studio"), None, false).as_deref(), Some(serial));
        assert_eq!(named(&format!("/{serial}.cfg"), None, None, true).as_deref(), Some(serial));
        assert_eq!(named("/office2024.cfg", Some("VVX"), None, false), None);
    }

    #[test]
    fn a_mac_stands_for_the_serial_number_that_keeps_it_or_that_the_agent_tells() {
        let (mac, serial) = ("00e0db4c20cc", "8218404c20ccf9");
        let key = |text: &str| text.parse::<DeviceKey>().expect("a key");
        let asks = |holder: Option<&str>, tag: Option<&str>, kept: Option<Option<Mac>>| {
            let agent = UserAgent { tag: tag.map(key), ..UserAgent::default() };
            let file = PhonePath::parse(&format!("/{mac}.cfg")).file;
            by_its_mac(&file, Some(&agent), |_| holder.map(key), |_| kept).map(|key| key.to_string())
        };
        assert_eq!(asks(Some(serial), None, None).as_deref(), Some(serial), "it keeps this MAC");
        assert_eq!(asks(Some(mac), Some(serial), Some(None)), None, "the MAC is a device's own key");
        assert_eq!(asks(None, Some(serial), Some(None)).as_deref(), Some(serial), "it tells that very serial number");
        assert_eq!(asks(None, Some(serial), Some(Some(Mac::ZERO.plus(1)))), None, "that one keeps another MAC");
        assert_eq!((asks(None, Some(serial), None), asks(None, None, None)), (None, None), "nobody knows it");
    }

    #[test]
    fn a_name_that_means_nothing_but_begins_with_a_mac_counts_for_a_known_device() {
        let path = "/extra/0004f2aa0001-user.cfg";
        assert_eq!(named(path, None, None, true).as_deref(), Some("0004f2aa0001"));
        assert_eq!(named(path, None, None, false), None);
        assert_eq!(named("/0004f2aa00012.wav", None, None, true), None);
        assert_eq!(named("/000000000000-x.cfg", None, None, true), None);
    }
}
