//! Parameters that mean something only together, and profiles that set some of them while the built-in base gives the rest.
//!
//! Each parameter is merged for itself (contract 5.1), so half of a clock may come from a profile and the other half from the
//! base. That may be meant; it is told, so that nobody has to find it out on a phone.

use super::super::resolution::Effective;
use super::{Given, Warning};

/// Parameters that hang together.
struct Group {
    /// What they decide, in words.
    what: &'static str,
    /// Whoever sets one of these…
    set: &'static [&'static str],
    /// … should set these as well, where the base gives them: what they begin with.
    decide: &'static [&'static str],
    /// What profiles say with which the others decide nothing, or what is meant anyway.
    unless: &'static [Unless],
}

/// A value of a parameter.
enum Unless {
    /// This one.
    Is(&'static str, &'static str),
    /// A number of seconds that is a number of whole days.
    WholeDays(&'static str),
}

impl Unless {
    fn holds(&self, effective: &Effective<'_>) -> bool {
        let given = |name| effective.value(name).map(str::trim);
        match self {
            Self::Is(name, value) => given(name).is_some_and(|given| given.eq_ignore_ascii_case(value)),
            Self::WholeDays(name) => {
                given(name).and_then(|given| given.parse::<u32>().ok()).is_some_and(|seconds| seconds % 86_400 == 0)
            }
        }
    }
}

const NO_POLLING: Unless = Unless::Is("prov.polling.enabled", "0");
const DAYLIGHT: &str = "tcpIpApp.sntp.daylightSavings.enable";
/// What begins so says when daylight-saving time is; where that is off, it decides nothing.
const DAYLIGHT_RULE: &str = "tcpIpApp.sntp.daylightSavings.";

/// The groups, as data: protocol/provisioning.md 5 says what hangs together.
const GROUPS: [Group; 8] = [
    Group { what: "the phone's clock", set: &["tcpIpApp.sntp.gmtOffset"], decide: &[DAYLIGHT_RULE], unless: &[] },
    Group {
        what: "the phone's clock",
        set: &["device.sntp.gmtOffset", "tcpIpApp.sntp.gmtOffset.overrideDHCP"],
        decide: &["tcpIpApp.sntp.gmtOffset", DAYLIGHT_RULE],
        unless: &[],
    },
    Group { what: "daylight-saving time", set: &[DAYLIGHT_RULE], decide: &[DAYLIGHT_RULE], unless: &[] },
    Group {
        what: "the time server",
        set: &["tcpIpApp.sntp.address", "device.sntp.serverName"],
        decide: &["tcpIpApp.sntp.address", "device.sntp.serverName"],
        unless: &[],
    },
    Group {
        what: "when the phone polls",
        set: &["prov.polling.period"],
        decide: &["prov.polling.mode"],
        // In the base's mode, every so many days.
        unless: &[NO_POLLING, Unless::WholeDays("prov.polling.period")],
    },
    Group {
        what: "when the phone polls",
        set: &["prov.polling.mode"],
        decide: &["prov.polling.period", "prov.polling.time"],
        unless: &[NO_POLLING, Unless::Is("prov.polling.mode", "abs"), Unless::Is("prov.polling.mode", "rel")],
    },
    Group {
        what: "when the phone polls",
        set: &["prov.polling.timeRandomEnd"],
        decide: &["prov.polling.mode", "prov.polling.period", "prov.polling.time"],
        unless: &[NO_POLLING],
    },
    Group {
        what: "how logs are uploaded",
        set: &["log.render.file.upload.append.sizeLimit", "log.render.file.upload.append.limitMode"],
        decide: &["log.render.file.upload.append"],
        unless: &[],
    },
];

/// Tells of each group that comes partly from profiles and partly from the base. `base` is what the base would give, whether or
/// not a profile beats it.
pub fn warnings(effective: &Effective<'_>, base: &[Given<'_>]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    let has_no_summer = Unless::Is(DAYLIGHT, "0").holds(effective);
    let decides = |name: &str| !(has_no_summer && name.starts_with(DAYLIGHT_RULE));
    for group in &GROUPS {
        if group.unless.iter().any(|unless| unless.holds(effective)) {
            continue;
        }
        let begins =
            |names: &[&str], name: &str| names.iter().any(|one| name == *one || one.ends_with('.') && name.starts_with(one));
        let set = effective.iter().map(|one| one.name).filter(|name| begins(group.set, name));
        let set: Vec<String> = set.map(str::to_owned).collect();
        let kept = base
            .iter()
            .map(|given| &*given.name)
            .filter(|name| begins(group.decide, name) && decides(name) && effective.get(name).is_none());
        let kept: Vec<String> = kept.map(str::to_owned).collect();
        // One mention is enough where two groups overlap: the first tells more.
        let is_told = warnings
            .iter()
            .any(|told| matches!(told, Warning::Mixed { kept: told, .. } if kept.iter().all(|one| told.contains(one))));
        if !set.is_empty() && !kept.is_empty() && !is_told {
            warnings.push(Warning::Mixed { what: group.what, set, kept });
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::BaseSettings;
    use crate::domain::deployment::{Container, Place, Placed};
    use crate::domain::provision::{base, provision};
    use crate::domain::resolution::merge;
    use crate::domain::testing::{deployed, device, profile, to, with_account, world};

    /// What is mixed: what it decides, and the parameters of the base.
    fn mixed(parameters: &[(&str, &str)]) -> Vec<(&'static str, Vec<String>)> {
        let profile = profile(1, parameters);
        let placed = [Placed { container: Container::Global, place: None, profile: &profile }];
        let given = base::parameters(BaseSettings::MANAGE, "Europe/Berlin", "pool.ntp.org", &mut Vec::new());
        let told = warnings(&merge(&placed), &given).into_iter();
        told.filter_map(|warning| if let Warning::Mixed { what, kept, .. } = warning { Some((what, kept)) } else { None })
            .collect()
    }

    #[test]
    fn an_offset_without_its_daylight_saving_rule_is_told_with_the_parameters_that_decide() {
        for name in ["tcpIpApp.sntp.gmtOffset", "device.sntp.gmtOffset"] {
            let told = mixed(&[(name, "-18000")]);
            assert_eq!(told.len(), 1, "{name}: {told:?}");
            assert_eq!(told[0].0, "the phone's clock");
            assert!(told[0].1.iter().any(|kept| kept == DAYLIGHT), "{name}: {told:?}");
        }
        assert_eq!(mixed(&[("device.sntp.gmtOffset.set", "1")]), [], "a twin alone says nothing");
        assert_eq!(mixed(&[("tcpIpApp.sntp.gmtOffset", "19800"), (DAYLIGHT, "0")]), []);
        let over_dhcp = ("tcpIpApp.sntp.gmtOffset.overrideDHCP", "1");
        assert_eq!(mixed(&[("tcpIpApp.sntp.gmtOffset", "19800"), over_dhcp, (DAYLIGHT, "0")]), []);
        let told = mixed(&[over_dhcp, (DAYLIGHT, "0")]);
        assert_eq!(told, [("the phone's clock", vec!["tcpIpApp.sntp.gmtOffset".to_owned()])]);
        let half = mixed(&[("tcpIpApp.sntp.daylightSavings.start.month", "10")]);
        assert_eq!(half.iter().map(|(what, _)| *what).collect::<Vec<_>>(), ["daylight-saving time"]);
    }

    #[test]
    fn each_group_is_told_when_half_of_it_is_set_and_not_when_all_of_it_is() {
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[("prov.polling.mode", "random")], "when the phone polls"),
            (&[("prov.polling.period", "3600")], "when the phone polls"),
            (&[("prov.polling.timeRandomEnd", "05:00")], "when the phone polls"),
            (&[("tcpIpApp.sntp.address", "ntp.example.test")], "the time server"),
            (&[("log.render.file.upload.append.sizeLimit", "512")], "how logs are uploaded"),
        ];
        for (parameters, what) in cases {
            assert_eq!(mixed(parameters).iter().map(|(what, _)| *what).collect::<Vec<_>>(), [what], "{parameters:?}");
        }
        for whole in [
            &[("prov.polling.mode", "rel"), ("prov.polling.period", "3600")][..],
            &[("prov.polling.period", "3600"), ("prov.polling.enabled", "0")],
            &[("prov.polling.time", "04:00")],
            &[("prov.polling.period", "172800")],
            &[("prov.polling.mode", "rel")],
            &[("tcpIpApp.sntp.address", "a"), ("device.sntp.serverName", "a")],
            &[("voice.volume", "3")],
        ] {
            assert_eq!(mixed(whole), [], "{whole:?}");
        }
    }

    #[test]
    fn what_the_base_does_not_give_cannot_be_mixed_with_it() {
        let world = deployed(world(), vec![(Place::Global, profile(1, &[("tcpIpApp.sntp.gmtOffset", "0")]))]);
        let device = device("0004f2aabbcc");
        let warnings = provision(&to(&device), &world).warnings;
        let [told] = &warnings[..] else { panic!("one warning: {warnings:?}") };
        assert!(told.to_string().contains("tcpIpApp.sntp.gmtOffset") && told.to_string().contains(DAYLIGHT), "{told}");
        let world = with_account(world, |account| account.base = BaseSettings::SERVE_ONLY);
        assert_eq!(provision(&to(&device), &world).warnings, []);
    }

    #[test]
    fn every_group_asks_for_something_that_the_base_gives() {
        let given = base::parameters(BaseSettings::MANAGE, "Europe/Berlin", "pool.ntp.org", &mut Vec::new());
        for name in GROUPS.iter().flat_map(|group| group.decide) {
            assert!(given.iter().any(|one| one.name.starts_with(name)), "{name}");
        }
    }
}
