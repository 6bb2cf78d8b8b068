//! Settings from environment variables: `PDMS_` and the key in upper case, two underscores between a table and its key.
//!
//! A name that is nearly a setting stops the start, as a misspelt key of the file does. One that looks like no setting is left
//! alone and told: container platforms put `PDMS_SERVICE_HOST` and the like into the environment by themselves.

use super::{ConfigError, Layer};

/// What the variables begin with.
const PREFIX: &str = "PDMS_";
/// Every key of the settings file, as the variables have it: tested against [`Layer`].
const KEYS: [&str; 18] = [
    "state",
    "https",
    "http",
    "public_url",
    "trusted_proxies",
    "log",
    "certificate__file",
    "certificate__key",
    "uploads__log_bytes",
    "uploads__override_bytes",
    "uploads__directory_bytes",
    "uploads__dump_bytes",
    "uploads__reserve_bytes",
    "new_devices__per_address",
    "new_devices__per_hour",
    "retention__log_days",
    "retention__log_bytes",
    "retention__activity_weeks",
];
/// Read elsewhere: by the command line and by the build.
const OTHERS: [&str; 2] = ["config", "commit"];
/// Slips of the pen (a letter more, less, other, or two swapped) up to which a name is taken for a misspelt setting.
const SLIPS: usize = 2;

/// What the variables say.
#[derive(Debug)]
pub(super) struct Read {
    /// The settings.
    pub layer: Layer,
    /// Names that are no settings and look like none.
    pub ignored: Vec<String>,
}

/// Reads the variables that begin with [`PREFIX`].
///
/// # Errors
/// A misspelt name, or a value in a wrong form.
pub(super) fn read(variables: impl IntoIterator<Item = (String, String)>) -> Result<Read, ConfigError> {
    let mut root = toml::Table::new();
    let mut ignored = Vec::new();
    for (name, value) in variables {
        let Some(key) = name.strip_prefix(PREFIX).map(str::to_lowercase) else { continue };
        if KEYS.contains(&key.as_str()) {
            put(&mut root, &key, value);
        } else if !OTHERS.contains(&key.as_str()) {
            match nearest(&key) {
                Some(nearest) => return Err(ConfigError::Misspelt { name, nearest: variable(nearest) }),
                None => ignored.push(name),
            }
        }
    }
    ignored.sort();
    Ok(Read { layer: root.try_into().map_err(ConfigError::Variables)?, ignored })
}

fn put(root: &mut toml::Table, key: &str, value: String) {
    match key.split_once("__") {
        None => drop(root.insert(key.to_owned(), value.into())),
        Some((table, key)) => {
            // Tables hold numbers, but for the one that names files.
            let number = value.parse().ok().filter(|_| table != "certificate");
            let value = number.map_or_else(|| value.into(), toml::Value::Integer);
            let entry = root.entry(table).or_insert_with(|| toml::Table::new().into());
            entry.as_table_mut().expect("every key before two underscores is a table").insert(key.to_owned(), value);
        }
    }
}

/// The setting that a name was probably to be.
fn nearest(key: &str) -> Option<&'static str> {
    let slips = |known: &str| strsim::damerau_levenshtein(key, known);
    let known = KEYS.into_iter().chain(OTHERS);
    known.min_by_key(|known| slips(known)).filter(|known| slips(known) <= SLIPS)
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load(Layer::default(), None, variables)
    }

    fn refused(name: &str, value: &str) -> String {
        load(&[(name, value)]).expect_err("no setting").to_string()
    }

    #[test]
    fn a_value_in_a_wrong_form_is_told() {
        assert!(refused("PDMS_TRUSTED_PROXIES", "10.0.0.0/8, everyone").contains("everyone"));
        let own = load(&[("PDMS_CERTIFICATE__FILE", "/a.pem"), ("PDMS_CERTIFICATE__KEY", "/a.key")]).expect("settings");
        assert_eq!(own.certificate.map(|own| own.key), Some("/a.key".into()));
    }

    #[test]
    fn a_misspelt_name_is_told_with_the_setting_it_was_to_be() {
        for (wrong, right) in [
            ("PDMS_HTPS", "PDMS_HTTPS"),
            ("PDMS_STAET", "PDMS_STATE"),
            ("PDMS_PUBLICURL", "PDMS_PUBLIC_URL"),
            ("PDMS_UPLOADS_LOG_BYTES", "PDMS_UPLOADS__LOG_BYTES"),
            ("PDMS_UPLOADS__LOGBYTES", "PDMS_UPLOADS__LOG_BYTES"),
            ("PDMS_CONFG", "PDMS_CONFIG"),
        ] {
            let told = refused(wrong, "1");
            assert!(told.contains(wrong) && told.contains(&format!("{right}?")), "{told}");
        }
    }

    #[test]
    fn what_looks_like_no_setting_is_left_alone_and_told() {
        let names = ["PDMS_SERVICE_HOST", "PDMS_PORT_8443_TCP", "PDMS_BIN"];
        let config = load(&[("HOME", "/"), (names[0], "x"), (names[1], "x"), (names[2], "x"), ("PDMS_CONFIG", "f")]);
        assert_eq!(config.expect("settings").ignored, [names[2], names[1], names[0]]);
    }

    #[test]
    fn every_key_of_the_file_is_a_variable() {
        for key in KEYS {
            let value = match key {
                "https" | "http" => "127.0.0.1:1",
                "public_url" => "https://pdms.example.test",
                "trusted_proxies" => "10.0.0.1",
                "retention__activity_weeks" => "5",
                _ => "1",
            };
            let mut pairs = vec![(variable(key), value.to_owned())];
            if let Some(other) = key.strip_prefix("certificate__") {
                pairs.push((variable(if other == "file" { "certificate__key" } else { "certificate__file" }), "1".to_owned()));
            }
            read(pairs).unwrap_or_else(|error| panic!("{key}: {error}"));
        }
        // A key that is missing here is named by the settings file's own parser.
        let told = toml::from_str::<Layer>("none = 1").expect_err("no such key").to_string();
        let tables: std::collections::BTreeSet<_> = KEYS.iter().map(|key| key.split("__").next().unwrap_or(key)).collect();
        let listed = told.split_once("expected one of").map(|(_, list)| list.matches('`').count() / 2);
        assert_eq!(listed, Some(tables.len()), "{told}");
        assert_eq!(load(&[]).expect("settings").state, Path::new("./pdms-state"));
    }
}
