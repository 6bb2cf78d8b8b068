//! Advice about a profile as a whole: whether it does one thing, and what in it can strand a phone (R109). Never an error.

use std::collections::BTreeSet;
use std::fmt;

use super::Profile;
use crate::domain::resolution::{is_off, twin_of};

/// Features that a profile may touch without a word; most of what belongs together is in two or three.
const FEATURES: usize = 3;
/// Features that a sentence names.
const NAMED: usize = 8;

/// One piece of advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Whatever else says its parameters counts instead.
    Yields,
    /// It touches many features: these.
    SeveralFeatures(Vec<String>),
    /// A wrong value of this parameter can put a phone out of reach.
    MayStrand {
        /// The parameter.
        name: String,
        /// What happens.
        danger: Danger,
    },
    /// A `.set` twin, without which its parameter is not written, stands without a value.
    WithoutValue {
        /// The twin.
        name: String,
    },
}

/// How a phone can be put out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// It asks another server from then on.
    Provisioning,
    /// It is in another network, or in none.
    Network,
    /// It finds no name any more.
    Dns,
    /// Nobody knows its password any more.
    AdminPassword,
    /// It does not believe a server any more.
    Authority,
    /// It does not come for changes any more.
    Polling,
    /// It cannot be reached from here any more.
    Rest,
}

impl Danger {
    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning-address",
            Self::Network => "network",
            Self::Dns => "dns",
            Self::AdminPassword => "admin-password",
            Self::Authority => "ca",
            Self::Polling => "polling-off",
            Self::Rest => "rest-off",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Provisioning => "tells phones where they are provisioned: with a wrong value they do not come here any more",
            Self::Network => "changes how phones are in the network: with a wrong value they are cut off",
            Self::Dns => "changes how phones resolve names: with a wrong value they find no server any more",
            Self::AdminPassword => "sets the admin password: keep it where the people on site find it",
            Self::Authority => "changes which certificates phones trust: with a wrong value they refuse this server",
            Self::Polling => "switches polling off: phones get changes only when they restart",
            Self::Rest => "switches the REST interface off: phones take no orders from here",
        }
    }
}

impl Hint {
    /// A word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Yields => "yields",
            Self::SeveralFeatures(_) => "several-features",
            Self::MayStrand { danger, .. } => danger.word(),
            Self::WithoutValue { .. } => "set-without-value",
        }
    }

    /// The parameter that it is about.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::Yields | Self::SeveralFeatures(_) => None,
            Self::MayStrand { name, .. } | Self::WithoutValue { name } => Some(name),
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yields => f.write_str(
                "Its parameters count only where nothing else sets them, wherever it is attached: any other profile and the built-in base beat \
                 it. Parameters that shall count in any case belong into another profile",
            ),
            Self::SeveralFeatures(features) => {
                let named = features.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
                let more = features.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                write!(
                    f,
                    "It touches {} features: {named}{more}. One profile for each is easier to attach and to reuse",
                    features.len()
                )
            }
            Self::MayStrand { name, danger } => write!(f, "{name} {}", danger.sentence()),
            Self::WithoutValue { name } => {
                write!(f, "{name} says nothing without a value beside it: give the value too, or remove it")
            }
        }
    }
}

/// What is to be said of a profile; of standard ones nothing.
pub fn of(profile: &Profile) -> Vec<Hint> {
    if profile.is_standard() {
        return Vec::new();
    }
    let features: BTreeSet<&str> = profile.parameters.iter().filter_map(|(name, _)| feature(name.as_str())).collect();
    let features: Vec<String> = features.into_iter().map(str::to_owned).collect();
    let several = (features.len() > FEATURES).then_some(Hint::SeveralFeatures(features));
    let dangers = profile.parameters.iter().filter_map(|(name, value)| {
        let danger = danger(&name.as_str().to_ascii_lowercase(), value)?;
        let is_meant = profile.parameters.get(&format!("{name}.set")).is_none_or(|set| !is_off(set));
        is_meant.then(|| Hint::MayStrand { name: name.to_string(), danger })
    });
    let alone = |name: &str| twin_of(name).is_some_and(|base| profile.parameters.get(base).is_none());
    let without = profile.parameters.iter().filter(|(name, value)| alone(name.as_str()) && !is_off(value));
    let without = without.map(|(name, _)| Hint::WithoutValue { name: name.to_string() });
    profile.yields.then_some(Hint::Yields).into_iter().chain(several).chain(dangers).chain(without).collect()
}

/// The feature that a parameter belongs to, by the beginning of its name; none for switches that go with any of them.
fn feature(name: &str) -> Option<&str> {
    let mut parts = name.split('.');
    let (first, second) = (parts.next()?, parts.next().unwrap_or_default());
    Some(match (first, second) {
        _ if !name.contains('.') => return None,
        ("device", "set") | ("feature", _) => return None,
        ("reg" | "voIpProt" | "msg", _) => "lines and SIP",
        ("call" | "divert" | "hoteling" | "roaming_buddies", _) => "calls",
        ("voice" | "tone", _) => "audio",
        ("video" | "content", _) => "video",
        ("se" | "ind", _) => "tones and lights",
        ("prov" | "upgrade", _) | ("device", "prov" | "dhcp") => "provisioning",
        ("qos" | "nat" | "dns" | "dhcp" | "ethernet" | "tcpIpApp", _) if second != "sntp" => "network",
        ("device", "net" | "dns" | "wifi" | "cma") => "network",
        ("tcpIpApp", _) | ("device", "sntp") => "time",
        ("lcl", "datetime") => "time",
        ("lcl", _) => "language",
        ("sec", _) | ("device", "sec" | "auth") => "security",
        ("httpd" | "apps", _) => "interfaces",
        ("up" | "bg" | "homeScreen" | "key" | "lineKey" | "softkey" | "efk", _) => "display and keys",
        ("dir" | "pres", _) => "directory",
        ("log" | "diags", _) | ("device", "syslog") => "logs",
        (first, _) => first,
    })
}

/// How a parameter can strand a phone; its name is in lower case.
fn danger(name: &str, value: &str) -> Option<Danger> {
    if twin_of(name).is_some() {
        return None;
    }
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| name.starts_with(beginning));
    match name {
        "prov.polling.enabled" if is_off(value) => Some(Danger::Polling),
        "apps.restapi.enabled" if is_off(value) => Some(Danger::Rest),
        "device.auth.localadminpassword" => Some(Danger::AdminPassword),
        _ if begins(&["device.prov.server", "device.dhcp.bootsrv"]) => Some(Danger::Provisioning),
        _ if begins(&["device.dns."]) => Some(Danger::Dns),
        _ if begins(&["device.sec.tls.customcacert", "sec.tls.customcacert", "device.sec.tls.profile.cacertlist"]) => {
            Some(Danger::Authority)
        }
        _ if begins(&[
            "device.net.vlanid",
            "device.net.ip",
            "device.net.subnetmask",
            "device.net.dot1x",
            "device.dhcp.enabled",
            "device.dhcp.dhcpvlandisc",
        ]) =>
        {
            Some(Danger::Network)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::profile;

    fn words(parameters: &[(&str, &str)]) -> Vec<&'static str> {
        of(&profile(1, parameters)).iter().map(Hint::word).collect()
    }

    #[test]
    fn one_feature_is_well_and_many_are_told() {
        assert_eq!(words(&[("reg.1.address", "1"), ("voIpProt.server.1.address", "pbx"), ("feature.x.enabled", "1")]), [""; 0]);
        let many = [("reg.1.address", "1"), ("voice.volume", "1"), ("lcl.ml.lang", "x"), ("log.level", "1")];
        assert_eq!(words(&many), ["several-features"]);
        assert!(
            of(&profile(1, &many))[0].to_string().starts_with("It touches 4 features: audio, language, lines and SIP, logs.")
        );
    }

    #[test]
    fn what_can_strand_a_phone_is_told() {
        for (name, value, word) in [
            ("device.prov.serverName", "x", "provisioning-address"),
            ("device.net.vlanId", "7", "network"),
            ("device.dns.serverAddress", "1.1.1.1", "dns"),
            ("device.auth.localAdminPassword", "1234567", "admin-password"),
            ("device.sec.TLS.customCaCert1", "x", "ca"),
            ("prov.polling.enabled", "0", "polling-off"),
            ("apps.restapi.enabled", "0", "rest-off"),
        ] {
            assert_eq!(words(&[(name, value)]), [word], "{name}");
            assert_eq!(words(&[(name, value), (&format!("{name}.set"), "0")]), [""; 0], "{name} is not meant");
        }
        assert_eq!(words(&[("prov.polling.enabled", "1"), ("apps.restapi.enabled", "1")]), [""; 0]);
    }
}
