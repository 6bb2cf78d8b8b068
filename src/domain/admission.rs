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
    fn a_name_that_means_nothing_but_begins_with_a_mac_counts_for_a_known_device() {
        let path = "/extra/0004f2aa0001-user.cfg";
        assert_eq!(named(path, None, None, true).as_deref(), Some("0004f2aa0001"));
        assert_eq!(named(path, None, None, false), None);
        assert_eq!(named("/0004f2aa00012.wav", None, None, true), None);
        assert_eq!(named("/000000000000-x.cfg", None, None, true), None);
    }
}
