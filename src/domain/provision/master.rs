//! Attributes of the master file: which names they have, which the server writes, and what profiles may do to them
//! (R165–R170, protocol/provisioning.md 2).

use std::borrow::Cow;

use super::super::limits::{CONFIG_FILES_BYTES, MASTER_PATH_BYTES};
use super::super::parameter::masked;
use super::super::resolution::Effective;
use super::super::resource::Resources;
use super::paths::{self, Kind, PathError};
use super::variables::expanded_bytes;
use super::{Setting, Text, Warning};

/// A path that is always answered 404: while no image is chosen for a device it keeps the software it has (contract 5.12).
pub const NO_IMAGE: &str = "swupdate/none/none/sip.ld";

/// What the name of a device's own parameter file adds to its key.
pub const PARAMETER_FILE_SUFFIX: &str = "-profile.cfg";

/// What names of attributes that admins invent begin with (R170). They are written under that very name.
pub const INVENTED_PREFIX: &str = "_mac_cfg";

pub(super) const CONFIG_FILES: &str = "CONFIG_FILES";
/// Names the image of a phone.
pub const APP_FILE_PATH: &str = "APP_FILE_PATH";

/// What a master file holds unless a profile says otherwise, in the vendor's order. Directories are empty: this server.
const WRITTEN: [&str; 13] = [
    APP_FILE_PATH,
    CONFIG_FILES,
    "SERVICE_FILES",
    "MISC_FILES",
    "LOG_FILE_DIRECTORY",
    "OVERRIDES_DIRECTORY",
    "CONTACTS_DIRECTORY",
    "LICENSE_DIRECTORY",
    "USER_PROFILES_DIRECTORY",
    "CALL_LISTS_DIRECTORY",
    "COREFILE_DIRECTORY",
    "CERTIFICATE_DIRECTORY",
    "FLK_DIRECTORY",
];

/// Attributes that name files rather than a directory.
const FILES: [&str; 6] = [APP_FILE_PATH, CONFIG_FILES, "MISC_FILES", "SERVICE_FILES", "DECT_FILE_PATH", "BOOTBLOCK_FILE_PATH"];

/// Whether a name belongs into the master file: it is never a parameter. Each may carry a model, as `CONFIG_FILES_VVX500`.
pub fn is_master(name: &str) -> bool {
    // They begin as hardly any parameter does, and every parameter of every device is asked.
    name.starts_with(|first: char| first == '_' || first.is_ascii_uppercase())
        && (name.starts_with(INVENTED_PREFIX) || FILES.iter().any(|file| is_or_of_model(name, file)) || is_directory(name))
}

/// Whether a name is this attribute, or this attribute for one model.
fn is_or_of_model(name: &str, attribute: &str) -> bool {
    name.strip_prefix(attribute).is_some_and(|rest| rest.is_empty() || (rest.len() > 1 && rest.starts_with('_')))
}

/// `X_DIRECTORY` or `X_DIRECTORY_MODEL`, for any X of capital letters.
fn is_directory(name: &str) -> bool {
    let Some((stem, model)) = name.split_once("_DIRECTORY") else { return false };
    !stem.is_empty()
        && stem.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        && (model.is_empty() || (model.len() > 1 && model.starts_with('_')))
}

/// The rule that an admin's own master attribute breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterError {
    /// The name is neither a parameter nor an attribute that admins may invent.
    #[error("a name that begins with an underscore is a master-file attribute of your own and begins with {INVENTED_PREFIX}")]
    Prefix,
    /// One path is too long for a phone.
    #[error("a path in a master file has at most {MASTER_PATH_BYTES} bytes; “{0}” has more")]
    TooLong(String),
    /// Phones cannot ask for one path.
    #[error("“{entry}”: {error}")]
    Path {
        /// The path.
        entry: String,
        /// Why.
        error: PathError,
    },
}

/// Checks what an admin writes into a profile, as far as it goes into the master file: the name of an invented attribute (R170),
/// and of every path its length and that phones can ask for it. Parameters pass; no parameter's name begins with an underscore.
pub fn check(name: &str, value: &str) -> Result<(), MasterError> {
    if !is_master(name) {
        return if name.starts_with('_') { Err(MasterError::Prefix) } else { Ok(()) };
    }
    entries(name, value).try_for_each(|entry| check_entry(name, entry, KEY_BYTES, None))
}

/// Checks one path. `here` is the account's own address, where it is known.
fn check_entry(name: &str, entry: &str, key_bytes: usize, here: Option<&str>) -> Result<(), MasterError> {
    if expanded_bytes(entry, key_bytes) > MASTER_PATH_BYTES {
        return Err(MasterError::TooLong(shown(entry)));
    }
    if name.starts_with(INVENTED_PREFIX) {
        // Nobody but the admin knows what it means.
        return Ok(());
    }
    let kind = if is_directory(name) { Kind::Directory } else { Kind::File };
    paths::check(entry, kind, here).map_err(|error| MasterError::Path { entry: shown(entry), error })
}

/// A path as a message shows it: the password of an address masked.
fn shown(entry: &str) -> String {
    masked("", entry).into_owned()
}

/// Bytes of a MAC in file names.
const KEY_BYTES: usize = 12;

/// The paths of a value: those of a list, or the one.
fn entries<'a>(name: &str, value: &'a str) -> impl Iterator<Item = &'a str> {
    let separator = if FILES.iter().any(|file| file.ends_with("_FILES") && is_or_of_model(name, file)) { ',' } else { '\0' };
    value.split(separator).map(str::trim).filter(|entry| !entry.is_empty())
}

/// The files that an attribute names for phones to fetch, in their order; none for other attributes, nor for the image of a
/// phone's software: a path of it that leads nowhere keeps the software as it is (contract 5.12).
pub fn listed<'a>(name: &str, value: &'a str) -> impl Iterator<Item = &'a str> {
    let names_files = !is_or_of_model(name, APP_FILE_PATH) && FILES.iter().any(|file| is_or_of_model(name, file));
    entries(name, if names_files { value } else { "" })
}

/// The attributes of a device's master file. `key_bytes` is the length of the device's key, which the limits are counted with;
/// `image` the path of the image that the device takes next, which counts unless a profile names a path itself (R166);
/// `here` is the account's own address, `resources` what is stored there.
pub fn attributes<'a>(
    effective: &Effective<'a>,
    key_bytes: usize,
    image: Option<String>,
    (here, resources): (&str, &Resources),
    warnings: &mut Vec<Warning>,
) -> Vec<Setting<'a, Text<'a>>> {
    let mut attributes: Vec<_> =
        WRITTEN.iter().map(|name| Setting { name: Cow::Borrowed(*name), value: written(name) }).collect();
    // A profile's path counts also where it is left out below: never another file than what somebody meant.
    if let (Some(path), None) = (image, effective.value(APP_FILE_PATH)) {
        attributes
            .iter_mut()
            .filter(|one| one.name == APP_FILE_PATH)
            .for_each(|one| one.value = Text::Fixed(Cow::Owned(path.clone())));
    }
    for resolved in effective.iter().filter(|resolved| is_master(resolved.name)) {
        let Some(value) = resolved.winner.value else { continue };
        let refused = |entry| check_entry(resolved.name, entry, key_bytes, Some(here)).err();
        let value = if is_or_of_model(resolved.name, CONFIG_FILES) {
            Text::Profile(Cow::Owned(appended(resolved.name, value, key_bytes, (here, resources), warnings)))
        } else if let Some(error) = entries(resolved.name, value).find_map(refused) {
            warnings.push(Warning::left_out(resolved.name, error));
            continue;
        } else {
            warnings.extend(entries(resolved.name, value).filter_map(|entry| not_stored(resolved.name, entry, here, resources)));
            Text::Profile(Cow::Borrowed(&**value))
        };
        match attributes.iter_mut().find(|attribute| attribute.name == resolved.name) {
            Some(attribute) => attribute.value = value,
            None => attributes.push(Setting { name: Cow::Borrowed(resolved.name), value }),
        }
    }
    attributes
}

/// The warning about a file that phones are sent to and that this server does not have.
fn not_stored(attribute: &str, entry: &str, here: &str, resources: &Resources) -> Option<Warning> {
    let names_files = FILES.iter().any(|file| is_or_of_model(attribute, file));
    let warning = || Warning::NotStored {
        attribute: attribute.to_owned(),
        entry: shown(entry),
        is_image: is_or_of_model(attribute, APP_FILE_PATH),
    };
    (names_files && paths::is_missing_here(entry, here, resources)).then(warning)
}

/// The attributes of a master file for nobody in particular: no parameter file, no image, no value of any profile.
pub fn anonymous<'a>() -> Vec<Setting<'a, Text<'a>>> {
    let value = |name: &str| Text::Fixed(Cow::Borrowed(if name == APP_FILE_PATH { NO_IMAGE } else { "" }));
    WRITTEN.iter().map(|name| Setting { name: Cow::Borrowed(*name), value: value(name) }).collect()
}

/// What an attribute holds unless a profile says otherwise.
fn written<'a>(name: &str) -> Text<'a> {
    match name {
        APP_FILE_PATH => Text::Fixed(Cow::Borrowed(NO_IMAGE)),
        CONFIG_FILES => Text::Profile(Cow::Owned(own_file())),
        _ => Text::Fixed(Cow::Borrowed("")),
    }
}

/// The name of the device's parameter file, with the variable for its key.
fn own_file() -> String {
    format!("${{mac_address}}{PARAMETER_FILE_SUFFIX}")
}

/// Our own parameter file and after it the admin's entries, as far as phones can take them. An entry that does not fit is
/// left out whole and told: a truncated name would make phones ask for a file that nobody meant.
fn appended(
    attribute: &str,
    value: &str,
    key_bytes: usize,
    (here, resources): (&str, &Resources),
    warnings: &mut Vec<Warning>,
) -> String {
    let mut list = own_file();
    let mut bytes = expanded_bytes(&list, key_bytes);
    for entry in entries(CONFIG_FILES, value) {
        let entry_bytes = expanded_bytes(entry, key_bytes);
        if let Err(error) = check_entry(attribute, entry, key_bytes, Some(here)) {
            warnings.push(Warning::left_out(attribute, error));
        } else if bytes + 1 + entry_bytes > CONFIG_FILES_BYTES {
            warnings.push(Warning::ListFull { attribute: attribute.to_owned(), entry: shown(entry) });
        } else {
            warnings.extend(not_stored(attribute, entry, here, resources));
            list.push(',');
            list.push_str(entry);
            bytes += 1 + entry_bytes;
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::{Container, Placed};
    use crate::domain::resolution::merge;
    use crate::domain::testing::profile;

    const HERE: &str = "https://pdms.example.test:8443/";

    /// The master attributes of a device with a MAC and one profile of these parameters.
    fn attributes_of(parameters: &[(&str, &str)]) -> (Vec<(String, String)>, Vec<Warning>) {
        let profile = profile(1, parameters);
        let placed = [Placed { container: Container::Global, place: None, profile: &profile }];
        let mut warnings = Vec::new();
        let effective = merge(&placed);
        let device = crate::domain::testing::device("0004f2aabbcc");
        let secrets = crate::domain::testing::to(&device).secrets.clone();
        let values =
            super::super::DeviceValues { key: "0004f2aabbcc".into(), polling_time: String::new(), name: String::new(), secrets };
        let filled = |setting: Setting<'_, Text<'_>>| (setting.name.to_string(), setting.value.fill(&values).into_owned());
        let attributes = attributes(&effective, KEY_BYTES, None, (HERE, &Resources::default()), &mut warnings)
            .into_iter()
            .map(filled)
            .collect();
        (attributes, warnings)
    }

    fn value(attributes: &[(String, String)], name: &str) -> Option<String> {
        attributes.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn master_attributes_are_known_by_name_also_with_a_model() {
        let masters = [
            "APP_FILE_PATH",
            "APP_FILE_PATH_SPIP300",
            "CONFIG_FILES",
            "CONFIG_FILES_VVX500",
            "MISC_FILES",
            "SERVICE_FILES",
            "DECT_FILE_PATH",
            "BOOTBLOCK_FILE_PATH_VVX1500",
            "CAMERA_PRESETS_DIRECTORY",
            "LOG_FILE_DIRECTORY_Trio8800",
            "_mac_cfg",
            "_mac_cfg_site",
            "_mac_cfgX",
        ];
        for name in masters {
            assert!(is_master(name), "{name}");
        }
        for name in
            ["APP_FILE_PATHS", "_DIRECTORY", "x.DIRECTORY", "app_file_path", "feature.CONFIG_FILES", "CONFIG_FILES_", "mac_cfg"]
        {
            assert!(!is_master(name), "{name}");
        }
    }

    #[test]
    fn directories_are_this_server_and_no_image_is_offered_by_itself() {
        let (attributes, warnings) = attributes_of(&[]);
        assert_eq!(value(&attributes, "CONFIG_FILES").as_deref(), Some("0004f2aabbcc-profile.cfg"));
        assert_eq!(value(&attributes, "APP_FILE_PATH").as_deref(), Some(NO_IMAGE));
        assert!(attributes.iter().filter(|(name, _)| name.ends_with("_DIRECTORY")).all(|(_, value)| value.is_empty()));
        assert!(warnings.is_empty());
    }

    #[test]
    fn config_files_are_appended_to_ours_and_everything_else_replaces_ours() {
        let (attributes, _) = attributes_of(&[
            ("CONFIG_FILES", " site.cfg ,, $mac_address.d/x.cfg,"),
            ("CONFIG_FILES_VVX500", "vvx.cfg"),
            ("APP_FILE_PATH", "https://u:p@images.example.test/sip.ld"),
            ("LOG_FILE_DIRECTORY", "logs/${mac_address}"),
            ("_mac_cfg_room", "4711"),
            ("voice.volume", "3"),
        ]);
        let value = |name| value(&attributes, name);
        assert_eq!(value("CONFIG_FILES").as_deref(), Some("0004f2aabbcc-profile.cfg,site.cfg,0004f2aabbcc.d/x.cfg"));
        // The attribute for a model beats the general one, so it must name our file too.
        assert_eq!(value("CONFIG_FILES_VVX500").as_deref(), Some("0004f2aabbcc-profile.cfg,vvx.cfg"));
        assert_eq!(value("APP_FILE_PATH").as_deref(), Some("https://u:p@images.example.test/sip.ld"));
        assert_eq!(value("LOG_FILE_DIRECTORY").as_deref(), Some("logs/0004f2aabbcc"));
        assert_eq!(value("_mac_cfg_room").as_deref(), Some("4711"));
        assert_eq!(value("voice.volume"), None);
    }

    #[test]
    fn one_entry_may_have_255_bytes_and_not_one_more() {
        let fits = "f".repeat(MASTER_PATH_BYTES);
        let too_long = "g".repeat(MASTER_PATH_BYTES + 1);
        let (attributes, warnings) = attributes_of(&[("CONFIG_FILES", &format!("{fits},{too_long},last.cfg"))]);
        assert_eq!(value(&attributes, "CONFIG_FILES"), Some(format!("0004f2aabbcc-profile.cfg,{fits},last.cfg")));
        let left_out = |attribute| Warning::left_out(attribute, MasterError::TooLong(too_long.clone()));
        assert_eq!(warnings, [not_here("CONFIG_FILES", &fits), left_out("CONFIG_FILES"), not_here("CONFIG_FILES", "last.cfg")]);

        let (attributes, warnings) = attributes_of(&[("APP_FILE_PATH", &too_long)]);
        assert_eq!(value(&attributes, "APP_FILE_PATH").as_deref(), Some(NO_IMAGE));
        assert_eq!(warnings, [left_out("APP_FILE_PATH")]);
    }

    fn not_here(attribute: &str, entry: &str) -> Warning {
        Warning::NotStored { attribute: attribute.into(), entry: entry.into(), is_image: attribute == APP_FILE_PATH }
    }

    #[test]
    fn every_file_that_is_not_here_is_told_with_the_next_step() {
        let (_, warnings) = attributes_of(&[
            ("CONFIG_FILES", "https://files.example.test/a.cfg, site.cfg, $mac_address-profile.cfg"),
            ("MISC_FILES", "logo.png,http://10.0.0.1/x.png"),
            ("SERVICE_FILES", "https://u:hunter2@pdms.example.test:8443/s.dat"),
            ("APP_FILE_PATH", "sip.ld"),
            ("LOG_FILE_DIRECTORY", "logs"),
            ("_mac_cfg_x", "anything at all"),
        ]);
        let expected = [
            not_here("APP_FILE_PATH", "sip.ld"),
            not_here("CONFIG_FILES", "site.cfg"),
            not_here("MISC_FILES", "logo.png"),
            not_here("SERVICE_FILES", "https://pdms.example.test:8443/s.dat"),
        ];
        assert!(!format!("{warnings:?}").contains("hunter2"), "{warnings:?}");
        assert_eq!(warnings[..3], expected[..3]);
        assert!(matches!(&warnings[3], Warning::NotStored { attribute, .. } if attribute == "SERVICE_FILES"));
        let words = expected[1].to_string();
        assert!(words.contains("“site.cfg”") && words.contains("take it out of the profile"), "{words}");
    }

    #[test]
    fn a_path_that_no_phone_can_ask_for_is_left_out_even_where_a_profile_has_it_already() {
        let (attributes, warnings) =
            attributes_of(&[("CONFIG_FILES", "a b.cfg,https://pdms.example.test:8443/admin/x.cfg"), ("MISC_FILES", "../x.png")]);
        assert_eq!(value(&attributes, "CONFIG_FILES").as_deref(), Some("0004f2aabbcc-profile.cfg"));
        assert_eq!(value(&attributes, "MISC_FILES").as_deref(), Some(""));
        assert!(warnings.len() == 3 && warnings.iter().all(|one| matches!(one, Warning::LeftOut { .. })), "{warnings:?}");
    }

    #[test]
    fn a_list_is_full_at_2047_bytes() {
        let ours = "0004f2aabbcc-profile.cfg".len();
        // Eight entries of 252 bytes with their commas leave room for one more, comma included.
        let entries = [&*"e".repeat(251); 8].join(",");
        let room = CONFIG_FILES_BYTES - ours - 8 * 252 - 1;
        for (last, fits) in [(room, true), (room + 1, false)] {
            let last = "l".repeat(last);
            let (attributes, warnings) = attributes_of(&[("CONFIG_FILES", &format!("{entries},{last}"))]);
            let list = value(&attributes, "CONFIG_FILES").expect("always written");
            let is_full = warnings.iter().any(|warning| matches!(warning, Warning::ListFull { .. }));
            assert_eq!((list.ends_with(&last), is_full), (fits, !fits));
            assert!(list.len() <= CONFIG_FILES_BYTES && list.split(',').all(|entry| entry.len() != last.len() || entry == last));
        }
    }

    #[test]
    fn an_admins_own_attribute_is_checked() {
        assert_eq!(check("_mac_cfg_site", "x"), Ok(()));
        assert_eq!(check("CONFIG_FILES", &"a.cfg,".repeat(100)), Ok(()));
        assert_eq!(check("voice.volume", &"x".repeat(MASTER_PATH_BYTES + 1)), Ok(()));
        assert_eq!(check("_site", "x"), Err(MasterError::Prefix));
        for (bytes, fits) in [(MASTER_PATH_BYTES, true), (MASTER_PATH_BYTES + 1, false)] {
            assert_eq!(check("_mac_cfg_site", &"x".repeat(bytes)).is_ok(), fits);
        }
        assert_eq!(check("_mac_cfg_site", "any ?thing"), Ok(()));
        for (name, value) in [("CONFIG_FILES", "a.cfg,b?x"), ("MISC_FILES", "../a"), ("OVERRIDES_DIRECTORY_VVX500", "a b")] {
            assert!(matches!(check(name, value), Err(MasterError::Path { .. })), "{name}");
        }
        let with_key = "y".repeat(MASTER_PATH_BYTES - 12);
        assert_eq!(check("LOG_FILE_DIRECTORY", &format!("{with_key}$mac_address")), Ok(()));
    }
}
