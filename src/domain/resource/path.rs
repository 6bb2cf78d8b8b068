//! Where a resource file is found: a folder, or none, and a name that phones can ask for and that means nothing else here.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::limits::MASTER_PATH_BYTES;
use super::super::phone_file::{PhoneFile, PhonePath, location};
use super::super::provision::paths::{self, PathError};
use super::{FOLDER, Kind, endings, of_ending};

/// A path below the account's root, in the letter case in which it was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourcePath(String);

/// The rule that a path breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourcePathError {
    /// No name.
    #[error("the file has no name")]
    NoName,
    /// A character that phones cannot write.
    #[error("{what} cannot stand in a name that phones ask for; they take letters, digits and - . _ ~{hint}")]
    Character {
        /// The character in words.
        what: String,
        /// What the name could be.
        hint: String,
    },
    /// A segment that begins with a dot.
    #[error("a name or a folder does not begin with a dot")]
    Dot,
    /// Too long.
    #[error("a path has at most {MASTER_PATH_BYTES} characters, folder included; this one has {0}")]
    TooLong(usize),
    /// A first folder that is taken.
    #[error("“{0}/” belongs to this server itself; choose another folder")]
    Reserved(String),
    /// Software.
    #[error("“.{0}” files are phone software: upload them under Software (/admin/software)")]
    Software(String),
    /// An ending that is not taken.
    #[error("files that end in “{ending}” are not taken; these are: {taken}")]
    Ending {
        /// The ending, or the whole name where it has none.
        ending: String,
        /// Those that are taken.
        taken: String,
    },
    /// A file of one device.
    #[error("the name begins with a MAC address: such a file is one device's; upload it under Files of that device")]
    OfDevice,
    /// Something that the server writes.
    #[error("this server writes “{0}” itself, for each device")]
    Written(String),
    /// Anything else that paths in master files may not be.
    #[error(transparent)]
    Path(#[from] PathError),
}

/// Endings of software (R215): images have a store of their own.
const SOFTWARE: [&str; 4] = ["ld", "zip", "tar", "gz"];
/// First folders that are taken, beside those of pages: images, and the second way to every resource file.
const TAKEN: [&str; 2] = ["swupdate", FOLDER];

impl ResourcePath {
    /// Puts folder and name together, both checked.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(folder: &str, name: &str) -> Result<Self, ResourcePathError> {
        let folder = check_folder(folder)?;
        let name = name.trim();
        check_segment(name)?;
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if path.len() > MASTER_PATH_BYTES {
            return Err(ResourcePathError::TooLong(path.len()));
        }
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let lower = ending.to_ascii_lowercase();
        if SOFTWARE.contains(&lower.as_str()) {
            return Err(ResourcePathError::Software(lower));
        }
        if stem.is_empty() || of_ending(ending).is_none() {
            let ending = if ending.is_empty() { name.to_owned() } else { format!(".{ending}") };
            let taken: Vec<String> = endings().map(|one| format!(".{one}")).collect();
            return Err(ResourcePathError::Ending { ending, taken: taken.join(" ") });
        }
        paths::check(&path, paths::Kind::File, None)?;
        means_nothing_else(&path)?;
        Ok(Self(path))
    }

    /// The same of a whole path.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_whole(path: &str) -> Result<Self, ResourcePathError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Self::parse(folder, name)
    }

    /// The path, without a leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its folder.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The form in which paths are compared.
    pub fn location(&self) -> String {
        location(&self.0).unwrap_or_default()
    }

    /// What the file is.
    pub fn kind(&self) -> Kind {
        self.ending().map_or(Kind::Backup, |ending| ending.kind)
    }

    /// The type that it is served as: one in which nothing runs, but for pages of the microbrowser.
    pub fn content_type(&self) -> &'static str {
        self.ending().map_or("application/octet-stream", |ending| ending.content_type)
    }

    /// The name's ending in lower case.
    pub fn extension(&self) -> &'static str {
        self.ending().map_or("", |ending| ending.text)
    }

    /// Whether it is a file for all devices (R220).
    pub fn is_for_all(&self) -> bool {
        self.name().starts_with(super::FOR_ALL)
    }

    /// The device that a name like `office2024.cfg` would belong to, if there were one of that serial number.
    pub fn looks_like(&self) -> Option<super::super::device::DeviceKey> {
        PhonePath::parse(&self.0).file.key().cloned()
    }

    fn ending(&self) -> Option<&'static super::Ending> {
        of_ending(self.0.rsplit_once('.')?.1)
    }
}

impl fmt::Display for ResourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks a folder; slashes around and between its parts do not count.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_folder(folder: &str) -> Result<String, ResourcePathError> {
    let segments: Vec<&str> = folder.trim().split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in &segments {
        check_segment(segment)?;
    }
    let path = segments.join("/");
    let Some(first) = segments.first() else { return Ok(path) };
    // The account's own label leads to its root.
    let lower = first.to_ascii_lowercase();
    if TAKEN.contains(&lower.as_str()) || lower == super::super::ids::DEFAULT_ACCOUNT_LABEL {
        return Err(ResourcePathError::Reserved(lower));
    }
    paths::check(&format!("{path}/x"), paths::Kind::File, None)?;
    Ok(path)
}

fn check_segment(segment: &str) -> Result<(), ResourcePathError> {
    if segment.is_empty() {
        return Err(ResourcePathError::NoName);
    }
    if segment == ".." {
        return Err(PathError::Upwards.into());
    }
    if let Some(c) = segment.chars().find(|c| !is_taken(*c)) {
        return Err(ResourcePathError::Character { what: told(c), hint: hint(segment) });
    }
    if segment.starts_with('.') {
        return Err(ResourcePathError::Dot);
    }
    Ok(())
}

/// Whether a character stands for itself in requests, in lists of files and in what phones replace (RFC 3986, *unreserved*).
fn is_taken(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~".contains(c)
}

fn told(c: char) -> String {
    match c {
        ' ' => "a blank".to_owned(),
        c if c.is_alphanumeric() || c.is_ascii_graphic() => format!("“{c}”"),
        c => format!("the character U+{:04X}", u32::from(c)),
    }
}

/// A name that could be taken, where little is wrong with this one.
fn hint(segment: &str) -> String {
    const READABLE: usize = 80;
    let is_plain = segment.len() <= READABLE && segment.chars().all(|c| is_taken(c) || c.is_ascii_graphic() || c == ' ');
    let name: String = segment.chars().map(|c| if is_taken(c) { c } else { '_' }).collect();
    if is_plain { format!(". Rename it, to “{name}” for example") } else { ". Rename it".to_owned() }
}

/// Refuses names that phones ask for as something of their own.
fn means_nothing_else(path: &str) -> Result<(), ResourcePathError> {
    match PhonePath::parse(path).file {
        PhoneFile::Resource(_) | PhoneFile::Default(_) => Ok(()),
        PhoneFile::MasterDefault => Err(ResourcePathError::Written(path.to_owned())),
        PhoneFile::Image(_) => Err(ResourcePathError::Software("ld".to_owned())),
        // The shape of a serial number alone says little: `office2024.cfg` has it too.
        file if file.key().is_some_and(|key| key.mac().is_none()) => Ok(()),
        _ => Err(ResourcePathError::OfDevice),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::property_config;

    fn error(folder: &str, name: &str) -> String {
        ResourcePath::parse(folder, name).expect_err("refused").to_string()
    }

    #[test]
    fn names_that_phones_ask_for_are_taken_as_they_are_written() {
        for (folder, name, path) in [
            ("", "Ring-1.wav", "Ring-1.wav"),
            ("languages", "German.xml", "languages/German.xml"),
            ("/VVXLocalization//German/", "x.xml", "VVXLocalization/German/x.xml"),
            ("", "000000000000-directory.xml", "000000000000-directory.xml"),
            ("", "000000000000-license.cfg", "000000000000-license.cfg"),
            ("", "000000000000-features.cfg", "000000000000-features.cfg"),
            ("", "office2024.cfg", "office2024.cfg"),
            ("", "logo.JPEG", "logo.JPEG"),
        ] {
            assert_eq!(ResourcePath::parse(folder, name).map(|path| path.to_string()).as_deref(), Ok(path));
        }
        assert!(ResourcePath::parse("", "office2024.cfg").is_ok_and(|path| path.looks_like().is_some()));
    }

    /// PRS-13.
    #[test]
    fn hostile_names_are_refused_with_the_rule() {
        for (folder, name, part) in [
            ("", "../../x.wav", "“/”"),
            ("", "C:\\x.wav", "“:”"),
            ("", "a\u{202e}gnp.wav", "U+202E"),
            ("", "a\0.wav", "U+0000"),
            ("", "a\r\nX-Y: z.wav", "U+000D"),
            ("", "Ring tone.wav", "a blank cannot stand"),
            ("", "Ring tone.wav", "“Ring_tone.wav”"),
            ("", "a,b.wav", "“,”"),
            ("", "[PHONE_MODEL].png", "“[”"),
            ("", "$mac_address.png", "“$”"),
            ("", "", "no name"),
            ("", ".wav", "begin with a dot"),
            ("", "wav", "“wav” are not taken"),
            ("", "logo.svg", "“.svg” are not taken"),
            ("", "logo.php.sh", "“.sh” are not taken"),
            ("", "sip.ld", "under Software (/admin/software)"),
            ("", "release.ZIP", "under Software"),
            ("", "0004f2aa0001-phone.cfg", "Files of that device"),
            ("", "0004F2AA0001-x.wav", "Files of that device"),
            ("", "000000000000.cfg", "writes “000000000000.cfg” itself"),
            ("..", "x.wav", "leads out of the folder"),
            ("a/./b", "x.wav", "begin with a dot"),
            ("admin", "x.wav", "belongs to the pages"),
            ("Static/x", "x.wav", "belongs to the pages"),
            ("swupdate", "x.wav", "belongs to this server itself"),
            ("Resources", "x.wav", "belongs to this server itself"),
            ("default", "x.wav", "belongs to this server itself"),
        ] {
            let told = error(folder, name);
            assert!(told.contains(part), "{folder:?} {name:?}: {told}");
        }
        assert!(error("", &format!("{}.wav", "a".repeat(4_096))).contains("at most 255"));
    }

    proptest! {
        #![proptest_config(property_config())]

        #[test]
        fn whatever_is_taken_is_found_under_itself_and_can_stand_in_a_master_file(
            folder in "[a-zA-Z0-9._~/-]{0,20}", name in "[a-zA-Z0-9._~ %-]{1,12}\\.(wav|PNG|cfg|xml|ld|exe)",
        ) {
            if let Ok(path) = ResourcePath::parse(&folder, &name) {
                prop_assert!(paths::names(path.as_str(), None, &path.location()));
                prop_assert_eq!(paths::check(path.as_str(), paths::Kind::File, None), Ok(()));
                prop_assert_eq!(ResourcePath::parse_whole(path.as_str()), Ok(path));
            }
        }
    }
}
