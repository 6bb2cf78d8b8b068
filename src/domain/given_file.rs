//! Files that a person puts there for a device: into which directory, under which name, and how they are told by it (R222–R224).
//!
//! Phones know these directories by attributes of the master file. Some names mean something to every phone and have a place of their
//! own; all others are kept below the word of their directory, so that no upload can take the place of something else.

use std::fmt;

use super::activity::MASK;
use super::device::{DeviceKey, Serial};
use super::mac::Mac;
use super::phone_file::{DeviceFile as Kind, location};

/// Where a person's file for a device goes, under the guide's names (R223).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Directory {
    /// Whatever the attribute `MISC_FILES` names.
    Misc,
    /// Contacts.
    Contacts,
    /// Settings that stand above all that is served.
    Overrides,
    /// Licences of phone features.
    License,
    /// Settings of people who sign in on a phone.
    UserProfiles,
    /// Certificates.
    Certificate,
    /// Line keys.
    Flk,
}

/// The administrator's own directory of a device: the phone's upload is another file, and counts for that phone (contract 5.13).
pub const GIVEN_DIRECTORY: &str = "contacts.directory.xml";
/// The directory that the phone uploads.
pub const OWN_DIRECTORY: &str = "directory.xml";
/// A licence file of this device under the name that phones ask for first.
pub const SITE_LICENSE: &str = "license.000000000000-license.cfg";

/// Longest name of a file.
const NAME_BYTES: usize = 100;
/// The key of everybody.
const ZERO: &str = "000000000000";

impl Directory {
    /// All of them, in the guide's order.
    pub const ALL: [Self; 7] =
        [Self::Misc, Self::Contacts, Self::Overrides, Self::License, Self::UserProfiles, Self::Certificate, Self::Flk];

    /// A word for forms, programs and names of files kept here.
    pub fn word(self) -> &'static str {
        match self {
            Self::Misc => "misc",
            Self::Contacts => "contacts",
            Self::Overrides => "overrides",
            Self::License => "license",
            Self::UserProfiles => "user-profiles",
            Self::Certificate => "certificate",
            Self::Flk => "flk",
        }
    }

    /// The guide's name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Misc => "Misc Files Directory",
            Self::Contacts => "Contacts Directory",
            Self::Overrides => "Overrides Directory",
            Self::License => "License Directory",
            Self::UserProfiles => "User Profiles Directory",
            Self::Certificate => "Certificate Directory",
            Self::Flk => "FLK Directory",
        }
    }

    /// The attribute of the master file by which phones know it.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Misc => "MISC_FILES",
            Self::Contacts => "CONTACTS_DIRECTORY",
            Self::Overrides => "OVERRIDES_DIRECTORY",
            Self::License => "LICENSE_DIRECTORY",
            Self::UserProfiles => "USER_PROFILES_DIRECTORY",
            Self::Certificate => "CERTIFICATE_DIRECTORY",
            Self::Flk => "FLK_DIRECTORY",
        }
    }

    /// Reads its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// The directory of a kind of file that every phone knows; none for call lists, which are the phone's alone.
    fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Phone | Kind::Web | Kind::System | Kind::Cloud => Some(Self::Overrides),
            Kind::License => Some(Self::License),
            Kind::Directory => Some(Self::Contacts),
            Kind::Calls => None,
        }
    }

    /// Names that a file may have here, where phones ask for no others.
    fn only(self) -> Option<&'static str> {
        match self {
            Self::Contacts => Some("directory.xml"),
            Self::Overrides => Some("phone.cfg, web.cfg, system.cfg or cloud.cfg"),
            Self::License => Some("license.cfg"),
            _ => None,
        }
    }
}

/// What a file's content must be, told by the end of its name (R222).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// `cfg`: parameters, or a licence.
    Cfg,
    /// `xml`.
    Xml,
    /// `csv`.
    Csv,
    /// `pem`: certificates or keys as text.
    Pem,
    /// `crt` or `cer`: a certificate as text or as bytes.
    Certificate,
}

impl Content {
    /// What is accepted, in words.
    pub const ACCEPTED: &str = "CFG, XML, CSV, PEM, CRT and CER";

    fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "cfg" => Some(Self::Cfg),
            "xml" => Some(Self::Xml),
            "csv" => Some(Self::Csv),
            "pem" => Some(Self::Pem),
            "crt" | "cer" => Some(Self::Certificate),
            _ => None,
        }
    }
}

/// A name that a person may upload a file under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenName {
    /// The one device that the name itself names.
    pub key: Option<DeviceKey>,
    /// Under which the file is kept.
    pub name: String,
    /// What it must be.
    pub content: Content,
}

/// Why a name is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Another kind of file.
    #[error("“{0}” is none of the files that devices take; accepted are {accepted}", accepted = Content::ACCEPTED)]
    Ending(String),
    /// Characters that phones cannot ask for.
    #[error(
        "“{0}” cannot be asked for by phones: a name has letters, digits, dots, hyphens and underscores, at most {NAME_BYTES}"
    )]
    Characters(String),
    /// It is made by the server.
    #[error("“{0}” is made here for each device; what is in it comes from profiles")]
    Made(String),
    /// Call lists.
    #[error("“{0}” is written by the phone alone")]
    CallLists(String),
    /// Another directory.
    #[error("“{name}” belongs into the {directory}: phones look for it there")]
    Elsewhere {
        /// The name.
        name: String,
        /// Where it belongs.
        directory: &'static str,
    },
    /// A name that phones never ask for in this directory.
    #[error("phones look in the {directory} for {only} alone, with or without the key of the device in front; rename “{name}”")]
    Unasked {
        /// The name.
        name: String,
        /// The directory.
        directory: &'static str,
        /// What they look for.
        only: &'static str,
    },
    /// The key of a device that is not among the chosen ones.
    #[error("“{name}” is a file of {key}, which is none of the devices that this is for")]
    Foreign {
        /// The name.
        name: String,
        /// Whose it is.
        key: String,
    },
}

/// Reads the name of a file for some devices.
///
/// # Errors
/// Why it is not taken, in words.
pub fn parse(directory: Directory, name: &str, is_chosen: impl Fn(&DeviceKey) -> bool) -> Result<GivenName, NameError> {
    let lower = name.to_ascii_lowercase();
    let owned = || name.to_owned();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if lower.is_empty() || lower.len() > NAME_BYTES || !lower.bytes().all(plain) || lower.starts_with('.') || lower.contains("..")
    {
        return Err(NameError::Characters(owned()));
    }
    let content = Content::of(&lower).ok_or_else(|| NameError::Ending(owned()))?;
    let (key, rest) = split(&lower, &is_chosen);
    if let Some(key) = key.as_ref().filter(|key| !is_chosen(key)) {
        return Err(NameError::Foreign { name: owned(), key: key.to_string() });
    }
    let is_of_all = lower.starts_with(ZERO);
    if (key.is_some() || is_of_all) && matches!(rest, ".cfg" | "-profile.cfg" | "-bootstrap.cfg") {
        return Err(NameError::Made(owned()));
    }
    let bare = if key.is_none() && !is_of_all { format!("-{lower}") } else { rest.to_owned() };
    let kind = Kind::ALL.into_iter().find(|kind| kind.suffix() == bare);
    let kept = match kind {
        Some(kind) => known(directory, kind, is_of_all).map_err(|belongs| match belongs {
            Some(belongs) => NameError::Elsewhere { name: owned(), directory: belongs.label() },
            None => NameError::CallLists(owned()),
        })?,
        None => match directory.only() {
            Some(only) => return Err(NameError::Unasked { name: owned(), directory: directory.label(), only }),
            None => format!("{}.{lower}", directory.word()),
        },
    };
    Ok(GivenName { key, name: kept, content })
}

/// The name under which a file is kept that every phone knows; otherwise where it belongs.
fn known(directory: Directory, kind: Kind, is_of_all: bool) -> Result<String, Option<Directory>> {
    let belongs = Directory::of(kind).ok_or(None)?;
    if belongs != directory {
        return Err(Some(belongs));
    }
    Ok(match kind {
        Kind::Directory => GIVEN_DIRECTORY.to_owned(),
        Kind::License if is_of_all => SITE_LICENSE.to_owned(),
        kind => kind.suffix().trim_start_matches('-').to_owned(),
    })
}

/// The key in front of a name and what follows it.
fn split<'n>(lower: &'n str, is_chosen: &impl Fn(&DeviceKey) -> bool) -> (Option<DeviceKey>, &'n str) {
    let end = lower.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (stem, rest) = lower.split_at(end);
    if stem == ZERO {
        return (None, rest);
    }
    let mac = (stem.len() == 12 && stem.bytes().all(|b| b.is_ascii_hexdigit())).then(|| stem.parse::<Mac>().ok()).flatten();
    // Many a name looks like a serial number: it is one where such a device was chosen.
    let serial = || Serial::parse(stem).ok().map(DeviceKey::Serial).filter(is_chosen);
    match mac.map(DeviceKey::Mac).or_else(serial) {
        Some(key) => (Some(key), rest),
        None => (None, lower),
    }
}

/// The directory and the name of a file that a person put there and that no phone uploads, from the name that it is kept under.
pub fn given(kept: &str) -> Option<(Directory, &str)> {
    Directory::ALL.into_iter().find_map(|directory| {
        let name = kept.strip_prefix(directory.word())?.strip_prefix('.')?;
        name.contains('.').then_some((directory, name))
    })
}

/// Whether a phone that asks for a path means a file that a person put there: at the root, below the directory that the phone's
/// master file names, and where that lists it by name. `asked` is [`location`] of what is asked for, `path` what the master says.
pub fn is_asked_for(kept: &str, asked: &str, path: impl Fn(&str, &str) -> bool, is_listed: bool) -> bool {
    let Some((directory, name)) = given(kept) else { return false };
    let Some(at_root) = location(name) else { return false };
    let last = asked.rsplit('/').next().unwrap_or_default();
    last == at_root && (asked == at_root || is_listed || path(directory.attribute(), name))
}

/// A text as it may be shown: what stands between the lines that begin and end a private key is masked.
pub fn with_keys_masked(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::with_capacity(text.len());
    let mut is_key = false;
    for line in text.split_inclusive('\n') {
        let ends = is_key && line.contains("-----END");
        if !is_key || ends {
            shown.push_str(line);
        }
        is_key = !ends && (is_key || line.contains("-----BEGIN") && line.contains("PRIVATE KEY") && !line.contains("-----END"));
        if is_key && line.contains("-----BEGIN") {
            shown.push_str(MASK);
            shown.push('\n');
        }
    }
    shown.into_bytes()
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: &str = "0004f2aa0001";

    fn key() -> DeviceKey {
        MAC.parse().expect("a MAC address")
    }

    fn kept(directory: Directory, name: &str) -> Result<(bool, String), NameError> {
        parse(directory, name, |one| *one == key()).map(|given| (given.key.is_some(), given.name))
    }

    #[test]
    fn files_that_phones_know_have_their_own_places() {
        let is = |directory, name: &str, has_key, expected: &str| {
            assert_eq!(kept(directory, name), Ok((has_key, expected.to_owned())), "{name}");
        };
        is(Directory::Overrides, "0004F2AA0001-Web.cfg", true, "web.cfg");
        is(Directory::Overrides, "phone.cfg", false, "phone.cfg");
        is(Directory::License, &format!("{MAC}-license.cfg"), true, "license.cfg");
        is(Directory::License, "000000000000-license.cfg", false, SITE_LICENSE);
        is(Directory::Contacts, "directory.xml", false, GIVEN_DIRECTORY);
        is(Directory::Contacts, "000000000000-directory.xml", false, GIVEN_DIRECTORY);
        is(Directory::Certificate, "Site-CA.pem", false, "certificate.site-ca.pem");
        is(Directory::Misc, &format!("{MAC}-extra.cfg"), true, "misc.0004f2aa0001-extra.cfg");
        is(Directory::Misc, "office2024.cfg", false, "misc.office2024.cfg");
    }

    #[test]
    fn a_serial_number_counts_as_one_where_such_a_device_was_chosen() {
        let serial: DeviceKey = "8218404c20ccf9".parse().expect("a serial number");
        let given = parse(Directory::Overrides, "8218404c20ccf9-phone.cfg", |one| *one == serial).expect("taken");
        assert_eq!((given.key, given.name.as_str()), (Some(serial), "phone.cfg"));
    }

    #[test]
    fn what_would_take_the_place_of_something_else_is_refused_with_the_reason() {
        use Directory::{Contacts, Misc, Overrides};
        assert!(matches!(kept(Misc, &format!("{MAC}.cfg")), Err(NameError::Made(_))));
        assert!(matches!(kept(Misc, "000000000000.cfg"), Err(NameError::Made(_))));
        assert!(matches!(kept(Misc, &format!("{MAC}-profile.cfg")), Err(NameError::Made(_))));
        assert!(matches!(kept(Misc, "0004f2aa0002-x.cfg"), Err(NameError::Foreign { .. })));
        assert!(matches!(kept(Misc, "phone.cfg"), Err(NameError::Elsewhere { .. })));
        assert!(matches!(kept(Overrides, "other.cfg"), Err(NameError::Unasked { .. })));
        assert!(matches!(kept(Contacts, &format!("{MAC}-calls.xml")), Err(NameError::CallLists(_))));
        for name in ["x.sh", "x", "x.ld", "cfg"] {
            assert!(matches!(kept(Misc, name), Err(NameError::Ending(_))), "{name}");
        }
        for name in ["../x.cfg", "a/b.cfg", "a b.cfg", ".cfg", "a..cfg", "é.cfg", "", &format!("{}.cfg", "x".repeat(97))] {
            assert!(matches!(kept(Misc, name), Err(NameError::Characters(_))), "{name}");
        }
    }

    #[test]
    fn a_private_key_is_not_shown_and_all_else_is() {
        let file = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\nCANARY\nCANARY\n\
                    -----END RSA PRIVATE KEY-----\nafter\n";
        let shown = String::from_utf8(with_keys_masked(file.as_bytes())).expect("UTF-8 stays UTF-8");
        assert_eq!(shown, file.replace("CANARY\nCANARY", MASK));
        assert!(!String::from_utf8_lossy(&with_keys_masked(b"-----BEGIN PRIVATE KEY-----\nCANARY")).contains("CANARY"));
    }

    #[test]
    fn a_file_is_found_at_the_root_and_below_its_directory_and_nowhere_else() {
        let in_certs = |attribute: &str, name: &str| attribute == "CERTIFICATE_DIRECTORY" && name == "ca.pem";
        let asked = |path: &str, is_listed| is_asked_for("certificate.ca.pem", path, in_certs, is_listed);
        assert!(asked("ca.pem", false) && asked("certs/ca.pem", false) && asked("elsewhere/ca.pem", true));
        assert!(!asked("other.pem", true));
        assert!(!is_asked_for("flk.ca.pem", "certs/ca.pem", in_certs, false));
        assert!(!is_asked_for("phone.cfg", "phone.cfg", in_certs, false));
        assert_eq!(given("user-profiles.ada.cfg"), Some((Directory::UserProfiles, "ada.cfg")));
        assert_eq!(given("license.cfg"), None);
    }
}
