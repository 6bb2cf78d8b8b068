//! What phones may upload, where it goes, and how large it may be (contract 4, P4).

use std::collections::BTreeMap;

use super::device::DeviceKey;
use super::parameter::{ParameterName, ParameterSet, check_value};
use super::phone_file::{DeviceFile, PhoneFile};

/// An upload that is in order so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Whose file it is.
    pub key: DeviceKey,
    /// Where it goes.
    pub destination: Destination,
}

/// Where an upload goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Kept as an object of its own with its time; carries what follows the key in its name: `boot.log`.
    Log(String),
    /// A core dump or a capture, kept as logs are: `core.gz`.
    Dump(String),
    /// Takes the place of the former one and is given back to the phone.
    File(DeviceFile),
}

/// Why a name may not be uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It belongs to another device than the one that sends it.
    Foreign,
    /// It is served, never taken: a master file, parameters, an image.
    ReadOnly,
    /// Nothing that phones upload.
    Unknown,
}

/// Most bytes of one upload, by kind. The defaults hold the largest that were seen several times over
/// (protocol/provisioning.md 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadCaps {
    /// A log.
    pub log_bytes: u64,
    /// Overrides.
    pub override_bytes: u64,
    /// A directory or call lists.
    pub directory_bytes: u64,
    /// A core dump or a capture.
    pub dump_bytes: u64,
    /// A resource file, which people upload (R43).
    pub resource_bytes: u64,
}

const MIB: u64 = 1024 * 1024;

impl Default for UploadCaps {
    fn default() -> Self {
        Self {
            log_bytes: 10 * MIB,
            override_bytes: MIB,
            directory_bytes: 4 * MIB,
            dump_bytes: 32 * MIB,
            resource_bytes: 256 * MIB,
        }
    }
}

impl UploadCaps {
    /// The cap for a destination.
    pub fn of(&self, destination: &Destination) -> u64 {
        match destination {
            Destination::Log(_) => self.log_bytes,
            Destination::Dump(_) => self.dump_bytes,
            Destination::File(DeviceFile::Directory | DeviceFile::Calls) => self.directory_bytes,
            Destination::File(_) => self.override_bytes,
        }
    }
}

/// Decides whether a name may be uploaded. `tagged` is the device that the User-Agent names: who says that it is one device
/// may not write the files of another.
pub fn upload_of(file: &PhoneFile, tagged: Option<&DeviceKey>) -> Result<Upload, Refusal> {
    let (key, destination) = match file {
        PhoneFile::Log(key, kind) => (key, Destination::Log(format!("{}.log", kind.stem()).to_ascii_lowercase())),
        PhoneFile::Capture(key, name) => (key, Destination::Dump(dump_name(key, name))),
        PhoneFile::Device(key, file) if *file != DeviceFile::License => (key, Destination::File(*file)),
        PhoneFile::Unknown | PhoneFile::Resource(_) => return Err(Refusal::Unknown),
        _ => return Err(Refusal::ReadOnly),
    };
    match tagged {
        // Phones tag themselves with their MAC; a tag of the other kind says nothing about the name.
        Some(tagged) if tagged != key && tagged.mac().is_some() == key.mac().is_some() => Err(Refusal::Foreign),
        _ => Ok(Upload { key: key.clone(), destination }),
    }
}

/// What follows the key in the name of a dump: `2026.11.22_101500.pcap.tar.gz`, `core.gz`.
pub fn dump_name(key: &DeviceKey, name: &str) -> String {
    let rest = name.get(key.to_string().len()..).unwrap_or_default();
    rest.trim_start_matches(['-', '_']).to_ascii_lowercase()
}

/// Of a phone's own overrides, those that decide which time it shows: its offset and its daylight-saving rule (contract 5.8).
pub fn own_clock(overrides: BTreeMap<String, String>) -> ParameterSet {
    let shows_time = |name: &str| CLOCK.iter().any(|prefix| name.starts_with(prefix));
    let parsed = overrides.into_iter().filter(|(name, value)| shows_time(name) && check_value(value).is_ok());
    parsed.filter_map(|(name, value)| Some((ParameterName::parse(&name).ok()?, value.into()))).collect()
}

/// What the names of these parameters begin with.
const CLOCK: [&str; 2] = ["tcpIpApp.sntp.gmtOffset", "tcpIpApp.sntp.daylightSavings."];

#[cfg(test)]
mod tests {
    use super::super::phone_file::PhonePath;
    use super::*;

    const MAC: &str = "0004f2aa0001";

    fn of(path: &str, tagged: Option<&str>) -> Result<Destination, Refusal> {
        let tagged: Option<DeviceKey> = tagged.map(|t| t.parse().expect("a MAC address"));
        upload_of(&PhonePath::parse(path).file, tagged.as_ref()).map(|upload| upload.destination)
    }

    #[test]
    fn a_device_uploads_its_logs_dumps_and_what_it_changes_itself() {
        let log = |name: &str| Ok(Destination::Log(name.to_owned()));
        assert_eq!(of(&format!("/{MAC}-boot.log"), None), log("boot.log"));
        assert_eq!(of(&format!("/logs/{MAC}-appFlash.log"), Some(MAC)), log("appflash.log"));
        assert_eq!(of(&format!("/{MAC}-now-app.log"), None), log("now-app.log"));
        assert_eq!(of(&format!("/{MAC}-phone.cfg"), Some(MAC)), Ok(Destination::File(DeviceFile::Phone)));
        let capture = of(&format!("/{MAC}_2026.11.22_101500.pcap.tar.gz"), None);
        assert_eq!(capture, Ok(Destination::Dump("2026.11.22_101500.pcap.tar.gz".to_owned())));
    }

    #[test]
    fn of_the_overrides_only_the_clock_is_taken() {
        let overrides = [("tcpIpApp.sntp.gmtOffset", "-7200"), ("up.timeOut", "41"), ("tcpIpApp.sntp.address", "a")];
        let clock = own_clock(overrides.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!((clock.len(), clock.get("tcpIpApp.sntp.gmtOffset")), (1, Some("-7200")));
    }

    #[test]
    fn upl_05_nothing_else_may_be_uploaded() {
        use Refusal::{Foreign, ReadOnly, Unknown};
        for path in ["/000000000000.cfg", "/000000000000-directory.xml", "/3111-44500-001.sip.ld"] {
            assert_eq!(of(path, None), Err(ReadOnly), "{path}");
        }
        assert_eq!(of(&format!("/{MAC}.cfg"), None), Err(ReadOnly));
        assert_eq!(of(&format!("/{MAC}-license.cfg"), None), Err(ReadOnly));
        assert_eq!(of("/0004f2aa0002-phone.cfg", Some(MAC)), Err(Foreign));
        assert_eq!(of("/0004f2aa0002-app.log", Some(MAC)), Err(Foreign));
        for path in [&format!("/{MAC}-x.sh"), "/welcome.wav", "/", "/../etc/passwd"] {
            assert_eq!(of(path, None), Err(Unknown), "{path}");
        }
    }
}
