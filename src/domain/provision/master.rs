//! Attributes of the master file: which names they have, which the server writes, and what profiles may do to them
//! (R165–R170, protocol/provisioning.md 2).

use std::borrow::Cow;

use super::super::limits::{CONFIG_FILES_BYTES, MASTER_PATH_BYTES};
use super::super::parameter::{ParameterError, ParameterName};
use super::super::resolution::Effective;
use super::variables::expanded_bytes;
use super::{Setting, Text, Warning};

/// A path that is always answered 404: while no image is chosen for a device it keeps the software it has (contract 5.12).
pub const NO_IMAGE: &str = "swupdate/none/none/sip.ld";

/// What the name of a device's own parameter file adds to its key.
pub const PARAMETER_FILE_SUFFIX: &str = "-profile.cfg";

/// What names of attributes that admins invent begin with (R170). They are written under that very name.
pub const INVENTED_PREFIX: &str = "_mac_cfg";

const CONFIG_FILES: &str = "CONFIG_FILES";
const APP_FILE_PATH: &str = "APP_FILE_PATH";

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
    name.starts_with(INVENTED_PREFIX) || FILES.iter().any(|file| is_or_of_model(name, file)) || is_directory(name)
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
    /// The name is none that XML or the parameter grammar allows.
    #[error(transparent)]
    Name(#[from] ParameterError),
    /// The name is neither a known attribute nor one that admins may invent.
    #[error("a master-file attribute of your own begins with {INVENTED_PREFIX}, as in {INVENTED_PREFIX}_site")]
    Prefix,
    /// One path is too long for a phone.
    #[error("a path in a master file has at most {MASTER_PATH_BYTES} bytes; “{0}” has more")]
    TooLong(String),
}

/// Checks a master attribute that an admin writes into a profile.
pub fn check(name: &str, value: &str) -> Result<(), MasterError> {
    ParameterName::parse(name)?;
    if !is_master(name) {
        return Err(MasterError::Prefix);
    }
    match entries(name, value).find(|entry| expanded_bytes(entry, KEY_BYTES) > MASTER_PATH_BYTES) {
        Some(entry) => Err(MasterError::TooLong(entry.to_owned())),
        None => Ok(()),
    }
}

/// Bytes of a MAC in file names.
const KEY_BYTES: usize = 12;

/// The paths of a value: those of a list, or the one.
fn entries<'a>(name: &str, value: &'a str) -> impl Iterator<Item = &'a str> {
    let separator = if FILES.iter().any(|file| file.ends_with("_FILES") && is_or_of_model(name, file)) { ',' } else { '\0' };
    value.split(separator).map(str::trim).filter(|entry| !entry.is_empty())
}

/// The attributes of a device's master file. `key_bytes` is the length of the device's key, which the limits are counted with.
pub fn attributes<'a>(effective: &Effective<'a>, key_bytes: usize, warnings: &mut Vec<Warning>) -> Vec<Setting<'a, Text<'a>>> {
    let mut attributes: Vec<_> =
        WRITTEN.iter().map(|name| Setting { name: Cow::Borrowed(*name), value: written(name) }).collect();
    for resolved in effective.iter().filter(|resolved| is_master(resolved.name)) {
        let Some(value) = resolved.winner.value else { continue };
        let value = if is_or_of_model(resolved.name, CONFIG_FILES) {
            Text::Profile(Cow::Owned(appended(resolved.name, value, key_bytes, warnings)))
        } else if let Some(entry) =
            entries(resolved.name, value).find(|entry| expanded_bytes(entry, key_bytes) > MASTER_PATH_BYTES)
        {
            warnings.push(Warning::PathTooLong { attribute: resolved.name.to_owned(), entry: entry.to_owned() });
            continue;
        } else {
            Text::Profile(Cow::Borrowed(&**value))
        };
        match attributes.iter_mut().find(|attribute| attribute.name == resolved.name) {
            Some(attribute) => attribute.value = value,
            None => attributes.push(Setting { name: Cow::Borrowed(resolved.name), value }),
        }
    }
    attributes
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
fn appended(attribute: &str, value: &str, key_bytes: usize, warnings: &mut Vec<Warning>) -> String {
    let mut list = own_file();
    let mut bytes = expanded_bytes(&list, key_bytes);
    for entry in entries(CONFIG_FILES, value) {
        let entry_bytes = expanded_bytes(entry, key_bytes);
        if entry_bytes > MASTER_PATH_BYTES {
            warnings.push(Warning::PathTooLong { attribute: attribute.to_owned(), entry: entry.to_owned() });
        } else if bytes + 1 + entry_bytes > CONFIG_FILES_BYTES {
            warnings.push(Warning::ListFull { attribute: attribute.to_owned(), entry: entry.to_owned() });
        } else {
            list.push(',');
            list.push_str(entry);
            bytes += 1 + entry_bytes;
        }
    }
    list
}
