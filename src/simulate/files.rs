//! The files a phone fetches, read as a phone reads them.
//!
//! An own reader on purpose: the server's reader and writer of `crate::xml` must not share a mistake with the phones that test them.

use std::collections::BTreeMap;

use roxmltree::Document;

/// Parameters by their full names.
pub type Parameters = BTreeMap<String, String>;

/// A master file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Master {
    /// `CONFIG_FILES`, in order; the leftmost wins (rule 4).
    pub files: Vec<String>,
    /// `APP_FILE_PATH`.
    pub image: Option<String>,
    /// `LOG_FILE_DIRECTORY` and its like by name, where they are not empty.
    pub directories: BTreeMap<String, String>,
}

/// Not well-formed: such a file is ignored as a whole (rule 22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllFormed;

/// First parts of the parameter names that the simulated software knows; others are counted and ignored (rule 22).
const KNOWN: &[&str] = &[
    "acd",
    "apps",
    "attendant",
    "bg",
    "bluetooth",
    "btoe",
    "button",
    "call",
    "callLists",
    "cloud",
    "device",
    "diags",
    "dialplan",
    "dir",
    "divert",
    "dns",
    "efk",
    "exchange",
    "feature",
    "font",
    "hoteling",
    "homeScreen",
    "httpd",
    "ind",
    "key",
    "keypadLock",
    "lcl",
    "license",
    "lineKey",
    "log",
    "mb",
    "messaging",
    "mr",
    "msg",
    "mwi",
    "nat",
    "net",
    "np",
    "oai",
    "phoneLock",
    "pnet",
    "powerSaving",
    "pres",
    "prov",
    "pstn",
    "ptt",
    "qos",
    "ramdisk",
    "reg",
    "request",
    "res",
    "saf",
    "se",
    "sec",
    "snmp",
    "softkey",
    "tcpIpApp",
    "tone",
    "up",
    "upgrade",
    "usb",
    "video",
    "voIpProt",
    "voice",
    "volume",
    "webutility",
    "wifi",
];

fn text(body: &[u8]) -> Result<&str, IllFormed> {
    let body = std::str::from_utf8(body).map_err(|_| IllFormed)?;
    Ok(body.strip_prefix('\u{feff}').unwrap_or(body))
}

impl Master {
    /// Reads a master file. Attributes with this model's suffix beat the general ones.
    pub fn read(body: &[u8], model: &str) -> Result<Self, IllFormed> {
        let document = Document::parse(text(body)?).map_err(|_| IllFormed)?;
        let mut attributes = BTreeMap::new();
        for attribute in document.descendants().flat_map(|node| node.attributes()) {
            attributes.entry(attribute.name().to_owned()).or_insert_with(|| attribute.value().trim().to_owned());
        }
        let get = |name: &str| {
            let special = attributes.get(&format!("{name}_{model}")).or_else(|| attributes.get(name));
            special.filter(|value| !value.is_empty()).cloned()
        };
        let files = get("CONFIG_FILES").unwrap_or_default();
        Ok(Self {
            files: files.split(',').map(|file| file.trim().to_owned()).filter(|file| !file.is_empty()).collect(),
            image: get("APP_FILE_PATH"),
            directories: DIRECTORIES.iter().filter_map(|name| Some(((*name).to_owned(), get(name)?))).collect(),
        })
    }
}

const DIRECTORIES: &[&str] =
    &["LOG_FILE_DIRECTORY", "OVERRIDES_DIRECTORY", "CONTACTS_DIRECTORY", "LICENSE_DIRECTORY", "CALL_LISTS_DIRECTORY"];

/// Reads a parameter file: attributes at every depth, element names mean nothing; of a repeated name the first counts.
/// Answers the parameters and how many names were unknown (rule 22).
pub fn read_parameters(body: &[u8]) -> Result<(Parameters, u32), IllFormed> {
    let document = Document::parse(text(body)?).map_err(|_| IllFormed)?;
    let mut parameters = Parameters::new();
    let mut unknown = 0;
    for attribute in document.descendants().flat_map(|node| node.attributes()).filter(|a| a.namespace().is_none()) {
        let name = attribute.name();
        let first = name.split('.').next().unwrap_or_default();
        if name.contains('.') && KNOWN.contains(&first) {
            parameters.entry(name.to_owned()).or_insert_with(|| attribute.value().to_owned());
        } else {
            unknown += 1;
        }
    }
    Ok((parameters, unknown))
}

/// Writes an override file the way phones upload it.
pub fn write_overrides(overrides: &Parameters) -> Vec<u8> {
    use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event};
    let mut element = BytesStart::new("OVERRIDES");
    for (name, value) in overrides {
        element.push_attribute((name.as_str(), value.as_str()));
    }
    let mut writer = quick_xml::Writer::new(Vec::new());
    let events = [
        Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), Some("yes"))),
        Event::Start(BytesStart::new("PHONE_CONFIG")),
        Event::Empty(element),
        Event::End(BytesEnd::new("PHONE_CONFIG")),
    ];
    for event in events {
        writer.write_event(event).expect("a vector takes every write");
    }
    writer.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_read_back_as_they_were_written() {
        let overrides =
            Parameters::from([("lcl.ml.lang".to_owned(), "<\"&' ä".to_owned()), ("up.timeOut".to_owned(), "41".to_owned())]);
        assert_eq!(read_parameters(&write_overrides(&overrides)), Ok((overrides, 0)));
    }

    #[test]
    fn a_models_own_attribute_beats_the_general_one() {
        let body = br#"<APPLICATION CONFIG_FILES="a.cfg, b.cfg,"><X CONFIG_FILES_VVX411="c.cfg" LOG_FILE_DIRECTORY="logs"/></APPLICATION>"#;
        let master = |model| Master::read(body, model).map(|m| m.files);
        assert_eq!(master("VVX411"), Ok(vec!["c.cfg".to_owned()]));
        assert_eq!(master("VVX500"), Ok(vec!["a.cfg".to_owned(), "b.cfg".to_owned()]));
    }
}
