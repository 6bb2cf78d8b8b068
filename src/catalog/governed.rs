//! The shipped table of parameters that binding and base govern: `data/governed.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    parameter: Vec<Governed>,
}

/// A parameter that this server sets by itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Governed {
    /// Full name.
    pub name: String,
    /// What sets it.
    pub by: By,
    /// The value that a phone has while nothing sets the parameter.
    pub default: String,
}

/// What sets a parameter: the rule that ties a phone to this server, or a group of the built-in base (contract 5.2, 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Binding.
    Binding,
    /// The base's REST switch.
    RestApi,
    /// The base's tag in User-Agents.
    SerialTag,
    /// The base's polling.
    Polling,
    /// The base's admin passwords.
    AdminPassword,
    /// The base's handling of logs.
    LogUpload,
    /// The base's clock.
    Time,
    /// The name told to devices that take one.
    Name,
}

/// All governed parameters by name.
pub fn governed() -> &'static BTreeMap<String, Governed> {
    static TABLE: LazyLock<BTreeMap<String, Governed>> = LazyLock::new(|| {
        let text = include_str!("../../data/governed.toml");
        let file: File = toml::from_str(text).expect("the shipped table is TOML of this shape");
        file.parameter.into_iter().map(|parameter| (parameter.name.clone(), parameter)).collect()
    });
    &TABLE
}

/// The value that a phone has while nothing sets this parameter, where binding or base govern it. Also for `.set` twins.
///
/// Imports leave out values equal to it: whole vendor templates of defaults would otherwise undo the base (contract 5.2).
pub fn default_of(name: &str) -> Option<&'static str> {
    if let Some(parameter) = governed().get(name) {
        return Some(&parameter.default);
    }
    let base = crate::domain::resolution::twin_of(name)?;
    governed().contains_key(base).then_some("0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::applicable;
    use crate::domain::device::Device;
    use crate::domain::names::Name;
    use crate::domain::provision::provision;
    use crate::domain::testing::{device, to, world};
    use crate::domain::world::{Endpoints, World};

    /// A world whose base, binding and zone bring everything that they can, and a device that takes a name.
    fn everything() -> (Device, World) {
        let mut world = world();
        let https_url = world.endpoints.https_url.clone();
        world.endpoints = Endpoints { https_url, http_url: None, ca_pem: Some("pem".to_owned()), next_ca: None }.into();
        let mut device = device("8218404c20ccf9");
        device.family = Some("Studio".to_owned());
        device.sent_name = Some(Name::parse("Board room").expect("a name"));
        assert!(applicable(&device, &world).is_empty());
        (device, world)
    }

    #[test]
    fn the_table_lists_exactly_what_the_server_sets_by_itself() {
        let (device, world) = everything();
        let provision = provision(&to(&device), &world);
        let mut set: Vec<_> = provision.files.parameters().map(|setting| &*setting.name).collect();
        set.retain(|name| crate::domain::resolution::twin_of(name).is_none());
        set.sort_unstable();
        let listed: Vec<_> = governed().keys().map(String::as_str).collect();
        assert_eq!(listed, set);
    }

    #[test]
    fn binding_is_what_is_listed_as_binding() {
        let (device, world) = everything();
        for setting in provision(&to(&device), &world).files.binding {
            if let Some(parameter) = governed().get(&*setting.name) {
                assert_eq!(parameter.by, By::Binding, "{}", setting.name);
            }
        }
    }

    #[test]
    fn twins_are_off_by_default_and_other_parameters_are_unknown() {
        assert_eq!(default_of("prov.polling.time"), Some("03:00"));
        assert_eq!(default_of("device.prov.tagSerialNo"), Some(""));
        assert_eq!(default_of("device.prov.tagSerialNo.set"), Some("0"));
        assert_eq!(default_of("device.net.vlanId.set"), None);
        assert_eq!(default_of("voice.volume"), None);
    }
}
