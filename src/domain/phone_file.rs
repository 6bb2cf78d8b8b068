//! Which file a phone asks for or uploads, read from the path.
//!
//! Total: every path gives an answer and a hostile one gives [`PhoneFile::Unknown`]. What a device may have or leave is decided elsewhere.

mod segments;

use super::device::{DeviceKey, Serial};
use super::ids::DEFAULT_ACCOUNT_LABEL;
use super::limits::DUMP_NAME_BYTES;
use super::mac::Mac;

/// A request path taken apart: `/default/logs/0004f2aabbcc-app.log` is the directory `logs` and a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhonePath {
    /// Directories below the account's root, decoded, joined by `/`, without outer slashes. Empty for the root itself.
    pub directory: String,
    /// The file below it.
    pub file: PhoneFile,
    /// Directory and name in the form in which paths are compared, see [`location`]; empty for a hostile path.
    pub location: String,
}

/// A path below the account's root in the form in which paths are compared, so that every way in which a phone may write a path
/// is the same: decoded, in lower case, without empty and `.` segments, the name without part numbers. None for a hostile path.
pub fn location(path: &str) -> Option<String> {
    segments::below_root(path).map(|segments| segments::compared(&segments))
}

/// What a path names (contract 4, protocol/provisioning.md 1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneFile {
    /// `<mac>.cfg`: the master file of a device (R163).
    ///
    /// A serial number here is a guess from the shape of the name: `office2024.cfg` has it too. Who adds devices by it must
    /// have another sign that the type has no MAC, see [`super::model::KeyKind`].
    Master(DeviceKey),
    /// `000000000000.cfg`: the master file for a phone whose own could not be had (R163).
    MasterDefault,
    /// `<mac>-profile.cfg`: the effective parameters of a device.
    Parameters(DeviceKey),
    /// `<mac>-bootstrap.cfg`: what a phone is told over plain HTTP that does not know our certificate authority (contract 3).
    Bootstrap(DeviceKey),
    /// A file that belongs to one device and may be stored here (R171, R172).
    Device(DeviceKey, DeviceFile),
    /// A file that stands in for every device that has none of its own.
    Default(DefaultFile),
    /// A log that a device uploads (R173).
    Log(DeviceKey, LogKind),
    /// A core dump or packet capture that a device uploads, with the file's name as sent.
    Capture(DeviceKey, String),
    /// A software image (protocol/provisioning.md 4.2).
    Image(ImageFile),
    /// Any other harmless name: languages, ring tones, pictures, the administrator's own files.
    /// Directory and name, joined by `/`, in the letter case of the request.
    Resource(String),
    /// Nothing that a phone would ask for.
    Unknown,
}

/// The files of one device, by what follows its key in the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceFile {
    /// `-phone.cfg`: overrides made in the phone's menu.
    Phone,
    /// `-web.cfg`, on CX stations `-Web.cfg`: overrides made in the phone's web pages.
    Web,
    /// `-license.cfg`.
    License,
    /// `-directory.xml`: contacts.
    Directory,
    /// `-calls.xml`: call lists.
    Calls,
    /// `-cloud.cfg`.
    Cloud,
    /// `-system.cfg`: overrides of CX stations.
    System,
}

/// The files that exist once for all devices of an account: `000000000000-…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefaultFile {
    /// `000000000000-license.cfg`.
    License,
    /// `000000000000-directory.xml`: the seed for phones without a directory of their own.
    Directory,
}

/// What a log tells of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogKind {
    /// `-boot.log`, uploaded by the Updater.
    Boot,
    /// `-app.log`.
    App,
    /// `-appFlash.log`: the part that old phones keep in flash.
    AppFlash,
    /// `-now-….log`: uploaded because a user asked for it. Carries the inner name in lower case, such as `app`.
    Now(String),
}

/// A software image as asked for: `swupdate/VVX/5.9.8/3111-44500-001.sip.ld`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// The part number put in front of the base name, such as `3111-44500-001`; repeated ones count once.
    pub part_number: Option<String>,
    /// The name without part numbers, such as `sip.ld`.
    pub base: String,
}

/// Device files by the text that follows the key, in lower case.
const DEVICE_FILES: [(&str, DeviceFile); 7] = [
    ("-phone.cfg", DeviceFile::Phone),
    ("-web.cfg", DeviceFile::Web),
    ("-license.cfg", DeviceFile::License),
    ("-directory.xml", DeviceFile::Directory),
    ("-calls.xml", DeviceFile::Calls),
    ("-cloud.cfg", DeviceFile::Cloud),
    ("-system.cfg", DeviceFile::System),
];

/// Core dumps and captures: how the text after the key begins and ends, in lower case. Only the name of packet captures is
/// certain (protocol/provisioning.md 3.4); those of core dumps differ by release, so all of their usual shapes are taken.
const CAPTURES: [(&str, &str); 4] = [("_", ".pcap.tar.gz"), ("_", ".pcap"), ("-core", ""), ("_core", "")];

impl PhonePath {
    /// Takes a request path apart: as sent, that is percent-encoded; a query is ignored.
    pub fn parse(path: &str) -> Self {
        let unknown = |location| Self { directory: String::new(), file: PhoneFile::Unknown, location };
        let Some(mut segments) = segments::below_root(path) else { return unknown(String::new()) };
        let location = segments::compared(&segments);
        let Some(name) = segments.pop() else { return unknown(location) };
        let directory = segments.join("/");
        let file = PhoneFile::of(&directory, &name);
        Self { directory, file, location }
    }
}

impl PhoneFile {
    fn of(directory: &str, name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        if lower.ends_with(".ld") || directory.split('/').next().is_some_and(|d| d.eq_ignore_ascii_case("swupdate")) {
            return Self::Image(ImageFile::parse(name));
        }
        if let Some(rest) = lower.strip_prefix("000000000000") {
            return Self::shared(rest).unwrap_or_else(|| Self::resource(directory, name));
        }
        keyed(name, &lower).unwrap_or_else(|| Self::resource(directory, name))
    }

    /// The files of the zero key that mean something of their own; `rest` is in lower case. Any other is what the administrator put
    /// there for everybody (R220).
    fn shared(rest: &str) -> Option<Self> {
        match rest {
            ".cfg" => Some(Self::MasterDefault),
            "-license.cfg" => Some(Self::Default(DefaultFile::License)),
            "-directory.xml" => Some(Self::Default(DefaultFile::Directory)),
            _ => None,
        }
    }

    fn resource(directory: &str, name: &str) -> Self {
        let has_extension = name.rsplit_once('.').is_some_and(|(stem, ext)| !stem.is_empty() && !ext.is_empty());
        match (has_extension, directory) {
            (false, _) => Self::Unknown,
            (true, "") => Self::Resource(name.to_owned()),
            (true, _) => Self::Resource(format!("{directory}/{name}")),
        }
    }

    /// The device that the name itself carries.
    pub fn key(&self) -> Option<&DeviceKey> {
        match self {
            Self::Master(key)
            | Self::Parameters(key)
            | Self::Bootstrap(key)
            | Self::Device(key, _)
            | Self::Log(key, _)
            | Self::Capture(key, _) => Some(key),
            Self::MasterDefault | Self::Default(_) | Self::Image(_) | Self::Resource(_) | Self::Unknown => None,
        }
    }

    /// The same file of another device.
    #[must_use]
    pub fn belonging_to(self, key: DeviceKey) -> Self {
        match self {
            Self::Master(_) => Self::Master(key),
            Self::Parameters(_) => Self::Parameters(key),
            Self::Bootstrap(_) => Self::Bootstrap(key),
            Self::Device(_, file) => Self::Device(key, file),
            Self::Log(_, kind) => Self::Log(key, kind),
            other => other,
        }
    }

    /// Whether a device may upload it (contract 4): its logs, captures and what it changes itself, never what we make or license.
    pub fn may_be_put(&self) -> bool {
        match self {
            Self::Log(..) | Self::Capture(..) => true,
            Self::Device(_, file) => *file != DeviceFile::License,
            _ => false,
        }
    }
}

impl DeviceFile {
    /// All of them, in the order in which phones ask.
    pub const ALL: [Self; 7] = [Self::Phone, Self::Web, Self::License, Self::Directory, Self::Calls, Self::Cloud, Self::System];

    /// What follows the key in the file's name, such as `-phone.cfg`.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Phone => "-phone.cfg",
            Self::Web => "-web.cfg",
            Self::License => "-license.cfg",
            Self::Directory => "-directory.xml",
            Self::Calls => "-calls.xml",
            Self::Cloud => "-cloud.cfg",
            Self::System => "-system.cfg",
        }
    }

    /// The account's file that stands in when the device has none (contract 4).
    pub fn fallback(self) -> Option<DefaultFile> {
        match self {
            Self::License => Some(DefaultFile::License),
            Self::Directory => Some(DefaultFile::Directory),
            _ => None,
        }
    }
}

impl DefaultFile {
    /// The file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::License => "000000000000-license.cfg",
            Self::Directory => "000000000000-directory.xml",
        }
    }
}

impl LogKind {
    /// What stands between the key's hyphen and `.log` in the file's name, such as `boot` or `now-app`.
    pub fn stem(&self) -> String {
        match self {
            Self::Boot => "boot".to_owned(),
            Self::App => "app".to_owned(),
            Self::AppFlash => "appFlash".to_owned(),
            Self::Now(inner) => format!("now-{inner}"),
        }
    }

    /// Reads what stands between the key and the end of the name, in lower case: `-boot.log`.
    fn parse(rest: &str) -> Option<Self> {
        let stem = rest.strip_prefix('-')?.strip_suffix(".log")?;
        match stem {
            "boot" => Some(Self::Boot),
            "app" => Some(Self::App),
            "appflash" => Some(Self::AppFlash),
            _ => {
                let inner = stem.strip_prefix("now-")?;
                let plain = inner.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                (plain && (1..=32).contains(&inner.len())).then(|| Self::Now(inner.to_owned()))
            }
        }
    }
}

impl ImageFile {
    /// Splits part numbers off: phones put theirs in front of whatever base name they were given (protocol/provisioning.md 4.2).
    fn parse(name: &str) -> Self {
        let mut part_number = None;
        let mut base = name;
        while let Some((first, rest)) = base.split_once('.').filter(|(first, _)| is_part_number(first)) {
            part_number.get_or_insert_with(|| first.to_owned());
            base = rest;
        }
        Self { part_number, base: base.to_owned() }
    }
}

/// Whether a text is a part number: `3111-44500-001`.
pub fn is_part_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 14 && bytes.iter().enumerate().all(|(i, b)| if matches!(i, 4 | 10) { *b == b'-' } else { b.is_ascii_digit() })
}

/// Files whose name begins with the key of a device.
fn keyed(name: &str, lower: &str) -> Option<PhoneFile> {
    let (key, rest) = split_key(lower)?;
    if let Some((_, file)) = DEVICE_FILES.iter().find(|(suffix, _)| *suffix == rest) {
        return Some(PhoneFile::Device(key, *file));
    }
    match rest {
        ".cfg" => return Some(PhoneFile::Master(key)),
        "-profile.cfg" => return Some(PhoneFile::Parameters(key)),
        "-bootstrap.cfg" => return Some(PhoneFile::Bootstrap(key)),
        _ => {}
    }
    if let Some(log) = LogKind::parse(rest) {
        return Some(PhoneFile::Log(key, log));
    }
    let capture = CAPTURES.iter().any(|(start, end)| rest.starts_with(start) && rest.ends_with(end));
    let plain = rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if capture && plain && rest.len() <= DUMP_NAME_BYTES {
        return Some(PhoneFile::Capture(key, name.to_owned()));
    }
    // A MAC in front makes it a device's file of a kind that we do not know, never a resource of the account.
    key.mac().map(|_| PhoneFile::Unknown)
}

/// The key at the start of a name and what follows it: 12 hexadecimal digits without separators, else a serial number with a digit.
fn split_key(lower: &str) -> Option<(DeviceKey, &str)> {
    let end = lower.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (stem, rest) = lower.split_at(end);
    if stem.len() == 12 && stem.bytes().all(|b| b.is_ascii_hexdigit()) {
        return stem.parse::<Mac>().ok().map(|mac| (DeviceKey::Mac(mac), rest));
    }
    let serial = Serial::parse(stem).ok().filter(|_| stem.bytes().any(|b| b.is_ascii_digit()))?;
    Some((DeviceKey::Serial(serial), rest))
}
