//! Which device a request speaks for, and how many new ones may come in a time (contract 4).

pub mod decide;
pub mod nearby;

use std::collections::VecDeque;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::device::DeviceKey;
use super::limits::{NEW_DEVICES_PER_ADDRESS, NEW_DEVICES_PER_HOUR};
use super::mac::Mac;
use super::model::{KeyKind, ModelTable};
use super::phone_file::PhoneFile;
use super::user_agent::UserAgent;

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

/// How many new devices came lately. A sweep over MAC addresses with the right credentials fills the inventory this slowly.
#[derive(Debug)]
pub struct NewDevices {
    caps: NewDeviceCaps,
    /// Those of the last hour, oldest first: never more than [`NewDeviceCaps::per_hour`].
    recent: VecDeque<(Timestamp, IpAddr)>,
}

/// How many new devices may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewDeviceCaps {
    /// From one address in ten minutes.
    pub per_address: usize,
    /// To one account in an hour.
    pub per_hour: usize,
}

impl Default for NewDeviceCaps {
    fn default() -> Self {
        Self { per_address: NEW_DEVICES_PER_ADDRESS, per_hour: NEW_DEVICES_PER_HOUR }
    }
}

impl NewDevices {
    /// None came yet.
    pub fn new(caps: NewDeviceCaps) -> Self {
        Self { caps, recent: VecDeque::new() }
    }

    /// Whether one more may come; if so it counts.
    pub fn admit(&mut self, now: Timestamp, address: IpAddr) -> bool {
        let within = |at: Timestamp, minutes| now.duration_since(at) < SignedDuration::from_mins(minutes);
        while self.recent.front().is_some_and(|(at, _)| !within(*at, 60)) {
            self.recent.pop_front();
        }
        let from_here = self.recent.iter().rev().take_while(|(at, _)| within(*at, 10)).filter(|(_, from)| *from == address);
        if self.recent.len() >= self.caps.per_hour || from_here.count() >= self.caps.per_address {
            return false;
        }
        self.recent.push_back((now, address));
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::model::Family;
    use super::super::phone_file::PhonePath;
    use super::*;

    fn models() -> ModelTable {
        let family = |name: &str, key| Family {
            name: name.to_owned(),
            aliases: Vec::new(),
            prefixes: vec![name.to_owned()],
            display: String::new(),
            key,
            takes_name: false,
            rest: false,
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

    #[test]
    fn phn_10_new_devices_are_counted_by_address_and_by_hour() {
        let address = |last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
        let at = |minute: i64| Timestamp::from_second(minute * 60).expect("a time within the range");
        let mut new = NewDevices::new(NewDeviceCaps { per_address: 2, per_hour: 4 });
        assert!(new.admit(at(0), address(1)) && new.admit(at(1), address(1)));
        assert!(!new.admit(at(9), address(1)), "the third within ten minutes");
        assert!(new.admit(at(9), address(2)), "another address is not affected");
        assert!(new.admit(at(10), address(1)), "the first is ten minutes past");
        assert!(!new.admit(at(30), address(3)), "four within the hour");
        assert!(new.admit(at(60), address(3)), "the first is an hour past");
    }
}
