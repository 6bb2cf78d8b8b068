//! What a phone keeps in flash: `device.*` values, which outlive the files that brought them (rules 8, 9).

use std::collections::BTreeMap;

use super::credentials::Credentials;
use super::files::Parameters;

/// The `device.*` values of a phone, by full name, without their `.set` twins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flash(BTreeMap<String, String>);

/// Beginnings of the names whose change restarts a phone (rule 9): network, provisioning, TLS.
const RESTARTING: &[&str] =
    &["device.net.", "device.dhcp.", "device.prov.", "device.sec.TLS.", "device.dns.", "device.baseProfile"];

impl Flash {
    /// A value; an empty one counts as none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Writes a value as the phone's own menu does.
    pub fn write(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// Forgets everything: a factory reset (rule 8).
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The names that have a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.as_str())
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The credentials for the provisioning server.
    pub fn credentials(&self) -> Option<Credentials> {
        let user = self.get("device.prov.user")?;
        Some(Credentials::new(user, self.get("device.prov.password").unwrap_or_default()))
    }

    /// How often a file is tried with credentials that are refused, and the seconds between (rule 14).
    pub fn attempts(&self) -> (u32, u32) {
        let number = |name: &str, usual: u32, most: u32| {
            let value = self.get(name).and_then(|text| text.parse::<u32>().ok());
            value.map_or(usual, |value| value.min(most))
        };
        (number("device.prov.redunAttemptLimit", 3, 10).max(1), number("device.prov.redunInterAttemptDelay", 1, 300))
    }

    /// Takes up what the files bring: a value is written only with `device.set="1"` and its own `.set="1"`; nothing is ever removed
    /// (rule 8). Answers whether something changed that restarts a phone (rule 9).
    pub fn take_up(&mut self, parameters: &Parameters) -> bool {
        if parameters.get("device.set").map(String::as_str) != Some("1") {
            return false;
        }
        let mut restart = false;
        for (name, value) in parameters.range("device.".to_owned()..).take_while(|(name, _)| name.starts_with("device.")) {
            let allowed = !name.ends_with(".set") && parameters.get(&format!("{name}.set")).map(String::as_str) == Some("1");
            if allowed && self.0.get(name) != Some(value) {
                restart |= RESTARTING.iter().any(|start| name.starts_with(start));
                self.0.insert(name.clone(), value.clone());
            }
        }
        restart
    }
}
